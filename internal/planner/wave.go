package planner

import (
	"math"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// wave is a set of turns that start together, while it is being filled.
type wave struct {
	*world
	start time.Time
	live  bool // it is one of live patches
	turns []*draft

	away     map[*pool]int   // its hosts that are in a turn
	awayFree map[*pool]int64 // MiB free on these
	landings map[*pool]int   // moves that land in it or leave its hosts
	touched  map[*pool]bool
	empty    map[*pool]bool // an empty host of the pool is in a turn: it takes instances from the next wave on
	fails    map[*pool]int
	tiredAt  map[*pool]int // the place in the queue at which patience with a pool ended
	fullAt   map[*pool]int // and at which a pool had its measure
	paced    map[*pool]int // hosts of a pool that the wave should have at most
	probing  bool          // asks what would be without a reserve
	learnt   bool          // of a host that was tried alone, why it has no turn or what it needs
	hostUse  map[*hostGroup]int
	groupUse map[*group]int
	leaving  map[*host]int64    // MiB of those that go home from it again
	siteOf   map[string]string  // region -> its site that is being disrupted
	rackOf   map[string]string  // site -> its rack that is being disrupted
	awayAt   map[plan.Place]int // hosts of a rack, and of a region, that are in a turn, where policy bounds that

	// Four timetables: leaving and coming home, each as expected and at p99. Nobody comes home
	// before the last one has left.
	leave, worstLeave, home, worstHome *timetable
	lastFixed                          map[*pool]time.Duration // start of the last move to a fixed host of the pool
	firstHome                          time.Duration           // start of the first way home; -1: there is none
	lastLeft, worstLeft                time.Duration           // end of the last move away, expected and at p99
	lastOpen                           time.Duration           // start of the last move to a host that is not fixed; -1: there is none
	firstOver                          time.Duration           // end of the first turn after which its host takes instances
}

// draft is one turn of a wave.
type draft struct {
	host   *host
	canary bool
	tactic plan.Tactic
	piece  piece
	stops  []stop
	moves  []*move
	homes  []*move
	away   map[*guest]*plan.Away // those that should go home after it and cannot

	worstDrain      time.Duration // when the last of its moves away is over at p99
	expected, worst spanOf        // all: from the wave's start to the turn's end
	beside          time.Duration // of all at worst: what does not depend on the host and its stops alone
	p95, p99        time.Duration // of all
	outage          plan.Course   // of those who are stopped
}

// move is one migration. Times count from the wave's start.
type move struct {
	guest      *guest
	from, to   *host
	start, end time.Duration
}

func (w *world) newWave(start time.Time) *wave {
	table := func() *timetable { return newTimetable(&w.policy) }
	v := &wave{world: w, start: start,
		away: map[*pool]int{}, awayFree: map[*pool]int64{}, landings: map[*pool]int{}, touched: map[*pool]bool{},
		empty: map[*pool]bool{}, fails: map[*pool]int{}, tiredAt: map[*pool]int{}, fullAt: map[*pool]int{}, hostUse: map[*hostGroup]int{}, groupUse: map[*group]int{},
		leaving: map[*host]int64{}, siteOf: map[string]string{}, rackOf: map[string]string{}, awayAt: map[plan.Place]int{}, leave: table(), worstLeave: table(), home: table(), worstHome: table(),
		lastFixed: map[*pool]time.Duration{}, firstHome: -1, lastOpen: -1, firstOver: math.MaxInt64}
	if w.again != nil {
		w.again.open(v)
	}
	return v
}

// enter takes an accepted turn in.
func (v *wave) enter(d *draft) {
	h := d.host
	if h.toPrepare() {
		for _, p := range h.pools {
			p.preparing--
		}
	}
	h.status, h.inTurn = done, true
	h.stand()
	v.turns = append(v.turns, d)
	if !v.live { // a live patch takes nobody away
		v.away[h.pool]++
		v.leavesPlace(h)
		if h.IsUp() {
			v.awayFree[h.pool] += h.free()
		}
	}
	for _, p := range h.pools {
		v.touched[p] = true
		v.empty[p] = v.empty[p] || len(h.guests) == 0
	}
	v.worstLeft = max(v.worstLeft, d.worstDrain)
	for _, m := range d.moves {
		v.lastLeft = max(v.lastLeft, m.end)
		for _, p := range m.to.pools {
			v.touched[p] = true
		}
		if !m.to.fixed() {
			v.twice++
		}
		if m.to.fixed() {
			for _, p := range m.to.pools {
				v.lastFixed[p] = max(v.lastFixed[p], m.start)
			}
		}
	}
	for _, m := range d.homes {
		v.leaving[m.from] += m.guest.MemoryMiB
		if v.firstHome < 0 || m.start < v.firstHome {
			v.firstHome = m.start
		}
	}
	if v.lastOpen = max(v.lastOpen, d.lastOpen()); h.IsUp() {
		v.firstOver = min(v.firstOver, d.expected.all)
	}
	for _, g := range h.hostGroups {
		v.hostUse[g]++
	}
	for _, n := range needsOf(d.disturbed()) {
		v.groupUse[n.group] += n.count()
	}
	v.siteOf[h.region], v.rackOf[h.site] = h.site, h.rack
}

// lastFixedOf is when the last move begins to a fixed host that a host shares a pool with; -1: there is none.
func (v *wave) lastFixedOf(h *host) time.Duration {
	last := time.Duration(-1)
	for _, p := range h.pools {
		if start, ok := v.lastFixed[p]; ok {
			last = max(last, start)
		}
	}
	return last
}

// disturbed are the guests that stay, stopped, and those that move. In a refresh whoever stays is
// stopped by itself, after all moves, so none is away together with another of the turn.
func (d *draft) disturbed() (stops, moves []*guest) {
	for _, s := range d.stops {
		stops = append(stops, s.guest)
	}
	for _, m := range d.moves {
		moves = append(moves, m.guest)
	}
	if d.host.refreshed() {
		return nil, append(stops, moves...)
	}
	return stops, moves
}

// end is when the last turn of the wave is over in the worst case.
func (v *wave) end() time.Time {
	end := v.start
	for _, d := range v.turns {
		end = later(end, v.start.Add(d.worst.all))
	}
	return end
}

// close carries the wave out: guests are where they were moved to, its hosts are done.
func (v *wave) close() {
	for _, d := range v.turns {
		h := d.host
		before := h.class
		h.Host, h.class = h.after, v.alike.host(h.after)
		homed := map[*guest]bool{}
		for _, m := range d.homes {
			homed[m.guest] = true
		}
		for _, m := range d.moves {
			v.settle(m, before, homed[m.guest], v.start.Add(m.end))
		}
		if v.live && h.deferral.ahead && !h.deferral.blocked {
			h.status, h.can = patched, h.deferral.can
		}
		h.inTurn = false
		h.stand()
		for _, p := range h.pools {
			v.stir(p)
		}
	}
	for _, d := range v.turns {
		v.revise(d.host)
		for _, m := range d.moves {
			v.revise(m.to)
		}
	}
}

// revise notes what a host has come to in the wave that was closed, once.
func (w *world) revise(h *host) {
	if h.revised == w.waves {
		return
	}
	h.revised = w.waves
	w.lineUp(h)
	w.reckon(h)
}

// settle ends one move: the guest is at one place again. before is the class of the host it left, as that
// was then.
func (v *wave) settle(m *move, before int32, cameHome bool, landed time.Time) {
	m.guest.fresh = m.to.fixed()
	m.from.changes++
	m.to.changes++
	if !m.to.refreshed() { // a refresh leaves alone who landed on the new software
		m.to.notBefore = later(m.to.notBefore, landed.Add(v.policy.MinStay.Std()))
	}
	left := m.from
	if cameHome {
		left = m.to
	} else {
		m.from.drop(m.guest)
		m.to.guests = append(m.to.guests, m.guest)
		m.guest.at, m.guest.off = m.to, m.from
		for _, p := range m.to.pools {
			v.stir(p)
		}
	}
	m.to.arriving--
	m.to.received++
	m.guest.class = v.alike.landed(m.guest.class, before, m.guest.at.class) // a guest that came home took its host's new software
	left.take(-m.guest.MemoryMiB)
	for _, gr := range m.guest.groups {
		gr.domain[gr.domainOf(left)]--
	}
}

// take books memory on a host; less than zero gives it back.
func (h *host) take(mib int64) {
	h.used += mib
	if h.IsUp() {
		h.pool.free -= mib
	}
	h.stand()
}

func (h *host) drop(g *guest) {
	for i, o := range h.guests {
		if o == g {
			h.guests = append(h.guests[:i], h.guests[i+1:]...)
			return
		}
	}
}
