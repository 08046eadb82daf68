package parse

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
)

const xenserverXML = `<?xml version="1.0" encoding="UTF-8"?>
<updates xapi-api-version="2.23">
  <update type="security">
    <id>UPDATE-1</id>
    <title>Xen &amp; kernel</title>
    <summary>fixes</summary>
    <special_info/>
    <url>https://vendor.example/1</url>
    <recommended_guidance>EvacuateHost</recommended_guidance>
    <absolute_guidance>RebootHost</absolute_guidance>
    <guidance_applicabilities>
      <applicability>
        <name>xen-hypervisor</name><inequality>gte</inequality><epoch>None</epoch><version>4.17.5</version><release>3</release><arch>x86_64</arch>
      </applicability>
      <applicability>
        <name>kernel</name><inequality>lt</inequality><epoch>1</epoch><version>4.19.19</version><release>8.0.21.xs8</release><arch>noarch</arch>
      </applicability>
    </guidance_applicabilities>
    <livepatches>
      <livepatch component="kernel" base="4.19.19-8.0.19.xs8" to="4.19.19-8.0.21.xs8" base-buildid="aa01"/>
      <livepatch component="kernel" base="4.19.19-8.0.20.xs8" to="4.19.19-8.0.21.xs8" base-buildid="aa02"></livepatch>
      <livepatch component="xen" base="4.17.5-3" to="4.17.5-4" base-buildid="bb01"/>
    </livepatches>
    <issued date="2026-03-02 08:37:49"/>
    <severity>High</severity>
  </update>
  <update type="enhancement"><id>UPDATE-2</id><summary>nothing to judge by</summary></update>
</updates>
`

func TestXenServerUpdateinfo(t *testing.T) {
	a := mustOne(t, "u.xml", xenserverXML)
	if a.ID != "UPDATE-1" || a.Format != advisory.FormatUpdateinfo || a.Summary != "Xen & kernel" || a.Severity != "High" ||
		!a.Published.Equal(time.Date(2026, 3, 2, 8, 37, 49, 0, time.UTC)) || len(a.Aliases)+len(a.Upstream)+len(a.Gaps) != 0 {
		t.Errorf("got %+v", a)
	}
	below := func(v string) []advisory.Range {
		return ecosystemRange(advisory.Event{Introduced: "0"}, advisory.Event{Fixed: v})
	}
	affected := []advisory.Affected{
		{Ecosystem: "XenServer", Package: "kernel", Ranges: below("4.19.19-8.0.21.xs8"), Why: "its live patches start from 4.19.19-8.0.19.xs8, 4.19.19-8.0.20.xs8"},
		{Ecosystem: "XenServer", Package: "xen", Ranges: below("4.17.5-4"), Why: "its live patches start from 4.17.5-3"},
	}
	if !reflect.DeepEqual(a.Affected, affected) {
		t.Errorf("affected %+v", a.Affected)
	}
	payloads := []advisory.Payload{
		{Kind: "live-patch", Component: "linux", Base: "4.19.19-8.0.19.xs8", To: "4.19.19-8.0.21.xs8", BuildID: "aa01"},
		{Kind: "live-patch", Component: "linux", Base: "4.19.19-8.0.20.xs8", To: "4.19.19-8.0.21.xs8", BuildID: "aa02"},
		{Kind: "live-patch", Component: "xen", Base: "4.17.5-3", To: "4.17.5-4", BuildID: "bb01"},
	}
	if !reflect.DeepEqual(a.Payloads, payloads) {
		t.Errorf("payloads %+v", a.Payloads)
	}
	from := []advisory.Affected{
		{Ecosystem: "XenServer", Package: "xen-hypervisor", Applies: []advisory.Condition{{Arch: []string{"x86_64"}}}, Ranges: ecosystemRange(advisory.Event{Introduced: "4.17.5-3"})},
		{Ecosystem: "XenServer", Package: "kernel", Ranges: ecosystemRange(advisory.Event{Introduced: "0"}, advisory.Event{Fixed: "1:4.19.19-8.0.21.xs8"})},
	}
	guidance := []advisory.Guidance{
		{Action: "EvacuateHost", Kind: "recommended", Tactics: []string{"evacuate"}, From: from},
		{Action: "RebootHost", Kind: "absolute", Tactics: []string{"evacuate", "suspend", "reboot"}, From: from},
	}
	if !reflect.DeepEqual(a.Guidance, guidance) {
		t.Errorf("guidance %+v", a.Guidance)
	}
}

