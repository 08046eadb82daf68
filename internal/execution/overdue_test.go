package execution

import (
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// TestOverdueTurnKeepsOnlyItsOwnWaiting: a turn that lasts longer than it may at worst does not keep the next wave
// waiting any more; until then it does, and the machine wakes when that changes. A canary keeps all waiting.
func TestOverdueTurnKeepsOnlyItsOwnWaiting(t *testing.T) {
	w := newWorld(t, func(p *plan.Plan, _ *fleet.Fleet) { p.Policy.Canary = false })
	early, late := w.s.Turns["h1"], w.s.Turns["h2"]
	began := at("02:00:00")
	early.Plan.Wave, early.Plan.Canary, early.Plan.WorstS, late.Plan.Wave = 1, false, 600, 2
	early.Phase, early.Permitted = TurnActive, began
	w.s.active["h1"] = true
	w.s.recount(early)
	blocked := func(now time.Time) *ruling {
		if r := w.s.inOrder(late, now); r != nil && strings.Contains(r.why, "wave 1 is not over: h1") {
			return r
		}
		return nil
	}
	if r := blocked(began.Add(9 * time.Minute)); r == nil || !r.until.Equal(began.Add(10*time.Minute)) {
		t.Errorf("within its worst case: %+v", r)
	}
	if r := blocked(began.Add(10 * time.Minute)); r != nil {
		t.Errorf("past its worst case: %+v", r)
	}
	if early.Plan.Canary = true; blocked(began.Add(time.Hour)) == nil {
		t.Error("an overdue canary keeps nobody waiting")
	}
}
