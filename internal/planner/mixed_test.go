package planner_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// mixedPolicy allows all that capacity does, with a canary.
func mixedPolicy() plan.Policy {
	p := eager()
	p.Tactics = []plan.Tactic{plan.LivePatch, plan.Evacuate, plan.Suspend}
	p.Canary, p.Soak, p.WaveGrowth = true, plan.Duration(30*time.Minute), 4
	return p
}

// stageRules says what is wrong with how a plan lays out live patches, other turns and deferred reboots. It
// knows only what was asked for, not how the planner does it.
func stageRules(in planner.Input, p plan.Plan) (wrong []string) {
	bad := func(what string) { wrong = append(wrong, what) }
	var patchesOver time.Time
	lastWave, deferredFrom, patchOf, rebootOf := 0, math.MaxInt, map[string]plan.Turn{}, map[string]plan.Turn{}
	for _, u := range p.Turns {
		switch {
		case u.Tactic == plan.LivePatch:
			if u.WorstEnd().After(patchesOver) {
				patchesOver = u.WorstEnd()
			}
			patchOf[u.Host] = u
		default:
			rebootOf[u.Host] = u
		}
		if u.Deferred {
			deferredFrom = min(deferredFrom, u.Wave)
		} else {
			lastWave = max(lastWave, u.Wave)
		}
	}
	if deferredFrom <= lastWave {
		bad("a deferred reboot shares a wave with, or comes before, what ends the exposure")
	}
	for _, u := range p.Turns {
		_, both := rebootOf[u.Host]
		want := u.Host
		if u.Tactic == plan.LivePatch && both {
			want = plan.PatchTurn(u.Host)
		}
		switch {
		case u.ID != want:
			bad("turn " + u.ID + " should be named " + want)
		case u.Deferred && u.Start.Before(patchesOver.Add(in.Policy.Soak.Std())) && !patchesOver.IsZero():
			bad("deferred turn " + u.ID + " starts before the live patches are over and have soaked")
		case u.Deferred && u.Tactic != plan.Evacuate && u.Tactic != plan.Suspend && u.Tactic != plan.Reboot:
			bad("deferred turn " + u.ID + " is a " + string(u.Tactic))
		case both && !u.Deferred && u.Tactic != plan.LivePatch && patchOf[u.Host].ID != "":
			bad("host " + u.Host + " is live-patched and rebooted, and the reboot is not called deferred")
		case !u.Deferred && in.Target.Disclosure.After(in.Now) && in.Target.EmbargoDeploy != "no" && !in.Policy.AfterDisclosure && u.WorstEnd().After(in.Target.Disclosure):
			bad("turn " + u.ID + " may end after disclosure")
		case !in.Policy.FinishBy.IsZero() && u.WorstEnd().After(in.Policy.FinishBy):
			bad("turn " + u.ID + " may end after finish_by")
		}
	}
	if !in.Policy.Canary {
		return wrong
	}
	for _, stage := range []bool{false, true} {
		size, waves := map[int]int{}, []int{}
		var first *plan.Turn
		patches := false
		for i, u := range p.Turns {
			if u.Deferred != stage {
				continue
			}
			if first == nil {
				first = &p.Turns[i]
			}
			patches = patches || u.Tactic == plan.LivePatch
			if size[u.Wave]++; size[u.Wave] == 1 {
				waves = append(waves, u.Wave)
			}
			if u.Canary != (&p.Turns[i] == first) {
				bad("turn " + u.ID + " is, or is not, the canary of its stage")
			}
		}
		if first == nil {
			continue
		}
		if patches && first.Tactic != plan.LivePatch {
			bad("the canary is no live patch, although hosts are live-patched")
		}
		if size[waves[0]] != 1 {
			bad("the canary is not alone")
		}
		largest := 0
		for i, wave := range waves {
			if g := in.Policy.WaveGrowth; i > 0 && g > 0 && size[wave] > g*largest {
				bad("a wave grows too fast")
			}
			largest = max(largest, size[wave])
		}
	}
	return wrong
}

// TestStageRulesFind: the reader above can fail.
func TestStageRulesFind(t *testing.T) {
	for name, spoil := range map[string]func(*planner.Input, *plan.Plan){
		"a reboot named otherwise":   func(_ *planner.Input, p *plan.Plan) { p.Turns[11].ID += "x" },
		"a patch named as its host":  func(_ *planner.Input, p *plan.Plan) { p.Turns[0].ID = p.Turns[0].Host },
		"a reboot called ordinary":   func(_ *planner.Input, p *plan.Plan) { p.Turns[7].Deferred = false },
		"a reboot before the soak":   func(in *planner.Input, _ *plan.Plan) { in.Policy.Soak = plan.Duration(48 * time.Hour) },
		"a reboot among the patches": func(_ *planner.Input, p *plan.Plan) { p.Turns[6].Wave = 2 },
		"a patch as second turn":     func(_ *planner.Input, p *plan.Plan) { p.Turns[7].Tactic = plan.LivePatch },
		"no canary":                  func(_ *planner.Input, p *plan.Plan) { p.Turns[0].Canary = false },
		"another canary":             func(_ *planner.Input, p *plan.Plan) { p.Turns[8].Canary = true },
		"a canary in company":        func(_ *planner.Input, p *plan.Plan) { p.Turns[1].Wave = 1 },
		"waves that grow":            func(in *planner.Input, _ *plan.Plan) { in.Policy.WaveGrowth = 2 },
		"past disclosure":            func(in *planner.Input, p *plan.Plan) { in.Target.Disclosure = p.Turns[1].Start },
		"past the deadline":          func(in *planner.Input, p *plan.Plan) { in.Policy.FinishBy = p.Turns[11].Start },
	} {
		f, tg, pol := xenFleet(6, 16384, 1, 1024), xenTarget("reboot"), mixedPolicy()
		p := propose(t, f, tg, pol)
		in := planner.Input{Fleet: f, Target: tg, Policy: pol, Now: p.Made}
		if wrong := stageRules(in, p); len(wrong) > 0 || len(p.Turns) != 12 {
			t.Fatalf("the plan itself: %v\n%s", wrong, told(p))
		}
		spoil(&in, &p)
		if len(stageRules(in, p)) == 0 {
			t.Errorf("%s is not found", name)
		}
	}
}

