package execution

import (
	"fmt"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// A promise is of a time, not of a host. Whom the plan has land on a host that is not fixed yet was told of
// that host's turn as well. Should the host be lost, or have no room when the time comes, any other host whose
// turn lies in the very slot that the tenant was told of keeps the promise as well: it is passed to that turn
// before the instance moves there, and nobody has to be told anything.

// standsFor gives the promise that an instance of a turn was told of for the turn of the host where it was to land, as
// far as nothing came of it yet; nil: there is none. It may have been passed on before.
func (s *State) standsFor(t *TurnState, instance string) *plan.Slot {
	to := s.forecast[actKey(t.Plan.ID, instance)].to
	if to == "" || to == t.Plan.Host {
		return nil
	}
	id := actKey(to, instance) // a turn is named after its host, and a slot after its turn and instance
	turn := to
	if at, passed := s.passedTo[id]; passed {
		turn = at
	}
	sl, o := s.turnSlot[actKey(turn, instance)], s.Turns[turn]
	if sl == nil || o == nil || o.Phase != TurnWaiting || s.cancelled[id] || s.handed[id] || s.actual[id] != nil || sl.Disposition != plan.DispLiveMigrate || s.toldAt(id).IsZero() {
		return nil
	}
	return sl
}

// couldKeep gives the promise to an instance, made for another turn's time, that a turn which waits could keep: all that it
// does lies in that slot already, and the lead time is over by then. nil: none.
func (s *State) couldKeep(t *TurnState, in *fleet.Instance, o *TurnState) *plan.Slot {
	sl := s.standsFor(t, in.ID)
	if sl == nil || o.Phase != TurnWaiting || o.Plan.Tactic != plan.Evacuate {
		return nil
	}
	from, to := s.slotsMeet(o)
	due := s.toldAt(sl.ID).Add(s.Plan.Policy.Lead.Of(sl.Class))
	if to.IsZero() || sl.Start.After(from) || sl.End.Before(to) || due.After(from) {
		return nil
	}
	return sl
}

// slotsMeet is the time that all of a turn's slots share; zero: it has none.
func (s *State) slotsMeet(t *TurnState) (from, to time.Time) {
	for _, sl := range s.ofTurn[t.Plan.ID] {
		from = later(from, sl.Start)
		if to.IsZero() || sl.End.Before(to) {
			to = sl.End
		}
	}
	return from, to
}

// mayStay: the turn ahead of a host was promised to an instance that would land there, or could be.
func (s *State) mayStay(t *TurnState, in *fleet.Instance, o *TurnState) bool {
	if s.turnSlot[actKey(o.Plan.ID, in.ID)] != nil || s.homeward[actKey(t.Plan.ID, in.ID)] {
		return true
	}
	return s.couldKeep(t, in, o) != nil
}

// passSlot has the turn of an instance's destination keep what was promised for another one's, where that is needed.
func (s *State) passSlot(t *TurnState, in *fleet.Instance, to string) []Fact {
	o := s.Turns[to]
	if o == nil || in.Tenant == "" || s.turnSlot[actKey(o.Plan.ID, in.ID)] != nil {
		return nil
	}
	sl := s.couldKeep(t, in, o)
	if sl == nil {
		return nil
	}
	return []Fact{{Kind: SlotPassed, Turn: sl.Turn, Host: s.Turns[sl.Turn].Plan.Host, Instance: in.ID, Tenant: in.Tenant, To: o.Plan.ID, Slots: []string{sl.ID},
		Why: fmt.Sprintf("it was to land on %s and goes to %s, whose turn is at the time that its tenant was told", s.Turns[sl.Turn].Plan.Host, to)}}
}

// applySlotPassed has another turn keep a promise from now on.
func (s *State) applySlotPassed(f Fact) error {
	was, o := s.turnSlot[actKey(f.Turn, f.Instance)], s.Turns[f.To]
	if was == nil || o == nil || len(f.Slots) != 1 || was.ID != f.Slots[0] || s.turnSlot[actKey(f.To, f.Instance)] != nil {
		return fmt.Errorf("journal of %s: fact %d passes %v from turn %q to %q: no promise of the first, or one that the second has", f.Campaign, f.Seq, f.Slots, f.Turn, f.To)
	}
	now := *was
	now.Turn = f.To
	delete(s.turnSlot, actKey(f.Turn, f.Instance))
	s.turnSlot[actKey(f.To, f.Instance)] = &now
	s.ofTurn[f.Turn] = slices.DeleteFunc(slices.Clone(s.ofTurn[f.Turn]), func(sl *plan.Slot) bool { return sl == was })
	s.ofTurn[f.To] = append(slices.Clip(s.ofTurn[f.To]), &now)
	if i := slices.Index(s.slotsOf[was.Tenant], was); i >= 0 {
		s.slotsOf[was.Tenant][i] = &now
	}
	s.passedTo[was.ID] = f.To
	return nil
}
