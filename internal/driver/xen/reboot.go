package xen

import (
	"context"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/plan"
)

var (
	_ driver.Migrator  = (*Driver)(nil)
	_ driver.Aborter   = (*Driver)(nil)
	_ driver.Suspender = (*Driver)(nil)
	_ driver.Stopper   = (*Driver)(nil)
	_ driver.Updater   = (*Driver)(nil)
	_ driver.Rebooter  = (*Driver)(nil)
)

// Reboot orders a guarded reboot: the host refuses unless its boot id is bootID and no newer controller
// has been there. It returns when the host has taken the order, or is in another boot already.
//
// What a host came back with, a later Observe tells apart as far as it can be told from outside:
//   - another boot id, another build id: it runs another hypervisor; which one the build id says.
//   - another boot id, the old build id: it was rebooted into the old hypervisor.
//   - the old boot id: it was not rebooted.
//   - no answer (unreachable): no dom0, no network or no power; over SSH these are one.
//
// A boot id is dom0's: each boot of the hypervisor makes a new one, and nothing else does.
func (d *Driver) Reboot(ctx context.Context, f driver.Fence, h driver.Host, bootID string, u plan.Update) error {
	return d.guarded(h).Reboot(ctx, f, bootID, u)
}
