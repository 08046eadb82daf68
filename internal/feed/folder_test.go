package feed

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// shelf is a folder and a clock that stands still until it is moved.
type shelf struct {
	t   *testing.T
	dir string
	now time.Time
	src *Folder
	m   *Memory
}

func newShelf(t *testing.T, ring Keyring) *shelf {
	s := &shelf{t: t, dir: t.TempDir(), now: time.Now(), m: newMemory(t)}
	src, err := Open(s.dir, Options{Keyring: ring, Now: func() time.Time { return s.now }})
	if err != nil {
		t.Fatal(err)
	}
	s.src = src.(*Folder)
	t.Cleanup(func() { _ = s.src.Close() })
	return s
}

func (s *shelf) write(name, body string) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(body), 0o644); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Chtimes(path, s.now, s.now); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shelf) look() (heard, Summary) {
	s.t.Helper()
	h, sum, err := round1(s.t, s.src, s.m)
	if err != nil {
		s.t.Fatal(err)
	}
	return h, sum
}

func TestFolder(t *testing.T) {
	s := newShelf(t, nil)
	s.write("a.json", osvDoc("CVE-1", "2"))
	s.write("2026/b.json", osvDoc("CVE-2", "2"))
	s.write(".hidden/c.json", osvDoc("CVE-3", "2"))
	s.write(".d.json.part", osvDoc("CVE-4", "2"))
	s.write("index.txt", "a.json\n")
	s.write("provider-metadata.json", "{}")
	h, sum := s.look()
	slices.Sort(h.ids)
	if !slices.Equal(h.ids, []string{"CVE-1", "CVE-2"}) || sum.New != 2 || sum.Troubles != 0 || sum.Waiting != 0 {
		t.Fatalf("%+v %+v", h, sum)
	}
	s.write("copy.json", osvDoc("CVE-1", "2"))
	if h, _ := s.look(); len(h.ids)+len(h.why) != 0 {
		t.Errorf("told again: %+v", h)
	}
	s.now = s.now.Add(time.Second)
	s.write("a.json", osvDoc("CVE-1", "3"))
	if h, _ := s.look(); !slices.Equal(h.ids, []string{"CVE-1"}) {
		t.Errorf("a change is not told: %+v", h)
	}
}

func TestHalfWrittenFilesAreWaitedFor(t *testing.T) {
	s := newShelf(t, nil)
	whole := osvDoc("CVE-1", "2")
	s.write("a.json", whole[:len(whole)/2])
	if h, sum := s.look(); len(h.why)+len(h.ids) != 0 || sum.Waiting != 1 {
		t.Fatalf("read too early: %+v %+v", h, sum)
	}
	s.now = s.now.Add(time.Second)
	s.write("a.json", whole[:len(whole)*2/3]) // it still grows
	s.now = s.now.Add(1500 * time.Millisecond)
	if h, sum := s.look(); len(h.why)+len(h.ids) != 0 || sum.Waiting != 1 {
		t.Fatalf("read while it grows: %+v %+v", h, sum)
	}
	s.write("a.json", whole)
	if h, sum := s.look(); !slices.Equal(h.ids, []string{"CVE-1"}) || sum.Waiting != 0 {
		t.Fatalf("whole, and not taken: %+v %+v", h, sum)
	}
	// One that stays broken is named, once it rests; and taken when it is mended.
	s.write("b.json", whole[:40])
	s.look()
	s.now = s.now.Add(3 * time.Second)
	h, sum := s.look()
	if why := h.why[filepath.Join(s.dir, "b.json")]; !strings.Contains(why, "cannot be read") || sum.Waiting != 0 {
		t.Fatalf("%+v %+v", h, sum)
	}
	if h, sum := s.look(); len(h.why) != 0 || sum.Troubles != 1 {
		t.Errorf("named twice: %+v %+v", h, sum)
	}
	s.write("b.json", osvDoc("CVE-2", "2"))
	if h, _ := s.look(); !slices.Equal(h.ids, []string{"CVE-2"}) {
		t.Errorf("mended, and not taken: %+v", h)
	}
}

