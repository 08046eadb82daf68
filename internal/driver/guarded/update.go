package guarded

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// What an update's command or hook says by its exit code, as in CloudStack's rolling maintenance.
const (
	exitDone      = 0
	exitNotNeeded = 70
)

// updateScript runs the command once at a time: whoever comes while it runs (a controller that was
// killed and started again) waits for it, then runs it again, which finds nothing to do. -o keeps
// services that the command starts from holding the lock for ever. The command has a session of its own
// and writes to a file, so that neither a hang-up nor a broken pipe ends a package installation half-way
// when the connection is lost. Arguments: generation, how many seconds to wait for an earlier run,
// SHA-256 or nothing, the payload's path or nothing, the command.
const updateScript = Guard + `
exec 9>&-
wait=$1 sum=$2 payload=$3; shift 3
if [ -n "$sum" ]; then
  have=$(sha256sum -- "$payload" | cut -d' ' -f1)
  [ "$have" = "$sum" ] || { echo "the SHA-256 of $payload is ${have:-not readable}, not $sum" >&2; exit 117; }
fi
out=$(mktemp "$dir/update.XXXXXX") || exit 115
setsid flock -w "$wait" -o -E 114 "$dir/update.lock" "$@" >"$out" 2>&1 </dev/null &
wait $!; rc=$?
tail -c 16384 "$out"; rm -f "$out"
exit $rc
`

// Update changes a host's software: by the hooks of a local folder, or by a command over SSH. The
// command's exit code says done (0), nothing needed (70), or failed.
//
// With SHA256 set, the payload is the last argument of the command that is a path; the host refuses
// to run the command unless the file there has that sum. When ctx ends, the command may still run on
// the host: it is not killed, for a half-done package installation is worse than a late one, and a
// second one waits until it has ended.
func (h Host) Update(ctx context.Context, f driver.Fence, u plan.Update) (driver.UpdateOutcome, error) {
	if u.Hooks != "" {
		return h.runHooks(ctx, u.Hooks)
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
	argv := append([]string{"sh", "-c", updateScript, "evenkeel", strconv.FormatInt(f.Generation, 10), strconv.Itoa(patience(ctx)), strings.ToLower(u.SHA256), payload}, u.Command...)
	res, err := h.Run(ctx, argv)
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

// patience is how many seconds an update may wait for an earlier one: until shortly before the call's
// own deadline.
func patience(ctx context.Context) int {
	end, ok := ctx.Deadline()
	if !ok {
		return 600
	}
	return max(1, int(time.Until(end).Seconds())-2)
}

func updateFailed(host, who string, exit int, stdout, stderr string) error {
	return &driver.Error{Code: driver.CodeUpdateFailed, Retry: true, Next: "read its output, mend the host and try again",
		Why: fmt.Sprintf("%s on %s ended with exit code %d: %s", who, host, exit, lastLines(stdout+"\n"+stderr, 5))}
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
