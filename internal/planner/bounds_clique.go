package planner

import (
	"cmp"
	"slices"
)

// mostSeeds bounds the search for cliques, widest how many hosts a clique may have that others are added to.
const (
	mostSeeds = 32
	widest    = 200
)

// conflicts are sets of hosts of which no two can be in one wave, since a group or a host group cannot spare
// both.
type conflicts struct {
	sets [][]int32 // of numbers of hosts, ascending
	of   [][]int32 // host -> the sets that it is in
}

// clique finds many hosts of which no two can be in one wave: it starts with those that one group sets apart,
// and adds who conflicts with all of them through others. So many waves are needed at least; that no larger
// such set exists is not claimed.
func (b *bounds) clique(x part) (largest int) {
	c := b.conflicts(x)
	bySize := make([]int, len(c.sets))
	for i := range bySize {
		bySize[i] = i
	}
	slices.SortStableFunc(bySize, func(x, y int) int { return cmp.Compare(len(c.sets[y]), len(c.sets[x])) })
	for _, seed := range bySize[:min(len(bySize), mostSeeds)] {
		largest = max(largest, len(c.grow(int32(seed))))
	}
	return largest
}

// grow adds to one set who is apart from each host in it.
func (c *conflicts) grow(seed int32) []int32 {
	q := slices.Clone(c.sets[seed])
	if len(q) > widest {
		return q
	}
	for _, s := range c.of[q[0]] {
		if s == seed || len(c.sets[s]) > widest {
			continue
		}
		for _, h := range c.sets[s] {
			if !slices.ContainsFunc(q, func(o int32) bool { return o == h || !c.apart(h, o) }) {
				q = append(q, h)
			}
		}
	}
	return q
}

func (c *conflicts) apart(h, o int32) bool {
	return slices.ContainsFunc(c.of[h], func(s int32) bool {
		_, found := slices.BinarySearch(c.sets[s], o)
		return found
	})
}

func (b *bounds) conflicts(x part) conflicts {
	c := conflicts{of: make([][]int32, len(b.hosts))}
	in := b.marked(x)
	for _, g := range b.needs {
		var set []int32
		for _, n := range g.hosts {
			if in[n.host.seq] && !x.live && 2*n.count() > g.spare { // any two of these need more than there is
				set = append(set, int32(n.host.seq))
			}
		}
		c.add(set)
	}
	byGroup := map[*hostGroup][]int32{}
	var order []*hostGroup
	for _, h := range b.hosts {
		for _, g := range h.hostGroups {
			if g.spare == 1 && in[h.seq] {
				if byGroup[g] == nil {
					order = append(order, g)
				}
				byGroup[g] = append(byGroup[g], int32(h.seq))
			}
		}
	}
	for _, g := range order {
		c.add(byGroup[g])
	}
	return c
}

func (c *conflicts) add(set []int32) {
	if len(set) < 2 {
		return
	}
	n := int32(len(c.sets))
	c.sets = append(c.sets, set)
	for _, h := range set {
		c.of[h] = append(c.of[h], n)
	}
}
