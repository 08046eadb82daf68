package execution

import (
	"testing"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// No more migrations are in flight over a link than policy allows; a link that none of them goes over binds none.
func TestLinksBoundMigrations(t *testing.T) {
	for name, c := range map[string]struct {
		link fleet.Link
		most int // migrations at once over links that h1 lies behind
	}{
		"h1 alone behind it": {fleet.Link{ID: "up", Mbps: 100000, Hosts: []string{"h1"}}, 1},
		"all behind it":      {fleet.Link{ID: "up", Mbps: 100000, Hosts: []string{"h1", "h2", "h3"}}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(p *plan.Plan, f *fleet.Fleet) {
				f.Links, f.Groups, p.Policy.MovesPerLink, p.Policy.MovesPerHost, p.Policy.MovesPerPool = []fleet.Link{c.link}, nil, 1, 2, 8
				for i := range f.Instances {
					f.Instances[i].Group = ""
				}
			})
			most := 0
			w.answer = func(Chore) ([]Fact, bool) {
				n := 0
				for _, a := range w.s.open {
					if a.Kind == MovePlaced && (a.From == "h1" || a.To == "h1") {
						n++
					}
				}
				most = max(most, n)
				return nil, false
			}
			w.run(at("01:55:00"))
			if most != c.most {
				t.Errorf("%d migrations from or to h1 at once, expected %d", most, c.most)
			}
		})
	}
}
