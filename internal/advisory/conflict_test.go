package advisory

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func on(day int) time.Time { return time.Date(2026, 1, day, 12, 0, 0, 0, time.UTC) }

// said makes a document on one package.
func said(id, source string, upstream []string, es ...Affected) Advisory {
	return Advisory{ID: id, Source: source, Format: FormatOSV, Upstream: upstream, Affected: es}
}

func spanOf(events ...Event) []Range { return []Range{{Type: "ECOSYSTEM", Events: events}} }

func of(ecosystem, pkg string, events ...Event) Affected {
	return Affected{Ecosystem: ecosystem, Package: pkg, Ranges: spanOf(events...)}
}

func fixedAt(ecosystem, pkg, v string) Affected {
	return of(ecosystem, pkg, Event{Introduced: "0"}, Event{Fixed: v})
}

func TestConflicts(t *testing.T) {
	cve := []string{"CVE-1"}
	for _, c := range []struct {
		name string
		a, b Advisory
		want string // empty: none
	}{
		{"agree", said("CVE-1", "a", nil, fixedAt("Debian:12", "qemu", "2")), said("D-1", "b", cve, fixedAt("Debian:12", "qemu", "2")), ""},
		{"another fix", said("CVE-1", "a", nil, fixedAt("Debian:12", "qemu", "2")), said("D-1", "b", cve, fixedAt("Debian:12", "qemu", "3")),
			"CVE-1 (a) says that Debian:12 qemu is fixed in 2, D-1 (b) in 3"},
		{"written otherwise, the same", said("CVE-1", "a", nil, fixedAt("Debian:12", "qemu", "2-1")), said("D-1", "b", cve, fixedAt("Debian:12", "qemu", "0:2-01")), ""},
		{"another beginning, another fix", said("CVE-1", "a", nil, fixedAt("Debian:12", "qemu", "2")), said("D-1", "b", cve, of("Debian:12", "qemu", Event{Introduced: "1"}, Event{Fixed: "3"})),
			"CVE-1 (a) says that Debian:12 qemu is fixed in 2, D-1 (b) in 3"},
		{"another release", said("CVE-1", "a", nil, fixedAt("Debian:12", "qemu", "2")), said("D-1", "b", cve, fixedAt("Debian:11", "qemu", "3")), ""},
		{"another package", said("CVE-1", "a", nil, fixedAt("Debian:12", "qemu", "2")), said("D-1", "b", cve, fixedAt("Debian:12", "xen", "3")), ""},
		{"another vulnerability", said("CVE-1", "a", nil, fixedAt("Debian:12", "qemu", "2")), said("D-1", "b", []string{"CVE-2"}, fixedAt("Debian:12", "qemu", "3")), ""},
		{"a record of several", said("CVE-1", "a", nil, fixedAt("Debian:12", "qemu", "2")), said("D-1", "b", []string{"CVE-1", "CVE-2"}, fixedAt("Debian:12", "qemu", "3")), ""},
		{"branches of one project", said("CVE-1", "a", nil, of("upstream", "xen", Event{Introduced: "4.16.0"}, Event{Fixed: "4.16.5"})),
			said("XSA-1", "b", cve, of("upstream", "xen", Event{Introduced: "4.17.0"}, Event{Fixed: "4.17.3"})), ""},
		{"a branch's fix", said("CVE-1", "a", nil, of("upstream", "xen", Event{Introduced: "4.16.0"}, Event{Fixed: "4.16.5"}, Event{Introduced: "4.17.0"}, Event{Fixed: "4.17.2"})),
			said("XSA-1", "b", cve, of("upstream", "xen", Event{Introduced: "4.17.0"}, Event{Fixed: "4.17.3"})), "fixed in 4.17.2, XSA-1 (b) in 4.17.3"},
		{"no fix known is none", said("CVE-1", "a", nil, of("Debian:12", "qemu", Event{Introduced: "0"})), said("D-1", "b", cve, fixedAt("Debian:12", "qemu", "3")), ""},
		{"affected past the fix", said("CVE-1", "a", nil, of("Debian:12", "qemu", Event{Introduced: "0"}, Event{LastAffected: "4"})), said("D-1", "b", cve, fixedAt("Debian:12", "qemu", "3")),
			"affected up to 4, D-1 (b) that it is fixed in 3"},
		{"affected up to just before", said("CVE-1", "a", nil, of("Debian:12", "qemu", Event{Introduced: "0"}, Event{LastAffected: "2"})), said("D-1", "b", cve, fixedAt("Debian:12", "qemu", "3")), ""},
		{"denied", said("CVE-1", "a", nil, Affected{Ecosystem: "Debian:12", Package: "qemu", Status: StatusNotAffected}), said("D-1", "b", cve, fixedAt("Debian:12", "qemu", "3")),
			"CVE-1 (a) says that Debian:12 qemu is not affected, D-1 (b) that it is"},
		{"denied of some hosts", said("CVE-1", "a", nil, Affected{Ecosystem: "Debian:12", Package: "qemu", Status: StatusNotAffected, Applies: []Condition{{Arch: []string{"aarch64"}}}}), said("D-1", "b", cve, fixedAt("Debian:12", "qemu", "3")), ""},
		{"fixed by VEX", said("CVE-1", "a", nil, Affected{Ecosystem: "Rocky Linux:9", Package: "qemu-kvm", Status: StatusFixed, Versions: []string{"17:9.0.0-10.el9"}}),
			said("R-1", "b", cve, fixedAt("Rocky Linux:9", "qemu-kvm", "17:9.0.0-11.el9")), "17:9.0.0-10.el9, R-1 (b) in 17:9.0.0-11.el9"},
		{"what cannot be compared", said("CVE-1", "a", nil, fixedAt("Plan9:1", "qemu", "x")), said("D-1", "b", cve, fixedAt("Plan9:1", "qemu", "y")), ""},
		{"withdrawn", Advisory{ID: "CVE-1", Source: "a", Withdrawn: on(3)}, Advisory{ID: "D-1", Source: "b", Aliases: cve}, "CVE-1 (a) was withdrawn on 2026-01-03, D-1 (b) was not"},
		{"disclosed on other days", Advisory{ID: "CVE-1", Source: "a", Disclosure: on(1)}, Advisory{ID: "D-1", Source: "b", Aliases: cve, Disclosure: on(3)}, "became public on 2026-01-01, D-1 (b) on 2026-01-03"},
		{"within a day", Advisory{ID: "CVE-1", Disclosure: on(1)}, Advisory{ID: "D-1", Aliases: cve, Disclosure: on(2)}, ""},
		{"published before it was public", Advisory{ID: "CVE-1", Source: "a", Published: on(1)}, Advisory{ID: "D-1", Source: "b", Aliases: cve, Disclosure: on(9)}, "CVE-1 (a) was published on 2026-01-01"},
		{"a record that came late", Advisory{ID: "CVE-1", Published: on(20)}, Advisory{ID: "D-1", Aliases: cve, Disclosure: on(9)}, ""},
		{"two states of one document", Advisory{ID: "CVE-1", Format: FormatOSV, Modified: on(1), Affected: []Affected{fixedAt("Debian:12", "qemu", "2")}},
			Advisory{ID: "CVE-1", Format: FormatOSV, Modified: on(2), Affected: []Affected{fixedAt("Debian:12", "qemu", "3")}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Conflicts([]Advisory{c.a, {ID: "X-1"}, c.b})
			switch {
			case c.want == "" && len(got) > 0:
				t.Errorf("found %+v", got)
			case c.want != "" && (len(got) != 1 || !strings.Contains(got[0].What, c.want) || !slices.Equal(got[0].Sources, []string{"a", "b"})):
				t.Errorf("found %+v, want %q", got, c.want)
			}
			// The other way round the same is found.
			if back := Conflicts([]Advisory{c.b, c.a}); len(back) != len(got) {
				t.Errorf("the other way round: %+v", back)
			}
		})
	}
}

