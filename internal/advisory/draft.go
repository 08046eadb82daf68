package advisory

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/form"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/version"
)

// Draft drafts a target from what advisories themselves name, for the hosts of a fleet: per
// ecosystem the lowest versions that are fixed, live patches that bind to what hosts run, and the
// remedy that the packages call for. It says also what could not be drafted, and why. The target is
// nil when nothing could. It is for a forecast and for an operator to complete: how a host is
// updated (Cohort.Update) no advisory says.
func Draft(f *fleet.Fleet, as []Advisory) (*plan.Target, []string) {
	d := &draft{fleet: f, groups: map[string]*draftGroup{}, used: map[string]bool{}, said: map[string]bool{}, says: map[*Advisory][]statement{}, ofHosts: map[string][]string{}}
	for i := range as {
		if !as[i].Withdrawn.IsZero() {
			d.say("%s was withdrawn on %s: it is not drafted from", as[i].ID, day(as[i].Withdrawn))
			continue
		}
		d.as = append(d.as, &as[i])
		d.says[&as[i]] = as[i].statements()
	}
	d.foreign()
	for i := range f.Hosts {
		d.host(&f.Hosts[i])
	}
	for _, text := range slices.Sorted(maps.Keys(d.ofHosts)) {
		hosts := d.ofHosts[text]
		names := strings.Join(hosts[:min(len(hosts), 5)], ", ")
		if n := len(hosts) - 5; n > 0 {
			names += fmt.Sprintf(" and %d more", n)
		}
		d.say("%s: %s", names, text)
	}
	t := d.target()
	for _, a := range d.as {
		if !d.used[a.ID] && !slices.ContainsFunc(d.notes, func(n string) bool { return strings.Contains(n, a.ID) }) {
			d.say("%s: nothing is drafted from it: it names no fixed version of anything that a host of this fleet has and needs", a.ID)
		}
	}
	return t, d.notes
}

// draft is one run of Draft.
type draft struct {
	fleet   *fleet.Fleet
	as      []*Advisory
	groups  map[string]*draftGroup
	used    map[string]bool // ids of the advisories that something was drafted from
	notes   []string
	said    map[string]bool
	says    map[*Advisory][]statement
	ofHosts map[string][]string // what is to be noted of hosts -> their ids
}

// draftGroup is a set of hosts that need the same.
type draftGroup struct {
	ecosystem  string
	hypervisor fleet.Hypervisor
	wants      map[string]string // package -> lowest fixed version
	patches    []plan.WantedPatch
	remedy     string
	hosts      []string
}

// say notes something once.
func (d *draft) say(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !d.said[text] {
		d.said[text] = true
		d.notes = append(d.notes, text)
	}
}

// foreign notes advisories that name no ecosystem of the fleet's hosts.
func (d *draft) foreign() {
	have := map[string]bool{}
	for i := range d.fleet.Hosts {
		if e := ecosystemOf(&d.fleet.Hosts[i]); e != "" {
			have[e] = true
		}
	}
	for _, a := range d.as {
		known := func(e Affected) bool {
			return slices.ContainsFunc(slices.Collect(maps.Keys(have)), func(eco string) bool { return speaksOf(e.Ecosystem, eco) })
		}
		switch {
		case len(a.Affected) == 0 && len(a.Payloads) == 0:
			d.say("%s names no package: which version fixes it is not said", a.ID)
		case !slices.ContainsFunc(a.Affected, known) && len(a.Affected) > 0:
			d.say("%s speaks of %s, and no host is known to be of these: the fleet's are %s", a.ID, joined(ecosystemsOf(a)), orElse(joined(slices.Sorted(maps.Keys(have))), "not known"))
		}
	}
}

// speaksOf: what is said of one ecosystem concerns hosts of the other. Without a release it is said
// of all; hosts whose release is not known are spoken of by nothing that names one.
func speaksOf(theirs, hosts string) bool {
	if theirs == "" || hosts == "" {
		return false
	}
	dt, rt := version.Split(theirs)
	dh, rh := version.Split(hosts)
	return dt == dh && (rt == "" || rt == rh)
}

// host finds what one host needs and puts it with the others that need the same.
func (d *draft) host(h *fleet.Host) {
	g := &draftGroup{ecosystem: ecosystemOf(h), hypervisor: h.Hypervisor, wants: map[string]string{}}
	if g.ecosystem == "" {
		text := "of which ecosystem it is is not known, so no version can be named for it"
		d.ofHosts[text] = append(d.ofHosts[text], h.ID)
		return
	}
	patched := true // each advisory that concerns it has a live patch
	var from []string
	for _, a := range d.as {
		wants := d.wants(h, g.ecosystem, a)
		patches := d.patches(h, a)
		if len(wants) == 0 && len(patches) == 0 {
			continue
		}
		from = append(from, a.ID)
		patched = patched && len(patches) > 0
		g.add(patches)
		for pkg, v := range wants {
			g.raise(d, pkg, v)
		}
	}
	if len(from) == 0 {
		return
	}
	g.remedy = d.remedyFor(h, g, patched)
	if g.remedy != remedyLivePatch {
		g.patches = nil
	}
	if len(g.wants) == 0 && len(g.patches) == 0 {
		return
	}
	for _, id := range from {
		d.used[id] = true
	}
	key := g.key()
	if known := d.groups[key]; known != nil {
		g = known
	}
	g.hosts = append(g.hosts, h.ID)
	d.groups[key] = g
}

