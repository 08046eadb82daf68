package planner

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// Migrations are booked as hosts enter a wave, one host after the other, so that each knows whether its turn fits. Who
// comes last finds the links of its destinations taken here and there. Once the wave is full all of its migrations
// are known, and they are booked anew: those first whose host, at either end, has most to send or to take in, for
// that host's link is what the wave waits for. (This is list scheduling of an open shop by the load of its machines.)
// A wave keeps its first bookings where that does not make it end sooner. Plans that people run keep them always: when one
// is made again, its turns enter their waves by them.

// booked is what bookings made of a turn.
type booked struct {
	draft draft
	moves []booking
}

// rebook books the migrations of a full wave anew, where it ends sooner by that.
func (v *wave) rebook() {
	if v.in.Profile != plan.Bound || !v.rebookable() {
		return
	}
	end, was, leave, worst := v.end(), v.keep(), v.leave, v.worstLeave
	v.leave, v.worstLeave = newTimetable(&v.policy), newTimetable(&v.policy)
	v.leave.final, v.worstLeave.final = true, true
	v.bookAll()
	if !v.holds() || !v.end().Before(end) {
		v.restore(was)
		v.leave, v.worstLeave = leave, worst
	}
}

// rebookable: all destinations are fixed, or none is. Else those that are not wait for those that are, in the order
// in which the turns entered.
func (v *wave) rebookable() bool {
	fixed, open := false, false
	for _, d := range v.turns {
		for _, m := range d.moves {
			if m.to.fixed() {
				fixed = true
			} else {
				open = true
			}
		}
	}
	return fixed != open && !v.anyHome()
}

func (v *wave) keep() []booked {
	out := make([]booked, len(v.turns))
	for i, d := range v.turns {
		out[i] = booked{*d, make([]booking, len(d.moves))}
		for k, m := range d.moves {
			out[i].moves[k] = booking{m.start, m.end}
		}
	}
	return out
}

func (v *wave) restore(was []booked) {
	for i, d := range v.turns {
		*d = was[i].draft
		for k, m := range d.moves {
			m.start, m.end = was[i].moves[k].start, was[i].moves[k].end
		}
	}
}

// drain is how long a host's instances take to leave, expected and at p99.
type drain struct{ expected, worst time.Duration }

// toBook is a move that waits to be booked.
type toBook struct {
	move   *move
	turn   int
	length time.Duration
	load   time.Duration // of the busier of its two hosts
}

// bookAll books all moves of a wave, and reckons its turns from that.
func (v *wave) bookAll() {
	n := 0
	for _, d := range v.turns {
		n += len(d.moves)
	}
	all, load := make([]toBook, 0, n), make(map[*host]time.Duration, 2*len(v.turns))
	for i, d := range v.turns {
		for _, m := range d.moves {
			length := v.moveTime(m.guest, v.between(m.from, m.to))
			all = append(all, toBook{move: m, turn: i, length: length})
			load[m.from] += length
			load[m.to] += length
		}
	}
	for i := range all {
		all[i].load = max(load[all[i].move.from], load[all[i].move.to])
	}
	slices.SortStableFunc(all, func(a, b toBook) int {
		return cmp.Or(cmp.Compare(b.load, a.load), cmp.Compare(b.length, a.length))
	})
	drains, last := make([]drain, len(v.turns)), make([][2]map[*group]time.Duration, len(v.turns))
	for _, x := range all {
		m, before := x.move, &last[x.turn]
		if before[0] == nil && len(m.guest.groups) > 0 {
			before[0], before[1] = map[*group]time.Duration{}, map[*group]time.Duration{}
		}
		var worst time.Duration
		m.start, m.end = bookOne(v.leave, m.from, m.to, m.guest, 0, x.length, before[0])
		_, worst = bookOne(v.worstLeave, m.from, m.to, m.guest, 0, v.worstMove(x.length), before[1])
		d := &drains[x.turn]
		d.expected, d.worst = max(d.expected, m.end), max(d.worst, worst)
	}
	for i, d := range v.turns {
		v.leaves(d, drains[i])
	}
}

// leaves reckons a turn of whose instances the last has left after so long.
func (v *wave) leaves(d *draft, last drain) {
	c := v.fixedCourse(d.host, d.tactic, d.stops)
	fixed := c.all.Worst
	c.then(last.expected, last.worst)
	expected, worst := c.spans()
	d.worstDrain, d.beside = last.worst, worst.all-fixed
	v.foresee(d, c, expected, worst)
}

// holds: each turn still fits its slot, and none is over before an instance of another leaves for a host that is not
// fixed.
func (v *wave) holds() bool {
	over, open := time.Duration(math.MaxInt64), time.Duration(-1)
	for _, d := range v.turns {
		if v.overfull(d, d.worst.all) || v.overruns(d.worst.all) {
			return false
		}
		if open = max(open, d.lastOpen()); d.host.IsUp() {
			over = min(over, d.expected.all)
		}
	}
	return open < over
}
