package advisory

import (
	"os/exec"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/version"
)

// debianVersion draws versions of the shapes that Debian's archive holds.
func debianVersion(t *rapid.T, label string) string {
	return rapid.StringMatching(`([0-3]:)?[0-9][0-9]{0,2}(\.[0-9]{1,3}|[a-c]|~rc[0-9]|\+dfsg|\+git20[0-9]{6}){0,3}(-[0-9]{1,2}(\.[0-9])?(\+deb1[123]u[0-9]{1,2}|~deb12u[0-9]|~bpo12\+[0-9])?(\+b[0-9]{1,2})?)?`).Draw(t, label)
}

// TestOrderAgainstDpkg holds our order of versions against dpkg's own, where dpkg is at hand.
func TestOrderAgainstDpkg(t *testing.T) {
	dpkg, err := exec.LookPath("dpkg")
	if err != nil {
		t.Skip("skipped: no dpkg")
	}
	is := func(t *rapid.T, a, op, b string) bool {
		err := exec.Command(dpkg, "--compare-versions", a, op, b).Run()
		if exit, ok := err.(*exec.ExitError); err != nil && (!ok || exit.ExitCode() != 1) {
			t.Fatalf("dpkg --compare-versions %s %s %s: %v", a, op, b, err)
		}
		return err == nil
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := debianVersion(t, "a"), debianVersion(t, "b")
		got, err := version.Compare(version.Debian, a, b)
		if err != nil {
			t.Fatal(err)
		}
		if (got < 0) != is(t, a, "lt", b) || (got == 0) != is(t, a, "eq", b) {
			t.Fatalf("Compare(%q, %q) = %d, dpkg says otherwise", a, b, got)
		}
	})
}

// within draws versions of one release, so that their order means something.
func within(t *rapid.T, label string) string {
	return rapid.StringMatching(`1:7\.2\+dfsg-7(\+deb12u([1-9]|1[0-9]|2[0-9]))?(\+b[1-3])?`).Draw(t, label)
}

// TestUpgradeNeverHarms: with a vulnerability that was there from the start, a newer version of
// the same release never turns a host or an instance affected, whatever the layers and the remedy.
func TestUpgradeNeverHarms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		remedy := rapid.SampledFrom([]string{"", "reboot", "refresh", "live-patch"}).Draw(t, "remedy")
		before := [4]string{within(t, "installed"), within(t, "booted"), within(t, "running"), within(t, "instance")}
		fixed, desired := within(t, "fixed"), within(t, "desired")
		withDoc := rapid.Bool().Draw(t, "advisory")
		world := func(v [4]string) Assessment {
			w := qemuWorld(v[0], v[1], v[2])
			w.inst.Running = m{pkg: v[3]}
			w.cohorts[0].Packages, w.cohorts[0].Remedy = m{pkg: desired}, remedy
			if withDoc {
				w.advisory = []Advisory{osv("CVE-1", debian("12", "qemu", fixedIn(sourceVersion(fixed))...))}
			}
			return w.assess()
		}
		after := before
		k := rapid.IntRange(0, 3).Draw(t, "layer")
		after[k] = within(t, "newer")
		if order, err := version.Compare(version.Debian, after[k], before[k]); err != nil || order < 0 {
			after[k] = before[k]
		}
		a, b := world(before), world(after)
		if a.Hosts[0].Verdict != IsAffected && b.Hosts[0].Verdict == IsAffected {
			t.Fatalf("host: %v -> %v turned %s into affected", before, after, a.Hosts[0].Verdict)
		}
		if a.Instances[0].Verdict != IsAffected && b.Instances[0].Verdict == IsAffected {
			t.Fatalf("instance: %v -> %v turned %s into affected", before, after, a.Instances[0].Verdict)
		}
	})
}

// TestLessKnowledgeNeverClears: forgetting a layer never turns an affected or unknown host or
// instance into one that is fixed, except that what runs speaks for a boot that is not known.
func TestLessKnowledgeNeverClears(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := [3]string{within(t, "installed"), within(t, "booted"), within(t, "instance")}
		k := rapid.IntRange(0, 2).Draw(t, "forgotten")
		world := func(v [3]string) Assessment {
			w := qemuWorld(v[0], v[1], "")
			if v[2] != "" {
				w.inst.Running = m{pkg: v[2]}
			}
			w.stale = time.Hour
			return w.assess()
		}
		whole := world(v)
		v[k] = ""
		part := world(v)
		good := func(v Verdict) bool { return v == IsFixed || v == NotAffected }
		if k == 2 && part.Instances[0].Verdict != IsUnknown {
			t.Fatalf("without its monitor's word the instance is %s", part.Instances[0].Verdict)
		}
		if k == 1 && good(part.Hosts[0].Verdict) {
			t.Fatalf("without its boot's word the host is %s", part.Hosts[0].Verdict)
		}
		// What is installed cannot be inferred: a fixed boot stands although the disk is forgotten.
		if k == 0 && whole.Hosts[0].Verdict == IsFixed && part.Hosts[0].Verdict != IsFixed {
			t.Fatalf("without the disk's word the fixed boot is %s", part.Hosts[0].Verdict)
		}
	})
}
