// Package smtpsink is a real SMTP server that keeps what it is sent, for tests and for the demo. It can
// be told to misbehave as mail relays do.
//
// It never sends or relays anything, and knows nothing of the product. Start reading at Start.
package smtpsink

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// maxMail is the largest mail that is accepted.
const maxMail = 10 << 20

// Options say how the server misbehaves. The zero value behaves well.
type Options struct {
	Reject   *regexp.Regexp // recipients that match get 550: no such mailbox
	Tempfail int            // so many recipients, the first ones, get 451: try again later
	Delay    time.Duration  // between storing a mail and saying so: an impatient client sends it twice
}

// Mail is one stored mail: a line of mails.jsonl.
type Mail struct {
	At        string   `json:"at"` // RFC 3339 with milliseconds, UTC
	From      string   `json:"from"`
	To        []string `json:"to"`
	Subject   string   `json:"subject"`
	MessageID string   `json:"message_id"`
	File      string   `json:"file"` // name in the server's folder
}

// Server is a running sink.
type Server struct {
	dir  string
	opt  Options
	addr net.Addr
	smtp *smtp.Server

	mu       sync.Mutex
	tempfail int // still to be refused
	mails    []Mail
	seq      int
}

// Start listens on addr (port 0: any free one) and stores each mail as DIR/NNNN.eml, with a line in
// DIR/mails.jsonl. Numbering goes on after what is in dir already.
func Start(addr, dir string, opt Options) (*Server, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	old, err := filepath.Glob(filepath.Join(dir, "*.eml"))
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, opt: opt, tempfail: opt.Tempfail}
	for _, f := range old {
		var n int
		if _, err := fmt.Sscanf(filepath.Base(f), "%d.eml", &n); err == nil && n > s.seq {
			s.seq = n
		}
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	s.addr = ln.Addr()
	s.smtp = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{s: s}, nil }))
	s.smtp.Domain = "smtpsink.invalid"
	s.smtp.MaxMessageBytes = maxMail
	s.smtp.MaxRecipients = 100
	s.smtp.ReadTimeout = 5 * time.Minute
	s.smtp.WriteTimeout = 5 * time.Minute
	s.smtp.EnableSMTPUTF8 = true
	go func() { _ = s.smtp.Serve(ln) }() // returns once Close was called
	return s, nil
}

// Addr is where the server listens.
func (s *Server) Addr() string { return s.addr.String() }

// Mails returns the mails stored since Start, oldest first.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.mails...)
}

// Close ends the server and its connections.
func (s *Server) Close() error {
	if err := s.smtp.Close(); err != nil && !errors.Is(err, smtp.ErrServerClosed) {
		return err
	}
	return nil
}

// recipient says whether to is accepted now.
func (s *Server) recipient(to string) error {
	if s.opt.Reject != nil && s.opt.Reject.MatchString(to) {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox: " + to}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tempfail > 0 {
		s.tempfail--
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "try again later"}
	}
	return nil
}

// keep stores one mail. The line in mails.jsonl is written last: a reader that sees it finds the file.
func (s *Server) keep(from string, to []string, body []byte) error {
	m := Mail{At: time.Now().UTC().Format("2006-01-02T15:04:05.000Z07:00"), From: from, To: to}
	if h, err := mail.ReadMessage(bytes.NewReader(body)); err == nil {
		m.Subject = subject(h.Header.Get("Subject"))
		m.MessageID = strings.Trim(h.Header.Get("Message-Id"), "<> ")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	m.File = fmt.Sprintf("%04d.eml", s.seq)
	if err := os.WriteFile(filepath.Join(s.dir, m.File), body, 0o644); err != nil {
		return err
	}
	line, err := json.Marshal(m)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(s.dir, "mails.jsonl"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.Write(append(line, '\n')); err != nil {
		return errors.Join(err, f.Close())
	}
	s.mails = append(s.mails, m)
	return f.Close()
}

// session is one mail transaction after the other on one connection.
type session struct {
	s    *Server
	from string
	to   []string
}

func (c *session) Reset()        { c.from, c.to = "", nil }
func (c *session) Logout() error { return nil }

func (c *session) Mail(from string, _ *smtp.MailOptions) error {
	c.from = from
	return nil
}

func (c *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if err := c.s.recipient(to); err != nil {
		return err
	}
	c.to = append(c.to, to)
	return nil
}

func (c *session) Data(r io.Reader) error {
	body, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := c.s.keep(c.from, c.to, body); err != nil {
		return err
	}
	time.Sleep(c.s.opt.Delay)
	return nil
}
