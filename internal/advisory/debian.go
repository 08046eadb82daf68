package advisory

import (
	"path"
	"regexp"
	"strings"
)

// What a Debian version tells beside its order.
//
// Stable updates name their release: 1:7.2+dfsg-7+deb12u18 is Debian 12's. An
// advisory's ranges for Debian:12 are about that release's packages only: a
// version of Debian 13 that sorts above 12's fix may well be unfixed. Backports
// (~bpo12+1) are rebuilt from a later release and covered by neither.
//
// Many versions name no release (1:7.2+dfsg-7 is Debian 12's first). Then the
// cohort speaks: its ecosystem (Debian:12), else the release that its desired
// version names. See judge.releaseOf.
//
// A rebuild of the same source (+b3) sorts above it and changes no line of it.
// Advisories speak of sources, so +bN is taken off before a version is compared
// with their ranges; else a rebuild of the last affected version would pass.
var (
	stableUpdate = regexp.MustCompile(`[+~]deb([0-9]+)u[0-9]+`)
	backport     = regexp.MustCompile(`~bpo([0-9]+)\+`)
	rebuild      = regexp.MustCompile(`\+b[0-9]+$`)
)

// releaseIn gives the release that a version names, such as 12, or bpo12 for a backport; "" when
// it names none.
func releaseIn(version string) string {
	if m := backport.FindStringSubmatch(version); m != nil {
		return "bpo" + m[1]
	}
	// The last mark counts: 1.2+deb11u1~deb12u1 is Debian 12's rebuild of 11's.
	if m := stableUpdate.FindAllStringSubmatch(version, -1); m != nil {
		return m[len(m)-1][1]
	}
	return ""
}

// sourceVersion takes off the mark of a rebuild.
func sourceVersion(version string) string { return rebuild.ReplaceAllString(version, "") }

// upstreamOf is the version without epoch and Debian revision; packaged says that there was one of
// the two, so that it is a package's version and not what a program says of itself (7.2.22).
func upstreamOf(version string) (upstream string, packaged bool) {
	if _, rest, ok := strings.Cut(version, ":"); ok {
		version, packaged = rest, true
	}
	if i := strings.LastIndexByte(version, '-'); i >= 0 {
		return version[:i], true
	}
	return version, packaged
}

// binaries lists, per source package that Debian's advisories name, its binary packages that
// matter on a hypervisor. A prefix rule ("qemu-" is of qemu) would be a guess: xen-tools and
// qemu-web-desktop are other sources. Cohort.Sources says what this table does not know.
// layer says whose fact decides for an instance: see instance.go.
var binaries = []struct {
	source   string
	layer    layer
	patterns []string // of path.Match
}{
	{"qemu", ofInstance, []string{"qemu-system-*", "qemu-kvm", "qemu-utils", "qemu-block-extra", "qemu-user*"}},
	{"xen", ofHost, []string{"xen-hypervisor-*", "xen-utils-*", "xen-system-*", "xenstore-utils", "libxen*"}},
	{"linux", ofHost, []string{"linux-image-*"}},
	{"libvirt", ofHost, []string{"libvirt-daemon*", "libvirt-clients", "libvirt0", "libvirt-l10n", "libnss-libvirt"}},
	{"edk2", ofInstance, []string{"ovmf*", "qemu-efi-*"}},
	{"seabios", ofInstance, nil},
	{"intel-microcode", ofHost, nil},
	{"amd64-microcode", ofHost, nil},
}

// layer says where the software under an instance lives.
type layer int

const (
	ofInstance layer = iota // in the instance's own process: only its monitor can tell
	ofHost                  // shared by all on the host: what the host booted with or runs
)

// sourceOf gives the source package of a binary package, by the operator's own mapping first, then
// by the table; "" when neither knows. A source's name is its own source.
func sourceOf(pkg string, own map[string]string) string {
	if s := own[pkg]; s != "" {
		return s
	}
	for _, b := range binaries {
		if b.source == pkg {
			return pkg
		}
		for _, p := range b.patterns {
			if ok, _ := path.Match(p, pkg); ok {
				return b.source
			}
		}
	}
	return ""
}

// layerOf says where a package's code runs, as seen by an instance. What is not known is taken as
// the instance's own, because then nothing but its monitor can clear it.
func layerOf(pkg string, own map[string]string) layer {
	source := sourceOf(pkg, own)
	for _, b := range binaries {
		if b.source == source {
			return b.layer
		}
	}
	return ofInstance
}

// samePackage: a fact about `have` is a fact about `want`. One name may be the source of the
// other; two binaries of one source are not the same.
func samePackage(want, have string, own map[string]string) bool {
	return want == have || sourceOf(have, own) == want || sourceOf(want, own) == have
}
