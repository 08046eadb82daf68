package notifytest

import (
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/notice"
	"github.com/evenkeel/evenkeel/internal/notify"
)

// Letter is a mail as a mail program reads it.
type Letter struct {
	Header     mail.Header
	Subject    string // decoded
	Text, HTML string // decoded, lines end with LF
}

// Read reads a mail with the standard library and nothing else.
func Read(data string) (Letter, error) {
	msg, err := mail.ReadMessage(strings.NewReader(data))
	if err != nil {
		return Letter{}, err
	}
	l := Letter{Header: msg.Header}
	if l.Subject, err = new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject")); err != nil {
		return l, err
	}
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		return l, &badType{kind, err}
	}
	for r := multipart.NewReader(msg.Body, params["boundary"]); ; {
		part, err := r.NextPart() // decodes quoted-printable
		if err == io.EOF {
			return l, nil
		}
		if err != nil {
			return l, err
		}
		body, err := io.ReadAll(part)
		if err != nil {
			return l, err
		}
		text := strings.ReplaceAll(string(body), "\r\n", "\n")
		kind, params, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		switch {
		case err == nil && kind == "text/plain" && strings.EqualFold(params["charset"], "utf-8") && l.HTML == "":
			l.Text = text
		case err == nil && kind == "text/html" && strings.EqualFold(params["charset"], "utf-8"):
			l.HTML = text
		default:
			return l, &badType{kind, err}
		}
	}
}

type badType struct {
	kind string
	err  error
}

func (e *badType) Error() string {
	if e.err != nil {
		return "content type: " + e.err.Error()
	}
	return "content type " + e.kind + " out of place: expected multipart/alternative of text/plain, then text/html"
}

// checkLetter checks that a mail, read by the standard library, is the message that was sent.
func checkLetter(t testing.TB, data, to string, m notice.Message) {
	t.Helper()
	l, err := Read(data)
	if err != nil {
		t.Fatalf("%v in:\n%s", err, data)
	}
	if l.Subject != m.Subject || l.Text != m.Text || l.HTML != m.HTML {
		t.Errorf("subject, text or page did not arrive as sent:\n%q\n%q\n%q", l.Subject, l.Text, l.HTML)
	}
	for name, want := range m.Headers {
		if got := l.Header.Get(name); got != want {
			t.Errorf("header %s: %q, want %q", name, got, want)
		}
	}
	if got := l.Header.Get("Message-ID"); got != "<"+m.MessageID+">" {
		t.Errorf("message id %q", got)
	}
	for _, name := range []string{"From", "To", "Date", "Message-Id", "Subject", "Mime-Version", "Content-Type"} {
		if n := len(l.Header[name]); n != 1 {
			t.Errorf("%d headers %s", n, name)
		}
	}
	if list, err := l.Header.AddressList("To"); err != nil || len(list) != 1 || list[0].Address != to {
		t.Errorf("to %v, %v", list, err)
	}
	if _, err := l.Header.Date(); err != nil {
		t.Errorf("date: %v", err)
	}
	for _, forbidden := range []string{"Cc", "Bcc", "User-Agent", "X-Mailer"} {
		if l.Header.Get(forbidden) != "" {
			t.Errorf("there is a header %s", forbidden)
		}
	}
	head, _, _ := strings.Cut(data, "\r\n\r\n")
	for _, line := range strings.Split(head, "\r\n") {
		if strings.HasSuffix(line, ":") || strings.TrimSpace(line) == "" || strings.ContainsFunc(line, func(r rune) bool { return r >= 0x7f }) {
			t.Errorf("header line %q: its value stands on the next line, or it is not ASCII", line)
		}
		if strings.Contains(line, "=?") && len(line) > 76 {
			t.Errorf("a line of %d bytes with an encoded word: %q", len(line), line)
		}
	}
	for _, line := range strings.Split(data, "\r\n") {
		if len(line) > 998 || strings.ContainsAny(line, "\r\n") {
			t.Errorf("a line of %d bytes, or with a bare line break: %.80q", len(line), line)
		}
	}
}

