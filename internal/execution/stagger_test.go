package execution

import (
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Racks of one site are not disrupted at once, and policy may leave time between them; a host whose rack is not known
// is a rack of its own. A controller that was killed and has folded its journal knows when the last turn ended.
func TestRacksApart(t *testing.T) {
	for name, c := range map[string]struct {
		change func(p *plan.Plan, f *fleet.Fleet)
		after  time.Duration // the least time between the turns of h1 and h2
		most   int           // turns at once
	}{
		"no rule": {func(*plan.Plan, *fleet.Fleet) {}, 0, 2},
		"one rack": {func(p *plan.Plan, f *fleet.Fleet) {
			p.Policy.StaggerRacks = true
			f.Hosts[0].Rack, f.Hosts[1].Rack = "r", "r"
		}, 0, 2},
		"two racks": {func(p *plan.Plan, f *fleet.Fleet) {
			p.Policy.StaggerRacks = true
			f.Hosts[0].Rack, f.Hosts[1].Rack = "r", "s"
		}, 0, 1},
		"nobody knows": {func(p *plan.Plan, _ *fleet.Fleet) { p.Policy.StaggerRacks = true }, 0, 1},
		"two racks, a gap": {func(p *plan.Plan, _ *fleet.Fleet) {
			p.Policy.StaggerRacks, p.Policy.StaggerGap.Racks = true, plan.Duration(7*time.Minute)
		}, 7 * time.Minute, 1},
		"a gap that is off": {func(p *plan.Plan, _ *fleet.Fleet) { p.Policy.StaggerGap.Racks = plan.Duration(7 * time.Minute) }, 0, 2},
		"one of a rack": {func(p *plan.Plan, f *fleet.Fleet) {
			p.Policy.AwayPerRack = 1
			f.Hosts[0].Rack, f.Hosts[1].Rack = "r", "r"
		}, 0, 1},
		"one of each rack": {func(p *plan.Plan, f *fleet.Fleet) {
			p.Policy.AwayPerRack = 1
			f.Hosts[0].Rack, f.Hosts[1].Rack = "r", "s"
		}, 0, 2},
		"one of a region": {func(p *plan.Plan, f *fleet.Fleet) { p.Policy.AwayPerRegion = 1 }, 0, 1},
		"two sites, a gap": {func(p *plan.Plan, f *fleet.Fleet) {
			f.Sites = append(f.Sites, fleet.Site{ID: "s2", Region: "eu"})
			p.Turns[1].Site = "s2"
			p.Policy.StaggerSites, p.Policy.StaggerGap.Sites = true, plan.Duration(9*time.Minute)
		}, 9 * time.Minute, 1},
		"two regions, a gap": {func(p *plan.Plan, f *fleet.Fleet) {
			f.Regions, f.Sites = append(f.Regions, fleet.Region{ID: "us"}), append(f.Sites, fleet.Site{ID: "s2", Region: "us"})
			p.Turns[1].Site = "s2"
			p.Policy.StaggerRegions, p.Policy.StaggerGap.Regions = true, plan.Duration(9*time.Minute)
		}, 9 * time.Minute, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(p *plan.Plan, f *fleet.Fleet) {
				p.Policy.MaxAwayPercent, p.Policy.Canary, p.Policy.KeepReserve, p.Policy.MinStay, f.Groups = 100, false, false, 0, nil
				p.Turns = p.Turns[:2]
				p.Slots = slices.DeleteFunc(p.Slots, func(s plan.Slot) bool { return s.Turn == "h3" })
				p.Turns[0].Canary, p.Turns[1].Wave = false, 1
				c.change(p, f)
			})
			w.kill = true
			most := 0
			w.answer = func(Chore) ([]Fact, bool) {
				most = max(most, w.s.Count()[TurnActive])
				return nil, false
			}
			w.run(at("01:55:00"))
			if most > c.most {
				t.Errorf("%d turns at once, at most %d may be: %s", most, c.most, w.tail(4))
			}
			if n := w.kinds()[TurnDone]; n != 2 {
				t.Fatalf("%d turns are done: %s", n, w.tail(6))
			}
			first, second := w.facts[w.index(TurnDone, "h1")], w.facts[w.index(TurnPermitted, "h2")]
			if first.At.After(second.At) { // h2 had its turn first, or both at once
				first, second = w.facts[w.index(TurnDone, "h2")], w.facts[w.index(TurnPermitted, "h1")]
			}
			if passed := second.At.Sub(first.At); passed < c.after && c.most == 1 {
				t.Errorf("%s between the turns, policy wants %s", passed, c.after)
			}
			if c.most == 2 && most < 2 {
				t.Errorf("turns that nothing keeps apart were never under way together")
			}
		})
	}
}
