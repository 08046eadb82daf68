package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
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

// epoch is where virtual time begins.
var epoch = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// Troubles says what goes wrong beside the world's own faults.
type Troubles struct {
	World    simulated.Faults
	Crash    float64 // chance that the controller is killed in any one minute
	Mail     float64 // chance that a mail is refused for now
	Bounce   float64 // chance that an address is refused for good
	Operator float64 // chance that an operator pauses, aborts, holds or retries in any one minute
	// MovesFail is the moment from which on migrations towards hosts with the fix fail, as a part of the
	// plan's length; 0: never. MovesRefused: the hypervisor refuses them; else they break in the copy.
	MovesFail    float64
	MovesRefused bool
}

// Result is what one run came to.
type Result struct {
	Seed     uint64
	Empty    bool // the plan had nothing to do
	Facts    []execution.Fact
	Phase    execution.Phase
	How      string // done, partly, aborted
	Crashes  int
	World    simulated.Verdict
	Log      []simulated.Record
	Hits     map[simulated.Fault]int
	Findings []audit.Finding // of the plan and of the journal
	Wrong    []string        // what the world's own record says against the product
	Plan     *plan.Plan
	Fleet    *fleet.Fleet // as the product knows it
}

// Bad says whether the run shows a defect of the product.
func (r *Result) Bad() bool { return len(r.Findings) > 0 || len(r.Wrong) > 0 }

// drill is one run under way.
type drill struct {
	*Scheduler
	r        *rand.Rand
	troubles Troubles
	fleet    *fleet.Fleet // as the product knows it
	real     *fleet.Fleet // as it is
	target   *plan.Target
	payloads map[string][]byte
	plan     *plan.Plan
	world    *simulated.World
	times    simulated.Times // of the world; zero: its own
	journal  *store.Memory
	state    func(func(*execution.State)) // of the controller that lives; nil while none does
	order    func(execution.Fact) error   // an operator's; see tell
	cast     func()                       // begins those beside the controller; nil: actors
	chores   []*Process
	pump     *Process
	crashes  int
	quiet    time.Time // from then on nothing new goes wrong
}

// Run draws a fleet and a plan from the seed and carries the plan out under troubles.
func Run(seed uint64, t Troubles) (*Result, error) {
	r := rand.New(rand.NewPCG(seed, 0x6576656e))
	x := &drill{Scheduler: NewScheduler(epoch), r: r, troubles: t, fleet: drawFleet(r), journal: store.NewMemory()}
	defer x.Close()
	res := &Result{Seed: seed, Fleet: x.fleet}
	pol, tg := drawPolicy(r), target()
	placesApart(seed, &pol)
	x.target, x.payloads = tg, fit(kindOf(seed), r, x.fleet, &pol, tg)
	x.reality(kindOf(seed))
	return x.through(res, pol)
}

// through plans the drill's fleet by a policy, carries the plan out and judges what came of it.
func (x *drill) through(res *Result, pol plan.Policy) (*Result, error) {
	p, err := planner.Propose(planner.Input{Fleet: x.fleet, Target: x.target, Assessment: advisory.Assess(x.fleet, x.target, nil, 0, epoch), Policy: pol,
		Campaign: "drill", Now: epoch, Revision: 1})
	if err != nil {
		return nil, err
	}
	res.Plan, x.plan = &p, &p
	res.Findings = audit.Plan(x.fleet, &p)
	if len(p.Turns) == 0 || len(res.Findings) > 0 {
		res.Empty = len(p.Turns) == 0
		return res, nil
	}
	x.world, err = simulated.NewWorld(x.real, simulated.Options{Clock: x, Seed: res.Seed, Faults: x.faults(), Times: x.times})
	if err != nil {
		return nil, err
	}
	if err := x.begin(); err != nil {
		return nil, err
	}
	x.quiet = p.End
	err = x.carryOut()
	x.judge(res)
	return res, err
}

// reality keeps the fleet as it is, and may hide some of it from the product.
func (x *drill) reality(kind string) {
	is := *x.fleet
	is.Hosts = slices.Clone(x.fleet.Hosts)
	if x.real = &is; onXen(kind) && x.r.IntN(2) == 0 {
		unread(x.r, x.fleet)
	}
}

// faults are the world's, with the moment from which on migrations fail.
func (x *drill) faults() simulated.Faults {
	f := x.troubles.World
	if part := x.troubles.MovesFail; part > 0 {
		for pkg, v := range x.target.Cohorts[0].Packages {
			f.MigrationsTo = append(slices.Clone(f.MigrationsTo), simulated.MigrationsTo{Package: pkg, Version: v, Rate: 1, Refused: x.troubles.MovesRefused,
				After: part * x.plan.End.Sub(epoch).Seconds()})
		}
	}
	return f
}

