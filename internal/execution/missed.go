package execution

import "time"

// A slot may pass while nothing of the campaign goes on: its parent is not over, a person paused it, the failure budget
// is spent, a canary is held. As soon as a turn cannot end in its slot any more it is held, so that its tenants hear
// of it then, and not when the campaign goes on.

// firstWave are the turns of the lowest wave that is not permitted, whatever the phase.
func (s *State) firstWave() (ids []string) {
	for _, id := range s.waiting {
		if s.Turns[id].Plan.Wave != s.Turns[s.waiting[0]].Plan.Wave {
			break
		}
		ids = append(ids, id)
	}
	return ids
}

// mayMiss are the turns whose slots pass next, if nothing of the campaign goes on.
func (s *State) mayMiss() []string {
	switch s.Phase {
	case PhaseRunning:
		return s.front()
	case PhaseWaiting, PhasePaused, PhaseHalted:
		return s.firstWave()
	}
	return nil
}

// decideMissed holds turns whose slot passes meanwhile.
func (s *State) decideMissed(now time.Time) []Fact {
	for _, id := range s.mayMiss() {
		t := s.Turns[id]
		if t.Phase != TurnWaiting {
			continue // what is in flight on its disk ends first
		}
		if r := s.inSlot(t, now); r != nil && r.hold != nil {
			r.hold.Why += ", and " + s.meanwhile(t, now)
			return []Fact{*r.hold}
		}
	}
	return nil
}

// meanwhile says for what a turn waited until its slot was past.
func (s *State) meanwhile(t *TurnState, now time.Time) string {
	switch s.Phase {
	case PhaseWaiting:
		return "campaign " + s.Plan.Supersedes + " is not over"
	case PhasePaused:
		return "the campaign is paused: " + orElse(s.PhaseWhy, "a person said so")
	case PhaseHalted:
		return "the campaign is halted: " + s.PhaseWhy
	}
	return orElse(s.permit(t, now).why, "it waited for its permit")
}

// nextMissed is when the first slot will have been missed; zero while all goes on.
func (s *State) nextMissed() (next time.Time) {
	for _, id := range s.mayMiss() {
		t := s.Turns[id]
		end := t.Plan.WindowEnd
		for _, sl := range s.liveSlots(t) {
			if sl.End.Before(end) || end.IsZero() {
				end = sl.End
			}
		}
		if last := end.Add(time.Second - time.Duration(t.Plan.WorstS)*time.Second); !end.IsZero() && (next.IsZero() || last.Before(next)) {
			next = last
		}
	}
	return next
}
