package version

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
)

// apk is a version of apk-tools 2.14 and 3 (src/version.c, function apk_version_compare there):
//
//	number{.number}{letter}{_suffix{number}}...{~hash}{-r number}
//
// It is valid; its tokens are read again as it is compared.
type apk string

// parseAPK checks that a text is a version.
func parseAPK(text string) (apk, error) {
	n := stretch(text)
	if n == 0 {
		if text == "" {
			return "", errors.New("it is empty")
		}
		return "", errors.New("it does not start with a digit")
	}
	for rest, last := text[n:], first; rest != ""; {
		t := nextToken(rest, last)
		if t.kind == broken {
			return "", fmt.Errorf("%s may not stand there, behind %q", quoteFirst(rest), text[:len(text)-len(rest)])
		}
		rest, last = rest[t.length:], t.kind
	}
	return apk(text), nil
}

// compare goes along both as long as their tokens are equal. Where one has a token of another kind,
// or none, the kind decides: a suffix such as _rc is before the end, and all else is after it.
func (v apk) compare(w apk) int {
	a, b := string(v), string(w)
	na, nb := stretch(a), stretch(b)
	if order := compareNumbers(a[:na], b[:nb]); order != 0 { // only here leading zeros do not count
		return order
	}
	ta, tb := token{kind: first, length: na}, token{kind: first, length: nb}
	for {
		a, b = a[ta.length:], b[tb.length:]
		ta, tb = nextToken(a, ta.kind), nextToken(b, tb.kind)
		if ta.kind != tb.kind {
			return cmp.Compare(ta.place(), tb.place())
		}
		if ta.kind == last {
			return 0
		}
		if order := ta.compare(tb); order != 0 {
			return order
		}
	}
}

// token is one part of a version.
type token struct {
	kind   tokenKind
	text   string // without the sign before it
	suffix int    // of kind suffixed: its place around the release, which is 0
	length int    // with the sign before it
}

// tokenKind is what a token is. The order is both that in which they may follow one another and,
// turned round, that of versions of which one has the first where the other has the second.
type tokenKind int

const (
	first    tokenKind = iota // the number that it starts with
	dotted                    // a number behind a dot
	lettered                  // one letter
	suffixed                  // _alpha, _p ...
	counted                   // the number of a suffix
	hashed                    // ~ and the hash of a commit
	revised                   // -r and a number
	last                      // the end
	broken
)

// suffixes by their place around the release.
var suffixes = map[string]int{
	"alpha": -4, "beta": -3, "pre": -2, "rc": -1,
	"cvs": 1, "svn": 2, "git": 3, "hg": 4, "p": 5,
}

// nextToken reads the token at the start of a text, behind one of another kind.
func nextToken(text string, behind tokenKind) token {
	if text == "" {
		return token{kind: last}
	}
	t := token{kind: broken}
	switch c := text[0]; {
	case 'a' <= c && c <= 'z' && behind <= dotted:
		return token{kind: lettered, text: text[:1], length: 1}
	case c == '.' && behind <= dotted:
		t = read(dotted, text, 1, stretch(text[1:]))
	case isDigit(c) && behind == suffixed:
		t = read(counted, text, 0, stretch(text))
	case c == '_' && behind <= counted:
		t = read(suffixed, text, 1, letters(text[1:]))
		if t.suffix = suffixes[t.text]; t.suffix == 0 {
			t.kind = broken
		}
	case c == '~' && behind < hashed:
		t = read(hashed, text, 1, len(text)-1-len(strings.TrimLeft(text[1:], "0123456789abcdef")))
	case strings.HasPrefix(text, "-r") && behind < revised:
		t = read(revised, text, 2, stretch(text[2:]))
	}
	return t
}

// read takes n characters behind a sign; there must be one.
func read(kind tokenKind, text string, sign, n int) token {
	if n == 0 {
		kind = broken
	}
	return token{kind: kind, text: text[sign : sign+n], length: sign + n}
}

// place orders tokens of different kinds.
func (t token) place() int {
	if t.suffix < 0 {
		return -int(broken)
	}
	return -int(t.kind)
}

// compare orders tokens of one kind. Numbers behind a dot are compared as text as soon as one has a
// leading zero, so that 1.06 is before 1.1.
func (t token) compare(u token) int {
	switch t.kind {
	case suffixed:
		return cmp.Compare(t.suffix, u.suffix)
	case dotted:
		if t.text[0] != '0' && u.text[0] != '0' {
			return compareNumbers(t.text, u.text)
		}
	case counted, revised:
		return compareNumbers(t.text, u.text)
	}
	return strings.Compare(t.text, u.text)
}
