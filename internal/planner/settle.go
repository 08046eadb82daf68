package planner

import (
	"maps"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// To settle is to let instances stay where they landed, unless a pool would be worse off for it than it was found
// (fleet.Standing): spread, reserve, fullest host, largest free memory. A plan is made as if all stayed. Where that
// leaves a pool worse off, there are two ways to find the few that go home. One looks at the end of the draft for those
// whose going home would restore the pools (balance.go), and drafts again with their ways home, each within the turn that
// moved it away; that changes where others land, so it is looked at again, and more may be sent home. The other keeps
// fixed hosts from getting too full wave by wave, for nobody leaves them again (crowds), and then looks at the end as the
// first does. Of what leaves no pool worse off, the plan with the fewest moves is taken. If nothing does, all go home.

// wayHome is one instance's after the turn of a host: back to that host, which need not be where it was at the outset.
type wayHome struct{ host, instance string }

// mostSettlings is how often a plan is drafted again with more ways home.
const mostSettlings = 8

// settled is a draft of the same way as w in which those go home that have to.
func settled(in Input, ix *fleet.Index, w *world, o outset) (*world, outset, error) {
	found := ix.Standings(func(i *fleet.Instance) string { return i.Host })
	if w.worseOff(found) == 0 {
		return w, o, nil
	}
	blocked := len(w.plan.Blocked)
	by, all := w.by, w.by
	for _, patient := range []bool{true, false} {
		by.patient = patient
		best, start, err := settledBy(in, ix, w, o, by, found)
		if err != nil || best != nil && len(best.plan.Blocked) <= blocked {
			return best, start, err
		}
		all.patient, all.allHome = patient, true
		best, start, err = draftBy(in, ix, all)
		if err != nil || !patient || len(best.plan.Blocked) <= blocked {
			return best, start, err
		}
	}
	panic("the last way of settling is taken whatever it gives")
}

// settledBy tries both ways of finding who goes home; nil: neither leaves all pools as they were found.
func settledBy(in Input, ix *fleet.Index, w *world, o outset, by way, found map[string]fleet.Standing) (best *world, start outset, err error) {
	for _, level := range []map[string]fleet.Standing{nil, found} {
		x, at, try := w, o, by
		try.level = level
		for n, left := 0, mostTurns; n <= mostSettlings && left > 0; n, left = n+1, left-len(w.plan.Turns) {
			if n > 0 || level != nil {
				if x, at, err = draftBy(in, ix, try); err != nil {
					return nil, outset{}, err
				}
			}
			if x.worseOff(found) == 0 {
				if best == nil || x.fewer(best) {
					best, start = x, at
				}
				break
			}
			if try.homing = x.homeward(found, try.homing); len(try.homing) == 0 {
				break
			}
		}
	}
	return best, start, nil
}

// fewer ranks drafts that leave no pool worse off: by what people lose, then by all moves.
func (w *world) fewer(than *world) bool {
	if lost := w.loses(than); lost != 0 {
		return lost < 0
	}
	return len(w.plan.Moves) < len(than.plan.Moves)
}

// worseOff counts in what pools are worse off once all is over, added up over all of them.
func (w *world) worseOff(found map[string]fleet.Standing) (n int) {
	at := w.places()
	ends := w.ix.Standings(func(i *fleet.Instance) string { return at[i.ID] })
	for pool, s := range ends { // a sum: the order does not matter
		n += len(s.Worse(found[pool]))
	}
	return n
}

// places says on which host each instance ends.
func (w *world) places() map[string]string {
	at := make(map[string]string, len(w.guests))
	for _, g := range w.guests {
		at[g.ID] = g.at.ID
	}
	return at
}

// homeward adds to those that go home already others that have to; empty: there is nobody else who could.
func (w *world) homeward(found map[string]fleet.Standing, already map[wayHome]bool) map[wayHome]bool {
	b := newBalance(w, found, already)
	b.restore()
	b.spare()
	if len(b.sent) == 0 {
		return nil
	}
	all := maps.Clone(already)
	if all == nil {
		all = map[wayHome]bool{}
	}
	for _, g := range b.sent {
		all[wayHome{g.off.ID, g.ID}] = true
	}
	return all
}
