// Package version compares software versions by the rules of their own
// ecosystem. It never guesses: a version it cannot read is an error.
//
// Start reading at Compare.
package version

import (
	"fmt"
	"strings"
)

// Ecosystems that Compare knows. Names follow the OSV schema; a release suffix
// such as "Debian:12" is accepted.
const Debian = "Debian"

// Compare gives -1, 0 or +1 as a is older than, equal to or newer than b.
// Debian: deb-version(7), as dpkg --compare-versions decides.
func Compare(ecosystem, a, b string) (int, error) {
	name, _, _ := strings.Cut(ecosystem, ":")
	if name != Debian && name != "" {
		return 0, fmt.Errorf("versions of ecosystem %q cannot be compared: known is Debian", ecosystem)
	}
	va, err := parseDebian(a)
	if err != nil {
		return 0, fmt.Errorf("%q is not a Debian version: %w", a, err)
	}
	vb, err := parseDebian(b)
	if err != nil {
		return 0, fmt.Errorf("%q is not a Debian version: %w", b, err)
	}
	return va.compare(vb), nil
}
