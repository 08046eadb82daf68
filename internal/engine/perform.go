package engine

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/notify"
)

// looksLost is how many looks in a row a host does not answer before it counts as silent.
const looksLost = 3

// lookTimeout bounds one look at one host: a dom0 that is busy with a migration takes its time, and a look
// must still be fresh when its answer comes.
const lookTimeout = 45 * time.Second

// World is what chores act on.
type World struct {
	Drivers map[string]driver.Driver // by scheme of a host's URI up to a plus: qemu, sim
	Channel notify.Channel           // nil: nobody can be told, and no notice is accepted
	Clock   Clock
	// Payloads reads the file of a live patch by the name that the target gives it; nil: there are none.
	Payloads func(name string) ([]byte, error)
	// OutOfBand tells of hosts that do not answer; nil: nobody does.
	OutOfBand driver.OutOfBand
	// WithDeadline gives a context that ends at a moment of Clock.
	WithDeadline func(ctx context.Context, at time.Time) (context.Context, context.CancelFunc)
}

// Perform carries one chore out and gives the facts it came to; none when the context was cancelled.
func Perform(ctx context.Context, w World, k Campaign, c execution.Chore) []execution.Fact {
	if !c.Deadline.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = w.WithDeadline(ctx, c.Deadline)
		defer cancel()
	}
	switch c.Kind {
	case execution.ChoreLook:
		return w.look(ctx, k, c)
	case execution.ChoreTell:
		return w.tell(ctx, k, c)
	case execution.ChoreCordon, execution.ChoreUncordon:
		return w.cordon(ctx, k, c)
	case execution.ChoreUpdate:
		return w.update(ctx, k, c)
	case execution.ChoreRevert:
		return w.revert(ctx, k, c)
	case execution.ChoreReboot:
		return w.reboot(ctx, k, c)
	case execution.ChoreProve:
		return w.prove(ctx, k, c)
	case execution.ChoreMove:
		return w.move(ctx, k, c)
	case execution.ChoreStop:
		return w.stop(ctx, k, c)
	case execution.ChoreBack:
		return w.back(ctx, k, c)
	}
	panic("engine: chore of unknown kind " + string(c.Kind))
}

// reach finds the host and its driver.
func (w World) reach(k Campaign, id string) (driver.Host, driver.Driver, error) {
	if h := k.lookup().hosts[id]; h != nil {
		d, err := w.DriverOf(h.URI)
		return hostOf(h), d, err
	}
	return driver.Host{ID: id}, nil, &driver.Error{Code: driver.CodeNotFound, Why: "host " + id + " is not in the fleet", Next: "plan again with a fleet that names it"}
}

// DriverOf chooses a driver by the scheme of a URI.
func (w World) DriverOf(uri string) (driver.Driver, error) {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme == "" {
		return nil, &driver.Error{Code: driver.CodeUnsupported, Why: fmt.Sprintf("%q is not a URI that a driver can reach", uri), Next: "give the host a uri such as qemu+tcp://ADDRESS/system"}
	}
	scheme := u.Scheme
	for i := range scheme {
		if scheme[i] == '+' {
			scheme = scheme[:i]
			break
		}
	}
	if d := w.Drivers[scheme]; d != nil {
		return d, nil
	}
	return nil, &driver.Error{Code: driver.CodeUnsupported, Why: "no driver for " + uri, Next: "start the server with a driver for scheme " + scheme}
}

func fence(c execution.Chore) driver.Fence {
	return driver.Fence{Campaign: c.Campaign, Revision: c.Revision, Turn: c.Turn, Step: string(c.Step), Attempt: c.Attempt, Generation: c.Generation}
}

// told fills a failure's fields in from an error.
func told(f execution.Fact, err error) execution.Fact {
	var e *driver.Error
	switch {
	case errors.As(err, &e):
		f.Code, f.Why, f.Next, f.Retry = e.Code, e.Error(), e.Next, e.Retry
	case errors.Is(err, context.DeadlineExceeded):
		f.Code, f.Why, f.Retry = driver.CodeDeadline, "it was not done by its deadline", true
	default:
		f.Code, f.Why, f.Retry = driver.CodeFailed, err.Error(), true
	}
	return f
}

func of(c execution.Chore, kind execution.Kind) execution.Fact {
	return execution.Fact{Kind: kind, Revision: c.Revision, Turn: c.Turn, Host: c.Host, Instance: c.Instance, Attempt: c.Attempt, Disposition: c.Disposition, From: c.From, To: c.To, Home: c.Home}
}

// view reads one host. Its moment is the one before the reading began: what happened during it may
// not show.
func (w World) view(ctx context.Context, k Campaign, id string) (*execution.HostView, error) {
	h, d, err := w.reach(k, id)
	if err != nil {
		return nil, err
	}
	at := w.Clock.Now().UTC().Truncate(time.Millisecond)
	ctx, cancel := w.WithDeadline(ctx, at.Add(lookTimeout))
	defer cancel()
	o, err := d.Observe(ctx, h)
	if err != nil {
		return nil, err
	}
	return viewOf(o, at), nil
}

