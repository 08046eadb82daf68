// Package unblock says, for each cause for which a plan blocks hosts or instances, a minimal set of
// changes to fleet, target or policy that would free them all.
//
// It makes nothing up: each set was applied to a copy of what the plan was made from, planned again,
// and found to free whom it should while it blocks nobody else. It changes nothing of its input, reads
// no clock, and never plans for anybody: planner does, and plan says what a cause and a change are.
//
// How it works. What is blocked is grouped by cause (group.go). For each cause those changes are
// written down that could help at all, by its code (kinds.go), the least drastic first. One change that
// frees all is looked for; if there is none, all are taken, with those that help against what shows
// up behind the first reason, and as many taken away again as can be (search.go). In a small fleet
// all smaller sets are tried after that, so that what is left is proven to be smallest.
// Then each number in the set is made as small as it may be, by bisection. In a big fleet all this
// is asked of the pools concerned alone (cut.go), and with so many attempts at most.
//
// Members of a group that one turn would disturb together may also be put on other hosts ahead of the plan, if
// that is fewer changes than to let the group spare more (moves.go). At last the sets of all causes are planned
// together: what else it takes then is added, and what one of them spares is left out (together.go).
//
// Start reading at Causes, then search.go and together.go.
package unblock

import (
	"slices"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// Causes groups what a plan blocks, finds for each group what would free it, and what all of that comes to
// when it is done at once; in must be what p was made from. The order is that of their sizes, the largest
// first. Together is nil where fewer than two causes can be freed.
func Causes(in planner.Input, p plan.Plan) ([]plan.Cause, *plan.Together) {
	if len(p.Blocked) == 0 {
		return nil, nil
	}
	b := &study{in: in, plan: p, ix: fleet.NewIndex(in.Fleet), left: effort}
	groups := group(b.ix, p.Blocked)
	out, all := make([]plan.Cause, 0, len(groups)), make([]solved, 0, len(groups))
	for n, g := range groups {
		b.share = min(b.left, max(leastShare, b.left/(len(groups)-n)))
		c, set := b.solve(g)
		out, all = append(out, c), append(all, solved{blockage: g, set: set})
	}
	return out, b.together(all)
}

// solve finds a set of changes for one cause.
func (b *study) solve(g *blockage) (plan.Cause, []pick) {
	c := plan.Cause{Code: g.code, Pool: g.pool, Hosts: g.hosts(), Instances: g.instances()}
	if what := wordsOnly[g.code]; what != "" {
		c.Why = what + ": " + g.own[0].Unblock
		return c, nil
	}
	for _, s := range b.views(g) {
		found := s.run()
		if found.set == nil {
			c.Why = s.whyNone(found)
			continue
		}
		if s.part && !b.confirmed(g, found.set) {
			c.Why = "what frees the pools concerned by themselves does not do so within the whole fleet"
			continue
		}
		c.Why, c.Proven, c.Changes = s.words(found), found.proven, written(s.in, found.set)
		return c, found.set
	}
	if c.Why == "" {
		c.Why = "not tried, for the plans that may be made to look for changes went to larger causes, or one would take too long; it says itself: " + g.own[0].Unblock
	}
	return c, nil
}

// wordsOnly are codes that no change frees whose value could be known here.
var wordsOnly = map[string]string{
	"verdict-unknown":         "facts are missing, and what they will say is not known",
	"instance-affected-alone": "the instance runs on what its host no longer offers",
	"no-cohort":               "only who knows the fix can name it",
	"build-unknown":           "facts are missing, and what they will say is not known",
	"no-update-named":         "only who knows the fix can name what brings it",
	"under-way":               "the campaign before this one ends that turn",
	"windows-apart":           "each owner's windows are its own to change, and each was tried",
}

// confirmed plans the whole fleet once more, where that is not too much.
func (b *study) confirmed(g *blockage, set []pick) bool {
	if len(b.in.Fleet.Hosts) > wholeMost {
		return true
	}
	b.share += costOf(b.in) // for this one plan
	return b.newSearch(b.in, b.plan.Blocked, g).frees(set)
}

func sortedUnique(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}
