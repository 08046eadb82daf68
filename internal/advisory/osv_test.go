package advisory

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
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

func mustOSV(t testing.TB, src string) Advisory {
	t.Helper()
	a, mistakes := ParseOSV("a.json", []byte(src))
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	return a
}

func TestParseOSV(t *testing.T) {
	a := mustOSV(t, "\xef\xbb\xbf"+qemuOSV)
	if a.ID != "DEBIAN-CVE-2025-11234" || !a.Names("CVE-2025-11234") || a.Names("CVE-2025-1") || a.Source != "a.json" {
		t.Errorf("ids: %+v", a)
	}
	if want := time.Date(2025, 11, 20, 10, 0, 0, 0, time.UTC); !a.Modified.Equal(want) {
		t.Errorf("modified %v, want %v", a.Modified, want)
	}
	if len(a.Affected) != 2 || a.Affected[0].Package != "qemu" || a.Affected[1].Ecosystem != "Debian:13" || len(a.Affected[0].Versions) != 2 {
		t.Fatalf("affected: %+v", a.Affected)
	}
	if e := a.Affected[0].Ranges[0].Events; len(e) != 2 || e[0].Introduced != "0" || e[1].Fixed != "1:7.2+dfsg-7+deb12u18" {
		t.Errorf("events: %+v", e)
	}
}

func TestParseOSVMistakes(t *testing.T) {
	const head = `{"id":"X","modified":"2025-01-01T00:00:00Z",`
	entry := func(events string) string {
		return head + "\n" + `"affected":[{"package":{"ecosystem":"Debian:12","name":"qemu"},"ranges":[{"type":"ECOSYSTEM","events":` + events + `}]}]}`
	}
	for name, c := range map[string]struct{ src, want string }{
		"empty":            {"", `a.json:1:1: found the end of the file, expected JSON`},
		"cut short":        {"{\n \"id\": \"X\",", `a.json:2:12: found the end of the file, expected JSON`},
		"syntax":           {"{\n \"id\": x}", `a.json:2:8: found invalid character 'x' looking for beginning of value, expected JSON`},
		"trailing":         {head[:len(head)-1] + "}\n}", `a.json:2:1: found invalid character '}' after top-level value, expected JSON`},
		"array":            {`[]`, `a.json:1:1: found an array, expected one OSV object`},
		"csaf":             {`{"document":{}}`, `found a CSAF document, expected one OSV`},
		"cve":              {`{"cveMetadata":{}}`, `found a CVE 5 record`},
		"no id":            {`{"modified":"2025-01-01T00:00:00Z"}`, `a.json:1:1: id: found nothing, expected the advisory's id`},
		"empty id":         {`{"id":"","modified":"2025-01-01T00:00:00Z"}`, `a.json:1:7: id: found "", expected the advisory's id`},
		"no modified":      {`{"id":"X"}`, `modified: found nothing`},
		"id a number":      {`{"id":7,"modified":"2025-01-01T00:00:00Z"}`, `a.json:1:7: id: found 7, expected text`},
		"bad moment":       {`{"id":"X","modified":"yesterday"}`, `a.json:1:22: modified: found "yesterday", expected a moment`},
		"twice":            {`{"id":"X","id":"Y","modified":"2025-01-01T00:00:00Z"}`, `a.json:1:11: id: found this key a second time`},
		"affected object":  {head + `"affected":{}}`, `affected: found an object, expected an array`},
		"no name":          {head + `"affected":[{"package":{"ecosystem":"Debian:12"}}]}`, `affected[0].package.name: found nothing`},
		"range type":       {head + `"affected":[{"ranges":[{"type":"RPM","events":[{"introduced":"0"}]}]}]}`, `affected[0].ranges[0].type: found "RPM", expected ECOSYSTEM, SEMVER or GIT`},
		"no introduced":    {entry(`[{"fixed":"1"}]`), `a.json:2:103: affected[0].ranges[0].events: found no introduced event`},
		"two keys":         {entry(`[{"introduced":"0","fixed":"1"}]`), `affected[0].ranges[0].events[0]: found the keys [introduced fixed], expected an object with one key`},
		"fixed and last":   {entry(`[{"introduced":"0"},{"fixed":"1"},{"last_affected":"2"}]`), `found both fixed and last_affected`},
		"unknown event":    {entry(`[{"introduced":"0"},{"mended":"1"}]`), `events[1]: found the key mended`},
		"not a version":    {entry(`[{"introduced":"0"},{"fixed":"seven"}]`), `events[1].fixed: found "seven", expected a Debian version`},
		"bottomless":       {strings.Repeat("[", 200000), `expected JSON`},
		"characters count": {"{\"summary\":\"ü\", \"id\":7}", `a.json:1:22: id: found 7`},
	} {
		t.Run(name, func(t *testing.T) {
			_, mistakes := ParseOSV("a.json", []byte(c.src))
			if len(mistakes) == 0 || !strings.Contains(mistakes.Error(), c.want) {
				t.Errorf("got %v\nwant %s", mistakes, c.want)
			}
		})
	}
}

