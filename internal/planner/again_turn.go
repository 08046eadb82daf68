package planner

import (
	"fmt"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// retake gives a host the turn again that it had; else it says why not.
func (r *replay) retake(v *wave, t *plan.Turn) (why string) {
	h := r.byID[t.Host]
	if h == nil {
		return "host " + t.Host + " is in another pool"
	}
	if why := r.a.lost[t.ID]; why != "" {
		return why
	}
	if why := r.undue(h); why != "" {
		return why
	}
	h.next, h.piece = v.start, r.pieceOf(t)
	h.overruled = slices.ContainsFunc(r.slots[t.ID], func(s *plan.Slot) bool { return s.Overrules != "" })
	r.relane(h)
	if why := r.untimely(v, h); why != "" {
		return why
	}
	if !v.apart(h) {
		return "other turns of its wave leave it no place in its pool, host groups or site"
	}
	had := slices.ContainsFunc(r.slots[t.ID], func(s *plan.Slot) bool { return s.Class == plan.ClassOutage })
	var trouble trouble
	r.untold = ""
	for _, way := range []struct{ stop, there bool }{{false, true}, {false, false}, {true, true}, {true, false}} {
		if way.stop && !had {
			break
		}
		if r.prefer = nil; way.there {
			r.prefer = r.went[t.ID]
		}
		h.mayStop = way.stop
		_, trouble = v.try(h)
		r.prefer = nil
		if trouble.why == fine {
			return ""
		}
	}
	h.mayStop = false
	return r.tells(v, h, trouble)
}

// undue says why a host has no turn to take; empty: it has.
func (r *replay) undue(h *host) string {
	switch h.status {
	case due:
		return ""
	case at, done:
		return "host " + h.ID + " needs no turn any more"
	}
	for _, b := range r.plan.Blocked {
		if b.Host == h.ID && b.Instance == "" {
			return "host " + h.ID + " is blocked (" + b.Code + "): " + b.Why
		}
	}
	return "host " + h.ID + " is blocked"
}

// untimely says why the calendar leaves a host's turn no place where it was.
func (r *replay) untimely(v *wave, h *host) string {
	switch {
	case h.can.livePatch != v.live:
		return "host " + h.ID + " needs another tactic than its wave has"
	case !h.lane.holds(h.piece):
		return "whom its turn interrupts has other windows or freezes"
	case h.notBefore.After(v.start):
		return "host " + h.ID + " takes an instance in shortly before, which is to stay " + r.policy.MinStay.String()
	}
	if code := r.tooLate(v.start.Add(r.worstOf(h))); code != "" {
		return "its turn would be over too late (" + code + ")"
	}
	return ""
}

// untold: somebody whom the turn interrupts can no longer be told of its slot in time.
func (v *wave) untold(d *draft) bool {
	r := v.again
	if r == nil || r.wave == nil {
		return false
	}
	late := func(g *guest, how plan.Disposition) bool {
		if g.Tenant == "" || r.wasTold(v, d, g, plan.ClassOf(how)) || !v.now.Add(v.policy.Lead.Of(plan.ClassOf(how))).After(d.slotStart(v.start)) {
			return false
		}
		r.untold = fmt.Sprintf("instance %s would be interrupted (%s) in it and can no longer be told in time", g.ID, how)
		return true
	}
	return slices.ContainsFunc(d.moves, func(m *move) bool { return late(m.guest, plan.DispLiveMigrate) }) ||
		slices.ContainsFunc(d.stops, func(s stop) bool { return late(s.guest, s.how) })
}

// wasTold: an instance's tenant was told of this turn, in this slot and class.
func (r *replay) wasTold(v *wave, d *draft, g *guest, class plan.Class) bool {
	was := r.a.promised[d.host.ID+"/"+g.ID]
	return was != nil && was.Class == class && was.Start.Equal(d.slotStart(v.start))
}

// holds: a slot lies in hours that are open.
func (l *lane) holds(p piece) bool {
	if l.hours.Always && l.hours.Thaw(p.start, p.end.Sub(p.start)).Equal(p.start) {
		return true
	}
	for _, o := range l.hours.Between(p.start, p.end) {
		if !o.Start.After(p.start) && !o.End.Before(p.end) {
			return true
		}
	}
	return false
}

// pieceOf is the slot of a turn. One that promised nobody anything has what its window leaves of one.
func (r *replay) pieceOf(t *plan.Turn) piece {
	p := piece{start: t.WindowStart, end: t.WindowEnd, made: true}
	p.window.Start, p.window.End = t.WindowStart, t.WindowEnd
	if s := r.slots[t.ID]; len(s) > 0 {
		p.start, p.end = s[0].Start, s[0].End
	} else if slot := r.policy.Slot.Std(); p.end.Sub(p.start) > slot {
		p.start = t.Start
		if p.end = t.Start.Add(slot); p.end.After(t.WindowEnd) {
			p.start, p.end = t.WindowEnd.Add(-slot), t.WindowEnd
		}
	}
	return p
}

// tells says for people why a turn cannot be had where it was.
func (r *replay) tells(v *wave, h *host, t trouble) string {
	name := ""
	if t.guest != nil {
		name = fmt.Sprintf("instance %s (%d MiB)", t.guest.ID, t.guest.MemoryMiB)
	}
	switch t.why {
	case noRoom:
		return "no host that may take " + orElse(name, "an instance") + " has room in this wave"
	case noSpread:
		return "only hosts near other members of its group have room for " + orElse(name, "an instance")
	case noReserve:
		return fmt.Sprintf("the reserve of pool %s would be eaten", t.pool.ID)
	case noGroup:
		return "group " + t.group.ID + " cannot spare what the turn disturbs"
	case noTime:
		if r.untold != "" {
			return r.untold
		}
		return "the turn of host " + h.ID + " no longer fits its slot, or its wave would run into the next"
	}
	return "other turns of its wave are in the way of host " + h.ID
}

// overruns: a turn of the wave would still be under way when the next one begins.
func (v *wave) overruns(worst time.Duration) bool {
	r := v.again
	return r != nil && !r.by.IsZero() && v.start.Add(worst).After(r.by)
}

// asBefore is where a guest was to go, where it still can, and no fixed host would have to be preferred.
func (v *wave) asBefore(h *host, g *guest, tight bool) *host {
	r := v.again
	if r == nil || r.prefer == nil {
		return nil
	}
	to := r.byID[r.prefer[g.ID]]
	if to == nil || !v.sharePool(h, to) {
		return nil
	}
	if to.fixed() {
		if v.refuses(h, g, to, false) == fine {
			return to
		}
		return nil
	}
	if v.refusesOpen(h, g, to, false) != fine || v.defers {
		return nil
	}
	var t trouble
	if v.onShelf(h, g, tight, false, &t) != nil {
		return nil
	}
	return to
}
