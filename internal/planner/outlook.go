package planner

import (
	"maps"
	"math"
	"slices"
	"sort"
)

// How big a wave should be. What moves while nothing is fixed lands on hosts that must be emptied as well,
// and moves twice. So a wave should not be as big as it can, but as small as leaves the number of waves
// what it is: each that follows can be larger, for what the ones before it fixed takes instances in. An
// outlook reckons this for one pool, with sums of memory alone; the rules have their say when hosts are
// tried, and the next wave is reckoned anew from what came of it.

// outlook is what is ahead of a pool: its hosts with a turn, in their order.
type outlook struct {
	*ledger
	pool *pool
	room int64 // on fixed hosts
	keep int64 // of all room, what a wave may take with the room of its own hosts; less than zero: all
	most int   // hosts of a wave
	gaps int64 // so many parts in a hundred of all room stay unused, as gaps do where sizes differ
}

// farthest is how many waves an outlook looks ahead. Where more are needed, a wave can be as big as it can: what
// lands on hosts that are not fixed, and moves twice, is less than the room on all hosts, and that is about what
// one of the many waves moves.
const farthest = 256

// outlookOf is nil where a pool's waves need no measure: nobody moves, or all hosts take instances from
// the outset.
func (w *world) outlookOf(p *pool) *outlook {
	t := &p.ledger
	if t.odd > 0 || t.out == 0 || p.shared || w.waves < t.far { // shared: room that other pools have a claim to
		return nil
	}
	o := &outlook{ledger: t, pool: p, room: t.room, keep: -1, most: min(p.maxAway, w.mostTogether(p))}
	w.rough = w.rough || p.rough
	if w.policy.KeepReserve {
		o.keep = max(0, p.free-p.reserve) / p.unit
	}
	return o
}

// before gives the sums of the hosts before a place.
func (o *outlook) before(b int) burden {
	s := o.first(b)
	s.gain -= s.gain * o.gaps / 100
	return s
}

// run plays the waves, each as big as it can when no more than budget lands on hosts that are not fixed.
// It gives how many waves there are, at most so many, and the hosts of the first.
func (o *outlook) run(budget int64, most int) (waves, first int, done bool) {
	room, twice := o.room, int64(0) // twice: what landed on hosts that are not fixed, the last ones first
	from := func(b burden) int64 { return min(o.free-b.free, twice) }
	for a := (burden{}); a.n < o.n; waves++ {
		if waves == most {
			return waves, first, false
		}
		out := func(b burden) int64 { return b.out - a.out + from(a) - from(b) }
		size := sort.Search(min(o.n-a.n, o.most), func(i int) bool {
			b := o.before(a.n + i + 1)
			if o.keep >= 0 && out(b)+b.free-a.free-(from(a)-from(b)) > o.keep {
				return true
			}
			over := out(b) - room
			return over > 0 && over > min(budget, o.free-b.free-from(b))
		})
		if size == 0 {
			return waves, first, false
		}
		b := o.before(a.n + size)
		moved := out(b)
		over := max(0, moved-room)
		budget -= over
		twice = from(b) + over
		room = max(0, room-moved) + b.gain - a.gain
		if a = b; waves == 0 {
			first = b.n
		}
	}
	return waves, first, true
}

// least is the least that must land on hosts that are not fixed where there are to be so many waves.
func (o *outlook) least(waves int) int64 {
	return int64(sort.Search(int(o.out), func(budget int) bool {
		_, _, done := o.run(int64(budget), waves)
		return done
	}))
}

// next is how many hosts the next wave should have where there are to be so many.
func (o *outlook) next(waves int) int {
	_, first, _ := o.run(o.least(waves), waves)
	return first
}

// short is an outlook in which so many parts in a hundred of all room stay unused.
func (o *outlook) short(percent int64) *outlook {
	x := *o
	x.room -= x.room * percent / 100
	x.gaps = percent
	return &x
}