// TestTextThatCutShortIsStillText: half a YAML document can be a document.
func TestTextThatCutShortIsStillText(t *testing.T) {
	s := newShelf(t, nil)
	s.write("a.yaml", "evenkeel: advisory/v1\n")
	if h, sum := s.look(); len(h.ids)+len(h.why) != 0 || sum.Waiting != 1 {
		t.Fatalf("read too early: %+v %+v", h, sum)
	}
	s.now = s.now.Add(3 * time.Second)
	if h, sum := s.look(); len(h.ids)+len(h.why) == 0 || sum.Waiting != 0 {
		t.Errorf("never read: %+v %+v", h, sum)
	}
}

func TestSignaturesInAFolder(t *testing.T) {
	k := newKey(t)
	s := newShelf(t, k.ring(t))
	doc := csafDoc("V-1", "CVE-2026-1")
	s.write("v1.json", doc)
	s.write("osv.json", osvDoc("CVE-1", "2"))
	if h, sum := s.look(); !slices.Equal(h.ids, []string{"CVE-1"}) || sum.Waiting != 1 {
		t.Fatalf("an unsigned document is not waited for, or one that needs none is: %+v %+v", h, sum)
	}
	s.now = s.now.Add(3 * time.Second)
	if h, _ := s.look(); !strings.Contains(h.why[filepath.Join(s.dir, "v1.json")], "has no signature") || len(h.docs) != 0 {
		t.Fatalf("%+v", h)
	}
	s.write("v1.json.asc", newKey(t).sign(t, doc))
	if h, _ := s.look(); !strings.Contains(h.why[filepath.Join(s.dir, "v1.json")], "not good by the keyring") || len(h.docs) != 0 {
		t.Fatalf("%+v", h)
	}
	s.write("v1.json.asc", k.sign(t, doc))
	if h, _ := s.look(); len(h.docs) != 1 || h.docs[0].Seal.State != SealGood {
		t.Fatalf("%+v", h)
	}
	s.write("v2.json", osvDoc("CVE-2", "2"))
	s.write("v2.json.sha256", sum256("another"))
	s.now = s.now.Add(3 * time.Second)
	if h, _ := s.look(); !strings.Contains(h.why[filepath.Join(s.dir, "v2.json")], "its sha256 is not the one beside it") {
		t.Fatalf("%+v", h)
	}
}

func TestFolderTellsOfChanges(t *testing.T) {
	s := newShelf(t, nil)
	s.look()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	done := make(chan error)
	s.src.listen() // so that nothing written below is missed
	go func() { done <- s.src.Wait(ctx, time.Hour) }()
	s.write("a.json", osvDoc("CVE-1", "2"))
	if err := <-done; err != nil {
		t.Fatalf("an hour was waited, though something changed: %v", err)
	}
	if h, _ := s.look(); !slices.Equal(h.ids, []string{"CVE-1"}) {
		t.Errorf("%+v", h)
	}
}

func TestAFolderThatIsGone(t *testing.T) {
	s := newShelf(t, nil)
	if err := os.RemoveAll(s.dir); err != nil {
		t.Fatal(err)
	}
	if _, _, err := round1(t, s.src, s.m); err == nil {
		t.Error("no error")
	}
}

func TestWhatCanBeOpened(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.json")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for address, says := range map[string]string{
		file: "expected a folder or an address", file + "x": "no such file", "file:///etc": "expected https or http", "ftp://v.example/": "expected https or http", "https:///x": "a host",
	} {
		if _, err := Open(address, Options{}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestStateFiles(t *testing.T) {
	dir := t.TempDir()
	for name, body := range map[string]string{"cut.json": `{"evenkeel": "advisories-seen/v1", "docu`, "other.json": `{"evenkeel": "plan/v1"}`, "more.json": `{"evenkeel": "advisories-seen/v1"} 5`, "key.json": `{"evenkeel": "advisories-seen/v1", "seen": 1}`} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadMemory(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
	m, err := LoadMemory(filepath.Join(dir, "nowhere", "state.json"))
	if err != nil {
		t.Fatal(err)
	}
	m.put("a", Mark{SHA256: "1"})
	if err := m.Save(); err == nil {
		t.Error("saved into a folder that is not there")
	}
}
