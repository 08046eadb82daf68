package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/notice"
	"github.com/evenkeel/evenkeel/internal/notify"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// sendTimeout bounds one attempt to hand one mail over.
const sendTimeout = 30 * time.Second

// tell builds the notice as it was when it was asked for, so that a repetition is the same mail, and
// hands it to the channel. Accepted means that the receiving server took responsibility for it.
func (w World) tell(ctx context.Context, k Campaign, c execution.Chore) []execution.Fact {
	f := execution.Fact{Kind: execution.NoticeFailed, Notice: c.Notice, NoticeKind: c.NoticeKind, Tenant: c.Tenant, Contact: c.Contact, Attempt: c.Attempt, Slots: c.Slots}
	if w.Channel == nil { // not the tenant's fault: nobody is given up for it
		f.Code, f.Why, f.Next, f.Retry = "no-channel", "this server has no mail server, so nobody can be told", "start the server with --smtp", true
		return []execution.Fact{f}
	}
	asked := k.Asked(c.Notice)
	x := notice.Extra{ID: c.Notice}
	switch c.NoticeKind {
	case execution.NoticeFinished:
		x.Actual = map[string]notice.Actual{}
		for _, id := range c.Slots {
			if a := k.Actual(id); a != nil {
				x.Actual[id] = notice.Actual{From: a.From, To: a.To, Ms: a.Ms}
			} else {
				x.Actual[id] = notice.Actual{}
			}
		}
	case execution.NoticeOverrun:
		x.Reason = "The work takes longer than the slot that was promised. You will be told as soon as it is over."
	case execution.NoticeCancelled:
		x.Reason = whyCancelled(k.Code(c.Notice))
	}
	n, err := notice.Build(k.Plan, k.Fleet, notice.Kind(c.NoticeKind), c.Tenant, c.Slots, asked, x)
	var m notice.Message
	if err == nil {
		m, err = notice.Render(n, asked)
	}
	if err == nil && c.Contact == "" {
		err = fmt.Errorf("tenant %s has no contact", c.Tenant)
	}
	if err != nil {
		f.Code, f.Why = "unsendable", err.Error()
		return []execution.Fact{f}
	}
	ctx, cancel := w.WithDeadline(ctx, w.Clock.Now().Add(sendTimeout))
	defer cancel()
	r, err := w.Channel.Send(ctx, c.Contact, m)
	var ne *notify.Error
	switch {
	case errors.As(err, &ne):
		f.Code, f.Why, f.Retry = string(ne.Code), ne.Error(), ne.Retry
	case err != nil:
		f.Code, f.Why, f.Retry = "failed", err.Error(), true
	case !r.Accepted:
		f.Code, f.Why, f.Retry = "not-accepted", "the server did not accept it: "+r.Detail, true
	default:
		f.Kind, f.Why = execution.NoticeAccepted, r.Detail
	}
	return []execution.Fact{f}
}

// whyCancelled is what tenants read; code is that of the turn that was dropped or held.
func whyCancelled(code string) string {
	switch code {
	case execution.CodeSuperseded:
		return "A new plan takes the place of the one that this slot belongs to. Where your instances are still concerned you are told the new time in a notice of its own, beforehand."
	case execution.CodeReached:
		return "The work that this slot was for is not needed any more."
	}
	return "The work will not take place in this slot. Should it be planned again, you will be told beforehand."
}

func (w World) update(ctx context.Context, k Campaign, c execution.Chore) []execution.Fact {
	h, d, err := w.reach(k, c.Host)
	if err != nil {
		return stepFailed(c, err)
	}
	if p := k.patcher(d, c); p != nil {
		return w.livePatch(ctx, k, c, h, p)
	}
	u, can := d.(driver.Updater)
	if !can {
		return stepFailed(c, unsupported(c.Host, "change software"))
	}
	out, err := u.Update(ctx, fence(c), h, k.update(c.Host))
	if err != nil {
		return stepFailed(c, err)
	}
	f := of(c, execution.StepDone)
	f.Step, f.Why = c.Step, out.Message
	if !out.Needed {
		f.Why = "nothing needed: " + out.Message
	}
	return []execution.Fact{f}
}

func unsupported(host, what string) error {
	return &driver.Error{Code: driver.CodeUnsupported, Why: "the driver of " + host + " cannot " + what, Next: "use another tactic for this host"}
}

