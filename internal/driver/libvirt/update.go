package libvirt

import (
	"context"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/guarded"
	"github.com/evenkeel/evenkeel/internal/driver/ssh"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// guarded is a host as updates and reboots reach it: over SSH.
func (d *Driver) guarded(h driver.Host) guarded.Host {
	return guarded.Host{Host: h, CallTimeout: d.cfg.CallTimeout, Poll: d.cfg.Poll, HookTimeout: d.cfg.HookTimeout,
		Run: func(ctx context.Context, argv []string) (ssh.Result, error) { return d.onHost(ctx, h, argv) }}
}

// Update changes a host's software: see guarded.Host.
func (d *Driver) Update(ctx context.Context, f driver.Fence, h driver.Host, u plan.Update) (driver.UpdateOutcome, error) {
	return d.guarded(h).Update(ctx, f, u)
}

// Reboot orders a guarded reboot: see guarded.Host.
func (d *Driver) Reboot(ctx context.Context, f driver.Fence, h driver.Host, bootID string, u plan.Update) error {
	return d.guarded(h).Reboot(ctx, f, bootID, u)
}

// onHost runs argv on a host over SSH.
func (d *Driver) onHost(ctx context.Context, h driver.Host, argv []string) (ssh.Result, error) {
	if h.SSH == "" {
		return ssh.Result{}, &driver.Error{Code: driver.CodeUnsupported, Why: "host " + h.ID + " has no ssh address", Next: "name one in the fleet file"}
	}
	return d.ssh.Run(ctx, h.SSH, ssh.Quote(argv...), nil)
}
