package audit

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/version"
)

// TestOrders: each list ascends; every pair of it is asked.
func TestOrders(t *testing.T) {
	for f, ascending := range map[family][]string{
		debs:     {"1.0~rc1-1", "1.0-1", "1.0-1+b1", "1.0-1.1", "1:0.9", "1:7.2+dfsg-7+deb12u9", "1:7.2+dfsg-7+deb12u15"},
		rpms:     {"1.0~rc1-1", "1.0~rc1^git1-1", "1.0", "1.0-1.el9", "1.0-1.el9_4", "1.0-2.el9", "1.0^git1-1", "1.0a-1", "1.0.1-1", "1.9-1", "1.10-1", "17:0.1-1", "17:6.2.0-11.el9_0.3", "17:6.2.0-11.el9_0.11"},
		apks:     {"1.0_alpha", "1.0_rc", "1.0_rc2", "1.0", "1.0-r9", "1.0-r10", "1.0~1a2b", "1.0_p1", "1.0a", "1.0.0", "1.06", "1.1", "8.2.0-r4", "8.2.10-r0"},
		releases: {"4.17.5", "4.17.6-pre", "4.17.6", "4.18-unstable", "4.18-rc2", "4.18-rc3-pre", "4.18-rc3", "4.18-rc10", "4.18", "8.2.0-rc2", "v8.2.0"},
	} {
		for i, a := range ascending {
			for j, b := range ascending {
				if got, known := f.compare(a, b); !known || got != sign(i-j) {
					t.Errorf("%s: %s against %s: %d (%v), want %d", f, a, b, got, known, sign(i-j))
				}
			}
		}
	}
}

// TestNoOrder: what cannot be compared is neither older nor as new.
func TestNoOrder(t *testing.T) {
	for _, c := range []struct {
		f    family
		a, b string
	}{
		{debs, "1.0", "v1.0"}, {debs, "", "1.0"}, {debs, "1.0-", "1.0"}, {debs, "(none)", "(none)"}, {rpms, "qemu-kvm-6.2.0-11.el9", "6.2.0-11.el9"}, {rpms, "6.2.0-11.el9.x86_64", "6.2.0-11.el9"},
		{apks, "1.0-1", "1.0-r1"}, {apks, "1.0_foo", "1.0"}, {releases, "6.1.0-18-amd64", "6.1.0"}, {releases, "xen-unstable", "4.18"}, {builds, "00ff", "00fe"}, {unordered, "1", "1"},
	} {
		for _, p := range [][2]string{{c.a, c.b}, {c.b, c.a}} {
			if n, known := c.f.compare(p[0], p[1]); known || n != 0 || c.f.older(p[0], p[1]) || c.f.reaches(p[0], p[1]) {
				t.Errorf("%s: %q against %q: %d, %v", c.f, p[0], p[1], n, known)
			}
		}
	}
	if n, known := builds.compare("00ff", "00FF"); n != 0 || !known {
		t.Error("one build in two spellings is not equal")
	}
}

func TestFamilyFor(t *testing.T) {
	for _, c := range []struct {
		cohort, host string
		want         family
	}{
		{"", "", debs}, {"", "Debian:12", debs}, {"Debian:12", "", debs}, {"", "Rocky Linux:9", rpms}, {"Alpine:v3.20", "", apks}, {"upstream", "", releases},
		{"Red Hat:9", "Rocky Linux:9", rpms}, {"Debian:12", "Rocky Linux:9", unordered}, {"", "Slackware:15", unordered}, {"Slackware:15", "Debian:12", unordered}, {"debian", "", unordered},
	} {
		if got := familyFor(&plan.Cohort{Ecosystem: c.cohort}, &fleet.Host{Ecosystem: c.host}); got != c.want {
			t.Errorf("cohort %q, host %q: %q, want %q", c.cohort, c.host, got, c.want)
		}
	}
}

