package simulated_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/simulated"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/sim"
)

var storm = simulated.Faults{
	CallLost: 0.02, AnswerLost: 0.02, AnswerLate: 0.02, CallDoubled: 0.03, LieCompleted: 0.05, LieNotFound: 0.05,
	HostCut: 0.003, ServiceDies: 0.003, MigrationFails: 0.05, MoveKills: 0.03, MigrationStuck: 0.05, DestinationDies: 0.03, SourceDies: 0.03,
	FinishHangs: 0.03, FinishServiceOff: 0.03, NeverReturns: 0.1, BootsOld: 0.1, SameBoot: 0.1, Flaps: 0.1,
	UpdateFails: 0.2, UpdateSays70: 0.2, OthersStart: 0.3, OthersRemove: 0.01, PatchStuck: 0.2, PatchLost: 0.2,
	OldBuild: 0.1, NoDom0: 0.05, NoNetwork: 0.05, StaysOff: 0.05, ProbeMute: 0.2, PatchFades: 0.2, RebootsItself: 0.1,
	MigrationsTo: []simulated.MigrationsTo{{Package: "qemu", Version: newQEMU, Rate: 0.3}},
}

// chaos is one world in a storm, with three callers that do whatever comes to their mind.
type chaos struct {
	t      *testing.T
	seed   uint64
	sched  *sim.Scheduler
	world  *simulated.World
	d      *simulated.Driver
	dice   *rand.Rand
	moved  int // times the driver said Moved
	judged int // of them, those with nothing to excuse it
	told   strings.Builder
}

func newChaos(t *testing.T, seed uint64, f simulated.Faults) *chaos {
	c := &chaos{t: t, seed: seed, sched: sim.NewScheduler(dawn), dice: rand.New(rand.NewPCG(seed, 2))}
	fl := threeHosts()
	if seed%3 == 0 {
		fl.Hosts[1].Hypervisor, fl.Hosts[1].VirtCaps = fleet.Xen, oldCaps
		fl.Hosts[1].Software = fleet.Software{Installed: map[string]string{xenPackage: oldXen}, BuildID: oldBuild}
	}
	w, err := simulated.NewWorld(fl, simulated.Options{
		Clock: c.sched, Seed: seed, Faults: f, Autostart: seed%2 == 0, Updates: map[string]string{"qemu": newQEMU},
	})
	if err != nil {
		t.Fatal(err)
	}
	c.world, c.d = w, simulated.NewDriver(w)
	return c
}

func (c *chaos) run() {
	defer c.sched.Close()
	for i := range 3 {
		c.sched.Go(fmt.Sprint("caller ", i), func(ctx context.Context) {
			for range 25 {
				c.act(ctx)
				c.sched.Wait(ctx, time.Duration(c.dice.IntN(20_000))*time.Millisecond)
			}
		})
	}
	for until := dawn; until.Before(dawn.Add(24 * time.Hour)); until = until.Add(5 * time.Minute) {
		if err := c.sched.Run(until); err != nil {
			c.t.Fatalf("seed %d: %v", c.seed, err)
		}
		if wrong := c.world.Inconsistent(); wrong != "" {
			c.t.Fatalf("seed %d at %s: %s", c.seed, until.Sub(dawn), wrong)
		}
	}
}

func (c *chaos) act(ctx context.Context) {
	instances := []string{"web", "db", "hot", "local", "cold", "tiny", "wide"}
	hosts := []string{"h1", "h2", "h3"}
	id, from, to := instances[c.dice.IntN(len(instances))], host(hosts[c.dice.IntN(3)]), host(hosts[c.dice.IntN(3)])
	limit := time.Duration(1+c.dice.IntN(180)) * time.Second
	ctx, cancel := c.sched.WithTimeout(ctx, limit)
	defer cancel()
	begun := c.sched.Now()
	var f driver.Fence
	var err error
	switch what := c.dice.IntN(20); what {
	case 0:
		err = c.d.Save(ctx, f, from, id)
	case 1:
		err = c.d.Restore(ctx, f, from, id)
	case 2:
		err = c.d.Stop(ctx, f, from, id)
	case 3, 4, 5:
		err = c.d.Start(ctx, f, from, id)
	case 6:
		u := plan.Update{}
		if c.dice.IntN(2) == 0 {
			u.Command = []string{"apply", fmt.Sprintf("linux:livepatch_%d", c.dice.IntN(3))}
		}
		_, err = c.d.Update(ctx, f, from, u)
	case 7:
		err = c.d.Reboot(ctx, f, from, c.world.BootID(from.ID), plan.Update{})
	case 8:
		err = c.d.AbortMigration(ctx, f, from, id)
	case 9:
		if _, err = c.d.Observe(ctx, from); c.dice.IntN(2) == 0 {
			_, err = c.d.Probe(ctx, from)
		}
	default:
		if on := c.world.RunningOn(id); len(on) > 0 && what > 10 { // mostly from where it is
			from = host(on[0])
		}
		if from.ID == to.ID {
			return
		}
		r := driver.MigrateRequest{Instance: id, From: from, To: to, StuckFor: 15 * time.Second, AutoConverge: what%2 == 0}
		if what%3 == 0 {
			r.AfterStuck = "post-copy"
		}
		var out driver.MigrateOutcome
		out, err = c.d.Migrate(ctx, r)
		c.judge(r, begun, out, err)
	}
	if took := c.sched.Now().Sub(begun); took > limit+3*c.d.Limits.Grace {
		c.t.Errorf("seed %d: a call ended %s after its context", c.seed, took-limit)
	}
	if err != nil {
		if e, ok := err.(*driver.Error); !ok || e.Code == "" || e.Why == "" || e.Next == "" {
			c.t.Errorf("seed %d: error %#v is not a whole operating error", c.seed, err)
		}
	}
	fmt.Fprintf(&c.told, "%s %s %v\n", c.sched.Now().Sub(dawn), id, err)
}

