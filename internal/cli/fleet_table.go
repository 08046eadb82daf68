package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// fleetTable prints a fleet for people.
type fleetTable struct {
	out    io.Writer
	ix     *fleet.Index
	colour bool
}

func (t *fleetTable) line(format string, args ...any) { fmt.Fprintf(t.out, format+"\n", args...) }

// pools prints each pool with the hosts whose home it is.
func (t *fleetTable) pools() {
	f := t.ix.Fleet
	for _, p := range f.Pools {
		zone := "UTC"
		if s := t.ix.Sites[p.Site]; s != nil && s.Timezone != "" {
			zone = s.Timezone
		}
		t.line("pool %s  site %s (%s)  reserve %s", p.ID, p.Site, zone, gib(t.ix.ReserveMiB(p.ID)))
		rows := [][]string{{"HOST", "HYPERVISOR", "STATE", "MEMORY", "", "INSTANCES", "SOFTWARE"}}
		for _, h := range t.ix.HomeHosts(p.ID) {
			rows = append(rows, t.hostRow(h))
		}
		t.table(rows)
		t.line("")
	}
	var used, all int64
	for _, h := range f.Hosts {
		used, all = used+t.ix.UsedMiB(h.ID), all+h.MemoryMiB
	}
	seen := "not dated"
	if !f.Taken.IsZero() {
		seen = "seen " + f.Taken.UTC().Format("2006-01-02 15:04 UTC")
	}
	t.line("%s; memory %s of %s (%d %%); %s", sizes(f), gib(used), gib(all), percent(used, all), seen)
	if layers := unlooked(f); layers != "" {
		t.line("not looked at: %s", layers)
	}
}

func (t *fleetTable) hostRow(h *fleet.Host) []string {
	used := t.ix.UsedMiB(h.ID)
	return []string{h.ID, string(h.Hypervisor), t.state(h), bar(used, h.MemoryMiB),
		fmt.Sprintf("%s of %s", gib(used), gib(h.MemoryMiB)), fmt.Sprint(len(t.ix.On[h.ID])), software(h.Software)}
}

func (t *fleetTable) state(h *fleet.Host) string {
	switch {
	case h.Health == fleet.Down:
		return t.paint("31", "down")
	case h.Health == fleet.Sick:
		return t.paint("33", "sick")
	case h.Spare:
		return "up, spare"
	}
	return t.paint("32", "up")
}

// paint colours a word; the word says the same without.
func (t *fleetTable) paint(code, word string) string {
	if !t.colour {
		return word
	}
	return "\x1b[" + code + "m" + word + "\x1b[0m"
}

func (t *fleetTable) host(h *fleet.Host) {
	t.line("host %s  %s  pools %s  site %s", h.ID, h.Hypervisor, strings.Join(h.Pools, ", "), t.siteName(h.ID))
	t.line("memory %s %s of %s; %s", bar(t.ix.UsedMiB(h.ID), h.MemoryMiB), gib(t.ix.UsedMiB(h.ID)), gib(h.MemoryMiB), t.state(h))
	t.facts(h)
	t.instances(t.ix.On[h.ID])
}

func (t *fleetTable) siteName(host string) string {
	if s := t.ix.SiteOf(host); s != nil {
		return s.ID
	}
	return "unknown"
}

func (t *fleetTable) tenant(tn *fleet.Tenant) {
	var mails []string
	for _, c := range tn.Contacts {
		mails = append(mails, c.Email)
	}
	contacts := strings.Join(mails, ", ")
	if contacts == "" {
		contacts = "none: cannot be told"
	}
	t.line("tenant %s  %s  zone %s  contacts %s", tn.ID, tn.Name, t.ix.TenantZone(tn.ID), contacts)
	t.instances(t.ix.TenantOwns[tn.ID])
}

// instances prints a table of instances and their number.
func (t *fleetTable) instances(list []*fleet.Instance) {
	rows := [][]string{{"INSTANCE", "HOST", "TENANT", "GROUPS", "STATE", "MEMORY", "RUNS ON", "SEEN", "MOVES"}}
	for _, i := range list {
		var groups []string
		for _, g := range t.ix.GroupsOf[i.ID] {
			groups = append(groups, g.ID)
		}
		moves := "live"
		if why := fleet.Bound(i); why != nil {
			moves = "no: " + why.Code
		}
		state := i.State
		if state == "" {
			state = fleet.Running
		}
		rows = append(rows, []string{i.ID, i.Host, dash(i.Tenant), dash(strings.Join(groups, ",")), string(state), gib(i.MemoryMiB), dash(versionList(i.Running)), seenOf(i), moves})
	}
	t.table(rows)
	t.line("%s", count(len(list), "instance"))
}

// table prints rows in columns as wide as their widest cell.
func (t *fleetTable) table(rows [][]string) {
	var widths []int
	for _, row := range rows {
		for n, cell := range row {
			if n == len(widths) {
				widths = append(widths, 0)
			}
			widths[n] = max(widths[n], shown(cell))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for n, cell := range row {
			line.WriteString("  " + cell + strings.Repeat(" ", widths[n]-shown(cell)))
		}
		t.line("%s", strings.TrimRight(line.String(), " "))
	}
}

// shown is how many places a cell takes; colour takes none.
func shown(cell string) int {
	if strings.HasPrefix(cell, "\x1b[") {
		_, cell, _ = strings.Cut(cell, "m")
		cell = strings.TrimSuffix(cell, "\x1b[0m")
	}
	return utf8.RuneCountInString(cell)
}

// bar draws how much of a host's memory is taken, in ten places.
func bar(used, all int64) string {
	const places = 10
	full := 0
	if all > 0 {
		full = int(min(max((used*places+all/2)/all, 0), places))
	}
	return "[" + strings.Repeat("#", full) + strings.Repeat(".", places-full) + "]"
}

func percent(used, all int64) int64 {
	if all == 0 {
		return 0
	}
	return used * 100 / all
}

// gib writes a memory size: in GiB when it is one or more.
func gib(mib int64) string {
	if mib < 1024 {
		return fmt.Sprintf("%d MiB", mib)
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", float64(mib)/1024), ".0") + " GiB"
}

// software says what is in effect (what runs, or else what was booted), and what else lies on disk
// when that differs.
func software(s fleet.Software) string {
	serving := map[string]string{}
	maps.Copy(serving, s.Booted)
	maps.Copy(serving, s.Running)
	words := []string{versionList(serving), patchList(s.LivePatches)}
	var waiting []string
	for _, pkg := range slices.Sorted(maps.Keys(s.Installed)) {
		if v := s.Installed[pkg]; serving[pkg] != v {
			waiting = append(waiting, pkg+" "+v)
		}
	}
	if len(waiting) > 0 {
		words = append(words, "installed "+strings.Join(waiting, ", "))
	}
	return dash(strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), "; "))
}

func versionList(versions map[string]string) string {
	var words []string
	for _, pkg := range slices.Sorted(maps.Keys(versions)) {
		words = append(words, pkg+" "+versions[pkg])
	}
	return strings.Join(words, ", ")
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
