package execution

import (
	"fmt"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// decideTurns takes each turn under way one decision further.
func (s *State) decideTurns(now time.Time) []Fact {
	for _, id := range s.Active() {
		t := s.Turns[id]
		if facts := s.decideTurn(t, now); len(facts) > 0 {
			return facts
		}
	}
	return nil
}

func (s *State) decideTurn(t *TurnState, now time.Time) []Fact {
	if t.revert.started || t.reverts() && !s.closing(t) {
		return nil // what it brought is taken back first
	}
	if facts := s.unanswered(t, now); facts != nil {
		return facts
	}
	if !s.forced.IsZero() {
		return s.forcedEnd(t)
	}
	if t.Phase == TurnPreparing {
		return s.decidePreparing(t, now)
	}
	if facts := s.decideUnproven(t, now); facts != nil {
		return facts
	}
	if facts := s.decideInDoubt(t); facts != nil {
		return facts
	}
	if facts := s.holdBarred(t); facts != nil {
		return facts
	}
	quiet := s.Phase != PhaseRunning || t.Phase == TurnOnHold || s.barred(t) != nil && !t.committed() && s.moves(t) // no disruptive act may begin
	if quiet && !t.committed() {
		// not beyond the point of no return: whoever was stopped comes back first
		facts, ends := s.bringBack(t, now), s.Phase == PhaseAborted && t.Phase == TurnOnHold // who was given up on then keeps nobody waiting
		if facts != nil || t.anyStage(StageBacking) || t.anyStage(StageStopped) && !ends {
			return facts
		}
	}
	if s.Phase == PhaseAborted && (!t.committed() || t.Phase == TurnOnHold) {
		return s.windDown(t, now)
	}
	if t.Phase == TurnOnHold {
		return s.bringBack(t, now)
	}
	if s.silent(t, now) {
		return []Fact{*t.held(CodeNoAnswer, fmt.Sprintf("%s has not answered since %s: %s", t.Plan.Host, s.host(t.Plan.Host).Lost.Format(time.RFC3339), s.host(t.Plan.Host).Why), "bring the host back, then: evenkeel retry "+t.Plan.ID)}
	}
	if t.Started && t.Step != StepProve {
		return nil
	}
	if now.Before(t.RetryAt) {
		return nil
	}
	if t.Failures >= maxStepFailures {
		code := t.Code
		if code == "" {
			code = CodeStepFailed
		}
		return []Fact{*t.held(code, t.Why, orElse(t.Next, "mend the cause, then: evenkeel retry "+t.Plan.ID))}
	}
	if facts := s.decideUnneeded(t, now); facts != nil {
		return facts
	}
	return s.decideStep(t, now, quiet)
}

// unanswered turns silence past a deadline into a failure: no step waits for ever.
func (s *State) unanswered(t *TurnState, now time.Time) []Fact {
	late := func(d time.Time) bool { return !d.IsZero() && now.After(d.Add(grace)) }
	if t.Started && t.Step != StepProve && late(t.Deadline) {
		return []Fact{{Kind: StepFailed, Turn: t.Plan.ID, Host: t.Plan.Host, Step: t.Step, Attempt: t.Attempt, Code: CodeNoAnswer, Retry: true,
			Why: fmt.Sprintf("step %s gave no answer by its deadline", t.Step)}}
	}
	for _, g := range t.sortedGuests() {
		if !late(g.Deadline) {
			continue
		}
		f := Fact{Turn: t.Plan.ID, Instance: g.ID, Attempt: g.Attempt, Disposition: g.Disposition, Code: CodeNoAnswer, Retry: true, Why: "no answer by the deadline",
			Source: "unreachable", Destination: "unreachable"}
		switch g.Stage {
		case StageMoving, StageHoming:
			a := s.open[actKey(t.Plan.ID, g.ID)]
			f.Kind, f.From, f.To = MoveFailed, a.From, a.To
		case StageStopping:
			f.Kind, f.From = StopFailed, t.Plan.Host
		case StageBacking:
			f.Kind, f.To = BackFailed, g.startsOn(t)
		default:
			continue
		}
		return []Fact{f}
	}
	return nil
}

// windDown ends a turn of an aborted campaign in a safe place: nothing in flight, nobody stopped by
// us, what was borrowed given back.
func (s *State) windDown(t *TurnState, now time.Time) []Fact {
	if t.committed() && t.anyStage(StageStopped) && !s.mayBringBack(t, now) {
		until := t.Ordered.Add(s.waitFor(t))
		if now.Before(until) || s.answers(t.Plan.Host, now) && s.host(t.Plan.Host).At.Before(until) {
			return nil // the host is going down, or is down, by our order, or a look has to tell that it is not
		}
	}
	if facts := s.bringBack(t, now); facts != nil {
		return facts
	}
	if t.anyStage(StageMoving, StageStopping, StageBacking, StageHoming) || t.Started && !t.proving() || (t.inDoubt() > 0 && s.answers(t.Plan.Host, now)) || (s.unprovenOf(t) > 0 && t.Phase != TurnOnHold) {
		return nil
	}
	if id, until := s.shuttingDown(t); id != "" && s.answers(t.Plan.Host, now) && s.host(t.Plan.Host).At.Before(until) {
		return nil // it was asked to shut down, and may still do so
	}
	for _, g := range t.Guests {
		if g.Stage == StageStopped && g.Failures < maxBackFailures && s.mayBringBack(t, now) {
			return nil // it is tried again
		}
	}
	if t.Cordoned && t.Failures < maxReturns {
		if now.Before(t.RetryAt) {
			return nil
		}
		return []Fact{t.start(StepUncordon, now.Add(time.Minute))}
	}
	why := "the campaign was " + s.abortCode()
	if t.Cordoned {
		why += fmt.Sprintf("; its cordon could not be given back in %d attempts: %s", t.Failures, t.Why)
	}
	if t.Phase == TurnOnHold {
		why += "; it was held: " + t.Why
	}
	for _, g := range t.sortedGuests() {
		if g.Stage == StageStopped {
			why += fmt.Sprintf("; %s, which it stopped, could not be brought back", g.ID)
		}
	}
	return []Fact{{Kind: TurnDropped, Turn: t.Plan.ID, Host: t.Plan.Host, Code: s.abortCode(), Why: why}}
}

// silent: the step rests on looks at the host, and it has not answered for two minutes.
func (s *State) silent(t *TurnState, now time.Time) bool {
	switch t.Step {
	case StepEmpty, StepStop, StepJudge, StepHome:
	case StepUpdate:
		if t.Plan.Tactic != plan.LivePatch {
			return false
		}
	case StepReboot:
		if !t.Ordered.IsZero() {
			return false
		}
	default:
		return false
	}
	return !t.anyStage(StageMoving, StageHoming) && !s.answers(t.Plan.Host, now)
}

// answers: the host answered its last look, or has been silent for less than two minutes.
func (s *State) answers(host string, now time.Time) bool {
	h := s.host(host)
	return h.Lost.IsZero() || now.Sub(h.Lost) < 2*time.Minute
}

// decideStep decides within one step. quiet: no disruptive act may begin.
func (s *State) decideStep(t *TurnState, now time.Time, quiet bool) []Fact {
	times := s.Plan.Policy.Times
	switch t.Step {
	case StepCordon:
		if quiet {
			return nil
		}
		return []Fact{t.start(StepCordon, now.Add(time.Minute))}
	case StepEmpty:
		return s.decideEmpty(t, now, quiet)
	case StepUpdate:
		if t.Plan.Tactic == plan.LivePatch {
			return s.updateInPlace(t, now, quiet)
		}
		c := s.cohort(t.Plan.Host)
		switch {
		case c == nil || (len(c.Update.Command) == 0 && c.Update.Hooks == ""):
			return t.done("no update is named: the host is only rebooted")
		case t.Updated:
			return t.done("its software was changed already in this turn")
		case quiet:
			return nil
		}
		return []Fact{t.start(StepUpdate, now.Add(time.Duration(times.UpdateMax)))}
	case StepStop:
		if t.Plan.Tactic == plan.Refresh {
			return s.decideInPlace(t, now, quiet)
		}
		return s.decideStop(t, now, quiet)
	case StepReboot:
		return s.decideReboot(t, now, quiet)
	case StepProve:
		if t.inPlace() {
			return s.proveInPlace(t, now)
		}
		return s.decideProof(t, now)
	case StepReturn:
		if facts := s.bringBack(t, now); facts != nil || t.anyStage(StageStopped, StageBacking) {
			return facts
		}
		return t.done("all that was stopped for the turn runs again")
	case StepJudge:
		if t.Plan.Tactic == plan.Refresh {
			return s.decideRefreshed(t, now)
		}
		return s.decideJudge(t, now)
	case StepUncordon:
		if !t.Cordoned {
			return t.done("nothing was borrowed")
		}
		return []Fact{t.start(StepUncordon, now.Add(time.Minute))}
	case StepHome:
		return s.decideHome(t, now, quiet)
	}
	return []Fact{{Kind: TurnDone, Turn: t.Plan.ID, Host: t.Plan.Host}}
}

func (t *TurnState) count(stage Stage) (n int) {
	for _, g := range t.Guests {
		if g.Stage == stage {
			n++
		}
	}
	return n
}

func (t *TurnState) anyStage(stages ...Stage) bool {
	for _, g := range t.Guests {
		if slices.Contains(stages, g.Stage) {
			return true
		}
	}
	return false
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func (t *TurnState) held(code, why, next string) *Fact {
	return &Fact{Kind: TurnHeld, Turn: t.Plan.ID, Host: t.Plan.Host, Step: t.Step, Code: code, Why: why, Next: next}
}

func (t *TurnState) start(step Step, deadline time.Time) Fact {
	return Fact{Kind: StepStarted, Turn: t.Plan.ID, Host: t.Plan.Host, Step: step, Attempt: t.tries[step] + 1, Deadline: deadline}
}

func (t *TurnState) done(why string) []Fact {
	return []Fact{{Kind: StepDone, Turn: t.Plan.ID, Host: t.Plan.Host, Step: t.Step, Attempt: t.Attempt, Why: why}}
}

func (t *TurnState) failed(code, why, next string, retry bool) []Fact {
	return []Fact{{Kind: StepFailed, Turn: t.Plan.ID, Host: t.Plan.Host, Step: t.Step, Attempt: t.Attempt, Code: code, Why: why, Next: next, Retry: retry}}
}
