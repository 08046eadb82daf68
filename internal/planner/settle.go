package planner

import (
	"maps"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// To settle is to let instances stay where they landed, unless a pool would be worse off for it than it was found
// (fleet.Standing): spread, reserve, fullest host, largest free memory. A plan is made as if all stayed. Where that
// leaves a pool worse off, the fewest that have to go home are looked for among those that ended elsewhere
// (balance.go), and the plan is drafted again with their ways home, each within its own turn. That changes where others
// land, so it is looked at again, and more may be sent home. Where that does not come to an end, all go home, as a
// plan that brings everybody home leaves no pool worse off, but for those who cannot go.

// mostSettlings is how often a plan is drafted again with more ways home.
const mostSettlings = 8

// settled is a draft of the same way as w in which those go home that have to.
func settled(in Input, ix *fleet.Index, w *world, o outset) (*world, outset, error) {
	found := ix.Standings(func(i *fleet.Instance) string { return i.Host })
	by, left := w.by, mostTurns
	for n := 0; w.worseOff(found) > 0 && !by.allHome; n++ {
		more := w.homeward(found, by.homing)
		if by.homing = more; len(more) == 0 || n == mostSettlings || left < len(w.plan.Turns) {
			by.homing, by.allHome = nil, true
		}
		left -= len(w.plan.Turns)
		var err error
		if w, o, err = draftBy(in, ix, by); err != nil {
			return nil, outset{}, err
		}
	}
	return w, o, nil
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
func (w *world) homeward(found map[string]fleet.Standing, already map[string]bool) map[string]bool {
	b := newBalance(w, found, already)
	b.restore()
	b.spare()
	if len(b.sent) == 0 {
		return nil
	}
	all := maps.Clone(already)
	if all == nil {
		all = map[string]bool{}
	}
	for _, g := range b.sent {
		all[g.ID] = true
	}
	return all
}
