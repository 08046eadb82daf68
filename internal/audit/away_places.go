package audit

import "github.com/evenkeel/evenkeel/internal/plan"

// limit is how many hosts of one place may be in a turn at once, by what policy calls it.
type limit struct {
	name, place string
	most        int
}

// limitsAt are policy's limits on hosts away that bind at a host: in its rack, where that is known, and its region.
func (e *estate) limitsAt(pol *plan.Policy, host string) (out []limit) {
	at, h := e.where(host), e.hosts[host]
	if n := pol.AwayPerRack; n > 0 && h != nil && h.Rack != "" {
		out = append(out, limit{"away_per_rack", "rack " + h.Rack + " of site " + at.site + " in region " + at.region, n})
	}
	if n := pol.AwayPerRegion; n > 0 {
		out = append(out, limit{"away_per_region", "region " + at.region, n})
	}
	return out
}

// awayAtPlaces: at most so many hosts of a rack, and of a region, are in a turn at once.
func (d *dossier) awayAtPlaces() {
	at := map[limit][]absence{}
	var order []limit
	for _, t := range d.ordered {
		if t.Tactic == plan.LivePatch {
			continue // it takes nobody away
		}
		for _, l := range d.limitsAt(&d.p.Policy, t.Host) {
			if at[l] == nil {
				order = append(order, l)
			}
			at[l] = append(at[l], absence{span{t.Start, t.End}, t.Host, ofTurn(t)})
		}
	}
	for _, l := range order {
		d.checked[5] += len(at[l])
		for _, c := range crowded(at[l], nil, l.most) {
			d.must(false, 6, "away-from-place", c.who.s, c.at, "fewer turns at once, or a higher "+l.name,
				"%d hosts of %s are in a turn when %s begins its own, at most %d may be", c.n, l.place, c.who.id, l.most)
		}
	}
}

// permitPlaces asks the same of a permit: of the turns of its campaign that are open (law 6).
func (t *trial) permitPlaces(r *run, tr *turnRun, f *Fact, s Subject) {
	for _, l := range r.limitsAt(&r.plan.Policy, tr.host) {
		n := 1
		for o, of := range t.open {
			if of != r || o.host == tr.host || o.tactic() == plan.LivePatch {
				continue
			}
			for _, x := range r.limitsAt(&r.plan.Policy, o.host) {
				if x == l {
					n++
				}
			}
		}
		t.must(n <= l.most, 6, "away-from-place", s, f.At, "fewer turns at once, or a higher "+l.name, "%d hosts of %s are in a turn with %s, at most %d may be", n, l.place, tr.host, l.most)
	}
}
