package planner

import "slices"

// destination is the fixed host with most room, or least when tight, else the one whose turn is furthest away;
// -1: there is none. Only where nothing else does, members of a group stay as near as they are.
func (s *sketch) destination(by script, i, h int, tight bool) int {
	to := s.nearest(by, i, h, tight, false)
	if to < 0 && slices.ContainsFunc(s.actors[i].groups, func(g int) bool { return s.groups[g].spread }) {
		return s.nearest(by, i, h, tight, true)
	}
	return to
}

func (s *sketch) nearest(by script, i, h int, tight, sharing bool) int {
	a, best := &s.actors[i], -1
	for to := range s.stages {
		if s.done[to] && s.takes(i, h, to, sharing) && (best < 0 || s.better(a, h, to, best, tight)) {
			best = to
		}
	}
	s.work += len(s.stages)
	if best >= 0 {
		return best
	}
	for _, p := range s.stages[h].pools {
		for to := range s.stages {
			if !s.done[to] && slices.Contains(s.stages[to].pools, p) && s.takes(i, h, to, sharing) && (best < 0 || s.further(by, to, best)) {
				best = to
			}
		}
		s.work += len(s.stages)
		if best >= 0 {
			return best
		}
	}
	return -1
}

// takes asks what of the rules a sketch knows for one destination.
func (s *sketch) takes(i, h, to int, sharing bool) bool {
	x, y, a := &s.stages[h], &s.stages[to], &s.actors[i]
	if to == h || s.inTurn[to] || s.free[to] < a.mib || !y.up || !x.near[to] || y.due && !s.done[to] && !y.moves {
		return false
	}
	for _, g := range a.groups {
		q := &s.groups[g]
		if !q.spread {
			continue
		}
		others := s.counts[g][q.domains[to]]
		if q.domains[to] == q.domains[s.at[i]] {
			if others--; sharing {
				continue
			}
		}
		if others > 0 {
			return false
		}
	}
	p := y.pools[0]
	left := s.left[p] - a.mib
	if x.up && x.pools[0] == p {
		left -= s.free[h]
	}
	return s.pools[p].keep < 0 || left >= s.pools[p].keep
}

// better ranks fixed hosts.
func (s *sketch) better(a *actor, h, x, y int, tight bool) bool {
	p, q := &s.stages[x], &s.stages[y]
	if p.spare != q.spare {
		return p.spare
	}
	step := s.pools[s.stages[h].pools[0]].step
	if fx, fy := s.free[x]/step, s.free[y]/step; fx != fy {
		return (fx > fy) != tight
	}
	if tight {
		return p.mark > q.mark
	}
	return p.mark-a.mark < q.mark-a.mark
}

// further ranks hosts that are not fixed: those that never are come last.
func (s *sketch) further(by script, x, y int) bool {
	if a, b := s.stages[x].due, s.stages[y].due; a != b || !a {
		return a && !b
	}
	return by.rank[x] > by.rank[y]
}
