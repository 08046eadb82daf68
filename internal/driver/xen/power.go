package xen

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
)

const actCreate = "create"

// createCheck refuses a configuration of another instance, and a start while anything of this one is on
// the host: as what it is, or as half of a migration. Arguments: name, configuration, SaveDir.
const createCheck = `
is=$(sed -n "s/^[[:space:]]*name[[:space:]]*=[[:space:]]*[\"']\([^\"']*\)[\"'].*/\1/p" "$2" | tail -n 1)
if [ -n "$is" ] && [ "$is" != "$1" ]; then echo "$2 is the configuration of $is, not of $1" >&2; exit 119; fi
for f in save save.part save.restoring; do
  if [ -e "$3/$1.$f" ]; then echo "$3/$1.$f is there: a start would lose its saved memory" >&2; exit 119; fi
done
list=$(xl list) || { echo "xl list fails" >&2; exit 119; }
for n in "$1" "$1--incoming" "$1--migratedaway"; do
  if printf '%s\n' "$list" | awk -v n="$n" '$1 == n {found = 1} END {exit !found}'; then echo "$n is on this host already" >&2; exit 119; fi
done
`

const createRunner = `
run xl create "$2"
end $?
`

// Start starts an instance from its configuration file; one with saved memory goes on from there.
func (d *Driver) Start(ctx context.Context, f driver.Fence, h driver.Host, instance string) error {
	if err := checkName(instance); err != nil {
		return err
	}
	what := fmt.Sprintf("starting %s on %s", instance, h.ID)
	e := d.look(ctx, h, instance)
	switch {
	case !e.reached:
		return e.err
	case e.job != "" && e.job != actCreate && e.job != actRestore:
		return &driver.Error{Code: driver.CodeRefused, Retry: true, Why: what + ": another act is under way on it: " + e.job, Next: "wait until that act is over"}
	case e.job == actRestore, len(e.domains()) == 0 && e.has(fileSaved):
		return d.Restore(ctx, f, h, instance)
	case e.home != nil && e.where() == driver.IsRunning:
		return nil
	case len(e.domains()) > 0 && e.job == "":
		return &driver.Error{Code: driver.CodeRefused, Why: fmt.Sprintf("%s: it is on this host and is %s", what, e.where()), Next: "look at the instance by hand: a domain of it is there, or half of a migration"}
	case e.has(filePart) || e.has(fileRestoring):
		return brokenImage(e, h, instance)
	case e.config == "":
		return notThere(instance, h)
	}
	a := act{name: instance, what: actCreate, check: createCheck, runner: createRunner, args: []string{instance, e.config, d.cfg.SaveDir}}
	job, after, cause := d.carry(ctx, f, h, a, e.job == actCreate, nil)
	return d.proof(ctx, h, instance, what, job, after, cause, func(e end) bool { return e.home != nil && e.where() == driver.IsRunning })
}

// stopScript asks the guest to shut down: by the Xen channel, or by the power button where it has none.
const stopScript = toolPath + patchGuard + `
xl shutdown -F "$1" 9>&-
`

// Stop asks the guest to shut down and waits for it until ctx ends. The request is repeated, for a guest
// that is booting hears none. It is never destroyed.
func (d *Driver) Stop(ctx context.Context, f driver.Fence, h driver.Host, instance string) error {
	if err := checkName(instance); err != nil {
		return err
	}
	what := fmt.Sprintf("stopping %s on %s", instance, h.ID)
	no := func(retry bool, next, why string) error {
		return &driver.Error{Code: driver.CodeRefused, Retry: retry, Why: what + ": " + why, Next: next}
	}
	var asked time.Time
	for {
		e := d.look(ctx, h, instance)
		switch {
		case !e.reached && ctx.Err() == nil:
			return e.err
		case !e.reached:
		case e.job != "":
			return no(true, "wait until that act is over", "another act is under way on it: "+e.job)
		case e.where() == driver.IsAbsent:
			if !asked.IsZero() {
				return nil
			}
			return notThere(instance, h)
		case e.where() == driver.IsStopped:
			return nil
		case e.incoming != nil || e.away != nil:
			return no(true, "read both ends of that migration first", "half of a migration of it is on this host")
		case e.config == "":
			return no(false, "put its configuration file into one of the folders that the driver is told of", "it has no configuration file here, so it could not be started again")
		case e.where() == driver.IsPaused && e.home.state[2] == 'p':
			return no(false, "unpause it first", "it is paused and hears no request to shut down")
		case time.Since(asked) > askAgain && ctx.Err() == nil:
			res, err := d.call(ctx, h, "sh", "-c", stopScript, "evenkeel", strconv.FormatInt(f.Generation, 10), instance)
			switch {
			case err != nil && !unsure(err):
				return err
			case err == nil && (res.Exit == patchStale || res.Exit == patchNoGuard):
				return actRefused(h, res.Exit, res.Stderr)
			}
			asked = time.Now() // another failure: it stopped in this moment, or hears nothing yet; the next look tells
		}
		if !sleep(ctx, d.cfg.Poll) {
			return &driver.Error{Code: driver.CodeDeadline, Retry: true, Err: ctx.Err(), Why: what + ": the guest did not shut down in time; it runs on", Next: "shut it down from within, or allow more time"}
		}
	}
}

// askAgain is the pause between two requests to shut down.
const askAgain = 20 * time.Second
