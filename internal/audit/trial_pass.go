package audit

import "slices"

// untouched: nothing of the turn's host was changed by it, as far as the record goes.
func (tr *turnRun) untouched() bool {
	return !tr.done && !tr.dropped && !tr.ready && tr.started["update"] == 0 && tr.started["reboot"] == 0
}

// brokeNothing: a hold for want of a place or of time, before anything of the turn's host was changed, is none
// that the failure budget is for.
func (tr *turnRun) brokeNothing(code string) bool {
	return (code == "no-place" || code == "slot-missed") && tr.untouched()
}

// passedOver asks law 6 of a canary in whose place another turn goes first: it is held, nothing of its host was
// changed, so that it hides nothing of what the fix does; and the other one of its stage has not begun.
func (t *trial) passedOver(r *run, f *Fact) {
	c, to := r.turn(f.Turn), r.turns[f.To]
	s := Subject{Campaign: r.id, Turn: c.id, Host: c.host, Seq: f.Seq}
	i := slices.Index(r.canaries, c)
	t.must(i >= 0 && c.held && c.untouched(), 6, "pass-touched", s, f.At, "a canary that is held before its host was changed", "turn %s is passed over as the canary: canary %v, held %v, host unchanged %v", c.id, i >= 0, c.held, c.untouched())
	fits := to != nil && to.plan != nil && c.plan != nil && to != c && !to.open && to.untouched() && to.plan.Deferred == c.plan.Deferred
	t.must(fits, 6, "pass-to", s, f.At, "a turn of the same stage that has not begun", "turn %s is to go first in place of %s", f.To, c.id)
	if i < 0 || !fits {
		return
	}
	r.canaries[i], c.passed = to, true
	c.plan.Canary, to.plan.Canary = false, true
	c.plan.Wave, to.plan.Wave = to.plan.Wave, c.plan.Wave
}
