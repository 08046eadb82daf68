package planner

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// A plan is drafted more than once where that may make it better: when a draft has more waves than the
// outlooks hoped for, or has blocked or stopped what another might not.

// way is what drafts of one plan differ by.
type way struct {
	loose    map[string]int // pool -> how often it was among the last of an earlier draft, with more waves than hoped for
	order    order
	risk     riskOrder
	risks    map[string]advisory.Risk // of hosts at the outset, once they were reckoned
	unpaced  bool                     // waves are as big as they can be
	brief    bool                     // what a host saves together takes no longer than policy gives one, if others may be stopped for it
	goal     map[front]int            // waves that an earlier draft needed
	script   *script                  // of each host's place and wave; nil: there is none
	coloured bool                     // waves are of hosts whose groups can spare all of them, found ahead
	even     bool                     // and of about as many hosts
	measure  measure                  // of waves; nil: by outlooks
	stays    map[string]bool          // hosts served in place for a deadline

	homing  map[wayHome]bool // those that are to go home after a turn, for their pools' sake
	allHome bool             // all are, for no fewer would do
	patient bool             // turns wait for a wave in which their ways home fit
	// level are the pools as they were found: whoever makes a fixed host fuller than the fullest was goes home again.
	level map[string]fleet.Standing
	apart bool // no slot is cut as that of another place
}

// measure gives for some pools how many of their hosts should be in the next wave at most; for none, as many as can.
type measure func(w *world, ready []*pool) map[*pool]int

// front is what is served side by side in one stage: its waves are counted together.
type front struct {
	stage stage
	name  string
}

// progress of a front.
type progress struct {
	hoped int             // waves, by the outlooks at its first wave
	had   int             // waves so far, from then on
	late  map[string]bool // pools that had turns in more
}

// What is reckoned with where sizes differ, and when that was too little.
const fewGaps, manyGaps = 1, 5

// mostTurns of all drafts together: a big fleet is drafted less often.
const mostTurns = 200_000

// best is the best draft there is, for a small fleet what a rehearsal makes of it, and where it is too late for a
// deadline even so, what serving hosts in place makes of that.
func best(in Input) (*world, outset, error) {
	ix := fleet.NewIndex(in.Fleet)
	w, o, err := drafted(in, ix)
	if err == nil {
		w, o, err = w.riskiestFirst(o)
	}
	if err == nil {
		by := w.by
		w, o = w.rehearse(o)
		w, o = w.hurry(o, by)
	}
	if err == nil && in.Policy.HomeRule() == plan.HomeSettle {
		return settled(in, ix, w, o)
	}
	return w, o, err
}

// drafted makes as many drafts as are worth their while, and takes the best.
func drafted(in Input, ix *fleet.Index) (*world, outset, error) {
	w, o, err := draftBy(in, ix, way{})
	if err != nil || w.asHoped() && !w.joined && !(w.held && w.doubtful()) {
		return w, o, err
	}
	left := mostTurns - len(w.plan.Turns)
	take := func(by way) {
		if left -= len(w.plan.Turns); left < 0 || err != nil {
			return
		}
		var other *world
		var start outset
		if other, start, err = draftBy(in, ix, by); err == nil && other.better(w) {
			w, o = other, start
		}
	}
	mixed := w.anyMixed()
	inOrders := func(orders ...order) {
		for _, order := range orders {
			if mixed && (w.short && !w.asHoped() || in.Profile == plan.Bound && w.doubtful()) {
				take(way{loose: w.by.loose, order: order})
			}
		}
	}
	if in.Profile == plan.Bound { // first the one that most often brings the waves that were hoped for
		inOrders(byLargest, byMemory, bySmallest)
	}
	for n := 0; n < 2 && w.held && !w.asHoped(); n++ {
		by := way{loose: maps.Clone(w.by.loose)}
		if by.loose == nil {
			by.loose = map[string]int{}
		}
		for _, p := range w.fronts {
			for pool := range p.late {
				by.loose[pool]++
			}
		}
		take(by)
	}
	if in.Profile != plan.Bound {
		inOrders(byMemory, byLargest)
	}
	if (w.doubtful() || !w.asHoped()) && w.held {
		take(way{loose: w.by.loose, order: w.by.order, unpaced: true})
	}
	if by := w.by; !w.asHoped() && w.twice > len(w.plan.Moves)/100 {
		by.unpaced, by.goal = false, map[front]int{}
		for f, p := range w.fronts {
			by.goal[f] = p.had
		}
		if take(by); w.by.goal == nil && mixed && w.short {
			if by.order == byRoom && w.in.Profile == plan.Bound {
				by.order = bySmallest
			} else if by.order == byRoom {
				by.order = byMemory
			} else {
				by.order = byRoom
			}
			take(by)
		}
	}
	if !w.asHoped() && w.waves <= mostColours && w.conflicting() {
		take(way{coloured: true, unpaced: true})
		take(way{coloured: true, even: true, unpaced: true})
	}
	if by := w.by; w.joined {
		by.apart = true
		take(by)
	}
	if by := w.by; w.lateForSaves() {
		by.brief = true
		take(by)
	}
	return w, o, err
}

