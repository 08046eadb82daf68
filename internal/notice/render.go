package notice

import (
	"crypto/hmac"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	htmltemplate "html/template"
	"net/mail"
	"strconv"
	"strings"
	"text/template"
	"time"
)

//go:embed notice.txt.tmpl notice.html.tmpl
var files embed.FS

var (
	textPage = template.Must(template.New("notice.txt.tmpl").Funcs(template.FuncMap{
		"wrap":   func(indent int, s string) string { return wrap(72, strings.Repeat(" ", indent), s) },
		"bullet": func(s string) string { return "  - " + strings.TrimLeft(wrap(72, "    ", s), " ") },
	}).ParseFS(files, "notice.txt.tmpl"))
	htmlPage = htmltemplate.Must(htmltemplate.ParseFS(files, "notice.html.tmpl"))
)

// Message is a notice as it is sent. Nothing in it depends on when or where it was rendered.
type Message struct {
	Subject string `json:"subject"` // one line, no control characters
	Text    string `json:"text"`
	HTML    string `json:"html"`
	// MessageID is left@right without angle brackets, made of letters, digits, dots and dashes.
	MessageID string `json:"message_id"`
	// Headers beside From, To, Date, Subject, Message-ID and those of MIME.
	Headers map[string]string `json:"headers"`
}

// Unsendable is the error of a notice that cannot be sent: what Lint says of it.
type Unsendable struct {
	Notice  string // its id
	Reasons []string
}

func (e *Unsendable) Error() string {
	return fmt.Sprintf("notice %s cannot be sent: %s", e.Notice, strings.Join(e.Reasons, "; "))
}

// Render writes a notice as a mail. The moment decides only whether the advisories may be named. A
// notice that does not pass Lint is refused with *Unsendable.
func Render(n Notice, now time.Time) (Message, error) {
	bad, disclosed := Lint(n), n.DisclosedAt(now)
	if n.Disclosed && !disclosed {
		bad = append(bad, lintEmbargo(n)...)
	}
	if len(bad) > 0 {
		return Message{}, &Unsendable{Notice: n.ID, Reasons: bad}
	}
	v, err := see(n, disclosed)
	if err != nil {
		return Message{}, &Unsendable{Notice: n.ID, Reasons: []string{err.Error()}}
	}
	var text, html strings.Builder
	if err := textPage.Execute(&text, v); err != nil {
		return Message{}, fmt.Errorf("notice %s: text: %w", n.ID, err)
	}
	if err := htmlPage.Execute(&html, v); err != nil {
		return Message{}, fmt.Errorf("notice %s: html: %w", n.ID, err)
	}
	return Message{
		Subject: v.Subject, Text: text.String(), HTML: html.String(),
		MessageID: digest(n, "message\x00"+n.ID) + "@" + domain(n),
		Headers: map[string]string{
			"Auto-Submitted":           "auto-generated",
			"X-Auto-Response-Suppress": "All",
			// All notices of a revision to a tenant are one thread in a mail reader.
			"References": "<" + digest(n, "thread\x00"+n.Tenant.ID) + "@" + domain(n) + ">",
		},
	}, nil
}

// subject says in one line what, which instance and from when.
func subject(n Notice, v view) string {
	what := heading(n.Items[0].Instance, 40)
	if others := len(distinct(n)) - 1; others > 0 {
		what += " and " + strconv.Itoa(others) + " more"
	}
	when := v.Sections[0].Now.From
	if len(v.Sections) > 1 {
		when = "from " + when
	}
	return v.Badge + ": " + heading(v.Work, 60) + ", " + what + ", " + when
}

func distinct(n Notice) map[string]bool {
	ids := map[string]bool{}
	for _, it := range n.Items {
		ids[it.Instance] = true
	}
	return ids
}

// digest is a stable, unguessable name for a part of a notice. A bare hash would not do: whoever
// guesses a campaign's name from a list of advisories could check the guess against it.
func digest(n Notice, what string) string {
	mac := hmac.New(sha256.New, []byte(n.Key))
	mac.Write([]byte(what + "\x00" + n.Campaign + "\x00" + strconv.Itoa(n.Revision)))
	return hex.EncodeToString(mac.Sum(nil))[:32]
}

// reference is what a tenant quotes when it asks about a notice: the start of its message id.
func reference(n Notice) string { return digest(n, "message\x00"+n.ID)[:12] }

// domain is the right side of message ids: the operator's own where the contact has one.
func domain(n Notice) string {
	if a, err := mail.ParseAddress(n.OperatorContact); err == nil {
		right := strings.ToLower(a.Address[strings.LastIndexByte(a.Address, '@')+1:])
		plain := strings.Trim(right, "abcdefghijklmnopqrstuvwxyz0123456789.-") == ""
		if plain && right != "" && !strings.HasPrefix(right, ".") && !strings.HasSuffix(right, ".") && !strings.Contains(right, "..") {
			return right
		}
	}
	return "notice.evenkeel.invalid"
}
