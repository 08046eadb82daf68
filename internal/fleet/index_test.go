package fleet

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func small() *Fleet {
	reserve := int64(7)
	return &Fleet{
		Regions: []Region{{ID: "r"}},
		Sites:   []Site{{ID: "s", Region: "r", Timezone: "Asia/Tokyo"}, {ID: "s2", Region: "r"}},
		Pools:   []Pool{{ID: "p", Site: "s"}, {ID: "q", Site: "s2", ReserveMiB: &reserve}},
		Tenants: []Tenant{{ID: "acme", Timezone: "Europe/Paris"}, {ID: "birch"}},
		Hosts: []Host{
			{ID: "b", Pools: []string{"p", "q"}, MemoryMiB: 100, Rack: "1"}, {ID: "a", Pools: []string{"p"}, MemoryMiB: 300, Rack: "1"},
			{ID: "c", Pools: []string{"q"}, MemoryMiB: 50, Rack: "1"},
		},
		HostGroups: []HostGroup{{ID: "hg", Hosts: []string{"b", "a", "b"}}},
		Groups:     []Group{{ID: "g", Members: []string{"z", "y", "gone"}, Spread: SpreadRack}, {ID: "k", MaxUnavailable: 2}},
		Instances: []Instance{
			{ID: "z", Host: "b", Tenant: "acme", Group: "k", MemoryMiB: 10},
			{ID: "y", Host: "b", Tenant: "acme", State: Stopped, MemoryMiB: 20},
			{ID: "x", Host: "c", Group: "g", State: Paused, MemoryMiB: 30}, {ID: "w", Host: "a", Group: "g", MemoryMiB: 5},
		},
	}
}

func ids[T any](list []*T, id func(*T) string) (all []string) {
	for _, x := range list {
		all = append(all, id(x))
	}
	return all
}

func TestIndex(t *testing.T) {
	ix := NewIndex(small())
	instance, host := func(i *Instance) string { return i.ID }, func(h *Host) string { return h.ID }
	for what, c := range map[string]struct{ got, want []string }{
		"on b":         {ids(ix.On["b"], instance), []string{"y", "z"}},
		"pool p":       {ids(ix.PoolHosts["p"], host), []string{"a", "b"}},
		"pool q":       {ids(ix.PoolHosts["q"], host), []string{"b", "c"}},
		"home in q":    {ids(ix.HomeHosts("q"), host), []string{"c"}},
		"members of g": {ids(ix.Members["g"], instance), []string{"w", "x", "y", "z"}},
		"members of k": {ids(ix.Members["k"], instance), []string{"z"}},
		"groups of z":  {ids(ix.GroupsOf["z"], func(g *Group) string { return g.ID }), []string{"g", "k"}},
		"host groups":  {ids(ix.HostGroupsOf["b"], func(g *HostGroup) string { return g.ID }), []string{"hg"}},
		"acme's":       {ids(ix.TenantOwns["acme"], instance), []string{"y", "z"}},
		"places":       {[]string{ix.SiteOf("b").ID, ix.RegionOf("c"), ix.ZoneOf("a"), ix.ZoneOf("c"), ix.ZoneOf("none")}, []string{"s", "r", "Asia/Tokyo", "UTC", "UTC"}},
		"tenant zones": {[]string{ix.TenantZone("acme"), ix.TenantZone("birch"), ix.TenantZone("")}, []string{"Europe/Paris", "UTC", "UTC"}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: got %v, want %v", what, c.got, c.want)
		}
	}
	for what, c := range map[string][2]int64{
		"stopped ones take no memory": {ix.UsedMiB("b"), 10}, "paused ones do": {ix.UsedMiB("c"), 30}, "free": {ix.FreeMiB("a"), 295},
		"reserve is the largest home host": {ix.ReserveMiB("p"), 300}, "named reserve": {ix.ReserveMiB("q"), 7},
		"allowed by default": {int64(ix.Groups["g"].Allowed()), 1}, "allowed": {int64(ix.Groups["k"].Allowed()), 2},
	} {
		if c[0] != c[1] {
			t.Errorf("%s: got %d, want %d", what, c[0], c[1])
		}
	}
	// Racks are told apart by site: c's rack 1 is not that of a and b.
	if got := ix.Together(ix.Groups["g"]); len(got) != 1 || !slices.Equal(got[0], []string{"w", "y", "z"}) {
		t.Errorf("together: %v", got)
	}
	if ix.SiteOf("none") != nil || ix.HomePool("none") != nil || ix.RegionOf("none") != "" || ix.FreeMiB("none") != 0 {
		t.Error("an unknown host leads somewhere")
	}
}

func TestIndexAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFleet(t)
		ix := NewIndex(f)
		var used, want int64
		on := 0
		for _, h := range f.Hosts {
			used += ix.UsedMiB(h.ID)
			on += len(ix.On[h.ID])
		}
		for _, i := range f.Instances {
			if i.State != Stopped {
				want += i.MemoryMiB
			}
			for _, g := range ix.GroupsOf[i.ID] {
				if !slices.Contains(ix.Members[g.ID], ix.Instances[i.ID]) {
					t.Fatalf("%s is of group %s, which does not have it", i.ID, g.ID)
				}
			}
		}
		if used != want || on != len(f.Instances) {
			t.Fatalf("used %d, want %d; on hosts %d of %d", used, want, on, len(f.Instances))
		}
	})
}
