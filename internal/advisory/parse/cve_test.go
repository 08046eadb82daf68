package parse

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
)

// cveOf is a CVE record of these containers.
func cveOf(containers string) string {
	return `{"dataType": "CVE_RECORD", "dataVersion": "5.1",
"cveMetadata": {"cveId": "CVE-2026-1000", "assignerOrgId": "00000000-0000-4000-9000-000000000000", "state": "PUBLISHED", "assignerShortName": "XEN", "dateReserved": "2025-12-01T00:00:00", "datePublished": "2026-01-01T00:00:00", "dateUpdated": "2026-01-02T03:04:05.678Z"},
"containers": {` + containers + `}}`
}

// cnaOf is a record with one container.
func cnaOf(affected string) string {
	return cveOf(`"cna": {"providerMetadata": {"orgId": "0", "shortName": "acme"}, "descriptions": [{"lang": "en", "value": "words"}], "affected": [` + affected + `]}`)
}

// xenEntry is an entry of Xen's with these versions.
func xenEntry(rest, versions string) string {
	if rest != "" {
		rest = `"defaultStatus": "` + rest + `", `
	}
	return `{"vendor": "Xen", "product": "Xen", ` + rest + `"versions": [` + versions + `]}`
}

// kernel is the shape of the Linux kernel's records: ranges of commits, and releases of which all
// are affected but those before the flaw and those from each series' fix to its end.
const kernel = `{"product": "Linux", "vendor": "Linux", "defaultStatus": "unaffected", "repo": "https://git.kernel.example/linux.git", "programFiles": ["net/a.c"], "versions": [
  {"version": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "lessThan": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "status": "affected", "versionType": "git"},
  {"version": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "lessThan": "cccccccccccccccccccccccccccccccccccccccc", "status": "affected", "versionType": "git"}]},
 {"product": "Linux", "vendor": "Linux", "defaultStatus": "affected", "repo": "https://git.kernel.example/linux.git", "versions": [
  {"version": "5.10", "status": "affected"},
  {"version": "0", "lessThan": "5.10", "status": "unaffected", "versionType": "semver"},
  {"version": "6.1.158", "lessThanOrEqual": "6.1.*", "status": "unaffected", "versionType": "semver"},
  {"version": "6.6.117", "lessThanOrEqual": "6.6.*", "status": "unaffected", "versionType": "semver"},
  {"version": "6.18", "lessThanOrEqual": "*", "status": "unaffected", "versionType": "original_commit_for_fix"}]}`

const (
	gits       = "[GIT from aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa fixed bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb] [GIT from aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa fixed cccccccccccccccccccccccccccccccccccccccc]"
	kernelWant = "linux [from 5.10 fixed 6.1.158] [from 6.2-rc1 fixed 6.6.117] [from 6.7-rc1 fixed 6.18] " + gits
)

