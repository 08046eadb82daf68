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
	stays map[*host]int64 // MiB that are saved or stopped in the host's turn
	moves map[*host]int   // instances that were on the host at the outset and move in its turn
}

// part is some of a plan's turns, of different hosts.
type part struct {
	live  bool              // live patches, which take nobody away
	turns map[*pool][]*host // by home pool
	wave  map[*host]int
	n     int
}

// of takes the turns of a plan that are asked for.
func (b *bounds) of(live bool, is func(*plan.Turn) bool) part {
	x := part{live: live, turns: map[*pool][]*host{}, wave: map[*host]int{}}
	for i := range b.plan.Turns {
		t := &b.plan.Turns[i]
		if h := b.byID[t.Host]; (t.Tactic == plan.LivePatch) == live && is(t) {
			x.turns[h.pool] = append(x.turns[h.pool], h)
			x.wave[h] = t.Wave
			x.n++
		}
	}
	return x
}

// measure gives the lower bounds for a plan and its ratio to them.
func (w *world) measure(o outset, p *plan.Plan) plan.Bounds {
	b := bounds{w, o, p, map[string]*host{}, map[*host]int64{}, map[*host]int{}}
	for _, h := range w.hosts {
		b.byID[h.ID] = h
	}
	for _, s := range p.Slots {
		h, in := b.byID[s.Turn], w.ix.Instances[s.Instance] // a turn with slots is named after its host
		switch {
		case s.Class == plan.ClassOutage:
			b.stays[h] += in.MemoryMiB
		case in.Host == h.ID:
			b.moves[h]++
		}
	}
	all := func(*plan.Turn) bool { return true }
	sooner, later := func(t *plan.Turn) bool { return !t.Deferred }, func(t *plan.Turn) bool { return t.Deferred }
	out := plan.Bounds{WavesMin: b.stageMin(b.of(true, all), b.of(false, sooner)) + b.stageMin(b.of(false, later)), MovesMin: b.movesMin(b.of(false, all))}
	out.WavesRatio, out.MovesRatio = ratio(p.Counts.Waves, out.WavesMin), ratio(p.Counts.Moves, out.MovesMin)
	return out
}

// stageMin bounds the waves of one stage: its parts may share waves. The canary is alone; without it each
// part has at most one host less; and after it waves grow only so fast.
func (b *bounds) stageMin(parts ...part) (least int) {
	total := 0
	for _, x := range parts {
		least = max(least, b.waves(x, 0))
		total += x.n
	}
	if !b.policy.Canary || total < 2 {
		return least
	}
	for _, x := range parts {
		least = max(least, 1+b.waves(x, 1))
	}
	if grow := b.policy.WaveGrowth; grow > 0 {
		n := 0
		for size, sum := 1, 0; sum < total; n++ {
			sum += size
			size = min(size*grow, total)
		}
		least = max(least, n)
	}
	return least
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
func (b *bounds) waves(x part, less int) int {
	regions := map[string]map[string]int{} // region -> site -> waves
	for _, p := range b.pools {
		hosts := x.turns[p]
		if len(hosts) == 0 {
			continue
		}
		h := hosts[0]
		atOnce := len(hosts)
		if !x.live {
			atOnce = b.atOnce(x, p)
		}
		if regions[h.region] == nil {
			regions[h.region] = map[string]int{}
		}
		sites := regions[h.region]
		sites[h.site] = max(sites[h.site], ceilDiv(len(hosts)-less, atOnce))
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
		least = max(least, ceilDiv(b.hostsOf(x, g)-less, g.spare))
	}
	count := map[*hostGroup]int{}
	for _, hosts := range x.turns {
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
func (b *bounds) atOnce(x part, p *pool) int {
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
	for _, h := range x.turns[p] {
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
func (b *bounds) hostsOf(x part, g *group) (n int) {
	seen := map[string]bool{}
	for _, m := range g.members {
		h := b.byID[m.Host]
		if m.alive() && x.wave[h] > 0 && !x.live && !h.refreshed() && !seen[h.ID] {
			seen[h.ID] = true
			n++
		}
	}
	return n
}

// movesMin: each instance on a host that must be emptied moves once, and once more if it comes
// home. In a pool where nothing is fixed at the outset, those of the first wave land on hosts that
// must be emptied too.
func (b *bounds) movesMin(x part) (n int) {
	for _, m := range b.plan.Moves {
		if m.Home {
			n++
		}
	}
	for _, p := range b.pools {
		for _, h := range x.turns[p] {
			n += b.moves[h]
		}
		if !b.policy.BringHome && b.allMustBeEmptied(x, p) {
			n += b.firstWave(x, p)
		}
	}
	return n
}

// allMustBeEmptied: each host of the pool has a turn in which all its instances move.
func (b *bounds) allMustBeEmptied(x part, p *pool) bool {
	for _, h := range p.hosts {
		if len(h.pools) > 1 || x.wave[h] == 0 || h.refreshed() || b.stays[h] > 0 {
			return false
		}
	}
	return true
}

// firstWave is the least number of instances that the pool's first wave can hold: with W waves of
// at most k hosts, the first has at least n - k(W-1).
func (b *bounds) firstWave(x part, p *pool) (n int) {
	waves := map[int]bool{}
	var moves []int
	for _, h := range x.turns[p] {
		waves[x.wave[h]] = true
		moves = append(moves, b.moves[h])
	}
	slices.Sort(moves)
	first := max(1, len(moves)-b.atOnce(x, p)*(len(waves)-1))
	for _, m := range moves[:min(first, len(moves))] {
		n += m
	}
	return n
}

func ceilDiv(n, by int) int { return (max(0, n) + by - 1) / max(1, by) }
