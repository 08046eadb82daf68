package planner

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

const (
	codeAfterDisclosure = "after-disclosure"
	codeAfterFinishBy   = "after-finish-by"
	codeReserve         = "reserve"
	codeNoRoom          = "no-room"
	codeSpread          = fleet.SpreadForbids
	codeSlotTooShort    = "slot-too-short"
)

// relax is asked when no host that is due can be emptied, each alone and as things stand. Where
// policy allows it, hosts get leave to save or stop what does not fit elsewhere; the others are
// blocked. It reports whether there is anything to try again.
func (w *world) relax() (again bool) {
	for _, h := range w.queue {
		if h.status != due {
			continue
		}
		switch t := h.trouble; t.why {
		case noGroup:
			w.blockHost(h, codeOneTurn, fmt.Sprintf("its turn disturbs more members of group %s at once than it can spare (%d)", t.group.ID, t.group.spare),
				"move members of "+t.group.ID+" to different hosts, or raise its max_unavailable")
		case noReserve:
			if w.stopInstead(h) {
				again = true
				continue
			}
			w.blockReserve(h)
		default:
			switch {
			case w.stopInstead(h):
				again = true
			case w.policy.KeepReserve && h.pool.free < h.pool.reserve && !h.refreshed():
				w.blockReserve(h)
			default:
				w.blockRoom(h)
			}
		}
	}
	return again
}

func (w *world) anyStops(h *host) bool {
	for _, g := range h.guests {
		if w.fallback(h, g).how != plan.DispBlocked {
			return true
		}
	}
	return false
}

// blockReserve finds out what would be left without a reserve, so that the way out is a number that
// works.
func (w *world) blockReserve(h *host) {
	p := h.pool
	if h.trouble.pool != nil && h.trouble.why == noReserve {
		p = h.trouble.pool
	}
	v := w.newWave(h.next)
	v.probing = true
	d, t := v.try(h)
	if t.why != fine {
		w.blockHost(h, codeReserve, fmt.Sprintf("pool %s has %d MiB free in all and its reserve is %d MiB: nothing may be moved, and host %s could not be emptied even without a reserve", p.ID, p.free, p.reserve, h.ID),
			fmt.Sprintf("add hosts to pool %s or free memory in it", p.ID)+orStops(h))
		return
	}
	var whys, outs []string
	for _, p := range poolsOf(d) {
		left, ok := v.reserve(p, h, 0)
		if ok {
			continue
		}
		whys = append(whys, fmt.Sprintf("pool %s keeps %d MiB free, and its reserve is %d MiB", p.ID, left, p.reserve))
		if left >= 0 {
			outs = append(outs, fmt.Sprintf("reserve_mib: %d (or less) for pool %s", left, p.ID))
		}
	}
	v.undo(d)
	if len(whys) == 0 {
		whys = []string{"no choice of destinations keeps the reserve of each pool that they are in"}
	}
	unblock := "keep_reserve: false in the policy"
	if len(outs) > 0 && len(outs) == len(whys) {
		unblock = strings.Join(outs, " and ") + ", or " + unblock
	}
	w.blockHost(h, codeReserve, "with host "+h.ID+" away and its instances elsewhere, "+strings.Join(whys, "; "), unblock+orStops(h))
}

// poolsOf are the pools whose reserve a turn bears on: its host's, and those that its instances land in.
func poolsOf(d *draft) []*pool {
	pools := []*pool{d.host.pool}
	for _, m := range d.moves {
		if !slices.Contains(pools, m.to.pool) {
			pools = append(pools, m.to.pool)
		}
	}
	return pools
}

func (w *world) blockRoom(h *host) {
	g := h.trouble.guest
	if g == nil {
		w.blockHost(h, codeNoRoom, "its instances find no room elsewhere", "free memory in its pools or add hosts to them")
		return
	}
	var most int64
	for _, p := range h.pools {
		for _, o := range p.hosts {
			if o != h && o.IsUp() {
				most = max(most, o.free())
			}
		}
	}
	why := fmt.Sprintf("%s (%d MiB) finds no destination that every rule allows; the most that is free on one host of its pools is %d MiB", g.ID, g.MemoryMiB, most)
	code, unblock := codeNoRoom, fmt.Sprintf("free %d MiB on a host of pool %s, or add a host to it", g.MemoryMiB, h.pool.ID)
	if h.trouble.why == noSpread {
		code, why = codeSpread, fmt.Sprintf("%s may not join another member of its group, and only hosts near one have room", g.ID)
		unblock = fmt.Sprintf("free %d MiB on a host away from the group's other members, or add one", g.MemoryMiB)
	}
	w.blockHost(h, code, why, unblock+orStops(h))
}

// orStops is the way out of a host for whose instances there is no room, where policy lets none be stopped.
func orStops(h *host) string {
	if h.can.suspend || h.can.reboot {
		return ""
	}
	return ", or allow the tactic suspend (what does not fit is saved in its slot and restored after)"
}

func (w *world) blockTooLong(h *host, worst time.Duration) {
	if !h.lane.hours.Single() && worst+w.spare() <= w.policy.Slot.Std() {
		w.blockApart(h, later(w.clock, h.notBefore), worst) // a slot would hold it: windows are too short
		return
	}
	w.blockHost(h, codeSlotTooShort, fmt.Sprintf("its turn may take %s (p99, with %d instances), and the longest slot is %s", worst, len(h.guests), h.lane.longest()),
		fmt.Sprintf("slots and windows of at least %s, or shorter times in the policy", holds(worst))+w.orReboot(h))
}

// holds is the length of a slot that holds such a worst case with the margin of so long a slot.
func holds(worst time.Duration) time.Duration { return worst + margin(worst+time.Minute) }

// orReboot is the way out of a host whose turn is too long for what it saves, where policy lets none be stopped.
func (w *world) orReboot(h *host) string {
	saves := func(g *guest) bool {
		return (h.mayStop || w.mustStop(h, g)) && w.fallback(h, g).how == plan.DispStatefulStop
	}
	if h.can.stop || h.refreshed() || !slices.ContainsFunc(h.toDo(), saves) {
		return ""
	}
	return ", or allow the tactic reboot (what cannot be saved in time is stopped in its slot and started after)"
}

func (w *world) blockLate(h *host, code string, worst time.Duration, decides string) {
	limit, name := w.finishBy(), "finish_by"
	more := "more windows, or more hosts away at once (max_away_percent)"
	if h.can.livePatch { // which takes nobody away
		more = "more windows, or waves that grow faster (wave_growth)"
	}
	unblock := "a later finish_by, " + more
	if code == codeAfterDisclosure {
		limit, name = w.in.Target.Disclosure, "disclosure"
		unblock = "after_disclosure: true in the policy, " + more
	}
	w.blockHost(h, code, fmt.Sprintf("its turn could start at %s at the earliest and may take %s, which is past %s (%s)", stamp(h.next), worst, name, stamp(limit))+decides, unblock)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

func days(d time.Duration) string { return fmt.Sprintf("%d days", int(d.Hours()/24)) }
