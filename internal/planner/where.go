package planner

import (
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// What policy says of places beyond pools: how much time lies between turns at two of them, and how many hosts of a
// rack or a region are away at once.

func (h *host) where() plan.Place { return plan.Place{Region: h.region, Site: h.site, Rack: h.rack} }

// afterGap is the earliest that a host may start for what policy leaves between places; zero: at any time.
func (w *world) afterGap(h *host) time.Time {
	from, _ := w.ends.NotBefore(&w.policy, h.where())
	return from
}

// noteEnds notes when the turns of a wave are over at worst.
func (w *world) noteEnds(v *wave) {
	if !w.policy.Gaps() {
		return
	}
	for _, d := range v.turns {
		w.ends.Note(d.host.where(), v.start.Add(d.worst.all))
	}
}

// placesSpare asks whether a host's rack and region can spare it beside those of the wave.
func (v *wave) placesSpare(h *host) bool {
	p := &v.policy
	return (p.AwayPerRack == 0 || v.awayAt[h.where()] < p.AwayPerRack) &&
		(p.AwayPerRegion == 0 || v.awayAt[plan.Place{Region: h.region}] < p.AwayPerRegion)
}

// leavesPlace counts a host that is in a turn.
func (v *wave) leavesPlace(h *host) {
	if v.policy.AwayPerRack > 0 {
		v.awayAt[h.where()]++
	}
	if v.policy.AwayPerRegion > 0 {
		v.awayAt[plan.Place{Region: h.region}]++
	}
}

// ruledByRack: the rules tell racks apart where they say which hosts go together.
func (w *world) ruledByRack() bool { return w.policy.StaggerRacks || w.policy.AwayPerRack > 0 }

// mostTogether is how many of a pool's hosts one wave may have by the rules of racks and regions.
func (w *world) mostTogether(p *pool) int {
	if !w.ruledByRack() && w.policy.AwayPerRegion == 0 {
		return len(p.hosts)
	}
	if p.together > 0 {
		return p.together
	}
	racks := map[string]int{}
	for _, h := range p.hosts {
		if n := racks[h.rack]; w.policy.AwayPerRack == 0 || n < w.policy.AwayPerRack {
			racks[h.rack]++
		}
	}
	for _, n := range racks {
		if w.policy.StaggerRacks {
			p.together = max(p.together, n)
		} else {
			p.together += n
		}
	}
	if most := w.policy.AwayPerRegion; most > 0 {
		p.together = min(p.together, most)
	}
	return p.together
}
