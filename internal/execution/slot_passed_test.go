package execution

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// landsOnH2 has g1 leave h1 for h2, of whose turn its tenant was told, while nobody was told of h3's; h3's turn is at from.
func landsOnH2(from time.Time) func(p *plan.Plan, f *fleet.Fleet) {
	return func(p *plan.Plan, f *fleet.Fleet) {
		f.Groups, f.Instances = nil, slices.DeleteFunc(f.Instances, func(in fleet.Instance) bool { return in.Host == "h1" && in.ID != "g1" || in.ID == "g12" })
		p.Policy.MaxAwayPercent, p.Policy.KeepReserve, p.Policy.FailureBudget = 100, false, 9
		p.Turns[2].Tactic = plan.Evacuate
		p.Slots = slices.DeleteFunc(p.Slots, func(sl plan.Slot) bool {
			return sl.ID == "h3/g1" || !slices.ContainsFunc(f.Instances, func(in fleet.Instance) bool { return in.ID == sl.Instance })
		})
		for i := range p.Slots {
			if p.Slots[i].Turn == "h3" {
				p.Slots[i].Start = from
			}
		}
		p.Moves = []plan.Move{{Turn: "h1", Instance: "g1", From: "h1", To: "h2", Start: at("01:00:00"), End: at("01:02:00")}}
	}
}

// TestSlotPassed: where the host is lost on which an instance was to land, another host's turn of the same time keeps what
// its tenant was told of that one's.
func TestSlotPassed(t *testing.T) {
	w := newWorld(t, landsOnH2(at("01:00:00")))
	w.kill = true
	w.hosts["h2"].silent = true
	w.run(at("01:25:00"))
	i := slices.IndexFunc(w.facts, func(f Fact) bool { return f.Kind == SlotPassed })
	if i < 0 {
		t.Fatalf("no promise was passed on: %s", w.tail(8))
	}
	f, next := w.facts[i], w.facts[i+1]
	if f.Turn != "h2" || f.To != "h3" || f.Instance != "g1" || f.Tenant != "acme" || !slices.Equal(f.Slots, []string{"h2/g1"}) {
		t.Errorf("passed: %+v", f)
	}
	if next.Kind != MovePlaced || next.Instance != "g1" || next.To != "h3" {
		t.Errorf("after it comes %+v", next)
	}
	if sl := w.s.SlotOf("h3", "g1"); sl == nil || sl.ID != "h2/g1" || sl.Turn != "h3" || w.s.SlotOf("h2", "g1") != nil {
		t.Errorf("h3 has %+v for it, h2 %+v", sl, w.s.SlotOf("h2", "g1"))
	}
	w.store(Fact{Kind: TurnDropped, Turn: "h2", Host: "h2", Code: CodeOperator, Why: "its host is dead"})
	w.run(at("02:30:00"))
	if h3 := w.s.Turns["h3"]; h3.Phase != TurnFinished {
		t.Fatalf("h3 is %s (%s): %s", h3.Phase, h3.Why, w.tail(8))
	}
	if w.s.Actual("h2/g1") == nil || w.s.Actual("h2/g1").To.After(at("02:00:00")) {
		t.Errorf("the promise was kept %+v", w.s.Actual("h2/g1"))
	}
	for _, f := range w.facts {
		if f.Kind == NoticeAsked && f.NoticeKind == NoticeCancelled && slices.Contains(f.Slots, "h2/g1") {
			t.Error("its tenant was told that the promise does not stand")
		}
	}
}

// TestSlotNotPassed: a turn of another time keeps no promise, and the canary, whose instance has no place then, does not
// keep all others waiting for ever.
func TestSlotNotPassed(t *testing.T) {
	w := newWorld(t, landsOnH2(at("00:59:00")))
	w.hosts["h2"].silent = true
	w.run(at("01:03:00"))
	if waits := w.s.Status(w.now).Turns[0].Waits; !strings.HasPrefix(waits, "a place for g1: h2: is down") {
		t.Errorf("it waits for %q", waits)
	}
	w.run(at("01:20:00"))
	if w.kinds()[SlotPassed] > 0 {
		t.Fatalf("a promise was passed to a turn of another time: %s", w.tail(8))
	}
	if f := w.held("h1"); f.Code != CodeNoPlace || f.At.After(at("01:10:00")) {
		t.Errorf("the canary is held for %q at %s: %s", f.Code, f.At, w.tail(8))
	}
}

// TestPassedOnce: a promise that is not the first turn's, or that the second one has, is not passed on.
func TestPassedOnce(t *testing.T) {
	for name, f := range map[string]Fact{
		"of another turn":        {Turn: "h1", To: "h3", Instance: "g2", Slots: []string{"h2/g1"}},
		"to one that has it":     {Turn: "h2", To: "h1", Instance: "g1", Slots: []string{"h2/g1"}},
		"to one that is unknown": {Turn: "h2", To: "h9", Instance: "g1", Slots: []string{"h2/g1"}},
	} {
		w := newWorld(t, landsOnH2(at("01:00:00")))
		f.Kind, f.Seq, f.At, f.Campaign = SlotPassed, int64(len(w.facts)+1), w.now, "c1"
		if err := w.s.Apply(f); err == nil {
			t.Errorf("%s: taken in", name)
		}
	}
}
