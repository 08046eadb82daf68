package parse

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
)

// csafDoc wraps a product tree and vulnerabilities into a document that keeps to the schema.
func csafDoc(id, tree, vulnerabilities string) string {
	return `{"document":{"category":"csaf_security_advisory","csaf_version":"2.0","title":"a title",
"publisher":{"category":"vendor","name":"Acme","namespace":"https://acme.example"},
"tracking":{"id":"` + id + `","initial_release_date":"2026-01-02T03:04:05Z","current_release_date":"2026-02-03T04:05:06Z",
"revision_history":[{"date":"2026-01-02T03:04:05Z","number":"1","summary":"first"}],"status":"final","version":"1"}},
"product_tree":` + tree + `,
"vulnerabilities":` + vulnerabilities + `}`
}

func csafVuln(cve, status string, more ...string) string {
	out := `{"cve":"` + cve + `","notes":[{"category":"description","text":"what happens"}],"product_status":` + status
	for _, m := range more {
		out += "," + m
	}
	return out + "}"
}

func csafLeaf(category, name, id, helper string) string {
	if helper != "" {
		helper = `,"product_identification_helper":` + helper
	}
	return `{"category":"` + category + `","name":"` + name + `","product":{"name":"` + name + `","product_id":"` + id + `"` + helper + `}}`
}

func csafBranch(category, name string, inner ...string) string {
	return `{"category":"` + category + `","name":"` + name + `","branches":[` + strings.Join(inner, ",") + `]}`
}

func csafComponent(of, on string) string {
	return `{"category":"default_component_of","full_product_name":{"name":"` + of + ` as a component of ` + on + `","product_id":"` + on + `:` + of + `"},
"product_reference":"` + of + `","relates_to_product_reference":"` + on + `"}`
}

func csafTreeOf(branches []string, relationships ...string) string {
	out := `{"branches":[` + strings.Join(branches, ",") + `]`
	if len(relationships) > 0 {
		out += `,"relationships":[` + strings.Join(relationships, ",") + `]`
	}
	return out + "}"
}

// csafRedHatTree is a tree in the shape of Red Hat's VEX: platforms by CPE, packages by purl, components by
// relationships; what has no fix stands without a version.
var csafRedHatTree = csafTreeOf([]string{csafBranch("vendor", "Red Hat",
	csafBranch("product_family", "Red Hat Enterprise Linux",
		csafLeaf("product_name", "Red Hat Enterprise Linux AppStream (v. 9)", "AppStream-9.4.0.Z.MAIN", `{"cpe":"cpe:/a:redhat:enterprise_linux:9::appstream"}`),
		csafLeaf("product_name", "Red Hat Enterprise Linux AppStream EUS (v.9.2)", "AppStream-9.2.0.Z.EUS", `{"cpe":"cpe:/a:redhat:rhel_eus:9.2::appstream"}`),
		csafLeaf("product_name", "Red Hat Enterprise Linux 8", "red_hat_enterprise_linux_8", `{"cpe":"cpe:/o:redhat:enterprise_linux:8"}`),
		csafLeaf("product_name", "Red Hat Enterprise Linux 7", "red_hat_enterprise_linux_7", `{"cpe":"cpe:/o:redhat:enterprise_linux:7"}`),
		csafLeaf("product_name", "Red Hat OpenShift 4", "openshift", `{"cpe":"cpe:/a:redhat:openshift:4"}`)),
	csafBranch("architecture", "x86_64",
		csafLeaf("product_version", "qemu-kvm-core-17:8.2.0-11.el9_4.3.x86_64", "qemu-kvm-core-17:8.2.0-11.el9_4.3.x86_64", `{"purl":"pkg:rpm/redhat/qemu-kvm-core@8.2.0-11.el9_4.3?arch=x86_64&epoch=17"}`),
		csafLeaf("product_version", "qemu-kvm-core-17:7.2.0-14.el9_2.11.x86_64", "qemu-kvm-core-17:7.2.0-14.el9_2.11.x86_64", "")),
	csafBranch("architecture", "aarch64",
		csafLeaf("product_version", "qemu-kvm-core-17:8.2.0-11.el9_4.3.aarch64", "qemu-kvm-core-17:8.2.0-11.el9_4.3.aarch64", `{"purl":"pkg:rpm/redhat/qemu-kvm-core@8.2.0-11.el9_4.3?arch=aarch64&epoch=17"}`)),
	csafLeaf("product_version", "qemu-kvm", "qemu-kvm", ""),
	csafLeaf("product_version", "virt:rhel/qemu-kvm", "virt:rhel/qemu-kvm", ""),
	csafLeaf("product_version", "rhel9/qemu-image", "rhel9/qemu-image", ""))},
	csafComponent("qemu-kvm-core-17:8.2.0-11.el9_4.3.x86_64", "AppStream-9.4.0.Z.MAIN"),
	csafComponent("qemu-kvm-core-17:8.2.0-11.el9_4.3.aarch64", "AppStream-9.4.0.Z.MAIN"),
	csafComponent("qemu-kvm-core-17:7.2.0-14.el9_2.11.x86_64", "AppStream-9.2.0.Z.EUS"),
	csafComponent("virt:rhel/qemu-kvm", "red_hat_enterprise_linux_8"),
	csafComponent("qemu-kvm", "red_hat_enterprise_linux_7"),
	csafComponent("qemu-kvm", "openshift"),
	csafComponent("rhel9/qemu-image", "openshift"))

