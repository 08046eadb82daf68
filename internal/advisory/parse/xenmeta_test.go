package parse

import (
	"reflect"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/advisory"
)

const xenMeta = `{
  "XSA": 901,
  "SupportedVersions": ["master", "4.18", "4.17", "4.9"],
  "Trees": ["xen", "qemu-xen", "mini-os"],
  "Recipes": {
    "4.9": {
      "XenVersion": "4.9",
      "Recipes": {
        "xen": {"StableRef": "0123456789abcdef0123456789abcdef01234567", "Prereqs": [899, 900], "Patches": ["xsa901-4.9/*.patch"]},
        "qemu-xen": {"StableRef": "1123456789abcdef0123456789abcdef01234567", "Prereqs": [], "Patches": ["xsa901-qemuu.patch"]}
      }
    },
    "4.17": {
      "Recipes": {"xen": {"StableRef": "2123456789abcdef0123456789abcdef01234567", "Prereqs": [], "Patches": ["xsa901-1.patch", "xsa901-2.patch"]}}
    },
    "master": {
      "Recipes": {"xen": {"StableRef": "3123456789abcdef0123456789abcdef01234567", "Prereqs": [], "Patches": []}}
    }
  }
}`

func TestXenMeta(t *testing.T) {
	a := mustOne(t, "xsa901.meta", xenMeta)
	if a.ID != "XSA-901" || a.Format != advisory.FormatXenMeta || !a.Published.IsZero() || !a.Disclosure.IsZero() {
		t.Errorf("got %+v", a)
	}
	// No entry may call any release affected, fixed or not affected: the document does not.
	var of []string
	for _, e := range a.Affected {
		if e.Status != advisory.StatusUnknown || e.Ecosystem != "upstream" || !strings.Contains(e.Why, "in which release it is fixed the document does not say") {
			t.Errorf("entry %+v", e)
		}
		for _, r := range e.Ranges {
			of = append(of, e.Package+" "+r.Events[0].Introduced+" to "+r.Events[1].Limit)
		}
	}
	if want := []string{"xen 4.9 to 4.10", "xen 4.17 to 4.18"}; !reflect.DeepEqual(of, want) || len(a.Affected) != 3 {
		t.Errorf("branches %q, want %q", of, want)
	}
	if q := a.Affected[1]; q.Package != "qemu" || len(q.Ranges) != 0 || !strings.Contains(q.Why, "patches qemu-xen for branch 4.9 of Xen, at its commit 1123") {
		t.Errorf("qemu: %+v", q)
	}
	first := advisory.Payload{Kind: "patch", Name: "xsa901-4.9/*.patch", Component: "xen", Branch: "4.9", Base: "0123456789abcdef0123456789abcdef01234567", Requires: []string{"XSA-899", "XSA-900"}}
	if len(a.Payloads) != 4 || !reflect.DeepEqual(a.Payloads[0], first) || a.Payloads[3].Name != "xsa901-2.patch" || a.Payloads[3].Branch != "4.17" {
		t.Errorf("payloads %+v", a.Payloads)
	}
	for _, part := range []string{
		"it names patches for branches, not the releases that are affected or fixed",
		"branch 4.18 was supported and gets no patch: whether it is affected the document does not say",
		"the tree mini-os is named and gets no patch",
		"of branches other than master, 4.18, 4.17, 4.9 XSA-901 says nothing",
		"XSA-901 patches xen for branch master of Xen, at its commit 3123",
		"the recipe for xen of branch master names no patch",
	} {
		if !gap(&a, part) {
			t.Errorf("no gap %q in %q", part, a.Gaps)
		}
	}
	if len(a.Gaps) != 6 {
		t.Errorf("gaps %q", a.Gaps)
	}
}

