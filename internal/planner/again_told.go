package planner

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// unchanged are the changes of a plan that stands as it is.
func (a *again) unchanged() (c Changes) {
	for i := range a.was.Slots {
		if a.behind(&a.was.Slots[i]) {
			c.Done++
		} else {
			c.Kept++
		}
	}
	return c
}

// behind: the promise's turn is over.
func (a *again) behind(s *plan.Slot) bool {
	host, _, _ := strings.Cut(s.Turn, "+")
	return a.past[host] != ""
}

// told holds the promises of both plans side by side.
func (a *again) told(p *plan.Plan) Changes {
	c := Changes{Whole: a.whole}
	for _, pool := range slices.Sorted(maps.Keys(a.why)) {
		c.Pools = append(c.Pools, Touched{pool, a.why[pool]})
	}
	now := make(map[string]*plan.Slot, len(p.Slots))
	for i := range p.Slots {
		now[p.Slots[i].ID] = &p.Slots[i]
	}
	var open []*plan.Slot // that have no promise of the same turn and instance
	for i := range a.was.Slots {
		s := &a.was.Slots[i]
		o := now[s.ID]
		switch {
		case a.behind(s):
			c.Done++
			continue
		case o == nil:
			open = append(open, s)
			continue
		case keeps(s, o):
			c.Kept++
		default:
			c.Moved = append(c.Moved, Moved{s, o, a.cause(s, o)})
		}
		delete(now, s.ID)
	}
	of := map[string][]*plan.Slot{} // instance -> its promises that are new
	for i := range p.Slots {
		if s := &p.Slots[i]; now[s.ID] != nil {
			of[s.Instance] = append(of[s.Instance], s)
		}
	}
	for _, s := range open {
		var o *plan.Slot
		if list := of[s.Instance]; len(list) > 0 {
			o, of[s.Instance] = list[0], list[1:]
		}
		c.Moved = append(c.Moved, Moved{s, o, a.cause(s, o)})
	}
	for _, id := range slices.Sorted(maps.Keys(of)) {
		for _, s := range of[id] {
			c.Moved = append(c.Moved, Moved{nil, s, a.cause(nil, s)})
		}
	}
	sortMoved(c.Moved)
	return c
}

// keeps: a promise stands as it was told: the same slot and class, and no longer an interruption.
func keeps(was, now *plan.Slot) bool {
	return was.Start.Equal(now.Start) && was.End.Equal(now.End) && was.Class == now.Class && was.Disposition == now.Disposition &&
		was.Tenant == now.Tenant && was.Overrules == now.Overrules && now.ExpectedMs <= was.ExpectedMs && now.WorstMs <= was.WorstMs
}

// cause says why a promise is not as it was.
func (a *again) cause(was, now *plan.Slot) string {
	id, turn := "", ""
	if was != nil {
		id, turn = was.Instance, was.Turn
	} else {
		id, turn = now.Instance, now.Turn
	}
	host, _, _ := strings.Cut(turn, "+")
	at, wandered := a.wandered[id]
	switch {
	case a.gone[id]:
		return "instance " + id + " is gone"
	case a.made[id]:
		return "instance " + id + " was made"
	case a.whole != "":
		return a.whole + ", so the whole plan was made anew"
	case was != nil && wandered:
		return "instance " + id + " is on host " + at + ", where nobody foresaw it"
	case was != nil && a.lost[turn] != "":
		return a.lost[turn] + a.since(host)
	case was != nil && now != nil && was.ID == now.ID:
		return "what its turn does to it is another, or takes longer" + a.since(host)
	case was == nil && a.turnAhead[turn] == nil:
		return "host " + host + " has a turn now" + a.since(host)
	case wandered:
		return "instance " + id + " is on host " + at + ", where nobody foresaw it"
	}
	return "by then it is foreseen on another host" + a.since(host)
}

// since tells the first of what happened in the pool of a host.
func (a *again) since(host string) string {
	const most = 2
	h := a.hosts[host]
	if h == nil || len(a.why[homeOf(h)]) == 0 {
		return ""
	}
	why := a.why[homeOf(h)]
	text := "; in pool " + homeOf(h) + ": " + strings.Join(why[:min(most, len(why))], ", ")
	if len(why) > most {
		text += fmt.Sprintf(", and %d more", len(why)-most)
	}
	return text
}
