package version

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSplit(t *testing.T) {
	for _, c := range []struct{ ecosystem, distro, release string }{
		{"", Debian, ""}, {":12", Debian, "12"}, {"Debian", Debian, ""}, {"Debian:12", Debian, "12"}, {"Debian:11.0", Debian, "11"}, {"Debian:12.5", Debian, "12"},
		{"Debian:3.1", Debian, "3.1"}, {"Debian:sid", Debian, "sid"}, {"Debian:12:experimental", Debian, "12:experimental"}, {"Debian:12.", Debian, "12."},
		{"Ubuntu:22.04:LTS", "Ubuntu", "22.04"}, {"Ubuntu:22.04", "Ubuntu", "22.04"}, {"Ubuntu:22.04.3 LTS", "Ubuntu", "22.04"}, {"Ubuntu:23.10", "Ubuntu", "23.10"},
		{"Ubuntu:Pro:22.04:LTS", "Ubuntu", "Pro:22.04"}, {"Ubuntu:Pro:FIPS-updates:20.04:LTS", "Ubuntu", "Pro:FIPS-updates:20.04"}, {"Ubuntu:Pro:18.04:LTS:Realtime:Kernel", "Ubuntu", "Pro:18.04:LTS:Realtime:Kernel"},
		{"Alpine:v3.17", "Alpine", "3.17"}, {"Alpine:3.17", "Alpine", "3.17"}, {"Alpine:3.17.10", "Alpine", "3.17"}, {"Alpine:edge", "Alpine", "edge"}, {"Alpine:vx", "Alpine", "vx"}, {"Wolfi", "Wolfi", ""},
		{"Red Hat:enterprise_linux:9::appstream", "Red Hat", "9"}, {"Red Hat:enterprise_linux:8::baseos", "Red Hat", "8"}, {"Red Hat:enterprise_linux:10.1", "Red Hat", "10"}, {"Red Hat:9", "Red Hat", "9"}, {"Red Hat:9.4", "Red Hat", "9"},
		{"Red Hat:rhel_eus:9.2::baseos", "Red Hat", "rhel_eus:9.2"}, {"Red Hat:rhel_eus:9.2::appstream", "Red Hat", "rhel_eus:9.2"}, {"Red Hat:enterprise_linux_eus:10.0", "Red Hat", "enterprise_linux_eus:10.0"},
		{"Red Hat:enterprise_linux:8::hypervisor", "Red Hat", "enterprise_linux:8::hypervisor"}, {"Red Hat:openshift:4.13::el9", "Red Hat", "openshift:4.13::el9"}, {"Red Hat:enterprise_linux:9:beta:baseos", "Red Hat", "enterprise_linux:9:beta:baseos"},
		{"Rocky Linux:9", "Rocky Linux", "9"}, {"Rocky Linux:9.3", "Rocky Linux", "9"}, {"AlmaLinux:8", "AlmaLinux", "8"}, {"Rocky Linux:8:sig:cloud", "Rocky Linux", "8:sig:cloud"}, {"Azure Linux:3.0", "Azure Linux", "3"}, {"Mageia:9", "Mageia", "9"},
		{"SUSE:Linux Enterprise Server 15 SP4", "SUSE", "Linux Enterprise Server 15 SP4"}, {"SUSE:SUSE Linux Enterprise Server 15-SP4", "SUSE", "Linux Enterprise Server 15 SP4"}, {"SUSE:Linux Enterprise Server 15 SP4-LTSS", "SUSE", "Linux Enterprise Server 15 SP4-LTSS"},
		{"openSUSE:Leap 15.5", "openSUSE", "Leap 15.5"}, {"openSUSE:openSUSE Leap 15.5", "openSUSE", "Leap 15.5"}, {"openSUSE:Tumbleweed", "openSUSE", "Tumbleweed"},
		{"openEuler:22.03-LTS-SP1", "openEuler", "22.03-LTS-SP1"}, {"openEuler:22.03 (LTS-SP1)", "openEuler", "22.03-LTS-SP1"}, {"openEuler:24.03-LTS", "openEuler", "24.03-LTS"},
		{"XCP-ng:8.3.0", "XCP-ng", "8.3"}, {"XCP-ng:8.3", "XCP-ng", "8.3"}, {"XenServer:8", "XenServer", "8"}, {"Fedora:39", "Fedora", "39"}, {"Photon OS:3.0", "Photon OS", "3.0"},
		{"npm", "npm", ""}, {"Packagist:https://packages.example/8", "Packagist", "https://packages.example/8"}, {"upstream", Upstream, ""}, {"Foo Linux:v1.2.3", "Foo Linux", "v1.2.3"},
	} {
		if distro, release := Split(c.ecosystem); distro != c.distro || release != c.release {
			t.Errorf("%q: got %q, %q, want %q, %q", c.ecosystem, distro, release, c.distro, c.release)
		}
	}
}

// TestSplitIsStable: what was brought into the normal form stays in it.
func TestSplitIsStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(append(Known(), "npm", "")).Draw(t, "distro")
		text := rapid.OneOf(rapid.StringMatching(`(v|Pro:|Leap |enterprise_linux:|rhel_eus:)?[0-9]{1,2}(\.[0-9]{1,2}){0,2}(:LTS| LTS|::baseos|-SP1| \(LTS\))?`), rapid.String()).Draw(t, "release")
		distro, release := Split(name + ":" + text)
		if again, still := Split(distro + ":" + release); again != distro || still != release {
			t.Fatalf("%q becomes %q, %q and then %q, %q", name+":"+text, distro, release, again, still)
		}
	})
}

func TestFamilyOf(t *testing.T) {
	for ecosystem, want := range map[string]Family{
		"": Deb, ":12": Deb, "Debian:12": Deb, "Ubuntu:Pro:22.04:LTS": Deb, "Red Hat:enterprise_linux:9::appstream": RPM, "XenServer:8": RPM, "Alpine:v3.17": APK, "Wolfi": APK,
		Upstream: Releases, "Linux": Releases, BuildID: Builds,
		"debian": NotComparable, "Debian12": NotComparable, "npm": NotComparable, "GIT": NotComparable, "Root:Debian:12": NotComparable,
	} {
		if got := FamilyOf(ecosystem); got != want {
			t.Errorf("%q: got %q, want %q", ecosystem, got, want)
		}
	}
}

func TestKnownCanBeCompared(t *testing.T) {
	for _, known := range Known() {
		if n, err := Compare(known+":1", "10", "10"); n != 0 || err != nil {
			t.Errorf("%s: %d, %v", known, n, err)
		}
		if n, err := Compare(known, "9", "10"); FamilyOf(known) != Builds && (n != -1 || err != nil) {
			t.Errorf("%s: %d, %v", known, n, err)
		}
	}
	for _, other := range []string{"npm", "debian", "Debian12"} {
		_, err := Compare(other, "1", "2")
		if err == nil || !strings.Contains(err.Error(), `ecosystem "`+other+`"`) || !strings.Contains(err.Error(), "Rocky Linux") {
			t.Errorf("%s: %v", other, err)
		}
	}
	if !slices.IsSorted(Known()) {
		t.Error("not in order")
	}
}
