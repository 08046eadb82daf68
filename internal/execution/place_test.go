package execution

import (
	"testing"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Members that share a site already may move within it; members that do not share a host stay apart.
func TestSpreadForbidsOnlyWhatIsNew(t *testing.T) {
	for spread, want := range map[fleet.Spread]bool{fleet.SpreadSite: true, fleet.SpreadHost: false} {
		w := newWorld(t, func(p *plan.Plan, f *fleet.Fleet) {
			f.Groups[0].Spread = spread
			f.Groups[0].Members = []string{"g1", "g2", "g3"} // on h1, h2 and h3 of one site
		})
		w.run(at("01:00:00"))
		for _, h := range []string{"h1", "h2", "h3"} {
			w.store(Fact{Kind: HostSeen, Host: h, Seen: w.view(h)})
		}
		if p := w.s.Place(w.s.Turns["h1"], "g1", w.now); (p.To != "") != want {
			t.Errorf("spread %s: placed on %q, %v", spread, p.To, p.Why)
		}
	}
}
