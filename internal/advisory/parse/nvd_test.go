package parse

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/version"
)

// nvdOf is an answer of NVD's with one record of these configurations.
func nvdOf(configurations string) string {
	return `{"resultsPerPage": 1, "startIndex": 0, "totalResults": 1, "format": "NVD_CVE", "version": "2.0", "timestamp": "2026-01-02T00:00:00.000",
"vulnerabilities": [{"cve": {
 "id": "CVE-2026-1000", "sourceIdentifier": "security@xen.example", "published": "2026-01-01T00:15:10.003", "lastModified": "2026-01-02T00:15:00", "vulnStatus": "Analyzed",
 "descriptions": [{"lang": "es", "value": "palabras"}, {"lang": "en", "value": "words\nof it"}],
 "configurations": ` + configurations + `,
 "references": []}}]}`
}

// orNode is a node of alternatives.
func orNode(matches ...string) string {
	return `{"operator": "OR", "negate": false, "cpeMatch": [` + strings.Join(matches, ",\n") + `]}`
}

func cpeMatchOf(vulnerable bool, criteria, bounds string) string {
	return fmt.Sprintf(`{"vulnerable": %t, "criteria": %q%s, "matchCriteriaId": "00000000-0000-0000-0000-000000000000"}`, vulnerable, criteria, bounds)
}

const (
	anyXen  = "cpe:2.3:o:xen:xen:*:*:*:*:*:*:*:*"
	anyQEMU = "cpe:2.3:a:qemu:qemu:*:*:*:*:*:*:*:*"
)

func simple(matches ...string) string { return `[{"nodes": [` + orNode(matches...) + `]}]` }

// shown writes entries in few words, for comparison: package status [range] {version} @condition.
func shown(list []advisory.Affected) (out []string) {
	for _, a := range list {
		var b strings.Builder
		if a.Ecosystem != version.Upstream {
			b.WriteString(a.Ecosystem + " ")
		}
		b.WriteString(a.Package)
		if a.Status != "" {
			b.WriteString(" " + string(a.Status))
		}
		for _, r := range a.Ranges {
			b.WriteString(" [")
			if r.Type != "ECOSYSTEM" {
				b.WriteString(r.Type + " ")
			}
			for i, e := range r.Events {
				if i > 0 {
					b.WriteString(" ")
				}
				for _, p := range [][2]string{{"from ", e.Introduced}, {"fixed ", e.Fixed}, {"last ", e.LastAffected}, {"limit ", e.Limit}} {
					if p[1] != "" {
						b.WriteString(p[0] + p[1])
					}
				}
			}
			b.WriteString("]")
		}
		for _, v := range a.Versions {
			b.WriteString(" {" + v + "}")
		}
		for _, c := range a.Applies {
			b.WriteString(" @" + strings.Join(slices.Concat(c.Hypervisors, c.Arch, c.CPUVendors), "+"))
		}
		out = append(out, b.String())
	}
	return out
}

