package sim

import (
	"context"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/audit"
	"github.com/evenkeel/evenkeel/internal/driver/simulated"
	"github.com/evenkeel/evenkeel/internal/engine"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
	"github.com/evenkeel/evenkeel/internal/store"
)

// Succession is what a run with a child campaign came to.
type Succession struct {
	Seed          uint64
	Childless     bool // the parent had nothing to do, was over too soon, or had left nothing to do
	Parent, Child []execution.Fact
	Followed      bool // migrations began to fail, and the child has another tactic
	Again         bool // the parent's plan was made again, and told promises stand
	Kept          int  // promises that the child took over from its parent
	Skipped       int  // hosts of the child that were past the target when their turn came
	Inherited     int
	Crashes       int
	Findings      []audit.Finding
	Wrong         []string
}

// Bad says whether the run shows a defect of the product.
func (s *Succession) Bad() bool { return len(s.Findings) > 0 || len(s.Wrong) > 0 }

// heirs is a drill in whose course a child campaign takes the parent's place.
type heirs struct {
	*drill
	child   *plan.Plan // nil: not applied
	decided bool       // whether there is to be a child
	pumps   map[string]*engine.Pump
	stir    func() // wakes the controller
}

// RunChild draws a fleet and a plan from the seed, carries the plan out under troubles, and at some
// moment lets a child with the same target take its place.
func RunChild(seed uint64, t Troubles) (*Succession, error) {
	r := rand.New(rand.NewPCG(seed, 0x6368696c))
	x := &heirs{drill: &drill{Scheduler: NewScheduler(epoch), r: r, troubles: t, fleet: drawFleet(r), journal: store.NewMemory()}, stir: func() {}}
	defer x.Close()
	res := &Succession{Seed: seed}
	pol := drawPolicy(r)
	x.target = target()
	x.payloads = fit(kindOf(seed), r, x.fleet, &pol, x.target)
	x.reality(kindOf(seed))
	p, err := x.propose(x.fleet, pol, "drill", "", epoch)
	if err != nil || len(p.Turns) == 0 {
		res.Childless = true
		return res, err
	}
	x.plan = p
	if x.world, err = simulated.NewWorld(x.real, simulated.Options{Clock: x.drill, Seed: seed, Faults: x.faults()}); err != nil {
		return nil, err
	}
	if err := x.begin(); err != nil {
		return nil, err
	}
	x.quiet = p.End
	x.startHeirs()
	x.troubled()
	when := epoch.Add(time.Duration(r.Int64N(int64(p.End.Sub(epoch)))))
	x.Go("successor", func(ctx context.Context) { x.succeedAt(ctx, when, pol, res); x.decided = true })
	for at := epoch; at.Before(x.quiet.Add(24 * time.Hour)); at = at.Add(10 * time.Minute) {
		if err := x.Run(at); err != nil {
			return res, err
		}
		if x.decided && x.finished() {
			break
		}
	}
	err = x.Run(x.Now().Add(5 * time.Minute))
	x.judge(res)
	return res, err
}

// troubled are fate and the operators, as in every drill, but with the controller of both campaigns.
func (x *heirs) troubled() {
	x.Go("fate", func(ctx context.Context) {
		for x.Wait(ctx, time.Duration(30+x.r.IntN(60))*time.Second) == nil {
			if x.state == nil || !x.Now().Before(x.quiet) || x.r.Float64() >= x.troubles.Crash {
				continue
			}
			x.crashes++
			x.Kill(x.pump)
			for _, p := range x.chores {
				x.Kill(p)
			}
			x.chores, x.state, x.order, x.stir = nil, nil, nil, func() {}
			_ = x.Wait(ctx, time.Duration(x.r.IntN(60_000))*time.Millisecond)
			x.startHeirs()
		}
	})
	x.Go("operator", func(ctx context.Context) {
		for x.Wait(ctx, time.Minute) == nil {
			switch {
			case x.finished():
			case x.Now().Before(x.quiet):
				x.meddle()
			default:
				x.settle()
			}
		}
	})
}

func (x *heirs) propose(f *fleet.Fleet, pol plan.Policy, campaign, supersedes string, now time.Time) (*plan.Plan, error) {
	p, err := planner.Propose(planner.Input{Fleet: f, Target: x.target, Assessment: advisory.Assess(f, x.target, nil, 0, now), Policy: pol,
		Campaign: campaign, Supersedes: supersedes, Now: now, Revision: 1})
	return &p, err
}

