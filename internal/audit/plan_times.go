package audit

import (
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// A promise is worth what its forecast is worth. So each move is held against the links that carry it, and
// each turn and each outage against the times that policy itself gives for their parts.

// forecasts asks law 2 of moves and turns, and law 1 of the outages that are promised.
func (d *dossier) forecasts() {
	for i := range d.p.Moves {
		d.carried(&d.p.Moves[i])
	}
	for _, t := range d.ordered {
		d.lasts(t)
		d.limited(t)
	}
	for i := range d.p.Slots {
		d.away(&d.p.Slots[i])
	}
}

// share is the rate in MiB/s that one migration has between two hosts when each end has as many in flight as
// policy allows, and so has each link of the fleet between them; 0 when no rate is told.
func (d *dossier) share(a, b *fleet.Host) float64 {
	var mbps int64
	for _, h := range []*fleet.Host{a, b} {
		if h.NICMbps > 0 && (mbps == 0 || h.NICMbps < mbps) {
			mbps = h.NICMbps
		}
	}
	rate := perMove(mbps, d.p.Policy.MovesPerHost)
	if linked := d.linkShare(a.ID, b.ID); linked > 0 && (rate == 0 || linked < rate) {
		return linked
	}
	return rate
}

// carried: the share of both links carries the instance's memory in the time foreseen, which is within the
// deadline that policy sets, and the instance does not dirty its memory faster than it is sent.
func (d *dossier) carried(m *plan.Move) {
	in, from, to := d.instances[m.Instance], d.hosts[m.From], d.hosts[m.To]
	if in == nil || from == nil || to == nil {
		return // form has said so
	}
	s, took := ofMove(m), m.End.Sub(m.Start)
	most := time.Duration(d.p.Policy.Times.MigrateMax)
	d.must(took <= most, 2, "move-too-long", s, m.Start, "a migration within migrate_max, "+most.String(),
		"the move of %s is foreseen to take %s, and is given up after %s", in.ID, took, most)
	rate := d.share(from, to)
	if rate == 0 {
		return
	}
	least := time.Duration(float64(in.MemoryMiB) / rate * float64(time.Second)).Truncate(time.Second)
	d.must(took >= least, 2, "faster-than-link", s, m.Start, "a forecast of at least "+least.String(),
		"the move of %s, %d MiB, is foreseen to take %s, its share of the links carries that in %s", in.ID, in.MemoryMiB, took, least)
	d.paused(m, in, from, rate)
	d.must(in.DirtyMiBps < rate || from.Hypervisor == fleet.Xen || contains(d.p.Policy.NonConverging, "post-copy"), 1, "cannot-converge", s, m.Start, "a faster link, post-copy in policy, or a promised stop",
		"%s dirties %.0f MiB/s, its share of the links carries %.0f: its move never ends", in.ID, in.DirtyMiBps, rate)
}

// paused: what Xen leaves of an instance's memory after five rounds of sending what was dirtied in the round before is
// sent while it stands still. That is a blip by policy's measure, and the promise of it does not say less.
func (d *dossier) paused(m *plan.Move, in *fleet.Instance, from *fleet.Host, rate float64) {
	if from.Hypervisor != fleet.Xen || in.DirtyMiBps <= 0 {
		return
	}
	left := float64(in.MemoryMiB)
	for n := 0; n < 5 && left*256 > 50 && in.DirtyMiBps < rate; n++ {
		left = left / rate * in.DirtyMiBps
	}
	stands := time.Duration(left / rate * float64(time.Second)).Truncate(time.Millisecond)
	s, most := ofMove(m), time.Duration(d.p.Policy.Blackout)
	d.must(stands <= most, 1, "pause-too-long", s, m.Start, "a faster link, fewer moves at once, a longer blackout, or a promised stop",
		"the move of %s, %d MiB dirtied at %.0f MiB/s and sent at %.0f, stops it for %s, a blip is at most %s", in.ID, in.MemoryMiB, in.DirtyMiBps, rate, stands, most)
	if sl := d.slotOf[[2]string{m.Turn, m.Instance}]; sl != nil && !m.Home && stands <= most {
		d.must(time.Duration(sl.ExpectedMs)*time.Millisecond >= stands, 1, "pause-understated", s, m.Start, "an expected interruption of at least "+stands.String(),
			"%s is promised an interruption of %d ms, and its move stops it for %s", in.ID, sl.ExpectedMs, stands)
	}
}

// part is how long some part of a turn takes: expected, and at p99.
type part struct{ expected, worst time.Duration }

func (p part) plus(expected, worst plan.Duration) part {
	return part{p.expected + time.Duration(expected), p.worst + max(time.Duration(expected), time.Duration(worst))}
}

func (p part) and(o part) part { return part{p.expected + o.expected, p.worst + o.worst} }

// lasts: a turn takes no less than its moves away and what follows them by policy's own times.
func (d *dossier) lasts(t *plan.Turn) {
	if d.hosts[t.Host] == nil {
		return
	}
	var drain time.Duration
	for _, m := range d.movesOf[t.ID] {
		if !m.Home {
			drain = max(drain, m.End.Sub(t.Start))
		}
	}
	least := part{drain, drain}
	times := d.timesOf(&d.p.Policy, t.Host)
	if changes := d.p.Target != nil && t.Tactic != plan.Refresh; changes && t.Tactic == plan.LivePatch && times.Patch > 0 {
		least = least.plus(times.Patch, times.PatchMax)
	} else if changes {
		least = least.plus(times.Update, times.UpdateMax)
	}
	for _, saving := range d.savings(t) {
		least = least.and(saving).and(saving) // and restored
	}
	if reboots(t.Tactic) {
		least = least.plus(times.Reboot, times.RebootMax)
	}
	d.must(t.End.Sub(t.Start) >= least.expected, 2, "turn-too-short", ofTurn(t), t.Start, "an end no earlier than "+clock(t.Start.Add(least.expected)),
		"turn %s is foreseen to take %s, its moves and policy's times for the rest make %s", t.ID, t.End.Sub(t.Start), least.expected)
	if d.auto() { // all parts slow at once is not what such a plan speaks of
		share := covers(seconds(t.WorstS)-drain, d.stepsOf(t)...)
		d.must(share >= 0.99-laxer, 2, "worst-too-short", ofTurn(t), t.Start, "a worst_s that holds its moves and policy's times for the rest in 99 of 100 cases",
			"turn %s is foreseen to take %d s at worst, and by policy's times takes no longer in %.1f of 100 cases", t.ID, t.WorstS, 100*share)
		return
	}
	d.must(seconds(t.WorstS) >= least.worst, 2, "worst-too-short", ofTurn(t), t.Start, "a worst_s of at least "+least.worst.String(),
		"turn %s is foreseen to take %d s at worst, its moves and policy's times for the rest make %s", t.ID, t.WorstS, least.worst)
}

// away: who is saved or stopped is told of no less than the reboot, and its saving and restoring, and of more
// than would be a blip.
func (d *dossier) away(s *plan.Slot) {
	t := d.turns[s.Turn]
	if t == nil || plan.ClassOf(s.Disposition) != plan.ClassOutage {
		return
	}
	var least part
	times := d.timesOf(&d.p.Policy, t.Host)
	if s.Disposition == plan.DispStatefulStop {
		saving := d.saving(t, d.savedWith(t, s))
		least = least.and(saving).and(saving)
	}
	if reboots(t.Tactic) {
		least = least.plus(times.Reboot, times.RebootMax)
	}
	if d.auto() && covers(time.Duration(s.WorstMs)*time.Millisecond, d.outageIn(t, s)...) >= 0.99-laxer {
		least.worst = 0
	}
	least.worst = max(least.worst, time.Duration(d.p.Policy.Blackout)+time.Millisecond)
	d.must(s.ExpectedMs >= least.expected.Milliseconds() && s.WorstMs >= least.worst.Milliseconds(), 1, "outage-understated", ofSlot(s), s.Start,
		"an outage of at least "+least.expected.String()+", and "+least.worst.String()+" at worst",
		"slot %s promises an outage of %d ms, %d at worst, and what is done takes %s, %s at worst", s.ID, s.ExpectedMs, s.WorstMs, least.expected, least.worst)
}