func TestNVDVersions(t *testing.T) {
	xen := func(rest, bounds string) string {
		return cpeMatchOf(true, "cpe:2.3:o:xen:xen:"+rest, bounds)
	}
	intel := func(product string) string {
		return cpeMatchOf(false, "cpe:2.3:h:intel:"+product+":-:*:*:*:*:*:*:*", "")
	}
	and := func(nodes ...string) string {
		return `[{"operator": "AND", "nodes": [` + strings.Join(nodes, ",") + `]}]`
	}
	for name, c := range map[string]struct {
		configurations string
		want           []string
		gap            string // a part of one of the gaps; empty: there are none
	}{
		"from and fixed": {simple(xen("*:*:*:*:*:*:*:*", `, "versionStartIncluding": "4.12", "versionEndExcluding": "4.17.5"`)), []string{"xen [from 4.12 fixed 4.17.5]"}, ""},
		"up to":          {simple(xen("*:*:*:*:*:*:*:*", `, "versionEndIncluding": "4.17.4"`)), []string{"xen [from 0 last 4.17.4]"}, ""},
		"after": {simple(xen("*:*:*:*:*:*:*:*", `, "versionStartExcluding": "4.11", "versionEndExcluding": "4.17.5"`)),
			[]string{"xen not-affected {4.11}", "xen [from 4.11 fixed 4.17.5]"}, "4.11 is listed as not affected beside it"},
		"open end": {simple(xen("*:*:*:*:*:*:*:*", `, "versionStartIncluding": "4.12"`)), []string{"xen [from 4.12]"}, ""},
		"several configurations add up": {
			`[{"nodes": [` + orNode(xen("*:*:*:*:*:*:*:*", `, "versionEndExcluding": "4.16.6"`)) + `]}, {"nodes": [` + orNode(xen("*:*:*:*:*:*:*:*", `, "versionStartIncluding": "4.17", "versionEndExcluding": "4.17.5"`)) + `]}]`,
			[]string{"xen [from 0 fixed 4.16.6] [from 4.17 fixed 4.17.5]"}, ""},
		"ranges that overlap": {simple(xen("*:*:*:*:*:*:*:*", `, "versionEndExcluding": "4.16.6"`), xen("*:*:*:*:*:*:*:*", `, "versionStartIncluding": "4.16", "versionEndExcluding": "4.17.5"`)),
			[]string{"xen [from 0 fixed 4.17.5]"}, ""},
		"versions":            {simple(xen("4.16.0:-:*:*:*:*:*:*", ""), xen("4.17.0:rc1:*:*:*:*:*:*", "")), []string{"xen [from 4.16.0 last 4.16.0] [from 4.17.0-rc1 last 4.17.0-rc1] {4.16.0} {4.17.0-rc1}"}, ""},
		"no bound":            {simple(xen("*:*:*:*:*:*:x86:*", "")), []string{"xen under-investigation @x86_64+i686"}, "without any bound of versions"},
		"no version":          {simple(xen("-:*:*:*:*:*:*:*", "")), []string{"xen under-investigation"}, "no version that can be compared"},
		"no bound and a list": {simple(xen("*:*:*:*:*:*:*:*", ""), xen("4.16.1:*:*:*:*:*:*:*", "")), []string{"xen [from 4.16.1 last 4.16.1] {4.16.1}", "xen under-investigation [from 0 limit 4.16.1] [from 4.16.1]"}, "without any bound"},
		"bounds of an update": {simple(xen("*:rc7:*:*:*:*:*:*", `, "versionEndIncluding": "4.9.0"`)), []string{"xen under-investigation"}, "with the bounds 4.9.0"},
		"two lower bounds":    {simple(xen("*:*:*:*:*:*:*:*", `, "versionStartIncluding": "4.1", "versionStartExcluding": "4.2"`)), []string{"xen under-investigation"}, "with the bounds"},
		"bounds in disorder":  {simple(xen("*:*:*:*:*:*:*:*", `, "versionStartIncluding": "4.9", "versionEndExcluding": "4.2"`)), []string{"xen under-investigation"}, "with the bounds"},
		"not a release":       {simple(xen("4.13.5-10.58:*:*:*:*:*:*:*", "")), []string{"xen under-investigation"}, "no version that can be compared"},
		"a series":            {simple(xen("4.13*:*:*:*:*:*:*:*", "")), []string{"xen under-investigation"}, "no version that can be compared"},
		"escapes":             {simple(cpeMatchOf(true, `cpe:2.3:a:qemu\-project:qemu:7\.2\.0:rc1:*:*:*:*:*:*`, "")), []string{"qemu [from 7.2.0-rc1 last 7.2.0-rc1] {7.2.0-rc1}"}, ""},
		"two projects": {simple(cpeMatchOf(true, anyQEMU, `, "versionEndExcluding": "7.2.22"`), cpeMatchOf(true, "cpe:2.3:o:linux:linux_kernel:6.1:-:*:*:*:*:*:*", "")),
			[]string{"qemu [from 0 fixed 7.2.22]", "linux [from 6.1 last 6.1] {6.1}"}, ""},
		"target hardware": {simple(xen("*:*:*:*:*:*:arm:*", `, "versionEndExcluding": "4.17.5"`), xen("*:*:*:*:*:*:x86:*", `, "versionEndExcluding": "4.16.6"`)),
			[]string{"xen [from 0 fixed 4.17.5] @aarch64+armv7l", "xen [from 0 fixed 4.16.6] @x86_64+i686"}, ""},
		"distributions": {simple(cpeMatchOf(true, "cpe:2.3:o:debian:debian_linux:11.0:*:*:*:*:*:*:*", ""), cpeMatchOf(true, "cpe:2.3:o:fedoraproject:fedora:35:*:*:*:*:*:*:*", "")),
			nil, "NVD names Debian:11.0, Fedora:35 as affected without a package version"},
		"other software": {simple(cpeMatchOf(true, "cpe:2.3:a:acme:editor:1.0:*:*:*:*:*:*:*", "")), nil, "software that is not known here: acme:editor"},
		"no CPE":         {simple(cpeMatchOf(true, "xen 4.17", "")), nil, `NVD names "xen 4.17", which is no CPE name`},
		"on a model of CPU": {and(orNode(xen("*:*:*:*:*:*:*:*", `, "versionEndExcluding": "4.17.5"`)), orNode(intel("core_i7"), intel("xeon"))),
			[]string{"xen under-investigation [from 0 limit 4.17.5] @intel", "xen not-affected [from 4.17.5]"}, "ties xen to a platform"},
		"on any CPU of a vendor": {and(orNode(xen("*:*:*:*:*:*:*:*", `, "versionEndExcluding": "4.17.5"`)), orNode(intel("*"), cpeMatchOf(false, "cpe:2.3:h:amd:*:-:*:*:*:*:*:*:*", ""))),
			[]string{"xen [from 0 fixed 4.17.5] @intel @amd"}, ""},
		"on Linux": {and(orNode(cpeMatchOf(true, anyQEMU, `, "versionEndExcluding": "7.2.22"`)), orNode(cpeMatchOf(false, "cpe:2.3:o:linux:linux_kernel:-:*:*:*:*:*:*:*", ""))),
			[]string{"qemu [from 0 fixed 7.2.22] @kvm", "qemu under-investigation [from 0 limit 7.2.22] @xen", "qemu not-affected [from 7.2.22]"}, "ties qemu to a platform"},
		"on a distribution": {and(orNode(cpeMatchOf(true, anyQEMU, `, "versionEndExcluding": "7.2.22"`)), orNode(cpeMatchOf(false, "cpe:2.3:o:redhat:enterprise_linux:7.0:*:*:*:*:*:*:*", ""))),
			[]string{"qemu under-investigation [from 0 limit 7.2.22]", "qemu not-affected [from 7.2.22]"}, "ties qemu to a platform"},
		"an AND inside a node": {`[{"nodes": [{"operator": "AND", "cpeMatch": [` + xen("*:*:*:*:*:*:*:*", `, "versionEndExcluding": "4.17.5"`) + `,` + intel("*") + `]}]}]`,
			[]string{"xen [from 0 fixed 4.17.5] @intel"}, ""},
		"what does not go together": {and(orNode(xen("*:*:*:*:*:*:x86:*", `, "versionEndExcluding": "4.17.5"`)), orNode(cpeMatchOf(false, "cpe:2.3:o:acme:os:-:*:*:*:*:*:arm:*", ""))),
			[]string{"xen under-investigation [from 0 limit 4.17.5]", "xen not-affected [from 4.17.5]"}, "ties xen"},
		"negated": {`[{"nodes": [{"operator": "OR", "negate": true, "cpeMatch": [` + xen("*:*:*:*:*:*:*:*", `, "versionEndExcluding": "4.17.5"`) + `]}]}]`,
			[]string{"xen under-investigation"}, "negated"},
		"a negated platform": {`[{"operator": "AND", "nodes": [` + orNode(xen("*:*:*:*:*:*:*:*", `, "versionEndExcluding": "4.17.5"`)) + `, {"operator": "OR", "negate": true, "cpeMatch": [` + intel("*") + `]}]}]`,
			[]string{"xen under-investigation [from 0 limit 4.17.5]", "xen not-affected [from 4.17.5]"}, "ties xen"},
		"a platform alone": {simple(cpeMatchOf(false, anyXen, "")), nil, "it names no package with versions"},
		"nothing":          {`[]`, nil, "it names no package with versions"},
		"on Windows":       {simple(cpeMatchOf(true, "cpe:2.3:a:qemu:qemu:*:*:*:*:*:windows:*:*", `, "versionEndExcluding": "7.2.22"`)), []string{"qemu under-investigation [from 0 limit 7.2.22] @xen", "qemu not-affected [from 7.2.22]"}, "ties qemu"},
	} {
		t.Run(name, func(t *testing.T) {
			a := mustOne(t, "nvd.json", nvdOf(c.configurations))
			if got := shown(a.Affected); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
			if c.gap == "" && len(a.Gaps) > 0 || !strings.Contains(strings.Join(a.Gaps, "\n"), c.gap) {
				t.Errorf("gaps %q, want one with %q", a.Gaps, c.gap)
			}
		})
	}
}

