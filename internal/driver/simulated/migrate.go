package simulated

import (
	"context"
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/fleet"
)

// Migrate moves a running instance, and says what both ends said afterwards, error or not.
func (d *Driver) Migrate(ctx context.Context, r driver.MigrateRequest) (driver.MigrateOutcome, error) {
	m := &move{Driver: d, r: r, began: d.clock.Now()}
	m.believe(ctx)
	switch e := m.ends; {
	case ctx.Err() != nil:
		return m.deadline(ctx)
	case e.Moved():
		m.out.Already = true
		return m.end(nil)
	case e.Source == driver.IsUnreachable:
		return m.end(m.unreachable(r.From))
	case e.Destination == driver.IsUnreachable:
		return m.end(m.unreachable(r.To))
	case e.Source == driver.IsRunning && e.Destination == driver.IsRunning:
		return m.end(m.split())
	case m.underWay(): // begun by an earlier call: go on from there
	case e.Stayed():
		if err := m.begin(ctx); err != nil {
			return m.settle(ctx, err)
		}
	default:
		return m.end(m.nothingToMove())
	}
	return m.settle(ctx, m.watch(ctx))
}

// move is one call of Migrate.
type move struct {
	*Driver
	r        driver.MigrateRequest
	ends     driver.Ends
	src, dst *InstanceReport // what ends was read from; nil where it is absent or unreachable
	began    time.Time
	out      driver.MigrateOutcome
}

func (m *move) end(err error) (driver.MigrateOutcome, error) {
	m.out.Ends = m.ends
	return m.out, err
}

// underWay: the source migrates it away, and the destination has a half of it.
func (m *move) underWay() bool { return m.src != nil && m.src.Migrating && m.dst != nil }

// look reads both ends once, the source first: an instance that has left it does not come back by
// itself, so a destination read later is not older.
func (m *move) look(ctx context.Context) {
	m.src, m.ends.Source = m.where(ctx, m.r.From)
	m.dst, m.ends.Destination = m.where(ctx, m.r.To)
}

func (m *move) where(ctx context.Context, h driver.Host) (*InstanceReport, driver.Where) {
	i, err := m.find(ctx, h, m.r.Instance)
	switch {
	case err != nil:
		return nil, driver.IsUnreachable
	case i == nil:
		return nil, driver.IsAbsent
	case i.State == fleet.Stopped:
		return i, driver.IsStopped
	case i.State == fleet.Paused || i.Incoming:
		return i, driver.IsPaused
	}
	return i, driver.IsRunning
}

// inFlux: what was read will change by itself, or cannot be read yet.
func (m *move) inFlux() bool {
	return m.ends.Source == driver.IsUnreachable || m.ends.Destination == driver.IsUnreachable ||
		m.src != nil && m.src.Migrating || m.dst != nil && m.dst.Incoming
}

// believe looks until the two ends tell one story: it runs at exactly one of them, or the same
// other thing was read twice with time between and nothing is in flux. It ends with the last that
// was read when ctx ends or Limits.Settle has passed.
func (m *move) believe(ctx context.Context) {
	until := m.clock.Now().Add(m.Limits.Settle)
	if ctx.Value(afterwardsKey{}) != nil {
		until = m.clock.Now().Add(m.Limits.Grace)
	}
	var last driver.Ends
	for {
		m.look(ctx)
		same := m.ends == last
		switch {
		case m.underWay(), m.ends.Moved(), m.ends.Stayed():
			return
		case same && !m.inFlux() && !m.clear(ctx):
			return
		case !m.clock.Now().Before(until):
			return
		}
		last = m.ends
		if m.clock.Wait(ctx, m.Limits.Poll) != nil {
			return
		}
	}
}

// clear takes away the source's paused half, which stays behind when its service dies in the
// switch-over, once the destination was twice seen running and no migration is under way. It says
// whether there was one; the next look tells whether it is gone.
func (m *move) clear(ctx context.Context) bool {
	if m.ends != (driver.Ends{Source: driver.IsPaused, Destination: driver.IsRunning}) {
		return false
	}
	a, err := m.ask(ctx, m.r.From, Call{Op: OpDestroy, Instance: m.r.Instance, Generation: m.r.Fence.Generation})
	return err != nil || a.Code != codeRefused
}

