package execution

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// decideEmpty moves every instance that can move off the host, late-placed, as far as concurrency,
// groups and room allow now. Those that will be saved or stopped stay until StepStop.
func (s *State) decideEmpty(t *TurnState, now time.Time, quiet bool) []Fact {
	if t.anyDead() { // nobody waits for the end of the turn who was not stopped for it
		return s.bringBack(t, now)
	}
	if !s.knows(t, now) {
		return nil
	}
	if facts, wait := s.gone(t); facts != nil || wait {
		return facts
	}
	if end := s.lastEnd(t); !end.IsZero() && now.After(end) && !t.anyStage(StageMoving) && len(s.toDo(t)) > 0 {
		return []Fact{*t.held(CodeSlotMissed, "the host is not empty and its slots ended at "+end.Format(time.RFC3339), "plan again: what is left needs another slot")}
	}
	left, stuck := s.unprovenOf(t)+t.count(StageMoving), []string{}
	var why []string
	soon := left > 0
	for _, in := range s.toPlace(t) {
		if in.Incoming {
			left++
			soon = true
			continue
		}
		if s.disposition(t, in.ID) != plan.DispLiveMigrate {
			continue // its turn comes after the update
		}
		g := t.guest(in.ID)
		if g.Stage == StageMoving || g.Stage == StageHoming || g.Sticky != "" {
			continue // counted already
		}
		left++
		if other := s.unproven[in.ID]; other != "" { // another turn's move of it ended unread
			return []Fact{*t.held(CodeUnproven, fmt.Sprintf("%s runs here and, for all that is known, may run twice: turn %s does not know where its move of it ended", in.ID, other), "settle turn "+other+" first, then: evenkeel retry "+t.Plan.ID)}
		}
		if in.State == string(fleet.Paused) && !in.Migrating {
			stuck = append(stuck, in.ID+" is paused by somebody")
			continue
		}
		if g.Stage == StageStuck {
			stuck = append(stuck, fmt.Sprintf("%s: %s", in.ID, orElse(g.Why, g.Code)))
			continue
		}
		if g.Stage == StageAway && t.Refills >= maxRefills {
			return []Fact{*t.held(CodeRefilled, in.ID+" and others keep coming back to the host that is being emptied", "stop the tool that places them, then: evenkeel retry "+t.Plan.ID)}
		}
		if quiet || now.Before(g.RetryAt) || s.movesFull(t) {
			soon = true
			continue
		}
		f, p := s.tryMove(t, in, now)
		if f != nil {
			return f
		}
		soon = soon || p.Wait
		for _, r := range p.Why {
			why = append(why, in.ID+" to "+r.Why)
		}
	}
	switch {
	case left == 0 && len(stuck) == 0 && !s.sees(t, now):
		return nil // a look since the last move must show it
	case left == 0 && len(stuck) == 0:
		return t.done("no instance that can move is left on the host")
	case quiet || soon && !s.keepsWaiting(t, why, now):
		return nil
	case len(stuck) > 0:
		return []Fact{*t.held(s.stuckCode(t), "cannot be moved: "+strings.Join(stuck, "; "), s.afterStuck(t))}
	}
	return []Fact{*t.held(CodeNoPlace, "no destination: "+strings.Join(why, "; "), "free room or lift the rule named, then: evenkeel retry "+t.Plan.ID)}
}

// mostReasons of so many hosts are told to people.
const mostReasons = 3

// wantsPlace says of the first instance that finds no place now why that is; "" when all do.
func (s *State) wantsPlace(t *TurnState, now time.Time) string {
	for _, in := range s.toPlace(t) {
		if in.Incoming || s.disposition(t, in.ID) != plan.DispLiveMigrate {
			continue
		}
		p := s.Place(t, in.ID, now)
		if p.To != "" || len(p.Why) == 0 {
			continue
		}
		var why []string
		for _, r := range p.Why[:min(mostReasons, len(p.Why))] {
			why = append(why, r.Why)
		}
		if rest := len(p.Why) - mostReasons; rest > 0 {
			why = append(why, fmt.Sprintf("and %d more", rest))
		}
		return fmt.Sprintf("a place for %s: %s", in.ID, strings.Join(why, "; "))
	}
	return ""
}

