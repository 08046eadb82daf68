package planner

import (
	"cmp"
	"math"
	"strings"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/version"
)

// A cohort whose remedy is a live patch may be a mixed one: there are live patches for some builds and not
// for others. Who has none for its build, or none that can be applied, gets the next tactic that policy
// and cohort allow, with the reason no-live-patch.

// patches: the host's turn is a live patch. Where it would be but for the host or its build, the reason is
// noted. A build id that nobody read is no such reason: it is missing knowledge.
func (w *world) patches(h *host, c *plan.Cohort) bool {
	if c == nil || c.Remedy != "live-patch" || w.onlyGuests(h) {
		return false
	}
	why := w.whyUnpatched(h, c)
	if why != "" {
		h.unpatched = plan.NoLivePatch + ": " + why
	}
	return why == ""
}

// whyUnpatched says why a host cannot be live-patched; empty: it can, for all that is known.
func (w *world) whyUnpatched(h *host, c *plan.Cohort) string {
	name, build := w.cohorts.Name(c), w.buildOf(h)
	v, _ := w.in.Assessment.Host(h.ID)
	switch {
	case !w.may(c, plan.LivePatch):
		return "policy or cohort does not allow the tactic live-patch"
	case w.shed[h.ID] != "" && v.Then == "":
		return "a live patch does not take away " + w.shed[h.ID]
	case !h.Can(fleet.CanLivePatch):
		return "its driver does not offer live patches"
	case len(c.LivePatches) == 0:
		return "cohort " + name + " names none, so nothing could prove that it is applied"
	case build == "" && c.ByBuild():
		return ""
	}
	switch left, patched := w.in.Target.Unpatched(c, build); {
	case !patched:
		return "none of cohort " + name + " is for its build " + build
	case len(left) > 0 && build == "":
		return "those of cohort " + name + " do not fix " + strings.Join(left, ", ")
	case len(left) > 0:
		return "those for its build " + build + " do not fix " + strings.Join(left, ", ")
	}
	return ""
}

// buildOf is the build id of the hypervisor that a host runs; empty: not read.
func (w *world) buildOf(h *host) string { return w.ix.Hosts[h.ID].Software.BuildID }

// whyNoReboot says why a reboot of a host could not bring it to a cohort whose remedy is a live patch, and
// what would let it; empty: it can. An update that the cohort names for others may be the live patch alone.
func (w *world) whyNoReboot(h *host, c *plan.Cohort) (why, unblock string) {
	name := w.cohorts.Name(c)
	switch {
	case len(c.Packages) == 0:
		return "cohort " + name + " names no packages, so nothing would prove that a reboot brought the fix", "name packages in cohort " + name
	case len(c.Update.Command) == 0 && c.Update.Hooks == "" && !w.onDisk(h, c):
		return "cohort " + name + " names no update, so nothing would bring its packages to host " + h.ID, "name update.command in cohort " + name
	}
	return "", ""
}

// onDisk: what the cohort wants is known to be installed already.
func (w *world) onDisk(h *host, c *plan.Cohort) bool {
	for pkg, want := range c.Packages {
		have := w.ix.Hosts[h.ID].Software.Installed[pkg]
		if order, err := version.Compare(cmp.Or(c.Ecosystem, h.Ecosystem), have, want); have == "" || err != nil || order < 0 {
			return false
		}
	}
	return true
}

// kind of a wave. Waves do not mix live patches with other turns: they are short, and end the exposure
// the sooner; and that one worked says nothing of a reboot, so trust grows from one host for each kind.
type kind int

const (
	ordinary kind = iota
	live
	deferred
	kinds
)

func (v *wave) kind() kind {
	switch {
	case v.stage == second:
		return deferred
	case v.live:
		return live
	}
	return ordinary
}

// most is how many turns a wave may have, by the waves of its kind before it.
func (v *wave) most() int {
	if !v.policy.Canary || v.policy.WaveGrowth <= 0 {
		return math.MaxInt
	}
	return max(1, v.largest[v.kind()]*v.policy.WaveGrowth)
}
