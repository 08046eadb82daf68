package planner

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/calendar"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Time is bounded on the durations at p99, which the plan's ends use. From the first turn's start to the
// last one's end:
//
//   - A turn takes its fixed spans and the time in which its host's instances leave over its own link, so
//     many at once (bandwidth, span below).
//   - Waves do not overlap, and each takes as long as its longest turn; the sum is least when hosts of like
//     length share waves (bounds_lengths.go).
//   - All moves of a pool share its places in flight, and each of them ends before the fixed spans of its own
//     turn begin: waves * shortest fixed spans + work / places. A host has so many places, at either end of a
//     move, so a wave of m of n hosts has those of the smaller of m and n-m hosts, which is n/2 at most.
//   - Racks, sites and regions that are kept apart come one after the other, with their gaps, as in overRegions.
//     Gaps need no window.
//   - Windows: so many waves of the shortest turn fit in one, and all the time above must fit in them; the last
//     of the windows that are needed at least opens so much later than the first one closes.
func (b *bounds) makespanMin(stages ...[]part) (total time.Duration) {
	for _, parts := range stages {
		total += b.stageTime(parts)
	}
	return max(total, b.windowsMin(stages))
}

// stageTime bounds one stage; its parts may share waves. The canary goes alone and soaks.
func (b *bounds) stageTime(parts []part) (least time.Duration) {
	hosts := 0
	shortest := time.Duration(-1)
	for _, x := range parts {
		least = max(least, b.partTime(x, b.policy.StaggerGap, 0))
		for _, h := range x.hosts {
			if s := b.span(x, h); shortest < 0 || s < shortest {
				shortest = s
			}
		}
		hosts += len(x.hosts)
	}
	if hosts == 0 {
		return 0
	}
	least = max(least, time.Duration(b.stageMin(parts...))*shortest)
	if b.policy.Canary && hosts > 1 {
		rest := time.Duration(0)
		for _, x := range parts {
			rest = max(rest, b.partTime(x, b.policy.StaggerGap, 1))
		}
		least = max(least, shortest+b.policy.Soak.Std()+rest)
	}
	return least
}

// partTime bounds the time of some turns, with gaps, when any so many of the hosts are left out.
func (b *bounds) partTime(x part, gap plan.Gap, less int) time.Duration {
	return time.Duration(b.overRegions(x, gap, func(a *area, hosts []*host, k int) int64 {
		return int64(b.areaTime(x, a, hosts, k, less))
	}))
}

// areaTime bounds it for hosts of one area of which at most k are away at once.
func (b *bounds) areaTime(x part, a *area, hosts []*host, k, less int) time.Duration {
	fixed := time.Duration(-1)
	var work, longest time.Duration
	for _, h := range hosts {
		if f := b.fixedOf(x, h); fixed < 0 || f < fixed {
			fixed = f
		}
		w := b.workOf(x, h)
		work += w
		longest = max(longest, w)
	}
	work -= min(work, time.Duration(less)*longest)
	places := min(b.policy.MovesPerPool*len(byPool(hosts)), b.policy.MovesPerHost*max(1, min(k, len(a.hosts)/2)))
	places = min(places, b.placesOf(hosts))
	byWork := time.Duration(ceilDiv(len(hosts)-less, k))*fixed + (work / time.Duration(places)).Truncate(time.Second)
	return max(b.lengths(x, a, hosts, k, less), byWork)
}

// placesOf is how many moves off some hosts can be in flight by what policy allows in their racks and regions.
func (b *bounds) placesOf(hosts []*host) int {
	most := math.MaxInt
	perRack, perRegion := b.policy.MovesPerRack, b.policy.MovesPerRegion
	if perRack == 0 && perRegion == 0 {
		return most
	}
	racks, regions := map[plan.Place]bool{}, map[string]bool{}
	for _, h := range hosts {
		racks[h.where()], regions[h.region] = true, true
	}
	if perRack > 0 {
		most = min(most, perRack*len(racks))
	}
	if perRegion > 0 {
		most = min(most, perRegion*len(regions))
	}
	return most
}

// fixedOf are the spans of a host's turn that do not depend on where instances go, at p99.
func (b *bounds) fixedOf(x part, h *host) time.Duration {
	if !x.live {
		return b.loads[h.seq].fixed
	}
	return b.worstOfCourse(b.fixedCourse(h, plan.LivePatch, nil).all)
}

// workOf is the length of all moves off a host, one after the other.
func (b *bounds) workOf(x part, h *host) time.Duration {
	if x.live {
		return 0
	}
	return b.loads[h.seq].work
}

// span is a p99 that no turn of the host undercuts.
func (b *bounds) span(x part, h *host) time.Duration {
	if x.live {
		return b.fixedOf(x, h)
	}
	return b.loads[h.seq].span
}

// timeTurns reckons the spans of turns that are no live patches.
func (b *bounds) timeTurns(x part) {
	var jobs, sums []time.Duration
	for _, h := range x.hosts {
		l := &b.loads[h.seq]
		stays := b.leastStays(h, l.stays)
		fixed := b.fixedCourse(h, b.tacticOf(h, stays), stays).all
		jobs = jobs[:0]
		l.work = 0
		for _, m := range l.movers {
			move := b.moveTime(&guest{Instance: m.Instance}, nic(h)) // were the other end as fast
			if !b.policy.AutoSlots() {
				move = b.worstMove(move)
			}
			jobs = append(jobs, move)
			l.work += jobs[len(jobs)-1]
		}
		slices.SortFunc(jobs, func(x, y time.Duration) int { return cmp.Compare(y, x) })
		sums = append(sums[:0], 0)
		for i, d := range jobs {
			sums = append(sums, sums[i]+d)
		}
		drain := drainMin(sums, b.policy.MovesPerHost)
		if l.fixed, l.span = fixed.Worst, fixed.Worst+drain; b.policy.AutoSlots() {
			l.fixed, l.span = fixed.Expected, fixed.Expected+drain
			if len(stays) == 0 { // else another way of stopping them may have less of a tail
				l.span = max(l.span, fixed.At(0.99))
			}
		}
	}
}

