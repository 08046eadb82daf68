package form

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ParseJSON reads one JSON value; its first line has the number line. Columns count characters.
func ParseJSON(name string, line int, src []byte) (*Tree, Mistakes) {
	s := &jsonScanner{name: name, src: string(src), line: line}
	root := s.value(0)
	if s.space(); s.wrong == nil && s.pos < len(s.src) {
		s.fail("what follows the value", "the end of the JSON value")
	}
	if s.wrong != nil {
		return &Tree{name: name}, Mistakes{*s.wrong}
	}
	return &Tree{name: name, root: root}, nil
}

// jsonScanner reads JSON (RFC 8259) and remembers where things stand. The first mistake ends it.
type jsonScanner struct {
	name      string
	src       string
	pos       int
	line      int
	lineStart int
	runesAt   int // column is counted from here on: the last place it was asked for
	runes     int
	wrong     *Mistake
}

func (s *jsonScanner) column() int {
	if s.runesAt < s.lineStart {
		s.runesAt, s.runes = s.lineStart, 0
	}
	s.runes += utf8.RuneCountInString(s.src[s.runesAt:s.pos])
	s.runesAt = s.pos
	return s.runes + 1
}

func (s *jsonScanner) fail(found, expected string) *node {
	if s.wrong == nil {
		s.wrong = &Mistake{File: s.name, Line: s.line, Column: s.column(), Found: found, Expected: expected}
	}
	s.pos = len(s.src)
	return nil
}

func (s *jsonScanner) space() {
	for s.pos < len(s.src) {
		switch s.src[s.pos] {
		case '\n':
			s.line, s.lineStart = s.line+1, s.pos+1
		case ' ', '\t', '\r':
		default:
			return
		}
		s.pos++
	}
}

// next skips space and gives the byte there, 0 at the end.
func (s *jsonScanner) next() byte {
	if s.space(); s.pos < len(s.src) {
		return s.src[s.pos]
	}
	return 0
}

// here says what stands at the scanner, for messages.
func (s *jsonScanner) here() string {
	if s.pos >= len(s.src) {
		return "the end of the text"
	}
	r, _ := utf8.DecodeRuneInString(s.src[s.pos:])
	return fmt.Sprintf("%q", r)
}

func (s *jsonScanner) value(depth int) *node {
	c := s.next()
	n := &node{line: s.line, column: s.column()}
	rest := s.src[s.pos:]
	switch {
	case depth > maxDepth:
		return s.fail("lists and mappings nested too deep", fmt.Sprintf("at most %d levels", maxDepth))
	case c == '{':
		s.object(n, depth)
	case c == '[':
		s.list(n, depth)
	case c == '"':
		n.kind, n.text = textKind, s.text()
	case strings.HasPrefix(rest, "true"):
		n.kind, n.text, s.pos = boolKind, "true", s.pos+4
	case strings.HasPrefix(rest, "false"):
		n.kind, n.text, s.pos = boolKind, "false", s.pos+5
	case strings.HasPrefix(rest, "null"):
		s.pos += 4
	default:
		length := jsonNumber(rest)
		if length == 0 {
			return s.fail(s.here(), "a JSON value")
		}
		n.kind, n.text, s.pos = numberKind, rest[:length], s.pos+length
	}
	return n
}

func (s *jsonScanner) object(n *node, depth int) {
	n.kind = mapKind
	for s.pos++; s.next() != '}'; {
		if len(n.entries) > 0 {
			if s.next() != ',' {
				s.fail(s.here(), "a comma or }")
				return
			}
			s.pos++
		}
		if s.next() != '"' {
			s.fail(s.here(), "a key in double quotes")
			return
		}
		e := entry{line: s.line, column: s.column(), key: s.text()}
		if s.next() != ':' {
			s.fail(s.here(), "a colon after the key")
			return
		}
		s.pos++
		if e.value = s.value(depth + 1); e.value == nil {
			return
		}
		n.entries = append(n.entries, e)
	}
	s.pos++
}

func (s *jsonScanner) list(n *node, depth int) {
	n.kind = listKind
	for s.pos++; s.next() != ']'; {
		if len(n.items) > 0 {
			if s.next() != ',' {
				s.fail(s.here(), "a comma or ]")
				return
			}
			s.pos++
		}
		v := s.value(depth + 1)
		if v == nil {
			return
		}
		n.items = append(n.items, v)
	}
	s.pos++
}

// text reads a string in double quotes; the scanner stands on the first of them.
func (s *jsonScanner) text() string {
	escaped := false
	for end := s.pos + 1; end < len(s.src); end++ {
		switch c := s.src[end]; {
		case c == '\\':
			escaped = true
			end++
		case c < ' ':
			s.pos = end
			s.fail(fmt.Sprintf("the byte 0x%02x in a text", c), "an escape such as \\n")
			return ""
		case c == '"':
			literal := s.src[s.pos : end+1]
			text := literal[1 : len(literal)-1]
			if escaped {
				if err := json.Unmarshal([]byte(literal), &text); err != nil {
					s.fail(shorten(literal), "a text with the escapes that JSON knows")
					return ""
				}
			}
			s.pos = end + 1
			return text
		}
	}
	s.fail("a text without its closing quote", "a closing quote")
	return ""
}

// jsonNumber gives the length of the number at the start of a text, 0 when there is none.
func jsonNumber(text string) int {
	digits := func(at int) int {
		for at < len(text) && text[at] >= '0' && text[at] <= '9' {
			at++
		}
		return at
	}
	at := 0
	if strings.HasPrefix(text, "-") {
		at = 1
	}
	whole := digits(at)
	if whole == at || text[at] == '0' && whole > at+1 {
		return 0
	}
	at = whole
	if at < len(text) && text[at] == '.' {
		fraction := digits(at + 1)
		if fraction == at+1 {
			return 0
		}
		at = fraction
	}
	if at < len(text) && (text[at] == 'e' || text[at] == 'E') {
		power := at + 1
		if power < len(text) && (text[power] == '+' || text[power] == '-') {
			power++
		}
		if end := digits(power); end > power {
			return end
		}
		return 0
	}
	return at
}
