package planner

import (
	"cmp"
	"slices"
)

// sketch is a small fleet in numbers: what a draft comes to when nothing but room, groups, spread, host groups
// and pools is asked, each host entering its wave and each instance its destination as a draft would have it. It
// costs a tenth of a draft or less. It only picks what is worth one: plans are made of drafts alone.
type sketch struct {
	actors []actor // largest first
	stages []setting
	groups []quorum
	spares []int // of host groups: hosts that may be away
	pools  []basin
	due    []int // hosts with a turn

	// As things stand in the wave under way.
	at       []int   // actor -> host
	free     []int64 // by host
	done     []bool
	inTurn   []bool
	arriving []int
	counts   [][]int // members of a group by domain
	away     []int
	left     []int64 // MiB free in a pool on hosts that are not away
	hostUse  []int
	groupUse []int
	needs    []need // by group: what the turn of the host that was asked last disturbs
	needy    []int  // the groups of which it disturbs somebody
	flights  []flight
	work     int // hosts asked so far, as such that have a turn or take instances in
}

// setting is a host of a sketch.
type setting struct {
	pools      []int  // home first
	near       []bool // hosts that share one of them
	hostGroups []int
	mib        int64 // free
	mark       uint32
	up, spare  bool
	due, fixed bool
	moves      bool // whoever can move leaves it in its turn
}

// basin is a pool of a sketch.
type basin struct {
	away  int   // hosts that may be away
	step  int64 // MiB: hosts whose free memory differs by less count as equal
	tight bool
	keep  int64 // MiB that stay free; less than zero: need not
}

// actor is an instance of a sketch.
type actor struct {
	mib    int64
	host   int
	mark   uint32
	groups []int
	stays  bool
}

type quorum struct {
	spare   int
	spread  bool
	domains []int // of hosts
	counts  []int // members by domain
}

// flight is a move of the wave under way.
type flight struct{ actor, from, to int }

// outcome of a script, in the order of what counts.
type outcome struct {
	left  int // hosts without a turn in as many waves as there may be
	waves int
	moves int
	sum   int // of the waves of all turns
}

func (o outcome) compare(x outcome) int {
	return cmp.Or(cmp.Compare(o.left, x.left), cmp.Compare(o.waves, x.waves), cmp.Compare(o.moves, x.moves), cmp.Compare(o.sum, x.sum))
}

// play has all hosts with a turn enter waves, at most so many, in the order of their ranks.
func (s *sketch) play(by script, most int) (o outcome) {
	s.reset()
	slices.SortFunc(s.due, func(a, b int) int { return cmp.Compare(by.rank[a], by.rank[b]) })
	for o.left = len(s.due); o.left > 0 && o.waves < most; o.waves++ {
		entered := s.wave(by, o.waves+1)
		if entered == 0 {
			if entered = s.wave(by, most+len(s.due)); entered == 0 {
				break
			}
		}
		o.left -= entered
		o.moves += len(s.flights)
		o.sum += entered * (o.waves + 1)
		s.close()
	}
	o.sum += o.left * (most + 1)
	return o
}

func (s *sketch) reset() {
	for i := range s.actors {
		s.at[i] = s.actors[i].host
	}
	for i := range s.stages {
		s.free[i], s.done[i], s.inTurn[i], s.arriving[i] = s.stages[i].mib, s.stages[i].fixed, false, 0
	}
	for i := range s.groups {
		copy(s.counts[i], s.groups[i].counts)
	}
	clear(s.left)
	for i := range s.stages {
		if h := &s.stages[i]; h.up {
			s.left[h.pools[0]] += h.mib
		}
	}
}

// wave lets those hosts enter one that may by now; it gives how many did.
func (s *sketch) wave(by script, n int) (entered int) {
	clear(s.away)
	clear(s.hostUse)
	clear(s.groupUse)
	s.flights = s.flights[:0]
	s.work += len(s.due)
	for _, h := range s.due {
		if !s.done[h] && !s.inTurn[h] && by.wave[h] <= n && s.enter(by, h) {
			entered++
		}
	}
	return entered
}

// enter has a host enter the wave, if it can.
func (s *sketch) enter(by script, h int) bool {
	x := &s.stages[h]
	home := x.pools[0]
	if s.arriving[h] > 0 || s.away[home] >= s.pools[home].away {
		return false
	}
	for _, g := range x.hostGroups {
		if s.hostUse[g] >= s.spares[g] {
			return false
		}
	}
	if !s.spared(h) {
		return false
	}
	if tight := s.pools[home].tight != by.pack[h]; !s.empty(by, h, tight) && (tight || !s.empty(by, h, true)) {
		return false
	}
	s.inTurn[h] = true
	s.away[home]++
	for _, g := range x.hostGroups {
		s.hostUse[g]++
	}
	if x.up {
		s.left[home] -= s.free[h]
	}
	for _, g := range s.needy {
		s.groupUse[g] += s.needs[g].count()
	}
	return true
}

// spared: groups can spare what a host's turn disturbs. It looks at who is on the host, not at all groups: there
// may be more of them than instances.
func (s *sketch) spared(h int) bool {
	for _, g := range s.needy {
		s.needs[g] = need{}
	}
	s.needy = s.needy[:0]
	for i := range s.actors {
		if s.at[i] != h {
			continue
		}
		for _, g := range s.actors[i].groups {
			n := &s.needs[g]
			if n.count() == 0 {
				s.needy = append(s.needy, g)
			}
			if s.actors[i].stays || !s.stages[h].moves {
				n.stay++
			} else {
				n.moves = true
			}
		}
	}
	return !slices.ContainsFunc(s.needy, func(g int) bool { return s.groupUse[g]+s.needs[g].count() > s.groups[g].spare })
}

// empty finds a destination for each instance that leaves a host; if it cannot, nothing has changed.
func (s *sketch) empty(by script, h int, tight bool) bool {
	from := len(s.flights)
	if !s.stages[h].moves {
		return true
	}
	for n := range s.actors {
		i := n
		if by.up[h] {
			i = len(s.actors) - 1 - n
		}
		if s.at[i] != h || s.actors[i].stays {
			continue
		}
		to := s.destination(by, i, h, tight)
		if to < 0 {
			for _, f := range s.flights[from:] {
				s.land(f, -1)
			}
			s.flights = s.flights[:from]
			return false
		}
		f := flight{i, h, to}
		s.land(f, 1)
		s.flights = append(s.flights, f)
	}
	return true
}

// land books a flight's place at its end; with -1, it gives it back.
func (s *sketch) land(f flight, n int) {
	a := &s.actors[f.actor]
	s.free[f.to] -= int64(n) * a.mib
	s.arriving[f.to] += n
	s.left[s.stages[f.to].pools[0]] -= int64(n) * a.mib
	for _, g := range a.groups {
		s.counts[g][s.groups[g].domains[f.to]] += n
	}
}

// close ends the wave.
func (s *sketch) close() {
	for _, f := range s.flights {
		a := &s.actors[f.actor]
		s.at[f.actor] = f.to
		s.arriving[f.to]--
		s.free[f.from] += a.mib
		for _, g := range a.groups {
			s.counts[g][s.groups[g].domains[f.from]]--
		}
	}
	for h := range s.stages {
		if s.inTurn[h] {
			s.inTurn[h], s.done[h] = false, true
			if s.stages[h].up {
				s.left[s.stages[h].pools[0]] += s.free[h]
			}
		}
	}
}
