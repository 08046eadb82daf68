package execution

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// TestForced: a campaign whose host never answers again, and whose tenant takes no mail, is over once a person closes it; what was
// not given back is named.
func TestForced(t *testing.T) {
	w := newWorld(t, func(p *plan.Plan, f *fleet.Fleet) { f.Groups = nil })
	w.kill = true
	deaf := false
	w.answer = func(c Chore) ([]Fact, bool) {
		switch {
		case deaf && c.Kind == ChoreTell:
			return []Fact{{Kind: NoticeFailed, Notice: c.Notice, Tenant: c.Tenant, Contact: c.Contact, Attempt: c.Attempt, Code: "refused", Why: "no such host", Retry: true}}, true
		case c.Kind == ChoreUpdate:
			w.hosts["h1"].silent, deaf = true, true
			return nil, true // no answer, for ever
		case deaf && c.Kind == ChoreUncordon:
			return []Fact{{Kind: StepFailed, Turn: c.Turn, Host: c.Host, Step: c.Step, Attempt: c.Attempt, Code: CodeNoAnswer, Retry: true, Why: "no answer"}}, true
		}
		return nil, false
	}
	w.run(at("01:10:00"))
	if !deaf || w.s.Turns["h1"].Phase == TurnFinished {
		t.Fatalf("h1 is %s: %s", w.s.Turns["h1"].Phase, w.tail(5))
	}
	w.store(Fact{Kind: CampaignAborted, Who: "operator:t", Why: "enough"})
	w.run(at("01:12:00"))
	if w.s.Phase != PhaseAborted || len(w.s.Leftover()) == 0 || !strings.Contains(strings.Join(w.s.Leftover(), "\n"), "its host is cordoned") {
		t.Fatalf("it is %s, left over: %v", w.s.Phase, w.s.Leftover())
	}
	w.store(Fact{Kind: CampaignForced, Who: "operator:t", Why: "h1 is scrapped"})
	begun := len(w.facts)
	w.run(at("02:00:00"))
	if w.s.Phase != PhaseFinished || w.s.PhaseWhy != CodeAborted {
		t.Fatalf("it is %s (%s), left over: %v: %s", w.s.Phase, w.s.PhaseWhy, w.s.Leftover(), w.tail(8))
	}
	i := slices.IndexFunc(w.facts, func(f Fact) bool { return f.Kind == TurnDropped && f.Turn == "h1" })
	if f := w.facts[i]; f.Code != CodeForced || !strings.Contains(f.Why, "its cordon was not given back") {
		t.Errorf("h1 was dropped: %s: %s", f.Code, f.Why)
	}
	for _, f := range w.facts[begun:] {
		switch f.Kind {
		case StepStarted, MovePlaced, StopStarted, BackStarted:
			t.Errorf("after it was closed by force: %s of %s%s", f.Kind, f.Turn, f.Instance)
		}
	}
}

// TestForcedRevert: what a failed canary brought is tried to be taken back once, and not again, where a person closes the
// campaign; what stays is named.
func TestForcedRevert(t *testing.T) {
	w := canaryWorld(t, map[string]Fact{"h1 update": {Code: "patch-invalid"}, "h1 revert": {Code: "unreachable", Retry: true}})
	w.run(at("01:01:00"))
	tries := len(w.started(StepRevert, "h1"))
	if tries == 0 || w.s.Turns["h1"].revert.over {
		t.Fatalf("%d reverts: %s", tries, w.tail(6))
	}
	w.store(Fact{Kind: CampaignAborted, Who: "operator:t", Why: "enough"}, Fact{Kind: CampaignForced, Who: "operator:t", Why: "now"})
	w.now = later(w.now, w.s.Turns["h1"].revert.retryAt.Add(time.Second)) // the next try would be due
	w.run(at("01:58:00"))
	i := slices.IndexFunc(w.facts, func(f Fact) bool { return f.Kind == TurnDropped && f.Turn == "h1" })
	if n := len(w.started(StepRevert, "h1")); i < 0 || w.s.Phase != PhaseFinished || n != tries {
		t.Fatalf("h1 dropped at %d, it is %s, %d reverts of %d: %s", i, w.s.Phase, n, tries, w.tail(6))
	}
	if f := w.facts[i]; f.Code != CodeForced || !strings.Contains(f.Why, "its live patches were not taken back: lp2") {
		t.Errorf("it was dropped: %s: %s", f.Code, f.Why)
	}
}
