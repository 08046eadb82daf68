package execution

import (
	"fmt"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// Several campaigns may be open at once. They share no host and no pool, but host groups, groups of
// instances, racks, sites, regions and links (beside_places.go). What all of them hold together stays within the
// limits: each is asked by its own state, folded from its own journal, so nothing is written twice and
// nothing can leak. Whatever a turn may need of these it gets with its permit, all at once, so two turns
// never wait for each other. The engine lets one campaign decide at a time.

// Neighbour is another campaign as this one sees it.
type Neighbour struct {
	Campaign string
	// State is nil while its journal was not read: what it holds is not known, and nothing begins.
	State *State
	// Frozen: it does not turn here. What it has left may have begun all the same.
	Frozen bool
}

// Meet tells the state which other campaigns there are. It is no fact: it is told anew whenever it changes.
func (s *State) Meet(others []Neighbour) { s.beside = others }

// Began is when the campaign was applied.
func (s *State) Began() time.Time { return s.applied }

// Ahead says whether a campaign goes before another one where both want the same: one with a target
// (advisories to fix) before a routine cycle, then the one with the earlier deadline, then the one that was
// applied first.
func (s *State) Ahead(o *State) bool {
	if a, b := s.Plan.Target != nil, o.Plan.Target != nil; a != b {
		return a
	}
	if a, b := s.deadline(), o.deadline(); !a.Equal(b) {
		return !a.IsZero() && (b.IsZero() || a.Before(b))
	}
	if !s.applied.Equal(o.applied) {
		return s.applied.Before(o.applied)
	}
	return s.Campaign < o.Campaign
}

// deadline is when a campaign is to be finished; zero: whenever it is.
func (s *State) deadline() time.Time {
	by := s.Plan.Policy.FinishBy
	if t := s.Plan.Target; t != nil {
		if !t.FinishBy.IsZero() {
			by = t.FinishBy
		}
		if !t.Disclosure.IsZero() && (by.IsZero() || t.Disclosure.Before(by)) {
			by = t.Disclosure
		}
	}
	return by
}

// shared: what the other campaigns hold leaves this turn open, and none that goes ahead wants it now.
func (s *State) shared(t *TurnState, now time.Time) *ruling {
	for _, n := range s.beside {
		if n.State != nil && n.State.Plan != nil {
			if due, why := s.gap(t, n.State); now.Before(due) { // also of one that has finished
				r := wait(due, "campaign "+n.Campaign+": "+why)
				return &r
			}
		}
		why := ""
		switch {
		case n.State == nil:
			why = "it does not turn yet, and what it holds is not known"
		case n.State.Phase == PhaseFinished || n.State.Plan == nil:
			continue
		default:
			why = s.withheld(t, n)
		}
		if why == "" && n.State.Ahead(s) && !n.Frozen {
			if why = s.precedes(t, n.State, now); why == "" {
				why = s.crowdedOut(t, n.State, now)
			}
		}
		if why != "" {
			r := wait(now.Add(lookAfter), "campaign "+n.Campaign+": "+why) // also asked anew when that one has a fact
			return &r
		}
	}
	if r := s.groupsAway(t, now); r != nil {
		return r
	}
	if r := s.placesAway(t, now); r != nil {
		return r
	}
	return s.membersAway(t, now)
}

// groupsAway: host groups reckon with the hosts that all campaigns together have away.
func (s *State) groupsAway(t *TurnState, now time.Time) *ruling {
	if len(s.beside) == 0 {
		return nil // its own were reckoned with already
	}
	for _, g := range s.index.HostGroupsOf[t.Plan.Host] {
		var away []string
		for _, h := range g.Hosts {
			if h == t.Plan.Host {
				continue
			}
			gone := s.inTurn.hosts[h] > 0 || s.isDown(h)
			for _, n := range s.beside {
				gone = gone || n.takes(h)
			}
			if gone {
				away = append(away, h)
			}
		}
		if len(away) >= g.MaxUnavailable {
			r := wait(now.Add(lookAfter), fmt.Sprintf("host group %s has %d away in all campaigns, the most allowed: %s", g.ID, len(away), away[0]))
			return &r
		}
	}
	return nil
}

// takes: the other campaign has the host in a turn, or knows that it does not answer.
func (n Neighbour) takes(host string) bool {
	if n.State == nil || n.State.Plan == nil {
		return false
	}
	if h := n.State.Hosts[host]; h != nil && !h.Lost.IsZero() {
		return true
	}
	return n.State.inTurn.hosts[host] > 0 || n.Frozen && slices.ContainsFunc(n.State.turnsOf[host], func(t *TurnState) bool { return !t.over() })
}

// withheld says why what another campaign has under way, at a site or region that is kept apart from a turn's
// own, keeps it waiting. "": nothing does.
func (s *State) withheld(t *TurnState, n Neighbour) string {
	o := n.State
	for _, site := range sortedKeys(o.inTurn.sites) {
		if why := s.keptApart(t.Plan.Site, o, site); why != "" {
			return why
		}
	}
	for _, id := range o.inTurn.onePerPlace() {
		if why := s.rackApart(t, o, o.Turns[id]); why != "" {
			return why
		}
	}
	if n.Frozen {
		for _, id := range o.Order {
			if why := s.keptApart(t.Plan.Site, o, o.Turns[id].Plan.Site); why != "" && !o.Turns[id].over() {
				return "it does not turn here, and what of it is under way is not known: " + why
			}
		}
	}
	return ""
}

// membersAway: of a group, what the turns of several campaigns have on their hosts stays within its limit; one
// campaign alone reckons with its own at each act.
func (s *State) membersAway(t *TurnState, now time.Time) *ruling {
	if len(s.beside) == 0 {
		return nil
	}
	need := s.needs(t)
	for _, id := range sortedKeys(need) {
		most, others, whose := s.index.Groups[id].Allowed(), 0, ""
		for _, n := range s.beside {
			if booked := n.booked(id); booked > 0 {
				others, whose = others+booked, n.Campaign
			}
		}
		if others > 0 && min(need[id]+s.inTurn.groups[id], most)+others > most {
			r := wait(now.Add(lookAfter), fmt.Sprintf("campaign %s: group %s may have %d members away, and turns of other campaigns have %d of them on their hosts", whose, id, most, others))
			return &r
		}
	}
	return nil
}

// booked counts the members of a group on hosts that another campaign has in its turns.
func (n Neighbour) booked(group string) int {
	switch {
	case n.State == nil || n.State.Plan == nil || n.State.Phase == PhaseFinished:
		return 0
	case n.Frozen:
		return n.State.leftOf(group)
	}
	return n.State.inTurn.groups[group]
}

// keptApart: either campaign's policy keeps the two places apart.
func (s *State) keptApart(site string, o *State, other string) string {
	if site == other {
		return ""
	}
	same := s.region(site) == o.region(other)
	a, b := s.Plan.Policy, o.Plan.Policy
	switch {
	case same && (a.StaggerSites || b.StaggerSites):
		return fmt.Sprintf("sites %s and %s of one region are kept apart", other, site)
	case !same && (a.StaggerRegions || b.StaggerRegions):
		return fmt.Sprintf("regions %s and %s are kept apart", o.region(other), s.region(site))
	}
	return ""
}

// rackApart: either campaign's policy keeps the racks of a site apart.
func (s *State) rackApart(t *TurnState, o *State, other *TurnState) string {
	a, b := s.place(t.Plan), o.place(other.Plan)
	if a.Site != b.Site || a.Rack == b.Rack || !s.Plan.Policy.StaggerRacks && !o.Plan.Policy.StaggerRacks {
		return ""
	}
	return fmt.Sprintf("racks of site %s are kept apart, and host %s is in another one", a.Site, other.Plan.Host)
}

// needs counts, by group, the members that are on a turn's host now; a live patch disturbs none.
func (s *State) needs(t *TurnState) map[string]int {
	if t.Plan.Tactic == plan.LivePatch {
		return nil
	}
	out := map[string]int{}
	for id := range s.on[t.Plan.Host] {
		if !s.Guests[id].Gone {
			for _, g := range s.index.GroupsOf[id] {
				out[g.ID]++
			}
		}
	}
	return out
}

// leftOf counts the members of a group on hosts whose turns are not over.
func (s *State) leftOf(group string) (n int) {
	for _, in := range s.index.Members[group] {
		g := s.Guests[in.ID]
		if g != nil && !g.Gone && slices.ContainsFunc(s.turnsOf[g.Host], func(t *TurnState) bool { return !t.over() }) {
			n++
		}
	}
	return n
}

// precedes names the turn of a campaign that goes ahead which could begin now but for what is shared, and
// wants what this one wants.
func (s *State) precedes(t *TurnState, o *State, now time.Time) string {
	need := s.needs(t)
	for _, id := range o.front() {
		w := o.Turns[id]
		what := s.keptApart(t.Plan.Site, o, w.Plan.Site)
		for _, g := range o.index.HostGroupsOf[w.Plan.Host] {
			if s.index.HostGroups[g.ID] != nil && slices.Contains(s.index.HostGroupsOf[t.Plan.Host], s.index.HostGroups[g.ID]) {
				what = "host group " + g.ID
			}
		}
		if what == "" {
			wants := o.needs(w)
			for _, g := range sortedKeys(need) {
				if wants[g] > 0 {
					what = "group " + g
				}
			}
		}
		if what != "" && len(w.steps()) > 0 && o.own(w, now) == nil {
			return fmt.Sprintf("it goes ahead, and its turn %s waits for the same: %s", id, what)
		}
	}
	return ""
}

// down: a member of a group is away, by whoever sees its host: this campaign, or another one.
func (s *State) down(instance string) bool {
	mine, is := s.tells(instance), s.isDisturbed(instance)
	for _, n := range s.beside {
		if n.State != nil && n.State.Plan != nil && n.State.tells(instance) {
			is = is && mine || n.State.isDisturbed(instance)
			mine = true
		}
	}
	return is
}

// tells: the campaign's own looks tell of the instance's host.
func (s *State) tells(instance string) bool {
	g := s.Guests[instance]
	if g == nil {
		return false
	}
	h := s.Hosts[g.Host]
	return h != nil && (h.View != nil || !h.Lost.IsZero())
}
