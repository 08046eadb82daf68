package audit

import (
	"slices"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// ends are the racks and regions that a migration between two hosts has an end in, each once, with policy's limits on
// the migrations in flight there. A host whose rack is not known is a rack of its own.
func (e *estate) ends(pol *plan.Policy, from, to string) (out []limit) {
	if pol.MovesPerRack == 0 && pol.MovesPerRegion == 0 {
		return nil
	}
	for _, host := range []string{from, to} {
		at, rack := e.where(host), "host "+host
		if h := e.hosts[host]; h != nil && h.Rack != "" {
			rack = h.Rack
		}
		for _, l := range []limit{
			{"moves_per_rack", "rack " + rack + " of site " + at.site + " in region " + at.region, pol.MovesPerRack},
			{"moves_per_region", "region " + at.region, pol.MovesPerRegion},
		} {
			if l.most > 0 && !slices.Contains(out, l) {
				out = append(out, l)
			}
		}
	}
	return out
}

// fliesAt asks law 6 of the migrations in flight in racks and regions once one more starts.
func (s *scene) fliesAt(m *plan.Move) {
	for _, l := range s.ends(&s.p.Policy, m.From, m.To) {
		s.placeFlights[l]++
		s.must(s.placeFlights[l] <= l.most, 6, "moves-per-place", ofMove(m), m.Start, "a later start, or a higher "+l.name,
			"%d migrations with an end in %s are in flight when that of %s starts, at most %d may be", s.placeFlights[l], l.place, m.Instance, l.most)
	}
}

func (s *scene) landsAt(m *plan.Move) {
	for _, l := range s.ends(&s.p.Policy, m.From, m.To) {
		s.placeFlights[l]--
	}
	for _, l := range s.over(m.From, m.To) {
		s.linkFlights[l.ID]--
	}
}

// fliesAt asks the same of a migration that begins: of those of its campaign that have not ended (law 6).
func (t *trial) fliesAt(r *run, f *Fact, s Subject) {
	for _, l := range r.ends(&r.plan.Policy, f.From, f.To) {
		n := 1
		for o, of := range t.open {
			if of != r {
				continue
			}
			for id := range o.busy {
				if a := t.guest(id).act; id != f.Instance && a != nil && !a.stop && slices.Contains(r.ends(&r.plan.Policy, a.from, a.to), l) {
					n++
				}
			}
		}
		t.must(n <= l.most, 6, "moves-per-place", s, f.At, "a later start, or a higher "+l.name,
			"%d migrations with an end in %s are in flight with that of %s, at most %d may be", n, l.place, f.Instance, l.most)
	}
}