var csafRedHatVEX = csafDoc("CVE-2026-1111", csafRedHatTree, "["+csafVuln("CVE-2026-1111", `{
 "fixed":["AppStream-9.4.0.Z.MAIN:qemu-kvm-core-17:8.2.0-11.el9_4.3.x86_64","AppStream-9.4.0.Z.MAIN:qemu-kvm-core-17:8.2.0-11.el9_4.3.aarch64",
  "AppStream-9.2.0.Z.EUS:qemu-kvm-core-17:7.2.0-14.el9_2.11.x86_64"],
 "known_affected":["red_hat_enterprise_linux_8:virt:rhel/qemu-kvm","openshift:qemu-kvm","openshift:rhel9/qemu-image"],
 "known_not_affected":["red_hat_enterprise_linux_7:qemu-kvm"]}`,
	`"release_date":"2026-01-01T00:00:00+00:00","ids":[{"system_name":"Red Hat Bugzilla ID","text":"2260001"}]`,
	`"flags":[{"label":"vulnerable_code_not_present","product_ids":["red_hat_enterprise_linux_7:qemu-kvm"]}]`,
	`"remediations":[
 {"category":"vendor_fix","details":"apply RHSA-2026:0001","product_ids":["AppStream-9.4.0.Z.MAIN:qemu-kvm-core-17:8.2.0-11.el9_4.3.x86_64"],"restart_required":{"category":"vulnerable_component"}},
 {"category":"workaround","details":"switch\noff the device","product_ids":["red_hat_enterprise_linux_8:virt:rhel/qemu-kvm"]},
 {"category":"no_fix_planned","details":"Will not fix","product_ids":["red_hat_enterprise_linux_8:virt:rhel/qemu-kvm"]}]`,
	`"scores":[{"products":["red_hat_enterprise_linux_8:virt:rhel/qemu-kvm"],"cvss_v3":{"version":"3.1","vectorString":"CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:C/C:H/I:N/A:N","baseScore":6.5,"baseSeverity":"MEDIUM"}}]`,
	`"threats":[{"category":"impact","details":"Moderate","product_ids":["red_hat_enterprise_linux_8:virt:rhel/qemu-kvm"]}]`)+"]")

func mustCSAF(t testing.TB, src string) []advisory.Advisory {
	t.Helper()
	as, mistakes := Parse("a.json", []byte(src))
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	return as
}

