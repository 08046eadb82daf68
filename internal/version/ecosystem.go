package version

import (
	"maps"
	"slices"
	"strings"
)

// Ecosystems that are named in code. Distributions are named as the OSV schema names them
// (ossf.github.io/osv-schema, ecosystems.json); those that it lacks by the name that they go by.
const (
	Debian   = "Debian"
	Upstream = "upstream" // a project's own releases: Xen 4.17.5, QEMU 7.2.22
	BuildID  = "build-id" // builds told apart by their id
)

// ecosystems are those whose versions can be compared.
var ecosystems = map[string]Family{
	Debian: Deb, "Ubuntu": Deb, "Echo": Deb,

	"Red Hat": RPM, "Rocky Linux": RPM, "AlmaLinux": RPM, "CentOS": RPM, "CentOS Stream": RPM, "Oracle Linux": RPM,
	"Fedora": RPM, "Amazon Linux": RPM, "SUSE": RPM, "openSUSE": RPM, "Azure Linux": RPM, "openEuler": RPM,
	"Mageia": RPM, "Photon OS": RPM, "XenServer": RPM, "XCP-ng": RPM,

	"Alpine": APK, "Wolfi": APK, "Chainguard": APK, "Alpaquita": APK, "BellSoft Hardened Containers": APK, "MinimOS": APK,

	Upstream: Releases, "Linux": Releases, // OSV's name for kernel.org's own releases
	BuildID: Builds,
}

// Known lists the ecosystems whose versions can be compared, by name.
func Known() []string { return slices.Sorted(maps.Keys(ecosystems)) }

// FamilyOf tells the family of an ecosystem, with or without a release; NotComparable when it is
// not known. The empty ecosystem is Debian.
func FamilyOf(ecosystem string) Family {
	distro, _, _ := strings.Cut(ecosystem, ":")
	if distro == "" {
		return Deb
	}
	return ecosystems[distro]
}

// Split takes an ecosystem apart: Debian:12 is Debian, 12; Red Hat:enterprise_linux:9::appstream is
// Red Hat, 9. The release is in one normal form, whatever the source's spelling, so that equal
// releases are equal texts; empty when none is named. What is not understood stays as it is.
//
// A release is a stream of packages: within one, a version at or above a fix has the fix. Streams
// that a vendor keeps apart stay apart: Pro:22.04 is not 22.04, rhel_eus:9.2 is not 9, and
// Linux Enterprise Server 15 SP4-LTSS is not ... SP4.
func Split(ecosystem string) (distro, release string) {
	distro, release, _ = strings.Cut(ecosystem, ":")
	release = strings.TrimSpace(release)
	switch distro {
	case "", Debian:
		distro = Debian
		release = debianRelease(release)
	case "Ubuntu":
		release = strings.TrimSuffix(strings.TrimSuffix(release, " LTS"), ":LTS")
		at := strings.LastIndexByte(release, ':') + 1 // behind Pro: or Pro:FIPS:
		release = release[:at] + numbered(release[at:], 2)
	case "Alpine":
		if bare, ok := strings.CutPrefix(release, "v"); ok && stretch(bare) > 0 {
			release = bare
		}
		release = numbered(release, 2)
	case "Red Hat":
		release = redHatRelease(release)
	case "Rocky Linux", "AlmaLinux", "CentOS", "CentOS Stream", "Oracle Linux", "Azure Linux", "Mageia":
		release = numbered(release, 1)
	case "XenServer", "XCP-ng", "Photon OS":
		release = numbered(release, 2)
	case "SUSE", "openSUSE":
		// OSV says that it is PRETTY_NAME of os-release, which begins with the distribution.
		release = strings.Replace(strings.TrimPrefix(release, distro+" "), "-SP", " SP", 1)
	case "openEuler": // 22.03 (LTS-SP1) in os-release, 22.03-LTS-SP1 in its advisories
		if number, edition, ok := strings.Cut(strings.TrimSuffix(release, ")"), " ("); ok {
			release = number + "-" + edition
		}
	}
	return distro, release
}

// debianRelease: since 4.0 a minor number is a point release, which changes no stream; 3.0 and 3.1
// were releases of their own.
func debianRelease(release string) string {
	if major := numbered(release, 1); major != "3" && major != "2" && major != "1" && major != "0" {
		return major
	}
	return release
}

// repositories of Red Hat Enterprise Linux: a package comes from one of them, and its stream is
// that of the product.
var repositories = map[string]bool{
	"appstream": true, "baseos": true, "crb": true, "highavailability": true, "resilientstorage": true, "nfv": true,
	"realtime": true, "sap": true, "sap_hana": true, "supplementary": true,
	"server": true, "client": true, "workstation": true, "computenode": true,
}

// redHatRelease reads what OSV makes of a CPE: product:version:update:edition, where the edition is
// a repository. enterprise_linux is the main stream; others, such as rhel_eus and rhel_aus, get
// their fixes at other times and under other numbers.
func redHatRelease(release string) string {
	product, rest, found := strings.Cut(release, ":")
	if !found {
		return numbered(release, 1)
	}
	number, edition, edited := strings.Cut(rest, "::")
	if edited && !repositories[edition] || strings.Contains(number, ":") {
		return release
	}
	switch {
	case product == "enterprise_linux":
		return numbered(number, 1)
	case strings.HasPrefix(product, "rhel_"), strings.HasPrefix(product, "enterprise_linux_"):
		return product + ":" + number
	}
	return release
}

// numbered cuts a number such as 3.17.2 to its first parts; any other text stays as it is.
func numbered(text string, parts int) string {
	end := len(text)
	for i := range len(text) {
		switch c := text[i]; {
		case c == '.' && i > 0 && i+1 < len(text) && text[i-1] != '.':
			if parts--; parts == 0 {
				end = i
			}
		case !isDigit(c):
			return text
		}
	}
	return text[:end]
}
