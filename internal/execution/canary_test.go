package execution

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// soaking runs to the end of the canary h1's turn, whose tactic is given, and no further: it soaks for ten
// minutes.
func soaking(t *testing.T, tactic plan.Tactic) *world {
	w := newWorld(t, func(p *plan.Plan, _ *fleet.Fleet) {
		p.Policy.Soak = plan.Duration(10 * time.Minute)
		c := &p.Target.Cohorts[0]
		if tactic == plan.LivePatch {
			c.Remedy, c.LivePatches = "live-patch", []plan.WantedPatch{{Name: "lp1", Component: "xen", File: "lp1"}}
			p.Slots = nil
		}
		for i := range p.Turns {
			p.Turns[i].Tactic = tactic
		}
	})
	for _, h := range w.hosts {
		h.patches, h.build = []fleet.LivePatch{}, "b1"
	}
	w.answer = w.patchOrReboot
	for now := at("01:00:00"); w.s.Turns["h1"].Phase != TurnFinished; now = now.Add(10 * time.Second) {
		if now.After(at("01:20:00")) {
			t.Fatalf("h1 is %s: %s", w.s.Turns["h1"].Phase, w.tail(5))
		}
		w.run(now)
	}
	return w
}

// TestCanaryIsJudgedAgain: what goes wrong while it soaks, or cannot be seen after, holds the canary and
// halts the campaign; a live patch is taken back. What shows only once, or before the soak is over, does not.
func TestCanaryIsJudgedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		tactic plan.Tactic
		spoil  func(w *world, h *worldHost)
		says   string // of the hold; empty: it is sound
	}{
		"sound live patch":      {plan.LivePatch, func(*world, *worldHost) {}, ""},
		"sound reboot":          {plan.Evacuate, func(*world, *worldHost) {}, ""},
		"live patch gone":       {plan.LivePatch, func(_ *world, h *worldHost) { h.patches = []fleet.LivePatch{} }, "live patch lp1 is not in the host's list"},
		"list not read":         {plan.LivePatch, func(_ *world, h *worldHost) { h.patches = nil }, "list of live patches cannot be read"},
		"live patch, reset":     {plan.LivePatch, func(_ *world, h *worldHost) { h.boot++ }, "boot id h1-boot-1 -> h1-boot-2"},
		"live patch, sick":      {plan.LivePatch, func(_ *world, h *worldHost) { h.health = "sick" }, "it is sick"},
		"live patch, silent":    {plan.LivePatch, func(_ *world, h *worldHost) { h.silent = true }, "has not answered"},
		"reboot, reset":         {plan.Evacuate, func(_ *world, h *worldHost) { h.boot++ }, "boot id h1-boot-2 -> h1-boot-3"},
		"reboot, sick":          {plan.Evacuate, func(_ *world, h *worldHost) { h.health = "sick" }, "it is sick"},
		"reboot, old is booted": {plan.Evacuate, func(_ *world, h *worldHost) { h.booted = oldQEMU }, "is older than"},
		"reboot, not known":     {plan.Evacuate, func(_ *world, h *worldHost) { h.booted = "" }, "cannot be read"},
		"sick for a moment": {plan.LivePatch, func(w *world, h *worldHost) {
			h.health = "sick"
			w.answer = func(c Chore) ([]Fact, bool) {
				facts, mine := w.patchOrReboot(c)
				if c.Kind == ChoreLook && c.Host == "h1" {
					facts, mine = w.obey(c), true
					h.health = ""
				}
				return facts, mine
			}
		}, ""},
		"sick while it soaks": {plan.LivePatch, func(w *world, h *worldHost) {
			h.health = "sick"
			w.store(Fact{Kind: HostSeen, Host: "h1", Seen: w.view("h1")})
			h.health = ""
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := soaking(t, c.tactic)
			ended := w.s.Turns["h1"].Ended
			c.spoil(w, w.hosts["h1"])
			w.run(at("01:45:00"))
			h1, h2 := w.s.Turns["h1"], w.s.Turns["h2"]
			if c.says == "" {
				if h1.Phase != TurnFinished || h2.Permitted.Before(ended.Add(10*time.Minute)) || h1.Judged.Before(ended.Add(10*time.Minute)) {
					t.Fatalf("h1 is %s (%s), judged %s, h2 permitted %s: %s", h1.Phase, h1.Why, h1.Judged, h2.Permitted, w.tail(5))
				}
				return
			}
			f := w.held("h1")
			if f.Code != CodeCanaryUnwell || !strings.Contains(f.Why, c.says) || f.Next == "" || f.At.Before(ended.Add(10*time.Minute)) || f.At.After(ended.Add(14*time.Minute)) {
				t.Errorf("held with %+v", f)
			}
			if w.s.Phase != PhaseHalted || !h2.Permitted.IsZero() || w.kinds()[CampaignHalted] != 1 || w.s.Fixed("h1") {
				t.Errorf("it is %s, h2 was permitted %s, halted %d times: %s", w.s.Phase, h2.Permitted, w.kinds()[CampaignHalted], w.tail(5))
			}
			if n := len(w.started(StepRevert, "h1")); (n > 0) != (c.tactic == plan.LivePatch) {
				t.Errorf("%d reverts", n)
			}
			mend(t, w)
		})
	}
}

