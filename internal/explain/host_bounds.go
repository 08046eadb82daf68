package explain

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// bounds says why no plan takes fewer waves for the host's pool.
func (s *scene) bounds(h *fleet.Host) (out []Reason) {
	pool := s.ix.HomePool(h.ID)
	var hosts []*fleet.Host
	waves := map[int]bool{}
	for _, o := range s.ix.HomeHosts(pool.ID) {
		for _, t := range s.turnsOf[o.ID] {
			if t.Tactic != plan.LivePatch {
				hosts = append(hosts, o)
				waves[t.Wave] = true
			}
		}
	}
	if len(hosts) == 0 {
		return nil
	}
	all := len(s.ix.HomeHosts(pool.ID))
	add := func(code, group string, n, atOnce int, format string, args ...any) {
		least := (n + atOnce - 1) / max(1, atOnce)
		r := Reason{Code: code, Pool: pool.ID, Group: group, Need: int64(least), Have: int64(len(waves))}
		r.Why = fmt.Sprintf(format, args...) + fmt.Sprintf(", so %d turns take %s at the least; the plan has %s of that pool", n, many(least, "wave"), many(len(waves), "wave"))
		out = append(out, r)
	}
	if most := mostAway(all, s.policy.MaxAwayPercent); s.policy.MaxAwayPercent < 100 {
		add(codeAway, "", len(hosts), most, "pool %s: at most %d of %d hosts may be away at once (max_away_percent %d)", pool.ID, most, all, s.policy.MaxAwayPercent)
	}
	if most, ok := s.emptyAtOnce(pool, hosts); ok && most < len(hosts) {
		add(codeRoom, "", len(hosts), most, "pool %s: at most %d of %d hosts can be empty at once, by memory", pool.ID, most, all)
	}
	for _, g := range s.ix.HostGroupsOf[h.ID] {
		n, down := 0, 0
		for _, id := range g.Hosts {
			if o := s.ix.Hosts[id]; o != nil && o.Health == fleet.Down {
				down++
			}
			for _, t := range s.turnsOf[id] {
				if t.Tactic != plan.LivePatch {
					n++
				}
			}
		}
		if spare := g.MaxUnavailable - down; spare > 0 && n > spare {
			add(codeHostGroup, g.ID, n, spare, "host group %s: at most %d of %d hosts may be away at once%s", g.ID, spare, len(g.Hosts), downToo(down, "host"))
		}
	}
	slices.SortStableFunc(out, func(a, b Reason) int { return cmp.Compare(b.Need, a.Need) })
	return out
}

// emptyAtOnce is how many of a pool's hosts can be empty together: what is free is enough for the memory of no
// more of them. ok is false where instances may leave the pool.
func (s *scene) emptyAtOnce(pool *fleet.Pool, hosts []*fleet.Host) (n int, ok bool) {
	var free int64
	for _, o := range s.ix.PoolHosts[pool.ID] {
		if len(o.Pools) > 1 {
			return 0, false
		}
		if o.IsUp() {
			free += s.ix.FreeMiB(o.ID)
		}
	}
	if s.policy.KeepReserve {
		free -= s.ix.ReserveMiB(pool.ID)
	}
	var sizes []int64
	for _, h := range hosts {
		size, moves := h.MemoryMiB, false
		for _, t := range s.turnsOf[h.ID] {
			for _, slot := range s.slotsOf[t.ID] {
				if plan.ClassOf(slot.Disposition) == plan.ClassOutage {
					size -= s.ix.Instances[slot.Instance].MemoryMiB
				} else {
					moves = true
				}
			}
			if t.Tactic == plan.Refresh {
				return 0, false // nobody has to be empty
			}
		}
		if !moves || !h.IsUp() {
			size = 0
		}
		sizes = append(sizes, max(0, size))
	}
	slices.Sort(sizes)
	for _, size := range sizes {
		if free -= size; free < 0 && size > 0 {
			break
		}
		n++
	}
	return max(1, n), true
}
