package planner

import (
	"slices"
	"sort"
)

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
// waves cannot take what large later waves bring; and byFirst weighs the first wave against the later ones.
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
		if slices.ContainsFunc(all, func(s scale) bool { return s.bySlack(waves) > again || !s.byFirst(waves, again) }) {
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
	load     []int64 // of the so many lightest hosts
	room     []int64 // of the so many with most room
	least    share   // of what is on hosts, for their room
	most     share
	fewest   share // instances
	slack    int64 // what can be away at once
	largest  int64 // room of one host
	roomless int64 // load of hosts without room
	places   int64 // room on hosts without a turn
	stay     bool  // some have room there, be it less than a unit
	heaviest func(weight int64) (instances int)
	top      func(instances int) (weight int64)
}

func (b *bounds) scaleOf(a *area, hosts []*host, u *unit) scale {
	turn := make(map[*host]bool, len(hosts))
	s := scale{slack: u.slack}
	s.heaviest, s.top = u.heaviest()
	for _, h := range hosts {
		turn[h] = true
		on, n := int64(0), int64(0)
		for _, m := range b.loads[h.seq].movers {
			if !m.unsure {
				on += m.MemoryMiB / u.mib
				n++
			}
		}
		room := u.room(b, h)
		s.load, s.room, s.largest = append(s.load, on), append(s.room, room), max(s.largest, room)
		if room == 0 {
			s.roomless += on
		}
		s.least.hosts, s.fewest.hosts = append(s.least.hosts, loaded{on, room}), append(s.fewest.hosts, loaded{n, room})
	}
	s.most.hosts = slices.Clone(s.least.hosts)
	s.least.line(false)
	s.fewest.line(false)
	s.most.line(true)
	for _, h := range a.hosts {
		if !turn[h] {
			s.places += u.room(b, h)
			s.stay = s.stay || (&unit{mib: 1}).room(b, h) > 0
		}
	}
	slices.Sort(s.load)
	slices.Sort(s.room)
	slices.Reverse(s.room)
	s.load, s.room = sums(s.load), sums(s.room)
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
	all := s.least.room()
	for t := 1; t <= waves; t++ {
		done, before := all-int64(waves-t)*s.slack, min(all, int64(t-1)*s.slack)
		again = max(again, s.heaviest(s.least.of(done, false)-before-s.places))
	}
	return again
}

// firsts is how many sizes of a first wave byFirst tells apart.
const firsts = 128

// byFirst tells whether so many second moves could do in so many waves, where no host is a place to stay at the
// outset. Then all that was on the hosts of the first wave moves again; of what after a later wave is on hosts
// whose turn is ahead, as again reckons it, no more than these were counted by that, and each other one is a
// second move as well:
//
//	again >= instances of the first wave + as few as can weigh what was on X(t) hosts - room of X(t-1) hosts
//	         - all that was on the hosts of the first wave
//
// A first wave whose hosts' room is from lo to hi has at least the fewest instances that go with lo, and at most
// hi of room and the most that can be on so much. For each such range the rooms of X(t) may as well grow as much
// as the slack and these conditions allow.
func (s *scale) byFirst(waves, again int) bool {
	if s.slack <= 0 || s.largest > s.slack || s.stay || s.least.room() == 0 {
		return true
	}
	all := s.least.room()
	step := ceilDiv(min(s.slack, all), firsts)
	for lo := int64(0); lo < min(s.slack, all); lo += step {
		room := min(lo+step, s.slack, all)
		others := again - int(s.fewest.of(lo, true))
		if others < 0 {
			return false // nor would a larger one do
		}
		spare := s.roomless + s.most.of(room, false) + s.top(others)
		for t := 2; t <= waves && room < all; t++ {
			room = min(room+s.slack, s.least.within(room+spare))
		}
		if room >= all {
			return true
		}
	}
	return false
}

// sums of the first so many numbers.
func sums(list []int64) []int64 {
	out := []int64{0}
	for i, n := range list {
		out = append(out, out[i]+n)
	}
	return out
}
