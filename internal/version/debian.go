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

// parseDebian splits a version, as strict as the manual: what dpkg only warns of is an error here.
func parseDebian(text string) (v debian, err error) {
	v.upstream = strings.TrimSpace(text)
	if epoch, rest, ok := strings.Cut(v.upstream, ":"); ok {
		v.epoch, v.upstream = epoch, rest
		if epoch == "" || strings.Trim(epoch, digits) != "" {
			return v, fmt.Errorf("its epoch %q is not a number", epoch)
		}
		if significant := strings.TrimLeft(epoch, "0"); len(significant) > 10 || len(significant) == 10 && significant > "2147483647" {
			return v, fmt.Errorf("its epoch %s is too big", epoch)
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
	case strings.Trim(v.upstream, digits+letters+".+-~:") != "", strings.Trim(v.revision, digits+letters+".+~") != "":
		return v, errors.New("it holds a character that none may hold")
	}
	return v, nil
}

const (
	digits  = "0123456789"
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// compare orders two versions: by epoch, then upstream, then revision; an absent epoch is 0 and an
// absent revision is older than none but ~.
func (v debian) compare(w debian) int {
	return cmp.Or(compareNumbers(v.epoch, w.epoch), compareParts(v.upstream, w.upstream), compareParts(v.revision, w.revision))
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

// stretch is how many digits a text starts with.
func stretch(text string) int { return len(text) - len(strings.TrimLeft(text, digits)) }

// compareNumbers compares strings of digits as numbers.
func compareNumbers(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

// rank of a text's first character: ~ before the end of the text or a digit, these before letters,
// letters before all others.
func rank(text string) int {
	switch {
	case text == "" || isDigit(text[0]):
		return 0
	case text[0] == '~':
		return -1
	case strings.IndexByte(letters, text[0]) >= 0:
		return int(text[0])
	}
	return int(text[0]) + 256
}
