package audit

import (
	"os/exec"
	"testing"

	"pgregory.net/rapid"
)

func TestCompareDeb(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"1.0", "1.0", 0}, {"1.0", "1.0-0", 0}, {"0:1.0", "1.0", 0}, {"1.00", "1.0", 0},
		{"1.0~rc1", "1.0", -1}, {"1.0", "1.0+b1", -1}, {"1.9", "1.10", -1}, {"1:0.1", "9.9", 1},
		{"1.0a", "1.0+", -1}, {"1.0~~", "1.0~", -1}, {"1.0-1", "1.0-1.1", -1}, {"1-2-3", "1-2-10", -1},
		{"1:7.2+dfsg-7+deb12u15", "1:7.2+dfsg-7+deb12u16", -1}, {"1:7.2+dfsg-7+deb12u9", "1:7.2+dfsg-7+deb12u15", -1},
		{"99999999999999999999999", "100000000000000000000000", -1},
	} {
		if got := compareDeb(c.a, c.b); got != c.want {
			t.Errorf("%s against %s: %d, want %d", c.a, c.b, got, c.want)
		}
		if got := compareDeb(c.b, c.a); got != -c.want {
			t.Errorf("%s against %s: %d, want %d", c.b, c.a, got, -c.want)
		}
	}
}

// TestCompareDebAgainstDpkg holds our order against dpkg's own.
func TestCompareDebAgainstDpkg(t *testing.T) {
	dpkg, err := exec.LookPath("dpkg")
	if err != nil {
		t.Skip("dpkg is not installed")
	}
	version := rapid.Custom(func(t *rapid.T) string {
		v := rapid.StringMatching(`[0-9]{1,2}([.+~]?[0-9a-c]{1,3}){0,3}`).Draw(t, "upstream")
		if rapid.Bool().Draw(t, "has epoch") {
			v = rapid.StringMatching(`[0-2]`).Draw(t, "epoch") + ":" + v
		}
		if rapid.Bool().Draw(t, "has revision") {
			v += "-" + rapid.StringMatching(`[0-9]{1,2}([.+~]?[0-9a-c]{1,3}){0,2}`).Draw(t, "revision")
		}
		return v
	})
	says := func(a, op, b string) bool { return exec.Command(dpkg, "--compare-versions", a, op, b).Run() == nil }
	rapid.Check(t, func(t *rapid.T) {
		a, b := version.Draw(t, "a"), version.Draw(t, "b")
		op := map[int]string{-1: "lt", 0: "eq", 1: "gt"}[compareDeb(a, b)]
		if !says(a, op, b) {
			t.Fatalf("we say %s %s %s, dpkg does not", a, op, b)
		}
	})
}
