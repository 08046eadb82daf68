// Package notifytest holds every channel that speaks SMTP to the contract of
// notify.Channel, against a real SMTP server that it starts on loopback and
// that accepts, refuses, hangs or cuts the line as a case says. The server may
// also serve other tests as a place that collects mails.
//
// It is for tests only. Start reading at Run; server.go is the server, read.go
// reads mails back with the standard library.
package notifytest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/evenkeel/evenkeel/internal/notice"
	"github.com/evenkeel/evenkeel/internal/notify"
)

// patience is how long a call that should end at once may take before the test calls it stuck.
const patience = 30 * time.Second

// Run holds a channel to the contract. connect makes a channel that speaks to addr in plain SMTP,
// with no end of its own under a minute.
func Run(t *testing.T, connect func(t *testing.T, addr string) notify.Channel) {
	s := suite{connect}
	t.Run("accepted", s.accepted)
	t.Run("accepted though the good-bye fails", s.goodbye)
	t.Run("refused", s.refused)
	t.Run("refused for now, then accepted", s.laterAccepted)
	t.Run("nobody there", s.nobody)
	t.Run("no session", s.noSession)
	t.Run("hangs after the mail", s.hangs)
	t.Run("silent from the start", s.silent)
	t.Run("cut after the mail", s.cutAfter)
	t.Run("cut inside the mail", s.cutInside)
	t.Run("cancelled before", s.cancelledBefore)
	t.Run("no header can be added", s.injection)
	t.Run("any text arrives", s.anyText)
	t.Run("any subject arrives", s.anySubject)
	t.Run("long names", s.longNames)
	t.Run("again is the same mail", s.again)
	t.Run("many at once", s.many)
	t.Run("non-ASCII addresses", s.utf8Addresses)
}

type suite struct {
	connect func(t *testing.T, addr string) notify.Channel
}

// Sample is a message to send.
func Sample() notice.Message {
	return notice.Message{
		Subject:   "Scheduled: Maintenance of hosts, web-1, Sun 25 Oct 2026 00:00 UTC",
		Text:      "Slot\n  from  Sun 25 Oct 2026 00:00 UTC\n  to    Sun 25 Oct 2026 02:00 UTC\n",
		HTML:      "<!DOCTYPE html><html><body><p>Sun 25 Oct 2026 00:00 UTC<br>to Sun 25 Oct 2026 02:00 UTC</p></body></html>\n",
		MessageID: "0123456789abcdef0123456789abcdef@operator.example",
		Headers:   map[string]string{"Auto-Submitted": "auto-generated", "References": "<fedcba9876543210fedcba9876543210@operator.example>"},
	}
}

const acme = "ops@acme.example"

// send calls Send and fails when it does not come back.
func send(t *testing.T, c notify.Channel, ctx context.Context, to string, m notice.Message) (notify.Receipt, *notify.Error) {
	t.Helper()
	type outcome struct {
		receipt notify.Receipt
		err     error
	}
	done := make(chan outcome, 1)
	go func() {
		r, err := c.Send(ctx, to, m)
		done <- outcome{r, err}
	}()
	select {
	case o := <-done:
		if (o.err == nil) != o.receipt.Accepted {
			t.Fatalf("receipt %+v with error %v", o.receipt, o.err)
		}
		if o.err == nil {
			return o.receipt, nil
		}
		var e *notify.Error
		if !errors.As(o.err, &e) {
			t.Fatalf("the error is a %T, not a *notify.Error: %v", o.err, o.err)
		}
		if e.Why == "" || e.Next == "" || strings.ContainsAny(e.Error(), "\r\n") {
			t.Fatalf("the error lacks why or next, or has several lines: %q", e.Error())
		}
		return o.receipt, e
	case <-time.After(patience):
		t.Fatal("Send did not come back")
		panic("unreachable")
	}
}

// expect checks code and retry of an error.
func expect(t *testing.T, e *notify.Error, code notify.Code, retry bool) {
	t.Helper()
	if e == nil {
		t.Fatalf("it was accepted, want %s", code)
	}
	if e.Code != code || e.Retry != retry {
		t.Fatalf("%v (code %s, retry %v), want code %s, retry %v", e, e.Code, e.Retry, code, retry)
	}
}

