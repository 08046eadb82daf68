package audit

import (
	"sort"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// roomTree finds, among a pool's hosts in their order, the next one that has so much room: in log n, for in
// a large pool each move onto a host that is not fixed asks it of all that are.
type roomTree struct {
	leaves int
	most   []int64 // a heap: the room of the roomiest under each node; less than zero where there is none
}

func newRoomTree(n int) *roomTree {
	t := &roomTree{leaves: 1}
	for t.leaves < n {
		t.leaves *= 2
	}
	t.most = make([]int64, 2*t.leaves)
	for i := range t.most {
		t.most[i] = -1
	}
	return t
}

func (t *roomTree) set(i int, mib int64) {
	i += t.leaves
	t.most[i] = mib
	for i /= 2; i > 0; i /= 2 {
		t.most[i] = max(t.most[2*i], t.most[2*i+1])
	}
}

// next is the first from an index on that has at least so much; -1: none has.
func (t *roomTree) next(from int, mib int64) int {
	return t.under(1, 0, t.leaves, from, mib)
}

func (t *roomTree) under(node, lo, hi, from int, mib int64) int {
	if hi <= from || t.most[node] < mib {
		return -1
	}
	if hi-lo == 1 {
		return lo
	}
	mid := (lo + hi) / 2
	if i := t.under(2*node, lo, mid, from, mib); i >= 0 {
		return i
	}
	return t.under(2*node+1, mid, hi, from, mib)
}

// plant gives each pool its tree, and notes who is better than a host that nothing was done to: fixed,
// patched, or to be refreshed, which is fixed once the new software is on its disk.
func (s *scene) plant() {
	s.trees, s.seat, s.risen = map[string]*roomTree{}, map[string]int{}, map[string]bool{}
	for pool, hosts := range s.homeHosts {
		s.trees[pool] = newRoomTree(len(hosts))
		for i, h := range hosts {
			s.seat[h.ID] = i
			t := s.turnOf[h.ID]
			if s.risen[h.ID] = s.fixed[h.ID] || s.patched[h.ID] || t != nil && t.Tactic == plan.Refresh; s.risen[h.ID] {
				s.regrow(h.ID)
			}
		}
	}
}

// regrow notes how much room a host has from now on, after all that the plan still brings it. What happens at
// this very instant may still be missing: mostUsed has the last word.
func (s *scene) regrow(host string) {
	h, seated := s.hosts[host], false
	if _, seated = s.seat[host]; !seated || !s.risen[host] {
		return
	}
	use, list := s.used[host], s.peak[host]
	if i := sort.Search(len(list), func(i int) bool { return list[i].from.After(s.now) }); i < len(list) {
		use = max(use, list[i].mib)
	}
	s.trees[s.home(host)].set(s.seat[host], max(-1, h.MemoryMiB-use))
}

// rise: a turn of the host is over.
func (s *scene) rise(host string) {
	s.risen[host] = true
	s.regrow(host)
}
