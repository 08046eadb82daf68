package explain_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/explain"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// TestPlanOfAnotherFleet: a plan that names what its fleet does not have is refused, whoever is asked for, and nothing
// is said of it.
func TestPlanOfAnotherFleet(t *testing.T) {
	f := uniform(4, 16384, 2, 4096)
	good := propose(t, f, eager())
	good.Fleet = f
	for want, spoil := range map[string]func(p *plan.Plan){
		`of host "h9"`:          func(p *plan.Plan) { p.Turns[1].Host = "h9" },
		`moves instance "v9"`:   func(p *plan.Plan) { p.Moves[0].Instance = "v9" },
		`from host "h9"`:        func(p *plan.Plan) { p.Moves[0].From = "h9" },
		`to host "h9"`:          func(p *plan.Plan) { p.Moves[0].To = "h9" },
		`in turn "h9"`:          func(p *plan.Plan) { p.Moves[0].Turn = "h9" },
		`of instance "v9"`:      func(p *plan.Plan) { p.Slots[0].Instance = "v9" },
		`in turn "none", and`:   func(p *plan.Plan) { p.Slots[0].Turn = "none" },
		"which its fleet does ": func(p *plan.Plan) { p.Fleet = &fleet.Fleet{Hosts: p.Fleet.Hosts[:1], Pools: p.Fleet.Pools} },
	} {
		p := good
		p.Turns, p.Moves, p.Slots = slices.Clone(p.Turns), slices.Clone(p.Moves), slices.Clone(p.Slots)
		spoil(&p)
		if _, err := explain.Of(&p, f.Hosts[0].ID, nil); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "make the plan again") {
			t.Errorf("want %s: %v", want, err)
		}
	}
	if _, err := explain.Of(&good, f.Hosts[0].ID, nil); err != nil {
		t.Errorf("the plan as it was made: %v", err)
	}
}
