package planner

import (
	"cmp"
	"slices"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// sketchOf sketches the fleet as it is at the outset of a draft.
func sketchOf(of *world) (*sketch, error) {
	w, err := newWorld(of.in, of.ix)
	if err != nil {
		return nil, err
	}
	w.banned, w.undeferred = of.banned, of.undeferred
	w.noteShed()
	w.classify()
	w.order()
	s := &sketch{}
	s.addStages(w)
	s.addActors(w)
	s.at, s.free, s.arriving = make([]int, len(s.actors)), make([]int64, len(s.stages)), make([]int, len(s.stages))
	s.done, s.inTurn = make([]bool, len(s.stages)), make([]bool, len(s.stages))
	s.away, s.left = make([]int, len(s.pools)), make([]int64, len(s.pools))
	s.hostUse, s.groupUse = make([]int, len(s.spares)), make([]int, len(s.groups))
	s.needs = make([]need, len(s.groups))
	return s, nil
}

// addStages notes pools, hosts and host groups.
func (s *sketch) addStages(w *world) {
	places := map[*pool]int{}
	for i, p := range w.pools {
		places[p] = i
		keep := int64(-1)
		if w.policy.KeepReserve {
			keep = p.reserve
		}
		s.pools = append(s.pools, basin{away: p.maxAway, step: p.step, tight: p.tight, keep: keep})
	}
	hostGroups := map[*hostGroup]int{}
	for _, h := range w.hosts {
		x := setting{mib: h.free(), mark: h.mark, up: h.IsUp(), spare: h.Spare, due: h.status == due, fixed: h.fixed(), moves: h.can.moves()}
		for _, p := range h.pools {
			x.pools = append(x.pools, places[p])
		}
		for _, g := range h.hostGroups {
			n, known := hostGroups[g]
			if !known {
				n = len(s.spares)
				hostGroups[g], s.spares = n, append(s.spares, g.spare)
			}
			x.hostGroups = append(x.hostGroups, n)
		}
		if x.due {
			s.due = append(s.due, h.seq)
		}
		s.stages = append(s.stages, x)
	}
	for i := range s.stages {
		for k := range s.stages {
			near := slices.ContainsFunc(s.stages[i].pools, func(p int) bool { return slices.Contains(s.stages[k].pools, p) })
			s.stages[i].near = append(s.stages[i].near, near)
		}
	}
}

// addActors notes the instances that hosts with a turn have, and the groups.
func (s *sketch) addActors(w *world) {
	places := map[*group]int{}
	for i, g := range w.groups {
		places[g] = i
		q, domains := quorum{spare: g.spare, spread: g.Spread != fleet.SpreadNone}, map[string]int{}
		for _, h := range w.hosts {
			name := g.domainOf(h)
			n, known := domains[name]
			if !known {
				n = len(q.counts)
				domains[name], q.counts = n, append(q.counts, g.domain[name])
			}
			q.domains = append(q.domains, n)
		}
		s.groups, s.counts = append(s.groups, q), append(s.counts, slices.Clone(q.counts))
	}
	for _, g := range w.guests {
		if g.at.status != due || !g.alive() {
			continue
		}
		a := actor{mib: g.MemoryMiB, host: g.at.seq, mark: g.mark, stays: w.mustStop(g.at, g)}
		for _, gr := range g.groups {
			a.groups = append(a.groups, places[gr])
		}
		s.actors = append(s.actors, a)
	}
	slices.SortStableFunc(s.actors, func(a, b actor) int { return cmp.Compare(b.mib, a.mib) })
}
