package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
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

// Two is what a run of two campaigns over one fleet came to.
type Two struct {
	Empty      bool                        // one of them had nothing to do
	Facts      map[string][]execution.Fact // by campaign
	Waited     int                         // looks at which a turn waited for the other campaign
	Succession                             // seed, crashes, and what is wrong; there is no child
}

// couple is a drill in which two campaigns, each of a pool of its own, are open at once.
type couple struct {
	*drill
	plans map[string]*plan.Plan
	pumps map[string]*engine.Pump // nil while no controller lives
	whose string                  // the campaign that operators think of
	res   *Two
}

var bothCampaigns = []string{"cycle", "urgent"}

// RunTwo draws a fleet from the seed, plans a campaign for each of its pools, and carries both out at once under
// troubles. The urgent one has a deadline.
func RunTwo(seed uint64, t Troubles) (*Two, error) {
	r := rand.New(rand.NewPCG(seed, 0x74776f))
	x := &couple{drill: &drill{Scheduler: NewScheduler(epoch), r: r, troubles: t, fleet: drawFleet(r), journal: store.NewMemory(), target: target()}, plans: map[string]*plan.Plan{}}
	defer x.Close()
	x.res = &Two{Succession: Succession{Seed: seed}, Facts: map[string][]execution.Fact{}}
	x.real = x.fleet
	x.draw()
	for i, id := range bothCampaigns {
		pol := drawPolicy(r)
		x.places(&pol)
		tg := target()
		tg.ID, tg.Cohorts[0].Match.Pools = "fix-"+id, []string{x.fleet.Pools[i].ID}
		if id == "urgent" {
			pol.FinishBy = epoch.Add(7 * 24 * time.Hour)
		}
		p, err := planner.Propose(planner.Input{Fleet: x.fleet, Target: tg, Assessment: advisory.Assess(x.fleet, tg, nil, 0, epoch), Policy: pol, Campaign: id, Now: epoch, Revision: 1})
		if err != nil {
			return x.res, err
		}
		if x.res.Findings = append(x.res.Findings, audit.Plan(x.fleet, &p)...); len(p.Turns) == 0 {
			x.res.Empty = true
			return x.res, nil
		}
		if x.plans[id] = &p; p.End.After(x.quiet) {
			x.quiet, x.plan = p.End, &p
		}
	}
	var err error
	if x.world, err = simulated.NewWorld(x.real, simulated.Options{Clock: x, Seed: seed, Faults: x.faults()}); err != nil {
		return x.res, err
	}
	return x.res, x.carryBoth()
}

// draw makes what both campaigns touch: a host group and a group over both pools, racks and a line between the sites.
func (x *couple) draw() {
	f, r := x.fleet, x.r
	f.HostGroups = []fleet.HostGroup{{ID: "storage", Hosts: []string{"p1h1", "p1h2", "p2h1", "p2h2"}, MaxUnavailable: 1 + r.IntN(2)}}
	if r.IntN(2) == 0 {
		f.Links = []fleet.Link{{ID: "line", Mbps: 10_000, Hosts: []string{"p1h1", "p2h1"}}}
	}
	if r.IntN(2) == 0 { // both pools at one site, so racks are shared
		f.Pools[1].Site = f.Pools[0].Site
	}
	g := fleet.Group{ID: "over", MaxUnavailable: 1}
	for _, h := range []string{"p1h1", "p2h1", "p2h2"} {
		for i := range f.Instances {
			if in := &f.Instances[i]; in.Host == h && in.State != fleet.Stopped {
				g.Members = append(g.Members, in.ID)
				break
			}
		}
	}
	if len(g.Members) > 1 && r.IntN(2) == 0 {
		f.Groups = append(f.Groups, g)
	}
}

// places draws limits of places more often than other drills do.
func (x *couple) places(p *plan.Policy) {
	const m = plan.Duration(time.Minute)
	r := x.r
	p.StaggerSites, p.StaggerRegions = r.IntN(4) == 0, false
	if p.StaggerRacks = r.IntN(4) == 0; p.StaggerRacks && r.IntN(2) == 0 {
		p.StaggerGap.Racks = 5 * m
	}
	if p.StaggerSites && r.IntN(2) == 0 {
		p.StaggerGap.Sites = 5 * m
	}
	p.AwayPerRack, p.AwayPerRegion = r.IntN(3), r.IntN(3)
	p.MovesPerRack, p.MovesPerRegion, p.MovesPerLink = r.IntN(3), r.IntN(3), r.IntN(3)
}

// apply stores both plans.
func (x *couple) apply() error {
	fj, err := json.Marshal(x.fleet)
	if err != nil {
		return err
	}
	for _, id := range bothCampaigns {
		bare := *x.plans[id]
		bare.Fleet = nil
		pj, err := json.Marshal(bare)
		if err != nil {
			return err
		}
		if _, err := x.journal.Append(context.Background(), id, 0, []execution.Fact{{At: epoch, Kind: execution.CampaignApplied, Who: "operator:drill",
			Campaign: id, Revision: 1, Plan: pj, Fleet: fj, Why: bare.Verdict}}); err != nil {
			return err
		}
	}
	return nil
}

