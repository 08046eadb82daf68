package audit

import (
	"math"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// Of each turn and each interruption a plan says what is expected, and what it takes no longer than in 95 and in 99 of 100
// cases. The auditor takes each part's time to be log-normal with policy's expected time as its median and its longest as
// its 99th percentile, and parts to be independent, as 0029 has it; and it asks the other way round: in how many of 100
// cases would what must be done take no longer than the plan says? It cuts each part but the last into so many cases of the
// same likelihood, and adds up, over all of them, how likely the last part is to be done by then.
const cases = 24

// By so much less than 95, and than 99 or more, of 100 cases may be covered: a plan sums parts up by a formula.
const lax, laxer = 0.02, 0.01

// covers gives the share of cases in which parts take no longer than a time, one after the other.
func covers(within time.Duration, parts ...part) float64 {
	switch {
	case within < 0:
		return 0
	case len(parts) == 0:
		return 1
	case len(parts) == 1:
		return parts[0].within(within)
	}
	var share float64
	for i := range cases {
		share += covers(within-parts[0].at((float64(i)+0.5)/cases), parts[1:]...)
	}
	return share / cases
}

func (p part) sigma() float64 {
	if p.expected <= 0 || p.worst <= p.expected {
		return 0
	}
	return math.Log(float64(p.worst)/float64(p.expected)) / z99
}

// at is the part's quantile.
func (p part) at(share float64) time.Duration {
	s := p.sigma()
	if s == 0 {
		return max(p.expected, p.worst)
	}
	return time.Duration(float64(p.expected) * math.Exp(-math.Sqrt2*math.Erfcinv(2*share)*s))
}

// within is the likelihood that the part takes no longer than a time.
func (p part) within(t time.Duration) float64 {
	s := p.sigma()
	if s == 0 {
		if t >= max(p.expected, p.worst) {
			return 1
		}
		return 0
	}
	if t <= 0 {
		return 0
	}
	return math.Erfc(-math.Log(float64(t)/float64(p.expected))/s/math.Sqrt2) / 2
}

// stepsOf are the parts of a turn, beside its moves, by the times of its host: the change of software; all saves and
// restores as one, for they share a disk; the reboot.
func (d *dossier) stepsOf(t *plan.Turn) (parts []part) {
	times := d.timesOf(&d.p.Policy, t.Host)
	if d.p.Target != nil && t.Tactic != plan.Refresh {
		if t.Tactic == plan.LivePatch && times.Patch > 0 {
			parts = append(parts, part{}.plus(times.Patch, times.PatchMax))
		} else {
			parts = append(parts, part{}.plus(times.Update, times.UpdateMax))
		}
	}
	return append(parts, d.outageOf(t, d.savings(t), times)...)
}

// outageOf are the parts during which those that a turn saves are away.
func (d *dossier) outageOf(t *plan.Turn, savings []part, times plan.Times) (parts []part) {
	var saves part
	for _, s := range savings {
		saves = saves.and(s).and(s) // and restored
	}
	if len(savings) > 0 {
		parts = append(parts, saves)
	}
	if reboots(t.Tactic) {
		parts = append(parts, part{}.plus(times.Reboot, times.RebootMax))
	}
	return parts
}

// outageIn are the parts during which one instance of a turn is away.
func (d *dossier) outageIn(t *plan.Turn, s *plan.Slot) []part {
	var savings []part
	if s.Disposition == plan.DispStatefulStop {
		savings = []part{d.saving(t, d.savedWith(t, s))}
	}
	return d.outageOf(t, savings, d.timesOf(&d.p.Policy, t.Host))
}

// auto: each slot is as long as its turn needs, which is the 99th percentile of all parts together, and what holds
// 99.5 % of such turns where that is no longer than half as long again as their 95th percentile.
func (d *dossier) auto() bool { return d.p.Policy.SlotBy == "auto" }

// made asks of a slot that was made for its turn whether it is neither longer nor shorter than it should be.
func (d *dossier) made(s *plan.Slot, t *plan.Turn) {
	const late = 10 * time.Second // that a turn may begin late
	length, upto := s.End.Sub(s.Start), seconds(t.P95S)*3/2
	most := max(upto, seconds(t.WorstS)+late) + time.Second // of what rounding makes of it
	d.must(length <= most, 2, "slot-longer-than-its-turn", ofSlot(s), s.Start, "a slot of at most "+most.String()+", by its turn's p95_s and worst_s",
		"slot %s is %s long, and its turn takes no longer than %d s in 95 of 100 cases", s.ID, length, t.P95S)
	share := covers(s.End.Sub(t.Start)-d.drained(t), d.stepsOf(t)...)
	d.must(share >= 0.995-laxer/2 || length >= upto-time.Second, 2, "slot-too-short", ofSlot(s), s.Start, "a slot that holds 99.5 of 100 such turns, or one of "+upto.String(),
		"slot %s is %s long, in which %.1f of 100 such turns end", s.ID, length, 100*share)
}

// quantiles asks of each turn and each promise whether what is expected, the 95th and the 99th percentile are in order,
// and whether the 95th is no less than policy's times make it. Plans from before said nothing of it.
func (d *dossier) quantiles() {
	said := d.auto()
	for _, t := range d.ordered {
		said = said || t.P95S != 0
	}
	for i := range d.p.Slots {
		said = said || d.p.Slots[i].P95Ms != 0
	}
	if !said {
		return
	}
	for _, t := range d.ordered {
		d.quantilesOf(t)
	}
	for i := range d.p.Slots {
		d.quantilesIn(&d.p.Slots[i])
	}
}

func (d *dossier) quantilesOf(t *plan.Turn) {
	p95 := seconds(t.P95S)
	d.must(t.End.Sub(t.Start) <= p95 && p95 <= seconds(t.WorstS), 2, "quantiles", ofTurn(t), t.Start, "what is expected <= p95_s <= worst_s",
		"turn %s is foreseen to take %s, %s in 95 of 100 cases and %d s at worst", t.ID, t.End.Sub(t.Start), p95, t.WorstS)
	if d.hosts[t.Host] == nil {
		return
	}
	share := covers(p95-d.drained(t), d.stepsOf(t)...)
	d.must(share >= 0.95-lax, 2, "p95-understated", ofTurn(t), t.Start, "a p95_s that holds its moves and policy's times for the rest in 95 of 100 cases",
		"turn %s is foreseen to take no longer than %s in 95 of 100 cases, and by policy's times does so in %.0f", t.ID, p95, 100*share)
}

// drained is how long the moves off a turn's host are foreseen to take.
func (d *dossier) drained(t *plan.Turn) (took time.Duration) {
	for _, m := range d.movesOf[t.ID] {
		if !m.Home {
			took = max(took, m.End.Sub(t.Start))
		}
	}
	return took
}

func (d *dossier) quantilesIn(s *plan.Slot) {
	if !disrupts(s.Class) {
		return
	}
	d.must(s.ExpectedMs <= s.P95Ms && s.P95Ms <= s.WorstMs, 1, "quantiles", ofSlot(s), s.Start, "expected_ms <= p95_ms <= worst_ms",
		"slot %s expects %d ms, %d ms in 95 of 100 cases and %d ms at worst", s.ID, s.ExpectedMs, s.P95Ms, s.WorstMs)
	t := d.turns[s.Turn]
	if t == nil || plan.ClassOf(s.Disposition) != plan.ClassOutage || d.hosts[t.Host] == nil {
		return
	}
	share := covers(time.Duration(s.P95Ms)*time.Millisecond, d.outageIn(t, s)...)
	d.must(share >= 0.95-lax, 1, "p95-understated", ofSlot(s), s.Start, "a p95_ms that holds what is done to it in 95 of 100 cases",
		"slot %s promises an outage of no more than %d ms in 95 of 100 cases, and by policy's times it is so in %.0f", s.ID, s.P95Ms, 100*share)
}
