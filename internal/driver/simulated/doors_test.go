package simulated_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/driver/simulated"
)

// TestDoors: what goes wrong in a served world is set, mended and looked at from outside.
func TestDoors(t *testing.T) {
	w, err := simulated.NewWorld(xenHosts(), simulated.Options{})
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(t.TempDir(), "world.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Serve(ctx, l, 1) }()
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}}
	ask := func(method, path, body string, status int) string {
		t.Helper()
		req, err := http.NewRequestWithContext(ctx, method, "http://world"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		said, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != status {
			t.Errorf("%s %s: status %d, want %d: %s", method, path, resp.StatusCode, status, said)
		}
		return string(said)
	}
	if got := ask("GET", "/status?host=h1", "", 200); got != "on\n" {
		t.Errorf("status: %q", got)
	}
	if got := ask("GET", "/console?host=h1", "", 200); !strings.Contains(got, "(XEN) Xen version 4.17.5") {
		t.Errorf("console: %q", got)
	}
	ask("GET", "/status?host=h9", "", 404)
	w.PowerOff("h1")
	if got := ask("GET", "/status?host=h1", "", 200); got != "off\n" {
		t.Errorf("status: %q", got)
	}
	ask("GET", "/console?host=h1", "", 503)
	ask("POST", "/mend?host=h9", "", 404)
	ask("POST", "/mend?host=h1", "", 200)
	if !w.Truth("h1").Up {
		t.Error("h1 is not mended")
	}
	ask("PUT", "/faults", `{"probe_mute": 1, "migrations_to": [{"package": "xen-hypervisor-4.17-amd64", "version": "4.17.7", "rate": 1}], "returns": {"h2": ["no_dom0", "well"]}}`, 200)
	ask("GET", "/status?host=h1", "", 503)
	for _, bad := range []string{`{"no_such": 1}`, `{"probe_mute": 2}`, `{"returns": {"h9": ["well"]}}`, `{"returns": {"h1": ["call_lost"]}}`, `[`} {
		ask("PUT", "/faults", bad, 400)
	}
	client.CloseIdleConnections()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
