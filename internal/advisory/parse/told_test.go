package parse

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/version"
	"pgregory.net/rapid"
)

// ladder are versions in order.
var ladder = []string{"4.0-rc1", "4.0", "4.0.1", "4.1-rc2", "4.1", "4.1.7", "4.2-unstable", "4.2-rc1", "4.2", "4.2.3", "4.10", "5.0"}

// drawVersions draws an element of versions, written as a record has it.
func drawVersions(t *rapid.T) entry {
	status := rapid.SampledFrom([]says{isAffected, isUnaffected, isUnknown})
	v := rapid.SampledFrom(ladder)
	e := entry{version: v.Draw(t, "version"), says: status.Draw(t, "status")}
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0:
		return e
	case 1:
		e.version = "4.x"
		return e
	case 2:
		e.orEqual = rapid.SampledFrom([]string{"*", "4.*", "4.1.*", "4.2", "5.0"}).Draw(t, "or equal")
	default:
		e.lessThan = v.Draw(t, "less than")
	}
	if rapid.Bool().Draw(t, "from the beginning") {
		e.version = "0"
	}
	for range rapid.IntRange(0, 2).Draw(t, "changes") {
		e.changes = append(e.changes, turning{v.Draw(t, "at"), status.Draw(t, "to")})
	}
	return e
}

// holds is the standard's own 'entry matches V', written once more: by comparisons of v alone.
func (e *entry) holds(v string) (matches, readable bool) {
	cmp := func(a, b string) int {
		o, err := version.Compare(version.Upstream, a, b)
		if err != nil {
			panic(err)
		}
		return o
	}
	if e.version == "4.x" {
		return false, false
	}
	if e.lessThan+e.orEqual == "" {
		return cmp(v, e.version) == 0, true
	}
	below := func(end string) bool {
		switch {
		case end == "*":
			return true
		case end == "4.*":
			return !strings.HasPrefix(v, "5")
		case end == "4.1.*":
			return strings.HasPrefix(v, "4.0") || v == "4.1" || strings.HasPrefix(v, "4.1.") || strings.HasPrefix(v, "4.1-")
		case e.orEqual != "":
			return cmp(v, end) <= 0
		}
		return cmp(v, end) < 0
	}
	if e.version != "0" && e.lessThan != "" && cmp(e.version, e.lessThan) >= 0 {
		return false, false // an empty span
	}
	if e.version != "0" && e.orEqual != "" && !slices.ContainsFunc(ladder, func(w string) bool { return cmp(w, e.version) >= 0 && below2(e, w, cmp) }) {
		return false, false
	}
	return (e.version == "0" || cmp(e.version, v) <= 0) && below(e.lessThan+e.orEqual), true
}

func below2(e *entry, v string, cmp func(a, b string) int) bool {
	switch end := e.orEqual; end {
	case "*":
		return true
	case "4.*":
		return !strings.HasPrefix(v, "5")
	case "4.1.*":
		return cmp(v, "4.2-unstable") < 0
	default:
		return cmp(v, end) <= 0
	}
}

// judged is the standard's algorithm (docs/versions.md) for one version.
func judged(list []entry, rest says, v string) says {
	var doubt says
	for i := range list {
		e := &list[i]
		matches, known := e.holds(v)
		if !known {
			doubt |= e.says
			for _, c := range e.changes {
				doubt |= c.says
			}
			continue
		}
		if !matches {
			continue
		}
		status := e.says
		changes := slices.Clone(e.changes)
		slices.SortStableFunc(changes, func(a, b turning) int { o, _ := version.Compare(version.Upstream, a.at, b.at); return o })
		for _, c := range changes {
			if o, _ := version.Compare(version.Upstream, c.at, v); o <= 0 {
				status = c.says
			}
		}
		return (status | doubt).decided()
	}
	return (rest | doubt).decided()
}

// listedIn says whether an entry names a version, by the contract: in any range, or listed; all, when
// it has neither.
func listedIn(a *advisory.Affected, v string) bool {
	if len(a.Ranges)+len(a.Versions) == 0 {
		return a.Status != ""
	}
	cmp := func(b string) int { o, _ := version.Compare(version.Upstream, v, b); return o }
	for _, r := range a.Ranges {
		in := true
		for _, e := range r.Events {
			in = in && (e.Introduced == "" || e.Introduced == "0" || cmp(e.Introduced) >= 0) && (e.Fixed+e.Limit == "" || cmp(e.Fixed+e.Limit) < 0) && (e.LastAffected == "" || cmp(e.LastAffected) <= 0)
		}
		if in {
			return true
		}
	}
	return slices.ContainsFunc(a.Versions, func(w string) bool { return cmp(w) == 0 })
}

