package notifytest

import (
	"bufio"
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/notify"
)

// script is a server that talks by hand, for what a well-made one never does. It serves one
// connection.
func script(t *testing.T, talk func(say func(string), hear func() string, cut func())) (addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	conns := make(chan net.Conn, 1)
	go func() {
		defer close(done)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		conns <- conn
		r := bufio.NewReader(conn)
		talk(func(line string) { _, _ = conn.Write([]byte(line + "\r\n")) },
			func() string {
				line, _ := r.ReadString('\n')
				return line
			},
			func() { _ = conn.Close() })
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		select {
		case conn := <-conns:
			_ = conn.Close()
		default:
		}
		<-done
	})
	return listener.Addr().String()
}

// converse takes a mail up to its last line and gives the answer.
func converse(say func(string), hear func() string, answer string) {
	say("220 mx.example ESMTP")
	for hear() != "DATA\r\n" {
		say("250 fine")
	}
	say("354 go ahead")
	for line := hear(); line != ".\r\n" && line != ""; line = hear() {
	}
	say(answer)
}

func (s suite) nobody(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := listener.Addr().String()
	_ = listener.Close()
	_, e := send(t, s.connect(t, addr), t.Context(), acme, Sample())
	expect(t, e, notify.Unreachable, true)
}

// noSession: the server answers, but does not let us in. That says nothing about the mail.
func (s suite) noSession(t *testing.T) {
	for greeting, code := range map[string]notify.Code{
		"421 too busy":       notify.Temporary,
		"554 go away":        notify.Unreachable,
		"HTTP/1.1 400 what?": notify.Unreachable,
		"":                   notify.Unreachable,
	} {
		addr := script(t, func(say func(string), _ func() string, cut func()) {
			say(greeting)
			cut()
		})
		_, e := send(t, s.connect(t, addr), t.Context(), acme, Sample())
		expect(t, e, code, true)
	}
}

func (s suite) hangs(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	server := Start(t, &Server{OnData: func(int, string) Ending {
		cancel() // the whole mail is here; the answer never comes
		return Ending{Hang: true, Keep: true}
	}})
	_, e := send(t, s.connect(t, server.Addr()), ctx, acme, Sample())
	expect(t, e, notify.Deadline, true)
	if !strings.Contains(e.Why, "not known") {
		t.Errorf("it is not known whether the server took the mail; the error says %q", e.Why)
	}
}

func (s suite) silent(t *testing.T) {
	for name, talk := range map[string]func(say func(string), hear func() string, cut func()){
		"no greeting":         func(_ func(string), hear func() string, _ func()) { hear() },
		"no answer to hello":  func(say func(string), hear func() string, _ func()) { say("220 hello"); hear(); hear() },
		"an endless greeting": func(say func(string), hear func() string, _ func()) { say("220-hello"); hear() },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			_, e := send(t, s.connect(t, script(t, talk)), ctx, acme, Sample())
			expect(t, e, notify.Deadline, true)
			if strings.Contains(e.Why, "not known") {
				t.Errorf("nothing was sent, yet the error says %q", e.Why)
			}
		})
	}
}

// cutAfter: the mail may have been taken or not; both must read the same, and a repetition must
// carry the same Message-ID.
func (s suite) cutAfter(t *testing.T) {
	for _, keep := range []bool{false, true} {
		server := Start(t, &Server{OnData: func(n int, _ string) Ending { return Ending{Cut: n == 1, Keep: n > 1 || keep} }})
		c := s.connect(t, server.Addr())
		_, e := send(t, c, t.Context(), acme, Sample())
		expect(t, e, notify.Temporary, true)
		if !strings.Contains(e.Why, "not known") {
			t.Errorf("it is not known whether the server took the mail; the error says %q", e.Why)
		}
		if _, e := send(t, c, t.Context(), acme, Sample()); e != nil {
			t.Fatal(e)
		}
		for _, m := range server.Mails() {
			checkLetter(t, m.Data, acme, Sample())
		}
	}
}

// cutInside: half a mail is no mail. Nothing may reach the server that ends the mail properly.
func (s suite) cutInside(t *testing.T) {
	heard := make(chan string, 1)
	addr := script(t, func(say func(string), hear func() string, cut func()) {
		say("220 mx.example ESMTP")
		for hear() != "DATA\r\n" {
			say("250 fine")
		}
		say("354 go ahead")
		heard <- hear()
		cut()
	})
	m := Sample()
	m.Text = strings.Repeat("a line that fills buffers on the way\n", 400_000)
	_, e := send(t, s.connect(t, addr), t.Context(), acme, m)
	expect(t, e, notify.Temporary, true)
	if <-heard == "" {
		t.Error("no line of the mail came")
	}
}

func (s suite) cancelledBefore(t *testing.T) {
	server := Start(t, &Server{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, e := send(t, s.connect(t, server.Addr()), ctx, acme, Sample())
	expect(t, e, notify.Deadline, true)
	if len(server.Mails()) != 0 {
		t.Error("a mail was sent after the call had been cancelled")
	}
}