// csafEntries writes an advisory's entries as lines, for comparing.
func csafEntries(a advisory.Advisory) (out []string) {
	for _, e := range a.Affected {
		s := string(e.Status)
		s += " " + e.Ecosystem + " " + e.Package
		for _, r := range e.Ranges {
			s += " ["
			for _, ev := range r.Events {
				switch {
				case ev.Introduced != "":
					s += "+" + ev.Introduced
				case ev.Fixed != "":
					s += " -" + ev.Fixed
				default:
					s += " =" + ev.LastAffected
				}
			}
			s += "]"
		}
		if len(e.Versions) > 0 {
			s += " {" + strings.Join(e.Versions, " ") + "}"
		}
		if len(e.Applies) > 0 {
			s += " on " + strings.Join(e.Applies[0].Arch, ",")
		}
		if e.Why != "" {
			s += ": " + e.Why
		}
		out = append(out, s)
	}
	return out
}

func sameLines(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got  %s\n want %s", what, strings.Join(got, "\n      "), strings.Join(want, "\n      "))
	}
}

func TestCSAFRedHat(t *testing.T) {
	as := mustCSAF(t, csafRedHatVEX)
	if len(as) != 1 {
		t.Fatalf("%d advisories", len(as))
	}
	a := as[0]
	sameLines(t, "entries", csafEntries(a), []string{
		"affected Red Hat:enterprise_linux:8 qemu-kvm [+0]",
		"affected  qemu-kvm",
		"affected Red Hat:enterprise_linux:9::appstream qemu-kvm-core [+0 -17:8.2.0-11.el9_4.3]",
		"affected Red Hat:rhel_eus:9.2::appstream qemu-kvm-core [+0 -17:7.2.0-14.el9_2.11]",
		"not-affected Red Hat:enterprise_linux:7 qemu-kvm: vulnerable_code_not_present",
	})
	if a.ID != "CVE-2026-1111" || a.Format != advisory.FormatCSAF || a.Source != "a.json" || a.Severity != "Moderate" || a.Summary != "a title" {
		t.Errorf("head: %+v", a)
	}
	sameLines(t, "aliases", a.Aliases, []string{"Red-Hat-Bugzilla-ID:2260001"})
	if want := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); !a.Disclosure.Equal(want) || a.Published.Day() != 2 || a.Modified.Month() != 2 {
		t.Errorf("times: %v %v %v", a.Disclosure, a.Published, a.Modified)
	}
	if len(a.Mitigations) != 1 || a.Mitigations[0].Text != "switch off the device" {
		t.Errorf("mitigations: %+v", a.Mitigations)
	}
	if len(a.Guidance) != 1 || a.Guidance[0].Action != "vulnerable_component" || !slices.Equal(a.Guidance[0].Tactics, renews) || len(a.Guidance[0].From) != 1 || a.Guidance[0].From[0].Package != "qemu-kvm-core" {
		t.Errorf("guidance: %+v", a.Guidance)
	}
	sameLines(t, "gaps", a.Gaps, []string{
		"no fix is planned of qemu-kvm: Will not fix",
		"it does not tell of which distribution or project: openshift:qemu-kvm",
		"it names what is no package of a host (container images, modules, libraries of a language): openshift:rhel9/qemu-image",
		"it calls affected, and not in which versions: qemu-kvm",
	})
}

