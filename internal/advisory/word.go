package advisory

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/version"
)

// saying is what one source says of one version.
type saying int

const (
	silent   saying = iota // it does not speak of this package or release
	affected               // affected
	past                   // fixed: at or above a fix
	outside                // not affected: before the vulnerability, or not among those listed
	cannot                 // it speaks, but whether of this version cannot be told
)

// word is a saying with its sentence.
type word struct {
	says saying
	line string
	need string // where it cannot tell: what would
	fix  string // of an affected version: the next one that is fixed, when it is named
	doc  int    // which document says it
	// elsewhere: the document speaks of the package in other releases only.
	elsewhere bool
	// upstream: it is the word of the project, not of the distribution that made the package.
	upstream bool
	// narrowed: the version is affected, but the document does not apply in this setting.
	narrowed bool
	// stated: it comes from a list of products called fixed or not affected, not from ranges.
	stated bool
}

// decides: the word settles the matter for its document.
func (w word) decides() bool { return w.says == affected || w.says == past || w.says == outside }

// word is what one entry says of v, by OSV's own algorithm: v is affected when a range includes it
// or the list names it. ecosystem is the one by whose rules its versions are ordered.
func (e *Affected) word(ecosystem, v string) word {
	if e.Status != "" && e.Status != StatusAffected {
		return e.stated(ecosystem, v)
	}
	source := sourceOfVersion(ecosystem, v)
	if slices.Contains(e.Versions, v) || slices.Contains(e.Versions, source) {
		return word{says: affected, line: v + " is listed as affected", fix: e.lastFix(ecosystem)}
	}
	var out *word
	for i := range e.Ranges {
		if e.Ranges[i].Type != "ECOSYSTEM" {
			continue
		}
		w := e.Ranges[i].word(ecosystem, source)
		if w.says == affected || w.says == cannot {
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

// stated is the word of an entry that calls versions fixed, not affected or under investigation.
func (e *Affected) stated(ecosystem, v string) word {
	because := ""
	if e.Why != "" {
		because = " (" + e.Why + ")"
	}
	named, newer, why := e.spans(ecosystem, sourceOfVersion(ecosystem, v))
	switch {
	case why != "":
		return word{says: cannot, line: why}
	case e.Status == StatusFixed && named:
		return word{says: past, line: v + " is called fixed" + because}
	case e.Status == StatusFixed && newer && isPackaged(ecosystem, v): // a project's later branch may lack what an earlier one has
		return word{says: past, line: v + " is newer than one that is called fixed" + because}
	case !named:
		return word{}
	case e.Status == StatusNotAffected:
		return word{says: outside, line: v + " is called not affected" + because}
	}
	return word{says: cannot, line: "whether " + v + " is affected is under investigation" + because}
}

// spans tells whether v is among the versions that an entry names (all, when it names none and calls
// them anything but fixed), and whether it is newer than one of those listed. why: it cannot be told.
func (e *Affected) spans(ecosystem, v string) (named, newer bool, why string) {
	if len(e.Versions) == 0 && len(e.Ranges) == 0 {
		return e.Status != StatusFixed, false, ""
	}
	for _, listed := range e.Versions {
		if listed == v || sourceOfVersion(ecosystem, listed) == v {
			return true, false, ""
		}
		if order, err := version.Compare(ecosystem, v, listed); err == nil && order == 0 {
			return true, false, ""
		} else if err == nil && order > 0 {
			newer = true
		}
	}
	for i := range e.Ranges {
		if e.Ranges[i].Type != "ECOSYSTEM" {
			continue
		}
		switch w := e.Ranges[i].word(ecosystem, v); w.says {
		case affected:
			return true, newer, ""
		case cannot:
			why = w.line
		}
	}
	return false, newer, why
}

// lastFix is the newest version that the entry's ranges call fixed.
func (e *Affected) lastFix(ecosystem string) (fix string) {
	for _, r := range e.Ranges {
		for _, ev := range r.Events {
			if ev.Fixed == "" || r.Type != "ECOSYSTEM" {
				continue
			}
			if order, err := version.Compare(ecosystem, ev.Fixed, fix); fix == "" || err == nil && order > 0 {
				fix = ev.Fixed
			}
		}
	}
	return fix
}

// word walks the range's events in the order of their versions: those at or below v decide, the
// next one above explains.
func (r *Range) word(ecosystem, v string) word {
	points, limits := r.sorted(ecosystem)
	if bad := orderable(ecosystem, points, v); bad != nil {
		return word{says: cannot, line: bad.Error()}
	}
	if len(limits) > 0 && !slices.ContainsFunc(limits, func(l string) bool { return l == "*" || compareEvent(ecosystem, v, l) < 0 }) {
		return word{says: outside, line: v + " lies beyond " + joined(limits) + ", up to which it looks"}
	}
	out := word{says: outside, line: v + " is older than all that it names"}
	for _, e := range points {
		order := compareEvent(ecosystem, v, e.version())
		if e.LastAffected != "" && order > 0 && isPackaged(ecosystem, v) && !isPackaged(ecosystem, e.LastAffected) && madeOf(v, e.LastAffected) {
			return word{says: cannot, line: v + " is made of " + e.LastAffected + ", the last affected, and which packages of it are is not said"}
		}
		if order < 0 && trialOf(ecosystem, v, e.Introduced) {
			return word{says: cannot, line: v + " came before " + e.Introduced + ", where it was introduced, and whether it was in it already is not said"}
		}
		if order < 0 || (order == 0 && e.LastAffected != "") {
			return out.before(v, e)
		}
		switch {
		case e.Introduced == "0":
			out = word{says: affected, line: v + " is affected: every version is, none is fixed"}
		case e.Introduced != "":
			out = word{says: affected, line: v + " is affected: introduced in " + e.Introduced + ", none is fixed"}
		case e.Fixed != "":
			out = word{says: past, line: v + " is fixed: at or above " + e.Fixed}
		default:
			out = word{says: past, line: v + " is fixed: newer than " + e.LastAffected + ", the last affected"}
		}
	}
	if out.says == affected && len(limits) > 0 {
		out.line = strings.Replace(out.line, "none is fixed", "and it looks no further than "+joined(limits), 1)
	}
	return out
}

// stage marks a version on the way to a release: 4.18-rc3, 4.19-unstable.
var stage = regexp.MustCompile(`-(unstable|alpha|beta|test|pre|rc)`)

// trialOf: v is a project's release candidate, or the like, of the release in which a vulnerability
// was introduced. Advisories name releases; the code came in while that one was made.
func trialOf(ecosystem, v, introduced string) bool {
	if introduced == "" || version.FamilyOf(ecosystem) != version.Releases {
		return false
	}
	at := stage.FindStringIndex(v)
	if at == nil {
		return false
	}
	order, err := version.Compare(ecosystem, v[:at[0]], introduced)
	return err == nil && order == 0
}

// madeOf: the package's version is one of that release.
func madeOf(v, release string) bool {
	up, _ := upstreamOf(v)
	return up == release
}

// before explains a saying by the next event above v.
func (w word) before(v string, next Event) word {
	switch {
	case w.says == affected && next.Fixed != "":
		w.line, w.fix = v+" is affected: older than "+next.Fixed+", where it was fixed", next.Fixed
	case w.says == affected && next.LastAffected != "":
		w.line = v + " is affected: not newer than " + next.LastAffected + ", the last affected"
	case w.says == outside && next.Introduced != "":
		w.line = v + " is not affected: older than " + next.Introduced + ", where it was introduced"
	}
	return w
}

func (e Event) version() string { return e.Introduced + e.Fixed + e.LastAffected + e.Limit }

// sorted gives the events by version, and the limits apart.
func (r *Range) sorted(ecosystem string) (points []Event, limits []string) {
	for _, e := range r.Events {
		if e.Limit != "" {
			limits = append(limits, e.Limit)
		} else {
			points = append(points, e)
		}
	}
	slices.SortStableFunc(points, func(a, b Event) int { return compareEvent(ecosystem, a.version(), b.version()) })
	return points, limits
}

// orderable says why v cannot be put in order with the events.
func orderable(ecosystem string, points []Event, v string) error {
	packaged := isPackaged(ecosystem, v)
	for _, e := range points {
		at := e.version()
		if at == "0" {
			continue
		}
		if _, err := version.Compare(ecosystem, v, at); err != nil {
			return err
		}
		if isPackaged(ecosystem, at) && !packaged {
			return fmt.Errorf("%s cannot be compared with %s: %s", v, at, notPackaged)
		}
	}
	return nil
}

const notPackaged = "it is what a program says of itself, not a package's version, and does not tell which fixes its distribution added"

// compareEvent orders versions that are known to be in order; an introduced "0" is before all,
// even 0~1.
func compareEvent(ecosystem, a, b string) int {
	switch {
	case a == b:
		return 0
	case a == "0":
		return -1
	case b == "0":
		return 1
	}
	order, _ := version.Compare(ecosystem, a, b)
	return order
}
