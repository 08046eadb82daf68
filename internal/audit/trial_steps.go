package audit

// acting are the steps whose chores change a host; the others look, or wait for moves and stops.
var acting = map[string]bool{"cordon": true, "update": true, "reboot": true, "uncordon": true, "revert": true}

func (t *trial) stepFact(r *run, f *Fact) {
	tr := r.turn(f.Turn)
	s := Subject{Campaign: r.id, Turn: tr.id, Host: f.Host, Seq: f.Seq}
	t.must(f.Host == tr.host, 10, "turn-host", s, f.At, "the turn's own host", "fact %d says that turn %s is of host %s, the plan says %s", f.Seq, tr.id, f.Host, tr.host)
	t.stepReverts(r, tr, f, s)
	t.stepInPlace(r, tr, f, s)
	switch f.Kind {
	case "step-started":
		t.stepStarts(r, tr, f, s)
	case "step-done":
		t.stepDone(r, tr, f, s)
		tr.stepEnds(f)
	case "step-failed":
		tr.failed[f.Step]++
		tr.stepEnds(f)
	}
}

func (tr *turnRun) stepEnds(f *Fact) {
	if a := tr.attempts[f.Step]; a != nil && a.n == f.Attempt {
		delete(tr.attempts, f.Step)
	}
}

// stepStarts asks law 5 of a step that begins: one attempt at a time, unless the earlier one's
// deadline has passed or another controller has taken over since (it waited for the call to end).
func (t *trial) stepStarts(r *run, tr *turnRun, f *Fact, s Subject) {
	t.apartFromTwin(r, tr, f, s)
	first := f.Step == "revert" && tr.started["revert"] == 0 // which law 8 asks of a failed canary
	t.must(!r.forced || first, 8, "act-after-forced", s, f.At, "a step before the campaign was closed by force", "step %s of turn %s starts after campaign %s was closed by force", f.Step, tr.id, r.id)
	t.must(tr.mayStep(f.Step), 10, "unpermitted", s, f.At, "a turn-permitted ahead of its steps", "step %s of turn %s starts, and the turn is not open", f.Step, tr.id)
	if a := tr.attempts[f.Step]; a != nil && acting[f.Step] {
		over := !a.deadline.IsZero() && f.At.After(a.deadline) || t.took > a.seq
		t.must(over, 5, "two-attempts", s, f.At, "an attempt whose predecessor has ended, or is past its deadline",
			"attempt %d of step %s of turn %s starts while attempt %d is in flight", f.Attempt, f.Step, tr.id, a.n)
	}
	tr.attempts[f.Step] = &attempt{f.Attempt, f.Seq, f.Deadline}
	tr.started[f.Step]++
	if f.Step == "reboot" {
		t.rebootStarts(r, tr, f, s)
	}
}

// rebootStarts: the host is empty by all that is known (law 1), it was not rebooted for this turn
// (law 5), the order names the boot that it ends (law 5), and the campaign may go on (law 8).
func (t *trial) rebootStarts(r *run, tr *turnRun, f *Fact, s Subject) {
	t.must(tr.plan == nil || reboots(tr.plan.Tactic), 1, "reboot-unplanned", s, f.At, "a tactic that reboots, told as such", "host %s is to be rebooted in turn %s, whose tactic, %s, reboots nothing", tr.host, tr.id, tr.tactic())
	t.must(r.stopped == "", 8, "reboot-while-stopped", s, f.At, "a reboot before the stop, or after campaign-resumed", "host %s is to be rebooted after %s", tr.host, r.stopped)
	t.must(!tr.held, 8, "reboot-while-held", s, f.At, "a reboot after turn-released", "host %s is to be rebooted while its turn holds", tr.host)
	if tr.released && f.BootID != "" && f.BootID == tr.bootBefore {
		tr.rebooted[r.revision] = 0 // an operator retries an order that never took effect: it is still the same boot
	}
	t.must(tr.rebooted[r.revision] == 0, 5, "rebooted-twice", s, f.At, "one reboot for one turn", "host %s is to be rebooted again for turn %s", tr.host, tr.id)
	t.needed(r, tr, f, s)
	t.moveInCohort(r, tr, f, s)
	m := t.machine(tr.host)
	for id := range m.on {
		g := t.guest(id)
		if g.state == "stopped" {
			continue
		}
		s.Instance = id
		t.must(false, 1, "reboot-not-empty", s, f.At, "a reboot after each instance has moved away or been stopped as promised",
			"host %s is to be rebooted while %s is %s on it or on its way to it", tr.host, id, g.state)
	}
	s.Instance = ""
	t.checked[0]++
	tr.before, tr.ordered = m.view, f.Seq
	tr.orders++
	tr.unseen = m.view == nil || f.At.Sub(m.view.At) > freshLook
	if m.view == nil || m.view.BootID == "" {
		return
	}
	t.must(f.BootID == m.view.BootID, 5, "reboot-unguarded", s, f.At, "an order that names the boot id "+m.view.BootID,
		"the reboot of host %s names the boot id %q, it was last seen with %q", tr.host, f.BootID, m.view.BootID)
	tr.bootBefore = m.view.BootID
	if f.BootID != "" {
		tr.bootBefore = f.BootID
	}
}

func (t *trial) stepDone(r *run, tr *turnRun, f *Fact, s Subject) {
	switch f.Step {
	case "update":
		if tr.started["update"] > 0 && tr.attempts["update"] != nil { // without a chore nothing was changed
			tr.updated[r.revision]++
			t.must(tr.updated[r.revision] == 1, 5, "updated-twice", s, f.At, "one update for one turn", "host %s is updated %d times for turn %s", tr.host, tr.updated[r.revision], tr.id)
		}
	case "reboot":
		t.must(tr.started["reboot"] > 0, 10, "unstarted", s, f.At, "a step-started, stored before the chore runs", "the reboot of turn %s is done and was never started", tr.id)
		if a := tr.attempts["reboot"]; a == nil && tr.rebooted[r.revision] > 0 {
			return // the late answer of an attempt that was given up
		}
		tr.rebooted[r.revision]++
		t.must(tr.rebooted[r.revision] == 1, 5, "rebooted-twice", s, f.At, "one reboot for one turn", "host %s is rebooted %d times for turn %s", tr.host, tr.rebooted[r.revision], tr.id)
		t.must(!tr.unseen || f.Why != "", 1, "reboot-unseen", s, f.At, "a look at the host within 60 s before the order, or the chore's own evidence that it was empty",
			"nothing shows that host %s was empty when it was rebooted", tr.host)
	case "prove":
		tr.bootAfter = f.BootID
		if m := t.machine(tr.host); tr.bootAfter == "" && m.view != nil {
			tr.bootAfter = m.view.BootID
		}
		t.cameBackRight(r, tr, f, s)
	}
}
