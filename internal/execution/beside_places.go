package execution

import (
	"fmt"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// Racks, regions and links bear what all open campaigns do there together. A limit binds for a campaign whose
// policy sets it, and for all others as long as that one has something under way at the place.

// tighter is the lower of two limits, of which 0 is none.
func tighter(a, b int) int {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}

// awayAt counts the hosts of a rack, and of its region, that another campaign has away.
func (n Neighbour) awayAt(here plan.Place) (rack, region int) {
	o := n.State
	if o == nil || o.Plan == nil || o.Phase == PhaseFinished {
		return 0, 0
	}
	if !n.Frozen {
		return o.inTurn.racks[here], o.inTurn.regions[here.Region]
	}
	for _, id := range o.Order {
		if t := o.Turns[id]; !t.over() && t.Plan.Tactic != plan.LivePatch {
			at := o.place(t.Plan)
			if at == here {
				rack++
			}
			if at.Region == here.Region {
				region++
			}
		}
	}
	return rack, region
}

// crowd is how many hosts of a place are away in all campaigns, and the most that may be; 0: as many as there are.
type crowd struct {
	name         string
	away, others int
	most         int
	whose        string // one that has some away
}

// crowds are those of the rack and the region of a turn.
func (s *State) crowds(here plan.Place) [2]crowd {
	p := &s.Plan.Policy
	rack := crowd{name: "its rack", away: s.inTurn.racks[here], most: p.AwayPerRack}
	region := crowd{name: "region " + here.Region, away: s.inTurn.regions[here.Region], most: p.AwayPerRegion}
	for _, n := range s.beside {
		r, g := n.awayAt(here)
		if g == 0 {
			continue // nor in the rack
		}
		region.others, region.whose, region.most = region.others+g, n.Campaign, tighter(region.most, n.State.Plan.Policy.AwayPerRegion)
		if r > 0 {
			rack.others, rack.whose, rack.most = rack.others+r, n.Campaign, tighter(rack.most, n.State.Plan.Policy.AwayPerRack)
		}
	}
	return [2]crowd{rack, region}
}

// placesAway: the hosts of a rack and of a region that all campaigns together have away are fewer than the limit.
func (s *State) placesAway(t *TurnState, now time.Time) *ruling {
	if len(s.beside) == 0 || t.Plan.Tactic == plan.LivePatch {
		return nil // its own were reckoned with already
	}
	for _, c := range s.crowds(s.place(t.Plan)) {
		if c.others > 0 && c.most > 0 && c.away+c.others >= c.most {
			r := wait(now.Add(lookAfter), fmt.Sprintf("campaign %s: %d hosts of %s are away in all campaigns, the most allowed", c.whose, c.away+c.others, c.name))
			return &r
		}
	}
	return nil
}

// crowdedOut names a turn of a campaign that goes ahead which could begin now, where a rack or region has no
// more left than that campaign can take.
func (s *State) crowdedOut(t *TurnState, o *State, now time.Time) string {
	if t.Plan.Tactic == plan.LivePatch {
		return ""
	}
	here, p := s.place(t.Plan), &o.Plan.Policy
	for i, c := range s.crowds(here) {
		most := tighter(c.most, [2]int{p.AwayPerRack, p.AwayPerRegion}[i])
		left := most - c.away - c.others
		if most == 0 {
			continue
		}
		for _, id := range o.front() {
			w := o.Turns[id]
			at := o.place(w.Plan)
			if w.Plan.Tactic == plan.LivePatch || at.Region != here.Region || i == 0 && at != here || len(w.steps()) == 0 || o.own(w, now) != nil {
				continue
			}
			if left--; left <= 0 {
				return fmt.Sprintf("it goes ahead, and its turn %s waits for the same: hosts away in %s", id, c.name)
			}
		}
	}
	return ""
}

// gap is until when another campaign's turns that have ended keep a turn from its place.
func (s *State) gap(t *TurnState, o *State) (until time.Time, why string) {
	for _, p := range []*plan.Policy{&s.Plan.Policy, &o.Plan.Policy} {
		if due, w := o.ends.NotBefore(p, s.place(t.Plan)); due.After(until) {
			until, why = due, w
		}
	}
	return until, why
}

// flyingIn counts the migrations in flight that a rack, or a region as a whole, takes part in.
func (s *State) flyingIn(c plan.Place) (n int) {
	is := func(host string) bool {
		at := s.hostPlace(host)
		return at == c || c == plan.Place{Region: at.Region}
	}
	for _, a := range s.open {
		if a.Kind == MovePlaced && (is(a.From) || is(a.To)) {
			n++
		}
	}
	return n
}

// flyingOver counts the migrations in flight over a link.
func (s *State) flyingOver(link string) (n int) {
	for _, a := range s.open {
		if a.Kind != MovePlaced {
			continue
		}
		for _, l := range s.index.LinksOver(a.From, a.To) {
			if l.ID == link {
				n++
			}
		}
	}
	return n
}

// crowded: a rack or a region at an end of a migration, or a link that it goes over, has as many in flight, of all
// campaigns together, as policy allows.
func (s *State) crowded(from, to string) bool {
	full := func(most int, of func(*State) int, limit func(*plan.Policy) int) bool {
		n := of(s)
		for _, b := range s.beside {
			if b.State == nil || b.State.Plan == nil || b.State.Phase == PhaseFinished {
				continue
			}
			if there := of(b.State); there > 0 {
				n, most = n+there, tighter(most, limit(&b.State.Plan.Policy))
			}
		}
		return most > 0 && n >= most
	}
	p, a, b := &s.Plan.Policy, s.hostPlace(from), s.hostPlace(to)
	for _, c := range slices.Compact([]plan.Place{a, b}) {
		if full(p.MovesPerRack, func(o *State) int { return o.flyingIn(c) }, func(q *plan.Policy) int { return q.MovesPerRack }) {
			return true
		}
	}
	for _, region := range slices.Compact([]string{a.Region, b.Region}) {
		if full(p.MovesPerRegion, func(o *State) int { return o.flyingIn(plan.Place{Region: region}) }, func(q *plan.Policy) int { return q.MovesPerRegion }) {
			return true
		}
	}
	for _, l := range s.index.LinksOver(from, to) {
		if full(p.OverLink(), func(o *State) int { return o.flyingOver(l.ID) }, (*plan.Policy).OverLink) {
			return true
		}
	}
	return false
}
