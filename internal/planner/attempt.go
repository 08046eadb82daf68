package planner

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// try asks whether a host can have its turn in this wave, beside those that are in it already, and
// takes it in if so. If it cannot, nothing has changed.
func (v *wave) try(h *host) (*draft, trouble) {
	if !v.apart(h) {
		return nil, trouble{why: waits}
	}
	d, t := v.dispose(h, v.by.script.packs(h))
	if t.why != fine && t.why != waits && len(d.moves) > 0 && !h.mayStop { // packing it tighter may do
		v.undo(d)
		d, t = v.dispose(h, true)
	}
	if t.why == fine {
		t = v.schedule(d)
	}
	if t.why != fine {
		v.undo(d)
		return d, t
	}
	if !v.probing {
		v.enter(d)
	}
	return d, t
}

// dispose decides what happens to each guest of a host and where those that move go; the draft
// holds what was booked, also when it fails.
func (v *wave) dispose(h *host, tight bool) (*draft, trouble) {
	d := &draft{host: h, piece: h.piece}
	if h.can.livePatch {
		d.tactic = plan.LivePatch
		return d, trouble{}
	}
	var moving []*guest
	for _, g := range h.toDo() {
		if v.mustStop(h, g) {
			s := v.fallback(h, g)
			if s.how == plan.DispBlocked { // it came here in a wave before
				return d, trouble{why: noRoom, guest: g, pool: h.pool}
			}
			d.stops = append(d.stops, s)
		} else {
			moving = append(moving, g)
		}
	}
	slices.SortFunc(moving, func(a, b *guest) int {
		return cmp.Or(cmp.Compare(b.MemoryMiB, a.MemoryMiB), strings.Compare(a.ID, b.ID))
	})
	if v.by.script.upwards(h) {
		slices.Reverse(moving)
	}
	stops, alone := d.disturbed()
	if t := v.groups(stops, append(alone, moving...)); t.why != fine {
		return d, t
	}
	for _, g := range moving {
		to, t := v.destination(h, g, tight)
		if to == nil {
			s := v.fallback(h, g)
			if h.refreshed() && h.mayStop && t.why != waits && s.how == plan.DispBlocked && !v.probing {
				v.leaveUnplaced(h, g, t.why)
				continue
			}
			if !h.mayStop || t.why == waits || s.how == plan.DispBlocked {
				return d, t
			}
			s.why = map[failure]string{noReserve: codeReserve, noSpread: codeSpread}[t.why]
			s.why = orElse(s.why, codeNoRoom)
			d.stops = append(d.stops, s)
			continue
		}
		m := &move{guest: g, from: h, to: to}
		land(m)
		v.landings[to.pool]++
		v.landings[h.pool]++
		d.moves = append(d.moves, m)
	}
	d.tactic = v.tacticOf(h, d.stops)
	return d, v.roomy(d)
}

// roomy asks once more what depends on all guests together: groups, where some are stopped for want
// of room, and the reserve of pools that instances landed in while this host is away.
func (v *wave) roomy(d *draft) trouble {
	if t := v.groups(d.disturbed()); t.why != fine {
		return t
	}
	h := d.host
	if v.landings[h.pool] > 0 && !v.probing {
		if left, ok := v.reserve(h.pool, h, 0); !ok {
			return trouble{why: noReserve, pool: h.pool, left: left}
		}
	}
	return trouble{}
}

func (v *wave) undo(d *draft) {
	for _, m := range d.moves {
		unland(m)
		v.landings[m.to.pool]--
		v.landings[d.host.pool]--
	}
	d.moves = nil
}

// tacticOf is the least disruptive tactic that does what was decided for the guests.
func (w *world) tacticOf(h *host, stops []stop) plan.Tactic {
	worst := plan.DispNone
	for _, s := range stops {
		if s.how == plan.DispStop {
			worst = plan.DispStop
		} else if worst == plan.DispNone {
			worst = plan.DispStatefulStop
		}
	}
	switch {
	case h.can.livePatch:
		return plan.LivePatch
	case h.refreshed():
		return plan.Refresh
	case worst == plan.DispStop:
		return plan.Reboot
	case worst == plan.DispStatefulStop:
		return plan.Suspend
	case h.can.evacuate:
		return plan.Evacuate
	case h.can.suspend:
		return plan.Suspend
	}
	return plan.Reboot
}