func TestLineOfVersions(t *testing.T) {
	for _, c := range []struct {
		f       family
		v, want string
	}{
		{debs, "1:7.2+dfsg-7+deb12u18", "1:7.2+dfsg-7+deb12u"}, {debs, "1:7.2+dfsg-7", ""}, {rpms, "17:8.2.0-11.el9_4", "17:8.2.0-.el9"}, {rpms, "17:8.2.0-11.el10", "17:8.2.0-.el10"},
		{rpms, "4.17.5-1.2.xs8", "4.17.5-"}, {rpms, "8.2.0", ""}, {apks, "8.2.0-r5", "8.2.0-r"}, {apks, "8.2.0", ""}, {releases, "4.17.5", ""},
	} {
		if got := c.f.line(c.v); got != c.want {
			t.Errorf("%s of %s: %q, want %q", c.f, c.v, got, c.want)
		}
	}
}

// TestFamiliesAreThoseOfTheVersionRoom: neither side knows a name that the other does not.
func TestFamiliesAreThoseOfTheVersionRoom(t *testing.T) {
	for _, name := range version.Known() {
		if got, want := familyOf(name+":1"), version.FamilyOf(name); string(got) != string(want) {
			t.Errorf("%s: %q, the version room says %q", name, got, want)
		}
	}
	if got, want := len(families), len(version.Known()); got != want {
		t.Errorf("%d ecosystems are known here, %d there", got, want)
	}
}

// drawnVersions are versions of each family, and texts near to them.
var drawnVersions = map[string]string{
	"Debian":   `([0-2]:)?[0-9]{1,2}([.+~:-]?[0-9a-c]{1,3}){0,3}(-[0-9]{0,2}([.+~]?[0-9a-c]{1,3}){0,2})?`,
	"Red Hat":  `([0-9]:)?([0-9]|v[0-9]|\^1|~1|_1)[0-9a-zA-Z._+~^]{0,5}(-[0-9a-b._+~^]{1,4})?(\.noarch)?`,
	"Alpine":   `[0-9]{1,2}(\.[0-9]{1,3}){0,2}[a-c]?(_(alpha|beta|pre|rc|cvs|svn|git|hg|p|q)[0-9]{0,2}){0,2}(~[0-9a-f]{1,3})?(-r[0-9]{0,2})?`,
	"upstream": `(v|xen-|edk2-stable|RELEASE-|foo-)?[0-9]{1,2}(\.[0-9]{1,2}){0,3}([-._~]?(unstable|alpha|beta|test|pre|rc)[0-9]{0,2}(-pre)?)?`,
	"build-id": `([0-9a-fA-F]{2}){1,2}`,
}

// TestOrdersAgainstTheVersionRoom holds the two writings against each other: on versions, on what is
// nearly one, and on any text. They were written apart, so that where they differ one is wrong.
func TestOrdersAgainstTheVersionRoom(t *testing.T) {
	for ecosystem, form := range drawnVersions {
		t.Run(ecosystem, func(t *testing.T) {
			likely := rapid.StringMatching(form)
			rapid.Check(t, func(t *rapid.T) {
				a := likely.Draw(t, "a")
				b := rapid.OneOf(likely, rapid.Just(a), rapid.Map(rapid.StringMatching(`[0-9a-z.+~^:_-]{1,3}`), func(tail string) string { return a + tail }),
					rapid.StringMatching(`[0-9a-zA-Z.+~^:_ -]{0,8}`), rapid.String()).Draw(t, "b")
				agree(t, ecosystem, a, b)
				agree(t, ecosystem, b, a)
			})
		})
	}
}

func agree(t interface{ Fatalf(string, ...any) }, ecosystem, a, b string) {
	got, known := familyOf(ecosystem).compare(a, b)
	want, err := version.Compare(ecosystem, a, b)
	if known != (err == nil) || got != want {
		t.Fatalf("%s: %q against %q: %d (known: %v), the version room says %d, %v", ecosystem, a, b, got, known, want, err)
	}
}

func FuzzOrders(f *testing.F) {
	for ecosystem, pair := range map[string][2]string{"Debian": {"1:7.2+dfsg-7+deb12u15", "1:7.2+dfsg-7~bpo12+1"}, "Red Hat": {"17:6.2.0~rc1-11.el9", "6.2.0^1-1"},
		"Alpine": {"1.02_rc1~1a-r1", "1.1b_p2"}, "upstream": {"v4.18-rc3-pre", "RELEASE-4.18.0"}, "build-id": {"00ff", "00FF"}} {
		f.Add(ecosystem, pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, ecosystem, a, b string) { agree(t, ecosystem, a, b) })
}
