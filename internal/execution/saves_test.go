package execution

import (
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// TestSavesByThePlan: where a turn's saves together may take longer than policy gives one, each save and each restore
// has that long, and none begins that might not be over in its slot.
func TestSavesByThePlan(t *testing.T) {
	deadlines := func(w *world) (stops, backs []time.Duration) {
		for _, f := range w.facts {
			switch f.Kind {
			case StopStarted:
				stops = append(stops, f.Deadline.Sub(f.At))
			case BackStarted:
				backs = append(backs, f.Deadline.Sub(f.At))
			}
		}
		return stops, backs
	}
	for name, c := range map[string]struct {
		saves int64
		want  time.Duration
		held  bool
	}{
		"policy's":               {0, time.Minute, false},
		"no shorter than policy": {30, time.Minute, false},
		"the turn's":             {600, 10 * time.Minute, false},
		"too late for it":        {1500, 0, true}, // 2 * 25 m and the reboot's 5 m
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(p *plan.Plan, _ *fleet.Fleet) {
				p.Turns[2].SaveMaxS = c.saves
				for i := range p.Slots {
					if p.Slots[i].ID == "h3/g12" {
						p.Slots[i].End = at("01:50:00")
					}
				}
			})
			w.run(at("03:00:00"))
			stops, backs := deadlines(w)
			if c.held {
				held := ""
				for _, f := range w.facts {
					if f.Kind == TurnHeld && f.Turn == "h3" {
						held = f.Code
					}
				}
				if len(stops) > 0 || held != CodeSlotMissed {
					t.Errorf("stopped %v; h3 is held for %q", stops, held)
				}
				return
			}
			if len(stops) != 1 || len(backs) != 1 || stops[0] != c.want || backs[0] != c.want {
				t.Errorf("to save %v, to restore %v, want %s; last facts: %s", stops, backs, c.want, w.tail(6))
			}
		})
	}
}