func TestCVEVersions(t *testing.T) {
	for name, c := range map[string]struct {
		affected string
		want     []string
		gap      string // a part of one of the gaps; empty: there are none
	}{
		"the kernel":               {kernel, []string{kernelWant}, ""},
		"unaffected but for":       {xenEntry("unaffected", `{"version": "4.12", "lessThan": "4.17.5", "status": "affected", "versionType": "semver"}`), []string{"xen [from 4.12 fixed 4.17.5]"}, ""},
		"the default is unknown":   {xenEntry("", `{"version": "4.12", "lessThan": "4.17.5", "status": "affected", "versionType": "semver"}`), []string{"xen [from 4.12 limit 4.17.5]", "xen under-investigation [from 0 limit 4.12] [from 4.17.5]"}, ""},
		"up to and with":           {xenEntry("unaffected", `{"version": "0", "lessThanOrEqual": "4.17.4", "status": "affected", "versionType": "custom"}`), []string{"xen [from 0 last 4.17.4]"}, ""},
		"from an asterisk":         {xenEntry("unaffected", `{"version": "*", "lessThan": "4.17.5", "status": "affected", "versionType": "custom"}`), []string{"xen [from 0 fixed 4.17.5]"}, ""},
		"to an asterisk":           {xenEntry("unaffected", `{"version": "4.12", "lessThan": "*", "status": "affected", "versionType": "custom"}`), []string{"xen [from 4.12]"}, ""},
		"to a series' end":         {xenEntry("unaffected", `{"version": "4.12", "lessThan": "4.19.*", "status": "affected", "versionType": "custom"}`), []string{"xen [from 4.12 fixed 4.20-unstable]"}, ""},
		"one version":              {xenEntry("unaffected", `{"version": "4.17.0-rc1", "status": "affected"}`), []string{"xen [from 4.17.0-rc1 last 4.17.0-rc1] {4.17.0-rc1}"}, ""},
		"all but one":              {xenEntry("affected", `{"version": "4.17.5", "status": "unaffected"}`), []string{"xen not-affected {4.17.5}", "xen [from 0 fixed 4.17.5] [from 4.17.5]"}, "4.17.5 is listed as not affected beside it"},
		"the first span counts":    {xenEntry("unaffected", `{"version": "4.16", "lessThan": "4.16.*", "status": "unaffected", "versionType": "semver"}, {"version": "4.12", "lessThan": "4.17.5", "status": "affected", "versionType": "semver"}`), []string{"xen [from 4.12 fixed 4.16] [from 4.17-unstable fixed 4.17.5]"}, ""},
		"changes":                  {xenEntry("unaffected", `{"version": "4.12", "lessThan": "4.*", "status": "affected", "versionType": "semver", "changes": [{"at": "4.17.0", "status": "affected"}, {"at": "4.16.6", "status": "unaffected"}, {"at": "4.17.5", "status": "unaffected"}]}`), []string{"xen [from 4.12 fixed 4.16.6] [from 4.17.0 fixed 4.17.5]"}, ""},
		"changes outside":          {xenEntry("unaffected", `{"version": "4.12", "lessThan": "4.14", "status": "unaffected", "versionType": "semver", "changes": [{"at": "4.10", "status": "affected"}, {"at": "4.15", "status": "unaffected"}]}`), []string{"xen [from 4.12 fixed 4.14]"}, ""},
		"all, by default":          {`{"vendor": "Xen", "product": "Xen", "defaultStatus": "affected"}`, []string{"xen [from 0]"}, ""},
		"none, by default":         {`{"vendor": "Xen", "product": "Xen", "defaultStatus": "unaffected"}`, []string{"xen not-affected"}, ""},
		"nothing said":             {`{"vendor": "Xen", "product": "Xen"}`, []string{"xen under-investigation"}, ""},
		"fixed from, rest unknown": {xenEntry("unknown", `{"version": "4.17.5", "lessThan": "*", "status": "unaffected", "versionType": "custom"}`), []string{"xen not-affected [from 4.17.5]", "xen under-investigation [from 0 limit 4.17.5]"}, ""},

		"Xen's own":              {xenEntry("unknown", `{"status": "unknown", "version": "consult Xen advisory XSA-464"}`), []string{"xen under-investigation"}, `"consult Xen advisory XSA-464"`},
		"n/a":                    {`{"vendor": "n/a", "product": "n/a", "versions": [{"status": "affected", "version": "n/a"}]}`, nil, "names neither vendor nor product"},
		"a product of nobody's":  {`{"vendor": "n/a", "product": "QEMU", "versions": [{"status": "affected", "version": "n/a"}]}`, []string{"qemu under-investigation"}, `"n/a"`},
		"words for versions":     {`{"vendor": "n/a", "product": "QEMU", "defaultStatus": "unaffected", "versions": [{"status": "affected", "version": "qemu before 7.2"}]}`, []string{"qemu under-investigation"}, "before 7.2"},
		"series of old":          {xenEntry("", `{"version": "4.13.x", "lessThan": "unspecified", "status": "affected", "versionType": "custom"}, {"version": "unspecified", "lessThan": "4.12", "status": "unknown", "versionType": "custom"}`), []string{"xen under-investigation"}, `"4.13.x to before unspecified"`},
		"zero alone":             {xenEntry("unaffected", `{"version": "0", "status": "affected"}`), []string{"xen under-investigation"}, `"0"`},
		"an asterisk alone":      {xenEntry("unaffected", `{"version": "*", "status": "affected"}`), []string{"xen under-investigation"}, `"*"`},
		"two ends":               {xenEntry("unaffected", `{"version": "4.1", "lessThan": "4.2", "lessThanOrEqual": "4.3", "status": "affected"}`), []string{"xen under-investigation"}, "4.1 up to 4.3"},
		"an empty span":          {xenEntry("unaffected", `{"version": "4.2", "lessThan": "4.2", "status": "affected"}`), []string{"xen under-investigation"}, "4.2 to before 4.2"},
		"a status of its own":    {xenEntry("unaffected", `{"version": "4.2", "status": "fixed"}, {"version": "4.3", "status": "affected"}`), []string{"xen [from 4.3 last 4.3] {4.3}", "xen under-investigation {4.2}"}, `the status "fixed"`},
		"what cannot be read":    {xenEntry("unaffected", `{"version": "4.x", "status": "affected"}, {"version": "4.12", "lessThan": "4.13", "status": "affected"}, {"version": "4.14", "lessThan": "4.15", "status": "unaffected"}`), []string{"xen [from 4.12 limit 4.13]", "xen under-investigation [from 0 limit 4.12] [from 4.13]"}, `"4.x"`},
		"unread unaffected":      {xenEntry("unaffected", `{"version": "4.x", "status": "unaffected"}, {"version": "4.12", "lessThan": "4.13", "status": "affected"}`), []string{"xen not-affected [from 0 limit 4.12] [from 4.13]", "xen under-investigation [from 4.12 limit 4.13]"}, `"4.x"`},
		"commits alone":          {`{"vendor": "Linux", "product": "Linux", "defaultStatus": "unaffected", "versions": [{"version": "aaaaaaaaaaaa", "lessThan": "bbbbbbbbbbbb", "status": "affected", "versionType": "custom"}]}`, []string{"linux [GIT from aaaaaaaaaaaa fixed bbbbbbbbbbbb]"}, "tell nothing of a release"},
		"commits that change":    {`{"vendor": "Linux", "product": "Linux", "versions": [{"version": "0", "lessThan": "*", "status": "unaffected", "versionType": "git", "changes": [{"at": "aaaaaaaaaaaa", "status": "affected"}, {"at": "bbbbbbbbbbbb", "status": "unaffected"}]}]}`, []string{"linux [GIT from aaaaaaaaaaaa fixed bbbbbbbbbbbb]"}, "tell nothing of a release"},
		"entries of one product": {xenEntry("", `{"version": "4.12", "status": "affected"}`) + "," + xenEntry("", `{"version": "4.11", "status": "affected"}`), []string{"xen [from 4.12 last 4.12] {4.12}", "xen [from 4.11 last 4.11] {4.11}", "xen under-investigation [from 0 limit 4.11] [from 4.11 limit 4.12] [from 4.12]"}, ""},

		"by package and home": {`{"packageName": "qemu", "collectionURL": "https://gitlab.com/qemu-project/qemu", "defaultStatus": "unaffected", "versions": [{"version": "2.6.0", "lessThan": "10.1.2", "status": "affected", "versionType": "semver"}]}`, []string{"qemu [from 2.6.0 fixed 10.1.2]"}, ""},
		"elsewhere's package": {`{"packageName": "qemu", "collectionURL": "https://packages.distro.example", "defaultStatus": "affected"}`, nil, "not known here"},
		"by CPE":              {`{"vendor": "Acme", "product": "virtual machines", "cpes": ["cpe:2.3:a:qemu:qemu:*:*:*:*:*:*:*:*"], "defaultStatus": "affected"}`, []string{"qemu [from 0]"}, ""},
		"a distribution's package": {`{"vendor": "Red Hat", "product": "Red Hat Enterprise Linux 9", "packageName": "qemu-kvm", "collectionURL": "https://packages.distro.example", "defaultStatus": "affected", "cpes": ["cpe:/a:redhat:enterprise_linux:9::appstream", "cpe:/a:redhat:enterprise_linux:9::crb"], "versions": [{"version": "17:10.1.0-17.el9_8", "lessThan": "*", "versionType": "rpm", "status": "unaffected"}]}`,
			[]string{"Red Hat:enterprise_linux:9::appstream qemu-kvm [from 0 fixed 17:10.1.0-17.el9_8]"}, ""},
		"a stream apart": {`{"vendor": "Red Hat", "product": "Red Hat Enterprise Linux 9.4 Extended Update Support", "packageName": "qemu-kvm", "defaultStatus": "unaffected", "cpes": ["cpe:/a:redhat:rhel_eus:9.4::appstream"]}`,
			[]string{"Red Hat:rhel_eus:9.4::appstream qemu-kvm not-affected"}, ""},
		"a module":                    {`{"vendor": "Red Hat", "product": "Red Hat Enterprise Linux 8", "packageName": "virt:rhel", "defaultStatus": "affected", "cpes": ["cpe:/a:redhat:enterprise_linux:8::appstream"]}`, nil, "Red Hat Enterprise Linux 8 virt:rhel"},
		"a distributor's own version": {`{"vendor": "Red Hat", "product": "qemu-kvm", "defaultStatus": "affected"}`, nil, "not known here"},
		"platforms":                   {`{"vendor": "Xen", "product": "Xen", "defaultStatus": "affected", "platforms": ["x86", "ARM"]}`, []string{"xen [from 0] @x86_64+i686 @aarch64+armv7l"}, ""},
		"platforms not to be told":    {`{"vendor": "QEMU", "product": "QEMU", "defaultStatus": "affected", "platforms": ["Windows"]}`, []string{"qemu under-investigation @xen"}, "ties qemu to platforms"},
		"unaffected there":            {`{"vendor": "Xen", "product": "Xen", "defaultStatus": "unaffected", "platforms": ["ARM"]}`, nil, "it names no package"},
	} {
		t.Run(name, func(t *testing.T) {
			a := mustOne(t, "c", cnaOf(c.affected))
			if got := shown(a.Affected); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
			if c.gap == "" && len(a.Gaps) > 0 || !strings.Contains(strings.ReplaceAll(strings.Join(a.Gaps, "\n"), `\"`, `"`), c.gap) {
				t.Errorf("gaps %q, want one with %q", a.Gaps, c.gap)
			}
		})
	}
}

