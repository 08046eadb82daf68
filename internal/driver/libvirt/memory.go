package libvirt

import (
	"context"
	"fmt"

	golibvirt "github.com/digitalocean/go-libvirt"

	"github.com/evenkeel/evenkeel/internal/driver"
)

// node is what the machine itself says.
type node struct {
	memoryMiB int64 // in all
	freeMiB   int64 // free, or used for caches only; -1: not known
	cpus      int
}

func nodeOf(ctx context.Context, c *conn) (node, error) {
	return short(ctx, c, func(l *golibvirt.Libvirt) (node, error) {
		_, kib, cpus, _, _, _, _, _, err := l.NodeGetInfo()
		if err != nil {
			return node{}, err
		}
		n := node{memoryMiB: int64(kib >> 10), cpus: int(cpus), freeMiB: -1}
		// Asked with room for no value, it says how many there are.
		_, count, err := l.NodeGetMemoryStats(0, int32(golibvirt.NodeMemoryStatsAllCells), 0)
		if err != nil {
			return n, nil
		}
		stats, _, err := l.NodeGetMemoryStats(count, int32(golibvirt.NodeMemoryStatsAllCells), 0)
		if err != nil {
			return n, nil
		}
		n.freeMiB = 0
		for _, s := range stats {
			switch s.Field {
			case golibvirt.NodeMemoryStatsFree, golibvirt.NodeMemoryStatsBuffers, golibvirt.NodeMemoryStatsCached:
				n.freeMiB += int64(s.Value >> 10)
			}
		}
		return n, nil
	})
}

// capacity is what instances can use in all on a machine: its memory less a sixteenth, at least
// 512 MiB and at most 16 GiB, for the host itself and for what QEMU needs beside guest memory.
func capacity(memoryMiB int64) int64 {
	return max(memoryMiB-min(max(memoryMiB/16, 512), 16<<10), 0)
}

// free is what is left for further instances: capacity less the full size of each that holds
// memory (running, paused, arriving), for a ballooned one may grow again. Where the capacity was
// measured it is never more than the machine really has free.
func free(capacityMiB, heldMiB, reallyFreeMiB int64, measured bool) int64 {
	left := capacityMiB - heldMiB
	if measured && reallyFreeMiB >= 0 {
		left = min(left, reallyFreeMiB)
	}
	return max(left, 0)
}

// memory gives a host's capacity and what is free of it, in MiB: the operator's word for the
// capacity, where there is one.
func memory(h driver.Host, n node, heldMiB int64) (total, left int64) {
	total = h.MemoryMiB
	measured := total <= 0
	if measured {
		total = capacity(n.memoryMiB)
	}
	return total, free(total, heldMiB, n.freeMiB, measured)
}

// room refuses a migration for which the destination lacks memory at this moment: libvirt would not.
func (d *Driver) room(ctx context.Context, r driver.MigrateRequest) error {
	var needs, left int64
	err := d.conns.with(ctx, r.From.URI, func(c *conn) (err error) {
		needs, err = short(ctx, c, func(l *golibvirt.Libvirt) (int64, error) {
			dom, err := l.DomainLookupByName(r.Instance)
			if err != nil {
				return 0, err
			}
			return size(l, dom)
		})
		return err
	})
	if err != nil {
		return explain(ctx, r.From.ID, "reading the size of "+r.Instance, err)
	}
	err = d.conns.with(ctx, r.To.URI, func(c *conn) error {
		n, err := nodeOf(ctx, c)
		if err != nil {
			return err
		}
		held, err := short(ctx, c, held)
		_, left = memory(r.To, n, held)
		return err
	})
	if err != nil {
		return explain(ctx, r.To.ID, "reading the free memory of "+r.To.ID, err)
	}
	if needs > left {
		return &driver.Error{Code: driver.CodeNoRoom, Retry: true, Why: fmt.Sprintf("%s needs %d MiB, %s has %d MiB free", r.Instance, needs, r.To.ID, left),
			Next: "choose another destination"}
	}
	return nil
}

// held sums up the memory of all domains that hold any.
func held(l *golibvirt.Libvirt) (sum int64, err error) {
	doms, _, err := l.ConnectListAllDomains(1, golibvirt.ConnectListDomainsActive)
	if err != nil {
		return 0, err
	}
	for _, dom := range doms {
		mib, err := size(l, dom)
		if absent(err) {
			continue
		}
		if err != nil {
			return 0, err
		}
		sum += mib
	}
	return sum, nil
}

func size(l *golibvirt.Libvirt, dom golibvirt.Domain) (int64, error) {
	_, kib, _, _, _, err := l.DomainGetInfo(dom)
	return int64(kib+1023) >> 10, err
}
