package execution

import (
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// A host does not come back; the campaign is aborted, gives back what it borrowed, and is told meanwhile that the host is
// back. Its turn is not done before the reboot is proven.
func TestARetryWhileItWindsDownIsProven(t *testing.T) {
	for name, early := range map[string]bool{"before the cordon is given back": true, "after a first attempt": false} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			h1 := w.hosts["h1"]
			w.answer = func(c Chore) ([]Fact, bool) {
				switch {
				case c.Kind == ChoreReboot:
					h1.silent = true
					return []Fact{{Kind: StepDone, Turn: c.Turn, Step: c.Step, Attempt: c.Attempt}}, true
				case c.Kind == ChoreUncordon && h1.silent:
					return []Fact{{Kind: StepFailed, Turn: c.Turn, Host: c.Host, Step: c.Step, Attempt: c.Attempt, Code: "unreachable", Why: "no answer", Retry: true}}, true
				}
				return nil, false
			}
			w.run(at("23:00:00"))
			if f := w.held("h1"); f.Code != CodeNotBack {
				t.Fatalf("held as %q\n%s", f.Code, w.tail(10))
			}
			w.store(Fact{Kind: CampaignAborted, Who: "operator:t", Why: "enough"})
			w.store(w.s.Decide(w.now)...) // the cordon is on its way back
			if !early {
				w.run(w.now.Add(20 * time.Second))
			}
			w.answer, h1.silent, h1.booted = nil, false, h1.qemu
			h1.boot++
			w.store(Fact{Kind: TurnReleased, Who: "operator:t", Turn: "h1", Host: "h1"})
			w.run(at("23:00:00"))
			turn := w.s.Turns["h1"]
			if w.s.Phase != PhaseFinished || turn.Phase != TurnFinished || turn.NewBoot == "" || turn.Cordoned {
				t.Fatalf("%s; the turn is %s at %s with boot %q, cordoned %v\n%s", w.s.Phase, turn.Phase, turn.Step, turn.NewBoot, turn.Cordoned, w.tail(14))
			}
		})
	}
}

// A child does not ask a notice of what its tenant was told, counts the lead time from then, and tells of what was not
// handed over.
func TestKeptPromises(t *testing.T) {
	keeps := func(p *plan.Plan, _ *fleet.Fleet) {
		p.Supersedes = "c0"
		for i := range p.Slots {
			if p.Slots[i].Turn == "h2" {
				p.Slots[i].Told = at("00:10:00")
			}
		}
	}
	asked := func(w *world) (ids []string) {
		for _, f := range w.facts {
			if f.Kind == NoticeAsked && f.NoticeKind == NoticeScheduled {
				ids = append(ids, f.Slots...)
			}
		}
		return ids
	}
	w := newWorld(t, keeps)
	kept := w.s.Kept()
	if len(kept) == 0 {
		t.Fatal("the plan has no promise in the turn of h2")
	}
	w.run(at("00:40:00"))
	if slices.ContainsFunc(asked(w), func(id string) bool { return slices.Contains(kept, id) }) {
		t.Fatalf("asked of %v, told were %v", asked(w), kept)
	}
	w.store(ended())
	w.run(at("23:00:00"))
	if w.s.Phase != PhaseFinished || w.s.PhaseWhy != "done" {
		t.Fatalf("%s %s: %s", w.s.Phase, w.s.PhaseWhy, w.tail(8))
	}

	w = newWorld(t, keeps)
	lost := ended()
	lost.Slots = kept[:1]
	w.store(lost)
	w.run(at("00:40:00"))
	if !slices.Contains(asked(w), kept[0]) || len(kept) > 1 && slices.Contains(asked(w), kept[1]) {
		t.Fatalf("asked of %v, not handed over was %s", asked(w), kept[0])
	}
}

// The parent hands over what nobody has begun, and does not take it back.
func TestHandedOver(t *testing.T) {
	w := newWorld(t, nil)
	w.run(at("00:40:00"))
	all := w.s.Promised()
	if len(all) != len(w.s.Plan.Slots) {
		t.Fatalf("%d of %d promises may be kept", len(all), len(w.s.Plan.Slots))
	}
	w.answer = func(c Chore) ([]Fact, bool) { return nil, c.Kind == ChoreMove } // it takes its time
	w.run(at("01:00:20"))
	w.answer = nil
	var ids, begun []string
	for _, s := range w.s.Plan.Slots {
		if s.Turn == "h1" {
			begun = append(begun, s.ID)
		}
	}
	for _, s := range w.s.Promised() {
		if s.Turn == "h1" {
			t.Errorf("%s: its turn has begun", s.ID)
		}
		ids = append(ids, s.ID)
	}
	if len(ids) == 0 || len(ids) == len(all) {
		t.Fatalf("%v of %d", ids, len(all))
	}
	over, not := w.s.Hands(append(slices.Clone(begun), ids...))
	if !slices.Equal(over, ids) || !slices.Equal(not, begun) {
		t.Fatalf("hands over %v and not %v, want %v and %v", over, not, ids, begun)
	}
	w.store(Fact{Kind: CampaignAborted, Who: Engine, Code: CodeSuperseded, Why: "campaign c2 takes its place", Slots: over})
	w.run(at("23:00:00"))
	for _, f := range w.facts {
		if f.Kind == NoticeAsked && f.NoticeKind == NoticeCancelled && slices.ContainsFunc(f.Slots, func(id string) bool { return slices.Contains(ids, id) }) {
			t.Errorf("%s tells that %v are off", f.Notice, f.Slots)
		}
	}
	for _, id := range begun { // these stay the parent's
		if !slices.ContainsFunc(w.facts, func(f Fact) bool {
			return f.Kind == NoticeAsked && f.NoticeKind != NoticeScheduled && slices.Contains(f.Slots, id)
		}) {
			t.Errorf("nobody hears what became of %s", id)
		}
	}
	after := w.s.Promised()
	if w.s.Phase != PhaseFinished || len(after) != len(ids) {
		t.Fatalf("%s; %d of %d stand at its end", w.s.Phase, len(after), len(ids))
	}
}

// Who was told of another promise, or of less, was not told.
func TestCovers(t *testing.T) {
	told := plan.Slot{Tenant: "acme", Class: plan.ClassBlip, Disposition: plan.DispLiveMigrate, Start: at("01:00:00"), End: at("02:00:00"), ExpectedMs: 100, WorstMs: 300}
	for name, c := range map[string]struct {
		change func(*plan.Slot)
		want   bool
	}{
		"the same":        {func(*plan.Slot) {}, true},
		"shorter":         {func(s *plan.Slot) { s.ExpectedMs, s.WorstMs = 50, 200 }, true},
		"longer":          {func(s *plan.Slot) { s.WorstMs = 301 }, false},
		"longer expected": {func(s *plan.Slot) { s.ExpectedMs = 101 }, false},
		"later":           {func(s *plan.Slot) { s.Start = s.Start.Add(time.Second) }, false},
		"ending later":    {func(s *plan.Slot) { s.End = s.End.Add(time.Second) }, false},
		"a stop":          {func(s *plan.Slot) { s.Class, s.Disposition = plan.ClassOutage, plan.DispStop }, false},
		"another stop":    {func(s *plan.Slot) { s.Disposition = plan.DispStatefulStop }, false},
		"another tenant":  {func(s *plan.Slot) { s.Tenant = "birch" }, false},
	} {
		sl := told
		c.change(&sl)
		if covers(&told, &sl) != c.want {
			t.Errorf("%s: want %v", name, c.want)
		}
	}
}
