package execution

import (
	"fmt"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// doubled is an instance that the parent left without proof of where it runs: at one of two hosts, or
// at both. No turn of either host begins before looks have shown it running at exactly one.
type doubled struct {
	ends   [2]string
	since  time.Time // older looks tell nothing
	ran    map[string]bool
	missed map[string]int // host -> looks in a row that did not show it running
}

// Unproven says between which two hosts each instance may run whose move ended unread, in this campaign
// or in one before it.
func (s *State) Unproven() map[string][2]string {
	out := map[string][2]string{}
	for id, d := range s.doubled {
		out[id] = d.ends
	}
	for id, turn := range s.unproven {
		g := s.Turns[turn].Guests[id]
		out[id] = [2]string{g.From, g.Sticky}
	}
	return out
}

// noteDoubled takes in what a look at one end tells; once both ends tell, the doubt is over.
func (s *State) noteDoubled(host string) {
	h := s.host(host)
	for id, d := range s.doubled {
		if !slices.Contains(d.ends[:], host) || h.View == nil || h.At.Before(d.since) {
			continue
		}
		d.ran[host] = false
		d.missed[host]++
		for _, in := range h.View.Instances {
			switch {
			case in.ID != id:
			case in.Incoming || in.Migrating:
				d.missed[host] = 0 // still changing
			case in.State != string(fleet.Stopped):
				d.ran[host], d.missed[host] = true, 0
			}
		}
		if d.missed[d.ends[0]] >= looksToBelieve && d.missed[d.ends[1]] >= looksToBelieve {
			delete(s.doubled, id) // it is gone, or stopped: its hosts' turns find that by themselves
			continue
		}
		for i, here := range d.ends {
			if d.ran[here] && d.missed[d.ends[1-i]] >= looksToBelieve {
				delete(s.doubled, id)
				s.settle(id, here)
				s.inherited[id] = here
			}
		}
	}
}

// lookAnew: a person has released a host's turn, and may have ended one copy.
func (s *State) lookAnew(host string, at time.Time) {
	for _, d := range s.doubled {
		if slices.Contains(d.ends[:], host) {
			d.since, d.ran, d.missed = at, map[string]bool{}, map[string]int{}
		}
	}
}

// single: all that may run on the turn's host runs there and nowhere else, or elsewhere alone.
func (s *State) single(t *TurnState, _ time.Time) *ruling {
	for _, id := range sortedKeys(s.doubled) {
		d := s.doubled[id]
		if !slices.Contains(d.ends[:], t.Plan.Host) {
			continue
		}
		if d.ran[d.ends[0]] && d.ran[d.ends[1]] {
			return &ruling{hold: t.held(CodeSplit, fmt.Sprintf("%s runs on %s and on %s at once since campaign %s", id, d.ends[0], d.ends[1], s.Plan.Supersedes),
				"look at both copies, leave exactly one running, then: evenkeel retry "+t.Plan.ID)}
		}
		r := wait(time.Time{}, fmt.Sprintf("where %s runs is not known since campaign %s: on %s or on %s", id, s.Plan.Supersedes, d.ends[0], d.ends[1]))
		return &r
	}
	return nil
}

// doubledHosts are the hosts to look at for them, while a turn of one of them may come.
func (s *State) doubledHosts() (hosts []string) {
	if s.Phase != PhaseRunning {
		return nil
	}
	for _, id := range sortedKeys(s.doubled) {
		d := s.doubled[id]
		if d.ran[d.ends[0]] && d.ran[d.ends[1]] || !slices.ContainsFunc(s.waiting, func(turn string) bool { return slices.Contains(d.ends[:], s.Turns[turn].Plan.Host) }) {
			continue // a person decides; or nobody asks
		}
		hosts = append(hosts, d.ends[:]...)
	}
	return hosts
}