// TestCSAFSUSE: what SUSE publishes as fixed stands under recommended, with a vendor's fix.
func TestCSAFSUSE(t *testing.T) {
	tree := csafTreeOf([]string{csafBranch("vendor", "SUSE",
		csafBranch("product_family", "SUSE Linux Enterprise",
			csafLeaf("product_name", "SUSE Linux Enterprise Server 15 SP4-LTSS", "SUSE Linux Enterprise Server 15 SP4-LTSS", `{"cpe":"cpe:/o:suse:sles-ltss:15:sp4"}`),
			csafLeaf("product_name", "SUSE Linux Enterprise Server 15 SP4", "SUSE Linux Enterprise Server 15 SP4", `{"cpe":"cpe:/o:suse:sles:15:sp4"}`),
			csafLeaf("product_name", "openSUSE Leap 15.4", "openSUSE Leap 15.4", `{"cpe":"cpe:/o:opensuse:leap:15.4"}`)),
		csafBranch("architecture", "x86_64", csafLeaf("product_version", "xen-4.16.5_08-150400.4.40.1.x86_64", "xen-4.16.5_08-150400.4.40.1.x86_64", "")),
		csafLeaf("product_version", "xen", "xen", ""))},
		csafComponent("xen-4.16.5_08-150400.4.40.1.x86_64", "SUSE Linux Enterprise Server 15 SP4-LTSS"),
		csafComponent("xen-4.16.5_08-150400.4.40.1.x86_64", "openSUSE Leap 15.4"),
		csafComponent("xen", "SUSE Linux Enterprise Server 15 SP4"))
	status := `{"recommended":["SUSE Linux Enterprise Server 15 SP4-LTSS:xen-4.16.5_08-150400.4.40.1.x86_64","openSUSE Leap 15.4:xen-4.16.5_08-150400.4.40.1.x86_64"],
"known_affected":["SUSE Linux Enterprise Server 15 SP4:xen"]}`
	fix := `"remediations":[{"category":"vendor_fix","details":"zypper","product_ids":["SUSE Linux Enterprise Server 15 SP4-LTSS:xen-4.16.5_08-150400.4.40.1.x86_64"],"restart_required":{"category":"system"}}]`
	a := mustCSAF(t, csafDoc("SUSE-SU-2026:0001-1", tree, "["+csafVuln("CVE-2026-2222", status, fix)+"]"))[0]
	sameLines(t, "entries", csafEntries(a), []string{
		"affected SUSE:Linux Enterprise Server 15 SP4 xen [+0]",
		"affected SUSE:Linux Enterprise Server 15 SP4-LTSS xen [+0 -4.16.5_08-150400.4.40.1]",
	})
	sameLines(t, "aliases", a.Aliases, []string{"SUSE-SU-2026:0001-1"})
	if len(a.Guidance) != 1 || !slices.Equal(a.Guidance[0].Tactics, reboots) {
		t.Errorf("guidance: %+v", a.Guidance)
	}
	sameLines(t, "gaps", a.Gaps, []string{"it recommends, and says of no status or fix: openSUSE Leap 15.4:xen-4.16.5_08-150400.4.40.1.x86_64"})
}

// TestCSAFSeveralVulnerabilities: the document's id is a name of each, and makes no two alike.
func TestCSAFSeveralVulnerabilities(t *testing.T) {
	tree := `{"full_product_names":[{"name":"Xen 4.17","product_id":"P"}]}`
	as := mustCSAF(t, csafDoc("RHSA-2026:0001", tree, "["+csafVuln("CVE-2026-0001", `{"known_affected":["P"]}`, `"ids":[{"system_name":"Bug","text":"BUG-7"}]`)+","+
		csafVuln("CVE-2026-0002", `{"known_affected":["P"]}`, `"ids":[{"system_name":"Bug","text":"BUG-7"},{"system_name":"Acme","text":"ACME-2"}]`)+
		`,{"notes":[{"category":"other","text":"x"}]},{"ids":[{"system_name":"Xen","text":"XSA-999"}]}]`))
	var ids []string
	for _, a := range as {
		ids = append(ids, a.ID)
		if !a.Names("RHSA-2026:0001") || slices.Contains(a.Aliases, "RHSA-2026:0001") {
			t.Errorf("%s: aliases %v, documents %v", a.ID, a.Aliases, a.Documents)
		}
		for _, b := range as {
			if a.ID != b.ID && slices.ContainsFunc(append(b.Aliases, b.ID), a.Names) {
				t.Errorf("%s and %s seem the same: %v, %v", a.ID, b.ID, a.Aliases, b.Aliases)
			}
		}
	}
	sameLines(t, "ids", ids, []string{"CVE-2026-0001", "CVE-2026-0002", "RHSA-2026:0001:3", "XSA-999"})
	sameLines(t, "own aliases", as[1].Aliases, []string{"ACME-2"})
	if !as[0].Names("BUG-7") {
		t.Errorf("documents: %v", as[0].Documents)
	}
}

