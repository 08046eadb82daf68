package planner_test

import (
	"testing"

	"github.com/evenkeel/evenkeel/internal/audit"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// TestPlacesOfOtherHoursShareWaves: windows of two regions that start an hour apart cost few waves more than equal ones.
func TestPlacesOfOtherHoursShareWaves(t *testing.T) {
	waves := func(start string) int {
		f := &fleet.Fleet{Evenkeel: base().Evenkeel, Taken: base().Taken, Tenants: base().Tenants}
		for _, s := range []string{"a", "b"} {
			f.Regions = append(f.Regions, fleet.Region{ID: "r" + s})
			f.Sites = append(f.Sites, fleet.Site{ID: s, Region: "r" + s})
			f.Pools = append(f.Pools, fleet.Pool{ID: "p" + s, Site: s})
			for _, n := range []string{"0", "1", "2", "3"} {
				h := host(s+n, 4096)
				h.Pools = []string{"p" + s}
				f.Hosts, f.Instances = append(f.Hosts, h), append(f.Instances, vm("i"+s+n, s+n, 1024))
			}
		}
		pol := eager()
		pol.Slot, pol.Tactics = 2*hours, []plan.Tactic{plan.Reboot}
		pol.Windows = []plan.WindowRule{{Sites: []string{"a"}, Start: "00:00", Length: 24 * hours}, {Sites: []string{"b"}, Start: start, Length: 24 * hours}}
		p := routine(t, f, pol)
		for _, x := range audit.Plan(f, &p) {
			t.Errorf("law %d, %s: %s", x.Law, x.Code, x.What)
		}
		starts := map[int64]bool{}
		for _, u := range p.Turns {
			starts[u.Start.Unix()] = true
		}
		if len(p.Turns) != 8 {
			t.Errorf("windows from %s: %d turns, want 8", start, len(p.Turns))
		}
		return len(starts)
	}
	if even, odd := waves("00:00"), waves("01:00"); odd > even {
		t.Errorf("%d waves where windows start an hour apart, %d where they start together", odd, even)
	}
}
