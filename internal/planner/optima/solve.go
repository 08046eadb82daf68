package optima

import (
	"errors"
	"math/bits"
)

// ErrTooHard: the search was given up. What was asked is not known then.
var ErrTooHard = errors.New("the search was given up: too many states")

// ErrNever: no plan brings all hosts to their turn.
var ErrNever = errors.New("no plan gives each host its turn")

// Solve proves the fewest waves of a case, and the fewest moves in so many. It gives up after so many steps.
//
// It deepens: with W waves, from a bound on, it asks whether a plan exists at all; then, in as many waves, with
// 0, 1, 2 and so on landings on hosts whose own turn is ahead. Each instance lands once where it stays, and
// each other landing is on such a host, so moves are M1 plus these. Each question is a depth-first search over
// waves and destinations that leaves out only what another branch covers (alike hosts, alike instances) or
// what was searched before with no fewer landings to spare.
func Solve(c *Case, steps int) (waves, moves int, err error) {
	s := newSearch(c, steps)
	start := s.start()
	for waves = s.wavesMin(); ; waves++ {
		if waves > len(c.Hosts) {
			return 0, 0, ErrNever
		}
		ok, err := s.possible(start, waves, 1<<20)
		if err != nil {
			return 0, 0, err
		}
		if ok {
			break
		}
	}
	for again := 0; ; again++ {
		ok, err := s.possible(start, waves, again)
		if err != nil {
			return 0, 0, err
		}
		if ok {
			return waves, s.first + again, nil
		}
	}
}

// search is the part of a case that never changes, and what was found so far.
type search struct {
	hosts   int
	room    []int     // GiB of each host less what never leaves it
	due     uint      // all hosts
	meet    []uint    // host -> hosts that share a pool with it
	mask    []uint    // host -> its pools
	kinds   []kind    // of instances that can move, largest first
	groups  []Group   //
	stay    [][]int   // host -> group -> members that never leave it
	domain  [][]int   // group -> host -> domain; nil: no spread
	domains int       // per group at most
	hgs     []uint    // host group -> hosts
	spare   []int     // host group -> hosts it spares
	twin    []int     // host -> number of its sort: hosts of one sort differ in what is on them only
	most    int       // hosts that can be in one wave
	first   int       // M1
	begin   [][]uint8 // host -> kind -> instances at the outset
	failed  map[string]int
	steps   int
}

// kind is a sort of instances that can take each other's places.
type kind struct {
	gib   int
	group int // from 1
}

// state is what there is between two waves.
type state struct {
	ahead uint      // hosts whose turn is ahead
	on    [][]uint8 // host -> kind -> instances
	free  []int     // GiB
}

func (s *search) possible(st *state, waves, again int) (bool, error) {
	ok := s.wave(st, waves, again)
	if s.steps < 0 {
		return false, ErrTooHard
	}
	return ok, nil
}

// wave asks whether all turns ahead can be had in so many waves with so few landings on hosts that are ahead.
func (s *search) wave(st *state, waves, again int) bool {
	if st.ahead == 0 {
		return true
	}
	if bits.OnesCount(st.ahead) > waves*s.most {
		return false
	}
	if s.steps--; s.steps < 0 {
		return false
	}
	key := s.key(st, waves)
	if n, known := s.failed[key]; known && n >= again {
		return false
	}
	for _, set := range s.sets(st, waves) {
		if s.turn(st, set, waves, again) {
			return true
		}
	}
	if s.steps >= 0 {
		s.failed[key] = again
	}
	return false
}

// sets lists the sets of hosts that may be the next wave, largest first; of alike hosts the first ones go.
func (s *search) sets(st *state, waves int) (out []uint) {
	if waves == 1 {
		if s.allowed(st, st.ahead) {
			out = append(out, st.ahead)
		}
		return out
	}
	left := bits.OnesCount(st.ahead)
	for n := min(left, s.most); n >= 1 && left-n <= (waves-1)*s.most; n-- {
		for set := st.ahead; set > 0; set = (set - 1) & st.ahead {
			if bits.OnesCount(set) == n && s.leading(st, set) && s.allowed(st, set) {
				out = append(out, set)
			}
		}
	}
	return out
}

// leading: no host is in the set whose twin with the same on it comes before it and is not.
func (s *search) leading(st *state, set uint) bool {
	for j := range s.hosts {
		for i := 0; i < j && set>>j&1 == 1; i++ {
			if st.ahead>>i&1 == 1 && set>>i&1 == 0 && s.twin[i] == s.twin[j] && string(st.on[i]) == string(st.on[j]) {
				return false
			}
		}
	}
	return true
}

// allowed asks groups and host groups.
func (s *search) allowed(st *state, set uint) bool {
	for i, hosts := range s.hgs {
		if bits.OnesCount(set&hosts) > s.spare[i] {
			return false
		}
	}
	for g := range s.groups {
		need := 0
		for h := range s.hosts {
			if set>>h&1 == 0 {
				continue
			}
			need += s.stay[h][g]
			for k, n := range st.on[h] {
				if n > 0 && s.kinds[k].group == g+1 {
					need++
					break
				}
			}
		}
		if need > s.groups[g].Max {
			return false
		}
	}
	return true
}

// turn carries one wave out, with each choice of destinations.
func (s *search) turn(st *state, set uint, waves, again int) bool {
	w := &landing{search: s, set: set, waves: waves, before: st, next: st.clone()}
	w.next.ahead &^= set
	w.placesFree = s.freeOf(st, ^st.ahead)
	for k := range s.kinds {
		for h := range s.hosts {
			if set>>h&1 == 1 {
				for range st.on[h][k] {
					w.movers = append(w.movers, mover{k, h})
					w.gib += s.kinds[k].gib
				}
			}
		}
	}
	for _, m := range w.movers {
		w.next.on[m.from][m.kind]--
		w.next.free[m.from] += s.kinds[m.kind].gib
	}
	if len(s.groups) > 0 {
		w.countDomains()
	}
	w.to = make([]int, len(w.movers))
	return w.land(0, again)
}

func (s *search) freeOf(st *state, hosts uint) (sum int) {
	for h := range s.hosts {
		if hosts>>h&1 == 1 {
			sum += st.free[h]
		}
	}
	return sum
}

func (st *state) clone() *state {
	out := &state{ahead: st.ahead, on: make([][]uint8, len(st.on)), free: append([]int(nil), st.free...)}
	for i := range st.on {
		out.on[i] = append([]uint8(nil), st.on[i]...)
	}
	return out
}
