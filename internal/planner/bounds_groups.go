package planner

import "github.com/evenkeel/evenkeel/internal/fleet"

// groupNeed is what the turns of hosts disturb of one group, at the least: members leave a host in its turn
// only, so those that are there at the outset are there in its turn.
type groupNeed struct {
	spare int
	hosts []hostNeed // by host
}

type hostNeed struct {
	host *host
	need
}

// groupNeeds reads them from who stays and who moves. Turns of a live patch disturb nobody.
func (b *bounds) groupNeeds() []groupNeed {
	out := make([]groupNeed, len(b.groups))
	if len(b.groups) == 0 {
		return out
	}
	index := make(map[string]int, len(b.groups))
	for i, g := range b.groups {
		index[g.ID], out[i].spare = i, g.spare
	}
	for i, h := range b.hosts {
		note := func(in *fleet.Instance, stays bool) {
			for _, gr := range b.ix.GroupsOf[in.ID] {
				out[index[gr.ID]].note(h, stays && !h.refreshed())
			}
		}
		for _, s := range b.loads[i].stays {
			note(s.guest.Instance, true)
		}
		for _, m := range b.loads[i].movers {
			if !m.unsure {
				note(m.Instance, false)
			}
		}
	}
	return out
}

func (n *groupNeed) note(h *host, stays bool) {
	if k := len(n.hosts); k == 0 || n.hosts[k-1].host != h {
		n.hosts = append(n.hosts, hostNeed{host: h})
	}
	if last := &n.hosts[len(n.hosts)-1]; stays {
		last.stay++
	} else {
		last.moves = true
	}
}

// wavesOfGroups: what a group needs in all turns together, over what it can spare in each wave; likewise
// host groups; and hosts of which no two can be in one wave take a wave each.
func (b *bounds) wavesOfGroups(x part, less int) (least int) {
	in := b.marked(x)
	var nowhere map[*area]bool
	if less == 0 && !x.live {
		nowhere = b.nowhereFixed(in)
	}
	for i, g := range b.needs {
		total, largest := 0, 0
		for _, n := range g.hosts {
			if in[n.host.seq] && !x.live {
				total += n.count()
				largest = max(largest, n.count())
			}
		}
		if b.oneTwice(b.groups[i], g, in, nowhere) {
			total++
		}
		least = max(least, ceilDiv(total-less*largest, g.spare))
	}
	count := map[*hostGroup]int{}
	for _, h := range x.hosts {
		for _, g := range h.hostGroups {
			count[g]++
			least = max(least, ceilDiv(count[g]-less, g.spare))
		}
	}
	return max(least, x.alone-less)
}

// nowhereFixed tells the areas of which each healthy host has a turn in a part, and takes nobody in for good
// before it.
func (b *bounds) nowhereFixed(in []bool) map[*area]bool {
	out := map[*area]bool{}
	for _, a := range b.areas {
		out[a] = true
	}
	for _, h := range b.hosts {
		if h.IsUp() && (!in[h.seq] || h.refreshed()) {
			out[b.areaOf[h.pool]] = false
		}
	}
	return out
}

// oneTwice: whatever the order of the turns, they disturb a group once more than it has hosts, or their first wave
// does not disturb it at all, which comes to no less: s*(W-1) >= T is s*W >= T+s. For in the first wave no host is
// fixed. Whoever leaves a host then lands on one whose own turn is ahead, and is disturbed again in that. It shares
// that turn with no other member where no two members may be on one host: none was there, for those that were at
// the outset still count, and none may come. Nobody is brought home in the wave itself. Who is saved or stopped in
// place is disturbed once, so nobody of the group must be; on a host that is refreshed anybody may.
func (b *bounds) oneTwice(gr *group, g groupNeed, in []bool, nowhere map[*area]bool) bool {
	if gr.Spread != fleet.SpreadHost || b.anyHome() || len(g.hosts) == 0 {
		return false
	}
	for _, n := range g.hosts {
		if !in[n.host.seq] || n.stay > 0 || n.host.refreshed() || !nowhere[b.areaOf[n.host.pool]] {
			return false
		}
	}
	return true
}

// marked tells which of all hosts are in a part.
func (b *bounds) marked(x part) []bool {
	in := make([]bool, len(b.hosts))
	for _, h := range x.hosts {
		in[h.seq] = true
	}
	return in
}
