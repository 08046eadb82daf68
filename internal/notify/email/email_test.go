package email

import (
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/notify"
	"github.com/evenkeel/evenkeel/internal/notify/notifytest"
)

func TestContract(t *testing.T) {
	notifytest.Run(t, func(t *testing.T, addr string) notify.Channel {
		c, err := New(Config{Addr: addr, From: "Operator <maintenance@operator.example>", TLS: TLSNone, Timeout: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		return c
	})
}

// FuzzSubject: any subject that is taken reads the same after the standard library has joined its
// lines, and none adds a header.
func FuzzSubject(f *testing.F) {
	for _, s := range []string{"x", " a  b ", strings.Repeat("long ", 60), strings.Repeat("🚢", 100), "=?utf-8?q?x?=", "a\r\nBcc: b@c.example"} {
		f.Add(s)
	}
	c, err := New(Config{Addr: "127.0.0.1:25", From: "maintenance@operator.example", TLS: TLSNone})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, subject string) {
		m := notifytest.Sample()
		m.Subject = subject
		l, err := c.compose("ops@acme.example", m)
		if err != nil {
			return
		}
		read, err := notifytest.Read(string(l.body))
		if err != nil || read.Subject != subject || len(read.Header) != 9 {
			t.Fatalf("%q arrives as %q with headers %v: %v", subject, read.Subject, read.Header, err)
		}
	})
}
