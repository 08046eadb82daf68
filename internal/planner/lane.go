package planner

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/calendar"
	"github.com/evenkeel/evenkeel/internal/fleet"
)

// lane is the calendar of all hosts of one site and hypervisor, where they are in the same host groups and their turns
// interrupt the same tenants, as far as those have a say: their windows, cut into slots.
type lane struct {
	hours  calendar.Hours
	slot   time.Duration
	auto   bool      // slots are made by the turn, within a window or a stretch of an always one
	from   time.Time // nothing that ended before is of interest
	pieces []piece   // of windows, by start, as far as they were asked for
	until  time.Time // occurrences that start before this are in pieces; zero: none was asked for
	opened []piece   // slots of an `always` window, made where a wave needed one
	last   answer    // many hosts in a row ask the same
}

type laneKey struct {
	site            string
	hypervisor      fleet.Hypervisor
	groups, tenants string // ids of those that have a say
	overruled       bool   // but for freezes that give way to a deadline
}

// piece is one promised slot within one window occurrence.
type piece struct {
	start, end time.Time
	window     calendar.Interval
	made       bool // it lies in an always window
	free       bool // it is where slots are made by the turn
	joined     bool // it is cut as another lane's, to share a wave
}

// answer of a lane, and the question.
type answer struct {
	after, slotFrom time.Time
	need            time.Duration
	start           time.Time
	piece           piece
	ok              bool
}

// step is how far the calendar is looked into at a time, horizon how far in all.
const (
	step    = 14 * 24 * time.Hour
	horizon = 400 * 24 * time.Hour
)

// laneOf is the lane of a host whose turn interrupts instances of some tenants, sorted: those of them that have a say.
func (w *world) laneOf(h *host, tenants []string) (*lane, error) {
	key := laneKey{h.site, h.Hypervisor, strings.Join(w.calendar.GroupsOf(h.ID), " "), strings.Join(tenants, " "), h.overruled}
	if l := w.lanes[key]; l != nil {
		return l, nil
	}
	hours, err := w.calendar.Of(h.ID, tenants)
	if err != nil {
		return nil, err
	}
	if h.overruled {
		hours = hours.Overruled()
	}
	l := &lane{hours: hours, slot: w.policy.Slot.Std(), auto: w.policy.AutoSlots(), from: later(w.now, w.embargo())}
	w.lanes[key] = l
	return l, nil
}

// relane finds the lane of a host by those who are on it now: its turn needs windows of all whom it interrupts.
func (w *world) relane(h *host) {
	if !w.calendar.BindsAny() {
		return
	}
	var tenants []string
	if !h.can.livePatch {
		for _, g := range h.toDo() {
			if g.Tenant != "" && w.calendar.Binds(g.Tenant) {
				tenants = append(tenants, g.Tenant)
			}
		}
	}
	slices.Sort(tenants)
	l, err := w.laneOf(h, slices.Compact(tenants))
	if err != nil {
		panic("planner: the calendar of host " + h.ID + " could be read without tenants, and each tenant's by itself: " + err.Error())
	}
	h.lane = l
}

// longest is the longest slot that the lane can ever promise.
func (l *lane) longest() time.Duration {
	if l.hours.Always {
		return l.slot
	}
	return min(l.slot, l.hours.Longest())
}

// next finds the earliest start, not before `after`, of a turn that needs so much time in its slot,
// where the slot itself must not begin before `slotFrom`.
func (l *lane) next(after, slotFrom time.Time, need time.Duration) (time.Time, piece, bool) {
	if a := &l.last; a.need != need || !a.after.Equal(after) || !a.slotFrom.Equal(slotFrom) {
		*a = answer{after: after, slotFrom: slotFrom, need: need}
		a.start, a.piece, a.ok = l.look(after, slotFrom, need)
	}
	return l.last.start, l.last.piece, l.last.ok
}

func (l *lane) look(after, slotFrom time.Time, need time.Duration) (time.Time, piece, bool) {
	start, best, ok := l.nextWindow(after, slotFrom, need)
	if !l.hours.Always || need > l.slot {
		return start, best, ok
	}
	for i := len(l.opened) - 1; i >= 0 && !l.opened[i].end.Before(after.Add(need)); i-- {
		if s, fits := l.opened[i].take(after, slotFrom, need); fits && (!ok || !start.Before(s)) {
			start, best, ok = s, l.opened[i], true
		}
	}
	if s := l.hours.Thaw(later(after, slotFrom), l.slot); !ok || s.Before(start) {
		end := s.Add(l.slot)
		start, best, ok = s, piece{start: s, end: end, window: calendar.Interval{Start: s, End: end}, made: true, free: l.auto}, true
	}
	return start, best, ok
}

