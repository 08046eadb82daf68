package planner

import "slices"

// places are some of the places in the queue, in their order. They are kept in blocks, so that a change moves
// few of them.
type places struct {
	blocks [][]int32
	n      int
}

// find gives the block that a place belongs to, and where in it.
func (s *places) find(x int32) (block, at int, there bool) {
	block, _ = slices.BinarySearchFunc(s.blocks, x, func(b []int32, x int32) int { return int(b[len(b)-1]) - int(x) })
	if block == len(s.blocks) {
		return block, 0, false
	}
	at, there = slices.BinarySearch(s.blocks[block], x)
	return block, at, there
}

func (s *places) add(place int) {
	x := int32(place)
	b, at, there := s.find(x)
	switch {
	case there:
		return
	case len(s.blocks) == 0:
		s.blocks, s.n = append(s.blocks, []int32{x}), 1
		return
	case b == len(s.blocks): // after the last of all
		b--
		at = len(s.blocks[b])
	}
	s.n++
	s.blocks[b] = slices.Insert(s.blocks[b], at, x)
	if all := s.blocks[b]; len(all) > blockMost {
		half := len(all) / 2
		s.blocks[b] = all[:half:half]
		s.blocks = slices.Insert(s.blocks, b+1, slices.Clone(all[half:]))
	}
}

func (s *places) remove(place int) {
	b, at, there := s.find(int32(place))
	if !there {
		return
	}
	s.n--
	s.blocks[b] = slices.Delete(s.blocks[b], at, at+1)
	if len(s.blocks[b]) == 0 {
		s.blocks = slices.Delete(s.blocks, b, b+1)
	}
}

// next is the first place that is not before another; -1: there is none.
func (s *places) next(from int) int {
	if b, at, _ := s.find(int32(from)); b < len(s.blocks) {
		return int(s.blocks[b][at])
	}
	return -1
}