func (x *couple) carryBoth() error {
	if err := x.apply(); err != nil {
		return err
	}
	x.start()
	x.Go("fate", func(ctx context.Context) {
		for x.Wait(ctx, time.Duration(30+x.r.IntN(60))*time.Second) == nil {
			if x.pumps == nil || !x.Now().Before(x.quiet) || x.r.Float64() >= x.troubles.Crash {
				continue
			}
			x.crashes++
			x.Kill(x.pump)
			for _, p := range x.chores {
				x.Kill(p)
			}
			x.chores, x.state, x.order, x.pumps = nil, nil, nil, nil
			_ = x.Wait(ctx, time.Duration(x.r.IntN(60_000))*time.Millisecond)
			x.start()
		}
	})
	x.Go("operator", func(ctx context.Context) {
		for n := 0; x.Wait(ctx, time.Minute) == nil; n++ {
			if x.whose = bothCampaigns[n/10%2]; x.state == nil || x.finished() {
				continue
			}
			x.waits()
			if x.Now().Before(x.quiet) {
				x.meddle()
			} else {
				x.settle()
			}
		}
	})
	for at := epoch; at.Before(x.quiet.Add(24*time.Hour)) && !x.bothOver(); at = at.Add(10 * time.Minute) {
		if err := x.Run(at); err != nil {
			return err
		}
	}
	err := x.Run(x.Now().Add(5 * time.Minute))
	x.judgeBoth()
	return err
}

func (x *couple) bothOver() bool {
	return x.pumps != nil && over(x.pumps["cycle"]) && over(x.pumps["urgent"])
}

// waits counts the turns that say that they wait for the other campaign.
func (x *couple) waits() {
	x.state(func(s *execution.State) {
		for _, t := range s.Status(x.Now()).Turns {
			if strings.HasPrefix(t.Waits, "campaign ") {
				x.res.Waited++
			}
		}
	})
}

// start is a process that was just started: it opens both journals and turns them together.
func (x *couple) start() {
	x.pump = x.Go("controller", func(ctx context.Context) {
		w := x.engineWorld()
		g, err := x.journal.NextGeneration(ctx)
		if err != nil {
			panic(err)
		}
		wake, together, pumps := func() {}, new(engine.Together), map[string]*engine.Pump{}
		for _, id := range bothCampaigns {
			together.Expect(id)
		}
		for _, id := range bothCampaigns {
			d := &dispatcher{x: x.drill, world: w, pump: func() *engine.Pump { return pumps[id] }}
			if pumps[id], err = engine.Open(ctx, x.journal, id, g, x.drill, d, func() { wake() }); err != nil {
				panic(err)
			}
			together.Join(id, pumps[id], false)
		}
		x.pumps = pumps
		x.state = func(read func(*execution.State)) { pumps[x.whose].Read(read) }
		x.order = func(f execution.Fact) error {
			return pumps[x.whose].Command(context.Background(), &f, func(*execution.State) error { return nil })
		}
		if x.whose == "" {
			x.whose = bothCampaigns[0]
		}
		for {
			woken := false
			wctx, cancel := x.WithCancel(ctx)
			wake = func() { woken = true; cancel() }
			wait := 24 * time.Hour
			for _, id := range bothCampaigns {
				next, err := pumps[id].Turn(ctx)
				if err != nil {
					panic(err)
				}
				if !next.IsZero() {
					wait = min(wait, max(time.Millisecond, next.Sub(x.Now())))
				}
			}
			if !woken {
				_ = x.Wait(wctx, wait)
			}
			cancel()
		}
	})
}

// judgeBoth holds each journal to the laws, both beside each other, and both to the world's own record.
func (x *couple) judgeBoth() {
	res, lists, allowed := x.res, map[string]bool{}, map[string]int{}
	var journals [][]audit.Fact
	for _, id := range bothCampaigns {
		var facts []audit.Fact
		_ = x.journal.Read(context.Background(), id, 0, func(f execution.Fact) error {
			res.Facts[id] = append(res.Facts[id], f)
			line, err := json.Marshal(f)
			var as audit.Fact
			if err == nil {
				err = json.Unmarshal(line, &as)
			}
			facts = append(facts, as)
			return err
		})
		journals = append(journals, facts)
		if last := facts[len(facts)-1]; last.Kind != "campaign-finished" {
			res.Wrong = append(res.Wrong, fmt.Sprintf("campaign %s did not end: its last fact is %s", id, last.Kind))
		}
		for _, f := range res.Facts[id] {
			switch {
			case f.Kind == execution.TurnPermitted || f.Kind == execution.TurnReleased:
				allowed[f.Host]++
			case f.Kind == execution.NotReturned:
				lists[f.Instance] = true
			case f.Kind == execution.TurnHeld && f.Code == execution.CodeNotReturned:
				for _, in := range x.fleet.Instances {
					lists[in.ID] = lists[in.ID] || strings.Contains(f.Why, in.ID)
				}
			}
		}
		res.Wrong = append(res.Wrong, untrue(x.real, x.plans[id], res.Facts[id], x.world.Log())...)
	}
	res.Findings = append(res.Findings, audit.Journals(journals...).Findings...)
	res.Crashes = x.crashes
	(&heirs{drill: x.drill}).atLast(&res.Succession, lists, allowed)
}
