package audit

import "strings"

// slotPassed asks of a promise that another turn keeps: that it is the instance's own and open still, that the other
// turn has not begun (law 10), and that all which that one was to do at its time lies in the slot (law 2). From then
// on the other turn's acts are judged by it, and none of the first one's.
func (t *trial) slotPassed(r *run, f *Fact) {
	from, to := r.turn(f.Turn), r.turns[f.To]
	s := Subject{Campaign: r.id, Turn: from.id, Instance: f.Instance, Tenant: f.Tenant, Slot: strings.Join(f.Slots, " "), Seq: f.Seq}
	key := [2]string{f.Turn, f.Instance}
	sl := r.slots[key]
	open := sl != nil && len(f.Slots) == 1 && sl.ID == f.Slots[0] && sl.Tenant == f.Tenant && !from.open && !from.done && !from.dropped
	fits := to != nil && to != from && to.plan != nil && !to.open && !to.done && !to.dropped && r.slots[[2]string{f.To, f.Instance}] == nil
	t.must(open && fits, 10, "pass-slot", s, f.At, "a promise to this instance whose turn has not begun, and another turn that has not begun and has none to it",
		"promise %s of %s is passed from turn %s to %s", s.Slot, f.Instance, f.Turn, f.To)
	if !open || !fits {
		return
	}
	others := 0
	for k, o := range r.slots {
		if k[0] != f.To {
			continue
		}
		others++
		t.must(!sl.Start.After(o.Start) && !sl.End.Before(o.End), 2, "passed-elsewhen", s, f.At, "a turn whose slots lie within "+clock(sl.Start)+" to "+clock(sl.End),
			"promise %s is passed to turn %s, which has a slot from %s to %s", sl.ID, f.To, clock(o.Start), clock(o.End))
	}
	t.must(others > 0, 2, "passed-elsewhen", s, f.At, "a turn whose time is told to somebody", "promise %s is passed to turn %s, of whose time nobody was told", sl.ID, f.To)
	now := *sl
	now.Turn = f.To
	delete(r.slots, key)
	r.slots[[2]string{f.To, f.Instance}] = &now
}
