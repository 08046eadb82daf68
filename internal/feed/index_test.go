package feed

import (
	"net/url"
	"strings"
	"testing"
)

func at(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestLists(t *testing.T) {
	for _, c := range []struct {
		name, at, body string
		want           string // addresses, one a line; "single", or the error in ()
		troubles       int
	}{
		{"changes", "https://v.example/csaf/changes.csv", "\"2026/a.json\",\"2026-01-02T00:00:00Z\"\n\"2026/b.json\",\"2026-01-01T00:00:00Z\"\n",
			"https://v.example/csaf/2026/a.json https://v.example/csaf/2026/b.json", 0},
		{"changes with rows that cannot be", "https://v.example/csaf/changes.csv",
			"a.json,2026-01-02T00:00:00Z\nb.json,yesterday\n../c.json,2026-01-02T00:00:00Z\n/d.json,2026-01-02T00:00:00Z\nfile:///etc/passwd,2026-01-02T00:00:00Z\n", "https://v.example/csaf/a.json", 4},
		{"changes of one column", "https://v.example/csaf/changes.csv", "a.json\n", "(line 1: found 1 column, expected 2)", 0},
		{"a page instead of changes", "https://v.example/csaf/changes.csv", "<html>\"x", "(no list of documents)", 0},
		{"osv", "https://o.example/Debian/modified_id.csv", "2026-01-02T00:00:00.5Z,DSA-1\n2026-01-01T00:00:00Z,DSA-2\n",
			"https://o.example/Debian/DSA-1.json https://o.example/Debian/DSA-2.json", 0},
		{"osv of all", "https://o.example/modified_id.csv", "2026-01-02T00:00:00Z,Debian:12/CVE-1\n", "https://o.example/Debian:12/CVE-1.json", 0},
		{"index", "https://v.example/csaf/index.txt", "2026/a.json\n\n# no\nhttps://w.example/b.json\nhttp://w.example/c.json\nftp://w.example/d\n", "https://v.example/csaf/2026/a.json https://w.example/b.json", 2},
		{"odd names", "https://v.example/csaf/index.txt", "a b?c#d.json\n..\n.\n", "https://v.example/csaf/a%20b%3Fc%23d.json", 2},
		{"list", "https://v.example/l.json", `["a.json", "https://w.example/b.json", 7, {"id": "X"}]`, "https://v.example/a.json https://w.example/b.json {}", 1},
		{"empty list", "https://v.example/l.json", `[]`, "", 0},
		{"lines", "https://v.example/l.jsonl", "\"a.json\"\n{\"id\": \"X\"}\n{\"id\":\n\"c.json\"\n", "https://v.example/a.json https://v.example/c.json {}", 1},
		{"one document", "https://v.example/x.json", `{"id": "X"}`, "single", 0},
		{"a broken document", "https://v.example/x.json", "{\n\"id\": \"X\",\n\"affected\": [\n{\"package\": {}},\n", "single", 0},
		{"xml", "https://v.example/x.xml", "<updates/>", "single", 0},
		{"rolie", "https://v.example/rolie.json", `{"feed": {"entry": [
			{"updated": "2026-01-02T00:00:00Z", "content": {"src": "https://v.example/a.json"}, "link": [{"rel": "hash", "href": "https://v.example/a.json.sha256"}]},
			{"updated": "2026-01-02T00:00:00Z", "link": [{"rel": "self", "href": "b.json"}]},
			{"updated": "2026-01-02T00:00:00Z"}, 5, {"content": {"src": "http://v.example/weak.json"}}, {"content": {"src": "file:///etc/passwd"}}]}}`,
			"https://v.example/a.json https://v.example/b.json", 4},
		{"rolie that is none", "https://v.example/rolie.json", `{"feed": []}`, "(no ROLIE feed)", 0},
		{"provider", "https://v.example/.well-known/csaf/provider-metadata.json",
			`{"canonical_url": "x", "metadata_version": "2.0", "distributions": [{"directory_url": "https://v.example/csaf/"}, {"rolie": {"feeds": [{"url": "https://v.example/w.json", "tlp_label": "WHITE"}, {"url": "http://v.example/r.json"}]}}]}`,
			"feed https://v.example/w.json", 1},
		{"provider with directories", "https://v.example/csaf/provider-metadata.json",
			`{"canonical_url": "x", "metadata_version": "2.0", "distributions": [{"directory_url": "https://v.example/csaf"}]}`, "feed https://v.example/csaf", 0},
		{"provider without", "https://v.example/csaf/provider-metadata.json", `{"canonical_url": "x", "metadata_version": "2.0"}`, "feed https://v.example/csaf/", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := readList(at(t, c.at), []byte(c.body))
			var got []string
			for _, e := range l.entries {
				got = append(got, e.address.String())
			}
			for _, f := range l.feeds {
				got = append(got, "feed "+f.address.String())
			}
			for range l.inline {
				got = append(got, "{}")
			}
			if l.single {
				got = append(got, "single")
			}
			if strings.HasPrefix(c.want, "(") {
				if err == nil || !strings.Contains(err.Error(), strings.Trim(c.want, "()")) {
					t.Fatalf("error %v", err)
				}
				return
			}
			if err != nil || strings.Join(got, " ") != c.want || len(l.troubles) != c.troubles {
				t.Errorf("got %q, troubles %q, error %v", got, l.troubles, err)
			}
		})
	}
}

// FuzzLists: whatever a server sends, a list's documents never leave http and https, and what came
// over https never leads to http.
func FuzzLists(f *testing.F) {
	f.Add("changes.csv", "a.json,2026-01-02T00:00:00Z")
	f.Add("index.txt", "../../a.json\nhttp://x/y")
	f.Add("modified_id.csv", "2026-01-02T00:00:00Z,../x")
	f.Add("x.json", `["a.json", {"id": "X"}]`)
	f.Add("x.json", `{"feed": {"entry": [{"content": {"src": "b.json"}, "link": [{"rel": "hash", "href": "b.sha256"}]}]}}`)
	f.Add("x.json", `{"canonical_url": "x", "metadata_version": "2.0", "distributions": [{"directory_url": "https://v.example/csaf"}]}`)
	f.Fuzz(func(t *testing.T, name, body string) {
		u := &url.URL{Scheme: "https", Host: "v.example", Path: "/a/" + name}
		l, err := readList(u, []byte(body))
		if err != nil {
			return
		}
		addresses := []*url.URL{}
		for _, e := range l.entries {
			addresses = append(addresses, e.address)
			for _, link := range e.links {
				addresses = append(addresses, link)
			}
		}
		for _, s := range l.feeds {
			addresses = append(addresses, s.address)
		}
		for _, a := range addresses {
			if a.Scheme != "https" || a.Host == "" {
				t.Errorf("%q of %q leads to %s", body, u, a)
			}
		}
	})
}
