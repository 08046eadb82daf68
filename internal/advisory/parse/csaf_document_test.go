package parse

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
)

func TestCSAFStanding(t *testing.T) {
	src := strings.NewReplacer(`"status":"final"`, `"status":"draft"`, `"title":"a title"`, `"title":"a title","distribution":{"text":"only for\nthe list","tlp":{"label":"AMBER"}}`).Replace(csafRedHatVEX)
	a := mustCSAF(t, src)[0]
	sameLines(t, "gaps", a.Gaps[:2], []string{"its status is draft, not final: it may change", "it is TLP:AMBER, not for everyone: no tenant may see it: only for the list"})
}

func TestCSAFSchema(t *testing.T) {
	src := strings.Replace(csafRedHatVEX, `"publisher":{`, `"references":[{"summary":"x","url":"not an address"}],`+"\n"+`"publisher":{"contact_details":7,`, 1)
	a := mustCSAF(t, src)[0]
	var breaks []string
	for _, g := range a.Gaps {
		if strings.HasPrefix(g, "it breaks") {
			breaks = append(breaks, g)
		}
	}
	if len(breaks) != 2 || !strings.HasPrefix(breaks[0], "it breaks the schema of CSAF 2.0 at a.json:2:36: document.references[0].url: ") || !strings.Contains(breaks[1], "a.json:3:32: document.publisher.contact_details: got number, want string") {
		t.Errorf("got %q", breaks)
	}
	if gaps := mustCSAF(t, csafRedHatVEX)[0].Gaps; slices.ContainsFunc(gaps, func(g string) bool { return strings.HasPrefix(g, "it breaks") }) {
		t.Errorf("a sound document: %q", gaps)
	}
}

func TestCSAFMistakes(t *testing.T) {
	tree := `{"full_product_names":[{"name":"Xen 4.17","product_id":"P"}]}`
	sound := csafDoc("X", tree, "["+csafVuln("CVE-2026-0001", `{"known_affected":["P"]}`)+"]")
	swap := func(from, to string) string {
		if !strings.Contains(sound, from) {
			t.Fatalf("%s is not there", from)
		}
		return strings.Replace(sound, from, to, 1)
	}
	for name, c := range map[string]struct{ src, want string }{
		"cut short":            {sound[:len(sound)-1], `a.json:6:145: found the end of the file, expected JSON`},
		"document":             {`{"document":[]}`, `a.json:1:13: document: found an array, expected an object with the document's tracking`},
		"document null":        {`{"document":null}`, `a.json:1:13: document: found null, expected an object with the document's tracking`},
		"no tracking":          {`{"document":{}}`, `a.json:1:13: document.tracking: found nothing, expected an object with the document's id`},
		"no id":                {`{"document":{"tracking":{}}}`, `a.json:1:25: document.tracking.id: found nothing, expected the document's id`},
		"empty id":             {`{"document":{"tracking":{"id":""}}}`, `a.json:1:31: document.tracking.id: found "", expected the document's id`},
		"another version":      {swap(`"2.0"`, `"2.1"`), `a.json:1:65: document.csaf_version: found "2.1", expected "2.0"`},
		"moment":               {swap(`"2026-01-02T03:04:05Z"`, `"yesterday"`), `a.json:3:45: document.tracking.initial_release_date: found "yesterday", expected a moment such as 2026-01-02T03:04:05Z`},
		"tree":                 {swap(tree, `[]`), `a.json:5:16: product_tree: found an array, expected an object with branches, full_product_names or relationships`},
		"no tree":              {swap(tree, `null`), `a.json:6:119: vulnerabilities[0].product_status: found product statuses, and no product in product_tree, expected product_tree with the products that they are of`},
		"branch":               {swap(tree, `{"branches":[7]}`), `a.json:5:29: product_tree.branches[0]: found 7, expected a branch: an object with category and name`},
		"product id":           {swap(`"product_id":"P"`, `"product_id":7`), `a.json:5:71: product_tree.full_product_names[0].product_id: found 7, expected text`},
		"the same key":         {swap(`"known_affected":["P"]`, `"known_affected":["P"],"known_affected":[]`), `a.json:6:143: vulnerabilities[0].product_status.known_affected: found this key a second time`},
		"no product id":        {swap(`"product_id":"P"`, `"x":7`), `a.json:5:39: product_tree.full_product_names[0].product_id: found nothing, expected the product's id`},
		"helper":               {swap(`"product_id":"P"`, `"product_id":"P","product_identification_helper":{"cpe":[]}`), `a.json:5:114: product_tree.full_product_names[0].product_identification_helper.cpe: found an array, expected text`},
		"vulnerabilities":      {swap(`"vulnerabilities":[`, `"vulnerabilities":{},"x":[`), `a.json:6:19: vulnerabilities: found an object, expected an array`},
		"vulnerability":        {swap(`"vulnerabilities":[`, `"vulnerabilities":[7,`), `a.json:6:20: vulnerabilities[0]: found 7, expected a vulnerability: an object with cve or ids`},
		"cve":                  {swap(`"CVE-2026-0001"`, `""`), `a.json:6:27: vulnerabilities[0].cve: found "", expected an id such as CVE-2026-0001`},
		"status":               {swap(`{"known_affected":["P"]}`, `7`), `a.json:6:119: vulnerabilities[0].product_status: found 7, expected an object with lists of products`},
		"list":                 {swap(`["P"]`, `"P"`), `a.json:6:137: vulnerabilities[0].product_status.known_affected: found "P", expected an array`},
		"product":              {swap(`["P"]`, `["P",7]`), `a.json:6:142: vulnerabilities[0].product_status.known_affected[1]: found 7, expected a product's id`},
		"a product of nowhere": {swap(`["P"]`, `["P","Q"]`), `a.json:6:142: vulnerabilities[0].product_status.known_affected[1]: found "Q", expected the id of a product in product_tree`},
		"remediation":          {swap(`"notes":[`, `"remediations":[7],"notes":[`), `vulnerabilities[0].remediations[0]: found 7, expected a remediation: an object with category and details`},
		"key twice":            {swap(`"cve":`, `"cve":"x","cve":`), `a.json:6:31: vulnerabilities[0].cve: found this key a second time`},
	} {
		t.Run(name, func(t *testing.T) {
			_, mistakes := Parse("a.json", []byte(c.src))
			if len(mistakes) != 1 || !strings.Contains(mistakes.Error(), c.want) {
				t.Errorf("got %v\nwant %s", mistakes, c.want)
			}
		})
	}
}

