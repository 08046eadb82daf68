package study

import (
	"fmt"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/version"
)

// Contents is what runs on a full host, and whose it is.
type Contents struct {
	Tenants int
	HostMiB int64

	Sizes     []Share[int64]  // memory of instances, MiB
	Guests    []Share[string] // their types
	Pinned    float64         // bound to their host by the operator's word
	LocalDisk float64         // bound to their host by a disk
	NoSuspend float64         // cannot be saved
}

func (c Contents) check() error {
	if c.Tenants < 1 {
		return fmt.Errorf("%d tenants: instances belong to somebody", c.Tenants)
	}
	return nil
}

func tenantID(n int) string { return fmt.Sprintf("t%04d", n+1) }

// tenants can all be told.
func (c Contents) tenants() (out []fleet.Tenant) {
	for n := range c.Tenants {
		id := tenantID(n)
		out = append(out, fleet.Tenant{ID: id, Contacts: []fleet.Contact{{Email: "ops@" + id + ".example"}}})
	}
	return out
}

// probeMiB is the memory of the operator's own instance on a spare host; slackMiB, on other hosts, is what
// lets a full one still be emptied onto the spare.
const probeMiB, slackMiB = 256, 256

// probe is what watches an empty host: so that no host is without a guest to be judged by.
func probe(host, guest string) fleet.Instance {
	return fleet.Instance{ID: host + "-probe", Host: host, MemoryMiB: probeMiB, GuestType: guest}
}

// fill draws instances until the host is full.
func (c Contents) fill(s Seed, host string) (out []fleet.Instance) {
	free := c.HostMiB - slackMiB - probeMiB
	for n := 0; ; n++ {
		id := fmt.Sprintf("%s-i%02d", host, n)
		i := fleet.Instance{ID: id, Host: host, MemoryMiB: min(pick(s, c.Sizes, "size", id), free/512*512),
			Tenant: tenantID(int(s.draw("tenant", id) * float64(c.Tenants))), GuestType: pick(s, c.Guests, "guest", id),
			NoSuspend: s.draw("no-suspend", id) < c.NoSuspend}
		if i.MemoryMiB <= 0 {
			return out
		}
		free -= i.MemoryMiB
		if s.draw("pinned", id) < c.Pinned {
			i.Pinned = "by its tenant's contract"
		}
		i.Disks = []fleet.Disk{{Name: "xvda", Shared: s.draw("local-disk", id) >= c.LocalDisk}}
		out = append(out, i)
	}
}

// xenHost is a host of a pool, before anything is said of its software.
func (c Contents) xenHost(pool string, n int) fleet.Host {
	return fleet.Host{ID: hostID(pool, n), Pools: []string{pool}, Hypervisor: fleet.Xen, MemoryMiB: c.HostMiB, NICMbps: 10000,
		Ecosystem: version.Upstream, Arch: "x86_64", Spare: n == 0, VirtCaps: []string{"pv", "hvm", "hap"}}
}