// TestToldIsTheStandardsAlgorithm: the entries say of each version what the standard's algorithm
// says; except of one that an affected range had to begin with, and that is named.
func TestToldIsTheStandardsAlgorithm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.Custom(drawVersions), 0, 5).Draw(t, "versions")
		rest := rapid.SampledFrom([]says{isAffected, isUnaffected, isUnknown}).Draw(t, "default")
		s := &statement{source: "cna", ecosystem: version.Upstream, pkg: "xen", rest: rest}
		for i := range list {
			spans, ok := list[i].spans(s)
			if ok {
				s.spans = append(s.spans, spans...)
				continue
			}
			all := list[i].says
			for _, c := range list[i].changes {
				all |= c.says
			}
			s.missing(all, list[i].words())
		}
		out, gaps := told([]*statement{s})
		for _, v := range ladder {
			want := judged(list, rest, v)
			if slices.ContainsFunc(gaps, func(g string) bool { return strings.Contains(g, " after "+v+",") }) {
				continue
			}
			got := isUnaffected
			for i := range out {
				switch {
				case !listedIn(&out[i], v):
				case out[i].Status == "":
					got = isAffected
				case out[i].Status == advisory.StatusUnknown && got != isAffected:
					got = isUnknown
				}
			}
			if got == isUnknown && want != isUnknown && slices.ContainsFunc(out, func(a advisory.Affected) bool {
				return a.Status == advisory.StatusUnknown && slices.ContainsFunc(a.Ranges, func(r advisory.Range) bool { return r.Events[0].Introduced == v })
			}) {
				continue // an open range had to begin with it: less is known than could be, nothing false
			}
			if got != want {
				t.Fatalf("%s: told %v, the standard says %v\n%q\nof %+v, default %v", v, got, want, shown(out), list, rest)
			}
		}
	})
}

// TestToldIsLinear: records with very many entries; each would take minutes by the square.
func TestToldIsLinear(t *testing.T) {
	many := func(n int, f func(i int) string) string {
		parts := make([]string, n)
		for i := range parts {
			parts[i] = f(i)
		}
		return strings.Join(parts, ",")
	}
	const n = 10_000
	for name, src := range map[string]string{
		"versions": cnaOf(xenEntry("unknown", many(n, func(i int) string {
			return fmt.Sprintf(`{"version": "4.%d", "lessThan": "4.%d", "status": "affected"}`, i, i+3)
		}))),
		"products": cnaOf(many(n, func(i int) string {
			return xenEntry("unknown", fmt.Sprintf(`{"version": "4.%d", "status": "affected"}`, i))
		})),
		"changes": cnaOf(xenEntry("unknown", `{"version": "4.0", "lessThan": "*", "status": "affected", "changes": [`+many(n, func(i int) string {
			return fmt.Sprintf(`{"at": "4.%d", "status": %q}`, i, []string{"affected", "unaffected"}[i%2])
		})+`]}`)),
		"sources": cveOf(`"adp": [` + many(n, func(i int) string {
			return fmt.Sprintf(`{"providerMetadata": {"shortName": "%d"}, "affected": [%s]}`, i, xenEntry("unaffected", fmt.Sprintf(`{"version": "4.%d", "status": "affected"}`, i)))
		}) + `]`),
		"matches": nvdOf(simple(many(n, func(i int) string { return cpeMatchOf(true, anyXen, fmt.Sprintf(`, "versionEndExcluding": "4.%d"`, i)) }))),
		"platforms": nvdOf(`[{"operator": "AND", "nodes": [` + orNode(many(n, func(i int) string { return cpeMatchOf(true, anyXen, fmt.Sprintf(`, "versionEndExcluding": "4.%d"`, i)) })) + `,` + orNode(many(n, func(i int) string {
			return cpeMatchOf(false, fmt.Sprintf("cpe:2.3:h:intel:xeon_%d:-:*:*:*:*:*:*:*", i), "")
		})) + `]}]`),
		"all in one": nvdOf(`[{"nodes": [{"operator": "AND", "cpeMatch": [` + many(n, func(i int) string { return cpeMatchOf(true, anyXen, fmt.Sprintf(`, "versionEndExcluding": "4.%d"`, i)) }) + `]}]}]`),
		"nodes": nvdOf(`[{"operator": "AND", "nodes": [` + many(n, func(i int) string {
			return orNode(cpeMatchOf(true, anyXen, fmt.Sprintf(`, "versionEndExcluding": "4.%d"`, i)))
		}) + `]}]`),
	} {
		t.Run(name, func(t *testing.T) {
			if a := mustOne(t, "x", src); len(a.Affected) == 0 {
				t.Errorf("nothing was read: %q", a.Gaps)
			}
		})
	}
}
