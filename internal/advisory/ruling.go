package advisory

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/version"
)

// docs are the advisories that stand at one moment, and what the target says of them.
type docs struct {
	all     []Advisory
	claimed []bool   // all[i] is one of those that the target says it fixes
	covered bool     // each advisory that the target fixes has a document among all
	bare    []string // those that have none
	notes   []string // on those that were withdrawn
}

func newDocs(t *plan.Target, as []Advisory, now time.Time) docs {
	d := docs{covered: true}
	for _, a := range as {
		if !a.Withdrawn.IsZero() && !a.Withdrawn.After(now) {
			d.notes = append(d.notes, a.ID+" was withdrawn on "+a.Withdrawn.UTC().Format(time.DateOnly)+": not judged by")
			continue
		}
		d.all = append(d.all, a)
		d.claimed = append(d.claimed, len(t.Fixes) == 0 || slices.ContainsFunc(t.Fixes, a.Names))
	}
	for _, id := range t.Fixes {
		if !slices.ContainsFunc(as, func(a Advisory) bool { return a.Names(id) }) {
			d.covered, d.bare = false, append(d.bare, id)
		}
	}
	return d
}

// subject is one package by which a cohort's hosts are judged.
type subject struct {
	pkg     string
	desired string // lowest fixed version by the target; "" when only advisories name the package
	// optional: where a host has no fact about it, nothing is missing, because the cohort covers
	// the advisory that names it by another of the advisory's packages.
	optional bool
}

// judge rules on versions for the hosts of one cohort.
type judge struct {
	target   *plan.Target
	cohort   *plan.Cohort // nil: hosts in no cohort
	name     string       // the cohort's, for evidence
	docs     docs
	subjects []subject
	gaps     []string // what no document and no cohort says: reasons for unknown
	made     map[string]finding
}

func newJudge(t *plan.Target, c *plan.Cohort, name string, d docs) *judge {
	j := &judge{target: t, cohort: c, name: name, docs: d, made: map[string]finding{}}
	if c != nil {
		for pkg, v := range c.Packages {
			j.subjects = append(j.subjects, subject{pkg: pkg, desired: v})
		}
	}
	for i := range d.all {
		j.addNamedBy(i)
	}
	slices.SortFunc(j.subjects, func(a, b subject) int { return strings.Compare(a.pkg, b.pkg) })
	if (c == nil || len(c.Packages) == 0) && len(d.bare) > 0 {
		j.gaps = append(j.gaps, "no document was given for "+strings.Join(d.bare, ", ")+", so nothing says whom it affects")
	}
	return j
}

// addNamedBy adds the packages that advisory i names and the cohort does not. One that says
// nothing of this ecosystem is a gap, unless another document on the same vulnerability does.
func (j *judge) addNamedBy(i int) {
	names := j.packagesOf(&j.docs.all[i])
	known := func(pkg string, desired bool) int {
		return slices.IndexFunc(j.subjects, func(s subject) bool {
			return samePackage(s.pkg, pkg, j.sources()) && (!desired || s.desired != "")
		})
	}
	covered := slices.ContainsFunc(names, func(pkg string) bool { return known(pkg, true) >= 0 })
	for _, pkg := range names {
		if k := known(pkg, false); k < 0 {
			j.subjects = append(j.subjects, subject{pkg: pkg, optional: covered})
		} else if !covered {
			j.subjects[k].optional = false
		}
	}
	if len(names) > 0 {
		return
	}
	for k := range j.docs.all {
		if k != i && alike(&j.docs.all[i], &j.docs.all[k]) && len(j.packagesOf(&j.docs.all[k])) > 0 {
			return
		}
	}
	a := &j.docs.all[i]
	if len(a.Affected) == 0 {
		j.gaps = append(j.gaps, a.ID+" ("+a.Source+") lists no affected package: that is missing knowledge, not 'nothing is affected'")
		return
	}
	j.gaps = append(j.gaps, a.ID+" ("+a.Source+") says nothing of "+j.ecosystem()+", only of "+strings.Join(ecosystemsOf(a), ", "))
}

