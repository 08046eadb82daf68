package execution

import (
	"fmt"
	"time"
)

// unheard holds a turn whose host does not answer.
func (s *State) unheard(t *TurnState, h *HostState) ruling {
	return ruling{hold: t.held(CodeNoAnswer, fmt.Sprintf("host %s has not answered since %s: %s", t.Plan.Host, h.Lost.Format(time.RFC3339), h.Why), "bring the host back, then retry")}
}

// gaveUp: a turn that has not begun waits no longer for its host's answer. A host that is cut off for some minutes
// costs nobody a promise while the slots of those on it still leave the turn its time; so that one which is dead does
// not keep the waves behind it waiting, it has awaitAnswer at most. A canary, for which all wait, has two minutes, and
// so has a turn without promises.
func (s *State) gaveUp(t *TurnState, now time.Time) bool {
	until := s.awaited(t)
	return !until.IsZero() && now.After(until)
}

// awaited is until when a turn that has not begun waits for its host's answer; zero: the host answers.
func (s *State) awaited(t *TurnState) time.Time {
	h := s.host(t.Plan.Host)
	if h.Lost.IsZero() {
		return time.Time{}
	}
	slots := s.liveSlots(t)
	if t.Plan.Canary || len(slots) == 0 {
		return h.Lost.Add(silentFor)
	}
	until := h.Lost.Add(awaitAnswer)
	for _, sl := range slots {
		if last := sl.End.Add(-time.Duration(t.Plan.WorstS) * time.Second); last.Before(until) {
			until = last
		}
	}
	return later(until, h.Lost.Add(silentFor))
}