func TestCSAFBig(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: short")
	}
	const n = 5000
	var branches, relations, ids []string
	branches = append(branches, csafLeaf("product_name", "RHEL 9", "B", `{"cpe":"cpe:/o:redhat:enterprise_linux:9::baseos"}`))
	for i := range n {
		name := fmt.Sprintf("kernel-%d-0:5.14.0-%d.el9.x86_64", i/10, i%10)
		branches = append(branches, csafLeaf("product_version", name, name, fmt.Sprintf(`{"purl":"pkg:rpm/redhat/kernel-%d@5.14.0-%d.el9?arch=x86_64"}`, i/10, i%10)))
		relations = append(relations, csafComponent(name, "B"))
		ids = append(ids, `"B:`+name+`"`)
	}
	all := "[" + strings.Join(ids, ",") + "]"
	src := csafDoc("CVE-2026-0001", csafTreeOf(branches, relations...), "["+csafVuln("CVE-2026-0001", `{"fixed":`+all+`}`,
		`"remediations":[{"category":"vendor_fix","details":"update","product_ids":`+all+`,"restart_required":{"category":"system"}}]`, `"threats":[{"category":"impact","details":"Low","product_ids":`+all+`}]`)+"]")
	start := time.Now()
	a := mustCSAF(t, src)[0]
	t.Logf("%d MiB in %v: %d entries, %d gaps", len(src)>>20, time.Since(start), len(a.Affected), len(a.Gaps))
	if want := n / 10 * 11; len(a.Affected) != want {
		t.Errorf("%d entries, want %d", len(a.Affected), want)
	}
}

func TestCSAFCorpus(t *testing.T) {
	dir := os.Getenv("EVENKEEL_CORPUS")
	if dir == "" {
		t.Skip("skipped: no corpus (EVENKEEL_CORPUS names its folder)")
	}
	read := func(name string) advisory.Advisory {
		src, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		as, mistakes := Parse(name, src)
		if len(mistakes) > 0 || len(as) != 1 {
			t.Fatal(mistakes)
		}
		return as[0]
	}
	a := read("csaf-vex_oasis-example-not-affected.json")
	sameLines(t, "OASIS", csafEntries(a), []string{"not-affected  ABC {4.2}: Class with vulnerable code was removed before shipping."})
	if a.ID != "CVE-2021-44228" || !a.Names("2022-EVD-UC-01-NA-001") {
		t.Errorf("names: %s %v", a.ID, a.Aliases)
	}
	a = read("csaf-vex-ciq_cve-2023-20593.json")
	if len(a.Gaps) > 0 || a.ID != "CVE-2023-20593" || len(a.Aliases) > 0 || a.Severity != "Moderate" {
		t.Errorf("%s %v %s: %q", a.ID, a.Aliases, a.Severity, a.Gaps)
	}
	lines := csafEntries(a)
	if want := "affected Rocky Linux:CIQ LTS 8.6 kernel-rt [+0 -4.18.0-372.34.1.rt7.190.el8_6.86ciq_lts.0.2]"; !slices.Contains(lines, want) {
		t.Errorf("%s is not among\n%s", want, strings.Join(lines, "\n"))
	}
	t.Logf("CIQ: %d entries such as %s", len(lines), lines[0])
}

func FuzzCSAF(f *testing.F) {
	f.Add([]byte(csafRedHatVEX))
	f.Add([]byte(csafDoc("X", `{"full_product_names":[{"name":"Xen 4.17","product_id":"P"}],"product_groups":[{"group_id":"G","product_ids":["P"]}]}`,
		`[{"ids":[{"system_name":"a","text":"1"}],"product_status":{"first_affected":["P"],"recommended":["P"]},"flags":[{"label":"x","group_ids":["G"]}]}]`)))
	f.Add([]byte(csafDoc("Y", csafTreeOf([]string{csafLeaf("product_version_range", "vers:generic/>=1|<2", "P", `{"cpe":"cpe:2.3:o:xen:xen:4:*:*:*:*:*:*:*"}`)}, csafComponent("P", "P")), "["+csafVuln("CVE-2026-1", `{"known_affected":["P","P:P"]}`)+"]")))
	f.Fuzz(func(t *testing.T, src []byte) {
		if !strings.Contains(string(src), `"document"`) {
			t.Skip()
		}
		as, mistakes := Parse("f", src)
		again, _ := Parse("f", src)
		if !reflect.DeepEqual(as, again) {
			t.Fatalf("read twice: %+v and %+v", as, again)
		}
		for _, m := range mistakes {
			if m.Line < 1 || m.Column < 1 || m.Found == "" || m.Expected == "" {
				t.Fatalf("a mistake without its place: %+v", m)
			}
		}
		for _, a := range as {
			if a.ID == "" {
				t.Fatalf("no id: %+v", a)
			}
		}
	})
}
