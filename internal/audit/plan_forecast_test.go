package audit

import (
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// goodBounds is what goodPlan may say of itself.
func goodBounds() plan.Bounds {
	return plan.Bounds{WavesMin: 2, WavesRatio: 1.5, MovesM1: 4, MovesM2: 5, MovesMin: 6, MovesRatio: 1,
		MakespanS: 90000, MakespanMinS: 45000, MakespanRatio: 2}
}

// said has the plan say something else of itself.
func said(change func(*plan.Bounds)) func(*fleet.Fleet, *plan.Plan) {
	return func(_ *fleet.Fleet, p *plan.Plan) {
		p.Bounds = goodBounds()
		change(&p.Bounds)
	}
}

// saving has turn c save so many GiB, sound in all its times: 64 take 338 s, and 507 at worst.
func saving(f *fleet.Fleet, p *plan.Plan, gib int64) {
	f.Hosts[2].MemoryMiB, f.Instances[3].MemoryMiB = (gib+8)<<10, gib<<10
	f.Pools[0].ReserveMiB = new(int64)
	least := 10 + (gib<<10)/200 + 1 // seconds
	worst := least + (least+1)/2
	s, t := slotOf(p, "c/c1"), &p.Turns[2]
	s.ExpectedMs, s.WorstMs = (2*least+300)*1000, (2*worst+20*60)*1000
	t.SaveMaxS, t.WorstS, t.End = worst, 7200, at("2026-03-11 02:00").Add(time.Duration(2*least+15*60)*time.Second)
	p.End = t.End
}

// forecastMutants break what a plan foresees, and what it says of itself.
var forecastMutants = []planMutant{
	{"a promise of a move that nobody makes", 1, []string{"left-behind", "no-move", "spread"}, false, func(f *fleet.Fleet, p *plan.Plan) {
		dropMove(p, 3)
	}},
	{"a move of another host's instance", 10, []string{"from-elsewhere", "left-behind", "move-of-turn"}, false, func(f *fleet.Fleet, p *plan.Plan) { p.Moves[3].From = "c" }},
	{"an instance that is stopped where it is not", 5, one("stops-elsewhere"), false, func(f *fleet.Fleet, p *plan.Plan) {
		s := *slotOf(p, "c/c1")
		s.Instance, s.ID = "own", "c/own"
		s.Tenant, s.NoticeBy, s.ExpectedMs = "", time.Time{}, 342_000
		slotOf(p, "c/c1").ExpectedMs = 342_000 // 2 GiB are saved together
		p.Slots = append(p.Slots, s)
	}},
	{"what does not run is to be stopped", 5, one("stops-elsewhere"), false, func(f *fleet.Fleet, p *plan.Plan) {
		f.Instances[3].State, f.Groups = fleet.Stopped, nil
		f.Instances[1].Group, f.Instances[2].Group = "", ""
	}},
	{"a move that its links cannot carry in time", 2, one("faster-than-link"), false, func(f *fleet.Fleet, p *plan.Plan) { f.Hosts[0].NICMbps = 100 }},
	{"a move that a link cannot carry in time", 2, one("faster-than-link"), false, func(f *fleet.Fleet, p *plan.Plan) {
		f.Links = []fleet.Link{{ID: "up", Mbps: 300, Hosts: []string{"a"}}}
	}},
	{"an instance that dirties its memory faster than a link carries", 1, one("cannot-converge"), false, func(f *fleet.Fleet, p *plan.Plan) {
		f.Links = []fleet.Link{{ID: "up", Mbps: 4000, Hosts: []string{"a"}}}
		f.Instances[0].DirtyMiBps, p.Policy.NonConverging = 90, []string{"hold"}
	}},
	{"an instance that dirties its memory faster", 1, one("cannot-converge"), false, func(f *fleet.Fleet, p *plan.Plan) {
		f.Hosts[0].NICMbps, f.Instances[0].DirtyMiBps, p.Policy.NonConverging = 1000, 90, []string{"hold"}
	}},
	{"an instance that Xen stops for long at its move's end", 1, one("pause-too-long"), false, func(f *fleet.Fleet, p *plan.Plan) {
		for i := range f.Hosts {
			f.Hosts[i].Hypervisor, f.Hosts[i].NICMbps = fleet.Xen, 1000
		}
		f.Instances[0].DirtyMiBps = 90
	}},
	{"a promise that leaves out for how long Xen stops it", 1, one("pause-understated"), false, func(f *fleet.Fleet, p *plan.Plan) {
		for i := range f.Hosts {
			f.Hosts[i].Hypervisor, f.Hosts[i].NICMbps = fleet.Xen, 1000
		}
		f.Instances[0].DirtyMiBps = 80
		p.Policy.Blackout = plan.Duration(time.Minute)
	}},
	{"a move longer than policy waits", 2, one("move-too-long"), false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Policy.Times.MigrateMax = plan.Duration(119 * time.Second)
	}},
	{"a turn that is over before its reboot can be", 2, one("turn-too-short"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Turns[1].End = at("2026-03-10 03:04:59") }},
	{"a worst case that leaves out the reboot", 2, one("worst-too-short"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Turns[1].WorstS = 37*60 - 1 }},
	{"a turn that is over before a reboot of its kind can be", 2, []string{"outage-understated", "turn-too-short", "worst-too-short"}, false, func(f *fleet.Fleet, p *plan.Plan) {
		f.Hosts[2].Model = "big"
		p.Policy.TimesFor = []plan.TimesRule{{Models: []string{"big"}, Reboot: plan.Spread{Median: 35 * hour / 60, P95: hour}}}
	}},
	{"a worst case that leaves out how long a reboot of its kind may take", 2, one("worst-too-short"), false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Policy.TimesFor = []plan.TimesRule{{Hosts: []string{"a"}, Hypervisor: "xen", Reboot: plan.Spread{Median: hour, P95: hour}},
			{Hosts: []string{"b"}, Sites: []string{"s1"}, Hypervisor: "kvm", Reboot: plan.Spread{Median: 5 * hour / 60, P95: 24 * hour / 60}}}
	}},
	{"saves that are longer than is said of them", 2, one("saves-cut-short"), false, func(f *fleet.Fleet, p *plan.Plan) {
		saving(f, p, 64)
		p.Turns[2].SaveMaxS = 506
	}},
	{"saves that are not said to be longer than policy's", 2, one("saves-cut-short"), false, func(f *fleet.Fleet, p *plan.Plan) {
		saving(f, p, 64)
		p.Turns[2].SaveMaxS = 0
	}},
	{"saves without their margin", 2, one("saves-cut-short"), false, func(f *fleet.Fleet, p *plan.Plan) {
		saving(f, p, 64)
		p.Turns[2].SaveMaxS = 338
	}},
	{"saves that may hang for long", 2, one("saves-too-long"), false, func(f *fleet.Fleet, p *plan.Plan) {
		saving(f, p, 64)
		p.Turns[2].SaveMaxS, slotOf(p, "c/c1").WorstMs = 510, 7_000_000
	}},
	{"longer saves where policy's time does", 2, one("saves-too-long"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Turns[2].SaveMaxS = 22 }},
	{"longer saves where nobody is saved", 2, []string{"saves-too-long"}, false, func(f *fleet.Fleet, p *plan.Plan) { p.Turns[0].SaveMaxS = 301 }},
	{"a worst case too short for its saves", 2, one("worst-too-short"), false, func(f *fleet.Fleet, p *plan.Plan) {
		saving(f, p, 64)
		p.Turns[2].WorstS = 2*507 + 33*60 - 1
	}},
	{"a worst outage too short for its saves", 1, one("outage-understated"), false, func(f *fleet.Fleet, p *plan.Plan) {
		saving(f, p, 64)
		slotOf(p, "c/c1").WorstMs = 2*507_000 + 20*60_000 - 1
	}},
	{"a turn that is over before its saves are", 2, one("turn-too-short"), false, func(f *fleet.Fleet, p *plan.Plan) {
		saving(f, p, 64)
		p.Turns[2].End = at("2026-03-11 02:22")
	}},
	{"an outage shorter than the saves", 1, one("outage-understated"), false, func(f *fleet.Fleet, p *plan.Plan) {
		saving(f, p, 64)
		slotOf(p, "c/c1").ExpectedMs = 330_000
	}},
	{"an outage shorter than the reboot", 1, one("outage-understated"), false, func(f *fleet.Fleet, p *plan.Plan) { slotOf(p, "c/c1").ExpectedMs = 319_999 }},
	{"an outage shorter at worst", 1, one("outage-understated"), false, func(f *fleet.Fleet, p *plan.Plan) { slotOf(p, "c/c1").WorstMs = 1_799_999 }},
	{"more migrations at a host", 6, one("moves-per-host"), false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Moves[1].Start, p.Policy.MovesPerHost = at("2026-03-10 02:02"), 1
	}},
	{"more migrations in a pool", 6, one("moves-per-pool"), false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Moves[1].Start, p.Policy.MovesPerPool = at("2026-03-10 02:02"), 1
	}},
	{"a second canary", 6, one("second-canary"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Turns[2].Canary = true }},
	{"a bound above what the plan does", 10, []string{"bound"}, false, said(func(b *plan.Bounds) { b.WavesMin, b.WavesRatio = 4, 0.75 })},
	{"a bound of moves above what the plan does", 10, []string{"bound"}, false, said(func(b *plan.Bounds) { b.MovesMin, b.MovesRatio = 7, 0.86 })},
	{"a bound of time above what the plan takes", 10, []string{"bound"}, false, said(func(b *plan.Bounds) { b.MakespanMinS, b.MakespanRatio = 100000, 0.9 })},
	{"bounds that contradict each other", 10, []string{"bound"}, false, said(func(b *plan.Bounds) { b.MovesM2 = 3 })},
	{"no wave for its turns", 10, []string{"bound"}, false, said(func(b *plan.Bounds) { b.WavesMin, b.WavesRatio = 0, 1 })},
	{"a ratio that is none", 10, one("ratio"), false, said(func(b *plan.Bounds) { b.WavesRatio = 1 })},
	{"another M1", 10, one("moves-m1"), false, said(func(b *plan.Bounds) { b.MovesM1 = 3 })},
	{"another end for people", 10, one("toll"), false, func(f *fleet.Fleet, p *plan.Plan) {
		s := plan.TollOf(f, p)
		s.EndS--
		p.Summary = &plan.Summary{Toll: s}
	}},
	{"another makespan", 10, one("makespan"), false, said(func(b *plan.Bounds) { b.MakespanS, b.MakespanMinS = 89999, 0; b.MakespanRatio = 1 })},
	{"a turn of a host that is down", 10, []string{"group", "host-down", "host-group", "reserve", "unhealthy"}, false, func(f *fleet.Fleet, p *plan.Plan) { f.Hosts[1].Health = fleet.Down }},
	{"an unknown profile", 10, one("profile"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Profile = "bold" }},
	{"a plan of bounds by a careful policy", 10, one("bound-policy"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Profile = plan.Bound }},
}

