package audit

import (
	"testing"

	"pgregory.net/rapid"
)

// TestRoomTree: it finds whom a look at all of them finds.
func TestRoomTree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 20).Draw(t, "hosts")
		tree, room := newRoomTree(n), make([]int64, n)
		for i := range room {
			room[i] = -1
		}
		for range rapid.IntRange(0, 40).Draw(t, "changes") {
			i := rapid.IntRange(0, n-1).Draw(t, "host")
			room[i] = rapid.Int64Range(-1, 9).Draw(t, "room")
			tree.set(i, room[i])
			from, mib := rapid.IntRange(0, n).Draw(t, "from"), rapid.Int64Range(1, 9).Draw(t, "need")
			want := -1
			for k := from; k < n && want < 0; k++ {
				if room[k] >= mib {
					want = k
				}
			}
			if got := tree.next(from, mib); got != want {
				t.Fatalf("from %d, %d MiB of %v: %d, want %d", from, mib, room, got, want)
			}
		}
	})
}