func TestNVDFields(t *testing.T) {
	a := mustOne(t, "nvd.json", nvdOf(`[]`))
	if a.ID != "CVE-2026-1000" || a.Format != advisory.FormatNVD || a.Summary != "words of it" || a.Source != "nvd.json" {
		t.Errorf("%+v", a)
	}
	if want := time.Date(2026, 1, 1, 0, 15, 10, 3_000_000, time.UTC); !a.Published.Equal(want) || a.Published.Location() != time.UTC {
		t.Errorf("published %v, want %v", a.Published, want)
	}
	if !a.Withdrawn.IsZero() || len(a.Aliases) > 0 {
		t.Errorf("%+v", a)
	}
}

// TestNVDShapes: a page, an element of it and a record alone say the same.
func TestNVDShapes(t *testing.T) {
	record := `{"id": "CVE-2026-1000", "sourceIdentifier": "a@b.example", "published": "2026-01-01T00:00:00.000", "lastModified": "2026-01-01T00:00:00.000", "vulnStatus": "Analyzed", "configurations": ` + simple(cpeMatchOf(true, anyXen, `, "versionEndExcluding": "4.17.5"`)) + `}`
	page := must(t, "x", `{"vulnerabilities": [{"cve": `+record+`}, {"cve": `+strings.Replace(record, "1000", "1001", 1)+`}]}`)
	if len(page) != 2 || page[1].ID != "CVE-2026-1001" {
		t.Fatalf("%+v", page)
	}
	for _, src := range []string{`{"cve": ` + record + `}`, record} {
		if got := mustOne(t, "x", src); !reflect.DeepEqual(got, page[0]) {
			t.Errorf("got  %+v\nwant %+v", got, page[0])
		}
	}
	if got := must(t, "x", `{"vulnerabilities": []}`); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestNVDStatus(t *testing.T) {
	for status, want := range map[string]struct {
		gap       string
		withdrawn bool
	}{
		"Received": {"is not analysed yet", false}, "Awaiting Analysis": {"is not analysed yet", false}, "Undergoing Analysis": {"is not analysed yet", false},
		"Deferred": {"it will not analyse", false}, "Rejected": {"since when", true}, "Analyzed": {"it names no package", false},
	} {
		a := mustOne(t, "x", strings.Replace(nvdOf(`[]`), "Analyzed", status, 1))
		if !strings.Contains(strings.Join(a.Gaps, "\n"), want.gap) || a.Withdrawn.IsZero() == want.withdrawn {
			t.Errorf("%s: withdrawn %v, gaps %q", status, a.Withdrawn, a.Gaps)
		}
		if want.withdrawn && !a.Withdrawn.Equal(a.Modified) {
			t.Errorf("withdrawn %v, want %v", a.Withdrawn, a.Modified)
		}
	}
	if a := mustOne(t, "x", `{"cve": {"id": "CVE-2026-1", "vulnStatus": "Rejected"}}`); a.Withdrawn.IsZero() {
		t.Error("rejected at a time that is not given: it stands")
	}
}

func TestNVDSeverity(t *testing.T) {
	metric := func(kind, vector string) string {
		return fmt.Sprintf(`{"source": "x", "type": %q, "cvssData": {"vectorString": %q}}`, kind, vector)
	}
	for metrics, want := range map[string]string{
		`{}`: "",
		`{"cvssMetricV2": [` + metric("Primary", "AV:L") + `], "cvssMetricV31": [` + metric("Secondary", "CVSS:3.1/AV:N") + `]}`:                                               "CVSS:3.1/AV:N",
		`{"cvssMetricV31": [` + metric("Secondary", "CVSS:3.1/AV:N") + `,` + metric("Primary", "CVSS:3.1/AV:L") + `], "cvssMetricV30": []}`:                                    "CVSS:3.1/AV:L",
		`{"cvssMetricV31": [` + metric("Primary", "CVSS:3.1/AV:L") + `,` + metric("Secondary", "CVSS:3.1/AV:N") + `]}`:                                                         "CVSS:3.1/AV:L",
		`{"cvssMetricV31": [` + metric("Primary", "CVSS:3.1/AV:L") + `], "cvssMetricV40": [` + metric("Secondary", "CVSS:4.0/AV:N") + `]}`:                                     "CVSS:4.0/AV:N",
		`{"cvssMetricV2": [` + metric("Primary", "AV:L/AC:L/Au:N/C:C/I:C/A:C") + `], "cvssMetricV30": [` + metric("Primary", "CVSS:3.0/AV:P") + `], "cvssMetricV31": [` + `]}`: "CVSS:3.0/AV:P",
	} {
		src := strings.Replace(nvdOf(`[]`), `"references"`, `"metrics": `+metrics+`, "references"`, 1)
		if a := mustOne(t, "x", src); a.Severity != want {
			t.Errorf("%s: got %q, want %q", metrics, a.Severity, want)
		}
	}
}

func TestNVDReferences(t *testing.T) {
	for refs, want := range map[string]string{
		`[]`: "",
		`[{"url": "http://xenbits.xen.org/xsa/advisory-408.html"}, {"url": "https://xenbits.xenproject.org/xsa/advisory-408.txt"}]`: "XSA-408",
		`[{"url": "http://xenbits.xen.org/xsa/advisory-408.html"}, {"url": "http://xenbits.xen.org/xsa/advisory-401.html"}]`:        "",
		`[{"url": "https://mirror.example/xenbits.xen.org/xsa/advisory-408.html"}]`:                                                 "",
	} {
		a := mustOne(t, "x", strings.Replace(nvdOf(`[]`), `"references": []`, `"references": `+refs, 1))
		if got := strings.Join(a.Aliases, ","); got != want {
			t.Errorf("%s: got %q, want %q", refs, got, want)
		}
		if strings.Contains(refs, "401") && !strings.Contains(strings.Join(a.Gaps, "\n"), "XSA-408, XSA-401") {
			t.Errorf("gaps %q", a.Gaps)
		}
	}
	src := strings.Replace(nvdOf(`[]`), `"references"`, `"cveTags": [{"sourceIdentifier": "x", "tags": ["disputed"]}], "references"`, 1)
	if a := mustOne(t, "x", src); !strings.Contains(strings.Join(a.Gaps, "\n"), "disputed") {
		t.Errorf("gaps %q", a.Gaps)
	}
}

// TestNVDAffected: since 2026 NVD repeats what the CVE's sources say; where one leaves open what the
// other tells, the other counts, and where they differ both are named.
func TestNVDAffected(t *testing.T) {
	record := func(configurations, affected string) string {
		return strings.Replace(nvdOf(configurations), `"references"`, `"affected": [{"source": "security@xen.example", "affectedData": [`+affected+`]}], "references"`, 1)
	}
	fixed := simple(cpeMatchOf(true, anyXen, `, "versionEndExcluding": "4.17.5"`))
	a := mustOne(t, "x", record(fixed, `{"vendor": "Xen", "product": "xen", "versions": [{"version": "consult Xen advisory XSA-408", "status": "unknown"}]}`))
	if got := shown(a.Affected); !reflect.DeepEqual(got, []string{"xen [from 0 fixed 4.17.5]"}) || !slices.Equal(a.Aliases, []string{"XSA-408"}) || !strings.Contains(strings.Join(a.Gaps, "\n"), "consult Xen advisory") {
		t.Errorf("%q %q %q", got, a.Aliases, a.Gaps)
	}
	a = mustOne(t, "x", record(fixed, `{"vendor": "Xen", "product": "xen", "defaultStatus": "unaffected", "versions": [{"version": "4.12", "lessThan": "4.17.6", "versionType": "semver", "status": "affected"}]}`))
	want := []string{"xen [from 0 fixed 4.17.5]", "xen [from 4.12 fixed 4.17.6]", "xen not-affected [from 0 limit 4.12]", "xen not-affected [from 4.17.5 limit 4.17.6]"}
	if got := shown(a.Affected); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for _, gap := range []string{"NVD calls xen affected, security@xen.example calls it unaffected: the first version to before 4.12", "security@xen.example calls xen affected, NVD calls it unaffected: 4.17.5 to before 4.17.6"} {
		if !slices.ContainsFunc(a.Gaps, func(g string) bool { return strings.Contains(g, gap) }) {
			t.Errorf("no %q in %q", gap, a.Gaps)
		}
	}
}

func TestNVDMistakes(t *testing.T) {
	at := func(from, to string) string {
		return strings.Replace(nvdOf(simple(cpeMatchOf(true, anyXen, `, "versionEndExcluding": "4.17.5"`))), from, to, 1)
	}
	refused(t, "n", map[string][2]string{
		"no id":            {at(`"id": "CVE-2026-1000", `, ``), `n:2:29: vulnerabilities[0].cve.id: found nothing, expected the id of a CVE`},
		"empty id":         {at(`"CVE-2026-1000"`, `""`), `n:3:8: vulnerabilities[0].cve.id: found "", expected the id`},
		"id a number":      {at(`"CVE-2026-1000"`, `7`), `n:3:8: vulnerabilities[0].cve.id: found 7, expected text`},
		"moment":           {at(`2026-01-01T00:15:10.003`, `yesterday`), `published: found "yesterday", expected a moment such as`},
		"no record":        {`{"vulnerabilities": [{}]}`, `n:1:22: vulnerabilities[0].cve: found nothing, expected a CVE record`},
		"record a text":    {`{"cve": "x"}`, `n:1:9: cve: found "x", expected an object`},
		"element a text":   {`{"vulnerabilities": ["x"]}`, `n:1:22: vulnerabilities[0]: found "x", expected an object with cve`},
		"not an array":     {`{"vulnerabilities": {}}`, `vulnerabilities: found an object, expected an array`},
		"nodes":            {at(`"nodes": [`, `"nodes": [7, `), `configurations[0].nodes[0]: found 7, expected a node`},
		"operator":         {at(`"operator": "OR"`, `"operator": "XOR"`), `nodes[0].operator: found "XOR", expected AND or OR`},
		"negate":           {at(`"negate": false`, `"negate": "no"`), `nodes[0].negate: found "no", expected true or false`},
		"vulnerable":       {at(`"vulnerable": true`, `"vulnerable": 1`), `cpeMatch[0].vulnerable: found 1, expected true or false`},
		"criteria":         {at(`"criteria": "`+anyXen+`"`, `"criteria": null, "x": [], "versionEndIncluding": 4`), `cpeMatch[0].versionEndIncluding: found 4, expected text`},
		"bound":            {at(`"versionEndExcluding": "4.17.5"`, `"versionEndExcluding": 4.17`), `cpeMatch[0].versionEndExcluding: found 4.17, expected text`},
		"metrics":          {at(`"references"`, `"metrics": [], "references"`), `cve.metrics: found an array, expected an object`},
		"vector":           {at(`"references"`, `"metrics": {"cvssMetricV2": [{"cvssData": {"vectorString": true}}]}, "references"`), `vectorString: found true, expected text`},
		"reference":        {at(`"references": []`, `"references": ["x"]`), `references[0]: found "x", expected an object with url`},
		"tags":             {at(`"references"`, `"cveTags": [{"tags": "disputed"}], "references"`), `cveTags[0].tags: found "disputed", expected an array`},
		"status":           {at(`"Analyzed"`, `false`), `vulnStatus: found false, expected text`},
		"cut short":        {nvdOf(`[]`)[:300], `found the end of the file, expected JSON`},
		"a key twice":      {at(`"references": []`, `"references": [], "id": "x"`), `cve.id: found this key a second time`},
		"several are told": {`{"vulnerabilities": [{"cve": {"id": 1}},` + "\n" + `{"cve": {"id": 2}}]}`, "n:2:16: vulnerabilities[1].cve.id: found 2, expected text"},
	})
}

// TestNVDPage: a page of 2,000 records is read in a time that grows with its length; the bound is far
// above what it takes, so that only the square of the length breaks it.
func TestNVDPage(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"vulnerabilities": [`)
	var matches []string
	for i := range 40 {
		matches = append(matches, cpeMatchOf(true, fmt.Sprintf("cpe:2.3:o:linux:linux_kernel:6.%d:rc1:*:*:*:*:*:*", i), ""))
	}
	for i := range 2000 {
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, `{"cve": {"id": "CVE-2026-%d", "configurations": %s}}`, i+1, simple(matches...))
	}
	b.WriteString(`]}`)
	out := must(t, "x", b.String())
	if len(out) != 2000 || len(out[1999].Affected) != 1 || len(out[1999].Affected[0].Versions) != 40 {
		t.Fatalf("%d records of %d bytes", len(out), b.Len())
	}
}

func FuzzNVD(f *testing.F) {
	f.Add([]byte(nvdOf(simple(cpeMatchOf(true, anyXen, `, "versionStartExcluding": "4.1", "versionEndIncluding": "4.17.*"`)))))
	f.Add([]byte(nvdOf(`[{"operator": "AND", "negate": true, "nodes": [` + orNode(cpeMatchOf(true, anyQEMU, "")) + `,` + orNode(cpeMatchOf(false, "cpe:2.3:h:intel:xeon:-:*:*:*:*:*:x86:*", "")) + `, {}]}]`)))
	f.Fuzz(func(t *testing.T, src []byte) { hold(t, "f", src) })
}