// TestForecastAllowed: what just suffices is no finding, and words on a plan are no part of it.
func TestForecastAllowed(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(f *fleet.Fleet, p *plan.Plan)
	}{
		{"bounds that may be", func(f *fleet.Fleet, p *plan.Plan) { p.Bounds = goodBounds() }},
		{"bounds from before plans told all", func(f *fleet.Fleet, p *plan.Plan) {
			p.Bounds = plan.Bounds{WavesMin: 3, WavesRatio: 1, MovesMin: 6, MovesRatio: 1}
		}},
		{"a link that both ends lie behind", func(f *fleet.Fleet, p *plan.Plan) {
			f.Links = []fleet.Link{{ID: "up", Mbps: 1, Hosts: []string{"a", "b", "c"}}}
		}},
		{"links that just carry it", func(f *fleet.Fleet, p *plan.Plan) { f.Hosts[0].NICMbps = 144 }},
		{"post-copy for what does not converge", func(f *fleet.Fleet, p *plan.Plan) {
			f.Hosts[0].NICMbps, f.Instances[0].DirtyMiBps = 1000, 90
		}},
		{"a turn just long enough", func(f *fleet.Fleet, p *plan.Plan) { p.Turns[1].End, p.Turns[1].WorstS = at("2026-03-10 03:05"), 37*60 }},
		{"saves longer than policy's for one", func(f *fleet.Fleet, p *plan.Plan) { saving(f, p, 64) }},
		{"a worst case that just holds its saves", func(f *fleet.Fleet, p *plan.Plan) {
			saving(f, p, 64)
			p.Turns[2].WorstS = 2*507 + 33*60
		}},
		{"careful by name", func(f *fleet.Fleet, p *plan.Plan) { p.Profile = plan.Careful }},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, p := goodFleet(), goodPlan()
			c.change(f, p)
			seal(p)
			p.Summary, p.Causes = &plan.Summary{Hosts: 5}, []plan.Cause{{Code: "host-down"}} // words, after it was sealed
			if found := Plan(f, p); len(found) > 0 {
				show(t, found)
				t.Fatal("found fault with what is allowed")
			}
			if p.Digest != plan.Digest(*p) {
				t.Error("the auditor's digest is not the plan's")
			}
		})
	}
}