// engineWorld is what chores act on.
func (x *drill) engineWorld() engine.World {
	d := simulated.NewDriver(x.world)
	return engine.World{Drivers: map[string]driver.Driver{"sim": d}, Channel: &mailServer{x}, Clock: x, WithDeadline: x.WithDeadline, OutOfBand: d,
		Payloads: func(name string) ([]byte, error) {
			if p, ok := x.payloads[name]; ok {
				return p, nil
			}
			return nil, fmt.Errorf("there is no file %s", name)
		}}
}

// begin stores the plan, as the controller does when it is applied.
func (x *drill) begin() error {
	bare := *x.plan
	bare.Fleet = nil
	pj, err := json.Marshal(bare)
	if err != nil {
		return err
	}
	fj, err := json.Marshal(x.fleet)
	if err != nil {
		return err
	}
	_, err = x.journal.Append(context.Background(), "drill", 0, []execution.Fact{{At: epoch, Kind: execution.CampaignApplied, Who: "operator:drill",
		Campaign: "drill", Revision: 1, Plan: pj, Fleet: fj, Why: x.plan.Verdict}})
	return err
}

// carryOut lets virtual time pass until the campaign is finished. Once the plan's end is past and
// turns are held, an operator retries and at last aborts, so that every run comes to its end.
func (x *drill) carryOut() error {
	x.startController()
	if x.cast == nil {
		x.cast = x.actors
	}
	x.cast()
	end := x.plan.End.Add(24 * time.Hour)
	for at := epoch; at.Before(end); at = at.Add(10 * time.Minute) {
		if err := x.Run(at); err != nil {
			return err
		}
		if x.finished() {
			break
		}
	}
	return x.Run(x.Now().Add(5 * time.Minute)) // what the world still does by itself
}

func (x *drill) finished() bool {
	over := false
	if x.state != nil {
		x.state(func(s *execution.State) { over = s.Phase == execution.PhaseFinished })
	}
	return over
}

// dispatcher runs each chore as a process.
type dispatcher struct {
	x     *drill
	world engine.World
	pump  func() *engine.Pump
}

// Start implements engine.Dispatcher.
func (d *dispatcher) Start(c execution.Chore, report func([]execution.Fact)) func() {
	parent := d.x.background(nil)
	ctx, cancel := d.x.WithCancel(parent)
	p := d.x.Go(c.Key, func(context.Context) { report(engine.Perform(ctx, d.world, d.pump().Campaign(), c)) })
	d.x.chores = append(d.x.chores, p)
	return cancel
}

// startController opens the journal as a process that was just started would, and turns it.
func (x *drill) startController() {
	x.pump = x.Go("controller", func(ctx context.Context) {
		w := x.engineWorld()
		var pump *engine.Pump
		d := &dispatcher{x: x, world: w, pump: func() *engine.Pump { return pump }}
		wake := func() {}
		g, err := x.journal.NextGeneration(ctx)
		if err != nil {
			panic(err)
		}
		pump, err = engine.Open(ctx, x.journal, "drill", g, x, d, func() { wake() })
		if err != nil {
			panic(err)
		}
		x.state = pump.Read
		x.order = func(f execution.Fact) error {
			return pump.Command(ctx, &f, func(*execution.State) error { return nil })
		}
		for {
			woken := false
			wctx, cancel := x.WithCancel(ctx)
			wake = func() { woken = true; cancel() }
			next, err := pump.Turn(ctx)
			if errors.Is(err, store.ErrConflict) {
				panic("two controllers at once: " + err.Error())
			}
			if err != nil {
				panic(err)
			}
			if x.finished() {
				cancel()
				return
			}
			wait := 24 * time.Hour
			if !next.IsZero() {
				wait = max(time.Millisecond, next.Sub(x.Now()))
			}
			if !woken {
				_ = x.Wait(wctx, wait) // woken or due: either way the next turn
			}
			cancel()
		}
	})
}

// judge compares the journal with the laws, and the world's record with what we may have done to it.
func (x *drill) judge(res *Result) {
	_ = x.journal.Read(context.Background(), "drill", 0, func(f execution.Fact) error { res.Facts = append(res.Facts, f); return nil })
	s, err := execution.Fold(res.Facts)
	if err != nil {
		res.Wrong = append(res.Wrong, "the journal does not fold: "+err.Error())
		return
	}
	res.Phase, res.How, res.Crashes = s.Phase, s.PhaseWhy, x.crashes
	res.World, res.Log, res.Hits = x.world.Verdict(), x.world.Log(), x.world.Hits()
	if s.Phase != execution.PhaseFinished {
		res.Wrong = append(res.Wrong, fmt.Sprintf("the campaign did not end: it is %s", s.Phase))
	}
	v, err := audit.Journal(lines(res.Facts))
	if err != nil {
		res.Wrong = append(res.Wrong, "the auditor cannot read the journal: "+err.Error())
	}
	res.Findings = append(res.Findings, v.Findings...)
	res.Wrong = append(res.Wrong, x.against(res)...)
}
