package execution

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// thenReboot gives each host a live-patch turn in waves 1 to 3, and the fixture's turns, deferred, in
// waves 4 to 6; both stages have a canary, and each soaks for a minute.
func thenReboot(p *plan.Plan, _ *fleet.Fleet) {
	c := &p.Target.Cohorts[0]
	c.Remedy, c.Then, c.LivePatches = "live-patch", "reboot", []plan.WantedPatch{{Name: "lp1", Component: "xen", File: "lp1", BuildID: "b1"}}
	p.Policy.Soak = plan.Duration(time.Minute)
	var turns []plan.Turn
	for _, t := range p.Turns {
		patch := t
		patch.ID, patch.Tactic, patch.WorstS = plan.PatchTurn(t.Host), plan.LivePatch, 60
		turns = append(turns, patch)
	}
	for _, t := range p.Turns {
		t.Wave, t.Deferred, t.WorstS = t.Wave+3, true, 300
		turns = append(turns, t)
	}
	p.Turns = turns
}

// thenWorld obeys: a live patch is applied by its file, a reboot brings another build and no patch.
func thenWorld(t *testing.T, change func(*plan.Plan, *fleet.Fleet)) *world {
	w := newWorld(t, func(p *plan.Plan, f *fleet.Fleet) {
		thenReboot(p, f)
		if change != nil {
			change(p, f)
		}
	})
	for _, h := range w.hosts {
		h.patches, h.build = []fleet.LivePatch{}, "b1"
	}
	w.answer = w.patchOrReboot
	return w
}

func (w *world) patchOrReboot(c Chore) ([]Fact, bool) {
	h := w.hosts[c.Host]
	switch {
	case c.Kind == ChoreUpdate && w.s.Turns[c.Turn].Plan.Tactic == plan.LivePatch:
		h.patches = []fleet.LivePatch{{Name: "lp1", Component: "xen", State: fleet.PatchApplied}}
		return []Fact{{Kind: StepDone, Turn: c.Turn, Host: c.Host, Step: c.Step, Attempt: c.Attempt, Why: "applied"}}, true
	case c.Kind == ChoreRevert:
		h.patches = []fleet.LivePatch{}
		return []Fact{{Kind: HostSeen, Host: c.Host, Seen: w.view(c.Host)}, {Kind: StepDone, Turn: c.Turn, Host: c.Host, Step: c.Step, Attempt: c.Attempt, Why: "taken back"}}, true
	case c.Kind == ChoreReboot:
		facts := w.obey(c)
		h.patches, h.build = []fleet.LivePatch{}, "b2"
		return facts, true
	}
	return nil, false
}

// index of the first fact that is like this; -1 where there is none.
func (w *world) index(kind Kind, turn string) int {
	return slices.IndexFunc(w.facts, func(f Fact) bool { return f.Kind == kind && f.Turn == turn })
}

// TestPatchThenReboot: all live patches first, then each host is rebooted once; two canaries, each alone,
// soaked and looked at again before the next wave.
func TestPatchThenReboot(t *testing.T) {
	w := thenWorld(t, nil)
	w.run(at("03:00:00"))
	if w.s.PhaseWhy != "done" {
		t.Fatalf("it is %s %s: %s", w.s.Phase, w.s.PhaseWhy, w.tail(8))
	}
	var over time.Time
	for _, h := range []string{"h1", "h2", "h3"} {
		patch := plan.PatchTurn(h)
		if w.hosts[h].boot != 2 || w.index(TurnDone, patch) < 0 || w.index(TurnDone, h) < 0 {
			t.Errorf("%s: boot %d, both turns done: %v %v", h, w.hosts[h].boot, w.s.Turns[patch].Phase, w.s.Turns[h].Phase)
		}
		over = later(over, w.s.Turns[patch].Ended)
	}
	if first := w.s.Turns["h1"].Permitted; first.Before(over.Add(time.Minute)) {
		t.Errorf("a reboot begins at %s, the last live patch was over at %s and is to soak for a minute", first, over)
	}
	for canary, next := range map[string]string{"h1+live-patch": "h2+live-patch", "h1": "h2"} {
		c := w.s.Turns[canary]
		if begun := w.s.Turns[next].Permitted; begun.Before(c.Ended.Add(time.Minute)) || c.Judged.Before(c.Ended.Add(time.Minute)) || c.Judged.After(begun) {
			t.Errorf("%s ended %s and was judged %s; %s begins %s", canary, c.Ended, c.Judged, next, begun)
		}
	}
	for _, f := range w.facts {
		if (f.Kind == MovePlaced || f.Kind == StopStarted) && w.s.Turns[f.Turn].Plan.Tactic == plan.LivePatch {
			t.Errorf("%s is touched in a live patch", f.Instance)
		}
	}
}

// A controller that is killed after each fact decides the same, fact for fact.
func TestKilledAtEachFactOfTwoStages(t *testing.T) {
	whole, killed := thenWorld(t, nil), thenWorld(t, nil)
	killed.kill = true
	whole.run(at("03:00:00"))
	killed.run(at("03:00:00"))
	sameFacts(t, whole, killed)
}

