package planner

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// alikeHosts is the outlook of n hosts with each so many places used and free, of which at most so many may be
// away at once.
func alikeHosts(n int, used, free int64, most int) *outlook {
	l := &ledger{tree: make([]burden, n+1), known: make([]knownBurden, n+1), age: 1}
	o := &outlook{ledger: l, keep: -1, most: most}
	for place := 1; place <= n; place++ {
		l.add(place, burden{1, used, free, used + free})
	}
	return o
}

// search finds the least that must move twice by trying all sizes of all waves; -1: it cannot be done.
func search(o *outlook, done int, room, twice int64, waves int) int64 {
	if done == o.n {
		return 0
	}
	if waves == 0 {
		return -1
	}
	one := o.before(1)
	used, free := one.out, one.free
	onLast := func(from int) int64 { return min(twice, free*int64(o.n-from)) }
	best := int64(-1)
	for size := 1; size <= min(o.most, o.n-done); size++ {
		next := done + size
		out := used*int64(size) + onLast(done) - onLast(next)
		over := max(0, out-room)
		if over > free*int64(o.n-next)-onLast(next) {
			break
		}
		rest := search(o, next, max(0, room-out)+one.gain*int64(size), onLast(next)+over, waves-1)
		if rest >= 0 && (best < 0 || over+rest < best) {
			best = over + rest
		}
	}
	return best
}

// TestOutlook: no sizes of waves do with fewer waves, or with fewer instances that move twice in as many.
func TestOutlook(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 9).Draw(t, "hosts")
		o := alikeHosts(n, int64(rapid.IntRange(1, 8).Draw(t, "used")), int64(rapid.IntRange(1, 6).Draw(t, "free")), rapid.IntRange(1, n).Draw(t, "away"))
		o.room = int64(rapid.IntRange(0, 9).Draw(t, "room"))
		waves, _, done := o.run(math.MaxInt64, n)
		if few := search(o, 0, o.room, 0, waves-1); few >= 0 {
			t.Fatalf("%d waves, %d would do", waves, waves-1)
		}
		if !done {
			return
		}
		for w := waves; w <= min(n, waves+2); w++ {
			least, want := o.least(w), search(o, 0, o.room, 0, w)
			if least != want {
				t.Fatalf("%d waves: %d places move twice, %d would do", w, least, want)
			}
			if least != want {
				t.Logf("%d waves: %d, %d would do", w, least, want)
			}
		}
	})
}
