package feed

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestOneDocumentIsAskedOnlyForWhatChanged(t *testing.T) {
	s := newSite(t, map[string]string{"/a.json": osvDoc("CVE-1", "2")})
	state := filepath.Join(t.TempDir(), "state.json")
	m, err := LoadMemory(state)
	if err != nil {
		t.Fatal(err)
	}
	src := s.open(t, "/a.json", Options{})
	if h, sum, err := round1(t, src, m); err != nil || !slices.Equal(h.ids, []string{"CVE-1"}) || sum.New != 1 || h.docs[0].Seal.State != SealNone {
		t.Fatalf("%+v %+v %v", h, sum, err)
	}
	if err := m.Save(); err != nil {
		t.Fatal(err)
	}
	// A restart, with the same state.
	if m, err = LoadMemory(state); err != nil {
		t.Fatal(err)
	}
	src = s.open(t, "/a.json", Options{})
	if h, _, err := round1(t, src, m); err != nil || len(h.ids) != 0 || s.sent["/a.json"] != 1 {
		t.Fatalf("it is told again, or sent again: %+v %v, sent %d", h, err, s.sent["/a.json"])
	}
	s.put("/a.json", osvDoc("CVE-1", "3"))
	if h, _, err := round1(t, src, m); err != nil || !slices.Equal(h.ids, []string{"CVE-1"}) {
		t.Fatalf("a change is not told: %+v %v", h, err)
	}
	s.put("/a.json", osvDoc("CVE-1", "2"))
	if h, _, _ := round1(t, src, m); len(h.ids) != 0 {
		t.Errorf("what was told before is told again: %+v", h)
	}
}

func TestWhatCannotBeUsedIsSaidOnce(t *testing.T) {
	s := newSite(t, map[string]string{"/a.json": `{"id": "CVE-1", "affected": [`})
	src, m := s.open(t, "/a.json", Options{}), newMemory(t)
	if h, sum, err := round1(t, src, m); err != nil || !strings.Contains(h.why["/a.json"], "cannot be read") || sum.Troubles != 1 {
		t.Fatalf("%+v %+v %v", h, sum, err)
	}
	if h, sum, _ := round1(t, src, m); len(h.why) != 0 || sum.Troubles != 1 {
		t.Errorf("said twice: %+v, %+v", h, sum)
	}
	s.put("/a.json", osvDoc("CVE-1", "2"))
	if h, _, err := round1(t, src, m); err != nil || !slices.Equal(h.ids, []string{"CVE-1"}) {
		t.Errorf("mended, and not told: %+v %v", h, err)
	}
}

// provider is a CSAF provider with a ROLIE feed of one good document.
func provider(t *testing.T, k key) *site {
	good := csafDoc("V-1", "CVE-2026-1")
	return newSite(t, map[string]string{
		"/.well-known/csaf/provider-metadata.json": `{"canonical_url": "SITE/.well-known/csaf/provider-metadata.json", "metadata_version": "2.0",
 "public_openpgp_keys": [{"fingerprint": "` + fingerprintOf(k.entity.PrimaryKey) + `", "url": "SITE/key.asc"}],
 "distributions": [{"rolie": {"feeds": [{"url": "SITE/white.json", "tlp_label": "WHITE"}, {"url": "SITE/gone.json", "tlp_label": "AMBER"}]}}]}`,
		"/white.json": rolie("v1"),
		"/v1.json":    good, "/v1.json.sha256": sum256(good), "/v1.json.sha512": sum512(good), "/v1.json.asc": k.sign(t, good),
	})
}

// rolie is a feed of documents with links to all that lies beside them.
func rolie(names ...string) string {
	var entries []string
	for i, n := range names {
		entries = append(entries, fmt.Sprintf(`{"id": %q, "updated": "2026-01-0%dT00:00:00Z", "content": {"type": "application/json", "src": "SITE/%s.json"},
 "link": [{"rel": "self", "href": "SITE/%s.json"}, {"rel": "hash", "href": "SITE/%s.json.sha256"}, {"rel": "hash", "href": "SITE/%s.json.sha512"}, {"rel": "signature", "href": "SITE/%s.json.asc"}]}`,
			n, i+1, n, n, n, n, n))
	}
	return `{"feed": {"id": "white", "updated": "2026-01-02T00:00:00Z", "entry": [` + strings.Join(entries, ",") + `]}}`
}

