package planner

import (
	"cmp"
	"slices"
	"time"
)

// lengths bounds how long the waves of an area take together, when any so many of its hosts are left out.
//
// Line up the hosts by the spans of their turns, the longest first. If the first i of the line do not fit in
// j waves, then of any j waves one of these hosts is in another, which takes as long as the i-th at least: so
// does the j+1st longest wave of any plan. That they do not fit is shown by their number, at most k a wave, or by the room that goes with them, at most the
// slack a wave (bounds_room.go), in whichever unit it shows first. (For machines that process batches this is
// the bound of Uzsoy, Scheduling a single batch processing machine with non-identical job sizes, 1994.) Beyond
// that, each wave that is needed takes as long as the shortest turn.
//
// Whoever is left out takes with it one of the line, and no more room than the largest.
func (b *bounds) lengths(x part, a *area, hosts []*host, k, less int) (total time.Duration) {
	line := slices.Clone(hosts)
	slices.SortStableFunc(line, func(g, h *host) int { return cmp.Compare(b.span(x, h), b.span(x, g)) })
	n := len(line)
	waves := ceilDiv(n-less, k)
	if !x.live {
		waves = max(waves, b.bins(a, hosts, less))
	}
	first := tooMany(n, k, waves, less)
	if !x.live {
		b.limits(a, line, func(rooms []int64, slack int64) { overflow(first, rooms, slack, less) })
	}
	for _, i := range first {
		total += b.span(x, line[i])
	}
	return total
}

// tooMany gives for each number of waves the first host of a line that does not fit in so many with those
// before it, by their number: the last one where all do.
func tooMany(line, k, waves, less int) []int {
	first := make([]int, waves)
	for j := range first {
		first[j] = min(less+j*k, line-1)
	}
	return first
}

// overflow moves each first one forth to where the rooms before it, with its own, exceed so many times the
// slack.
func overflow(first []int, rooms []int64, slack int64, less int) {
	ordered := slices.Sorted(slices.Values(rooms))
	if len(rooms) == 0 || slack <= 0 || ordered[len(ordered)-1] > slack {
		return // the plan found a way all the same: this limit is not for it
	}
	sum := int64(0)
	for _, room := range ordered[max(0, len(ordered)-less):] {
		sum -= room
	}
	j := 0
	for i, room := range rooms {
		for sum += room; j < len(first) && sum > int64(j)*slack; j++ {
			first[j] = min(first[j], i)
		}
	}
}
