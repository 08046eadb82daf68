package version

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
)

// upstream is a release as a project itself names it: numbers with dots, of which missing ones are
// 0 (4.17 is 4.17.0), and for what comes before a release a word for the stage, its number, and
// whether it is what becomes that number.
//
//	Xen     4.17.5  4.18-rc3  4.18.0-rc3  4.17.6-pre  4.1.3-rc2-pre  4.19-unstable  RELEASE-4.17.5
//	QEMU    7.2.22  8.2.0-rc2  v8.2.0; 8.1.92 is 8.2.0-rc2 as the program numbers itself, after 8.1.x
//	Linux   6.1.158  6.1-rc3  v6.1
//	libvirt 10.0.0  10.0.0-rc1
//	edk2    edk2-stable202402  edk2-stable202408.01
//
// What a distribution or a local build adds (6.1.0-18-amd64, 4.13.5-10.58, 8.2.0-123-gabcdef) is an
// error: it is no release of the project, and which fixes it has its number does not tell.
type upstream struct {
	numbers string
	stage   int    // 0: the release itself; below: before it
	nth     string // of the stage: rc3; empty is 0
	before  bool   // rc2-pre is on the way from rc1 to rc2
}

// tags are what projects put before their numbers in tags and file names.
var tags = []string{"v", "RELEASE-", "edk2-stable", "rel-", "xen-", "qemu-", "linux-", "libvirt-"}

// stages before a release, earliest first.
var stages = []string{"unstable", "alpha", "beta", "test", "pre", "rc"}

func parseUpstream(text string) (v upstream, err error) {
	rest := text
	for _, tag := range tags {
		if strings.HasPrefix(text, tag) {
			rest = text[len(tag):]
			break
		}
	}
	n := dottedNumbers(rest)
	if n == 0 {
		if text == "" {
			return v, errors.New("it is empty")
		}
		return v, errors.New("it does not start with a number")
	}
	v.numbers, rest = rest[:n], rest[n:]
	if rest == "" {
		return v, nil
	}
	if v.stage, rest = stageOf(rest); v.stage != 0 {
		n = stretch(rest)
		v.nth, rest = rest[:n], rest[n:]
		if rest, v.before = strings.CutSuffix(rest, "-pre"); rest == "" {
			return v, nil
		}
	}
	return v, fmt.Errorf("it holds %q, which is no stage of a release such as -rc3 or -pre", rest)
}

// dottedNumbers is how much of a text is numbers with dots between them.
func dottedNumbers(text string) int {
	end := stretch(text)
	for end > 0 && end < len(text) && text[end] == '.' {
		n := stretch(text[end+1:])
		if n == 0 {
			break
		}
		end += 1 + n
	}
	return end
}

// stageOf reads -rc and the like; 0 when it is none.
func stageOf(text string) (stage int, rest string) {
	word := text
	if strings.IndexByte("-._~", text[0]) >= 0 {
		word = text[1:]
	}
	for i, name := range stages {
		if strings.HasPrefix(word, name) {
			return i - len(stages), word[len(name):]
		}
	}
	return 0, text
}

func (v upstream) compare(w upstream) int {
	if order := compareDotted(v.numbers, w.numbers); order != 0 {
		return order
	}
	if v.stage != w.stage {
		return cmp.Compare(v.stage, w.stage)
	}
	if order := compareNumbers(v.nth, w.nth); order != 0 {
		return order
	}
	switch {
	case v.before == w.before:
		return 0
	case v.before:
		return -1
	}
	return 1
}

// compareDotted compares number by number; missing ones are 0.
func compareDotted(a, b string) int {
	for a != "" || b != "" {
		na, nb := stretch(a), stretch(b)
		if order := compareNumbers(a[:na], b[:nb]); order != 0 {
			return order
		}
		a, b = strings.TrimPrefix(a[na:], "."), strings.TrimPrefix(b[nb:], ".")
	}
	return 0
}
