package execution

import (
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Several instances are on their way off hosts at once, and some of them may go to one host only: the
// others carry members of their group, or nobody told their tenant of the turns there. Whoever can go
// elsewhere leaves that one place to them. Who cannot leaves nothing to anybody, so no two wait for each
// other.

// leaves says for whom an instance, which has another place, leaves a host: for one that could be moved now
// and could go nowhere else. nil: it may go there.
func (s *State) leaves(t *TurnState, in *fleet.Instance, to string, now time.Time, poolFree func(string) func() int64) *refusal {
	room, elsewhere := s.free(to)-in.MemoryMiB, false
	if room >= s.largest {
		return nil // there is room for anybody beside it
	}
	for _, id := range s.Active() {
		o := s.Turns[id]
		if o.Phase != TurnActive || o.Step != StepEmpty || s.barred(o) != nil {
			continue
		}
		for _, v := range s.toDo(o) {
			if v.ID == in.ID || room >= v.MemoryMiB || !s.movable(o, v, now) {
				continue
			}
			other := s.instance(v.ID)
			if s.groupFull(other) != "" || !s.takes(o, other, to, now, poolFree) || s.hasOther(o, other, to, now, poolFree) {
				continue
			}
			if elsewhere = elsewhere || s.hasOther(t, in, to, now, poolFree); !elsewhere {
				return nil
			}
			return &refusal{fleet.Reason{Code: fleet.NoRoom, Why: fmt.Sprintf("its room is the only place for %s, which moves now too", v.ID)}, true, false}
		}
	}
	return nil
}

// movable: nothing but a place is wanting for an instance on a turn's host to be moved.
func (s *State) movable(t *TurnState, v InstanceView, now time.Time) bool {
	if v.Incoming || v.Migrating || v.State != string(fleet.Running) || s.unproven[v.ID] != "" || s.disposition(t, v.ID) != plan.DispLiveMigrate {
		return false
	}
	g := t.Guests[v.ID]
	return !s.inFlight(v.ID) && (g == nil || (g.Stage == StageHere || g.Stage == StageAway) && g.Sticky == "" && !now.Before(g.RetryAt))
}

// takes: a host may receive an instance now, but for a fresh look.
func (s *State) takes(t *TurnState, in *fleet.Instance, to string, now time.Time, poolFree func(string) func() int64) bool {
	no := s.refuses(t, in, to, now, poolFree(t.Plan.Pool))
	return no == nil || no.look
}

// hasOther: another host than one may receive an instance now.
func (s *State) hasOther(t *TurnState, in *fleet.Instance, than string, now time.Time, poolFree func(string) func() int64) bool {
	for _, id := range s.candidates(t) {
		if id != than && s.takes(t, in, id, now, poolFree) {
			return true
		}
	}
	return false
}

// stillSince is when a turn that empties its host came as far as it is.
func (t *TurnState) stillSince() time.Time { return later(t.Since, t.changed()) }

func (s *State) standsNow(t *TurnState, now time.Time) bool {
	if t.Step != StepEmpty || t.anyStage(StageMoving) || s.unprovenOf(t) > 0 || now.Before(t.stillSince().Add(time.Duration(s.Plan.Policy.Times.MigrateMax))) {
		return false
	}
	for _, v := range s.toDo(t) {
		if s.disposition(t, v.ID) == plan.DispLiveMigrate && s.groupFull(s.instance(v.ID)) != "" {
			return false // it waits for its group
		}
	}
	return true
}
