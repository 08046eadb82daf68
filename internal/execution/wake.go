package execution

import "time"

// Wake is the next moment at which Decide may have something new to say without any fact coming in;
// zero when only a fact can change anything.
func (s *State) Wake(now time.Time) time.Time {
	var next time.Time
	at := func(t time.Time) {
		if !t.IsZero() && t.After(now) && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	if s.Plan == nil || s.Phase == PhaseFinished {
		return next
	}
	for _, n := range s.openNotices() {
		at(n.RetryAt)
	}
	for _, id := range s.front() {
		r := s.permit(s.Turns[id], now)
		at(r.until)
		if until := s.awaited(s.Turns[id]); r.needLook && !until.IsZero() {
			at(until.Add(time.Second))
		}
		if to := s.Turns[id].Plan.WindowEnd; !to.IsZero() { // so that a missed slot is noticed
			at(to.Add(-time.Duration(s.Turns[id].Plan.WorstS)*time.Second + time.Second))
		}
	}
	at(s.nextMissed())
	at(s.nextPreparation(now))
	s.nextCanary(at)
	if s.Phase == PhaseRunning {
		for _, missed := range s.aside {
			at(missed.Add(time.Second))
		}
	}
	for _, id := range s.unseen(now) {
		if h := s.host(id); !h.Lost.IsZero() {
			at(later(h.Lost, s.over()).Add(2*time.Minute + time.Second))
		}
	}
	for _, id := range s.Active() {
		t := s.Turns[id]
		at(t.RetryAt)
		at(t.revert.retryAt)
		if t.revert.started {
			at(t.revert.deadline.Add(grace + time.Second))
		}
		if t.Started {
			at(t.Deadline.Add(time.Second))
			at(t.Deadline.Add(grace + time.Second))
			if t.Step == StepProve {
				at(s.proveBy(t).Add(time.Second))
				at(s.proveBy(t).Add(grace + time.Second))
			}
		}
		if h := s.host(t.Plan.Host); t.Phase == TurnActive {
			at(h.At.Add(fresh + time.Second)) // the look grows old
			if t.Step == StepEmpty {
				at(t.stillSince().Add(time.Duration(s.Plan.Policy.Times.MigrateMax)))
				at(t.stillSince().Add(canaryWaits))
			}
			if t.Step == StepProve && h.Code == CodeNoDom0 {
				at(h.Since.Add(sureAfter))
			}
		}
		for _, g := range t.Guests {
			at(g.RetryAt)
			if g.disturbed() {
				at(g.Deadline.Add(grace + time.Second))
			}
		}
		for _, sl := range s.ofTurn[id] {
			at(sl.End)
		}
	}
	return next
}
