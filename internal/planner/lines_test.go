package planner

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestPlaces: places come in their order, whatever was added and removed.
func TestPlaces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s places
		there := map[int]bool{}
		for range rapid.IntRange(1, 800).Draw(t, "changes") {
			x := rapid.IntRange(0, 400).Draw(t, "place")
			if there[x] = rapid.IntRange(0, 3).Draw(t, "add") > 0; there[x] {
				s.add(x)
			} else {
				s.remove(x)
			}
		}
		var want, got []int
		for x := range 401 {
			if there[x] {
				want = append(want, x)
			}
		}
		for x := s.next(0); x >= 0; x = s.next(x + 1) {
			got = append(got, x)
		}
		if !slices.Equal(got, want) || s.n != len(want) {
			t.Fatalf("%v (%d), want %v", got, s.n, want)
		}
	})
}

// TestLedger: the sums over the first hosts ahead are what adding them up gives, also when some are gone and
// others changed.
func TestLedger(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 20).Draw(t, "hosts")
		l := &ledger{tree: make([]burden, n+1), known: make([]knownBurden, n+1), age: 1}
		hosts := make([]burden, n)
		for i := range 3 * n {
			at, now := i%n, burden{n: 1, out: rapid.Int64Range(0, 9).Draw(t, "out"), free: rapid.Int64Range(0, 9).Draw(t, "free"), gain: rapid.Int64Range(0, 9).Draw(t, "gain")}
			if i >= n && rapid.Bool().Draw(t, "gone") {
				now = burden{}
			}
			l.add(at+1, now.less(hosts[at]))
			hosts[at] = now
			var want burden
			for _, h := range hosts {
				if got := l.first(want.n); got != want {
					t.Fatalf("%+v, want %+v", got, want)
				}
				want.add(h)
			}
			if l.burden != want {
				t.Fatalf("%+v in all, want %+v", l.burden, want)
			}
		}
	})
}
