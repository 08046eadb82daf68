package libvirt

import (
	"context"
	"errors"
	"fmt"
	"time"

	golibvirt "github.com/digitalocean/go-libvirt"

	"github.com/evenkeel/evenkeel/internal/driver"
)

// Migrate moves a running instance, peer to peer: the source's libvirtd talks to the destination's,
// so our death stops nothing, and a later call finds the job and waits for it.
//
// It ends at most about 20 s after ctx: a job is aborted (10 s) and both ends are read once more.
func (d *Driver) Migrate(ctx context.Context, r driver.MigrateRequest) (driver.MigrateOutcome, error) {
	if err := checkRequest(r); err != nil {
		return driver.MigrateOutcome{Ends: driver.Ends{Source: driver.IsUnreachable, Destination: driver.IsUnreachable}}, err
	}
	m := &migration{Driver: d, r: r}
	m.src, m.dst, m.v = d.settle(ctx, r, min(d.cfg.Patience, firstLook))
	plan, err := opening(r, m.src, m.dst, m.v)
	switch {
	case err != nil:
		m.out.Ends = driver.Ends{Source: m.src.where(), Destination: m.dst.where()}
		return m.out, err
	case plan == already:
		m.out.Already = true
		return m.finish(ctx, nil)
	case plan == begin:
		if err := d.room(ctx, r); err != nil {
			m.out.Ends = driver.Ends{Source: m.src.where(), Destination: m.dst.where()}
			return m.out, err
		}
	}
	m.autostart = m.startsWithHost(ctx, r.From)
	started := time.Now()
	cause := m.run(ctx, plan == begin)
	out, err := m.finish(ctx, cause)
	if out.Total == 0 {
		out.Total = time.Since(started).Round(time.Millisecond)
	}
	return out, err
}

// firstLook bounds the patience with which the ends are read before anything is begun.
const firstLook = 5 * time.Second

// migration is one call of Migrate.
type migration struct {
	*Driver
	r        driver.MigrateRequest
	src, dst end
	v        verdict
	out      driver.MigrateOutcome
	// autostart is the source's mark that it starts with its host. libvirt does not carry it along.
	autostart bool
}

func checkRequest(r driver.MigrateRequest) error {
	bad := func(format string, args ...any) error {
		return &driver.Error{Code: driver.CodeRefused, Why: fmt.Sprintf(format, args...), Next: "correct the hosts' uris in the fleet file"}
	}
	to, err := parseURI(r.To.URI)
	switch {
	case r.Instance == "":
		return bad("the request names no instance")
	case err != nil:
		return bad("destination: %v", err)
	case r.From.URI == r.To.URI || r.From.ID == r.To.ID:
		return bad("source and destination of %s are the same host, %s", r.Instance, r.From.ID)
	case to.transport == "unix":
		return bad("destination %s has the uri %s, which only works on that host itself; the source needs one with an address", r.To.ID, r.To.URI)
	}
	return nil
}

// opening says what to do first, from what both ends said.
type start int

const (
	refused start = iota
	begin         // start a migration
	adopt         // an earlier controller's job is under way: wait for it
	already       // it is there
)

func opening(r driver.MigrateRequest, src, dst end, v verdict) (start, error) {
	no := func(code string, retry bool, next, format string, args ...any) (start, error) {
		return refused, &driver.Error{Code: code, Retry: retry, Next: next, Why: fmt.Sprintf(format, args...)}
	}
	name := r.Instance
	switch {
	case !src.reached:
		return refused, src.err
	case !dst.reached:
		return refused, dst.err
	case src.defined && dst.defined && src.uuid != dst.uuid:
		return no(driver.CodeRefused, false, "rename one of them", "host %s has another instance of the name %s (its UUID differs)", r.To.ID, name)
	case v == moved, v == leftover:
		return already, nil
	case v == split:
		return no(driver.CodeSplit, false, "stop the one that must not run, by hand, before anything else", "%s runs on %s and on %s", name, r.From.ID, r.To.ID)
	case src.job.leaving() && (dst.incoming() || dst.postcopy() || dst.where() == driver.IsRunning):
		return adopt, nil
	case src.job.leaving():
		return no(driver.CodeRefused, true, "wait until that migration is over", "%s is being migrated from %s to another host than %s", name, r.From.ID, r.To.ID)
	case src.job.active():
		return no(driver.CodeRefused, true, "wait until that job is over", "another job (operation %d) is under way on %s", src.job.kind, name)
	case v == stayed:
		return begin, nil
	case !src.defined && !dst.defined:
		return no(driver.CodeNotFound, false, "observe both hosts again: somebody moved or deleted it", "%s is neither on %s nor on %s", name, r.From.ID, r.To.ID)
	case src.where() == driver.IsRunning:
		return no(driver.CodeSplit, true, "wait until the copy on "+r.To.ID+" is gone or runs; both ends must be read again then",
			"%s runs on %s, and a copy on %s may still begin to run", name, r.From.ID, r.To.ID)
	}
	return no(driver.CodeRefused, false, "look at the instance: only a running one is live-migrated", "%s does not run on %s (it is %s there, %s on %s)",
		name, r.From.ID, src.where(), dst.where(), r.To.ID)
}

// errStuck and errSilent are ends of a job that watch brought about.
var (
	errStuck  = errors.New("no progress")
	errSilent = errors.New("the source's libvirtd has not answered for too long")
)

// run carries the migration out, or waits for one that is under way, until it is over. What it
// returns is only a hint at why it ended: the ends tell what came of it.
func (m *migration) run(ctx context.Context, fresh bool) error {
	over := make(chan error, 1)
	pctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel() // drops the connection of a Perform that never returns
	if fresh {
		go func() { over <- m.perform(pctx) }()
	} else {
		over = nil
	}
	cause := m.watch(ctx, over)
	for over != nil && m.jobGoesOn(ctx, cause) {
		// Our connection broke, the job did not: go on as if it had been found.
		over = nil
		cause = m.watch(ctx, nil)
	}
	return cause
}

func (m *migration) jobGoesOn(ctx context.Context, cause error) bool {
	return lost(cause) && ctx.Err() == nil && !errors.Is(cause, errStuck) && !errors.Is(cause, errSilent) &&
		m.look(ctx, m.r.From, m.r.Instance).job.leaving()
}

func (m *migration) perform(ctx context.Context) error {
	flags := golibvirt.MigrateLive | golibvirt.MigratePeer2peer | golibvirt.MigratePersistDest | golibvirt.MigrateUndefineSource
	if m.r.AutoConverge {
		flags |= golibvirt.MigrateAutoConverge
	}
	if m.r.AfterStuck == afterPostCopy {
		flags |= golibvirt.MigratePostcopy
	}
	if m.cfg.MigrateTLS {
		flags |= golibvirt.MigrateTLS
	}
	var params []golibvirt.TypedParam
	if m.r.BandwidthMiB > 0 {
		params = append(params, golibvirt.TypedParam{Field: golibvirt.MigrateParamBandwidth, Value: *golibvirt.NewTypedParamValueUllong(uint64(m.r.BandwidthMiB))})
	}
	return m.conns.fresh(ctx, m.r.From.URI, func(c *conn) error {
		_, err := call(ctx, c, 0, func(l *golibvirt.Libvirt) ([]byte, error) {
			return l.DomainMigratePerform3Params(m.src.dom, golibvirt.OptString{m.r.To.URI}, params, nil, flags)
		})
		return err
	})
}

const afterPostCopy = "post-copy"