func (m *move) late() *driver.Error {
	return &driver.Error{
		Code: driver.CodeDeadline, Why: fmt.Sprintf("the migration of %s from %s to %s did not end in its time", m.r.Instance, m.r.From.ID, m.r.To.ID),
		Next: "look at both ends; then try again with more time", Retry: true,
	}
}

// deadline is the outcome of a call that had no time to begin.
func (m *move) deadline(ctx context.Context) (driver.MigrateOutcome, error) {
	m.believe(lastLook(ctx))
	if m.ends.Moved() {
		m.out.Already = true
		return m.end(nil)
	}
	return m.end(m.late())
}

// settle reads both ends after a migration, and only what they say is believed: neither 'completed'
// nor 'canceled'. What the hypervisor said is kept as the reason.
func (m *move) settle(ctx context.Context, said error) (driver.MigrateOutcome, error) {
	m.believe(lastLook(ctx))
	var e *driver.Error
	switch ends := m.ends; {
	case ends.Moved():
		m.statistics(lastLook(ctx))
		return m.end(nil)
	case ends.Source == driver.IsRunning && ends.Destination == driver.IsRunning:
		e = m.split()
	case ctx.Err() != nil:
		e = m.late()
	case ends.Destination == driver.IsUnreachable:
		e = m.unreachable(m.r.To)
	case ends.Source == driver.IsUnreachable:
		e = m.unreachable(m.r.From)
	case said != nil:
		return m.end(said)
	default:
		e = &driver.Error{
			Code: driver.CodeFailed, Why: fmt.Sprintf("the migration of %s is over, and it is %s at %s and %s at %s", m.r.Instance, ends.Source, m.r.From.ID, ends.Destination, m.r.To.ID),
			Next: "look at both ends; try again only if it runs at the source", Retry: ends.Stayed(),
		}
	}
	e.Err = said
	return m.end(e)
}

// statistics of a completed migration are kept at its destination.
func (m *move) statistics(ctx context.Context) {
	m.out.Total = m.clock.Now().Sub(m.began)
	a, err := m.ask(ctx, m.r.To, Call{Op: OpJob, Instance: m.r.Instance})
	if err != nil || a.Job == nil || !a.Job.Completed {
		return
	}
	m.out.Blackout, m.out.PostCopy = a.Job.Blackout, a.Job.PostCopy
	if a.Job.Total > 0 {
		m.out.Total = a.Job.Total
	}
}

func (m *move) unreachable(h driver.Host) *driver.Error {
	return &driver.Error{
		Code: driver.CodeUnreachable, Why: fmt.Sprintf("host %s does not answer, so nobody knows whether %s runs there", h.ID, m.r.Instance),
		Next: "fence the host or wait until it answers, and read both ends again", Retry: true,
	}
}

func (m *move) split() *driver.Error {
	return &driver.Error{
		Code: driver.CodeSplit, Why: fmt.Sprintf("%s runs at %s and at %s", m.r.Instance, m.r.From.ID, m.r.To.ID),
		Next: "end one of the two at once, by hand or by a fence; do not start anything else on them",
	}
}

func (m *move) nothingToMove() *driver.Error {
	e := &driver.Error{
		Code: driver.CodeNotFound, Why: fmt.Sprintf("%s does not run at %s: it is %s there and %s at %s", m.r.Instance, m.r.From.ID, m.ends.Source, m.ends.Destination, m.r.To.ID),
		Next: "look where it is; others may have moved, stopped or removed it",
	}
	if m.ends.Source != driver.IsAbsent {
		e.Code, e.Next = driver.CodeRefused, "a live migration needs it running: start it, restore it, or leave it"
	}
	return e
}

// AbortMigration stops a migration away from h, whoever began it, and returns once none is under way.
func (d *Driver) AbortMigration(ctx context.Context, f driver.Fence, h driver.Host, instance string) error {
	if i, err := d.mustFind(ctx, h, instance); err != nil {
		return err
	} else if !i.Migrating {
		return nil
	}
	c := Call{Op: OpAbort, Instance: instance, Generation: f.Generation}
	a, err := d.ask(ctx, h, c)
	if err != nil {
		return err
	}
	if a.Code == codeRefused {
		return refusal(h, c, a)
	}
	for { // too late to abort: it ends by itself
		i, err := d.find(ctx, h, instance)
		if err == nil && (i == nil || !i.Migrating) {
			return nil
		}
		if d.clock.Wait(ctx, d.Limits.Poll) != nil {
			return d.lost(ctx, h, c, context.Cause(ctx))
		}
	}
}
