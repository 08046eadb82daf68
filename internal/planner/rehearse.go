package planner

import (
	"cmp"
	"slices"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// The plan of a small fleet may hang on one host that no sum over all of them shows. So it is rehearsed: the
// order of its hosts, the waves they enter and how their instances choose are changed here and there, hundreds of
// times, in a sketch of the fleet (sketch.go) that costs a fraction of a draft, and what comes out best there is
// drafted. Pools need no care of their own: a change in one leaves the others as they are. Rehearsal ends when the
// plan meets its lower bounds, or after so much work; so larger fleets, which are not rehearsed, lose no time.

// What is rehearsed, and how much.
const (
	smallTurns  = 24
	smallHosts  = 48
	smallGuests = 96
	fewerWork   = 300_000   // hosts weighed as destinations in search of fewer waves: about 2 ms
	lighterWork = 1_200_000 // and of fewer moves: 5 to 15 ms where fewer cannot be had
	rarely      = 32        // of so many changes for the worse one is kept, to get away from where none is for the better
)

// script says what a draft leaves open, for each host by its seq.
type script struct {
	rank []int  // its place in the queue
	wave []int  // the one before which it has no turn, as long as others can have theirs
	pack []bool // its instances choose the other way: the fullest host that takes them, not the emptiest
	// up: its instances choose in the order of their sizes, the smallest first: where not all find a fixed host,
	// one large one moves twice then, and not two small ones.
	up []bool
}

// rehearse gives a better plan than this one where it finds one.
func (w *world) rehearse(o outset) (*world, outset) {
	if !w.rehearsable() {
		return w, o
	}
	least := w.leastOfAll(o)
	if w.meets(least) {
		return w, o
	}
	s, err := sketchOf(w)
	if err != nil {
		return w, o
	}
	r := &rehearsal{sketch: s, seed: 1}
	take := func(by script, found bool) {
		if !found {
			return
		}
		if other, start, err := draftBy(w.in, w.ix, way{script: &by}); err == nil && other.better(w) {
			w, o = other, start
		}
	}
	spared := fewerWork
	if w.waves > least.waves || !w.complete() {
		take(r.fewer(w, least.waves))
		spared -= min(spared, r.work)
	}
	if w.complete() && !w.meets(least) {
		take(r.lighter(w, least.moves, lighterWork+spared))
	}
	return w, o
}

// rehearsable: the fleet is small, and its plan such that a sketch can stand for it.
func (w *world) rehearsable() bool {
	if n := len(w.plan.Turns); n < 2 || n > smallTurns || len(w.hosts) > smallHosts || len(w.guests) > smallGuests {
		return false
	}
	if p := &w.policy; p.Canary || w.allReturn() || p.StaggerSites || p.StaggerRegions || p.StaggerRacks || p.AwayPerRack > 0 || p.AwayPerRegion > 0 || w.defers {
		return false
	}
	return !slices.ContainsFunc(w.plan.Turns, func(t plan.Turn) bool { return t.Tactic == plan.LivePatch || t.Tactic == plan.Refresh })
}

// lower are bounds of a plan.
type lower struct{ waves, moves int }

func (w *world) leastOfAll(o outset) lower {
	p := w.plan
	p.Turns, p.Moves, p.Slots = slices.Clone(p.Turns), slices.Clone(p.Moves), slices.Clone(p.Slots)
	sorted(&p)
	p.Counts = count(&p)
	b := w.measure(o, &p)
	return lower{b.WavesMin, b.MovesMin}
}

// complete: nobody lost a turn or was stopped for want of room or time.
func (w *world) complete() bool { return len(w.plan.Blocked) == w.judged && !w.relaxed }

func (w *world) meets(b lower) bool {
	return w.complete() && w.waves <= b.waves && len(w.plan.Moves) <= b.moves
}

// played is the script that a draft came to.
func (w *world) played() script {
	s := script{make([]int, len(w.hosts)), make([]int, len(w.hosts)), make([]bool, len(w.hosts)), make([]bool, len(w.hosts))}
	for i, h := range w.hosts {
		s.rank[i] = h.place
	}
	for i := range w.plan.Turns {
		t := &w.plan.Turns[i]
		n, _ := slices.BinarySearchFunc(w.hosts, t.Host, func(h *host, id string) int { return cmp.Compare(h.ID, id) })
		s.wave[n] = t.Wave
	}
	if w.by.script != nil {
		copy(s.pack, w.by.script.pack)
		copy(s.up, w.by.script.up)
	}
	return s
}

// rehearsal is a search among scripts.
type rehearsal struct {
	*sketch
	seed uint64
}

// fewer looks for a script of fewer waves than a draft has; of a wave more, where that one left somebody out.
func (r *rehearsal) fewer(w *world, least int) (found script, ok bool) {
	now, waves := w.played(), w.waves-1
	if !w.complete() {
		waves = w.waves + 1
	}
	for r.work = 0; waves >= least && r.work < fewerWork; {
		var o outcome
		if now, o = r.climb(now, waves, -1, r.work+fewerWork/2); o.left == 0 {
			found, ok = now, true
			waves = o.waves - 1
		}
	}
	return found, ok
}

// lighter looks for a script of fewer moves.
func (r *rehearsal) lighter(w *world, least, work int) (script, bool) {
	r.work = 0
	s, o := r.climb(w.played(), w.waves, least, work)
	return s, o.left == 0 && (o.waves < w.waves || o.moves < len(w.plan.Moves))
}

// climb changes a script step by step, until all hosts have turns in so many waves with so few moves (less than
// zero: with any) or that much work is done. It gives the best on the way.
func (r *rehearsal) climb(now script, waves, moves, work int) (script, outcome) {
	at := r.play(now, waves)
	best, script := at, now
	for r.work < work && (best.left > 0 || moves >= 0 && best.moves > moves) {
		next := r.change(now, waves)
		o := r.play(next, waves)
		if o.compare(at) <= 0 || o.left <= at.left+1 && r.draw(rarely) == 0 {
			now, at = next, o
		}
		if o.compare(best) < 0 {
			best, script = o, next
		}
	}
	return script, best
}

// change gives some hosts another place, wave or choice.
func (r *rehearsal) change(of script, waves int) script {
	s := script{slices.Clone(of.rank), slices.Clone(of.wave), slices.Clone(of.pack), slices.Clone(of.up)}
	for {
		a, b := r.due[r.draw(len(r.due))], r.due[r.draw(len(r.due))]
		what := r.draw(6)
		switch what {
		case 0:
			s.wave[a] = 1 + r.draw(waves)
		case 1:
			s.pack[a] = !s.pack[a]
		case 5:
			s.up[a] = !s.up[a]
		}
		if what == 2 || what == 4 {
			s.wave[a], s.wave[b] = s.wave[b], s.wave[a]
		}
		if what == 3 || what == 4 {
			s.rank[a], s.rank[b] = s.rank[b], s.rank[a]
		}
		if r.draw(2) == 0 {
			return s
		}
	}
}

// draw gives one of so many numbers: no chance, always the same ones one after the other.
func (r *rehearsal) draw(n int) int {
	r.seed = r.seed*6364136223846793005 + 1442695040888963407
	return int((r.seed >> 33) % uint64(n))
}

// sooner orders hosts by a script.
func (s *script) sooner(a, b *host) int {
	if s == nil {
		return 0
	}
	return cmp.Compare(s.rank[a.seq], s.rank[b.seq])
}

// cast are those of the ready hosts that a wave is for; all, where it is for none.
func (s *script) cast(ready []*host, wave int) []*host {
	if s == nil {
		return ready
	}
	var out []*host
	for _, h := range ready {
		if s.wave[h.seq] <= wave {
			out = append(out, h)
		}
	}
	if len(out) == 0 {
		return ready
	}
	return out
}

// packs: a host's instances choose the fullest host that takes them.
func (s *script) packs(h *host) bool { return h.pool.tight != (s != nil && s.pack[h.seq]) }

// upwards: a host's instances choose the smallest first.
func (s *script) upwards(h *host) bool { return s != nil && s.up[h.seq] }
