package parse

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/evenkeel/evenkeel/internal/form"
)

// document is one text being read; it collects what is wrong.
type document struct {
	name   string
	src    []byte
	values int // read so far
	// mistakes. One that was told with wrong has Line 0 and its byte offset in Column until placed:
	// to count lines for each anew would take the square of the text.
	mistakes form.Mistakes
}

// maxMistakes bounds what is told of one document.
const maxMistakes = 1000

// wrong tells a mistake at a byte offset.
func (d *document) wrong(at int, path, found, expected string) {
	switch n := len(d.mistakes); {
	case n > maxMistakes:
		return
	case n == maxMistakes:
		path, found, expected = "", "more than "+strconv.Itoa(maxMistakes)+" mistakes up to here", "an advisory"
	}
	d.mistakes = append(d.mistakes, form.Mistake{File: d.name, Column: min(max(at, 0), len(d.src)), Path: harmless(path), Found: harmless(found), Expected: expected})
}

// harmless takes out of a text whatever could steer a terminal or forge a line of a message: keys of a
// document stand in paths as they are written.
func harmless(s string) string {
	return strings.Map(func(r rune) rune {
		if steers(r) {
			return '?'
		}
		return r
	}, s)
}

// steers: a control character, or a mark that turns the direction of text and the like.
func steers(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }

// placed gives the mistakes with their lines and columns, counted from 1, columns in characters.
func (d *document) placed() form.Mistakes {
	var open []*form.Mistake
	for i := range d.mistakes {
		if d.mistakes[i].Line == 0 {
			open = append(open, &d.mistakes[i])
		}
	}
	slices.SortStableFunc(open, func(a, b *form.Mistake) int { return a.Column - b.Column })
	at, line, column := 0, 1, 1
	for _, m := range open {
		for _, c := range string(d.src[at:m.Column]) {
			if column++; c == '\n' {
				line, column = line+1, 1
			}
		}
		at, m.Line, m.Column = m.Column, line, column
	}
	return d.mistakes
}

// plain makes one line of readable text of what a document says in prose.
func plain(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == utf8.RuneError }), " ")
}
