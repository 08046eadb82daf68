package version

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
)

// rpm is a version by rpm-version(7): [epoch:]version[-release].
type rpm struct {
	epoch, version, release string // epoch: none is 0; release: none is older than any
}

var rpmSigns = letterDigit("._+~^")

// isArchitecture: a package's file name puts its architecture behind its release; taken over by
// mistake it would be compared as a part of it.
func isArchitecture(word string) bool {
	switch word {
	case "x86_64", "aarch64", "noarch", "src", "i586", "i686", "ppc64le", "s390x", "riscv64", "loongarch64":
		return true
	}
	return false
}

// parseRPM splits a version. rpm itself takes any text; here it must be one that a package can have.
func parseRPM(text string) (v rpm, err error) {
	v.version = text
	if at := strings.IndexByte(text, ':'); at >= 0 {
		v.epoch, v.version = text[:at], text[at+1:]
		if !isNumber(v.epoch) {
			return v, fmt.Errorf("its epoch %q is not a number", v.epoch)
		}
	}
	if at := strings.IndexByte(v.version, '-'); at >= 0 {
		v.version, v.release = v.version[:at], v.version[at+1:]
		if v.release == "" {
			return v, errors.New("its release is empty")
		}
	}
	if c := cmp.Or(rpmSigns.stray(v.version), rpmSigns.stray(v.release)); c != "" {
		if c == `'-'` {
			return v, errors.New("it holds a second hyphen: does it start with the package's name?")
		}
		return v, fmt.Errorf("it holds %s, which none may hold", c)
	}
	if v.version == "" {
		return v, errors.New("it is empty")
	}
	if !strings.ContainsAny(v.version, "0123456789") {
		return v, errors.New("it holds no digit")
	}
	if last := v.release[strings.LastIndexByte(v.release, '.')+1:]; isArchitecture(last) {
		return v, fmt.Errorf("it ends with an architecture, %s, which is no part of a version", last)
	}
	return v, nil
}

// compare orders two versions as librpm's rpmverCmp does. (A dependency without a release is met by
// any release; that is another question, and no order.)
func (v rpm) compare(w rpm) int {
	if order := compareNumbers(v.epoch, w.epoch); order != 0 {
		return order
	}
	if order := compareSegments(v.version, w.version); order != 0 {
		return order
	}
	if v.release == "" || w.release == "" {
		return cmp.Compare(len(v.release), len(w.release)) // 1-~1 is newer than 1, too
	}
	return compareSegments(v.release, w.release)
}

// compareSegments is rpmvercmp: segment by segment, where what is neither letter nor digit, ~ or ^
// only separates. At the first segments of different kinds the kind decides.
func compareSegments(a, b string) int {
	for {
		a, b = fromSegment(a), fromSegment(b)
		kind := kindOf(a)
		if other := kindOf(b); kind != other {
			return cmp.Compare(kind, other)
		}
		na, nb := 1, 1
		switch kind {
		case ended:
			return 0
		case number:
			na, nb = stretch(a), stretch(b)
			if order := compareNumbers(a[:na], b[:nb]); order != 0 {
				return order
			}
		case word:
			na, nb = letters(a), letters(b)
			if order := strings.Compare(a[:na], b[:nb]); order != 0 {
				return order
			}
		}
		a, b = a[na:], b[nb:]
	}
}

// segment is a kind of segment; of two that differ, the smaller is older.
type segment int

const (
	tilde segment = iota // 1.0~rc1 is before 1.0
	ended                // no segment is left
	caret                // 1.0^git1 is after 1.0 and before 1.0.1
	word
	number
)

func kindOf(text string) segment {
	switch {
	case text == "":
		return ended
	case text[0] == '~':
		return tilde
	case text[0] == '^':
		return caret
	case isDigit(text[0]):
		return number
	}
	return word
}

// fromSegment skips what separates.
func fromSegment(text string) string {
	for text != "" && !isDigit(text[0]) && !isLetter(text[0]) && text[0] != '~' && text[0] != '^' {
		text = text[1:]
	}
	return text
}

// letters is how many letters a text starts with.
func letters(text string) int {
	n := 0
	for n < len(text) && isLetter(text[n]) {
		n++
	}
	return n
}
