package execution

import (
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// timesOf are the times of a turn: the policy's, or its host's own.
func (s *State) timesOf(t *TurnState) plan.Times {
	if h := s.index.Hosts[t.Plan.Host]; h != nil {
		return s.Plan.Policy.TimesOf(h, t.Plan.Site)
	}
	return s.Plan.Policy.Times
}

// waitFor is how long a turn's host is waited for after its reboot was ordered.
func (s *State) waitFor(t *TurnState) time.Duration {
	if h := s.index.Hosts[t.Plan.Host]; h != nil {
		return s.Plan.Policy.WaitFor(h, t.Plan.Site)
	}
	return s.Plan.Policy.Times.RebootMax.Std()
}

// restWorst is the worst case of a turn from the first stop to the last instance back.
func (s *State) restWorst(t *TurnState) time.Duration { return s.awayWorst(t, 2) }

// backWorst is the worst case from the reboot's order to the last instance back.
func (s *State) backWorst(t *TurnState) time.Duration { return s.awayWorst(t, 1) }

// awayWorst is that of the reboot, if there is one, and of so many of the two: saving all who stay, and restoring them.
// Slots that are made for their turns hold both as the independent steps that they are; others hold all slow at once.
func (s *State) awayWorst(t *TurnState, transfers time.Duration) time.Duration {
	times, most := s.timesOf(t), transfers*s.saveMax(t)
	if !s.Plan.Policy.AutoSlots() {
		return most + times.RebootMax.Std()
	}
	c := plan.Course{}.Then(transfers*s.saving(t), most)
	if t.Plan.Tactic != plan.Refresh {
		c = c.Then(times.Reboot.Std(), times.RebootMax.Std())
	}
	return (c.At(0.99) + time.Second - 1).Truncate(time.Second)
}

// saving is how long it is expected to take to save all whom a turn saves, or to restore them.
func (s *State) saving(t *TurnState) time.Duration {
	var mib int64
	for _, sl := range s.ofTurn[t.Plan.ID] {
		if in := s.index.Instances[sl.Instance]; in != nil && sl.Disposition == plan.DispStatefulStop {
			mib += in.MemoryMiB
		}
	}
	return s.Plan.Policy.Times.SaveOf(mib)
}

// moveBy is by when a migration that begins now must be over that a slot ends after, and whether it may begin. Where
// slots are made for their turns, it has no longer than its slot, and must begin while what was foreseen for it still
// fits in three times over: that is the 99th percentile by which it was planned.
func (s *State) moveBy(t *TurnState, instance string, now, end time.Time) (deadline time.Time, ok bool) {
	most := s.Plan.Policy.Times.MigrateMax.Std()
	deadline = now.Add(most)
	if end.IsZero() || !deadline.After(end) {
		return deadline, true
	}
	f, foreseen := s.forecast[actKey(t.Plan.ID, instance)]
	if !s.Plan.Policy.AutoSlots() || !foreseen || now.Add(min(most, 3*f.length)).After(end) {
		return deadline, false
	}
	return end, true
}
