// Package guarded changes hosts over SSH in ways that only a host itself can
// guard: software updates, one at a time, and reboots that name the boot they
// end. A host refuses a controller whose generation is older than one it has
// seen, and notes ours, in /var/lib/evenkeel there.
//
// It knows no hypervisor, never kills what runs on a host, and never decides
// whether a host should be changed. Start reading at Host.
package guarded

import (
	"context"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/ssh"
)

// Host is one host and how commands are run there.
type Host struct {
	driver.Host
	// Run runs one command over SSH; an exit code other than 0 is no error.
	Run func(ctx context.Context, argv []string) (ssh.Result, error)
	// CallTimeout bounds one short command, Poll is the pause between two looks, HookTimeout bounds one
	// stage of a hook folder (0: 1800 s, as in CloudStack).
	CallTimeout, Poll, HookTimeout time.Duration
	// Vacant, when set, is shell that ends with ExitOccupied, and says who it is, when somebody runs on the
	// host. It may use no positional parameter. A reboot runs it right before its order.
	Vacant string
}

// ExitOccupied is what Vacant says of a host that is not empty.
const ExitOccupied = 122

// Guard is put before each command that changes a host: it refuses an older generation than the host has
// seen, and notes ours. $1 is ours. It leaves the host's note on disk before anything else happens, under
// a lock that descriptor 9 holds.
const Guard = `
set -u
dir=/var/lib/evenkeel ours=$1; shift
{ [ -d "$dir" ] || mkdir -p "$dir"; } && exec 9>"$dir/lock" && flock 9 || { echo "cannot write $dir" >&2; exit 115; }
seen=0; [ ! -r "$dir/generation" ] || read -r seen <"$dir/generation" || :
case $seen in ''|*[!0-9]*) echo "$dir/generation holds no number" >&2; exit 115;; esac
if [ "$seen" -gt "$ours" ]; then echo "generation $ours is older than $seen, which this host has seen" >&2; exit 113; fi
if [ "$seen" != "$ours" ]; then
  { echo "$ours" >"$dir/generation.new" && sync "$dir/generation.new" && mv "$dir/generation.new" "$dir/generation" && sync "$dir"; } || { echo "cannot write $dir" >&2; exit 115; }
fi
`

// What the guards say, chosen not to clash with what an update says by its exit code.
const (
	exitStale   = 113 // an older generation
	exitBusy    = 114 // another update of ours is under way
	exitNoGuard = 115 // the guard's own files cannot be written
	exitOther   = 116 // the host is in another boot
	exitSum     = 117 // the payload is not the one that was approved
)

func guardError(h Host, res ssh.Result) error {
	e := &driver.Error{Code: driver.CodeRefused, Why: h.ID + " refuses: " + lastLines(res.Stderr, 1)}
	switch res.Exit {
	case exitStale:
		e.Next = "a newer controller has taken over: stop this one. If its journal was thrown away, remove /var/lib/evenkeel/generation on the host"
	case exitBusy:
		e.Why, e.Next, e.Retry = h.ID+" refuses: an earlier update still runs there", "wait until it has ended", true
	default:
		e.Next = "let the SSH user write /var/lib/evenkeel there"
	}
	return e
}

// lastLines gives the end of a text, for messages.
func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// pause waits; false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