func (s suite) accepted(t *testing.T) {
	server := Start(t, &Server{})
	receipt, e := send(t, s.connect(t, server.Addr()), t.Context(), acme, Sample())
	if e != nil {
		t.Fatal(e)
	}
	if receipt.Server != server.Addr() || !strings.HasPrefix(receipt.Detail, "250 ") {
		t.Errorf("receipt %+v", receipt)
	}
	mails := server.Mails()
	if len(mails) != 1 || len(mails[0].To) != 1 || mails[0].To[0] != acme {
		t.Fatalf("the server took %+v", mails)
	}
	checkLetter(t, mails[0].Data, acme, Sample())
}

func (s suite) goodbye(t *testing.T) {
	addr := script(t, func(say func(string), hear func() string, cut func()) {
		converse(say, hear, "250 2.0.0 queued as 42")
		cut() // no answer to QUIT
	})
	receipt, e := send(t, s.connect(t, addr), t.Context(), acme, Sample())
	if e != nil {
		t.Fatalf("the server had said 250: %v", e)
	}
	if receipt.Detail != "250 2.0.0 queued as 42" {
		t.Errorf("detail %q", receipt.Detail)
	}
}

func (s suite) refused(t *testing.T) {
	for name, server := range map[string]*Server{
		"sender":    {OnMail: func(int, string) error { return Refuse(550, "we do not know you") }},
		"recipient": {OnRcpt: func(int, string) error { return Refuse(550, "no such user") }},
		"content":   {OnData: func(int, string) Ending { return Ending{Err: Refuse(554, "looks like spam")} }},
	} {
		t.Run(name, func(t *testing.T) {
			Start(t, server)
			_, e := send(t, s.connect(t, server.Addr()), t.Context(), acme, Sample())
			expect(t, e, notify.Rejected, false)
			if !strings.Contains(e.Why, "55") {
				t.Errorf("the server's words are missing: %v", e)
			}
			if len(server.Mails()) != 0 {
				t.Error("the server took a mail that it refused")
			}
		})
	}
}

func (s suite) laterAccepted(t *testing.T) {
	first := func(n int) error {
		if n == 1 {
			return Refuse(451, "greylisted")
		}
		return nil
	}
	for name, server := range map[string]*Server{
		"sender":    {OnMail: func(n int, _ string) error { return first(n) }},
		"recipient": {OnRcpt: func(n int, _ string) error { return first(n) }},
		"content":   {OnData: func(n int, _ string) Ending { return Ending{Err: first(n)} }},
	} {
		t.Run(name, func(t *testing.T) {
			Start(t, server)
			c := s.connect(t, server.Addr())
			_, e := send(t, c, t.Context(), acme, Sample())
			expect(t, e, notify.Temporary, true)
			if server.Sessions() != 1 {
				t.Error("the channel tried again by itself")
			}
			if _, e = send(t, c, t.Context(), acme, Sample()); e != nil {
				t.Fatal(e)
			}
			if n := len(server.Mails()); n != 1 {
				t.Errorf("the server took %d mails", n)
			}
		})
	}
}

func (s suite) utf8Addresses(t *testing.T) {
	const to = "jürgen@größe.example"
	plain := Start(t, &Server{})
	_, e := send(t, s.connect(t, plain.Addr()), t.Context(), to, Sample())
	expect(t, e, notify.Rejected, false)
	server := Start(t, &Server{}, func(s *smtp.Server) { s.EnableSMTPUTF8 = true })
	if _, e := send(t, s.connect(t, server.Addr()), t.Context(), to, Sample()); e != nil {
		t.Fatal(e)
	}
	if got := server.Mails()[0].To[0]; got != to {
		t.Errorf("it went to %q", got)
	}
}

func (s suite) again(t *testing.T) {
	server := Start(t, &Server{})
	c := s.connect(t, server.Addr())
	for range 2 {
		if _, e := send(t, c, t.Context(), acme, Sample()); e != nil {
			t.Fatal(e)
		}
	}
	mails := server.Mails()
	if one, two := withoutDate(mails[0].Data), withoutDate(mails[1].Data); one != two {
		t.Errorf("the second mail differs:\n%s\n--- and ---\n%s", one, two)
	}
}

func (s suite) many(t *testing.T) {
	server := Start(t, &Server{})
	c := s.connect(t, server.Addr())
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			if r, err := c.Send(t.Context(), acme, Sample()); err != nil || !r.Accepted {
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
	wg.Wait()
	if n := len(server.Mails()); n != 12 {
		t.Errorf("the server took %d mails of 12", n)
	}
}
