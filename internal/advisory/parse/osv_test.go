package parse

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/version"
)

const qemuOSV = `{
  "schema_version": "1.7.0",
  "id": "DEBIAN-CVE-2025-11234",
  "modified": "2025-11-20T10:00:00Z",
  "published": "2025-10-03T11:15:30Z",
  "upstream": ["CVE-2025-11234"],
  "summary": "use after free in the websocket handshake",
  "affected": [
    {"package": {"ecosystem": "Debian:12", "name": "qemu", "purl": "pkg:deb/debian/qemu?arch=source"},
     "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1:7.2+dfsg-7+deb12u18"}]}],
     "versions": ["1:7.2+dfsg-7", "1:7.2+dfsg-7+deb12u15"]},
    {"package": {"ecosystem": "Debian:13", "name": "qemu"},
     "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1:10.0.6+ds-0+deb13u2"}]}]}
  ]
}`

func TestOSV(t *testing.T) {
	a := mustOne(t, "a.json", "\xef\xbb\xbf"+qemuOSV)
	if a.ID != "DEBIAN-CVE-2025-11234" || !a.Names("CVE-2025-11234") || a.Names("CVE-2025-1") || a.Source != "a.json" || a.Format != advisory.FormatOSV {
		t.Errorf("ids: %+v", a)
	}
	if want := time.Date(2025, 11, 20, 10, 0, 0, 0, time.UTC); !a.Modified.Equal(want) || !a.Withdrawn.IsZero() {
		t.Errorf("modified %v, want %v", a.Modified, want)
	}
	if len(a.Affected) != 2 || a.Affected[0].Package != "qemu" || a.Affected[1].Ecosystem != "Debian:13" || len(a.Affected[0].Versions) != 2 {
		t.Fatalf("affected: %+v", a.Affected)
	}
	if e := a.Affected[0].Ranges[0].Events; len(e) != 2 || e[0].Introduced != "0" || e[1].Fixed != "1:7.2+dfsg-7+deb12u18" {
		t.Errorf("events: %+v", e)
	}
	if len(a.Gaps) != 0 || a.Severity != "" {
		t.Errorf("gaps %q, severity %q", a.Gaps, a.Severity)
	}
}

const osvHead = `{"id":"X","modified":"2025-01-01T00:00:00Z",`

