package planner

import (
	"cmp"
	"slices"
	"sort"
)

// share is how much of something goes with so much room of hosts, at the least or at the most: parts of hosts
// may be taken, which only loosens it (the fractional knapsack; Dantzig, Discrete-variable extremum problems,
// 1957). Hosts without room are left out.
type share struct {
	hosts       []loaded
	load, rooms []int64 // of the so many first hosts
}

type loaded struct{ load, room int64 }

// line lines up the hosts by load per room: the least first, or the most.
func (s *share) line(most bool) {
	s.hosts = slices.DeleteFunc(s.hosts, func(h loaded) bool { return h.room <= 0 })
	slices.SortFunc(s.hosts, func(x, y loaded) int {
		if most {
			x, y = y, x
		}
		return cmp.Compare(x.load*y.room, y.load*x.room)
	})
	s.load, s.rooms = []int64{0}, []int64{0}
	for i, h := range s.hosts {
		s.load, s.rooms = append(s.load, s.load[i]+h.load), append(s.rooms, s.rooms[i]+h.room)
	}
}

// room of all hosts.
func (s *share) room() int64 { return s.rooms[len(s.hosts)] }

// of is what goes with so much room, rounded down or up.
func (s *share) of(room int64, up bool) int64 {
	i := sort.Search(len(s.hosts), func(i int) bool { return s.rooms[i+1] > room })
	if room <= 0 || i == len(s.hosts) {
		return s.load[i]
	}
	h := s.hosts[i]
	part := h.load * (room - s.rooms[i])
	if up {
		return s.load[i] + ceilDiv(part, h.room)
	}
	return s.load[i] + part/h.room
}

// within is the most room, rounded up, with which goes no more than that; for the least first.
func (s *share) within(load int64) int64 {
	i := sort.Search(len(s.hosts), func(i int) bool { return s.load[i+1] > load })
	if load < 0 || i == len(s.hosts) {
		return s.rooms[i]
	}
	h := s.hosts[i]
	return s.rooms[i] + ceilDiv(h.room*(load-s.load[i]), h.load)
}
