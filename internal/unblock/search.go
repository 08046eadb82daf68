package unblock

import (
	"cmp"
	"slices"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// search studies one cause in one view of the fleet.
type search struct {
	in     planner.Input
	g      *blockage
	ix     *fleet.Index
	before blockers
	own    map[subject]bool // what the cause blocks
	member map[string]bool  // hosts that are blocked by it, themselves or for an instance
	part   bool             // the view is not the whole fleet
	left   int              // attempts
	study  *study
	aim    func([]plan.Blocked) ruling // how a changed plan is judged
	capped bool                        // it ended for want of attempts
}

// pick is a change with its number.
type pick struct {
	*option
	n int64
}

// result of a search.
type result struct {
	set    []pick // nil: nothing was found
	proven bool
	hidden []plan.Blocked // what then blocks them, that did not show before
	others []pick         // single changes that do instead
}

// run looks for the set: one change, or else all of them less what can be spared.
func (s *search) run() result {
	direct := s.options(s.g.own)
	if r := s.single(direct, ruling.wholly); r.set != nil {
		return r
	}
	all, last := s.closed(direct)
	if last.wholly() {
		r := s.smaller(all, s.spared(atMost(all), ruling.wholly))
		return s.sized(r, ruling.wholly)
	}
	freed := func(r ruling) bool { return r.freed }
	if r := s.single(direct, freed); r.set != nil {
		return s.behind(r)
	}
	if s.plan(atMost(direct)).freed {
		return s.behind(s.sized(s.spared(atMost(direct), freed), freed))
	}
	return result{hidden: last.hidden}
}

type asked func(ruling) bool

// plan applies a set to a copy, plans again and compares; all false when there are no attempts left.
func (s *search) plan(set []pick) ruling {
	if s.left <= 0 || s.study.share < costOf(s.in) {
		s.capped = true
		return ruling{}
	}
	s.left--
	s.study.spend(s.in)
	in := copied(s.in)
	for _, m := range set {
		m.apply(&in, m.n)
	}
	if !holds(in, set) {
		return ruling{}
	}
	blocked, err := planner.Blocked(in)
	if err != nil { // a change that the input does not bear
		return ruling{}
	}
	return s.aim(blocked)
}

func (s *search) frees(set []pick) bool { return s.plan(set).freed }

func atMost(list []*option) (set []pick) {
	for _, o := range list {
		if moved(set, o) {
			continue
		}
		set = append(set, pick{o, o.most})
	}
	return set
}

// moved: a set puts the same instance somewhere already.
func moved(set []pick, o *option) bool {
	return o.moves != "" && slices.ContainsFunc(set, func(m pick) bool { return m.moves == o.moves })
}

// single looks for one change that does: the least drastic one, with the others that do as well.
func (s *search) single(list []*option, ok asked) (r result) {
	for _, o := range list {
		if len(r.others) == 2 || o.needs != nil || len(s.own) > 1 && s.own[o.only] { // what mends one of them mends no other
			continue
		}
		if o.moves != "" && r.set != nil && r.set[0].moves != "" { // one move does, and another one would say no more
			continue
		}
		for _, n := range o.ladder() {
			if !ok(s.plan([]pick{{o, n}})) {
				continue
			}
			set := s.sized(result{set: []pick{{o, n}}}, ok).set
			if r.set == nil {
				r.set, r.proven = set, true
			} else {
				r.others = append(r.others, set...)
			}
			break
		}
	}
	return r
}

// ladder are numbers to try a change with: as much as may be, or else from little to more, where too much of
// it does harm.
func (o *option) ladder() []int64 {
	list := []int64{o.most}
	for n := o.least; n < o.most; n *= 4 {
		list = append(list, n)
	}
	return list
}

// closed takes all changes, and those that help against what shows up behind the first reasons.
func (s *search) closed(list []*option) (all []*option, last ruling) {
	all = slices.Clone(list)
	for range 4 {
		if last = s.plan(atMost(all)); last.wholly() || len(last.hidden) == 0 {
			break
		}
		n := len(all)
		for _, o := range s.options(last.hidden) {
			o.behind = true
			if !slices.ContainsFunc(all, func(have *option) bool { return have.key == o.key }) {
				all = append(all, o)
			}
		}
		if len(all) == n {
			break
		}
	}
	inOrder(all)
	return all, last
}

// smaller tries, in a small fleet, all sets that are smaller than the one found, the smallest first. When
// none of them does, the one found is proven.
func (s *search) smaller(list []*option, r result) result {
	if len(s.in.Fleet.Hosts) > smallFleet || s.capped {
		return r
	}
	list = s.everything(list)
	for size := 1; size < len(r.set); size++ {
		if size > 1 && len(list)*len(list)/2 > s.left { // not all of them
			return r
		}
		if set := s.chosen(list, nil, size); set != nil {
			r.set = set
			break
		}
		if s.capped { // the set stands all the same
			s.capped, s.left = false, attempts/4
			return r
		}
	}
	r.proven = true
	return r
}

// chosen completes a set with so many of a list.
func (s *search) chosen(list []*option, set []pick, more int) []pick {
	if more == 0 {
		if s.plan(set).wholly() {
			return slices.Clone(set)
		}
		return nil
	}
	for i := 0; i+more <= len(list) && !s.capped; i++ {
		o := list[i]
		if moved(set, o) || o.needs != nil && !slices.ContainsFunc(set, func(m pick) bool { return m.key == o.needs.key }) {
			continue
		}
		if found := s.chosen(list[i+1:], append(set[:len(set):len(set)], pick{o, o.most}), more-1); found != nil {
			return found
		}
	}
	return nil
}

// spared takes away of a set that does what it does without: halves and quarters first where there is
// much, then one by one, the most drastic first, until none can be spared.
func (s *search) spared(set []pick, ok asked) result {
	set = slices.Clone(set)
	slices.Reverse(set)
	size := 1
	for size*16 < len(set) {
		size *= 2
	}
	for ; size >= 1; size /= 2 {
		for again := true; again && !s.capped; {
			again = false
			for i := 0; i < len(set); {
				rest := slices.Delete(slices.Clone(set), i, min(i+size, len(set)))
				if stands(rest) && ok(s.plan(rest)) {
					set, again = rest, true
					continue
				}
				i += size
			}
		}
	}
	slices.Reverse(set)
	return result{set: set}
}

// stands: each change has the one that it builds upon.
func stands(set []pick) bool {
	for _, m := range set {
		if m.needs != nil && !slices.ContainsFunc(set, func(o pick) bool { return o.key == m.needs.key }) {
			return false
		}
	}
	return true
}

// sized makes each number of a set as small as it may be while the others stay, and leaves out what can be
// spared with the numbers as they are then.
func (s *search) sized(r result, ok asked) result {
	for again := true; again; {
		for i := range r.set {
			r.set[i].n = s.least(r.set, i, ok)
		}
		again = false
		for i := len(r.set) - 1; i >= 0 && len(r.set) > 1; i-- {
			rest := slices.Delete(slices.Clone(r.set), i, i+1)
			if stands(rest) && (ok(s.plan(rest)) || passOn(rest, r.set[i]) && ok(s.plan(rest))) {
				r.set, again = rest, true
			}
		}
	}
	return r
}

// passOn gives the number of a change to the one that it builds upon, such as the second host that is added to the
// first: numbers were made small while both stood.
func passOn(set []pick, from pick) bool {
	for i := range set {
		if from.needs != nil && set[i].key == from.needs.key && from.n > set[i].n {
			set[i].n = from.n
			return true
		}
	}
	return false
}

// least is the smallest number that does for one change of a set: the first of 1, 2, 4 and so on that does,
// and then the smallest between it and the one before.
func (s *search) least(set []pick, i int, ok asked) int64 {
	does := func(n int64) bool {
		try := slices.Clone(set)
		try[i].n = n
		return ok(s.plan(try))
	}
	lo, hi := set[i].least-1, set[i].n
	for step := int64(1); lo+step < hi; step *= 2 {
		if does(lo + step) {
			hi = lo + step
			break
		}
		lo += step
	}
	for hi-lo > 1 && !s.capped {
		if mid := lo + (hi-lo)/2; does(mid) {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi
}

// behind notes what blocks them next, once they are freed of this.
func (s *search) behind(r result) result {
	r.proven = r.proven && !s.capped
	r.hidden = s.plan(r.set).hidden
	return r
}

func inOrder(list []*option) {
	slices.SortStableFunc(list, func(a, b *option) int { return cmp.Compare(a.rank, b.rank) })
}
