package notice

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// clean makes a foreign word safe to print on one line: what cannot be seen (control characters,
// line breaks, marks that reverse the direction of text, broken UTF-8) is written as an escape, so
// that no name can forge a line or a header.
func clean(s string) string {
	if !strings.ContainsFunc(s, hidden) && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case hidden(r) && r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		case hidden(r):
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			b.WriteRune(r)
		}
		i += size
	}
	return b.String()
}

// hidden: not to be seen, but for the two joiners that some scripts need inside words.
func hidden(r rune) bool {
	return !unicode.IsPrint(r) && r != '\u200c' && r != '\u200d'
}

// prose is clean for sentences: any white space counts as one space.
func prose(s string) string { return clean(strings.Join(strings.Fields(s), " ")) }

// heading is prose for a header line: not longer than limit characters, and without the mark by
// which mail readers know encoded words.
func heading(s string, limit int) string {
	s = strings.ReplaceAll(prose(s), "=?", "= ?")
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return strings.TrimSpace(string([]rune(s)[:limit-1])) + "…"
}

// wrap breaks prose into lines of at most width characters where it can, each after the indent.
func wrap(width int, indent, s string) string {
	var b strings.Builder
	length := 0
	for _, word := range strings.Fields(s) {
		n := utf8.RuneCountInString(word)
		switch {
		case length == 0:
			b.WriteString(indent)
			length = len(indent)
		case length+1+n > width:
			b.WriteString("\n" + indent)
			length = len(indent)
		default:
			b.WriteByte(' ')
			length++
		}
		b.WriteString(word)
		length += n
	}
	return b.String()
}
