package version

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
)

// debian is a version by deb-version(7): [epoch:]upstream[-revision].
type debian struct {
	epoch, upstream, revision string
}

var (
	debianUpstream = letterDigit(".+-~:")
	debianRevision = letterDigit(".+~")
)

// parseDebian splits a version, as strict as the manual: what dpkg only warns of is an error here.
func parseDebian(text string) (v debian, err error) {
	v.upstream = text
	if at := strings.IndexByte(text, ':'); at >= 0 {
		v.epoch, v.upstream = text[:at], text[at+1:]
		if !isNumber(v.epoch) {
			return v, fmt.Errorf("its epoch %q is not a number", v.epoch)
		}
		if compareNumbers(v.epoch, "2147483647") > 0 {
			return v, fmt.Errorf("its epoch %s is too big", v.epoch)
		}
	}
	if at := strings.LastIndexByte(v.upstream, '-'); at >= 0 {
		v.upstream, v.revision = v.upstream[:at], v.upstream[at+1:]
		if v.revision == "" {
			return v, errors.New("its revision is empty")
		}
	}
	switch {
	case v.upstream == "":
		return v, errors.New("it is empty")
	case !isDigit(v.upstream[0]):
		return v, errors.New("it does not start with a digit")
	}
	if c := cmp.Or(debianUpstream.stray(v.upstream), debianRevision.stray(v.revision)); c != "" {
		return v, fmt.Errorf("it holds %s, which none may hold", c)
	}
	return v, nil
}

// compare orders two versions: by epoch, then upstream, then revision; an absent epoch is 0 and an
// absent revision is older than none but ~.
func (v debian) compare(w debian) int {
	if order := compareNumbers(v.epoch, w.epoch); order != 0 {
		return order
	}
	if order := compareParts(v.upstream, w.upstream); order != 0 {
		return order
	}
	return compareParts(v.revision, w.revision)
}

// compareParts takes turns at a stretch without digits, letter by letter, and a stretch of digits,
// as a number of any length.
func compareParts(a, b string) int {
	for a != "" || b != "" {
		for a != "" && !isDigit(a[0]) || b != "" && !isDigit(b[0]) {
			if order := cmp.Compare(rank(a), rank(b)); order != 0 {
				return order
			}
			a, b = a[1:], b[1:] // of equal rank, both are the same letter or sign
		}
		na, nb := a[:stretch(a)], b[:stretch(b)]
		if order := compareNumbers(na, nb); order != 0 {
			return order
		}
		a, b = a[len(na):], b[len(nb):]
	}
	return 0
}

// rank of a text's first character: ~ before the end of the text or a digit, these before letters,
// letters before all others.
func rank(text string) int {
	switch {
	case text == "" || isDigit(text[0]):
		return 0
	case text[0] == '~':
		return -1
	case isLetter(text[0]):
		return int(text[0])
	}
	return int(text[0]) + 256
}
