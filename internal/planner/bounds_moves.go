package planner

import (
	"cmp"
	"slices"
	"sort"
)

// movesMin bounds the moves: M1, M2, and the tightest that is known here.
//
// M1: each instance on a host that must be emptied moves once (and once more if it comes home).
//
// M2: where no host of an area is a place to stay at the outset, those of the first wave land on hosts that
// must be emptied too. With W waves of at most k hosts, the first wave has at least n - k(W-1), and the
// lightest ones at best. W counts the waves of the whole plan, for an area may use them all.
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
	if b.policy.BringHome {
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
	return n
}

// again bounds how many instances of an area must move a second time, in W waves of at most k hosts.
//
// Let X(t) be how many of the area's n hosts are done after wave t. All instances that were on these have
// left them. Each is now either where it can stay, on a host that needs no turn or one that was done before
// wave t (those of wave t were away), or on a host whose turn is ahead, and then it moves again. So, weighed
// in any unit of area,
//
//	again >= as few as can weigh what was on X(t) hosts - room of X(t-1) hosts - room without turns
//
// for each t. The lightest hosts were emptied at best, and those with most room done. X(0) = 0, X grows by at
// most k, and X(W) >= n. Given a number of instances that move again, each X(t) may as well be as large as
// these conditions allow, since a larger one only loosens what follows. So the least number for which that
// greedy sequence reaches n in W waves is a lower bound; it is found by bisection.
//
// Where hosts differ, slack says more than k: the rooms that are away in one wave are no more than the slack
// (bounds_room.go). So after wave t the hosts that are done have at least all rooms but (W-t) slacks, and before
// it at most t-1 slacks of them. What was on hosts of so much room is at least what a fractional knapsack takes,
// which empties the hosts with the least on them per room first.
//
// With t = 1 alone and no room without turns this is M2. It is more where the fixed hosts of small first
// waves cannot take what large later waves bring.
func (b *bounds) again(a *area, hosts []*host, waves int) int {
	k := a.most
	var all []scale
	total := 0
	for i := range a.units {
		all = append(all, b.scaleOf(a, hosts, &a.units[i]))
	}
	for _, h := range hosts {
		total += b.loads[h.seq].sure()
	}
	reaches := func(again int) bool {
		if slices.ContainsFunc(all, func(s scale) bool { return s.bySlack(waves) > again }) {
			return false
		}
		done := 0
		for range waves {
			from := done
			grow := min(k, len(hosts)-from)
			done += sort.Search(grow, func(more int) bool { // the first that is one too many
				return slices.ContainsFunc(all, func(s scale) bool { return s.again(from+more+1, from) > again })
			})
			if done == len(hosts) {
				return true
			}
		}
		return false
	}
	n := sort.Search(total, reaches)
	if n == total && !reaches(n) {
		return 0 // not even with all: then the plan's stops are at work, and nothing is claimed
	}
	return n
}

// scale weighs the hosts of an area in one unit, for again.
type scale struct {
	load     []int64  // of the so many lightest hosts
	room     []int64  // of the so many with most room
	hosts    []loaded // by load per room
	slack    int64    // what can be away at once
	places   int64    // room on hosts without a turn
	heaviest func(int64) int
}

type loaded struct{ load, room int64 }

func (b *bounds) scaleOf(a *area, hosts []*host, u *unit) scale {
	turn := make(map[*host]bool, len(hosts))
	var load, room []int64
	for _, h := range hosts {
		turn[h] = true
		sum := int64(0)
		for _, m := range b.loads[h.seq].movers {
			if !m.unsure {
				sum += m.MemoryMiB / u.mib
			}
		}
		load, room = append(load, sum), append(room, u.room(b, h))
	}
	s := scale{heaviest: u.heaviest(), slack: u.slack}
	for i := range load {
		if room[i] > 0 {
			s.hosts = append(s.hosts, loaded{load[i], room[i]})
		}
	}
	slices.SortFunc(s.hosts, func(x, y loaded) int { return cmp.Compare(x.load*y.room, y.load*x.room) })
	for _, h := range a.hosts {
		if !turn[h] {
			s.places += u.room(b, h)
		}
	}
	slices.Sort(load)
	slices.Sort(room)
	slices.Reverse(room)
	s.load, s.room = sums(load), sums(room)
	return s
}

// again is how many instances move a second time when so many hosts are done, and so many were before.
func (s *scale) again(done, before int) int {
	return s.heaviest(s.load[done] - s.room[before] - s.places)
}

// bySlack is how many instances move a second time in so many waves.
func (s *scale) bySlack(waves int) (again int) {
	if s.slack <= 0 {
		return 0 // the plan found a way all the same: nothing is claimed
	}
	all := s.room[len(s.room)-1]
	var load, room int64 // of the hosts that are taken whole
	i := 0
	for t := 1; t <= waves; t++ {
		done, before := all-int64(waves-t)*s.slack, min(all, int64(t-1)*s.slack)
		for i < len(s.hosts) && room+s.hosts[i].room <= done {
			load, room = load+s.hosts[i].load, room+s.hosts[i].room
			i++
		}
		on := load
		if i < len(s.hosts) && done > room { // a part of the next one
			h := s.hosts[i]
			on += h.load * (done - room) / h.room
		}
		again = max(again, s.heaviest(on-before-s.places))
	}
	return again
}

// sums of the first so many numbers.
func sums(list []int64) []int64 {
	out := []int64{0}
	for i, n := range list {
		out = append(out, out[i]+n)
	}
	return out
}
