package advisory

import (
	"fmt"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/version"
)

// What the documents say of one version, and how those on one vulnerability are brought together.

// documentWords is what each document that speaks of the subject says of v.
func (j *judge) documentWords(s *subject, have, v string, in *setting, live bool) (out []word) {
	release := j.releaseOf(v, s.desired)
	for from := 0; from < len(s.entries); {
		to := from + 1
		for to < len(s.entries) && s.entries[to].doc == s.entries[from].doc {
			to++
		}
		if w := j.documentWord(s.entries[from:to], have, v, release, in); w.says != silent || w.line != "" {
			w = j.narrow(w, in)
			if w.says == affected && live {
				w = j.patched(s, w, in)
			}
			out = append(out, w)
		}
		from = to
	}
	return j.settle(out)
}

// settle lets the documents on one vulnerability agree: a distribution's word stands above the
// project's, a record of this release above those of others. Those of equal standing that contradict
// each other are named, and then nothing is known.
func (j *judge) settle(words []word) []word {
	if len(words) < 2 {
		return words
	}
	byDoc := make(map[int]int, len(words))
	for i, w := range words {
		byDoc[w.doc] = i
	}
	out := make([]word, 0, len(words))
	for _, w := range words {
		if (w.elsewhere || w.upstream) && j.docs.answered(w.doc, func(k int) bool {
			i, ok := byDoc[k]
			return ok && (w.elsewhere && !words[i].elsewhere && words[i].says != cannot || w.upstream && !words[i].upstream && words[i].decides())
		}) {
			continue
		}
		for _, k := range j.docs.kin[w.doc] {
			i, ok := byDoc[k]
			if !ok || w.says != affected {
				continue
			}
			o := words[i]
			if (o.says == past || o.says == outside && !o.narrowed) && w.upstream == o.upstream && j.docs.all[w.doc].within(&j.docs.all[k]) {
				w.says, w.fix = cannot, ""
				w.line = fmt.Sprintf("they contradict each other: %s [%s]; %s [%s]", w.line, j.docs.all[w.doc].Source, o.line, j.docs.all[k].Source)
			}
		}
		out = append(out, w)
	}
	return out
}

// narrow holds a document's conditions against the setting.
func (j *judge) narrow(w word, in *setting) word {
	if w.says != affected && w.says != cannot {
		return w
	}
	switch t, why := in.applying(j.docs.where[w.doc]); {
	case t == fails:
		w.says, w.narrowed, w.fix = outside, true, ""
		w.line += "; but it does not apply here: " + why
	case t == cannotTell && w.says == affected:
		w.says = cannot
		w.line += "; whether it applies here cannot be told: " + why
	}
	return w
}

// documentWord joins what a document's entries say: those of v's release, or of all releases when it
// is not known; then they must agree.
func (j *judge) documentWord(entries []entry, have, v, release string, in *setting) word {
	var said, general []word
	var elsewhere []string
	var aside word // silent, and why
	for i := range entries {
		e := &entries[i]
		_, theirs := version.Split(e.of.Ecosystem)
		if e.rel == ofDistro && release != "" && theirs != "" && theirs != release {
			elsewhere = append(elsewhere, theirs)
			continue
		}
		if src := kernelSource(j.eco, have, v); e.rel == ofDistro && src != "" && strings.HasPrefix(e.of.Package, "linux") && e.of.Package != src && e.of.Package != have {
			said = append(said, word{doc: e.doc, says: cannot, line: e.name + ": " + have + " " + v + " is made of the source " + src + ", of which this does not speak"})
			continue
		}
		w := j.entryWord(e, v, in)
		if w.says == silent {
			if w.line != "" {
				aside = word{doc: e.doc, line: e.name + ": " + w.line}
			}
			continue
		}
		w.doc, w.line = e.doc, e.name+": "+w.line
		if e.rel == ofProject {
			w.upstream = true
			general = append(general, w)
		} else {
			said = append(said, w)
		}
	}
	switch {
	case len(said) > 0:
		return joinWords(said, v, release != "" || !slices.ContainsFunc(entries, func(e entry) bool { return e.rel == ofDistro }))
	case len(general) > 0:
		return joinWords(general, v, true)
	case len(elsewhere) > 0:
		slices.Sort(elsewhere)
		return word{doc: entries[0].doc, says: cannot, elsewhere: true, line: fmt.Sprintf("%s speaks of %s in %s %s only, and %s is of %s",
			j.docs.all[entries[0].doc].ID, entries[0].of.Package, j.distro(), joined(slices.Compact(elsewhere)), v, release)}
	}
	return aside
}

// joinWords joins the entries of one document. added: they are of one release and add up; else of
// several, and then they must agree.
func joinWords(said []word, v string, added bool) word {
	out := said[0]
	for i, w := range said[1:] {
		for _, o := range said[:i+1] {
			if added && w.stated != o.stated && w.says != o.says && (w.says == affected && o.decides() || o.says == affected && w.decides()) {
				return word{doc: out.doc, says: cannot, line: "it contradicts itself: " + o.line + "; " + w.line}
			}
		}
		switch {
		case w.says == out.says:
		case !added:
			return word{doc: out.doc, says: cannot, line: fmt.Sprintf("which release %s is of is not known, and they differ: %s; %s", v, out.line, w.line)}
		case strength(w.says) > strength(out.says):
			out = w
		}
	}
	return out
}

