package execution

import (
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// TestWaitedForByItsKind: a host whose kind is known to reboot slowly is waited for as long as 99.9 % of its kind take,
// and an instance is stopped there only where the slot holds its kind's 99th percentile.
func TestWaitedForByItsKind(t *testing.T) {
	const m = plan.Duration(time.Minute)
	for name, c := range map[string]struct {
		p95  plan.Duration
		wait time.Duration
		held bool
	}{
		"always 3 m":       {3 * m, 3 * time.Minute, false},
		"3 m, 9 m of 95 %": {9 * m, 1418 * time.Second, false}, // the 99th percentile is 14 m 12 s
		"3 m, 40 m":        {40 * m, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(p *plan.Plan, f *fleet.Fleet) {
				f.Hosts[2].Model = "old"
				p.Policy.TimesFor = []plan.TimesRule{{Models: []string{"old"}, Sites: []string{"s1"}, Reboot: plan.Spread{Median: 3 * m, P95: c.p95}}}
			})
			w.run(at("03:00:00"))
			held, wait := "", time.Duration(0)
			for _, f := range w.facts {
				if f.Kind == TurnHeld && f.Turn == "h3" {
					held = f.Code
				}
				if f.Kind == StepStarted && f.Turn == "h3" && f.Step == StepProve {
					wait = f.Deadline.Sub(f.At)
				}
				if f.Kind == StepStarted && f.Turn == "h1" && f.Step == StepProve && f.Deadline.Sub(f.At) != w.s.Plan.Policy.Times.RebootMax.Std() {
					t.Errorf("h1, of no kind, is waited for %s", f.Deadline.Sub(f.At))
				}
			}
			if wait != c.wait || (held == CodeSlotMissed) != c.held {
				t.Errorf("held %q, waited for %s, want %s; last facts: %s", held, wait, c.wait, w.tail(5))
			}
		})
	}
}

// TestSlotsByTheTurn: where slots are made for their turns, an instance is stopped while its slot holds what is left in 99
// of 100 cases, not all of it slow at once, which is 12 minutes; and a migration has what is left of its slot.
func TestSlotsByTheTurn(t *testing.T) {
	const m = plan.Duration(time.Minute)
	for name, c := range map[string]struct {
		by   string
		left time.Duration // from the third turn's start to the end of its slots
		held bool
	}{
		"constant, too short":    {"", 11 * time.Minute, true},
		"by the turn":            {plan.SlotAuto, 11 * time.Minute, false},
		"too short all the same": {plan.SlotAuto, 7 * time.Minute, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(p *plan.Plan, _ *fleet.Fleet) {
				p.Policy.SlotBy, p.Policy.Times.Reboot, p.Policy.Times.RebootMax = c.by, 2*m, 10*m
				p.Turns[2].WorstS = 60
				for i := range p.Slots {
					if p.Slots[i].Turn == "h3" {
						p.Slots[i].Start, p.Slots[i].End = p.Turns[2].Start, p.Turns[2].Start.Add(c.left)
					}
				}
			})
			w.run(at("03:00:00"))
			stopped, held := false, ""
			for _, f := range w.facts {
				if stopped = stopped || f.Kind == StopStarted; f.Kind == TurnHeld && f.Turn == "h3" {
					held = f.Code
				}
			}
			if stopped == c.held || (held == CodeSlotMissed) != c.held {
				t.Errorf("stopped %v, held %q; last facts: %s", stopped, held, w.tail(5))
			}
		})
	}
}

// TestMoveBy: a migration that would outlast the slot if it took migrate_max may begin all the same where slots are made
// for their turns and three times what was foreseen for it fits; it is over with the slot.
func TestMoveBy(t *testing.T) {
	w := newWorld(t, func(p *plan.Plan, _ *fleet.Fleet) {
		p.Policy.SlotBy = plan.SlotAuto
		p.Moves = []plan.Move{{Instance: "g1", Turn: "h1", From: "h1", To: "h2", Start: at("01:00:00"), End: at("01:00:20")}}
	})
	now, turn := at("01:00:00"), w.s.Turns["h1"]
	for _, c := range []struct {
		by, instance  string
		left, allowed time.Duration // 0: it may not begin
	}{
		{plan.SlotAuto, "g1", time.Hour, 2 * time.Minute}, {plan.SlotAuto, "g1", 90 * time.Second, 90 * time.Second}, {plan.SlotAuto, "g1", time.Minute, time.Minute},
		{plan.SlotAuto, "g1", 59 * time.Second, 0}, {plan.SlotAuto, "g4", 90 * time.Second, 0}, {"", "g1", 90 * time.Second, 0}, {"", "g1", 2 * time.Minute, 2 * time.Minute},
	} {
		w.s.Plan.Policy.SlotBy = c.by
		deadline, ok := w.s.moveBy(turn, c.instance, now, now.Add(c.left))
		if ok != (c.allowed > 0) || ok && deadline.Sub(now) != c.allowed {
			t.Errorf("%q, %s with %s left: may begin %v, until %s", c.by, c.instance, c.left, ok, deadline.Sub(now))
		}
	}
}