// TestCVEXen: Xen's records of both ages decide nothing by themselves and lead to the XSA.
func TestCVEXen(t *testing.T) {
	modern := cveOf(`"cna": {"title": "A flaw", "datePublic": "2026-01-01T12:00:00Z", "providerMetadata": {"shortName": "XEN"},
"affected": [` + xenEntry("unknown", `{"status": "unknown", "version": "consult Xen advisory XSA-464"}`) + `],
"configurations": [{"lang": "en", "value": "Xen versions 4.8 and onwards are vulnerable.\n\nOnly x86."}],
"workarounds": [{"lang": "en", "value": "Running only\nPV guests."}, {"lang": "de", "value": "Nur PV."}, {"lang": "en", "value": "` + strings.Repeat("x", 600) + `"}],
"references": [{"url": "https://xenbits.xenproject.org/xsa/advisory-464.html"}, {"url": "https://xenbits.xenproject.org/xsa/advisory-401.html"}]}`)
	a := mustOne(t, "c", modern)
	if !slices.Equal(a.Aliases, []string{"XSA-464"}) || a.Summary != "A flaw" || len(a.Mitigations) != 2 || a.Mitigations[0].Text != "Running only PV guests." || len(a.Mitigations[1].Text) != maxProse+3 {
		t.Errorf("%q %q %+v", a.Aliases, a.Summary, a.Mitigations)
	}
	if want := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC); !a.Disclosure.Equal(want) {
		t.Errorf("disclosure %v", a.Disclosure)
	}
	if !strings.Contains(strings.Join(a.Gaps, "\n"), "in words: Xen versions 4.8 and onwards are vulnerable. Only x86.") {
		t.Errorf("gaps %q", a.Gaps)
	}
	legacy := cveOf(`"cna": {"datePublic": "2014-10-01T00:00:00", "providerMetadata": {"shortName": "mitre"}, "descriptions": [{"lang": "en", "value": "words"}],
"affected": [{"vendor": "n/a", "product": "n/a", "versions": [{"status": "affected", "version": "n/a"}]}],
"references": [{"url": "http://xenbits.xen.org/xsa/advisory-108.html"}]}`)
	a = mustOne(t, "c", legacy)
	if len(a.Affected) != 0 || !slices.Equal(a.Aliases, []string{"XSA-108"}) || a.Summary != "words" || !a.Disclosure.Equal(time.Date(2014, 10, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", a)
	}
	if want := "cna (mitre) names neither vendor nor product"; !strings.Contains(strings.Join(a.Gaps, "\n"), want) {
		t.Errorf("gaps %q", a.Gaps)
	}
}

