package execution

import (
	"slices"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// canaryWorld applies two payloads per host; lp1 is there already on h1.
func canaryWorld(t *testing.T, fails map[string]Fact) *world {
	w := newWorld(t, func(p *plan.Plan, _ *fleet.Fleet) {
		for i := range p.Turns {
			p.Turns[i].Tactic = plan.LivePatch
		}
		p.Slots, p.Policy.FailureBudget = nil, 9
		c := &p.Target.Cohorts[0]
		c.Remedy, c.Update, c.Packages = "live-patch", plan.Update{}, nil
		c.LivePatches = []plan.WantedPatch{{Name: "lp1", Component: "xen", File: "lp1"}, {Name: "lp2", Component: "xen", File: "lp2"}, {Name: "lp3", Component: "xen", BuildID: "other", File: "lp3"}}
	})
	for id, h := range w.hosts {
		h.patches, h.build = []fleet.LivePatch{}, "b1"
		if id == "h1" {
			h.patches = append(h.patches, fleet.LivePatch{Name: "lp1", Component: "xen", State: "applied"})
		}
	}
	w.answer = func(c Chore) ([]Fact, bool) {
		h, f := w.hosts[c.Host], Fact{Kind: StepDone, Turn: c.Turn, Host: c.Host, Step: c.Step, Attempt: c.Attempt, Why: "done"}
		if bad, is := fails[c.Host+" "+string(c.Kind)]; is {
			f.Kind, f.Code, f.Why, f.Next, f.Retry = StepFailed, bad.Code, "it fails", "mend it", bad.Retry
		}
		switch c.Kind {
		case ChoreUpdate:
			h.patches = []fleet.LivePatch{{Name: "lp1", Component: "xen", State: "applied"}, {Name: "lp2", Component: "xen", State: map[bool]string{true: "applied", false: "loaded"}[f.Kind == StepDone]}}
		case ChoreRevert:
			if f.Kind == StepDone {
				h.patches = slices.DeleteFunc(slices.Clone(h.patches), func(p fleet.LivePatch) bool { return slices.Contains(c.Patches, p.Name) })
				w.store(Fact{Kind: HostSeen, Host: c.Host, Seen: w.view(c.Host)})
			}
		default:
			return nil, false
		}
		return []Fact{f}, true
	}
	return w
}

func (w *world) started(step Step, host string) (out []Fact) {
	for _, f := range w.facts {
		if f.Kind == StepStarted && f.Step == step && f.Host == host {
			out = append(out, f)
		}
	}
	return out
}

// TestFailedCanary: it halts the campaign and takes back what it brought, and nothing else.
func TestFailedCanary(t *testing.T) {
	w := canaryWorld(t, map[string]Fact{"h1 update": {Code: "patch-invalid"}})
	w.run(at("01:50:00"))
	tn, r := w.s.Turns["h1"], w.started(StepRevert, "h1")
	if w.s.Phase != PhaseHalted || tn.Phase != TurnOnHold || tn.Code != "patch-invalid" || !strings.Contains(tn.Why, "taken back: lp2") {
		t.Fatalf("it is %s (%s), h1 is %s: %s %s", w.s.Phase, w.s.PhaseWhy, tn.Phase, tn.Code, tn.Why)
	}
	if len(r) != 1 || !slices.Equal(r[0].Patches, []string{"lp2"}) {
		t.Fatalf("reverts: %+v", r)
	}
	if len(w.started(StepUpdate, "h2")) > 0 || len(w.hosts["h1"].patches) != 1 {
		t.Errorf("h2 was begun, or h1 is left with %v", w.hosts["h1"].patches)
	}
	n := 0
	for _, f := range w.facts {
		if f.Kind == CampaignHalted && f.Code == CodeCanary {
			n++
		}
	}
	if n != 1 {
		t.Errorf("halted %d times", n)
	}
	// A person mends it: all goes on, and nothing is taken back any more.
	inner := w.answer
	w.answer = func(c Chore) ([]Fact, bool) {
		facts, mine := inner(c)
		if c.Kind == ChoreUpdate {
			w.hosts[c.Host].patches = []fleet.LivePatch{{Name: "lp1", Component: "xen", State: "applied"}, {Name: "lp2", Component: "xen", State: "applied"}}
			facts[0].Kind, facts[0].Code = StepDone, ""
		}
		return facts, mine
	}
	w.store(Fact{Kind: CampaignResumed, Who: "operator:t"}, Fact{Kind: TurnReleased, Who: "operator:t", Turn: "h1", Host: "h1"})
	w.run(at("01:59:00"))
	if w.s.PhaseWhy != "done" || len(w.started(StepRevert, "h1")) != 1 {
		t.Errorf("after a retry it is %s %s: %s", w.s.Phase, w.s.PhaseWhy, w.tail(26))
	}
}

// A payload that replaces what is applied leaves nothing of that when it is taken back: the hold says so.
func TestRevertOfAReplacement(t *testing.T) {
	for _, replaces := range []bool{true, false} {
		w := canaryWorld(t, map[string]Fact{"h1 update": {Code: "patch-invalid"}})
		c := &w.s.Plan.Target.Cohorts[0]
		c.LivePatches[1].Replace = replaces
		w.run(at("01:50:00"))
		tn := w.s.Turns["h1"]
		if said := strings.Contains(tn.Why, "lp1 was applied before") && strings.HasPrefix(tn.Next, "look whether lp1 is still applied"); said != replaces || !strings.Contains(tn.Why, "taken back: lp2") {
			t.Errorf("replaces %v: %s (%s)", replaces, tn.Why, tn.Next)
		}
	}
}

// TestRevertCases: who reverts, how often, and what an abort waits for.
func TestRevertCases(t *testing.T) {
	for name, c := range map[string]struct {
		fails   map[string]Fact
		spoil   func(w *world)
		reverts int
		halted  bool
		says    string
	}{
		"another than the canary": {fails: map[string]Fact{"h2 update": {Code: "patch-invalid"}}, says: "it fails"},
		"it is tried again":       {fails: map[string]Fact{"h1 update": {Code: "patch-busy", Retry: true}}, reverts: 1, halted: true, says: "taken back"},
		"it cannot be taken back": {fails: map[string]Fact{"h1 update": {Code: "patch-invalid"}, "h1 revert": {Code: "patch-busy"}}, reverts: 1, halted: true, says: "could not be taken back: it fails"},
		"it is not taken back yet": {fails: map[string]Fact{"h1 update": {Code: "patch-invalid"}, "h1 revert": {Code: "unreachable", Retry: true}},
			reverts: maxReturns, halted: true, says: "could not be taken back"},
		"applied, and then gone": {spoil: func(w *world) {
			inner := w.answer
			w.answer = func(c Chore) ([]Fact, bool) {
				facts, mine := inner(c)
				if c.Kind == ChoreUpdate && c.Host == "h1" {
					w.hosts["h1"].patches = []fleet.LivePatch{}
				}
				return facts, mine
			}
		}, reverts: 1, halted: true, says: "taken back"},
	} {
		t.Run(name, func(t *testing.T) {
			w := canaryWorld(t, c.fails)
			if c.spoil != nil {
				c.spoil(w)
			}
			w.run(at("01:58:00"))
			host := "h1"
			if !c.halted {
				host = "h2"
			}
			if n := len(w.started(StepRevert, host)); n != c.reverts || (w.s.Phase == PhaseHalted) != c.halted {
				t.Errorf("%d reverts, it is %s: %s", n, w.s.Phase, w.tail(6))
			}
			if tn := w.s.Turns[host]; tn.Phase != TurnOnHold || !strings.Contains(tn.Why, c.says) {
				t.Errorf("%s is %s: %s", host, tn.Phase, tn.Why)
			}
		})
	}
}

// TestAbortWaitsForTheRevert: the turn is dropped only once its host has back what it had.
func TestAbortWaitsForTheRevert(t *testing.T) {
	fails := map[string]Fact{"h1 update": {Code: "patch-invalid"}, "h1 revert": {Code: "unreachable", Retry: true}}
	w := canaryWorld(t, fails)
	inner := w.answer
	w.answer = func(c Chore) ([]Fact, bool) {
		facts, mine := inner(c)
		if c.Kind == ChoreRevert && c.Attempt == 1 {
			w.store(Fact{Kind: CampaignAborted, Who: "operator:t"})
			delete(fails, "h1 revert")
		}
		return facts, mine
	}
	w.run(at("01:58:00"))
	done, dropped := -1, -1
	for i, f := range w.facts {
		switch {
		case f.Kind == StepDone && f.Step == StepRevert:
			done = i
		case f.Kind == TurnDropped && f.Turn == "h1":
			dropped = i
		}
	}
	if done < 0 || dropped < done || w.s.Phase != PhaseFinished {
		t.Errorf("taken back at %d, dropped at %d, it is %s: %s", done, dropped, w.s.Phase, w.tail(6))
	}
}

// TestRetryDuringARevert: the update waits for the revert's end, and a second failure is taken back too.
func TestRetryDuringARevert(t *testing.T) {
	w := canaryWorld(t, map[string]Fact{"h1 update": {Code: "patch-invalid"}})
	inner := w.answer
	w.answer = func(c Chore) ([]Fact, bool) {
		if c.Kind == ChoreRevert && c.Attempt == 1 && w.s.Turns["h1"].Phase == TurnOnHold {
			w.store(Fact{Kind: CampaignResumed, Who: "operator:t"}, Fact{Kind: TurnReleased, Who: "operator:t", Turn: "h1", Host: "h1"})
			if facts := w.s.Decide(w.now); len(facts) > 0 && facts[0].Step == StepUpdate {
				t.Error("its software is changed while a revert is under way")
			}
		}
		return inner(c)
	}
	w.run(at("01:58:00"))
	if n, m := len(w.started(StepUpdate, "h1")), len(w.started(StepRevert, "h1")); n != 2 || m != 2 || w.s.Phase != PhaseHalted {
		t.Errorf("%d updates, %d reverts, it is %s: %s", n, m, w.s.Phase, w.tail(10))
	}
}
