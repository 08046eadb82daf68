package execution

import (
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// tight has h2 fixed already, with room for one more; of those on h1, the ones named may go nowhere else.
func tight(t *testing.T, only ...string) *world {
	w := newWorld(t, func(p *plan.Plan, _ *fleet.Fleet) {
		p.Turns = slices.DeleteFunc(p.Turns, func(t plan.Turn) bool { return t.ID == "h2" })
		p.Policy.KeepReserve = false
		p.Skipped = []plan.Skipped{{Host: "h2", Code: "fixed", Why: "w"}}
		p.Slots = slices.DeleteFunc(p.Slots, func(sl plan.Slot) bool {
			return sl.Turn == "h2" || sl.Turn == "h3" && slices.Contains(only, sl.Instance)
		})
	})
	w.hosts["h2"].free = 100
	return w
}

func (w *world) placed(turn string) (order []string) {
	for _, f := range w.facts {
		if f.Kind == MovePlaced && f.Turn == turn && !f.Home {
			order = append(order, f.Instance+" "+f.To)
		}
	}
	return order
}

// Whoever can go elsewhere leaves the last place to whom cannot, though it comes first and that place is
// the better one.
func TestTheLastPlaceIsLeft(t *testing.T) {
	w := tight(t, "g10")
	w.run(at("01:30:00"))
	if got := w.placed("h1"); !slices.Contains(got, "g10 h2") || len(got) != 4 || w.s.Turns["h1"].Phase != TurnFinished {
		t.Errorf("placed %v; turn h1 is %s %s", got, w.s.Turns["h1"].Phase, w.s.Turns["h1"].Why)
	}
	// Two that can go nowhere else do not wait for each other.
	w = tight(t, "g7", "g10")
	w.run(at("01:30:00"))
	if f := w.held("h1"); f.Code != CodeNoPlace || f.At.After(at("01:10:00")) {
		t.Errorf("placed %v, held %+v", w.placed("h1"), f)
	}
}

// Instances are placed in the order, and to the hosts, of the plan's forecast.
func TestPlacedAsForecast(t *testing.T) {
	w := newWorld(t, func(p *plan.Plan, _ *fleet.Fleet) {
		p.Policy.MovesPerHost = 1
		for i, m := range []plan.Move{{Instance: "g7", To: "h2"}, {Instance: "g4", To: "h2"}, {Instance: "g1", To: "h2"}} {
			m.Turn, m.From, m.Start = "h1", "h1", at("01:00:00").Add(time.Duration(i)*time.Second)
			p.Moves = append(p.Moves, m)
		}
	})
	w.run(at("01:30:00"))
	if got, want := w.placed("h1"), []string{"g7 h2", "g4 h2", "g1 h2"}; len(got) != 4 || !slices.Equal(got[:3], want) {
		t.Errorf("placed %v, want %v first", got, want)
	}
}

// Two turns whose instances have no place but each other's host do not wait until their slots are over.
func TestTurnsThatWaitForEachOther(t *testing.T) {
	w := newWorld(t, func(p *plan.Plan, _ *fleet.Fleet) {
		for i := range p.Turns {
			p.Turns[i].Wave, p.Turns[i].Canary = 1+i/2, false
		}
		p.Policy.Canary, p.Policy.MaxAwayPercent, p.Policy.FailureBudget = false, 100, 9
	})
	w.hosts["h3"].free = 0
	w.run(at("01:50:00"))
	for _, id := range []string{"h1", "h2"} {
		if f := w.held(id); f.Code != CodeNoPlace || f.At.After(at("01:10:00")) {
			t.Errorf("%s: held %+v", id, f)
		}
	}
}

// A turn's own moves tell by themselves who is not there any more: its host is looked at before the first,
// and once after the last, and not in between.
func TestLooksOfATurn(t *testing.T) {
	w := newWorld(t, func(p *plan.Plan, _ *fleet.Fleet) { p.Policy.MovesPerHost, p.Policy.BringHome = 1, true })
	w.run(at("01:14:00"))
	looks, moved, seen := 0, false, false
	for _, f := range w.facts {
		switch {
		case f.Kind == HostSeen && f.Host == "h1":
			looks++
			seen = true
		case f.Kind == MoveDone && f.Turn == "h1":
			moved, seen = true, false
		case f.Kind == StepDone && f.Turn == "h1" && f.Step == StepEmpty && !seen:
			t.Error("nobody has seen that it is empty")
		case f.Kind == TurnDone && f.Turn == "h1":
			// before the turn, empty, after the update, after the reboot, for the judgement
			if looks != 5 || !moved {
				t.Errorf("%d looks at it, want 5", looks)
			}
			return
		}
	}
	t.Errorf("its turn is not done: %s", w.tail(5))
}

// Who was stopped and runs again takes its memory anew, and a destination to which a move failed is looked
// at before the next one: no older look says what is free there.
func TestOlderLooksAtADestination(t *testing.T) {
	w := newWorld(t, nil)
	failed := time.Time{}
	w.answer = func(c Chore) ([]Fact, bool) {
		if c.Kind != ChoreMove || !failed.IsZero() {
			return nil, false
		}
		failed = w.now
		return []Fact{{Kind: MoveFailed, Turn: c.Turn, Host: c.Host, Instance: c.Instance, From: c.From, To: c.To, Attempt: c.Attempt, Code: "no-room", Why: "w", Retry: true,
			Source: "running", Destination: "absent"}}, true
	}
	w.run(at("01:58:00"))
	s, to, seen := New(), "", false
	for _, f := range w.facts {
		if err := s.Apply(f); err != nil {
			t.Fatal(err)
		}
		switch {
		case f.Kind == MoveFailed:
			to = f.To
		case f.Kind == HostSeen && f.Host == to:
			seen = true
		case f.Kind == MovePlaced && f.To == to && !seen:
			t.Errorf("fact %d places %s on %s by a look from before a move to it failed", f.Seq, f.Instance, to)
		case f.Kind == BackDone:
			if h := s.host(f.To); s.free(f.To) != h.View.FreeMiB-80 || !h.At.Before(h.refuted) {
				t.Errorf("%s has %d MiB free with %s back, its look says %d", f.To, s.free(f.To), f.Instance, h.View.FreeMiB)
			}
		}
	}
	if to == "" || w.kinds()[BackDone] == 0 {
		t.Fatalf("no move failed, or nobody came back: %s", w.tail(5))
	}
}

// Looks that missed an instance while its move was in doubt do not make it gone once both ends have told.
func TestMovedIsNotGone(t *testing.T) {
	w := newWorld(t, func(p *plan.Plan, _ *fleet.Fleet) { p.Policy.MovesPerHost = 1 })
	moved, to := "", ""
	w.answer = func(c Chore) ([]Fact, bool) {
		switch {
		case c.Kind == ChoreMove && moved == "":
			moved, to = c.Instance, c.To
			w.obey(c)
			return []Fact{{Kind: MoveFailed, Turn: c.Turn, Host: c.Host, Instance: c.Instance, From: c.From, To: c.To, Attempt: c.Attempt, Code: "unreachable", Why: "w", Retry: true,
				Source: "absent", Destination: "unreachable"}}, true
		case c.Kind == ChoreLook && c.Host == to && w.s.Hosts["h1"].Absent[moved] < looksToBelieve && w.s.unproven[moved] != "":
			return []Fact{{Kind: HostLost, Host: to, Why: "w"}}, true
		}
		return nil, false
	}
	w.run(at("01:14:00"))
	for _, f := range w.facts {
		if f.Kind == External {
			t.Errorf("%s: %s", f.Instance, f.Why)
		}
	}
	if moved == "" || w.s.Turns["h1"].Guests[moved].MovedTo != to {
		t.Errorf("%s did not move to %s: %s", moved, to, w.tail(6))
	}
}
