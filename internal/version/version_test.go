package version

import (
	"errors"
	"os/exec"
	"testing"

	"pgregory.net/rapid"
)

// The order is that of dpkg --compare-versions; each is older than the next.
var ascending = []string{
	"0~~", "0~", "0", "1.0~rc1-1", "1.0~rc1-1+b1", "1.0-0", "1.0-1~bpo12+1", "1.0-1", "1.0-1+b1", "1.0-1.1", "1.0-2", "1.0-10",
	"1.0a-1", "1.0+dfsg-1", "1.1-1", "1.2.10-1", "1.10-1",
	"1:0.1-1", "1:7.2+dfsg-7+deb12u9", "1:7.2+dfsg-7+deb12u17", "1:7.2+dfsg-7+deb12u18~1", "1:7.2+dfsg-7+deb12u18", "1:7.2+dfsg-7+deb12u18+b1", "1:8.0~rc0-1",
	"1:20000000000000000000000-1", "1:20000000000000000000001-1", "2:0-1",
}

func TestCompareOrdersLikeDpkg(t *testing.T) {
	for i, a := range ascending {
		for j, b := range ascending {
			want := min(max(i-j, -1), 1)
			if got, err := Compare(Debian, a, b); err != nil || got != want {
				t.Errorf("%s against %s: got %d, %v, want %d", a, b, got, err, want)
			}
		}
	}
}

func TestEqualThoughWrittenOtherwise(t *testing.T) {
	for _, pair := range [][2]string{{"1.0-1", "0:1.0-1"}, {"1.0", "1.0-0"}, {"1.01-1", "1.1-1"}, {"1.0-01", "1.0-1"}} {
		if got, err := Compare("", pair[0], pair[1]); err != nil || got != 0 {
			t.Errorf("%v: got %d, %v", pair, got, err)
		}
	}
}

func TestEcosystems(t *testing.T) {
	for _, known := range []string{"", "Debian", "Debian:12"} {
		if got, err := Compare(known, "1", "2"); err != nil || got != -1 {
			t.Errorf("%q: %d, %v", known, got, err)
		}
	}
	for _, other := range []string{"debian", "Alpine", "Alpine:v3.19", "Red Hat", "Debian12"} {
		if _, err := Compare(other, "1", "2"); err == nil {
			t.Errorf("%q is compared", other)
		}
	}
}

func TestWhatIsNoVersionIsAnError(t *testing.T) {
	for _, bad := range []string{"", " ", "unknown", "a:1", "-1:1", "1:", "1.0 1", "1.0_1", "1.0-1_2", ":1", "1.0-", "1:2:ü"} {
		if _, err := Compare(Debian, bad, "1"); err == nil {
			t.Errorf("%q on the left is compared", bad)
		}
		if _, err := Compare(Debian, "1", bad); err == nil {
			t.Errorf("%q on the right is compared", bad)
		}
	}
}

func drawn(t *rapid.T) string {
	return rapid.StringMatching(`([0-9]:)?[0-9][0-9a-zA-Z.+~]{0,6}(-[0-9a-zA-Z.+~]{1,4})?`).Draw(t, "version")
}

func TestOrderIsTotal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := drawn(t), drawn(t), drawn(t)
		order := func(x, y string) int {
			n, err := Compare(Debian, x, y)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		if order(a, a) != 0 || order(a, b) != -order(b, a) {
			t.Fatalf("%s and %s: %d and %d", a, b, order(a, b), order(b, a))
		}
		if order(a, b) <= 0 && order(b, c) <= 0 && order(a, c) > 0 {
			t.Fatalf("%s <= %s <= %s, but not the first <= the last", a, b, c)
		}
	})
}

// TestAgreesWithDpkg asks the original about each pair, where it is installed.
func TestAgreesWithDpkg(t *testing.T) {
	dpkg, err := exec.LookPath("dpkg")
	if err != nil {
		t.Skip("no dpkg here")
	}
	older := func(t *rapid.T, a, b string) bool {
		err := exec.Command(dpkg, "--compare-versions", a, "lt", b).Run()
		var exit *exec.ExitError
		if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) {
			t.Fatalf("dpkg on %s and %s: %v", a, b, err)
		}
		return err == nil
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawn(t), drawn(t)
		if rapid.Bool().Draw(t, "alike") { // else few pairs differ late
			b = a + rapid.StringMatching(`[0-9a-zA-Z.+~]{1,2}`).Draw(t, "tail")
		}
		got, err := Compare(Debian, a, b)
		if err != nil {
			t.Fatal(err)
		}
		if got < 0 != older(t, a, b) || got > 0 != older(t, b, a) {
			t.Fatalf("%s against %s: %d, and dpkg says older %v, newer %v", a, b, got, older(t, a, b), older(t, b, a))
		}
	})
}

func FuzzCompare(f *testing.F) {
	for i := 1; i < len(ascending); i++ {
		f.Add(ascending[i-1], ascending[i])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		n, err := Compare(Debian, a, b)
		m, again := Compare(Debian, b, a)
		if n != -m || (err == nil) != (again == nil) || n < -1 || n > 1 || err != nil && n != 0 {
			t.Fatalf("%q and %q: %d, %v and %d, %v", a, b, n, err, m, again)
		}
	})
}
