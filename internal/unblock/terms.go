package unblock

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// everyTactic, least disruptive first.
var everyTactic = []plan.Tactic{plan.LivePatch, plan.Refresh, plan.Evacuate, plan.Suspend, plan.Reboot}

var tacticWords = map[plan.Tactic]string{
	plan.LivePatch: "the host is patched while it runs",
	plan.Refresh:   "instances get new processes",
	plan.Evacuate:  "instances are moved away before the reboot",
	plan.Suspend:   "what cannot move is saved in its slot and restored after",
	plan.Reboot:    "what cannot move is stopped in its slot and started after",
}

func tacticRank(t plan.Tactic) rank {
	switch t {
	case plan.Suspend:
		return suspends
	case plan.Reboot:
		return reboots
	}
	return undrastic
}

// tactics allows them in policy, and in the host's cohort where that names others alone.
func (c *collector) tactics(h *fleet.Host, list ...plan.Tactic) {
	n, cohort := c.cohortOf(h)
	for _, t := range list {
		if !c.remedies(cohort, t) {
			continue
		}
		if !slices.Contains(c.in.Policy.Tactics, t) {
			c.put(fixedChange(option{rank: tacticRank(t), apply: func(in *planner.Input, _ int64) { in.Policy.Tactics = allowing(in.Policy.Tactics, t) }},
				plan.Change{Of: "policy", Field: "tactics", To: joined(allowing(c.in.Policy.Tactics, t)), Words: fmt.Sprintf("allow the tactic %s in the policy: %s", t, tacticWords[t])}))
		}
		if cohort == nil || len(cohort.Tactics) == 0 || slices.Contains(cohort.Tactics, t) {
			continue
		}
		c.put(fixedChange(option{rank: tacticRank(t), apply: func(in *planner.Input, _ int64) {
			in.Target.Cohorts[n].Tactics = allowing(in.Target.Cohorts[n].Tactics, t)
		}}, plan.Change{Of: "target", Field: fmt.Sprintf("cohorts[%d].tactics", n), To: joined(allowing(cohort.Tactics, t)),
			Words: fmt.Sprintf("allow the tactic %s in the cohort %s: %s", t, c.cohortName(n), tacticWords[t])}))
	}
	if cohort != nil && cohort.InPlace {
		c.put(fixedChange(option{rank: undrastic, apply: func(in *planner.Input, _ int64) { in.Target.Cohorts[n].InPlace = false }},
			plan.Change{Of: "target", Field: fmt.Sprintf("cohorts[%d].in_place", n), To: "false", Words: fmt.Sprintf("let instances of the cohort %s be live-migrated (in_place: false)", c.cohortName(n))}))
	}
}

// remedies: a tactic could be the way to a cohort at all.
func (s *search) remedies(cohort *plan.Cohort, t plan.Tactic) bool {
	switch t {
	case plan.LivePatch:
		return cohort != nil && cohort.Remedy == "live-patch"
	case plan.Refresh: // or some instances alone run on what was there before
		return cohort != nil && (cohort.Remedy == "refresh" || slices.ContainsFunc(s.in.Assessment.Hosts, func(v advisory.HostVerdict) bool { return v.Verdict == advisory.IsFixed }))
	}
	return true
}

// cohortOf is the place of a host's cohort in the target, and the cohort; nil: it has none.
func (s *search) cohortOf(h *fleet.Host) (int, *plan.Cohort) {
	if s.in.Target == nil {
		return 0, nil
	}
	found := advisory.NewCohorts(s.in.Fleet, s.in.Target).Of(h)
	for n := range s.in.Target.Cohorts {
		if c := &s.in.Target.Cohorts[n]; c == found {
			return n, c
		}
	}
	return 0, nil
}

func (s *search) cohortName(n int) string {
	if name := s.in.Target.Cohorts[n].Name; name != "" {
		return name
	}
	return fmt.Sprintf("#%d", n+1)
}

// allowing is a list with one tactic more, in the order of all.
func allowing(list []plan.Tactic, t plan.Tactic) (out []plan.Tactic) {
	for _, o := range append(slices.Clone(everyTactic), plan.Hold) {
		if o == t || slices.Contains(list, o) {
			out = append(out, o)
		}
	}
	return out
}

func joined(list []plan.Tactic) string {
	var words []string
	for _, t := range list {
		words = append(words, string(t))
	}
	return strings.Join(words, ", ")
}

// ofPolicy is a number of the policy.
func ofPolicy(field string, r rank, least, most int64, to, words func(n int64) string, apply func(p *plan.Policy, n int64)) *option {
	return &option{key: "policy " + field, rank: r, least: least, most: most,
		change: func(n int64) plan.Change {
			return plan.Change{Of: "policy", Field: field, To: to(n), Words: words(n)}
		},
		apply: func(in *planner.Input, n int64) { apply(&in.Policy, n) }}
}

