package audit_test

import (
	"flag"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/audit"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

var (
	fleets    = flag.Int("fleets", 1500, "random fleets that TestPlannedFleets plans and audits")
	fleetSeed = flag.Uint64("fleet-seed", 0, "the only fleet of TestPlannedFleets, to see one again; 0: as many as -fleets says")
)

// proposed is a drawn campaign's plan.
func proposed(t testing.TB, in planner.Input, profile plan.Profile) plan.Plan {
	t.Helper()
	p, err := planner.Propose(in)
	if err != nil {
		t.Fatal(err)
	}
	if p.Profile = profile; profile != "" {
		p.Digest = plan.Digest(p)
	}
	return p
}

// each runs a function for the numbers from 1 to n, on all processors.
func each(n int, do func(seed uint64)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Add(1)
		go func() {
			defer all.Done()
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				do(uint64(i))
			}
		}()
	}
	all.Wait()
}

// TestPlannedFleets: the auditor finds nothing in the plans of random fleets in which every rule is present,
// and what they do is enough for every rule to be tried.
func TestPlannedFleets(t *testing.T) {
	if *fleetSeed > 0 {
		judge(t, *fleetSeed, true)
		return
	}
	n := *fleets
	if testing.Short() {
		n = min(n, 200)
	}
	var mu sync.Mutex
	seen := map[string]int{}
	each(n, func(seed uint64) {
		in, p := judge(t, seed, false)
		mu.Lock()
		defer mu.Unlock()
		for _, what := range contents(in.Fleet, &p) {
			seen[what]++
		}
	})
	for _, what := range mustOccur {
		if t.Logf("%-28s in %5d of %d plans", what, seen[what], n); seen[what] < n/100 {
			t.Errorf("only %d of %d plans have %s: the draws try too little", seen[what], n, what)
		}
	}
}

// judge plans one fleet and audits the plan.
func judge(t *testing.T, seed uint64, show bool) (planner.Input, plan.Plan) {
	in, profile := campaign(seed)
	p, err := planner.Propose(in)
	if err != nil {
		t.Errorf("fleet %d: %v", seed, err)
		return in, p
	}
	if p.Profile = profile; profile != "" {
		p.Digest = plan.Digest(p)
	}
	found := audit.Plan(in.Fleet, &p)
	for i, f := range found {
		if i < 3 || show {
			t.Errorf("fleet %d: law %d, %s [%s]: %s; allowed: %s\n\tto see it again: go test ./internal/audit -run TestPlannedFleets -v -fleet-seed=%d", seed, f.Law, f.Code, f.Subject, f.What, f.Allow, seed)
		}
	}
	if show {
		t.Logf("%s\n%d hosts, %d instances; policy %+v", p.Verdict, len(in.Fleet.Hosts), len(in.Fleet.Instances), p.Policy)
		for _, u := range p.Turns {
			t.Logf("%+v", u)
		}
		for _, m := range p.Moves {
			t.Logf("%+v", m)
		}
		for _, b := range p.Blocked {
			t.Logf("%+v", b)
		}
	}
	return in, p
}

// mustOccur are the things that a plan can hold of which each must occur.
var mustOccur = []string{"turns", "moves", "ways home", "saved", "stopped", "live-patch", "refresh", "evacuate", "suspend", "reboot", "deferred", "canary", "several waves",
	"turns at once", "two sites", "two regions", "second moves", "onto a spare", "blocked hosts", "blocked instances", "skipped", "bound profile", "clocks change", "across pools"}

// contents names what a plan has.
func contents(f *fleet.Fleet, p *plan.Plan) (out []string) {
	ix := fleet.NewIndex(f)
	has := map[string]bool{"turns": len(p.Turns) > 0, "moves": len(p.Moves) > 0, "several waves": p.Counts.Waves > 2, "skipped": len(p.Skipped) > 0, "bound profile": p.Profile == plan.Bound}
	sites, regions, waves, moved := map[string]bool{}, map[string]bool{}, map[int]bool{}, map[string]bool{}
	for _, t := range p.Turns {
		has[string(t.Tactic)], has["deferred"], has["canary"] = true, has["deferred"] || t.Deferred, has["canary"] || t.Canary
		has["turns at once"] = has["turns at once"] || waves[t.Wave]
		waves[t.Wave], sites[t.Site], regions[ix.Sites[t.Site].Region] = true, true, true
		zone, err := time.LoadLocation(ix.Sites[t.Site].Timezone)
		if err != nil {
			panic(err)
		}
		_, before := p.Made.In(zone).Zone()
		_, then := t.Start.In(zone).Zone()
		has["clocks change"] = has["clocks change"] || before != then
	}
	for _, m := range p.Moves {
		has["ways home"] = has["ways home"] || m.Home
		has["second moves"] = has["second moves"] || moved[m.Instance] && !m.Home
		moved[m.Instance] = true
		has["onto a spare"] = has["onto a spare"] || ix.Hosts[m.To].Spare
		has["across pools"] = has["across pools"] || ix.Hosts[m.To].Pools[0] != ix.Hosts[m.From].Pools[0]
	}
	for _, s := range p.Slots {
		has["saved"] = has["saved"] || s.Disposition == plan.DispStatefulStop
		has["stopped"] = has["stopped"] || s.Disposition == plan.DispStop
	}
	for _, b := range p.Blocked {
		has["blocked hosts"] = has["blocked hosts"] || b.Instance == ""
		has["blocked instances"] = has["blocked instances"] || b.Instance != ""
	}
	has["two sites"], has["two regions"] = len(sites) > 1, len(regions) > 1
	for what, is := range has {
		if is {
			out = append(out, what)
		}
	}
	return out
}
