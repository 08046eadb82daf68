package discover

import (
	"cmp"
	"slices"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// rest completes the fleet once all hosts are in: what it refers to exists, and all is in order.
func (m *merge) rest() {
	m.addDefaults()
	m.keepUnlooked()
	m.dropGone()
	tenants, groups := ids(m.out.Tenants, func(t fleet.Tenant) string { return t.ID }), ids(m.out.Groups, func(g fleet.Group) string { return g.ID })
	for i := range m.out.Instances {
		m.references(&m.out.Instances[i], tenants, groups)
	}
	slices.SortStableFunc(m.out.Hosts, func(a, b fleet.Host) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortStableFunc(m.out.Instances, func(a, b fleet.Instance) int { return cmp.Compare(a.ID, b.ID) })
}

// addDefaults adds the pool, site and region of hosts that nobody placed.
func (m *merge) addDefaults() {
	if !m.defaults || has(m.out.Pools, m.opt.Pool, func(p fleet.Pool) string { return p.ID }) {
		return
	}
	m.out.Pools = append(m.out.Pools, fleet.Pool{ID: m.opt.Pool, Site: m.opt.Site})
	if has(m.out.Sites, m.opt.Site, func(s fleet.Site) string { return s.ID }) {
		return
	}
	m.out.Sites = append(m.out.Sites, fleet.Site{ID: m.opt.Site, Region: m.opt.Region})
	if !has(m.out.Regions, m.opt.Region, func(r fleet.Region) string { return r.ID }) {
		m.out.Regions = append(m.out.Regions, fleet.Region{ID: m.opt.Region})
	}
}

func has[T any](list []T, id string, of func(T) string) bool {
	return slices.ContainsFunc(list, func(v T) bool { return of(v) == id })
}

func (m *merge) hasHost(id string) bool { return m.written[id] }

// keepUnlooked keeps hosts of base that have no URI, and what base says to be on them.
func (m *merge) keepUnlooked() {
	for _, h := range m.base.Hosts {
		if h.URI != "" || m.hasHost(h.ID) {
			continue
		}
		m.problem(h.ID, "", false, "it has no uri, so it was not looked at and is written as in the base file")
		m.write(h)
		m.asSaid(h.ID)
	}
}

func (m *merge) hasInstance(id string) bool {
	_, ok := m.at[id]
	return ok
}

// dropGone tells of instances of base that are nowhere any more, and takes them and hosts that were
// left out off the lists of groups.
func (m *merge) dropGone() {
	for _, i := range m.base.Instances {
		if !m.hasInstance(i.ID) {
			m.problem(i.Host, i.ID, false, "the base file names it, but no host has it: it is left out")
		}
	}
	for n := range m.out.Groups {
		g := &m.out.Groups[n]
		g.Members = slices.DeleteFunc(slices.Clone(g.Members), func(id string) bool {
			gone := !m.hasInstance(id)
			if gone && m.people[id] == nil {
				m.problem("", id, false, "group "+g.ID+" names it as a member, but no host has it: it is left out")
			}
			return gone
		})
	}
	for n := range m.out.HostGroups {
		g := &m.out.HostGroups[n]
		g.Hosts = slices.DeleteFunc(slices.Clone(g.Hosts), func(id string) bool {
			gone := !m.hasHost(id)
			if gone {
				m.problem(id, "", true, "host group "+g.ID+" names it, but it was not found: it is left out")
			}
			return gone
		})
	}
}

// references adds tenants and groups that only the instances' own metadata name.
func (m *merge) references(in *fleet.Instance, tenants, groups map[string]bool) {
	if in.Home != "" && !m.hasHost(in.Home) {
		m.problem(in.Host, in.ID, false, "its home "+in.Home+" is not in the fleet: it is left out")
		in.Home = ""
	}
	if in.Tenant != "" && !tenants[in.Tenant] {
		tenants[in.Tenant] = true
		m.problem("", "", false, "tenant "+in.Tenant+" is known by its instances only: name a contact in the base file, or nothing of it can be disrupted")
		m.out.Tenants = append(m.out.Tenants, fleet.Tenant{ID: in.Tenant})
	}
	if in.Group != "" && !groups[in.Group] {
		groups[in.Group] = true
		m.out.Groups = append(m.out.Groups, fleet.Group{ID: in.Group, Tenant: in.Tenant})
	}
}

func ids[T any](list []T, of func(T) string) map[string]bool {
	set := make(map[string]bool, len(list))
	for _, v := range list {
		set[of(v)] = true
	}
	return set
}
