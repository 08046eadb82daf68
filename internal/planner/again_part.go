package planner

import (
	"cmp"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// elsewhere is what the pools that stand have to do with those that are planned again.
type elsewhere struct {
	waves    []int // that have turns ahead, here or there, in their order
	at       map[int]*abroad
	groupsOf map[string][]string // instance -> such groups
	members  map[string]string   // instance -> host of members of groups that reach into the part
	down     map[string]int      // group -> members there that do not serve
	away     map[string]int      // host group -> hosts there that are down
}

// abroad is one wave, as far as other pools are concerned.
type abroad struct {
	start   time.Time
	live    bool
	canary  bool
	turns   int               // there
	sites   map[string]string // region -> site
	hosts   map[string]int    // host group -> hosts away
	groups  map[string]int    // group -> members away
	moves   []*plan.Move      // of members
	ours    []*plan.Turn      // turns of the part
	worstBy time.Time         // when the last of all is over at worst
}

// part is the fleet of the touched pools alone.
func (a *again) part() *fleet.Fleet {
	f := *a.in.Fleet
	f.Pools, f.Hosts, f.Instances, f.Groups, f.Tenants = nil, nil, nil, nil, nil
	for _, p := range a.in.Fleet.Pools {
		if a.touches(p.ID) {
			f.Pools = append(f.Pools, p)
		}
	}
	here := map[string]bool{}
	for i := range a.in.Fleet.Hosts {
		if h := &a.in.Fleet.Hosts[i]; a.touches(homeOf(h)) {
			here[h.ID] = true
			f.Hosts = append(f.Hosts, *h)
		}
	}
	mine, groups, tenants := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i := range a.in.Fleet.Instances {
		if in := &a.in.Fleet.Instances[i]; here[in.Host] {
			f.Instances = append(f.Instances, *in)
			mine[in.ID], groups[in.Group], tenants[in.Tenant] = true, true, true
		}
	}
	for _, g := range a.in.Fleet.Groups {
		if groups[g.ID] || slices.ContainsFunc(g.Members, func(id string) bool { return mine[id] }) {
			f.Groups = append(f.Groups, g)
		}
	}
	for _, t := range a.in.Fleet.Tenants {
		if tenants[t.ID] {
			f.Tenants = append(f.Tenants, t)
		}
	}
	return &f
}

// elsewhere notes what of other pools bears on a part of the fleet.
func (a *again) elsewhere(part *fleet.Fleet) *elsewhere {
	e := &elsewhere{at: map[int]*abroad{}, members: map[string]string{}, down: map[string]int{}, away: map[string]int{}}
	groupsOf := a.outsiders(part, e)
	hostGroups := map[string][]string{}
	for i := range part.HostGroups {
		g := &part.HostGroups[i]
		for _, id := range g.Hosts {
			h := a.hosts[id]
			if h == nil || a.touches(homeOf(h)) {
				continue
			}
			hostGroups[id] = append(hostGroups[id], g.ID)
			if h.Health == fleet.Down {
				e.away[g.ID]++
			}
		}
	}
	regions := map[string]string{}
	for i := range a.in.Fleet.Sites {
		regions[a.in.Fleet.Sites[i].ID] = a.in.Fleet.Sites[i].Region
	}
	for i := range a.was.Turns {
		if t := &a.was.Turns[i]; a.turnAhead[t.ID] != nil {
			e.note(a, t, regions[t.Site], hostGroups[t.Host])
		}
	}
	slices.Sort(e.waves)
	e.groupsOf = groupsOf
	e.noteDisturbed(a, groupsOf)
	return e
}

func (e *elsewhere) note(a *again, t *plan.Turn, region string, hostGroups []string) {
	v := e.at[t.Wave]
	if v == nil {
		v = &abroad{start: t.Start, sites: map[string]string{}, hosts: map[string]int{}, groups: map[string]int{}}
		e.at[t.Wave], e.waves = v, append(e.waves, t.Wave)
	}
	v.live, v.canary, v.worstBy = v.live || t.Tactic == plan.LivePatch, v.canary || t.Canary, later(v.worstBy, t.WorstEnd())
	if a.touches(t.Pool) {
		v.ours = append(v.ours, t)
		return
	}
	v.turns++
	v.sites[region] = t.Site
	for _, g := range hostGroups {
		v.hosts[g]++
	}
}

// outsiders finds the members, in other pools, of groups that reach into the part.
func (a *again) outsiders(part *fleet.Fleet, e *elsewhere) map[string][]string {
	known, listed := map[string]bool{}, map[string][]string{}
	for i := range part.Groups {
		g := &part.Groups[i]
		known[g.ID] = true
		for _, m := range g.Members {
			listed[m] = append(listed[m], g.ID)
		}
	}
	groupsOf := map[string][]string{}
	if len(known) == 0 {
		return groupsOf
	}
	for i := range a.in.Fleet.Instances {
		in := &a.in.Fleet.Instances[i]
		h := a.hosts[in.Host]
		if h == nil || a.touches(homeOf(h)) || !known[in.Group] && len(listed[in.ID]) == 0 {
			continue
		}
		of := listed[in.ID]
		if known[in.Group] && !slices.Contains(of, in.Group) {
			of = append(slices.Clone(of), in.Group)
		}
		groupsOf[in.ID], e.members[in.ID] = of, in.Host
		if cmp.Or(in.State, fleet.Running) != fleet.Running || h.Health == fleet.Down {
			for _, g := range of {
				e.down[g]++
			}
		}
	}
	return groupsOf
}

// noteDisturbed notes when such members are away: those that stop through their whole turn, those of one turn that
// move one after the other.
func (e *elsewhere) noteDisturbed(a *again, groupsOf map[string][]string) {
	if len(groupsOf) == 0 {
		return
	}
	moving := map[[2]string]bool{} // turn and group
	for i := range a.was.Moves {
		m := &a.was.Moves[i]
		if of := groupsOf[m.Instance]; len(of) > 0 && a.stands(m.Turn) {
			v := e.at[a.turnAhead[m.Turn].Wave]
			v.moves = append(v.moves, m)
			for _, g := range of {
				if key := [2]string{m.Turn, g}; !moving[key] {
					moving[key] = true
					v.groups[g]++
				}
			}
		}
	}
	for i := range a.was.Slots {
		s := &a.was.Slots[i]
		if s.Class != plan.ClassOutage || !a.stands(s.Turn) {
			continue
		}
		for _, g := range groupsOf[s.Instance] {
			e.at[a.turnAhead[s.Turn].Wave].groups[g]++
		}
	}
}
