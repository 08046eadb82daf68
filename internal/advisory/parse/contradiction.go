package parse

import (
	"fmt"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/advisory"
)

// maxSources bounds how many sources on one package are held against each other.
const maxSources = 16

// contradictions names where one source calls affected what another calls unaffected.
func (t *telling) contradictions(base advisory.Affected, of []*statement) {
	var sources []string
	for _, s := range of {
		if !s.onlyCommits && !slices.Contains(sources, s.source) && len(sources) <= maxSources {
			sources = append(sources, s.source)
		}
	}
	if len(sources) < 2 {
		return
	}
	if len(sources) > maxSources {
		t.gaps = append(t.gaps, fmt.Sprintf("more than %d sources speak of %s: they were not held against each other", maxSources, base.Package))
		return
	}
	views := make([][]run, len(sources))
	for i, name := range sources {
		views[i] = t.view(of, name)
	}
	for i, yes := range sources {
		for k, no := range sources {
			if i != k {
				t.contradiction(base, yes, no, views[i], views[k])
			}
		}
	}
}

// view is what one source says: affected if any of its statements does, unaffected if none leaves it
// open.
func (t *telling) view(of []*statement, source string) []run {
	var own []*statement
	for _, s := range of {
		if s.source == source {
			own = append(own, s)
		}
	}
	return t.sweep(own, func(affected, unaffected, unknown int) says {
		switch {
		case affected > 0:
			return isAffected
		case unknown > 0 || unaffected == 0:
			return isUnknown
		}
		return isUnaffected
	})
}

func (t *telling) contradiction(base advisory.Affected, yes, no string, a, b []run) {
	var runs []run
	for i, k := 0, 0; i < len(a) && k < len(b); {
		lo, hi := max(a[i].lo, b[k].lo), min(a[i].hi, b[k].hi)
		if lo < hi && a[i].says == isAffected && b[k].says == isUnaffected {
			runs = addRun(runs, run{lo, hi, isAffected})
		}
		if a[i].hi < b[k].hi {
			i++
		} else {
			k++
		}
	}
	runs = slices.DeleteFunc(runs, t.onlyBeforeRelease)
	if len(runs) == 0 {
		return
	}
	var where []string
	for _, r := range runs {
		where = append(where, t.scale.words(r))
	}
	t.gaps = append(t.gaps, fmt.Sprintf("they contradict each other: %s calls %s affected, %s calls it unaffected: %s", yes, base.Package, no, listed(where, 3)))
	if len(base.Applies) > 0 {
		return // what is not affected here may be elsewhere
	}
	base.Status, base.Why = advisory.StatusNotAffected, "says "+no+"; "+yes+" calls it affected"
	t.fill(&base, runs, isUnknown)
	t.out = append(t.out, base)
}

// onlyBeforeRelease: a run that holds nothing but what comes before the release that ends it, as
// 5.5-rc1 to before 5.5. One source begins a series with the first thing called so, another with
// its release: that is no contradiction worth a name.
func (t *telling) onlyBeforeRelease(r run) bool {
	if r.lo == 0 || r.hi == t.scale.end() || r.hi%2 == 0 {
		return false
	}
	release := t.scale.texts[(r.hi-1)/2]
	number, stage, found := strings.Cut(t.scale.texts[(r.lo-1)/2], "-")
	return found && stage != "" && number == release
}