func TestProvider(t *testing.T) {
	k := newKey(t)
	s := provider(t, k)
	src, m := s.open(t, "", Options{Keyring: k.ring(t)}), newMemory(t)
	h, _, err := round1(t, src, m)
	if err != nil || len(h.docs) != 1 || h.docs[0].Seal.State != SealGood || h.docs[0].Seal.Key != fingerprintOf(k.entity.PrimaryKey) || !slices.Equal(h.docs[0].Seal.Sums, sumNames) {
		t.Fatalf("%+v %v", h, err)
	}
	if h.docs[0].TLP != "WHITE" || !strings.Contains(h.why["/gone.json"], "404") || len(h.why) != 1 {
		t.Errorf("TLP %q, troubles %v", h.docs[0].TLP, h.why)
	}
	asked := s.times("/v1.json")
	if h, _, err := round1(t, src, m); err != nil || len(h.docs)+len(h.why) != 0 || s.times("/v1.json") != asked {
		t.Errorf("the second round: %+v %v, asked %d times", h, err, s.times("/v1.json"))
	}
}

func TestSignaturesOfAProvider(t *testing.T) {
	k, other := newKey(t), newKey(t)
	for _, c := range []struct {
		name   string
		change func(*site)
		ring   Keyring
		says   string // empty: taken
	}{
		{"a keyring without its key", func(*site) {}, other.ring(t), "not good by the keyring"},
		{"signed by another", func(s *site) { s.files["/v1.json.asc"] = other.sign(t, s.files["/v1.json"]) }, k.ring(t), "not good by the keyring"},
		{"no signature there", func(s *site) { delete(s.files, "/v1.json.asc") }, k.ring(t), "its signature cannot be read"},
		{"no signature linked", func(s *site) {
			s.files["/white.json"] = strings.ReplaceAll(s.files["/white.json"], `"rel": "signature"`, `"rel": "other"`)
		}, k.ring(t), "has no signature"},
		{"wrong sum", func(s *site) { s.files["/v1.json.sha256"] = sum256("another") }, k.ring(t), "its sha256 is not the one beside it"},
		{"wrong sum, no keyring", func(s *site) { s.files["/v1.json.sha512"] = sum512("another") }, nil, "its sha512 is not the one beside it"},
		{"no sum there", func(s *site) { delete(s.files, "/v1.json.sha512") }, nil, "its sha512 cannot be read"},
		{"no keyring", func(s *site) { s.files["/v1.json.asc"] = "nonsense" }, nil, ""},
		{"an unsigned document of another format", func(s *site) {
			s.files["/v1.json"] = osvDoc("CVE-9", "2")
			s.files["/v1.json.sha256"], s.files["/v1.json.sha512"] = sum256(s.files["/v1.json"]), sum512(s.files["/v1.json"])
		}, k.ring(t), "not good by the keyring"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := provider(t, k)
			c.change(s)
			src, m := s.open(t, "", Options{Keyring: c.ring}), newMemory(t)
			h, _, err := round1(t, src, m)
			switch {
			case err != nil:
				t.Fatal(err)
			case c.says == "" && (len(h.docs) != 1 || h.docs[0].Seal.State != SealUnchecked):
				t.Errorf("not taken: %+v", h)
			case c.says != "" && (len(h.docs) != 0 || !strings.Contains(h.why["/v1.json"], c.says)):
				t.Errorf("taken, or refused for another reason: %+v", h)
			}
			if c.says == "" {
				return
			}
			// Once all is as it should be, the same document is taken.
			good := provider(t, k)
			s.mu.Lock()
			s.files = good.files
			s.mu.Unlock()
			src.options.Keyring = k.ring(t)
			if h, _, err := round1(t, src, m); err != nil || len(h.docs) != 1 {
				t.Errorf("not taken after it was mended: %+v %v", h, err)
			}
		})
	}
}

func TestOneBadEntrySpoilsNothing(t *testing.T) {
	k := newKey(t)
	s := provider(t, k)
	other := csafDoc("V-2", "CVE-2026-2")
	for path, body := range map[string]string{"/v2.json": other, "/v2.json.sha256": sum256(other), "/v2.json.sha512": sum512(other), "/v2.json.asc": k.sign(t, other)} {
		s.put(path, body)
	}
	s.put("/white.json", strings.Replace(rolie("missing", "v1", "v2"), `"entry": [`, `"entry": [5, {"id": "x"}, `, 1))
	h, sum, err := round1(t, s.open(t, "", Options{Keyring: k.ring(t)}), newMemory(t))
	slices.Sort(h.ids)
	if err != nil || len(h.docs) != 2 || sum.Troubles != 4 { // two entries, the missing document, the missing feed
		t.Errorf("%v %v, troubles %v", h.ids, err, h.why)
	}
}

