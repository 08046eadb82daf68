package notifytest

import (
	"errors"
	"io"
	"log"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Mail is one message that the server took.
type Mail struct {
	From string
	To   []string
	Data string // as received: headers and all, lines end with CR LF
}

// Server is a real SMTP server on loopback that behaves as its script says. Without a script it
// takes every mail. Set the script before the first mail.
type Server struct {
	// OnMail, OnRcpt and OnData may refuse with Refuse; n counts the calls from 1.
	OnMail func(n int, from string) error
	OnRcpt func(n int, to string) error
	// OnData runs after the last line of the mail has come in, before the answer.
	OnData func(n int, data string) Ending
	// Login, when set, is asked for each AUTH PLAIN. It is offered over TLS only.
	Login func(user, password string) error

	addr   string
	closed chan struct{}

	mu                  sync.Mutex
	mails               []Mail
	sessions            int
	nMail, nRcpt, nData int
}

// Ending is how the server ends a mail whose last line has come in.
type Ending struct {
	Err  error // answer with this refusal
	Cut  bool  // cut the connection instead of answering; with Keep after taking the mail
	Hang bool  // never answer
	Keep bool  // the mail was taken all the same
}

// Refuse is an answer such as 550 5.1.1 no such user.
func Refuse(code int, text string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: text}
}

// Start starts a server; configure may change it before it serves (TLS, SMTPUTF8, AUTH). It ends
// with the test.
func Start(t testing.TB, s *Server, configure ...func(*smtp.Server)) *Server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr, s.closed = listener.Addr().String(), make(chan struct{})
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.sessions++
		return &talk{server: s, conn: c}, nil
	}))
	server.Domain = "mx.example"
	server.ErrorLog = log.New(io.Discard, "", 0)
	for _, f := range configure {
		f(server)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		close(s.closed)
		_ = server.Close()
		_ = listener.Close() // a server that was closed before it began to serve does not know it
		<-done
	})
	return s
}

// Addr is host:port.
func (s *Server) Addr() string { return s.addr }

// Mails are those that were taken, in order.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

// Sessions counts the connections that said hello.
func (s *Server) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions
}

// Count says how often the sender, recipient and data commands came.
func (s *Server) Count() (mail, rcpt, data int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nMail, s.nRcpt, s.nData
}

// talk is one session.
type talk struct {
	server *Server
	conn   *smtp.Conn
	from   string
	to     []string
}

// AuthMechanisms offers a login when the script has one.
func (k *talk) AuthMechanisms() []string {
	if k.server.Login == nil {
		return nil
	}
	return []string{sasl.Plain}
}

// Auth asks the script.
func (k *talk) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error { return k.server.Login(user, password) }), nil
}

func (k *talk) Mail(from string, _ *smtp.MailOptions) error {
	s := k.server
	s.mu.Lock()
	s.nMail++
	n := s.nMail
	s.mu.Unlock()
	k.from = from
	if s.OnMail != nil {
		return s.OnMail(n, from)
	}
	return nil
}

func (k *talk) Rcpt(to string, _ *smtp.RcptOptions) error {
	s := k.server
	s.mu.Lock()
	s.nRcpt++
	n := s.nRcpt
	s.mu.Unlock()
	k.to = append(k.to, to)
	if s.OnRcpt != nil {
		return s.OnRcpt(n, to)
	}
	return nil
}

func (k *talk) Data(r io.Reader) error {
	s := k.server
	data, err := io.ReadAll(r)
	if err != nil {
		return err // the connection ended inside the mail: nothing was taken
	}
	s.mu.Lock()
	s.nData++
	n := s.nData
	s.mu.Unlock()
	var end Ending
	if s.OnData != nil {
		end = s.OnData(n, string(data))
	}
	if end.Keep || end == (Ending{}) {
		s.mu.Lock()
		s.mails = append(s.mails, Mail{From: k.from, To: slices.Clone(k.to), Data: string(data)})
		s.mu.Unlock()
	}
	switch {
	case end.Hang:
		<-s.closed
		return errors.New("closed")
	case end.Cut:
		_ = k.conn.Conn().Close()
		return errors.New("cut")
	}
	return end.Err
}

func (k *talk) Reset()        { k.from, k.to = "", nil }
func (k *talk) Logout() error { return nil }
