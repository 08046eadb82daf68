package explain

import (
	"fmt"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// groups: what the turn disturbs of a group comes on top of what other turns of the wave do.
func (a *asked) groups() {
	own := map[string]*use{}
	var order []string
	note := func(list []*fleet.Instance, stop bool) {
		for _, i := range list {
			for _, g := range a.ix.GroupsOf[i.ID] {
				if own[g.ID] == nil {
					own[g.ID] = &use{}
					order = append(order, g.ID)
				}
				own[g.ID].add(i.ID, stop && a.t.Tactic != plan.Refresh)
			}
		}
	}
	note(a.stops, true)
	note(a.moves, false)
	for _, id := range order {
		a.group(a.ix.Groups[id], own[id])
	}
}

// use is what a turn disturbs of a group: those that are stopped are away together, those that move go one
// after the other.
type use struct {
	stops []string
	moves bool
}

func (u *use) add(instance string, stop bool) {
	if stop {
		u.stops = append(u.stops, instance)
	} else {
		u.moves = true
	}
}

func (u *use) count() int {
	if u.moves {
		return len(u.stops) + 1
	}
	return len(u.stops)
}

func (a *asked) group(g *fleet.Group, own *use) {
	down := map[string]bool{}
	theirs := map[string]*use{} // turn -> what it disturbs
	var who []string
	for _, m := range a.ix.Members[g.ID] {
		if h := a.ix.Hosts[m.Host]; m.State != "" && m.State != fleet.Running || h != nil && h.Health == fleet.Down {
			down[m.ID] = true
		}
		t, slot := a.touchedIn(m.ID)
		if t == nil {
			continue
		}
		if theirs[t.ID] == nil {
			theirs[t.ID] = &use{}
			who = append(who, t.ID)
		}
		theirs[t.ID].add(m.ID, plan.ClassOf(slot.Disposition) == plan.ClassOutage && t.Tactic != plan.Refresh)
	}
	spare, total := g.Allowed()-len(down), own.count()
	together := map[string]bool{}
	for id := range down {
		together[id] = true
	}
	for _, list := range append([]*use{own}, values(theirs)...) {
		for _, id := range list.stops {
			together[id] = true
		}
	}
	for _, u := range theirs {
		total += u.count()
	}
	if total <= spare || len(who) == 0 && own.count() <= spare {
		return
	}
	a.because(Reason{Code: codeGroup, Law: lawIf(3, len(together) > g.Allowed() && len(own.stops) > 0), Group: g.ID, Need: int64(total), Have: int64(spare),
		Why: fmt.Sprintf("group %s can spare %d of its members at once%s; in wave %d that is taken by the turns of %s", g.ID, spare, downToo(len(down), "member"), a.wave, orNone(few(who)))})
}

// touchedIn finds what a wave does to an instance.
func (a *asked) touchedIn(instance string) (*plan.Turn, *plan.Slot) {
	t := a.inTurn(a.where(instance, a.wave), a.wave)
	if t == nil {
		return nil, nil
	}
	for _, slot := range a.slotsOf[t.ID] {
		if slot.Instance == instance {
			return t, slot
		}
	}
	return nil, nil
}

func values(m map[string]*use) (out []*use) {
	for _, u := range m {
		out = append(out, u)
	}
	return out
}
