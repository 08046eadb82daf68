package audit

import (
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// What a journal says of refreshes and live patches: software that is changed under hosts that go on.

// tactic of a turn; empty when the plan does not have it.
func (tr *turnRun) tactic() plan.Tactic {
	if tr.plan == nil {
		return ""
	}
	return tr.plan.Tactic
}

// inPlace: the turn changes software under a host that goes on.
func (tr *turnRun) inPlace() bool {
	return tr.tactic() == plan.Refresh || tr.tactic() == plan.LivePatch
}

// prepares asks of leave to change a host's software ahead of its turn: it is a refresh that has not
// begun (law 10), the campaign goes on (8), no embargo forbids it (9), the canary was first and has
// soaked, and no more of the pool are at it than may be (6).
func (t *trial) prepares(r *run, tr *turnRun, f *Fact, s Subject) {
	t.must(tr.tactic() == plan.Refresh && !tr.open && !tr.done && !tr.dropped && !tr.ready, 10, "prepares-what", s, f.At, "a refresh that has not begun, once", "turn %s, %s, is prepared ahead", tr.id, tr.tactic())
	t.must(r.stopped == "", 8, "prepare-while-stopped", s, f.At, "a preparation before the stop, or after campaign-resumed", "turn %s is prepared after %s", tr.id, r.stopped)
	if forbids(r.plan.Target) && !tr.plannedOnDisk() {
		t.must(!f.At.Before(r.plan.Target.Disclosure), 9, "under-embargo", s, f.At, "a preparation no earlier than the disclosure, "+clock(r.plan.Target.Disclosure),
			"turn %s is prepared %s, the fix may not be deployed before %s", tr.id, clock(f.At), clock(r.plan.Target.Disclosure))
	}
	if r.plan.Policy.Canary && !tr.plannedOnDisk() {
		t.prepareSoaked(r, tr, f, s)
	}
	pool, n := r.home(tr.host), 1
	for _, o := range r.turns {
		if o != tr && o.preparing && !o.held && !o.plannedOnDisk() && r.home(o.host) == pool {
			n++
		}
	}
	s.Pool = pool
	most := r.mostAway(pool, r.plan.Policy.MaxAwayPercent)
	t.must(n <= most || tr.plannedOnDisk(), 6, "too-many-prepared", s, f.At, "fewer preparations at once, or a higher max_away_percent", "%d of the hosts of pool %s are prepared at once with this one, at most %d may be", n, pool, most)
	tr.preparing, tr.updateBoot = true, ""
}

// plannedOnDisk: the plan reckons that the new software is on the host's disk: it is only looked at.
func (tr *turnRun) plannedOnDisk() bool { return tr.plan != nil && tr.plan.UpdateBy.IsZero() }

func (t *trial) prepareSoaked(r *run, tr *turnRun, f *Fact, s Subject) {
	soak := time.Duration(r.plan.Policy.Soak)
	for i := range r.plan.Turns {
		c := &r.plan.Turns[i]
		ctr := r.turn(c.ID)
		if !c.Canary || ctr == tr || ctr.dropped && !ctr.past {
			continue
		}
		over, since := ctr.ready, ctr.readyAt
		if c.Tactic != plan.Refresh || ctr.past {
			over, since = ctr.done || ctr.past, ctr.ended
		}
		t.must(over && !f.At.Before(since.Add(soak)), 6, "canary-not-soaked", s, f.At, "a canary that is prepared and has soaked "+soak.String(),
			"turn %s is prepared %s, the canary %s is: %v, since %s", tr.id, clock(f.At), c.ID, over, clock(since))
	}
}

// mayStep: a turn that is prepared changes its host's software and proves it, and nothing else.
func (tr *turnRun) mayStep(step string) bool {
	return tr.open || step == "uncordon" || tr.preparing && (step == "update" || step == "prove")
}

// stepInPlace folds what a step of a change in place came to, and asks for its proof (law 5).
func (t *trial) stepInPlace(r *run, tr *turnRun, f *Fact, s Subject) {
	if f.Kind == "step-started" && f.Step == "update" {
		tr.updateBoot = f.BootID
		t.must(!tr.preparing || !tr.plannedOnDisk(), 10, "unplanned-update", s, f.At, "update_from and update_by in the plan", "the software of host %s is changed, and the plan says nothing of that", tr.host)
	}
	if f.Kind != "step-done" || f.Step != "prove" {
		return
	}
	c, v := r.cohortOf(tr.host), t.machine(tr.host).view
	switch tr.tactic() {
	case plan.LivePatch:
		why := unpatched(r.plan.Target, c, v, tr.updateBoot)
		tr.patched = why == ""
		t.must(tr.patched, 5, "live-patch-unproven", s, f.At, "a look at the same boot that shows each live patch of the cohort applied", "host %s is called patched, and %s", tr.host, why)
	case plan.Refresh:
		if !tr.preparing {
			return
		}
		ok := v != nil && healthyView(v) && c != nil && onDisk(c, r.hosts[tr.host], v)
		t.must(ok, 5, "prepared-unproven", s, f.At, "a look that shows the wanted versions installed", "host %s is called prepared, and no look shows the new software on its disk", tr.host)
		t.must(!ok || tr.updateBoot == "" || v.BootID == tr.updateBoot, 5, "prepared-on-another-boot", s, f.At, "a look at the boot on which the update began, or turn-released ahead of the proof",
			"host %s is called prepared, its update began on boot %s, and the look shows boot %q", tr.host, tr.updateBoot, lastBoot(v))
		tr.preparing, tr.ready, tr.readyAt = false, true, f.At
	}
}

func healthyView(v *View) bool { return v.Health == "up" || v.Health == "" }

// onDisk: a look shows each package of the cohort installed, as new as wanted. It is asked for as a
// proof, and a version that cannot be compared proves nothing.
func onDisk(c *plan.Cohort, h *fleet.Host, v *View) bool {
	for pkg, want := range c.Packages {
		if have := v.Installed[pkg]; have == "" || !familyFor(c, h).reaches(have, want) {
			return false
		}
	}
	return len(c.Packages) > 0
}

// actInPlace asks of an act that begins: a live patch touches nobody (law 1); a refresh gives each
// instance another process once (law 5), and on the fix (law 6).
func (t *trial) actInPlace(r *run, f *Fact, tr *turnRun, g *guest, s Subject) {
	switch tr.tactic() {
	case plan.LivePatch:
		t.must(false, 1, "live-patch-disturbs", s, f.At, "a live patch that touches no instance", "%s of %s begins in turn %s, which is a live patch", f.Kind, f.Instance, tr.id)
	case plan.Refresh:
		if f.Home {
			return
		}
		t.must(g.freshIn != r, 5, "refreshed-twice", s, f.At, "one move or stop of each instance", "%s of %s begins in turn %s, and the campaign has given it another process already", f.Kind, f.Instance, tr.id)
		t.must(f.Kind != "move-placed" || r.isFixed(f.To), 6, "onto-old-process", s, f.At, "a destination that was prepared, is done, or needs nothing", "%s is refreshed by a move to host %s, which was not seen with the new software on its disk", f.Instance, f.To)
		begins := f.To
		if f.Kind != "move-placed" {
			begins = tr.host
		}
		old := t.takenAway(r, begins)
		t.must(old == "", 6, "software-taken-away", s, f.At, "the wanted versions on the disk of host "+begins+" by its last look", "%s of %s begins so that it runs on the fix, and the last look at host %s shows %s on its disk", f.Kind, f.Instance, begins, old)
	}
}

// takenAway says what older version the last look shows on the disk of a host that was prepared; "" when
// none is known.
func (t *trial) takenAway(r *run, host string) string {
	tr, c, v := r.turns[host], r.cohortOf(host), t.machine(host).view
	if tr == nil || !tr.ready || v == nil || !olderThan(c, r.hosts[host], v.Installed) {
		return ""
	}
	return versionsOf(v.Installed)
}

func lastBoot(v *View) string {
	if v == nil {
		return ""
	}
	return v.BootID
}

// givenProcess notes that an instance began anew on the fix.
func (g *guest) givenProcess(r *run, tr *turnRun, host string) {
	if r.isFixed(host) && tr.tactic() == plan.Refresh {
		g.freshIn = r
	}
}

// refreshEnds asks, as a refresh is done, for the word of each instance's own monitor: those that it
// moved or stopped run on the fix (law 5), and nobody is left on what is not, but those that the plan
// names (law 7).
func (t *trial) refreshEnds(r *run, tr *turnRun, f *Fact, s Subject) {
	c, h := r.cohortOf(tr.host), r.hosts[tr.host]
	if tr.tactic() != plan.Refresh || c == nil {
		return
	}
	for id := range tr.placed {
		g := t.guest(id)
		if g.freshIn != r || g.state != "running" || g.external != "" {
			continue // it stayed, or others took it away
		}
		s.Instance = id
		t.must(proves(c, h, g.runs), 5, "refresh-unproven", s, f.At, "a look from after its move in which its own monitor says the wanted version", "turn %s is done, and the monitor of %s on %s says %q", tr.id, id, g.host, versionsOf(g.runs))
	}
	blocked := map[string]bool{}
	for _, b := range r.plan.Blocked {
		blocked[b.Instance] = true
	}
	for id := range t.machine(tr.host).on {
		g := t.guest(id)
		if g.host != tr.host || g.freshIn == r || !olderThan(c, h, g.runs) {
			continue
		}
		s.Instance = id
		t.must(blocked[id], 7, "not-refreshed", s, f.At, "a turn that holds, or the instance blocked by the plan", "turn %s is done, and %s on its host runs on %s", tr.id, id, versionsOf(g.runs))
	}
}

// cohortOf is the first cohort of the target that matches a host; nil without one.
func (r *run) cohortOf(host string) *plan.Cohort {
	c, known := r.cohorts[host]
	if !known {
		c = r.estate.cohortOf(r.plan.Target, host)
		r.cohorts[host] = c
	}
	return c
}
