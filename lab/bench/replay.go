package bench

import (
	"cmp"
	"slices"
	"time"
)

// replay follows instances of services from host to host, and counts those that land beside another
// member of their service.
type replay struct {
	service map[string]int         // instance -> service
	home    map[string]string      // instance -> host at the outset
	at      map[int]map[string]int // service -> host -> members there or on their way there
	where   map[string]string      // instance -> host
}

func newReplay(f Fleet) *replay {
	r := &replay{service: map[string]int{}, home: map[string]string{}}
	for n := range f.Hosts {
		for k, g := range f.guests(n) {
			if g.service > 0 {
				r.service[guestID(n, k)], r.home[guestID(n, k)] = g.service, hostID(n)
			}
		}
	}
	r.reset()
	return r
}

// reset puts all where they were at the outset.
func (r *replay) reset() {
	r.at, r.where = map[int]map[string]int{}, map[string]string{}
	for instance, host := range r.home {
		r.count(r.service[instance], host, 1)
		r.where[instance] = host
	}
}

func (r *replay) count(service int, host string, by int) {
	if r.at[service] == nil {
		r.at[service] = map[string]int{}
	}
	r.at[service][host] += by
}

// arrive tells whether another member is there already.
func (r *replay) arrive(instance, to string) (beside bool) {
	s, member := r.service[instance]
	if !member {
		return false
	}
	beside = r.at[s][to] > 0
	r.count(s, to, 1)
	return beside
}

func (r *replay) leave(instance, from string) {
	if s, member := r.service[instance]; member {
		r.count(s, from, -1)
	}
}

// hroller replays its groups, one after the other, each from the outset, as it assumes.
func (r *replay) hroller(p hrollerPlan) (beside int) {
	for _, g := range p.groups {
		r.reset()
		for _, m := range g.moves {
			if r.where[m.instance] == "" {
				continue // of no service
			}
			r.leave(m.instance, r.where[m.instance])
			if r.arrive(m.instance, m.to) {
				beside++
			}
			r.where[m.instance] = m.to
		}
	}
	return beside
}

// move is one of a plan's, as its JSON has it.
type move struct {
	Instance string    `json:"instance"`
	From     string    `json:"from"`
	To       string    `json:"to"`
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
}

// plan replays our moves by the clock: an instance is at both ends while it moves.
func (r *replay) plan(moves []move) (beside int) {
	type event struct {
		at    time.Time
		lands bool
		move  *move
	}
	var events []event
	for n := range moves {
		m := &moves[n]
		events = append(events, event{m.Start, true, m}, event{m.End, false, m})
	}
	slices.SortStableFunc(events, func(a, b event) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(order(a.lands), order(b.lands)))
	})
	for _, e := range events {
		switch {
		case !e.lands:
			r.leave(e.move.Instance, e.move.From)
		case r.arrive(e.move.Instance, e.move.To):
			beside++
		}
	}
	return beside
}

// order: of two events at one instant, what leaves comes before what arrives.
func order(lands bool) int {
	if lands {
		return 1
	}
	return 0
}