func viewOf(o driver.Observation, at time.Time) *execution.HostView {
	v := &execution.HostView{At: at, BootID: o.BootID, Health: string(o.Health), Installed: o.Software.Installed, Booted: o.Software.Booted,
		Running: o.Software.Running, BuildID: o.Software.BuildID, LivePatches: o.Software.LivePatches, MemoryMiB: o.MemoryMiB, FreeMiB: o.FreeMiB, Missing: o.Missing}
	if o.Facts != nil {
		v.VirtCaps = slices.Clone(o.Facts.VirtCaps)
	}
	for _, in := range o.Instances {
		v.Instances = append(v.Instances, execution.InstanceView{ID: in.ID, State: string(in.State), Incoming: in.Incoming,
			Migrating: in.Migrating, Saved: in.Saved, MemoryMiB: in.MemoryMiB, Running: in.Running})
	}
	return v
}

func (w World) look(ctx context.Context, k Campaign, c execution.Chore) []execution.Fact {
	v, err := w.view(ctx, k, c.Host)
	if ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled) {
		return nil
	}
	if err != nil {
		return []execution.Fact{w.lost(ctx, k, c.Host, err)}
	}
	return []execution.Fact{{Kind: execution.HostSeen, Host: c.Host, Seen: v}}
}

// prove looks at a host until it runs on another boot and is healthy, or the deadline comes. Of one that
// does not answer it gives word from time to time, and is then begun again.
//
// A look that is lost, or that had no time left, does not make a host silent which answered just before.
func (w World) prove(ctx context.Context, k Campaign, c execution.Chore) []execution.Fact {
	stint := w.stint(c.Deadline)
	var seen *execution.HostView // what it answered last
	looked := w.Clock.Now()
	for missed := 0; ; {
		if now := w.Clock.Now(); now.Sub(looked) < askFor && (stint.IsZero() || now.Before(stint)) {
			var pause time.Duration
			switch boot, can := w.bootOf(ctx, k, c, stint); {
			case !can:
			case boot == c.BootID:
				pause, missed = time.Second, 0
			case boot == "":
				pause, missed = askSilent, missed+1
			}
			if pause > 0 && w.Clock.Wait(ctx, pause) == nil {
				continue
			}
		}
		v, err := w.viewBy(ctx, k, c.Host, stint)
		looked = w.Clock.Now()
		if missed++; err == nil {
			seen, missed = v, 0
		}
		if err == nil && v.BootID != "" && v.BootID != c.BootID && v.Health == string(fleet.Up) {
			return []execution.Fact{{Kind: execution.HostSeen, Host: c.Host, Seen: v}}
		}
		word := err != nil && !stint.IsZero() && !w.Clock.Now().Before(stint)
		if !word && w.Clock.Wait(ctx, 2*time.Second) == nil {
			continue
		}
		switch {
		case errors.Is(ctx.Err(), context.Canceled):
			return nil
		case seen == nil || missed >= looksLost:
			return []execution.Fact{w.lost(ctx, k, c.Host, err)}
		}
		return []execution.Fact{{Kind: execution.HostSeen, Host: c.Host, Seen: seen}}
	}
}

// askFor is how long a host that is to reboot is asked for no more than its boot id between two looks: looks
// slow down what they wait for. One that is silent is asked again after askSilent: its instances wait for it.
const (
	askFor    = 10 * time.Second
	askSilent = 500 * time.Millisecond
)

// bootOf asks a host, where its driver can ask for that alone, which boot it is in; empty: it does not say.
func (w World) bootOf(ctx context.Context, k Campaign, c execution.Chore, due time.Time) (id string, can bool) {
	h, d, err := w.reach(k, c.Host)
	if err != nil {
		return "", false
	}
	t, can := d.(driver.BootTeller)
	if !can {
		return "", false
	}
	ctx, cancel := w.untilDue(ctx, due)
	defer cancel()
	if id, err = t.BootID(ctx, h); err != nil {
		return "", true
	}
	return id, true
}

// viewBy looks at a host, and leaves off when a word of it is due: a look that hangs must not eat the time
// in which its power supply and its console can be asked.
func (w World) viewBy(ctx context.Context, k Campaign, host string, due time.Time) (*execution.HostView, error) {
	ctx, cancel := w.untilDue(ctx, due)
	defer cancel()
	return w.view(ctx, k, host)
}

func (w World) untilDue(ctx context.Context, due time.Time) (context.Context, context.CancelFunc) {
	if due.IsZero() || !w.Clock.Now().Before(due) {
		return ctx, func() {}
	}
	return w.WithDeadline(ctx, due)
}

func (w World) cordon(ctx context.Context, k Campaign, c execution.Chore) []execution.Fact {
	done := of(c, execution.StepDone)
	done.Step = c.Step
	h, d, err := w.reach(k, c.Host)
	if err != nil {
		return stepFailed(c, err)
	}
	cd, can := d.(driver.Cordoner)
	if !can {
		done.Why = "nothing here can keep others from placing instances: emptiness is checked again before the reboot"
		if c.Kind == execution.ChoreUncordon {
			done.Why = "there was no cordon to give back"
		}
		return []execution.Fact{done}
	}
	kind, act := execution.Borrowed, cd.Cordon
	if c.Kind == execution.ChoreUncordon {
		kind, act = execution.GivenBack, cd.Uncordon
	}
	if err := act(ctx, fence(c), h); err != nil {
		return stepFailed(c, err)
	}
	f := of(c, kind)
	f.Code = "cordon"
	return []execution.Fact{f, done}
}

func stepFailed(c execution.Chore, err error) []execution.Fact {
	f := told(of(c, execution.StepFailed), err)
	f.Step = c.Step
	return []execution.Fact{f}
}