func TestParseOSVTellsAllAtOnce(t *testing.T) {
	_, mistakes := ParseOSV("a.json", []byte("{\"id\":7,\n\"modified\":\"x\",\n\"aliases\":[1]}"))
	if len(mistakes) != 3 || mistakes[0].Line != 1 || mistakes[1].Line != 2 || mistakes[2].Line != 3 {
		t.Errorf("got %v", mistakes)
	}
}

// TestParseOSVCorpus reads the real documents, where they are at hand.
func TestParseOSVCorpus(t *testing.T) {
	dir := os.Getenv("EVENKEEL_CORPUS")
	if dir == "" {
		t.Skip("skipped: no corpus (EVENKEEL_CORPUS names its folder)")
	}
	src, err := os.ReadFile(filepath.Join(dir, "osv_GHSA-53jp-4hq4-cmc7.json"))
	if err != nil {
		t.Fatal(err)
	}
	a, mistakes := ParseOSV("ghsa", src)
	if len(mistakes) > 0 || a.ID != "GHSA-53jp-4hq4-cmc7" || len(a.Affected) != 0 || !a.Names("CVE-2017-15597") {
		t.Errorf("got %+v, %v", a, mistakes)
	}
	for _, other := range []string{"osv-part-alpine_CVE-2022-33745_xen.json", "csaf-vex-ciq_cve-2023-20593.json", "cvelistV5_CVE-2014-7188.json", "nvd2_CVE-2022-33745_xen.json", "xsa334.meta", "xsa230.meta.partial"} {
		src, err := os.ReadFile(filepath.Join(dir, other))
		if err != nil {
			t.Fatal(err)
		}
		if _, mistakes := ParseOSV(other, src); len(mistakes) == 0 {
			t.Errorf("%s was read as OSV", other)
		} else {
			t.Log(mistakes[0])
		}
	}
}

func FuzzParseOSV(f *testing.F) {
	f.Add([]byte(qemuOSV))
	f.Add([]byte(`{"id":"X","modified":"2025-01-01T00:00:00Z","affected":[{"ranges":[{"type":"GIT","events":[null,{},{"limit":"*"}]}],"versions":[""]},null]}`))
	f.Add([]byte("{\"a\":[[\"\\ud800\"]],\"\\u0000\":1e999}"))
	f.Fuzz(func(t *testing.T, src []byte) {
		a, mistakes := ParseOSV("f", src)
		if len(mistakes) == 0 && a.ID == "" {
			t.Fatal("read without an id and without a mistake")
		}
		lines := strings.Count(string(src), "\n") + 1
		for _, m := range mistakes {
			if m.Line < 1 || m.Line > lines || m.Column < 1 || m.Found == "" || m.Expected == "" {
				t.Fatalf("a mistake without a place or words: %+v", m)
			}
		}
		if len(mistakes) > 0 {
			return
		}
		for _, e := range a.Affected {
			if w := e.word("1:7.2+dfsg-7"); w.says == silent || w.line == "" {
				t.Fatalf("no word on a version: %+v", e)
			}
		}
	})
}