func TestCSAFNamesOfTheOnlyVulnerability(t *testing.T) {
	tree := `{"full_product_names":[{"name":"Xen 4.17","product_id":"P"}]}`
	for name, c := range map[string]struct{ id, vulnerabilities, wantID, wantAliases, wantGap string }{
		"alias":         {"XSA-1", `[{"cve":"CVE-2026-0001"}]`, "CVE-2026-0001", "XSA-1", ""},
		"no cve":        {"XSA-1", `[{"ids":[{"system_name":"GitHub","text":"GHSA-x"}]}]`, "GHSA-x", "XSA-1", ""},
		"no id":         {"XSA-1", `[{}]`, "XSA-1", "", ""},
		"none":          {"XSA-1", `[]`, "XSA-1", "", "it names no vulnerability"},
		"another's CVE": {"CVE-2026-0009", `[{"cve":"CVE-2026-0001"}]`, "CVE-2026-0001", "", "the document calls itself CVE-2026-0009, and speaks of CVE-2026-0001"},
	} {
		as := mustCSAF(t, csafDoc(c.id, tree, c.vulnerabilities))
		if a := as[0]; len(as) != 1 || a.ID != c.wantID || strings.Join(a.Aliases, " ") != c.wantAliases || c.wantGap != "" && !slices.Contains(a.Gaps, c.wantGap) {
			t.Errorf("%s: %s %v %v", name, a.ID, a.Aliases, a.Gaps)
		}
	}
}

