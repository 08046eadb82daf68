package planner

import (
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// keepTold marks the promises that stand as tenants were told of them by the campaign whose place the plan takes, and
// in good time.
func keepTold(in Input, p *plan.Plan) {
	told := promised(in)
	for i := range p.Slots {
		s := &p.Slots[i]
		s.Told = time.Time{}
		if was := told[s.ID]; was != nil && keeps(was, s) && !was.Told.Add(in.Policy.Lead.Of(s.Class)).After(s.Start) {
			s.Told = was.Told
		}
	}
}

// promised are the promises that may be kept, by slot id.
func promised(in Input) map[string]*plan.Slot {
	told := make(map[string]*plan.Slot, len(in.Promised))
	if in.Supersedes == "" {
		return told
	}
	for i := range in.Promised {
		if s := &in.Promised[i]; !s.Told.IsZero() && !s.Told.After(in.Now) {
			told[s.ID] = s
		}
	}
	return told
}

// stillTold: the tenant of a promise was told of it, and it lies ahead.
func (a *again) stillTold(s *plan.Slot) bool {
	was := a.promised[s.ID]
	return was != nil && keeps(was, s)
}

// underway is the line of a host whose turn another campaign is about to end.
func underway(host, campaign string) plan.Blocked {
	return plan.Blocked{Host: host, Code: "under-way", Why: "the turn of host " + host + " is under way in campaign " + campaign + ", which ends it before this one begins",
		Unblock: "none is needed if that turn brings the fix; else plan again when it is over"}
}
