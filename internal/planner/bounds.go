package planner

import (
	"math"
	"slices"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// outset is what bounds need to know of the fleet before anything moved.
type outset struct {
	guests map[*host][]*guest
	free   map[*pool]int64
}

func (w *world) outset() outset {
	o := outset{map[*host][]*guest{}, map[*pool]int64{}}
	for _, h := range w.queue {
		o.guests[h] = slices.Clone(h.guests)
	}
	for _, p := range w.pools {
		o.free[p] = p.free
	}
	return o
}

// bounds are measured over the hosts that have a turn, with the policy as it is and each instance
// disposed of as planned: no order and no choice of destinations comes below them.
type bounds struct {
	*world
	outset
	plan  *plan.Plan
	byID  map[string]*host
	turns map[*pool][]*host // hosts with a turn, by home pool
	wave  map[*host]int
	stays map[*host]int64 // MiB that are saved or stopped in the host's turn
	moves map[*host]int   // instances that were on the host at the outset and move in its turn
}

// measure gives the lower bounds for a plan and its ratio to them.
func (w *world) measure(o outset, p *plan.Plan) plan.Bounds {
	b := bounds{w, o, p, map[string]*host{}, map[*pool][]*host{}, map[*host]int{}, map[*host]int64{}, map[*host]int{}}
	for _, h := range w.hosts {
		b.byID[h.ID] = h
	}
	for _, t := range p.Turns {
		h := b.byID[t.Host]
		b.turns[h.pool] = append(b.turns[h.pool], h)
		b.wave[h] = t.Wave
	}
	for _, s := range p.Slots {
		h, in := b.byID[s.Turn], w.ix.Instances[s.Instance]
		switch {
		case s.Class == plan.ClassOutage:
			b.stays[h] += in.MemoryMiB
		case in.Host == h.ID:
			b.moves[h]++
		}
	}
	out := plan.Bounds{WavesMin: b.waves(0), MovesMin: b.movesMin()}
	if w.policy.Canary && len(p.Turns) > 1 {
		out.WavesMin = max(out.WavesMin, 1+b.waves(1)) // the canary is alone; without it each part has at most one host less
	}
	out.WavesRatio, out.MovesRatio = ratio(p.Counts.Waves, out.WavesMin), ratio(p.Counts.Moves, out.MovesMin)
	return out
}

// ratio of a plan's number to its bound; 1 where both are nothing.
func ratio(n, least int) float64 {
	if least == 0 {
		return 1
	}
	return math.Round(float64(n)/float64(least)*100) / 100
}

// waves bounds the waves from below when each part has so many hosts less: the share of the pool
// that may be away, room, groups, host groups, and sites and regions that are kept apart.
func (b *bounds) waves(less int) int {
	regions := map[string]map[string]int{} // region -> site -> waves
	for _, p := range b.pools {
		hosts := b.turns[p]
		if len(hosts) == 0 {
			continue
		}
		h := hosts[0]
		if regions[h.region] == nil {
			regions[h.region] = map[string]int{}
		}
		sites := regions[h.region]
		sites[h.site] = max(sites[h.site], ceilDiv(len(hosts)-less, b.atOnce(p)))
	}
	var perRegion []int
	for _, sites := range regions {
		var perSite []int
		for _, n := range sites {
			perSite = append(perSite, n)
		}
		perRegion = append(perRegion, fold(perSite, b.policy.StaggerSites))
	}
	least := fold(perRegion, b.policy.StaggerRegions)
	for _, g := range b.groups {
		least = max(least, ceilDiv(b.hostsOf(g)-less, g.spare))
	}
	count := map[*hostGroup]int{}
	for _, hosts := range b.turns {
		for _, h := range hosts {
			for _, g := range h.hostGroups {
				count[g]++
			}
		}
	}
	for g, n := range count {
		least = max(least, ceilDiv(n-less, g.spare))
	}
	return least
}

// fold: parts that are kept apart take the sum of their waves, others the largest number.
func fold(parts []int, apart bool) (n int) {
	for _, p := range parts {
		if apart {
			n += p
		} else {
			n = max(n, p)
		}
	}
	return n
}

// atOnce bounds how many hosts of a pool can be in a turn together: by policy, and by room, for
// what moves off them must fit on the others. No choice does better than those that need the least.
func (b *bounds) atOnce(p *pool) int {
	free := b.free[p]
	if b.policy.KeepReserve {
		free -= p.reserve
	}
	for _, h := range p.hosts {
		if len(h.pools) > 1 {
			return p.maxAway // instances can leave the pool: its room is no bound
		}
	}
	var sizes []int64
	for _, h := range b.turns[p] {
		size := int64(0)
		if b.moves[h] > 0 && h.IsUp() && !h.refreshed() {
			size = max(0, h.MemoryMiB-b.stays[h])
		}
		sizes = append(sizes, size)
	}
	slices.Sort(sizes)
	k := 0
	for _, s := range sizes {
		if free -= s; free < 0 && s > 0 {
			break
		}
		k++
	}
	return max(1, min(p.maxAway, k))
}

// hostsOf counts the turns that must disturb a group: those of hosts that carried a member at the
// outset, for members leave a host in its turn only.
func (b *bounds) hostsOf(g *group) (n int) {
	seen := map[string]bool{}
	for _, m := range g.members {
		h := b.byID[m.Host]
		if m.alive() && b.wave[h] > 0 && !h.can.livePatch && !h.refreshed() && !seen[h.ID] {
			seen[h.ID] = true
			n++
		}
	}
	return n
}

// movesMin: each instance on a host that must be emptied moves once, and once more if it comes
// home. In a pool where nothing is fixed at the outset, those of the first wave land on hosts that
// must be emptied too.
func (b *bounds) movesMin() (n int) {
	for _, m := range b.plan.Moves {
		if m.Home {
			n++
		}
	}
	for _, p := range b.pools {
		hosts := b.turns[p]
		for _, h := range hosts {
			n += b.moves[h]
		}
		if !b.policy.BringHome && b.allMustBeEmptied(p) {
			n += b.firstWave(p)
		}
	}
	return n
}

// allMustBeEmptied: each host of the pool has a turn in which all its instances move.
func (b *bounds) allMustBeEmptied(p *pool) bool {
	for _, h := range p.hosts {
		if len(h.pools) > 1 || b.wave[h] == 0 || h.can.livePatch || h.refreshed() || b.stays[h] > 0 {
			return false
		}
	}
	return true
}

// firstWave is the least number of instances that the pool's first wave can hold: with W waves of
// at most k hosts, the first has at least n - k(W-1).
func (b *bounds) firstWave(p *pool) (n int) {
	waves := map[int]bool{}
	var moves []int
	for _, h := range b.turns[p] {
		waves[b.wave[h]] = true
		moves = append(moves, b.moves[h])
	}
	slices.Sort(moves)
	first := max(1, len(moves)-b.atOnce(p)*(len(waves)-1))
	for _, m := range moves[:min(first, len(moves))] {
		n += m
	}
	return n
}

func ceilDiv(n, by int) int { return (max(0, n) + by - 1) / max(1, by) }
