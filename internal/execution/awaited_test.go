package execution

import (
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// TestAwaited: a turn that has not begun waits some minutes for its host's answer, and no longer than its slots leave it
// time; then it is held for that, and the next wave goes on.
func TestAwaited(t *testing.T) {
	for name, c := range map[string]struct {
		away   time.Duration // for how long the host of h2 does not answer
		spare  time.Duration // what its slots leave it beside its worst case
		nobody bool          // is promised anything there
		held   time.Duration // how long after it fell silent; 0: it is not
	}{
		"back in time":          {away: 7 * time.Minute, spare: time.Hour},
		"dead":                  {away: 12 * time.Hour, spare: time.Hour, held: 10 * time.Minute},
		"dead, a narrow slot":   {away: 12 * time.Hour, spare: 5 * time.Minute, held: 5 * time.Minute},
		"dead, with no promise": {away: 12 * time.Hour, spare: time.Hour, nobody: true, held: 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(p *plan.Plan, f *fleet.Fleet) {
				p.Policy.MaxAwayPercent, p.Policy.KeepReserve = 100, false
				if c.nobody {
					p.Slots = nil
					for i := range f.Instances {
						f.Instances[i].Tenant = ""
					}
				}
			})
			lost := at("00:59:00")
			for w.s.Turns["h1"].Phase != TurnFinished && lost.Before(at("01:30:00")) {
				lost = lost.Add(time.Second)
				w.run(lost)
			}
			w.hosts["h2"].silent = true
			for i := range w.s.Plan.Slots {
				if sl := &w.s.Plan.Slots[i]; sl.Turn == "h2" {
					sl.End = lost.Add(c.spare + time.Duration(w.s.Turns["h2"].Plan.WorstS)*time.Second)
				}
			}
			w.s.Turns["h2"].Plan.WindowEnd, w.s.Turns["h3"].Plan.WindowEnd = at("04:00:00"), at("04:00:00")
			w.run(lost.Add(min(c.away, 15*time.Minute)))
			w.hosts["h2"].silent = c.away > time.Hour
			w.run(at("01:50:00"))
			h2 := w.s.Turns["h2"]
			if c.held == 0 {
				if h2.Phase != TurnFinished {
					t.Fatalf("h2 is %s (%s): %s", h2.Phase, h2.Why, w.tail(8))
				}
				return
			}
			f := w.held("h2")
			if after := f.At.Sub(lost); f.Code != CodeNoAnswer || after < c.held-time.Minute || after > c.held+2*time.Minute {
				t.Errorf("h2 is held %s after its host fell silent, for %s: %s", after, f.Code, f.Why)
			}
			if w.s.Turns["h3"].Permitted.IsZero() && w.s.Turns["h3"].Code == "" {
				t.Errorf("h3 waits for it: %s", w.tail(8))
			}
		})
	}
}