func TestCVEFields(t *testing.T) {
	a := mustOne(t, "c", cnaOf(kernel))
	if a.ID != "CVE-2026-1000" || a.Format != advisory.FormatCVE || !a.Withdrawn.IsZero() {
		t.Errorf("%+v", a)
	}
	if !a.Published.Equal(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) || !a.Modified.Equal(time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC)) {
		t.Errorf("published %v, modified %v", a.Published, a.Modified)
	}
	metrics := cveOf(`"cna": {"metrics": [{"cvssV2_0": {"vectorString": "AV:L"}}, {"other": {"type": "x"}}]}, "adp": [{"metrics": [{"cvssV3_1": {"vectorString": "CVSS:3.1/AV:L"}}]}, {"metrics": [{"cvssV3_1": {"vectorString": "CVSS:3.1/AV:N"}}]}]`)
	if a := mustOne(t, "c", metrics); a.Severity != "CVSS:3.1/AV:L" {
		t.Errorf("severity %q", a.Severity)
	}
	disputed := cveOf(`"cna": {"tags": ["disputed", "unsupported-when-assigned"]}`)
	if a := mustOne(t, "c", disputed); !strings.Contains(strings.Join(a.Gaps, "\n"), "disputed") {
		t.Errorf("gaps %q", a.Gaps)
	}
}

