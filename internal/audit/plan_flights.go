package audit

import (
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// flies asks law 6 of the migrations that are in flight once one more starts: at both its ends, and in the
// pool of its turn's host.
func (s *scene) flies(m *plan.Move) {
	pool, pol := s.poolOf(m), s.p.Policy
	s.flights[m.From]++
	s.flights[m.To]++
	s.poolFlights[pool]++
	for _, h := range []string{m.From, m.To} {
		s.must(s.flights[h] <= max(1, pol.MovesPerHost), 6, "moves-per-host", ofMove(m), m.Start, "a later start, or a higher moves_per_host",
			"%d migrations are in flight at host %s when that of %s starts, at most %d may be", s.flights[h], h, m.Instance, pol.MovesPerHost)
	}
	s.fliesAt(m)
	s.fliesOver(m)
	subject := ofMove(m)
	subject.Pool = pool
	s.must(s.poolFlights[pool] <= max(1, pol.MovesPerPool), 6, "moves-per-pool", subject, m.Start, "a later start, or a higher moves_per_pool",
		"%d migrations of pool %s are in flight when that of %s starts, at most %d may be", s.poolFlights[pool], pool, m.Instance, pol.MovesPerPool)
}

// poolOf is the home pool of the host whose turn a move belongs to.
func (s *scene) poolOf(m *plan.Move) string {
	if t := s.turns[m.Turn]; t != nil {
		return s.home(t.Host)
	}
	return ""
}

// stopsHere asks, as a turn starts, whether those that it stops are on its host by then (law 5).
func (s *scene) stopsHere(t *plan.Turn) {
	for _, sl := range s.slotsOf[t.ID] {
		if plan.ClassOf(sl.Disposition) == plan.ClassOutage && s.instances[sl.Instance] != nil {
			s.must(s.at[sl.Instance] == t.Host && occupies(s.instances[sl.Instance]), 5, "stops-elsewhere", ofSlot(sl), t.Start, "a stop in the turn of the host on which it runs by then",
				"%s is promised %s in turn %s, by then it is on %s, %s", sl.Instance, sl.Disposition, t.ID, s.at[sl.Instance], stateOf(s.instances[sl.Instance]))
		}
	}
}

func stateOf(in *fleet.Instance) fleet.State {
	if in.State == "" {
		return fleet.Running
	}
	return in.State
}
