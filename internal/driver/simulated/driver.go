package simulated

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/fleet"
)

// Scheme of the URIs of simulated hosts: sim://HOST.
const Scheme = "sim://"

// Wire is the door to a world: World itself, or a connection to one in another process.
type Wire interface {
	// Do carries one call; see World.Do.
	Do(ctx context.Context, c Call, patience time.Duration) (Answer, error)
}

// Driver reaches simulated hosts. It implements every interface of package driver, with the calls
// of a Wire and nothing else.
type Driver struct {
	wire  Wire
	clock Clock
	// Limits may be changed before the first call.
	Limits Limits
	close  func() error
}

// Limits bound how long the driver waits for what.
type Limits struct {
	Call   time.Duration // for the answer to one short call
	Poll   time.Duration // between two looks at a migration
	Settle time.Duration // after a migration, until both ends say something that can be believed
	Grace  time.Duration // after the context ended, to abort and to read both ends
}

// DefaultLimits: Settle is longer than a hypervisor's keepalive, since the source may resume by
// itself only then.
func DefaultLimits() Limits {
	return Limits{Call: 10 * time.Second, Poll: 500 * time.Millisecond, Settle: 45 * time.Second, Grace: 4 * time.Second}
}

var (
	_ driver.Driver    = (*Driver)(nil)
	_ driver.Migrator  = (*Driver)(nil)
	_ driver.Aborter   = (*Driver)(nil)
	_ driver.Suspender = (*Driver)(nil)
	_ driver.Stopper   = (*Driver)(nil)
	_ driver.Updater   = (*Driver)(nil)
	_ driver.Rebooter  = (*Driver)(nil)
	_ driver.Cordoner  = (*Driver)(nil)
)

// NewDriver is a driver to a world in this process, on the world's own clock.
func NewDriver(w *World) *Driver { return newDriver(w, w.clock) }

func newDriver(wire Wire, clock Clock) *Driver {
	return &Driver{wire: wire, clock: clock, Limits: DefaultLimits(), close: func() error { return nil }}
}

// Close gives the connection back.
func (d *Driver) Close() error { return d.close() }

// hostName is what the wire calls the host.
func hostName(h driver.Host) (string, error) {
	name, ours := strings.CutPrefix(h.URI, Scheme)
	switch {
	case h.URI == "":
		return h.ID, nil
	case !ours || name == "":
		return "", &driver.Error{
			Code: driver.CodeUnsupported, Why: fmt.Sprintf("host %s has the URI %q, which is not a simulated host's", h.ID, h.URI),
			Next: "write it as " + Scheme + "HOST, or choose another driver",
		}
	}
	return name, nil
}

// ask makes one call with the usual patience.
func (d *Driver) ask(ctx context.Context, h driver.Host, c Call) (Answer, error) {
	patience := d.Limits.Call
	if ctx.Value(afterwardsKey{}) != nil {
		patience = d.Limits.Grace / 2
	}
	return d.askFor(ctx, h, c, patience)
}

func (d *Driver) askFor(ctx context.Context, h driver.Host, c Call, patience time.Duration) (Answer, error) {
	name, err := hostName(h)
	if err != nil {
		return Answer{}, err
	}
	c.Host = name
	a, err := d.wire.Do(ctx, c, patience)
	if err != nil {
		return Answer{}, d.lost(ctx, h, c, err)
	}
	return a, nil
}

// lost is the error for a call whose answer was not heard.
func (d *Driver) lost(ctx context.Context, h driver.Host, c Call, err error) error {
	e := &driver.Error{
		Code: driver.CodeUnreachable, Why: fmt.Sprintf("host %s did not answer the call %q", h.ID, c.Op),
		Next: "look at the host's power, network and service; then try again", Retry: true, Err: err,
	}
	e.Awake = errors.Is(err, ErrServiceOff)
	switch {
	case errors.Is(err, ErrNoHost):
		e.Why, e.Next, e.Retry = "host "+h.ID+" is not in the simulated world", "correct its uri in the fleet", false
	case ctx.Err() != nil && c.Op != OpHost && c.Op != OpLookup && c.Op != OpJob:
		e.Code = driver.CodeDeadline
		e.Why = fmt.Sprintf("the call %q to host %s did not end in its time", c.Op, h.ID)
		e.Next = "look whether it was done all the same; then try again with more time"
	}
	return e
}