func TestCVERejected(t *testing.T) {
	for dates, want := range map[string]time.Time{
		`"dateRejected": "2026-02-01T00:00:00", "dateUpdated": "2026-03-01T00:00:00"`: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC),
		`"dateUpdated": "2026-03-01T00:00:00"`:                                        time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
		`"x": 1`:                                                                      time.Unix(0, 0),
	} {
		a := mustOne(t, "c", `{"cveMetadata": {"cveId": "CVE-2026-1000", "state": "REJECTED", `+dates+`}, "containers": {"cna": {"rejectedReasons": [{"lang": "en", "value": "twice"}]}}}`)
		if !a.Withdrawn.Equal(want) || !strings.Contains(strings.Join(a.Gaps, "\n"), "rejected because: twice") {
			t.Errorf("%s: withdrawn %v, gaps %q", dates, a.Withdrawn, a.Gaps)
		}
	}
	for state, gap := range map[string]string{`"state": "RESERVED"`: `its state is "RESERVED"`, `"x": 1`: "does not say whether it is published"} {
		a := mustOne(t, "c", `{"cveMetadata": {"cveId": "CVE-2026-1000", `+state+`}}`)
		if !a.Withdrawn.IsZero() || !strings.Contains(strings.Join(a.Gaps, "\n"), gap) {
			t.Errorf("%s: %+v", state, a)
		}
	}
}

