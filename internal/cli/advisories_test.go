package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/feed"
)

func TestAffectedInWords(t *testing.T) {
	span := func(events ...advisory.Event) []advisory.Range {
		return []advisory.Range{{Type: "ECOSYSTEM", Events: events}}
	}
	for _, c := range []struct {
		e    advisory.Affected
		want string
	}{
		{advisory.Affected{}, "affected, in versions that are not said"},
		{advisory.Affected{Ranges: span(advisory.Event{Introduced: "0"}, advisory.Event{Fixed: "2"})}, "before 2"},
		{advisory.Affected{Ranges: span(advisory.Event{Introduced: "1"}, advisory.Event{Fixed: "2"}, advisory.Event{Introduced: "3"})}, "from 1, before 2; from 3, no fix named"},
		{advisory.Affected{Ranges: span(advisory.Event{Introduced: "0"})}, "every version, no fix named"},
		{advisory.Affected{Ranges: span(advisory.Event{Introduced: "1"}, advisory.Event{LastAffected: "2"})}, "from 1, up to 2, no fix named"},
		{advisory.Affected{Ranges: span(advisory.Event{Introduced: "1"}, advisory.Event{Limit: "2"})}, "from 1, below 2, later ones are not looked at"},
		{advisory.Affected{Ranges: []advisory.Range{{Type: "GIT"}}}, "a range of GIT, by which no version can be judged"},
		{advisory.Affected{Versions: []string{"1", "2"}}, "1, 2"},
		{advisory.Affected{Status: advisory.StatusNotAffected}, "not affected"},
		{advisory.Affected{Status: advisory.StatusFixed, Versions: []string{"2"}}, "fixed in 2"},
		{advisory.Affected{Status: advisory.StatusUnknown}, "under investigation: every version"},
	} {
		if got := affectedWords(c.e); got != c.want {
			t.Errorf("%+v: %q, want %q", c.e, got, c.want)
		}
	}
}

// TestDocumentsDoNotSteerTheTerminal: what a feed writes stays text on its own line.
func TestDocumentsDoNotSteerTheTerminal(t *testing.T) {
	var out bytes.Buffer
	p := &page{out: &out}
	p.advisory(&advisory.Advisory{ID: "CVE-1\x1b[2J\nhost h1  fixed", Summary: "a\u202eb", Source: "x\r"}, time.Time{})
	if strings.ContainsAny(out.String(), "\x1b\r\u202e") || strings.Contains(out.String(), "\nhost") {
		t.Errorf("%q", out.String())
	}
}

func TestEmbargoes(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	ahead := advisory.Advisory{ID: "XSA-1", Disclosure: now.Add(time.Hour), EmbargoDeploy: "mitigations"}
	for _, c := range []struct {
		d    feed.Document
		want string
	}{
		{feed.Document{TLP: "WHITE"}, ""}, {feed.Document{TLP: "CLEAR"}, ""}, {feed.Document{}, ""},
		{feed.Document{TLP: "AMBER+STRICT"}, "TLP:AMBER+STRICT: it is not for everybody"},
		{feed.Document{Advisories: []advisory.Advisory{ahead, {ID: "XSA-2", Disclosure: now}}}, "XSA-1 becomes public 2026-03-01 01:00 UTC, which lies ahead: EMBARGOED; only mitigations may be deployed before"},
	} {
		if got := strings.Join(embargoWords(c.d, now), "|"); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

const feedDoc = `{"schema_version": "1.6.0", "id": "CVE-1", "modified": "2026-01-01T00:00:00Z", "affected": [{"package": {"ecosystem": "Debian:12", "name": "qemu"},
 "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2"}]}]}]}`

// watcher is an App whose standard error says when a line came.
func watcher(out io.Writer) (*App, chan string) {
	lines := make(chan string, 100)
	return &App{In: strings.NewReader(""), Out: out, Err: lineWriter(lines), Now: time.Now, Getenv: func(string) string { return "" }}, lines
}

type lineWriter chan string

func (l lineWriter) Write(b []byte) (int, error) {
	l <- string(b)
	return len(b), nil
}

// TestAFeedThatFailsEndsNothing: said, with since when; read again, said too.
func TestAFeedThatFailsEndsNothing(t *testing.T) {
	var broken atomic.Bool
	broken.Store(true)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if broken.Load() {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = w.Write([]byte(feedDoc))
	}))
	t.Cleanup(s.Close)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var out bytes.Buffer
	app, lines := watcher(&out)
	code := make(chan int)
	go func() {
		code <- Main(ctx, app, []string{"advisories", "watch", s.URL + "/a.json", "--every", "1s"})
	}()
	for _, want := range []string{"watching", "403", "is read again", "new documents: 1"} {
		line := <-lines
		if !strings.Contains(line, want) {
			t.Fatalf("%q, want %q", line, want)
		}
		if want == "403" {
			if !strings.Contains(line, "what came since the start is not known") {
				t.Errorf("it does not say since when: %q", line)
			}
			broken.Store(false)
		}
	}
	cancel()
	if c := <-code; c != ExitNothing || !strings.Contains(out.String(), "new: CVE-1") {
		t.Errorf("exit %d: %s", c, out.String())
	}
}

// TestNothingIsTakenAsToldThatWasNot: neither when the output is gone nor when the fleet is broken.
func TestNothingIsTakenAsToldThatWasNot(t *testing.T) {
	dir := t.TempDir()
	state, docs, fleetFile := filepath.Join(dir, "state.json"), filepath.Join(dir, "docs"), filepath.Join(dir, "fleet.yaml")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Mkdir(docs, 0o755))
	must(os.WriteFile(filepath.Join(docs, "a.json"), []byte(feedDoc), 0o644))
	must(os.WriteFile(fleetFile, []byte("evenkeel: fleet/v1\n"), 0o644))
	run := func(out io.Writer) int {
		app, _ := watcher(out)
		return Main(context.Background(), app, []string{"advisories", "watch", docs, "--once", "--state", state, "--fleet", fleetFile})
	}
	if code := run(brokenPipe{}); code != ExitError {
		t.Fatalf("exit %d", code)
	}
	var out bytes.Buffer
	if code := run(&out); code != ExitNothing || !strings.Contains(out.String(), "CVE-1") {
		t.Fatalf("exit %d: %s", code, out.String())
	}
	out.Reset()
	if code := run(&out); code != ExitNothing || out.Len() > 0 {
		t.Fatalf("told twice: exit %d: %s", code, out.String())
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }
