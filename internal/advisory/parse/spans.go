package parse

import (
	"slices"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/version"
)

// scale puts all versions that some statements name in order and numbers the places between them:
// place 0 is the beginning of all, 2r+1 just before the version of rank r, 2r+2 just after it.
// Versions that are equal, such as 6.1 and 6.1.0, have one rank.
type scale struct {
	texts []string // one for each rank
	rank  map[string]int
}

func newScale(ecosystem string, list []*statement) *scale {
	var all []string
	for _, s := range list {
		for _, p := range s.spans {
			for _, e := range []edge{p.lo, p.hi} {
				if !p.unread && e.at != "" {
					all = append(all, e.at)
				}
			}
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	order := func(a, b string) int { o, _ := version.Compare(ecosystem, a, b); return o }
	slices.SortStableFunc(all, order)
	sc := &scale{rank: make(map[string]int, len(all))}
	for _, text := range all {
		if n := len(sc.texts); n == 0 || order(sc.texts[n-1], text) != 0 {
			sc.texts = append(sc.texts, text)
		}
		sc.rank[text] = len(sc.texts) - 1
	}
	return sc
}

func (sc *scale) end() int { return 2*len(sc.texts) + 1 }

// place of an edge; atEnd: what an open edge stands for.
func (sc *scale) place(e edge, open int) int {
	switch {
	case e.at == "":
		return open
	case e.after:
		return 2*sc.rank[e.at] + 2
	}
	return 2*sc.rank[e.at] + 1
}

// run is a stretch of places of which one thing is said.
type run struct {
	lo, hi int
	says   says
}

// runs gives what a statement says, from the beginning to the end. It takes n log n for n spans.
func (sc *scale) runs(s *statement) (out []run) {
	cuts := []int{0, sc.end()}
	for _, p := range s.spans {
		if !p.unread {
			cuts = append(cuts, sc.place(p.lo, 0), sc.place(p.hi, sc.end()))
		}
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	at := func(place int) int { i, _ := slices.BinarySearch(cuts, place); return i }
	found := make([]says, len(cuts)-1)
	next := make([]int, len(cuts)) // the first piece at or behind this one that no span holds yet
	for i := range next {
		next[i] = i
	}
	free := func(i int) int {
		for next[i] != i {
			next[i] = next[next[i]]
			i = next[i]
		}
		return i
	}
	var doubt says // what unread spans, which might hold any version, have said so far
	for _, p := range s.spans {
		if p.unread {
			doubt |= p.says
			continue
		}
		last := at(sc.place(p.hi, sc.end()))
		for i := free(at(sc.place(p.lo, 0))); i < last; i = free(i) {
			found[i], next[i] = (p.says | doubt).decided(), i+1
		}
	}
	for i, what := range found {
		if what == 0 {
			what = (s.rest | doubt).decided()
		}
		out = addRun(out, run{cuts[i], cuts[i+1], what})
	}
	return out
}

// addRun appends, joined with the one before where it goes on.
func addRun(out []run, r run) []run {
	if n := len(out); n > 0 && out[n-1].hi == r.lo && out[n-1].says == r.says {
		out[n-1].hi = r.hi
		return out
	}
	return append(out, r)
}

// single gives the version that a run holds and no other; ok is false when it holds more.
func (sc *scale) single(r run) (text string, ok bool) {
	if r.hi == r.lo+1 && r.lo%2 == 1 {
		return sc.texts[r.lo/2], true
	}
	return "", false
}

// events gives a run as a range. then is what is said behind it: where that is not 'unaffected', the
// end is no fix but only where the source stops to look. exact is false when the run begins just
// after a version, for which there is no event: then the range holds that version too.
func (sc *scale) events(r run, then says) (out advisory.Range, exact bool) {
	first, exact := "0", true
	if r.lo > 0 {
		first, exact = sc.texts[(r.lo-1)/2], r.lo%2 == 1
	}
	out = advisory.Range{Type: "ECOSYSTEM", Events: []advisory.Event{{Introduced: first}}}
	switch {
	case r.hi == sc.end():
	case r.hi%2 == 0:
		out.Events = append(out.Events, advisory.Event{LastAffected: sc.texts[(r.hi-1)/2]})
	case then == isUnaffected:
		out.Events = append(out.Events, advisory.Event{Fixed: sc.texts[(r.hi-1)/2]})
	default:
		out.Events = append(out.Events, advisory.Event{Limit: sc.texts[(r.hi-1)/2]})
	}
	return out, exact
}

// words tells a run to people.
func (sc *scale) words(r run) string {
	if text, ok := sc.single(r); ok {
		return text
	}
	lo, hi := "the first version", "all later ones"
	if r.lo > 0 {
		lo = sc.texts[(r.lo-1)/2]
		if r.lo%2 == 0 {
			lo = "after " + lo
		}
	}
	if r.hi < sc.end() {
		hi = sc.texts[(r.hi-1)/2]
		if r.hi%2 == 1 {
			hi = "before " + hi
		}
	}
	return lo + " to " + hi
}
