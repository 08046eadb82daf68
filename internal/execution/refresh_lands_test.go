package execution

import (
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// TestMuteGuestIsLeftAlone: whoever landed on a prepared host by our move is not touched in that host's
// turn, also when its own monitor says nothing.
func TestMuteGuestIsLeftAlone(t *testing.T) {
	w := refreshWorld(t, func(p *plan.Plan) {
		p.Policy.Canary, p.Turns[0].Canary, p.Policy.KeepReserve, p.Policy.MaxAwayPercent = false, false, false, 70
	})
	for _, h := range w.hosts {
		h.mute = map[string]bool{"g1": true}
	}
	w.run(at("03:00:00"))
	n := 0
	for _, f := range w.facts {
		if f.Kind == MoveDone && f.Instance == "g1" {
			n++
		}
	}
	if f := w.held("h1"); n != 1 || f.Code != CodeCannotJudge || !strings.Contains(f.Why, "g1") {
		t.Errorf("g1 moved %d times, h1 is held with %+v", n, f)
	}
	for _, h := range []string{"h2", "h3"} {
		if w.s.Turns[h].Phase != TurnFinished {
			t.Errorf("%s is %s: %s", h, w.s.Turns[h].Phase, w.s.Turns[h].Why)
		}
	}
}

// TestNobodyLandsUnprepared: where the only room is on a host that could not be prepared, the turn holds.
func TestNobodyLandsUnprepared(t *testing.T) {
	w := refreshWorld(t, func(p *plan.Plan) { p.Policy.KeepReserve = false })
	w.hosts["h3"].free = 0
	w.answer = func(c Chore) ([]Fact, bool) {
		if c.Kind != ChoreUpdate || c.Host != "h2" {
			return nil, false
		}
		return []Fact{{Kind: StepFailed, Turn: c.Turn, Host: c.Host, Step: c.Step, Attempt: c.Attempt, Code: "update-failed", Why: "exit 1", Retry: true}}, true
	}
	w.run(at("01:50:00"))
	if n := w.kinds()[MovePlaced]; n > 0 || w.held("h1").Code != CodeNoPlace {
		t.Errorf("%d moves; h1 is held with %+v", n, w.held("h1"))
	}
}

// TestHeldByAPersonKeepsNobodyWaiting: a host whose turn a person held before it was prepared is not
// waited for, and nobody lands there.
func TestHeldByAPersonKeepsNobodyWaiting(t *testing.T) {
	w := refreshWorld(t, nil)
	w.store(Fact{Kind: TurnHeld, Who: "operator:t", Turn: "h2", Host: "h2", Code: CodeOperator, Why: "w", Next: "evenkeel retry h2"})
	w.run(at("01:30:00"))
	for _, h := range []string{"h1", "h3"} {
		if w.s.Turns[h].Phase != TurnFinished {
			t.Errorf("%s is %s: %s", h, w.s.Turns[h].Phase, w.tail(3))
		}
	}
	for _, f := range w.facts {
		if f.Kind == MovePlaced && f.To == "h2" || f.Kind == TurnPrepares && f.Host == "h2" {
			t.Errorf("%s %s", f.Kind, f.Instance)
		}
	}
}

// TestRefreshNeedsNoLeastStay: who landed is left alone, so the next turn does not wait for it.
func TestRefreshNeedsNoLeastStay(t *testing.T) {
	w := refreshWorld(t, func(p *plan.Plan) { p.Policy.MinStay = plan.Duration(40 * time.Minute) })
	w.run(at("03:00:00"))
	if begun := w.s.Turns["h3"].Permitted; w.s.PhaseWhy != "done" || begun.IsZero() || begun.After(at("01:30:00")) {
		t.Errorf("it is %s %s, h3 began %s", w.s.Phase, w.s.PhaseWhy, begun)
	}
}
