package parse

import (
	"fmt"
	"strings"
	"testing"
)

// TestMessagesSteerNothing: what a document holds can neither steer a terminal that shows a message nor
// forge a line of it.
func TestMessagesSteerNothing(t *testing.T) {
	const evil = `\u001b[2J\u202e\n`
	for _, src := range []string{
		`{"` + evil + `":1}`,
		`{"id":"X-1","modified":"2026-01-01T00:00:00Z","` + evil + `":1,"` + evil + `":2}`,
		`{"id":"X-1` + evil + `","modified":"2026-01-01T00:00:00Z"}`,
		`{"id":"X-1\u202e","modified":"2026-01-01T00:00:00Z"}`,
		`{"id":"X-1","modified":"2026-01-01T00:00:00Z","affected":[{"ranges":[{"type":"ECOSYSTEM","events":[{"` + evil + `":"1"}]}]}]}`,
		`[{"` + evil + `":1}]`,
		`{"XSA":1,"Recipes":{"` + evil + `":{}}}`,
		`{"evenkeel":"advisory/v1","` + evil + `":1}`,
		"<updates><up\u202edate/></updates>" + `<b a="` + "\u202e" + `" a="1"/>`,
	} {
		_, mistakes := Parse("d.json", []byte(src))
		if len(mistakes) == 0 {
			t.Errorf("%s: read", src)
		}
		for _, m := range mistakes {
			if strings.ContainsFunc(m.String(), steers) {
				t.Errorf("%s: %q", src, m.String())
			}
		}
	}
}

// TestDocumentsOfPublishers: two publishers' documents on one CVE are two documents.
func TestDocumentsOfPublishers(t *testing.T) {
	doc := func(namespace, id string) string {
		a := mustOne(t, "c.json", `{"document":{"csaf_version":"2.0","publisher":{"namespace":"`+namespace+`"},"tracking":{"id":"`+id+`"}},"vulnerabilities":[{"cve":"CVE-2026-0001"}]}`)
		return a.Document
	}
	one := doc("https://one.example", "CVE-2026-0001")
	if one == doc("https://two.example", "CVE-2026-0001") || one == doc("https://one.example", "ONE-2026:1") || one != doc("https://one.example", "CVE-2026-0001") {
		t.Errorf("%q", one)
	}
}

// TestACrowdOfOneNameIsRefused: to hold each against all others would take the square of their number.
func TestACrowdOfOneNameIsRefused(t *testing.T) {
	record := func(n int) string {
		return fmt.Sprintf(`{"id":"X-%d","aliases":["CVE-2026-1"],"modified":"2026-01-01T00:00:00Z"}`, n)
	}
	var all []string
	for n := range maxAlike + 1 {
		all = append(all, record(n))
	}
	if _, mistakes := Parse("a.json", []byte("["+strings.Join(all[1:], ",")+"]")); len(mistakes) != 0 {
		t.Error(mistakes)
	}
	if _, mistakes := Parse("a.json", []byte("["+strings.Join(all, ",")+"]")); len(mistakes) != 1 || !strings.Contains(mistakes[0].Found, `"CVE-2026-1" in more than 1000`) {
		t.Error(mistakes)
	}
}
