// Package version compares software versions by the rules of their own
// ecosystem. It never guesses: a version that it cannot read is an error that
// names what is wrong with it, and so is an ecosystem whose rules it does not
// know.
//
// Within a family the order is total: of two versions that can be read, one is
// older or both are equal, and what is older than an older one is older. Build
// ids alone have no order.
//
// Start reading at Compare; ecosystem.go says which names are known, and each
// family has a file of its own.
package version

import (
	"errors"
	"fmt"
	"strings"
)

// Family is a set of ecosystems whose versions are ordered by the same rules.
type Family string

// The families.
const (
	Deb           Family = "deb"      // deb-version(7), as dpkg --compare-versions decides
	RPM           Family = "rpm"      // rpm-version(7), as librpm's rpmverCmp decides
	APK           Family = "apk"      // apk-package(5), as apk version -t decides
	Releases      Family = "upstream" // a project's own releases: 4.17.5, 4.18-rc3, edk2-stable202402
	Builds        Family = "build-id" // equal or not, never older or newer
	NotComparable Family = ""
)

// ErrNoOrder is wrapped where two build ids differ: neither is older.
var ErrNoOrder = errors.New("a build id tells neither older nor newer")

// Compare gives -1, 0 or +1 as a is older than, equal to or newer than b, by the rules of an
// ecosystem (with or without its release; the empty one is Debian). Blanks around a version do not
// count. Versions may be equal though written otherwise: 1.0-1 and 0:1.0-1, 4.17 and 4.17.0.
//
// A package's version without a revision (deb, rpm) or release is older than the same with any.
func Compare(ecosystem, a, b string) (int, error) {
	family := FamilyOf(ecosystem)
	a, b = strings.TrimSpace(a), strings.TrimSpace(b)
	switch family {
	case Deb:
		return compareBy(parseDebian, debian.compare, "a Debian version", a, b)
	case RPM:
		return compareBy(parseRPM, rpm.compare, "an RPM version", a, b)
	case APK:
		return compareBy(parseAPK, apk.compare, "an Alpine version", a, b)
	case Releases:
		return compareBy(parseUpstream, upstream.compare, "a release", a, b)
	case Builds:
		return compareBuilds(a, b)
	}
	return 0, fmt.Errorf("versions of ecosystem %q cannot be compared: known are %s", ecosystem, strings.Join(Known(), ", "))
}

// Check says what is wrong with a version of an ecosystem; nil when it can be read.
func Check(ecosystem, version string) error {
	_, err := Compare(ecosystem, version, version)
	return err
}

func compareBy[V any](parse func(string) (V, error), compare func(V, V) int, kind, a, b string) (int, error) {
	va, err := parse(a)
	if err != nil {
		return 0, fmt.Errorf("%q is not %s: %w", a, kind, err)
	}
	vb, err := parse(b)
	if err != nil {
		return 0, fmt.Errorf("%q is not %s: %w", b, kind, err)
	}
	return compare(va, vb), nil
}
