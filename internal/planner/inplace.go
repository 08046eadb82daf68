package planner

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// stopInstead gives a host that cannot be emptied leave to save or stop what does not fit elsewhere, once;
// false: it has it already, or policy lets nothing on it be stopped.
func (w *world) stopInstead(h *host) bool {
	if h.mayStop || !h.refreshed() && !w.anyStops(h) { // a refresh leaves behind what may not be stopped
		return false
	}
	h.mayStop, h.tried, w.relaxed = true, -1, true
	w.lineUp(h)
	return true
}

// stopForTime gives a host that cannot be emptied within any slot leave to save or stop what finds no room; and where
// moving the others takes too long even so, has all stay whom policy lets be saved or stopped. false: neither helps.
func (w *world) stopForTime(h *host) bool {
	if h.refreshed() || h.can.livePatch || h.stays {
		return false
	}
	if w.stopInstead(h) {
		h.minWorst = 0
		w.lineUp(h)
		return true
	}
	worst := w.inPlace(h, h.lane.longest())
	if !h.mayStop || worst+w.spare() > h.lane.longest() {
		return false
	}
	h.stays, h.minWorst, h.tried = true, 0, -1
	w.lineUp(h)
	return true
}

// inPlace is the least that a host's turn takes at worst when all stay whom policy lets be saved or stopped; otherwise
// where groups cannot spare them at once, or it is no less.
func (w *world) inPlace(h *host, otherwise time.Duration) time.Duration {
	if h.refreshed() || h.can.livePatch || !w.anyStops(h) {
		return otherwise
	}
	defer func(stays bool) { h.stays = stays }(h.stays)
	if h.stays = true; len(w.crowded(h)) > 0 {
		return otherwise
	}
	return min(otherwise, w.reckonLeast(h))
}

// codeSaveTooLong is why an instance is stopped that could be saved: with it, all saves would not fit its slot.
const codeSaveTooLong = "save-too-long"

// lightened stops some of those that would be saved, the largest first, where saving all of them, beside
// what else the turn does, takes longer than the longest slot and policy lets them be stopped.
func (w *world) lightened(h *host, stops []stop, beside time.Duration) []stop {
	if h.refreshed() || !h.can.stop || w.fitsSlot(h, stops, beside) { // a refresh saves one after the other
		return stops
	}
	out := slices.Clone(stops)
	order := make([]int, 0, len(out))
	for i, s := range out {
		if s.how == plan.DispStatefulStop {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(out[b].guest.MemoryMiB, out[a].guest.MemoryMiB), strings.Compare(out[a].guest.ID, out[b].guest.ID))
	})
	for _, i := range order {
		if w.fitsSlot(h, out, beside) {
			break
		}
		out[i].how, out[i].why = plan.DispStop, codeSaveTooLong
	}
	return out
}

// fitsSlot: a turn that does this to those who stay, and takes so long beside, fits the host's longest slot.
func (w *world) fitsSlot(h *host, stops []stop, beside time.Duration) bool {
	if w.by.brief && w.saveMax(stops) > w.policy.Times.SaveMax.Std() {
		return false
	}
	c := w.fixedCourse(h, w.tacticOf(h, stops), stops)
	c.then(beside/worstOf, beside)
	return w.need(c)+w.spare() <= h.lane.longest()
}

// lighten stops some whom a turn saves, where that is what makes it too long for any slot; false: it is not.
func (v *wave) lighten(d *draft) bool {
	stops := v.lightened(d.host, d.stops, d.beside)
	if slices.Equal(stops, d.stops) {
		return false
	}
	d.stops, d.tactic = stops, v.tacticOf(d.host, stops)
	return true
}

// longerSaves is what the plan says of a turn whose saves may take longer than policy gives one; 0 of others.
func (w *world) longerSaves(d *draft) time.Duration {
	most := w.saveMax(d.stops)
	if d.tactic == plan.Refresh || most <= w.policy.Times.SaveMax.Std() {
		return 0
	}
	return most
}
