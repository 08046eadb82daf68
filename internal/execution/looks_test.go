package execution

import (
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// A look costs the host and its guests: there is none while all that runs there is being saved, none between
// the last save and the order to reboot, which looks for itself, nor beside it.
func TestNoLookThatTellsNothing(t *testing.T) {
	w := newWorld(t, func(p *plan.Plan, _ *fleet.Fleet) {
		p.Turns[0].Tactic = plan.Suspend
		for i := range p.Slots {
			p.Slots[i].Disposition, p.Slots[i].Class = plan.DispStatefulStop, plan.ClassOutage
		}
	})
	stops, reboots := 0, 0
	w.answer = func(c Chore) ([]Fact, bool) {
		switch {
		case c.Kind == ChoreLook && c.Host == "h1" && stops > 0 && reboots == 0:
			t.Errorf("%s: a look at h1 after %d stops", w.now.Format(time.TimeOnly), stops)
			return nil, false
		case c.Turn != "h1":
			return nil, false
		case c.Kind == ChoreStop:
			stops++
		case c.Kind == ChoreReboot:
			reboots++
		default:
			return nil, false
		}
		for _, o := range w.s.Outstanding(w.now) {
			if o.Kind == ChoreLook && o.Host == "h1" && (c.Kind == ChoreReboot || !o.NotBefore.After(w.now)) {
				t.Errorf("a look at h1 beside %s", c.Key)
			}
		}
		return nil, false
	}
	w.run(at("03:00:00"))
	if stops < 2 || reboots != 1 || w.s.Turns["h1"].Phase != TurnFinished {
		t.Errorf("%d stops, %d reboots, turn is %s: %s", stops, reboots, w.s.Turns["h1"].Phase, w.tail(8))
	}
}
