package libvirt

import (
	"context"
	"time"

	golibvirt "github.com/digitalocean/go-libvirt"

	"github.com/evenkeel/evenkeel/internal/driver"
)

// look reads one domain on one host, within one call's timeout in all, or less when ctx has ended
// already: what became of an act must be read even then. It never fails: what could not be read is
// an end that was not reached.
func (d *Driver) look(ctx context.Context, h driver.Host, name string) end {
	limit := d.cfg.CallTimeout
	if ctx.Err() != nil {
		limit = min(limit, lastLook)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	var e end
	err := d.conns.with(ctx, h.URI, func(c *conn) (err error) {
		e, err = lookOn(ctx, c, name)
		return err
	})
	if err != nil {
		return end{err: explain(context.Background(), h.ID, "looking at "+name+" on "+h.ID, err)}
	}
	return e
}

// lastLook bounds a look after the caller's own deadline.
const lastLook = 5 * time.Second

// lookOn is look over a connection. A domain that vanishes between two calls is absent.
func lookOn(ctx context.Context, c *conn, name string) (end, error) {
	dom, err := short(ctx, c, func(l *golibvirt.Libvirt) (golibvirt.Domain, error) { return l.DomainLookupByName(name) })
	if absent(err) {
		return end{reached: true}, nil
	}
	if err != nil {
		return end{}, err
	}
	e, err := lookAt(ctx, c, dom)
	if absent(err) {
		return end{reached: true}, nil
	}
	return e, err
}

// lookAt reads state, persistence and job of a domain that was just listed.
func lookAt(ctx context.Context, c *conn, dom golibvirt.Domain) (end, error) {
	e := end{reached: true, defined: true, uuid: dom.UUID, dom: dom}
	return short(ctx, c, func(l *golibvirt.Libvirt) (end, error) {
		state, reason, err := l.DomainGetState(dom, 0)
		if err != nil {
			return end{}, err
		}
		e.state, e.reason = golibvirt.DomainState(state), reason
		persistent, err := l.DomainIsPersistent(dom)
		if err != nil {
			return end{}, err
		}
		e.persistent = persistent == 1
		if e.state == golibvirt.DomainShutoff {
			return e, nil
		}
		e.job, _, err = jobOf(l, dom)
		return e, err
	})
}

// jobOf reads the job under way. 'Operation invalid' comes from a domain that has just stopped to
// run: there is no job then. The receiving half of a migration has a job, but no statistics.
func jobOf(l *golibvirt.Libvirt, dom golibvirt.Domain) (job, []golibvirt.TypedParam, error) {
	unit, params, err := l.DomainGetJobStats(dom, 0)
	if code(err) == golibvirt.ErrOperationInvalid {
		return job{}, nil, nil
	}
	if code(err) == golibvirt.ErrOperationUnsupported {
		return job{unit: golibvirt.DomainJobUnbounded, kind: golibvirt.DomainJobOperationStrMigrationIn}, nil, nil
	}
	if err != nil {
		return job{}, nil, err
	}
	j := job{unit: golibvirt.DomainJobType(unit)}
	if op, ok := number(params, golibvirt.DomainJobOperationStr); ok {
		j.kind = golibvirt.DomainJobOperation(op)
	}
	return j, params, nil
}

// number finds a numeric parameter by name.
func number(params []golibvirt.TypedParam, name string) (uint64, bool) {
	for _, p := range params {
		if p.Field != name {
			continue
		}
		switch v := p.Value.I.(type) {
		case uint64:
			return v, true
		case int64:
			return uint64(max(v, 0)), true
		case uint32:
			return uint64(v), true
		case int32:
			return uint64(max(v, 0)), true
		}
	}
	return 0, false
}

// both reads the destination, then the source: see judge for why in this order. An end that does
// not answer costs one call's timeout; the other is read all the same.
func (d *Driver) both(ctx context.Context, r driver.MigrateRequest) (src, dst end) {
	dst = d.look(ctx, r.To, r.Instance)
	src = d.look(ctx, r.From, r.Instance)
	return src, dst
}

// settle reads both ends until they mean something definite, or patience or ctx ends; at least once
// in any case. It cleans nothing up.
func (d *Driver) settle(ctx context.Context, r driver.MigrateRequest, patience time.Duration) (src, dst end, v verdict) {
	wait, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	grave := unsettled
	for {
		src, dst = d.both(ctx, r)
		v = judge(src, dst)
		switch v {
		case moved, stayed, leftover:
			return src, dst, v
		case split, lostBoth:
			// Grave enough to be seen twice: two reads are never at the same instant.
			if grave == v {
				return src, dst, v
			}
		case unsettled:
			if src.job.leaving() {
				return src, dst, v // not over: that is for watch
			}
		}
		grave = v
		if !pause(wait, d.cfg.Poll) {
			return src, dst, v
		}
	}
}

// pause waits; false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
