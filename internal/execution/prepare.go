package execution

import (
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// A refresh changes the software on its host's disk ahead of its turn: that disturbs nobody, and an
// instance that is moved while no other host has the new software on disk would have to be moved
// again. So all hosts of a pool that will be refreshed are prepared, the canary first and soaked,
// before the first instance moves (docs/decisions/0017-refresh.md).

// aheadOf are the steps that a tactic does before its turn begins.
var aheadOf = map[plan.Tactic][]Step{plan.Refresh: {StepUpdate, StepProve}}

// unready: the turn has steps ahead of it that are not done.
func (t *TurnState) unready() bool { return aheadOf[t.Plan.Tactic] != nil && t.Prepared.IsZero() }

// decidePrepares gives leave to change the software of the next hosts whose turns will refresh.
func (s *State) decidePrepares(now time.Time) []Fact {
	if s.Phase != PhaseRunning || len(s.unprepared) == 0 {
		return nil
	}
	room := map[string]int{} // how many more of a pool may be prepared now
	for _, p := range s.Fleet.Pools {
		room[p.ID] = s.mostAway(p.ID)
	}
	for id := range s.active {
		if t := s.Turns[id]; t.Phase == TurnPreparing && !t.Plan.UpdateBy.IsZero() {
			room[t.Plan.Pool]--
		}
	}
	for _, id := range s.waiting {
		t := s.Turns[id]
		switch {
		case !t.unready(), t.Phase != TurnWaiting, now.Before(s.mayPrepare(t)):
		case !t.Plan.UpdateBy.IsZero() && room[t.Plan.Pool] <= 0:
		default:
			return []Fact{{Kind: TurnPrepares, Turn: id, Host: t.Plan.Host}}
		}
	}
	return nil
}

// mayPrepare is the moment before which a turn's preparation may not begin. One whose software was on
// disk when the plan was made is only looked at.
func (s *State) mayPrepare(t *TurnState) time.Time {
	from := later(t.Plan.UpdateFrom, s.soaked(t))
	switch tg := s.Plan.Target; {
	case t.Plan.UpdateBy.IsZero():
		return time.Time{}
	case tg != nil && tg.EmbargoDeploy != "" && tg.EmbargoDeploy != "yes":
		return later(from, tg.Disclosure)
	}
	return from
}

// never is later than any campaign: what waits for a fact, not for a moment.
var never = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// soaked is when the canary leaves a turn's preparation open: once it has itself been prepared, or,
// where it is not refreshed, maintained, and has soaked.
func (s *State) soaked(t *TurnState) time.Time {
	if !s.Plan.Policy.Canary {
		return time.Time{}
	}
	for _, id := range s.Order {
		c := s.Turns[id]
		if !c.Plan.Canary {
			break // the canary comes first
		}
		switch over := c.Prepared; {
		case c == t, c.Phase == TurnAbandoned && !c.reached():
		case aheadOf[c.Plan.Tactic] != nil && !over.IsZero() && c.ready.IsZero() && c.Permitted.IsZero() && !c.Plan.UpdateBy.IsZero() && !c.reached():
			return never // a look must show, once it has soaked, that it is still sound
		case c.reached():
			return c.Ended.Add(time.Duration(s.Plan.Policy.Soak))
		case aheadOf[c.Plan.Tactic] == nil && c.Phase != TurnFinished, aheadOf[c.Plan.Tactic] != nil && over.IsZero():
			return never
		default:
			if aheadOf[c.Plan.Tactic] == nil {
				over = c.Ended
			}
			return over.Add(time.Duration(s.Plan.Policy.Soak))
		}
	}
	return time.Time{}
}

// nextPreparation is the next moment at which a preparation may begin by the clock alone.
func (s *State) nextPreparation(now time.Time) (next time.Time) {
	if s.Phase != PhaseRunning || len(s.unprepared) == 0 {
		return time.Time{}
	}
	for _, id := range s.waiting {
		t := s.Turns[id]
		if !t.unready() || t.Phase != TurnWaiting {
			continue
		}
		from := s.mayPrepare(t)
		if from.After(now) && from.Before(never) && (next.IsZero() || from.Before(next)) {
			next = from
		}
	}
	return next
}

// readied: a refresh moves nobody before its own host, and all others of its pools that are being
// prepared, have the new software on disk. One that fails is not waited for.
func (s *State) readied(t *TurnState, _ time.Time) *ruling {
	if aheadOf[t.Plan.Tactic] == nil || len(s.unprepared) == 0 {
		return nil
	}
	if t.unready() {
		r := wait(time.Time{}, "its host does not have the new software on disk yet")
		return &r
	}
	for _, pool := range s.index.Hosts[t.Plan.Host].Pools {
		for _, h := range s.index.PoolHosts[pool] {
			if o := s.unprepared[h.ID]; o != nil && (o.Phase == TurnWaiting || o.Phase == TurnPreparing) && o.Failures == 0 {
				r := wait(time.Time{}, "the new software is not on the disk of "+h.ID+" yet, and nobody is moved twice")
				return &r
			}
		}
	}
	return nil
}

// applyPrepares opens a turn's preparation.
func (s *State) applyPrepares(t *TurnState, f Fact) {
	t.Phase, t.Since, t.Changed = TurnPreparing, f.At, f.At
	t.Step, t.Started, t.Failures, t.RetryAt = aheadOf[t.Plan.Tactic][0], false, 0, time.Time{}
	s.active[t.Plan.ID] = true
	if t.Plan.UpdateBy.IsZero() {
		return
	}
	for _, c := range s.canaries {
		if c != t && !c.Prepared.IsZero() && c.ready.IsZero() { // so it was judged, or the journal is from before canaries were judged again
			c.ready = f.At
		}
	}
}

// endPreparation notes that the host has, and is seen to have, the new software on disk: whoever
// lands there begins on it. The turn itself waits for its permit.
func (s *State) endPreparation(t *TurnState, at time.Time) {
	if !t.unready() || t.Step != "" || t.Phase != TurnPreparing && t.Phase != TurnOnHold {
		return
	}
	t.Prepared, s.fixed[t.Plan.Host] = at, true
	delete(s.unprepared, t.Plan.Host)
	if t.Phase == TurnPreparing {
		t.Phase = TurnWaiting
		delete(s.active, t.Plan.ID)
	}
}

// decidePreparing takes a preparation one decision further.
func (s *State) decidePreparing(t *TurnState, now time.Time) []Fact {
	if s.Phase == PhaseAborted {
		if t.Started && t.Step == StepUpdate {
			return nil // it ends by itself
		}
		return []Fact{{Kind: TurnDropped, Turn: t.Plan.ID, Host: t.Plan.Host, Code: s.abortCode(), Why: "the campaign was " + s.abortCode() + " before its turn"}}
	}
	switch {
	case t.Started && t.Step == StepUpdate, now.Before(t.RetryAt):
		return nil
	case t.Failures >= maxStepFailures:
		return []Fact{*t.held(orElse(t.Code, CodeStepFailed), t.Why, orElse(t.Next, "mend the cause, then: evenkeel retry "+t.Plan.ID))}
	case t.Step == StepProve:
		return s.proveInPlace(t, now)
	case !s.answers(t.Plan.Host, now):
		h := s.host(t.Plan.Host)
		return []Fact{*t.held(CodeNoAnswer, fmt.Sprintf("%s has not answered since %s: %s", t.Plan.Host, h.Lost.Format(time.RFC3339), h.Why), "bring the host back, then: evenkeel retry "+t.Plan.ID)}
	}
	return s.updateInPlace(t, now, s.Phase != PhaseRunning)
}

// releasePreparation lets a turn that was held while it was prepared go on there. A preparation that
// was not proven begins with a look again: what is there already is not done twice.
func (s *State) releasePreparation(t *TurnState, at time.Time) {
	if !t.unready() || t.Step == "" {
		return
	}
	t.Phase, t.Failures, t.RetryAt, t.Since, t.Changed = TurnPreparing, 0, time.Time{}, at, at
	s.active[t.Plan.ID] = true
	if !t.Started {
		t.Step, t.UpdateBoot = aheadOf[t.Plan.Tactic][0], ""
	}
}
