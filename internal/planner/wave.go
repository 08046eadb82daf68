package planner

import (
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
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
	probing  bool // asks what would be without a reserve
	hostUse  map[*hostGroup]int
	groupUse map[*group]int
	siteOf   map[string]string // region -> its site that is being disrupted

	// Four timetables: leaving and coming home, each as expected and at p99. Nobody comes home
	// before the last one has left.
	leave, worstLeave, home, worstHome *timetable
	lastFixed                          time.Duration // start of the last move to a fixed host; -1: there is none
	firstHome                          time.Duration // start of the first way home; -1: there is none
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

	expected, worst spanOf // all: from the wave's start to the turn's end
}

// move is one migration. Times count from the wave's start.
type move struct {
	guest      *guest
	from, to   *host
	start, end time.Duration
}

func (w *world) newWave(start time.Time) *wave {
	table := func() *timetable { return newTimetable(w.policy.MovesPerHost, w.policy.MovesPerPool) }
	return &wave{world: w, start: start,
		away: map[*pool]int{}, awayFree: map[*pool]int64{}, landings: map[*pool]int{}, touched: map[*pool]bool{},
		empty: map[*pool]bool{}, fails: map[*pool]int{}, hostUse: map[*hostGroup]int{}, groupUse: map[*group]int{},
		siteOf: map[string]string{}, leave: table(), worstLeave: table(), home: table(), worstHome: table(),
		lastFixed: -1, firstHome: -1}
}

// enter takes an accepted turn in.
func (v *wave) enter(d *draft) {
	h := d.host
	h.status, h.wave = done, v
	v.turns = append(v.turns, d)
	if !v.live { // a live patch takes nobody away
		v.away[h.pool]++
		if h.IsUp() {
			v.awayFree[h.pool] += h.free()
		}
	}
	for _, p := range h.pools {
		v.touched[p] = true
		v.empty[p] = v.empty[p] || len(h.guests) == 0
	}
	for _, m := range d.moves {
		for _, p := range m.to.pools {
			v.touched[p] = true
		}
		if m.to.fixed() {
			v.lastFixed = max(v.lastFixed, m.start)
		}
	}
	for _, m := range d.homes {
		if v.firstHome < 0 || m.start < v.firstHome {
			v.firstHome = m.start
		}
	}
	for _, g := range h.hostGroups {
		v.hostUse[g]++
	}
	for _, n := range needsOf(d.disturbed()) {
		v.groupUse[n.group] += n.count()
	}
	v.siteOf[h.region] = h.site
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
		before := h.Host
		h.Host = h.after
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
		for _, p := range h.pools {
			if h.fixed() && !slices.Contains(p.fixed, h) {
				p.fixed = append(p.fixed, h)
			}
			p.age++
		}
	}
}

// settle ends one move: the guest is at one place again. before is the host it left, as it was then.
func (v *wave) settle(m *move, before *fleet.Host, cameHome bool, landed time.Time) {
	m.guest.fresh = m.to.fixed()
	if !m.to.refreshed() { // a refresh leaves alone who landed on the new software
		m.to.notBefore = later(m.to.notBefore, landed.Add(v.policy.MinStay.Std()))
	}
	left := m.from
	if cameHome {
		left = m.to
	} else {
		m.from.drop(m.guest)
		m.to.guests = append(m.to.guests, m.guest)
		m.guest.at = m.to
		for _, p := range m.to.pools {
			p.age++
		}
	}
	m.to.arriving--
	m.to.received++
	m.guest.Instance = on(m.guest.Instance, before, m.guest.at.Host) // a guest that came home took its host's new software
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
}

func (h *host) drop(g *guest) {
	for i, o := range h.guests {
		if o == g {
			h.guests = append(h.guests[:i], h.guests[i+1:]...)
			return
		}
	}
}