// TestBoundPolicy: each rule that ToBound lifts is missed where it is kept.
func TestBoundPolicy(t *testing.T) {
	careful := plan.DefaultPolicy()
	careful.BringHome, careful.StaggerRegions = true, true
	for name, keep := range map[string]func(*plan.Policy){
		"windows":          func(p *plan.Policy) { p.Windows = careful.Windows },
		"slot":             func(p *plan.Policy) { p.Slot = careful.Slot },
		"lead":             func(p *plan.Policy) { p.Lead = careful.Lead },
		"canary":           func(p *plan.Policy) { p.Canary = true },
		"max_away_percent": func(p *plan.Policy) { p.MaxAwayPercent = 5 },
		"keep_reserve":     func(p *plan.Policy) { p.KeepReserve = true },
		"stagger_sites":    func(p *plan.Policy) { p.StaggerSites = true },
		"stagger_regions":  func(p *plan.Policy) { p.StaggerRegions = true },
		"moves_per_pool":   func(p *plan.Policy) { p.MovesPerPool = 8 },
		"min_stay":         func(p *plan.Policy) { p.MinStay = careful.MinStay },
		"bring_home":       func(p *plan.Policy) { p.BringHome = true },
		"":                 func(*plan.Policy) {},
	} {
		p := &plan.Plan{Profile: plan.Bound, Policy: plan.ToBound(careful)}
		keep(&p.Policy)
		d := newDossier(&fleet.Fleet{}, p)
		d.profile()
		want := []string{}
		if name != "" {
			want = one("bound-policy")
		}
		if got := codes(d.findings); !slices.Equal(got, want) {
			t.Errorf("%q kept: found %v, want %v", name, got, want)
		}
	}
}
