package parse

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// corpusWords is what is expected of documents that may lie in the corpus: a part of the refusal, or
// the id of the first advisory read.
var corpusWords = map[string]struct{ id, refused string }{
	"README.md":                                {refused: `:1:1: found text without the key evenkeel, expected an advisory: OSV`},
	"qubes-sec-xsa.yml":                        {refused: `:1:1: found text without the key evenkeel, expected an advisory: OSV`},
	"schema_osv.json":                          {refused: `found an object with the keys [$schema $id title`},
	"schema_csaf_2.0.json":                     {refused: `found an object with the keys [$schema $id title`},
	"xsa230.meta.partial":                      {refused: `found the end of the file, expected JSON`},
	"osv_GHSA-53jp-4hq4-cmc7.json":             {id: "GHSA-53jp-4hq4-cmc7"},
	"osv-part-alpine_CVE-2022-33745_xen.json":  {id: "CVE-2022-33745"},
	"nvd2_CVE-2022-33745_xen.json":             {id: "CVE-2022-33745"},
	"cvelistV5_CVE-2014-7188.json":             {id: "CVE-2014-7188"},
	"cvelistV5_CVE-2015-2151.json":             {id: "CVE-2015-2151"},
	"xsa334.meta":                              {id: "XSA-334"},
	"xsa372.meta":                              {id: "XSA-372"},
	"xenserver-updateinfo_applicability.xml":   {id: "UPDATE-0000"},
	"xenserver-updateinfo_livepatch.xml":       {id: "UPDATE-0000"},
	"csaf-vex-ciq_cve-2023-20593.json":         {},
	"csaf-vex_oasis-example-not-affected.json": {},
}

// TestCorpus reads real documents, where they are at hand: each is read, or refused with its place.
func TestCorpus(t *testing.T) {
	for name, src := range corpus(t) {
		out, mistakes := Parse(name, src)
		hold(t, name, src)
		switch want, known := corpusWords[name]; {
		case known && want.refused != "":
			if len(mistakes) == 0 || !strings.Contains(mistakes.Error(), want.refused) {
				t.Errorf("%s: got %v\nwant %s", name, mistakes, want.refused)
			}
		case known && (len(mistakes) > 0 || len(out) == 0 || want.id != "" && out[0].ID != want.id):
			t.Errorf("%s: got %+v, %v", name, out, mistakes)
		case !known && len(out) == 0 && len(mistakes) == 0:
			t.Errorf("%s: neither read nor refused", name)
		}
		if len(mistakes) > 0 {
			t.Log(mistakes[0])
		} else {
			t.Logf("%s: %d, the first %s, gaps %q", name, len(out), out[0].ID, out[0].Gaps)
		}
	}
}

// corpus are the files of the folder that EVENKEEL_CORPUS names, by name.
func corpus(t testing.TB) map[string][]byte {
	t.Helper()
	dir := os.Getenv("EVENKEEL_CORPUS")
	if dir == "" {
		t.Skip("skipped: no corpus (EVENKEEL_CORPUS names its folder)")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		if files[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	if len(files) == 0 {
		t.Fatal(dir + " holds no file")
	}
	return files
}
