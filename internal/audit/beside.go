package audit

import (
	"encoding/json"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// besides judges journals of campaigns that were open at once: what each keeps to for itself, all of them
// together must keep to as well. Facts of one journal are judged by Journal.
type besides struct {
	record
	sides []*side
}

// side is one campaign beside others.
type side struct {
	*estate
	plan *plan.Plan
	open map[string]*plan.Turn // host -> its turn under way
	held map[string]bool       // hosts whose turns wait for a person
	busy map[string]bool       // instances with an act of ours that has not ended, or stopped by us

	flights           map[string]flight    // by instance
	ended             map[string]time.Time // host -> when its last turn that was permitted was over
	applied, finished time.Time
}

// Beside judges campaigns that were open at once, by their journals: laws 3 and 6 over all of them together
// (groups, host groups, places kept apart; hosts away and migrations in flight at a place or over a link), and
// law 5's one campaign on a host at a time. The journals of one controller have one clock; of two facts of one
// moment the one that takes nothing counts as the earlier one.
func Beside(journals ...[]Fact) Verdict {
	b := &besides{sides: make([]*side, len(journals))}
	next := make([]int, len(journals))
	for {
		first := -1
		for i, facts := range journals {
			if next[i] < len(facts) && (first < 0 || sooner(&facts[next[i]], &journals[first][next[first]])) {
				first = i
			}
		}
		if first < 0 {
			return b.verdict()
		}
		b.hear(first, &journals[first][next[first]])
		next[first]++
	}
}

func sooner(a, b *Fact) bool {
	if !a.At.Equal(b.At) {
		return a.At.Before(b.At)
	}
	return !takes(a) && takes(b)
}

// takes: the fact takes something that a limit counts.
func takes(f *Fact) bool {
	return f.Kind == "turn-permitted" || f.Kind == "move-placed" || f.Kind == "stop-started"
}

func (b *besides) hear(i int, f *Fact) {
	m := b.sides[i]
	if f.Kind == "campaign-applied" {
		p, fl := new(plan.Plan), new(fleet.Fleet)
		if json.Unmarshal(f.Plan, p) == nil && json.Unmarshal(f.Fleet, fl) == nil && m == nil {
			b.sides[i] = &side{estate: newEstate(fl), plan: p, open: map[string]*plan.Turn{}, held: map[string]bool{}, busy: map[string]bool{},
				flights: map[string]flight{}, ended: map[string]time.Time{}, applied: f.At}
		}
		return
	}
	if m == nil {
		return
	}
	switch f.Kind {
	case "turn-permitted":
		b.permit(i, m, f)
		delete(m.held, f.Host)
		for n := range m.plan.Turns {
			if m.plan.Turns[n].ID == f.Turn {
				m.open[f.Host] = &m.plan.Turns[n]
			}
		}
	case "turn-held":
		m.held[f.Host] = true
	case "turn-released":
		delete(m.held, f.Host)
	case "turn-done", "turn-dropped":
		if t := m.open[f.Host]; t != nil && t.ID == f.Turn {
			delete(m.open, f.Host)
			m.ended[f.Host] = f.At
		}
	case "move-placed", "stop-started":
		b.act(i, m, f)
		m.busy[f.Instance] = true
		if delete(m.flights, f.Instance); f.Kind == "move-placed" {
			m.flights[f.Instance] = flight{f.From, f.To}
		}
	case "move-done", "move-failed", "stop-failed", "back-done", "external":
		delete(m.busy, f.Instance)
		delete(m.flights, f.Instance)
	case "campaign-finished":
		m.open, m.busy, m.flights, m.finished = map[string]*plan.Turn{}, map[string]bool{}, map[string]flight{}, f.At
	}
}

// permit asks of a turn what the turns of the other campaigns leave open.
func (b *besides) permit(i int, m *side, f *Fact) {
	s := Subject{Campaign: f.Campaign, Turn: f.Turn, Host: f.Host, Seq: f.Seq}
	var mine *plan.Turn
	for n := range m.plan.Turns {
		if m.plan.Turns[n].ID == f.Turn {
			mine = &m.plan.Turns[n]
		}
	}
	for j, o := range b.sides {
		if o == nil || j == i {
			continue
		}
		b.must(o.open[f.Host] == nil, 5, "host-claimed", s, f.At, "one turn, of one campaign, on a host at a time", "turn %s is permitted while a turn of campaign %s has host %s", f.Turn, o.plan.Campaign, f.Host)
		other := ""
		for host := range o.open {
			apart := false
			for _, pol := range []*plan.Policy{&m.plan.Policy, &o.plan.Policy} {
				_, is := keptApart(pol, m.spotOf(pol, f.Host), o.spotOf(pol, host))
				apart = apart || is
			}
			if !o.held[host] && host > other && apart {
				other = host
			}
		}
		b.must(other == "", 3, "stagger", s, f.At, "an end of the turn of "+other+" first, or policies without the stagger", "turn %s is permitted while campaign %s has host %s in a turn at a place that is kept apart", f.Turn, o.plan.Campaign, other)
	}
	b.gaps(i, m, f, s)
	if mine != nil && mine.Tactic != plan.LivePatch {
		b.places(i, m, f, s)
	}
	if mine == nil || !reboots(mine.Tactic) {
		return
	}
	for _, g := range m.hostGroups[f.Host] {
		n := 1
		for _, id := range g.Hosts {
			if id != f.Host && b.away(id) {
				n++
			}
		}
		s.Group = g.ID
		b.must(n <= max(1, g.MaxUnavailable), 3, "host-group", s, f.At, "another host of the group back first, in whichever campaign", "%d of the %d hosts of host group %s are away with %s in all campaigns, at most %d may be", n, len(g.Hosts), g.ID, f.Host, g.MaxUnavailable)
	}
}

func (b *besides) away(host string) bool {
	for _, o := range b.sides {
		if o != nil && o.open[host] != nil && reboots(o.open[host].Tactic) {
			return true
		}
	}
	return false
}

// act asks of a move or a stop that the instance's groups can spare it, with what all campaigns have away; and of a
// move that its way bears it.
func (b *besides) act(i int, m *side, f *Fact) {
	if f.Kind == "move-placed" {
		b.flies(i, m, f, Subject{Campaign: f.Campaign, Turn: f.Turn, Instance: f.Instance, Seq: f.Seq})
	}
	for _, gr := range m.groupsOf[f.Instance] {
		n, others := 1, false
		for _, id := range gr.members {
			for j, o := range b.sides {
				if o != nil && id != f.Instance && o.busy[id] {
					n, others = n+1, others || j != i
					break
				}
			}
		}
		s := Subject{Campaign: f.Campaign, Turn: f.Turn, Instance: f.Instance, Group: gr.id, Seq: f.Seq}
		b.must(n <= gr.most || !others, 3, "group", s, f.At, "another member back first, in whichever campaign", "%d of the %d members of group %s are disrupted with %s in all campaigns, at most %d may be", n, len(gr.members), gr.id, f.Instance, gr.most)
	}
}
