package execution

import (
	"fmt"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// A canary stands for the fix: it goes first to show what the fix does to a host. One that is held before
// anything of its host was changed, for a reason of its own (it has died, its instances find no place, their
// slot has passed), shows nothing of that, and a whole fleet must not wait for it. So the next turn of its stage
// becomes the canary in its stead: it goes alone, soaks and is judged like any other. The turn that was passed
// over takes that one's wave, and goes on, by a person's word, no earlier than any other turn would.

// passing are the codes of holds that tell of the canary's own host or instances, and of nothing that
// another canary would meet as well.
var passing = []string{CodeNoPlace, CodeSlotMissed, CodeNoAnswer, CodeNotTold, CodeUnhealthy, CodeUndelivered}

// unchanged: nothing of the turn's host was changed but its cordon.
func (t *TurnState) unchanged() bool {
	return !t.committed() && t.Ended.IsZero() && t.Prepared.IsZero() && !t.Updated && t.UpdateBoot == "" && t.NewBoot == "" && t.tries[StepUpdate] == 0 && t.tries[StepReboot] == 0
}

// brokeNothing: the turn is held for want of a place or of time, before anything of its host was changed.
// That asks for a person, and says nothing against going on elsewhere.
func (t *TurnState) brokeNothing() bool {
	return (t.Code == CodeNoPlace || t.Code == CodeSlotMissed) && t.unchanged()
}

// standIns are so many turns that are asked, in their order, whether they could stand in now.
const standIns = 40

// canaryWaits is how long a canary waits for a place that may come free by itself: all others wait for it.
const canaryWaits = 5 * time.Minute

// keepsWaiting: a canary's instances have found no place for so long that another turn should go first.
func (s *State) keepsWaiting(t *TurnState, why []string, now time.Time) bool {
	return t.Plan.Canary && t.Plan.Tactic != plan.Refresh && len(why) > 0 && t.unchanged() && s.unprovenOf(t) == 0 && !t.anyStage(StageMoving) && !now.Before(t.stillSince().Add(canaryWaits))
}

// decidePass has the next turn that could begin take the place of a canary that is held before its host was changed; but where
// as many stand-ins as the failure budget allows are held too, something is wrong with more than one host.
func (s *State) decidePass(now time.Time) []Fact {
	if s.Phase != PhaseRunning || !s.Plan.Policy.Canary {
		return nil
	}
	for _, c := range s.canaries {
		if c.Phase != TurnOnHold || !slices.Contains(passing, c.Code) || !c.unchanged() || c.Plan.Tactic == plan.Refresh || c.anyStage(StageMoving, StageStopping, StageStopped, StageBacking, StageHoming) {
			continue
		}
		tried := 0
		for _, id := range s.waiting {
			t := s.Turns[id]
			if _, off := s.aside[id]; off || t.Plan.Deferred != c.Plan.Deferred || t.Phase != TurnWaiting || !t.Prepared.IsZero() {
				continue
			}
			if r := s.inSlot(t, now); r != nil && r.hold != nil {
				continue // its slot is past too
			}
			if tried++; tried > standIns {
				break
			}
			if !s.allPlaced(t, c.Plan.Wave, now) {
				continue
			}
			if budget := max(1, s.Plan.Policy.FailureBudget); s.passes >= budget {
				return []Fact{{Kind: CampaignHalted, Turn: c.Plan.ID, Host: c.Plan.Host, Code: CodeBudget,
					Why: fmt.Sprintf("%d canaries one after the other were held before anything of their hosts was changed, and the failure budget is %d; the last, %s: %s", s.passes+1, budget, c.Plan.ID, c.Why)}}
			}
			return []Fact{{Kind: CanaryPassed, Turn: c.Plan.ID, Host: c.Plan.Host, To: id, Code: c.Code,
				Why: fmt.Sprintf("%s is held before anything of its host was changed, so %s goes first in its stead", c.Plan.ID, id)}}
		}
	}
	return nil
}

// allPlaced: each instance on a turn's host that is to move alive has some place now, were it the turn of a wave. Those of
// later waves were told of moves to hosts that are fixed by then, and at first none is.
func (s *State) allPlaced(t *TurnState, wave int, now time.Time) bool {
	first := *t
	first.Plan.Wave = wave
	for id := range s.on[t.Plan.Host] {
		if s.disposition(t, id) != plan.DispLiveMigrate || s.Guests[id].State != fleet.Running {
			continue
		}
		if p := s.placeNow(&first, id, now); p.To == "" && len(p.Sees) == 0 {
			return false
		}
	}
	return true
}

// applyPass makes another turn the canary: it goes in the wave of the one that it stands in for, which
// takes its own.
func (s *State) applyPass(c *TurnState, f Fact) error {
	t := s.Turns[f.To]
	i := slices.Index(s.canaries, c)
	if t == nil || i < 0 || t.Phase != TurnWaiting {
		return fmt.Errorf("journal of %s: fact %d is %s from %q to %q: the first is no canary, or the second no turn that waits", f.Campaign, f.Seq, f.Kind, f.Turn, f.To)
	}
	mark(s.inTurn.waves, c.Plan.Wave, c.Plan.ID, false)
	s.canaries[i] = t
	s.passes++
	s.passed[c.Plan.ID] = true
	c.Plan.Canary, t.Plan.Canary = false, true
	c.Plan.Wave, t.Plan.Wave = t.Plan.Wave, c.Plan.Wave
	sortTurns := func(ids []string) {
		slices.SortStableFunc(ids, func(a, b string) int { return compareTurns(s.Turns[a].Plan, s.Turns[b].Plan) })
	}
	sortTurns(s.waiting)
	sortTurns(s.Order)
	s.recount(c)
	return nil
}

// passedWaits: a turn in whose place the canary went is held, and goes on once that one is judged.
func (s *State) passedWaits(c *TurnState) bool {
	for id := range s.passed {
		if t := s.Turns[id]; t.Phase == TurnOnHold && t.Plan.Wave > c.Plan.Wave {
			return true
		}
	}
	return false
}

// canaryAhead names the canary that stands in for a turn's and has not shown the fix sound; "" when none:
// a turn that was passed over goes on no earlier than any other.
func (s *State) canaryAhead(t *TurnState) string {
	for _, c := range s.canaries {
		if c != t && c.Plan.Deferred == t.Plan.Deferred && c.Plan.Wave < t.Plan.Wave && c.Phase != TurnAbandoned && c.Judged.IsZero() && !c.reached() {
			return c.Plan.ID
		}
	}
	return ""
}

// MayRelease says why a held turn may not be released yet; "" when it may.
func (s *State) MayRelease(t *TurnState) (why, next string) {
	if t.Permitted.IsZero() {
		return "", "" // it waits for its permit again, which asks for the canary
	}
	if c := s.canaryAhead(t); c != "" {
		return fmt.Sprintf("%s goes first in its stead as the canary, and is not judged yet", c), "once " + c + " is done and has soaked: evenkeel retry " + t.Plan.ID
	}
	return "", ""
}
