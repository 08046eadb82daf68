package explain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/calendar"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// horizon is how far ahead a next window is looked for.
const horizon = 400 * 24 * time.Hour

// hoursOf are the hours of a host for a turn that interrupts some instances. Its plan was made with them, so they can be
// read.
func (s *scene) hoursOf(h *fleet.Host, felt ...*fleet.Instance) calendar.Hours {
	var tenants []string
	for _, i := range felt {
		if i != nil && i.Tenant != "" && !slices.Contains(tenants, i.Tenant) {
			tenants = append(tenants, i.Tenant)
		}
	}
	if s.calendar == nil {
		c, err := plan.NewCalendar(&s.policy, s.ix)
		if err != nil {
			return calendar.Hours{Always: true} // nothing is claimed of what cannot be read
		}
		s.calendar = c
	}
	hours, err := s.calendar.Of(h.ID, tenants)
	if err != nil {
		return calendar.Hours{Always: true}
	}
	return hours
}

// felt are the instances that a turn interrupts.
func (s *scene) felt(t *plan.Turn) (out []*fleet.Instance) {
	for _, slot := range s.slotsOf[t.ID] {
		out = append(out, s.ix.Instances[slot.Instance])
	}
	return out
}

// overrules: a no of somebody whom the turn interrupts gave way to a deadline.
func (s *scene) overrules(t *plan.Turn) bool {
	return slices.ContainsFunc(s.slotsOf[t.ID], func(slot *plan.Slot) bool { return slot.Overrules != "" })
}

// decides names the owner without whose windows or freezes a turn could have started soonest, after all else that it waited
// for; empty where the policy's windows alone have a say.
func decides(hours calendar.Hours, since time.Time, t *plan.Turn) string {
	if hours.Single() {
		return ""
	}
	best, who := t.Start, []string(nil)
	ask := func(what string, o calendar.Owner, without calendar.Hours) {
		at := opensFirst(without, since, best.Add(time.Second), t.WorstEnd().Sub(t.Start))
		switch {
		case at.IsZero() || at.After(best) || !at.Before(t.Start):
			return
		case at.Before(best):
			best, who = at, nil
		}
		who = append(who, what+" of "+o.String())
	}
	windows, freezes := hours.Owners()
	for _, o := range windows {
		ask("the windows", o, hours.Without(o))
	}
	for _, o := range freezes {
		ask("the freezes", o, hours.Thawed(o))
	}
	switch {
	case len(who) > 0:
		return fmt.Sprintf("; without %s it could start %s", strings.Join(who, ", or without "), stamp(best))
	case len(windows) > 1:
		var names []string
		for _, o := range windows {
			names = append(names, o.String())
		}
		return "; it is the first that the windows of " + strings.Join(names, ", ") + " have in common, and no one owner keeps it from a sooner one"
	}
	return ""
}

// opensFirst is when a stretch of so much begins first, not before one instant and before another; zero: none does.
func opensFirst(hours calendar.Hours, from, to time.Time, need time.Duration) time.Time {
	if hours.Always {
		return hours.Thaw(from, need)
	}
	for _, o := range hours.Between(from, to) {
		if !o.Start.Before(from) && o.End.Sub(o.Start) >= need {
			return o.Start
		}
	}
	return time.Time{}
}

// clocks says what a change of clocks does to the windows that a turn lies in.
func clocks(hours calendar.Hours, t *plan.Turn) string {
	text := ""
	for _, s := range hours.Shifts(t.WindowStart, t.WindowEnd) {
		text += "; " + s.String()
	}
	return text
}

// openFrom tells whether some windows, one behind the other, are open from one instant to another; if not,
// when one opens next after the first.
func openFrom(w calendar.Hours, from, to time.Time) (open bool, next time.Time) {
	if w.Always && w.Thaw(from, to.Sub(from)).Equal(from) {
		return true, from
	}
	reach := from
	for _, o := range w.Between(from, to.Add(time.Second)) {
		if o.Start.After(reach) {
			break
		}
		if o.End.After(reach) {
			reach = o.End
		}
	}
	if !reach.Before(to) {
		return true, from
	}
	if w.Always {
		return false, w.Thaw(from, to.Sub(from))
	}
	for far := 14 * 24 * time.Hour; far <= horizon; far *= 2 {
		for _, o := range w.Between(from, from.Add(far)) {
			if o.Start.After(from) {
				return false, o.Start
			}
		}
	}
	return false, time.Time{}
}

// slotsAt are the slots that hold an instant, as planning cuts windows: one behind the other from a window's
// start, the last one laid back to end with it.
func (s *scene) slotsAt(w calendar.Hours, at time.Time) (out []calendar.Interval) {
	length := s.policy.Slot.Std()
	if s.policy.AutoSlots() { // made for their turns, anywhere within a window
		return slices.DeleteFunc(w.Between(at, at.Add(time.Second)), func(i calendar.Interval) bool { return i.Start.After(at) })
	}
	if w.Always && w.Thaw(at, length).Equal(at) {
		out = append(out, calendar.Interval{Start: at, End: at.Add(length)})
	}
	for _, o := range w.Between(at, at.Add(time.Second)) {
		if length >= o.End.Sub(o.Start) {
			out = append(out, o)
			continue
		}
		n := at.Sub(o.Start) / length
		if start := o.Start.Add(n * length); !start.Add(length).After(o.End) {
			out = append(out, calendar.Interval{Start: start, End: start.Add(length)})
		}
		if last := (calendar.Interval{Start: o.End.Add(-length), End: o.End}); !last.Start.After(at) {
			out = append(out, last)
		}
	}
	return slices.DeleteFunc(out, func(i calendar.Interval) bool { return i.Start.After(at) })
}

