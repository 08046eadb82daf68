package advisory

import (
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/version"
)

const lookAtPatches = "a look at the host's list of live patches"

// patched says what becomes of a document's word 'affected' on code that runs, where live patches are
// applied or are awaited.
func (j *judge) patched(s *subject, w word, in *setting) word {
	a := &j.docs.all[w.doc]
	for _, name := range sortedKeys(in.patches) {
		if in.patches[name] != s.project {
			continue
		}
		switch fixes, why := j.patchFixes(name, s.project, a, in); {
		case fixes:
			return word{doc: w.doc, says: past, line: w.line + "; the live patch " + name + ", which fixes it, is applied"}
		case why != "":
			w.says, w.fix = cannot, ""
			w.line += "; the live patch " + name + " is applied, and whether it is the one that fixes it is not known: " + why
			return w
		}
	}
	if !in.looked && j.awaits(s.project, a, in) {
		w.says, w.fix, w.need = cannot, "", lookAtPatches
		w.line += "; a live patch fixes it, and whether it is applied is not known: the host's list was not read"
	}
	return w
}

// patchFixes: the target or the document itself says that this live patch fixes it. why: it may, but
// that cannot be told.
func (j *judge) patchFixes(name, component string, a *Advisory, in *setting) (fixes bool, why string) {
	if j.cohort != nil {
		for i := range j.cohort.LivePatches {
			p := &j.cohort.LivePatches[i]
			if p.Name != name || p.Component != component || !slices.ContainsFunc(p.Fixes, a.Names) && (len(p.Fixes) > 0 || !j.claims(a)) {
				continue
			}
			switch bindsTo(p, in) {
			case binds:
				return true, ""
			case mayBind:
				why = "it binds to build " + p.BuildID + ", and the host's build id was not read"
			}
		}
	}
	for i := range a.Payloads {
		p := &a.Payloads[i]
		if p.Kind != "live-patch" || p.Component != "" && p.Component != component {
			continue
		}
		if p.Name == name || p.Name == "" && bringsTo(name, component, p) {
			// Only Xen's build id is among a host's facts.
			switch have := in.host.Software.BuildID; {
			case p.BuildID == "" || component != "xen" || strings.EqualFold(p.BuildID, have):
				return true, ""
			case have == "":
				why = "it binds to build " + p.BuildID + ", and the host's build id was not read"
			}
		}
	}
	return false, why
}

// bringsTo: XenServer's lists of live patches give them no names; its toolstack names what it applies
// by the versions of the package that it starts from and stands for, lp_4.17.4-3.xs8-4.17.4-5.xs8 for
// Xen and lp_4_19_19__8_0_20__4_19_19__8_0_22 for the kernel (xapi, livepatch.ml). Each replaces the
// one before, so a later one has the fix too.
func bringsTo(name, component string, p *Payload) bool {
	parts, ok := strings.CutPrefix(name, "lp_")
	from, to := "", ""
	if component == "linux" {
		v := strings.Split(strings.ReplaceAll(strings.ReplaceAll(parts, "__", "-"), "_", "."), "-")
		if len(v) == 4 {
			from, to = v[0]+"-"+v[1], v[2]+"-"+v[3]
		}
	} else if v := strings.Split(parts, "-"); len(v) == 4 {
		from, to = v[0]+"-"+v[1], v[2]+"-"+v[3]
	}
	if !ok || from == "" || p.To == "" || p.Base != "" && from != p.Base {
		return false
	}
	order, err := version.Compare("XenServer", to, p.To)
	return err == nil && order >= 0
}

func (j *judge) claims(a *Advisory) bool {
	return len(j.target.Fixes) == 0 || slices.ContainsFunc(j.target.Fixes, a.Names)
}

// awaits: there is a live patch of the component, for this build, that would fix it.
func (j *judge) awaits(component string, a *Advisory, in *setting) bool {
	if component == "" {
		return false
	}
	build := in.host.Software.BuildID
	if slices.ContainsFunc(a.Payloads, func(p Payload) bool {
		return p.Kind == "live-patch" && p.Component == component && (p.BuildID == "" || build == "" || component != "xen" || strings.EqualFold(p.BuildID, build))
	}) {
		return true
	}
	return j.cohort != nil && slices.ContainsFunc(j.cohort.LivePatches, func(p plan.WantedPatch) bool {
		return p.Component == component && bindsTo(&p, in) != bindsNot && (slices.ContainsFunc(p.Fixes, a.Names) || len(p.Fixes) == 0 && j.claims(a))
	})
}

// binding tells whether a live patch is for the build that a host runs.
type binding int

const (
	bindsNot binding = iota
	mayBind          // the host's build id was not read
	binds
)

func bindsTo(p *plan.WantedPatch, in *setting) binding {
	switch have := in.host.Software.BuildID; {
	case p.BuildID == "" || strings.EqualFold(p.BuildID, have):
		return binds
	case have == "":
		return mayBind
	}
	return bindsNot
}

// behind is the target's word on a version older than it wants: fixed all the same, where the live
// patches that the target names for this build, of this code and of any other, are applied and together fix
// all that it fixes. Without one of this code nothing but a newer version helps.
func (j *judge) behind(s *subject, line string, in *setting, live bool) word {
	w := word{says: affected, line: line}
	if !live || j.cohort == nil {
		return w
	}
	var missing, have, maybe []string
	own, uncovered := false, slices.Clone(j.target.Fixes)
	for i := range j.cohort.LivePatches {
		p := &j.cohort.LivePatches[i]
		bound, applied := bindsTo(p, in), in.patches[p.Name] == p.Component
		own = own || p.Component == s.project && bound != bindsNot
		switch {
		case bound == bindsNot:
		case bound == mayBind && (applied || !in.looked):
			maybe = append(maybe, p.Name)
		case bound == mayBind:
		case applied:
			have = append(have, p.Name)
			uncovered = slices.DeleteFunc(uncovered, func(id string) bool { return len(p.Fixes) == 0 || slices.Contains(p.Fixes, id) })
		default:
			missing = append(missing, p.Name)
		}
	}
	switch {
	case !own:
	case !in.looked && len(missing)+len(maybe) > 0:
		return word{says: cannot, need: lookAtPatches, line: line + "; whether the live patch " + joined(append(missing, maybe...)) + " is applied is not known: the host's list was not read"}
	case len(missing) > 0:
		w.line += "; the live patch " + joined(missing) + " is not applied"
	case len(maybe) > 0:
		return word{says: cannot, need: "the build id of its hypervisor", line: line + "; the live patch " + joined(maybe) + " is applied, and whether it is the one for its build is not known: the host's build id was not read"}
	case len(have) > 0 && len(uncovered) > 0:
		w.line += "; the live patch " + joined(have) + " is applied and does not fix " + joined(uncovered)
	case len(have) > 0:
		return word{says: past, line: line + "; the live patch " + joined(have) + " is applied"}
	}
	return w
}
