package engine

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/audit"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/form"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// Replan asks for the plan of a child campaign in which some cohorts' instances stay on their hosts.
type Replan struct {
	// Campaign is the child's name; empty: the parent's with the next free number after it.
	Campaign string `json:"campaign,omitempty"`
	// Cohorts beside those that are held.
	Cohorts []string `json:"cohorts,omitempty"`
}

// Replan proposes a child of a campaign, from what the campaign knows now: its cohorts whose migrations
// fail get another tactic. Nothing is changed by it: the plan, with its fleet, is applied like any other.
func (c *Controller) Replan(id string, r Replan) (*plan.Plan, error) {
	p, err := c.turning(id)
	if err != nil {
		return nil, err
	}
	for _, child := range c.children(id) {
		return nil, &Refused{"superseded", fmt.Sprintf("campaign %s takes the place of %s already", child.id, id), "evenkeel status " + child.id}
	}
	now := c.clock.Now().UTC().Truncate(time.Second)
	if behind := p.Behind(); behind > 0 {
		return nil, &Refused{"clock", fmt.Sprintf("the clock lies %s behind the journal", behind.Round(time.Second)), "set it right and ask again"}
	}
	if r.Campaign, err = c.childName(id, r.Campaign); err != nil {
		return nil, err
	}
	s := p.standing(now)
	if s.plan == nil {
		return nil, &Refused{"finished", fmt.Sprintf("campaign %s is finished", id), "evenkeel fleet discover, then evenkeel plan"}
	}
	cohorts := slices.Sorted(maps.Keys(s.held))
	for _, name := range r.Cohorts {
		if !slices.Contains(cohorts, name) {
			cohorts = append(cohorts, name)
		}
	}
	if len(cohorts) == 0 {
		return s.again(now, r.Campaign)
	}
	in, err := planner.Follow(*s.plan, s.fleet, cohorts, now, r.Campaign)
	if err != nil {
		return nil, &Refused{"no-child", err.Error(), "plan by hand with --supersedes " + id}
	}
	in.Promised, in.Underway = s.promised, s.underway
	child, err := planner.Propose(in)
	return judged(in, child, err)
}

// again makes the campaign's plan again for the fleet as it is: what was promised stays where every rule allows it.
func (s *standing) again(now time.Time, campaign string) (*plan.Plan, error) {
	if s.soaks != "" {
		return nil, &Refused{"canary", fmt.Sprintf("host %s is the canary of campaign %s and has not been judged yet: nothing is known of the fix so far", s.soaks, s.plan.Campaign), "ask again when evenkeel status says that it has soaked"}
	}
	in := planner.Input{Fleet: s.fleet, Target: s.plan.Target, Policy: s.plan.Policy, Profile: s.plan.Profile, Campaign: campaign, Now: now,
		Supersedes: s.plan.Campaign, Promised: s.promised, Underway: s.underway}
	if in.Target != nil {
		in.Assessment = advisory.Assess(s.fleet, in.Target, nil, 0, now)
	}
	child, changes, err := planner.Again(in, s.plan)
	if err == nil && changes.None() {
		return nil, &Refused{"stands", fmt.Sprintf("the plan of campaign %s stands: nothing has happened that it did not foresee, and no cohort is held", s.plan.Campaign),
			"name a cohort whose instances are to stay on their hosts with --cohort, or plan with --supersedes " + s.plan.Campaign}
	}
	return judged(in, child, err)
}

// judged gives a plan out once the auditor has nothing against it: what its applying would be refused for is not.
func judged(in planner.Input, p plan.Plan, err error) (*plan.Plan, error) {
	if err != nil {
		return nil, &Refused{"no-plan", "the campaign's fleet cannot be planned for as it stands: " + err.Error(), "evenkeel fleet discover, then plan by hand with --supersedes " + in.Supersedes}
	}
	p.Fleet = in.Fleet // so that it stands for itself; it is pinned by the plan's fleet_digest
	if found := audit.Plan(p.Fleet, &p); len(found) > 0 {
		return nil, &Refused{"audit", fmt.Sprintf("the auditor found %d violations in what was proposed, first: %s", len(found), found[0].What), "plan by hand with --supersedes " + in.Supersedes}
	}
	return &p, nil
}

// standing is a campaign as a plan that takes its place finds it.
type standing struct {
	plan     *plan.Plan // with the fleet that it was made from; nil: the campaign is finished
	fleet    *fleet.Fleet
	held     map[string]string // cohorts, and why
	promised []plan.Slot
	underway map[string]bool // hosts whose turns go on to their end
	soaks    string          // the host of a canary that is under way or not judged yet; empty: none
}

func (p *Pump) standing(now time.Time) (out standing) {
	p.Read(func(s *execution.State) {
		if s.Phase == execution.PhaseFinished {
			return
		}
		was := *s.Plan
		was.Fleet = s.Fleet
		out = standing{plan: &was, fleet: s.Snapshot(now), held: s.HeldCohorts(), promised: s.Promised(), underway: s.Underway(), soaks: s.Soaking()}
	})
	return out
}

// childName is the name that was asked for, if it is one and free, or the next free one after the parent's:
// spring, spring-2, spring-3.
func (c *Controller) childName(parent, asked string) (string, error) {
	taken := c.Campaigns()
	switch {
	case asked != "" && !form.Fits("id", asked):
		_, expected := form.Pattern("id")
		return "", &Refused{"name", fmt.Sprintf("%q cannot be a campaign's name: expected %s", asked, expected), "choose another name with --as"}
	case asked != "" && slices.Contains(taken, asked):
		return "", &Refused{"name", fmt.Sprintf("campaign %s exists already", asked), "choose another name with --as"}
	case asked != "":
		return asked, nil
	}
	stem, n := parent, 2
	if at := strings.LastIndexByte(parent, '-'); at > 0 {
		if last, err := strconv.Atoi(parent[at+1:]); err == nil && last > 1 && last < 100 && parent[at+1] != '0' { // a child's own, no date
			stem, n = parent[:at], last+1
		}
	}
	for ; ; n++ {
		if name := fmt.Sprintf("%s-%d", stem, n); !slices.Contains(taken, name) {
			return name, nil
		}
	}
}
