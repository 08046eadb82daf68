package fleet

import (
	"cmp"
	"maps"
	"slices"
)

// Index answers look-ups on one fleet. It points into the fleet that it was made from and must be
// made anew when that changes. Its maps are for reading. Lists are sorted by id, whatever the order
// in the fleet.
type Index struct {
	Fleet      *Fleet
	Regions    map[string]*Region
	Sites      map[string]*Site
	Pools      map[string]*Pool
	HostGroups map[string]*HostGroup
	Links      map[string]*Link
	Tenants    map[string]*Tenant
	Groups     map[string]*Group
	Hosts      map[string]*Host
	Instances  map[string]*Instance

	On           map[string][]*Instance  // host id -> instances that are there, in any state
	PoolHosts    map[string][]*Host      // pool id -> its hosts, also those whose home is another pool
	Members      map[string][]*Instance  // group id -> members, named by the group or by the instance
	GroupsOf     map[string][]*Group     // instance id -> groups it is a member of
	HostGroupsOf map[string][]*HostGroup // host id -> host groups it is in
	TenantOwns   map[string][]*Instance  // tenant id -> its instances

	used    map[string]int64
	linksOf map[string][]*Link // host id -> links that it lies behind
}

// NewIndex indexes a fleet. Of two things with the same id the first counts; references to what
// does not exist lead nowhere (Parse reports both).
func NewIndex(f *Fleet) *Index {
	ix := &Index{
		Fleet:      f,
		Regions:    byID(f.Regions, func(r *Region) string { return r.ID }),
		Sites:      byID(f.Sites, func(s *Site) string { return s.ID }),
		Pools:      byID(f.Pools, func(p *Pool) string { return p.ID }),
		HostGroups: byID(f.HostGroups, func(g *HostGroup) string { return g.ID }),
		Links:      byID(f.Links, func(l *Link) string { return l.ID }),
		Tenants:    byID(f.Tenants, func(t *Tenant) string { return t.ID }),
		Groups:     byID(f.Groups, func(g *Group) string { return g.ID }),
		Hosts:      byID(f.Hosts, func(h *Host) string { return h.ID }),
		Instances:  byID(f.Instances, func(i *Instance) string { return i.ID }),

		On: map[string][]*Instance{}, PoolHosts: map[string][]*Host{},
		Members: map[string][]*Instance{}, GroupsOf: map[string][]*Group{},
		HostGroupsOf: map[string][]*HostGroup{}, TenantOwns: map[string][]*Instance{},
		used: map[string]int64{}, linksOf: map[string][]*Link{},
	}
	for _, id := range sortedKeys(ix.Hosts) {
		h := ix.Hosts[id]
		for _, pool := range h.Pools {
			if hosts := ix.PoolHosts[pool]; len(hosts) == 0 || hosts[len(hosts)-1] != h {
				ix.PoolHosts[pool] = append(hosts, h)
			}
		}
	}
	for _, id := range sortedKeys(ix.Instances) {
		i := ix.Instances[id]
		ix.On[i.Host] = append(ix.On[i.Host], i)
		if i.Tenant != "" {
			ix.TenantOwns[i.Tenant] = append(ix.TenantOwns[i.Tenant], i)
		}
		if i.TakesMemory() {
			ix.used[i.Host] += i.MemoryMiB
		}
	}
	ix.joinGroups()
	ix.noteLinks()
	for _, id := range sortedKeys(ix.HostGroups) {
		g := ix.HostGroups[id]
		hosts := slices.Clone(g.Hosts)
		slices.Sort(hosts)
		for _, host := range slices.Compact(hosts) {
			ix.HostGroupsOf[host] = append(ix.HostGroupsOf[host], g)
		}
	}
	return ix
}

