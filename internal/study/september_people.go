package study

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/audit"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Rebooting is what one arm of a September came to.
type Rebooting struct {
	Arm      SeptemberArm
	Plan     *plan.Plan
	Table    Table
	People   People
	Findings []audit.Finding
	Asked    int // single questions of the auditor
}

// People sums up what a plan means to customers, and how much of the fleet it takes at once.
type People struct {
	Customers   int // with an instance on the fleet
	Touched     int // moved, saved or stopped
	Interrupted int // saved or stopped
	// Longest is the longest single interruption, expected and at worst.
	Longest, LongestAtWorst time.Duration
	// WorstCustomer is how long the customer who has it worst is without one or more of its instances, at
	// worst: from each interrupted host's turn its whole time at worst.
	WorstCustomer time.Duration
	LeastNotice   time.Duration // from the plan to the first slot
	// SameDay counts the days (UTC) of a region on which two of its sites or more are worked on.
	SameDay int
	// AtOnce are the hosts that are away at once at most, at worst; AtOnceInSite those of one site.
	AtOnce, AtOnceInSite int
	GroupsAtOnce         int // groups of which two members or more are away at once, at worst
}

// Plan plans one arm and has it audited; see Run for stage.
func (s September) Plan(arm SeptemberArm, as []advisory.Advisory, stage func(name string)) (*Rebooting, error) {
	if stage == nil {
		stage = func(string) {}
	}
	in, err := s.input(arm, as, stage)
	if err != nil {
		return nil, err
	}
	p, v, err := judged(in, stage)
	if err != nil {
		return nil, fmt.Errorf("arm %q, campaign %s: %w", arm.Name, s.ID, err)
	}
	out := &Rebooting{Arm: arm, Plan: p, Findings: v.Findings, Asked: asked(v)}
	if out.Table, err = fold(in.Fleet, p, nil); err != nil {
		return nil, err
	}
	out.People = people(in.Fleet, p)
	return out, nil
}

// people reads a plan from its customers' side.
func people(f *fleet.Fleet, p *plan.Plan) (out People) {
	customers, turns := map[string]bool{}, map[string]*plan.Turn{}
	for n := range f.Instances {
		if t := f.Instances[n].Tenant; t != "" {
			customers[t] = true
		}
	}
	for n := range p.Turns {
		turns[p.Turns[n].ID] = &p.Turns[n]
	}
	touched, away := map[string]bool{}, map[string][]span{}
	for n := range p.Slots {
		slot := &p.Slots[n]
		if slot.Tenant == "" || slot.Class == plan.ClassNone {
			continue
		}
		touched[slot.Tenant] = true
		if notice := slot.Start.Sub(p.Made); out.LeastNotice == 0 || notice < out.LeastNotice {
			out.LeastNotice = notice
		}
		if slot.Class != plan.ClassOutage {
			continue
		}
		t := turns[slot.Turn]
		away[slot.Tenant] = append(away[slot.Tenant], span{t.Start, t.WorstEnd()})
		out.Longest = max(out.Longest, time.Duration(slot.ExpectedMs)*time.Millisecond)
		out.LongestAtWorst = max(out.LongestAtWorst, time.Duration(slot.WorstMs)*time.Millisecond)
	}
	for _, spans := range away {
		out.WorstCustomer = max(out.WorstCustomer, covered(spans))
	}
	out.Customers, out.Touched, out.Interrupted = len(customers), len(touched), len(away)
	out.SameDay = sameDay(f, p)
	out.AtOnce, out.AtOnceInSite = atOnce(p)
	out.GroupsAtOnce = groupsAtOnce(f, p, turns)
	return out
}

// span is a stretch of time.
type span struct{ from, to time.Time }

// covered is the time that spans cover together.
func covered(spans []span) (sum time.Duration) {
	slices.SortFunc(spans, func(a, b span) int { return a.from.Compare(b.from) })
	var until time.Time
	for _, s := range spans {
		if s.from.Before(until) {
			s.from = until
		}
		if s.to.After(s.from) {
			sum += s.to.Sub(s.from)
			until = s.to
		}
	}
	return sum
}

// most of some spans that overlap.
func most(spans []span) (n int) {
	type edge struct {
		at  time.Time
		add int
	}
	var edges []edge
	for _, s := range spans {
		edges = append(edges, edge{s.from, 1}, edge{s.to, -1})
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.add, b.add)) })
	now := 0
	for _, e := range edges {
		now += e.add
		n = max(n, now)
	}
	return n
}

func atOnce(p *plan.Plan) (fleetwide, site int) {
	all, by := []span{}, map[string][]span{}
	for _, t := range p.Turns {
		s := span{t.Start, t.WorstEnd()}
		all, by[t.Site] = append(all, s), append(by[t.Site], s)
	}
	for _, spans := range by {
		site = max(site, most(spans))
	}
	return most(all), site
}

// sameDay counts a region's days with more than one of its sites; a turn counts on the days that it begins and
// ends on, at worst.
func sameDay(f *fleet.Fleet, p *plan.Plan) (n int) {
	region := map[string]string{}
	for _, s := range f.Sites {
		region[s.ID] = s.Region
	}
	type day struct{ region, date string }
	sites := map[day]map[string]bool{}
	for _, t := range p.Turns {
		for _, at := range []time.Time{t.Start, t.WorstEnd().Add(-time.Second)} {
			d := day{region[t.Site], at.UTC().Format(time.DateOnly)}
			if sites[d] == nil {
				sites[d] = map[string]bool{}
			}
			sites[d][t.Site] = true
		}
	}
	for _, s := range sites {
		if len(s) > 1 {
			n++
		}
	}
	return n
}

func groupsAtOnce(f *fleet.Fleet, p *plan.Plan, turns map[string]*plan.Turn) (n int) {
	group, away := map[string]string{}, map[string][]span{}
	for i := range f.Instances {
		group[f.Instances[i].ID] = f.Instances[i].Group
	}
	for i := range p.Slots {
		if g := group[p.Slots[i].Instance]; g != "" && p.Slots[i].Class == plan.ClassOutage {
			t := turns[p.Slots[i].Turn]
			away[g] = append(away[g], span{t.Start, t.WorstEnd()})
		}
	}
	for _, spans := range away {
		if most(spans) > 1 {
			n++
		}
	}
	return n
}
