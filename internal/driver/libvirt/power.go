package libvirt

import (
	"context"
	"fmt"
	"time"

	golibvirt "github.com/digitalocean/go-libvirt"

	"github.com/evenkeel/evenkeel/internal/driver"
)

// Save writes the instance's memory to its host's disk (libvirt's managed save) and so stops it. When
// ctx ends the job is aborted, and the instance runs on.
func (d *Driver) Save(ctx context.Context, _ driver.Fence, h driver.Host, instance string) error {
	what := fmt.Sprintf("saving %s on %s", instance, h.ID)
	e, saved, err := d.power(ctx, h, instance)
	switch {
	case err != nil:
		return explain(ctx, h.ID, what, err)
	case !e.defined:
		return notThere(instance, h)
	case saved:
		return nil
	case e.where() == driver.IsStopped:
		return &driver.Error{Code: driver.CodeRefused, Why: what + ": it does not run, so it has no memory to save", Next: "leave it as it is"}
	case !e.persistent:
		return &driver.Error{Code: driver.CodeRefused, Why: what + ": it is transient, libvirt would forget it", Next: "define it first"}
	case e.job.active():
		return &driver.Error{Code: driver.CodeRefused, Retry: true, Why: what + ": another job is under way on it", Next: "wait until that job is over"}
	}
	cause := d.conns.fresh(ctx, h.URI, func(c *conn) error {
		_, err := call(ctx, c, 0, func(l *golibvirt.Libvirt) (struct{}, error) { return struct{}{}, l.DomainManagedSave(e.dom, 0) })
		return err
	})
	if ctx.Err() != nil {
		d.abortSave(ctx, h, instance)
	}
	return d.proof(ctx, h, instance, what, cause, func(e end, saved bool) error {
		if saved {
			return nil
		}
		return stateError(instance, h, e, "its memory is not saved")
	})
}

// abortSave ends a save that takes longer than it may: half an image is worth nothing, and the
// instance runs on.
func (d *Driver) abortSave(ctx context.Context, h driver.Host, instance string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortWithin)
	defer cancel()
	e := d.look(ctx, h, instance)
	if !e.job.active() || e.job.kind != golibvirt.DomainJobOperationStrSave {
		return
	}
	_ = d.conns.fresh(ctx, h.URI, func(c *conn) error {
		return order(ctx, c, func(l *golibvirt.Libvirt) error { return l.DomainAbortJob(e.dom) })
	})
}

// Restore starts a saved instance with the memory that was saved.
func (d *Driver) Restore(ctx context.Context, _ driver.Fence, h driver.Host, instance string) error {
	what := fmt.Sprintf("restoring %s on %s", instance, h.ID)
	e, saved, err := d.power(ctx, h, instance)
	switch {
	case err != nil:
		return explain(ctx, h.ID, what, err)
	case !e.defined:
		return notThere(instance, h)
	case e.where() == driver.IsRunning:
		return nil
	case e.where() == driver.IsStopped && !saved:
		return &driver.Error{Code: driver.CodeRefused, Why: what + ": it has no saved memory here, so a start would boot it afresh", Next: "start it, if that is what is wanted"}
	}
	cause := d.create(ctx, h, e)
	return d.proof(ctx, h, instance, what, cause, func(e end, _ bool) error {
		switch {
		case e.where() != driver.IsRunning:
			return stateError(instance, h, e, "it does not run")
		case e.reason == int32(golibvirt.DomainRunningBooted):
			// libvirt throws an incomplete image away and boots without a word.
			return &driver.Error{Code: driver.CodeFailed, Why: fmt.Sprintf("%s runs on %s, but was booted afresh: its saved memory could not be used", instance, h.ID), Next: "tell its tenant that its memory was lost"}
		}
		return nil
	})
}

// Start starts an instance; one with saved memory goes on from there.
func (d *Driver) Start(ctx context.Context, _ driver.Fence, h driver.Host, instance string) error {
	what := fmt.Sprintf("starting %s on %s", instance, h.ID)
	e, _, err := d.power(ctx, h, instance)
	switch {
	case err != nil:
		return explain(ctx, h.ID, what, err)
	case !e.defined:
		return notThere(instance, h)
	case e.where() == driver.IsRunning:
		return nil
	}
	cause := d.create(ctx, h, e)
	return d.proof(ctx, h, instance, what, cause, func(e end, _ bool) error {
		if e.where() == driver.IsRunning {
			return nil
		}
		return stateError(instance, h, e, "it does not run")
	})
}

