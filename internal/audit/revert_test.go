package audit

import (
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// canaryJournal is a live patch that fails on its canary, host c, which had lp1 before: the campaign
// halts, lp2 is taken back, an operator aborts.
func canaryJournal() []Fact {
	p := patchPlan()
	p.Target.Cohorts[0].LivePatches = []plan.WantedPatch{{Name: "lp1", Component: "xen", File: "lp1"}, {Name: "lp2", Component: "xen", File: "lp2"}}
	seal(p)
	s := newScript(refreshFleet(), p)
	s.now = at("2026-03-11 02:00")
	see := func(names ...string) {
		s.see("c")
		list := []fleet.LivePatch{}
		for _, n := range names {
			list = append(list, fleet.LivePatch{Name: n, Component: "xen", State: "applied"})
		}
		s.facts[len(s.facts)-1].Seen.LivePatches = list
	}
	see("lp1")
	s.add(Fact{Kind: "turn-permitted", Turn: "c", Host: "c"})
	s.add(Fact{Kind: "step-started", Turn: "c", Host: "c", Step: "update", Attempt: 1, Deadline: s.now.Add(time.Hour), BootID: s.boot["c"]})
	s.add(Fact{Kind: "step-failed", Turn: "c", Host: "c", Step: "update", Attempt: 1, Code: "patch-invalid", Why: "refused"})
	s.add(Fact{Kind: "turn-held", Turn: "c", Host: "c", Step: "update", Code: "patch-invalid", Why: "refused", Next: "mend it"})
	s.add(Fact{Kind: "campaign-halted", Turn: "c", Host: "c", Code: "canary-failed", Why: "refused"})
	s.add(Fact{Kind: "step-started", Turn: "c", Host: "c", Step: "revert", Attempt: 1, Deadline: s.now.Add(time.Hour), Patches: []string{"lp2"}})
	see("lp1")
	s.add(Fact{Kind: "step-done", Turn: "c", Host: "c", Step: "revert", Attempt: 1, Why: "seen"})
	s.add(Fact{Kind: "campaign-aborted", Who: "operator:t", Why: "no"})
	s.add(Fact{Kind: "turn-dropped", Turn: "c", Host: "c", Code: "aborted", Why: "aborted"})
	return s.facts
}

// TestRevertJournal: the sound one is clean, and each way to break it is found.
func TestRevertJournal(t *testing.T) {
	if found := Facts(canaryJournal()).Findings; len(found) > 0 {
		show(t, found)
		t.Fatalf("a sound revert: %v", codes(found))
	}
	for code, spoil := range revertMutants {
		if found := codes(Facts(spoil(canaryJournal())).Findings); !slices.Contains(found, code) {
			t.Errorf("%s is not found: %v", code, found)
		}
	}
}

func factAt(facts []Fact, kind, step string) int {
	return slices.IndexFunc(facts, func(f Fact) bool { return f.Kind == kind && f.Step == step })
}

func without(facts []Fact, from, n int) []Fact {
	facts = slices.Delete(facts, from, from+n)
	for i := range facts {
		facts[i].Seq = int64(i + 1)
	}
	return facts
}

// revertMutants break one thing in canaryJournal each; the code is what must be found.
var revertMutants = map[string]func(f []Fact) []Fact{
	"reverts-others": func(f []Fact) []Fact {
		f[factAt(f, "step-started", "revert")].Patches = []string{"lp1", "lp2"}
		return f
	},
	"reverts-nothing":     func(f []Fact) []Fact { f[factAt(f, "step-started", "revert")].Patches = nil; return f },
	"canary-goes-on":      func(f []Fact) []Fact { return without(f, factAt(f, "campaign-halted", ""), 1) },
	"reverts-what":        func(f []Fact) []Fact { return without(f, factAt(f, "turn-held", "update"), 1) },
	"canary-not-reverted": func(f []Fact) []Fact { return without(f, factAt(f, "step-started", "revert"), 3) },
	"revert-unproven": func(f []Fact) []Fact {
		v := f[factAt(f, "step-done", "revert")-1].Seen
		v.LivePatches = append(v.LivePatches, fleet.LivePatch{Name: "lp2", Component: "xen", State: "loaded"})
		return f
	},
}
