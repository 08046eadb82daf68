package planner

import "github.com/evenkeel/evenkeel/internal/plan"

// stageMin bounds the waves of one stage: its parts may share waves. The canary is alone; without it each
// part has at most one host less; and after it waves grow only so fast.
func (b *bounds) stageMin(parts ...part) (least int) {
	total := 0
	for _, x := range parts {
		least = max(least, b.waves(x, 0))
		total += len(x.hosts)
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

// waves bounds the waves from below when a part has so many hosts less: the share of the pool that may be
// away, room, groups, host groups, and sites and regions that are kept apart.
func (b *bounds) waves(x part, less int) int {
	least := b.overRegions(x, plan.Gap{}, func(a *area, hosts []*host, k int) int64 {
		n := ceilDiv(len(hosts)-less, k)
		if !x.live {
			n = max(n, b.bins(a, hosts, less))
		}
		return int64(n)
	})
	return max(int(least), b.wavesOfGroups(x, less), b.wavesOfPlaces(x, less))
}

// wavesOfPlaces bounds them by how many hosts of a rack or a region may be away at once.
func (b *bounds) wavesOfPlaces(x part, less int) (least int) {
	perRack, perRegion := b.policy.AwayPerRack, b.policy.AwayPerRegion
	if x.live || perRack == 0 && perRegion == 0 {
		return 0
	}
	racks, regions := map[plan.Place]int{}, map[string]int{}
	for _, h := range x.hosts {
		racks[h.where()]++
		regions[h.region]++
		if perRack > 0 {
			least = max(least, ceilDiv(racks[h.where()]-less, perRack))
		}
		if perRegion > 0 {
			least = max(least, ceilDiv(regions[h.region]-less, perRegion))
		}
	}
	return least
}

// overRegions takes a number per area, and folds it over racks, sites and regions: what is kept apart comes one
// after the other and adds up, with a gap between one and the next; of all else the largest counts. An area of
// several pools, which may lie in several sites, counts as a whole beside each of its pools.
func (b *bounds) overRegions(x part, gap plan.Gap, of func(a *area, hosts []*host, k int) int64) int64 {
	regions := map[string]map[string]extent{}
	racks := map[string]map[string]int64{} // site -> its racks
	pools := byPool(x.hosts)
	var widest int64
	for _, a := range b.areas {
		if len(a.pools) > 1 {
			var all []*host
			for _, p := range a.pools {
				all = append(all, pools[p]...)
			}
			if len(all) > 0 {
				widest = max(widest, of(a, all, x.atOnce(len(all), a.most)))
			}
		}
		for _, p := range a.pools {
			hosts := pools[p]
			if len(hosts) == 0 {
				continue
			}
			most := x.atOnce(len(hosts), min(a.most, p.maxAway, b.mostTogether(p)))
			h := hosts[0]
			if regions[h.region] == nil {
				regions[h.region] = map[string]extent{}
			}
			n := of(a, hosts, most)
			sites := regions[h.region]
			sites[h.site] = sites[h.site].beside(extent{n, n})
			b.overRacks(racks, hosts, func(hosts []*host) int64 {
				k := min(most, len(hosts))
				if n := b.policy.AwayPerRack; n > 0 && !x.live {
					k = min(k, n)
				}
				return of(a, hosts, k)
			})
		}
	}
	var all []extent
	for _, sites := range regions {
		var perSite []extent
		for site, e := range sites {
			var perRack []extent
			for _, n := range racks[site] {
				perRack = append(perRack, extent{n, n})
			}
			perSite = append(perSite, e.beside(fold(perRack, b.policy.StaggerRacks, gap.Racks)))
		}
		all = append(all, fold(perSite, b.policy.StaggerSites, gap.Sites))
	}
	return max(widest, fold(all, b.policy.StaggerRegions, gap.Regions).span)
}

// overRacks takes the number of each rack of a pool, where rules tell racks apart.
func (b *bounds) overRacks(racks map[string]map[string]int64, hosts []*host, of func([]*host) int64) {
	if !b.ruledByRack() {
		return
	}
	site := hosts[0].site
	if racks[site] == nil {
		racks[site] = map[string]int64{}
	}
	inRack := map[string][]*host{}
	for _, h := range hosts {
		inRack[h.rack] = append(inRack[h.rack], h)
	}
	for rack, hosts := range inRack {
		racks[site][rack] = max(racks[site][rack], of(hosts))
	}
}

// atOnce: nobody is away for a live patch, so all hosts may get theirs in one wave.
func (x *part) atOnce(hosts, away int) int {
	if x.live {
		return hosts
	}
	return away
}

// extent is what some place takes at least: in turns, and from the first of them to the last, gaps included. In the
// gaps of one place there may be turns at another.
type extent struct{ work, span int64 }

func (e extent) beside(o extent) extent { return extent{max(e.work, o.work), max(e.span, o.span)} }

// fold: places that are kept apart take the sum of their turns, with a gap each time that the next one's follow;
// others the largest number.
func fold(places []extent, apart bool, gap plan.Duration) (all extent) {
	var sum int64
	n := 0
	for _, e := range places {
		all = all.beside(e)
		sum += e.work
		if e.work > 0 {
			n++
		}
	}
	if apart && n > 0 {
		all = all.beside(extent{sum, sum + int64(n-1)*int64(gap.Std())})
	}
	return all
}
