package audit

import (
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// slots asks of each promise: does its class say what is done (law 1), does the turn's worst case
// fit (law 2), and can the tenant be told in time (law 4)?
func (d *dossier) slots() {
	for i := range d.p.Slots {
		s := &d.p.Slots[i]
		d.class(s)
		d.fits(s)
		d.told(s)
	}
	d.kept()
	for i := range d.p.Moves {
		m := &d.p.Moves[i]
		s := d.slotOf[[2]string{m.Turn, m.Instance}]
		d.must(s != nil, 1, "no-slot", ofMove(m), m.Start, "a slot for each instance that a turn touches",
			"%s is moved in turn %s and has no slot for it", m.Instance, m.Turn)
		if s == nil {
			continue
		}
		d.must(s.Disposition == plan.DispLiveMigrate, 1, "moved-otherwise", ofSlot(s), m.Start, "the disposition live-migrate, or no move",
			"%s is moved in turn %s, its disposition is %q", m.Instance, m.Turn, s.Disposition)
		d.must(span{s.Start, s.End}.holds(m.Start, m.End), 2, "move-outside-slot", ofSlot(s), m.Start, "a move inside its slot",
			"the move of %s runs %s to %s, its slot %s to %s", m.Instance, clock(m.Start), clock(m.End), clock(s.Start), clock(s.End))
	}
}

// kept: each promise of a move has its move.
func (d *dossier) kept() {
	moved := map[[2]string]bool{}
	for i := range d.p.Moves {
		if m := &d.p.Moves[i]; !m.Home {
			moved[[2]string{m.Turn, m.Instance}] = true
		}
	}
	for i := range d.p.Slots {
		s := &d.p.Slots[i]
		if d.turns[s.Turn] == nil || d.instances[s.Instance] == nil {
			continue // form has said so
		}
		d.must(s.Disposition != plan.DispLiveMigrate || moved[[2]string{s.Turn, s.Instance}], 1, "no-move", ofSlot(s), s.Start, "a move in the slot's turn, or no promise of one",
			"%s is promised a migration in turn %s, and is not moved in it", s.Instance, s.Turn)
	}
}

// class: the promise says no less than what the disposition brings.
func (d *dossier) class(s *plan.Slot) {
	known := s.Disposition == plan.DispNone || s.Disposition == plan.DispLiveMigrate || s.Disposition == plan.DispStatefulStop || s.Disposition == plan.DispStop
	d.must(known, 1, "disposition", ofSlot(s), s.Start, "none, live-migrate, stateful-stop or stop; what is blocked has no slot",
		"slot %s has the disposition %q", s.ID, s.Disposition)
	d.must(s.Class == plan.ClassOf(s.Disposition), 1, "class", ofSlot(s), s.Start, "the class "+string(plan.ClassOf(s.Disposition)),
		"slot %s promises the class %q, %q brings %q", s.ID, s.Class, s.Disposition, plan.ClassOf(s.Disposition))
	d.must(s.ExpectedMs <= s.WorstMs, 1, "expected-above-worst", ofSlot(s), s.Start, "expected_ms <= worst_ms",
		"slot %s expects %d ms and %d ms at worst", s.ID, s.ExpectedMs, s.WorstMs)
	blackout := time.Duration(d.p.Policy.Blackout)
	d.must(s.Class != plan.ClassBlip || time.Duration(s.WorstMs)*time.Millisecond <= blackout, 1, "class-understated", ofSlot(s), s.Start,
		"the class outage, or a policy with a longer blackout", "slot %s promises a blip of %d ms at worst, policy counts up to %s as one", s.ID, s.WorstMs, blackout)
	in, t := d.instances[s.Instance], d.turns[s.Turn]
	if in == nil || t == nil || s.Disposition != plan.DispStatefulStop {
		return
	}
	h := d.hosts[t.Host]
	d.must(!in.NoSuspend && (h == nil || can(h, "suspend")), 1, "cannot-suspend", ofSlot(s), s.Start, "the disposition stop, told as such",
		"%s is promised stateful-stop and its memory cannot be saved on %s", s.Instance, t.Host)
}

// fits: [start, start+worst] of the turn lies in the slot, which is no longer than policy allows.
func (d *dossier) fits(s *plan.Slot) {
	t := d.turns[s.Turn]
	if t == nil || !disrupts(s.Class) {
		return
	}
	d.must(span{s.Start, s.End}.holds(t.Start, worst(t)), 2, "turn-outside-slot", ofSlot(s), t.Start, "a slot that holds the turn's start and start + worst_s",
		"turn %s runs at worst %s to %s, slot %s is %s to %s", t.ID, clock(t.Start), clock(worst(t)), s.ID, clock(s.Start), clock(s.End))
	most := time.Duration(d.p.Policy.Slot)
	d.must(s.End.Sub(s.Start) <= most, 2, "slot-too-long", ofSlot(s), s.Start, "a slot of at most "+most.String(),
		"slot %s is %s long, policy promises %s", s.ID, s.End.Sub(s.Start), most)
	if d.auto() && d.hosts[t.Host] != nil {
		d.made(s, t)
	}
}

// told: there is somebody to tell, and time to tell them. An instance without a tenant is the
// operator's own and needs no notice.
func (d *dossier) told(s *plan.Slot) {
	if !disrupts(s.Class) || s.Tenant == "" {
		return
	}
	lead := d.p.Policy.Lead.Of(s.Class)
	by := s.Start.Add(-lead)
	told := s.Told
	if told.IsZero() {
		told = d.p.Made
	} else {
		d.must(d.p.Supersedes != "" && !told.After(d.p.Made), 4, "told-by-nobody", ofSlot(s), s.Start, "told before the plan was made, by a campaign that it supersedes",
			"slot %s says that tenant %s was told of it %s, and the plan of %s supersedes %q", s.ID, s.Tenant, clock(told), clock(d.p.Made), d.p.Supersedes)
	}
	d.must(!by.Before(told), 4, "lead", ofSlot(s), s.Start, "a start no earlier than "+clock(told.Add(lead)),
		"slot %s starts %s, %s after its tenant is told; the lead time is %s", s.ID, clock(s.Start), s.Start.Sub(told), lead)
	d.must(s.NoticeBy.Equal(by), 4, "notice-by", ofSlot(s), s.Start, "notice_by "+clock(by),
		"slot %s is to be told by %s, its lead time of %s ends at %s", s.ID, clock(s.NoticeBy), lead, clock(by))
	tn := d.tenants[s.Tenant]
	d.must(tn != nil && len(tn.Contacts) > 0, 4, "no-contact", ofSlot(s), s.Start, "a contact of tenant "+s.Tenant+", or the instance under blocked",
		"tenant %s has no contact at which it could be told of slot %s", s.Tenant, s.ID)
}

// windows asks whether each disruptive slot, and each turn that has one, lies in time that policy
// allows at its host's place (law 2). A turn that nobody feels may run at any time.
func (d *dossier) windows() {
	if len(d.ordered) == 0 {
		return
	}
	from, to := d.reach()
	known := map[place]opening{}
	for _, t := range d.ordered {
		if !d.disrupting(t) {
			continue
		}
		at := d.where(t.Host)
		o, seen := known[at]
		if !seen {
			var err error
			o, err = openings(d.p.Policy.Windows, at, from, to)
			d.must(err == nil, 2, "windows-unreadable", Subject{Host: t.Host}, t.Start, "windows with known time zones and clock times", "policy's windows cannot be read: %v", err)
			known[at] = o
		}
		d.inWindow(t, o)
	}
}

func (d *dossier) inWindow(t *plan.Turn, o opening) {
	d.must(o.holds(t.Start, worst(t)), 2, "turn-outside-window", ofTurn(t), t.Start, "a window of policy that holds the turn's start and start + worst_s",
		"turn %s runs at worst %s to %s, in no window of its place", t.ID, clock(t.Start), clock(worst(t)))
	if !o.always || !t.WindowStart.IsZero() || !t.WindowEnd.IsZero() {
		said := span{t.WindowStart, t.WindowEnd}
		d.must(said.holds(t.Start, worst(t)) && o.holds(said.start, said.end), 2, "window-misstated", ofTurn(t), t.Start, "the bounds of the window that the turn lies in",
			"turn %s says its window is %s to %s", t.ID, clock(said.start), clock(said.end))
	}
	for _, s := range d.slotsOf[t.ID] {
		d.must(!disrupts(s.Class) || o.holds(s.Start, s.End), 2, "slot-outside-window", ofSlot(s), s.Start, "a slot inside one window of policy",
			"slot %s is %s to %s, in no window of its place", s.ID, clock(s.Start), clock(s.End))
	}
}
