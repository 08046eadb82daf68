package libvirt

import (
	"context"
	"fmt"
	"time"

	golibvirt "github.com/digitalocean/go-libvirt"

	"github.com/evenkeel/evenkeel/internal/driver"
)

const (
	abortWithin = 10 * time.Second // for an abort to be taken and the job to end
)

// watch follows the job on the source until it is over. over brings Perform's answer; it is nil for
// a job that somebody else began. A guest that does not converge is switched to post-copy or
// aborted, as the request says; when ctx ends the job is aborted.
func (m *migration) watch(ctx context.Context, over <-chan error) error {
	stuck := detector{stuckFor: m.r.StuckFor}
	heard := time.Now() // from the source's libvirtd
	tick := time.NewTicker(m.cfg.Poll)
	defer tick.Stop()
	for {
		select {
		case err := <-over:
			return err
		case <-ctx.Done():
			return m.giveUp(ctx, over, ctx.Err())
		case <-tick.C:
		}
		j, params, err := m.jobNow(ctx)
		switch {
		case lost(err):
			if time.Since(heard) > m.cfg.Patience {
				return errSilent
			}
			continue
		case err != nil || !j.leaving():
			heard = time.Now()
			if over == nil {
				return nil
			}
			continue // Perform is about to return, or has not begun yet
		}
		heard = time.Now()
		p := progress(params)
		if p.TotalMiB == 0 {
			continue // connected, but nothing sent yet: QEMU has no figures
		}
		if m.r.Progress != nil {
			m.r.Progress(p)
		}
		remaining, _ := number(params, golibvirt.DomainJobMemoryRemaining)
		if m.out.PostCopy || !stuck.stuck(time.Now(), int64(p.Iteration), remaining) {
			continue
		}
		if m.r.AfterStuck == afterPostCopy && m.startPostCopy(ctx) == nil {
			m.out.PostCopy = true
			continue
		}
		return m.giveUp(ctx, over, errStuck)
	}
}

// giveUp aborts the job and waits, bounded, for it to end. An abort that is refused (post-copy, or
// done in that moment) is no matter: the ends are read. It is repeated because a Perform that was
// sent just now may begin its job only after the first abort found none.
func (m *migration) giveUp(ctx context.Context, over <-chan error, why error) error {
	actx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortWithin)
	defer cancel()
	for actx.Err() == nil {
		_ = m.abortJob(actx, m.r.From, m.r.Instance)
		if over == nil {
			break
		}
		select {
		case <-over:
			return why
		case <-time.After(m.cfg.Poll):
		}
	}
	return why
}

// jobNow reads the job on the source and its statistics.
func (m *migration) jobNow(ctx context.Context) (j job, params []golibvirt.TypedParam, err error) {
	ctx, cancel := context.WithTimeout(ctx, m.cfg.CallTimeout)
	defer cancel()
	type seen struct {
		j      job
		params []golibvirt.TypedParam
	}
	err = m.conns.with(ctx, m.r.From.URI, func(c *conn) error {
		s, err := short(ctx, c, func(l *golibvirt.Libvirt) (seen, error) {
			j, params, err := jobOf(l, m.src.dom)
			return seen{j, params}, err
		})
		j, params = s.j, s.params
		return err
	})
	return j, params, err
}

func (m *migration) startPostCopy(ctx context.Context) error {
	return m.conns.fresh(ctx, m.r.From.URI, func(c *conn) error {
		return order(ctx, c, func(l *golibvirt.Libvirt) error { return l.DomainMigrateStartPostCopy(m.src.dom, 0) })
	})
}

func progress(params []golibvirt.TypedParam) driver.Progress {
	total, _ := number(params, golibvirt.DomainJobMemoryTotal)
	remaining, _ := number(params, golibvirt.DomainJobMemoryRemaining)
	round, _ := number(params, golibvirt.DomainJobMemoryIteration)
	pages, _ := number(params, golibvirt.DomainJobMemoryDirtyRate) // pages/s
	size, ok := number(params, golibvirt.DomainJobMemoryPageSize)
	if !ok {
		size = 4096
	}
	return driver.Progress{
		TotalMiB: int64(total >> 20), RemainingMiB: int64(remaining >> 20), Iteration: int(round),
		DirtyMiBps: float64(pages) * float64(size) / (1 << 20),
	}
}

// AbortMigration aborts a migration away from h and returns once the job is over, whoever began it.
// No such job, or no such instance there any more: done.
func (d *Driver) AbortMigration(ctx context.Context, _ driver.Fence, h driver.Host, instance string) error {
	return d.abortJob(ctx, h, instance)
}

func (d *Driver) abortJob(ctx context.Context, h driver.Host, instance string) error {
	what := fmt.Sprintf("aborting the migration of %s from %s", instance, h.ID)
	for asked := false; ; {
		e := d.look(ctx, h, instance)
		switch {
		case !e.reached:
			return e.err
		case !e.job.leaving():
			return nil
		case e.postcopy():
			return &driver.Error{Code: driver.CodeRefused, Why: what + ": it is in post-copy, where an abort would lose it", Next: "wait until it is over"}
		}
		if !asked {
			err := d.conns.fresh(ctx, h.URI, func(c *conn) error {
				return order(ctx, c, func(l *golibvirt.Libvirt) error { return l.DomainAbortJob(e.dom) })
			})
			// 'Operation invalid': it ended, or cannot be aborted at this moment; the next look tells.
			if err != nil && code(err) != golibvirt.ErrOperationInvalid && !absent(err) {
				return explain(ctx, h.ID, what, err)
			}
			asked = err == nil
		}
		if !pause(ctx, d.cfg.Poll) {
			return explain(ctx, h.ID, what, ctx.Err())
		}
	}
}
