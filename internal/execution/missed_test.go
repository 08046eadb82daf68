package execution

import (
	"strings"
	"testing"
)

// TestMissed: while nothing goes on, each turn is held as soon as it cannot end in its slot any more, and its tenant is
// told; whoever goes on before misses nothing.
func TestMissed(t *testing.T) {
	for name, c := range map[string]struct {
		stop Fact
		held []string // turns, by the slots' end
		says string
	}{
		"paused":             {Fact{Kind: CampaignPaused, Who: "operator:t", Why: "a storm"}, []string{"h1", "h2", "h3"}, "the campaign is paused: a storm"},
		"halted":             {Fact{Kind: CampaignHalted, Who: Engine, Code: CodeBudget, Why: "too many"}, []string{"h1", "h2", "h3"}, "the campaign is halted: too many"},
		"the canary is held": {Fact{Kind: TurnHeld, Who: "operator:t", Turn: "h1", Host: "h1", Code: CodeOperator, Why: "not yet"}, []string{"h2", "h3"}, "wave 1 is not over: h1"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.kill = true
			w.run(at("00:40:00")) // all are told of their slots
			w.store(c.stop)
			w.run(at("01:49:59"))
			if c.stop.Kind != TurnHeld && w.kinds()[TurnHeld] > 0 {
				t.Fatalf("held although there is time: %s", w.tail(3))
			}
			asked := w.kinds()[NoticeAsked]
			w.run(at("02:10:00"))
			for _, id := range c.held {
				f := w.held(id)
				if f.Code != CodeSlotMissed || !strings.Contains(f.Why, c.says) || f.At.Before(at("01:50:00")) || f.At.After(at("01:51:00")) {
					t.Errorf("%s: held %s (%s): %s", id, f.At.Format("15:04:05"), f.Code, f.Why)
				}
			}
			if w.kinds()[NoticeAsked] == asked {
				t.Errorf("nobody was told: %s", w.tail(5))
			}
		})
	}
}
