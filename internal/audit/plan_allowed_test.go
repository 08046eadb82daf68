package audit

import (
	"testing"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// unfixedInstead makes own land on c, which is not fixed, while a is and has room.
func unfixedInstead(p *plan.Plan) {
	p.Moves[4].To = "c"
	p.Moves = append(p.Moves, plan.Move{Instance: "own", From: "c", To: "b", Turn: "c", Start: at("2026-03-11 02:03"), End: at("2026-03-11 02:05")})
	s := *slotOf(p, "c/a2")
	s.ID, s.Instance, s.Tenant = "c/own", "own", ""
	p.Slots = append(p.Slots, s)
}

// TestPlanAllowed: what a plan may do, although it looks like what it may not.
func TestPlanAllowed(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(f *fleet.Fleet, p *plan.Plan)
	}{
		{"an unfixed destination, where the link to the fixed one is slower", func(f *fleet.Fleet, p *plan.Plan) {
			unfixedInstead(p)
			f.Hosts[0].NICMbps, f.Hosts[1].NICMbps, f.Hosts[2].NICMbps = 150, 10000, 10000
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, p := goodFleet(), goodPlan()
			c.change(f, p)
			seal(p)
			if found := Plan(f, p); len(found) > 0 {
				show(t, found)
				t.Fatal("found fault with what is allowed")
			}
		})
	}
}
