package planner_test

import (
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
	"github.com/evenkeel/evenkeel/internal/planner/optima"
)

// TestSketch: a draft of a script comes to what the sketch of it came to, but for one in a few hundred.
func TestSketch(t *testing.T) {
	cases, err := optima.Cases()
	if err != nil {
		t.Fatal(err)
	}
	played, alike := 0, 0
	for _, c := range cases {
		in := planner.Input{Fleet: c.Fleet(), Policy: plan.ToBound(plan.DefaultPolicy()), Campaign: c.Name,
			Now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), Revision: 1}
		for _, changes := range []int{0, 1, 5, 20} {
			sketched, drafted, all, err := planner.Sketched(in, changes)
			if err != nil {
				t.Fatal(err)
			}
			if !all {
				continue
			}
			if played++; sketched == drafted {
				alike++
			}
		}
	}
	if played < 3*len(cases) || 200*alike < 199*played {
		t.Errorf("of %d scripts %d were drafted as sketched", played, alike)
	}
	t.Logf("of %d scripts %d were drafted as sketched", played, alike)
}