func TestDirectories(t *testing.T) {
	k := newKey(t)
	doc := csafDoc("V-1", "CVE-2026-1")
	files := map[string]string{"/csaf/2026/v1.json": doc, "/csaf/2026/v1.json.sha256": sum256(doc), "/csaf/2026/v1.json.asc": k.sign(t, doc)}
	for name, list := range map[string]string{"changes.csv": "\"2026/v1.json\",\"2026-01-02T00:00:00Z\"\n", "index.txt": "2026/v1.json\n"} {
		for _, path := range []string{"/csaf/", "/csaf/" + name} {
			s := newSite(t, map[string]string{"/csaf/" + name: list})
			for p, body := range files {
				s.files[p] = body
			}
			h, _, err := round1(t, s.open(t, path, Options{Keyring: k.ring(t)}), newMemory(t))
			if err != nil || len(h.docs) != 1 || h.docs[0].Seal.State != SealGood || !slices.Equal(h.docs[0].Seal.Sums, []string{"sha256"}) {
				t.Errorf("%s by %s: %+v %v", name, path, h, err)
			}
		}
	}
}

func TestOSVExport(t *testing.T) {
	s := newSite(t, map[string]string{
		"/Debian/modified_id.csv": "2026-01-03T00:00:00Z,CVE-3\n2026-01-02T00:00:00Z,CVE-2\n2025-01-01T00:00:00Z,CVE-1\n",
		"/Debian/CVE-1.json":      osvDoc("CVE-1", "1"), "/Debian/CVE-2.json": osvDoc("CVE-2", "1"), "/Debian/CVE-3.json": osvDoc("CVE-3", "1"),
	})
	src, m := s.open(t, "/Debian/modified_id.csv", Options{Most: 1, Since: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}), newMemory(t)
	var ids []string
	for want := 1; want >= 0; want-- {
		h, sum, err := round1(t, src, m)
		if err != nil || sum.Left != want {
			t.Fatalf("left %d, want %d: %v", sum.Left, want, err)
		}
		ids = append(ids, h.ids...)
	}
	if !slices.Equal(ids, []string{"CVE-3", "CVE-2"}) {
		t.Errorf("told %v: the newest first, a bounded number a round, none from before since", ids)
	}
	s.put("/Debian/modified_id.csv", "2026-01-04T00:00:00Z,CVE-2\n2026-01-03T00:00:00Z,CVE-3\n")
	s.put("/Debian/CVE-2.json", osvDoc("CVE-2", "2"))
	if h, _, err := round1(t, src, m); err != nil || !slices.Equal(h.ids, []string{"CVE-2"}) || s.times("/Debian/CVE-3.json") != 1 {
		t.Errorf("only what changed: %v %v", h.ids, err)
	}
}

func TestListsOfAddressesAndDocuments(t *testing.T) {
	oneLine := func(id string) string { return strings.ReplaceAll(osvDoc(id, "2"), "\n", "") }
	s := newSite(t, map[string]string{
		"/a.json":     osvDoc("CVE-1", "2"),
		"/list.json":  `["a.json", ` + oneLine("CVE-2") + `, {"id": "broken"}]`,
		"/list.jsonl": "\"SITE/a.json\"\n" + oneLine("CVE-2") + "\n{\"id\"\n" + oneLine("CVE-3") + "\n",
	})
	for path, want := range map[string][]string{"/list.json": {"CVE-1", "CVE-2"}, "/list.jsonl": {"CVE-1", "CVE-2", "CVE-3"}} {
		src, m := s.open(t, path, Options{}), newMemory(t)
		h, sum, err := round1(t, src, m)
		slices.Sort(h.ids)
		if err != nil || !slices.Equal(h.ids, want) || sum.Troubles != 1 || len(h.why) != 1 {
			t.Errorf("%s: %v, troubles %v, %v", path, h.ids, h.why, err)
		}
		if h, _, err := round1(t, src, m); err != nil || len(h.ids)+len(h.why) != 0 {
			t.Errorf("%s, again: %v %v %v", path, h.ids, h.why, err)
		}
	}
}

