package parse

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/evenkeel/evenkeel/internal/advisory"
)

// told turns statements into entries of an advisory. Sources on one package add up: each one's
// affected versions are an entry; what nobody decides is one entry under investigation; where they
// contradict each other both stay, the contradiction is named, and what one of them calls not
// affected is an entry of its own, so that neither wins.
func told(all []*statement) (out []advisory.Affected, gaps []string) {
	for _, of := range packagesOf(all) {
		t := &telling{scale: newScale(of[0].ecosystem, of), runs: map[*statement][]run{}}
		for _, s := range of {
			gaps = append(gaps, s.gaps()...)
			if !s.onlyCommits {
				t.runs[s] = t.scale.runs(s)
			}
		}
		for _, alike := range byConditions(of) {
			t.group(alike)
		}
		t.impliedRest(of)
		out, gaps = append(out, t.out...), append(gaps, t.gaps...)
	}
	return unlike(out), distinct(gaps)
}

// packagesOf puts together the statements on one package, in the order of the record.
func packagesOf(all []*statement) (out [][]*statement) {
	at := map[string]int{}
	for _, s := range all {
		key := s.ecosystem + "\x00" + s.pkg
		i, ok := at[key]
		if !ok {
			i, at[key], out = len(out), len(out), append(out, nil)
		}
		out[i] = append(out[i], s)
	}
	return out
}

// keyOf writes a value so that equal values give equal texts.
func keyOf(v any) string {
	text, _ := json.Marshal(v) // structs of texts: it cannot fail
	return string(text)
}

func byConditions(all []*statement) (out [][]*statement) {
	at := map[string]int{}
	for _, s := range all {
		key := keyOf(s.applies)
		i, ok := at[key]
		if !ok {
			i, at[key], out = len(out), len(out), append(out, nil)
		}
		out[i] = append(out[i], s)
	}
	return out
}

// unlike drops entries that say the same again.
func unlike(list []advisory.Affected) (out []advisory.Affected) {
	seen := map[string]bool{}
	for _, a := range list {
		if key := keyOf(a); !seen[key] {
			seen[key] = true
			out = append(out, a)
		}
	}
	return out
}

// telling makes the entries of one package.
type telling struct {
	scale *scale
	runs  map[*statement][]run
	out   []advisory.Affected
	gaps  []string
}

// group tells what statements under the same conditions say.
func (t *telling) group(of []*statement) {
	base := advisory.Affected{Ecosystem: of[0].ecosystem, Package: of[0].pkg, Applies: of[0].applies}
	from := len(t.out)
	for _, s := range of {
		t.own(base, s)
	}
	open := t.joint(of)
	t.contradictions(base, of)
	t.commits(base, of, from, len(open) == 1 && open[0].lo == 0 && open[0].hi == t.scale.end())
	if len(open) > 0 {
		e := base
		e.Status, e.Why = advisory.StatusUnknown, unknownWhy(of)
		t.fill(&e, open, isUnknown)
		t.out = append(t.out, e)
	}
}

// own adds the entry of one statement: what it calls affected; or what it calls unaffected, when it
// calls nothing affected, says so itself and for everywhere.
func (t *telling) own(base advisory.Affected, s *statement) {
	runs := t.runs[s]
	if len(those(runs, isAffected)) > 0 {
		t.out = append(t.out, t.affected(base, s, runs))
		return
	}
	if free := those(runs, isUnaffected); len(free) > 0 && !s.implied && len(s.applies) == 0 {
		base.Status, base.Why = advisory.StatusNotAffected, "says "+s.source
		t.fill(&base, free, isUnknown)
		t.out = append(t.out, base)
	}
}

// affected is the entry of what a statement calls affected. A version that stands alone is listed,
// and is a range too: lists are compared by their letters, and 6.1 is also 6.1.0.
func (t *telling) affected(e advisory.Affected, s *statement, runs []run) advisory.Affected {
	for i, r := range runs {
		if r.says != isAffected {
			continue
		}
		then := isUnknown
		if i+1 < len(runs) {
			then = runs[i+1].says
		}
		if text, ok := t.scale.single(r); ok {
			e.Versions = append(e.Versions, text)
		}
		events, exact := t.scale.events(r, then)
		e.Ranges = append(e.Ranges, events)
		if !exact {
			t.except(e, s, events.Events[0].Introduced, runs[i-1].says)
		}
	}
	return e
}

