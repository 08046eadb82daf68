package planner

import (
	"fmt"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Where a cohort has a reboot follow its live patches, time is swept twice. First all live patches, with
// the turns of hosts that get another tactic; then, once the last live patch is over at worst and has
// soaked, the deferred reboots, as an evacuation of its own: with its own canary, and with nobody at the
// target but hosts that rebooted or need none. Between the two a host is patched: fixed, so a better
// place than one that is not, and yet one that its instances have to leave again. One whose reboot cannot
// be planned is a place to stay once it has its live patch.

// stage of the plan.
type stage int

const (
	first stage = iota
	second
)

// deferral is the reboot that follows a host's live patch.
type deferral struct {
	ahead   bool
	blocked bool        // it cannot be planned; the live patch can
	can     tactics     // of the reboot
	after   *fleet.Host // the host once it rebooted
}

// awaits: the host's reboot is ahead.
func (h *host) awaits() bool {
	return h.deferral.ahead && !h.deferral.blocked && (h.status == due || h.status == patched)
}

// isPatched: it has its live patch, and its reboot is ahead.
func (h *host) isPatched() bool { return h.awaits() && !h.can.livePatch }

// planDeferral notes the reboot that follows a host's live patch, which itself changes no package.
func (w *world) planDeferral(h *host) {
	if w.in.Target == nil {
		return // a routine cycle: whatever was assessed is not read
	}
	v, _ := w.in.Assessment.Host(h.ID)
	has := v.Verdict == advisory.IsFixed && v.Then != ""
	if !h.can.livePatch && !has {
		return
	}
	later := h.can
	later.livePatch = false
	h.deferral = deferral{ahead: v.Then != "", can: later, after: h.after}
	w.defers = w.defers || h.deferral.ahead
	h.after = h.Host
	if has {
		h.status, h.can, h.unpatched = patched, later, ""
	}
}

// judgeDeferral asks of a host's deferred reboot what is asked of any reboot. That it cannot be planned
// keeps nobody from the live patch.
func (w *world) judgeDeferral(h *host) {
	can, status := h.can, h.status
	h.can, h.status = h.deferral.can, due
	b, known := w.undeferred[h.ID]
	why, unblock := w.whyNoReboot(h, w.cohorts.Of(h.Host))
	switch {
	case known:
		h.status = blocked
		w.plan.Blocked = append(w.plan.Blocked, b)
	case h.can.none():
		w.blockHost(h, "no-tactic", w.whyNoTactic(h, w.cohorts.Of(h.Host)), "allow one of evacuate, suspend and reboot in the policy's and the cohort's tactics")
	case !h.Can(fleet.CanUpdate):
		w.blockHost(h, "no-update", "host "+h.ID+" cannot be updated: its driver does not offer it", "give the host an ssh address or a driver that can update it")
	case why != "":
		w.blockHost(h, "no-update-named", why, unblock)
	default:
		w.judgeGuests(h)
	}
	h.deferral.blocked = h.status == blocked
	h.can, h.status = can, status
}

// sweepDeferred is the second stage.
func (w *world) sweepDeferred() {
	w.stage, w.ofStage, w.queue = second, 0, nil
	n := 0
	for _, h := range w.hosts {
		switch {
		case h.status != patched:
		case h.deferral.blocked:
			h.status = blocked
		default:
			n++
			h.status, h.can, h.after = due, h.deferral.can, h.deferral.after
			h.tried, h.mayStop, h.stays, h.minWorst, h.trouble = -1, false, false, 0, trouble{}
		}
	}
	if n > 0 {
		if !w.patched.IsZero() {
			w.clock = later(w.clock, w.tick(w.patched.Add(w.policy.Soak.Std())))
		}
		w.order()
		w.sweep()
	}
	for i := range w.plan.Turns {
		if t := &w.plan.Turns[i]; t.ID == plan.PatchTurn(t.Host) {
			t.Why += fmt.Sprintf("; its reboot is deferred to wave %d", w.rebootIn[t.Host])
		}
	}
}

// overpromised finds the hosts that were taken in this draft as ones whose reboot follows, and for whose
// reboot no time or room was found later. Where their instances and those of others best go is another
// matter then, so the plan is drafted anew with that known.
func (w *world) overpromised() (again bool) {
	for _, h := range w.hosts {
		_, known := w.undeferred[h.ID]
		if known || h.status != blocked || h.can.livePatch || !h.deferral.ahead || h.deferral.blocked {
			continue
		}
		for _, b := range w.plan.Blocked {
			if b.Host == h.ID {
				w.undeferred[h.ID], again = b, true
			}
		}
	}
	return again
}
