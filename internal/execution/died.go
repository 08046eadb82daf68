package execution

import (
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// A live migration may cost an instance its life: its hypervisor process ends in mid-copy, and what is left is stopped
// at one end. Whoever ran before our move and was read stopped after it was stopped by it, so it is started again, at
// once, where it is defined, and not moved again before a person has looked.

// CodeDied is the code of an instance that a move of ours has killed.
const CodeDied = "died"

// startsOn is the host on which an instance that the turn has stopped is started again.
func (g *TurnGuest) startsOn(t *TurnState) string { return orElse(g.DiedOn, t.Plan.Host) }

// anyDead: a move of the turn has left somebody running nowhere, who is not back.
func (t *TurnState) anyDead() bool {
	for _, g := range t.Guests {
		if g.DiedOn != "" && (g.Stage == StageStopped || g.Stage == StageBacking) {
			return true
		}
	}
	return false
}

func (s *State) applyDied(t *TurnState, f Fact) {
	g, who := t.guest(f.Instance), s.Guests[f.Instance]
	if who == nil || f.Attempt != g.Attempt || g.Sticky == "" {
		return
	}
	delete(s.unproven, f.Instance)
	g.Stage, g.Disposition, g.DiedOn, g.Sticky = StageStopped, plan.DispStop, f.Host, ""
	g.Code, g.Why, g.Failures, g.RetryAt = CodeDied, f.Why, 0, f.At
	who.State, who.Saved, who.Gone = fleet.Stopped, false, false
	s.settle(f.Instance, f.Host)
	s.changed(f.Instance, f.At)
	t.Changed = f.At
	s.touched(f.From, f.At)
	s.touched(f.To, f.At)
}

// afterDeath says how a turn goes on with an instance that it has killed and started again: where it left the host
// it is away for good; on the host itself it is not moved again before a person has looked.
func (t *TurnState) afterDeath(g *TurnGuest) {
	on := g.DiedOn
	g.DiedOn, g.Code = "", CodeDied
	g.Why = "the last move of it ended with it running nowhere; it was started again on " + on
	switch {
	case on != t.Plan.Host:
		g.Stage, g.MovedTo, g.Stuck, g.Failures = StageAway, on, true, maxMoveFailures // it stays there, and the journal says so
	case g.From == t.Plan.Host:
		g.Stage = StageStuck
	default:
		g.Stage, g.GoneHome = StageHome, true
	}
}
