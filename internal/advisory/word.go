package advisory

import (
	"fmt"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/version"
)

// saying is what one source says of one version.
type saying int

const (
	silent  saying = iota // it does not speak of this package or release
	in                    // affected
	past                  // fixed: at or above a fix
	outside               // not affected: before the vulnerability, or not among those listed
	cannot                // it speaks, but whether of this version cannot be told
)

// word is a saying with its sentence.
type word struct {
	says    saying
	id      string // the advisory
	claimed bool   // the target says that it fixes this advisory
	line    string
	// elsewhere: the advisory speaks of the package in other releases only.
	elsewhere bool
	by        *Advisory
}

// targetWord is what the cohort's desired version says of v.
func (j *judge) targetWord(s subject, have, v string) word {
	if s.desired == "" {
		return word{}
	}
	wants := fmt.Sprintf("target %s, cohort %s, wants %s at least %s", j.target.ID, j.name, s.pkg, s.desired)
	if theirs, ours := releaseIn(v), releaseIn(s.desired); theirs != "" && ours != "" && theirs != ours {
		says := silent
		if !j.docs.covered {
			says = cannot // then nobody speaks for what has no document
		}
		return word{says: says, line: wants + ", which says nothing of " + v + ": they are of Debian " + ours + " and " + theirs}
	}
	order, err := version.Compare(j.ecosystem(), v, s.desired)
	if err != nil {
		return word{says: cannot, line: wants + ": " + err.Error()}
	}
	if why := j.incomparable(v, s.desired, order); why != "" {
		return word{says: cannot, line: wants + ": " + why}
	}
	switch {
	case order < 0:
		return word{says: in, line: wants + ": " + v + " is older"}
	case order == 0:
		return word{says: past, line: wants + ": " + v + " is that"}
	}
	return word{says: past, line: wants + ": " + v + " is newer"}
}

// incomparable says why the order of two versions, as dpkg gives it, tells nothing; "" when it does.
func (j *judge) incomparable(v, desired string, order int) string {
	theirs, packaged := upstreamOf(v)
	ours, wanted := upstreamOf(desired)
	if wanted && !packaged {
		return v + " cannot be compared: " + notPackaged
	}
	_, stated, _ := strings.Cut(j.ecosystem(), ":")
	if order > 0 && releaseIn(desired) != "" && releaseIn(v) == "" && stated == "" && theirs != ours {
		return v + " names no Debian release and is of another upstream version: it may be of a later release, where this fix says nothing (if it is not, name the cohort's ecosystem with its release: Debian:" + releaseIn(desired) + ")"
	}
	return ""
}

// releaseOf tells the Debian release that v is of: by itself, by the cohort's ecosystem, by the
// cohort's desired version; "" when nothing tells.
func (j *judge) releaseOf(v, desired string) string {
	if r := releaseIn(v); r != "" {
		return r
	}
	if _, r, _ := strings.Cut(j.ecosystem(), ":"); r != "" {
		return r
	}
	return releaseIn(desired)
}

// advisoryWords is what each advisory that speaks of the package says of v.
func (j *judge) advisoryWords(s subject, have, v string) (out []word) {
	release := j.releaseOf(v, s.desired)
	for i := range j.docs.all {
		a := &j.docs.all[i]
		if w := j.advisoryWord(a, have, s.pkg, release, v); w.says != silent || w.line != "" {
			w.id, w.claimed, w.by = a.ID, j.docs.claimed[i], a
			out = append(out, w)
		}
	}
	// A record of one release is no doubt where another record of the same vulnerability speaks:
	// Debian's stable (DSA) and long-term (DLA) records are apart.
	return slices.DeleteFunc(out, func(w word) bool {
		return w.elsewhere && slices.ContainsFunc(out, func(o word) bool { return !o.elsewhere && o.says != cannot && alike(w.by, o.by) })
	})
}

// advisoryWord joins what an advisory's entries say: those of v's release, or of all releases when
// it is not known; then they must agree.
func (j *judge) advisoryWord(a *Advisory, have, pkg, release, v string) word {
	var said []word
	var elsewhere []string
	name := ""
	for i := range a.Affected {
		e := &a.Affected[i]
		if !isDebian(e.Ecosystem) || !(samePackage(e.Package, have, j.sources()) || samePackage(e.Package, pkg, j.sources())) {
			continue
		}
		_, theirs, _ := strings.Cut(e.Ecosystem, ":")
		if release != "" && theirs != "" && theirs != release {
			elsewhere, name = append(elsewhere, theirs), e.Package
			continue
		}
		w := e.word(v)
		w.line = a.ID + " (" + e.Ecosystem + ", " + e.Package + "): " + w.line
		said = append(said, w)
	}
	if len(said) == 0 {
		if len(elsewhere) == 0 {
			return word{}
		}
		slices.Sort(elsewhere)
		return word{says: cannot, elsewhere: true, line: fmt.Sprintf("%s speaks of %s in Debian %s only, and %s is of %s", a.ID, name, strings.Join(slices.Compact(elsewhere), ", "), v, release)}
	}
	out := said[0]
	for _, w := range said[1:] {
		switch {
		case w.says == out.says:
		case release != "" && (w.says == in || out.says == in): // entries of one release add up
			if w.says == in {
				out = w
			}
		default:
			return word{says: cannot, line: fmt.Sprintf("which Debian release %s is of is not known, and they differ: %s; %s", v, out.line, w.line)}
		}
	}
	return out
}

