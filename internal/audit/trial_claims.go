package audit

import (
	"strings"
	"time"
)

// A hold tells a person where to look. Its code is a claim, and rests on what was seen.

// silent are codes of a host that does not answer, told by its power supply or its console.
var silent = map[string]bool{"no-dom0": true, "no-network": true, "power-off": true}

// claims asks law 10 of a hold: the journal shows what its code says.
func (t *trial) claims(r *run, tr *turnRun, f *Fact, s Subject) {
	m, shown := t.machine(tr.host), true
	anew := tr.ordered > 0 && m.view != nil && !m.lost && tr.before != nil && m.view.BootID != "" && m.view.BootID != tr.before.BootID
	switch {
	case f.Code == "old-build":
		shown = anew && sameBuild(tr.before, m.view)
	case f.Code == "old-hypervisor":
		shown = anew && t.olderHypervisor(r, tr, m.view)
	case silent[f.Code]:
		shown = tr.ordered > 0 && m.lost && m.said[f.Code] > tr.ordered
	case f.Code == "canary-unwell":
		soaked := !f.At.Before(tr.ended.Add(time.Duration(r.plan.Policy.Soak)))
		shown = tr.done && tr.plan != nil && tr.plan.Canary && soaked && !tr.sound && (m.lost || tr.unsound != unlooked)
	case f.Code == "migrations-fail":
		shown = r.heldCohorts[r.cohortName(tr.host)]
	default:
		return
	}
	t.must(shown, 10, "unfounded-hold", s, f.At, "facts ahead of it that show what its code says", "turn %s holds with the code %s, and nothing that was seen of host %s shows that", tr.id, f.Code, tr.host)
}

func sameBuild(before, v *View) bool {
	return v.BuildID != "" && strings.EqualFold(v.BuildID, before.BuildID)
}

// olderHypervisor: a version of the cohort, as it runs or was booted, is known to be older than wanted; or
// what runs is what ran before.
func (t *trial) olderHypervisor(r *run, tr *turnRun, v *View) bool {
	c, h := r.cohortOf(tr.host), r.hosts[tr.host]
	if olderThan(c, h, v.Booted) || olderThan(c, h, v.Running) || sameBuild(tr.before, v) {
		return true
	}
	have, beside := v.Running[xenRelease], false
	if have == "" || c == nil {
		return false
	}
	for pkg, want := range c.Packages {
		beside = beside || isHypervisor(pkg) && (familyFor(c, h).older(have, want) || releases.older(have, numbersOf(want)))
	}
	return beside
}

// xenRelease is the name under which a look gives the release of the Xen that runs, such as 4.17.5.
const xenRelease = "xen-upstream"

// numbersOf is the release with which a distribution's version begins: 4.17.7 of 4.17.7+13-1.
func numbersOf(v string) string {
	if _, rest, epoch := strings.Cut(v, ":"); epoch {
		v = rest
	}
	return strings.TrimRight(v[:len(v)-len(strings.TrimLeft(v, "0123456789."))], ".")
}
