package execution

import (
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// A plan that takes a campaign's place moves some promises and leaves the others as they are. Who was told
// of one that stands is not told again: the child's plan says of the slot when its tenant was told (plan.Slot.Told),
// the parent is told with its end which promises it hands over and does not cancel those, and the child is told with
// its parent's end which of them did not stand until then. Of those it tells anew.

// keep notes those of a tenant's promises that its tenant was told of by the parent, and gives the others.
func (s *State) keep(slots []*plan.Slot) (rest []*plan.Slot) {
	for _, sl := range slots {
		if s.Plan.Supersedes == "" || sl.Told.IsZero() {
			rest = append(rest, sl)
			continue
		}
		s.kept[sl.ID] = sl.Told
	}
	return rest
}

// handOver notes the promises that a child keeps.
func (s *State) handOver(slots []string) {
	for _, id := range slots {
		s.handed[id] = true
	}
}

// lose takes back what the parent did not hand over after all. Who can still be told of such a promise is told.
func (s *State) lose(f Fact) {
	of := map[string][]*plan.Slot{}
	for _, id := range f.Slots {
		if _, is := s.kept[id]; !is {
			continue
		}
		delete(s.kept, id)
		if sl := s.turnSlot[id]; sl != nil && sl.Start.After(f.At) {
			of[sl.Tenant] = append(of[sl.Tenant], sl)
		}
	}
	for tenant, slots := range of {
		s.ask(NoticeScheduled, tenant, "anew", "", slots)
	}
}

// toldAt is when the tenant of a promise was told of it, by this campaign or by the one before; zero: it was not.
func (s *State) toldAt(slot string) time.Time {
	if at, kept := s.kept[slot]; kept {
		return at
	}
	if n := s.Notices[s.bySlot[slot]]; n != nil {
		return n.Accepted
	}
	return time.Time{}
}

// heard: the tenant of a promise has heard of it, or is about to.
func (s *State) heard(slot string) bool {
	_, kept := s.kept[slot]
	return kept || s.bySlot[slot] != ""
}

// HandsOver says of a promise that a child may keep it: its tenant was told of no less and may go by it, and nothing was
// begun for it. at is when it was told.
func (s *State) HandsOver(sl *plan.Slot) (at time.Time, ok bool) {
	t, mine := s.Turns[sl.Turn], s.turnSlot[sl.ID] // a slot's id is TURN/INSTANCE
	if t == nil || mine == nil || !covers(mine, sl) {
		return at, false
	}
	at = s.toldAt(sl.ID)
	begun := !t.Permitted.IsZero() || t.Phase != TurnWaiting && t.Phase != TurnAbandoned || t.Phase == TurnAbandoned && t.Code != CodeSuperseded
	return at, !at.IsZero() && !begun && !s.cancelled[sl.ID]
}

// covers: who was told of one promise was told of the other one.
func covers(told, sl *plan.Slot) bool {
	return told.Start.Equal(sl.Start) && told.End.Equal(sl.End) && told.Class == sl.Class && told.Disposition == sl.Disposition &&
		told.Tenant == sl.Tenant && sl.ExpectedMs <= told.ExpectedMs && sl.WorstMs <= told.WorstMs
}

// Hands sorts promises that a child wants to keep into those that are handed over and those that are not.
func (s *State) Hands(slots []string) (over, not []string) {
	for _, id := range slots {
		if sl := s.turnSlot[id]; sl != nil {
			if _, ok := s.HandsOver(sl); ok {
				over = append(over, id)
				continue
			}
		}
		not = append(not, id)
	}
	return over, not
}

// Promised lists the promises that a plan made now in the campaign's place may keep, each with when it was told, by id.
func (s *State) Promised() (out []plan.Slot) {
	for _, id := range sortedKeys(s.turnSlot) {
		if at, ok := s.HandsOver(s.turnSlot[id]); ok {
			told := *s.turnSlot[id]
			told.Told = at
			out = append(out, told)
		}
	}
	return out
}

// Kept lists the slot ids of the promises that the campaign took over and that stand, in order.
func (s *State) Kept() []string { return sortedKeys(s.kept) }

// Underway are the hosts whose turns were begun and go on to their end.
func (s *State) Underway() map[string]bool {
	hosts := map[string]bool{}
	for id := range s.active {
		if t := s.Turns[id]; t.Phase == TurnActive {
			hosts[t.Plan.Host] = true
		}
	}
	return hosts
}

// Soaking names the host of a canary that was begun and of which nobody knows yet whether it stays sound; empty: none.
func (s *State) Soaking() string {
	for _, t := range s.canaries {
		if t.Phase == TurnActive || t.Phase == TurnPreparing || t.Phase == TurnFinished && t.Judged.IsZero() {
			return t.Plan.Host
		}
	}
	return ""
}
