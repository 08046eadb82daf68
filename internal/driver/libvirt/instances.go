package libvirt

import (
	"context"
	"errors"
	"maps"

	golibvirt "github.com/digitalocean/go-libvirt"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/hostfacts"
	"github.com/evenkeel/evenkeel/internal/fleet"
)

func readDomain(ctx context.Context, c *conn, dom golibvirt.Domain) (domain, error) {
	e, err := lookAt(ctx, c, dom)
	if err != nil {
		return domain{}, err
	}
	return short(ctx, c, func(l *golibvirt.Libvirt) (domain, error) {
		one := domain{end: e}
		var err error
		if one.doc, err = l.DomainGetXMLDesc(dom, 0); err != nil {
			return domain{}, err
		}
		if one.mib, err = size(l, dom); err != nil {
			return domain{}, err
		}
		if e.persistent && e.state == golibvirt.DomainShutoff {
			has, err := l.DomainHasManagedSaveImage(dom, 0)
			if err != nil {
				return domain{}, err
			}
			one.saved = has == 1
		}
		if n, err := l.DomainSnapshotNum(dom, 0); err == nil {
			one.snaps = n
		}
		return one, nil
	})
}

// instances puts each domain into the contract's words.
func (d *Driver) instances(ctx context.Context, h driver.Host, s *seen, f hostfacts.Facts) {
	alive := map[guest]bool{}
	deaf := 0 // monitors that did not answer: after two the others are not waited for
	s.Instances = []driver.InstanceSeen{}
	for _, one := range s.domains {
		name := one.dom.Name
		in, _, err := parseDomain(one.doc, places{poolShared: s.pools, fileSystem: f.FS})
		if err != nil {
			s.miss("facts of %s: %v", name, err)
			in = &fleet.Instance{ID: name, MemoryMiB: one.mib}
		}
		if one.snaps > 0 {
			hinder(in, fleet.NoLiveMigration, "it has %d snapshots, with which libvirt does not migrate", one.snaps)
		}
		i := driver.InstanceSeen{ID: name, State: stateOf(one.end), Incoming: one.incoming(), Migrating: one.job.leaving(), Saved: one.saved, MemoryMiB: one.mib, Facts: in}
		if one.where() != driver.IsStopped && !i.Incoming {
			alive[guest{uri: h.URI, uuid: string(one.uuid[:]), id: one.dom.ID}] = true
			if deaf >= 2 {
				s.miss("QEMU of %s: not asked, for other monitors here do not answer", name)
			} else if b, err := d.buildOf(ctx, h, one.end, s.At); err != nil {
				if errors.Is(err, context.DeadlineExceeded) {
					deaf++
				}
				s.miss("QEMU of %s: %v", name, err)
			} else {
				d.runsOn(s, &i, b, f)
			}
		}
		in.Host, in.State, in.Running, in.Looked = h.ID, i.State, maps.Clone(i.Running), i.Looked
		s.Instances = append(s.Instances, i)
	}
	d.forget(h.URI, alive)
}

func stateOf(e end) fleet.State {
	switch e.where() {
	case driver.IsRunning:
		return fleet.Running
	case driver.IsStopped:
		return fleet.Stopped
	}
	return fleet.Paused
}

// heldMiB is the memory of all instances that hold any.
func (s *seen) heldMiB() (sum int64) {
	for _, i := range s.Instances {
		if i.State != fleet.Stopped {
			sum += i.MemoryMiB
		}
	}
	return sum
}
