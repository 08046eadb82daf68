package planner

import (
	"cmp"
	"slices"
	"sort"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// timetable says when the migrations of one wave run: so many at once per host, at either end, per pool, per rack
// and region where policy bounds that, and per link of the fleet. Times count from the wave's start. Whoever comes first is served first, and what was
// booked is never moved; who comes later may go in between.
type timetable struct {
	perHost, perPool int
	policy           *plan.Policy
	hosts            map[*host]lanes
	pools            map[*pool]lanes
	places           map[plan.Crossed]lanes // nil: policy bounds none
	links            map[*fleet.Link]lanes
	log              []change // to undo
	final            bool     // nothing is taken back from it
}

// lanes are the places of one host or pool, each with its bookings in their order.
type lanes [][]booking

type booking struct{ start, end time.Duration }

// change is one booking in a lane.
type change struct {
	lane  *[]booking
	start time.Duration
}

func newTimetable(p *plan.Policy) *timetable {
	t := &timetable{perHost: p.MovesPerHost, perPool: p.MovesPerPool, policy: p, hosts: map[*host]lanes{}, pools: map[*pool]lanes{}, links: map[*fleet.Link]lanes{}}
	if p.MovesPerRack > 0 || p.MovesPerRegion > 0 {
		t.places = map[plan.Crossed]lanes{}
	}
	return t
}

// mostLanes is how many things one migration most often takes part of at most: two hosts, a pool, two racks, two
// regions, two links.
const mostLanes = 9

// line puts the moves of one turn in the order in which they are best booked: those to fixed hosts first,
// then whose destination is free sooner, for whoever waits keeps others waiting.
func (t *timetable) line(moves []*move) {
	for _, m := range moves {
		m.start, _ = lanesOf(t.hosts, m.to, t.perHost).free(0, time.Second)
	}
	slices.SortStableFunc(moves, func(a, b *move) int {
		if af, bf := a.to.fixed(), b.to.fixed(); af != bf && af {
			return -1
		} else if af != bf {
			return 1
		}
		return cmp.Compare(a.start, b.start)
	})
}

// book finds the earliest start, not before `from`, for a migration of the turn of host `turn`
// between it and another host.
func (t *timetable) book(turn, other *host, from, length time.Duration) (start, end time.Duration) {
	all := make([]lanes, 0, mostLanes)
	all = append(all, lanesOf(t.hosts, turn, t.perHost), lanesOf(t.hosts, other, t.perHost))
	if t.perPool < t.perHost*len(turn.pool.hosts) { // else its hosts' own limits bind first
		all = append(all, lanesOf(t.pools, turn.pool, t.perPool))
	}
	if t.places != nil {
		for _, c := range t.policy.Crosses(turn.where(), other.where()) {
			all = append(all, lanesOf(t.places, c, c.Most))
		}
	}
	if len(turn.links)+len(other.links) > 0 {
		for _, l := range fleet.Over(turn.links, other.links) {
			all = append(all, lanesOf(t.links, l, t.policy.OverLink()))
		}
	}
	lane := append(make([]int, 0, mostLanes), make([]int, len(all))...)
	start = from
	for agreed := 0; agreed < len(all); {
		agreed = 0
		for i, l := range all {
			at := start
			if start, lane[i] = l.free(at, length); start == at {
				agreed++
			}
		}
	}
	end = start + length
	for i, l := range all {
		t.put(&l[lane[i]], start, end)
	}
	return start, end
}

func lanesOf[K comparable](m map[K]lanes, key K, n int) lanes {
	l := m[key]
	if l == nil {
		l = make(lanes, n)
		m[key] = l
	}
	return l
}

// free is when, not before `from`, one of the lanes is free for so long, and which.
func (l lanes) free(from, length time.Duration) (start time.Duration, lane int) {
	for i, bookings := range l {
		at := from
		n := sort.Search(len(bookings), func(n int) bool { return bookings[n].end > from })
		for ; n < len(bookings) && bookings[n].start < at+length; n++ {
			at = bookings[n].end
		}
		if i == 0 || at < start {
			start, lane = at, i
		}
	}
	return start, lane
}

func (t *timetable) put(lane *[]booking, start, end time.Duration) {
	n := sort.Search(len(*lane), func(n int) bool { return (*lane)[n].start >= start })
	*lane = slices.Insert(*lane, n, booking{start, end})
	if !t.final {
		t.log = append(t.log, change{lane, start})
	}
}

func (t *timetable) mark() int { return len(t.log) }

// undo takes back what was booked since the mark.
func (t *timetable) undo(mark int) {
	for i := len(t.log) - 1; i >= mark; i-- {
		c := t.log[i]
		n := sort.Search(len(*c.lane), func(n int) bool { return (*c.lane)[n].start >= c.start })
		*c.lane = slices.Delete(*c.lane, n, n+1)
	}
	t.log = t.log[:mark]
}
