package planner

import "time"

// timetable says when the migrations of one wave run: so many at once per host, at either end, and
// per pool. Times count from the wave's start. Whoever comes first is served first, and what was
// booked is never moved.
type timetable struct {
	perHost, perPool int
	hosts            map[*host][]time.Duration // when each of a host's places gets free
	pools            map[*pool][]time.Duration
	log              []change // to undo
}

type change struct {
	place *time.Duration
	was   time.Duration
}

func newTimetable(perHost, perPool int) *timetable {
	return &timetable{perHost: perHost, perPool: perPool, hosts: map[*host][]time.Duration{}, pools: map[*pool][]time.Duration{}}
}

// book finds the earliest start, not before `from`, for a migration of the turn of host `turn`
// between it and another host.
func (t *timetable) book(turn, other *host, from, length time.Duration) (start, end time.Duration) {
	places := [3]*time.Duration{soonest(t.hosts, turn, t.perHost), soonest(t.hosts, other, t.perHost)}
	n := 2
	if t.perPool < t.perHost*len(turn.pool.hosts) { // else its hosts' own limits bind first
		places[2] = soonest(t.pools, turn.pool, t.perPool)
		n = 3
	}
	start = from
	for _, p := range places[:n] {
		start = max(start, *p)
	}
	end = start + length
	for _, p := range places[:n] {
		t.log = append(t.log, change{p, *p})
		*p = end
	}
	return start, end
}

func soonest[K comparable](m map[K][]time.Duration, key K, n int) *time.Duration {
	places := m[key]
	if places == nil {
		places = make([]time.Duration, n)
		m[key] = places
	}
	best := 0
	for i := range places {
		if places[i] < places[best] {
			best = i
		}
	}
	return &places[best]
}

func (t *timetable) mark() int { return len(t.log) }

// undo takes back what was booked since the mark.
func (t *timetable) undo(mark int) {
	for i := len(t.log) - 1; i >= mark; i-- {
		*t.log[i].place = t.log[i].was
	}
	t.log = t.log[:mark]
}