// reboot orders it after one more look, by the host itself where it can: what was decided some time ago, by
// a controller that died since perhaps, says nothing about who is on the host now.
func (w World) reboot(ctx context.Context, k Campaign, c execution.Chore) []execution.Fact {
	h, d, err := w.reach(k, c.Host)
	if err != nil {
		return stepFailed(c, err)
	}
	r, can := d.(driver.Rebooter)
	if !can {
		return stepFailed(c, unsupported(c.Host, "reboot"))
	}
	f := of(c, execution.StepDone)
	f.Step, f.BootID = c.Step, c.BootID
	if own, looks := d.(driver.EmptyRebooter); looks {
		if err := own.RebootEmpty(ctx, fence(c), h, c.BootID, k.update(c.Host)); err != nil {
			return stepFailed(c, refilled(err))
		}
		f.Why = "the host, which saw itself empty, took the order to end boot " + c.BootID + ", or has ended it"
		return []execution.Fact{f}
	}
	v, err := w.view(ctx, k, c.Host)
	if err != nil {
		return stepFailed(c, err)
	}
	if c.BootID != "" && v.BootID != "" && v.BootID != c.BootID {
		f.Why = "nothing needed: the host runs boot " + v.BootID + " already"
		return []execution.Fact{f}
	}
	for _, in := range v.Instances {
		if in.State != string(fleet.Stopped) {
			return stepFailed(c, &driver.Error{Code: execution.CodeRefilled, Why: in.ID + " is " + in.State + " on the host, seen right before its reboot",
				Next: "keep other tools from placing instances there", Retry: true})
		}
	}
	if err := r.Reboot(ctx, fence(c), h, c.BootID, k.update(c.Host)); err != nil {
		return stepFailed(c, err)
	}
	f.Why = "the host took the order to end boot " + c.BootID
	return []execution.Fact{f}
}

// refilled: a host that finds itself not empty was filled by others.
func refilled(err error) error {
	var e *driver.Error
	if !errors.As(err, &e) || e.Code != driver.CodeOccupied {
		return err
	}
	again := *e
	again.Code = execution.CodeRefilled
	return &again
}

func (w World) move(ctx context.Context, k Campaign, c execution.Chore) []execution.Fact {
	from, d, err := w.reach(k, c.From)
	to, _, err2 := w.reach(k, c.To)
	m, can := d.(driver.Migrator)
	if err = errors.Join(err, err2); err == nil && !can {
		err = unsupported(c.From, "live-migrate")
	}
	p := k.Plan.Policy
	req := driver.MigrateRequest{Fence: fence(c), Instance: c.Instance, From: from, To: to, AutoConverge: true, StuckFor: stuckFor(p)}
	if len(p.NonConverging) > 0 {
		req.AfterStuck = p.NonConverging[0]
	}
	out := driver.MigrateOutcome{Ends: driver.Ends{Source: driver.IsUnreachable, Destination: driver.IsUnreachable}}
	if err == nil {
		out, err = m.Migrate(ctx, req)
	}
	f := of(c, execution.MoveDone)
	f.Source, f.Destination, f.BlackoutMs = string(out.Ends.Source), string(out.Ends.Destination), -1
	if out.Blackout > 0 {
		f.BlackoutMs = max(1, out.Blackout.Milliseconds())
	}
	switch {
	case out.Ends.Moved():
		if err != nil {
			f.Why = "it runs at the destination and nowhere else, although the call said: " + err.Error()
		}
		return []execution.Fact{f}
	case err == nil:
		err = &driver.Error{Code: driver.CodeFailed, Why: fmt.Sprintf("the driver said done, but it is %s at the source and %s at the destination", f.Source, f.Destination), Next: "read both ends again", Retry: true}
	}
	f.Kind, f.BlackoutMs = execution.MoveFailed, 0
	f = told(f, err)
	if out.Ends.Source == driver.IsRunning && out.Ends.Destination == driver.IsRunning {
		f.Code, f.Retry = driver.CodeSplit, false
	}
	return []execution.Fact{f}
}

// stuckFor is how long a migration may make no progress: a quarter of the longest one.
func stuckFor(p plan.Policy) time.Duration {
	return max(5*time.Second, time.Duration(p.Times.MigrateMax)/4)
}

func (w World) stop(ctx context.Context, k Campaign, c execution.Chore) []execution.Fact {
	return w.onHost(ctx, k, c, c.From, execution.StopDone, execution.StopFailed, func(d driver.Driver, h driver.Host) error {
		if c.Disposition == plan.DispStatefulStop {
			if s, can := d.(driver.Suspender); can {
				return s.Save(ctx, fence(c), h, c.Instance)
			}
			return unsupported(h.ID, "save instances")
		}
		if s, can := d.(driver.Stopper); can {
			return s.Stop(ctx, fence(c), h, c.Instance)
		}
		return unsupported(h.ID, "stop instances")
	})
}

func (w World) back(ctx context.Context, k Campaign, c execution.Chore) []execution.Fact {
	return w.onHost(ctx, k, c, c.To, execution.BackDone, execution.BackFailed, func(d driver.Driver, h driver.Host) error {
		if c.Disposition == plan.DispStatefulStop {
			if s, can := d.(driver.Suspender); can {
				return s.Restore(ctx, fence(c), h, c.Instance)
			}
			return unsupported(h.ID, "restore instances")
		}
		if s, can := d.(driver.Stopper); can {
			return s.Start(ctx, fence(c), h, c.Instance)
		}
		return unsupported(h.ID, "start instances")
	})
}

func (w World) onHost(_ context.Context, k Campaign, c execution.Chore, host string, done, failed execution.Kind, act func(driver.Driver, driver.Host) error) []execution.Fact {
	h, d, err := w.reach(k, host)
	if err == nil {
		err = act(d, h)
	}
	if err != nil {
		return []execution.Fact{told(of(c, failed), err)}
	}
	return []execution.Fact{of(c, done)}
}
