package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// few names the first few of many ids.
func few(ids []string) string {
	const most = 4
	if len(ids) <= most {
		return strings.Join(ids, ", ")
	}
	return strings.Join(ids[:most], ", ") + fmt.Sprintf(" and %d more", len(ids)-most)
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func downToo(n int, what string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" (%s down already)", many(n, what))
}

// lasts writes how long something takes; long spans in whole minutes, rounded up.
func lasts(d time.Duration) string {
	if d < 10*time.Minute {
		return d.Round(time.Second).String()
	}
	d = (d + time.Minute - 1).Truncate(time.Minute)
	return strings.TrimSuffix(d.String(), "0s")
}

// counted writes numbers of hosts by the code of what forbids them, the greatest first.
func counted(counts map[string]int) string {
	var codes []string
	for code := range counts {
		codes = append(codes, code)
	}
	slices.SortFunc(codes, func(a, b string) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b)) })
	var parts []string
	for _, code := range codes {
		parts = append(parts, fmt.Sprintf("%d %s", counts[code], wordsFor(code)))
	}
	if len(parts) == 0 {
		return "there is no other host in its pools"
	}
	return strings.Join(parts, ", ")
}

// wordsFor says what a code of a refused host means.
func wordsFor(code string) string {
	if words := refusedWords[code]; words != "" {
		return words
	}
	return code
}

var refusedWords = map[string]string{
	fleet.NoRoom: "without room", codeBooked: "whose room is for others of the wave", codeInTurn: "in their own turn", codeInTurn + " or unfit": "in their own turn or not up",
	codeNotFixed: "not fixed yet", codeMinStay: "whose own turn is too soon", fleet.SpreadForbids: "near another member of its group", fleet.HostUnfit: "not up",
	codeTooLong: "over too slow a link", fleet.CPUMismatch: "with another CPU", fleet.OlderHypervisor: "with an older hypervisor", fleet.OtherHypervisor: "of another hypervisor",
	fleet.NetworkMissing: "without its network", fleet.StorageMissing: "without its storage", fleet.MachineMissing: "without its machine type", fleet.NoLiveMigration: "that cannot live-migrate",
	fleet.NoCommonPool: "that share no pool with its host", codeReserve: "in pools whose reserve would be eaten", fleet.NoShadow: "to which its host's Xen without shadow paging cannot send it",
	fleet.PinnedToHost: "(it is pinned)", fleet.LocalDisk: "(its disk is local)", fleet.DevicePassed: "(it holds a device)",
}
