package optima

// landing is one wave while its destinations are chosen.
type landing struct {
	*search
	set        uint
	waves      int
	before     *state
	next       *state // after the wave, as far as it is chosen
	movers     []mover
	to         []int   // where those before went
	gib        int     // of those that have no destination yet
	placesFree int     // GiB free on hosts where instances can stay
	domains    [][]int // group -> domain -> members there, both ends counted
}

type mover struct {
	kind, from int
}

// countDomains counts the members of spread groups as the wave begins.
func (w *landing) countDomains() {
	w.domains = make([][]int, len(w.groups))
	for g := range w.groups {
		if w.domain[g] == nil {
			continue
		}
		w.domains[g] = make([]int, w.search.domains)
		for h := range w.hosts {
			n := w.stay[h][g]
			for k, kd := range w.kinds {
				if kd.group == g+1 {
					n += int(w.before.on[h][k])
				}
			}
			w.domains[g][w.domain[g][h]] += n
		}
	}
}

// land finds destinations for the movers from the i-th on.
func (w *landing) land(i, again int) bool {
	if i == len(w.movers) {
		return w.search.wave(w.next, w.waves-1, again)
	}
	if w.steps--; w.steps < 0 {
		return false
	}
	m := w.movers[i]
	gib := w.kinds[m.kind].gib
	if short := w.gib - w.placesFree; short > again*gib { // movers come largest first
		return false
	}
	from := 0
	if i > 0 && w.same(w.movers[i-1], m) {
		from = w.to[i-1] // alike movers go in the order of hosts
	}
	for t := from; t < w.hosts; t++ {
		if w.set>>t&1 == 1 || w.next.free[t] < gib || w.meet[m.from]>>t&1 == 0 || t != from && w.twinBefore(t, from) || !w.spread(m, t) {
			continue
		}
		ahead := int(w.next.ahead >> t & 1)
		if ahead > again {
			continue
		}
		w.book(m, t, 1)
		w.to[i] = t
		ok := w.land(i+1, again-ahead)
		w.book(m, t, -1)
		if ok {
			return true
		}
	}
	return false
}

// same: two movers can take each other's places.
func (w *landing) same(a, b mover) bool {
	if a.kind != b.kind || w.mask[a.from] != w.mask[b.from] {
		return false
	}
	g := w.kinds[a.kind].group
	return a.from == b.from || g == 0 || w.domain[g-1] == nil
}

// twinBefore: a host before this one, that may be chosen as well, is alike in all that counts by now.
func (w *landing) twinBefore(t, from int) bool {
	for o := from; o < t; o++ {
		if w.set>>o&1 == 0 && w.twin[o] == w.twin[t] && w.next.ahead>>o&1 == w.next.ahead>>t&1 && string(w.next.on[o]) == string(w.next.on[t]) {
			return true
		}
	}
	return false
}

// spread: nobody else of the mover's group is in the domain, or was there when the wave began.
func (w *landing) spread(m mover, t int) bool {
	g := w.kinds[m.kind].group
	if g == 0 || w.domain[g-1] == nil {
		return true
	}
	d := w.domain[g-1][t]
	others := w.domains[g-1][d]
	if d == w.domain[g-1][m.from] {
		others--
	}
	return others == 0
}

func (w *landing) book(m mover, t, n int) {
	kd := w.kinds[m.kind]
	w.next.on[t][m.kind] += uint8(n)
	w.next.free[t] -= n * kd.gib
	w.gib -= n * kd.gib
	if w.next.ahead>>t&1 == 0 {
		w.placesFree -= n * kd.gib
	}
	if kd.group > 0 && w.domain[kd.group-1] != nil {
		w.domains[kd.group-1][w.domain[kd.group-1][t]] += n
	}
}
