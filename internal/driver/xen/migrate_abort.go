package xen

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
)

// abortScript ends a migration's transport, as a broken connection would: xl itself then resumes or
// keeps the domain, and the receiver throws its half away. xl is never killed, for a domain that it had
// suspended would stay so; and once it has told the receiver to start, nothing is ended any more.
// Arguments: generation, root, name.
const abortScript = toolPath + patchGuard + `
exec 9>&-
job=$1/$2
[ -e "$job/act" ] && ! flock -n -s "$job/lock" true || exit 0
case $(cat "$job/act") in 'migrate '*) ;; *) exit 0;; esac
pid=$(cat "$job/pid" 2>/dev/null) || exit 0
if grep -q 'Target has acknowledged transfer' "$job/out"; then exit 0; fi
for s in $(grep -ls "^PPid:[[:space:]]*$pid\$" /proc/[0-9]*/status); do
  case $(sed -n 's/^Name:[[:space:]]*//p' "$s" 2>/dev/null) in
  libxl-save-help*|'') ;;
  *) child=${s#/proc/}; echo yes >"$job/aborted"; kill "${child%/status}" 2>/dev/null;;
  esac
done
exit 0
`

// AbortMigration aborts a migration away from h and returns once it is over, whoever began it by this
// driver. No such migration, or no such instance there any more: done.
func (d *Driver) AbortMigration(ctx context.Context, f driver.Fence, h driver.Host, instance string) error {
	if err := checkName(instance); err != nil {
		return err
	}
	what := fmt.Sprintf("aborting the migration of %s from %s", instance, h.ID)
	for {
		j, _, err := d.wait(ctx, h, instance, time.Second, false)
		switch {
		case ctx.Err() != nil:
			return &driver.Error{Code: driver.CodeDeadline, Retry: true, Err: ctx.Err(), Why: what + " did not end in time", Next: "look at the host and the instance; the next attempt looks first, too"}
		case err != nil:
			return err
		case j.state != "running" || !strings.HasPrefix(j.act, actMigrate+" "):
			return nil
		}
		res, err := d.call(ctx, h, "sh", "-c", abortScript, "evenkeel", strconv.FormatInt(f.Generation, 10), jobRoot, instance)
		if err != nil && !unsure(err) {
			return err
		}
		if err == nil && res.Exit != 0 {
			return actRefused(h, res.Exit, res.Stderr)
		}
	}
}

// giveUp aborts the migration within a bounded time; what came of it the ends tell.
func (m *migration) giveUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortWithin)
	defer cancel()
	_ = m.AbortMigration(ctx, m.r.Fence, m.r.From, m.r.Instance)
}

const abortWithin = 10 * time.Second