func ecosystemRange(events ...advisory.Event) []advisory.Range {
	return []advisory.Range{{Type: "ECOSYSTEM", Events: events}}
}

func xsUpdate(inner string) string {
	return `<updates xapi-api-version="2.23"><update type="security"><id>U-1</id>` + inner + `</update></updates>`
}

// TestPatchedRange: each base is affected, each fix is not, whatever the streams.
func TestPatchedRange(t *testing.T) {
	for name, c := range map[string]struct{ patches, want string }{
		"one":             {"1-1>1-3", "+0 -1-3"},
		"several bases":   {"1-2>1-3 1-1>1-3", "+0 -1-3"},
		"two streams":     {"2-5>2-7 2-6>2-7 1-1>1-10 1-9>1-10", "+0 -1-10 +2-5 -2-7"},
		"from a fix on":   {"1-1>1-2 1-2>1-3", "+0 -1-3"},
		"one in another":  {"1-1>1-3 1-2>1-4", "+0 -1-4"},
		"three, two into": {"1-1>1-3 1-2>1-4 2-1>2-2", "+0 -1-4 +2-1 -2-2"},
	} {
		var patches []advisory.Payload
		for _, p := range strings.Fields(c.patches) {
			base, to, _ := strings.Cut(p, ">")
			patches = append(patches, advisory.Payload{Base: base, To: to})
		}
		var got []string
		for _, e := range patchedRange(patches) {
			if e.Introduced != "" {
				got = append(got, "+"+e.Introduced)
			} else {
				got = append(got, "-"+e.Fixed)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, want %s", name, got, c.want)
		}
	}
}

func TestGuidance(t *testing.T) {
	reboot := []string{"evacuate", "suspend", "reboot"}
	for action, tactics := range map[string][]string{
		"RebootHost": reboot, "EvacuateHost": {"evacuate"}, "RestartDeviceModel": {"refresh", "evacuate", "suspend", "reboot"},
		"RestartVM": {"reboot"}, "RestartToolstack": nil, "SomethingNew": reboot,
	} {
		a := mustOne(t, "u.xml", xsUpdate(`<guidance><mandatory><value>`+action+`</value></mandatory></guidance>`))
		if want := []advisory.Guidance{{Action: action, Kind: "mandatory", Tactics: tactics}}; !reflect.DeepEqual(a.Guidance, want) {
			t.Errorf("%s: %+v", action, a.Guidance)
		}
		for part, of := range map[string]string{"RestartVM asks for a stop and a start of each instance": "RestartVM", `"SomethingNew" is a guidance that is not known`: "SomethingNew"} {
			if gap(&a, part) != (action == of) {
				t.Errorf("%s: gaps %q", action, a.Gaps)
			}
		}
	}
	a := mustOne(t, "u.xml", xsUpdate(`<guidance><full><value>RebootHost</value><value>RestartVM</value></full><livepatch><value>RestartToolstack</value></livepatch></guidance>
		<absolute_guidance>RebootHost</absolute_guidance><recommended_guidance>EvacuateHost</recommended_guidance>`))
	var got []string
	for _, g := range a.Guidance {
		got = append(got, g.Kind+" "+g.Action)
	}
	if want := []string{"full RebootHost", "full RestartVM", "livepatch RestartToolstack"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
	if !gap(&a, "its older guidance (recommended: EvacuateHost) is passed over") || gap(&a, "absolute") {
		t.Errorf("gaps %q", a.Gaps)
	}
	if a := mustOne(t, "u.xml", xsUpdate(`<guidance/><absolute_guidance>RebootHost</absolute_guidance>`)); len(a.Guidance) != 0 || !gap(&a, "absolute: RebootHost") {
		t.Errorf("an empty guidance: %+v", a)
	}
}

func TestApplicability(t *testing.T) {
	for way, want := range map[string]advisory.Affected{
		"gte": {Ranges: ecosystemRange(advisory.Event{Introduced: "1-2"})},
		"gt":  {Ranges: ecosystemRange(advisory.Event{Introduced: "1-2^"})},
		"lt":  {Ranges: ecosystemRange(advisory.Event{Introduced: "0"}, advisory.Event{Fixed: "1-2"})},
		"lte": {Ranges: ecosystemRange(advisory.Event{Introduced: "0"}, advisory.Event{LastAffected: "1-2"})},
		"eq":  {Versions: []string{"1-2"}},
	} {
		want.Ecosystem, want.Package = "XenServer", "xen"
		a := mustOne(t, "u.xml", xsUpdate(`<recommended_guidance>RebootHost</recommended_guidance><guidance_applicabilities><applicability>
			<name>xen</name><inequality>`+way+`</inequality><epoch>0</epoch><version>1</version><release>2</release></applicability></guidance_applicabilities>`))
		if got := a.Guidance[0].From; len(got) != 1 || !reflect.DeepEqual(got[0], want) {
			t.Errorf("%s: %+v", way, got)
		}
	}
}

const yumXML = `<updates>
  <update from="security@distro.example" status="final" type="security" version="2.0">
    <id>RLSA-2026:0001</id>
    <title>Important: qemu-kvm security update</title>
    <issued date="2026-03-01 00:00:00"/>
    <updated date="1772409600"/>
    <rights>nobody</rights>
    <severity>Important</severity>
    <references>
      <reference type="self" id="RLSA-2026:0001" href="https://distro.example/1"/>
      <reference type="cve" id="CVE-2026-1000"/>
      <reference type="cve" id="CVE-2026-1001"/>
      <reference type="cve" id="CVE-2026-1000"/>
    </references>
    <pkglist>
      <collection short="rocky-9-appstream">
        <name>rocky-linux-9-x86-64-appstream-rpms</name>
        <package name="qemu-kvm" epoch="17" version="8.2.0" release="11.el9_4.4" arch="x86_64" src="qemu-kvm.src.rpm">
          <filename>qemu-kvm-8.2.0-11.el9_4.4.x86_64.rpm</filename>
          <sum type="sha256">00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff</sum>
          <reboot_suggested>True</reboot_suggested>
        </package>
        <package name="qemu-kvm" epoch="17" version="8.2.0" release="11.el9_4.4" arch="aarch64"/>
        <package name="qemu-img" epoch="0" version="8.2.0" release="11.el9_4.4" arch="x86_64"/>
        <package name="qemu-img" epoch="0" version="8.2.0" release="11.el9_4.5" arch="aarch64"/>
      </collection>
    </pkglist>
  </update>
</updates>`

func TestYumUpdateinfo(t *testing.T) {
	a := mustOne(t, "u.xml", yumXML)
	if a.ID != "RLSA-2026:0001" || a.Severity != "Important" || !reflect.DeepEqual(a.Upstream, []string{"CVE-2026-1000", "CVE-2026-1001"}) || len(a.Aliases) != 0 ||
		!a.Modified.Equal(time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)) || len(a.Gaps) != 0 || a.Summary != "Important: qemu-kvm security update" {
		t.Errorf("got %+v", a)
	}
	fixed := func(pkg, v string, arch ...string) advisory.Affected {
		e := advisory.Affected{Ecosystem: "Rocky Linux:9", Package: pkg, Ranges: ecosystemRange(advisory.Event{Introduced: "0"}, advisory.Event{Fixed: v})}
		if len(arch) > 0 {
			e.Applies = []advisory.Condition{{Arch: arch}}
		}
		return e
	}
	want := []advisory.Affected{fixed("qemu-kvm", "17:8.2.0-11.el9_4.4"), fixed("qemu-img", "8.2.0-11.el9_4.4", "x86_64"), fixed("qemu-img", "8.2.0-11.el9_4.5", "aarch64")}
	if !reflect.DeepEqual(a.Affected, want) {
		t.Errorf("affected %+v", a.Affected)
	}
	payload := advisory.Payload{Kind: "package", Name: "qemu-kvm-8.2.0-11.el9_4.4.x86_64.rpm", Component: "qemu-kvm", To: "17:8.2.0-11.el9_4.4",
		SHA256: "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"}
	if !reflect.DeepEqual(a.Payloads, []advisory.Payload{payload}) {
		t.Errorf("payloads %+v", a.Payloads)
	}
	if len(a.Guidance) != 1 || a.Guidance[0].Action != "reboot_suggested" || len(a.Guidance[0].Tactics) != 3 {
		t.Errorf("guidance %+v", a.Guidance)
	}
}

func TestCollections(t *testing.T) {
	for name, want := range map[string]string{
		"rocky-linux-9-x86-64-baseos-rpms": "Rocky Linux:9", "Rocky Linux 8": "Rocky Linux:8", "almalinux-9-for-x86_64-baseos-rpms__9_4_default": "AlmaLinux:9",
		"XCP-ng 8.3": "XCP-ng:8.3", "XenServer 8": "XenServer:8", "Fedora 39": "Fedora:39", "Fedora EPEL 9": "Fedora EPEL 9",
		"rhel-9-for-x86_64-appstream-rpms__9_DOT_4": "Red Hat:9", "rhel-9-for-x86_64-appstream-eus-rpms": "rhel-9-for-x86_64-appstream-eus-rpms",
	} {
		src := `<updates><update type="bugfix"><id>U</id><title>t</title><pkglist><collection><name>` + name + `</name><package name="xen" version="1" release="2"/></collection></pkglist></update></updates>`
		a := mustOne(t, "u.xml", src)
		if a.Affected[0].Ecosystem != want || gap(&a, "is no collection of a distribution that is known") != (want == name) || a.Summary != "(bugfix) t" {
			t.Errorf("%s: %+v", name, a)
		}
	}
	unnamed := `<update type="security"><id>U</id><pkglist><collection><package name="xen" version="1" release="2"/></collection></pkglist></update></updates>`
	if a := mustOne(t, "u.xml", "<updates>"+unnamed); a.Affected[0].Ecosystem != "" || !gap(&a, "of which distribution its packages are is not said") {
		t.Errorf("%+v", a)
	}
	if a := mustOne(t, "u.xml", `<updates xapi-api-version="2.23">`+unnamed); a.Affected[0].Ecosystem != "XenServer" || len(a.Gaps) != 0 {
		t.Errorf("%+v", a)
	}
}

func TestRetracted(t *testing.T) {
	a := mustOne(t, "u.xml", `<updates><update type="security" status="retracted"><id>U</id><issued date="2026-01-02"/></update></updates>`)
	if !a.Withdrawn.Equal(time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)) || !gap(&a, "retracted") || !gap(&a, "no affected package") {
		t.Errorf("%+v", a)
	}
}

