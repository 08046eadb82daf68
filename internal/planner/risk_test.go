package planner_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// exposedFleet has sites of so many old hosts, with as many instances on each as are asked for.
func exposedFleet(sites, hosts int, on func(site, host int) int) planner.Input {
	f := base()
	f.Pools, f.Sites = nil, nil
	for s := range sites {
		id := fmt.Sprintf("s%d", s)
		f.Sites = append(f.Sites, fleet.Site{ID: id, Region: "north"})
		f.Pools = append(f.Pools, fleet.Pool{ID: "p-" + id, Site: id})
		for n := range hosts {
			h := host(fmt.Sprintf("%s-h%03d", id, n), 20<<10)
			h.Pools = []string{"p-" + id}
			h.Software = fleet.Software{Installed: map[string]string{"qemu-system-x86": older}, Booted: map[string]string{"qemu-system-x86": older}}
			f.Hosts = append(f.Hosts, h)
			for k := range on(s, n) {
				f.Instances = append(f.Instances, vm(fmt.Sprintf("%s-v%d", h.ID, k), h.ID, 1<<10))
			}
		}
	}
	tg := &plan.Target{Evenkeel: plan.TargetSchemaV1, ID: "t", Cohorts: []plan.Cohort{{
		Packages: map[string]string{"qemu-system-x86": newer}, Update: plan.Update{Command: []string{"host-update"}}}}}
	in := planner.Input{Fleet: f, Target: tg, Policy: plan.DefaultPolicy(), Campaign: "c", Revision: 1}
	return in
}

func judged(in planner.Input) planner.Input {
	in.Now = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	in.Assessment = advisory.Assess(in.Fleet, in.Target, nil, 0, in.Now)
	return in
}

func proposed(t testing.TB, in planner.Input) plan.Plan {
	t.Helper()
	p, err := planner.Propose(in)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Blocked) > 0 {
		t.Fatalf("blocked: %+v", p.Blocked)
	}
	return p
}

// waveOfHost is the wave of each host's turn.
func waveOfHost(p plan.Plan) map[string]int {
	at := map[string]int{}
	for _, t := range p.Turns {
		at[t.Host] = t.Wave
	}
	return at
}

// TestRiskiestFirst: where 5 in 100 hosts may be away at once, those with most instances go early, at the price of
// nothing.
func TestRiskiestFirst(t *testing.T) {
	in := judged(exposedFleet(1, 40, func(_, n int) int { return n * 7 % 13 }))
	before, after, order, err := planner.ByRisk(in)
	if err != nil {
		t.Fatal(err)
	}
	if order == 0 || after.Waves != before.Waves || after.Moves != before.Moves || after.EndS > before.EndS || after.Again != before.Again {
		t.Errorf("order %d: %+v became %+v", order, before, after)
	}
	if 4*after.ExposureS > 3*before.ExposureS {
		t.Errorf("%d VM-seconds unfixed became %d: less than a quarter is saved", before.ExposureS, after.ExposureS)
	}
	p := proposed(t, in)
	if got := plan.TollOf(in.Fleet, &p); got != after.Toll {
		t.Errorf("the plan's toll is %+v, expected %+v", got, after.Toll)
	}
	if !p.Turns[0].Canary || p.Turns[0].Host != "s0-h000" {
		t.Errorf("the canary is %s, expected the host on which nothing runs", p.Turns[0].Host)
	}
	at := waveOfHost(p)
	for _, h := range in.Fleet.Hosts { // 12 instances, and 1
		if n := len(instancesOn(in.Fleet, h.ID)); n == 12 && at[h.ID] > 5 || n == 1 && at[h.ID] < 17 {
			t.Errorf("%s with %d instances has its turn in wave %d of %d", h.ID, n, at[h.ID], p.Counts.Waves)
		}
	}
}

func instancesOn(f *fleet.Fleet, host string) (on []string) {
	for _, i := range f.Instances {
		if i.Host == host {
			on = append(on, i.ID)
		}
	}
	return on
}

