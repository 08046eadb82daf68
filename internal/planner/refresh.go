package planner

import (
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// A refresh changes no host's boot: it gives each instance another process. The new software is on
// the disks of all hosts that will be refreshed before the first instance moves, so each of them is a
// place to stay from the outset, and each instance moves once. What cannot move is saved and restored
// in place, one after the other; what can neither move nor be stopped is left and blocked by itself,
// for it keeps nobody else from being refreshed.

// refreshed: the host's turn is a refresh.
func (h *host) refreshed() bool { return h.can.refresh }

// fresh: an instance needs no other process: by the assessment, or because a move has given it one.
func (w *world) noteFresh() {
	if w.in.Target == nil {
		return
	}
	for _, g := range w.guests {
		v, ok := w.in.Assessment.Instance(g.ID)
		g.fresh = ok && (v.Verdict == advisory.IsFixed || v.Verdict == advisory.NotAffected)
	}
}

// toDo are the guests that the host's turn does something to.
func (h *host) toDo() []*guest {
	if !h.refreshed() {
		return h.guests
	}
	var out []*guest
	for _, g := range h.guests {
		if !g.fresh && !g.left {
			out = append(out, g)
		}
	}
	return out
}

// leave blocks one instance of a host that is refreshed, and nothing else.
func (w *world) leave(g *guest, b plan.Blocked) {
	g.left = true
	g.at.changes++
	w.lineUp(g.at)
	b.Host, b.Instance = "", g.ID
	w.plan.Blocked = append(w.plan.Blocked, b)
}

// leaveUnplaced leaves the guests that found no place and that policy lets nobody stop.
func (w *world) leaveUnplaced(h *host, g *guest, why failure) {
	b := plan.Blocked{Code: codeNoRoom, Why: fmt.Sprintf("no host with the new software on its disk can take its %d MiB by every rule, and it may not be stopped", g.MemoryMiB),
		Unblock: fmt.Sprintf("free %d MiB on another host of pool %s, or allow the tactic suspend (it is saved in its slot and restored after)", g.MemoryMiB, h.pool.ID)}
	switch why {
	case noSpread:
		b.Code, b.Why = codeSpread, "it may not join another member of its group, only hosts near one have room, and it may not be stopped"
	case noReserve:
		b.Code, b.Why = codeReserve, "wherever it went, the reserve of the pool would be eaten, and it may not be stopped"
		b.Unblock = "add hosts to pool " + h.pool.ID + ", or a smaller reserve_mib"
	}
	w.leave(g, b)
}

// leaveForTime leaves the last of the instances that are stopped one after the other, when all of
// them together do not fit the longest slot; false: there is none.
func (w *world) leaveForTime(h *host, worst time.Duration) bool {
	if !h.refreshed() {
		return false
	}
	var last *guest
	for _, g := range h.toDo() {
		if w.mustStop(h, g) && w.fallback(h, g).how != plan.DispBlocked {
			last = g
		}
	}
	if last == nil {
		return false
	}
	w.leave(last, plan.Blocked{Code: codeSlotTooShort, Why: fmt.Sprintf("it cannot move, and with it the turn of host %s, which stops such instances one after the other, may take %s (p99); the longest slot is %s", h.ID, worst, h.lane.longest()),
		Unblock: fmt.Sprintf("slots and windows of at least %s, or make it able to move", holds(worst))})
	h.minWorst, h.tried = 0, -1
	w.lineUp(h)
	return true
}

// notYet: the host is not prepared when the wave begins, so nobody may land there.
func (v *wave) notYet(from, to *host) bool {
	if !to.toPrepare() {
		return false
	}
	return v.start.Before(v.ahead.restBy) || v.waves == 0 && v.policy.Canary && !from.refreshed() // a canary that reboots comes before all preparations
}

// besideRefresh: a host of its pools is prepared ahead, and takes instances in once that is done.
func (h *host) besideRefresh() bool {
	for _, p := range h.pools {
		if p.preparing > 0 {
			return true
		}
	}
	return false
}

// toPrepare: the new software is still to come to the host's disk.
func (h *host) toPrepare() bool { return h.status == due && h.refreshed() && h.updates }

// notePreparing counts the hosts of each pool that are still to be prepared.
func (w *world) notePreparing() {
	for _, p := range w.pools {
		p.preparing = 0
		for _, h := range p.hosts {
			if h.toPrepare() {
				p.preparing++
			}
		}
	}
}

// ahead reckons when the new software is on all disks: the canary alone, its soak, then at most as
// many hosts of a pool at once as policy lets be away.
type ahead struct {
	from, canaryBy   time.Time // of the canary, when it is refreshed
	restFrom, restBy time.Time // of the others
}

func (w *world) updateWorst() time.Duration {
	t := w.policy.Times
	return max(t.Update.Std(), t.UpdateMax.Std()) + max(time.Second, t.Overhead.Std())
}

// prepare reckons anew: from is when the first may begin; soaked: no canary of a refresh is ahead.
func (w *world) prepare(from time.Time, soaked bool) {
	rounds := 0
	for _, p := range w.pools {
		n := 0
		for _, h := range p.hosts {
			if h.pool == p && h.toPrepare() {
				n++
			}
		}
		rounds = max(rounds, ceilDiv(n, p.maxAway))
	}
	a := ahead{from: w.tick(from)}
	a.canaryBy, a.restFrom = a.from, a.from
	late := a.from // at worst
	if w.policy.Canary && !soaked {
		a.canaryBy = a.from.Add(w.updateWorst())
		a.restFrom, late = a.from.Add(w.policy.Soak.Std()), a.canaryBy.Add(w.policy.Soak.Std())
	}
	a.restBy = late.Add(time.Duration(rounds) * w.updateWorst())
	w.ahead = a
}

// updates gives when a turn's host is prepared; zero where it is not.
func (w *world) updatesAhead(d *draft) (from, by time.Time) {
	switch {
	case d.tactic != plan.Refresh, !d.host.updates: // the software is on its disk already
		return time.Time{}, time.Time{}
	case d.canary:
		return w.ahead.from, w.ahead.canaryBy
	}
	return w.ahead.restFrom, w.ahead.restBy
}

// betrayed bans hosts that took instances of a refresh in, as hosts that will be prepared, and for
// which no turn was found later: nobody may land there, and the plan is drafted anew without them.
func (w *world) betrayed() (again bool) {
	for _, h := range w.hosts {
		if h.status != blocked || !h.refreshed() || h.received == 0 || w.banned[h.ID].Code != "" {
			continue
		}
		for _, b := range w.plan.Blocked {
			if b.Host == h.ID {
				w.banned[h.ID], again = b, true
			}
		}
	}
	return again
}

// refreshFirst orders canaries: where hosts are prepared ahead, one of them is, for its preparation is
// the canary of theirs.
func refreshFirst(a, b *host) int {
	ra, rb := a.refreshed() && a.updates, b.refreshed() && b.updates
	switch {
	case ra == rb:
		return 0
	case ra:
		return -1
	}
	return 1
}
