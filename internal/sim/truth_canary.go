package sim

import (
	"time"

	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// canaries: a canary that was unwell when it had soaked ends the trust in it.
func (t *trial) canaries() {
	if !t.plan.Policy.Canary {
		return
	}
	for _, f := range t.facts {
		turn := t.turns[f.Turn]
		if f.Kind != execution.TurnDone || turn == nil || !turn.Canary || turn.Tactic == plan.Refresh {
			continue
		}
		soaked := f.At.Add(t.plan.Policy.Soak.Std())
		if why := t.unwell(turn, f.At, soaked.Add(-lookBack)); why != "" {
			t.nobodyAfter(turn, f, soaked, why)
		}
	}
}

// unwell says what was not as it should be with a host that was done at a moment, at and ever since
// another.
func (t *trial) unwell(turn *plan.Turn, done, at time.Time) string {
	w := t.hosts[turn.Host]
	for _, b := range w.boots {
		if b.itself && b.from.After(done) && b.from.Before(at) {
			return "it reset itself at " + b.from.Format("15:04:05")
		}
	}
	if turn.Tactic != plan.LivePatch || t.fleet.Hosts[0].Hypervisor != fleet.Xen {
		return ""
	}
	ran := w.ran(done, done)
	if len(ran) == 0 {
		return ""
	}
	for _, p := range t.plan.Target.Cohorts[0].PatchesFor(ran[0]) {
		if !w.applied(p.Name, at, at.Add(1000*time.Hour)) {
			return "live patch " + p.Name + " is gone for good"
		}
	}
	return ""
}

// nobodyAfter: no turn of a later wave begins after a canary's soak, unless a person had it done again.
func (t *trial) nobodyAfter(canary *plan.Turn, done execution.Fact, soaked time.Time, why string) {
	for _, f := range t.facts {
		turn := t.turns[f.Turn]
		switch {
		case f.Seq <= done.Seq:
		case f.Kind == execution.TurnReleased && f.Turn == canary.ID:
			return
		case f.Kind == execution.TurnPermitted && turn != nil && turn.Wave > canary.Wave && f.At.After(soaked):
			t.say(f.At, "%s begins although its canary %s is unwell: %s", f.Turn, canary.ID, why)
			return
		}
	}
}
