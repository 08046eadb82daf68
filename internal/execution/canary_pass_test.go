package execution

import (
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// TestCanaryPassed: a canary that is held before anything of its host was changed is stood in for by the next turn,
// which soaks as it would have; the one that was passed over waits for that, and then has its turn by a person's word.
func TestCanaryPassed(t *testing.T) {
	for name, c := range map[string]struct {
		change func(p *plan.Plan, f *fleet.Fleet)
		silent bool
		alone  bool // no third host has a turn
		code   string
	}{
		"no place": {change: func(p *plan.Plan, f *fleet.Fleet) { // nobody told of it that g1 may have to move again
			p.Slots = slices.DeleteFunc(p.Slots, func(sl plan.Slot) bool { return sl.ID == "h2/g1" || sl.ID == "h3/g1" })
		}, code: CodeNoPlace},
		"dead": {change: func(*plan.Plan, *fleet.Fleet) {}, silent: true, code: CodeNoAnswer},
		"nobody after it": {change: func(p *plan.Plan, f *fleet.Fleet) { // but the one that was passed over
			p.Turns = p.Turns[:2]
			p.Slots = slices.DeleteFunc(p.Slots, func(sl plan.Slot) bool { return sl.Turn == "h3" || sl.ID == "h2/g1" })
			f.Instances[0].Networks, f.Hosts[0].Networks, f.Hosts[1].Networks = []string{"lan"}, []string{"lan"}, []string{"lan"}
			f.Hosts[2].Networks = []string{"other"}
		}, code: CodeNoPlace, alone: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(p *plan.Plan, f *fleet.Fleet) {
				f.Groups = nil // which keep a stand-in from beginning while a member's host is down
				p.Policy.Soak, p.Policy.FailureBudget = plan.Duration(5*time.Minute), 1
				p.Policy.MaxAwayPercent, p.Policy.KeepReserve = 100, false
				c.change(p, f)
			})
			w.kill = true
			w.hosts["h1"].silent = c.silent
			w.run(at("01:05:00"))
			if f := w.held("h1"); f.Code != c.code {
				t.Fatalf("held for %s: %s", f.Code, w.tail(5))
			}
			if w.kinds()[CanaryPassed] != 1 || w.s.Phase != PhaseRunning {
				t.Fatalf("passed %d times, the campaign is %s (%s): %s", w.kinds()[CanaryPassed], w.s.Phase, w.s.PhaseWhy, w.tail(5))
			}
			if h1, h2 := w.s.Turns["h1"].Plan, w.s.Turns["h2"].Plan; h1.Canary || !h2.Canary || h2.Wave != 1 || h1.Wave != 2 {
				t.Errorf("h1: canary %v, wave %d; h2: canary %v, wave %d", h1.Canary, h1.Wave, h2.Canary, h2.Wave)
			}
			w.hosts["h1"].silent = false
			if began := !w.s.Turns["h1"].Permitted.IsZero(); began {
				if why, next := w.s.MayRelease(w.s.Turns["h1"]); why == "" || next == "" {
					t.Errorf("h1 may be released before its stand-in was judged")
				}
			}
			w.run(at("01:35:00"))
			h2, h3 := w.s.Turns["h2"], w.s.Turns["h3"]
			if c.alone {
				h3 = &TurnState{Permitted: never}
			}
			if h2.Phase != TurnFinished || h2.Judged.Before(h2.Ended.Add(5*time.Minute)) || h3.Permitted.Before(h2.Judged) {
				t.Fatalf("h2 is %s (%s), ended %s, judged %s; h3 permitted %s: %s", h2.Phase, h2.Why, h2.Ended, h2.Judged, h3.Permitted, w.tail(5))
			}
			if why, _ := w.s.MayRelease(w.s.Turns["h1"]); why != "" {
				t.Errorf("h1 may not be released: %s", why)
			}
			w.store(Fact{Kind: TurnReleased, Who: "operator:t", Turn: "h1", Host: "h1"})
			w.run(at("02:30:00"))
			if w.s.Phase != PhaseFinished || w.s.PhaseWhy != "done" {
				t.Errorf("it is %s (%s): %s", w.s.Phase, w.s.PhaseWhy, w.tail(8))
			}
		})
	}
}

// TestCanaryNotPassed: what was changed already, and what a person holds, is nobody else's to stand in for.
func TestCanaryNotPassed(t *testing.T) {
	t.Run("after its update", func(t *testing.T) {
		w := newWorld(t, nil)
		w.answer = func(c Chore) ([]Fact, bool) {
			if c.Kind == ChoreReboot {
				w.hosts["h1"].silent = true
			}
			return nil, false
		}
		w.run(at("01:59:00"))
		if w.kinds()[CanaryPassed] > 0 || !w.s.Turns["h2"].Permitted.IsZero() {
			t.Errorf("passed over: %s", w.tail(5))
		}
	})
	t.Run("by a person", func(t *testing.T) {
		w := newWorld(t, nil)
		w.store(Fact{Kind: TurnHeld, Who: "operator:t", Turn: "h1", Host: "h1", Code: CodeOperator, Why: "later"})
		w.run(at("01:30:00"))
		if w.kinds()[CanaryPassed] > 0 || !w.s.Turns["h2"].Permitted.IsZero() {
			t.Errorf("passed over: %s", w.tail(5))
		}
	})
}
