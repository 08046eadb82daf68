package audit

import (
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// wire notes behind which links each host lies: those of which each list that is named has it.
func (e *estate) wire(f *fleet.Fleet) {
	seen := map[string]bool{}
	for i := range f.Links {
		l := &f.Links[i]
		if seen[l.ID] {
			continue
		}
		seen[l.ID] = true
		sites, racks, hosts := among(l.Sites), among(l.Racks), among(l.Hosts)
		for id, h := range e.hosts {
			if len(sites)+len(racks)+len(hosts) == 0 || len(sites) > 0 && !sites[e.where(id).site] ||
				len(racks) > 0 && !racks[h.Rack] || len(hosts) > 0 && !hosts[id] {
				continue
			}
			e.behind[id] = append(e.behind[id], l)
		}
	}
}

func among(list []string) map[string]bool {
	m := map[string]bool{}
	for _, id := range list {
		m[id] = true
	}
	return m
}

// over are the links that a migration between two hosts goes over: those that exactly one of them lies behind.
func (e *estate) over(from, to string) (out []*fleet.Link) {
	for _, side := range [][2]string{{from, to}, {to, from}} {
		for _, l := range e.behind[side[0]] {
			both := false
			for _, o := range e.behind[side[1]] {
				both = both || o == l
			}
			if !both {
				out = append(out, l)
			}
		}
	}
	return out
}

// perLink is how many migrations policy allows over one link.
func perLink(pol *plan.Policy) int {
	if pol.MovesPerLink > 0 {
		return pol.MovesPerLink
	}
	return 8
}

// perMove is the rate in MiB/s that each of several migrations has of one in Mbit/s.
func perMove(mbps int64, n int) float64 {
	return float64(mbps) * 1e6 / 8 / (1 << 20) / float64(max(1, n))
}

// linkShare is the rate in MiB/s that the slowest link between two hosts leaves to one migration when as many go over
// it as policy allows; 0: there is no link between them.
func (d *dossier) linkShare(from, to string) (least float64) {
	for _, l := range d.over(from, to) {
		if share := perMove(l.Mbps, perLink(&d.p.Policy)); least == 0 || share < least {
			least = share
		}
	}
	return least
}

// fliesOver asks law 6 of the migrations in flight over links once one more starts.
func (s *scene) fliesOver(m *plan.Move) {
	most := perLink(&s.p.Policy)
	for _, l := range s.over(m.From, m.To) {
		s.linkFlights[l.ID]++
		s.must(s.linkFlights[l.ID] <= most, 6, "moves-per-link", ofMove(m), m.Start, "a later start, or a higher moves_per_link",
			"%d migrations over link %s are in flight when that of %s starts, at most %d may be", s.linkFlights[l.ID], l.ID, m.Instance, most)
	}
}

// fliesOver asks the same of a migration that begins: of those of its campaign that have not ended.
func (t *trial) fliesOver(r *run, f *Fact, s Subject) {
	most := perLink(&r.plan.Policy)
	for _, l := range r.over(f.From, f.To) {
		n := 1
		for o, of := range t.open {
			if of != r {
				continue
			}
			for id := range o.busy {
				a := t.guest(id).act
				if id == f.Instance || a == nil || a.stop {
					continue
				}
				for _, x := range r.over(a.from, a.to) {
					if x.ID == l.ID {
						n++
					}
				}
			}
		}
		t.must(n <= most, 6, "moves-per-link", s, f.At, "a later start, or a higher moves_per_link",
			"%d migrations over link %s are in flight with that of %s, at most %d may be", n, l.ID, f.Instance, most)
	}
}
