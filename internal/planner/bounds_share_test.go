package planner_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/planner"
)

// TestShare: no set of hosts with so much room has less on it than is claimed, or more; nor one with no more on
// it more room.
func TestShare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(t, "hosts")
		load := rapid.SliceOfN(rapid.Int64Range(0, 9), n, n).Draw(t, "load")
		room := rapid.SliceOfN(rapid.Int64Range(1, 9), n, n).Draw(t, "room")
		of := rapid.Int64Range(0, 40).Draw(t, "of")
		least, most, within := planner.Share(load, room, of)
		for set := range 1 << n {
			on, with := int64(0), int64(0)
			for i := range n {
				if set>>i&1 == 1 {
					on, with = on+load[i], with+room[i]
				}
			}
			if with >= of && on < least || with <= of && on > most || on <= least && with > within {
				t.Errorf("%d on %d of room: claimed for %d are %d to %d, and at most %d of room", on, with, of, least, most, within)
			}
		}
	})
}