// TestCVESources: what one source leaves open another may tell; what they contradict each other in is
// named with both, and neither wins.
func TestCVESources(t *testing.T) {
	record := func(cna, adp string) string {
		return cveOf(`"cna": {"providerMetadata": {"shortName": "XEN"}, "affected": [` + cna + `]}, "adp": [{"providerMetadata": {"shortName": "CISA-ADP"}, "affected": [` + adp + `]}]`)
	}
	span := func(from, to string) string {
		return xenEntry("unaffected", fmt.Sprintf(`{"version": %q, "lessThan": %q, "status": "affected", "versionType": "custom"}`, from, to))
	}
	for name, c := range map[string]struct {
		cna, adp string
		want     []string
		gaps     []string // parts that must be there; none: no contradiction is named
	}{
		"they agree":           {span("4.12", "4.17.5"), span("4.12", "4.17.5"), []string{"xen [from 4.12 fixed 4.17.5]"}, nil},
		"one knows":            {xenEntry("", `{"version": "consult Xen advisory XSA-1", "status": "unknown"}`), span("4.12", "4.17.5"), []string{"xen [from 4.12 fixed 4.17.5]"}, nil},
		"one knows more":       {xenEntry("", `{"version": "4.17.5", "lessThan": "*", "status": "unaffected", "versionType": "custom"}`), xenEntry("", `{"version": "4.12", "lessThan": "4.17.5", "status": "affected", "versionType": "custom"}`), []string{"xen not-affected [from 4.17.5]", "xen [from 4.12 limit 4.17.5]", "xen under-investigation [from 0 limit 4.12]"}, nil},
		"another fix":          {span("4.12", "4.17.5"), span("4.12", "4.17.6"), []string{"xen [from 4.12 fixed 4.17.5]", "xen [from 4.12 fixed 4.17.6]", "xen not-affected [from 4.17.5 limit 4.17.6]"}, []string{"adp (CISA-ADP) calls xen affected, cna (XEN) calls it unaffected: 4.17.5 to before 4.17.6"}},
		"one says none":        {span("4.12", "4.17.5"), `{"vendor": "Xen", "product": "Xen", "defaultStatus": "unaffected"}`, []string{"xen [from 4.12 fixed 4.17.5]", "xen not-affected", "xen not-affected [from 4.12 limit 4.17.5]"}, []string{"cna (XEN) calls xen affected, adp (CISA-ADP) calls it unaffected: 4.12 to before 4.17.5"}},
		"a release's stages":   {kernel, `{"vendor": "linux", "product": "linux_kernel", "defaultStatus": "unaffected", "versions": [{"version": "5.10", "lessThan": "6.1.158", "status": "affected"}, {"version": "6.2", "lessThan": "6.6.117", "status": "affected"}, {"version": "6.7", "lessThan": "6.18", "status": "affected"}]}`, []string{kernelWant, "linux [from 5.10 fixed 6.1.158] [from 6.2 fixed 6.6.117] [from 6.7 fixed 6.18]"}, nil},
		"of several products":  {span("4.12", "4.17.5"), `{"vendor": "QEMU", "product": "QEMU", "defaultStatus": "unaffected"}`, []string{"xen [from 4.12 fixed 4.17.5]", "qemu not-affected"}, nil},
		"commits against them": {span("4.12", "4.17.5"), `{"vendor": "Xen", "product": "Xen", "defaultStatus": "unaffected", "versions": [{"version": "aaaaaaaaaaaa", "lessThan": "bbbbbbbbbbbb", "status": "affected", "versionType": "git"}]}`, []string{"xen [from 4.12 fixed 4.17.5] [GIT from aaaaaaaaaaaa fixed bbbbbbbbbbbb]"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			a := mustOne(t, "c", record(c.cna, c.adp))
			if got := shown(a.Affected); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
			named := 0
			for _, g := range a.Gaps {
				if strings.Contains(g, "contradict") {
					named++
				}
			}
			for _, want := range c.gaps {
				if !slices.ContainsFunc(a.Gaps, func(g string) bool { return strings.Contains(g, want) }) {
					t.Errorf("no %q in %q", want, a.Gaps)
				}
			}
			if named != len(c.gaps) {
				t.Errorf("%d contradictions named: %q", named, a.Gaps)
			}
		})
	}
}

// TestCVEApplicability: CPE ranges count where a container gives no versions. The kernel's would
// call affected what is fixed: they all begin with the first affected version.
func TestCVEApplicability(t *testing.T) {
	ranges := `"cpeApplicability": [{"nodes": [` + orNode(
		cpeMatchOf(true, "cpe:2.3:o:linux:linux_kernel:*:*:*:*:*:*:*:*", `, "versionStartIncluding": "5.10", "versionEndExcluding": "6.1.158"`),
		cpeMatchOf(true, "cpe:2.3:o:linux:linux_kernel:*:*:*:*:*:*:*:*", `, "versionStartIncluding": "5.10", "versionEndExcluding": "6.18"`)) + `]}]`
	a := mustOne(t, "c", cveOf(`"cna": {"affected": [`+kernel+`], `+ranges+`}`))
	if got := shown(a.Affected); !reflect.DeepEqual(got, []string{kernelWant}) || !strings.Contains(strings.Join(a.Gaps, "\n"), "its versions count") {
		t.Errorf("%q %q", got, a.Gaps)
	}
	a = mustOne(t, "c", cveOf(`"cna": {`+ranges+`}`))
	if got := shown(a.Affected); !reflect.DeepEqual(got, []string{"linux [from 5.10 fixed 6.18]"}) {
		t.Errorf("%q", got)
	}
}

