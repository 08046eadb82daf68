package xen

import (
	"context"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/guarded"
	"github.com/evenkeel/evenkeel/internal/driver/ssh"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// guarded gives a host as guarded updates and reboots reach it.
func (d *Driver) guarded(h driver.Host) guarded.Host {
	return guarded.Host{Host: h, CallTimeout: d.cfg.CallTimeout, Poll: d.cfg.Poll,
		Run: func(ctx context.Context, argv []string) (ssh.Result, error) { return d.long(ctx, h, nil, argv...) }}
}

// Update changes a host's software, such as the hypervisor that boots next: by the hooks of a local
// folder, or by a command over SSH. What runs is changed by a reboot alone, so the proof is a later
// Observe.
func (d *Driver) Update(ctx context.Context, f driver.Fence, h driver.Host, u plan.Update) (driver.UpdateOutcome, error) {
	return d.guarded(h).Update(ctx, f, u)
}
