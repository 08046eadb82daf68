package planner_test

import (
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// TestTimesOfALivePatch: a turn that only applies a live patch is reckoned with a live patch's own times, its
// host's reboot with an update's; without times of its own, as in plans from before, with an update's too.
func TestTimesOfALivePatch(t *testing.T) {
	f, pol := xenFleet(4, 8192, 0, 0), mixedPolicy()
	seconds := func(d plan.Duration) int64 { return int64(d.Std() / time.Second) }
	for _, own := range []bool{true, false} {
		if !own {
			pol.Times.Patch, pol.Times.PatchMax = 0, 0
		}
		expected, most := pol.Times.UpdateIn(plan.LivePatch)
		for _, u := range propose(t, f, xenTarget("reboot"), pol).Turns {
			worst, end := seconds(pol.Times.Overhead+pol.Times.UpdateMax+pol.Times.RebootMax), pol.Times.Overhead+pol.Times.Update+pol.Times.Reboot
			if u.Tactic == plan.LivePatch {
				worst, end = seconds(pol.Times.Overhead+plan.Duration(most)), pol.Times.Overhead+plan.Duration(expected)
			}
			if u.WorstS != worst || u.End.Sub(u.Start) != end.Std() {
				t.Errorf("own times %v: turn %s, %s, takes %s and at worst %d s, want %s and %d s", own, u.ID, u.Tactic, u.End.Sub(u.Start), u.WorstS, end, worst)
			}
		}
	}
}