// longer raises one of the policy's times by whole seconds, up to half a slot: more would leave no time to
// do anything else in it.
func (c *collector) longer(field string, of func(*plan.Times) *plan.Duration) {
	now := *of(&c.in.Policy.Times)
	after := func(n int64) plan.Duration { return now + plan.Duration(n)*plan.Duration(time.Second) }
	most := max(1, int64((c.in.Policy.Slot.Std()/2-now.Std())/time.Second))
	c.put(ofPolicy("times."+field, undrastic, 1, most, func(n int64) string { return after(n).String() },
		func(n int64) string { return fmt.Sprintf("raise times.%s from %s to %s", field, now, after(n)) },
		func(p *plan.Policy, n int64) { *of(&p.Times) = after(n) }))
}

// fewerMoves lets each migration have more of the link.
func fewerMoves(p plan.Policy) *option {
	now := int64(p.MovesPerHost)
	return ofPolicy("moves_per_host", undrastic, 1, now-1, func(n int64) string { return fmt.Sprint(now - n) },
		func(n int64) string { return fmt.Sprintf("migrate %d at once from one host, and not %d", now-n, now) },
		func(p *plan.Policy, n int64) { p.MovesPerHost = int(now - n) })
}

func postCopy(p plan.Policy) *option {
	if slices.Contains(p.NonConverging, "post-copy") {
		return nil
	}
	list := append([]string{"post-copy"}, p.NonConverging...)
	return fixedChange(option{rank: undrastic, apply: func(in *planner.Input, _ int64) { in.Policy.NonConverging = list }},
		plan.Change{Of: "policy", Field: "non_converging", To: strings.Join(list, ", "), Words: "let a migration that does not converge switch over to post-copy"})
}

const dayMinutes = 24 * 60

// longerSlots lengthens the slot and the windows that a host may use, by whole minutes.
func (c *collector) longerSlots(h *fleet.Host) {
	now := c.in.Policy.Slot
	slot := func(n int64) plan.Duration { return now + plan.Duration(n)*plan.Duration(time.Minute) }
	c.put(ofPolicy("slot", undrastic, 1, dayMinutes-int64(now.Std()/time.Minute), func(n int64) string { return slot(n).String() },
		func(n int64) string { return fmt.Sprintf("promise slots of %s, and not of %s", slot(n), now) },
		func(p *plan.Policy, n int64) { p.Slot = slot(n) }))
	for i, w := range c.in.Policy.Windows {
		room := dayMinutes - int64(w.Length.Std()/time.Minute)
		if w.Always || room < 1 || !c.serves(w, h) {
			continue
		}
		length := func(n int64) plan.Duration { return w.Length + plan.Duration(n)*plan.Duration(time.Minute) }
		field := fmt.Sprintf("windows[%d].length", i)
		c.put(ofPolicy(field, undrastic, 1, room, func(n int64) string { return length(n).String() },
			func(n int64) string {
				return fmt.Sprintf("let the window at %s be %s long, and not %s", w.Start, length(n), w.Length)
			},
			func(p *plan.Policy, n int64) {
				p.Windows = slices.Clone(p.Windows)
				p.Windows[i].Length = length(n)
			}))
	}
}

// serves: a window's selectors match a host.
func (s *search) serves(w plan.WindowRule, h *fleet.Host) bool {
	site := s.ix.SiteOf(h.ID)
	return (w.Hypervisor == "" || w.Hypervisor == string(h.Hypervisor)) &&
		(len(w.Regions) == 0 || slices.Contains(w.Regions, s.ix.RegionOf(h.ID))) &&
		(len(w.Sites) == 0 || site != nil && slices.Contains(w.Sites, site.ID))
}

// newWindow opens one at each night of a host's site.
func (c *collector) newWindow(h *fleet.Host) {
	site := c.ix.SiteOf(h.ID)
	if site == nil {
		return
	}
	id := site.ID
	rule := func(n int64) plan.WindowRule {
		return plan.WindowRule{Sites: []string{id}, Start: "02:00", Length: plan.Duration(n) * plan.Duration(time.Minute)}
	}
	o := ofPolicy("windows", undrastic, 1, dayMinutes, func(n int64) string { return fmt.Sprintf("sites: [%s], start: 02:00, length: %s", id, rule(n).Length) },
		func(n int64) string {
			return fmt.Sprintf("add a window of %s at 02:00 for site %s", rule(n).Length, id)
		},
		func(p *plan.Policy, n int64) { p.Windows = append(slices.Clone(p.Windows), rule(n)) })
	o.key += " " + id
	c.put(o)
}

