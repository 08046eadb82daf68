package simulated

import (
	"context"

	"github.com/evenkeel/evenkeel/internal/driver"
)

var _ driver.OutOfBand = (*Driver)(nil)

// Probe asks the host's power supply and console, which answer when the host does not.
func (d *Driver) Probe(ctx context.Context, h driver.Host) (driver.Probe, error) {
	a, err := d.ask(ctx, h, Call{Op: OpProbe})
	switch {
	case err != nil:
		return driver.Probe{}, err
	case a.Probe == nil:
		return driver.Probe{}, refusal(h, Call{Op: OpProbe}, a)
	}
	return *a.Probe, nil
}