func ecosystemsOf(a *Advisory) (out []string) {
	for _, e := range a.Affected {
		name := e.Ecosystem
		if name == "" {
			name = "source code"
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// packagesOf lists the packages that a names in the cohort's ecosystem and release, sorted.
func (j *judge) packagesOf(a *Advisory) (out []string) {
	_, release, _ := strings.Cut(j.ecosystem(), ":")
	for _, e := range a.Affected {
		_, theirs, _ := strings.Cut(e.Ecosystem, ":")
		if isDebian(e.Ecosystem) && (release == "" || theirs == "" || theirs == release) && !slices.Contains(out, e.Package) {
			out = append(out, e.Package)
		}
	}
	slices.Sort(out)
	return out
}

func (j *judge) ecosystem() string {
	if j.cohort == nil || j.cohort.Ecosystem == "" {
		return version.Debian
	}
	return j.cohort.Ecosystem
}

func (j *judge) sources() map[string]string {
	if j.cohort == nil {
		return nil
	}
	return j.cohort.Sources
}

// rule judges one version of one package, found under the name `have`, as one of s.
func (j *judge) rule(s subject, have, v string) finding {
	key := s.pkg + "\x00" + have + "\x00" + v
	f, ok := j.made[key]
	if !ok {
		f = j.weigh(s, have, v)
		j.made[key] = f
	}
	return f
}

// weigh lets the target and the advisories speak and requires that they agree.
func (j *judge) weigh(s subject, have, v string) finding {
	t := j.targetWord(s, have, v)
	words := j.advisoryWords(s, have, v)
	f := finding{}
	if t.line != "" {
		f.lines = append(f.lines, t.line)
	}
	spoken, claimedIn, foreignIn, fixed := 0, "", "", ""
	doubt := t.says == cannot
	for _, w := range words {
		f.lines = append(f.lines, w.line)
		switch w.says {
		case in:
			if w.claimed {
				claimedIn = w.id
			} else {
				foreignIn = w.id
			}
		case past:
			fixed = w.id
		case cannot:
			doubt = true
		}
		if w.says == in || w.says == past || w.says == outside {
			spoken++
		}
	}
	switch {
	case t.says == past && claimedIn != "":
		f.verdict = IsUnknown
		f.lines = append(f.lines, fmt.Sprintf("they contradict each other: target %s calls %s fixed, %s calls it affected", j.target.ID, v, claimedIn))
		f.needs = append(f.needs, "a target and an advisory that agree on "+s.pkg)
	case claimedIn != "" || foreignIn != "":
		f.verdict = IsAffected
	case t.says == in && spoken > 0 && !doubt && j.docs.covered:
		f = j.behindButOut(f, s, v, fixed)
	case t.says == in:
		f.verdict = IsAffected
	case doubt || (t.says == silent && spoken == 0):
		f.verdict = IsUnknown
		f.needs = append(f.needs, "a rule that applies to "+have+" "+v)
	case t.says == past || fixed != "":
		f.verdict = IsFixed
	default:
		f.verdict = NotAffected
	}
	return f
}

// behindButOut: the version is below what the target wants, but no advisory calls it affected.
func (j *judge) behindButOut(f finding, s subject, v, fixed string) finding {
	switch {
	case fixed == "":
		f.verdict = NotAffected // older than the vulnerability
	case sourceVersion(v) == sourceVersion(s.desired):
		f.verdict = IsFixed
		f.lines = append(f.lines, v+" and "+s.desired+" are builds of the same source")
	default:
		f.verdict = IsUnknown
		f.lines = append(f.lines, fmt.Sprintf("they contradict each other: target %s wants at least %s, %s calls %s fixed", j.target.ID, s.desired, fixed, v))
		f.needs = append(f.needs, "a target and an advisory that agree on "+s.pkg)
	}
	return f
}
