package planner

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
	least := b.overRegions(x, func(a *area, hosts []*host, k int) int64 {
		n := ceilDiv(len(hosts)-less, k)
		if !x.live {
			n = max(n, b.bins(a, hosts, less))
		}
		return int64(n)
	})
	return max(int(least), b.wavesOfGroups(x, less))
}

// overRegions takes a number per area, and folds it over sites and regions: what is kept apart comes one
// after the other and adds up, of all else the largest counts. An area of several pools, which may lie in
// several sites, counts as a whole beside each of its pools.
func (b *bounds) overRegions(x part, of func(a *area, hosts []*host, k int) int64) int64 {
	regions := map[string]map[string]int64{}
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
			most := x.atOnce(len(hosts), min(a.most, p.maxAway))
			h := hosts[0]
			if regions[h.region] == nil {
				regions[h.region] = map[string]int64{}
			}
			sites := regions[h.region]
			sites[h.site] = max(sites[h.site], of(a, hosts, most))
		}
	}
	var perRegion []int64
	for _, sites := range regions {
		var perSite []int64
		for _, n := range sites {
			perSite = append(perSite, n)
		}
		perRegion = append(perRegion, fold(perSite, b.policy.StaggerSites))
	}
	return max(widest, fold(perRegion, b.policy.StaggerRegions))
}

// atOnce: nobody is away for a live patch, so all hosts may get theirs in one wave.
func (x *part) atOnce(hosts, away int) int {
	if x.live {
		return hosts
	}
	return away
}

// fold: parts that are kept apart take the sum, others the largest number.
func fold(parts []int64, apart bool) (n int64) {
	for _, p := range parts {
		if apart {
			n += p
		} else {
			n = max(n, p)
		}
	}
	return n
}