// sooner lets turns be over sooner: more hosts away at once, or windows at any time.
func (c *collector) sooner(h *fleet.Host) {
	now := int64(c.in.Policy.MaxAwayPercent)
	c.put(ofPolicy("max_away_percent", undrastic, 1, 100-now, func(n int64) string { return fmt.Sprint(now + n) },
		func(n int64) string {
			return fmt.Sprintf("let %d %% of a pool be away at once, and not %d %%", now+n, now)
		},
		func(p *plan.Policy, n int64) { p.MaxAwayPercent = int(now + n) }))
	c.longerSlots(h)
	if site := c.ix.SiteOf(h.ID); site != nil && !slices.ContainsFunc(c.in.Policy.Windows, func(w plan.WindowRule) bool { return w.Always && c.serves(w, h) }) {
		id := site.ID
		c.put(fixedChange(option{rank: lessSafe, apply: func(in *planner.Input, _ int64) {
			in.Policy.Windows = append(slices.Clone(in.Policy.Windows), plan.WindowRule{Sites: []string{id}, Always: true})
		}}, plan.Change{Of: "policy", Field: "windows", To: fmt.Sprintf("sites: [%s], always: true", id), Words: fmt.Sprintf("let site %s be disturbed at any hour", id)}))
	}
	if c.in.Policy.AwayPerRack > 0 {
		c.put(fixedChange(option{rank: lessSafe, apply: func(in *planner.Input, _ int64) { in.Policy.AwayPerRack = 0 }},
			plan.Change{Of: "policy", Field: "away_per_rack", To: "0", Words: "let any number of a rack's hosts be away at once"}))
	}
	if c.in.Policy.AwayPerRegion > 0 {
		c.put(fixedChange(option{rank: lessSafe, apply: func(in *planner.Input, _ int64) { in.Policy.AwayPerRegion = 0 }},
			plan.Change{Of: "policy", Field: "away_per_region", To: "0", Words: "let any number of a region's hosts be away at once"}))
	}
	if c.in.Policy.Gaps() {
		c.put(fixedChange(option{rank: lessSafe, apply: func(in *planner.Input, _ int64) { in.Policy.StaggerGap = plan.Gap{} }},
			plan.Change{Of: "policy", Field: "stagger_gap", To: "none", Words: "leave no time between places that are disturbed apart"}))
	}
	if c.in.Policy.StaggerRacks {
		c.put(fixedChange(option{rank: lessSafe, apply: func(in *planner.Input, _ int64) { in.Policy.StaggerRacks, in.Policy.StaggerGap.Racks = false, 0 }},
			plan.Change{Of: "policy", Field: "stagger_racks", To: "false", Words: "let several racks of a site be disturbed at once"}))
	}
	if c.in.Policy.StaggerSites {
		c.put(fixedChange(option{rank: drastic, apply: func(in *planner.Input, _ int64) { in.Policy.StaggerSites, in.Policy.StaggerGap.Sites = false, 0 }},
			plan.Change{Of: "policy", Field: "stagger_sites", To: "false", Words: "let several sites of a region be disturbed at once"}))
	}
	if c.in.Policy.StaggerRegions {
		c.put(fixedChange(option{rank: drastic, apply: func(in *planner.Input, _ int64) { in.Policy.StaggerRegions, in.Policy.StaggerGap.Regions = false, 0 }},
			plan.Change{Of: "policy", Field: "stagger_regions", To: "false", Words: "let several regions be disturbed at once"}))
	}
}

// deadline moves the limit that turns are past.
func (c *collector) deadline(code string) {
	if code == "after-disclosure" {
		c.put(fixedChange(option{rank: drastic, apply: func(in *planner.Input, _ int64) { in.Policy.AfterDisclosure = true }},
			plan.Change{Of: "policy", Field: "after_disclosure", To: "true", Words: "let the plan end after disclosure"}))
		return
	}
	of, now := "policy", c.in.Policy.FinishBy
	if c.in.Target != nil && !c.in.Target.FinishBy.IsZero() {
		of, now = "target", c.in.Target.FinishBy
	}
	moved := func(n int64) time.Time { return now.UTC().Add(time.Duration(n) * time.Minute) }
	c.put(&option{key: "finish_by", rank: undrastic, least: 1, most: 500 * dayMinutes,
		change: func(n int64) plan.Change {
			return plan.Change{Of: of, Field: "finish_by", To: moved(n).Format(time.RFC3339), Words: fmt.Sprintf("finish by %s, and not by %s", moved(n).Format("2006-01-02 15:04 UTC"), now.UTC().Format("2006-01-02 15:04 UTC"))}
		},
		apply: func(in *planner.Input, n int64) {
			if of == "target" {
				in.Target.FinishBy = moved(n)
				return
			}
			in.Policy.FinishBy = moved(n)
		}})
}
