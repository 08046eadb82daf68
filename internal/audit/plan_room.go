package audit

import (
	"sort"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// level is the highest use of a host's memory from one moment on.
type level struct {
	from time.Time
	mib  int64
}

// foresee plays the moves once ahead, to know for each host the most that the plan will ever put on
// it from a moment on, and for each spread group who is ever where.
func (s *scene) foresee(events []event) {
	s.peak, s.visits = map[string][]level{}, map[string]map[string]map[string]bool{}
	use := map[string]int64{}
	for h, n := range s.used {
		use[h] = n
	}
	steps := map[string][]level{}
	for _, e := range events {
		if e.move == nil || !occupies(s.instances[e.move.Instance]) {
			continue
		}
		mib := s.instances[e.move.Instance].MemoryMiB
		if e.rank == moveStarts {
			use[e.move.To] += mib
			steps[e.move.To] = append(steps[e.move.To], level{e.at, use[e.move.To]})
		} else {
			use[e.move.From] -= mib
			steps[e.move.From] = append(steps[e.move.From], level{e.at, use[e.move.From]})
		}
	}
	for h, list := range steps {
		for i := len(list) - 2; i >= 0; i-- {
			list[i].mib = max(list[i].mib, list[i+1].mib)
		}
		s.peak[h] = list
	}
	note := func(instance, host string) {
		for _, g := range s.groupsOf[instance] {
			domain := s.domain(g.spread, host)
			if g.spread == fleet.SpreadNone || domain == "" {
				continue
			}
			if s.visits[g.id] == nil {
				s.visits[g.id] = map[string]map[string]bool{}
			}
			if s.visits[g.id][domain] == nil {
				s.visits[g.id][domain] = map[string]bool{}
			}
			s.visits[g.id][domain][instance] = true
		}
	}
	for id, in := range s.instances {
		note(id, in.Host)
	}
	for _, e := range events {
		if e.rank == moveStarts && e.move != nil {
			note(e.move.Instance, e.move.To)
		}
	}
}

// mostUsed is the highest use of a host's memory from now on, as the plan goes.
func (s *scene) mostUsed(host string, at time.Time) int64 {
	list := s.peak[host]
	i := sort.Search(len(list), func(i int) bool { return !list[i].from.Before(at) })
	if i < len(list) {
		return max(s.used[host], list[i].mib)
	}
	return s.used[host]
}

// room asks law 6 of one move as it starts.
func (s *scene) room(m *plan.Move) {
	in, from, to := s.instances[m.Instance], s.hosts[m.From], s.hosts[m.To]
	subject := ofMove(m)
	s.must(occupies(in), 1, "moves-stopped", subject, m.Start, "no live migration of what does not run", "%s is %s and is to be live-migrated", in.ID, in.State)
	s.must(s.used[to.ID]+in.MemoryMiB <= to.MemoryMiB, 6, "no-room", subject, m.Start, "a destination with that much free, or another time",
		"%s needs %d MiB, host %s then has %d of %d free", in.ID, in.MemoryMiB, to.ID, to.MemoryMiB-s.used[to.ID], to.MemoryMiB)
	s.must(healthy(to.Health), 6, "unhealthy", subject, m.Start, "a destination that is up", "%s lands on host %s, which is %s", in.ID, to.ID, to.Health)
	t := s.inTurn[to.ID]
	s.must(t == nil || m.Home && t.ID == m.Turn, 6, "into-a-turn", subject, m.Start, "a destination that is in no turn", "%s lands on host %s, which is in its turn", in.ID, to.ID)
	// A refresh leaves alone who landed on the fix, a live patch everybody.
	if own := s.turnOf[to.ID]; own != nil && own.Start.After(m.Start) && own.Tactic != plan.LivePatch && (own.Tactic != plan.Refresh || !s.safe(to.ID)) {
		stay := time.Duration(s.p.Policy.MinStay)
		s.must(!own.Start.Before(m.End.Add(stay)), 6, "min-stay", subject, m.End, "a destination whose own turn starts no earlier than "+clock(m.End.Add(stay)),
			"%s lands on host %s at %s, whose own turn starts %s; it is to stay %s", in.ID, to.ID, clock(m.End), clock(own.Start), stay)
	}
	code, why := unfit(s.familyBetween(from, to), in, from, to, s.running(in, from.ID), s.lands(to.ID, m.Home))
	s.must(code == "", 6, "cannot-take", subject, m.Start, "a destination that can take the instance ("+code+")", "%s", why)
	g, other := s.together(in, s.at[in.ID], to.ID)
	s.must(g == "", 6, "spread", Subject{Turn: m.Turn, Instance: in.ID, Host: to.ID, Group: g}, m.Start, "a destination that no other member of the group shares",
		"%s lands on host %s, where it shares what group %s spreads over with %s", in.ID, to.ID, g, other)
	better := s.fixedInstead(m)
	s.must(better == "", 6, "unfixed-destination", subject, m.Start, "host "+better+", which is fixed, or a fixed host without room",
		"%s lands on host %s, which is not fixed, while the fixed host %s can take it", in.ID, to.ID, better)
}

// together finds a spread group of which another member would share the instance's new domain; ""
// when there is none, or when it shares its present domain already (the move makes nothing worse).
func (s *scene) together(in *fleet.Instance, from, to string) (groupID, other string) {
	for _, g := range s.groupsOf[in.ID] {
		domain := s.domain(g.spread, to)
		if g.spread == fleet.SpreadNone || domain == "" || domain == s.domain(g.spread, from) {
			continue
		}
		there, here := "", false
		for _, m := range g.members {
			if m == in.ID {
				continue
			}
			for _, h := range s.stands(m) {
				if s.domain(g.spread, h) == domain {
					there = m
				}
				here = here || s.domain(g.spread, h) == s.domain(g.spread, from)
			}
		}
		if there != "" && !here {
			return g.id, there
		}
	}
	return "", ""
}

// stands lists the hosts that hold an instance: two while it moves.
func (s *scene) stands(instance string) []string {
	if m := s.going[instance]; m != nil {
		return []string{s.at[instance], m.To}
	}
	return []string{s.at[instance]}
}

// fixedInstead names a fixed host that could have taken a move that lands on an unfixed one; ""
// when there is none. It asks only where the answer is sure: hosts of the same home pool, with room
// for all that the plan still brings them, fewer migrations in flight than policy allows, no other
// member of a spread group ever in their domain, and a link no slower than that of the chosen one,
// for over a slow link a move may take longer than policy allows.
func (s *scene) fixedInstead(m *plan.Move) string {
	if m.Home || s.safe(m.To) {
		return ""
	}
	in, from := s.instances[m.Instance], s.hosts[m.From]
	pool := s.home(m.To)
	tree, hosts := s.trees[pool], s.homeHosts[pool]
	if tree == nil {
		return ""
	}
	for i := tree.next(0, in.MemoryMiB); i >= 0; i = tree.next(i+1, in.MemoryMiB) {
		h := hosts[i]
		if s.level(h.ID) <= s.level(m.To) || !s.staysOn(m, h.ID) || h.ID == m.From || h.ID == m.To || !healthy(h.Health) || s.inTurn[h.ID] != nil || h.Spare {
			continue
		}
		if s.mostUsed(h.ID, m.Start)+in.MemoryMiB > h.MemoryMiB {
			continue
		}
		if most := s.p.Policy.MovesPerHost; most > 0 && s.flights[h.ID] >= most {
			continue
		}
		if s.everShared(in.ID, h.ID) || s.lane(from, h) < s.lane(from, s.hosts[m.To]) {
			continue
		}
		by, runs, lands := s.familyBetween(from, h), s.running(in, from.ID), s.lands(h.ID, false)
		if code, _ := unfit(by, in, from, h, runs, lands); code == "" && !doubtful(by, runs, lands) {
			return h.ID
		}
	}
	return ""
}

// level is how good a host is to land on by now, by the fix.
func (s *scene) level(host string) int {
	switch {
	case s.safe(host):
		return onTheFix
	case s.patched[host]:
		return onPatched
	}
	return onTheOld
}

// staysOn: whoever lands on the host with this move has its least stay there before the host's own turn,
// however long the move's turn takes.
func (s *scene) staysOn(m *plan.Move, host string) bool {
	own, t := s.turnOf[host], s.turns[m.Turn]
	if s.safe(host) || own == nil || t == nil || !own.Start.After(m.Start) {
		return true
	}
	return !own.Start.Before(worst(t).Add(time.Duration(s.p.Policy.MinStay)))
}

// lane is the rate in MiB/s that a migration between two hosts has; a NIC that does not tell its own is taken as slow.
func (s *scene) lane(a, b *fleet.Host) float64 {
	rate := perMove(nics(a, b), s.p.Policy.MovesPerHost)
	if linked := s.linkShare(a.ID, b.ID); linked > 0 && linked < rate {
		return linked
	}
	return rate
}

// nics is the rate in Mbit/s of the slower NIC of two hosts.
func nics(a, b *fleet.Host) int64 {
	rate := func(h *fleet.Host) int64 {
		if h.NICMbps > 0 {
			return h.NICMbps
		}
		return 1000
	}
	return min(rate(a), rate(b))
}

func (s *scene) everShared(instance, host string) bool {
	for _, g := range s.groupsOf[instance] {
		there := s.visits[g.id][s.domain(g.spread, host)]
		if len(there) > 1 || len(there) == 1 && !there[instance] {
			return true
		}
	}
	return false
}

// keepsReserve asks whether a pool keeps its reserve free on hosts that are up and in no turn, as a
// move lands in it or as another of its hosts goes away while its turns move instances. A turn that
// moves nobody eats no reserve by itself.
func (s *scene) keepsReserve(t *plan.Turn, m *plan.Move, at time.Time) {
	if !s.p.Policy.KeepReserve {
		return
	}
	var subject Subject
	var pool string
	if t != nil {
		pool, subject = s.home(t.Host), ofTurn(t)
		if s.emptying[pool] == 0 {
			return
		}
	} else {
		if m.Home {
			return // it lands on a host that is not counted yet: nothing is eaten
		}
		pool, subject = s.home(m.To), ofMove(m)
	}
	subject.Pool = pool
	free := s.free[pool]
	reserve := s.reserve(pool)
	s.must(free >= reserve, 6, "reserve", subject, at, "fewer hosts away at once, or a smaller reserve_mib of the pool",
		"pool %s has %d MiB free on hosts in no turn, its reserve is %d", pool, free, reserve)
}

// hold changes what is known to be used on a host, and with it what its pool has free.
func (s *scene) hold(host string, mib int64) {
	s.used[host] += mib
	if s.counts(host) {
		s.free[s.home(host)] -= mib
	}
}

// counts: what is free on the host is there for its pool: it is up and in no turn.
func (s *scene) counts(host string) bool {
	h := s.hosts[host]
	t := s.inTurn[host]
	return h != nil && healthy(h.Health) && (t == nil || t.Tactic == plan.LivePatch) // which takes nobody away
}

// begin and end a turn: what its host has free is not its pool's meanwhile.
func (s *scene) begin(t *plan.Turn) {
	h, pool := s.hosts[t.Host], s.home(t.Host)
	was := s.counts(t.Host)
	s.inTurn[t.Host] = t
	if was && !s.counts(t.Host) {
		s.free[pool] -= h.MemoryMiB - s.used[t.Host]
	}
	if len(s.movesOf[t.ID]) > 0 {
		s.emptying[pool]++
	}
}

func (s *scene) end(t *plan.Turn) {
	if s.inTurn[t.Host] != t {
		return
	}
	h, pool := s.hosts[t.Host], s.home(t.Host)
	was := s.counts(t.Host)
	delete(s.inTurn, t.Host)
	if s.turnOf[t.Host] == t {
		s.fixed[t.Host] = true
	} else {
		s.patched[t.Host] = true // its reboot is ahead
	}
	s.rise(t.Host)
	if !was && s.counts(t.Host) {
		s.free[pool] += h.MemoryMiB - s.used[t.Host]
	}
	if len(s.movesOf[t.ID]) > 0 {
		s.emptying[pool]--
	}
}
