package planner

import (
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

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
			w.goOn(v)
			continue
		}
		w.stalled = false
		w.waves++
		w.ofStage++
		w.advance(v)
		w.largest[v.kind()] = max(w.largest[v.kind()], len(v.turns))
		v.rebook()
		w.record(v)
		w.noteEnds(v)
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

// goOn sees to it that a wave without a turn is never opened again as it was. Each host that was tried alone knows
// now why not, or what it needs: it waits elsewhere. If there was none, the next wave is had without a measure; and
// if there is none in that either, whoever could have started is taken for one that failed.
func (w *world) goOn(v *wave) {
	switch {
	case v.learnt:
	case !w.stalled:
		w.stalled = true
	default:
		r := w.readyFor(v)
		for _, h := range r.all(w) {
			h.tried, h.trouble = h.age(), trouble{why: noRoom, pool: h.pool}
			w.lineUp(h)
		}
	}
}

// tick rounds up to what people like to read, where slots are long; a plan to measure by is not for people.
func (w *world) tick(t time.Time) time.Time {
	unit := time.Second
	if w.policy.Slot.Std() >= time.Hour && w.in.Profile != plan.Bound {
		unit = time.Minute
	}
	if r := t.Truncate(unit); r.Equal(t) {
		return r
	}
	return t.Truncate(unit).Add(unit)
}

// findNext finds when a host may start next; if it never may, the host is blocked.
func (w *world) findNext(h *host) bool {
	w.relane(h)
	worst := w.worstOf(h)
	need := worst + w.spare()
	if need > h.lane.longest() {
		if w.leaveForTime(h, worst) || w.stopForTime(h) {
			return w.findNext(h)
		}
		w.blockTooLong(h, w.inPlace(h, worst))
		return false
	}
	after, told := w.earliest(h)
	var found bool
	if h.next, h.piece, found = h.lane.next(after, told, need); !found {
		if w.overrule(h) {
			return w.findNext(h)
		}
		w.blockApart(h, later(after, told), worst)
		return false
	}
	if code := w.tooLate(h.next.Add(worst)); code != "" {
		if w.overrule(h) {
			return w.findNext(h)
		}
		w.blockLate(h, code, worst, w.decides(h, later(after, told), worst))
		return false
	}
	return true
}

// earliest is when a host's turn may begin at the earliest, and when a slot may of which its tenants are still to be told.
func (w *world) earliest(h *host) (after, told time.Time) {
	after = later(w.clock, h.notBefore)
	if h.refreshed() || h.besideRefresh() {
		after = later(after, w.ahead.restBy)
	}
	if until := w.embargo(); until.After(after) {
		after = until
	}
	if w.policy.Gaps() {
		after = later(after, w.afterGap(h))
	}
	lead := w.policy.Lead.Of(w.classOf(h).class())
	if blip := w.policy.Lead.Of(plan.ClassBlip); blip > lead && w.classOf(h).class() == plan.ClassOutage {
		lead = blip // a turn with stops has moves as well, and both must be told in time
	}
	return after, w.now.Add(lead + margin(lead))
}

// worstOf is a p99 that the host's turn takes at least, by itself and by what was learnt when it was tried.
func (w *world) worstOf(h *host) time.Duration { return max(h.minWorst, w.leastWorst(h)) }

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
