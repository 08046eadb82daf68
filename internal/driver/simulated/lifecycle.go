package simulated

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Save writes an instance's memory to its host's disk.
func (d *Driver) Save(ctx context.Context, f driver.Fence, h driver.Host, instance string) error {
	return d.act(ctx, f, h, instance, OpSave, func(i *InstanceReport) bool { return i.State == fleet.Stopped && i.Saved })
}

// Restore brings a saved instance back.
func (d *Driver) Restore(ctx context.Context, f driver.Fence, h driver.Host, instance string) error {
	return d.act(ctx, f, h, instance, OpRestore, runs)
}

// Stop shuts an instance down.
func (d *Driver) Stop(ctx context.Context, f driver.Fence, h driver.Host, instance string) error {
	return d.act(ctx, f, h, instance, OpStop, func(i *InstanceReport) bool { return i.State == fleet.Stopped && !i.Saved })
}

// Start boots an instance that is stopped, and brings a saved one back with its memory.
func (d *Driver) Start(ctx context.Context, f driver.Fence, h driver.Host, instance string) error {
	return d.act(ctx, f, h, instance, OpStart, runs)
}

func runs(i *InstanceReport) bool { return i.State == fleet.Running && !i.Incoming }

// act looks whether the effect is there, acts, and proves it by another look, error or not. A call
// without an answer is looked at and made again until the context ends: a host that is still at it
// takes the same request for the first one.
func (d *Driver) act(ctx context.Context, f driver.Fence, h driver.Host, instance string, op Op, there func(*InstanceReport) bool) error {
	i, err := d.mustFind(ctx, h, instance)
	if err != nil {
		return err
	}
	c := Call{Op: op, Instance: instance, Generation: f.Generation}
	for !there(i) {
		a, acted := d.askFor(ctx, h, c, d.Limits.Settle)
		i, err = d.mustFind(lastLook(ctx), h, instance)
		switch {
		case err == nil && there(i):
			return nil
		case acted != nil && (ctx.Err() != nil || err != nil):
			return acted
		case acted != nil: // the host answers, and it is not done: ask again
		case a.Code != "":
			return refusal(h, c, a)
		case err != nil:
			return err
		default:
			return &driver.Error{
				Code: driver.CodeFailed, Why: fmt.Sprintf("host %s said that %s of %s was done, but it is %s", h.ID, op, instance, i.State),
				Next: "observe the host; then try again", Retry: true,
			}
		}
	}
	return nil
}

// Update runs the host's update command and gives its last words.
func (d *Driver) Update(ctx context.Context, f driver.Fence, h driver.Host, u plan.Update) (driver.UpdateOutcome, error) {
	before, err := d.readHost(ctx, h)
	if err != nil {
		return driver.UpdateOutcome{}, err
	}
	c := Call{Op: OpUpdate, Generation: f.Generation, Update: u}
	a, err := d.askFor(ctx, h, c, d.Limits.Settle)
	for again := before; err != nil; {
		// No answer. A host that can be read goes on with the command, or has ended it.
		var look error
		if again, look = d.readHost(ctx, h); look != nil || ctx.Err() != nil {
			return driver.UpdateOutcome{}, err
		}
		if a, err = d.askFor(ctx, h, c, d.Limits.Settle); err == nil && a.Exit == 70 && !maps.Equal(again.Software.Installed, before.Software.Installed) {
			return driver.UpdateOutcome{Needed: true, Message: "its end was not heard; a second run says: " + a.Why}, nil
		}
	}
	switch {
	case a.Code != "" && a.Exit == 0:
		return driver.UpdateOutcome{}, refusal(h, c, a)
	case a.Exit == 70:
		return driver.UpdateOutcome{Message: a.Why}, nil
	case a.Exit != 0:
		return driver.UpdateOutcome{Needed: true, Message: a.Why}, &driver.Error{
			Code: driver.CodeUpdateFailed, Why: fmt.Sprintf("the update of host %s ended with exit %d: %s", h.ID, a.Exit, a.Why),
			Next: "read its output, repair the host's packages; then retry the turn", Retry: true,
		}
	}
	return driver.UpdateOutcome{Needed: true, Message: a.Why}, nil
}

// Reboot orders a guarded reboot. A boot id that the host had before means that it was rebooted
// already; one that it never had is refused.
func (d *Driver) Reboot(ctx context.Context, f driver.Fence, h driver.Host, bootID string, u plan.Update) error {
	if r, err := d.readHost(ctx, h); err != nil {
		return err
	} else if slices.Contains(r.PastBootIDs, bootID) {
		return nil
	}
	c := Call{Op: OpReboot, Generation: f.Generation, BootID: bootID, Update: u}
	a, err := d.ask(ctx, h, c)
	if err == nil && a.Code == "" {
		return nil
	}
	// The answer may be lost, or a second copy of the order came too late: the host knows.
	if r, look := d.readHost(lastLook(ctx), h); look == nil && slices.Contains(r.PastBootIDs, bootID) {
		return nil
	}
	if err != nil {
		var e *driver.Error
		if errors.As(err, &e) {
			e.Next = "observe the host: another boot id means that it was rebooted; else try again with the same one"
		}
		return err
	}
	e := refusal(h, c, a)
	if strings.Contains(a.Why, "boot id") {
		e.Next = "observe the host again and decide anew: it is not in the boot that this order was meant to end"
	}
	return e
}

// Cordon keeps other actors from starting instances on the host.
func (d *Driver) Cordon(ctx context.Context, f driver.Fence, h driver.Host) error {
	return d.cordon(ctx, h, Call{Op: OpCordon, Generation: f.Generation})
}

// Uncordon allows them again.
func (d *Driver) Uncordon(ctx context.Context, f driver.Fence, h driver.Host) error {
	return d.cordon(ctx, h, Call{Op: OpUncordon, Generation: f.Generation})
}

func (d *Driver) cordon(ctx context.Context, h driver.Host, c Call) error {
	a, acted := d.ask(ctx, h, c)
	if acted == nil && a.Code != "" {
		return refusal(h, c, a)
	}
	r, err := d.readHost(lastLook(ctx), h)
	switch want := c.Op == OpCordon; {
	case err == nil && r.Cordoned == want:
		return nil
	case acted != nil:
		return acted
	case err != nil:
		return err
	}
	return &driver.Error{Code: driver.CodeFailed, Why: fmt.Sprintf("host %s said that %s was done, and it is not", h.ID, c.Op), Next: "try again", Retry: true}
}
