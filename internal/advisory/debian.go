package advisory

import (
	"regexp"
	"strings"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/version"
)

// What a package's version tells beside its order.
//
// Debian's stable updates name their release: 1:7.2+dfsg-7+deb12u18 is Debian 12's; RPMs do so by
// their distribution tag (.el9). An advisory's ranges for Debian:12 are about that release's packages
// only: a version of Debian 13 that sorts above 12's fix may well be unfixed. Backports (~bpo12+1)
// are rebuilt from a later release and covered by neither.
//
// Many versions name no release (1:7.2+dfsg-7 is Debian 12's first). Then the cohort speaks: its
// ecosystem (Debian:12) or the host's, else the release that its desired version names. See
// judge.releaseOf.
//
// A rebuild of the same source (+b3) sorts above it and changes no line of it. Advisories speak of
// sources, so +bN is taken off before a version is compared with their ranges; else a rebuild of the
// last affected version would pass.
var (
	stableUpdate = regexp.MustCompile(`[+~]deb([0-9]+)u[0-9]+`)
	backport     = regexp.MustCompile(`~bpo([0-9]+)\+`)
	rebuild      = regexp.MustCompile(`\+b[0-9]+$`)
	distTag      = regexp.MustCompile(`\.el([0-9]+)`)
)

// releaseIn gives the release that a version names, such as 12, or bpo12 for a backport; "" when
// it names none.
func releaseIn(ecosystem, v string) string {
	if version.FamilyOf(ecosystem) == version.RPM {
		if m := distTag.FindStringSubmatch(v); m != nil {
			return m[1]
		}
		return ""
	}
	if m := backport.FindStringSubmatch(v); m != nil {
		return "bpo" + m[1]
	}
	// The last mark counts: 1.2+deb11u1~deb12u1 is Debian 12's rebuild of 11's.
	if m := stableUpdate.FindAllStringSubmatch(v, -1); m != nil {
		return m[len(m)-1][1]
	}
	return ""
}

// ecosystemOf is a host's own word, else what the versions of its packages name: a stable update
// of Debian (+deb12u18) is of that release. Empty: not known.
func ecosystemOf(h *fleet.Host) string {
	distro, release := version.Split(h.Ecosystem)
	if h.Ecosystem != "" && (release != "" || distro != version.Debian) {
		return h.Ecosystem
	}
	for _, m := range []map[string]string{h.Software.Installed, h.Software.Booted, h.Software.Running} {
		for _, v := range m {
			marks := stableUpdate.FindAllStringSubmatch(v, -1)
			if len(marks) == 0 || backport.MatchString(v) {
				continue
			}
			last := marks[len(marks)-1][1]
			if release != "" && release != last {
				return h.Ecosystem // they do not agree
			}
			release = last
		}
	}
	if release == "" {
		return h.Ecosystem
	}
	return version.Debian + ":" + release
}

// sourceVersion takes off the mark of a Debian rebuild.
func sourceVersion(v string) string { return rebuild.ReplaceAllString(v, "") }

// sourceOfVersion is the version of the source that a package was built from.
func sourceOfVersion(ecosystem, v string) string {
	if version.FamilyOf(ecosystem) == version.Deb {
		return sourceVersion(v)
	}
	return v
}

// upstreamOf is the version without epoch and revision; packaged says that there was one of the two,
// so that it is a package's version and not what a program says of itself (7.2.22).
func upstreamOf(v string) (upstream string, packaged bool) {
	if _, rest, ok := strings.Cut(v, ":"); ok {
		v, packaged = rest, true
	}
	if i := strings.LastIndexByte(v, '-'); i >= 0 {
		return v[:i], true
	}
	return v, packaged
}

// isPackaged tells a package's version from what a program says of itself. Upstream's own versions
// (4.18-rc3) and build ids are never packages.
func isPackaged(ecosystem, v string) bool {
	switch version.FamilyOf(ecosystem) {
	case version.Deb, version.RPM, version.APK:
		_, packaged := upstreamOf(v)
		return packaged
	}
	return false
}

// projectVersion is the project's own version that a package was made of: 7.2 of 1:7.2+dfsg-7+deb12u18,
// 4.17.5 of 4.17.5+72-g01140da4e8-1 (commits after a release add to it and are left out).
func projectVersion(v string) string {
	up, _ := upstreamOf(v)
	if _, really, found := strings.Cut(up, "+really"); found { // 10.0.6+really8.2.1 went back to 8.2.1 (Debian's developers' reference)
		up = really
	}
	if i := strings.IndexAny(up, "+~"); i > 0 {
		// A release candidate (8.2.0~rc2) is older than its release: keep that.
		if rc := up[i+1:]; strings.HasPrefix(up[i:], "~rc") {
			rc, _, _ = strings.Cut(rc, "+")
			return up[:i] + "-" + rc
		}
		return up[:i]
	}
	if i := strings.LastIndexByte(up, '-'); i > 0 { // 4.17.5+72-g01140da4e8 was cut at +; 4.17-git is cut here
		return up[:i]
	}
	return up
}