// strength orders what the entries of one release say: one range that includes a version outweighs
// those that it lies beyond.
func strength(s saying) int {
	return slices.Index([]saying{silent, outside, past, cannot, affected}, s)
}

// entryWord is what one entry says of v in a setting.
func (j *judge) entryWord(e *entry, v string, in *setting) word {
	var w word
	switch e.rel {
	case ofDistro:
		of, others := e.of.likeRelease(j.eco, v)
		if of == nil {
			return word{says: cannot, line: "its versions are of " + j.distro() + " " + others + ", and " + v + " is of " + releaseIn(j.eco, v)}
		}
		w = of.word(j.eco, v)
	case ofOwnBuild:
		w = e.of.word(version.Upstream, v)
	case ofProject:
		w = e.of.projectWord(j.eco, v)
	case ofBuild:
		w = e.of.buildWord(in.host.Software.BuildID)
	}
	w.stated = e.of.Status != "" && e.of.Status != StatusAffected
	if w.says == silent || len(e.of.Applies) == 0 {
		return w
	}
	switch t, why := in.applying(e.of.Applies); {
	case t == fails && w.says == affected:
		return word{says: outside, narrowed: true, line: w.line + "; but that entry does not apply here: " + why}
	case t == fails:
		return word{line: w.line + "; but that entry does not apply here: " + why} // what holds elsewhere says nothing of this host
	case t == cannotTell && w.says != cannot:
		return word{says: cannot, line: w.line + "; whether that entry applies here cannot be told: " + why}
	}
	return w
}

// likeRelease leaves out, of an entry that is of no release, what bears the marks of another release
// than v's: their order tells nothing. Nil: nothing else is in it, but what is of others.
func (e *Affected) likeRelease(ecosystem, v string) (like *Affected, others string) {
	_, theirs := version.Split(e.Ecosystem)
	mark := releaseIn(ecosystem, v)
	if theirs != "" || mark == "" {
		return e, ""
	}
	foreign := func(text string) bool {
		other := releaseIn(ecosystem, text)
		if other == "" || other == mark {
			return false
		}
		others = other
		return true
	}
	out := *e
	out.Versions = slices.DeleteFunc(slices.Clone(e.Versions), foreign)
	out.Ranges = slices.DeleteFunc(slices.Clone(e.Ranges), func(r Range) bool {
		return slices.ContainsFunc(r.Events, func(ev Event) bool { return foreign(ev.version()) })
	})
	if others != "" && len(out.Versions)+len(out.Ranges) == 0 {
		return nil, others
	}
	return &out, ""
}

// projectWord is what the project's own record says of a distribution's package: that it is made of
// a release with the fix, or of one from before the vulnerability. A package of an affected release
// may have been mended by its distribution: that only the distribution can tell. Nor does an old
// number clear a package where whole parts of newer releases are taken into old ones, as Red Hat does
// with its kernels (4.18 with the KVM of 5.x) and XenServer with Xen.
func (e *Affected) projectWord(ecosystem, v string) word {
	up := projectVersion(v)
	w := e.word(version.Upstream, up)
	switch {
	case w.says == affected:
		return word{says: cannot, line: w.line + "; " + v + " is a distribution's package of it, which may have been mended without a change of that number: its own advisory must tell"}
	case w.says == outside && len(e.Ranges)+len(e.Versions) > 0 && !keepsNumbers(ecosystem, e.Package):
		return word{says: cannot, line: w.line + "; " + v + " is a distribution's package of it, which may have newer code without a change of that number: its own advisory must tell"}
	}
	if w.says == past || w.says == outside {
		w.line += " (" + v + " is made of it)"
	}
	return w
}

// keepsNumbers: such distributions take no parts of newer releases into older ones. Of the kernel all
// do: its stable branches themselves take changes back, and now and then a vulnerability with them.
func keepsNumbers(ecosystem, pkg string) bool {
	family := version.FamilyOf(ecosystem)
	return pkg != "linux" && (family == version.Deb || family == version.APK)
}

// buildWord is what an entry says of the build that runs.
func (e *Affected) buildWord(buildID string) word {
	if buildID == "" {
		return word{says: cannot, line: "it speaks of builds by their id, and the host's build id is not known"}
	}
	if !slices.ContainsFunc(e.Versions, func(id string) bool {
		order, err := version.Compare(version.BuildID, id, buildID)
		return err == nil && order == 0
	}) {
		return word{}
	}
	switch e.Status {
	case StatusFixed:
		return word{says: past, line: "build " + buildID + " is called fixed"}
	case StatusNotAffected:
		return word{says: outside, line: "build " + buildID + " is called not affected"}
	case StatusUnknown:
		return word{says: cannot, line: "whether build " + buildID + " is affected is under investigation"}
	}
	return word{says: affected, line: "build " + buildID + " is listed as affected"}
}