func TestOSVFields(t *testing.T) {
	entry := func(pkg, more string) string {
		return osvHead + `"affected":[{"package":` + pkg + more + `}]}`
	}
	events := func(kind, list string) string {
		return `,"ranges":[{"type":"` + kind + `","repo":"https://git.example/x","events":` + list + `}]`
	}
	const zero, alpine = `[{"introduced":"0"}]`, `{"ecosystem":"Alpine:v3.17","name":"xen"}`
	for name, c := range map[string]struct {
		src  string
		want func(a *advisory.Advisory) bool
	}{
		"withdrawn":          {osvHead + `"withdrawn":"2025-02-01T01:00:00+01:00"}`, func(a *advisory.Advisory) bool { return a.Withdrawn.Equal(time.Date(2025, 2, 1, 0, 0, 0, 0, time.UTC)) }},
		"related is another": {osvHead + `"related":["CVE-2025-2"],"aliases":["CVE-2025-1"]}`, func(a *advisory.Advisory) bool { return a.Names("CVE-2025-1") && !a.Names("CVE-2025-2") }},
		"nulls":              {osvHead + `"aliases":null,"affected":null,"severity":null,"published":null,"references":null}`, func(a *advisory.Advisory) bool { return gap(a, "no affected package") }},
		"nothing affected":   {osvHead + `"affected":[]}`, func(a *advisory.Advisory) bool { return gap(a, "not 'nothing is affected'") }},
		"prose in one line":  {osvHead + `"summary":"a\n\u001b[31mred\u0000  line "}`, func(a *advisory.Advisory) bool { return a.Summary == "a [31mred line" }},
		"kernel": {entry(`{"ecosystem":"Linux","name":"Kernel"}`, events("ECOSYSTEM", `[{"introduced":"6.1.0"},{"fixed":"6.1.55"}]`)), func(a *advisory.Advisory) bool {
			e := a.Affected[0]
			return e.Ecosystem == version.Upstream && e.Package == "linux" && len(a.Gaps) == 0
		}},
		"kernel of Linux":   {entry(`{"ecosystem":"Linux","name":"Other"}`, events("ECOSYSTEM", zero)), func(a *advisory.Advisory) bool { return a.Affected[0].Ecosystem == "Linux" }},
		"commits only":      {entry(alpine, events("GIT", zero)), func(a *advisory.Advisory) bool { return gap(a, "xen in Alpine:v3.17 has ranges of commits only") }},
		"commits and list":  {entry(alpine, events("GIT", zero)+`,"versions":["4.16.1-r0"]`), func(a *advisory.Advisory) bool { return len(a.Gaps) == 0 && a.Affected[0].Ranges[0].Type == "GIT" }},
		"semver only":       {entry(`{"ecosystem":"Go","name":"example.org/x"}`, events("SEMVER", `[{"introduced":"1.0.0"}]`)), func(a *advisory.Advisory) bool { return gap(a, "SEMVER only") }},
		"neither":           {entry(alpine, ""), func(a *advisory.Advisory) bool { return gap(a, "neither ranges nor versions") }},
		"no package":        {osvHead + `"affected":[{"ranges":[{"type":"GIT","events":[{"introduced":"0"},{"limit":"abc"}]}]}]}`, func(a *advisory.Advisory) bool { return gap(a, "an entry names no package") && gap(a, "commits only") }},
		"unknown ecosystem": {entry(`{"ecosystem":"Beos:5","name":"x"}`, events("ECOSYSTEM", zero)), func(a *advisory.Advisory) bool { return gap(a, "Beos:5 is an ecosystem that version 1.") }},
		"unread ecosystem": {entry(`{"ecosystem":"OSS-Fuzz","name":"qemu"}`, events("ECOSYSTEM", `[{"introduced":"0"},{"fixed":"once upon a time"}]`)), func(a *advisory.Advisory) bool {
			return len(a.Gaps) == 0 && a.Affected[0].Ranges[0].Events[1].Fixed == "once upon a time"
		}},
		"limit without end": {entry(`{"ecosystem":"Debian:12","name":"xen"}`, events("ECOSYSTEM", `[{"introduced":"0"},{"limit":"*"}]`)), func(a *advisory.Advisory) bool { return a.Affected[0].Ranges[0].Events[1].Limit == "*" }},
		"end of life": {entry(`{"ecosystem":"Debian:10","name":"xen"}`, events("ECOSYSTEM", zero)+`,"ecosystem_specific":{"urgency":"end-of-life"}`), func(a *advisory.Advisory) bool {
			return gap(a, "xen in Debian:10 is past its end of life") && a.Severity == ""
		}},
		"urgency":             {entry(`{"ecosystem":"Debian:10","name":"xen"}`, events("ECOSYSTEM", zero)+`,"ecosystem_specific":{"urgency":"high"}`), func(a *advisory.Advisory) bool { return a.Severity == "high" }},
		"no urgency yet":      {entry(`{"ecosystem":"Debian:10","name":"xen"}`, events("ECOSYSTEM", zero)+`,"ecosystem_specific":{"urgency":"not yet assigned"}`), func(a *advisory.Advisory) bool { return a.Severity == "" }},
		"urgency no text":     {entry(`{"ecosystem":"Debian:10","name":"xen"}`, events("ECOSYSTEM", zero)+`,"ecosystem_specific":{"urgency":7}`), func(a *advisory.Advisory) bool { return a.Severity == "" }},
		"the schema's first":  {osvHead + `"severity":[{"type":"CVSS_V2","score":"AV:N"},{"type":"CVSS_V3","score":"CVSS:3.1/AV:L"}],"database_specific":{"severity":"LOW"}}`, func(a *advisory.Advisory) bool { return a.Severity == "CVSS:3.1/AV:L" }},
		"a distribution's":    {osvHead + `"severity":[{"type":"Ubuntu","score":"medium"},{"type":"CVSS_V3","score":"CVSS:3.1/AV:L"}]}`, func(a *advisory.Advisory) bool { return a.Severity == "medium" }},
		"the database's word": {osvHead + `"database_specific":{"severity":"CRITICAL"}}`, func(a *advisory.Advisory) bool { return a.Severity == "CRITICAL" }},
		"of packages":         {osvHead + `"affected":[{"package":` + alpine + `,"severity":[{"type":"CVSS_V3","score":"a"}]},{"package":` + alpine + `,"severity":[{"type":"CVSS_V3","score":"b"}]}]}`, func(a *advisory.Advisory) bool { return a.Severity == "a, b" }},
	} {
		t.Run(name, func(t *testing.T) {
			if a := mustOne(t, "a.json", c.src); !c.want(&a) {
				t.Errorf("got %+v", a)
			}
		})
	}
}

func gap(a *advisory.Advisory, part string) bool {
	return slices.ContainsFunc(a.Gaps, func(g string) bool { return strings.Contains(g, part) })
}