// TestCSAFStatuses: each status alone, of a project's release and of a package.
func TestCSAFStatuses(t *testing.T) {
	tree := csafTreeOf([]string{
		csafBranch("vendor", "Xen Project", csafBranch("product_name", "Xen",
			csafLeaf("product_version", "4.16.1", "X1", ""), csafLeaf("product_version", "4.16.5", "X5", ""), csafLeaf("product_version", "4.17.2", "Y2", ""),
			csafLeaf("product_version_range", "vers:generic/>=4.16.0|<4.16.5", "R", ""), csafLeaf("product_version_range", "vers:all/*", "A", ""),
			csafBranch("product_version", "4.17.0", csafLeaf("patch_level", "XSA-1", "L", "")),
			csafLeaf("product_version_range", "vers:generic/>4.16.0|<=4.16.4|!=4.17.0", "E", ""), csafLeaf("product_version_range", "all of them", "T", ""))),
		csafBranch("vendor", "Debian",
			csafLeaf("product_version", "qemu", "D", `{"purl":"pkg:deb/debian/qemu@1%3A7.2%2Bdfsg-7%2Bdeb12u3?arch=source&distro=bookworm"}`)),
		csafLeaf("product_name", "Xen", "XEN", `{"cpe":"cpe:2.3:o:xen:xen:-:*:*:*:*:*:*:*"}`),
	})
	fix := func(id string) string {
		return `"remediations":[{"category":"vendor_fix","details":"update","product_ids":["` + id + `"]}]`
	}
	for name, c := range map[string]struct {
		status, more string
		want         []string
		gap          string
	}{
		"listed": {`{"known_affected":["X1","X5"]}`, "", []string{"affected upstream xen {4.16.1 4.16.5}", "under-investigation upstream xen: the document lists affected versions, and says nothing of others"}, ""},
		"listed beside a fix": {`{"known_affected":["X1"],"fixed":["X5"]}`, "", []string{"affected upstream xen {4.16.1}", "fixed upstream xen {4.16.5}",
			"under-investigation upstream xen [+0 -4.16.5]: the document lists affected versions, and says nothing of others"}, ""},
		"range":                {`{"known_affected":["R"]}`, "", []string{"affected upstream xen [+4.16.0 -4.16.5]"}, ""},
		"range and fix":        {`{"known_affected":["R"],"fixed":["X5"]}`, fix("X5"), []string{"affected upstream xen [+4.16.0 -4.16.5]", "fixed upstream xen {4.16.5}"}, ""},
		"all":                  {`{"known_affected":["A"]}`, "", []string{"affected upstream xen [+0]"}, ""},
		"exceptions":           {`{"known_affected":["E"]}`, "", []string{"affected upstream xen [+4.16.0 =4.16.4]", `under-investigation upstream xen {4.16.0 4.17.0}: the document leaves it out of "vers:generic/>4.16.0|<=4.16.4|!=4.17.0"`}, ""},
		"no range":             {`{"known_affected":["T"]}`, "", []string{`under-investigation upstream xen: the document gives the versions "all of them" of it, which are not understood`}, `versions that are not understood: xen "all of them" (it is no range of versions by VERS)`},
		"no version":           {`{"known_affected":["XEN"]}`, "", []string{"affected upstream xen"}, "it calls affected, and not in which versions: xen of upstream"},
		"fixed":                {`{"fixed":["X5"]}`, "", []string{"fixed upstream xen {4.16.5}"}, ""},
		"fixed by its vendor":  {`{"first_fixed":["X5"]}`, fix("X5"), []string{"affected upstream xen [+0 -4.16.5]"}, ""},
		"fixed in two series":  {`{"fixed":["X5","Y2"]}`, `"remediations":[{"category":"vendor_fix","details":"update"}]`, []string{"fixed upstream xen {4.16.5 4.17.2}"}, ""},
		"fixed, no version":    {`{"fixed":["XEN"]}`, "", []string{"fixed upstream xen"}, "it calls fixed, and not in which version: xen of upstream"},
		"first and last":       {`{"first_affected":["X1"],"last_affected":["X5"]}`, "", []string{"affected upstream xen [+4.16.1 =4.16.5]"}, ""},
		"first":                {`{"first_affected":["X1"]}`, "", []string{"affected upstream xen [+4.16.1]"}, "it names the first affected version, and not the last: xen of upstream (4.16.1)"},
		"last":                 {`{"last_affected":["X1"]}`, "", []string{"affected upstream xen {4.16.1}", "under-investigation upstream xen: the document lists affected versions, and says nothing of others"}, "it names the last affected versions, and not the first: xen of upstream (4.16.1)"},
		"package":              {`{"fixed":["D"]}`, "", []string{"affected Debian:12 qemu [+0 -1:7.2+dfsg-7+deb12u3]"}, ""},
		"not affected":         {`{"known_not_affected":["D"]}`, `"threats":[{"category":"impact","details":"not built in","product_ids":["D"]}]`, []string{"not-affected Debian:12 qemu {1:7.2+dfsg-7+deb12u3}: not built in"}, ""},
		"why of all":           {`{"known_not_affected":["D"]}`, `"flags":[{"label":"component_not_present"}]`, []string{"not-affected Debian:12 qemu {1:7.2+dfsg-7+deb12u3}: component_not_present"}, ""},
		"under investigation":  {`{"under_investigation":["D","XEN"]}`, "", []string{"under-investigation Debian:12 qemu {1:7.2+dfsg-7+deb12u3}", "under-investigation upstream xen"}, ""},
		"only recommended":     {`{"recommended":["D"]}`, "", nil, "it recommends, and says of no status or fix: qemu"},
		"recommended as well":  {`{"recommended":["D"],"known_affected":["D"]}`, fix("D"), []string{"affected Debian:12 qemu {1:7.2+dfsg-7+deb12u3}", "under-investigation Debian:12 qemu: the document lists affected versions, and says nothing of others"}, ""},
		"contradiction":        {`{"known_affected":["D"],"fixed":["D"]}`, "", []string{"affected Debian:12 qemu {1:7.2+dfsg-7+deb12u3}", "fixed Debian:12 qemu {1:7.2+dfsg-7+deb12u3}", "under-investigation Debian:12 qemu [+0 -1:7.2+dfsg-7+deb12u3]: the document lists affected versions, and says nothing of others"}, "it contradicts itself: the product D is both known_affected and fixed"},
		"another":              {`{"known_affected":["D"],"known_not_affected":["D"]}`, "", []string{"affected Debian:12 qemu {1:7.2+dfsg-7+deb12u3}", "not-affected Debian:12 qemu {1:7.2+dfsg-7+deb12u3}", "under-investigation Debian:12 qemu: the document lists affected versions, and says nothing of others"}, "it contradicts itself: the product D is both known_affected and known_not_affected"},
		"patch level":          {`{"fixed":["L"]}`, "", nil, "it tells versions apart by more than their number (patch levels, service packs): XSA-1"},
		"a status of nowhere":  {`{"know_affected":["D"]}`, "", nil, "it gives a product status that CSAF 2.0 does not have: know_affected"},
		"no status whatsoever": {`{}`, "", nil, "it says of no package whether it is affected"},
	} {
		t.Run(name, func(t *testing.T) {
			more := []string{}
			if c.more != "" {
				more = append(more, c.more)
			}
			a := mustCSAF(t, csafDoc("XSA-1", tree, "["+csafVuln("CVE-2026-0001", c.status, more...)+"]"))[0]
			sameLines(t, "entries", csafEntries(a), c.want)
			if c.gap != "" && !slices.Contains(a.Gaps, c.gap) {
				t.Errorf("gaps %q lack %q", a.Gaps, c.gap)
			}
		})
	}
}

