package whatif

import (
	"fmt"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// lever is one change that makes plans shorter, of some amount between 1 and most: more does not make it longer
// as a rule. They stand in the order of what they cost.
type lever struct {
	price string
	most  int
	words func(n int) string
	apply func(in *planner.Input, n int) bool // false: it changes nothing here
}

// mostMoves is how many migrations at once a policy may allow.
const mostMoves = 1000

// leversOf gives what could help, the cheapest first: what only loads links, what takes more hosts at once, what
// takes people's nights and their notice, what costs machines, what costs safety and at last what stops instances.
func leversOf(in planner.Input) []lever {
	p := in.Policy
	out := []lever{
		{"instances stay where they landed", 1, func(int) string { return "do not bring instances home (home: stay)" },
			func(in *planner.Input, _ int) bool { return goes(in, plan.HomeStay) }},
		{"busier links", min(3, mostMoves/max(1, p.MovesPerHost, p.MovesPerPool)-1), func(n int) string {
			return fmt.Sprintf("migrate %d at once from a host and %d in a pool (moves_per_host, moves_per_pool), not %d and %d", (n+1)*p.MovesPerHost, (n+1)*p.MovesPerPool, p.MovesPerHost, p.MovesPerPool)
		}, func(in *planner.Input, n int) bool {
			in.Policy.MovesPerHost, in.Policy.MovesPerPool = (n+1)*p.MovesPerHost, (n+1)*p.MovesPerPool
			return true
		}},
		{"busier links between sites", linkMost(in), func(n int) string {
			return fmt.Sprintf("migrate %d at once over each link (moves_per_link), not %d", (n+1)*p.OverLink(), p.OverLink())
		}, func(in *planner.Input, n int) bool {
			in.Policy.MovesPerLink = (n + 1) * p.OverLink()
			return true
		}},
		{"busier racks and regions", 1, func(int) string {
			return "let any number of migrations have an end in one rack and in one region (moves_per_rack, moves_per_region: 0)"
		}, func(in *planner.Input, _ int) bool {
			bound := in.Policy.MovesPerRack + in.Policy.MovesPerRegion
			in.Policy.MovesPerRack, in.Policy.MovesPerRegion = 0, 0
			return bound > 0
		}},
		{"less room while it lasts", 100 - p.MaxAwayPercent, func(n int) string {
			return fmt.Sprintf("let %d %% of a pool be away at once (max_away_percent), not %d %%", p.MaxAwayPercent+n, p.MaxAwayPercent)
		}, func(in *planner.Input, n int) bool {
			return raised(&in.Policy.MaxAwayPercent, p.MaxAwayPercent+n)
		}},
		{"longer nights", 12, func(n int) string {
			return fmt.Sprintf("make each window %s longer, up to a day (windows[].length)", plan.Duration(n)*plan.Duration(time.Hour))
		}, func(in *planner.Input, n int) bool { return longerWindows(in, n) }},
		{"shorter notice", 100, func(n int) string {
			lead := part(p.Lead, 100-n)
			return fmt.Sprintf("give %s of notice for a migration and %s for a stop (lead), not %s and %s", lead.Blip, lead.Outage, p.Lead.Blip, p.Lead.Outage)
		}, func(in *planner.Input, n int) bool {
			in.Policy.Lead = part(p.Lead, 100-n)
			return in.Policy.Lead != p.Lead
		}},
		{"more hosts", 8, func(n int) string {
			return fmt.Sprintf("add %s in each pool that needs turns", spareHosts(&in, n))
		}, func(in *planner.Input, n int) bool { return addSpares(in, n) }},
		{"disruption by day", 1, func(int) string { return "allow any hour of any day (windows: [{always: true}])" },
			func(in *planner.Input, _ int) bool { return anyHour(in) }},
		{"less trust before the next wave", 1, func(int) string {
			return "leave out the canary and its soak, and let waves be as big as they can (canary: false)"
		},
			func(in *planner.Input, _ int) bool { return set(&in.Policy.Canary, false) }},
		{"more of a rack or region", 1, func(int) string {
			return "let any number of a rack's and a region's hosts be away at once (away_per_rack, away_per_region: 0)"
		}, func(in *planner.Input, _ int) bool {
			bound := in.Policy.AwayPerRack + in.Policy.AwayPerRegion
			in.Policy.AwayPerRack, in.Policy.AwayPerRegion = 0, 0
			return bound > 0
		}},
		{"two racks of a site at once", 1, func(int) string { return "disturb racks of a site at the same time (stagger_racks: false)" },
			func(in *planner.Input, _ int) bool {
				in.Policy.StaggerGap.Racks = 0
				return set(&in.Policy.StaggerRacks, false)
			}},
		{"no time between places", 1, func(int) string { return "leave no time between places that are disturbed apart (stagger_gap: none)" },
			func(in *planner.Input, _ int) bool {
				gaps := in.Policy.Gaps()
				in.Policy.StaggerGap = plan.Gap{}
				return gaps
			}},
		{"two sites of a region at once", 1, func(int) string { return "disturb sites of a region at the same time (stagger_sites: false)" },
			func(in *planner.Input, _ int) bool {
				in.Policy.StaggerGap.Sites = 0
				return set(&in.Policy.StaggerSites, false)
			}},
		{"two regions at once", 1, func(int) string { return "disturb regions at the same time (stagger_regions: false)" },
			func(in *planner.Input, _ int) bool {
				in.Policy.StaggerGap.Regions = 0
				return set(&in.Policy.StaggerRegions, false)
			}},
		{"instances are saved and restored", 1, func(int) string {
			if slices.Contains(p.Tactics, plan.Suspend) {
				return "save instances in their slots and do not move them (tactics without evacuate)"
			}
			return "save instances in their slots and do not move them (tactics with suspend and without evacuate)"
		}, func(in *planner.Input, _ int) bool { return savedNotMoved(in) }},
	}
	return slices.DeleteFunc(out, func(l lever) bool {
		c := copied(in)
		return l.most < 1 || !l.apply(&c, l.most)
	})
}

// linkMost is how far more migrations over a link can go; 0: no link of the fleet binds any.
func linkMost(in planner.Input) int {
	if in.Fleet == nil || len(in.Fleet.Links) == 0 {
		return 0
	}
	return min(3, mostMoves/in.Policy.OverLink()-1)
}

// longerWindows makes each so many hours longer, up to a whole day.
func longerWindows(in *planner.Input, hours int) (changed bool) {
	const day = plan.Duration(24 * time.Hour)
	for i := range in.Policy.Windows {
		w := &in.Policy.Windows[i]
		if w.Always || w.Length >= day {
			continue
		}
		w.Length = min(day, w.Length+plan.Duration(hours)*plan.Duration(time.Hour))
		changed = true
	}
	return changed
}

// part is so many hundredths of a notice, by whole hours; by whole minutes below one.
func part(l plan.Lead, percent int) plan.Lead {
	of := func(d plan.Duration) plan.Duration {
		left := time.Duration(d) / 100 * time.Duration(percent)
		if left >= time.Hour {
			return plan.Duration(left.Truncate(time.Hour))
		}
		return plan.Duration(left.Truncate(time.Minute))
	}
	return plan.Lead{Blip: of(l.Blip), Outage: of(l.Outage)}
}
