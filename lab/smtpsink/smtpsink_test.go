package smtpsink

import (
	"encoding/json"
	"errors"
	"net/textproto"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"net/smtp"
)

const body = "From: ops@example.org\r\nTo: a@acme.example\r\nSubject: =?UTF-8?q?Maintenance_=E2=80=93_g1?=\r\nMessage-ID: <1@evenkeel>\r\n\r\nHello\r\n"

func start(t *testing.T, dir string, opt Options) *Server {
	t.Helper()
	s, err := Start("127.0.0.1:0", dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func send(s *Server, to ...string) error {
	return smtp.SendMail(s.Addr(), nil, "ops@example.org", to, []byte(body))
}

func code(err error) int {
	var e *textproto.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

func TestKeepsMails(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir, Options{})
	for range 2 {
		if err := send(s, "a@acme.example"); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = start(t, dir, Options{}) // numbering goes on
	if err := send(s, "a@acme.example", "b@acme.example"); err != nil {
		t.Fatal(err)
	}
	if n := len(s.Mails()); n != 1 {
		t.Errorf("%d mails since Start, want 1", n)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "mails.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines, want 3:\n%s", len(lines), raw)
	}
	var m Mail
	if err := json.Unmarshal([]byte(lines[2]), &m); err != nil {
		t.Fatal(err)
	}
	if m.Subject != "Maintenance – g1" || m.MessageID != "1@evenkeel" || m.File != "0003.eml" || len(m.To) != 2 || m.From != "ops@example.org" {
		t.Errorf("mail: %+v", m)
	}
	if _, err := time.Parse(time.RFC3339Nano, m.At); err != nil {
		t.Error(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, m.File)); err != nil || string(got) != body {
		t.Errorf("stored %q, %v", got, err)
	}
}

func TestMisbehaves(t *testing.T) {
	s := start(t, t.TempDir(), Options{Reject: regexp.MustCompile(`@cedar\.`), Tempfail: 2, Delay: 50 * time.Millisecond})
	for _, step := range []struct {
		to   string
		want int // code; 0 is accepted
	}{
		{"x@cedar.example", 550}, {"a@acme.example", 451}, {"a@acme.example", 451}, {"x@cedar.example", 550}, {"a@acme.example", 0},
	} {
		began := time.Now()
		err := send(s, step.to)
		if (err != nil) != (step.want != 0) || code(err) != step.want {
			t.Errorf("%s: %v, want code %d", step.to, err, step.want)
		}
		if d := time.Since(began); step.want == 0 && d < 50*time.Millisecond {
			t.Errorf("answered after %v: the delay is missing", d)
		}
	}
	if n := len(s.Mails()); n != 1 {
		t.Errorf("%d mails kept, want 1", n)
	}
}
