package advisory

import (
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// patched says what becomes of a document's word 'affected' on code that runs, where live patches are
// applied or are awaited.
func (j *judge) patched(s *subject, w word, in *setting) word {
	a := &j.docs.all[w.doc]
	for _, name := range sortedKeys(in.patches) {
		if in.patches[name] == s.project && j.patchFixes(name, s.project, a) {
			return word{doc: w.doc, says: past, line: w.line + "; the live patch " + name + ", which fixes it, is applied"}
		}
	}
	if !in.looked && j.awaits(s.project, a) {
		w.says, w.fix = cannot, ""
		w.line += "; a live patch fixes it, and whether it is applied is not known: the host's list was not read"
	}
	return w
}

// patchFixes: the target or the document itself says that this live patch fixes it.
func (j *judge) patchFixes(name, component string, a *Advisory) bool {
	if j.cohort != nil {
		for i := range j.cohort.LivePatches {
			p := &j.cohort.LivePatches[i]
			if p.Name == name && p.Component == component && (len(p.Fixes) > 0 && slices.ContainsFunc(p.Fixes, a.Names) || len(p.Fixes) == 0 && j.claims(a)) {
				return true
			}
		}
	}
	return slices.ContainsFunc(a.Payloads, func(p Payload) bool {
		return p.Kind == "live-patch" && p.Name == name && (p.Component == "" || p.Component == component)
	})
}

func (j *judge) claims(a *Advisory) bool {
	return len(j.target.Fixes) == 0 || slices.ContainsFunc(j.target.Fixes, a.Names)
}

// awaits: there is a live patch of the component that would fix it.
func (j *judge) awaits(component string, a *Advisory) bool {
	if component == "" || j.cohort == nil {
		return false
	}
	return slices.ContainsFunc(j.cohort.LivePatches, func(p plan.WantedPatch) bool {
		return p.Component == component && (slices.ContainsFunc(p.Fixes, a.Names) || len(p.Fixes) == 0 && j.claims(a))
	})
}

// behind is the target's word on a version older than it wants: fixed all the same, where the live
// patches that the target names for this build are applied to code that runs.
func (j *judge) behind(s *subject, line string, in *setting, live bool) word {
	w := word{says: affected, line: line}
	if !live || j.cohort == nil {
		return w
	}
	var missing, have []string
	uncovered := slices.Clone(j.target.Fixes)
	for i := range j.cohort.LivePatches {
		p := &j.cohort.LivePatches[i]
		if p.Component != s.project {
			continue
		}
		binds := p.BuildID == "" || strings.EqualFold(p.BuildID, in.host.Software.BuildID)
		switch {
		case in.patches[p.Name] == p.Component:
			have = append(have, p.Name)
			uncovered = slices.DeleteFunc(uncovered, func(id string) bool { return len(p.Fixes) == 0 || slices.Contains(p.Fixes, id) })
		case binds:
			missing = append(missing, p.Name)
		}
	}
	switch {
	case !in.looked && len(missing) > 0:
		return word{says: cannot, line: line + "; whether the live patch " + joined(missing) + " is applied is not known: the host's list was not read"}
	case len(missing) > 0:
		w.line += "; the live patch " + joined(missing) + " is not applied"
	case len(have) > 0 && len(uncovered) > 0:
		w.line += "; the live patch " + joined(have) + " is applied and does not fix " + joined(uncovered)
	case len(have) > 0:
		return word{says: past, line: line + "; the live patch " + joined(have) + " is applied"}
	}
	return w
}
