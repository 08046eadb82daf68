package planner_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// turnsOf are a host's turns, in the order of their waves.
func turnsOf(p plan.Plan, host string) (out []plan.Turn) {
	for _, u := range p.Turns {
		if u.Host == host {
			out = append(out, u)
		}
	}
	return out
}

// TestPatchNowRebootLater: each host has its live patch first, and its reboot later with as many moves and
// waves as an evacuation without live patches takes; tenants are told of the reboot alone.
func TestPatchNowRebootLater(t *testing.T) {
	f, pol := xenFleet(20, 8192, 3, 1024), mixedPolicy()
	pol.MaxAwayPercent = 10
	p := propose(t, f, xenTarget("reboot"), pol)
	plain := xenTarget("")
	plain.Cohorts[0].Remedy, plain.Cohorts[0].LivePatches = "reboot", nil
	other := propose(t, f, plain, pol)
	if p.Counts.Hosts != 20 || len(p.Turns) != 40 || p.Counts.Moves != other.Counts.Moves || len(p.Slots) != len(other.Slots) || p.Bounds.MovesMin != other.Bounds.MovesMin {
		t.Errorf("%+v %+v, and without live patches %+v %+v", p.Counts, p.Bounds, other.Counts, other.Bounds)
	}
	if want := 3 + other.Counts.Waves; p.Counts.Waves != want { // of 1, 4 and 15 live patches
		t.Errorf("%d waves, want %d", p.Counts.Waves, want)
	}
	var over time.Time
	for i, u := range p.Turns {
		patch := i < 20
		if patch != (u.Tactic == plan.LivePatch) || patch == u.Deferred || (u.ID == plan.PatchTurn(u.Host)) != patch || (u.ID == u.Host) == patch {
			t.Fatalf("turn %d is %+v", i, u)
		}
		if patch {
			over = later(over, u.WorstEnd())
		}
		if i == 20 && (!u.Canary || u.Start.Before(over.Add(30*time.Minute))) {
			t.Errorf("the first reboot %+v; the live patches are over %s", u, over)
		}
	}
	for _, s := range p.Slots {
		if strings.Contains(s.Turn, "+") {
			t.Errorf("slot %s is of a live patch", s.ID)
		}
	}
	if !strings.HasPrefix(p.Verdict, "Yes: all 20 hosts that need it in ") || !strings.Contains(p.Verdict, "20 live patches, 20 deferred reboots, ") {
		t.Error(p.Verdict)
	}
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// TestRebootCannotFollow: what keeps a host from its reboot, known at once or found later, keeps it from no
// live patch; the reason is said.
func TestRebootCannotFollow(t *testing.T) {
	pv := strings.Fields("pv hvm hap gnttab-v1 gnttab-v2") // no shadow
	for _, c := range []struct {
		name   string
		change func(f *fleet.Fleet, p *plan.Policy)
		codes  []string
	}{
		{"no tactic reboots", func(_ *fleet.Fleet, p *plan.Policy) { p.Tactics = []plan.Tactic{plan.LivePatch} },
			[]string{"h0000:no-tactic", "h0001:no-tactic", "h0002:no-tactic"}},
		{"an instance can neither move nor be saved", func(f *fleet.Fleet, p *plan.Policy) {
			f.Instances[2].GuestType, f.Hosts[1].VirtCaps, f.Instances[2].NoSuspend = "pv", pv, true
		}, []string{"v0001-00:no-shadow", "h0001:instance-blocked"}},
		{"no room elsewhere", func(f *fleet.Fleet, p *plan.Policy) {
			p.Tactics = []plan.Tactic{plan.LivePatch, plan.Evacuate}
			f.Hosts[0].MemoryMiB, f.Instances[0].MemoryMiB = 32768, 20000
		}, []string{"h0000:no-room"}},
		{"nothing brings the packages", func(f *fleet.Fleet, p *plan.Policy) {
			p.Contact = "no update"
			f.Hosts[1].Software.Installed = map[string]string{xenPkg: newXen} // there already
		}, []string{"h0000:no-update-named", "h0002:no-update-named"}},
		{"no time", func(_ *fleet.Fleet, p *plan.Policy) { p.FinishBy = at(t, "2026-03-03 08:00") },
			[]string{"h0000:after-finish-by", "h0001:after-finish-by", "h0002:after-finish-by"}},
		{"its slot is too short", func(_ *fleet.Fleet, p *plan.Policy) { p.Slot = plan.Duration(20 * time.Minute) },
			[]string{"h0000:slot-too-short", "h0001:slot-too-short", "h0002:slot-too-short"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, pol := xenFleet(3, 16384, 2, 1024), mixedPolicy()
			c.change(f, &pol)
			tg := xenTarget("reboot")
			if pol.Contact == "no update" {
				tg.Cohorts[0].Update.Command = nil
			}
			p := propose(t, f, tg, pol)
			got := codes(p)
			slices.Sort(got)
			slices.Sort(c.codes)
			blocked := 0
			for _, b := range p.Blocked {
				if b.Host == "" {
					continue
				}
				blocked++
				if us := turnsOf(p, b.Host); len(us) != 1 || us[0].Tactic != plan.LivePatch || us[0].ID != b.Host {
					t.Errorf("the turns of %s: %+v", b.Host, us)
				}
				if !strings.HasPrefix(b.Why, "it has its live patch, or gets it, and the reboot that is to follow cannot be planned: ") {
					t.Errorf("why: %s", b.Why)
				}
			}
			if !slices.Equal(got, c.codes) || len(p.Turns) != 6-blocked || p.Counts.Hosts != 3 {
				t.Errorf("want %v:\n%s", c.codes, told(p))
			}
			if !strings.HasPrefix(p.Verdict, "Partly: all 3 hosts") || !strings.Contains(p.Verdict, fmt.Sprintf("; %d host", blocked)) || !strings.Contains(p.Verdict, "whose reboot cannot follow") {
				t.Error(p.Verdict)
			}
		})
	}
}

// TestPatchedAndNotToReboot: a host that has its live patch and cannot be rebooted has no turn; it is named,
// and takes in whom nobody better can.
func TestPatchedAndNotToReboot(t *testing.T) {
	for code, change := range map[string]func(f *fleet.Fleet, h *fleet.Host, p *plan.Policy){
		"no-update": func(_ *fleet.Fleet, h *fleet.Host, _ *plan.Policy) {
			h.Capabilities = []string{fleet.CanLivePatch, fleet.CanLiveMigrate, fleet.CanSuspend, fleet.CanReboot}
		},
		"no-tactic":        func(_ *fleet.Fleet, h *fleet.Host, _ *plan.Policy) { h.Capabilities = []string{fleet.CanUpdate} },
		"host-down":        func(_ *fleet.Fleet, h *fleet.Host, _ *plan.Policy) { h.Health = fleet.Down },
		"instance-blocked": func(f *fleet.Fleet, _ *fleet.Host, _ *plan.Policy) { f.Instances[2].Tenant = "cedar" },
		"no-room": func(f *fleet.Fleet, h *fleet.Host, p *plan.Policy) {
			h.MemoryMiB, f.Instances[2].MemoryMiB, p.Tactics = 32768, 20000, p.Tactics[:2]
		},
		"no-window": func(_ *fleet.Fleet, _ *fleet.Host, p *plan.Policy) {
			p.Windows = []plan.WindowRule{{Always: true, Sites: []string{"other"}}}
		},
	} {
		f, pol := xenFleet(3, 16384, 2, 1024), mixedPolicy()
		f.Tenants = append(f.Tenants, fleet.Tenant{ID: "cedar"})
		f.Hosts[1].Software.LivePatches = applied("xsa1-aa", "xsa2-aa")
		change(f, &f.Hosts[1], &pol)
		p := propose(t, f, xenTarget("reboot"), pol)
		if us := turnsOf(p, "h0001"); len(us) != 0 || !slices.Contains(codes(p), "h0001:"+code) || code != "no-window" && len(p.Turns) != 4 {
			t.Errorf("%s: %s", code, told(p))
		}
	}
}

// TestPVWithoutShadowLater: a PV guest of a host without shadow is saved in the deferred reboot, for that
// reason, and all others are moved.
func TestPVWithoutShadowLater(t *testing.T) {
	f, pol := xenFleet(3, 16384, 2, 1024), mixedPolicy()
	f.Hosts[1].VirtCaps = strings.Fields("pv hvm hap gnttab-v1 gnttab-v2")
	f.Instances[2].GuestType = "pv"
	p := propose(t, f, xenTarget("reboot"), pol)
	us := turnsOf(p, "h0001")
	if len(us) != 2 || us[1].Tactic != plan.Suspend || !strings.Contains(us[1].Why, "v0001-00 (no-shadow)") || p.Counts.Stops != 1 {
		t.Errorf("%s", told(p))
	}
}

// TestDisclosureBoundsThePatches: the live patches end before disclosure, the reboots may come after; what
// may not be deployed before is not, of either.
func TestDisclosureBoundsThePatches(t *testing.T) {
	f, pol, tg := xenFleet(4, 16384, 2, 1024), mixedPolicy(), xenTarget("reboot")
	tg.Disclosure = at(t, "2026-03-02 12:00")
	p := propose(t, f, tg, pol)
	if len(p.Turns) != 8 || len(p.Blocked) != 0 {
		t.Fatal(told(p))
	}
	for _, u := range p.Turns {
		if u.Deferred == u.WorstEnd().Before(tg.Disclosure) {
			t.Errorf("turn %s ends %s", u.ID, u.WorstEnd())
		}
	}
	tg.Disclosure = at(t, "2026-03-02 10:00") // too early for all but the first: 13 minutes each, and a soak of 30
	if p = propose(t, f, tg, pol); !slices.Equal(codes(p), []string{"h0001:after-disclosure", "h0002:after-disclosure", "h0003:after-disclosure"}) && len(p.Blocked) != 0 {
		t.Error(told(p))
	}
	tg.Disclosure, tg.EmbargoDeploy = at(t, "2026-03-20 12:00"), "no"
	for _, u := range propose(t, f, tg, pol).Turns {
		if u.Start.Before(tg.Disclosure) {
			t.Errorf("turn %s starts %s, under embargo", u.ID, u.Start)
		}
	}
}

// TestWavesGrow: after the canary no wave has more than so many times the turns of the largest before it,
// in each stage anew; live patches know no other bound, and without a canary not even that.
func TestWavesGrow(t *testing.T) {
	sizes := func(p plan.Plan) (live, later []int) {
		n, is := map[int]int{}, map[int]bool{}
		for _, u := range p.Turns {
			n[u.Wave]++
			is[u.Wave] = u.Tactic == plan.LivePatch
		}
		for w := 1; w <= p.Counts.Waves; w++ {
			if is[w] {
				live = append(live, n[w])
			} else {
				later = append(later, n[w])
			}
		}
		return live, later
	}
	for _, c := range []struct {
		growth      int
		canary      bool
		away        int
		live, later []int
	}{
		{4, true, 100, []int{1, 4, 16, 9}, []int{1, 4, 16, 9}},
		{2, true, 10, []int{1, 2, 4, 8, 15}, []int{1, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3}},
		{0, true, 100, []int{1, 29}, nil},
		{4, false, 100, []int{30}, nil},
		{1, true, 100, slices.Repeat([]int{1}, 30), slices.Repeat([]int{1}, 30)},
	} {
		pol := mixedPolicy()
		pol.WaveGrowth, pol.Canary, pol.MaxAwayPercent = c.growth, c.canary, c.away
		p := propose(t, xenFleet(30, 65536, 1, 1024), xenTarget("reboot"), pol)
		live, later := sizes(p)
		if !slices.Equal(live, c.live) || c.later != nil && !slices.Equal(later, c.later) {
			t.Errorf("growth %d, canary %v: %v, then %v; want %v, then %v", c.growth, c.canary, live, later, c.live, c.later)
		}
		if p.Bounds.WavesMin > p.Counts.Waves || c.away == 100 && c.growth == 4 && c.canary && p.Bounds.WavesMin != p.Counts.Waves {
			t.Errorf("growth %d: %d waves, %+v", c.growth, p.Counts.Waves, p.Bounds)
		}
	}
}

// TestPatchedIsBetterThanNothing: before the reboots an instance of a host that cannot be live-patched goes
// to one that stays where there is one, else to one that has its live patch, and never to one that has
// neither as long as there is room.
func TestPatchedIsBetterThanNothing(t *testing.T) {
	f, pol := xenFleet(6, 16384, 2, 1024), mixedPolicy()
	pol.MaxAwayPercent = 20
	f.Hosts[0].Software.BuildID = "cc"                         // to be rebooted at once
	f.Hosts[5].Software.BuildID = ""                           // blocked
	for _, name := range []string{"none stays", "one stays"} { // in that order: the second changes the fleet
		stays := name == "one stays"
		if stays {
			asXen(&f.Hosts[3], newXen, "dd", applied())
			for i := range f.Instances {
				if f.Instances[i].Host == "h0003" {
					f.Instances[i].Host = "h0002"
				}
			}
		}
		p := propose(t, f, xenTarget("reboot"), pol)
		n := 0
		for _, m := range p.Moves {
			if m.Turn != "h0000" {
				continue
			}
			n++
			if to := turnsOf(p, m.To); stays && m.To != "h0003" || !stays && (len(to) != 2 || to[0].Tactic != plan.LivePatch || !to[0].WorstEnd().Before(m.Start)) {
				t.Errorf("%s: %s goes to %s, whose turns are %+v", name, m.Instance, m.To, to)
			}
		}
		if n != 2 {
			t.Errorf("%s: %d moves: %s", name, n, told(p))
		}
	}
}
