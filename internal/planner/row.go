package planner

import (
	"slices"
)

// row is a list of alike hosts in the order in which they are taken as destinations while they are not
// fixed. Its two trees hold what is free on those that have their live patch, and on those that do not.
type row struct {
	class int32
	hosts []*host
	ranks []int // their places among all of the pool
	trees [2][]int64
	width int // of the trees: a power of two, not less than the hosts
}

func (r *row) build() {
	for r.width = 1; r.width < len(r.hosts); r.width *= 2 {
	}
	for i := range r.trees {
		r.trees[i] = slices.Repeat([]int64{-1}, 2*r.width)
	}
	for i, h := range r.hosts {
		r.set(i, h)
	}
}

// place of a host in a row.
type place struct {
	row *row
	n   int
}

// set notes what is free on the host at a place.
func (r *row) set(place int, h *host) {
	for i, tree := range r.trees {
		free := int64(-1)
		if !h.fixed() && !h.inTurn && h.IsUp() && h.isPatched() == (i == 1) {
			free = h.free()
		}
		n := place + r.width
		if tree[n] == free {
			continue
		}
		for tree[n] = free; n > 1; {
			n /= 2
			tree[n] = max(tree[2*n], tree[2*n+1])
		}
	}
}

// next is the first place, not before from, of a host with so much free; -1: there is none.
func (r *row) next(from int, mib int64, patched bool) int {
	tree := r.trees[0]
	if patched {
		tree = r.trees[1]
	}
	if from >= r.width || tree[1] < mib {
		return -1
	}
	n := from + r.width
	for tree[n] < mib {
		for n&1 == 1 { // it ends its parent
			n /= 2
		}
		if n == 0 {
			return -1
		}
		n++
	}
	for n < r.width {
		if n *= 2; tree[n] < mib {
			n++
		}
	}
	return n - r.width
}