func TestBounds(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	for _, c := range []struct {
		name  string
		serve http.HandlerFunc
		tries int
		says  string
	}{
		{"cut short", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte(`{"id":`))
		}, maxTries, "broke off after 6 bytes"},
		{"an error", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, maxTries, "503"},
		{"forbidden", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, 1, "403"},
		{"to http", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, plain.URL, http.StatusFound) }, 1, "a redirect is not followed"},
		{"to a file", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		}, 1, "a redirect is not followed"},
		{"in a circle", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/a.json", http.StatusFound) }, maxRedirects + 1, "redirected more than 5 times"},
		{"unasked 304", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) }, 1, "304"},
		{"too slow", func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			panic(http.ErrAbortHandler) // to return would be an empty 200, which a client that is just leaving may still read
		}, 0, "no whole answer within"}, // how often depends on how fast this machine dials
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, nil)
			s.odd["/a.json"] = c.serve
			timeout := time.Minute
			if c.tries == 0 {
				timeout = 150 * time.Millisecond
			}
			h, _, err := round1(t, s.open(t, "/a.json", Options{Timeout: timeout}), newMemory(t))
			if err == nil || !strings.Contains(err.Error(), c.says) || len(h.docs) != 0 || c.tries > 0 && s.times("/a.json") != c.tries {
				t.Errorf("%v; asked %d times, want %d", err, s.times("/a.json"), c.tries)
			}
		})
	}
}

func TestHugeAnswersAreCutOff(t *testing.T) {
	s := newSite(t, nil)
	s.odd["/a.json.asc"] = func(w http.ResponseWriter, _ *http.Request) {
		for range 3 {
			_, _ = w.Write(make([]byte, maxSeal))
		}
	}
	web := NewWeb(0, time.Millisecond)
	web.Client = s.Client()
	if _, err := web.get(context.Background(), at(t, s.URL+"/a.json.asc"), maxSeal, answer{}); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("%v", err)
	}
	if got := s.times("/a.json.asc"); got != 1 {
		t.Errorf("asked %d times: it is no better the next time", got)
	}
}

func TestAfterAFailureItGoesOn(t *testing.T) {
	s := newSite(t, map[string]string{"/index.txt": "a.json\nb.json\n", "/b.json": osvDoc("CVE-2", "2")})
	s.odd["/a.json"] = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }
	src, m := s.open(t, "/index.txt", Options{}), newMemory(t)
	h, _, err := round1(t, src, m)
	if err != nil || !slices.Equal(h.ids, []string{"CVE-2"}) || !strings.Contains(h.why["/a.json"], "500") {
		t.Fatalf("%+v %v", h, err)
	}
	s.mu.Lock()
	delete(s.odd, "/a.json")
	s.mu.Unlock()
	s.put("/a.json", osvDoc("CVE-1", "2"))
	if h, _, err := round1(t, src, m); err != nil || !slices.Equal(h.ids, []string{"CVE-1"}) {
		t.Fatalf("%+v %v", h, err)
	}
}

func TestADeadServerIsLeftAlone(t *testing.T) {
	files := map[string]string{}
	var names []string
	for i := range 20 {
		names = append(names, fmt.Sprintf("%d.json", i))
	}
	files["/index.txt"] = strings.Join(names, "\n")
	s := newSite(t, files) // none of the documents is there
	_, sum, err := round1(t, s.open(t, "/index.txt", Options{}), newMemory(t))
	if err == nil || sum.Troubles != giveUp || sum.Left != 20-giveUp {
		t.Errorf("%+v %v", sum, err)
	}
}

func TestWhatWasNotToldIsNotRemembered(t *testing.T) {
	s := newSite(t, map[string]string{"/a.json": osvDoc("CVE-1", "2")})
	src, m := s.open(t, "/a.json", Options{}), newMemory(t)
	broken := errors.New("nobody listens")
	if _, err := src.Round(context.Background(), m, func(Document) error { return broken }); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	if h, _, err := round1(t, src, m); err != nil || len(h.docs) != 1 {
		t.Errorf("%+v %v", h, err)
	}
}

func TestRoundsEndWithTheContext(t *testing.T) {
	s := newSite(t, nil)
	ctx, cancel := context.WithCancel(context.Background())
	s.odd["/a.json"] = func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}
	src := s.open(t, "/a.json", Options{})
	if _, err := src.Round(ctx, newMemory(t), func(Document) error { t.Error("told"); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if err := src.Wait(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
