package email

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/wneessen/go-mail/smtp"

	"github.com/evenkeel/evenkeel/internal/notify"
)

// phase is how far a session came; what an error means depends on it.
type phase int

const (
	connecting phase = iota // until the server lets us send
	offering                // sender, recipient, the message's lines
	handedOver              // the last line is out: without an answer nobody knows
)

// session is one talk with the server.
type session struct {
	channel *Channel
	letter  letter
	phase   phase

	mu   sync.Mutex
	conn net.Conn
	over bool
}

// secret is an error in the login: the server's own words might repeat what we sent.
type secret struct{ what string }

func (e secret) Error() string { return e.what }

// deliver gives the server's words after its 250.
func (s *session) deliver(ctx context.Context) (string, error) {
	client, err := s.open(ctx)
	if err != nil {
		return "", err
	}
	s.phase = offering
	utf8Needed := !ascii(s.letter.from + s.letter.to)
	if known, _ := client.Extension("SMTPUTF8"); utf8Needed && !known {
		return "", &textproto.Error{Code: 553, Msg: "the server takes only ASCII addresses (no SMTPUTF8)"}
	}
	client.SkipSMTPUTF8(!utf8Needed)
	if err := client.Mail("<" + s.letter.from + ">"); err != nil {
		return "", err
	}
	if err := client.Rcpt("<" + s.letter.to + ">"); err != nil {
		return "", err
	}
	w, err := client.Data()
	if err != nil {
		return "", err
	}
	// After a failed write the connection is only cut: any further command would end the message,
	// and the server would take the half of it for the whole.
	if _, err := w.Write(s.letter.body); err != nil {
		return "", err
	}
	s.phase = handedOver
	if err := w.Close(); err != nil {
		return "", err
	}
	answer := ""
	if d, ok := w.(*smtp.DataCloser); ok {
		answer = d.ServerResponse()
	}
	// The message is the server's by now, whatever becomes of the good-bye.
	_ = s.conn.SetDeadline(time.Now().Add(time.Second))
	_ = client.Quit()
	return answer, nil
}

// open connects, encrypts and logs in, as configured or not at all.
func (s *session) open(ctx context.Context) (*smtp.Client, error) {
	cfg := s.channel.cfg
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", cfg.Addr)
	if err != nil {
		return nil, err
	}
	if !s.hold(conn) {
		return nil, context.Cause(ctx)
	}
	conn = &limited{Conn: conn, left: maxAnswers}
	if cfg.TLS == TLSImplicit {
		encrypted := tls.Client(conn, s.channel.tlsConfig())
		if err := encrypted.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		conn = encrypted
	}
	client, err := smtp.NewClient(conn, s.channel.host)
	if err != nil {
		return nil, err
	}
	if err := client.Hello(cfg.Helo); err != nil {
		return nil, err
	}
	if cfg.TLS == TLSStartTLS {
		if offered, _ := client.Extension("STARTTLS"); !offered {
			return nil, errors.New("the server offers no STARTTLS")
		}
		if err := client.StartTLS(s.channel.tlsConfig()); err != nil {
			return nil, err
		}
	}
	return client, s.login(client)
}

func (s *session) login(client *smtp.Client) error {
	cfg := s.channel.cfg
	if cfg.User == "" {
		return nil
	}
	password, err := s.channel.password()
	if err != nil {
		return err
	}
	_, line := client.Extension("AUTH")
	offered := strings.Fields(strings.ToUpper(line))
	var auth smtp.Auth
	switch {
	case slices.Contains(offered, "PLAIN"):
		auth = smtp.PlainAuth("", cfg.User, password, s.channel.host, false)
	case slices.Contains(offered, "LOGIN"):
		auth = smtp.LoginAuth(cfg.User, password, s.channel.host, false)
	default:
		return errors.New("the server offers neither AUTH PLAIN nor AUTH LOGIN on this connection")
	}
	err = client.Auth(auth)
	var answer *textproto.Error
	switch {
	case errors.As(err, &answer):
		return secret{fmt.Sprintf("the server refused the login of %q with %d", cfg.User, answer.Code)}
	case err != nil:
		return secret{fmt.Sprintf("the login of %q failed: the connection broke or the server answered nonsense", cfg.User)}
	}
	return nil
}

// hold keeps the connection so that cut can end it; false: the call is over already.
func (s *session) hold(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		_ = conn.Close()
		return false
	}
	s.conn = conn
	return true
}

// cut ends the connection, without a word; whoever reads or writes on it gets an error at once.
func (s *session) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	if s.conn != nil {
		_ = s.conn.Close()
	}
}

// explain turns what went wrong into what the caller must know.
func (s *session) explain(ctx context.Context, err error) *notify.Error {
	e := &notify.Error{Server: s.channel.cfg.Addr, Retry: true, Err: err}
	var answer *textproto.Error
	var hidden secret
	answered := errors.As(err, &answer)
	switch {
	case answered && s.phase != connecting && answer.Code >= 500:
		e.Code, e.Retry, e.Why, e.Next = notify.Rejected, false, "the server rejected the mail: "+safe(answer.Error()), "correct the address, or ask whoever runs the server"
	case answered && s.phase != connecting:
		e.Code, e.Why, e.Next = notify.Temporary, "the server does not take the mail now: "+safe(answer.Error()), "try again later"
	case ctx.Err() != nil && s.phase == handedOver:
		e.Code, e.Err, e.Why, e.Next = notify.Deadline, ctx.Err(), "no answer came in time after the whole mail was sent: it is not known whether the server took it", "try again: the mail keeps its Message-ID"
	case ctx.Err() != nil:
		e.Code, e.Err, e.Why, e.Next = notify.Deadline, ctx.Err(), "the call ended before the server took the mail", "try again"
	case s.phase == handedOver:
		e.Code, e.Why, e.Next = notify.Temporary, "the connection broke after the whole mail was sent: it is not known whether the server took it", "try again: the mail keeps its Message-ID"
	case s.phase == offering:
		e.Code, e.Why, e.Next = notify.Temporary, "the connection broke before the mail was sent: "+safe(err.Error()), "try again"
	case answered && answer.Code >= 400 && answer.Code < 500:
		e.Code, e.Why, e.Next = notify.Temporary, "the server does not serve us now: "+safe(answer.Error()), "try again later"
	case errors.As(err, &hidden):
		e.Code, e.Why, e.Next = notify.Unreachable, hidden.what, "check user and password file"
	default:
		e.Code, e.Why, e.Next = notify.Unreachable, "no session with the server: "+safe(err.Error()), "check address, port, tls and whether the server runs"
	}
	return e
}

// maxAnswers is how much a server may say in one session. It is a few kB in truth; a server that
// talks without end must not fill our memory.
const maxAnswers = 1 << 20

// limited is a connection that ends once its peer has said too much.
type limited struct {
	net.Conn
	left int
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := l.Conn.Read(p[:min(len(p), l.left)])
	l.left -= n
	return n, err
}

// safe makes a server's words fit for one line of a log.
func safe(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) > 300 {
		s = string([]rune(s)[:299]) + "…"
	}
	return s
}
