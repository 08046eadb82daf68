package audit

import (
	"sort"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// estate is the fleet as the auditor looks things up in it: derived from the plain value, with the
// first of two things of one id counting.
type estate struct {
	hosts      map[string]*fleet.Host
	instances  map[string]*fleet.Instance
	tenants    map[string]*fleet.Tenant
	pools      map[string]*fleet.Pool
	sites      map[string]*fleet.Site
	on         map[string][]*fleet.Instance // by host, at the outset
	groups     []*group
	groupsOf   map[string][]*group           // by instance
	hostGroups map[string][]*fleet.HostGroup // by host
	homeHosts  map[string][]*fleet.Host      // by pool: hosts whose first pool it is
	behind     map[string][]*fleet.Link      // by host: links that it lies behind
}

// group is a redundancy group with its members from both places that can name one.
type group struct {
	id       string
	most     int // members that may be disrupted at once
	spread   fleet.Spread
	members  []string // sorted
	together bool     // it asks to be interrupted as a whole
}

func newEstate(f *fleet.Fleet) *estate {
	e := &estate{
		hosts: map[string]*fleet.Host{}, instances: map[string]*fleet.Instance{}, tenants: map[string]*fleet.Tenant{},
		pools: map[string]*fleet.Pool{}, on: map[string][]*fleet.Instance{}, sites: map[string]*fleet.Site{}, groupsOf: map[string][]*group{},
		hostGroups: map[string][]*fleet.HostGroup{}, homeHosts: map[string][]*fleet.Host{}, behind: map[string][]*fleet.Link{},
	}
	for i := range f.Sites {
		put(e.sites, f.Sites[i].ID, &f.Sites[i])
	}
	for i := range f.Pools {
		put(e.pools, f.Pools[i].ID, &f.Pools[i])
	}
	for i := range f.Tenants {
		put(e.tenants, f.Tenants[i].ID, &f.Tenants[i])
	}
	for i := range f.Instances {
		if in := &f.Instances[i]; put(e.instances, in.ID, in) {
			e.on[in.Host] = append(e.on[in.Host], in)
		}
	}
	for i := range f.Hosts {
		h := &f.Hosts[i]
		if !put(e.hosts, h.ID, h) {
			continue
		}
		if len(h.Pools) > 0 {
			e.homeHosts[h.Pools[0]] = append(e.homeHosts[h.Pools[0]], h)
		}
	}
	for i := range f.HostGroups {
		for _, h := range f.HostGroups[i].Hosts {
			e.hostGroups[h] = append(e.hostGroups[h], &f.HostGroups[i])
		}
	}
	e.join(f)
	e.wire(f)
	return e
}

func put[T any](m map[string]*T, id string, v *T) bool {
	if _, double := m[id]; double {
		return false
	}
	m[id] = v
	return true
}

// join gathers each group's members.
func (e *estate) join(f *fleet.Fleet) {
	byGroup := map[string][]string{}
	for i := range f.Instances {
		if g := f.Instances[i].Group; g != "" {
			byGroup[g] = append(byGroup[g], f.Instances[i].ID)
		}
	}
	for i := range f.Groups {
		g := &group{id: f.Groups[i].ID, most: f.Groups[i].MaxUnavailable, spread: f.Groups[i].Spread, together: f.Groups[i].Together}
		if g.most == 0 {
			g.most = 1
		}
		seen := map[string]bool{}
		for _, m := range append(append([]string{}, f.Groups[i].Members...), byGroup[g.id]...) {
			if !seen[m] && e.instances[m] != nil {
				seen[m] = true
				g.members = append(g.members, m)
				e.groupsOf[m] = append(e.groupsOf[m], g)
			}
		}
		sort.Strings(g.members)
		e.groups = append(e.groups, g)
	}
}

// home is a host's first pool, whose reserve and limits count it; "" when it has none.
func (e *estate) home(host string) string {
	if h := e.hosts[host]; h != nil && len(h.Pools) > 0 {
		return h.Pools[0]
	}
	return ""
}

// where gives the place of a host.
func (e *estate) where(host string) place {
	at := place{}
	if h := e.hosts[host]; h != nil {
		at.hypervisor = string(h.Hypervisor)
	}
	if p := e.pools[e.home(host)]; p != nil {
		at.site = p.Site
		if s := e.sites[p.Site]; s != nil {
			at.region, at.zone = s.Region, s.Timezone
		}
	}
	return at
}

// reserve is what must stay free in a pool: what it names, else the memory of its largest host.
func (e *estate) reserve(pool string) int64 {
	if p := e.pools[pool]; p != nil && p.ReserveMiB != nil {
		return *p.ReserveMiB
	}
	var most int64
	for _, h := range e.homeHosts[pool] {
		most = max(most, h.MemoryMiB)
	}
	return most
}

// mostAway is how many hosts of a pool may be in a turn at once.
func (e *estate) mostAway(pool string, percent int) int {
	return max(1, len(e.homeHosts[pool])*percent/100)
}

// domain is what members of a spread group may not share, for an instance on a host; "" when it is
// not known, which forbids nothing. A host whose rack is not known is at least a rack of its own: two
// on it share that.
func (e *estate) domain(s fleet.Spread, host string) string {
	switch at := e.where(host); s {
	case fleet.SpreadHost:
		return host
	case fleet.SpreadRack:
		if h := e.hosts[host]; h != nil && h.Rack != "" {
			return at.site + "/" + h.Rack
		}
		return "host/" + host
	case fleet.SpreadSite:
		return at.site
	}
	return ""
}

// cohortOf is the first cohort of a target that matches a host; nil without one.
func (e *estate) cohortOf(t *plan.Target, host string) *plan.Cohort {
	h := e.hosts[host]
	if t == nil || h == nil {
		return nil
	}
	for i := range t.Cohorts {
		if e.matches(t.Cohorts[i].Match, h) {
			return &t.Cohorts[i]
		}
	}
	return nil
}

// matches: the host meets every field of a match; region, site and pool must be of one of its pools.
func (e *estate) matches(m plan.Match, h *fleet.Host) bool {
	if m.Hypervisor != "" && m.Hypervisor != string(h.Hypervisor) || !matches(m.Hosts, h.ID) {
		return false
	}
	if len(m.Pools)+len(m.Sites)+len(m.Regions) == 0 {
		return true
	}
	for _, id := range h.Pools {
		site, region := "", ""
		if p := e.pools[id]; p != nil {
			site = p.Site
		}
		if s := e.sites[site]; s != nil {
			region = s.Region
		}
		if matches(m.Pools, id) && matches(m.Sites, site) && matches(m.Regions, region) {
			return true
		}
	}
	return false
}

// healthy: nothing is known against a host's health.
func healthy(h fleet.Health) bool { return h == "" || h == fleet.Up }

// serves: the instance runs; one that is paused does not serve.
func serves(i *fleet.Instance) bool { return i.State == "" || i.State == fleet.Running }

// occupies: it holds memory of its host, and a reboot would end it.
func occupies(i *fleet.Instance) bool { return i.State != fleet.Stopped }
