package planner

import (
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// allReturn: whoever a turn moves away is to go back once the turn is over.
func (w *world) allReturn() bool { return w.by.allHome || w.policy.HomeRule() == plan.HomeReturn }

// bringsHome: this guest is.
func (w *world) bringsHome(g *guest) bool { return w.by.homing[g.ID] || w.allReturn() }

// anyHome: some guest may be.
func (w *world) anyHome() bool { return len(w.by.homing) > 0 || w.allReturn() }

// bookHome books the ways back of those that are to go back and may, after all else is done. Where only some go back
// for their pool's sake, none of these takes a turn its time: who does not fit the slot stays away.
func (v *wave) bookHome(d *draft, expected, worst *spanOf) {
	inTurn, inWorst := map[*group]time.Duration{}, map[*group]time.Duration{}
	base, worstBase := max(expected.all, v.lastLeft), max(worst.all, v.worstLeft)
	d.away = map[*guest]*plan.Away{}
	for _, m := range d.moves {
		if !v.bringsHome(m.guest) {
			continue
		}
		if why := v.keepsAway(d, m); why != nil {
			d.away[m.guest] = why
			continue
		}
		length := v.moveTime(m.guest, min(nic(d.host), nic(m.to)))
		back := &move{guest: m.guest, from: m.to, to: d.host}
		marks := [2]int{v.home.mark(), v.worstHome.mark()}
		back.start, back.end = bookOne(v.home, d.host, m.to, m.guest, base, length, inTurn)
		_, end := bookOne(v.worstHome, d.host, m.to, m.guest, worstBase, v.worstMove(length), inWorst)
		if v.policy.HomeRule() == plan.HomeSettle && v.overfull(d, max(worst.all, end)) {
			v.home.undo(marks[0])
			v.worstHome.undo(marks[1])
			d.away[m.guest] = &plan.Away{Code: plan.AwayNoTime, Why: fmt.Sprintf("%s would not be back on %s before its slot ends, or before a deadline", m.guest.ID, d.host.ID)}
			continue
		}
		d.homes = append(d.homes, back)
		expected.all, worst.all = max(expected.all, back.end), max(worst.all, end)
	}
}

// keepsAway says why a guest cannot go back to the host that a turn moves it off; nil: it can.
func (v *wave) keepsAway(d *draft, m *move) *plan.Away {
	if !v.returns(m.guest, m.to, d.host) {
		return v.unfitAtHome(m, d.host)
	}
	if gr := v.crowdedAtHome(d, m); gr != nil {
		return &plan.Away{Code: fleet.SpreadForbids, Why: fmt.Sprintf("another member of group %s is by then where %s came from", gr.ID, m.guest.ID)}
	}
	return nil
}

// unfitAtHome asks fleet.CanMove anew, of the guest itself, for its words.
func (v *wave) unfitAtHome(m *move, home *host) *plan.Away {
	g := *m.guest.Instance
	g.Running = v.alike.instances[v.alike.landed(m.guest.class, m.guest.at.class, m.to.class)].Running
	if why := fleet.CanMove(v.ix, &g, m.to.Host, home.after); why != nil {
		return &plan.Away{Code: why.Code, Why: why.Why}
	}
	return &plan.Away{Code: fleet.HostUnfit, Why: fmt.Sprintf("%s cannot move from %s to %s", g.ID, m.to.ID, home.ID)}
}