// mend brings h1 in order and has the operator go on: its turn is proven anew and soaks anew.
func mend(t *testing.T, w *world) {
	t.Helper()
	h := w.hosts["h1"]
	h.health, h.silent, h.booted, h.qemu = "", false, newQEMU, newQEMU
	boot, rebooted := h.boot, len(w.started(StepReboot, "h1"))
	if h.patches == nil {
		h.patches = []fleet.LivePatch{}
	}
	w.run(at("01:46:00")) // a live patch is taken back by now
	w.store(Fact{Kind: CampaignResumed, Who: "operator:t"}, Fact{Kind: TurnReleased, Who: "operator:t", Turn: "h1", Host: "h1"})
	w.run(w.now.Add(3 * time.Minute))
	tn := w.s.Turns["h1"]
	if tn.Phase != TurnFinished || !w.s.Fixed("h1") || h.boot != boot || len(w.started(StepReboot, "h1")) != rebooted {
		t.Fatalf("after a retry h1 is %s at %s (%s), boot %d: %s", tn.Phase, tn.Step, tn.Why, h.boot, w.tail(6))
	}
	if tn.Plan.Tactic == plan.LivePatch && !slices.ContainsFunc(h.patches, func(p fleet.LivePatch) bool { return p.State == fleet.PatchApplied }) {
		t.Errorf("its live patch was not applied again: %v", h.patches)
	}
	if r := w.s.afterCanaries(w.s.Turns["h2"], w.now); r == nil || !r.until.Equal(tn.Ended.Add(10*time.Minute)) {
		t.Errorf("it does not soak anew: %+v", r)
	}
}

// A canary that was not needed soaks, and is not judged again; where nothing waits for it nobody looks.
func TestWhoIsNotJudged(t *testing.T) {
	w := newWorld(t, func(p *plan.Plan, _ *fleet.Fleet) { p.Policy.Soak = plan.Duration(10 * time.Minute) })
	w.reach("h1", "")
	w.run(at("01:05:00"))
	h1 := w.s.Turns["h1"]
	if !h1.reached() {
		t.Fatalf("h1 is %s", h1.Phase)
	}
	w.hosts["h1"].boot++
	w.run(at("01:30:00"))
	if w.s.Turns["h2"].Permitted.Before(h1.Ended.Add(10*time.Minute)) || w.kinds()[TurnHeld] > 0 {
		t.Errorf("h2 was permitted %s, it is %s", w.s.Turns["h2"].Permitted, w.s.Phase)
	}
	alone := newWorld(t, func(p *plan.Plan, _ *fleet.Fleet) {
		p.Turns, p.Policy.Soak = p.Turns[:1], plan.Duration(10*time.Hour)
		p.Slots = slices.DeleteFunc(p.Slots, func(sl plan.Slot) bool { return sl.Turn != "h1" })
	})
	alone.run(at("01:45:00"))
	if alone.s.Phase != PhaseFinished {
		t.Errorf("nothing follows the canary, and it is %s: %s", alone.s.Phase, alone.tail(4))
	}
}

// A campaign from before canaries were judged again goes on: one whose next wave has begun is judged.
func TestOldJournalsCanary(t *testing.T) {
	w := soaking(t, plan.Evacuate)
	w.run(at("01:30:00"))
	end, next := w.s.soakedAt(w.s.Turns["h1"]), w.index(TurnPermitted, "h2")
	if next < 0 {
		t.Fatalf("h2 did not begin: %s", w.tail(4))
	}
	old := New()
	for _, f := range w.facts[:next+1] {
		if f.Kind == HostSeen && f.Host == "h1" && !f.Seen.At.Before(end) {
			continue
		}
		f.Seq = 0
		if err := old.Apply(f); err != nil {
			t.Fatal(err)
		}
	}
	if c := old.Turns["h1"]; c.Judged.IsZero() || old.unjudged(c) {
		t.Error("its canary is to be judged although the next wave has begun")
	}
}

// A controller that is killed after each fact decides the same about a canary that is unwell.
func TestKilledAroundACanary(t *testing.T) {
	var worlds [2]*world
	for i := range worlds {
		w := soaking(t, plan.LivePatch)
		w.kill = i == 1
		w.hosts["h1"].health = "sick"
		w.run(at("01:45:00"))
		worlds[i] = w
	}
	sameFacts(t, worlds[0], worlds[1])
	if worlds[0].s.Phase != PhaseHalted {
		t.Errorf("it is %s", worlds[0].s.Phase)
	}
}
