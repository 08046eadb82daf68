package sim

import (
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver/simulated"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Churned is what a campaign in a changing fleet came to.
type Churned struct {
	*Result
	Took     time.Duration // virtual
	Did      map[string]int
	Turns    int
	Done     int            // turns
	Returned int            // turns whose host was rebooted and came back
	InSlot   int            // of those, ended in their slot
	Promises int            // of instances that their owners did not delete
	Kept     int            // disturbed in their slot and no other time, or not at all since they were not there any more
	Causes   map[string]int // promises that were moved, by cause
	Moved    []MovedPromise
	Deleted  int
	Passed   int            // promises that another host's turn kept, at the same time
	Held     map[string]int // turns, by the code of the first hold
	Halts    map[string]int
}

// MovedPromise is one that did not stand, and why.
type MovedPromise struct{ Slot, Instance, Cause, Why string }

// deed is when an instance was disturbed by a turn of ours.
type deed struct {
	from, to time.Time
	turn     string
}

// tally counts what became of turns and promises, from the journal and the world's own record.
func (x *churning) tally(res *Result) *Churned {
	c := &Churned{Result: res, Did: x.did, Turns: len(res.Plan.Turns), Causes: map[string]int{}, Held: map[string]int{}, Halts: map[string]int{}}
	if len(res.Facts) == 0 {
		return c
	}
	c.Took = res.Facts[len(res.Facts)-1].At.Sub(epoch)
	ends, holds, deeds := map[string]time.Time{}, map[string]execution.Fact{}, map[string][]*deed{}
	for _, f := range res.Facts {
		switch f.Kind {
		case execution.TurnDone:
			ends[f.Turn] = f.At
		case execution.TurnHeld, execution.TurnDropped:
			if _, before := holds[f.Turn]; !before {
				holds[f.Turn] = f
				if f.Kind == execution.TurnHeld {
					c.Held[f.Code]++
				}
			}
		case execution.CampaignHalted:
			c.Halts[f.Code]++
		case execution.MovePlaced, execution.StopStarted:
			deeds[f.Instance] = append(deeds[f.Instance], &deed{f.At, f.At, f.Turn})
		case execution.MoveDone, execution.MoveFailed, execution.StopDone, execution.BackDone:
			if d := deeds[f.Instance]; len(d) > 0 {
				d[len(d)-1].to = f.At
			}
		}
	}
	passed := map[string]string{} // slot ids whose promise another turn kept -> that turn
	for _, f := range res.Facts {
		if f.Kind == execution.SlotPassed {
			passed[f.Slots[0]] = f.To
		}
	}
	slots := map[string][]*plan.Slot{} // by turn
	told := slices.Clone(res.Plan.Slots)
	for i := range told {
		if to, is := passed[told[i].ID]; is {
			told[i].Turn = to
		}
		slots[told[i].Turn] = append(slots[told[i].Turn], &told[i])
	}
	c.Passed = len(passed)
	c.turns(x, ends, slots)
	removed := map[string]time.Time{}
	for _, r := range res.Log {
		if r.Kind == simulated.Ceases && r.Why == "removed" {
			removed[r.Instance] = r.At
		}
	}
	c.Done = len(ends)
	for i := range told {
		x.promise(c, &told[i], told, ends, holds, deeds, removed)
	}
	return c
}

// turns counts those whose host came back, and those that ended inside the earliest of their slots.
func (c *Churned) turns(x *churning, ends map[string]time.Time, slots map[string][]*plan.Slot) {
	told, back := map[string]bool{}, map[string]bool{}
	for _, r := range c.Log {
		switch r.Kind {
		case simulated.HostTold:
			told[r.Host] = true
		case simulated.HostBooted:
			back[r.Host] = back[r.Host] || told[r.Host]
		}
	}
	for i := range c.Plan.Turns {
		t := &c.Plan.Turns[i]
		if !back[t.Host] {
			continue
		}
		c.Returned++
		last := t.Start.Add(c.Plan.Policy.Slot.Std())
		for _, s := range slots[t.ID] {
			if s.End.Before(last) || len(slots[t.ID]) > 0 && s == slots[t.ID][0] {
				last = s.End
			}
		}
		if at, done := ends[t.ID]; done && !at.After(last) {
			c.InSlot++
		}
	}
}

// promise judges one: it stood if its instance was disturbed by us inside this slot, or another of its own, and
// its turn was not left undone while it was there. It is of a time: on which host it happens is no part of it, so one that
// others moved meanwhile is served as promised by another host's turn in the same slot. What others do after a promise was
// kept does not undo it.
func (x *churning) promise(c *Churned, s *plan.Slot, told []plan.Slot, ends map[string]time.Time, holds map[string]execution.Fact, deeds map[string][]*deed, removed map[string]time.Time) {
	moved := func(cause, why string) {
		c.Promises++
		c.Causes[cause]++
		c.Moved = append(c.Moved, MovedPromise{s.ID, s.Instance, cause, why})
	}
	gone, deleted := removed[s.Instance]
	kept := false
	for _, d := range deeds[s.Instance] {
		kept = kept || d.turn == s.Turn
		if d.turn == s.Turn && (d.from.Before(s.Start) || d.to.After(s.End)) {
			moved("overrun", "disturbed from "+d.from.Format("15:04:05")+" to "+d.to.Format("15:04:05"))
			return
		}
		if at, by := x.moved[s.Instance]; by && !kept && d.turn != s.Turn && d.from.After(at) && !promised(told, s.Instance, d) {
			moved("moved-by-others", "disturbed by the turn of "+d.turn)
			return
		}
	}
	end, done := ends[s.Turn]
	hold := holds[s.Turn]
	switch {
	case deleted && (!done || gone.Before(end)):
		c.Deleted++
	case done || len(deeds[s.Instance]) > 0 && last(deeds[s.Instance]).turn == s.Turn:
		c.Promises++
		c.Kept++
	case hold.Kind == "":
		moved("turn not reached", "")
	default:
		moved(hold.Code, hold.Why)
	}
}

func last(ds []*deed) *deed { return ds[len(ds)-1] }

// promised: there is a slot for what a turn did to an instance, or one of that time.
func promised(told []plan.Slot, instance string, d *deed) bool {
	for i := range told {
		if s := &told[i]; s.Instance == instance && (s.Turn == d.turn || !d.from.Before(s.Start) && !d.to.After(s.End)) {
			return true
		}
	}
	return false
}
