package email

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/evenkeel/evenkeel/internal/notify"
	"github.com/evenkeel/evenkeel/internal/notify/notifytest"
)

const password = "correct horse battery staple"

// certificate makes a certificate for 127.0.0.1 and the pool that vouches for it.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	like := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, like, like, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, pool
}

func passwordFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func channel(t *testing.T, cfg Config) *Channel {
	t.Helper()
	cfg.From = "maintenance@operator.example"
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// failed sends a mail that must fail with a code, and checks that nothing shown holds the password,
// in the clear or as it goes over the wire.
func failed(t *testing.T, c *Channel, code notify.Code, retry bool, says string) {
	t.Helper()
	_, err := c.Send(t.Context(), "ops@acme.example", notifytest.Sample())
	var e *notify.Error
	if !errors.As(err, &e) || e.Code != code || e.Retry != retry || !strings.Contains(err.Error(), says) {
		t.Fatalf("%v, want %s (retry %v) that says %q", err, code, retry, says)
	}
	for cause := err; cause != nil; cause = errors.Unwrap(cause) {
		shown := fmt.Sprintf("%v %+v %#v", cause, cause, cause)
		for _, secret := range []string{password, "Y29ycmVjdCBob3JzZ", "horse"} {
			if strings.Contains(shown, secret) {
				t.Errorf("the error holds the password: %s", shown)
			}
		}
	}
}

func TestStartTLSAndLogin(t *testing.T) {
	serverTLS, pool := certificate(t)
	var asked []string
	server := notifytest.Start(t, &notifytest.Server{Login: func(user, secret string) error {
		asked = append(asked, user)
		if secret != password {
			return &smtp.SMTPError{Code: 535, Message: "I do not know " + secret}
		}
		return nil
	}}, func(s *smtp.Server) { s.TLSConfig = serverTLS })
	file := passwordFile(t, password+"\r\n")
	cfg := Config{Addr: server.Addr(), TLS: TLSStartTLS, User: "evenkeel", PasswordFile: file, CAs: pool}
	c := channel(t, cfg)
	if _, err := c.Send(t.Context(), "ops@acme.example", notifytest.Sample()); err != nil {
		t.Fatal(err)
	}
	if len(asked) != 1 || asked[0] != "evenkeel" {
		t.Errorf("the server was asked for %q", asked)
	}

	// The file is read anew, and a server that repeats a wrong password does not spread it.
	if err := os.WriteFile(file, []byte("another horse\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	failed(t, c, notify.Unreachable, true, "535")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	failed(t, c, notify.Unreachable, true, "password")

	cfg.CAs, cfg.PasswordFile = x509.NewCertPool(), passwordFile(t, password)
	failed(t, channel(t, cfg), notify.Unreachable, true, "certificate")
	if n := len(server.Mails()); n != 1 {
		t.Errorf("the server took %d mails", n)
	}
}

func TestImplicitTLS(t *testing.T) {
	serverTLS, pool := certificate(t)
	plain := notifytest.Start(t, &notifytest.Server{})
	listener, err := tls.Listen("tcp", "127.0.0.1:0", serverTLS)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() { // one connection: decrypt and pass on
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		inner, err := net.Dial("tcp", plain.Addr())
		if err != nil {
			return
		}
		go func() { _, _ = io.Copy(conn, inner); _ = conn.Close() }()
		_, _ = io.Copy(inner, conn)
		_ = inner.Close()
	}()
	c := channel(t, Config{Addr: listener.Addr().String(), TLS: TLSImplicit, CAs: pool})
	if _, err := c.Send(t.Context(), "ops@acme.example", notifytest.Sample()); err != nil {
		t.Fatal(err)
	}
	if n := len(plain.Mails()); n != 1 {
		t.Errorf("the server took %d mails", n)
	}
}

// A server without STARTTLS, or one whose offer was cut out on the way, gets neither mail nor password.
func TestNoFallBackToPlain(t *testing.T) {
	server := notifytest.Start(t, &notifytest.Server{Login: func(string, string) error {
		t.Error("the password went over a plain connection")
		return nil
	}}, func(s *smtp.Server) { s.AllowInsecureAuth = true })
	failed(t, channel(t, Config{Addr: server.Addr(), TLS: TLSStartTLS, User: "evenkeel", PasswordFile: passwordFile(t, password)}),
		notify.Unreachable, true, "STARTTLS")
	if n, _, _ := server.Count(); n != 0 {
		t.Error("a mail was offered over a plain connection")
	}
}

func TestServerWithoutLogin(t *testing.T) {
	serverTLS, pool := certificate(t)
	server := notifytest.Start(t, &notifytest.Server{}, func(s *smtp.Server) { s.TLSConfig = serverTLS })
	failed(t, channel(t, Config{Addr: server.Addr(), TLS: TLSStartTLS, User: "evenkeel", PasswordFile: passwordFile(t, password), CAs: pool}),
		notify.Unreachable, true, "AUTH")
}

func TestConfigRefused(t *testing.T) {
	good := passwordFile(t, password)
	for _, c := range []struct {
		says string
		cfg  Config
	}{
		{"host:port", Config{Addr: "mail.operator.example", From: "a@operator.example", TLS: TLSNone}},
		{"host:port", Config{Addr: ":25", From: "a@operator.example", TLS: TLSNone}},
		{"sender", Config{Addr: "127.0.0.1:25", TLS: TLSNone}},
		{"sender", Config{Addr: "127.0.0.1:25", From: "a@operator.example, b@operator.example", TLS: TLSNone}},
		{"tls is", Config{Addr: "127.0.0.1:25", From: "a@operator.example"}},
		{"belong together", Config{Addr: "127.0.0.1:25", From: "a@operator.example", TLS: TLSImplicit, User: "x"}},
		{"belong together", Config{Addr: "127.0.0.1:25", From: "a@operator.example", TLS: TLSImplicit, PasswordFile: good}},
		{"plain connection", Config{Addr: "127.0.0.1:25", From: "a@operator.example", TLS: TLSNone, User: "x", PasswordFile: good}},
		{"empty", Config{Addr: "127.0.0.1:25", From: "a@operator.example", TLS: TLSImplicit, User: "x", PasswordFile: passwordFile(t, "\n")}},
		{"no such file", Config{Addr: "127.0.0.1:25", From: "a@operator.example", TLS: TLSImplicit, User: "x", PasswordFile: good + ".gone"}},
		{"helo", Config{Addr: "127.0.0.1:25", From: "a@operator.example", TLS: TLSNone, Helo: "a\r\nMAIL FROM:<x>"}},
	} {
		if _, err := New(c.cfg); err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), password) {
			t.Errorf("%+v: %v, want an error that says %q", c.cfg, err, c.says)
		}
	}
}
