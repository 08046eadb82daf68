package execution

import (
	"fmt"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// patchWorld has one live patch to apply; the first update of each host brings it to a state, and each
// later one applies it.
func patchWorld(t *testing.T, want plan.WantedPatch, first string) *world {
	w := newWorld(t, func(p *plan.Plan, _ *fleet.Fleet) {
		for i := range p.Turns {
			p.Turns[i].Tactic = plan.LivePatch
		}
		p.Slots, p.Policy.FailureBudget = nil, 9
		c := &p.Target.Cohorts[0]
		c.Remedy, c.LivePatches = "live-patch", []plan.WantedPatch{want}
	})
	for _, h := range w.hosts {
		h.patches = []fleet.LivePatch{}
	}
	updates := map[string]int{}
	w.answer = func(c Chore) ([]Fact, bool) {
		if c.Kind != ChoreUpdate {
			return nil, false
		}
		h, state := w.hosts[c.Host], fleet.PatchApplied
		if updates[c.Host]++; updates[c.Host] == 1 {
			state = first
		}
		h.patches = []fleet.LivePatch{}
		if state != "" {
			h.patches = append(h.patches, fleet.LivePatch{Name: want.Name, Component: want.Component, State: state})
		}
		return []Fact{{Kind: StepDone, Turn: c.Turn, Host: c.Host, Step: c.Step, Attempt: c.Attempt, Why: "exit 0"}}, true
	}
	return w
}

var livepatch1 = plan.WantedPatch{Name: "livepatch_1", Component: "linux"}

func (w *world) updates() (n int) {
	for _, f := range w.facts {
		if f.Kind == StepStarted && f.Step == StepUpdate {
			n++
		}
	}
	return n
}

// TestLivePatchRun: a canary, then the others; done only with the list's own word, and nobody is
// touched or told.
func TestLivePatchRun(t *testing.T) {
	w := patchWorld(t, livepatch1, fleet.PatchApplied)
	w.run(at("03:00:00"))
	if w.s.PhaseWhy != "done" || w.updates() != 3 {
		t.Fatalf("it is %s %s after %d updates: %s", w.s.Phase, w.s.PhaseWhy, w.updates(), w.tail(8))
	}
	for k, n := range w.kinds() {
		switch k {
		case MovePlaced, StopStarted, NoticeAsked, Borrowed:
			t.Errorf("%d %s", n, k)
		}
	}
}

// TestLivePatchTransition: one that ends its transition in time is done; one that does not holds the
// turn at the deadline, and is not applied again when the operator retries.
func TestLivePatchTransition(t *testing.T) {
	for _, ends := range []bool{true, false} {
		t.Run(fmt.Sprint("ends ", ends), func(t *testing.T) {
			w := patchWorld(t, livepatch1, fleet.PatchTransition)
			w.run(at("01:02:00"))
			if tn := w.s.Turns["h1"]; tn.Phase != TurnActive || tn.Step != StepProve {
				t.Fatalf("in transition h1 is %s %s", tn.Phase, tn.Step)
			}
			settle := func() {
				for _, h := range w.hosts {
					for i := range h.patches {
						h.patches[i].State = fleet.PatchApplied
					}
				}
			}
			if !ends {
				w.run(at("01:30:00"))
				if f := w.held("h1"); f.Code != CodeTransition || f.Next == "" || f.At.Before(at("01:05:00")) {
					t.Fatalf("held with %+v", f)
				}
				settle()
				w.store(Fact{Kind: TurnReleased, Who: "operator:t", Turn: "h1", Host: "h1"})
			}
			settle()
			w.run(w.now.Add(time.Minute))
			if tn := w.s.Turns["h1"]; tn.Phase != TurnFinished || !w.s.Fixed("h1") {
				t.Errorf("h1 is %s: %s", tn.Phase, w.tail(5))
			}
			n := 0
			for _, f := range w.facts {
				if f.Kind == StepStarted && f.Step == StepUpdate && f.Host == "h1" {
					n++
				}
			}
			if n != 1 {
				t.Errorf("it was applied %d times", n)
			}
		})
	}
}

// TestLivePatchUnproven: whatever keeps the list from saying applied, on the same boot, keeps the turn
// from being done; a retry applies it again where it is not there.
func TestLivePatchUnproven(t *testing.T) {
	for name, c := range map[string]struct {
		want  plan.WantedPatch
		first string
		spoil func(h *worldHost)
		code  string
	}{
		"it is not there":           {livepatch1, "", nil, CodeNotPatched},
		"it is only loaded":         {livepatch1, fleet.PatchLoaded, nil, CodeNotPatched},
		"the list is not read":      {livepatch1, fleet.PatchApplied, func(h *worldHost) { h.patches = nil }, CodeCannotJudge},
		"another boot":              {livepatch1, fleet.PatchApplied, func(h *worldHost) { h.boot++ }, CodeOtherBoot},
		"it is for another build":   {plan.WantedPatch{Name: "xsa-1", Component: "xen", BuildID: "b2"}, fleet.PatchApplied, func(h *worldHost) { h.build = "b1" }, CodeNotPatched},
		"the build id is not known": {plan.WantedPatch{Name: "xsa-1", Component: "xen", BuildID: "b2"}, fleet.PatchApplied, nil, CodeCannotJudge},
		"of another component":      {plan.WantedPatch{Name: "x", Component: "xen"}, fleet.PatchApplied, func(h *worldHost) { h.patches[0].Component = "linux" }, CodeNotPatched},
		"one of two is not applied": {livepatch1, fleet.PatchLoaded, func(h *worldHost) {
			h.patches = append(h.patches, fleet.LivePatch{Name: "o", Component: "linux", State: "applied"})
		}, CodeNotPatched},
		"another of the same number": {livepatch1, fleet.PatchApplied, func(h *worldHost) { h.patches[0].Name = "livepatch_11" }, CodeNotPatched},
	} {
		t.Run(name, func(t *testing.T) {
			w := patchWorld(t, c.want, c.first)
			if name == "it is for another build" {
				w.hosts["h1"].build = "b1"
			}
			inner := w.answer
			w.answer = func(ch Chore) ([]Fact, bool) {
				facts, mine := inner(ch)
				if mine && c.spoil != nil {
					c.spoil(w.hosts[ch.Host])
				}
				return facts, mine
			}
			w.run(at("01:50:00"))
			if f := w.held("h1"); f.Code != c.code || f.Next == "" || (f.Step == StepProve) != (w.updates() > 0) {
				t.Errorf("held with %+v", f)
			}
			if name == "it is for another build" && w.updates() > 0 {
				t.Error("a command is run that cannot help")
			}
			if w.s.Fixed("h1") || w.s.Turns["h2"].Phase == TurnFinished {
				t.Error("it goes on although the canary is not proven")
			}
			if c.code != CodeNotPatched || c.spoil != nil {
				return
			}
			w.store(Fact{Kind: TurnReleased, Who: "operator:t", Turn: "h1", Host: "h1"})
			w.run(w.now.Add(5 * time.Minute))
			if w.s.Turns["h1"].Phase != TurnFinished {
				t.Errorf("after a retry h1 is %s: %s", w.s.Turns["h1"].Phase, w.tail(4))
			}
		})
	}
	w := patchWorld(t, plan.WantedPatch{Name: "xsa-1", Component: "xen", BuildID: "b1"}, fleet.PatchApplied)
	for _, h := range w.hosts {
		h.build = "b1"
	}
	if w.run(at("03:00:00")); w.s.PhaseWhy != "done" {
		t.Errorf("a patch of the host's own build ends %s: %s", w.s.PhaseWhy, w.tail(4))
	}
}

// Live patches that bind to the host's build and do not fix all that the target fixes prove nothing, and
// none of them is brought: an upper or lower case build id is the same.
func TestLivePatchesMustFixAll(t *testing.T) {
	for fixes, done := range map[string]bool{"CVE-2025-11234": true, "XSA-1": false} {
		want := plan.WantedPatch{Name: "lp1", Component: "xen", BuildID: "ABC1", Fixes: []string{fixes}}
		w := patchWorld(t, want, fleet.PatchApplied)
		for _, h := range w.hosts {
			h.build = "abc1"
		}
		w.run(at("01:50:00"))
		if h1 := w.s.Turns["h1"]; (h1.Phase == TurnFinished) != done || (w.updates() > 0) != done || !done && h1.Code != CodeNotPatched {
			t.Errorf("fixing %s h1 is %s (%s) after %d updates: %s", fixes, h1.Phase, h1.Code, w.updates(), h1.Why)
		}
	}
}
