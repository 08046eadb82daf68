package planner_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/planner"
)

// TestLengths: no way to put hosts in waves, of any that there are, takes less time than is claimed, whichever
// of the hosts are left out.
func TestLengths(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(t, "hosts")
		spans := rapid.SliceOfN(rapid.IntRange(1, 9), n, n).Draw(t, "spans")
		rooms := rapid.SliceOfN(rapid.Int64Range(0, 6), n, n).Draw(t, "rooms")
		k, slack := rapid.IntRange(1, n).Draw(t, "at once"), rapid.Int64Range(6, 14).Draw(t, "slack")
		less := rapid.IntRange(0, n-1).Draw(t, "left out")
		slices.Sort(spans)
		slices.Reverse(spans)
		waves, best := shortestWaves(spans, rooms, slack, k, less)
		claimed := 0
		for _, i := range planner.Overflow(rooms, slack, k, waves, less) {
			claimed += spans[i]
		}
		if claimed > best {
			t.Errorf("%d claimed, %d is enough", claimed, best)
		}
	})
}

// shortestWaves tries all ways to fill waves with hosts but so many. It gives the fewest waves and the least sum
// of their longest spans.
func shortestWaves(spans []int, rooms []int64, slack int64, k, less int) (fewest, shortest int) {
	wave := make([]int, len(spans)) // of each host; less than zero: it is left out
	fewest, shortest = len(spans)+1, 1<<30
	var put func(i, waves, out int)
	put = func(i, waves, out int) {
		if i < len(spans) {
			for w := range waves + 1 {
				wave[i] = w
				put(i+1, max(waves, w+1), out)
			}
			if wave[i] = -1; out < less {
				put(i+1, waves, out+1)
			}
			return
		}
		total := 0
		for w := range waves {
			longest, room, hosts := 0, int64(0), 0
			for h := range spans {
				if wave[h] == w {
					longest, room, hosts = max(longest, spans[h]), room+rooms[h], hosts+1
				}
			}
			if total += longest; room > slack || hosts > k {
				return
			}
		}
		fewest, shortest = min(fewest, waves), min(shortest, total)
	}
	put(0, 0, 0)
	return fewest, shortest
}