func (l *lane) nextWindow(after, slotFrom time.Time, need time.Duration) (time.Time, piece, bool) {
	if need > min(l.slot, l.hours.Longest()) {
		return time.Time{}, piece{}, false
	}
	earliest := later(after, slotFrom)
	for i := l.firstEnding(after.Add(need)); ; i++ {
		for i >= len(l.pieces) || !l.pieces[i].start.Before(l.until) {
			if l.until.After(earliest.Add(horizon)) {
				return time.Time{}, piece{}, false
			}
			l.extend()
			i = l.firstEnding(after.Add(need))
		}
		if s, fits := l.pieces[i].take(after, slotFrom, need); fits {
			return s, l.pieces[i], true
		}
	}
}

// firstEnding is an index before which no piece ends at t or later.
func (l *lane) firstEnding(t time.Time) int {
	length := l.slot
	if l.auto {
		length = l.hours.Longest()
	}
	i, _ := slices.BinarySearchFunc(l.pieces, t.Add(-length), func(p piece, t time.Time) int { return p.start.Compare(t) })
	return i
}

// slotStart is when the slot of a turn begins, in a wave that starts then.
func (d *draft) slotStart(wave time.Time) time.Time {
	if d.piece.free {
		return wave
	}
	return d.piece.start
}

// inPiece: a turn of the wave that may take so long ends in its slot, or in one that is made for it there.
func (v *wave) inPiece(p piece, worst time.Duration) bool {
	need := worst + v.spare()
	return !v.start.Add(need).After(p.end) && (!p.free || need <= v.policy.Slot.Std())
}

func (p piece) take(after, slotFrom time.Time, need time.Duration) (time.Time, bool) {
	s := later(after, p.start)
	if p.free {
		s = later(s, slotFrom)
		return s, !s.Add(need).After(p.end)
	}
	return s, !p.start.Before(slotFrom) && !s.Add(need).After(p.end)
}

// extend reads the next stretch of the calendar.
func (l *lane) extend() {
	from, known := l.until, l.until
	if from.IsZero() {
		from = l.from
	}
	l.until = from.Add(step)
	for _, o := range l.hours.Between(from, l.until) {
		if o.Start.Before(known) {
			continue // it came with the stretch before
		}
		if l.auto {
			l.pieces = append(l.pieces, piece{start: o.Start, end: o.End, window: o, free: true})
			continue
		}
		l.pieces = append(l.pieces, cut(o, l.slot)...)
	}
	slices.SortFunc(l.pieces, func(a, b piece) int {
		return cmp.Or(a.start.Compare(b.start), a.end.Compare(b.end), a.window.Start.Compare(b.window.Start))
	})
}

// cut makes slots of a window occurrence: one after the other from its start. What is left at its
// end is shorter than a slot, so the last slot is laid back to end with the window.
func cut(o calendar.Interval, slot time.Duration) (out []piece) {
	if slot >= o.End.Sub(o.Start) {
		return []piece{{start: o.Start, end: o.End, window: o}}
	}
	s := o.Start
	for ; !s.Add(slot).After(o.End); s = s.Add(slot) {
		out = append(out, piece{start: s, end: s.Add(slot), window: o})
	}
	if s.Before(o.End) {
		out = append(out, piece{start: o.End.Add(-slot), end: o.End, window: o})
	}
	return out
}

// join gives the slot of another lane's host, where it lies in a window here as well and only the cut of the window into
// slots has none there: windows of other places are cut from other hours, and would seldom share a wave otherwise.
func (l *lane) join(other piece) (piece, bool) {
	end := other.start.Add(l.slot)
	for i := l.firstEnding(other.start); !l.hours.Always && !l.auto && i < len(l.pieces) && !l.pieces[i].start.After(other.start); i++ {
		if l.pieces[i].start.Equal(other.start) {
			return piece{}, false
		}
		if o := l.pieces[i].window; !end.After(o.End) {
			return piece{start: other.start, end: end, window: o, joined: true}, true
		}
	}
	return piece{}, false
}

// keep remembers a slot of an always window, or one that joined a wave, once somebody was promised it.
func (l *lane) keep(p piece) {
	if p.joined {
		i, known := slices.BinarySearchFunc(l.pieces, p.start, func(q piece, t time.Time) int { return q.start.Compare(t) })
		if !known {
			l.pieces = slices.Insert(l.pieces, i, p)
			l.last = answer{}
		}
	}
	if n := len(l.opened); p.made && (n == 0 || l.opened[n-1].start.Before(p.start)) {
		l.opened = append(l.opened, p)
		l.last = answer{}
	}
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