// TestMixed: whatever the builds, the patches on the hosts and the policy, the plan keeps the rules of its
// stages, the dumb reader finds nothing, and each host gets what its build allows.
func TestMixed(t *testing.T) {
	patches, instead, reboots, halves := 0, 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		in := drawMixed(t)
		p, err := planner.Propose(in)
		if err != nil {
			t.Fatal(err)
		}
		for _, wrong := range append(stageRules(in, p), walk(in.Fleet, p)...) {
			t.Error(wrong)
		}
		if p.Counts.Waves < p.Bounds.WavesMin || p.Counts.Moves < p.Bounds.MovesMin {
			t.Errorf("a plan of %d waves and %d moves beats its bounds: %+v", p.Counts.Waves, p.Counts.Moves, p.Bounds)
		}
		p1, r1, i1, h1 := eachHost(t, in, p)
		patches, reboots, instead, halves = patches+p1, reboots+r1, instead+i1, halves+h1
		if t.Failed() {
			t.Log(told(p))
		}
	})
	if patches == 0 || instead == 0 || reboots == 0 || halves == 0 {
		t.Errorf("%d live patches, %d deferred reboots, %d other tactics, %d reboots blocked: the draws exercise nothing", patches, reboots, instead, halves)
	}
}

// eachHost asks of each host that a live patch could be for whether it gets what it should.
func eachHost(t *rapid.T, in planner.Input, p plan.Plan) (patches, reboots, instead, halves int) {
	cohorts, turns, blocked := advisory.NewCohorts(in.Fleet, in.Target), map[string][]plan.Turn{}, map[string][]string{}
	for _, u := range p.Turns {
		turns[u.Host] = append(turns[u.Host], u)
	}
	for _, b := range p.Blocked {
		blocked[b.Host] = append(blocked[b.Host], b.Code)
	}
	for i := range in.Fleet.Hosts {
		h := &in.Fleet.Hosts[i]
		c := cohorts.Of(h)
		v, _ := in.Assessment.Host(h.ID)
		if c.Remedy != "live-patch" {
			continue
		}
		can := slices.Contains(in.Policy.Tactics, plan.LivePatch) && h.Can(fleet.CanLivePatch)
		mine := turns[h.ID]
		switch build := strings.ToLower(h.Software.BuildID); {
		case v.Verdict == advisory.IsUnknown, h.Health == fleet.Down:
			if len(mine) > 0 {
				t.Errorf("%s, %s and %s, has turns %v", h.ID, v.Verdict, h.Health, mine)
			}
		case v.Verdict == advisory.IsFixed && h.Software.Booted[xenPkg] == oldXen && c.Then != "":
			if len(mine) > 1 || len(mine) == 1 && !mine[0].Deferred || len(mine) == 0 && len(blocked[h.ID]) == 0 {
				t.Errorf("%s has its live patch and awaits its reboot: turns %v, blocked %v", h.ID, mine, blocked[h.ID])
			}
		case v.Verdict == advisory.IsFixed:
			if len(mine) > 0 {
				t.Errorf("%s is fixed and has turns %v", h.ID, mine)
			}
		case can && build == "":
			if len(mine) > 0 || !slices.Contains(blocked[h.ID], "build-unknown") && !slices.Contains(blocked[h.ID], "no-window") && !slices.Contains(blocked[h.ID], "host-group-degraded") {
				t.Errorf("the build of %s is not known: turns %v, blocked %v", h.ID, mine, blocked[h.ID])
			}
		case can && build == "aa":
			if len(mine) == 0 && len(blocked[h.ID]) == 0 || len(mine) > 0 && mine[0].Tactic != plan.LivePatch {
				t.Errorf("%s can be live-patched: turns %v, blocked %v", h.ID, mine, blocked[h.ID])
			}
			if len(mine) == 0 {
				continue
			}
			patches++
			if c.Then != "" && len(mine) == 1 {
				halves++
				if len(blocked[h.ID]) != 1 {
					t.Errorf("%s is live-patched, and of its reboot is said: %v", h.ID, blocked[h.ID])
				}
			}
			if want := c.Then != "" && len(blocked[h.ID]) == 0; want != (len(mine) == 2) {
				t.Errorf("%s: %d turns, blocked %v", h.ID, len(mine), blocked[h.ID])
			}
		default:
			if len(mine) > 1 || len(mine) == 1 && (mine[0].Tactic == plan.LivePatch || mine[0].Deferred || (slices.Contains(in.Policy.Tactics, plan.LivePatch) && !strings.Contains(mine[0].Why, "no-live-patch: "))) {
				t.Errorf("%s of build %s cannot be live-patched: %v", h.ID, build, mine)
			}
			instead += len(mine)
		}
		for _, u := range mine {
			if u.Deferred {
				reboots++
			}
		}
	}
	return patches, reboots, instead, halves
}

// TestMixedAudited: the auditor, who shares no code with the planner, finds nothing.
func TestMixedAudited(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawMixed(t)
		p, err := planner.Propose(in)
		if err != nil {
			t.Fatal(err)
		}
		contented(t, in, &p)
		if t.Failed() {
			t.Log(told(p))
		}
	})
}
