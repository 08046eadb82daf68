package report

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// The codes of why an instance did not go home, where nothing on record says so of it alone.
const (
	codeNoRecord = "no-record" // its turn was done, and no fact says why
	codeNotOver  = "not-over"  // its turn did not come to that
)

// closeAway lists who was moved off its host, should have gone back there and did not.
func (b *book) closeAway() {
	homes := map[string]bool{} // turn/instance with a way home in the plan
	for i := range b.plan.Moves {
		if m := &b.plan.Moves[i]; m.Home {
			homes[m.Turn+"/"+m.Instance] = true
		}
	}
	for i := range b.r.Promises {
		p := &b.r.Promises[i]
		key := p.Turn + "/" + p.Instance
		g := b.guests[p.Instance]
		_, stays := b.stays[key]
		if g == nil || g.line.Before != p.Host && !homes[key] || g.line.After == p.Host || g.line.After == "" || !movedOff(p) {
			continue
		}
		if !stays && !homes[key] && p.Slot.Away == nil && b.plan.Policy.HomeRule() != plan.HomeReturn {
			continue // nobody meant it to
		}
		if why, known := b.whyAway(p); known {
			b.r.Away = append(b.r.Away, Away{Instance: p.Instance, Tenant: p.Tenant, Home: p.Host, On: g.line.After, Planned: homes[key], Code: why.Code, Why: why.Why})
		}
	}
	slices.SortFunc(b.r.Away, func(x, y Away) int { return cmp.Or(cmp.Compare(x.Instance, y.Instance), cmp.Compare(x.Home, y.Home)) })
}

func movedOff(p *Promise) bool {
	return slices.ContainsFunc(p.acts, func(a *Act) bool { return a.Kind == "move" && a.Result == Done })
}

// whyAway is what the journal says of it, else the plan, else how its turn came out; not known: it may still go home.
func (b *book) whyAway(p *Promise) (why plan.Away, known bool) {
	if why, known = b.stays[p.Turn+"/"+p.Instance]; known {
		return why, true
	}
	if p.Slot.Away != nil {
		return *p.Slot.Away, true
	}
	t := b.turns[p.Turn]
	switch {
	case t == nil:
		return why, false
	case t.host.State == HostDone:
		return plan.Away{Code: codeNoRecord, Why: "its turn is done, and the journal does not say why it was not brought home"}, true
	case t.host.State == HostHeld || t.host.State == HostDropped:
		return plan.Away{Code: cmp.Or(t.host.Code, codeNotOver), Why: "the turn of " + p.Host + " is " + string(t.host.State) + because(t.host.Why)}, true
	case b.r.State == Finished || b.r.State == Aborted:
		return plan.Away{Code: codeNotOver, Why: "the turn of " + p.Host + " was not over when the campaign ended"}, true
	}
	return why, false
}

// away lists them for people.
func (t *text) away(r *Report) {
	if len(r.Away) == 0 {
		return
	}
	t.title(fmt.Sprintf("NOT BACK HOME: %d", len(r.Away)))
	for _, a := range r.Away {
		meant := "by policy"
		if a.Planned {
			meant = "as planned"
		}
		t.line("  %s  of %s, on %s and not on %s %s: %s [%s]", a.Instance, dash(a.Tenant), a.On, a.Home, meant, a.Why, a.Code)
	}
}
