package feed

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestAProvidersAddressHoldsAProvider: a document in its place would need no signature.
func TestAProvidersAddressHoldsAProvider(t *testing.T) {
	k := newKey(t)
	for _, body := range []string{osvDoc("CVE-1", "2"), "[" + osvDoc("CVE-1", "2") + "]", csafDoc("V-1", "CVE-1")} {
		s := newSite(t, map[string]string{wellKnown: body})
		h, _, err := round1(t, s.open(t, "", Options{Keyring: k.ring(t)}), newMemory(t))
		if err == nil || len(h.docs) != 0 || !strings.Contains(err.Error(), "no CSAF provider") {
			t.Errorf("%.20s: %+v %v", body, h, err)
		}
	}
}

// TestABrokenListIsToldBriefly: a list can have a million broken lines.
func TestABrokenListIsToldBriefly(t *testing.T) {
	var text strings.Builder
	for n := range 3 * maxTroubles {
		fmt.Fprintf(&text, "ftp://%d\n", n)
	}
	s := newSite(t, map[string]string{"/index.txt": text.String() + "a.json\n", "/a.json": osvDoc("CVE-1", "2")})
	m := newMemory(t)
	h, sum, err := round1(t, s.open(t, "/index.txt", Options{}), m)
	if err != nil || len(h.ids) != 1 || sum.Troubles != maxTroubles+1 || len(m.Documents) != maxTroubles+2 {
		t.Errorf("%v %d %v, remembered %d", h.ids, sum.Troubles, err, len(m.Documents))
	}
	if !strings.Contains(fmt.Sprint(h.why), fmt.Sprint(2*maxTroubles)+" further") {
		t.Error("how many more there are is not said")
	}
}

// TestWhatLiesBesideIsBounded: neither a pipe nor a huge file beside a document stops the watch.
func TestWhatLiesBesideIsBounded(t *testing.T) {
	s := newShelf(t, nil)
	path := s.dir + "/a.json"
	s.write("a.json", osvDoc("CVE-1", "2"))
	if err := syscall.Mkfifo(path+".sha256", 0o600); err != nil {
		t.Skip(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	if _, _, err := besideFile(path).sum("sha256"); err == nil || !strings.Contains(err.Error(), "is no file") {
		t.Errorf("a pipe: %v", err)
	}
	s.write("a.json.sha512", strings.Repeat("a", maxSeal+1))
	if _, _, err := besideFile(path).sum("sha512"); err == nil || !strings.Contains(err.Error(), "the bound") {
		t.Errorf("a huge file: %v", err)
	}
}
