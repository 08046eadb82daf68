package xen

import (
	"context"

	"github.com/evenkeel/evenkeel/internal/driver"
)

// heavyMost bounds how many images one dom0 writes or reads at once: they share a disk.
const heavyMost = 4

// bearing is what one dom0 carries of heavy work begun by this driver.
type bearing struct {
	cpus  int           // that dom0 has, by the last look; 0: not known
	busy  int           // images being written or read
	freed chan struct{} // closed when one of them is done
}

// most: each of them keeps a processor busy with copying and summing. On fewer processors they only hinder
// one another, and each instance is away for the time of all.
func (b *bearing) most() int { return min(max(1, b.cpus), heavyMost) }

func (d *Driver) bears(h driver.Host) *bearing {
	key := h.URI + " " + h.SSH
	if d.bearings[key] == nil {
		d.bearings[key] = &bearing{freed: make(chan struct{})}
	}
	return d.bearings[key]
}

// noteCPUs keeps how many processors dom0 has.
func (d *Driver) noteCPUs(h driver.Host, domains []endDomain) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, one := range domains {
		if one.id == 0 {
			d.bears(h).cpus = one.vcpus
		}
	}
}

// heavy waits until dom0 bears one more act that writes or reads the memory of an instance. Until then
// nothing is begun. What another controller began is not counted: the host tells of it act by act.
func (d *Driver) heavy(ctx context.Context, h driver.Host, what string) (done func(), err error) {
	for {
		d.mu.Lock()
		b := d.bears(h)
		if b.busy < b.most() {
			b.busy++
			d.mu.Unlock()
			return func() { d.lighter(b) }, nil
		}
		freed := b.freed
		d.mu.Unlock()
		select {
		case <-freed:
		case <-ctx.Done():
			return nil, &driver.Error{Code: driver.CodeDeadline, Retry: true, Err: ctx.Err(), Why: what + " was not begun in time: others are being saved or restored there", Next: "try again, or allow more time"}
		}
	}
}

func (d *Driver) lighter(b *bearing) {
	d.mu.Lock()
	defer d.mu.Unlock()
	b.busy--
	close(b.freed)
	b.freed = make(chan struct{})
}