func TestOSVSeveral(t *testing.T) {
	other := strings.Replace(qemuOSV, "DEBIAN-CVE-2025-11234", "DEBIAN-CVE-2025-2", 1)
	for name, src := range map[string]string{
		"service": `{"vulns":[` + qemuOSV + `,` + other + `],"next_page_token":"x"}`,
		"array":   `[` + qemuOSV + `,` + other + `]`,
	} {
		if out := must(t, name, src); len(out) != 2 || out[0].ID != "DEBIAN-CVE-2025-11234" || out[1].ID != "DEBIAN-CVE-2025-2" || out[1].Source != name {
			t.Errorf("%s: %+v", name, out)
		}
	}
	if out := must(t, "none", `{"vulns":[]}`); len(out) != 0 {
		t.Errorf("%+v", out)
	}
}

func TestOSVMistakes(t *testing.T) {
	entry := func(events string) string {
		return osvHead + "\n" + `"affected":[{"package":{"ecosystem":"Debian:12","name":"qemu"},"ranges":[{"type":"ECOSYSTEM","events":` + events + `}]}]}`
	}
	refused(t, "a.json", map[string][2]string{
		"empty":            {"", `a.json:1:1: found nothing, expected an advisory: OSV`},
		"blank":            {"\n \n", `a.json:1:1: found nothing, expected an advisory: OSV`},
		"cut short":        {"{\n \"id\": \"X\",", `a.json:2:12: found the end of the file, expected JSON`},
		"syntax":           {"{\n \"id\": x}", `a.json:2:8: found invalid character 'x' looking for beginning of value, expected JSON`},
		"trailing":         {osvHead[:len(osvHead)-1] + "}\n}", `a.json:2:1: found invalid character '}' after top-level value, expected JSON`},
		"array":            {`[]`, `a.json:1:1: found an empty array, expected OSV records`},
		"array of numbers": {`[1]`, `a.json:1:2: [0]: found 1, expected OSV records`},
		"array of others":  {"[{\"x\":1}]", `a.json:1:2: [0]: found an object with the keys [x], expected OSV records`},
		"vulns a number":   {`{"vulns":7}`, `a.json:1:10: vulns: found 7, expected an array`},
		"vulns of numbers": {`{"vulns":[7]}`, `a.json:1:11: vulns[0]: found 7, expected an OSV record`},
		"unknown":          {`{"results":[]}`, `a.json:1:1: found an object with the keys [results], expected an advisory: OSV`},
		"a schema":         {`{"$schema":"x","$id":"y","title":"z"}`, `found an object with the keys [$schema $id title]`},
		"no id":            {`{"vulns":[{"modified":"2025-01-01T00:00:00Z"}]}`, `a.json:1:11: vulns[0].id: found nothing, expected the advisory's id`},
		"empty id":         {`{"id":"","modified":"2025-01-01T00:00:00Z"}`, `a.json:1:7: id: found "", expected the advisory's id`},
		"id null":          {`{"id":null,"modified":"2025-01-01T00:00:00Z"}`, `a.json:1:7: id: found null, expected the advisory's id`},
		"id with escapes":  {`{"id":"X\u001b[2J","modified":"2025-01-01T00:00:00Z"}`, `a.json:1:7: id: found "X\x1b[2J", expected the advisory's id`},
		"alias empty":      {osvHead + `"aliases":[""]}`, `aliases[0]: found "", expected a name without control characters`},
		"no modified":      {`{"id":"X"}`, `a.json:1:1: modified: found nothing, expected when it was last changed`},
		"modified null":    {`{"id":"X","modified":null}`, `modified: found nothing`},
		"id a number":      {`{"id":7,"modified":"2025-01-01T00:00:00Z"}`, `a.json:1:7: id: found 7, expected text`},
		"bad moment":       {`{"id":"X","modified":"yesterday"}`, `a.json:1:22: modified: found "yesterday", expected a moment`},
		"schema 2":         {`{"schema_version":"2.0.0","id":"X","modified":"2025-01-01T00:00:00Z"}`, `a.json:1:19: schema_version: found "2.0.0", expected version 1 of the OSV schema`},
		"schema 10":        {`{"schema_version":"10.1","id":"X","modified":"2025-01-01T00:00:00Z"}`, `schema_version: found "10.1"`},
		"twice":            {`{"id":"X","id":"Y","modified":"2025-01-01T00:00:00Z"}`, `a.json:1:11: id: found this key a second time`},
		"affected object":  {osvHead + `"affected":{}}`, `affected: found an object, expected an array`},
		"affected null":    {osvHead + `"affected":[null]}`, `affected[0]: found null, expected an object with package`},
		"package text":     {osvHead + `"affected":[{"package":"xen"}]}`, `affected[0].package: found "xen", expected an object with ecosystem and name`},
		"no name":          {osvHead + `"affected":[{"package":{"ecosystem":"Debian:12"}}]}`, `affected[0].package.name: found nothing`},
		"range type":       {osvHead + `"affected":[{"ranges":[{"type":"RPM","events":[{"introduced":"0"}]}]}]}`, `affected[0].ranges[0].type: found "RPM", expected ECOSYSTEM, SEMVER or GIT`},
		"no range type":    {osvHead + `"affected":[{"ranges":[{"events":[{"introduced":"0"}]}]}]}`, `affected[0].ranges[0].type: found nothing, expected ECOSYSTEM, SEMVER or GIT`},
		"no events":        {osvHead + `"affected":[{"ranges":[{"type":"GIT"}]}]}`, `affected[0].ranges[0].events: found no introduced event`},
		"no introduced":    {entry(`[{"fixed":"1"}]`), `a.json:2:103: affected[0].ranges[0].events: found no introduced event`},
		"two keys":         {entry(`[{"introduced":"0","fixed":"1"}]`), `affected[0].ranges[0].events[0]: found the keys [introduced fixed], expected an object with one key`},
		"event null":       {entry(`[null]`), `affected[0].ranges[0].events[0]: found null, expected an object with one key`},
		"fixed and last":   {entry(`[{"introduced":"0"},{"fixed":"1"},{"last_affected":"2"}]`), `found both fixed and last_affected`},
		"unknown event":    {entry(`[{"introduced":"0"},{"mended":"1"}]`), `events[1]: found the key mended`},
		"not a version":    {entry(`[{"introduced":"0"},{"fixed":"seven"}]`), `a.json:2:132: affected[0].ranges[0].events[1].fixed: found "seven", expected a version of Debian:12, but`},
		"a fix in *":       {entry(`[{"introduced":"0"},{"fixed":"*"}]`), `events[1].fixed: found "*", expected a version of Debian:12`},
		"severity text":    {osvHead + `"severity":"HIGH"}`, `severity: found "HIGH", expected an array`},
		"no score":         {osvHead + `"severity":[{"type":"CVSS_V3"}]}`, `severity[0].score: found nothing, expected the score`},
		"bottomless":       {strings.Repeat("[", 200000), `expected JSON`},
		"deep":             {strings.Repeat("[", 200) + strings.Repeat("]", 200), `a.json:1:102: ` + strings.Repeat("[0]", 66) + `[0...: found more than 2000000 values, or more than 100 inside each other`},
		"characters count": {"{\"summary\":\"ü\", \"id\":7}", `a.json:1:22: id: found 7`},
		"latin-1":          {"{\"id\":\n\"M\xfcller\"}", `a.json:2:3: found the byte 0xfc, which is no part of UTF-8, expected text in UTF-8`},
		"UTF-16":           {"\xff\xfe{\x00", `a.json:1:1: found the byte 0xff, which is no part of UTF-8`},
		"long key":         {`{"` + strings.Repeat("k", 5000) + `":1,"` + strings.Repeat("k", 5000) + `":2,"id":"X"}`, `kkk...: found this key a second time`},
	})
}

