package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/audit"
	"github.com/evenkeel/evenkeel/internal/driver"
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
	Skipped       int // hosts of the child that were past the target when their turn came
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
	target *plan.Target
	child  *plan.Plan // nil: not applied
	pumps  map[string]*engine.Pump
	stir   func() // wakes the controller
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
	fit(kindOf(seed), r, x.fleet, &pol, x.target)
	p, err := x.propose(x.fleet, pol, "drill", "", epoch)
	if err != nil || len(p.Turns) == 0 {
		res.Childless = true
		return res, err
	}
	x.plan = p
	if x.world, err = simulated.NewWorld(x.fleet, simulated.Options{Clock: x.drill, Seed: seed, Faults: t.World}); err != nil {
		return nil, err
	}
	if err := x.begin(); err != nil {
		return nil, err
	}
	x.quiet = p.End
	x.startHeirs()
	x.troubled()
	when := epoch.Add(time.Duration(r.Int64N(int64(p.End.Sub(epoch)))))
	x.Go("successor", func(ctx context.Context) { x.succeedAt(ctx, when, pol, res) })
	for at := epoch; at.Before(x.quiet.Add(24 * time.Hour)); at = at.Add(10 * time.Minute) {
		if err := x.Run(at); err != nil {
			return res, err
		}
		if at.After(when) && x.finished() {
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

// succeedAt plans a child by what the parent's journal tells of the fleet at that moment, and applies it.
func (x *heirs) succeedAt(ctx context.Context, when time.Time, pol plan.Policy, res *Succession) {
	if x.Wait(ctx, when.Sub(x.Now())) != nil {
		return
	}
	for x.state == nil {
		_ = x.Wait(ctx, time.Second)
	}
	var f *fleet.Fleet
	x.state(func(s *execution.State) { f = seen(x.fleet, s) })
	p, err := x.propose(f, pol, "child", "drill", x.Now())
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
	x.child = p
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

// startHeirs opens all journals as a process that was just started would, and turns them.
func (x *heirs) startHeirs() {
	x.pump = x.Go("controller", func(ctx context.Context) {
		w := engine.World{Drivers: map[string]driver.Driver{"sim": simulated.NewDriver(x.world)}, Channel: &mailServer{x.drill}, Clock: x.drill, WithDeadline: x.WithDeadline}
		g, err := x.journal.NextGeneration(ctx)
		if err != nil {
			panic(err)
		}
		x.pumps = map[string]*engine.Pump{}
		wake := func() {}
		x.stir = func() { wake() }
		for {
			woken := false
			wctx, cancel := x.WithCancel(ctx)
			wake = func() { woken = true; cancel() }
			x.open(ctx, g, w, func() { wake() })
			next := x.turnAll(ctx)
			wait := 24 * time.Hour
			if !next.IsZero() {
				wait = max(time.Millisecond, next.Sub(x.Now()))
			}
			if !woken {
				_ = x.Wait(wctx, wait)
			}
			cancel()
		}
	})
}

// open opens the journals that this controller has not opened yet.
func (x *heirs) open(ctx context.Context, g int64, w engine.World, wake func()) {
	for _, id := range []string{"drill", "child"} {
		if x.pumps[id] != nil || id == "child" && x.child == nil {
			continue
		}
		var pump *engine.Pump
		d := &dispatcher{x: x.drill, world: w, pump: func() *engine.Pump { return pump }}
		var err error
		if pump, err = engine.Open(ctx, x.journal, id, g, x.drill, d, wake); err != nil {
			panic(err)
		}
		x.pumps[id] = pump
	}
	x.state = func(read func(*execution.State)) { x.now().Read(read) }
	x.order = func(k execution.Kind, turn, host string) error {
		f := execution.Fact{Kind: k, Who: "operator:drill", Why: "drill", Turn: turn, Host: host}
		if k == execution.TurnHeld {
			f.Code, f.Next = execution.CodeOperator, "retry"
		}
		return x.now().Command(context.Background(), &f, func(*execution.State) error { return nil })
	}
}

// now is the campaign at work: the child once the parent is over.
func (x *heirs) now() *engine.Pump {
	if child := x.pumps["child"]; child != nil && over(x.pumps["drill"]) {
		return child
	}
	return x.pumps["drill"]
}

func over(p *engine.Pump) (is bool) {
	p.Read(func(s *execution.State) { is = s.Phase == execution.PhaseFinished })
	return is
}

// turnAll turns each campaign once, and the child towards its parent's place.
func (x *heirs) turnAll(ctx context.Context) (next time.Time) {
	for _, id := range []string{"drill", "child"} {
		p := x.pumps[id]
		if p == nil {
			continue
		}
		at, err := p.Turn(ctx)
		if err == nil && id == "child" {
			err = engine.Succeed(ctx, x.pumps["drill"], p)
		}
		if err != nil {
			panic(err)
		}
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}

// judge holds both journals to the laws, and both to the world's own record.
func (x *heirs) judge(res *Succession) {
	read := func(id string) (facts []execution.Fact) {
		err := x.journal.Read(context.Background(), id, 0, func(f execution.Fact) error { facts = append(facts, f); return nil })
		if err != nil && !errors.Is(err, store.ErrNoCampaign) {
			panic(err)
		}
		return facts
	}
	res.Parent, res.Child, res.Crashes = read("drill"), read("child"), x.crashes
	res.Childless = len(res.Child) == 0
	wrong := func(format string, args ...any) { res.Wrong = append(res.Wrong, fmt.Sprintf(format, args...)) }
	var ended time.Time
	told, heard, lists := 0, 0, map[string]bool{}
	allowed := map[string]int{} // reboots by host
	for _, facts := range [][]execution.Fact{res.Parent, res.Child} {
		if len(facts) == 0 {
			continue
		}
		if v, err := audit.Journal(lines(facts)); err != nil {
			wrong("the auditor cannot read the journal: %v", err)
		} else {
			res.Findings = append(res.Findings, v.Findings...)
		}
		if last := facts[len(facts)-1]; last.Kind != execution.CampaignFinished {
			wrong("campaign %s did not end: its last fact is %s", facts[0].Campaign, last.Kind)
		}
		for _, f := range facts {
			child := f.Campaign == "child"
			switch f.Kind {
			case execution.CampaignFinished:
				if !child {
					ended = f.At
				}
			case execution.CampaignAborted:
				if f.Code == execution.CodeSuperseded {
					told++
				}
			case execution.ParentEnded:
				heard++
			case execution.Inherited:
				res.Inherited++
			case execution.TurnPermitted, execution.TurnReleased:
				allowed[f.Host]++
				if child && (ended.IsZero() || f.At.Before(ended)) {
					wrong("the child's turn of %s begins at %s, its parent ends at %s", f.Host, f.At, ended)
				}
			case execution.TurnDropped:
				if child && f.Code == execution.CodeReached {
					res.Skipped++
				}
			case execution.NotReturned:
				lists[f.Instance] = true
			case execution.TurnHeld:
				if f.Code == execution.CodeNotReturned {
					for _, in := range x.fleet.Instances {
						if strings.Contains(f.Why, in.ID) {
							lists[in.ID] = true
						}
					}
				}
			}
		}
	}
	if !res.Childless && (heard != 1 || told > 1) {
		wrong("the parent was told to end %d times, the child of its end %d times", told, heard)
	}
	x.atLast(res, lists, allowed)
}

// atLast compares with what the world says: nobody lost by us, nobody twice, no host rebooted oftener
// than its turns and retries allow.
func (x *heirs) atLast(res *Succession, lists map[string]bool, allowed map[string]int) {
	boots, told, others := map[string]int{}, map[string]bool{}, map[string]bool{}
	for _, r := range x.world.Log() {
		switch {
		case r.Kind == simulated.OthersActed, r.Kind == simulated.Ceases && r.Why == "removed":
			others[r.Instance] = true
		case r.Kind == simulated.HostTold:
			told[r.Host] = true
		case r.Kind == simulated.HostBooted && told[r.Host]:
			boots[r.Host]++
			told[r.Host] = false
		case r.Kind == simulated.Killed && strings.Contains(r.Why, "went down: reboot") && !others[r.Instance]:
			res.Wrong = append(res.Wrong, "our reboot of "+r.Host+" killed "+r.Instance)
		}
	}
	for h, n := range boots {
		if n > allowed[h] {
			res.Wrong = append(res.Wrong, fmt.Sprintf("%s was rebooted %d times, its turns and retries allow %d", h, n, allowed[h]))
		}
	}
	hits, killed := x.world.Hits(), x.world.Killed()
	if twice := x.world.DoubleRun(); len(twice) > 0 && hits[simulated.FinishHangs]+hits[simulated.FinishServiceOff] == 0 {
		res.Wrong = append(res.Wrong, "an instance ran in two places: "+strings.Join(twice, " "))
	}
	for _, in := range x.fleet.Instances {
		if in.State == fleet.Stopped || others[in.ID] || lists[in.ID] || slices.Contains(killed, in.ID) {
			continue
		}
		if len(x.world.RunningOn(in.ID)) == 0 {
			res.Wrong = append(res.Wrong, in.ID+" ran before, does not run, and stands on no list")
		}
	}
}
