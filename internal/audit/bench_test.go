package audit_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/audit"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// uniform has n hosts in pools of so many, each with ten instances, two thirds full, of which every third
// belongs to a group of three that is spread over hosts.
func uniform(n, perPool int) *fleet.Fleet {
	f := &fleet.Fleet{Evenkeel: fleet.SchemaV1, Regions: []fleet.Region{{ID: "r"}}, Sites: []fleet.Site{{ID: "s", Region: "r"}},
		Tenants: []fleet.Tenant{{ID: "acme", Contacts: []fleet.Contact{{Email: "ops@acme.example"}}}}}
	for i := range n {
		pool := fmt.Sprintf("p%04d", i/perPool)
		if i%perPool == 0 {
			f.Pools = append(f.Pools, fleet.Pool{ID: pool, Site: "s"})
		}
		h := fleet.Host{ID: fmt.Sprintf("h%06d", i), Pools: []string{pool}, Hypervisor: fleet.KVM, MemoryMiB: 61440, NICMbps: 25000}
		f.Hosts = append(f.Hosts, h)
		for k := range 10 {
			in := fleet.Instance{ID: fmt.Sprintf("%s-v%d", h.ID, k), Host: h.ID, Tenant: "acme", MemoryMiB: 4096}
			if k%3 == 0 {
				in.Group = fmt.Sprintf("g%06d-%d", i/3, k)
			}
			f.Instances = append(f.Instances, in)
		}
		if i%3 == 0 {
			for k := 0; k < 10; k += 3 {
				f.Groups = append(f.Groups, fleet.Group{ID: fmt.Sprintf("g%06d-%d", i/3, k), MaxUnavailable: 1, Spread: fleet.SpreadHost})
			}
		}
	}
	return f
}

// BenchmarkPlan audits plans of uniform fleets: by the careful policy in pools of a hundred hosts, and for
// bounds in one pool.
func BenchmarkPlan(b *testing.B) {
	for _, n := range []int{1000, 3000, 10000} {
		for _, profile := range []plan.Profile{plan.Careful, plan.Bound} {
			b.Run(fmt.Sprintf("%s/%d", profile, n), func(b *testing.B) {
				f, pol := uniform(n, 100), plan.DefaultPolicy()
				if profile == plan.Bound {
					f, pol = uniform(n, n), plan.ToBound(pol)
				}
				p := proposed(b, planner.Input{Fleet: f, Policy: pol, Campaign: "c", Revision: 1, Now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}, profile)
				for b.Loop() {
					if found := audit.Plan(f, &p); len(found) > 0 {
						b.Fatalf("%d findings, first %+v", len(found), found[0])
					}
				}
			})
		}
	}
}
