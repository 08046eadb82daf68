package audit

import (
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// Migrations towards hosts with the fix that fail one after the other say something of the fix. At
// policy's number none of the cohort's instances is moved any more, until a person says so. The judge
// counts for itself.

// notTheirs are codes of failed migrations that say nothing of the hypervisors: want of room, silence, a
// refusal, our own deadline, an abort, a host key, a driver that cannot do it.
var notTheirs = map[string]bool{"no-room": true, "unreachable": true, "refused": true, "deadline": true, "no-answer": true, "aborted": true, "host-key": true, "unsupported": true, "not-found": true}

// cohortName is the name of a host's cohort, or #N without one; "" when none matches.
func (r *run) cohortName(host string) string {
	c := r.cohortOf(host)
	if c == nil {
		return ""
	}
	if c.Name != "" {
		return c.Name
	}
	for i := range r.plan.Target.Cohorts {
		if c == &r.plan.Target.Cohorts[i] {
			return "#" + strconv.Itoa(i+1)
		}
	}
	return ""
}

// countsMove counts the end of a migration towards a host with the fix: a failure of the hypervisor's adds
// one, a success begins the count anew.
func (t *trial) countsMove(r *run, tr *turnRun, f *Fact, mine bool) {
	name := r.cohortName(tr.host)
	if !mine || name == "" || r.level(f.To) == onTheOld {
		return
	}
	if f.Kind == "move-done" {
		r.failing[name] = 0
		return
	}
	if !notTheirs[f.Code] {
		r.failing[name]++
	}
}

// mustHold: by the judge's own count the cohort is to be held.
func (r *run) mustHold(name string) bool {
	most := r.plan.Policy.MigrationFailures
	return most > 0 && r.failing[name] >= most
}

// cohortFact asks of a cohort's hold whether so many migrations have failed (law 10), and of its release
// whether it was held and a person says so (law 8).
func (t *trial) cohortFact(r *run, f *Fact) {
	s := Subject{Campaign: r.id, Cohort: f.Cohort, Seq: f.Seq}
	if f.Kind == "cohort-held" {
		t.must(r.hasCohort(f.Cohort) && !r.heldCohorts[f.Cohort], 10, "cohort-held-what", s, f.At, "a cohort of the target that is not held", "cohort %q is held, and the target does not have it, or it is held already", f.Cohort)
		t.must(r.mustHold(f.Cohort), 10, "cohort-held-unfounded", s, f.At, "as many failures in a row as policy's migration_failures", "cohort %s is held, and %d migrations have failed in a row towards hosts with the fix, policy says %d",
			f.Cohort, r.failing[f.Cohort], r.plan.Policy.MigrationFailures)
		r.heldCohorts[f.Cohort] = true
		return
	}
	t.must(r.heldCohorts[f.Cohort] && strings.HasPrefix(f.Who, "operator:"), 8, "cohort-released", s, f.At, "a person's word on a cohort that is held", "cohort %s is released by %s, held: %v", f.Cohort, f.Who, r.heldCohorts[f.Cohort])
	delete(r.heldCohorts, f.Cohort)
	r.failing[f.Cohort] = 0
}

func (r *run) hasCohort(name string) bool {
	if r.plan.Target == nil {
		return false
	}
	for i := range r.plan.Target.Cohorts {
		if c := &r.plan.Target.Cohorts[i]; c.Name == name && name != "" || c.Name == "" && name == "#"+strconv.Itoa(i+1) {
			return true
		}
	}
	return false
}

// cohortAllows asks law 8 of a permit: a turn that moves instances does not begin while its cohort is held,
// nor when it should be.
func (t *trial) cohortAllows(r *run, tr *turnRun, f *Fact, s Subject) {
	if !r.moves(t, tr) {
		return
	}
	t.moveInCohort(r, tr, f, s)
}

// moves: the turn promises a migration to somebody who is on its host; in a refresh, to somebody whose
// monitor does not say the fix.
func (r *run) moves(t *trial, tr *turnRun) bool {
	for id := range t.machine(tr.host).on {
		if g := t.guest(id); g.state == "stopped" || tr.tactic() == plan.Refresh && proves(r.cohortOf(tr.host), r.hosts[tr.host], g.runs) {
			continue
		}
		if sl := r.slots[[2]string{tr.id, id}]; sl != nil && sl.Disposition == plan.DispLiveMigrate {
			return true
		}
	}
	return false
}

// moveInCohort asks law 8 of a migration that begins, or of leave to do some: the turn's cohort is not held,
// and has not failed so often that it should be. A turn that has moved somebody, or is to, goes no further
// then: it neither stops nor reboots, unless its reboot was ordered before. In a refresh who has moved is
// done with, and who is stopped on the host is no matter of migrations.
func (t *trial) moveInCohort(r *run, tr *turnRun, f *Fact, s Subject) {
	name := r.cohortName(tr.host)
	if further := f.Kind == "stop-started" || f.Kind == "step-started"; name == "" || further && (tr.ordered > 0 || !r.moves(t, tr) && (!tr.movedAway || tr.tactic() == plan.Refresh)) {
		return
	}
	s.Cohort = name
	t.must(!r.heldCohorts[name], 8, "cohort-is-held", s, f.At, "cohort-released by a person ahead of it", "%s of turn %s, and cohort %s is held", f.Kind, tr.id, name)
	t.must(r.heldCohorts[name] || !r.mustHold(name), 8, "cohort-not-held", s, f.At, "cohort-held ahead of it", "%s of turn %s, %d migrations of cohort %s have failed in a row towards hosts with the fix, and nobody holds it (migration_failures is %d)",
		f.Kind, tr.id, r.failing[name], name, r.plan.Policy.MigrationFailures)
}
