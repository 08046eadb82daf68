package study

import (
	"fmt"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/audit"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// Outcome is what one arm came to.
type Outcome struct {
	Arm      Arm
	Assessed advisory.Assessment
	Planned  Table // as planned, all live patches succeeding
	Drawn    Table // with the failures that were drawn: the live patches that held, and the child's plan for the rest
	// Failed are the hosts on which the live patch fails in this draw.
	Failed []string
	// Canary is the first host of the campaign.
	Canary string
	// Findings of the auditor in both plans.
	Findings []audit.Finding
	// Asked is how many single questions the auditor asked.
	Asked int
}

// Run plans one arm of a scenario. stage is called after each part of it with the part's name, so that
// whoever has a clock can say what it cost; nil: nobody asks.
func Run(s Scenario, arm Arm, as []advisory.Advisory, stage func(name string)) (*Outcome, error) {
	if stage == nil {
		stage = func(string) {}
	}
	out := &Outcome{Arm: arm}
	in, err := s.input(arm, as, stage)
	if err != nil {
		return nil, err
	}
	out.Assessed = in.Assessment
	p, err := out.propose(in, stage)
	if err != nil {
		return nil, err
	}
	if out.Planned, err = fold(in.Fleet, p, nil); err != nil {
		return nil, err
	}
	out.Planned.FixedByFirst = fixedBy(p, s.First)
	child, held, err := out.child(s, in, as, p)
	if err != nil {
		return nil, err
	}
	stage("assess")
	next, err := out.propose(child, stage)
	if err != nil {
		return nil, err
	}
	if out.Drawn, err = fold(child.Fleet, next, held); err != nil {
		return nil, err
	}
	out.Drawn.FixedByFirst = len(held) + fixedBy(next, s.First)
	return out, nil
}

// input is all that an arm is planned from.
func (s Scenario) input(arm Arm, as []advisory.Advisory, stage func(string)) (planner.Input, error) {
	f, err := s.Fleet(arm)
	if err != nil {
		return planner.Input{}, err
	}
	stage("draw the fleet")
	in := planner.Input{Fleet: f, Target: s.Target(as), Policy: s.Policy(arm), Campaign: "march-2015", Now: s.Now, Revision: 1}
	in.Assessment = advisory.Assess(f, in.Target, as, in.Policy.StaleAfter.Std(), in.Now)
	stage("assess")
	return in, nil
}

// propose makes a plan and has it audited.
func (o *Outcome) propose(in planner.Input, stage func(string)) (*plan.Plan, error) {
	p, v, err := judged(in, stage)
	if err != nil {
		return nil, fmt.Errorf("arm %q, campaign %s: %w", o.Arm.Name, in.Campaign, err)
	}
	o.Findings = append(o.Findings, v.Findings...)
	o.Asked += asked(v)
	return p, nil
}

// judged is a plan and what the auditor says of it.
func judged(in planner.Input, stage func(string)) (*plan.Plan, audit.Verdict, error) {
	p, err := planner.Propose(in)
	if err != nil {
		return nil, audit.Verdict{}, err
	}
	stage("plan")
	v := audit.PlanVerdict(in.Fleet, &p)
	stage("audit")
	return &p, v, nil
}

// asked counts single questions.
func asked(v audit.Verdict) (n int) {
	for _, l := range v.Laws {
		n += l.Checked
	}
	return n
}

// child is what the campaign is planned from anew when the last live patch is over and some have failed:
// those hosts get the next tactic, and those that were to be rebooted anyway are planned again. held are
// the hosts that have their live patch.
func (o *Outcome) child(s Scenario, in planner.Input, as []advisory.Advisory, p *plan.Plan) (child planner.Input, held map[string]bool, err error) {
	held, over := o.patches(s, p)
	for _, t := range p.Turns {
		if t.Tactic != plan.LivePatch && t.Start.Before(over) {
			return child, nil, fmt.Errorf("arm %q: turn %s (%s) starts %s, before the live patches are over (%s), and the child of this study begins with hosts on which nothing else was done: give longer lead times",
				o.Arm.Name, t.ID, t.Tactic, t.Start.Format(time.RFC3339), over.Format(time.RFC3339))
		}
	}
	child = in
	child.Fleet = patchedFleet(in.Fleet, in.Target, held, over)
	child.Campaign, child.Supersedes, child.Now = in.Campaign+"-b", in.Campaign, over
	if len(o.Failed) > 0 {
		child.Target = withFailed(in.Target, o.Failed)
	}
	child.Assessment = advisory.Assess(child.Fleet, child.Target, as, child.Policy.StaleAfter.Std(), child.Now)
	return child, held, nil
}

// patches draws on which hosts the live patch holds, and tells when the last of them is over at worst. A
// canary whose patch fails halts the campaign: then nobody else has one.
func (o *Outcome) patches(s Scenario, p *plan.Plan) (held map[string]bool, over time.Time) {
	held, over = map[string]bool{}, s.Now
	for _, t := range p.Turns {
		if t.Canary && o.Canary == "" {
			o.Canary = t.Host
		}
		if t.Tactic != plan.LivePatch {
			continue
		}
		if s.Seed.draw("live patch fails", t.Host) < s.FailureShare {
			o.Failed = append(o.Failed, t.Host)
		} else {
			held[t.Host] = true
		}
		if end := t.WorstEnd(); end.After(over) {
			over = end
		}
	}
	slices.Sort(o.Failed)
	if slices.Contains(o.Failed, o.Canary) {
		o.Failed, held = []string{o.Canary}, map[string]bool{}
		for _, t := range p.Turns {
			if t.Host == o.Canary {
				over = t.WorstEnd()
			}
		}
	}
	return held, over
}

// patchedFleet is the fleet as it is when the live patches are over.
func patchedFleet(f *fleet.Fleet, t *plan.Target, patched map[string]bool, at time.Time) *fleet.Fleet {
	out := *f
	out.Taken = at
	out.Hosts = slices.Clone(f.Hosts)
	for n := range out.Hosts {
		h := &out.Hosts[n]
		if !patched[h.ID] {
			continue
		}
		for _, w := range t.Cohorts[0].PatchesFor(h.Software.BuildID) {
			h.Software.LivePatches = append(h.Software.LivePatches, fleet.LivePatch{Name: w.Name, Component: w.Component, State: fleet.PatchApplied})
		}
	}
	return &out
}

// fixedBy counts the hosts that have the fix at an instant, at worst.
func fixedBy(p *plan.Plan, at time.Time) (n int) {
	for _, t := range p.Turns {
		if !t.WorstEnd().After(at) {
			n++
		}
	}
	return n
}
