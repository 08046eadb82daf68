package planner_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/audit"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
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

// TestSharedWavesAreNoWorse: whatever the hours of the places, a plan is no worse for waves that they share.
func TestSharedWavesAreNoWorse(t *testing.T) {
	shared := 0
	rapid.Check(t, func(t *rapid.T) {
		f := &fleet.Fleet{Evenkeel: base().Evenkeel, Taken: base().Taken, Tenants: base().Tenants}
		pol := eager()
		pol.Slot = hours * plan.Duration(rapid.IntRange(1, 3).Draw(t, "slot"))
		pol.MaxAwayPercent, pol.StaggerSites = rapid.SampledFrom([]int{30, 60, 100}).Draw(t, "away"), rapid.Bool().Draw(t, "stagger")
		pol.Windows = nil
		for _, s := range []string{"a", "b", "c"} {
			f.Regions = append(f.Regions, fleet.Region{ID: "r" + s})
			f.Sites = append(f.Sites, fleet.Site{ID: s, Region: "r" + s})
			f.Pools = append(f.Pools, fleet.Pool{ID: "p" + s, Site: s})
			start := fmt.Sprintf("%02d:%02d", rapid.IntRange(0, 5).Draw(t, "hour"), 30*rapid.IntRange(0, 1).Draw(t, "half"))
			pol.Windows = append(pol.Windows, plan.WindowRule{Sites: []string{s}, Start: start, Length: hours * plan.Duration(rapid.IntRange(3, 20).Draw(t, "length"))})
			for n := range rapid.IntRange(1, 6).Draw(t, "hosts") {
				h := host(fmt.Sprint(s, n), rapid.SampledFrom([]int64{4096, 8192}).Draw(t, "memory"))
				h.Pools = []string{"p" + s}
				f.Hosts = append(f.Hosts, h)
				for k := range rapid.IntRange(0, 3).Draw(t, "instances") {
					f.Instances = append(f.Instances, vm(fmt.Sprint("i", s, n, k), h.ID, 1024))
				}
			}
		}
		in := planner.Input{Fleet: f, Policy: pol, Campaign: "c", Revision: 1, Now: f.Taken}
		worse, is, err := planner.ApartIsBetter(in)
		if worse || err != nil {
			t.Errorf("better apart: %v, %v", worse, err)
		}
		if is {
			shared++
		}
	})
	if t.Logf("waves are shared in %d plans", shared); shared == 0 {
		t.Error("the draws try too little")
	}
}
