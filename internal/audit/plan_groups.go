package audit

import (
	"sort"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// absence is one stretch in which one member of a set is away.
type absence struct {
	span
	id string
	s  Subject
}

// lasts: it is more than an instant.
func (a *absence) lasts() bool { return a.end.After(a.start) }

// crowd is an instant at which one more member starts to be away than may be.
type crowd struct {
	at  time.Time
	n   int // members away then, with those down for good
	who absence
}

// crowded plays absences through and gives each start at which more than most are away; down are
// away all the time. A member counts once, however many of its stretches overlap.
func crowded(list []absence, down map[string]bool, most int) []crowd {
	sort.SliceStable(list, func(i, j int) bool { return list[i].start.Before(list[j].start) })
	ends := make([]int, len(list)) // by their end
	for i := range ends {
		ends[i] = i
	}
	sort.SliceStable(ends, func(i, j int) bool { return list[ends[i]].end.Before(list[ends[j]].end) })
	var out []crowd
	open := map[string]int{} // member -> its stretches under way
	for id := range down {
		open[id] = 1
	}
	over := 0
	for _, a := range list {
		for ; over < len(ends) && !list[ends[over]].end.After(a.start); over++ {
			if o := list[ends[over]]; o.lasts() && open[o.id] == 1 {
				delete(open, o.id)
			} else if o.lasts() {
				open[o.id]--
			}
		}
		n := len(open)
		if open[a.id] == 0 {
			n++
		}
		if a.lasts() {
			open[a.id]++
		}
		if n > most {
			out = append(out, crowd{a.start, n, a})
		}
	}
	return out
}

// redundancy asks law 3 of groups and host groups. A member is disrupted from its move's start to
// its end, or, when it is stopped, for the whole of the turn; one that does not run, or whose host is
// down, counts always.
// A host is away for the whole of a turn that reboots it; one that is down counts always.
func (d *dossier) redundancy() {
	away := map[string][]absence{}
	for i := range d.p.Moves {
		m := &d.p.Moves[i]
		away[m.Instance] = append(away[m.Instance], absence{span{m.Start, m.End}, m.Instance, ofMove(m)})
	}
	for i := range d.p.Slots {
		s := &d.p.Slots[i]
		if t := d.turns[s.Turn]; t != nil && plan.ClassOf(s.Disposition) == plan.ClassOutage && t.Tactic == plan.Refresh {
			away[s.Instance] = append(away[s.Instance], absence{d.inPlace(t), "one of turn " + t.ID, ofSlot(s)}) // one after the other
		} else if t != nil && plan.ClassOf(s.Disposition) == plan.ClassOutage {
			away[s.Instance] = append(away[s.Instance], absence{span{t.Start, t.End}, s.Instance, ofSlot(s)})
		}
	}
	for _, g := range d.groups {
		var list []absence
		down := map[string]bool{}
		for _, m := range g.members {
			list = append(list, away[m]...)
			in := d.instances[m]
			h := d.hosts[in.Host]
			if !serves(in) || h != nil && h.Health == fleet.Down {
				down[m] = true
			}
		}
		d.checked[2] += len(list)
		for _, c := range crowded(list, down, g.most) {
			s := c.who.s
			s.Group = g.id
			d.must(false, 3, "group", s, c.at, "another time, or a higher max_unavailable of the group",
				"%d of the %d members of group %s are disrupted or down when %s begins, at most %d may be", c.n, len(g.members), g.id, c.who.id, g.most)
		}
	}
	d.hostsTogether()
}

// inPlace is when a refresh stops what cannot move: after the last move off its host, before the
// first one home.
func (d *dossier) inPlace(t *plan.Turn) span {
	at := span{t.Start, t.End}
	for _, m := range d.movesOf[t.ID] {
		if !m.Home && m.End.After(at.start) {
			at.start = m.End
		}
		if m.Home && m.Start.Before(at.end) {
			at.end = m.Start
		}
	}
	return at
}

func (d *dossier) hostsTogether() {
	turns := map[string][]absence{}
	for _, t := range d.ordered {
		if reboots(t.Tactic) {
			turns[t.Host] = append(turns[t.Host], absence{span{t.Start, t.End}, t.Host, ofTurn(t)})
		}
	}
	for i := range d.f.HostGroups {
		g := &d.f.HostGroups[i]
		var list []absence
		down := map[string]bool{}
		for _, id := range g.Hosts {
			if h := d.hosts[id]; h != nil && h.Health == fleet.Down {
				down[id] = true
			}
			list = append(list, turns[id]...)
		}
		d.checked[2] += len(list)
		for _, c := range crowded(list, down, max(1, g.MaxUnavailable)) {
			s := c.who.s
			s.Group = g.ID
			d.must(false, 3, "host-group", s, c.at, "another time, or a higher max_unavailable of the host group",
				"%d of the %d hosts of host group %s are away or down when %s begins its turn, at most %d may be", c.n, len(g.Hosts), g.ID, c.who.id, g.MaxUnavailable)
		}
	}
}

func hostOf(t *plan.Turn) string {
	if t == nil {
		return ""
	}
	return t.Host
}