// except names a version that a range had to begin with, because an event can only say from a version
// on, and not after it. What is not affected is listed so.
func (t *telling) except(e advisory.Affected, s *statement, v string, itself says) {
	if itself != isUnaffected {
		t.gaps = append(t.gaps, fmt.Sprintf("%s calls %s affected after %s, and leaves %s itself open: a range can only begin with a version, so it seems affected", s.source, s.pkg, v, v))
		return
	}
	t.gaps = append(t.gaps, fmt.Sprintf("%s calls %s affected after %s, and %s itself not: a range can only begin with a version, so %s is listed as not affected beside it", s.source, s.pkg, v, v, v))
	if len(e.Applies) > 0 {
		return // what is not affected here may be elsewhere
	}
	t.out = append(t.out, advisory.Affected{
		Ecosystem: e.Ecosystem, Package: e.Package, Status: advisory.StatusNotAffected, Versions: []string{v}, Why: "says " + s.source + ": only versions after it are affected",
	})
}

// fill gives an entry its ranges; none when it is about all versions.
func (t *telling) fill(e *advisory.Affected, runs []run, then says) {
	if len(runs) == 1 && runs[0].lo == 0 && runs[0].hi == t.scale.end() {
		return
	}
	for _, r := range runs {
		if text, ok := t.scale.single(r); ok {
			e.Versions = append(e.Versions, text)
			continue
		}
		events, _ := t.scale.events(r, then)
		e.Ranges = append(e.Ranges, events)
	}
}

// sweep goes over all that some statements say, place by place, and gives the runs of what `sum`
// makes of the numbers of statements that say affected, unaffected, unknown.
func (t *telling) sweep(of []*statement, sum func(affected, unaffected, unknown int) says) (out []run) {
	type step struct {
		place, by int
		what      says
	}
	var steps []step
	for _, s := range of {
		for _, r := range t.runs[s] {
			steps = append(steps, step{r.lo, 1, r.says}, step{r.hi, -1, r.says})
		}
	}
	slices.SortFunc(steps, func(a, b step) int { return a.place - b.place })
	said := map[says]int{}
	for i, s := range steps {
		said[s.what] += s.by
		if i+1 < len(steps) && steps[i+1].place > s.place {
			out = addRun(out, run{s.place, steps[i+1].place, sum(said[isAffected], said[isUnaffected], said[isUnknown])})
		}
	}
	return out
}

// those are the runs of which one thing is said.
func those(runs []run, what says) (out []run) {
	for _, r := range runs {
		if r.says == what {
			out = append(out, r)
		}
	}
	return out
}

// joint gives the runs of which no statement says anything.
func (t *telling) joint(of []*statement) []run {
	return those(t.sweep(of, func(affected, unaffected, _ int) says {
		if affected+unaffected > 0 {
			return isAffected | isUnaffected
		}
		return isUnknown
	}), isUnknown)
}

func unknownWhy(of []*statement) string {
	var texts []string
	for _, s := range of {
		for _, u := range s.unread {
			texts = append(texts, s.source+": "+u)
		}
		if s.perhaps {
			texts = append(texts, s.source+" ties it to a platform; whether this is it a fleet's facts do not tell")
		}
	}
	if len(texts) == 0 {
		return "the record leaves it open"
	}
	return listed(texts, 2)
}

// commits adds the ranges of commits to the first entry of affected versions that was made from
// `from` on. Where nothing else is said they are an entry: of something that cannot be compared.
func (t *telling) commits(base advisory.Affected, of []*statement, from int, nothing bool) {
	var ranges []advisory.Range
	for _, s := range of {
		ranges = append(ranges, s.commits...)
	}
	if len(ranges) == 0 {
		return
	}
	nothing = nothing || !slices.ContainsFunc(of, func(s *statement) bool { return !s.onlyCommits })
	for i := from; i < len(t.out); i++ {
		if t.out[i].Status == "" {
			t.out[i].Ranges = append(t.out[i].Ranges, ranges...)
			return
		}
	}
	if nothing {
		base.Ranges = ranges
		t.out = append(t.out, base)
	}
	t.gaps = append(t.gaps, "of "+base.Package+" it gives affected commits, which tell nothing of a release")
}

// impliedRest adds what follows from lists that are whole: a version that is in none of them is not
// affected. It is needed where some list has no entry of affected versions, and so says nothing by
// itself.
func (t *telling) impliedRest(of []*statement) {
	var lists []*statement
	needed := false
	for _, s := range of {
		if s.implied {
			lists = append(lists, s)
			needed = needed || len(those(t.runs[s], isAffected)) == 0
		}
	}
	rest := those(t.sweep(lists, func(affected, _, unknown int) says {
		if affected+unknown > 0 {
			return isUnknown
		}
		return isUnaffected
	}), isUnaffected)
	if !needed || len(rest) == 0 {
		return
	}
	e := advisory.Affected{Ecosystem: of[0].ecosystem, Package: of[0].pkg, Status: advisory.StatusNotAffected, Why: "in none of the ranges of " + lists[0].source}
	t.fill(&e, rest, isUnknown)
	t.out = append(t.out, e)
}