func (w *world) measured(ready []*pool) map[*pool]int {
	if w.by.measure != nil {
		return w.by.measure(w, ready)
	}
	return w.pace(ready)
}

// pace gives for each pool that has an outlook how many of its hosts should be in the next wave. Pools that
// are served side by side have as many waves as the one that needs most.
func (w *world) pace(ready []*pool) map[*pool]int {
	var all []*outlook
	waves, seen := map[front]int{}, map[*pool]bool{}
	for _, p := range ready {
		if seen[p] {
			continue
		}
		seen[p] = true
		o := w.outlookOf(p)
		if o == nil {
			continue
		}
		n, _, done := o.run(math.MaxInt64, min(o.n, farthest))
		if o.far = 0; n == farthest && !done {
			o.far = w.waves + farthest/2
		}
		if done {
			all = append(all, o)
			waves[w.frontOf(p)] = max(waves[w.frontOf(p)], n)
		}
	}
	for f, n := range waves {
		if w.fronts[f] == nil {
			w.fronts[f] = &progress{hoped: n, late: map[string]bool{}}
		}
	}
	if w.by.unpaced {
		return nil
	}
	out := map[*pool]int{}
	for _, o := range all {
		f, gaps := w.frontOf(o.pool), int64(fewGaps)
		switch loose := w.by.loose[o.pool.ID]; {
		case loose > 1, loose > 0 && !o.pool.mixed:
			continue
		case loose > 0:
			gaps = manyGaps
		}
		if o.pool.mixed {
			o = o.short(gaps)
		}
		if n := o.next(max(waves[f], w.by.goal[f]-w.fronts[f].had)); n > 0 { // no measure where the gaps leave no way: sizes may fit to the last MiB
			out[o.pool] = n
		}
	}
	return out
}

// frontOf is what a pool is served side by side with.
func (w *world) frontOf(p *pool) front {
	switch {
	case w.policy.StaggerSites:
		return front{w.stage, p.Site}
	case w.policy.StaggerRegions:
		return front{w.stage, p.hosts[0].region}
	}
	return front{stage: w.stage}
}

// advance counts a wave for each front that had a part in it.
func (w *world) advance(v *wave) {
	seen := map[*progress]bool{}
	for _, d := range v.turns {
		p := w.fronts[w.frontOf(d.host.pool)]
		if p == nil {
			continue
		}
		if !seen[p] {
			seen[p] = true
			p.had++
		}
		if p.had > p.hoped {
			p.late[d.host.pool.ID] = true
		}
	}
}

// weigh looks at the sizes of a pool's instances. Where nearly all are alike, room is counted in places of
// that size: a few others do not make the pool another one. Room is scarce where capacity, rather than
// policy, bounds how many hosts can be away.
func (w *world) weigh(p *pool) {
	count, all, unit, usual := map[int64]int{}, 0, int64(0), int64(0)
	for _, h := range p.hosts {
		for _, g := range h.guests {
			count[g.MemoryMiB]++
			all++
		}
	}
	for _, size := range slices.Sorted(maps.Keys(count)) {
		unit = gcd(unit, size)
		if count[size] > count[usual] {
			usual = size
		}
	}
	p.rough = false
	if p.mixed = count[usual]*20 < all*19; !p.mixed {
		p.rough = unit != usual
		unit = usual
	}
	p.unit, p.step = max(1, unit), max(1, unit)
	if !p.mixed {
		return
	}
	var memory, largest int64
	for _, h := range p.hosts {
		memory += h.MemoryMiB
		largest = max(largest, h.MemoryMiB)
	}
	free := p.free
	if w.policy.KeepReserve {
		free -= p.reserve
	}
	if p.tight = 2*free*int64(len(p.hosts)) < 3*memory*int64(p.maxAway); p.tight {
		p.step = 1
	} else {
		p.step = max(1, largest/16)
	}
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