// joinGroups makes Members and GroupsOf from both places that can name a member.
func (ix *Index) joinGroups() {
	named := map[string]map[string]bool{}
	for id, g := range ix.Groups {
		named[id] = map[string]bool{}
		for _, member := range g.Members {
			named[id][member] = true
		}
	}
	for id, i := range ix.Instances {
		if members, ok := named[i.Group]; ok {
			members[id] = true
		}
	}
	for _, id := range sortedKeys(named) {
		for _, member := range sortedKeys(named[id]) {
			if i, ok := ix.Instances[member]; ok {
				ix.Members[id] = append(ix.Members[id], i)
				ix.GroupsOf[member] = append(ix.GroupsOf[member], ix.Groups[id])
			}
		}
	}
}

// UsedMiB is the memory that running and paused instances take on a host.
func (ix *Index) UsedMiB(host string) int64 { return ix.used[host] }

// FreeMiB is what is left of a host's memory; 0 for an unknown host.
func (ix *Index) FreeMiB(host string) int64 {
	if h := ix.Hosts[host]; h != nil {
		return h.MemoryMiB - ix.used[host]
	}
	return 0
}

// HomePool is the first of a host's pools, whose reserve and limits count it; nil when unknown.
func (ix *Index) HomePool(host string) *Pool {
	h := ix.Hosts[host]
	if h == nil || len(h.Pools) == 0 {
		return nil
	}
	return ix.Pools[h.Pools[0]]
}

// SiteOf is the site of a host's home pool; nil when unknown.
func (ix *Index) SiteOf(host string) *Site {
	if p := ix.HomePool(host); p != nil {
		return ix.Sites[p.Site]
	}
	return nil
}

// RegionOf is the id of the region that a host stands in; empty when unknown.
func (ix *Index) RegionOf(host string) string {
	if s := ix.SiteOf(host); s != nil {
		return s.Region
	}
	return ""
}

// ZoneOf is the IANA time zone of a host's site, UTC when nothing else is known.
func (ix *Index) ZoneOf(host string) string {
	if s := ix.SiteOf(host); s != nil && s.Timezone != "" {
		return s.Timezone
	}
	return "UTC"
}

// TenantZone is a tenant's IANA time zone, UTC when nothing else is known.
func (ix *Index) TenantZone(tenant string) string {
	if t := ix.Tenants[tenant]; t != nil && t.Timezone != "" {
		return t.Timezone
	}
	return "UTC"
}

// HomeHosts are the hosts whose home is the pool, sorted by id.
func (ix *Index) HomeHosts(pool string) (home []*Host) {
	for _, h := range ix.PoolHosts[pool] {
		if h.Pools[0] == pool {
			home = append(home, h)
		}
	}
	return home
}

// ReserveMiB is what must stay free in a pool: what it names, or the memory of its largest host.
func (ix *Index) ReserveMiB(pool string) (reserve int64) {
	if p := ix.Pools[pool]; p != nil && p.ReserveMiB != nil {
		return *p.ReserveMiB
	}
	for _, h := range ix.HomeHosts(pool) {
		reserve = max(reserve, h.MemoryMiB)
	}
	return reserve
}

// TakesMemory: it runs or is paused; a stopped instance takes no memory of its host.
func (i *Instance) TakesMemory() bool { return i.State != Stopped }

// IsUp: nothing is known against the host's health.
func (h *Host) IsUp() bool { return h.Health == "" || h.Health == Up }

// Can tells whether the host has a capability: as published, or as assumed when none were.
func (h *Host) Can(capability string) bool {
	if h.Capabilities == nil {
		return capability != CanLivePatch
	}
	return slices.Contains(h.Capabilities, capability)
}

// Allowed is how many members may be disrupted at once: 1 when the group does not say.
func (g *Group) Allowed() int { return cmp.Or(g.MaxUnavailable, 1) }

// byID maps pointers into list by id; the first of two equal ids counts.
func byID[T any](list []T, id func(*T) string) map[string]*T {
	m := make(map[string]*T, len(list))
	for n := range list {
		key := id(&list[n])
		if _, double := m[key]; !double {
			m[key] = &list[n]
		}
	}
	return m
}

func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
