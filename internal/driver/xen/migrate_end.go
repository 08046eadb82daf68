package xen

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
)

// finish reads both ends, clears away halves that can never run, and says what came of it.
func (m *migration) finish(ctx context.Context, job jobSeen, cause error) (driver.MigrateOutcome, error) {
	m.src, m.dst, m.v = m.settle(ctx, m.r, m.cfg.Patience)
	if m.sweep(ctx) {
		m.src, m.dst, m.v = m.settle(ctx, m.r, min(m.cfg.Patience, firstLook))
	}
	m.out.Ends = inWords(m.src, m.dst)
	if !m.out.Already {
		m.out.Total = time.Since(m.began).Round(time.Millisecond)
	}
	if m.v == moved {
		m.carryConfig(ctx)
		return m.out, nil
	}
	return m.out, m.verdictError(ctx, job, cause)
}

// verdictError says in words what two ends mean that do not show that it moved.
func (m *migration) verdictError(ctx context.Context, job jobSeen, cause error) error {
	name, from, to := m.r.Instance, m.r.From.ID, m.r.To.ID
	e := &driver.Error{Err: cause}
	switch {
	case !m.dst.reached || !m.src.reached:
		silent, other := to, from
		if m.dst.reached {
			silent, other = from, to
		}
		e.Code, e.Retry = driver.CodeUnreachable, true
		e.Why = fmt.Sprintf("%s does not answer, so %s may run there whatever %s says", silent, name, other)
		e.Next = "fence " + silent + ", or wait until it answers; then read both ends again"
	case m.v == split:
		e.Code, e.Why, e.Next = driver.CodeSplit, fmt.Sprintf("%s runs on %s and on %s", name, from, to), "stop the one that must not run, by hand, before anything else"
	case m.v == stayed:
		return m.stayedError(ctx, job, cause)
	case m.v == frozen:
		return handshakeLost(m.r)
	case m.v == lostBoth:
		e.Code, e.Why, e.Next = driver.CodeFailed, fmt.Sprintf("%s runs neither on %s nor on %s", name, from, to), "find out who stopped it, and start it where its configuration is"
	case m.src.leaving():
		e.Code, e.Retry = driver.CodeDeadline, true
		e.Why, e.Next = fmt.Sprintf("the migration of %s from %s to %s goes on by itself", name, from, to), "try again: the next attempt finds it and waits for it"
	case m.src.where() == driver.IsRunning && m.dst.where() == driver.IsPaused:
		e.Code, e.Retry = driver.CodeSplit, true
		e.Why = fmt.Sprintf("%s runs on %s, and a copy on %s is not gone yet", name, from, to)
		e.Next = "wait until that copy is gone or runs; then read both ends again"
	default:
		e.Code, e.Retry = driver.CodeFailed, true
		e.Why = fmt.Sprintf("%s is %s on %s and %s on %s", name, m.src.where(), from, m.dst.where(), to)
		e.Next = "read both ends again; if nothing changes, look at them by hand"
	}
	return e
}

// stayedError says why an instance that runs on at the source did not move.
func (m *migration) stayedError(ctx context.Context, job jobSeen, cause error) error {
	what := fmt.Sprintf("migrating %s from %s to %s", m.r.Instance, m.r.From.ID, m.r.To.ID)
	var done *driver.Error
	switch {
	case errors.Is(cause, errStuck):
		return &driver.Error{Code: driver.CodeNoProgress, Retry: true, Why: fmt.Sprintf("%s sent nothing more for %s; it was aborted, and the instance runs on at the source", what, m.r.StuckFor), Next: "look at the network between the two hosts, then try again"}
	case ctx.Err() != nil:
		return m.late(ctx, "did not end in time and was aborted")
	case job.aborted:
		return &driver.Error{Code: driver.CodeAborted, Retry: true, Why: what + " was aborted; it runs on at the source", Next: "find out who aborted it; then try again"}
	case errors.As(cause, &done):
		return cause
	case job.state == "over" && job.rc != 0:
		s := readOutcome(job.out)
		return &driver.Error{Code: s.code, Retry: s.retry, Next: s.next, Why: fmt.Sprintf("%s failed (exit code %d), and it runs on at the source: %s", what, job.rc, s.line)}
	}
	return &driver.Error{Code: driver.CodeFailed, Retry: true, Err: cause, Why: what + ": it is over, and it runs on at the source", Next: "try again"}
}

func (m *migration) late(ctx context.Context, what string) error {
	return &driver.Error{Code: driver.CodeDeadline, Retry: true, Err: ctx.Err(), Next: "allow more time, or try at a quieter time",
		Why: fmt.Sprintf("migrating %s from %s to %s %s; it runs on at the source", m.r.Instance, m.r.From.ID, m.r.To.ID, what)}
}

// handshakeLost: the memory is whole on both hosts and runs on neither. Which of them may run only a
// person can say, who knows that no xl of that migration is left on either.
func handshakeLost(r driver.MigrateRequest) error {
	return &driver.Error{Code: driver.CodeFailed,
		Why: fmt.Sprintf("the last handshake of the migration of %s was lost: it is suspended as %s%s on %s and paused as %s%s on %s, and runs on neither", r.Instance, r.Instance, suffixAway, r.From.ID, r.Instance, suffixIncoming, r.To.ID),
		Next: fmt.Sprintf("see that no xl migrate-receive is left on %s; then there: xl rename %s%s %s, xl unpause %s; and at last on %s: xl destroy %s%s",
			r.To.ID, r.Instance, suffixIncoming, r.Instance, r.Instance, r.From.ID, r.Instance, suffixAway)}
}
