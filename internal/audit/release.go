package audit

import "strings"

// release is what a project itself calls a version: 4.17.5, 4.18-rc3, 8.2.0-rc2, v6.1, 4.17.6-pre.
type release struct {
	numbers []string
	stage   int    // place in stages; len(stages) is the release itself
	nth     string // 3 of -rc3
	before  bool   // -rc3-pre leads to -rc3
}

// stages come before a release, in this order.
var stages = []string{"unstable", "alpha", "beta", "test", "pre", "rc"}

// compareReleases orders two releases: by their numbers, of which those that are missing are 0, then
// by how far they were on the way to them.
func compareReleases(a, b string) (order int, known bool) {
	x, fine := readRelease(a)
	y, too := readRelease(b)
	if !fine || !too {
		return 0, false
	}
	for i := range max(len(x.numbers), len(y.numbers)) {
		if c := compareDigits(x.number(i), y.number(i)); c != 0 {
			return c, true
		}
	}
	if x.stage != y.stage {
		return sign(x.stage - y.stage), true
	}
	if c := compareDigits(x.nth, y.nth); c != 0 || x.before == y.before {
		return c, true
	}
	if x.before {
		return -1, true
	}
	return 1, true
}

func (r release) number(i int) string {
	if i < len(r.numbers) {
		return r.numbers[i]
	}
	return "0"
}

// readRelease says whether a text is a release. What a distribution or a local build adds to one
// (6.1.0-18-amd64, 8.2.0-123-gabcdef0) says nothing of the fixes that it has.
func readRelease(v string) (r release, fine bool) {
	for _, tag := range []string{"v", "RELEASE-", "edk2-stable", "rel-", "xen-", "qemu-", "linux-", "libvirt-"} {
		if rest, found := strings.CutPrefix(v, tag); found {
			v = rest
			break
		}
	}
	for {
		n := digits(v)
		if n == 0 {
			return r, false
		}
		r.numbers, v = append(r.numbers, v[:n]), v[n:]
		if len(v) < 2 || v[0] != '.' || !digit(v[1]) {
			break
		}
		v = v[1:]
	}
	if r.stage = len(stages); v == "" {
		return r, true
	}
	if strings.IndexByte("-._~", v[0]) >= 0 {
		v = v[1:]
	}
	for i, name := range stages {
		if rest, found := strings.CutPrefix(v, name); found {
			n := digits(rest)
			r.stage, r.nth = i, rest[:n]
			v, r.before = strings.CutSuffix(rest[n:], "-pre")
			return r, v == ""
		}
	}
	return r, false
}
