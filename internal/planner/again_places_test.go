package planner_test

import (
	"slices"
	"testing"

	"github.com/evenkeel/evenkeel/internal/audit"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// TestAgainWithRulesOfPlaces: what binds pools together keeps a plan from being made again for one of them.
func TestAgainWithRulesOfPlaces(t *testing.T) {
	for name, rule := range map[string]func(*plan.Policy){
		"racks":  func(p *plan.Policy) { p.StaggerRacks = true },
		"gap":    func(p *plan.Policy) { p.StaggerSites, p.StaggerGap.Sites = true, plan.Duration(12*3600*1e9) },
		"region": func(p *plan.Policy) { p.AwayPerRegion = 2 },
		"moves":  func(p *plan.Policy) { p.MovesPerRack = 1 },
	} {
		pol := eager()
		rule(&pol)
		in := planner.Input{Fleet: threeSites(), Policy: pol, Campaign: "c", Revision: 1, Now: at(t, "2026-03-02 09:00")}
		was, err := planner.Propose(in)
		if err != nil {
			t.Fatal(err)
		}
		was.Fleet = in.Fleet
		next := *in.Fleet
		next.Hosts = slices.Clone(next.Hosts)
		next.Hosts[3].Health = fleet.Down
		in.Fleet, in.Revision = &next, 2
		p, c, err := planner.Again(in, &was)
		if err != nil || c.Whole == "" {
			t.Errorf("%s: made again in part (%v)", name, err)
		}
		if found := audit.Plan(&next, &p); len(found) > 0 {
			t.Errorf("%s: %v", name, found[0])
		}
	}
}
