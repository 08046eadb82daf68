package planner

import (
	"cmp"
	"hash/fnv"
	"slices"
)

// A pool's hosts are kept so that a destination is found without a look at each. Those at the target
// stand on shelves, one for each class of host, in the order of their free memory. The others, which are
// taken in one fixed order, stand in rows, one for each class, over which a tree of maxima finds the next
// one with enough room. Hosts that are in their own turn stand nowhere.

// shelf is a list of alike hosts by steps of free memory, most first; in one step by their marks. It is kept
// in blocks, so that a change moves few of them.
type shelf struct {
	class  int32
	spare  bool
	step   int64 // MiB
	blocks [][]spot
}

type spot struct {
	steps int64
	mark  uint32
	seq   int
	host  *host
}

const blockMost = 128

func (s *shelf) spotOf(h *host, free int64) spot { return spot{free / s.step, h.mark, h.seq, h} }

func (s spot) compare(o spot) int {
	return cmp.Or(cmp.Compare(o.steps, s.steps), cmp.Compare(s.mark, o.mark), cmp.Compare(s.seq, o.seq))
}

// markOf spreads ids evenly, and always alike: ties are broken by marks, so that whoever is added or taken
// away changes the choice of few others.
func markOf(id string) uint32 {
	m := fnv.New32a()
	_, _ = m.Write([]byte(id))
	n := m.Sum32() // ids that differ at their end only still lie together
	n ^= n >> 16
	n *= 0x85ebca6b
	n ^= n >> 13
	n *= 0xc2b2ae35
	return n ^ n>>16
}

// find gives the block that a spot belongs to, and its place there.
func (s *shelf) find(x spot) (block, place int, there bool) {
	block, _ = slices.BinarySearchFunc(s.blocks, x, func(b []spot, x spot) int { return b[len(b)-1].compare(x) })
	if block == len(s.blocks) {
		return block, 0, false
	}
	place, there = slices.BinarySearchFunc(s.blocks[block], x, spot.compare)
	return block, place, there
}

func (s *shelf) add(x spot) {
	b, place, _ := s.find(x)
	switch {
	case len(s.blocks) == 0:
		s.blocks = append(s.blocks, []spot{x})
		return
	case b == len(s.blocks): // after the last of all
		b--
		place = len(s.blocks[b])
	}
	s.blocks[b] = slices.Insert(s.blocks[b], place, x)
	if all := s.blocks[b]; len(all) > blockMost {
		half := len(all) / 2
		s.blocks[b] = all[:half:half]
		s.blocks = slices.Insert(s.blocks, b+1, slices.Clone(all[half:]))
	}
}

func (s *shelf) remove(x spot) {
	b, place, there := s.find(x)
	if !there {
		return
	}
	s.blocks[b] = slices.Delete(s.blocks[b], place, place+1)
	if len(s.blocks[b]) == 0 {
		s.blocks = slices.Delete(s.blocks, b, b+1)
	}
}

// most is not less than what is free on any of its hosts; less than zero: there is none.
func (s *shelf) most() int64 {
	if len(s.blocks) == 0 {
		return -1
	}
	return (s.blocks[0][0].steps+1)*s.step - 1
}

// from walks the hosts that have so much free: the one with most first, or with least when tight; of those
// with as much, the one whose mark comes next.
func (s *shelf) from(mib int64, tight bool, mark uint32) func(yield func(*host) bool) {
	if tight {
		return s.upFrom(mib)
	}
	return func(yield func(*host) bool) {
		fits := func(x spot) bool { return x.host.shelved < mib || yield(x.host) }
		for b, n := 0, 0; b < len(s.blocks); {
			steps := s.blocks[b][n].steps
			if steps < mib/s.step {
				return
			}
			midB, midN, _ := s.find(spot{steps: steps, mark: mark, seq: -1})
			endB, endN := midB, midN
			for ; endB < len(s.blocks) && s.blocks[endB][endN].steps == steps; endB, endN = s.after(endB, endN) {
				if !fits(s.blocks[endB][endN]) {
					return
				}
			}
			for ; b != midB || n != midN; b, n = s.after(b, n) {
				if !fits(s.blocks[b][n]) {
					return
				}
			}
			b, n = endB, endN
		}
	}
}