// lastEnd is when the last of a turn's slots ends; without slots, its window.
func (s *State) lastEnd(t *TurnState) time.Time {
	end := time.Time{}
	for _, sl := range s.ofTurn[t.Plan.ID] {
		end = later(end, sl.End)
	}
	if end.IsZero() {
		end = t.Plan.WindowEnd
	}
	return end
}

// stuckCode: two copies of one instance outrank every other reason.
func (s *State) stuckCode(t *TurnState) string {
	for _, g := range t.sortedGuests() {
		if g.Stage == StageStuck && g.Code == CodeSplit {
			return CodeSplit
		}
	}
	return CodeMoveFailed
}

// afterStuck is what a person can do about instances that cannot be moved. A stop is never the answer
// by itself: their tenants were promised a live migration and must be told of a stop first (law 1).
func (s *State) afterStuck(t *TurnState) string {
	for _, g := range t.Guests {
		if g.Stage == StageStuck && g.Code == "no-progress" && slices.Contains(s.Plan.Policy.NonConverging, "suspend") {
			return "it dirties memory faster than it can be sent: plan again with a stop for it, of which its tenant is told first; or, once it is calmer: evenkeel retry " + t.Plan.ID
		}
	}
	return "look at these instances, then: evenkeel retry " + t.Plan.ID
}

// tryMove places one instance and checks its slot.
func (s *State) tryMove(t *TurnState, in InstanceView, now time.Time) ([]Fact, Placement) {
	known := s.index.Instances[in.ID] != nil
	sl := s.turnSlot[t.Plan.ID+"/"+in.ID]
	end := t.Plan.WindowEnd // for one that nobody was told about
	if sl != nil {
		end = sl.End
	}
	deadline, ok := s.moveBy(t, in.ID, now, end)
	if !ok {
		return []Fact{*t.held(CodeSlotMissed, fmt.Sprintf("%s's slot ends at %s and its move may take %s", in.ID, end.Format(time.RFC3339), time.Duration(s.Plan.Policy.Times.MigrateMax)), "plan again: what is left needs another slot")}, Placement{}
	}
	if sl == nil && !s.noted(t, in.ID) {
		t := Fact{Kind: External, Turn: t.Plan.ID, Host: t.Plan.Host, Instance: in.ID, Code: "appeared", Why: "it was put on this host by others; it can only be live-migrated"}
		return []Fact{t}, Placement{}
	}
	p := s.Place(t, in.ID, now)
	if p.To == "" {
		return nil, p
	}
	if s.crowded(t.Plan.Host, p.To) {
		return nil, Placement{Wait: true} // for its own destination, not for one that is worse
	}
	g := t.guest(in.ID)
	f := Fact{Kind: MovePlaced, Turn: t.Plan.ID, Instance: in.ID, From: t.Plan.Host, To: p.To, Attempt: g.Attempt + 1,
		Deadline: deadline, Disposition: plan.DispLiveMigrate}
	if known {
		f.Tenant = s.index.Instances[in.ID].Tenant
	}
	for _, r := range p.Why {
		f.Why += "; " + r.Why
	}
	if f.Why != "" {
		f.Why = "no fixed host can take it" + f.Why
	}
	return append(s.passSlot(t, s.instance(in.ID), p.To), f), p
}

// noted: the journal says already that the instance came to this host by others' hands.
func (s *State) noted(t *TurnState, instance string) bool { return s.appeared[t.Plan.ID+"/"+instance] }

// movesFull: the host or its pool has as many migrations in flight as policy allows.
func (s *State) movesFull(t *TurnState) bool {
	host, pool := 0, 0
	for _, a := range s.open {
		if a.Kind != MovePlaced {
			continue
		}
		if a.Turn == t.Plan.ID {
			host++
		}
		if s.Turns[a.Turn].Plan.Pool == t.Plan.Pool {
			pool++
		}
	}
	p := s.Plan.Policy
	return host >= max(1, p.MovesPerHost) || pool >= max(1, p.MovesPerPool)
}

// hostPlace is where a host is.
func (s *State) hostPlace(id string) (at plan.Place) {
	if site := s.index.SiteOf(id); site != nil {
		at.Region, at.Site = site.Region, site.ID
	}
	if h := s.index.Hosts[id]; h != nil {
		at.Rack = plan.RackOf(h)
	}
	return at
}
