package planner

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// order of a pool's hosts where sizes differ.
type order int

const (
	byRoom     order = iota // those first that give most room for each instance that must move
	byMemory                // those with the least memory in use
	bySmallest              // as byMemory, and of as much those whose largest instance is smallest
	byLargest               // as bySmallest, but after the first wave those with most memory of their own
)

// order lines up the hosts that are due, and for each pool the places where instances can go. Hosts of a
// pool that give most room for each instance that must move go first, for what the first wave moves is
// moved twice: empty ones before all others.
func (w *world) order() {
	for _, h := range w.hosts {
		if h.status == due {
			w.queue = append(w.queue, h)
		}
	}
	for _, p := range w.pools {
		w.weigh(p)
	}
	slices.SortStableFunc(w.queue, func(a, b *host) int {
		return cmp.Or(strings.Compare(a.region, b.region), strings.Compare(a.site, b.site), w.by.script.sooner(a, b), strings.Compare(a.pool.ID, b.pool.ID), w.sooner(a, b))
	})
	if w.by.order == byLargest {
		w.openLedgers() // of the order so far
		w.largestNext()
	}
	if w.by.risk != asDrafted {
		w.openLedgers()
		w.orderByRisk()
	}
	if w.by.coloured {
		w.orderByColour()
	}
	w.queueUp()
	w.notePreparing()
	w.openLedgers()
	w.shelve()
}

// sooner orders the hosts of one pool.
func (w *world) sooner(a, b *host) int {
	switch {
	case !a.pool.mixed:
		return cmp.Or(fuller(a, b), w.riskier(a, b), strings.Compare(a.ID, b.ID))
	case w.by.order != byRoom:
		if c := cmp.Compare(a.used, b.used); c != 0 || w.by.order == byMemory {
			return cmp.Or(c, w.riskier(a, b), cmp.Compare(a.seq, b.seq))
		}
		return cmp.Or(cmp.Compare(a.largest(), b.largest()), cmp.Compare(len(a.guests), len(b.guests)), w.riskier(a, b), cmp.Compare(a.seq, b.seq))
	}
	return cmp.Or(cmp.Compare(int64(len(a.guests))*b.MemoryMiB, int64(len(b.guests))*a.MemoryMiB), cmp.Compare(a.used, b.used), w.riskier(a, b), cmp.Compare(a.seq, b.seq))
}

// lighter orders hosts by how much their turn disturbs.
func lighter(a, b *host) int { return cmp.Or(fuller(a, b), strings.Compare(a.ID, b.ID)) }

func fuller(a, b *host) int {
	return cmp.Or(cmp.Compare(len(a.guests), len(b.guests)), cmp.Compare(a.used, b.used))
}

// largestNext lines up a pool's hosts after the first wave anew, for byLargest: the large ones are the harder to
// fit together in a wave, so the small ones that fill what is left come last.
func (w *world) largestNext() {
	ahead := map[*pool][]*host{}
	for _, h := range w.queue {
		ahead[h.pool] = append(ahead[h.pool], h)
	}
	for _, p := range w.pools {
		if !p.mixed || len(ahead[p]) == 0 {
			continue
		}
		o := w.outlookOf(p)
		if o == nil {
			continue
		}
		if waves, _, done := o.run(math.MaxInt64, min(o.n, farthest)); done {
			later := ahead[p][o.short(fewGaps).next(waves):]
			slices.SortStableFunc(later, func(a, b *host) int { return cmp.Compare(b.MemoryMiB, a.MemoryMiB) })
		}
	}
	for i, h := range w.queue {
		w.queue[i], ahead[h.pool] = ahead[h.pool][0], ahead[h.pool][1:]
	}
}

// largest is the memory of the largest instance on a host. Where room is scarce no host that is not fixed may have as much
// in one place; so whoever is in the first wave should have small ones.
func (h *host) largest() (mib int64) {
	for _, g := range h.guests {
		mib = max(mib, g.MemoryMiB)
	}
	return mib
}
