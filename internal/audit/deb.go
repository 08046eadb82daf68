package audit

import "strings"

// compareDeb orders two Debian versions as deb-version(7) says: epoch, upstream version, revision.
// It gives -1, 0 or 1. It is written apart from the version room on purpose: the auditor must not
// share a mistake with the code that it judges.
func compareDeb(a, b string) int {
	ae, au, ar := splitDeb(a)
	be, bu, br := splitDeb(b)
	if c := compareDebPart(ae, be); c != 0 {
		return c
	}
	if c := compareDebPart(au, bu); c != 0 {
		return c
	}
	return compareDebPart(ar, br)
}

// isDeb says whether a package can have the version: what dpkg only warns of is none here.
func isDeb(v string) bool {
	rest := v
	if epoch, more, found := strings.Cut(v, ":"); found {
		if !isNumber(epoch) || compareDigits(epoch, "2147483647") > 0 {
			return false
		}
		rest = more
	}
	if at := strings.LastIndexByte(rest, '-'); at >= 0 {
		if at == len(rest)-1 || !onlyOf(rest[at+1:], ".+~") {
			return false
		}
		rest = rest[:at]
	}
	return rest != "" && digit(rest[0]) && onlyOf(rest, ".+-~:")
}

// splitDeb takes a version apart; an absent epoch or revision counts as 0.
func splitDeb(v string) (epoch, upstream, revision string) {
	v = strings.TrimSpace(v)
	epoch, upstream, found := strings.Cut(v, ":")
	if !found {
		epoch, upstream = "0", v
	}
	revision = "0"
	if i := strings.LastIndexByte(upstream, '-'); i >= 0 {
		upstream, revision = upstream[:i], upstream[i+1:]
	}
	return epoch, upstream, revision
}

// compareDebPart walks both parts: stretches without digits in the modified order of letters,
// then stretches of digits as numbers of any length, in turn.
func compareDebPart(a, b string) int {
	for a != "" || b != "" {
		for (a != "" && !digit(a[0])) || (b != "" && !digit(b[0])) {
			if x, y := debWeight(a), debWeight(b); x != y {
				return sign(x - y)
			}
			a, b = tail(a), tail(b)
		}
		var x, y string
		x, a = leadingNumber(a)
		y, b = leadingNumber(b)
		if len(x) != len(y) {
			return sign(len(x) - len(y))
		}
		if c := strings.Compare(x, y); c != 0 {
			return c
		}
	}
	return 0
}

// debWeight is the place of a part's first byte: tilde before the end, the end (or a digit)
// before letters, letters before all else.
func debWeight(s string) int {
	switch {
	case s == "" || digit(s[0]):
		return 0
	case s[0] == '~':
		return -1
	case s[0] >= 'a' && s[0] <= 'z' || s[0] >= 'A' && s[0] <= 'Z':
		return int(s[0])
	}
	return int(s[0]) + 256
}

// leadingNumber cuts the digits off the front, without their leading zeros.
func leadingNumber(s string) (number, rest string) {
	i := 0
	for i < len(s) && digit(s[i]) {
		i++
	}
	return strings.TrimLeft(s[:i], "0"), s[i:]
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func tail(s string) string {
	if s == "" {
		return ""
	}
	return s[1:]
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}
