package optima

import (
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

const gib = 1024 // MiB

// Fleet writes a case as a fleet.
func (c *Case) Fleet() *fleet.Fleet {
	f := &fleet.Fleet{
		Evenkeel: fleet.SchemaV1,
		Regions:  []fleet.Region{{ID: "north"}},
		Sites:    []fleet.Site{{ID: "n1", Region: "north"}},
		Tenants:  []fleet.Tenant{{ID: "acme", Contacts: []fleet.Contact{{Email: "ops@acme.example"}}}},
	}
	pools := 1
	for i, h := range c.Hosts {
		out := fleet.Host{ID: hostID(i), Hypervisor: fleet.KVM, MemoryMiB: int64(h.GiB) * gib, NICMbps: 10000}
		if h.Rack > 0 {
			out.Rack = fmt.Sprintf("r%d", h.Rack)
		}
		for _, p := range h.pools() {
			pools = max(pools, p+1)
			out.Pools = append(out.Pools, poolID(p))
		}
		f.Hosts = append(f.Hosts, out)
	}
	for p := range pools {
		f.Pools = append(f.Pools, fleet.Pool{ID: poolID(p), Site: "n1"})
	}
	for i, g := range c.Groups {
		f.Groups = append(f.Groups, fleet.Group{ID: fmt.Sprintf("g%d", i+1), MaxUnavailable: g.Max, Spread: fleet.Spread(g.Spread)})
	}
	for i, g := range c.HostGroups {
		hg := fleet.HostGroup{ID: fmt.Sprintf("hg%d", i+1), MaxUnavailable: g.Max}
		for _, h := range g.Hosts {
			hg.Hosts = append(hg.Hosts, hostID(h))
		}
		f.HostGroups = append(f.HostGroups, hg)
	}
	for i, in := range c.Instances {
		out := fleet.Instance{ID: fmt.Sprintf("v%02d", i), Host: hostID(in.Host), Tenant: "acme", MemoryMiB: int64(in.GiB) * gib}
		if in.Group > 0 {
			out.Group = fmt.Sprintf("g%d", in.Group)
		}
		if in.Pinned {
			out.Pinned = "licence"
		}
		f.Instances = append(f.Instances, out)
	}
	return f
}

func (h *Host) pools() []int {
	if len(h.Pools) == 0 {
		return []int{0}
	}
	return h.Pools
}

func hostID(i int) string { return fmt.Sprintf("h%d", i) }
func poolID(p int) string { return fmt.Sprintf("pool%d", p) }

// Plan has the planner plan a case by the profile bound, as a routine cycle.
func (c *Case) Plan() (plan.Plan, error) {
	return planner.Propose(planner.Input{Fleet: c.Fleet(), Policy: plan.ToBound(plan.DefaultPolicy()), Profile: plan.Bound, Campaign: c.Name,
		Now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), Revision: 1})
}