// judge compares what the driver said of a migration with what the world knows.
func (c *chaos) judge(r driver.MigrateRequest, begun time.Time, out driver.MigrateOutcome, err error) {
	if out.Ends.Source == "" || out.Ends.Destination == "" {
		c.t.Errorf("seed %d: the ends were not filled in: %+v %v", c.seed, out, err)
	}
	if (err == nil) != out.Ends.Moved() {
		c.t.Errorf("seed %d: ends %+v with error %v", c.seed, out.Ends, err)
	}
	if !out.Ends.Moved() {
		return
	}
	c.moved++
	if !c.everRanOnlyAt(r, begun) && c.lies(r.Instance, r.From.ID, begun) < 2 {
		c.t.Errorf("seed %d: %s was never running at %s alone in this call, and the driver says moved", c.seed, r.Instance, r.To.ID)
	}
	// Reading both ends takes time: what happened to the instance meanwhile is no fault of the driver.
	recent := c.sched.Now().Add(-4 * c.d.Limits.Call)
	if c.lies(r.Instance, r.From.ID, recent) >= 2 || c.disturbed(r, recent) {
		return
	}
	c.judged++
	if on := c.world.RunningOn(r.Instance); !onlyAt(on, r) {
		c.t.Errorf("seed %d at %s: the driver says that %s moved to %s, and it runs on %v", c.seed, c.sched.Now().Sub(dawn), r.Instance, r.To.ID, on)
	}
}

// onlyAt: of the two ends, it runs at the destination alone. A copy that an earlier fault left on a
// third host is out of this driver call's sight.
func onlyAt(on []string, r driver.MigrateRequest) bool {
	return slices.Contains(on, r.To.ID) && !slices.Contains(on, r.From.ID)
}

// everRanOnlyAt replays the log: did the instance run at the destination alone at some moment since begun?
func (c *chaos) everRanOnlyAt(r driver.MigrateRequest, begun time.Time) bool {
	tally := simulated.NewTally()
	only := func() bool { return onlyAt(tally.Running[r.Instance], r) }
	for _, rec := range c.world.Log() {
		if !rec.At.Before(begun) && only() {
			return true
		}
		tally.Add(rec)
	}
	return only()
}

func (c *chaos) lies(instance, host string, since time.Time) (n int) {
	for _, rec := range c.world.Log() {
		if rec.Kind == simulated.Lied && rec.Instance == instance && rec.Host == host && !rec.At.Before(since) {
			n++
		}
	}
	return n
}

// disturbed: since then the instance ceased to run at the destination, or began to run elsewhere,
// by anything but the migration that was asked for.
func (c *chaos) disturbed(r driver.MigrateRequest, since time.Time) bool {
	for _, rec := range c.world.Log() {
		if rec.Instance != r.Instance || rec.At.Before(since) {
			continue
		}
		if rec.Kind == simulated.Ceases && rec.Host == r.To.ID || rec.Kind == simulated.Runs && rec.Host != r.To.ID {
			return true
		}
	}
	return false
}

func TestNoLieIsBelieved(t *testing.T) {
	seeds, moved, judged := uint64(150), 0, 0
	if testing.Short() {
		seeds = 20
	}
	hits := map[simulated.Fault]int{}
	for seed := range seeds {
		c := newChaos(t, seed, storm)
		c.run()
		moved, judged = moved+c.moved, judged+c.judged
		for f, n := range c.world.Hits() {
			hits[f] += n
		}
		// Two copies run only where a frozen destination made it so, which no caller can prevent.
		if d := c.world.DoubleRun(); len(d) > 0 && c.world.Hits()[simulated.FinishHangs]+c.world.Hits()[simulated.FinishServiceOff] == 0 {
			t.Errorf("seed %d: ran twice: %v", seed, d)
		}
	}
	t.Logf("%d seeds, %d times moved, %d of them without an excuse, faults %v", seeds, moved, judged, hits)
	if judged < moved/2 || judged < int(seeds)*2 {
		t.Errorf("only %d of %d were judged: the test proves too little", judged, moved)
	}
	for _, f := range simulated.AllFaults() {
		if hits[f] == 0 && !testing.Short() {
			t.Errorf("the fault %s never struck", f)
		}
	}
}

func TestSameSeedSameWorldToTheByte(t *testing.T) {
	tell := func(seed uint64) string {
		c := newChaos(t, seed, storm)
		c.run()
		log, err := json.Marshal(c.world.Log())
		if err != nil {
			t.Fatal(err)
		}
		return c.told.String() + string(log)
	}
	for seed := range uint64(5) {
		if a, b := tell(seed), tell(seed); a != b {
			t.Fatalf("seed %d: two runs differ", seed)
		}
	}
	if tell(1) == tell(2) {
		t.Error("two seeds give the same run: the seed changes nothing")
	}
}

func TestNoFaultNoHarm(t *testing.T) {
	for seed := range uint64(20) {
		c := newChaos(t, seed, simulated.Faults{})
		c.run()
		if d := c.world.DoubleRun(); len(d) != 0 {
			t.Errorf("seed %d: ran twice without a fault: %v", seed, d)
		}
	}
}
