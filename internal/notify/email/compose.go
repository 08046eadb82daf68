package email

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	gomail "github.com/wneessen/go-mail"

	"github.com/evenkeel/evenkeel/internal/notice"
)

// letter is a mail, ready to be sent.
type letter struct {
	from, to string
	body     []byte // headers and all, lines end with CR LF
}

var (
	messageID  = regexp.MustCompile(`^[0-9A-Za-z._-]+@[0-9A-Za-z.-]+$`)
	headerName = regexp.MustCompile(`^[A-Za-z][0-9A-Za-z-]*$`)
	emptyLine  = regexp.MustCompile(`(?m)(^[0-9A-Za-z-]+:)\r\n[ \t]+`)
)

// own are the headers that only the channel writes.
var own = []string{"from", "to", "cc", "bcc", "sender", "reply-to", "return-path", "received", "date", "subject", "message-id", "mime-version"}

// compose writes the mail. Only its date changes from one call to the next.
func (c *Channel) compose(to string, m notice.Message) (letter, error) {
	if err := checkAddress(to); err != nil {
		return letter{}, fmt.Errorf("address %q: %w", to, err)
	}
	if err := checkMessage(m); err != nil {
		return letter{}, err
	}
	sum := sha256.Sum256([]byte(m.MessageID + "\x00" + m.Text + "\x00" + m.HTML))
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithEncoding(gomail.EncodingQP),
		gomail.WithBoundary(hex.EncodeToString(sum[:])[:48]))
	msg.FromMailAddress(c.from)
	msg.ToMailAddress(&mail.Address{Address: to})
	msg.SetGenHeaderPreformatted(gomail.HeaderSubject, foldSubject(m.Subject))
	msg.SetDateWithValue(c.cfg.Now())
	msg.SetMessageIDWithValue(m.MessageID)
	for name, value := range m.Headers {
		msg.SetGenHeader(gomail.Header(name), value)
	}
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	var body bytes.Buffer
	if _, err := msg.WriteTo(&body); err != nil {
		return letter{}, fmt.Errorf("the mail could not be written: %w", err)
	}
	return letter{from: c.from.Address, to: to, body: beginLines(body.Bytes())}, nil
}

// beginLines keeps a header's first line from standing empty with the value on the next one: not
// every reader finds it there.
func beginLines(mail []byte) []byte {
	head, body, _ := bytes.Cut(mail, []byte("\r\n\r\n"))
	return slices.Concat(emptyLine.ReplaceAll(head, []byte("$1 ")), []byte("\r\n\r\n"), body)
}

// checkMessage refuses what could add a header or lose the message's name.
func checkMessage(m notice.Message) error {
	if !messageID.MatchString(m.MessageID) {
		return fmt.Errorf("message id %q: expected left@right of letters, digits, dots and dashes", m.MessageID)
	}
	if m.Subject == "" || m.Text == "" || m.HTML == "" {
		return errors.New("the message lacks a subject, a text or a page")
	}
	if err := checkLine(m.Subject); err != nil {
		return fmt.Errorf("subject: %w", err)
	}
	for name, value := range m.Headers {
		lower := strings.ToLower(name)
		if !headerName.MatchString(name) || slices.Contains(own, lower) || strings.HasPrefix(lower, "content-") {
			return fmt.Errorf("header %q may not be set by a message", name)
		}
		if err := checkLine(value); err != nil {
			return fmt.Errorf("header %s: %w", name, err)
		}
		if !ascii(value) || strings.Contains(value, "=?") || strings.Join(strings.Fields(value), " ") != value || value == "" {
			return fmt.Errorf("header %s: %q would not arrive as it is: expected words of ASCII with single spaces between", name, value)
		}
	}
	return nil
}

// checkLine refuses control characters: one of them could begin a new header.
func checkLine(s string) error {
	if !utf8.ValidString(s) {
		return errors.New("it is not UTF-8")
	}
	if len(s) > 900 {
		return fmt.Errorf("it has %d bytes, which no mail header may hold", len(s))
	}
	if i := strings.IndexFunc(s, control); i >= 0 {
		return fmt.Errorf("it holds the control character %q", s[i:i+1])
	}
	return nil
}

func control(r rune) bool {
	return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\u2028' || r == '\u2029'
}

// checkAddress takes plain addresses only, without names, quotes, comments or white space: what
// stands in a fleet file goes to the server as it is.
func checkAddress(address string) error {
	if len(address) > 254 {
		return errors.New("it is longer than 254 characters")
	}
	if !utf8.ValidString(address) || strings.ContainsFunc(address, func(r rune) bool { return r == ' ' || control(r) || strings.ContainsRune(`<>()[]\",;:`, r) }) {
		return errors.New("it holds a character that a plain mail address cannot hold")
	}
	a, err := mail.ParseAddress(address)
	if err != nil || a.Address != address {
		return errors.New("it is not a mail address such as ops@acme.example")
	}
	return nil
}

// ascii tells whether an address can go through a server that knows no SMTPUTF8.
func ascii(s string) bool { return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 }) }
