package planner

import (
	"slices"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// need is what one turn disturbs of one group.
type need struct {
	group *group
	stay  int  // members that are saved or stopped: all together, through the whole turn
	moves bool // members that move do so one after the other, so they count as one
}

func (n need) count() int {
	if n.moves {
		return n.stay + 1
	}
	return n.stay
}

type needs []need

// needsOf sums up the groups of those that stay and of those that move.
func needsOf(stops, moves []*guest) (n needs) {
	for _, g := range stops {
		for _, gr := range g.groups {
			n.of(gr).stay++
		}
	}
	for _, g := range moves {
		for _, gr := range g.groups {
			n.of(gr).moves = true
		}
	}
	return n
}

// of finds a group's entry and makes it when there is none.
func (n *needs) of(gr *group) *need {
	for i := range *n {
		if (*n)[i].group == gr {
			return &(*n)[i]
		}
	}
	*n = append(*n, need{group: gr})
	return &(*n)[len(*n)-1]
}

// apart asks what other turns of the wave leave open.
func (v *wave) apart(h *host) bool { return h.arriving == 0 && v.admits(h) }

// admits asks what they leave open to all hosts of a line alike: the pool's share, host groups, stagger.
func (v *wave) admits(h *host) bool {
	if !v.live && v.away[h.pool] >= h.pool.maxAway {
		return false
	}
	if !v.live && !v.placesSpare(h) {
		return false
	}
	for _, g := range h.hostGroups {
		if v.hostUse[g] >= g.spare {
			return false
		}
	}
	site, busy := v.siteOf[h.region]
	if v.policy.StaggerSites && busy && site != h.site {
		return false
	}
	if rack, there := v.rackOf[h.site]; v.policy.StaggerRacks && there && rack != h.rack {
		return false
	}
	return !v.policy.StaggerRegions || busy || len(v.siteOf) == 0
}

// groups asks whether each group can spare those that the turn disturbs beside those that other
// turns of the wave do.
func (v *wave) groups(stops, moves []*guest) trouble {
	for _, n := range needsOf(stops, moves) {
		if n.count() > n.group.spare {
			return trouble{why: noGroup, group: n.group}
		}
		if v.groupUse[n.group]+n.count() > n.group.spare {
			return trouble{why: waits}
		}
	}
	return trouble{}
}

// spread asks whether a guest may land on a host: none of its groups' other members may be in the
// same domain, or have been there when the wave began. sharing allows to stay in a domain that it
// shares already, which makes nothing worse.
func spread(g *guest, to *host, sharing bool) bool {
	for _, gr := range g.groups {
		if gr.Spread == fleet.SpreadNone {
			continue
		}
		key := gr.domainOf(to)
		others := gr.domain[key]
		if key == gr.domainOf(g.at) {
			if others--; sharing {
				continue
			}
		}
		if others > 0 {
			return false
		}
	}
	return true
}

// crowdedAtHome asks the same for the way back of a guest that is on its way, and gives the group that forbids it:
// where it was, it is still counted itself, and so is whoever left that domain in this wave and does not come back.
// It need not be asked of one that stays in its domain all the while.
func (v *wave) crowdedAtHome(d *draft, m *move) *group {
	for _, gr := range m.guest.groups {
		home := gr.domainOf(m.from)
		if gr.Spread == fleet.SpreadNone || gr.domain[home] <= 1 || gr.domainOf(m.to) == home {
			continue
		}
		if gr.domain[home]-1 > v.leftFor(gr, home, m, d) {
			return gr
		}
	}
	return nil
}

// leftFor counts the other members of a group that this wave, and one turn more, moves out of a
// domain for good.
func (v *wave) leftFor(gr *group, domain string, but *move, d *draft) (n int) {
	for _, t := range append(v.turns[:len(v.turns):len(v.turns)], d) {
		for _, m := range t.moves {
			if m == but || !slices.Contains(m.guest.groups, gr) || gr.domainOf(m.from) != domain || gr.domainOf(m.to) == domain {
				continue
			}
			if !slices.ContainsFunc(t.homes, func(back *move) bool { return back.guest == m.guest }) {
				n++
			}
		}
	}
	return n
}

// reserve gives what stays free in a pool, on hosts that are not away, if so much more is taken
// while h is away too; ok when that is enough.
func (v *wave) reserve(p *pool, h *host, mib int64) (left int64, ok bool) {
	left = p.free - v.awayFree[p] - mib
	if h.pool == p && h.IsUp() {
		left -= h.free()
	}
	return left, !v.policy.KeepReserve || left >= p.reserve
}
