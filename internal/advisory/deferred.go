package advisory

import (
	"fmt"
	"slices"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/version"
)

// A cohort may have a reboot follow its live patches (plan.Cohort.Then). A host that has them is fixed:
// that its reboot is still to come is said beside the verdict, and makes it no worse.

// follow notes in the outcome of a host whether a reboot is to follow its live patch.
func (j *judge) follow(o *outcome, l layers, in *setting) {
	if j.cohort == nil || j.cohort.Then == "" || o.verdict != IsAffected && o.verdict != IsFixed {
		return
	}
	if o.verdict == IsFixed && !j.allApplied(in) {
		return // it is fixed by what it booted, or by a document's word
	}
	due := j.notBooted(l, in)
	if len(due) == 0 {
		return
	}
	o.then = j.cohort.Then
	if o.verdict == IsFixed {
		o.evidence = append(slices.Clip(o.evidence), "fixed by its live patch; its deferred "+o.then+" is still to come:")
		for _, line := range due {
			o.evidence = append(o.evidence, "  "+line)
		}
	}
}

// allApplied: each of the cohort's live patches that binds to the build is applied, and there is one.
func (j *judge) allApplied(in *setting) bool {
	bound := j.cohort.PatchesFor(in.host.Software.BuildID)
	for _, p := range bound {
		if in.patches[p.Name] != p.Component {
			return false
		}
	}
	return len(bound) > 0
}

// notBooted says of which of the cohort's packages the host is not known to have booted the version that
// is wanted. Where nobody read what it booted with, what runs stands for it.
func (j *judge) notBooted(l layers, in *setting) (lines []string) {
	for i := range j.subjects {
		s := &j.subjects[i]
		if s.desired == "" || s.project == "xen" && in.host.Hypervisor == fleet.KVM {
			continue
		}
		facts, how := j.facts(i, l.booted), "booted with"
		if len(facts) == 0 {
			facts, how = j.facts(i, l.running), "runs"
		}
		if len(facts) == 0 && isTool(s.pkg) {
			facts, how = j.facts(i, l.installed), "installed is"
		}
		if len(facts) == 0 {
			lines = append(lines, "what "+s.pkg+" it booted with is not known")
		}
		for _, x := range facts {
			if x.version == "" {
				continue // looked for, and not there
			}
			switch order, err := version.Compare(j.eco, x.version, s.desired); {
			case err != nil:
				lines = append(lines, fmt.Sprintf("%s %s %s, and whether that is %s or newer cannot be told: %s", how, x.pkg, x.version, s.desired, err))
			case order < 0:
				lines = append(lines, fmt.Sprintf("%s %s %s, and cohort %s wants %s", how, x.pkg, x.version, j.name, s.desired))
			}
		}
	}
	return lines
}
