package audit

import "strings"

// apkPart is one part of an Alpine version. The kinds are in the order in which they follow one
// another.
type apkPart struct {
	kind apkKind
	text string // without the sign before it
}

type apkKind int

const (
	apkFirst  apkKind = iota // 8 of 8.2.0b_rc1~1a2b-r3
	apkNumber                // 2 and 0
	apkLetter                // b
	apkSuffix                // rc
	apkCount                 // 1
	apkHash                  // 1a2b
	apkBuild                 // 3
	apkEnd
)

// apkSuffixes by age; those before the gap come before the release itself.
var apkSuffixes = map[string]int{"alpha": -4, "beta": -3, "pre": -2, "rc": -1, "cvs": 1, "svn": 2, "git": 3, "hg": 4, "p": 5}

// compareAPK orders two versions as apk-tools does (apk-package(5) gives the form, src/version.c the
// order): part by part; where one has another kind of part, or none, a suffix before the release is
// the oldest, and else the part that stands earlier in a version is the newer.
func compareAPK(a, b string) (order int, known bool) {
	x, fine := splitAPK(a)
	y, too := splitAPK(b)
	if !fine || !too {
		return 0, false
	}
	for i := 0; ; i++ { // both end with apkEnd
		p, q := x[i], y[i]
		switch {
		case p.kind == q.kind && p.kind == apkEnd:
			return 0, true
		case p.kind == q.kind:
			if c := p.compare(q); c != 0 {
				return c, true
			}
		case p.kind == apkSuffix && apkSuffixes[p.text] < 0:
			return -1, true
		case q.kind == apkSuffix && apkSuffixes[q.text] < 0:
			return 1, true
		default:
			return sign(int(q.kind - p.kind)), true
		}
	}
}

// compare orders two parts of one kind. A number behind a dot that has a leading zero makes both count
// as text: 1.06 is older than 1.1.
func (p apkPart) compare(q apkPart) int {
	switch p.kind {
	case apkSuffix:
		return sign(apkSuffixes[p.text] - apkSuffixes[q.text])
	case apkLetter, apkHash:
		return strings.Compare(p.text, q.text)
	case apkNumber:
		if p.text[0] == '0' || q.text[0] == '0' {
			return strings.Compare(p.text, q.text)
		}
	}
	return compareDigits(p.text, q.text)
}

// splitAPK reads number{.number}{letter}{_suffix{number}}{~hash}{-rnumber}.
func splitAPK(v string) (parts []apkPart, fine bool) {
	cut := func(kind apkKind, n int) {
		parts = append(parts, apkPart{kind, v[:n]})
		v = v[n:]
	}
	fine = digits(v) > 0
	cut(apkFirst, digits(v))
	for strings.HasPrefix(v, ".") {
		v = v[1:]
		fine = fine && digits(v) > 0
		cut(apkNumber, digits(v))
	}
	if v != "" && v[0] >= 'a' && v[0] <= 'z' {
		cut(apkLetter, 1)
	}
	for strings.HasPrefix(v, "_") {
		v = v[1:]
		cut(apkSuffix, letters(v))
		fine = fine && apkSuffixes[parts[len(parts)-1].text] != 0
		if n := digits(v); n > 0 {
			cut(apkCount, n)
		}
	}
	if strings.HasPrefix(v, "~") {
		v = v[1:]
		n := len(v) - len(strings.TrimLeft(v, "0123456789abcdef"))
		fine = fine && n > 0
		cut(apkHash, n)
	}
	if strings.HasPrefix(v, "-r") {
		v = v[2:]
		fine = fine && digits(v) > 0
		cut(apkBuild, digits(v))
	}
	return append(parts, apkPart{kind: apkEnd}), fine && v == ""
}
