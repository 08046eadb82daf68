package planner

import "math/bits"

// ledger holds what a pool's outlook is made of, host by host, so that a wave that changed few hosts changes
// little of it: a tree of sums over the hosts that were due at the outset, in the order of the queue (Fenwick, A
// new data structure for cumulative frequency tables, 1994).
type ledger struct {
	on     bool
	odd    int      // hosts ahead that nobody moves off twice: they are refreshed or live-patched
	room   int64    // on hosts without a turn ahead
	tree   []burden // from 1
	burden          // of all
	known  []knownBurden
	age    int // grows with each change
	far    int // before so many waves the end is too far ahead for an outlook
}

// burden of hosts with a turn ahead, in units of memory; a unit is the largest that all instances' sizes are
// multiples of.
type burden struct {
	n    int
	out  int64 // to be moved
	free int64 // room, while they are not fixed
	gain int64 // room, once they are
}

func (s *burden) add(x burden) {
	s.n, s.out, s.free, s.gain = s.n+x.n, s.out+x.out, s.free+x.free, s.gain+x.gain
}

func (s burden) less(x burden) burden {
	return burden{s.n - x.n, s.out - x.out, s.free - x.free, s.gain - x.gain}
}

// knownBurden is what was found for the first so many hosts, and at which age.
type knownBurden struct {
	age int
	burden
}

// counted is what a host counts in its pool's ledger.
type counted struct {
	place int // in the tree; 0: it was not due at the outset
	burden
	odd  int
	room int64
}

// openLedgers counts all hosts at the outset of a stage.
func (w *world) openLedgers() {
	for _, p := range w.pools {
		p.ledger = ledger{on: true}
	}
	for _, h := range w.hosts {
		h.counted = counted{}
	}
	size := map[*pool]int{}
	for _, h := range w.queue {
		size[h.pool]++
		h.counted.place = size[h.pool]
	}
	for p, n := range size { // each by itself: their order does not matter
		p.ledger.tree, p.ledger.known = make([]burden, n+1), make([]knownBurden, n+1)
		p.ledger.age = 1
	}
	for _, h := range w.hosts {
		w.reckon(h)
	}
}

// reckon counts a host anew. It is to be called when its room, guests or status are others after a wave.
func (w *world) reckon(h *host) {
	t := &h.pool.ledger
	if !t.on {
		return
	}
	now := w.countOf(h)
	was := h.counted
	h.counted = now
	t.odd, t.room = t.odd+now.odd-was.odd, t.room+now.room-was.room
	t.add(now.place, now.less(was.burden))
}

// add counts so much more at a place.
func (l *ledger) add(place int, x burden) {
	if x == (burden{}) {
		return
	}
	l.burden.add(x)
	l.age++
	for ; place > 0 && place < len(l.tree); place += place & -place {
		l.tree[place].add(x)
	}
}

// countOf reckons what a host counts as things stand.
func (w *world) countOf(h *host) counted {
	c, unit := counted{place: h.counted.place}, h.pool.unit
	if h.status != due {
		if h.IsUp() { // also where it gets no turn: who lands there need not move again
			c.room = max(0, h.free()) / unit
		}
		return c
	}
	c.n = 1
	if h.refreshed() || h.can.livePatch {
		c.odd = 1
	}
	gain := h.MemoryMiB - h.used
	if h.can.moves() {
		for _, g := range h.guests {
			if g.stuck == nil {
				c.out += (g.MemoryMiB + unit - 1) / unit
				gain += g.MemoryMiB
			}
		}
	}
	if h.IsUp() {
		c.gain, c.free = max(0, gain)/unit, max(0, h.free())/unit
	}
	return c
}

// first gives the sums of the first so many hosts ahead.
func (l *ledger) first(n int) (s burden) {
	if k := &l.known[n]; k.age == l.age {
		return k.burden
	}
	at := 0
	for step := 1 << (bits.Len(uint(len(l.tree))) - 1); step > 0; step /= 2 {
		if x := at + step; x < len(l.tree) && s.n+l.tree[x].n <= n {
			at = x
			s.add(l.tree[x])
		}
	}
	l.known[n] = knownBurden{l.age, s}
	return s
}
