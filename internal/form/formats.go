package form

import (
	"net/mail"
	"regexp"
	"strings"
	"time"
	_ "time/tzdata" // time zones are known without the system's own files
)

// format is a rule for a text, with the pattern that says the same, as far as a pattern can, in a
// JSON Schema.
type format struct {
	expected string
	pattern  string
	fits     func(string) bool // beside the pattern; nil: that alone decides
	whole    func(string) bool // in place of the pattern, whose rule it is: for what a big fleet has a million of
}

var formats = map[string]format{
	"id":      {expected: "an id: 1 to 128 letters, digits or any of . _ : @ -", pattern: `^[A-Za-z0-9._:@-]{1,128}$`, whole: func(text string) bool { return isID(text) }},
	"zone":    {expected: "an IANA time zone such as Europe/Zurich or UTC", pattern: `^[A-Za-z][A-Za-z0-9_+/-]*$`, fits: isZone},
	"clock":   {expected: "a time of day from \"00:00\" to \"23:59\"", pattern: `^([01][0-9]|2[0-3]):[0-5][0-9]$`},
	"date":    {expected: "a date such as 2026-01-05", pattern: `^[0-9]{4}-[0-9]{2}-[0-9]{2}$`, fits: isTime("2006-01-02")},
	"wall":    {expected: "a date and a time of day such as 2026-11-27 00:00", pattern: `^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}$`, fits: isTime("2006-01-02 15:04")},
	"email":   {expected: "a mail address such as ops@acme.example", pattern: `^[^\s@<>]+@[^\s@<>]+$`, fits: isEmail},
	"sha256":  {expected: "a SHA-256 sum of 64 hexadecimal digits", pattern: `^[0-9a-fA-F]{64}$`},
	"version": {expected: "a version such as 1:7.2+dfsg-7+deb12u18 or 17:7.2.0-14.el9_2.11", pattern: `^([0-9]+:)?[0-9A-Za-z][A-Za-z0-9.+~^_-]*$`},
	"filled":  {expected: "text that is not empty", pattern: `\S`},
}

var patterns = func() map[string]*regexp.Regexp {
	m := map[string]*regexp.Regexp{}
	for name, f := range formats {
		m[name] = regexp.MustCompile(f.pattern)
	}
	return m
}()

// Fits tells whether a text has a format.
func Fits(format, text string) bool {
	f := formats[format]
	if f.whole != nil {
		return f.whole(text)
	}
	return patterns[format].MatchString(text) && (f.fits == nil || f.fits(text))
}

// Pattern gives a format's regular expression and what is expected of it, in words.
func Pattern(format string) (pattern, expected string) {
	return formats[format].pattern, formats[format].expected
}

// isID is the pattern of ids.
func isID[T string | []byte](text T) bool {
	if len(text) == 0 || len(text) > 128 {
		return false
	}
	for n := range len(text) {
		switch c := text[n]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '_', c == ':', c == '@', c == '-':
		default:
			return false
		}
	}
	return true
}

// notZones are files that lie among a system's zones: what they say depends on the machine.
var notZones = map[string]bool{"Local": true, "localtime": true, "posixrules": true, "Factory": true}

// isZone: posix/ and right/ hold all zones once more; those under right/ count leap seconds, and
// would put each window half a minute off.
func isZone(text string) bool {
	if notZones[text] || strings.HasPrefix(text, "posix/") || strings.HasPrefix(text, "right/") {
		return false
	}
	_, err := time.LoadLocation(text)
	return err == nil
}

// isTime: the date is one that calendars have.
func isTime(layout string) func(string) bool {
	return func(text string) bool {
		_, err := time.Parse(layout, text)
		return err == nil
	}
}

// isEmail: a bare address, without a name and angle brackets.
func isEmail(text string) bool {
	a, err := mail.ParseAddress(text)
	return err == nil && a.Name == "" && a.Address == text && !strings.HasSuffix(text, ".")
}