// key is equal for groups that need the same.
func (g *draftGroup) key() string {
	parts := []string{g.ecosystem, string(g.hypervisor), g.remedy}
	for _, pkg := range slices.Sorted(maps.Keys(g.wants)) {
		parts = append(parts, pkg+"="+g.wants[pkg])
	}
	for _, p := range g.patches {
		parts = append(parts, p.Component+"/"+p.Name+"/"+p.BuildID)
	}
	return strings.Join(parts, "\x00")
}

// add puts live patches to the others. One that several advisories name is one, and fixes them all.
func (g *draftGroup) add(patches []plan.WantedPatch) {
	for _, p := range patches {
		i := slices.IndexFunc(g.patches, func(o plan.WantedPatch) bool {
			return o.Name == p.Name && o.Component == p.Component && strings.EqualFold(o.BuildID, p.BuildID) && (o.SHA256 == p.SHA256 || o.SHA256 == "" || p.SHA256 == "")
		})
		if i < 0 {
			g.patches = append(g.patches, p)
			continue
		}
		o := &g.patches[i]
		o.SHA256 = orElse(o.SHA256, p.SHA256)
		for _, id := range p.Fixes {
			if !slices.Contains(o.Fixes, id) {
				o.Fixes = append(o.Fixes, id)
			}
		}
	}
}

// raise keeps the highest of the versions that several advisories ask for.
func (g *draftGroup) raise(d *draft, pkg, v string) {
	have, ok := g.wants[pkg]
	if !ok {
		g.wants[pkg] = v
		return
	}
	n, err := version.Compare(g.ecosystem, v, have)
	if err != nil {
		d.say("%s %s: which of %s and %s is newer cannot be said: %v", g.ecosystem, pkg, have, v, err)
		return
	}
	if n > 0 {
		g.wants[pkg] = v
	}
}

// wants are the lowest fixed versions that a names for the packages that h is known to have.
func (d *draft) wants(h *fleet.Host, ecosystem string, a *Advisory) map[string]string {
	out := map[string]string{}
	for _, s := range d.says[a] {
		if !speaksOf(s.ecosystem, ecosystem) || s.denied && !s.affected || len(s.fixes) == 0 {
			continue
		}
		if h.Hypervisor == fleet.KVM && sourceOf(s.pkg, nil) == "xen" {
			continue
		}
		have, ok := versionOn(h, s.pkg)
		if !ok {
			continue // no fact: not even whether it is there
		}
		fixed, all := s.fixFor(ecosystem, have)
		switch {
		case fixed != "" && version.FamilyOf(ecosystem) != version.NotComparable:
			out[s.pkg] = fixed
		case !all:
			d.say("%s names no fixed version of %s in %s", a.ID, s.pkg, s.ecosystem)
		}
	}
	return out
}

// versionOn is a version of a package on a host: booted with, else running, else installed.
func versionOn(h *fleet.Host, pkg string) (string, bool) {
	for _, m := range []map[string]string{h.Software.Booted, h.Software.Running, h.Software.Installed} {
		if v := m[pkg]; v != "" {
			return v, true
		}
		for _, name := range slices.Sorted(maps.Keys(m)) {
			if m[name] != "" && samePackage(pkg, name, nil) {
				return m[name], true
			}
		}
	}
	return "", false
}

// fixFor is the fix of the stretch that a version lies in; of a single stretch its fix, wherever
// the version lies. clear: it lies in none, so that nothing is missing.
func (s statement) fixFor(ecosystem, have string) (fixed string, clear bool) {
	if len(s.fixes) == 1 {
		return s.fixes[0].fixed, false
	}
	for _, x := range s.fixes {
		if x.from != "" {
			if n, err := version.Compare(ecosystem, have, x.from); err != nil || n < 0 {
				continue
			}
		}
		if x.fixed == "" {
			return "", false
		}
		if n, err := version.Compare(ecosystem, have, x.fixed); err == nil && n < 0 {
			return x.fixed, false
		}
	}
	return "", true
}

// patches are the live patches of a that bind to what h runs.
func (d *draft) patches(h *fleet.Host, a *Advisory) (out []plan.WantedPatch) {
	for _, p := range a.Payloads {
		if p.Kind != "live-patch" || p.Component != "xen" && p.Component != "linux" {
			continue
		}
		// A host's build id is its hypervisor's; a kernel is told by its version.
		bound := p.Component == "xen" && p.BuildID != "" && strings.EqualFold(p.BuildID, h.Software.BuildID)
		if p.Base != "" && (p.Component == "linux" || p.BuildID == "") {
			have, ok := versionOn(h, p.Component)
			bound = ok && have == p.Base
		}
		switch {
		case !bound || p.Component == "xen" && h.Hypervisor != fleet.Xen:
		case p.Name == "":
			d.say("%s has a live patch for %s without the name under which a host lists it", a.ID, p.Component)
		case !h.Can(fleet.CanLivePatch):
			text := a.ID + " has a live patch for what it runs, and the host does not offer live-patch"
			d.ofHosts[text] = append(d.ofHosts[text], h.ID)
		case !form.Fits("id", a.ID): // without Fixes it would stand for all that the target fixes
			d.say("the live patch %s of %q is left out: a target cannot name that id", p.Name, a.ID)
		default:
			out = append(out, plan.WantedPatch{Name: p.Name, Component: p.Component, BuildID: p.BuildID, SHA256: p.SHA256, Fixes: []string{a.ID}})
		}
	}
	return out
}