func TestCVEMistakes(t *testing.T) {
	entry := func(versions string) string { return cnaOf(xenEntry("unaffected", versions)) }
	refused(t, "c", map[string][2]string{
		"no metadata":       {`{"dataType": "CVE_RECORD", "containers": {}}`, `c:1:1: cveMetadata: found nothing, expected an object with cveId`},
		"metadata a text":   {`{"cveMetadata": "x"}`, `c:1:17: cveMetadata: found "x", expected an object`},
		"no id":             {`{"cveMetadata": {}}`, `c:1:17: cveMetadata.cveId: found nothing, expected the id of a CVE`},
		"id null":           {`{"cveMetadata": {"cveId": null}}`, `c:1:27: cveMetadata.cveId: found null`},
		"state":             {`{"cveMetadata": {"cveId": "CVE-2026-1", "state": 1}}`, `cveMetadata.state: found 1, expected text`},
		"moment":            {`{"cveMetadata": {"cveId": "CVE-2026-1", "datePublished": "2026-13-01T00:00:00"}}`, `datePublished: found "2026-13-01T00:00:00", expected a moment`},
		"containers":        {`{"cveMetadata": {"cveId": "CVE-2026-1"}, "containers": []}`, `containers: found an array, expected an object`},
		"cna":               {cveOf(`"cna": []`), `containers.cna: found an array, expected an object`},
		"adp":               {cveOf(`"adp": {}`), `containers.adp: found an object, expected an array`},
		"an adp":            {cveOf(`"adp": [1]`), `containers.adp[0]: found 1, expected a container`},
		"affected":          {cnaOf(`7`), `containers.cna.affected[0]: found 7, expected an object with vendor`},
		"vendor":            {cnaOf(`{"vendor": 7}`), `affected[0].vendor: found 7, expected text`},
		"default":           {cnaOf(`{"vendor": "Xen", "product": "Xen", "defaultStatus": true}`), `defaultStatus: found true, expected text`},
		"versions":          {cnaOf(`{"versions": {}}`), `versions: found an object, expected an array`},
		"a version":         {entry(`"4.17"`), `versions[0]: found "4.17", expected an object with version and status`},
		"version":           {entry(`{"version": 4.17, "status": "affected"}`), `versions[0].version: found 4.17, expected text`},
		"less than":         {entry(`{"version": "4.17", "lessThan": 5, "status": "affected"}`), `versions[0].lessThan: found 5, expected text`},
		"changes":           {entry(`{"version": "4.17", "lessThan": "5", "status": "affected", "changes": ["x"]}`), `changes[0]: found "x", expected an object with at and status`},
		"platforms":         {cnaOf(`{"vendor": "Xen", "product": "Xen", "platforms": ["x86", 1]}`), `platforms[1]: found 1, expected text`},
		"a product unknown": {cnaOf(`{"vendor": "Acme", "product": "x", "cpes": [1]}`), `cpes[0]: found 1, expected text`},
		"workaround":        {cveOf(`"cna": {"workarounds": [{"value": 1}]}`), `workarounds[0].value: found 1, expected text`},
		"metric":            {cveOf(`"cna": {"metrics": [{"cvssV3_1": "x"}]}`), `metrics[0].cvssV3_1: found "x", expected an object`},
		"tags":              {cveOf(`"cna": {"tags": [1]}`), `tags[0]: found 1, expected text`},
		"url":               {cveOf(`"cna": {"references": [{"url": 1}]}`), `references[0].url: found 1, expected text`},
		"line and column":   {"{\n \"cveMetadata\": {\n  \"cveId\": 7}}", "c:3:12: cveMetadata.cveId: found 7, expected text"},
	})
}

func FuzzCVE(f *testing.F) {
	f.Add([]byte(cnaOf(kernel)))
	f.Add([]byte(cnaOf(xenEntry("", `{"version": "4.13.x", "lessThan": "unspecified", "status": "affected"}, {"version": "*", "lessThan": "4.*", "status": "unaffected", "changes": [{"at": "4.1", "status": "x"}]}`))))
	f.Fuzz(func(t *testing.T, src []byte) { hold(t, "f", src) })
}
