package advisory

import (
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/version"
)

// subject is one package by which a cohort's hosts are judged.
type subject struct {
	pkg     string
	desired string // lowest fixed version by the target; "" when only advisories name the package
	// optional: where a host has no fact about it, nothing is missing, because the cohort covers
	// the advisory that names it by another of the advisory's packages.
	optional bool
	// only: the advisories that name it, when no cohort does; nil: judged for its own sake.
	only    []int
	project string  // the software that it is, by its project's name; "" when not known
	layer   layer   // where its code runs
	entries []entry // what the documents say of it, by document
}

// entry is what one document says of one subject.
type entry struct {
	doc  int
	of   *Affected
	rel  relation
	name string // for evidence: CVE-1 (Debian:12, qemu)
}

// relation of a document's entry to the hosts that are judged.
type relation int

const (
	foreign    relation = iota // another distribution's: says nothing here
	ofDistro                   // of the distribution that the host's packages are of
	ofProject                  // of the project's own releases, of which the host's package was made
	ofOwnBuild                 // of the project's own releases, and so is the host's software
	ofBuild                    // of builds told apart by their id
)

// gap is something that no document and no cohort says.
type gap struct {
	line string
	doc  int // the document that leaves it open; -1: none
}

// judge rules on versions for the hosts of one cohort and one ecosystem.
type judge struct {
	target   *plan.Target
	cohort   *plan.Cohort // nil: hosts in no cohort
	name     string       // the cohort's, for evidence
	number   int          // tells judges apart: several cohorts may have one name
	eco      string       // Debian:12
	release  string       // its release; "" when it is not known
	docs     *docs
	subjects []subject
	gaps     []gap
	named    map[string][]int // package -> subjects of which a fact about it tells
	made     map[ruleKey]*finding
	byBuild  bool             // a document or a live patch asks for the build id
	bounded  []int            // documents whose conditions ask something of a setting
	classes  map[*setting]int // setting -> the class of those that no condition tells apart
	alikes   map[string]int   // what tells them apart -> class
}

// ruleKey is all that a ruling depends on.
type ruleKey struct {
	subject int
	have, v string
	class   int // of the setting
	live    bool
}

func newJudge(t *plan.Target, c *plan.Cohort, name, ecosystem string, d *docs) *judge {
	j := &judge{target: t, cohort: c, name: name, docs: d, eco: orElse(ecosystem, version.Debian), named: map[string][]int{}, made: map[ruleKey]*finding{}, classes: map[*setting]int{}, alikes: map[string]int{}}
	_, j.release = version.Split(j.eco)
	if c != nil {
		for _, pkg := range sortedKeys(c.Packages) {
			j.subjects = append(j.subjects, subject{pkg: pkg, desired: c.Packages[pkg]})
		}
	}
	for i := range d.all {
		j.addNamedBy(i)
		if len(d.where[i]) > 0 || slices.ContainsFunc(d.all[i].Affected, func(e Affected) bool { return len(e.Applies) > 0 }) {
			j.bounded = append(j.bounded, i)
		}
	}
	j.byBuild = slices.ContainsFunc(d.all, func(a Advisory) bool {
		return slices.ContainsFunc(a.Affected, func(e Affected) bool { return j.relationTo(e.Ecosystem) == ofBuild }) ||
			slices.ContainsFunc(a.Payloads, func(p Payload) bool { return p.BuildID != "" })
	}) || c != nil && slices.ContainsFunc(c.LivePatches, func(p plan.WantedPatch) bool { return p.BuildID != "" })
	slices.SortFunc(j.subjects, func(a, b subject) int { return strings.Compare(a.pkg, b.pkg) })
	for i := range j.subjects {
		s := &j.subjects[i]
		s.project, s.layer = sourceOf(s.pkg, j.sources()), layerOf(s.pkg, j.sources())
		j.addEntries(s)
	}
	if (c == nil || len(c.Packages) == 0) && len(d.bare) > 0 {
		j.gaps = append(j.gaps, gap{"no document was given for " + joined(d.bare) + ", so nothing says whom it affects", -1})
	}
	return j
}

// addNamedBy adds the packages that document i names and the cohort does not. One that says nothing
// of this ecosystem is a gap, unless another document on the same vulnerability does.
func (j *judge) addNamedBy(i int) {
	names := j.packagesOf(i)
	known := func(pkg string, desired bool) int {
		return slices.IndexFunc(j.subjects, func(s subject) bool {
			return samePackage(s.pkg, pkg, j.sources()) && (!desired || s.desired != "")
		})
	}
	covered := slices.ContainsFunc(names, func(pkg string) bool { return known(pkg, true) >= 0 })
	for _, pkg := range names {
		k := known(pkg, false)
		if k < 0 {
			j.subjects = append(j.subjects, subject{pkg: pkg, optional: covered, only: []int{i}})
			continue
		}
		s := &j.subjects[k]
		if !covered {
			s.optional = false
		}
		if s.only != nil {
			s.only = append(s.only, i)
		}
	}
	if len(names) > 0 || j.docs.answered(i, func(k int) bool { return len(j.packagesOf(k)) > 0 }) {
		return
	}
	a := &j.docs.all[i]
	switch {
	case len(a.Affected) == 0 && len(a.Gaps) > 0:
		j.gaps = append(j.gaps, gap{a.ID + " (" + a.Source + ") does not say which versions are affected: " + a.Gaps[0], i})
	case len(a.Affected) == 0:
		j.gaps = append(j.gaps, gap{a.ID + " (" + a.Source + ") lists no affected package: that is missing knowledge, not 'nothing is affected'", i})
	default:
		j.gaps = append(j.gaps, gap{a.ID + " (" + a.Source + ") says nothing of " + j.eco + ", only of " + joined(ecosystemsOf(a)), i})
	}
}

