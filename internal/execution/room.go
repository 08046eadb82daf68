package execution

import (
	"fmt"
	"slices"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// free is a host's free memory less what is on its way to it. It follows from the facts alone, and is asked of many hosts
// for each of many instances between two of them.
func (s *State) free(host string) int64 {
	l := s.seenOnce()
	free, known := l.free[host]
	if !known {
		free = s.freeNow(host)
		l.free[host] = free
	}
	return free
}

func (s *State) freeNow(host string) int64 {
	h := s.host(host)
	if h.View == nil {
		return s.index.FreeMiB(host)
	}
	free := h.View.FreeMiB
	var taken []string
	take := func(id string) {
		shown := slices.ContainsFunc(h.View.Instances, func(in InstanceView) bool { return in.ID == id && in.State != string(fleet.Stopped) })
		if !shown && !slices.Contains(taken, id) { // else the look counts it, or it was taken off already
			taken = append(taken, id)
			free -= s.Guests[id].Memory
		}
	}
	for _, a := range s.open {
		if a.To == host {
			take(a.Instance)
		}
	}
	for id, turn := range s.unproven {
		if g := s.Turns[turn].Guests[id]; g.Sticky == host && (s.end(host, g) != "absent" || s.end(g.From, g) == "unreachable") {
			take(id)
		}
	}
	for id, d := range s.doubled { // the parent left them at either end, or at both
		if slices.Contains(d.ends[:], host) {
			take(id)
		}
	}
	for id, at := range s.landed[host] {
		if at.After(h.At) {
			take(id)
		}
	}
	return free
}

// room: memory at this instant, and the pool's reserve kept.
func (s *State) room(t *TurnState, in *fleet.Instance, to string, poolFree func() int64) *refusal {
	free := s.free(to)
	if free < in.MemoryMiB {
		return &refusal{fleet.Reason{Code: fleet.NoRoom, Why: fmt.Sprintf("has %d MiB free, %d are needed", free, in.MemoryMiB)}, len(s.open) > 0, false}
	}
	if !s.Plan.Policy.KeepReserve {
		return nil
	}
	pool := t.Plan.Pool
	left := poolFree() - in.MemoryMiB
	if reserve := s.index.ReserveMiB(pool); left < reserve {
		return &refusal{fleet.Reason{Code: "reserve", Why: fmt.Sprintf("the pool would keep %d MiB free and its reserve is %d", left, reserve)}, false, false}
	}
	return nil
}

// poolFree sums up, once and only when asked, what is free on a pool's hosts that are not away.
func (s *State) poolFree(pool string) func() int64 {
	sum, known := int64(0), false
	return func() int64 {
		if !known {
			known = true
			for _, h := range s.index.HomeHosts(pool) {
				if !s.away(h.ID) {
					sum += s.free(h.ID)
				}
			}
		}
		return sum
	}
}

// away: the host is in a turn that takes it away, which a live patch does not, or does not answer.
func (s *State) away(host string) bool {
	for _, o := range s.turnsOf[host] {
		if s.active[o.Plan.ID] && !o.Permitted.IsZero() && o.Plan.Tactic != plan.LivePatch {
			return true
		}
	}
	return s.isDown(host)
}

// poolFrees keeps what poolFree found for each pool.
func (s *State) poolFrees() func(pool string) func() int64 {
	known := map[string]func() int64{}
	return func(pool string) func() int64 {
		if known[pool] == nil {
			known[pool] = s.poolFree(pool)
		}
		return known[pool]
	}
}
