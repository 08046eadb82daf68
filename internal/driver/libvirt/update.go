package libvirt

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/ssh"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// What an update's command or hook says by its exit code, as in CloudStack's rolling maintenance.
const (
	exitDone      = 0
	exitNotNeeded = 70
)

// What the guards of this package say, chosen not to clash with those.
const (
	exitStale   = 113 // an older generation
	exitBusy    = 114 // another update of ours is under way
	exitNoGuard = 115 // the guard's own files cannot be written
	exitOther   = 116 // the host is in another boot
	exitSum     = 117 // the payload is not the one that was approved
)

// guard is put before each command that changes a host: it refuses an older generation than the
// host has seen, and notes ours. $1 is ours. It leaves the host's note on disk before anything else
// happens, under a lock.
const guard = `
set -u
dir=/var/lib/evenkeel ours=$1; shift
mkdir -p "$dir" && exec 9>"$dir/lock" && flock 9 || { echo "cannot write $dir" >&2; exit 115; }
seen=$(cat "$dir/generation" 2>/dev/null || echo 0)
case $seen in ''|*[!0-9]*) echo "$dir/generation holds no number" >&2; exit 115;; esac
if [ "$seen" -gt "$ours" ]; then echo "generation $ours is older than $seen, which this host has seen" >&2; exit 113; fi
if [ "$seen" != "$ours" ]; then
  { echo "$ours" >"$dir/generation.new" && sync "$dir/generation.new" && mv "$dir/generation.new" "$dir/generation" && sync "$dir"; } || { echo "cannot write $dir" >&2; exit 115; }
fi
`

// updateScript runs the command once at a time: -o keeps services that it starts from holding the
// lock for ever. Arguments: generation, SHA-256 or nothing, the payload's path or nothing, the command.
const updateScript = guard + `
exec 9>&-
sum=$1 payload=$2; shift 2
if [ -n "$sum" ]; then
  have=$(sha256sum -- "$payload" | cut -d' ' -f1)
  [ "$have" = "$sum" ] || { echo "the SHA-256 of $payload is ${have:-not readable}, not $sum" >&2; exit 117; }
fi
exec flock -n -o -E 114 "$dir/update.lock" "$@"
`

// Update changes a host's software: by the hooks of a local folder, or by a command over SSH. The
// command's exit code says done (0), nothing needed (70), or failed.
//
// With SHA256 set, the payload is the last argument of the command that is a path; the host refuses
// to run the command unless the file there has that sum. When ctx ends, the command may still run on
// the host: it is not killed, for a half-done package installation is worse than a late one, and a
// second one is refused as long as it runs.
func (d *Driver) Update(ctx context.Context, f driver.Fence, h driver.Host, u plan.Update) (driver.UpdateOutcome, error) {
	if u.Hooks != "" {
		return d.runHooks(ctx, h, u.Hooks)
	}
	if len(u.Command) == 0 {
		return driver.UpdateOutcome{}, &driver.Error{Code: driver.CodeUnsupported, Why: "the target names neither an update command nor hooks", Next: "name one in the target's cohort"}
	}
	payload := ""
	if u.SHA256 != "" {
		if payload = lastPath(u.Command); payload == "" {
			return driver.UpdateOutcome{}, &driver.Error{Code: driver.CodeRefused, Why: "the target gives a SHA-256, but no argument of its update command is a path", Next: "name the payload's full path as an argument"}
		}
	}
	argv := append([]string{"sh", "-c", updateScript, "evenkeel", strconv.FormatInt(f.Generation, 10), strings.ToLower(u.SHA256), payload}, u.Command...)
	res, err := d.onHost(ctx, h, argv)
	if err != nil {
		return driver.UpdateOutcome{}, err
	}
	switch res.Exit {
	case exitDone:
		return driver.UpdateOutcome{Needed: true, Message: lastLines(res.Stdout, 20)}, nil
	case exitNotNeeded:
		return driver.UpdateOutcome{Needed: false, Message: lastLines(res.Stdout, 20)}, nil
	case exitStale, exitNoGuard, exitBusy:
		return driver.UpdateOutcome{}, guardError(h, res)
	case exitSum:
		return driver.UpdateOutcome{}, &driver.Error{Code: driver.CodeRefused, Why: h.ID + ": " + lastLines(res.Stderr, 1), Next: "find out where that file comes from"}
	}
	return driver.UpdateOutcome{Needed: true, Message: lastLines(res.Stdout+res.Stderr, 20)}, updateFailed(h.ID, "the update command", res.Exit, res.Stdout, res.Stderr)
}