// TestADocumentNeverContradictsItself: however often and in whatever order it is given.
func TestADocumentNeverContradictsItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Advisory{ID: "CVE-1", Disclosure: on(rapid.IntRange(1, 9).Draw(t, "day"))}
		for range rapid.IntRange(0, 4).Draw(t, "entries") {
			e := of(rapid.SampledFrom([]string{"Debian:12", "Debian:11", "upstream"}).Draw(t, "ecosystem"), rapid.SampledFrom([]string{"qemu", "xen"}).Draw(t, "package"),
				Event{Introduced: "0"}, Event{Fixed: fmt.Sprintf("%d.%d", rapid.IntRange(1, 3).Draw(t, "major"), rapid.IntRange(0, 3).Draw(t, "minor"))})
			if !slices.ContainsFunc(a.Affected, func(o Affected) bool { return o.Ecosystem == e.Ecosystem && o.Package == e.Package }) {
				a.Affected = append(a.Affected, e)
			}
		}
		if got := Conflicts([]Advisory{a, a, a}); len(got) > 0 {
			t.Fatalf("%+v", got)
		}
	})
}

func TestTogether(t *testing.T) {
	got := Together([]Advisory{
		{ID: "CVE-1", Source: "a"}, {ID: "D-1", Source: "b", Upstream: []string{"CVE-1", "CVE-2"}}, {ID: "G-1", Source: "c", Aliases: []string{"CVE-2", "X"}}, {ID: "X", Source: "d"},
	})
	var words []string
	for _, s := range got {
		words = append(words, strings.Join(s.Names, ",")+"="+strings.Join(s.Sources, ","))
	}
	if want := "CVE-1=a,b CVE-2=b,c X=c,d"; strings.Join(words, " ") != want {
		t.Errorf("got %q, want %q", words, want)
	}
}
