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

// TestAgainJoint: what binds all pools together has the whole plan made anew once something happens, and no plan as long
// as nothing does. A link that is another is something.
func TestAgainJoint(t *testing.T) {
	for name, c := range map[string]struct {
		rule   func(*plan.Policy, *fleet.Fleet)
		change func(*fleet.Fleet)
		whole  string // empty: the plan stands
	}{
		"racks, unchanged":  {func(p *plan.Policy, _ *fleet.Fleet) { p.StaggerRacks = true }, func(*fleet.Fleet) {}, ""},
		"settle, unchanged": {func(p *plan.Policy, _ *fleet.Fleet) { p.Home = plan.HomeSettle }, func(*fleet.Fleet) {}, ""},
		"links, unchanged":  {func(_ *plan.Policy, f *fleet.Fleet) { f.Links = linked(4000, "n1") }, func(*fleet.Fleet) {}, ""},
		"a slower link":     {func(_ *plan.Policy, f *fleet.Fleet) { f.Links = linked(4000, "n1") }, func(f *fleet.Fleet) { f.Links = linked(1000, "n1") }, "link up carried 4000 Mbit/s and carries 1000"},
		"a link elsewhere":  {func(_ *plan.Policy, f *fleet.Fleet) { f.Links = linked(4000, "n1") }, func(f *fleet.Fleet) { f.Links = linked(4000, "n2") }, "link up leads elsewhere"},
		"no link any more":  {func(_ *plan.Policy, f *fleet.Fleet) { f.Links = linked(4000, "n1") }, func(f *fleet.Fleet) { f.Links = nil }, "link up is gone"},
		"a link":            {func(*plan.Policy, *fleet.Fleet) {}, func(f *fleet.Fleet) { f.Links = linked(4000, "n1") }, "link up was added"},
	} {
		t.Run(name, func(t *testing.T) {
			f, pol := threeSites(), eager()
			c.rule(&pol, f)
			in := planner.Input{Fleet: f, Policy: pol, Campaign: "c", Revision: 1, Now: at(t, "2026-03-02 09:00")}
			was, err := planner.Propose(in)
			if err != nil {
				t.Fatal(err)
			}
			was.Fleet = in.Fleet
			next := copied(t, in.Fleet)
			c.change(next)
			in.Fleet, in.Revision = next, 0
			_, ch, err := planner.Again(in, &was)
			if err != nil || ch.Whole != c.whole || ch.None() != (c.whole == "") {
				t.Errorf("%v, whole %q, none %v; want %q", err, ch.Whole, ch.None(), c.whole)
			}
		})
	}
}

func linked(mbps int64, site string) []fleet.Link {
	return []fleet.Link{{ID: "up", Mbps: mbps, Sites: []string{site}}}
}
