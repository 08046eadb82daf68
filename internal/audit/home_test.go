package audit

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// TestStandAsTheFleetDoes: what the judge reckons of pools by itself is what the planner goes by, on drawn fleets with
// instances on drawn hosts.
func TestStandAsTheFleetDoes(t *testing.T) {
	together := 0
	rapid.Check(t, func(t *rapid.T) {
		f := goodFleet()
		f.Groups = append(f.Groups, fleet.Group{ID: "racks", Spread: fleet.SpreadRack, Members: []string{"a1", "b1", "own"}}, fleet.Group{ID: "sites", Spread: fleet.SpreadSite, Members: []string{"c1", "d1"}})
		ids := []string{"a", "b", "c", "d", "e"}
		for i := range f.Hosts {
			h := &f.Hosts[i]
			h.MemoryMiB = rapid.Int64Range(0, 9000).Draw(t, "memory")
			h.Rack = rapid.SampledFrom([]string{"", "1", "2"}).Draw(t, "rack")
			h.Health = rapid.SampledFrom([]fleet.Health{"", fleet.Up, fleet.Sick}).Draw(t, "health")
			if rapid.Bool().Draw(t, "both") {
				h.Pools = []string{"p2", "p1"}
			}
		}
		if rapid.Bool().Draw(t, "named") {
			f.Pools[0].ReserveMiB = ptr(rapid.Int64Range(0, 20000).Draw(t, "reserve"))
		}
		at := map[string]string{}
		for i := range f.Instances {
			in := &f.Instances[i]
			in.MemoryMiB = rapid.Int64Range(1, 3000).Draw(t, "size")
			in.State = rapid.SampledFrom([]fleet.State{"", fleet.Running, fleet.Paused, fleet.Stopped}).Draw(t, "state")
			at[in.ID] = rapid.SampledFrom(ids).Draw(t, "on")
		}
		want := fleet.NewIndex(f).Standings(func(i *fleet.Instance) string { return at[i.ID] })
		got := newEstate(f).stand(func(id string) string { return at[id] })
		before := newEstate(f).stand(func(id string) string { return f.Instances[0].Host })
		was := fleet.NewIndex(f).Standings(func(*fleet.Instance) string { return f.Instances[0].Host })
		for pool, s := range got {
			w := want[pool]
			together += s.together
			if s.together != w.Together || s.short != w.ShortMiB || s.largest != w.LargestMiB || thousandths(s) != w.Fullest {
				t.Errorf("pool %s: %+v, want %+v", pool, s, w)
			}
			if (s.worse(before[pool]) == "") != (w.Worse(was[pool]) == nil) {
				t.Errorf("pool %s: worse off in %q, %v", pool, s.worse(before[pool]), w.Worse(was[pool]))
			}
		}
	})
	if together == 0 {
		t.Error("nobody shared anything")
	}
}
