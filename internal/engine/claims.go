package engine

import (
	"fmt"
	"slices"

	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// claims are what one campaign touches. It reckons with its hosts, the room in its pools, and where members
// of a group that spreads over racks or sites are, as if it were alone.
type claims struct{ hosts, pools, spread, groups, hostGroups map[string]bool }

// claimsOf is what the turns of some hosts touch: the hosts, their pools and host groups, and the
// groups of the instances there and of those in the plan's slots.
func claimsOf(f *fleet.Fleet, p *plan.Plan, open func(turn string) bool) claims {
	c := claims{map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}}
	ix := fleet.NewIndex(f)
	join := func(instance string) {
		for _, g := range ix.GroupsOf[instance] {
			if c.groups[g.ID] = true; g.Spread == fleet.SpreadRack || g.Spread == fleet.SpreadSite {
				c.spread[g.ID] = true
			}
		}
	}
	for _, t := range p.Turns {
		if !open(t.ID) {
			continue
		}
		c.hosts[t.Host], c.pools[t.Pool] = true, true
		if h := ix.Hosts[t.Host]; h != nil {
			for _, pool := range h.Pools {
				c.pools[pool] = true
			}
		}
		for _, g := range ix.HostGroupsOf[t.Host] {
			c.hostGroups[g.ID] = true
		}
		for _, i := range ix.On[t.Host] {
			join(i.ID)
		}
	}
	for _, s := range p.Slots {
		if open(s.Turn) {
			join(s.Instance)
		}
	}
	return c
}

// shared names the first thing that both claim and cannot share: a host, a pool, or a group that spreads
// over racks or sites; all: nor any other group or host group.
func (c claims) shared(all bool, o claims) string {
	most := 3
	if all {
		most = 5
	}
	for _, k := range []struct {
		name string
		a, b map[string]bool
	}{{"host", c.hosts, o.hosts}, {"pool", c.pools, o.pools}, {"group", c.spread, o.spread}, {"group", c.groups, o.groups}, {"host group", c.hostGroups, o.hostGroups}}[:most] {
		var both []string
		for id := range k.a {
			if k.b[id] {
				both = append(both, id)
			}
		}
		if len(both) > 0 {
			return k.name + " " + slices.Min(both)
		}
	}
	return ""
}

// claimed refuses a plan that shares a host, a pool, or a group that spreads over racks or sites with what is
// open in another campaign: each would count on room and on places that the other takes away. Host groups and
// other groups are shared (execution.Neighbour), but not with a campaign that has failed. What belongs to
// the campaign that it supersedes, or to one before that, it may claim: it begins after their end.
func (c *Controller) claimed(p *plan.Plan, f *fleet.Fleet) error {
	mine := claimsOf(f, p, func(string) bool { return true })
	before := c.ancestors(p.Supersedes)
	for _, id := range c.Campaigns() {
		if before[id] {
			continue
		}
		r, err := c.find(id)
		if err != nil {
			return err
		}
		if r.phase == beginning {
			return &Refused{"claimed", fmt.Sprintf("campaign %s does not turn yet, so what it claims is not known: %s", id, r.trouble), "mend that and apply again"}
		}
		what := ""
		r.pump.Read(func(s *execution.State) {
			if s.Phase != execution.PhaseFinished && s.Plan != nil {
				what = mine.shared(r.phase == failed, claimsOf(s.Fleet, s.Plan, func(turn string) bool {
					t := s.Turns[turn]
					return t != nil && t.Phase != execution.TurnFinished && t.Phase != execution.TurnAbandoned
				}))
			}
		})
		switch {
		case what == "":
		case r.phase == failed:
			return &Refused{"claimed", fmt.Sprintf("%s belongs to campaign %s as well, and that one has failed: %s", what, id, r.trouble), "start the evenkeel that wrote its journal and end it"}
		default:
			return &Refused{"claimed", fmt.Sprintf("%s belongs to campaign %s as well, which is not finished", what, id), "wait until its turns there are done, or: evenkeel abort " + id}
		}
	}
	return nil
}
