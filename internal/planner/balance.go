package planner

import (
	"cmp"
	"slices"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// balance is the fleet when all turns are over, with the instances that ended elsewhere than where they began. Some of
// them are sent home until no pool is worse off than it was found.
type balance struct {
	*world
	found  map[string]fleet.Standing
	origin map[*guest]*host // that its last move took it off
	at     map[*guest]*host
	used   []int64                   // per host, by seq
	landed [][]*guest                // per host: those that may be sent home, the largest first
	held   map[*group]map[string]int // members per domain, where spread asks
	sent   []*guest
}

func newBalance(w *world, found map[string]fleet.Standing, already map[wayHome]bool) *balance {
	b := &balance{world: w, found: found, origin: map[*guest]*host{}, at: map[*guest]*host{}, used: make([]int64, len(w.hosts)),
		landed: make([][]*guest, len(w.hosts)), held: map[*group]map[string]int{}}
	for _, g := range w.guests {
		if !g.alive() {
			continue
		}
		b.used[g.at.seq] += g.MemoryMiB
		b.count(g, g.at, 1)
		if from := g.off; from != nil && from != g.at && !already[wayHome{from.ID, g.ID}] {
			b.origin[g], b.at[g] = from, g.at
			b.landed[g.at.seq] = append(b.landed[g.at.seq], g)
		}
	}
	for _, list := range b.landed {
		slices.SortStableFunc(list, func(x, y *guest) int { return cmp.Compare(y.MemoryMiB, x.MemoryMiB) })
	}
	return b
}

// count notes that a guest is on a host, or is not any more (-1).
func (b *balance) count(g *guest, h *host, n int) {
	for _, gr := range g.groups {
		if gr.Spread == fleet.SpreadNone {
			continue
		}
		if b.held[gr] == nil {
			b.held[gr] = map[string]int{}
		}
		b.held[gr][gr.domainOf(h)] += n
	}
}

// move puts a guest from one host onto another.
func (b *balance) move(g *guest, from, to *host) {
	b.count(g, from, -1)
	b.count(g, to, 1)
	b.used[from.seq] -= g.MemoryMiB
	b.used[to.seq] += g.MemoryMiB
	b.at[g] = to
}

func (b *balance) send(g *guest) {
	h := b.at[g]
	i := slices.Index(b.landed[h.seq], g)
	b.landed[h.seq] = slices.Delete(b.landed[h.seq], i, i+1)
	b.move(g, h, b.origin[g])
	b.sent = append(b.sent, g)
}

// restore sends home until no pool is worse off, or nobody is left whom that would help. Who comes home may crowd
// another one out, so it goes round until nothing changes.
func (b *balance) restore() {
	for sent := -1; sent < len(b.sent); {
		sent = len(b.sent)
		b.apart()
		for _, p := range b.pools {
			b.reserve(p)
			for _, h := range p.hosts {
				if h.pool == p && h.IsUp() {
					b.lighten(h)
				}
			}
		}
		for _, p := range b.pools {
			b.widen(p)
		}
	}
}

// apart sends home who shares what its group's spread forbids, where nobody is at home to share it with.
func (b *balance) apart() {
	for _, g := range b.guests {
		if b.origin[g] == nil || b.at[g] == b.origin[g] {
			continue
		}
		now, then := 0, 0
		for _, gr := range g.groups {
			if gr.Spread == fleet.SpreadNone {
				continue
			}
			here, home := gr.domainOf(b.at[g]), gr.domainOf(b.origin[g])
			if here == home || here == "" {
				continue
			}
			if b.held[gr][here] > 1 {
				now++
			}
			if home != "" && b.held[gr][home] > 0 {
				then++
			}
		}
		if now > then {
			b.send(g)
		}
	}
}

// reserve sends home to other pools until a pool is no further below its reserve than it was.
func (b *balance) reserve(p *pool) {
	for b.short(p) > b.found[p.ID].ShortMiB {
		var best *guest
		for _, h := range p.hosts {
			if h.pool != p {
				continue
			}
			for _, g := range b.landed[h.seq] {
				if b.origin[g].pool != p && (best == nil || g.MemoryMiB > best.MemoryMiB) {
					best = g
				}
			}
		}
		if best == nil {
			return
		}
		b.send(best)
	}
}

func (b *balance) short(p *pool) int64 {
	free := int64(0)
	for _, h := range p.hosts {
		if h.pool == p && h.IsUp() && h.MemoryMiB > 0 {
			free += h.MemoryMiB - b.used[h.seq]
		}
	}
	return max(0, p.reserve-free)
}

// over is how many MiB a host has in use above the share of the fullest one of its pool at the outset.
func (b *balance) over(h *host) int64 {
	return b.used[h.seq] - fullest(h, b.found)
}

// lighten sends home from a host that is fuller than its pool's fullest was: those first who make nobody else too
// full at home, of them the largest, and at last the smallest that is enough.
func (b *balance) lighten(h *host) {
	for b.over(h) > 0 && len(b.landed[h.seq]) > 0 {
		b.send(b.pick(h, b.over(h)))
	}
}

// pick chooses one who landed on a host, of which so much is to be freed.
func (b *balance) pick(h *host, mib int64) *guest {
	var best *guest
	rank := func(g *guest) (n int) {
		if o := b.origin[g]; o.IsUp() && b.over(o)+g.MemoryMiB > 0 {
			n += 2
		}
		if g.MemoryMiB < mib {
			n++
		}
		return n
	}
	for _, g := range b.landed[h.seq] { // the largest first
		switch {
		case best == nil, rank(g) < rank(best):
			best = g
		case rank(g) == rank(best) && g.MemoryMiB >= mib:
			best = g // smaller, and still enough
		}
	}
	return best
}

// widen sends home from one host until as much is free on it as was on one at the outset: from that which the fewest
// have to leave for it.
func (b *balance) widen(p *pool) {
	want := b.found[p.ID].LargestMiB
	var best *host
	fewest := 0
	for _, h := range p.hosts {
		if h.pool != p || !h.IsUp() {
			continue
		}
		need, n := want-(h.MemoryMiB-b.used[h.seq]), 0
		for _, g := range b.landed[h.seq] {
			if need <= 0 {
				break
			}
			need, n = need-g.MemoryMiB, n+1
		}
		if need > 0 {
			continue
		}
		if best == nil || n < fewest {
			best, fewest = h, n
		}
	}
	for best != nil && want > best.MemoryMiB-b.used[best.seq] && len(b.landed[best.seq]) > 0 {
		b.send(b.pick(best, want-(best.MemoryMiB-b.used[best.seq])))
	}
}

// mostSpared bounds how many hosts are weighed in search of ways home that are not needed.
const mostSpared = 50_000_000

// spare takes back each way home without which no pool is worse off, the last one found first.
func (b *balance) spare() {
	left := mostSpared
	for i := len(b.sent) - 1; i >= 0 && left > 0; i-- {
		g := b.sent[i]
		home, away := b.origin[g], g.at
		left -= len(home.pool.hosts) + len(away.pool.hosts)
		was := b.worse(home.pool, away.pool)
		together := b.together(g)
		if b.move(g, home, away); b.worse(home.pool, away.pool) > was || b.together(g) > together {
			b.move(g, away, home)
			continue
		}
		b.sent = slices.Delete(b.sent, i, i+1)
	}
}

// together counts in how many groups a guest shares what their spread forbids.
func (b *balance) together(g *guest) (n int) {
	for _, gr := range g.groups {
		if gr.Spread != fleet.SpreadNone && b.held[gr][gr.domainOf(b.at[g])] > 1 {
			n++
		}
	}
	return n
}

// worse counts in what pools are worse off by memory.
func (b *balance) worse(pools ...*pool) (n int) {
	for _, p := range pools {
		var s fleet.Standing
		for _, h := range p.hosts {
			if h.pool == p && h.IsUp() && h.MemoryMiB > 0 {
				s.LargestMiB = max(s.LargestMiB, h.MemoryMiB-b.used[h.seq])
				s.Fullest = max(s.Fullest, (1000*b.used[h.seq]+h.MemoryMiB-1)/h.MemoryMiB)
			}
		}
		s.ShortMiB = b.short(p)
		n += len(s.Worse(fleet.Standing{ShortMiB: b.found[p.ID].ShortMiB, Fullest: b.found[p.ID].Fullest, LargestMiB: b.found[p.ID].LargestMiB}))
	}
	return n
}