// calledFor waits until a child is called for: at a moment, or, where migrations begin to fail, some time
// after cohorts are held for it, whose names it gives. The controller lives then.
func (x *heirs) calledFor(ctx context.Context, when time.Time) (held []string) {
	if x.troubles.MovesFail > 0 {
		when = x.plan.End
		for x.Now().Before(when) && len(held) == 0 && x.Wait(ctx, time.Minute) == nil {
			if x.state != nil && x.r.IntN(5) == 0 {
				x.state(func(s *execution.State) { held = slices.Sorted(maps.Keys(s.HeldCohorts())) })
			}
		}
	} else {
		_ = x.Wait(ctx, when.Sub(x.Now()))
	}
	for x.state == nil && x.Wait(ctx, time.Second) == nil {
	}
	return held
}

// follow proposes the child: with another tactic where cohorts are held, else with the same target; on even seeds the
// parent's plan is made again, so that promises which were told may stand.
func (x *heirs) follow(pol plan.Policy, held []string, res *Succession) (f *fleet.Fleet, p *plan.Plan, err error) {
	var in planner.Input
	soaks := ""
	x.state(func(s *execution.State) {
		f, in.Promised, in.Underway, soaks = seen(x.fleet, s), s.Promised(), s.Underway(), s.Soaking()
	})
	switch {
	case len(held) > 0:
		follows, err := planner.Follow(*x.plan, f, held, x.Now(), "child")
		if err != nil {
			return f, nil, err
		}
		follows.Promised, follows.Underway = in.Promised, in.Underway
		child, err := planner.Propose(follows)
		return f, &child, err
	case res.Seed%2 == 1 || soaks != "":
		p, err = x.propose(f, pol, "child", "drill", x.Now())
		return f, p, err
	}
	was := *x.plan
	was.Fleet = x.fleet
	in.Fleet, in.Target, in.Assessment, in.Policy = f, x.target, advisory.Assess(f, x.target, nil, 0, x.Now()), pol
	in.Campaign, in.Supersedes, in.Now = "child", "drill", x.Now()
	child, changes, err := planner.Again(in, &was)
	if err == nil && changes.None() { // it stands: whoever wants a child all the same has it made anew
		p, err = x.propose(f, pol, "child", "drill", x.Now())
		return f, p, err
	}
	res.Again = true
	return f, &child, err
}

// succeedAt plans a child by what the parent's journal tells of the fleet at that moment, and applies it.
func (x *heirs) succeedAt(ctx context.Context, when time.Time, pol plan.Policy, res *Succession) {
	held := x.calledFor(ctx, when)
	if ctx.Err() != nil {
		return
	}
	f, p, err := x.follow(pol, held, res)
	if err != nil {
		panic(err)
	}
	if res.Findings = audit.Plan(f, p); len(p.Turns) == 0 || len(res.Findings) > 0 {
		res.Childless = true
		return
	}
	bare := *p
	bare.Fleet = nil
	pj, err := json.Marshal(bare)
	if err != nil {
		panic(err)
	}
	fj, err := json.Marshal(f)
	if err != nil {
		panic(err)
	}
	if _, err := x.journal.Append(ctx, "child", 0, []execution.Fact{{At: x.Now().Truncate(time.Millisecond), Kind: execution.CampaignApplied, Who: "operator:drill",
		Campaign: "child", Revision: 1, Plan: pj, Fleet: fj, Why: p.Verdict}}); err != nil {
		panic(err)
	}
	x.child, res.Followed = p, len(held) > 0
	if p.End.After(x.quiet) {
		x.quiet = p.End
	}
	x.stir()
}

// seen is the fleet as a campaign knows it: who is where, and what its looks have shown.
func seen(f *fleet.Fleet, s *execution.State) *fleet.Fleet {
	out := *f
	out.Hosts, out.Instances = slices.Clone(f.Hosts), nil
	running := map[string]map[string]string{}
	for i := range out.Hosts {
		h := &out.Hosts[i]
		if k := s.Hosts[h.ID]; k != nil && k.View != nil {
			v := k.View
			h.Software = fleet.Software{Installed: v.Installed, Booted: v.Booted, Running: v.Running, BuildID: v.BuildID, LivePatches: v.LivePatches}
			if v.VirtCaps != nil {
				h.VirtCaps = v.VirtCaps
			}
			for _, in := range v.Instances {
				running[in.ID] = in.Running
			}
		}
	}
	for _, in := range f.Instances {
		g := s.Guests[in.ID]
		if g.Gone {
			continue
		}
		in.Host, in.State = g.Host, g.State
		if v := running[in.ID]; v != nil {
			in.Running = v
		}
		out.Instances = append(out.Instances, in)
	}
	return &out
}
