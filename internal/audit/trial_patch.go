package audit

import (
	"strings"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// What a look proves of a host: its live patches are applied, or it booted what is wanted. The word 'done'
// proves neither.

// unpatched says what a look lacks of the cohort's live patches; "" when all that bind to the host's
// build are applied and fix all that the target fixes. boot: the one on which they were to be applied.
func unpatched(tg *plan.Target, c *plan.Cohort, v *View, boot string) string {
	switch {
	case c == nil || v == nil:
		return "nothing says what it should run, or nobody looked"
	case boot != "" && v.BootID != boot:
		return "it was rebooted since: boot " + boot + " is now " + v.BootID
	}
	want, why := bringing(tg, c, v.BuildID)
	if why == "" {
		why = patchLess(want, v.LivePatches)
	}
	return why
}

// bootedWith is the version of a package that a host booted: where nobody read it, what runs stands for it.
func bootedWith(v *View, pkg string) string {
	if have := v.Booted[pkg]; have != "" {
		return have
	}
	return v.Running[pkg]
}

// notBooted says which package of the cohort a look does not show booted as new as wanted; "" when it
// shows all. A version that cannot be compared proves nothing.
func notBooted(c *plan.Cohort, h *fleet.Host, v *View) string {
	worst := ""
	for pkg, want := range c.Packages {
		have := bootedWith(v, pkg)
		if have != "" && familyFor(c, h).reaches(have, want) {
			continue
		}
		if what := "it booted " + pkg + " " + have + " (wanted " + want + ")"; worst == "" || what < worst {
			worst = what
		}
	}
	return worst
}

// cameBackRight asks law 5 of a reboot that is called proven: the last look shows the wanted versions
// booted, and not the very hypervisor that ran before.
func (t *trial) cameBackRight(r *run, tr *turnRun, f *Fact, s Subject) {
	c, h, v := r.cohortOf(tr.host), r.hosts[tr.host], t.machine(tr.host).view
	if tr.plan == nil || !reboots(tr.plan.Tactic) || c == nil || v == nil {
		return
	}
	old := notBooted(c, h, v)
	t.must(old == "", 5, "came-back-old", s, f.At, "a turn that holds, or a look that shows the wanted versions booted", "the reboot of host %s is called proven, and by the last look %s", tr.host, old)
	t.must(!sameHypervisor(c, h, tr.before, v), 5, "came-back-same", s, f.At, "a turn that holds, or another build id", "the reboot of host %s into a newer hypervisor is called proven, and build %s runs as before", tr.host, v.BuildID)
}

// sameHypervisor: the build that runs is the one from before the reboot, although a newer one was wanted.
func sameHypervisor(c *plan.Cohort, h *fleet.Host, before, v *View) bool {
	if before == nil || before.BuildID == "" || !strings.EqualFold(before.BuildID, v.BuildID) {
		return false
	}
	for pkg, want := range c.Packages {
		if isHypervisor(pkg) && familyFor(c, h).older(bootedWith(before, pkg), want) {
			return true
		}
	}
	return false
}

// isHypervisor: the package holds Xen itself.
func isHypervisor(pkg string) bool {
	return pkg == "xen" || strings.HasPrefix(pkg, "xen-hypervisor") || strings.HasPrefix(pkg, "xen-system")
}

// spares: a look bears out that a turn is not needed, where its host has a live patch: that one when the
// patches are applied or the packages booted, its deferred reboot when they are booted.
func (t *trial) spares(r *run, tr *turnRun, v *View) bool {
	c, h := r.cohortOf(tr.host), r.hosts[tr.host]
	switch {
	case tr.plan == nil || c == nil || len(c.LivePatches) == 0:
		return true
	case tr.plan.Deferred:
		return notBooted(c, h, v) == ""
	case tr.tactic() == plan.LivePatch:
		return unpatched(r.plan.Target, c, v, "") == "" || len(c.Packages) > 0 && notBooted(c, h, v) == ""
	}
	return true
}