// whose says whose windows and freezes forbid a stretch; empty where the policy's
// windows alone have a say.
func whose(w calendar.Hours, from, to time.Time) string {
	if w.Single() {
		return ""
	}
	var why []string
	for _, c := range w.Closed(from, to) {
		why = append(why, c.Why)
	}
	if len(why) == 0 {
		return ""
	}
	return ": " + strings.Join(why, ", and ")
}

// class of the worst that the turn would do to anybody.
func (a *asked) class() plan.Class {
	switch {
	case len(a.stops) > 0:
		return plan.ClassOutage
	case len(a.moves) > 0:
		return plan.ClassBlip
	}
	return plan.ClassNone
}

// lead: the slot must not begin before tenants can be told.
func (a *asked) lead() {
	lead := a.policy.Lead.Of(a.class())
	if a.class() == plan.ClassOutage {
		lead = max(lead, a.policy.Lead.Blip.Std())
	}
	from := a.p.Made.Add(lead + margin(lead))
	starts := a.w.start
	slots := a.slotsAt(a.hours(), a.w.start)
	if a.policy.AutoSlots() {
		slots = nil // it would begin with the turn
	}
	for n, slot := range slots {
		if n == 0 || slot.Start.After(starts) {
			starts = slot.Start
		}
	}
	if a.class() == plan.ClassNone || !starts.Before(from) {
		return
	}
	told, needed := false, time.Duration(0)
	for _, list := range []struct {
		who  []*fleet.Instance
		lead time.Duration
	}{{a.stops, a.policy.Lead.Outage.Std()}, {a.moves, a.policy.Lead.Blip.Std()}} {
		for _, i := range list.who {
			if i.Tenant != "" {
				told, needed = true, max(needed, list.lead)
			}
		}
	}
	sure := told && a.w.start.Before(a.p.Made.Add(needed))
	a.because(Reason{Code: codeLead, Law: lawIf(4, sure), At: from,
		Why: fmt.Sprintf("the slot of wave %d begins %s, and tenants are told %s ahead (lead time of a %s): not before %s", a.wave, stamp(starts), plan.Duration(lead), a.class(), stamp(from))})
}

// hours are those of all whom the turn would interrupt.
func (a *asked) hours() calendar.Hours {
	return a.hoursOf(a.h, slices.Concat(a.stops, a.moves)...)
}

// window: the turn's worst case must lie in a window of the host's place, and in one slot of it.
func (a *asked) window() {
	w := a.hours()
	end := a.w.start.Add(a.least)
	felt := a.class() != plan.ClassNone
	length := a.policy.Slot.Std()
	if open, next := openFrom(w, a.w.start, end); !open {
		why := fmt.Sprintf("no window of site %s is open for the %s that the turn may take from %s on", a.t.Site, lasts(a.least), stamp(a.w.start))
		if who := whose(w, a.w.start, end); who != "" {
			why = fmt.Sprintf("not all who have a say allow the %s that the turn may take from %s on", lasts(a.least), stamp(a.w.start)) + who
		}
		if !next.IsZero() {
			why += "; the next opens " + stamp(next)
		}
		a.because(Reason{Code: codeWindow, Law: lawIf(2, felt), Site: a.t.Site, At: next, Need: int64(a.least / time.Second), Why: why})
		return
	}
	spare := a.spare()
	for _, slot := range a.slotsAt(w, a.w.start) {
		if w.Always || !slot.End.Before(end.Add(spare)) {
			if a.least+spare <= length {
				return
			}
		}
	}
	if w.Always && a.policy.AutoSlots() && a.least <= length {
		return
	}
	a.because(Reason{Code: codeSlot, Law: lawIf(2, felt && a.least > length), Site: a.t.Site, Need: int64(a.least / time.Second), Have: int64(length / time.Second),
		Why: fmt.Sprintf("the turn may take %s (p99), and no slot of %s holds that from %s on", lasts(a.least), lasts(length), stamp(a.w.start))})
}

// spare is what a slot must have beyond its turn's worst case; one that is made for its turn has it in itself.
func (s *scene) spare() time.Duration {
	if s.policy.AutoSlots() {
		return 0
	}
	return margin(s.policy.Slot.Std())
}

// links: a pool has so many migrations in flight at most. Behind those of the wave, the turn's own would end
// after its slot.
func (a *asked) links() {
	per := a.policy.MovesPerPool
	if per <= 0 || len(a.moves) == 0 || per >= a.policy.MovesPerHost*a.homes[a.h.Pools[0]] {
		return // the hosts' own limits bind first
	}
	n, behind := 0, int64(0)
	for _, t := range a.w.turns {
		if moves := a.moved[t.ID]; moves > 0 && t.Pool == a.t.Pool {
			n, behind = n+moves, max(behind, t.WorstS)
		}
	}
	took := time.Duration(behind)*time.Second + a.least - a.leastWorst(nil)
	length := a.policy.Slot.Std()
	if n <= per || took+a.spare() <= length {
		return
	}
	a.because(Reason{Code: codeLinks, Pool: a.t.Pool, Need: int64(took / time.Second), Have: int64(length / time.Second),
		Why: fmt.Sprintf("wave %d has %s of pool %s, %d at once (moves_per_pool); behind them its own %d would be over %s after the wave's start at worst, and a slot has %s", a.wave, many(n, "migration"), a.t.Pool, per, len(a.moves), lasts(took), lasts(length))})
}