// TestRiskiestPlaceFirst: of regions and sites that are never disrupted at once, and of pools of which only so many
// hosts may be, that one is first on whose hosts most runs.
func TestRiskiestPlaceFirst(t *testing.T) {
	for name, change := range map[string]func(in *planner.Input){
		"sites": func(*planner.Input) {},
		"regions": func(in *planner.Input) {
			in.Policy.StaggerRegions = true
			for s := range in.Fleet.Sites {
				id := fmt.Sprintf("r%d", s)
				in.Fleet.Regions = append(in.Fleet.Regions, fleet.Region{ID: id})
				in.Fleet.Sites[s].Region = id
			}
		},
		"pools": func(in *planner.Input) {
			in.Policy.WaveGrowth = 1
			for s := range in.Fleet.Pools {
				in.Fleet.Pools[s].Site = "s0"
			}
		},
	} {
		in := exposedFleet(3, 10, func(s, n int) int { return []int{2, 9, 5}[s] })
		change(&in)
		var order []string
		for _, turn := range proposed(t, judged(in)).Turns[1:] {
			if n := len(order); n == 0 || order[n-1] != turn.Pool {
				order = append(order, turn.Pool)
			}
		}
		if fmt.Sprint(order) != "[p-s1 p-s2 p-s0]" {
			t.Errorf("%s: after the canary pools are served in the order %v", name, order)
		}
	}
}

// TestWorstSeverityFirst: of hosts that are alike otherwise those go first whose advisory is the worst; of those of
// which that is the same, those of several tenants.
func TestWorstSeverityFirst(t *testing.T) {
	in := exposedFleet(1, 20, func(int, int) int { return 2 })
	in.Fleet.Tenants = append(in.Fleet.Tenants, fleet.Tenant{ID: "birch", Contacts: in.Fleet.Tenants[0].Contacts})
	in.Fleet.Instances[2*17].Tenant = "birch"
	in = judged(in)
	in.Assessment.Hosts[18].Severity = advisory.Critical
	in.Assessment.Hosts[19].Severity = advisory.Low
	in.Assessment.Hosts[1].Severity = advisory.High
	p := proposed(t, in)
	at := waveOfHost(p)
	if c := p.Turns[0].Host; c != "s0-h000" {
		t.Errorf("the canary is %s", c)
	}
	if at["s0-h018"] != 2 || at["s0-h001"] != 3 || at["s0-h017"] != 4 || at["s0-h019"] != 20 {
		t.Errorf("critical in wave %d, high in %d, two tenants in %d, low in %d", at["s0-h018"], at["s0-h001"], at["s0-h017"], at["s0-h019"])
	}
}

// TestAlikeKeepOrder: where hosts are exposed alike, or there is nothing to fix, or the plan is there to be measured,
// the order is what it was.
func TestAlikeKeepOrder(t *testing.T) {
	uneven := func(_, n int) int { return n * 7 % 13 }
	routine, bound := judged(exposedFleet(1, 40, uneven)), judged(exposedFleet(1, 40, uneven))
	routine.Target, bound.Profile = nil, plan.Bound
	for name, in := range map[string]planner.Input{"alike": judged(exposedFleet(2, 20, func(int, int) int { return 5 })), "routine": routine, "bound": bound} {
		before, after, order, err := planner.ByRisk(in)
		if err != nil || order != 0 || before != after {
			t.Errorf("%s: order %d, %v: %+v became %+v", name, order, err, before, after)
		}
	}
}

// TestRiskCostsNothing: whatever the fleet and its rules, an order by risk is taken where it exposes less and is worse in
// nothing.
func TestRiskCostsNothing(t *testing.T) {
	taken, all := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		if in.Target == nil {
			in = exposedFleet(rapid.IntRange(1, 3).Draw(t, "sites"), rapid.IntRange(3, 15).Draw(t, "hosts of each"), func(int, int) int { return rapid.IntRange(0, 12).Draw(t, "instances") })
			in.Policy = drawPolicy(t)
			in = judged(in)
		}
		for i := range in.Assessment.Hosts {
			in.Assessment.Hosts[i].Severity = rapid.SampledFrom([]advisory.Severity{"", "", advisory.Low, advisory.Critical}).Draw(t, "severity")
		}
		before, after, order, err := planner.ByRisk(in)
		if err != nil {
			t.Fatal(err)
		}
		if all++; order == 0 {
			if before != after {
				t.Errorf("in no other order %+v became %+v", before, after)
			}
			return
		}
		taken++
		if after.Waves > before.Waves || after.Moves > before.Moves || after.EndS > before.EndS {
			t.Errorf("order %d costs: %+v became %+v", order, before, after)
		}
		x, y := before.Toll, after.Toll
		x.ExposureS, x.Moves, x.EndS, y.ExposureS, y.Moves, y.EndS = 0, 0, 0, 0, 0, 0
		if c := y.Compare(x); c > 0 || c == 0 && after.Exposure >= before.Exposure {
			t.Errorf("order %d is no better: %+v became %+v", order, before, after)
		}
	})
	t.Logf("%d of %d campaigns are ordered by risk", taken, all)
}
