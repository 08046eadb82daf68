package advisory

import (
	"fmt"
	"slices"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// The remedies of a cohort: what makes its fix take effect.
const (
	remedyReboot    = "reboot"
	remedyRefresh   = "refresh"
	remedyLivePatch = "live-patch"
)

func remedyOf(c *plan.Cohort) string {
	if c == nil || c.Remedy == "" {
		return remedyReboot
	}
	return c.Remedy
}

// read judges all that one map says of subject i; ok is false when it says nothing. how begins the
// evidence, such as "booted with".
func (j *judge) read(i int, m map[string]string, how string, in *setting, live bool) (finding, bool) {
	facts := j.facts(i, m)
	if !live && j.subjects[i].project == "linux" {
		facts = nextKernel(j.eco, facts)
	}
	var fs []finding
	for _, x := range facts {
		if x.version == "" {
			fs = append(fs, finding{verdict: NotAffected, lines: []string{how + " no " + x.pkg}})
			continue
		}
		f := *j.rule(i, x.pkg, x.version, in, live)
		lines := make([]string, 0, len(f.lines)+1)
		lines = append(lines, how+" "+x.pkg+" "+x.version)
		for _, l := range f.lines {
			lines = append(lines, "  "+l)
		}
		f.lines = lines
		fs = append(fs, f)
	}
	return join(fs...), len(facts) > 0
}

// build judges by the running build's id alone, where that is all that the documents ask of subject i:
// then no version need be known.
func (j *judge) build(i int, how string, in *setting) (finding, bool) {
	sub, id := &j.subjects[i], in.host.Software.BuildID
	if id == "" || sub.project != "xen" || sub.desired != "" || slices.ContainsFunc(sub.entries, func(e entry) bool { return e.rel != ofBuild }) {
		return finding{}, false
	}
	f := *j.rule(i, sub.pkg, id, in, true)
	f.lines = append([]string{how + " " + id + " of " + sub.pkg}, f.lines...)
	return f, true
}

// judgeHost judges a host by all its cohort's subjects.
func (j *judge) judgeHost(l layers, in *setting) finding {
	fs := j.frame(in)
	if len(l.old) > 0 {
		fs = append(fs, finding{verdict: NotAffected, lines: l.old})
	}
	for i := range j.subjects {
		if !j.concerns(i, in) {
			continue
		}
		fs = append(fs, j.hostSubject(i, l, in))
	}
	return join(fs...)
}

// concerns: a package that only documents name is judged where one of them applies; an advisory on
// hvm guests asks nothing of a host without any.
func (j *judge) concerns(i int, in *setting) bool {
	s := &j.subjects[i]
	if s.only == nil {
		return true
	}
	return slices.ContainsFunc(s.only, func(doc int) bool {
		t, _ := in.applying(j.docs.where[doc])
		return t != fails
	})
}

// frame is what holds for each host of the cohort, whatever its versions.
func (j *judge) frame(in *setting) (fs []finding) {
	say := func(v Verdict, needs []string, lines ...string) {
		fs = append(fs, finding{verdict: v, lines: lines, needs: needs})
	}
	if len(j.docs.notes) > 0 {
		say(NotAffected, nil, j.docs.notes...)
	}
	var not []string
	for _, i := range j.bounded {
		if t, why := in.applying(j.docs.where[i]); t == fails {
			not = append(not, j.docs.all[i].ID+" does not apply: "+why)
		}
	}
	if more := len(not) - manyWords; more > 0 {
		not = append(not[:manyWords], fmt.Sprintf("nor do %d further documents", more))
	}
	if len(not) > 0 {
		say(NotAffected, nil, not...)
	}
	if j.cohort == nil && len(j.target.Cohorts) > 0 {
		line := "in no cohort of target " + j.target.ID
		if len(j.subjects) == 0 && len(j.gaps) == 0 {
			line += ", which asks nothing of it"
		}
		say(NotAffected, nil, line)
	}
	if j.cohort != nil && len(j.cohort.Packages) > 0 && len(j.docs.bare) > 0 {
		say(NotAffected, nil, "no document was given for "+joined(j.docs.bare)+": judged by the target's desired versions")
	}
	if len(j.subjects) == 0 && len(j.gaps) == 0 && (j.cohort != nil || len(j.target.Cohorts) == 0) {
		if len(j.docs.notes) > 0 && j.cohort == nil {
			say(IsUnknown, []string{"an advisory that stands: a record may be withdrawn because another one takes its place"}, "every document that was given is withdrawn or superseded: nothing is left to judge by")
		} else {
			say(NotAffected, nil, "neither target nor advisories name a package to judge by")
		}
	}
	for _, g := range j.gaps {
		if g.doc >= 0 {
			if t, _ := in.applying(j.docs.where[g.doc]); t == fails {
				continue
			}
			if in.host.Hypervisor == fleet.KVM && j.docs.all[g.doc].onlyOf("xen") {
				say(NotAffected, nil, j.docs.all[g.doc].ID+" is of Xen alone, and its hypervisor is kvm")
				fs[len(fs)-1].says = []docWord{{g.doc, outside}}
				continue
			}
		}
		say(IsUnknown, []string{"an advisory that says which versions are affected"}, g.line)
		if g.doc >= 0 {
			fs[len(fs)-1].says = []docWord{{g.doc, cannot}}
		}
	}
	return fs
}

// hostSubject judges one package on one host by the layers that the cohort's remedy asks for.
func (j *judge) hostSubject(i int, l layers, in *setting) finding {
	sub := &j.subjects[i]
	if j.needsXen(i, l, in) {
		return j.noFact(sub, in)
	}
	installed, hasInstalled := j.read(i, l.installed, "installed is", in, false)
	booted, hasBooted := j.read(i, l.booted, "booted with", in, true)
	if !hasBooted && !l.oldCode {
		booted, hasBooted = j.build(i, "runs build", in)
	}
	running, hasRunning := j.read(i, l.running, "runs", in, true)
	if !hasInstalled && !hasBooted && !hasRunning {
		return j.noFact(sub, in)
	}
	var f finding
	switch remedy := j.remedyFor(sub); {
	case hasInstalled && !hasBooted && !hasRunning && isTool(sub.pkg):
		f = installed
		f.lines = append(slices.Clone(f.lines), "it neither boots nor runs by itself: judged by the disk")
	case remedy == remedyRefresh:
		f = installed
		if !hasInstalled {
			f = finding{verdict: IsUnknown, lines: []string{"what " + sub.pkg + " is installed is not known, and new processes start from that"},
				needs: []string{"a look at the packages on its disk"}}
		}
	case remedy == remedyLivePatch:
		f = livePatched(sub, booted, hasBooted, running, hasRunning, in)
	default:
		f = rebooted(sub, installed, hasInstalled, booted, hasBooted, running, hasRunning)
	}
	f.needs = append(slices.Clone(f.needs), j.hostNeeds(sub, &f, installed, hasInstalled)...)
	return f
}

// remedyFor is the cohort's remedy as far as it reaches a package: new processes change neither the
// kernel nor Xen nor microcode, which last from boot to boot.
func (j *judge) remedyFor(sub *subject) string {
	if r := remedyOf(j.cohort); r != remedyRefresh || sub.layer == ofInstance || sub.project == "libvirt" {
		return r
	}
	return remedyReboot
}

// rebooted: a host is fixed only when what it booted with is, and when neither what runs now nor
// what the next boot would bring is older.
func rebooted(sub *subject, installed finding, hasInstalled bool, booted finding, hasBooted bool, running finding, hasRunning bool) finding {
	layers := []finding{}
	switch {
	case hasBooted:
		layers = append(layers, booted)
	case hasRunning:
		running.lines = append(slices.Clone(running.lines), "what it booted with is not known: judged by what runs")
	default:
		layers = append(layers, finding{verdict: IsUnknown, lines: []string{"neither what " + sub.pkg + " it booted with nor what runs is known"},
			needs: []string{"a look at what it booted with"}})
	}
	if hasRunning {
		layers = append(layers, running)
	}
	if hasInstalled {
		layers = append(layers, installed)
	}
	f := join(layers...)
	old := (hasBooted && booted.verdict == IsAffected) || (hasRunning && running.verdict == IsAffected)
	switch {
	case hasInstalled && installed.verdict == IsFixed && old:
		f.lines = append(f.lines, "installed fixed, still running old: needs its reboot")
	case hasInstalled && installed.verdict == IsAffected && !old && f.verdict == IsAffected:
		f.lines = append(f.lines, "what is installed is old: whatever it booted with, the next start brings that")
	}
	return f
}

// livePatched: the fix lies in what runs. A host that booted with the fix needs no patch, and where
// the list of live patches was read, what it booted with and that list are all that runs.
func livePatched(sub *subject, booted finding, hasBooted bool, running finding, hasRunning bool, in *setting) finding {
	switch {
	case hasRunning:
		return running
	case hasBooted && (booted.verdict != IsAffected || in.looked):
		return booted
	}
	lines := []string{"what " + sub.pkg + " runs, and which patches it has, is not known"}
	if hasBooted {
		lines = append(slices.Clone(booted.lines), lines...)
	}
	return finding{verdict: IsUnknown, lines: lines, needs: []string{"a look at what runs"}}
}

// hostNeeds says what would fix a host, in the cohort's own terms.
func (j *judge) hostNeeds(sub *subject, f *finding, installed finding, hasInstalled bool) (needs []string) {
	if f.verdict != IsAffected {
		return nil
	}
	update := "a " + sub.pkg + " that the advisories call fixed"
	switch {
	case sub.desired != "":
		update = sub.pkg + " " + sub.desired + " or newer"
	case f.fix != "":
		update = sub.pkg + " " + f.fix + " or newer"
	}
	switch j.remedyFor(sub) {
	case remedyLivePatch:
		return []string{"the live patch, or " + update + " and a reboot"}
	case remedyRefresh:
		return []string{update}
	}
	if hasInstalled && installed.verdict == IsFixed {
		if j.cohort == nil && sub.project == "qemu" {
			return []string{"new processes for its instances (a refresh), or its reboot"}
		}
		return []string{"its reboot"}
	}
	return []string{update, "its reboot"}
}

// needsXen: it is of Xen, and the host neither runs that nor booted with it. Xen's libraries, which QEMU
// and libvirt bring with them, do nothing there.
func (j *judge) needsXen(i int, l layers, in *setting) bool {
	s := &j.subjects[i]
	return s.project == "xen" && in.host.Hypervisor == fleet.KVM && s.desired == "" && len(j.facts(i, l.booted))+len(j.facts(i, l.running)) == 0
}

// noFact judges a package of which nothing was read.
func (j *judge) noFact(sub *subject, in *setting) finding {
	switch {
	case sub.project == "xen" && in.host.Hypervisor == fleet.KVM:
		return finding{verdict: NotAffected, lines: []string{"its hypervisor is kvm: no " + sub.pkg + " is at work there"}}
	case sub.optional:
		return finding{verdict: NotAffected, lines: []string{"no fact about " + sub.pkg + ": cohort " + j.name + " covers the advisory by another of its packages"}}
	}
	named := "which the advisories name"
	if sub.desired != "" {
		named = fmt.Sprintf("which cohort %s wants at least %s", j.name, sub.desired)
	}
	f := finding{verdict: IsUnknown, lines: []string{"nothing was read of " + sub.pkg + ", " + named + ": neither installed, booted nor running"},
		needs: []string{"a look at its " + sub.pkg}}
	for _, doc := range sub.only {
		f.says = append(f.says, docWord{doc, cannot})
	}
	return f
}
