package audit

import (
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

func (t *trial) turnFact(r *run, f *Fact) {
	tr := r.turn(f.Turn)
	if tr.host == "" {
		tr.host = f.Host
	}
	s := Subject{Campaign: r.id, Turn: tr.id, Host: tr.host, Seq: f.Seq}
	t.must(f.Host == tr.host, 10, "turn-host", s, f.At, "the turn's own host", "fact %d says that turn %s is of host %s, the plan says %s", f.Seq, tr.id, f.Host, tr.host)
	switch f.Kind {
	case "turn-prepares":
		t.preparesAfterParent(r, tr, f, s)
		t.prepares(r, tr, f, s)
	case "turn-permitted":
		t.permit(r, tr, f, s)
	case "turn-held":
		t.claims(r, tr, f, s)
		t.reopens(r, tr, f)
		tr.held, tr.broke = true, f.Code != "operator"
		// A hold before the permit, by a person, or since its cohort is held, is no failure; nor is one for want of a
		// place or of time before anything of the host was changed.
		if (tr.open || tr.preparing) && f.Code != "operator" && f.Code != "migrations-fail" && f.Who == "engine" && !tr.brokeNothing(f.Code) {
			r.held[tr.id] = true
		}
		delete(r.patching, tr)
		r.lists = append(r.lists, f.Instance+" "+f.Why)
	case "turn-released":
		if tr.passed && !tr.permitted.IsZero() {
			t.canariesSoaked(r, tr, f, s)
		}
		tr.held, tr.released, tr.broke = false, true, false
		if tr.tactic() == plan.LivePatch && !tr.done && !tr.dropped {
			r.patching[tr] = true
		}
		if tr.inPlace() {
			tr.updated[r.revision] = 0 // a person has it done again, where a look shows that it is not done
			if tr.attempts["update"] == nil {
				tr.updateBoot = "" // on whatever boot it runs now
			}
		}
		delete(r.held, tr.id)
		// An override is an operator's own word on this turn, with a reason.
		if f.Code == "override" && f.Why != "" && f.Who != "engine" {
			tr.override = true
		}
	case "turn-done", "turn-dropped":
		t.turnEnds(r, tr, f, s)
	case "borrowed":
		tr.borrowed[f.Code] = true
	case "given-back":
		// A cordon that failed may have taken effect, its answer lost.
		t.must(tr.borrowed[f.Code] || tr.failed[f.Code] > 0, 10, "not-borrowed", s, f.At, "a borrowed fact ahead of it, or a step that was to borrow it and failed", "turn %s gives back %s, which it had not borrowed", tr.id, f.Code)
		delete(tr.borrowed, f.Code)
	}
}

// resumed: a person looked at what broke; the failure budget counts anew.
func (t *trial) resumed(r *run, f *Fact) {
	s := Subject{Campaign: r.id, Seq: f.Seq}
	t.must(r.stopped != "campaign-aborted", 8, "resumed-aborted", s, f.At, "a new campaign: an aborted one ends", "campaign %s is resumed after it was aborted", r.id)
	if r.stopped != "campaign-aborted" {
		r.stopped = ""
	}
	r.held = map[string]bool{}
}

// forced asks law 8 of a campaign that is closed as it is: a person does that, after it was told to end.
func (t *trial) forced(r *run, f *Fact) {
	s := Subject{Campaign: r.id, Seq: f.Seq}
	t.must(r.stopped == "campaign-aborted" && f.Who != "engine", 8, "forced-unasked", s, f.At, "an operator's word, after campaign-aborted", "campaign %s is closed by force by %s, after %q", r.id, f.Who, r.stopped)
	r.forced = true
}

// permit asks what leave to disrupt a host rests on: laws 3, 5, 6, 8 and 9.
func (t *trial) permit(r *run, tr *turnRun, f *Fact, s Subject) {
	t.must(r.stopped == "", 8, "permit-while-stopped", s, f.At, "a permit before the stop, or after campaign-resumed", "turn %s is permitted after %s", tr.id, r.stopped)
	most := max(1, r.plan.Policy.FailureBudget)
	t.must(len(r.held) <= most, 8, "past-budget", s, f.At, "no permit until a person resumes the campaign", "turn %s is permitted while %d turns hold, the failure budget is %d", tr.id, len(r.held), most)
	t.must(!tr.done && !tr.dropped, 5, "second-turn", s, f.At, "one turn for each host", "turn %s is permitted again after it ended %s", tr.id, clock(tr.ended))
	m := t.machine(tr.host)
	t.must(m.turn == nil || m.turn == tr || m.turn == r.twin(tr), 5, "host-claimed", s, f.At, "one turn, of one campaign, on a host at a time", "turn %s is permitted while another campaign's turn is open on host %s", tr.id, tr.host)
	if forbids(r.plan.Target) {
		t.must(!f.At.Before(r.plan.Target.Disclosure), 9, "under-embargo", s, f.At, "a permit no earlier than the disclosure, "+clock(r.plan.Target.Disclosure),
			"turn %s is permitted %s, the fix may not be deployed before %s", tr.id, clock(f.At), clock(r.plan.Target.Disclosure))
	}
	t.afterParent(r, tr, f, s)
	t.must(tr.tactic() != plan.Refresh || tr.ready, 6, "unprepared", s, f.At, "a permit after the host was seen with the new software on its disk", "turn %s is permitted, and its host %s was not prepared", tr.id, tr.host)
	t.apartFromTwin(r, tr, f, s)
	t.afterPatches(r, tr, f, s)
	t.cohortAllows(r, tr, f, s)
	t.canariesSoaked(r, tr, f, s)
	t.permitPace(r, tr, f, s)
	t.permitGroups(r, tr, f, s)
	t.stayed(r, tr, f, s)
	tr.permitted, tr.open, tr.held = f.At, true, false
	tr.boots = nil
	if m.view != nil && m.view.BootID != "" {
		tr.boots = []string{m.view.BootID}
	}
	m.turn = tr
	t.open[tr] = r
}

// permitPace: the pool's share of hosts in a turn is kept (law 6). A live patch takes no host away.
func (t *trial) permitPace(r *run, tr *turnRun, f *Fact, s Subject) {
	if tr.tactic() == plan.LivePatch {
		return
	}
	pool, n := r.home(tr.host), 1
	for _, h := range r.homeHosts[pool] {
		if m := t.machine(h.ID); m.turn != nil && m.turn.tactic() != plan.LivePatch && h.ID != tr.host {
			n++
		}
	}
	most := r.mostAway(pool, r.plan.Policy.MaxAwayPercent)
	s.Pool = pool
	t.permitPlaces(r, tr, f, s)
	t.must(n <= most, 6, "too-many-away", s, f.At, "fewer turns at once, or a higher max_away_percent", "%d of the %d hosts of pool %s are in a turn with this one, at most %d may be", n, len(r.homeHosts[pool]), pool, most)
}

// permitGroups: a host group keeps enough of its hosts; those in a turn that reboots them, down or
// lost are away (law 3).
func (t *trial) permitGroups(r *run, tr *turnRun, f *Fact, s Subject) {
	if tr.plan == nil || !reboots(tr.plan.Tactic) {
		return
	}
	for _, g := range r.hostGroups[tr.host] {
		n := 1
		for _, id := range g.Hosts {
			if id != tr.host && t.away(r, id) {
				n++
			}
		}
		s.Group = g.ID
		t.must(n <= max(1, g.MaxUnavailable), 3, "host-group", s, f.At, "another host of the group back first, or a higher max_unavailable",
			"%d of the %d hosts of host group %s are away with %s, at most %d may be", n, len(g.Hosts), g.ID, tr.host, g.MaxUnavailable)
	}
}

// away: the host is in a turn that reboots it, or does not serve.
func (t *trial) away(r *run, host string) bool {
	m := t.machine(host)
	if m.turn != nil && (m.turn.plan == nil || reboots(m.turn.plan.Tactic)) {
		return true
	}
	return t.down(r, host)
}

// down: what was seen or heard last of the host, or what the fleet says when nothing was.
func (t *trial) down(r *run, host string) bool {
	m := t.machine(host)
	if m.lost {
		return true
	}
	if m.view != nil {
		return m.view.Health == "down"
	}
	h := r.hosts[host]
	return h != nil && h.Health == "down"
}

// stayed: what our moves brought to the host was allowed its least stay (law 6).
func (t *trial) stayed(r *run, tr *turnRun, f *Fact, s Subject) {
	if tr.inPlace() {
		return // it leaves alone who was brought here
	}
	stay := time.Duration(r.plan.Policy.MinStay)
	for id := range t.machine(tr.host).on {
		g := t.guest(id)
		if g.landed.IsZero() || g.host != tr.host {
			continue
		}
		s.Instance = id
		t.must(!f.At.Before(g.landed.Add(stay)), 6, "min-stay", s, f.At, "a permit no earlier than "+clock(g.landed.Add(stay)),
			"turn %s is permitted %s after %s landed on its host, it is to stay %s", tr.id, f.At.Sub(g.landed), id, stay)
	}
}

// turnEnds asks what must be true once a turn is over: laws 5, 7 and 10.
func (t *trial) turnEnds(r *run, tr *turnRun, f *Fact, s Subject) {
	t.must(!tr.done && !tr.dropped, 10, "ended-twice", s, f.At, "one end of a turn", "turn %s ends twice", tr.id)
	done := f.Kind == "turn-done"
	t.revertEnds(r, tr, f, s)
	if f.Code == "already-at-target" {
		t.droppedAtTarget(r, tr, f, s)
	}
	t.must(!done || tr.open, 10, "unpermitted", s, f.At, "a turn-permitted ahead of turn-done", "turn %s is done and was never permitted", tr.id)
	for code := range tr.borrowed {
		// What could not be given back, for it was tried and failed, is named to a person instead.
		named := f.Kind == "turn-dropped" && (tr.failed["uncordon"] > 0 || r.forced) && word(f.Why, code)
		t.must(named, 7, "not-given-back", s, f.At, "a given-back fact for "+code+", or a drop that names it after an uncordon that failed", "turn %s ends and %s is still borrowed from host %s", tr.id, code, tr.host)
	}
	t.checked[6]++
	for id := range tr.busy {
		s.Instance = id
		// Whom it tried to bring back, and a person was told of that, is named instead.
		named := f.Kind == "turn-dropped" && (tr.held || r.forced) && word(f.Why, id)
		t.must(named, 7, "ended-while-away", s, f.At, "an end after all its instances run again, or a drop of a held turn that names it", "turn %s ends while %s is %s", tr.id, id, describe(t.guest(id)))
	}
	for id := range tr.doubts {
		s.Instance = id
		t.must(!done, 5, "done-in-doubt", s, f.At, "a turn that holds until both ends show where the instance runs", "turn %s is done, and where %s runs is not known: its move went %s", tr.id, id, t.guest(id).doubt.where())
	}
	s.Instance = ""
	if done && tr.plan != nil && reboots(tr.plan.Tactic) {
		proven := tr.rebootsDone() > 0 && tr.bootAfter != "" && tr.bootAfter != tr.bootBefore
		t.must(proven, 5, "reboot-unproven", s, f.At, "a reboot, and a proof with a boot id other than the one that it ended",
			"turn %s is done with %d reboots, boot id %q before and %q after", tr.id, tr.rebootsDone(), tr.bootBefore, tr.bootAfter)
	}
	if done {
		t.must(tr.tactic() != plan.LivePatch || tr.patched, 5, "live-patch-unproven", s, f.At, "step prove ahead of turn-done, with a look that shows each live patch of the cohort applied", "turn %s is done, and no look has shown that host %s is patched", tr.id, tr.host)
		t.refreshEnds(r, tr, f, s)
		s.Instance = ""
	}
	tr.preparing, tr.orders = false, 0
	tr.open, tr.held, tr.done, tr.dropped, tr.ended = false, false, done, !done, f.At
	r.soaksFrom(tr)
	r.disruptedUntil(tr, f.At)
	if !done {
		r.lists = append(r.lists, f.Why)
	}
	delete(r.held, tr.id)
	if m := t.machine(tr.host); m.turn == tr {
		m.turn = nil
	}
	delete(t.open, tr)
}

func (tr *turnRun) rebootsDone() (n int) {
	for _, k := range tr.rebooted {
		n += k
	}
	return n
}
