package planner

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// movesNobody are the tactics that leave every instance on its own host, a refresh where it is done in place.
var movesNobody = []plan.Tactic{plan.LivePatch, plan.Refresh, plan.Suspend, plan.Reboot}

// Follow is the input of the plan that a campaign calls for whose cohorts are held because migrations
// towards fixed hosts fail: a child of it, with the same policy and target, but that the held cohorts have
// only those of their tactics, within policy's, that move nobody. f is the fleet as it is now; held are
// names of cohorts as advisory.Cohorts gives them; hosts are judged by the target alone. Where no such
// tactic is left, the child's plan blocks their hosts and says what would allow them. parent is not changed.
// An error: there is nothing to narrow, or the input could not be planned.
func Follow(parent plan.Plan, f *fleet.Fleet, held []string, now time.Time, campaign string) (Input, error) {
	switch {
	case f == nil:
		return Input{}, fmt.Errorf("campaign %s: no fleet to plan its child for", parent.Campaign)
	case parent.Target == nil:
		return Input{}, fmt.Errorf("campaign %s is a routine cycle and has no cohorts: make a plan with other tactics in the policy", parent.Campaign)
	case len(held) == 0:
		return Input{}, fmt.Errorf("no cohort of campaign %s is held: nothing calls for another tactic", parent.Campaign)
	}
	t := *parent.Target
	t.Cohorts = slices.Clone(t.Cohorts)
	names := advisory.NewCohorts(f, &t)
	found := map[string]bool{}
	for i := range t.Cohorts {
		if name := names.Name(&t.Cohorts[i]); slices.Contains(held, name) {
			found[name] = true
			t.Cohorts[i].InPlace = true
			t.Cohorts[i].Tactics = still(&t.Cohorts[i], parent.Policy)
		}
	}
	for _, name := range held {
		if !found[name] {
			return Input{}, fmt.Errorf("target %s has no cohort %q: it has %s", t.ID, name, cohortNames(names, &t))
		}
	}
	return Input{
		Fleet: f, Target: &t, Assessment: advisory.Assess(f, &t, nil, 0, now), Policy: parent.Policy,
		Campaign: campaign, Now: now, Revision: 1, Supersedes: parent.Campaign,
	}, nil
}

// still are those of a cohort's tactics, within policy's, that move nobody. An empty list would allow all,
// so where none is left it is hold.
func still(c *plan.Cohort, p plan.Policy) (out []plan.Tactic) {
	for _, t := range movesNobody {
		if slices.Contains(p.Tactics, t) && (len(c.Tactics) == 0 || slices.Contains(c.Tactics, t)) {
			out = append(out, t)
		}
	}
	if len(out) == 0 {
		return []plan.Tactic{plan.Hold}
	}
	return out
}

func cohortNames(names *advisory.Cohorts, t *plan.Target) string {
	var all []string
	for i := range t.Cohorts {
		all = append(all, names.Name(&t.Cohorts[i]))
	}
	return orElse(strings.Join(all, ", "), "none")
}
