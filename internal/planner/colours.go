package planner

import (
	"cmp"
	"container/heap"
	"math/bits"
	"slices"
)

// Where groups, rather than room, bound how many hosts can be in one wave, the order of the queue makes poor
// waves: each takes whoever comes first, and what is left at the end conflicts with itself. Which hosts go
// together is a colouring of them, one colour a wave, such that each group and host group can spare all of one
// colour. It is found as Brélaz does (New methods to color the vertices of a graph, 1979): the host with fewest
// colours left to it is next. What lands on hosts that are not fixed may make new conflicts: before each wave
// those that lost their colour by it get another one.

const mostColours = 64

// colouring of the hosts that are due.
type colouring struct {
	bonds  []bond
	of     [][]membership // of a host, by its place in the queue
	masks  []uint64       // colours that a host cannot have
	colour []int          // by place; -1: none yet
	sizes  [mostColours]int
	next   saturated
}

// bond is a group or a host group, and its hosts.
type bond struct {
	spare int
	used  [mostColours]int
	hosts []int // by place
}

type membership struct{ bond, need int }

// colourUp gives each host that is due a colour; it keeps the one that it had where it can.
func (w *world) colourUp() {
	c := w.bonds()
	for place, h := range w.queue {
		if h.status == due && h.colour > 0 && c.masks[place]&(1<<(h.colour-1)) == 0 {
			c.give(place, h.colour-1)
		}
	}
	for place, h := range w.queue {
		if h.status == due && c.colour[place] < 0 {
			c.push(place)
		}
	}
	for len(c.next) > 0 {
		x := heap.Pop(&c.next).(saturation)
		if c.colour[x.place] < 0 && x.taken == bits.OnesCount64(c.masks[x.place]) {
			c.give(x.place, c.choose(x.place, w.by.even))
		}
	}
	for place, h := range w.queue {
		if c.colour[place] >= 0 {
			h.colour = 1 + c.colour[place]
		}
	}
}

// orderByColour lines the queue up by colours, small ones first. The first wave is a part of the last colour: what
// it moves lands on hosts whose turn is furthest away, and these are the rest of that colour, which its groups can
// spare as they could before. It is as large as that rest has room for.
func (w *world) orderByColour() {
	for i, h := range w.queue {
		h.place, h.colour = i, 0
	}
	w.colourUp()
	byColour := make([][]*host, mostColours+1)
	for _, h := range w.queue {
		byColour[h.colour] = append(byColour[h.colour], h)
	}
	slices.SortStableFunc(byColour, func(a, b []*host) int { return cmp.Compare(len(a), len(b)) })
	byColour = slices.DeleteFunc(byColour, func(hosts []*host) bool { return len(hosts) == 0 })
	if len(byColour) == 0 || len(byColour) == mostColours {
		return
	}
	last := byColour[len(byColour)-1]
	var room, out int64
	for _, h := range last {
		room += max(0, h.free())
	}
	n := 0
	for ; n < len(last) && out <= room; n++ {
		out += last[n].used
		room -= max(0, last[n].free())
	}
	n = max(1, n-1)
	byColour[len(byColour)-1] = last[n:]
	w.queue = w.queue[:0]
	for i, hosts := range append([][]*host{last[:n]}, byColour...) {
		for _, h := range hosts {
			h.colour = i + 1
			w.queue = append(w.queue, h)
		}
	}
}

// bonds reads who is in what.
func (w *world) bonds() *colouring {
	c := &colouring{of: make([][]membership, len(w.queue)), masks: make([]uint64, len(w.queue)), colour: slices.Repeat([]int{-1}, len(w.queue))}
	groups, hostGroups := map[*group]int{}, map[*hostGroup]int{}
	join := func(place, n, need int) {
		c.of[place] = append(c.of[place], membership{n, need})
		c.bonds[n].hosts = append(c.bonds[n].hosts, place)
	}
	for place, h := range w.queue {
		if h.status != due || h.can.livePatch {
			continue
		}
		var stops, moves []*guest
		for _, g := range h.toDo() {
			if w.mustStop(h, g) {
				stops = append(stops, g)
			} else {
				moves = append(moves, g)
			}
		}
		for _, n := range needsOf(stops, moves) {
			join(place, bondOf(c, groups, n.group, n.group.spare), n.count())
		}
		for _, g := range h.hostGroups {
			join(place, bondOf(c, hostGroups, g, g.spare), 1)
		}
	}
	return c
}

func bondOf[G comparable](c *colouring, known map[G]int, g G, spare int) int {
	n, there := known[g]
	if !there {
		n = len(c.bonds)
		known[g] = n
		c.bonds = append(c.bonds, bond{spare: spare})
	}
	return n
}

// give has a host take a colour, which others of its bonds may not have then.
func (c *colouring) give(place, colour int) {
	c.colour[place] = colour
	c.sizes[colour]++
	for _, m := range c.of[place] {
		b := &c.bonds[m.bond]
		b.used[colour] += m.need
		for _, o := range b.hosts {
			if c.colour[o] >= 0 || c.masks[o]&(1<<colour) != 0 || !c.full(o, m.bond, colour) {
				continue
			}
			c.masks[o] |= 1 << colour
			if c.next != nil {
				c.push(o)
			}
		}
	}
}

// choose takes of the colours in use that are left to a host the first, or for even waves the one that fewest
// have, or else a new one.
func (c *colouring) choose(place int, even bool) int {
	best := -1
	for colour, n := range c.sizes {
		switch {
		case c.masks[place]&(1<<colour) != 0:
		case n == 0:
			if best < 0 {
				best = colour
			}
		case best < 0 || n < c.sizes[best] && even:
			best = colour
		}
		if n == 0 && best >= 0 {
			return best
		}
	}
	return max(best, 0)
}

// full: a bond cannot spare a host beside those that have a colour.
func (c *colouring) full(place, n, colour int) bool {
	for _, m := range c.of[place] {
		if m.bond == n {
			return c.bonds[n].used[colour]+m.need > c.bonds[n].spare
		}
	}
	return false
}

// saturated are hosts without a colour, the one with fewest colours left to it first, then the one in most bonds.
type saturated []saturation

type saturation struct{ taken, bonds, place int }

func (c *colouring) push(place int) {
	heap.Push(&c.next, saturation{bits.OnesCount64(c.masks[place]), len(c.of[place]), place})
}

func (s saturated) Len() int { return len(s) }
func (s saturated) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(s[j].taken, s[i].taken), cmp.Compare(s[j].bonds, s[i].bonds), cmp.Compare(s[i].place, s[j].place)) < 0
}
func (s saturated) Swap(i, j int) { s[i], s[j] = s[j], s[i] }
func (s *saturated) Push(x any)   { *s = append(*s, x.(saturation)) }
func (s *saturated) Pop() any {
	last := (*s)[len(*s)-1]
	*s = (*s)[:len(*s)-1]
	return last
}

// coloured are those of the ready hosts whose colour is that of the wave or one before it, or the first that there
// is.
func (w *world) coloured(ready []*host) []*host {
	w.colourUp()
	first := mostColours + 1
	for _, h := range ready {
		first = min(first, h.colour)
	}
	first = max(first, w.ofStage+1)
	out := slices.DeleteFunc(ready, func(h *host) bool { return h.colour > first })
	slices.SortStableFunc(out, func(a, b *host) int { return cmp.Compare(a.colour, b.colour) })
	return out
}