func updateFailed(host, who string, exit int, stdout, stderr string) error {
	return &driver.Error{Code: driver.CodeUpdateFailed, Retry: true, Next: "read its output, mend the host and try again",
		Why: fmt.Sprintf("%s on %s ended with exit code %d: %s", who, host, exit, lastLines(stdout+"\n"+stderr, 5))}
}

func guardError(h driver.Host, res ssh.Result) error {
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

// onHost runs argv on a host over SSH.
func (d *Driver) onHost(ctx context.Context, h driver.Host, argv []string) (ssh.Result, error) {
	if h.SSH == "" {
		return ssh.Result{}, &driver.Error{Code: driver.CodeUnsupported, Why: "host " + h.ID + " has no ssh address", Next: "name one in the fleet file"}
	}
	return d.ssh.Run(ctx, h.SSH, ssh.Quote(argv...), nil)
}

// lastPath finds the last argument that is an absolute path.
func lastPath(argv []string) string {
	for i := len(argv) - 1; i > 0; i-- {
		if strings.HasPrefix(argv[i], "/") {
			return argv[i]
		}
	}
	return ""
}

// rebootScript is the guarded reboot: $2 (after the guard's shift: $1) is the boot that may be ended.
// The order is carried out a moment later and apart from this session, so that it can be answered.
const rebootScript = guard + `
now=$(cat /proc/sys/kernel/random/boot_id)
if [ "$now" != "$1" ]; then echo "the boot id is $now, not $1" >&2; exit 116; fi
if [ -d /run/systemd/system ]; then how='systemctl reboot'; else how=reboot; fi
setsid sh -c "sleep 0.3; exec $how" </dev/null >/dev/null 2>&1 9>&- &
echo "rebooting from $now"
`

var bootIDForm = regexp.MustCompile(`^[0-9a-zA-Z-]{8,64}$`)

// Reboot orders a guarded reboot. It returns nil when the host took the order, when its boot id
// already is another one, or when the connection died after the order was sent and the host has not
// been seen in the old boot since; a later Observe proves it.
func (d *Driver) Reboot(ctx context.Context, f driver.Fence, h driver.Host, bootID string, u plan.Update) error {
	if !bootIDForm.MatchString(bootID) {
		return &driver.Error{Code: driver.CodeRefused, Why: fmt.Sprintf("%q is no boot id, so the reboot of %s could not be guarded", bootID, h.ID), Next: "observe the host over SSH first"}
	}
	now, err := d.bootID(ctx, h)
	if err != nil {
		return err
	}
	if now != bootID {
		return nil // done already
	}
	argv := []string{"sh", "-c", rebootScript, "evenkeel", strconv.FormatInt(f.Generation, 10), bootID}
	if len(u.Reboot) > 0 {
		argv = fill(u.Reboot, bootID, f.Generation)
	}
	res, err := d.onHost(ctx, h, argv)
	switch {
	case err == nil && res.Exit == 0:
		return nil
	case err == nil:
		// Whoever refuses because the boot is over tells good news: the host says which boot it is in.
		if now, lookErr := d.bootID(ctx, h); lookErr == nil && now != bootID {
			return nil
		}
		if len(u.Reboot) == 0 && (res.Exit == exitStale || res.Exit == exitNoGuard) {
			return guardError(h, res)
		}
		return &driver.Error{Code: driver.CodeRefused, Why: fmt.Sprintf("%s refuses to reboot (exit code %d): %s", h.ID, res.Exit, lastLines(res.Stdout+"\n"+res.Stderr, 3)), Next: "read its words; nothing was rebooted"}
	}
	return d.afterLostOrder(ctx, h, bootID, err)
}

// afterLostOrder finds out what became of a reboot whose answer was lost: another boot id, or
// silence, is what a reboot looks like; the same boot id means that it may not have been taken.
func (d *Driver) afterLostOrder(ctx context.Context, h driver.Host, bootID string, cause error) error {
	for {
		now, err := d.bootID(ctx, h)
		switch {
		case err == nil && now != bootID:
			return nil
		case ctx.Err() != nil:
			return explain(ctx, h.ID, "rebooting "+h.ID, cause)
		case err != nil && !pause(ctx, d.cfg.Poll):
			return explain(ctx, h.ID, "rebooting "+h.ID, cause)
		case err == nil:
			return &driver.Error{Code: driver.CodeUnreachable, Retry: true, Err: cause, Why: "the order to reboot " + h.ID + " got no answer, and the host is still in the old boot", Next: "try again: the guard keeps it from being rebooted twice"}
		}
	}
}

func (d *Driver) bootID(ctx context.Context, h driver.Host) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, d.cfg.CallTimeout)
	defer cancel()
	res, err := d.onHost(ctx, h, []string{"cat", "/proc/sys/kernel/random/boot_id"})
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
