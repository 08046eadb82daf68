package planner

import (
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// allReturn: whoever a turn moves away is to go back once the turn is over.
func (w *world) allReturn() bool { return w.by.allHome || w.policy.HomeRule() == plan.HomeReturn }

// bringsHome: this guest is, where the turn is h's.
func (w *world) bringsHome(g *guest, h *host) bool {
	return w.allReturn() || w.by.homing[wayHome{h.ID, g.ID}]
}

// anyHome: some guest may be.
func (w *world) anyHome() bool { return len(w.by.homing) > 0 || w.by.level != nil || w.allReturn() }

// fullest is how much memory may be in use on a host for it not to be fuller than its pool's fullest host was.
func fullest(h *host, found map[string]fleet.Standing) int64 {
	return found[h.pool.ID].Fullest * h.MemoryMiB / 1000
}

// crowds: by a move the fixed host where it lands would be fuller than any of its pool was, and its home would not be
// with it back there.
func (v *wave) crowds(d *draft, m *move) bool {
	if v.by.level == nil || !m.to.fixed() {
		return false
	}
	there, rest := m.to.used-v.leaving[m.to], d.host.used
	for _, o := range d.moves {
		rest -= o.guest.MemoryMiB
	}
	for _, back := range d.homes {
		if rest += back.guest.MemoryMiB; back.from == m.to {
			there -= back.guest.MemoryMiB
		}
	}
	return there > fullest(m.to, v.by.level) && rest+m.guest.MemoryMiB <= fullest(d.host, v.by.level)
}

// leftOut: where instances settle no way home takes a turn from its host. A turn whose ways home do not fit beside
// others, or into what is left of a slot, waits for another; a way home that no slot holds, or that ends past a deadline,
// is left out. So is each that does not fit where waiting costs turns.
func (v *wave) leftOut(d *draft, worst time.Duration) bool {
	if v.policy.HomeRule() != plan.HomeSettle || !v.overfull(d, worst) {
		return false
	}
	return !v.by.patient || worst+v.spare() > d.host.lane.longest() || v.tooLate(v.start.Add(worst)) != ""
}

// bookHome books the ways back of those that are to go back and may, after all else is done.
func (v *wave) bookHome(d *draft, expected, worst *spanOf) {
	inTurn, inWorst := map[*group]time.Duration{}, map[*group]time.Duration{}
	base, worstBase := max(expected.all, v.lastLeft), max(worst.all, v.worstLeft)
	d.away = map[*guest]*plan.Away{}
	for _, m := range d.moves {
		if !v.bringsHome(m.guest, d.host) && !v.crowds(d, m) {
			continue
		}
		if why := v.keepsAway(d, m); why != nil {
			d.away[m.guest] = why
			continue
		}
		length := v.moveTime(m.guest, v.between(d.host, m.to))
		back := &move{guest: m.guest, from: m.to, to: d.host}
		marks := [2]int{v.home.mark(), v.worstHome.mark()}
		back.start, back.end = bookOne(v.home, d.host, m.to, m.guest, base, length, inTurn)
		_, end := bookOne(v.worstHome, d.host, m.to, m.guest, worstBase, v.worstMove(length), inWorst)
		if v.leftOut(d, max(worst.all, end)) {
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
