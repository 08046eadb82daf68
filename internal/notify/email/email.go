// Package email is the notify channel that speaks SMTP: one recipient, one
// message, one connection per call. Accepted means that the server answered
// 250 after the message's last line.
//
// It never queues, retries or remembers; it never sends a password over a
// connection that is not encrypted, and no error or receipt holds one.
//
// Start reading at New, then Send; session.go is the talk with the server,
// compose.go writes the mail.
package email

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/mail"
	"os"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/notice"
	"github.com/evenkeel/evenkeel/internal/notify"
)

// TLS says how the connection is encrypted.
type TLS string

// The ways.
const (
	TLSNone     TLS = "none"     // plain: for a relay on this machine or a network that is trusted
	TLSStartTLS TLS = "starttls" // plain first, then encrypted or not at all
	TLSImplicit TLS = "tls"      // encrypted from the first byte
)

// Config is how the mail relay is reached. Addr, From and TLS are needed.
type Config struct {
	Addr string // host:port
	From string // the sender: ops@operator.example or "Operator <ops@operator.example>"
	TLS  TLS
	// User and PasswordFile log in; the file is read anew for each mail, so that a password can be
	// changed without a restart. Both or neither; never with TLSNone.
	User         string
	PasswordFile string
	Helo         string         // how we name ourselves; localhost when empty
	CAs          *x509.CertPool // who may vouch for the server; the machine's own when nil
	// Timeout bounds a call whose context has no sooner end; 2 minutes when zero.
	Timeout time.Duration
	// Now dates the mails; time.Now when nil.
	Now func() time.Time
}

// Channel sends mail through one relay.
type Channel struct {
	cfg  Config
	host string
	from *mail.Address
}

var _ notify.Channel = (*Channel)(nil)

// New checks a configuration; it does not connect.
func New(cfg Config) (*Channel, error) {
	host, port, err := net.SplitHostPort(cfg.Addr)
	if err != nil || host == "" || port == "" {
		return nil, fmt.Errorf("mail relay %q: expected host:port, such as mail.operator.example:587", cfg.Addr)
	}
	from, err := mail.ParseAddress(cfg.From)
	if err != nil {
		return nil, fmt.Errorf("mail sender %q: expected an address such as ops@operator.example", cfg.From)
	}
	if err := checkAddress(from.Address); err != nil {
		return nil, fmt.Errorf("mail sender %q: %w", cfg.From, err)
	}
	switch cfg.TLS {
	case TLSNone, TLSStartTLS, TLSImplicit:
	default:
		return nil, fmt.Errorf("mail relay %s: tls is %q, expected none, starttls or tls", cfg.Addr, cfg.TLS)
	}
	if cfg.Helo == "" {
		cfg.Helo = "localhost"
	}
	if strings.ContainsFunc(cfg.Helo, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, fmt.Errorf("mail helo %q: expected a host name", cfg.Helo)
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 2 * time.Minute
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	c := &Channel{cfg: cfg, host: host, from: from}
	return c, c.checkLogin()
}

func (c *Channel) checkLogin() error {
	if (c.cfg.User == "") != (c.cfg.PasswordFile == "") {
		return fmt.Errorf("mail relay %s: user and password file belong together, one of them is missing", c.cfg.Addr)
	}
	if c.cfg.User == "" {
		return nil
	}
	if c.cfg.TLS == TLSNone {
		return fmt.Errorf("mail relay %s: a password is not sent over a plain connection: set tls to starttls or tls", c.cfg.Addr)
	}
	_, err := c.password()
	return err
}

// password reads the file, without the line end that editors leave.
func (c *Channel) password() (string, error) {
	raw, err := os.ReadFile(c.cfg.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("mail password file: %w", err)
	}
	password := strings.TrimRight(string(raw), "\r\n")
	if password == "" {
		return "", fmt.Errorf("mail password file %s is empty", c.cfg.PasswordFile)
	}
	return password, nil
}

// Send takes one message to one address; see notify.Channel.
func (c *Channel) Send(ctx context.Context, to string, m notice.Message) (notify.Receipt, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	letter, err := c.compose(to, m)
	if err != nil {
		return notify.Receipt{}, &notify.Error{Code: notify.Rejected, Why: err.Error(), Next: "correct the address or the message", Err: err}
	}
	s := &session{channel: c, letter: letter}
	// Closing the connection is what ends a read or write that waits when the context is done.
	stop := context.AfterFunc(ctx, s.cut)
	answer, err := s.deliver(ctx)
	stop()
	s.cut()
	if err != nil {
		return notify.Receipt{}, s.explain(ctx, err)
	}
	return notify.Receipt{Accepted: true, Server: c.cfg.Addr, Detail: safe("250 " + answer)}, nil
}

// tlsConfig asks for the name that was dialled.
func (c *Channel) tlsConfig() *tls.Config {
	return &tls.Config{ServerName: c.host, RootCAs: c.cfg.CAs, MinVersion: tls.VersionTLS12}
}
