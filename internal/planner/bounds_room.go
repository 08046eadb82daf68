package planner

import (
	"cmp"
	"slices"
	"sort"
)

// An area is a set of pools that share hosts with one another, directly or over others: no instance leaves
// it. Most areas are one pool.
//
// How many hosts of an area can be empty at once? During a wave all that can move is on hosts that are not
// in it: nobody lands on a host that is in its turn, and those that leave hold their place at both ends.
// So the instances that move must fit on the other hosts, beside what never leaves those. Where they are
// now does not matter, so this holds for each wave alike.
//
// Whether sizes fit is a packing problem; these are relaxations of it. Weigh memory in whole units:
// floor(x/unit). What fits a host together weighs no more than its room does, since floor(x) + floor(y) <=
// floor(x+y). With the unit of 1 MiB it is the sum of memory. With the unit of one size among others, it
// counts the slots of that size: for n hosts of c used and s free slots each, (n-k)(c+s) >= nc, which is
// k <= s*n/(c+s). (Dual feasible functions: Fekete and Schepers, New classes of fast lower bounds for bin
// packing problems, 2001.)
type area struct {
	pools []*pool
	hosts []*host
	away  int // hosts that policy lets be away at once
	most  int // hosts that can be in a turn together, as atOnce reckons
	units []unit
}

// unit is one way to weigh.
type unit struct {
	mib    int64
	slack  int64         // weight of the room on all healthy hosts, less that of all that moves on them
	weight map[int64]int // weight -> how many movers have it, of all that surely move
}

// mostUnits bounds the effort: the sizes that most memory is in, and the common ones among the rest.
const mostUnits = 10

// findAreas joins pools.
func (b *bounds) findAreas() {
	leader := map[*pool]*pool{}
	find := func(p *pool) *pool {
		for leader[p] != nil {
			p = leader[p]
		}
		return p
	}
	for _, h := range b.hosts {
		for _, p := range h.pools[1:] {
			if x, y := find(h.pools[0]), find(p); x != y {
				leader[y] = x
			}
		}
	}
	of := map[*pool]*area{}
	for _, p := range b.pools {
		a := of[find(p)]
		if a == nil {
			a = &area{}
			of[find(p)] = a
			b.areas = append(b.areas, a)
		}
		a.pools = append(a.pools, p)
		a.away += p.maxAway
		b.areaOf[p] = a
	}
	for _, h := range b.hosts {
		b.areaOf[h.pool].hosts = append(b.areaOf[h.pool].hosts, h)
	}
}

// weighAreas finds how many hosts of each area can be away at once. What holds for all that are ever away
// holds for some of them.
func (b *bounds) weighAreas(x part) {
	of := map[*area][]*host{}
	for _, h := range x.hosts {
		of[b.areaOf[h.pool]] = append(of[b.areaOf[h.pool]], h)
	}
	for _, a := range b.areas {
		if len(of[a]) > 0 {
			a.units = b.unitsOf(a)
			a.most = b.atOnce(a, of[a])
		}
	}
}

// unitsOf weighs an area by each unit.
func (b *bounds) unitsOf(a *area) (out []unit) {
	count := map[int64]int{}
	for _, h := range a.hosts {
		for _, m := range b.loads[h.seq].movers {
			count[m.MemoryMiB]++
		}
	}
	for _, mib := range unitSizes(count) {
		u := unit{mib: mib, weight: map[int64]int{}}
		for _, h := range a.hosts {
			u.slack += u.room(b, h)
			for _, m := range b.loads[h.seq].movers {
				if m.unsure {
					continue
				}
				w := m.MemoryMiB / mib
				u.weight[w]++
				if h.IsUp() { // on a sick host they may stay until its own turn
					u.slack -= w
				}
			}
		}
		out = append(out, u)
	}
	return out
}

// unitSizes picks units: one MiB, and the sizes in which most memory is.
func unitSizes(count map[int64]int) []int64 {
	var sizes []int64
	for mib := range count {
		sizes = append(sizes, mib)
	}
	slices.SortFunc(sizes, func(x, y int64) int {
		return cmp.Or(cmp.Compare(y*int64(count[y]), x*int64(count[x])), cmp.Compare(x, y))
	})
	sizes = sizes[:min(len(sizes), mostUnits)]
	if !slices.Contains(sizes, 1) {
		sizes = append(sizes, 1)
	}
	return sizes
}

