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

	_ driver.EmptyRebooter = (*Driver)(nil)
	_ driver.BootTeller    = (*Driver)(nil)
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

// RebootEmpty is Reboot for a host on which no domain runs, which the host itself makes sure of.
func (d *Driver) RebootEmpty(ctx context.Context, f driver.Fence, h driver.Host, bootID string, u plan.Update) error {
	g := d.guarded(h)
	g.Vacant = vacant
	return g.Reboot(ctx, f, bootID, u)
}

// BootID is dom0's, asked of it by one tool.
func (d *Driver) BootID(ctx context.Context, h driver.Host) (string, error) {
	return d.guarded(h).BootID(ctx)
}

// vacant names those that run by xl list -v, as endDomain.where has it, and whoever it cannot read. Dom0,
// Xen's own store and the domains of device models are parts of the host.
const vacant = `
on=$(xl list -v 2>&1) || { echo "xl list fails: $on" >&2; exit 122; }
on=$(printf '%s\n' "$on" | awk '
  NR == 1 || NF == 0 { next }
  { at = 0; for (i = 5; i <= NF && !at; i++) if ($i ~ /^[r-][b-][p-][s-][-rscwS?][d-]$/ && $(i - 1) ~ /^[0-9]+$/ && $(i - 3) ~ /^[0-9]+$/) at = i }
  at && $(at - 3) == 0 { next }
  at == 5 && ($1 == "Xenstore" || $1 ~ /-dm$/) { next }
  at && substr($at, 4, 1) == "s" && substr($at, 5, 1) !~ /[srS]/ && substr($at, 6, 1) != "d" { next }
  { print $1 }')
if [ -n "$on" ]; then echo "on it are" $on >&2; exit 122; fi
`