// after is the place after another.
func (s *shelf) after(block, n int) (int, int) {
	if n++; n == len(s.blocks[block]) {
		return block + 1, 0
	}
	return block, n
}

func (s *shelf) upFrom(mib int64) func(yield func(*host) bool) {
	return func(yield func(*host) bool) {
		n, _ := slices.BinarySearchFunc(s.blocks, mib/s.step, func(b []spot, steps int64) int {
			if b[0].steps >= steps {
				return -1
			}
			return 1
		})
		for n--; n >= 0; n-- {
			for _, x := range slices.Backward(s.blocks[n]) {
				if x.host.shelved >= mib && !yield(x.host) {
					return
				}
			}
		}
	}
}

// shelve puts all hosts where they stand at the outset of a stage, those that are not fixed in the order
// of place in each pool's rows.
func (w *world) shelve() {
	for _, h := range w.hosts {
		h.class = w.alike.host(h.Host)
		h.shelved, h.shelves, h.places = -1, nil, nil
	}
	for _, p := range w.pools {
		p.shelves, p.rows = nil, nil
		for rank, h := range p.inOrder() {
			r := p.rowOf(h.class)
			h.places = append(h.places, place{r, len(r.hosts)})
			r.hosts, r.ranks = append(r.hosts, h), append(r.ranks, rank)
		}
		for _, r := range p.rows {
			r.build()
		}
	}
	for _, h := range w.hosts {
		h.stand()
	}
}

// inOrder are the hosts of a pool that are not fixed, in the order in which they are taken as destinations:
// the one whose turn is furthest away first; one that is blocked does not get fixed, and comes last.
func (p *pool) inOrder() (open []*host) {
	for _, h := range p.hosts {
		if !h.fixed() {
			open = append(open, h)
		}
	}
	slices.SortStableFunc(open, func(a, b *host) int {
		switch {
		case a.status != b.status:
			return cmp.Compare(a.status, b.status)
		case a.status == due:
			return cmp.Compare(b.place, a.place)
		case a.Spare != b.Spare && a.Spare:
			return -1
		case a.Spare != b.Spare:
			return 1
		}
		return cmp.Compare(a.seq, b.seq)
	})
	return open
}

func (p *pool) rowOf(class int32) *row {
	i, found := slices.BinarySearchFunc(p.rows, class, func(r *row, class int32) int { return cmp.Compare(r.class, class) })
	if !found {
		p.rows = slices.Insert(p.rows, i, &row{class: class})
	}
	return p.rows[i]
}

func (p *pool) shelfOf(class int32, spare bool) *shelf {
	i, found := slices.BinarySearchFunc(p.shelves, class, func(s *shelf, class int32) int {
		switch {
		case s.spare != spare && s.spare:
			return -1
		case s.spare != spare:
			return 1
		}
		return cmp.Compare(s.class, class)
	})
	if !found {
		p.shelves = slices.Insert(p.shelves, i, &shelf{class: class, spare: spare, step: p.step})
	}
	return p.shelves[i]
}

// stand puts a host where it belongs by now. It is to be called after each change of its room or status.
func (h *host) stand() {
	free := int64(-1)
	if h.fixed() && !h.inTurn && h.IsUp() {
		free = h.free()
	}
	free = max(free, -1)
	if was := h.shelved; free != was {
		for _, s := range h.shelves {
			s.remove(s.spotOf(h, was))
		}
		if h.shelved, h.shelves = free, h.shelves[:0]; free >= 0 {
			for _, p := range h.pools {
				s := p.shelfOf(h.class, h.Spare)
				s.add(s.spotOf(h, free))
				h.shelves = append(h.shelves, s)
			}
		}
	}
	for _, p := range h.places {
		p.row.set(p.n, h)
	}
}
