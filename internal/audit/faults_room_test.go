package audit_test

import (
	"slices"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// roomFaults break laws 6 and 7.
var roomFaults = []fault{
	{"move into a host that is not up", 6, []string{"unhealthy"}, func(v *victim) bool {
		return v.elsewhere(func(_ *plan.Move, h *fleet.Host) bool { return h.Health == fleet.Down || h.Health == fleet.Sick })
	}},
	{"move into a host in its turn", 6, []string{"into-a-turn"}, func(v *victim) bool {
		return v.elsewhere(func(m *plan.Move, h *fleet.Host) bool {
			return slices.ContainsFunc(v.Turns, func(t plan.Turn) bool { return t.Host == h.ID && !m.Start.Before(t.Start) && m.Start.Before(t.End) })
		})
	}},
	{"move into a host without the memory", 6, []string{"no-room"}, func(v *victim) bool {
		return v.elsewhere(func(m *plan.Move, h *fleet.Host) bool {
			return v.untouched(h.ID) && v.ix.FreeMiB(h.ID) < v.ix.Instances[m.Instance].MemoryMiB
		})
	}},
	{"memory that fits one less", 6, []string{"no-room"}, onMove(func(v *victim, m *plan.Move) bool {
		return !m.Home && v.ix.Instances[m.Instance].MemoryMiB > 0
	}, func(v *victim, m *plan.Move) {
		for i := range v.f.Hosts {
			if h := &v.f.Hosts[i]; h.ID == m.To {
				h.MemoryMiB = v.ix.Instances[m.Instance].MemoryMiB - 1
			}
		}
	})},
	{"swap a target for one that shares no pool", 6, []string{"cannot-take"}, func(v *victim) bool {
		return v.elsewhere(func(m *plan.Move, h *fleet.Host) bool {
			return !slices.ContainsFunc(v.ix.Hosts[m.From].Pools, func(p string) bool { return slices.Contains(h.Pools, p) })
		})
	}},
	{"swap a target for another hypervisor", 6, []string{"cannot-take"}, func(v *victim) bool {
		return v.elsewhere(func(m *plan.Move, h *fleet.Host) bool { return h.Hypervisor != v.ix.Hosts[m.From].Hypervisor })
	}},
	{"break spread", 6, []string{"spread"}, breakSpread},
	{"exceed the reserve", 6, []string{"reserve"}, func(v *victim) bool {
		m := v.move(func(m *plan.Move) bool { return !m.Home })
		if m == nil || !v.Policy.KeepReserve {
			return false
		}
		for i := range v.f.Pools {
			if p := &v.f.Pools[i]; p.ID == v.ix.Hosts[m.To].Pools[0] {
				most := int64(1) << 40
				p.ReserveMiB = &most
			}
		}
		return true
	}},
	{"too many away at once", 6, []string{"too-many-away"}, func(v *victim) bool {
		return v.Policy.MaxAwayPercent == 5 && v.meet(func(a, b *plan.Turn) bool {
			return a.Pool == b.Pool && a.Tactic != plan.LivePatch && b.Tactic != plan.LivePatch
		})
	}},
	{"more moves at a host", 6, []string{"moves-per-host"}, func(v *victim) bool { return v.rush(v.Policy.MovesPerHost) }},
	{"more moves in a pool", 6, []string{"moves-per-pool"}, func(v *victim) bool { return v.rush(v.Policy.MovesPerPool) }},
	{"swap two waves", 6, []string{"wave-order"}, func(v *victim) bool {
		a, b := v.pair(func(a, b *plan.Turn) bool { return a.Wave < b.Wave })
		if a == nil {
			return false
		}
		one, two := a.Wave, b.Wave
		for i := range v.Turns {
			switch t := &v.Turns[i]; t.Wave {
			case one:
				t.Wave = two
			case two:
				t.Wave = one
			}
		}
		return true
	}},
	{"merge the canary's wave with the next", 6, []string{"canary-not-alone"}, func(v *victim) bool {
		c := v.turn(func(t *plan.Turn) bool { return t.Canary && !t.Deferred })
		if c == nil || v.Counts.Waves < 2 {
			return false
		}
		for i := range v.Turns {
			if t := &v.Turns[i]; t.Wave > 1 {
				t.Wave--
			}
		}
		return true
	}},
	{"two waves of a pool that overlap", 6, []string{"wave-overlap"}, func(v *victim) bool {
		return v.meet(func(a, b *plan.Turn) bool { return a.Pool == b.Pool && a.Wave+1 == b.Wave })
	}},
	{"no canary", 6, []string{"no-canary"}, func(v *victim) bool {
		t := v.turn(func(t *plan.Turn) bool { return t.Canary })
		if t != nil {
			t.Canary = false
		}
		return t != nil
	}},
	{"a second canary", 6, []string{"second-canary"}, func(v *victim) bool {
		return v.Policy.Canary && onTurn(func(_ *victim, t *plan.Turn) bool { return !t.Canary && !t.Deferred }, func(v *victim, t *plan.Turn) { t.Canary = true })(v)
	}},
	{"a canary that does not soak", 6, []string{"canary-not-soaked"}, func(v *victim) bool {
		return v.Policy.Soak > 0 && v.meet(func(a, b *plan.Turn) bool { return a.Canary && !a.Deferred && b.Wave == a.Wave+1 })
	}},
	{"forget a host", 7, []string{"host-forgotten"}, func(v *victim) bool {
		t := v.turn(func(t *plan.Turn) bool { return t.ID == t.Host && !t.Deferred && !v.held(t.Host) })
		if t == nil {
			return false
		}
		id := t.ID
		v.Moves = slices.DeleteFunc(v.Moves, func(m plan.Move) bool { return m.Turn == id })
		v.Slots = slices.DeleteFunc(v.Slots, func(s plan.Slot) bool { return s.Turn == id })
		v.Turns = drop(v.Turns, t)
		return true
	}},
	{"forget who needs no turn", 7, []string{"host-forgotten"}, func(v *victim) bool {
		k := pick(v, v.Skipped, func(k *plan.Skipped) bool { return !v.held(k.Host) })
		if k == nil {
			return false
		}
		v.Skipped = drop(v.Skipped, k)
		return true
	}},
	{"forget who is blocked", 7, []string{"host-forgotten"}, func(v *victim) bool {
		b := pick(v, v.Blocked, func(b *plan.Blocked) bool {
			return b.Instance == "" && !v.held(b.Host) && !slices.ContainsFunc(v.Turns, func(t plan.Turn) bool { return t.Host == b.Host }) && !slices.ContainsFunc(v.Skipped, func(k plan.Skipped) bool { return k.Host == b.Host })
		})
		if b == nil {
			return false
		}
		v.Blocked = drop(v.Blocked, b)
		return true
	}},
	{"skip a host and turn it", 7, []string{"host-twice"}, always(func(v *victim) {
		v.Skipped = append(v.Skipped, plan.Skipped{Host: v.Turns[0].Host, Code: "fixed", Why: "it is said"})
	})},
	{"leave somebody away", 7, []string{"not-home", "pool-worse"}, func(v *victim) bool {
		m := v.move(func(m *plan.Move) bool { return m.Home })
		if m == nil || slices.ContainsFunc(v.Moves, func(o plan.Move) bool { return &o != m && (o.From == m.From || o.From == m.To) && o.Start.After(m.End) }) {
			return false
		}
		v.Moves = drop(v.Moves, m)
		return true
	}},
}

// held: an instance of the host is blocked by name, which says why the host has no turn.
func (v *victim) held(host string) bool {
	return slices.ContainsFunc(v.Blocked, func(b plan.Blocked) bool {
		return b.Instance != "" && (b.Host == host || v.ix.Instances[b.Instance].Host == host)
	})
}

// rush starts all moves off a host that has more of them than may be in flight at the same instant.
func (v *victim) rush(most int) bool {
	t := v.turn(func(t *plan.Turn) bool {
		n := 0
		for _, m := range v.Moves {
			if m.Turn == t.ID && !m.Home {
				n++
			}
		}
		return n > most
	})
	if t == nil {
		return false
	}
	for i := range v.Moves {
		if m := &v.Moves[i]; m.Turn == t.ID && !m.Home {
			m.Start, m.End = t.Start, t.Start.Add(m.End.Sub(m.Start))
		}
	}
	return true
}

// breakSpread sends a member of a group that is spread over hosts to another one's host, where that stays.
func breakSpread(v *victim) bool {
	moves := map[string]bool{}
	for _, m := range v.Moves {
		moves[m.Instance] = true
	}
	spread := func(id string) *fleet.Group {
		for _, g := range v.ix.GroupsOf[id] {
			if g.Spread == fleet.SpreadHost {
				return g
			}
		}
		return nil
	}
	for i := range v.Moves {
		m := &v.Moves[i]
		g := spread(m.Instance)
		if g == nil || m.Home {
			continue
		}
		alone, other := true, ""
		for k := range v.f.Instances {
			in := &v.f.Instances[k]
			if in.ID == m.Instance || !slices.Contains(v.ix.GroupsOf[in.ID], g) {
				continue
			}
			alone = alone && in.Host != m.From && !moves[in.ID]
			if in.Host != m.From {
				other = in.Host
			}
		}
		if alone && other != "" && other != m.To {
			m.To = other
			return true
		}
	}
	return false
}
