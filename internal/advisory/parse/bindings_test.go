package parse

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/ossf/osv-schema/bindings/go/osvschema"
	"google.golang.org/protobuf/encoding/protojson"
	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/version"
)

// TestOSVAsTheBindings: whatever record is drawn, our reader and the schema's own bindings find the
// same in it.
func TestOSVAsTheBindings(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		src, err := json.Marshal(drawOSV(rt))
		if err != nil {
			rt.Fatal(err)
		}
		out, mistakes := Parse("a.json", src)
		if len(mistakes) > 0 || len(out) != 1 {
			rt.Fatalf("%s\n%v", src, mistakes)
		}
		var theirs osvschema.Vulnerability
		if err := protojson.Unmarshal(src, &theirs); err != nil {
			rt.Fatal(err)
		}
		sameAsBindings(rt, &out[0], &theirs)
	})
}

func sameAsBindings(t rapid.TB, a *advisory.Advisory, b *osvschema.Vulnerability) {
	t.Helper()
	if a.ID != b.GetId() || !slices.Equal(a.Aliases, b.GetAliases()) || !slices.Equal(a.Upstream, b.GetUpstream()) || !a.Modified.Equal(b.GetModified().AsTime()) {
		t.Fatalf("%+v\n%v", a, b)
	}
	if (b.GetWithdrawn() == nil) != a.Withdrawn.IsZero() || (b.GetWithdrawn() != nil && !a.Withdrawn.Equal(b.GetWithdrawn().AsTime())) {
		t.Fatalf("withdrawn %v, %v", a.Withdrawn, b.GetWithdrawn())
	}
	if len(a.Affected) != len(b.GetAffected()) {
		t.Fatalf("%d entries, %d", len(a.Affected), len(b.GetAffected()))
	}
	for i, e := range b.GetAffected() {
		ours := a.Affected[i]
		eco, name := e.GetPackage().GetEcosystem(), e.GetPackage().GetName()
		if eco == "Linux" && name == "Kernel" {
			eco, name = version.Upstream, "linux"
		}
		if ours.Ecosystem != eco || ours.Package != name || !slices.Equal(ours.Versions, e.GetVersions()) || len(ours.Ranges) != len(e.GetRanges()) {
			t.Fatalf("%+v\n%v", ours, e)
		}
		for k, r := range e.GetRanges() {
			if ours.Ranges[k].Type != r.GetType().String() || len(ours.Ranges[k].Events) != len(r.GetEvents()) {
				t.Fatalf("%+v\n%v", ours.Ranges[k], r)
			}
			for m, ev := range r.GetEvents() {
				if want := (advisory.Event{Introduced: ev.GetIntroduced(), Fixed: ev.GetFixed(), LastAffected: ev.GetLastAffected(), Limit: ev.GetLimit()}); ours.Ranges[k].Events[m] != want {
					t.Fatalf("%+v\n%v", ours.Ranges[k].Events[m], ev)
				}
			}
		}
	}
}

// drawOSV draws a record that keeps to the schema, with and without each optional part.
func drawOSV(t *rapid.T) map[string]any {
	id := rapid.StringMatching(`[A-Z]{2,6}-[0-9]{4}-[0-9]{1,6}`)
	moment := rapid.Map(rapid.IntRange(0, 59), func(s int) string { return fmt.Sprintf("2025-03-0%dT10:20:%02dZ", s%9+1, s) })
	doc := map[string]any{"id": id.Draw(t, "id"), "modified": moment.Draw(t, "modified")}
	maybe := func(key string, value func() any) {
		if rapid.Bool().Draw(t, "has "+key) {
			doc[key] = value()
		}
	}
	ids := func() any { return rapid.SliceOfN(id, 0, 3).Draw(t, "ids") }
	maybe("schema_version", func() any { return "1." + rapid.StringMatching(`[0-9](\.[0-9])?`).Draw(t, "version") })
	maybe("aliases", ids)
	maybe("upstream", ids)
	maybe("related", ids)
	maybe("withdrawn", func() any { return moment.Draw(t, "withdrawn") })
	maybe("summary", func() any { return rapid.String().Draw(t, "summary") })
	maybe("database_specific", func() any { return map[string]any{"severity": "LOW", "x": []int{1}} })
	maybe("affected", func() any {
		var entries []any
		for range rapid.IntRange(0, 3).Draw(t, "entries") {
			entries = append(entries, drawOSVEntry(t))
		}
		return entries
	})
	return doc
}

func drawOSVEntry(t *rapid.T) map[string]any {
	eco := rapid.SampledFrom([]string{"Debian:12", "Ubuntu:22.04:LTS", "Alpine:v3.17", "Rocky Linux:9", "openEuler:22.03-LTS-SP3", "SUSE:Linux Enterprise Server 15 SP4", "Linux", "OSS-Fuzz", "GIT", "npm"}).Draw(t, "ecosystem")
	name := "xen"
	if eco == "Linux" {
		name = "Kernel"
	}
	e := map[string]any{}
	kinds := []string{"GIT"}
	if rapid.IntRange(0, 9).Draw(t, "packaged") > 0 {
		e["package"] = map[string]any{"ecosystem": eco, "name": name, "purl": "pkg:x/y"}
		kinds = []string{"GIT", "ECOSYSTEM", "ECOSYSTEM"}
	}
	number := rapid.StringMatching(`[1-9]\.[0-9]{1,2}\.[0-9]`)
	if rapid.Bool().Draw(t, "versions") {
		e["versions"] = rapid.SliceOfN(number, 0, 3).Draw(t, "versions")
	}
	var ranges []any
	for range rapid.IntRange(0, 2).Draw(t, "ranges") {
		v := number
		kind := rapid.SampledFrom(kinds).Draw(t, "kind")
		if kind == "GIT" {
			v = rapid.StringMatching(`[0-9a-f]{40}`)
		}
		events := []any{map[string]any{"introduced": rapid.OneOf(rapid.Just("0"), v).Draw(t, "introduced")}}
		for range rapid.IntRange(0, 2).Draw(t, "events") {
			events = append(events, map[string]any{rapid.SampledFrom([]string{"introduced", "fixed", "limit"}).Draw(t, "event"): v.Draw(t, "v")})
		}
		ranges = append(ranges, map[string]any{"type": kind, "repo": "https://git.example/x", "events": events})
	}
	if ranges != nil {
		e["ranges"] = ranges
	}
	return e
}