func sameFacts(t *testing.T, a, b *world) {
	t.Helper()
	for i := range min(len(a.facts), len(b.facts)) {
		if !reflect.DeepEqual(a.facts[i], b.facts[i]) {
			t.Fatalf("fact %d differs:\n%+v\n%+v", i+1, a.facts[i], b.facts[i])
		}
	}
	if len(a.facts) != len(b.facts) {
		t.Fatalf("%d facts, and %d where it is killed", len(a.facts), len(b.facts))
	}
}

// A live patch that is held does not keep the reboots waiting: its own host's reboot takes its place, and
// nobody can have it tried again in its midst.
func TestAHeldPatchGivesWayToTheReboot(t *testing.T) {
	w := thenWorld(t, func(p *plan.Plan, _ *fleet.Fleet) { p.Policy.FailureBudget = 9 })
	w.answer = func(c Chore) ([]Fact, bool) {
		if c.Kind == ChoreUpdate && c.Turn == "h2+live-patch" {
			return []Fact{{Kind: StepFailed, Turn: c.Turn, Host: c.Host, Step: c.Step, Attempt: c.Attempt, Code: "patch-symbol", Why: "no such symbol"}}, true
		}
		return w.patchOrReboot(c)
	}
	w.run(at("03:00:00"))
	patch := w.s.Turns["h2+live-patch"]
	if patch.Code != CodeInstead || w.hosts["h2"].boot != 2 || w.s.PhaseWhy != "done" {
		t.Fatalf("its live patch is %s (%s), boot %d, the campaign %s %s: %s", patch.Phase, patch.Code, w.hosts["h2"].boot, w.s.Phase, w.s.PhaseWhy, w.tail(6))
	}
	if f := w.held("h2+live-patch"); f.Next != "mend the cause, then: evenkeel retry h2+live-patch" {
		t.Errorf("next: %s", f.Next)
	}
	if w.index(TurnDropped, "h2+live-patch") > w.index(TurnPermitted, "h2") {
		t.Error("the two turns of one host overlap")
	}
}

// What a live patch brought does not spare its host's reboot; booting the packages does.
func TestOnlyBootedPackagesSpareTheReboot(t *testing.T) {
	for _, booted := range []bool{false, true} {
		w := thenWorld(t, nil)
		w.answer = func(c Chore) ([]Fact, bool) {
			if h := w.hosts["h2"]; booted && c.Kind == ChoreLook && c.Host == "h2" && w.index(TurnDone, "h3+live-patch") > 0 && h.boot == 1 {
				h.boot, h.patches, h.build = 2, []fleet.LivePatch{}, "b2" // a person reboots it into the fix
				w.reach("h2", "")
			}
			return w.patchOrReboot(c)
		}
		w.run(at("03:00:00"))
		if got := w.s.Turns["h2"].reached(); got != booted || w.hosts["h2"].boot != 2 || w.s.PhaseWhy != "done" {
			t.Errorf("booted %v: its reboot was spared %v, boot %d, it is %s %s: %s", booted, got, w.hosts["h2"].boot, w.s.Phase, w.s.PhaseWhy, w.tail(5))
		}
	}
}

// Hosts that rebooted are better places than those that were live-patched and will reboot, and both are better than
// those that have neither.
func TestLevelsOfAPlaceToLand(t *testing.T) {
	w := thenWorld(t, nil)
	level := func(want int, when string) {
		t.Helper()
		if got := w.s.level("h2"); got != want {
			t.Errorf("%s its level is %d, want %d", when, got, want)
		}
	}
	level(landsUnfixed, "at the start")
	w.s.fixed["h2"] = true
	level(landsPatched, "with its live patch")
	w.s.Turns["h2"].Phase = TurnFinished
	level(landsFixed, "rebooted")
}

// A live patch takes nobody away: the pool's share does not bind it, nor does it use that up. Host groups
// and stagger hold for it as for all.
func TestPoolShareDoesNotBindLivePatches(t *testing.T) {
	for name, c := range map[string]struct {
		change func(p *plan.Plan, f *fleet.Fleet)
		most   int
	}{
		"none": {func(*plan.Plan, *fleet.Fleet) {}, 3},
		"host group": {func(_ *plan.Plan, f *fleet.Fleet) {
			f.HostGroups = []fleet.HostGroup{{ID: "ceph", Hosts: []string{"h1", "h2", "h3"}, MaxUnavailable: 2}}
		}, 2},
		"stagger": {func(p *plan.Plan, f *fleet.Fleet) {
			f.Sites = append(f.Sites, fleet.Site{ID: "s2", Region: "eu"})
			p.Turns[2].Site = "s2"
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(p *plan.Plan, f *fleet.Fleet) {
				thenReboot(p, f)
				p.Policy.MaxAwayPercent, p.Policy.Canary = 1, false
				for i := range p.Turns {
					p.Turns[i].Wave = 1 + i/3
				}
				c.change(p, f)
			})
			for _, h := range w.hosts {
				h.patches, h.build = []fleet.LivePatch{}, "b1"
			}
			most := 0
			w.answer = func(c Chore) ([]Fact, bool) {
				most = max(most, w.s.Count()[TurnActive])
				return nil, c.Kind == ChoreUpdate // they take their time
			}
			w.run(at("01:05:00"))
			if most != c.most {
				t.Errorf("%d live patches at once, want %d: %s", most, c.most, w.tail(4))
			}
		})
	}
}
