package engine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
	"github.com/evenkeel/evenkeel/internal/store"
)

// A plan to measure by is sound, and refused all the same: it tells nobody ahead and keeps nothing in reserve.
func TestPlansToMeasureByAreRefused(t *testing.T) {
	careful := planOf(t, "one", "p", [2]string{"h1", "h2"}, "", "")
	c, _, _ := control(t, store.NewMemory())
	p, err := planner.Propose(planner.Input{Fleet: careful.Fleet, Policy: plan.ToBound(careful.Policy), Profile: plan.Bound, Campaign: "one", Now: time.Now().UTC().Add(time.Hour), Revision: 1})
	if err != nil || len(p.Turns) != 2 {
		t.Fatalf("%d turns, %v", len(p.Turns), err)
	}
	r := refusal(c.Apply(t.Context(), &p, "t"))
	if r == nil || r.Code != "profile" || !strings.Contains(r.Next, "--profile careful") {
		t.Fatalf("refused: %+v", r)
	}
	if err := c.Apply(t.Context(), careful, "t"); err != nil { // nothing was recorded of the other
		t.Fatal(err)
	}
}
