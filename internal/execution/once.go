package execution

import "time"

// once is what follows from the facts up to one of them, and was asked for since. A decision asks the same of the same
// hosts for each of many instances.
type once struct {
	seq     int64
	free    map[string]int64 // MiB, by host
	doubted map[string]bool  // instances of which a stop ended without an answer

	at     time.Time            // of what follows
	stands map[string]bool      // by turn
	places map[string]Placement // by turn + "/" + instance
}

// seenOnce is what was found out since the last fact; empty after each new one.
func (s *State) seenOnce() *once {
	if s.once == nil || s.once.seq != s.Seq {
		s.once = &once{seq: s.Seq, free: map[string]int64{}}
	}
	return s.once
}

// seenAt is that for what goes by the clock too.
func (s *State) seenAt(now time.Time) *once {
	l := s.seenOnce()
	if l.stands == nil || !l.at.Equal(now) {
		l.at, l.stands, l.places = now, map[string]bool{}, map[string]Placement{}
	}
	return l
}

// inDoubt: a stop of an instance ended without an answer, and no look has told since whether it runs.
func (s *State) inDoubt(instance string) bool {
	l := s.seenOnce()
	if l.doubted == nil {
		l.doubted = map[string]bool{}
		for id := range s.active {
			for _, g := range s.Turns[id].Guests {
				if g.InDoubt {
					l.doubted[g.ID] = true
				}
			}
		}
	}
	return l.doubted[instance]
}

// stands: a turn has waited for a place for its instances as long as a move may take. Whoever waits for it
// to end would wait for ever, where it waits for that one too.
func (s *State) stands(t *TurnState, now time.Time) bool {
	if len(s.beside) > 0 {
		return s.standsNow(t, now) // what others hold follows from their facts
	}
	l := s.seenAt(now)
	is, known := l.stands[t.Plan.ID]
	if !known {
		is = s.standsNow(t, now)
		l.stands[t.Plan.ID] = is
	}
	return is
}