// room is what instances that come can weigh on a host.
func (u *unit) room(b *bounds, h *host) int64 {
	if !h.IsUp() {
		return 0
	}
	return max(0, h.MemoryMiB-b.loads[h.seq].keeps) / u.mib
}

// limits calls back with each limit on a wave: the rooms that go with some hosts in their turns, and how much
// may go at once.
func (b *bounds) limits(a *area, hosts []*host, f func(rooms []int64, slack int64)) {
	for i := range a.units {
		u := &a.units[i]
		f(b.rooms(u, hosts, false), u.slack)
		if p := a.pools[0]; u.mib == 1 && b.policy.KeepReserve && len(a.pools) == 1 {
			f(b.rooms(u, hosts, true), u.slack-p.reserve)
		}
	}
}

// atOnce bounds from above how many of some hosts of an area can be in a turn together, by policy and by
// room: no choice does better than those with the least room.
func (b *bounds) atOnce(a *area, hosts []*host) int {
	k := min(len(hosts), a.away)
	b.limits(a, hosts, func(rooms []int64, slack int64) {
		slices.Sort(rooms)
		k = min(k, most(slack, rooms))
	})
	return max(1, k)
}

// bins bounds the waves from below by room, when so many hosts are left out. Waves are bins into which the
// rooms that go with hosts are packed, each bin as large as the slack. All bins hold the sum. And of the m
// hosts with most room a wave holds no more than fit of the smallest of them, for each m.
func (b *bounds) bins(a *area, hosts []*host, less int) (least int) {
	b.limits(a, hosts, func(rooms []int64, slack int64) {
		slices.Sort(rooms)
		rooms = rooms[:max(0, len(rooms)-less)]
		if slack <= 0 || len(rooms) == 0 || rooms[len(rooms)-1] > slack {
			return // the plan found a way all the same: this limit is not for it
		}
		total := sums(rooms)
		n := len(rooms)
		least = max(least, int(ceilDiv(total[n], slack)))
		for from, to := 0, 0; from < n; from++ { // those from here on are the n-from with most room
			for to < n && total[to+1]-total[from] <= slack {
				to++
			}
			least = max(least, ceilDiv(n-from, to-from))
		}
	})
	return least
}

// rooms lists the rooms that go with hosts in their turns. A refreshed host keeps what came
// to it before. The reserve is asked of turns only that move something, so there the others count nothing.
func (b *bounds) rooms(u *unit, hosts []*host, moving bool) []int64 {
	out := make([]int64, len(hosts))
	for i, h := range hosts {
		if !h.refreshed() && (!moving || len(b.loads[h.seq].movers) > 0) {
			out[i] = u.room(b, h)
		}
	}
	return out
}

// most is how many of the sorted numbers fit in a sum.
func most(sum int64, sorted []int64) (n int) {
	for _, x := range sorted {
		if sum -= x; sum < 0 && x > 0 {
			break
		}
		n++
	}
	return n
}

// heaviest gives the least number of movers that weigh so much together, and top the most that so many weigh.
func (u *unit) heaviest() (heaviest func(weight int64) int, top func(movers int) int64) {
	var weights []int64
	for w := range u.weight {
		weights = append(weights, w)
	}
	slices.Sort(weights)
	slices.Reverse(weights)
	sums, counts := []int64{0}, []int{0} // after the heaviest so many kinds
	for i, w := range weights {
		sums = append(sums, sums[i]+w*int64(u.weight[w]))
		counts = append(counts, counts[i]+u.weight[w])
	}
	heaviest = func(weight int64) int {
		if weight <= 0 {
			return 0
		}
		i := sort.Search(len(sums), func(i int) bool { return sums[i] >= weight })
		if i == len(sums) {
			return counts[i-1]
		}
		return counts[i-1] + int(ceilDiv(weight-sums[i-1], weights[i-1]))
	}
	top = func(movers int) int64 {
		i := sort.SearchInts(counts, movers)
		switch {
		case movers <= 0:
			return 0
		case i == len(counts):
			return sums[i-1]
		}
		return sums[i] - int64(counts[i]-movers)*weights[i-1]
	}
	return heaviest, top
}
