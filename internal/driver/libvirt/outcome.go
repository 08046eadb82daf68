package libvirt

import (
	"context"
	"errors"
	"fmt"
	"time"

	golibvirt "github.com/digitalocean/go-libvirt"

	"github.com/evenkeel/evenkeel/internal/driver"
)

// finish reads both ends, cleans a dead copy on the source away, and says what came of it.
func (m *migration) finish(ctx context.Context, cause error) (driver.MigrateOutcome, error) {
	m.src, m.dst, m.v = m.settle(ctx, m.r, m.cfg.Patience)
	if m.v == leftover {
		m.sweep(ctx)
		m.src, m.dst, m.v = m.settle(ctx, m.r, min(m.cfg.Patience, firstLook))
	}
	m.out.Ends = driver.Ends{Source: m.src.where(), Destination: m.dst.where()}
	if m.out.Ends.Moved() {
		m.carryAutostart(ctx)
		m.figures(ctx)
		return m.out, nil
	}
	return m.out, m.verdictError(ctx, cause)
}

// startsWithHost reads the mark on the source.
func (m *migration) startsWithHost(ctx context.Context, h driver.Host) (on bool) {
	_ = m.conns.with(ctx, h.URI, func(c *conn) error {
		n, err := short(ctx, c, func(l *golibvirt.Libvirt) (int32, error) { return l.DomainGetAutostart(m.src.dom) })
		on = n == 1
		return err
	})
	return on
}

// carryAutostart sets the mark at the destination. It is of no use for the move itself, so a failure
// does not make the move one.
func (m *migration) carryAutostart(ctx context.Context) {
	if !m.autostart {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastLook)
	defer cancel()
	_ = m.conns.with(ctx, m.r.To.URI, func(c *conn) error {
		return order(ctx, c, func(l *golibvirt.Libvirt) error { return l.DomainSetAutostart(m.dst.dom, 1) })
	})
}

// sweep removes the copy that an interrupted migration left on the source: only while the
// destination is seen running on its own, and only a copy that does not run.
func (m *migration) sweep(ctx context.Context) {
	if !removable(m.src, m.dst) {
		return
	}
	dom := m.src.dom
	_ = m.conns.fresh(ctx, m.r.From.URI, func(c *conn) error {
		// The copy could have been resumed by somebody since: look once more right before.
		e, err := lookAt(ctx, c, dom)
		if err != nil || !removable(e, m.dst) {
			return err
		}
		if e.where() == driver.IsPaused {
			if err := order(ctx, c, func(l *golibvirt.Libvirt) error { return l.DomainDestroyFlags(dom, 0) }); err != nil {
				return err
			}
		}
		if !e.persistent {
			return nil
		}
		return order(ctx, c, func(l *golibvirt.Libvirt) error { return l.DomainUndefineFlags(dom, golibvirt.DomainUndefineKeepNvram) })
	})
}

// figures reads the completed statistics at the destination. They are absent after post-copy.
func (m *migration) figures(ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	_ = m.conns.with(ctx, m.r.To.URI, func(c *conn) error {
		params, err := short(ctx, c, func(l *golibvirt.Libvirt) ([]golibvirt.TypedParam, error) {
			_, params, err := l.DomainGetJobStats(m.dst.dom, golibvirt.DomainJobStatsCompleted|golibvirt.DomainJobStatsKeepCompleted)
			return params, err
		})
		// The last job at the destination may be another one by now.
		if op, _ := number(params, golibvirt.DomainJobOperationStr); golibvirt.DomainJobOperation(op) != golibvirt.DomainJobOperationStrMigrationIn {
			return err
		}
		if ms, ok := number(params, golibvirt.DomainJobDowntime); ok {
			m.out.Blackout = time.Duration(ms) * time.Millisecond
		}
		if ms, ok := number(params, golibvirt.DomainJobTimeElapsed); ok {
			m.out.Total = time.Duration(ms) * time.Millisecond
		}
		return err
	})
}

// verdictError says in words what two ends mean that do not show it moved.
func (m *migration) verdictError(ctx context.Context, cause error) error {
	name, from, to := m.r.Instance, m.r.From.ID, m.r.To.ID
	e := &driver.Error{Err: cause}
	switch {
	case m.v == split:
		e.Code, e.Why, e.Next = driver.CodeSplit, fmt.Sprintf("%s runs on %s and on %s", name, from, to), "stop the one that must not run, by hand, before anything else"
	case !m.dst.reached || !m.src.reached:
		silent, other := to, from
		if m.dst.reached {
			silent, other = from, to
		}
		e.Code, e.Retry = driver.CodeUnreachable, true
		e.Why = fmt.Sprintf("%s does not answer, so %s may run there whatever %s says", silent, name, other)
		e.Next = "fence " + silent + ", or wait until it answers; then read both ends again"
	case m.v == stayed:
		return m.stayedError(ctx, cause)
	case m.v == lostBoth:
		e.Code, e.Why, e.Next = driver.CodeFailed, fmt.Sprintf("%s runs neither on %s nor on %s", name, from, to), "find out who stopped it, and start it where it is defined"
	case m.src.job.leaving() && !m.src.postcopy() && !m.dst.postcopy():
		e.Code, e.Retry = driver.CodeDeadline, true
		e.Why, e.Next = fmt.Sprintf("the migration of %s from %s to %s goes on by itself", name, from, to), "try again: the next attempt finds it and waits for it"
	case m.src.postcopy() || m.dst.postcopy():
		e.Code, e.Retry = driver.CodeDeadline, true
		e.Why = name + " is in post-copy: its memory is on both hosts and the job can no longer be aborted"
		e.Next = "touch neither host; wait, or resume the job if it is said to have failed"
	case m.src.where() == driver.IsRunning && m.dst.where() == driver.IsPaused:
		e.Code, e.Retry = driver.CodeSplit, true
		e.Why = fmt.Sprintf("%s runs on %s, and a copy on %s may still begin to run", name, from, to)
		e.Next = "wait until that copy is gone or runs; then read both ends again"
	default:
		e.Code, e.Retry = driver.CodeFailed, true
		e.Why = fmt.Sprintf("%s is %s on %s and %s on %s", name, m.src.where(), from, m.dst.where(), to)
		e.Next = "read both ends again; if nothing changes, resume it by hand where its memory is whole"
	}
	return e
}

// stayedError says why an instance that runs on at the source did not move.
func (m *migration) stayedError(ctx context.Context, cause error) error {
	name := m.r.Instance
	what := fmt.Sprintf("migrating %s from %s to %s", name, m.r.From.ID, m.r.To.ID)
	switch {
	case errors.Is(cause, errStuck):
		return &driver.Error{Code: driver.CodeNoProgress, Retry: true,
			Why:  fmt.Sprintf("%s made no progress for %s: it dirties memory faster than it can be sent; it runs on at the source", what, m.r.StuckFor),
			Next: "allow post-copy or auto-converge, suspend it, or try at a quieter time"}
	case ctx.Err() != nil:
		return &driver.Error{Code: driver.CodeDeadline, Retry: true, Err: ctx.Err(), Why: what + " did not end in time and was aborted; it runs on at the source", Next: "allow more time, or try at a quieter time"}
	case cause == nil:
		return &driver.Error{Code: driver.CodeFailed, Retry: true, Why: what + ": the job ended, but it runs on at the source", Next: "try again"}
	}
	return explain(ctx, m.r.From.ID, what, cause)
}