func TestXenMetaMistakes(t *testing.T) {
	recipe := func(r string) string {
		return "{\"XSA\": 1,\n\"Recipes\": {\"4.9\": {\"Recipes\": {\"xen\": " + r + "}}}}"
	}
	cut := xenMeta[:strings.Index(xenMeta, `"4.17": {`)-1]
	refused(t, "x.meta", map[string][2]string{
		"cut short":        {strings.TrimRight(cut, " ,\n"), "x.meta:12:6: found the end of the file, expected JSON"},
		"number in text":   {`{"XSA":"372"}`, `x.meta:1:8: XSA: found "372", expected the number of an XSA`},
		"number 0":         {`{"XSA":0,"Recipes":{}}`, `XSA: found 0, expected the number of an XSA`},
		"a fraction":       {`{"XSA":3.5,"Recipes":{}}`, `XSA: found 3.5`},
		"null":             {`{"XSA":null,"Recipes":{}}`, `XSA: found null`},
		"no recipes":       {`{"XSA":1}`, `x.meta:1:1: Recipes: found nothing, expected an object with a recipe`},
		"recipes a list":   {`{"XSA":1,"Recipes":[]}`, `x.meta:1:20: Recipes: found an array`},
		"branch a text":    {`{"XSA":1,"Recipes":{"4.9":"x"}}`, `Recipes.4.9: found "x", expected a recipe`},
		"branch empty":     {`{"XSA":1,"Recipes":{"4.9":{}}}`, `Recipes.4.9.Recipes: found nothing`},
		"another version":  {`{"XSA":1,"Recipes":{"4.9":{"XenVersion":"4.8","Recipes":{}}}}`, `Recipes.4.9.XenVersion: found "4.8", expected the branch that the recipe is under, "4.9"`},
		"tree null":        {recipe("null"), `x.meta:2:40: Recipes.4.9.Recipes.xen: found null`},
		"no ref":           {recipe(`{"Patches":["a"]}`), `Recipes.4.9.Recipes.xen.StableRef: found nothing`},
		"ref no commit":    {recipe(`{"StableRef":"HEAD","Patches":["a"]}`), `x.meta:2:53: Recipes.4.9.Recipes.xen.StableRef: found "HEAD", expected a commit`},
		"prereq a text":    {recipe(`{"StableRef":"0123456","Prereqs":["333"],"Patches":["a"]}`), `xen.Prereqs[0]: found "333", expected the number of an XSA`},
		"prereqs a number": {recipe(`{"StableRef":"0123456","Prereqs":333,"Patches":["a"]}`), `xen.Prereqs: found 333, expected an array`},
		"patch a number":   {recipe(`{"StableRef":"0123456","Patches":[1]}`), `xen.Patches[0]: found 1, expected text`},
		"patches a text":   {recipe(`{"StableRef":"0123456","Patches":"a.patch"}`), `xen.Patches: found "a.patch", expected an array`},
		"versions a text":  {`{"XSA":1,"SupportedVersions":"4.9","Recipes":{}}`, `SupportedVersions: found "4.9", expected an array`},
		"trees of numbers": {`{"XSA":1,"Trees":[1],"Recipes":{}}`, `Trees[0]: found 1, expected text`},
		"branch twice":     {`{"XSA":1,"Recipes":{"4.9":{"Recipes":{}},"4.9":{"Recipes":{}}}}`, `Recipes.4.9: found this key a second time`},
	})
}

func TestPackageOfTree(t *testing.T) {
	for tree, want := range map[string]string{"xen": "xen", "qemuu": "qemu", "qemu-xen": "qemu", "qemut": "qemu-xen-traditional", "linux": "linux", "mini-os": "mini-os"} {
		if got := packageOfTree(tree); got != want {
			t.Errorf("%s: %s, want %s", tree, got, want)
		}
	}
}

func FuzzXenMeta(f *testing.F) {
	f.Add([]byte(xenMeta))
	f.Add([]byte(`{"XSA":1,"Recipes":{"":{"Recipes":{"":{}}}}}`))
	f.Fuzz(func(t *testing.T, src []byte) { hold(t, "f.meta", src) })
}