// create starts a domain; a restore may take as long as reading its memory does.
func (d *Driver) create(ctx context.Context, h driver.Host, e end) error {
	return d.conns.fresh(ctx, h.URI, func(c *conn) error {
		_, err := call(ctx, c, 0, func(l *golibvirt.Libvirt) (struct{}, error) { return struct{}{}, l.DomainCreate(e.dom) })
		return err
	})
}

// Stop asks the guest to shut down and waits for it until ctx ends. The request is repeated, for a
// guest that is booting hears none. It is never destroyed.
func (d *Driver) Stop(ctx context.Context, _ driver.Fence, h driver.Host, instance string) error {
	what := fmt.Sprintf("stopping %s on %s", instance, h.ID)
	var asked time.Time
	for {
		e, _, err := d.power(ctx, h, instance)
		switch {
		case err != nil:
			return explain(ctx, h.ID, what, err)
		case !e.defined:
			return notThere(instance, h)
		case e.where() == driver.IsStopped:
			return nil
		case !e.persistent:
			return &driver.Error{Code: driver.CodeRefused, Why: what + ": it is transient, libvirt would forget it", Next: "define it first"}
		case e.state == golibvirt.DomainPaused && !e.job.active():
			return &driver.Error{Code: driver.CodeRefused, Why: what + ": it is paused and hears no request to shut down", Next: "resume it first"}
		}
		if time.Since(asked) > askAgain {
			err := d.conns.fresh(ctx, h.URI, func(c *conn) error {
				return order(ctx, c, func(l *golibvirt.Libvirt) error { return l.DomainShutdown(e.dom) })
			})
			// Operation invalid: it stopped in this moment. The next look tells.
			if err != nil && code(err) != golibvirt.ErrOperationInvalid {
				return explain(ctx, h.ID, what, err)
			}
			asked = time.Now()
		}
		if !pause(ctx, d.cfg.Poll) {
			return &driver.Error{Code: driver.CodeDeadline, Retry: true, Err: ctx.Err(), Why: what + ": the guest did not shut down in time; it runs on", Next: "shut it down from within, or allow more time"}
		}
	}
}

// askAgain is the pause between two requests to shut down.
const askAgain = 20 * time.Second

// power reads a domain and whether its memory is saved.
func (d *Driver) power(ctx context.Context, h driver.Host, instance string) (e end, saved bool, err error) {
	limit, cancel := context.WithTimeout(ctx, d.cfg.CallTimeout)
	defer cancel()
	err = d.conns.with(limit, h.URI, func(c *conn) (err error) {
		if e, err = lookOn(limit, c, instance); err != nil || !e.persistent || e.state != golibvirt.DomainShutoff {
			return err
		}
		saved, err = short(limit, c, func(l *golibvirt.Libvirt) (bool, error) {
			n, err := l.DomainHasManagedSaveImage(e.dom, 0)
			return n == 1, err
		})
		return err
	})
	return e, saved, err
}

// proof reads the instance until want is content, or until nothing is under way any more and it is
// not. After a lost answer, or the end of ctx, it is read all the same.
func (d *Driver) proof(ctx context.Context, h driver.Host, instance, what string, cause error, want func(end, bool) error) error {
	patience := d.cfg.Patience
	if ctx.Err() != nil {
		patience = abortWithin
	}
	wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	for {
		e, saved, err := d.power(wait, h, instance)
		verdict := err
		if err == nil {
			if verdict = want(e, saved); verdict == nil {
				return nil
			}
		}
		// A definite answer from libvirt, or no job left: nothing will change any more.
		if err == nil && !e.job.active() && (!lost(cause) || ctx.Err() != nil) || !pause(wait, d.cfg.Poll) {
			if cause != nil {
				return explain(ctx, h.ID, what, cause)
			}
			return explain(wait, h.ID, what, verdict)
		}
	}
}

func notThere(instance string, h driver.Host) error {
	return &driver.Error{Code: driver.CodeNotFound, Why: fmt.Sprintf("%s is not on %s", instance, h.ID), Next: "observe the host again: somebody moved or deleted it"}
}

func stateError(instance string, h driver.Host, e end, but string) error {
	return &driver.Error{Code: driver.CodeFailed, Retry: true, Why: fmt.Sprintf("%s is %s on %s: %s", instance, e.where(), h.ID, but), Next: "look at the instance, then try again"}
}
