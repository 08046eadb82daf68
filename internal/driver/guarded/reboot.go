package guarded

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// The guarded reboot: $2 (after the guard's shift: $1) is the boot that may be ended.
// The order is carried out a moment later and apart from this session, so that it can be answered.
const rebootHead = Guard + thisBoot

// thisBoot refuses in another boot than $1.
const thisBoot = `
now=; read -r now </proc/sys/kernel/random/boot_id
if [ "$now" != "$1" ]; then echo "the boot id is $now, not $1" >&2; exit 116; fi
`

const rebootTail = `
if [ -d /run/systemd/system ]; then how='systemctl reboot'; else how=reboot; fi
setsid sh -c "sleep 0.3; exec $how" </dev/null >/dev/null 2>&1 9>&- &
echo "rebooting from $now"
`

var bootIDForm = regexp.MustCompile(`^[0-9a-zA-Z-]{8,64}$`)

// Reboot orders a guarded reboot. It returns nil when the host took the order, or when its boot id is
// another one. What stands in Vacant is asked in the same call, right before the order. When the answer to the order is lost, the host is asked for its boot id until it
// answers or ctx ends.
func (h Host) Reboot(ctx context.Context, f driver.Fence, bootID string, u plan.Update) error {
	if !bootIDForm.MatchString(bootID) {
		return &driver.Error{Code: driver.CodeRefused, Why: fmt.Sprintf("%q is no boot id, so the reboot of %s could not be guarded", bootID, h.ID), Next: "observe the host over SSH first"}
	}
	argv := []string{"sh", "-c", rebootHead + h.Vacant + rebootTail, "evenkeel", strconv.FormatInt(f.Generation, 10), bootID}
	if len(u.Reboot) > 0 { // the boot is asked for all the same: an operator's own command may not
		argv = append([]string{"sh", "-c", thisBoot + "shift\n" + h.Vacant + "exec \"$@\"\n", "evenkeel", bootID}, fill(u.Reboot, bootID, f.Generation)...)
	}
	res, err := h.Run(ctx, argv)
	switch {
	case err == nil && res.Exit == 0:
		return nil
	case err == nil && res.Exit == ExitOccupied && h.Vacant != "":
		return &driver.Error{Code: driver.CodeOccupied, Retry: true, Why: h.ID + " is not empty: " + lastLines(res.Stderr, 1), Next: "keep other tools from placing instances there; nothing was rebooted"}
	case err == nil:
		// Whoever refuses because the boot is over tells good news: the host says which boot it is in.
		if now, lookErr := h.BootID(ctx); lookErr == nil && now != bootID {
			return nil
		}
		if len(u.Reboot) == 0 && (res.Exit == exitStale || res.Exit == exitNoGuard) {
			return guardError(h, res)
		}
		return &driver.Error{Code: driver.CodeRefused, Why: fmt.Sprintf("%s refuses to reboot (exit code %d): %s", h.ID, res.Exit, lastLines(res.Stdout+"\n"+res.Stderr, 3)), Next: "read its words; nothing was rebooted"}
	}
	return h.afterLostOrder(ctx, bootID, err)
}

// afterLostOrder finds out what became of a reboot whose answer was lost: another boot id is a reboot;
// silence may be one; the old boot id means that the order may not have been taken.
func (h Host) afterLostOrder(ctx context.Context, bootID string, cause error) error {
	for {
		now, err := h.BootID(ctx)
		switch {
		case err == nil && now != bootID:
			return nil
		case err != nil && pause(ctx, h.Poll):
		case err != nil:
			return &driver.Error{Code: driver.CodeUnreachable, Retry: true, Err: cause, Why: "the order to reboot " + h.ID + " got no answer, and the host has been silent since", Next: "wait until it answers, then look at its boot id"}
		default:
			return &driver.Error{Code: driver.CodeUnreachable, Retry: true, Err: cause, Why: "the order to reboot " + h.ID + " got no answer, and the host is still in the old boot", Next: "try again: the guard keeps it from being rebooted twice"}
		}
	}
}

// BootID asks the host which boot it is in, for less than a look costs.
func (h Host) BootID(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, h.CallTimeout)
	defer cancel()
	res, err := h.Run(ctx, []string{"cat", "/proc/sys/kernel/random/boot_id"})
	if err != nil {
		return "", err
	}
	id := strings.TrimSpace(res.Stdout)
	if res.Exit != 0 || !bootIDForm.MatchString(id) {
		return "", &driver.Error{Code: driver.CodeFailed, Retry: true, Why: fmt.Sprintf("the boot id of %s cannot be read: %s", h.ID, lastLines(res.Stderr, 1)), Next: "look at the host"}
	}
	return id, nil
}

// fill puts boot id and generation into an operator's own reboot command.
func fill(argv []string, bootID string, generation int64) []string {
	r := strings.NewReplacer("{boot_id}", bootID, "{generation}", strconv.FormatInt(generation, 10))
	out := make([]string, len(argv))
	for i, a := range argv {
		out[i] = r.Replace(a)
	}
	return out
}
