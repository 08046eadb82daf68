package planner

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// patience is how many hosts of one pool may fail to enter a wave before the rest of the pool is
// left to the next one.
const patience = 200

// order lines up the hosts that are due, and for each pool the places where instances can go. Hosts of a
// pool that give most room for each instance that must move go first, for what the first wave moves is
// moved twice: empty ones before all others.
func (w *world) order() {
	for _, h := range w.hosts {
		if h.status == due {
			w.queue = append(w.queue, h)
		}
	}
	for _, p := range w.pools {
		w.weigh(p)
	}
	slices.SortStableFunc(w.queue, func(a, b *host) int {
		return cmp.Or(strings.Compare(a.region, b.region), strings.Compare(a.site, b.site), w.by.script.sooner(a, b), strings.Compare(a.pool.ID, b.pool.ID), w.sooner(a, b))
	})
	for i, h := range w.queue {
		h.place = i
	}
	w.shelve()
}

// sooner orders the hosts of one pool.
func (w *world) sooner(a, b *host) int {
	switch {
	case !a.pool.mixed:
		return lighter(a, b)
	case w.by.byMemory:
		return cmp.Or(cmp.Compare(a.used, b.used), cmp.Compare(a.seq, b.seq))
	}
	return cmp.Or(cmp.Compare(int64(len(a.guests))*b.MemoryMiB, int64(len(b.guests))*a.MemoryMiB), cmp.Compare(a.used, b.used), cmp.Compare(a.seq, b.seq))
}

// lighter orders hosts by how much their turn disturbs.
func lighter(a, b *host) int {
	return cmp.Or(cmp.Compare(len(a.guests), len(b.guests)), cmp.Compare(a.used, b.used), strings.Compare(a.ID, b.ID))
}

// sweep opens one wave after the other until each host that is due is done or blocked.
func (w *world) sweep() {
	for {
		start, ok := w.nextStart()
		if !ok {
			if !w.relax() {
				return
			}
			continue
		}
		v := w.newWave(start)
		w.fill(v)
		if len(v.turns) == 0 {
			continue // each host that was tried knows now why not, or what it needs
		}
		w.waves++
		w.ofStage++
		w.advance(v)
		w.largest[v.kind()] = max(w.largest[v.kind()], len(v.turns))
		w.record(v)
		v.close()
		if v.live {
			w.patched = later(w.patched, v.end())
		}
		if w.waves == 1 && w.policy.Canary && !v.turns[0].host.refreshed() { // the canary was another one: refreshes wait for it
			w.prepare(later(w.tick(v.end().Add(w.policy.Soak.Std())), w.ahead.from), true)
		}
		pause := time.Second
		if w.ofStage == 1 && w.policy.Canary {
			pause = max(pause, w.policy.Soak.Std())
		}
		w.clock = w.tick(v.end().Add(pause))
	}
}

// tick rounds up to what people like to read, where slots are long.
func (w *world) tick(t time.Time) time.Time {
	unit := time.Second
	if w.policy.Slot.Std() >= time.Hour {
		unit = time.Minute
	}
	if r := t.Truncate(unit); r.Equal(t) {
		return r
	}
	return t.Truncate(unit).Add(unit)
}

// fill lets hosts enter a wave. The canary goes alone: the lightest host that can. Where any host may be
// live-patched now, it is a wave of live patches.
func (w *world) fill(v *wave) {
	var ready []*host
	for _, h := range w.queue {
		if h.status == due && h.next.Equal(v.start) && h.tried != h.age() {
			ready = append(ready, h)
		}
	}
	if v.live = slices.ContainsFunc(ready, livePatched); v.live {
		ready = slices.DeleteFunc(ready, func(h *host) bool { return !livePatched(h) })
	}
	canary, most := w.policy.Canary && w.ofStage == 0, v.most()
	if canary {
		slices.SortStableFunc(ready, func(a, b *host) int {
			return cmp.Or(refreshFirst(a, b), cmp.Compare(w.classOf(a), w.classOf(b)), lighter(a, b))
		})
	}
	if most >= len(ready) && !v.live && !w.policy.BringHome && w.by.script == nil { // trust, where it grows, comes first
		v.paced = w.pace(ready)
	}
	ready = w.by.script.cast(ready, w.ofStage+1)
	for _, h := range ready {
		if len(v.turns) >= most {
			return
		}
		if v.away[h.pool] > 0 && v.fails[h.pool] >= patience {
			continue
		}
		if n, ok := v.paced[h.pool]; ok && v.away[h.pool] >= n {
			w.held = true
			continue
		}
		if !v.apart(h) {
			continue
		}
		d, t := v.try(h)
		w.short = w.short || t.why == noRoom || t.why == noSpread || t.why == noReserve
		switch {
		case t.why == fine:
			if d.canary = canary; canary {
				return
			}
		case t.why == waits:
		case v.disturbs(h):
			v.fails[h.pool]++
		case t.why == noTime && d.worst.all > h.minWorst:
			h.minWorst = d.worst.all
		default:
			h.tried, h.trouble = h.age(), t
		}
	}
}