// TestCSAFArchitectures: what holds on one architecture only says so.
func TestCSAFArchitectures(t *testing.T) {
	on := func(arch, version string) string {
		return csafLeaf("product_version", "kernel-"+version+"."+arch, "kernel-"+version+"."+arch, "")
	}
	platform := csafLeaf("product_name", "Rocky Linux 9", "R", `{"cpe":"cpe:/o:rocky:rocky:9"}`)
	of := func(names ...string) (branches []string, relations []string, ids string) {
		branches = []string{platform}
		for i, n := range names {
			arch, version, _ := strings.Cut(n, "/")
			branches = append(branches, on(arch, version))
			relations = append(relations, csafComponent("kernel-"+version+"."+arch, "R"))
			if i > 0 {
				ids += ","
			}
			ids += `"R:kernel-` + version + "." + arch + `"`
		}
		return branches, relations, ids
	}
	for name, c := range map[string]struct {
		fixed []string
		want  []string
	}{
		"one version":   {[]string{"src/5.14.0-2.el9", "x86_64/5.14.0-2.el9", "s390x/5.14.0-2.el9"}, []string{"affected Rocky Linux:9 kernel [+0 -5.14.0-2.el9]"}},
		"elsewhere":     {[]string{"s390x/5.14.0-2.el9", "src/5.14.0-2.el9"}, []string{"affected Rocky Linux:9 kernel [+0 -5.14.0-2.el9] on s390x"}},
		"source":        {[]string{"src/5.14.0-2.el9"}, []string{"affected Rocky Linux:9 kernel [+0 -5.14.0-2.el9]"}},
		"noarch":        {[]string{"noarch/5.14.0-2.el9"}, []string{"affected Rocky Linux:9 kernel [+0 -5.14.0-2.el9]"}},
		"each its own":  {[]string{"x86_64/5.14.0-2.el9", "s390x/5.14.0-3.el9"}, []string{"affected Rocky Linux:9 kernel [+0 -5.14.0-2.el9] on x86_64", "affected Rocky Linux:9 kernel [+0 -5.14.0-3.el9] on s390x"}},
		"two for a one": {[]string{"x86_64/5.14.0-2.el9", "x86_64/5.14.0-3.el9"}, []string{"affected Rocky Linux:9 kernel [+0 -5.14.0-2.el9]", "affected Rocky Linux:9 kernel [+0 -5.14.0-3.el9]", "fixed Rocky Linux:9 kernel {5.14.0-2.el9 5.14.0-3.el9}"}},
	} {
		t.Run(name, func(t *testing.T) {
			branches, relations, ids := of(c.fixed...)
			a := mustCSAF(t, csafDoc("X", csafTreeOf(branches, relations...), "["+csafVuln("CVE-2026-0001", `{"fixed":[`+ids+`]}`)+"]"))[0]
			sameLines(t, "entries", csafEntries(a), c.want)
		})
	}
}

// TestCSAFRelationships: a package of a module of a platform, circles, and parts that are not there.
// TestCSAFSchema: what breaks the schema where nothing is judged by is said, with its place.
// TestCSAFBig reads a document as big as Red Hat's for the kernel; it must not take the square of it.
// TestCSAFCorpus reads the real documents, where they are at hand.
// FuzzCSAF: whatever is read, an answer is an advisory with an id, or mistakes with places; and
// reading it again gives the same.