func TestUpdateinfoMistakes(t *testing.T) {
	lp := func(attrs string) string { return xsUpdate("\n<livepatches><livepatch " + attrs + "/></livepatches>") }
	app := func(inner string) string {
		return xsUpdate("\n<guidance_applicabilities><applicability>" + inner + "</applicability></guidance_applicabilities>")
	}
	pkg := func(attrs, inner string) string {
		return `<updates><update type="security"><id>U</id><pkglist><collection><name>XenServer 8</name>` + "\n<package " + attrs + ">" + inner + "</package></collection></pkglist></update></updates>"
	}
	refused(t, "u.xml", map[string][2]string{
		"another root":      {`<html><body/></html>`, "u.xml:1:1: found <html>, expected <updates>"},
		"cut short":         {"<updates>\n <update type=\"security\">\n  <id>U", "u.xml:3:8: found the end of the file, expected XML"},
		"cut in a tag":      {"<updates>\n <upda", "u.xml:2:7: found the end of the file, expected XML"},
		"wrong end":         {"<updates>\n</update>", "u.xml:2:10: found element <updates> closed by </update>, expected XML"},
		"entity":            {"<updates>&x;</updates>", "found invalid character entity &x;, expected XML"},
		"own entity":        {"<?xml version=\"1.0\"?>\n<!DOCTYPE updates [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><updates/>", "u.xml:2:1: found <!DOCTYPE updates [<!E...>, expected a document without a type declaration"},
		"another encoding":  {"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><updates/>", `u.xml:1:1: found the encoding "ISO-8859-1", expected UTF-8`},
		"two roots":         {"<updates/>\n<updates/>", "u.xml:2:1: found a second outermost element, expected the end of the file"},
		"text around":       {"<updates/>\nand more", "u.xml:1:11: found text outside of the elements"},
		"only a comment":    {"<!-- nothing -->", "found the end of the file, expected an element"},
		"bottomless":        {strings.Repeat("<updates>", 1000), "u.xml:1:901: found more than 2000000 elements, or more than 100 inside each other"},
		"attribute twice":   {`<updates a="1" a="2"/>`, "u.xml:1:1: updates: found the attribute a a second time"},
		"no id":             {`<updates><update type="security"/></updates>`, "u.xml:1:10: updates.update.id: found nothing, expected <id>: the update's id"},
		"empty id":          {"<updates><update type=\"security\">\n<id> </id></update></updates>", `u.xml:2:1: updates.update.id: found "", expected the update's id`},
		"id twice":          {"<updates><update type=\"security\"><id>U</id>\n<id>V</id></update></updates>", "u.xml:2:1: updates.update.id[1]: found <id> a second time"},
		"no type":           {"<updates>\n<update><id>U</id></update></updates>", `u.xml:2:1: updates.update: found no attribute type`},
		"update twice":      {`<updates xapi-api-version="2.23"><update type="security"><id>U</id></update>` + "\n" + `<update type="security"><id>U</id></update></updates>`, "u.xml:2:1: updates.update[1]: found the update U a second time"},
		"date":              {xsUpdate("\n<issued date=\"last May\"/>"), `u.xml:2:1: updates.update.issued: found "last May", expected a date`},
		"retracted undated": {`<updates><update type="security" status="retracted"><id>U</id></update></updates>`, `found status="retracted" and no date`},
		"no component":      {lp(`base="1-1" to="1-2" base-buildid="aa"`), "u.xml:2:14: updates.update.livepatches.livepatch: found no attribute component"},
		"no base":           {lp(`component="xen" to="1-2" base-buildid="aa"`), "found no attribute base,"},
		"no to":             {lp(`component="xen" base="1-2" base-buildid="aa"`), "found no attribute to,"},
		"no build id":       {lp(`component="xen" base="1-1" to="1-2"`), "found no attribute base-buildid"},
		"empty build id":    {lp(`component="xen" base="1-1" to="1-2" base-buildid=""`), `found base-buildid="", expected the build id`},
		"base no release":   {lp(`component="xen" base="1" to="1-2" base-buildid="aa"`), `found "1", expected a version and a release`},
		"empty guidance":    {xsUpdate("<guidance><full>\n<value/></full></guidance>"), `u.xml:2:1: updates.update.guidance.full.value: found "", expected what is to be done`},
		"inequality":        {app("<name>x</name>\n<inequality>ne</inequality><version>1</version><release>2</release>"), `u.xml:3:1: updates.update.guidance_applicabilities.applicability.inequality: found "ne", expected gte, gt, lt, lte or eq`},
		"no inequality":     {app("<name>x</name><version>1</version><release>2</release>"), "applicability.inequality: found nothing"},
		"no name":           {app("<inequality>lt</inequality><version>1</version><release>2</release>"), "applicability.name: found nothing"},
		"no release":        {app("<name>x</name><inequality>lt</inequality><version>1</version>"), "applicability.release: found nothing"},
		"package, no name":  {pkg(`version="1" release="2"`, ""), "u.xml:2:1: updates.update.pkglist.collection.package: found no attribute name"},
		"no version":        {pkg(`name="x" release="2"`, ""), "package: found no attribute version"},
		"sum":               {pkg(`name="x" version="1" release="2"`, "<filename>x.rpm</filename><sum type=\"sha256\">abc</sum>"), `package.sum: found "abc", expected a SHA-256 sum`},
		"cve without id":    {xsUpdate(`<references><reference type="cve"/></references>`), "updates.update.references.reference: found no attribute id"},
	})
}

// TestUpdateinfoLeavesOpen: what is there and cannot be used is said.
func TestUpdateinfoLeavesOpen(t *testing.T) {
	a := mustOne(t, "u.xml", xsUpdate(`<x:id xmlns:x="urn:other">another's</x:id><livepatches><livepatch component="toolstack" base="1-1" to="1-2" base-buildid="aa"/></livepatches>`))
	if a.ID != "U-1" || len(a.Payloads) != 1 || len(a.Affected) != 0 || !gap(&a, "is for toolstack, which is neither xen nor kernel") || !gap(&a, "no affected package") {
		t.Errorf("%+v", a)
	}
	if out := must(t, "u.xml", "<updates>\n</updates>"); len(out) != 0 {
		t.Errorf("%+v", out)
	}
}

func FuzzUpdateinfo(f *testing.F) {
	for _, s := range []string{xenserverXML, yumXML, `<?xml version="1.0" encoding="utf-16"?><a/>`, "<updates><update/><update><guidance><a><value/></a></guidance></update></updates>"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) { hold(t, "f.xml", src) })
}