// disturbs: something in the wave may bear on a host, so that its failure proves nothing.
func (v *wave) disturbs(h *host) bool {
	if len(v.turns) == 0 {
		return false
	}
	for _, p := range h.pools {
		if v.touched[p] {
			return true
		}
	}
	for _, g := range h.guests {
		for _, gr := range g.groups {
			if v.groupUse[gr] > 0 {
				return true
			}
		}
	}
	return v.policy.BringHome
}

func livePatched(h *host) bool { return h.can.livePatch }

// nextStart gives the earliest instant at which some host may start that did not fail for good; for the
// canary, at which some live patch may, where there is one. Hosts that can never start, or not in time,
// are blocked on the way.
func (w *world) nextStart() (start time.Time, ok bool) {
	w.queue = slices.DeleteFunc(w.queue, func(h *host) bool { return h.status != due })
	w.notePreparing()
	canary, patch := w.policy.Canary && w.ofStage == 0, false
	for _, h := range w.queue {
		if h.tried >= 0 && h.tried == h.age() || !w.findNext(h) {
			continue
		}
		sooner := h.next.Before(start) && (!canary || h.can.livePatch == patch)
		if !ok || sooner || canary && h.can.livePatch && !patch {
			start, ok, patch = h.next, true, h.can.livePatch
		}
	}
	return start, ok
}

// findNext finds when a host may start next; if it never may, the host is blocked.
func (w *world) findNext(h *host) bool {
	worst := max(h.minWorst, w.leastWorst(h))
	need := worst + margin(w.policy.Slot.Std())
	if need > h.lane.longest() {
		if w.leaveForTime(h, worst) || w.stopForTime(h) {
			return w.findNext(h)
		}
		w.blockTooLong(h, w.inPlace(h, worst))
		return false
	}
	after := later(w.clock, h.notBefore)
	if h.refreshed() || h.besideRefresh() {
		after = later(after, w.ahead.restBy)
	}
	if until := w.embargo(); until.After(after) {
		after = until
	}
	lead := w.policy.Lead.Of(w.classOf(h).class())
	if blip := w.policy.Lead.Of(plan.ClassBlip); blip > lead && w.classOf(h).class() == plan.ClassOutage {
		lead = blip // a turn with stops has moves as well, and both must be told in time
	}
	var found bool
	if h.next, h.piece, found = h.lane.next(after, w.now.Add(lead+margin(lead)), need); !found {
		w.blockHost(h, "no-window", "no window opens within "+days(horizon)+" in which the turn would fit", "widen the policy's windows")
		return false
	}
	if code := w.tooLate(h.next.Add(worst)); code != "" {
		w.blockLate(h, code, worst)
		return false
	}
	return true
}

// harm ranks classes for ordering.
type harm int

func (c harm) class() plan.Class {
	return []plan.Class{plan.ClassNone, plan.ClassBlip, plan.ClassOutage}[c]
}

// classOf is the class of the worst that a host's turn may do to an instance.
func (w *world) classOf(h *host) harm { return w.leastOf(h).class }

func (w *world) reckonClass(h *host) harm {
	if h.can.livePatch || len(h.toDo()) == 0 {
		return 0
	}
	if h.mayStop {
		return 2
	}
	for _, g := range h.toDo() {
		if w.mustStop(h, g) {
			return 2
		}
	}
	return 1
}

// embargo is the instant before which nothing may be deployed; zero: none.
func (w *world) embargo() time.Time {
	t := w.in.Target
	if t == nil || t.EmbargoDeploy == "" || t.EmbargoDeploy == "yes" || !t.Disclosure.After(w.now) {
		return time.Time{}
	}
	return t.Disclosure
}

// tooLate gives the code of the limit that a turn which may end at this instant breaks.
func (w *world) tooLate(end time.Time) string {
	t := w.in.Target
	if w.stage == first && t != nil && t.Disclosure.After(w.now) && w.embargo().IsZero() && !w.policy.AfterDisclosure && end.After(t.Disclosure) {
		return codeAfterDisclosure
	}
	if by := w.finishBy(); !by.IsZero() && end.After(by) {
		return codeAfterFinishBy
	}
	return ""
}

// finishBy is the operator's deadline: the target's, or else the policy's.
func (w *world) finishBy() time.Time {
	if t := w.in.Target; t != nil && !t.FinishBy.IsZero() {
		return t.FinishBy
	}
	return w.policy.FinishBy
}
