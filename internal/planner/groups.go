package planner

import (
	"cmp"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

func (w *world) addGroups() {
	guests := make(map[string]*guest, len(w.guests))
	for _, g := range w.guests {
		guests[g.ID] = g
	}
	for _, id := range sortedKeys(w.ix.Groups) {
		gr := &group{Group: w.ix.Groups[id], domain: map[string]int{}}
		gr.spare = gr.Allowed()
		for _, m := range w.ix.Members[id] {
			g := guests[m.ID]
			g.groups = append(g.groups, gr)
			gr.members = append(gr.members, g)
			gr.domain[gr.domainOf(g.at)]++
			if isDown(g) {
				gr.spare--
			}
		}
		w.groups = append(w.groups, gr)
	}
}

// isDown: the instance does not serve, from whatever cause.
func isDown(g *guest) bool {
	return cmp.Or(g.State, fleet.Running) != fleet.Running || g.at.Health == fleet.Down
}

// domainOf names the domain that a group's members may not share; a host without a known rack is a
// rack of its own.
func (gr *group) domainOf(h *host) string {
	switch {
	case gr.Spread == fleet.SpreadSite:
		return h.site
	case gr.Spread == fleet.SpreadRack && h.Rack != "":
		return h.site + "\x00" + h.Rack
	}
	return "host\x00" + h.ID
}