// conflicting: some host is in a group or a host group.
func (w *world) conflicting() bool {
	return len(w.groups) > 0 || slices.ContainsFunc(w.hosts, func(h *host) bool { return len(h.hostGroups) > 0 })
}

// lateForSaves: hosts are too late for a deadline, and others save for longer than they had to.
func (w *world) lateForSaves() bool {
	late := func(b plan.Blocked) bool { return b.Code == codeAfterFinishBy || b.Code == codeAfterDisclosure }
	long := func(t plan.Turn) bool { return t.SaveMaxS > 0 }
	return slices.Contains(w.policy.Tactics, plan.Reboot) && slices.ContainsFunc(w.plan.Blocked[w.judged:], late) && slices.ContainsFunc(w.plan.Turns, long)
}

// draftBy makes one draft; anew, where what it took for granted did not come true.
func draftBy(in Input, ix *fleet.Index, by way) (*world, outset, error) {
	banned, undeferred := map[string]plan.Blocked{}, map[string]plan.Blocked{}
	for {
		w, err := newWorld(in, ix)
		if err != nil {
			return nil, outset{}, err
		}
		w.banned, w.undeferred, w.by = banned, undeferred, by
		w.noteShed()
		w.classify()
		w.hurryHosts()
		w.order()
		start := w.outset()
		w.judged = len(w.plan.Blocked)
		w.sweep()
		w.sweepDeferred()
		if betrayed, overpromised := w.betrayed(), w.overpromised(); !betrayed && !overpromised {
			return w, start, nil
		}
	}
}

// asHoped: nothing was blocked or stopped for want of room or time, and no front had more waves than its
// outlooks hoped for.
func (w *world) asHoped() bool {
	for f, p := range w.fronts {
		if p.had > max(p.hoped, w.by.goal[f]) {
			return false
		}
	}
	return len(w.plan.Blocked) == w.judged && !w.relaxed
}

// fewTurns: of so few, rules and single hosts may count for more than the sums that an outlook is made of.
const fewTurns = 2_000

// doubtful: that there are as many waves as was hoped for does not show that fewer would not do.
func (w *world) doubtful() bool { return w.rough || len(w.plan.Turns) <= fewTurns }

func (w *world) anyMixed() bool {
	for _, p := range w.pools {
		if p.mixed {
			return true
		}
	}
	return false
}

// better ranks drafts by what people lose (plan.Toll), the first of which is hosts and instances without a turn.
// Of two whose toll is the same to the last number the one drafted first is kept.
func (w *world) better(than *world) bool {
	if w.in.Profile == plan.Bound {
		return w.leaner(than)
	}
	return w.toll().Compare(than.toll()) < 0
}

// leaner ranks drafts that are to be measured by: by what each loses, then moves, then moves and time together, where a
// hundredth of the moves weighs as much as two of the time. A plan is not to become another one for less than that, nor
// to have a hundredth more moves for any time.
func (w *world) leaner(than *world) bool {
	if lost := w.loses(than); lost != 0 {
		return lost < 0
	}
	moves, time := portion(len(w.plan.Moves), len(than.plan.Moves)), portion(w.lasts(), than.lasts())
	return moves < 0.99 || moves <= 1.01 && 2*moves+time < 2.98
}

// portion is one number as a share of another; 1 where both are the same.
func portion[N int | time.Duration](n, of N) float64 {
	if n == of {
		return 1
	}
	return float64(n) / float64(of)
}

// lasts is the time from the first turn's start to the last one's end at worst.
func (w *world) lasts() (all time.Duration) {
	for i := range w.plan.Turns {
		all = max(all, w.plan.Turns[i].WorstEnd().Sub(w.plan.Turns[0].Start))
	}
	return all
}

// loses compares drafts by who is left without a turn, stops and waves; less than zero: this one is the better.
func (w *world) loses(than *world) int {
	stops := func(w *world) (n int) {
		for i := range w.plan.Slots {
			if w.plan.Slots[i].Class == plan.ClassOutage {
				n++
			}
		}
		return n
	}
	return cmp.Or(cmp.Compare(len(w.plan.Blocked), len(than.plan.Blocked)), cmp.Compare(stops(w), stops(than)), cmp.Compare(w.waves, than.waves))
}

// toll is what a draft comes to for people, reckoned once.
func (w *world) toll() plan.Toll {
	if w.tolled == nil {
		p := w.plan
		p.Made, p.Target, p.Policy = w.in.Now.UTC(), w.in.Target, w.in.Policy
		s := plan.TollOf(w.in.Fleet, &p)
		w.tolled = &s
	}
	return *w.tolled
}
