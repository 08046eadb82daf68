package audit

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// How a pool stands: how many of its instances share what their group's spread forbids, how far its free memory is
// below its reserve, the most memory that is free on one host, and how full the fullest host is. The judge reckons all
// this by itself.
type upkeep struct {
	together       int
	short, largest int64
	used, of       int64 // MiB in use on the fullest host, of so many; 0 of 0: there is no host
}

// returns and settles are what a policy says of those that were moved away.
func returns(p *plan.Policy) bool { return p.Home == "return" || p.Home == "" && p.BringHome }
func settles(p *plan.Policy) bool { return p.Home == "settle" }

// stand gives the upkeep of each pool with instances where at has them; "" for one that is nowhere.
func (e *estate) stand(at func(id string) string) map[string]upkeep {
	used := map[string]int64{}
	for id, in := range e.instances {
		if occupies(in) {
			used[at(id)] += in.MemoryMiB
		}
	}
	out := map[string]upkeep{}
	for pool, hosts := range e.homeHosts {
		s, free := upkeep{}, int64(0)
		for _, h := range hosts {
			if !healthy(h.Health) || h.MemoryMiB <= 0 {
				continue
			}
			has := h.MemoryMiB - used[h.ID]
			if free += has; has > s.largest {
				s.largest = has
			}
			if s.of == 0 || used[h.ID]*s.of > s.used*h.MemoryMiB {
				s.used, s.of = used[h.ID], h.MemoryMiB
			}
		}
		if lacks := e.reserve(pool) - free; lacks > 0 {
			s.short = lacks
		}
		s.together = e.sharers(pool, at)
		out[pool] = s
	}
	return out
}

// sharers counts those on a pool's hosts that share what a group of theirs spreads over, once for each such group.
func (e *estate) sharers(pool string, at func(id string) string) (n int) {
	for _, g := range e.groups {
		if g.spread == fleet.SpreadNone || g.spread == "" {
			continue
		}
		in := map[string]int{}
		for _, id := range g.members {
			if occupies(e.instances[id]) {
				in[e.domain(g.spread, at(id))]++
			}
		}
		for _, id := range g.members {
			if d := e.domain(g.spread, at(id)); d != "" && in[d] > 1 && occupies(e.instances[id]) && e.home(at(id)) == pool {
				n++
			}
		}
	}
	return n
}

// worse says in what a pool is worse off than it was; "" in nothing. A share is worse from a thousandth on.
func (s upkeep) worse(was upkeep) string {
	var in []string
	if s.together > was.together {
		in = append(in, fmt.Sprintf("%d instances share what their group spreads over, %d before", s.together, was.together))
	}
	if s.short > was.short {
		in = append(in, fmt.Sprintf("%d MiB are missing of its reserve, %d before", s.short, was.short))
	}
	if thousandths(s) > thousandths(was) {
		in = append(in, fmt.Sprintf("its fullest host has %d of %d MiB in use, %d of %d before", s.used, s.of, was.used, was.of))
	}
	if s.largest < was.largest {
		in = append(in, fmt.Sprintf("at most %d MiB are free on one host, %d before", s.largest, was.largest))
	}
	return strings.Join(in, "; ")
}

func thousandths(s upkeep) int64 {
	if s.of == 0 {
		return 0
	}
	n := 1000 * s.used / s.of
	if n*s.of < 1000*s.used {
		n++
	}
	return n
}

func pools(of map[string]upkeep) []string {
	ids := make([]string, 0, len(of))
	for id := range of {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	return ids
}

// asFound asks, once all is over, whether a pool is worse off than it was found, where policy does not let instances
// simply stay (law 7). It is nobody's fault where all that could go home did.
func (s *scene) asFound() {
	if !returns(&s.p.Policy) && !settles(&s.p.Policy) {
		return
	}
	found := s.stand(func(id string) string { return s.instances[id].Host })
	ends := s.stand(func(id string) string { return s.at[id] })
	could := s.couldReturn()
	for _, pool := range pools(found) {
		in := ends[pool].worse(found[pool])
		s.must(in == "" || could[pool] == "", 7, "pool-worse", Subject{Pool: pool, Instance: could[pool]}, s.p.End, "more ways home, or a policy by which instances stay",
			"pool %s is left worse off than it was found: %s; %s could go home and does not", pool, in, could[pool])
	}
}

// couldReturn names for each pool an instance that ends elsewhere than where it began, in it or from it, and that
// nothing keeps from going home, as far as is known here.
func (s *scene) couldReturn() map[string]string {
	out := map[string]string{}
	ids := make([]string, 0, len(s.instances))
	for id := range s.instances {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	for _, id := range ids {
		in := s.instances[id]
		at := s.at[id]
		if at == in.Host || s.hosts[at] == nil || s.hosts[in.Host] == nil || s.barred(in) || s.noTimeHome(in) {
			continue
		}
		for _, pool := range []string{s.home(at), s.home(in.Host)} {
			if out[pool] == "" {
				out[pool] = id
			}
		}
	}
	return out
}

// noTimeHome: after the turn that moved an instance off its host a move home need not end, at worst, within the slot
// and the deadlines.
func (s *scene) noTimeHome(in *fleet.Instance) bool {
	for _, m := range s.p.Moves {
		t, sl := s.turns[m.Turn], s.slotOf[[2]string{m.Turn, in.ID}]
		if m.Instance != in.ID || m.From != in.Host || m.Home || t == nil || sl == nil {
			continue
		}
		over := worst(t).Add(time.Duration(s.p.Policy.Times.MigrateMax) + time.Minute)
		if over.After(sl.End) || s.pastLimits(over) {
			return true
		}
	}
	return false
}

// pastLimits: an instant lies after a moment by which all is to be over.
func (s *scene) pastLimits(at time.Time) bool {
	by := s.p.Policy.FinishBy
	if tg := s.p.Target; tg != nil {
		if !tg.FinishBy.IsZero() {
			by = tg.FinishBy
		}
		if tg.Disclosure.After(s.p.Made) && at.After(tg.Disclosure) {
			return true
		}
	}
	return !by.IsZero() && at.After(by)
}
