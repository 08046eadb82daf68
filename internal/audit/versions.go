package audit

import (
	"strings"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Which of two versions is older is asked by laws 5, 6 and 7. The rules are written apart from the
// version room on purpose, from the same sources: the auditor must not share a mistake with the code
// that it judges. A test holds the two against each other.
//
// Two versions may also be ones that cannot be compared: of an ecosystem without rules, or text that
// is no version of it. That is neither older nor as new. Each caller says what its law makes of it:
// it proves nothing, and it accuses nobody.

// family is a set of ecosystems whose versions are ordered by the same rules.
type family string

const (
	debs      family = "deb"      // deb-version(7); see deb.go
	rpms      family = "rpm"      // rpm-version(7); see rpm.go
	apks      family = "apk"      // apk-package(5); see apk.go
	releases  family = "upstream" // what a project itself releases; see release.go
	builds    family = "build-id" // equal or not, never older
	unordered family = ""         // no rules are known
)

// families by ecosystem, as the OSV schema names them, and those that it lacks by their own name.
var families = byName(map[family][]string{
	debs: {"Debian", "Ubuntu", "Echo"},
	rpms: {"AlmaLinux", "Amazon Linux", "Azure Linux", "CentOS", "CentOS Stream", "Fedora", "Mageia", "openEuler", "openSUSE",
		"Oracle Linux", "Photon OS", "Red Hat", "Rocky Linux", "SUSE", "XCP-ng", "XenServer"},
	apks:     {"Alpaquita", "Alpine", "BellSoft Hardened Containers", "Chainguard", "MinimOS", "Wolfi"},
	releases: {"Linux", "upstream"},
	builds:   {"build-id"},
})

func byName(lists map[family][]string) map[string]family {
	out := map[string]family{}
	for f, names := range lists {
		for _, name := range names {
			out[name] = f
		}
	}
	return out
}

// familyOf is the family of the first ecosystem that is named; Debian's where none is. Where others
// are named and are of another family they contradict it, and no rules are known.
func familyOf(ecosystems ...string) family {
	found, named := debs, false
	for _, e := range ecosystems {
		name, _, _ := strings.Cut(e, ":")
		if name == "" {
			continue
		}
		if f := families[name]; !named {
			found, named = f, true
		} else if f != found {
			return unordered
		}
	}
	return found
}

// familyFor: a cohort's versions go by the cohort's ecosystem, else by its host's.
func familyFor(c *plan.Cohort, h *fleet.Host) family {
	if c == nil || h == nil {
		return unordered
	}
	return familyOf(c.Ecosystem, h.Ecosystem)
}

// familyBetween: what an instance runs on and what it would run on elsewhere go by what is said of
// both hosts, which must not contradict each other.
func familyBetween(there *plan.Cohort, to *fleet.Host, here *plan.Cohort, from *fleet.Host) family {
	said := []string{to.Ecosystem, from.Ecosystem}
	for _, c := range []*plan.Cohort{there, here} {
		if c != nil {
			said = append(said, c.Ecosystem)
		}
	}
	return familyOf(said...)
}

// compare gives -1, 0 or 1 as a is older than, equal to or newer than b; known is false where the two
// cannot be compared.
func (f family) compare(a, b string) (order int, known bool) {
	a, b = strings.TrimSpace(a), strings.TrimSpace(b)
	switch f {
	case debs:
		if !isDeb(a) || !isDeb(b) {
			return 0, false
		}
		return compareDeb(a, b), true
	case rpms:
		return compareRPM(a, b)
	case apks:
		return compareAPK(a, b)
	case releases:
		return compareReleases(a, b)
	case builds:
		return 0, isBuild(a) && strings.EqualFold(a, b)
	}
	return 0, false
}

// older: it is known that one version is older than another.
func (f family) older(a, b string) bool {
	order, known := f.compare(a, b)
	return known && order < 0
}

// reaches: it is known that a version is no older than another.
func (f family) reaches(a, b string) bool {
	order, known := f.compare(a, b)
	return known && order >= 0
}

// line is what the versions have in common by which one release of a distribution counts its updates:
// 1:7.2+dfsg-7+deb12u of 1:7.2+dfsg-7+deb12u18, 17:8.2.0-.el9 of 17:8.2.0-11.el9_4, 8.2.0-r of
// 8.2.0-r5. Only in one line does a newer version surely have what an older one has. "" when a version
// has none.
func (f family) line(v string) string {
	switch f {
	case debs:
		return v[:strings.LastIndexByte(v, 'u')+1]
	case rpms:
		head, release, _ := strings.Cut(v, "-")
		if release == "" {
			return ""
		}
		if _, tag, tagged := strings.Cut(release, ".el"); tagged {
			return head + "-.el" + tag[:digits(tag)]
		}
		return head + "-"
	case apks:
		if at := strings.LastIndex(v, "-r"); at >= 0 {
			return v[:at+len("-r")]
		}
	}
	return ""
}

// isBuild: whole bytes in hexadecimal.
func isBuild(id string) bool {
	return id != "" && len(id)%2 == 0 && strings.Trim(id, "0123456789abcdefABCDEF") == ""
}

// onlyOf: a text consists of letters, digits and the given signs.
func onlyOf(text, signs string) bool {
	for i := range len(text) {
		if c := text[i]; !digit(c) && !isLetter(c) && strings.IndexByte(signs, c) < 0 {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// digits is how many digits a text starts with.
func digits(text string) int { return len(text) - len(strings.TrimLeft(text, "0123456789")) }

// isNumber: digits and nothing else, at least one.
func isNumber(text string) bool { return text != "" && digits(text) == len(text) }

// compareDigits orders two stretches of digits as numbers of any length; none is 0.
func compareDigits(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if len(a) != len(b) {
		return sign(len(a) - len(b))
	}
	return strings.Compare(a, b)
}