func TestOSVTellsAllAtOnce(t *testing.T) {
	_, mistakes := Parse("a.json", []byte("{\"id\":7,\n\"modified\":\"x\",\n\"aliases\":[1]}"))
	if len(mistakes) != 3 || mistakes[0].Line != 1 || mistakes[1].Line != 2 || mistakes[2].Line != 3 {
		t.Errorf("got %v", mistakes)
	}
	_, mistakes = Parse("a.json", []byte(osvHead+`"aliases":[`+strings.Repeat("1,\n", 100_000)+`1]}`))
	last := mistakes[len(mistakes)-1]
	if len(mistakes) != maxMistakes+1 || last.Line != maxMistakes+1 || last.Found != "more than 1000 mistakes up to here" {
		t.Errorf("%d mistakes, the last %v", len(mistakes), last)
	}
}

func FuzzOSV(f *testing.F) {
	f.Add([]byte(qemuOSV))
	f.Add([]byte(`{"vulns":[` + qemuOSV + `]}`))
	f.Add([]byte(`{"id":"X","modified":"2025-01-01T00:00:00Z","affected":[{"ranges":[{"type":"GIT","events":[null,{},{"limit":"*"}]}],"versions":[""]},null]}`))
	f.Add([]byte("{\"a\":[[\"\\ud800\"]],\"\\u0000\":1e999}"))
	f.Fuzz(func(t *testing.T, src []byte) { hold(t, "f.json", src) })
}
