package parse

import (
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/version"
)

// livePatches reads XenServer's live patches: each binds to one build, whose version is its base,
// and makes it stand for a later version, in which the fix is. As with a package, all that is older
// than that version is affected.
func (u *update) livePatches() {
	list := u.one(u.e, "livepatches")
	if list == nil {
		return
	}
	of := map[string][]advisory.Payload{} // by package
	for _, e := range list.all("livepatch") {
		p := advisory.Payload{Kind: "live-patch", Component: u.mustAttr(e, "component", "xen or kernel"),
			Base: u.mustAttr(e, "base", "the version that it is for"), To: u.mustAttr(e, "to", "the version that it stands for"),
			BuildID: u.mustAttr(e, "base-buildid", "the build id that it binds to")}
		pkg := p.Component
		switch pkg {
		case "xen":
		case "kernel":
			p.Component = "linux"
		case "":
			continue // told
		default:
			u.Gaps = append(u.Gaps, "the live patch from "+p.Base+" is for "+pkg+", which is neither xen nor kernel: who is affected is not read from it")
			u.Payloads = append(u.Payloads, p)
			continue
		}
		u.Payloads = append(u.Payloads, p)
		if u.built(e, p.Base) && u.built(e, p.To) {
			of[pkg] = append(of[pkg], p)
		}
	}
	for _, pkg := range []string{"kernel", "xen"} {
		if patches := of[pkg]; len(patches) > 0 {
			u.Affected = append(u.Affected, advisory.Affected{Ecosystem: xenServer, Package: pkg,
				Ranges: []advisory.Range{{Type: "ECOSYSTEM", Events: patchedRange(patches)}},
				Why:    "its live patches start from " + bases(patches)})
		}
	}
}

// built says whether a text is the version and release of a package.
func (u *update) built(e *element, v string) bool {
	if v == "" {
		return false // told
	}
	if strings.Count(v, "-") != 1 || version.Check(xenServer, v) != nil {
		u.wrong(e.at, e.path(), quote(v), "a version and a release, such as 4.19.19-8.0.21.xs8")
		return false
	}
	return true
}

// patchedRange spans what is older than the fixed version. Where an update fixes several streams, a
// later one begins at the oldest base of its live patches, if that is newer than the fix before.
func patchedRange(patches []advisory.Payload) []advisory.Event {
	older := func(a, b string) int {
		order, _ := version.Compare(xenServer, a, b) // both were checked
		return order
	}
	from := map[string]string{} // fixed version -> its oldest base
	var fixes []string
	for _, p := range patches {
		if base, known := from[p.To]; !known {
			from[p.To], fixes = p.Base, append(fixes, p.To)
		} else if older(p.Base, base) < 0 {
			from[p.To] = p.Base
		}
	}
	slices.SortFunc(fixes, older)
	events := []advisory.Event{{Introduced: "0"}}
	for i, fix := range fixes {
		if i > 0 {
			if older(from[fix], fixes[i-1]) <= 0 {
				events = events[:len(events)-1] // no stream of its own: fixed only here
			} else {
				events = append(events, advisory.Event{Introduced: from[fix]})
			}
		}
		events = append(events, advisory.Event{Fixed: fix})
	}
	return events
}

func bases(patches []advisory.Payload) string {
	var out []string
	for _, p := range patches {
		out = append(out, p.Base)
	}
	return cut(strings.Join(distinct(out), ", "), 200)
}