func withoutDate(data string) string {
	var kept []string
	for _, line := range strings.Split(data, "\r\n") {
		if !strings.HasPrefix(line, "Date: ") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}

// injection: no address, subject, header or message id can add a header, a recipient or a command.
func (s suite) injection(t *testing.T) {
	server := Start(t, &Server{})
	c := s.connect(t, server.Addr())
	evil := []string{"x\r\nBcc: evil@evil.example", "x\nBcc: evil@evil.example", "x\rBcc: evil@evil.example", "x\x00y", "x\u2028Bcc: a"}
	for _, bad := range evil {
		m := Sample()
		m.Subject = bad
		_, e := send(t, c, t.Context(), acme, m)
		expect(t, e, notify.Rejected, false)
		m = Sample()
		m.MessageID = bad + "@operator.example"
		_, e = send(t, c, t.Context(), acme, m)
		expect(t, e, notify.Rejected, false)
		m = Sample()
		m.Headers = map[string]string{"References": bad}
		_, e = send(t, c, t.Context(), acme, m)
		expect(t, e, notify.Rejected, false)
		m.Headers = map[string]string{bad: "x"}
		_, e = send(t, c, t.Context(), acme, m)
		expect(t, e, notify.Rejected, false)
		_, e = send(t, c, t.Context(), "ops@acme.example"+bad, Sample())
		expect(t, e, notify.Rejected, false)
	}
	for _, name := range []string{"Bcc", "to", "FROM", "Content-Type", "Date", "message-id", "", "a b", "x:"} {
		m := Sample()
		m.Headers = map[string]string{name: "evil@evil.example"}
		_, e := send(t, c, t.Context(), acme, m)
		expect(t, e, notify.Rejected, false)
	}
	for _, value := range []string{"", " ", "a  b", "a ", " a", "Größe", "=?utf-8?q?x?="} {
		m := Sample()
		m.Headers = map[string]string{"References": value}
		_, e := send(t, c, t.Context(), acme, m)
		expect(t, e, notify.Rejected, false)
	}
	for _, to := range []string{"", "acme", "a@b@c", "a@acme.example, b@evil.example", "Ops <ops@acme.example>", "ops@acme.example> NOTIFY=NEVER", "<ops@acme.example>",
		"\"a b\"@acme.example", "ops@acme.example (x)", strings.Repeat("a", 250) + "@acme.example"} {
		_, e := send(t, c, t.Context(), to, Sample())
		expect(t, e, notify.Rejected, false)
	}
	if mails := server.Mails(); len(mails) != 0 {
		t.Errorf("the server took %+v", mails)
	}
}

// anyText: whatever stands in a message arrives unchanged.
func (s suite) anyText(t *testing.T) {
	server := Start(t, &Server{})
	c := s.connect(t, server.Addr())
	for i, text := range []string{
		"Größe, 数据, 🚢, ﷽\n", strings.Repeat("long ", 10_000) + "\n", strings.Repeat("x", 5000) + "\n",
		".\n..\n.\nQUIT\n", "\n\nFrom here\n>From there\n", "trailing space \nand tab\t\n", "=?utf-8?q?x?= =3D = \n",
		"--boundary\n--boundary--\nContent-Type: text/html\n", "no line end", "\n", "a\n\n\n", strings.Repeat("🚢 ", 3000),
	} {
		m := Sample()
		m.Text, m.HTML = text, "<pre>"+text+"</pre>"
		if _, e := send(t, c, t.Context(), acme, m); e != nil {
			t.Fatal(e)
		}
		checkLetter(t, server.Mails()[i].Data, acme, m)
	}
}

// anySubject: a subject may be folded on its way, but it unfolds to the same, space by space.
func (s suite) anySubject(t *testing.T) {
	server := Start(t, &Server{})
	c := s.connect(t, server.Addr())
	for i, subject := range []string{
		"x", strings.Repeat("long ", 24) + "end", strings.Repeat("long ", 24), " before and after ", "two  spaces, and  more of them than one line of a mail holds,  so that it is folded",
		strings.Repeat("x", 67), strings.Repeat("x", 68), strings.Repeat("x", 900), strings.Repeat("ab ", 300)[:899],
		"Größe", strings.Repeat("Größe 数据 ", 20) + "🚢", strings.Repeat("🚢", 200), "=?utf-8?q?Cancelled?=", "=?", "a =?utf-8?b?eA==?= b", "To: evil@evil.example",
	} {
		m := Sample()
		m.Subject = subject
		if _, e := send(t, c, t.Context(), acme, m); e != nil {
			t.Fatalf("%q: %v", subject, e)
		}
		checkLetter(t, server.Mails()[i].Data, acme, m)
	}
}

// longNames: a long domain makes long headers; their values stay on the line of their names.
func (s suite) longNames(t *testing.T) {
	server := Start(t, &Server{})
	domain := strings.Repeat("maintenance.", 12) + "operator.example"
	m := Sample()
	m.MessageID = "0123456789abcdef0123456789abcdef@" + domain
	m.Headers["References"] = "<fedcba9876543210fedcba9876543210@" + domain + ">"
	if _, e := send(t, s.connect(t, server.Addr()), t.Context(), acme, m); e != nil {
		t.Fatal(e)
	}
	checkLetter(t, server.Mails()[0].Data, acme, m)
}
