package execution

import (
	"slices"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// stepsOf is the way of a turn, by tactic.
var stepsOf = map[plan.Tactic][]Step{
	plan.Evacuate: {StepCordon, StepEmpty, StepUpdate, StepStop, StepReboot, StepProve, StepReturn, StepJudge, StepUncordon, StepHome},
	plan.Suspend:  {StepCordon, StepEmpty, StepUpdate, StepStop, StepReboot, StepProve, StepReturn, StepJudge, StepUncordon, StepHome},
	plan.Reboot:   {StepCordon, StepEmpty, StepUpdate, StepStop, StepReboot, StepProve, StepReturn, StepJudge, StepUncordon, StepHome},
	// Nothing keeps others from placing instances on a host that is refreshed: they begin on the fix.
	plan.Refresh:   {StepEmpty, StepStop, StepReturn, StepHome, StepJudge},
	plan.LivePatch: {StepUpdate, StepProve},
}

// Steps lists the steps of a tactic, in order; none when this machine cannot carry it out.
func Steps(t plan.Tactic) []Step { return append(slices.Clone(aheadOf[t]), stepsOf[t]...) }

func (t *TurnState) steps() []Step {
	if t.unready() {
		return aheadOf[t.Plan.Tactic]
	}
	return stepsOf[t.Plan.Tactic]
}

// next is the step after the present one; "" at the end.
func (t *TurnState) next() Step {
	st := t.steps()
	if i := slices.Index(st, t.Step); i >= 0 && i+1 < len(st) {
		return st[i+1]
	}
	return ""
}
