package plan

import (
	"testing"

	"github.com/evenkeel/evenkeel/internal/form"
)

// TestHomeRule: each of the two ways to say it, both at once, and what a policy that was written out says when it is
// read again.
func TestHomeRule(t *testing.T) {
	for _, c := range []struct {
		src, wrong string
		want       Home
	}{
		{"", "", HomeStay},
		{"bring_home: true\n", "", HomeReturn},
		{"bring_home: false\n", "", HomeStay},
		{"home: return\n", "", HomeReturn},
		{"home: stay\n", "", HomeStay},
		{"home: settle\n", "", HomeSettle},
		{"home: return\nbring_home: true\n", "", HomeReturn},
		{"home: settle\nbring_home: false\n", "", HomeSettle},
		{"home: settle\nbring_home: true\n", "3:13: bring_home: found true beside home: settle, expected home alone: bring_home: true is home: return", HomeSettle},
		{"bring_home: true\nhome: stay\n", "2:13: bring_home: found true beside home: stay, expected home alone: bring_home: true is home: return", HomeStay},
		{"home: return\nbring_home: false\n", "3:13: bring_home: found false beside home: return, expected one of the two alone: home: return, or home: stay", HomeReturn},
		{"home: sweet\n", `2:7: home: found "sweet", expected one of return, stay, settle`, ""},
	} {
		p, mistakes := ParsePolicy("f", []byte("evenkeel: policy/v1\n"+c.src))
		compare(t, mistakes, c.wrong)
		if c.want == "" {
			continue
		}
		if got := p.HomeRule(); got != c.want || p.BringHome != (got == HomeReturn) {
			t.Errorf("%q: %s (bring_home %v), want %s", c.src, got, p.BringHome, c.want)
		}
		again, mistakes := ParsePolicy("f", form.Encode(*p))
		if len(mistakes) > 0 || again.HomeRule() != c.want {
			t.Errorf("%q, written out and read again: %s, %v", c.src, again.HomeRule(), mistakes)
		}
	}
}
