package execution

import (
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

func (t *TurnState) guest(id string) *TurnGuest {
	g := t.Guests[id]
	if g == nil {
		g = &TurnGuest{ID: id}
		t.Guests[id] = g
	}
	return g
}

func actKey(turn, instance string) string { return turn + "/" + instance }

func (s *State) applyMove(t *TurnState, f Fact) {
	g, who := t.guest(f.Instance), s.Guests[f.Instance]
	if who == nil {
		who = &GuestState{State: fleet.Running, New: true}
		s.Guests[f.Instance] = who
		s.settle(f.Instance, f.From)
	}
	key := actKey(f.Turn, f.Instance)
	if f.Kind == MovePlaced {
		if g.Stage == StageAway && !f.Home {
			t.Refills++ // it was moved away and is here again
		}
		g.Disposition, g.From, g.To, g.Attempt, g.Deadline = plan.DispLiveMigrate, f.From, f.To, f.Attempt, f.Deadline
		g.Placed = f.At
		g.Stage = StageMoving
		if f.Home {
			g.Stage = StageHoming
		}
		s.open[key] = &openAct{f.Turn, f.Instance, f.From, f.To, f.Kind, f.At}
		return
	}
	if f.Attempt != g.Attempt || (g.Stage != StageMoving && g.Stage != StageHoming && g.Sticky == "") {
		return
	}
	home, from := f.Home, g.FailedAt
	if a := s.open[key]; a != nil {
		from = a.At
		s.noteMigration(t, f) // what is read of it again later is no other migration
	}
	delete(s.open, key)
	delete(s.unproven, f.Instance)
	if f.Kind != MoveDone {
		t.Changed = f.At
	} else { // both its ends were read: no look has to tell what came of it
		t.moved = f.At
		s.settle(f.Instance, f.To)
		s.changed(f.Instance, f.At)
		delete(s.landed[f.From], f.Instance)
		delete(s.host(f.From).Absent, f.Instance) // it is known where it is
		who.State, who.Saved, who.Gone = fleet.Running, false, false
		s.runsOnFrom(f.Instance, f.To, f.At)
		s.lastLanded[f.To] = f.At
		delete(s.movedHere, f.Instance)
		if s.fixed[f.To] {
			s.movedHere[f.Instance] = f.To
		}
		g.Stage, g.MovedTo, g.Code, g.Why, g.Failures, g.Sticky = StageAway, f.To, "", "", 0, ""
		if home {
			g.Stage, g.GoneHome = StageHome, true
		}
		if f.To != t.Plan.Host {
			s.touched(f.To, f.At)
		}
		s.interrupted(f.Turn, f.Instance, from, f.At, f.BlackoutMs)
		return
	}
	g.Failures++
	g.RetryAt, g.FailedAt = f.At.Add(backoff(g.Failures, 3*time.Second, time.Minute)), f.At
	g.Code, g.Why = f.Code, f.Why
	g.Sticky = ""
	s.host(f.To).refuted = f.At
	if f.Source != "running" || (f.Destination != "absent" && f.Destination != "stopped") {
		g.Sticky, g.missed = f.To, nil
		s.unproven[f.Instance] = f.Turn
	}
	switch {
	case home:
		g.Stage, g.Stuck = StageAway, !f.Retry
	case !f.Retry || g.Failures >= maxMoveFailures:
		g.Stage = StageStuck
	default:
		g.Stage = StageHere
	}
	s.touched(f.To, f.At)
	s.touched(f.From, f.At)
}

// touched notes that an older look at a host no longer tells the truth about it.
func (s *State) touched(host string, at time.Time) {
	for _, t := range s.turnsOf[host] {
		if s.active[t.Plan.ID] && t.Changed.Before(at) {
			t.Changed = at
		}
	}
}

func (s *State) applyStop(t *TurnState, f Fact) {
	g, who := t.guest(f.Instance), s.Guests[f.Instance]
	key := actKey(f.Turn, f.Instance)
	switch f.Kind {
	case StopStarted:
		g.Disposition, g.Stage, g.Attempt, g.Deadline, g.Stopped = f.Disposition, StageStopping, f.Attempt, f.Deadline, f.At
		s.open[key] = &openAct{f.Turn, f.Instance, f.From, "", f.Kind, f.At}
	case StopDone:
		if f.Attempt != g.Attempt || (g.Stage != StageStopping && !g.mayHaveStopped()) {
			return
		}
		delete(s.open, key)
		g.InDoubt = false
		g.Stage, t.moved, g.Failures = StageStopped, f.At, 0
		s.changed(f.Instance, f.At)
		who.State, who.Saved = fleet.Stopped, f.Disposition == plan.DispStatefulStop
	case StopFailed:
		if f.Attempt != g.Attempt || g.Stage != StageStopping {
			return
		}
		delete(s.open, key)
		g.Failures++
		g.InDoubt, g.FailedAt = true, f.At
		g.RetryAt, g.Code, g.Why, t.Changed = f.At.Add(backoff(g.Failures, 3*time.Second, time.Minute)), f.Code, f.Why, f.At
		g.Stage = StageHere
		if !f.Retry || g.Failures >= maxMoveFailures {
			g.Stage = StageStuck
		}
	}
}

func (s *State) applyBack(t *TurnState, f Fact) {
	g, who := t.guest(f.Instance), s.Guests[f.Instance]
	switch f.Kind {
	case BackStarted:
		g.Stage, g.Attempt, g.Deadline = StageBacking, f.Attempt, f.Deadline
	case BackDone:
		if f.Attempt != g.Attempt || g.Stage != StageBacking {
			return
		}
		on := g.startsOn(t)
		since := g.Stopped
		g.Stage, g.Failures, t.Changed = StageBack, 0, f.At
		if g.DiedOn != "" {
			since = g.Placed
			t.afterDeath(g)
		}
		s.interrupted(f.Turn, f.Instance, since, f.At, f.At.Sub(since).Milliseconds())
		s.settle(f.Instance, on)
		s.changed(f.Instance, f.At)
		s.runsOnFrom(f.Instance, on, f.At)
		s.host(on).refuted = f.At
		who.State, who.Saved = fleet.Running, false
	case BackFailed:
		if f.Attempt != g.Attempt || g.Stage != StageBacking {
			return
		}
		g.Failures++
		g.Stage, g.Code, g.Why, t.Changed = StageStopped, f.Code, f.Why, f.At
		g.RetryAt = f.At.Add(backoff(g.Failures, 5*time.Second, time.Minute))
		if !f.Retry {
			g.Failures += maxBackFailures
		}
	}
}

// runsOnFrom: an act of ours has an instance run on a host, and takes its memory there, which no older look
// shows.
func (s *State) runsOnFrom(instance, host string, at time.Time) {
	if s.landed[host] == nil {
		s.landed[host] = map[string]time.Time{}
	}
	s.landed[host][instance] = at
}

// interrupted adds to what happened in the slot of an instance in a turn. ms is -1 when not measured.
func (s *State) interrupted(turn, instance string, from, to time.Time, ms int64) {
	sl := s.turnSlot[turn+"/"+instance]
	if sl == nil {
		return
	}
	a := s.actual[sl.ID]
	if a == nil {
		s.actual[sl.ID] = &Actual{From: from, To: to, Ms: ms}
		return
	}
	a.To = to
	if a.Ms >= 0 && ms >= 0 {
		a.Ms += ms
	} else {
		a.Ms = -1
	}
}
