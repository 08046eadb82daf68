package execution

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// A canary whose live patch fails for good, after its host was changed, stops the campaign, and its
// host gets back what it had: the live patches that the turn was to bring are taken back, the last
// one first. That is the safe place in which the turn ends, so it happens in a halted, paused and
// aborted campaign too. The turn stays held for a person. It holds for live patches that the target
// brings as files, which a driver can take back by name (docs/decisions/0019-live-patches.md).

// CodeCanary is why a campaign halts when its canary's live patch fails.
const CodeCanary = "canary-failed"

// reverting is how far a turn's live patches are taken back.
type reverting struct {
	names    []string // what the turn was to bring: not applied in the look that its first update rests on
	replaced []string // what was applied in that look and one of them takes the place of: no revert brings it back
	started  bool
	attempt  int
	failures int
	retryAt  time.Time
	deadline time.Time
	over     bool // taken back, or given up, with the reason in the turn's own
}

// noteBrought keeps what a live patch is about to bring.
func (s *State) noteBrought(t *TurnState) {
	c, v := s.cohort(t.Plan.Host), s.host(t.Plan.Host).View
	if t.Plan.Tactic != plan.LivePatch || !t.Plan.Canary || t.revert.names != nil || c == nil || v == nil || !c.ByPayload() {
		return
	}
	for _, want := range c.PatchesFor(v.BuildID) {
		if slices.ContainsFunc(v.LivePatches, func(p fleet.LivePatch) bool {
			return p.Component == want.Component && p.Name == want.Name && p.State == fleet.PatchApplied
		}) {
			continue
		}
		t.revert.names = append(t.revert.names, want.Name)
		for _, p := range v.LivePatches {
			if want.Replace && p.Component == want.Component && p.State == fleet.PatchApplied && !slices.Contains(t.revert.replaced, p.Name) {
				t.revert.replaced = append(t.revert.replaced, p.Name)
			}
		}
	}
}

// reverts: the turn is a canary that failed after its host was changed, and is not taken back yet.
func (t *TurnState) reverts() bool {
	return t.Phase == TurnOnHold && t.Code != CodeOperator && len(t.revert.names) > 0 && !t.revert.over
}

// decideCanary halts the campaign of a failed canary, and takes its live patches back.
func (s *State) decideCanary(now time.Time) []Fact {
	for _, id := range s.Active() {
		t := s.Turns[id]
		r := &t.revert
		switch {
		case r.started && now.After(r.deadline.Add(grace)):
			return []Fact{{Kind: StepFailed, Turn: id, Host: t.Plan.Host, Step: StepRevert, Attempt: r.attempt, Code: CodeNoAnswer, Retry: true, Why: "step revert gave no answer by its deadline"}}
		case s.Phase == PhaseRunning && s.failed[id] && (t.reverts() || t.Phase == TurnOnHold && t.Code == CodeCanaryUnwell):
			return []Fact{{Kind: CampaignHalted, Turn: id, Host: t.Plan.Host, Code: CodeCanary, Why: fmt.Sprintf("the canary %s failed: %s", t.Plan.Host, t.Why)}}
		case !t.reverts(), r.started, s.closing(t):
		case !now.Before(r.retryAt):
			return []Fact{{Kind: StepStarted, Turn: id, Host: t.Plan.Host, Step: StepRevert, Attempt: r.attempt + 1, Patches: r.names,
				Deadline: now.Add(s.updateMost(t)), Why: t.Why}}
		}
	}
	return s.decideUnwell(now)
}

// applyRevert folds the revert's own steps; the step at which the turn is held stays as it is.
func (t *TurnState) applyRevert(f Fact) {
	r := &t.revert
	if f.Kind == StepStarted {
		r.started, r.attempt, r.deadline, r.names = true, f.Attempt, f.Deadline, f.Patches
		return
	}
	if !r.started || f.Attempt != r.attempt {
		return // a late answer of an attempt that was given up
	}
	r.started, t.Changed = false, f.At
	if t.Phase != TurnOnHold { // a person had it begin anew meanwhile
		t.revert = reverting{attempt: r.attempt}
		return
	}
	names := strings.Join(r.names, ", ")
	if f.Kind == StepDone {
		r.over = true
		t.Why += "; taken back: " + names
		if len(r.replaced) > 0 {
			lost := strings.Join(r.replaced, ", ")
			t.Why += "; " + lost + " was applied before and is replaced by what was taken back: that does not bring it back"
			t.Next = "look whether " + lost + " is still applied, and apply it by hand if not; " + t.Next
		}
		return
	}
	r.failures++
	r.retryAt = f.At.Add(backoff(r.failures, 2*time.Second, time.Minute))
	if r.over = !f.Retry || r.failures >= maxReturns; r.over {
		t.Why += fmt.Sprintf("; %s could not be taken back: %s", names, f.Why)
		t.Next = orElse(f.Next, t.Next)
	}
}

// revertChore is the act of a revert that is under way.
func (s *State) revertChore(t *TurnState, add func(Chore)) {
	if r := &t.revert; r.started {
		add(Chore{Key: fmt.Sprintf("%s/%s/%d", t.Plan.ID, StepRevert, r.attempt), Kind: ChoreRevert, Turn: t.Plan.ID, Step: StepRevert,
			Attempt: r.attempt, Host: t.Plan.Host, Deadline: r.deadline, Patches: r.names})
	}
}

// releaseRevert lets a retry begin anew: what is there then is looked at first. A revert under way
// ends before.
func (t *TurnState) releaseRevert() {
	r := &t.revert
	t.revert = reverting{attempt: r.attempt, started: r.started, deadline: r.deadline}
	if r.started {
		t.revert.names, t.revert.over = r.names, true
	}
}