// refusal is the error for an answer that says no.
func refusal(h driver.Host, c Call, a Answer) *driver.Error {
	e := &driver.Error{Code: driver.CodeFailed, Why: fmt.Sprintf("host %s: %s: %s", h.ID, c.Op, a.Why), Next: "look at the host's log; then try again", Retry: true}
	switch a.Code {
	case codeNoDomain:
		e.Code, e.Next, e.Retry = driver.CodeNotFound, "look where the instance is; it may have been removed or moved by others", false
	case codeRefused:
		e.Code, e.Next, e.Retry = driver.CodeRefused, "observe the host again; if another controller took over, stop this one", false
	case codeNoRoom:
		e.Code, e.Next = driver.CodeNoRoom, "place the instance on another host, or free memory there"
	case codeUnsafe:
		e.Code, e.Next, e.Retry = driver.CodeCannotMove, "suspend or stop the instance instead, or take away what ties it to its host", false
	case codeAborted:
		e.Code, e.Next = driver.CodeAborted, "find out who aborted it; then try again"
	case codeSilent:
		e.Code, e.Next = driver.CodeUnreachable, "look at the destination's power, network and service; then try again"
	}
	return e
}

// Observe reads one host as it is now.
func (d *Driver) Observe(ctx context.Context, h driver.Host) (driver.Observation, error) {
	r, err := d.readHost(ctx, h)
	if err != nil {
		return driver.Observation{}, err
	}
	facts := r.Facts
	seen := fleet.Sighting{At: d.clock.Now(), How: "the simulated world"}
	r.Software.Looked = map[string]fleet.Sighting{fleet.LayerInstalled: seen, fleet.LayerBooted: seen, fleet.LayerRunning: seen, fleet.LayerLivePatches: seen}
	facts.ID, facts.URI, facts.SSH, facts.Seen, facts.Software = h.ID, h.URI, h.SSH, seen.At, r.Software
	o := driver.Observation{
		Host: h.ID, At: seen.At, BootID: r.BootID, Health: fleet.Up, Software: r.Software,
		Capabilities: r.Capabilities, MemoryMiB: r.MemoryMiB, FreeMiB: r.FreeMiB,
		Instances: []driver.InstanceSeen{}, Facts: &facts,
	}
	for _, i := range r.Instances {
		of := i.Facts
		of.Host = h.ID
		at := fleet.Sighting{}
		if len(i.Running) > 0 {
			at = seen
		}
		of.Looked = at
		o.Instances = append(o.Instances, driver.InstanceSeen{
			ID: i.ID, State: i.State, Incoming: i.Incoming, Migrating: i.Migrating, Saved: i.Saved,
			MemoryMiB: i.MemoryMiB, Running: i.Running, Looked: at, Facts: &of,
		})
	}
	return o, nil
}

func (d *Driver) readHost(ctx context.Context, h driver.Host) (*HostReport, error) {
	a, err := d.ask(ctx, h, Call{Op: OpHost})
	if err != nil {
		return nil, err
	}
	if a.Host == nil {
		return nil, refusal(h, Call{Op: OpHost}, a)
	}
	return a.Host, nil
}

// find reads one instance at one host; nil: it is not there. A single 'not found' is not believed:
// the host's own list must say so too.
func (d *Driver) find(ctx context.Context, h driver.Host, instance string) (*InstanceReport, error) {
	c := Call{Op: OpLookup, Instance: instance}
	a, err := d.ask(ctx, h, c)
	switch {
	case err != nil:
		return nil, err
	case a.Instance != nil:
		return a.Instance, nil
	case a.Code != codeNoDomain:
		return nil, refusal(h, c, a)
	}
	r, err := d.readHost(ctx, h)
	if err != nil {
		return nil, err
	}
	for i := range r.Instances {
		if r.Instances[i].ID == instance {
			return &r.Instances[i], nil
		}
	}
	return nil, nil
}

// mustFind is find for acts that need the instance there.
func (d *Driver) mustFind(ctx context.Context, h driver.Host, instance string) (*InstanceReport, error) {
	i, err := d.find(ctx, h, instance)
	if err == nil && i == nil {
		c := Call{Op: OpLookup, Instance: instance}
		err = refusal(h, c, Answer{Code: codeNoDomain, Why: "no instance " + instance})
	}
	return i, err
}

// afterwardsKey marks a context for the last looks of a call whose own context has ended: they may
// take Limits.Grace, and no more.
type afterwardsKey struct{}

// lastLook is the context for the looks that end an act: the caller's own, or one without an end
// when that is over, so that what was done can still be read.
func lastLook(ctx context.Context) context.Context {
	if ctx.Err() != nil {
		return context.WithValue(context.WithoutCancel(ctx), afterwardsKey{}, true)
	}
	return ctx
}
