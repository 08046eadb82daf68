package planner_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// TestBlockedAsProposed: what is said to be blocked without a plan is what the plan blocks.
func TestBlockedAsProposed(t *testing.T) {
	some, none := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		if rapid.Bool().Draw(t, "mixed") {
			in = drawMixed(t)
		}
		p, err := planner.Propose(in)
		got, err2 := planner.Blocked(in)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		same := func(a, b plan.Blocked) bool { return a.Instance == b.Instance && a.Host == b.Host && a.Code == b.Code }
		if !slices.EqualFunc(got, p.Blocked, same) {
			t.Errorf("blocked are %v, the plan blocks %v", got, p.Blocked)
		}
		if len(got) == 0 {
			none++
		} else {
			some++
		}
	})
	if some == 0 || none == 0 {
		t.Errorf("%d draws block somebody, %d nobody", some, none)
	}
	if _, err := planner.Blocked(planner.Input{}); err == nil {
		t.Error("no fleet is no error")
	}
}
