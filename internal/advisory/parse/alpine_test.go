package parse

import (
	"reflect"
	"testing"

	"github.com/evenkeel/evenkeel/internal/advisory"
)

func alpinePart(pkg, versions string) string {
	return `{"pkg_name":"` + pkg + `","ecosystem":"Alpine:v3.17","purl":"pkg:apk/alpine/xen?arch=source","fixed_version":{"AffectedCommits":null,"AffectedVersions":` + versions + `}}`
}

const alpineFix = `[{"Introduced":"","Fixed":"4.16.1-r6","LastAffected":""}]`

func TestAlpine(t *testing.T) {
	a := mustOne(t, "feeds/osv_CVE-2022-33745_xen.json", "["+alpinePart("xen", alpineFix)+"]")
	want := []advisory.Affected{{Ecosystem: "Alpine:v3.17", Package: "xen", Ranges: []advisory.Range{{Type: "ECOSYSTEM", Events: []advisory.Event{{Introduced: "0"}, {Fixed: "4.16.1-r6"}}}}}}
	if a.ID != "CVE-2022-33745" || a.Format != advisory.FormatOSV || !reflect.DeepEqual(a.Affected, want) {
		t.Errorf("got %+v", a)
	}
	if len(a.Gaps) != 1 || !gap(&a, "its id CVE-2022-33745 is taken from the document's name") {
		t.Errorf("gaps %q", a.Gaps)
	}
	if a := mustOne(t, "cve-2022-1000 and CVE-2022-1000", "["+alpinePart("xen", alpineFix)+"]"); a.ID != "CVE-2022-1000" {
		t.Errorf("one id twice: %s", a.ID)
	}
	a = mustOne(t, "CVE-2022-1000", "["+alpinePart("xen", `[{"Introduced":"4.10.0-r0","LastAffected":"4.16.1-r5"}]`)+"]")
	if e := a.Affected[0].Ranges[0].Events; e[0].Introduced != "4.10.0-r0" || e[1].LastAffected != "4.16.1-r5" {
		t.Errorf("%+v", e)
	}
	a = mustOne(t, "CVE-2022-1000", "["+alpinePart("xen", `[{"Introduced":"","Fixed":"0"}]`)+"]")
	if e := a.Affected[0]; e.Status != advisory.StatusNotAffected || e.Why == "" || len(e.Ranges) != 0 {
		t.Errorf("never affected: %+v", e)
	}
	a = mustOne(t, "CVE-2022-1000", "["+alpinePart("xen", `null`)+"]")
	if !gap(&a, "xen in Alpine:v3.17 has neither ranges nor versions") {
		t.Errorf("gaps %q", a.Gaps)
	}
}

func TestAlpineMistakes(t *testing.T) {
	refused(t, "CVE-2022-1000", map[string][2]string{
		"beside a record":    {"[" + alpinePart("xen", alpineFix) + "," + qemuOSV + "]", "CVE-2022-1000:1:2: [0]: found a part of a record beside whole ones"},
		"no versions":        {`[{"pkg_name":"xen","ecosystem":"Alpine:v3.17"}]`, `[0].fixed_version: found nothing, expected an object with AffectedVersions`},
		"versions text":      {`[{"pkg_name":"xen","ecosystem":"Alpine:v3.17","fixed_version":"1"}]`, `[0].fixed_version: found "1", expected an object`},
		"no ecosystem":       {`[{"pkg_name":"xen","fixed_version":{}}]`, `[0].ecosystem: found nothing`},
		"name a number":      {`[{"pkg_name":7,"ecosystem":"Alpine:v3.17","fixed_version":{}}]`, `[0].pkg_name: found 7, expected text`},
		"version a number":   {"[" + alpinePart("xen", `[{"Fixed":4}]`) + "]", `AffectedVersions[0].Fixed: found 4, expected text`},
		"version null":       {"[" + alpinePart("xen", `[null]`) + "]", `AffectedVersions[0]: found null, expected an object with Introduced`},
		"both ends":          {"[" + alpinePart("xen", `[{"Fixed":"2-r0","LastAffected":"1-r0"}]`) + "]", `found both Fixed and LastAffected`},
		"never and affected": {"[" + alpinePart("xen", `[{"Fixed":"0"},{"Fixed":"2-r0"}]`) + "]", `found a fix in version 0, which says that it never was affected, beside affected versions`},
	})
	refused(t, "fragment.json", map[string][2]string{
		"no id": {"[" + alpinePart("xen", alpineFix) + "]", `fragment.json:1:1: found no id of an advisory, neither in the document nor in its name, expected parts of a record in a document whose name holds the one CVE`},
	})
	refused(t, "CVE-2022-1000-and-CVE-2022-1001.json", map[string][2]string{
		"two ids": {"[" + alpinePart("xen", alpineFix) + "]", `several in its name: CVE-2022-1000, CVE-2022-1001`},
	})
	refused(t, "xCVE-2022-1000.json", map[string][2]string{
		"no id of its own": {"[" + alpinePart("xen", alpineFix) + "]", `neither in the document nor in its name`},
	})
}
