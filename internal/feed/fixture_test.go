package feed

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
)

// osvDoc is a short OSV document.
func osvDoc(id, fixed string) string {
	return fmt.Sprintf(`{"schema_version": "1.6.0", "id": %q, "modified": "2026-01-02T00:00:00Z", "affected": [
 {"package": {"ecosystem": "Debian:12", "name": "qemu"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": %q}]}]}]}`, id, fixed)
}

// csafDoc is a short CSAF document.
func csafDoc(id, cve string) string {
	return fmt.Sprintf(`{"document": {"category": "csaf_security_advisory", "csaf_version": "2.0",
  "distribution": {"tlp": {"label": "WHITE"}},
  "publisher": {"category": "vendor", "name": "Vendor", "namespace": "https://vendor.example"}, "title": "A flaw",
  "tracking": {"id": %q, "status": "final", "version": "1", "current_release_date": "2026-01-02T00:00:00Z", "initial_release_date": "2026-01-02T00:00:00Z",
   "revision_history": [{"date": "2026-01-02T00:00:00Z", "number": "1", "summary": "first"}]}},
 "product_tree": {"full_product_names": [{"name": "qemu 7.2 on Debian 12", "product_id": "Q1", "product_identification_helper": {"purl": "pkg:deb/debian/qemu@7.2?distro=debian-12"}}]},
 "vulnerabilities": [{"cve": %q, "product_status": {"known_affected": ["Q1"]}, "notes": [{"category": "summary", "text": "a flaw"}]}]}`, id, cve)
}

// key is a signer, made for the test.
type key struct{ entity *openpgp.Entity }

func newKey(t *testing.T) key {
	t.Helper()
	e, err := openpgp.NewEntity("Vendor", "", "security@vendor.example", nil)
	if err != nil {
		t.Fatal(err)
	}
	return key{e}
}

func (k key) sign(t *testing.T, body string) string {
	t.Helper()
	var out bytes.Buffer
	if err := openpgp.ArmoredDetachSign(&out, k.entity, strings.NewReader(body), nil); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func (k key) public(t *testing.T) string {
	t.Helper()
	var out bytes.Buffer
	w, err := armor.Encode(&out, openpgp.PublicKeyType, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(k.entity.Serialize(w), w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.String() + "\n"
}

func (k key) ring(t *testing.T) Keyring {
	t.Helper()
	ring, err := ReadKeyring([]byte(k.public(t)))
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func sum256(s string) string { return fmt.Sprintf("%x  doc.json\n", sha256.Sum256([]byte(s))) }
func sum512(s string) string { return fmt.Sprintf("%x  doc.json\n", sha512.Sum512([]byte(s))) }

// site is a server on loopback that counts what it was asked.
type site struct {
	*httptest.Server
	mu    sync.Mutex
	files map[string]string
	odd   map[string]http.HandlerFunc
	asked []string
	sent  map[string]int // whole bodies, by path
}

func newSite(t *testing.T, files map[string]string) *site {
	s := &site{files: files, odd: map[string]http.HandlerFunc{}, sent: map[string]int{}}
	s.Server = httptest.NewTLSServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

func (s *site) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r.URL.Path)
	odd, body, ok := s.odd[r.URL.Path], "", false
	body, ok = s.files[r.URL.Path]
	s.mu.Unlock()
	if odd != nil {
		odd(w, r)
		return
	}
	if !ok {
		http.NotFound(w, r)
		return
	}
	etag := fmt.Sprintf(`"%x"`, sha256.Sum256([]byte(body)))
	w.Header().Set("ETag", etag)
	if r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	s.mu.Lock()
	s.sent[r.URL.Path]++
	s.mu.Unlock()
	_, _ = w.Write([]byte(strings.ReplaceAll(body, "SITE", s.URL)))
}

func (s *site) put(path, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[path] = body
}

func (s *site) times(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, p := range s.asked {
		if p == path {
			n++
		}
	}
	return n
}

// open opens a path of the site.
func (s *site) open(t *testing.T, path string, o Options) *Remote {
	t.Helper()
	o.Web = NewWeb(o.Timeout, time.Millisecond)
	o.Web.Client = s.Client()
	src, err := Open(s.URL+path, o)
	if err != nil {
		t.Fatal(err)
	}
	return src.(*Remote)
}

// heard is what a round told: the ids of documents, and the reasons of those that cannot be used.
type heard struct {
	ids  []string
	docs []Document
	why  map[string]string // by the name's path
}

func (h *heard) found(d Document) error {
	if h.why == nil {
		h.why = map[string]string{}
	}
	name := d.Name
	if u, err := url.Parse(d.Name); err == nil && u.Host != "" {
		name = strings.TrimPrefix(d.Name, u.Scheme+"://"+u.Host)
	}
	if d.Why != "" {
		h.why[name] = d.Why
		return nil
	}
	h.docs = append(h.docs, d)
	h.ids = append(h.ids, idsOf(d.Advisories)...)
	return nil
}

func round1(t *testing.T, src Source, m *Memory) (heard, Summary, error) {
	t.Helper()
	var h heard
	sum, err := src.Round(context.Background(), m, h.found)
	return h, sum, err
}

func newMemory(t *testing.T) *Memory {
	t.Helper()
	m, err := LoadMemory("")
	if err != nil {
		t.Fatal(err)
	}
	return m
}
