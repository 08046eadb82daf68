package advisory

import (
	"fmt"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/version"
)

// rule judges one version of subject i, found under the name `have`, in a setting. live: the version
// is of code that runs, so that live patches of the setting count.
func (j *judge) rule(i int, have, v string, in *setting, live bool) *finding {
	if s := &j.subjects[i]; s.layer == ofInstance {
		live = false // only the hypervisor and the kernel are patched alive
	}
	key := ruleKey{i, have, v, j.classOf(in), live}
	f, ok := j.made[key]
	if !ok {
		f = j.weigh(&j.subjects[i], have, v, in, live)
		j.made[key] = f
	}
	return f
}

// verdictWords is what the documents say, summed up.
type verdictWords struct {
	spoken             int
	claimed, unclaimed int // documents that call it affected; -1: none
	fixed              int // one that calls it fixed; -1: none
	doubt              bool
}

// weigh lets the target and the documents speak and requires that they agree.
func (j *judge) weigh(s *subject, have, v string, in *setting, live bool) *finding {
	t := j.targetWord(s, v, in, live)
	f := &finding{}
	if t.line != "" {
		f.lines = append(f.lines, t.line)
	}
	sum := j.sum(f, j.documentWords(s, have, v, in, live))
	sum.doubt = sum.doubt || t.says == cannot
	if t.need != "" && !slices.Contains(f.needs, t.need) {
		f.needs = append(f.needs, t.need)
	}
	switch {
	case t.says == past && sum.claimed >= 0:
		f.verdict = IsUnknown
		f.lines = append(f.lines, fmt.Sprintf("they contradict each other: target %s calls %s fixed, %s calls it affected", j.target.ID, v, j.docs.all[sum.claimed].ID))
		f.needs = append(f.needs, "a target and an advisory that agree on "+s.pkg)
	case sum.claimed >= 0 || sum.unclaimed >= 0:
		f.verdict = IsAffected
	case t.says == affected && sum.spoken > 0 && !sum.doubt && j.docs.covered:
		j.behindButOut(f, s, v, sum.fixed)
	case t.says == affected:
		f.verdict = IsAffected
	case sum.doubt || (t.says == silent && sum.spoken == 0):
		f.verdict = IsUnknown
		if len(f.needs) == 0 {
			f.needs = append(f.needs, "a record that tells of "+have+" "+v+", such as its distribution's own")
		}
	case t.says == past || sum.fixed >= 0:
		f.verdict = IsFixed
	default:
		f.verdict = NotAffected
	}
	if f.verdict != IsUnknown {
		f.needs = nil // a doubt that decides nothing needs nothing
	}
	return f
}

// sum adds the documents' words to a finding and counts them.
func (j *judge) sum(f *finding, words []word) verdictWords {
	sum := verdictWords{claimed: -1, unclaimed: -1, fixed: -1}
	for _, w := range words {
		f.says = append(f.says, docWord{w.doc, w.says})
		if w.decides() {
			sum.spoken++
		}
		switch w.says {
		case affected:
			if j.docs.claimed[w.doc] {
				sum.claimed = w.doc
			} else {
				sum.unclaimed = w.doc
			}
			f.fix = newerOf(j.eco, f.fix, w.fix)
		case past:
			sum.fixed = w.doc
		case cannot:
			sum.doubt = true
			if w.need != "" && !slices.Contains(f.needs, w.need) {
				f.needs = append(f.needs, w.need)
			}
		}
	}
	f.lines = append(f.lines, telling(words)...)
	return sum
}

// manyWords is how many documents may speak before those that clear a version are only counted.
const manyWords = 12

// telling gives the words' sentences. Of many documents only those that harm or doubt are quoted.
func telling(words []word) (lines []string) {
	cleared := 0
	for _, w := range words {
		if len(words) > manyWords && (w.says == past || w.says == outside) {
			cleared++
			continue
		}
		if w.line != "" {
			lines = append(lines, w.line)
		}
	}
	if cleared > 0 {
		lines = append(lines, fmt.Sprintf("%d further documents call it fixed or not affected", cleared))
	}
	return lines
}

func newerOf(ecosystem, a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	if order, err := version.Compare(ecosystem, a, b); err == nil && order < 0 {
		return b
	}
	return a
}

// behindButOut: the version is below what the target wants, but no document calls it affected.
func (j *judge) behindButOut(f *finding, s *subject, v string, fixed int) {
	switch {
	case fixed < 0:
		f.verdict = NotAffected // older than the vulnerability
	case sourceOfVersion(j.eco, v) == sourceOfVersion(j.eco, s.desired):
		f.verdict = IsFixed
		f.lines = append(f.lines, v+" and "+s.desired+" are builds of the same source")
	default:
		f.verdict = IsUnknown
		f.lines = append(f.lines, fmt.Sprintf("they contradict each other: target %s wants at least %s, %s calls %s fixed", j.target.ID, s.desired, j.docs.all[fixed].ID, v))
		f.needs = append(f.needs, "a target and an advisory that agree on "+s.pkg)
	}
}

// targetWord is what the cohort's desired version says of v.
func (j *judge) targetWord(s *subject, v string, in *setting, live bool) word {
	if s.desired == "" {
		return word{}
	}
	wants := fmt.Sprintf("target %s, cohort %s, wants %s at least %s", j.target.ID, j.name, s.pkg, s.desired)
	if theirs, ours := releaseIn(j.eco, v), releaseIn(j.eco, s.desired); theirs != "" && ours != "" && theirs != ours {
		says := silent
		if !j.docs.covered {
			says = cannot // then nobody speaks for what has no document
		}
		return word{says: says, line: wants + ", which says nothing of " + v + ": they are of " + j.distro() + " " + ours + " and " + theirs}
	}
	order, err := version.Compare(j.eco, v, s.desired)
	if err != nil {
		return word{says: cannot, line: wants + ": " + err.Error()}
	}
	if why := j.incomparable(v, s.desired, order); why != "" {
		return word{says: cannot, line: wants + ": " + why}
	}
	switch {
	case order < 0:
		return j.behind(s, wants+": "+v+" is older", in, live)
	case order == 0:
		return word{says: past, line: wants + ": " + v + " is that"}
	}
	return word{says: past, line: wants + ": " + v + " is newer"}
}

func (j *judge) distro() string {
	name, _ := version.Split(j.eco)
	return name
}

// incomparable says why the order of two versions tells nothing; "" when it does.
func (j *judge) incomparable(v, desired string, order int) string {
	theirs, _ := upstreamOf(v)
	ours, _ := upstreamOf(desired)
	if isPackaged(j.eco, desired) && !isPackaged(j.eco, v) {
		return v + " cannot be compared: " + notPackaged
	}
	if named := releaseIn(j.eco, desired); order > 0 && named != "" && releaseIn(j.eco, v) == "" && j.release == "" && theirs != ours {
		return v + " names no " + j.distro() + " release and is of another upstream version: it may be of a later release, where this fix says nothing (if it is not, name the cohort's ecosystem with its release: " + j.distro() + ":" + named + ")"
	}
	return ""
}

// releaseOf tells the release that v is of: by itself, by the ecosystem, by the cohort's desired
// version; "" when nothing tells. A stream that a vendor keeps apart (rhel_eus:9.2, Pro:20.04) is known
// by the host alone: its versions bear the mark of the release that it is of (.el9_2).
func (j *judge) releaseOf(v, desired string) string {
	if strings.Contains(j.release, ":") {
		return j.release
	}
	return orElse(releaseIn(j.eco, v), orElse(j.release, releaseIn(j.eco, desired)))
}
