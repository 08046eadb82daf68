package planner

import "slices"

// movesMin bounds the moves: M1, M2, and the tightest that is known here.
//
// M1: each instance on a host that must be emptied moves once (and once more if it comes home).
//
// M2: where no host of an area is a place to stay at the outset, those of the first wave land on hosts that
// must be emptied too. With W waves of at most k hosts, the first wave has at least n - k(W-1), and the
// lightest ones at best. Where hosts differ, the room that goes with them says more: with W waves of at most
// the slack (bounds_room.go) the first one takes all room but W-1 slacks with it, and the hosts with the fewest
// instances for their room at best. W counts the waves of the whole plan, for an area may use them all.
//
// The tightest carries M2's thought on over all waves; see again. Neither counts a second move of those that
// the plan stops somewhere after all.
func (b *bounds) movesMin(x part) (m1, m2, least int) {
	for _, m := range b.plan.Moves {
		if m.Home {
			m1++
		}
	}
	for _, h := range x.hosts {
		m1 += len(b.loads[h.seq].movers)
	}
	if b.anyHome() {
		return m1, m1, m1
	}
	pools := byPool(x.hosts)
	firsts, agains := 0, 0
	for _, a := range b.areas {
		var hosts []*host
		for _, p := range a.pools {
			for _, h := range pools[p] {
				if !h.refreshed() {
					hosts = append(hosts, h)
				}
			}
		}
		if len(hosts) > 0 {
			first := b.firstWave(a, hosts, x.waves)
			firsts += first
			agains += max(first, b.again(a, hosts, x.waves))
		}
	}
	return m1, m1 + firsts, m1 + agains
}

// sure counts the movers that move in each turn of a host that they are on.
func (l *load) sure() (n int) {
	for i := range l.movers {
		if !l.movers[i].unsure {
			n++
		}
	}
	return n
}

// firstWave is M2's second term for one area, nothing where a host with room needs no turn.
func (b *bounds) firstWave(a *area, hosts []*host, waves int) (n int) {
	var places int64
	turn := make(map[*host]bool, len(hosts))
	var moves []int
	for _, h := range hosts {
		turn[h] = true
		moves = append(moves, b.loads[h.seq].sure())
	}
	for _, h := range a.hosts {
		if !turn[h] {
			places += (&unit{mib: 1}).room(b, h)
		}
	}
	if places > 0 {
		return 0
	}
	slices.Sort(moves)
	first := max(1, len(hosts)-a.most*(waves-1))
	for _, m := range moves[:min(first, len(moves))] {
		n += m
	}
	b.limits(a, hosts, func(rooms []int64, slack int64) {
		if slack <= 0 || slices.Max(rooms) > slack {
			return // the plan found a way all the same: this limit is not for it
		}
		s := share{}
		for i, h := range hosts {
			s.hosts = append(s.hosts, loaded{int64(b.loads[h.seq].sure()), rooms[i]})
		}
		s.line(false)
		n = max(n, int(s.of(s.room()-slack*int64(waves-1), true)))
	})
	return n
}
