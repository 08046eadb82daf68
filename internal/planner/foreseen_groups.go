package planner

import (
	"cmp"
	"slices"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// compareRest compares what lies around hosts and instances.
func (a *again) compareRest() {
	old, now := a.was.Fleet, a.in.Fleet
	touchAll := func(what string, in func(p *fleet.Pool) bool) {
		for i := range now.Pools {
			if p := &now.Pools[i]; in(p) {
				a.touchPool(p.ID, "%s", what)
			}
		}
	}
	pairs(old.Pools, now.Pools, func(p *fleet.Pool) string { return p.ID }, func(old, now *fleet.Pool) {
		if now != nil && (old == nil || !alikeJSON(old, now)) {
			a.touchPool(now.ID, "pool %s has other words", now.ID)
		}
	})
	regionOf := map[string]string{}
	for i := range now.Sites {
		regionOf[now.Sites[i].ID] = now.Sites[i].Region
	}
	pairs(old.Sites, now.Sites, func(s *fleet.Site) string { return s.ID }, func(old, now *fleet.Site) {
		if now != nil && (old == nil || !alikeJSON(old, now)) {
			touchAll("site "+now.ID+" has other words", func(p *fleet.Pool) bool { return p.Site == now.ID })
		}
	})
	pairs(old.Regions, now.Regions, func(r *fleet.Region) string { return r.ID }, func(old, now *fleet.Region) {
		if now != nil && (old == nil || !alikeJSON(old, now)) {
			touchAll("region "+now.ID+" has other words", func(p *fleet.Pool) bool { return regionOf[p.Site] == now.ID })
		}
	})
	pairs(old.HostGroups, now.HostGroups, func(g *fleet.HostGroup) string { return g.ID }, func(old, now *fleet.HostGroup) {
		if now != nil && (old == nil || !alikeJSON(old, now)) {
			for _, id := range now.Hosts {
				a.touchAt(id, "host group %s has other words", now.ID)
			}
		}
	})
	a.compareOwners()
}

// compareOwners compares groups, host groups' losses and tenants. Where a group can spare fewer than it could, or a
// member stands where others keep away from, all its members' pools are touched; who leaves a group touches nobody.
func (a *again) compareOwners() {
	all, joined, tenants := map[string]bool{}, map[string]bool{}, map[string]bool{}
	bears := a.bearing()
	members := map[string]string{}
	pairs(a.was.Fleet.Groups, a.in.Fleet.Groups, func(g *fleet.Group) string { return g.ID }, func(old, now *fleet.Group) {
		if now == nil {
			return
		}
		other := old != nil && (old.Allowed() != now.Allowed() || old.Spread != now.Spread)
		for _, m := range now.Members {
			near := bears[m] == ofAll || bears[m] == ofNear && (now.Spread == fleet.SpreadRack || now.Spread == fleet.SpreadSite)
			other = other || near
			if old == nil || !slices.Contains(old.Members, m) {
				joined[m] = true
			}
		}
		if all[now.ID] = other; other {
			for _, m := range now.Members {
				members[m] = now.ID
			}
		}
	})
	spread := map[string]fleet.Spread{}
	for i := range a.in.Fleet.Groups {
		spread[a.in.Fleet.Groups[i].ID] = a.in.Fleet.Groups[i].Spread
	}
	for i := range a.in.Fleet.Instances {
		if in := &a.in.Fleet.Instances[i]; in.Group != "" && len(bears) > 0 {
			s := spread[in.Group]
			all[in.Group] = all[in.Group] || bears[in.ID] == ofAll || bears[in.ID] == ofNear && (s == fleet.SpreadRack || s == fleet.SpreadSite)
		}
	}
	pairs(a.was.Fleet.Tenants, a.in.Fleet.Tenants, func(t *fleet.Tenant) string { return t.ID }, func(old, now *fleet.Tenant) {
		if now != nil && (old == nil || (len(old.Contacts) == 0) != (len(now.Contacts) == 0) || old.Timezone != now.Timezone || !alikeJSON(old.Windows, now.Windows) || !alikeJSON(old.Freezes, now.Freezes)) {
			tenants[now.ID] = true
		}
	})
	for i := range a.in.Fleet.Instances {
		in := &a.in.Fleet.Instances[i]
		switch {
		case all[in.Group]:
			a.touchAt(in.Host, "group %s has other limits, or a member that is down or elsewhere", in.Group)
		case members[in.ID] != "":
			a.touchAt(in.Host, "group %s has other limits, or a member that is down or elsewhere", members[in.ID])
		case joined[in.ID]:
			a.touchAt(in.Host, "instance %s joined a group", in.ID)
		case tenants[in.Tenant]:
			a.touchAt(in.Host, "tenant %s has other contacts or windows", in.Tenant)
		}
	}
	a.compareHostGroups()
}

// compareHostGroups touches the pools of all hosts of a host group that has lost one.
func (a *again) compareHostGroups() {
	down := map[string]bool{}
	pairs(a.was.Fleet.Hosts, a.in.Fleet.Hosts, func(h *fleet.Host) string { return h.ID }, func(old, now *fleet.Host) {
		if now != nil && now.Health == fleet.Down && (old == nil || old.Health != fleet.Down) {
			down[now.ID] = true
		}
	})
	if len(down) == 0 {
		return
	}
	for i := range a.in.Fleet.HostGroups {
		g := &a.in.Fleet.HostGroups[i]
		for _, id := range g.Hosts {
			if down[id] {
				for _, other := range g.Hosts {
					a.touchAt(other, "host %s of host group %s is down", id, g.ID)
				}
				break
			}
		}
	}
}

// How an instance's change bears on its groups: on whom is away together, or on who stands near it.
const (
	ofAll  = 1
	ofNear = 2
)

// bearing tells the instances whose change bears on members of their groups in other pools: those that are down now
// and were not, and those that stand where the plan did not foresee them.
func (a *again) bearing() map[string]int {
	out, health := map[string]int{}, map[string]fleet.Health{}
	for i := range a.was.Fleet.Hosts {
		health[a.was.Fleet.Hosts[i].ID] = a.was.Fleet.Hosts[i].Health
	}
	serves := func(i *fleet.Instance) bool { return cmp.Or(i.State, fleet.Running) == fleet.Running }
	pairs(a.was.Fleet.Instances, a.in.Fleet.Instances, func(i *fleet.Instance) string { return i.ID }, func(old, now *fleet.Instance) {
		if now == nil {
			return
		}
		h := a.hosts[now.Host]
		down := !serves(now) || h != nil && h.Health == fleet.Down
		was := old != nil && (!serves(old) || health[old.Host] == fleet.Down)
		switch _, wandered := a.wandered[now.ID]; {
		case down && !was:
			out[now.ID] = ofAll
		case old == nil || wandered:
			out[now.ID] = ofNear
		}
	})
	return out
}