// word is what one entry says of v, by OSV's own algorithm: v is affected when a range includes it
// or the list names it. v is compared as a source version.
func (e *Affected) word(v string) word {
	source := sourceVersion(v)
	if slices.Contains(e.Versions, v) || slices.Contains(e.Versions, source) {
		return word{says: in, line: v + " is listed as affected"}
	}
	var out *word
	for i := range e.Ranges {
		if e.Ranges[i].Type != "ECOSYSTEM" {
			continue
		}
		w := e.Ranges[i].word(source)
		if w.says == in || w.says == cannot {
			return w
		}
		if out == nil || w.says == past {
			out = &w
		}
	}
	switch {
	case out != nil:
		return *out
	case len(e.Versions) > 0:
		return word{says: outside, line: fmt.Sprintf("%s is not among the %d versions listed as affected", v, len(e.Versions))}
	}
	return word{says: cannot, line: "it gives no range of versions that can be compared"}
}

// word walks the range's events in the order of their versions: those at or below v decide, the
// next one above explains.
func (r *Range) word(v string) word {
	points, limits := r.sorted()
	bad := orderable(points, v)
	if bad != nil {
		return word{says: cannot, line: bad.Error()}
	}
	if len(limits) > 0 && !slices.ContainsFunc(limits, func(l string) bool { return l == "*" || compareEvent(v, l) < 0 }) {
		return word{says: outside, line: v + " lies beyond " + strings.Join(limits, ", ") + ", up to which it looks"}
	}
	out := word{says: outside, line: v + " is older than all that it names"}
	for _, e := range points {
		order := compareEvent(v, e.version())
		if order < 0 || (order == 0 && e.LastAffected != "") {
			return out.before(v, e)
		}
		switch {
		case e.Introduced == "0":
			out = word{says: in, line: v + " is affected: every version is, none is fixed"}
		case e.Introduced != "":
			out = word{says: in, line: v + " is affected: introduced in " + e.Introduced + ", none is fixed"}
		case e.Fixed != "":
			out = word{says: past, line: v + " is fixed: at or above " + e.Fixed}
		default:
			out = word{says: past, line: v + " is fixed: newer than " + e.LastAffected + ", the last affected"}
		}
	}
	return out
}

// before explains a saying by the next event above v.
func (w word) before(v string, next Event) word {
	switch {
	case w.says == in && next.Fixed != "":
		w.line = v + " is affected: older than " + next.Fixed + ", where it was fixed"
	case w.says == in && next.LastAffected != "":
		w.line = v + " is affected: not newer than " + next.LastAffected + ", the last affected"
	case w.says == outside && next.Introduced != "":
		w.line = v + " is not affected: older than " + next.Introduced + ", where it was introduced"
	}
	return w
}

func (e Event) version() string { return e.Introduced + e.Fixed + e.LastAffected + e.Limit }

// sorted gives the events by version, and the limits apart.
func (r *Range) sorted() (points []Event, limits []string) {
	for _, e := range r.Events {
		if e.Limit != "" {
			limits = append(limits, e.Limit)
		} else {
			points = append(points, e)
		}
	}
	slices.SortStableFunc(points, func(a, b Event) int { return compareEvent(a.version(), b.version()) })
	return points, limits
}

// orderable says why v cannot be put in order with the events.
func orderable(points []Event, v string) error {
	_, packaged := upstreamOf(v)
	for _, e := range points {
		at := e.version()
		if at == "0" {
			continue
		}
		if _, err := version.Compare(version.Debian, v, at); err != nil {
			return err
		}
		if _, wanted := upstreamOf(at); wanted && !packaged {
			return fmt.Errorf("%s cannot be compared with %s: %s", v, at, notPackaged)
		}
	}
	return nil
}

const notPackaged = "it is what a program says of itself, not a package's version, and does not tell which fixes Debian added"

// compareEvent orders versions that are known to be in order; an introduced "0" is before all,
// even 0~1.
func compareEvent(a, b string) int {
	switch {
	case a == b:
		return 0
	case a == "0":
		return -1
	case b == "0":
		return 1
	}
	order, _ := version.Compare(version.Debian, a, b)
	return order
}