// schedule gives the draft's migrations their times and asks whether the turn's worst case fits
// its slot.
func (v *wave) schedule(d *draft) trouble {
	marks := [4]int{v.leave.mark(), v.worstLeave.mark(), v.home.mark(), v.worstHome.mark()}
	drain, worstDrain := v.bookLeaving(d)
	d.worstDrain = worstDrain
	c := v.fixedCourse(d.host, d.tactic, d.stops)
	fixed := c.all.Worst
	c.then(drain, worstDrain)
	expected, worst := c.spans()
	d.expected, d.worst = expected, worst
	collides := v.firstHome >= 0 && drain > v.firstHome || v.overtaken(d)
	if d.away = nil; v.anyHome() && !collides {
		v.bookHome(d, &expected, &worst)
	}
	d.beside = worst.all - fixed
	v.foresee(d, c, expected, worst)
	if collides || v.overfull(d, d.worst.all) || v.overruns(d.worst.all) || v.untold(d) {
		v.leave.undo(marks[0])
		v.worstLeave.undo(marks[1])
		v.home.undo(marks[2])
		v.worstHome.undo(marks[3])
		d.homes = nil
		if collides {
			return trouble{why: waits}
		}
		if v.lighten(d) {
			return v.schedule(d)
		}
		return trouble{why: noTime}
	}
	return trouble{}
}

// overfull: a turn that takes so long at worst does not fit its slot, or ends past a deadline.
func (v *wave) overfull(d *draft, worst time.Duration) bool {
	return !v.inPiece(d.piece, worst) || v.tooLate(v.start.Add(worst)) != ""
}

// overtaken: of this turn and another of the wave one would be over, its host fixed and empty, before
// an instance of the other leaves for a host that is not fixed.
func (v *wave) overtaken(d *draft) bool {
	if d.lastOpen() < v.firstOver && (v.lastOpen < d.expected.all || !d.host.IsUp()) {
		return false
	}
	for _, o := range v.turns {
		if v.misses(d, o) || v.misses(o, d) {
			return true
		}
	}
	return false
}

// lastOpen is when the last instance leaves for a host that is not fixed; -1: none does.
func (d *draft) lastOpen() time.Duration {
	last := time.Duration(-1)
	for _, m := range d.moves {
		if !m.to.fixed() {
			last = max(last, m.start)
		}
	}
	return last
}

// misses: an instance of d leaves for a host that is not fixed when o's host is, and could take it.
func (v *wave) misses(d, o *draft) bool {
	if !o.host.IsUp() {
		return false
	}
	for _, m := range d.moves {
		if m.to.fixed() || m.start < o.expected.all {
			continue
		}
		if m.guest.MemoryMiB <= o.host.MemoryMiB && v.sharePool(d.host, o.host) && v.alike.canMove(m.guest.class, d.host.class, v.alike.host(o.host.after)) {
			return true
		}
	}
	return false
}

func (v *wave) sharePool(a, b *host) bool {
	for _, p := range a.pools {
		if slices.Contains(b.pools, p) {
			return true
		}
	}
	return false
}

// bookLeaving books the moves off the host; it gives when the last is over, expected and at p99.
func (v *wave) bookLeaving(d *draft) (drain, worst time.Duration) {
	inTurn, inWorst := map[*group]time.Duration{}, map[*group]time.Duration{}
	lastFixed := v.lastFixedOf(d.host)
	v.leave.line(d.moves)
	for _, m := range d.moves {
		var from time.Duration
		if !m.to.fixed() && lastFixed >= 0 {
			from = lastFixed + time.Second // room on fixed hosts is taken before any other is
		}
		length := v.moveTime(m.guest, v.between(d.host, m.to))
		m.start, m.end = bookOne(v.leave, d.host, m.to, m.guest, from, length, inTurn)
		_, end := bookOne(v.worstLeave, d.host, m.to, m.guest, from, v.worstMove(length), inWorst)
		if m.to.fixed() {
			lastFixed = max(lastFixed, m.start)
		}
		drain, worst = max(drain, m.end), max(worst, end)
	}
	return drain, worst
}

// bookOne books one migration after those of the same turn that its groups cannot spare it beside.
func bookOne(t *timetable, turn, other *host, g *guest, from, length time.Duration, last map[*group]time.Duration) (start, end time.Duration) {
	for _, gr := range g.groups {
		if before, ok := last[gr]; ok {
			from = max(from, before+time.Second)
		}
	}
	start, end = t.book(turn, other, from, length)
	for _, gr := range g.groups {
		last[gr] = end
	}
	return start, end
}
