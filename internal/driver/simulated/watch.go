package simulated

import (
	"context"
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
)

// begin starts the migration at the source. A lost answer is no error here: watch sees what is so.
func (m *move) begin(ctx context.Context) error {
	to, err := hostName(m.r.To)
	if err != nil {
		return err
	}
	c := Call{
		Op: OpMigrate, Instance: m.r.Instance, To: to, Generation: m.r.Fence.Generation,
		AutoConverge: m.r.AutoConverge, BandwidthMiB: m.r.BandwidthMiB,
	}
	a, err := m.ask(ctx, m.r.From, c)
	if err != nil || a.Code == "" || a.Code == codeInvalid { // invalid: perhaps the call came twice
		return nil
	}
	return refusal(m.r.From, c, a)
}

// watch looks at the job until it is over, and sees that it does not take for ever.
func (m *move) watch(ctx context.Context) error {
	answered := m.clock.Now() // when the source last said anything
	pace := pace{since: answered}
	for {
		a, err := m.ask(ctx, m.r.From, Call{Op: OpJob, Instance: m.r.Instance})
		now := m.clock.Now()
		switch {
		case ctx.Err() != nil:
			return m.tooLate(ctx)
		case err != nil && now.Sub(answered) > m.Limits.Settle:
			return nil // what both ends say decides
		case err != nil:
		case a.Job == nil || !a.Job.Active:
			return m.verdict(a)
		default:
			answered = now
			if err := m.step(ctx, *a.Job, &pace, now); err != nil {
				return err
			}
		}
		if m.clock.Wait(ctx, m.Limits.Poll) != nil {
			return m.tooLate(ctx)
		}
	}
}

// step judges one look at the running job.
func (m *move) step(ctx context.Context, j JobReport, p *pace, now time.Time) error {
	if to, err := hostName(m.r.To); err != nil || j.To != to {
		return &driver.Error{
			Code: driver.CodeRefused, Why: fmt.Sprintf("%s is being migrated from %s to %s already", m.r.Instance, m.r.From.ID, j.To),
			Next: "wait until that migration is over, or abort it", Retry: true,
		}
	}
	if m.r.Progress != nil {
		m.r.Progress(driver.Progress{TotalMiB: j.TotalMiB, RemainingMiB: j.RemainingMiB, DirtyMiBps: j.DirtyMiBps, Iteration: j.Iteration})
	}
	if j.PostCopy {
		m.out.PostCopy = true
		return nil
	}
	if still := p.still(j, now); m.r.StuckFor > 0 && still >= m.r.StuckFor {
		p.since = now
		return m.stuck(ctx, still)
	}
	return nil
}

// pace tells slow from never: within the first pass, any byte sent is progress; after it, only a
// pass that is smaller than each before.
type pace struct {
	iteration int
	least     int64
	since     time.Time // of the last progress
}

// still takes in one look and says for how long there was no progress.
func (p *pace) still(j JobReport, now time.Time) time.Duration {
	fresh := j.Iteration != p.iteration
	if p.iteration == 0 || j.Iteration <= 1 && j.RemainingMiB < p.least || fresh && j.RemainingMiB < p.least*95/100 {
		p.least, p.since = j.RemainingMiB, now
	} else if fresh && p.iteration == 1 {
		p.least = j.RemainingMiB // the first pass's rest is no measure for the later ones
	}
	p.iteration = j.Iteration
	return now.Sub(p.since)
}

// verdict is the source's last word on the job. nil means: believed only if both ends agree.
func (m *move) verdict(a Answer) error {
	if a.Job == nil || a.Job.Completed || a.Job.Code == "" {
		return nil
	}
	return refusal(m.r.From, Call{Op: OpMigrate}, Answer{Code: a.Job.Code, Why: a.Job.Why})
}

// stuck does what the request says for a migration that does not converge.
func (m *move) stuck(ctx context.Context, d time.Duration) error {
	c := Call{Op: OpPostCopy, Instance: m.r.Instance, Generation: m.r.Fence.Generation}
	if m.r.AfterStuck == "post-copy" {
		_, _ = m.ask(ctx, m.r.From, c) // the next look tells whether it was done
		return nil
	}
	c.Op = OpAbort
	if a, err := m.ask(ctx, m.r.From, c); err != nil || a.Code != "" {
		return nil // it may be in its switch-over by now; the next look tells
	}
	return &driver.Error{
		Code: driver.CodeNoProgress, Why: fmt.Sprintf("the migration of %s from %s to %s made no progress for %s and was aborted", m.r.Instance, m.r.From.ID, m.r.To.ID, d),
		Next: "allow post-copy, suspend it instead, or move it when it is less busy",
	}
}

// tooLate ends a migration whose context is over; settle says so.
func (m *move) tooLate(ctx context.Context) error {
	c := Call{Op: OpAbort, Instance: m.r.Instance, Generation: m.r.Fence.Generation}
	_, _ = m.ask(lastLook(ctx), m.r.From, c) // refused in the switch-over; the ends tell
	return nil
}
