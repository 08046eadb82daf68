package audit

import (
	"math"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// foreseen has the good plan say 95th percentiles as well, and breaks something in it.
func foreseen(spoil func(p *plan.Plan)) func(*fleet.Fleet, *plan.Plan) {
	return func(_ *fleet.Fleet, p *plan.Plan) {
		for i := range p.Turns {
			p.Turns[i].P95S = 3000
		}
		for i := range p.Slots {
			if p.Slots[i].P95Ms = 600; p.Slots[i].Class == plan.ClassOutage {
				p.Slots[i].P95Ms = 1_500_000
			}
		}
		spoil(p)
	}
}

// fitted has slots that are made for their turns as well, of 65 minutes each, and breaks something in it.
func fitted(spoil func(p *plan.Plan)) func(*fleet.Fleet, *plan.Plan) {
	return foreseen(func(p *plan.Plan) {
		p.Policy.SlotBy = "auto"
		for i := range p.Slots {
			s := &p.Slots[i]
			for _, t := range p.Turns {
				if t.ID == s.Turn {
					s.Start = t.Start
				}
			}
			s.End, s.NoticeBy = s.Start.Add(65*time.Minute), s.Start.Add(-p.Policy.Lead.Of(s.Class))
		}
		spoil(p)
	})
}

// upTo ends the slots of the canary, a, so long after its start.
func upTo(p *plan.Plan, length time.Duration) {
	for i := range p.Slots {
		if p.Slots[i].Turn == "a" {
			p.Slots[i].End = p.Slots[i].Start.Add(length)
		}
	}
}

// quantileMutants break what a plan says of how long things take in 95 of 100 cases.
var quantileMutants = []planMutant{
	{"a 95th percentile above the worst case", 2, one("quantiles"), false, foreseen(func(p *plan.Plan) { p.Turns[0].P95S = 3601 })},
	{"a 95th percentile below what is expected", 2, []string{"p95-understated", "quantiles"}, false, foreseen(func(p *plan.Plan) { p.Turns[0].P95S = 1199 })},
	{"a turn that says none", 2, []string{"p95-understated", "quantiles"}, false, foreseen(func(p *plan.Plan) { p.Turns[0].P95S = 0 })},
	{"a 95th percentile that a tenth of such turns exceed", 2, one("p95-understated"), false, foreseen(func(p *plan.Plan) { p.Turns[1].P95S = 1260 })},
	{"an interruption whose 95th percentile is above the worst case", 1, one("quantiles"), false, foreseen(func(p *plan.Plan) { p.Slots[0].P95Ms = 901 })},
	{"an interruption whose 95th percentile is below what is expected", 1, one("quantiles"), false, foreseen(func(p *plan.Plan) { p.Slots[0].P95Ms = 199 })},
	{"an interruption that says none", 1, one("quantiles"), false, foreseen(func(p *plan.Plan) { p.Slots[0].P95Ms = 0 })},
	{"an outage that a tenth of such outages exceed", 1, one("p95-understated"), false, foreseen(func(p *plan.Plan) { slotOf(p, "c/c1").P95Ms = 800_000 })},
	{"a slot longer than 1.5 times what 95 of 100 turns take", 2, one("slot-longer-than-its-turn"), false, fitted(func(p *plan.Plan) { upTo(p, 75*time.Minute+2*time.Second) })},
	{"a slot that one turn of 66 outlasts", 2, one("slot-too-short"), false, fitted(func(p *plan.Plan) {
		p.Turns[0].P95S, p.Turns[0].WorstS = 1500, 1640
		upTo(p, 1641*time.Second)
	})},
	{"a worst case that three turns of 100 outlast", 2, one("worst-too-short"), false, fitted(func(p *plan.Plan) {
		p.Turns[0].P95S, p.Turns[0].WorstS = 1440, 1500
		upTo(p, 36*time.Minute)
	})},
	{"an outage that outlasts its worst case in three of 100", 1, one("outage-understated"), false, fitted(func(p *plan.Plan) {
		slotOf(p, "c/c1").P95Ms, slotOf(p, "c/c1").WorstMs = 1_080_000, 1_090_000
	})},
	{"a slot by the turn that says no 95th percentile", 2, []string{"p95-understated", "quantiles", "slot-longer-than-its-turn"}, false, fitted(func(p *plan.Plan) { p.Turns[0].P95S = 0 })},
}

// TestForeseen: the good plan may say what it says.
func TestForeseen(t *testing.T) {
	for name, change := range map[string]func(*fleet.Fleet, *plan.Plan){
		"as it is": foreseen(func(*plan.Plan) {}), "with slots by the turn": fitted(func(*plan.Plan) {}),
		"with a slot that just holds 1.5 times as much": fitted(func(p *plan.Plan) { upTo(p, 75*time.Minute) }),
		"with a slot for the worst case": fitted(func(p *plan.Plan) {
			p.Turns[0].P95S = 1800
			upTo(p, 3610*time.Second)
		}),
	} {
		f, p := goodFleet(), goodPlan()
		change(f, p)
		seal(p)
		if found := Plan(f, p); len(found) > 0 {
			show(t, found)
			t.Fatal(name + ": found fault with what is allowed")
		}
	}
}

// TestCovers: one part by the table of the normal distribution, parts without spread by their sum, and two that are alike
// by what 1,000,000 sums of them came to.
func TestCovers(t *testing.T) {
	const m = time.Minute
	for _, c := range []struct {
		within time.Duration
		parts  []part
		want   float64
	}{
		{5 * m, []part{{5 * m, 20 * m}}, 0.5}, {20 * m, []part{{5 * m, 20 * m}}, 0.99}, {799600 * time.Millisecond, []part{{5 * m, 20 * m}}, 0.95},
		{3 * m, []part{{m, m}, {m, 0}, {m, m}}, 1}, {3*m - 1, []part{{m, m}, {m, m}, {m, m}}, 0}, {0, nil, 1}, {-1, nil, 0}, {0, []part{{m, 2 * m}}, 0},
		{m + 20*m, []part{{m, m}, {5 * m, 20 * m}}, 0.99}, {20 * m, []part{{5 * m, 20 * m}, {5 * m, 20 * m}}, 0.9193},
	} {
		if got := covers(c.within, c.parts...); math.Abs(got-c.want) > 0.005 {
			t.Errorf("%v take no longer than %s in %.4f of all cases, want %.4f", c.parts, c.within, got, c.want)
		}
	}
}