func ecosystemsOf(a *Advisory) (out []string) {
	for _, e := range a.Affected {
		name := orElse(e.Ecosystem, "source code")
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// packagesOf lists the packages that document i names in this ecosystem and release, or in general,
// sorted.
func (j *judge) packagesOf(i int) (out []string) {
	for k := range j.docs.all[i].Affected {
		e := &j.docs.all[i].Affected[k]
		if rel := j.relationTo(e.Ecosystem); rel == foreign || rel == ofDistro && !j.inRelease(e.Ecosystem) {
			continue
		}
		if e.Package != "" && !slices.Contains(out, e.Package) {
			out = append(out, e.Package)
		}
	}
	// Where the source is named, its entry speaks of all that is built from it.
	all := slices.Clone(out)
	out = slices.DeleteFunc(out, func(pkg string) bool {
		return slices.ContainsFunc(all, func(source string) bool { return rpmBinaryOf(source, pkg) })
	})
	slices.Sort(out)
	return out
}

func (j *judge) inRelease(ecosystem string) bool {
	_, theirs := version.Split(ecosystem)
	return j.release == "" || theirs == "" || theirs == j.release
}

// relationTo tells how an entry's ecosystem stands to the judged hosts'.
func (j *judge) relationTo(ecosystem string) relation {
	theirs, _ := version.Split(ecosystem)
	ours, _ := version.Split(j.eco)
	switch {
	case ecosystem == "":
		return foreign
	case theirs == version.BuildID:
		return ofBuild
	case theirs == version.Upstream && ours == version.Upstream:
		return ofOwnBuild
	case theirs == version.Upstream:
		return ofProject
	case theirs == ours:
		return ofDistro
	}
	return foreign
}

// addEntries gathers what the documents say of a subject, in the documents' order.
func (j *judge) addEntries(s *subject) {
	for i := range j.docs.all {
		a := &j.docs.all[i]
		for k := range a.Affected {
			e := &a.Affected[k]
			rel := j.relationTo(e.Ecosystem)
			if rel == foreign || !j.isAbout(e, rel, s) {
				continue
			}
			s.entries = append(s.entries, entry{doc: i, of: e, rel: rel, name: a.ID + " (" + e.Ecosystem + ", " + e.Package + ")"})
		}
	}
}

func (j *judge) isAbout(e *Affected, rel relation, s *subject) bool {
	if rel == ofDistro {
		return samePackage(e.Package, s.pkg, j.sources())
	}
	return e.Package == s.pkg || s.project != "" && (e.Package == s.project || sourceOf(e.Package, nil) == s.project)
}

func (j *judge) sources() map[string]string {
	if j.cohort == nil {
		return nil
	}
	return j.cohort.Sources
}

// classOf numbers the settings that rulings tell apart: by what each condition says of them, by the
// build and by the live patches. Most settings differ in nothing that any document asks for.
func (j *judge) classOf(in *setting) int {
	if n, ok := j.classes[in]; ok {
		return n
	}
	var b strings.Builder
	if j.byBuild {
		b.WriteString(in.host.Software.BuildID)
	}
	b.WriteString("\x01" + mapKey(in.patches))
	if in.looked {
		b.WriteByte(2)
	}
	tell := func(cs []Condition) {
		t, why := in.applying(cs)
		b.WriteString(why)
		b.WriteByte(byte(3 + t))
	}
	for _, doc := range j.bounded {
		tell(j.docs.where[doc])
		for i := range j.docs.all[doc].Affected {
			if cs := j.docs.all[doc].Affected[i].Applies; len(cs) > 0 {
				tell(cs)
			}
		}
	}
	n, ok := j.alikes[b.String()]
	if !ok {
		n = len(j.alikes)
		j.alikes[b.String()] = n
	}
	j.classes[in] = n
	return n
}

// about gives the subjects of which a fact about pkg tells.
func (j *judge) about(pkg string) []int {
	list, ok := j.named[pkg]
	if !ok {
		for i := range j.subjects {
			if samePackage(j.subjects[i].pkg, pkg, j.sources()) {
				list = append(list, i)
			}
		}
		j.named[pkg] = list
	}
	return list
}

// fact is one version read somewhere. An empty version says that the package was looked for and is
// not there.
type fact struct{ pkg, version string }

// facts gives what a map says of subject i: by its own name, else by names that stand for the same
// package, sorted.
func (j *judge) facts(i int, m map[string]string) (out []fact) {
	if v, ok := m[j.subjects[i].pkg]; ok {
		return []fact{{j.subjects[i].pkg, v}}
	}
	for pkg, v := range m {
		if slices.Contains(j.about(pkg), i) {
			out = append(out, fact{pkg, v})
		}
	}
	slices.SortFunc(out, func(a, b fact) int { return strings.Compare(a.pkg, b.pkg) })
	return out
}

func joined(list []string) string { return strings.Join(list, ", ") }