// worstOfCourse is the p99 that plans state of so many steps. Where slots are made by the turn, it is that of their sum:
// then a turn with moves is bounded by what is expected of it, or by the p99 of all but its moves.
func (b *bounds) worstOfCourse(c plan.Course) time.Duration {
	if b.policy.AutoSlots() {
		return c.At(0.99)
	}
	return c.Worst
}

// leastStays: a turn that may stop whom it could save is bounded as though it stopped them all.
func (b *bounds) leastStays(h *host, stays []stop) []stop {
	if !h.can.stop || h.refreshed() {
		return stays
	}
	out := slices.Clone(stays)
	for i := range out {
		out[i].how = plan.DispStop
	}
	return out
}

// drainMin bounds how long jobs take on p machines, by the sums of the longest so many: all of them take no
// less than their sum over the machines (Graham 1969); and of the p(j-1)+1 longest some machine gets j at
// least, which take no less than the j shortest of them.
func drainMin(sums []time.Duration, p int) time.Duration {
	n := len(sums) - 1
	least := (sums[n] / time.Duration(p)).Truncate(time.Second)
	for j := 1; p*(j-1)+1 <= n; j++ {
		k := p*(j-1) + 1
		least = max(least, sums[k]-sums[k-j])
	}
	return least
}

// windowsMin bounds the time by windows that are not always open: per pool, and, where sites or regions are
// kept apart, over the windows of all of them together.
func (b *bounds) windowsMin(stages [][]part) (least time.Duration) {
	var all inWindows
	perPool := map[*pool]*inWindows{}
	for _, parts := range stages {
		var took time.Duration
		for _, x := range parts {
			took = max(took, b.partTime(x, plan.Gap{}, 0))
			for p, hosts := range byPool(x.hosts) {
				if perPool[p] == nil {
					perPool[p] = &inWindows{}
				}
				a := b.areaOf[p]
				k := x.atOnce(len(hosts), min(a.most, p.maxAway))
				perPool[p].add(b, x, hosts, ceilDiv(len(hosts), k), b.areaTime(x, a, hosts, k, 0))
			}
			all.add(b, x, x.hosts, 0, 0)
		}
		all.waves += b.stageMin(parts...)
		all.time += took
	}
	least = b.spanOfWindows(&all)
	for _, p := range b.pools {
		if perPool[p] != nil {
			least = max(least, b.spanOfWindows(perPool[p]))
		}
	}
	return least
}

// inWindows is what must find room in the windows of some hosts.
type inWindows struct {
	hosts  []*host
	waves  int
	length time.Duration // of each wave, at least
	time   time.Duration // of all
}

// add takes the greater of what parts need, for they may share waves.
func (n *inWindows) add(b *bounds, x part, hosts []*host, waves int, time time.Duration) {
	for _, h := range hosts {
		if s := b.span(x, h); len(n.hosts) == 0 || s < n.length {
			n.length = s
		}
		n.hosts = append(n.hosts, h)
	}
	n.waves, n.time = max(n.waves, waves), max(n.time, time)
}

// spanOfWindows is the least time from the start of the first to the end of the last wave within the windows
// of the hosts. It looks at the windows from now to a week after the plan's end.
func (b *bounds) spanOfWindows(n *inWindows) time.Duration {
	if len(n.hosts) == 0 || n.waves < 2 || n.length <= 0 {
		return 0
	}
	open := b.openFor(n.hosts)
	fit := make([]int, len(open)) // waves
	for i, o := range open {
		fit[i] = int(o.End.Sub(o.Start) / n.length)
	}
	least := time.Duration(-1)
	j, waves, length := -1, 0, time.Duration(0) // in the windows from i to j
	for i := range open {
		for (waves < n.waves || length < n.time) && j+1 < len(open) {
			j++
			waves += fit[j]
			length += open[j].End.Sub(open[j].Start)
		}
		if waves < n.waves || length < n.time {
			break
		}
		if fit[i] > 0 {
			span := n.time
			if j > i {
				span = max(span, open[j].Start.Sub(open[i].End)+2*n.length)
			}
			if least < 0 || span < least {
				least = span
			}
		}
		waves -= fit[i]
		length -= open[i].End.Sub(open[i].Start)
	}
	return max(0, least)
}

// openFor joins the windows of all hosts' lanes; nil where one is always open.
func (b *bounds) openFor(hosts []*host) []calendar.Interval {
	var all []calendar.Interval
	seen := map[*lane]bool{}
	for _, h := range hosts {
		l := h.ground // whoever is on it: another plan may move them away before
		if seen[l] {
			continue
		}
		if seen[l] = true; l.hours.Always {
			return nil
		}
		all = append(all, l.hours.Between(b.now, b.plan.End.Add(7*24*time.Hour))...)
	}
	slices.SortFunc(all, func(x, y calendar.Interval) int { return x.Start.Compare(y.Start) })
	var out []calendar.Interval
	for _, o := range all {
		if n := len(out); n > 0 && !o.Start.After(out[n-1].End) {
			out[n-1].End = later(out[n-1].End, o.End)
		} else {
			out = append(out, o)
		}
	}
	return out
}
