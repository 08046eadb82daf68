package execution

import (
	"slices"
	"testing"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// settling has h1's instances forecast to h2, and g4 to come home again.
func settling(t *testing.T, change func(*plan.Plan, *fleet.Fleet)) *world {
	return newWorld(t, func(p *plan.Plan, f *fleet.Fleet) {
		p.Policy.Home, p.Policy.KeepReserve = plan.HomeSettle, false
		for _, id := range []string{"g1", "g4", "g7", "g10"} {
			p.Moves = append(p.Moves, plan.Move{Instance: id, From: "h1", To: "h2", Turn: "h1", Start: at("01:00:10"), End: at("01:00:20")})
		}
		p.Moves = append(p.Moves, plan.Move{Instance: "g4", From: "h2", To: "h1", Turn: "h1", Home: true, Start: at("01:05:10"), End: at("01:05:20")})
		if change != nil {
			change(p, f)
		}
	})
}

func (w *world) wentHome(turn string) (ids []string) {
	for _, f := range w.facts {
		if f.Kind == MoveDone && f.Home && f.Turn == turn {
			ids = append(ids, f.Instance)
		}
	}
	slices.Sort(ids)
	return ids
}

// Where policy settles, those go home who are planned to, and nobody else who landed as forecast.
func TestSettledAsPlanned(t *testing.T) {
	w := settling(t, nil)
	w.run(at("01:14:00"))
	if got := w.wentHome("h1"); !slices.Equal(got, []string{"g4"}) {
		t.Errorf("%v went home: %s", got, w.tail(6))
	}
	if w.s.Turns["h1"].Phase != TurnFinished {
		t.Errorf("h1 is %s: %s", w.s.Turns["h1"].Phase, w.tail(6))
	}
}

// Who had to land elsewhere than forecast goes home, where the pool would be worse off with it there.
func TestStrayedGoHome(t *testing.T) {
	w := settling(t, nil)
	w.hosts["h2"].free = 0 // all go to h3, which no host was as full as
	w.run(at("01:14:00"))
	on := map[string]bool{}
	for _, f := range w.facts {
		switch {
		case f.Kind == MovePlaced && f.Home:
			on[f.Instance] = true
		case f.Kind == MoveDone && f.Home:
			delete(on, f.Instance)
		case f.Kind == TurnDone && f.Turn == "h1" && len(on) > 0:
			t.Errorf("h1 is done while %v are on their way", on)
		}
	}
	if got := w.wentHome("h1"); !slices.Equal(got, []string{"g1", "g10", "g4", "g7"}) {
		t.Errorf("%v went home: %s", got, w.tail(6))
	}
}

// Who strayed to where the pool is as well off stays there.
func TestStrayedMayStay(t *testing.T) {
	w := settling(t, func(_ *plan.Plan, f *fleet.Fleet) { f.Instances[1].MemoryMiB = 800 }) // g2 makes h2 the fullest
	w.hosts["h2"].free = 0
	w.run(at("01:14:00"))
	if got := w.wentHome("h1"); !slices.Equal(got, []string{"g4"}) {
		t.Errorf("%v went home: %s", got, w.tail(6))
	}
	if w.s.Turns["h1"].Phase != TurnFinished {
		t.Errorf("h1 is %s: %s", w.s.Turns["h1"].Phase, w.tail(6))
	}
}
