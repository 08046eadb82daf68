package execution

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// Engine is who signs the facts that Decide returns.
const Engine = "engine"

// Decide returns the facts that should be recorded at now, in order; nothing when all waits. The
// caller stores and applies them and asks again until nothing comes.
func (s *State) Decide(now time.Time) []Fact {
	if s.Plan == nil || s.Phase == PhaseFinished {
		return nil
	}
	for _, rule := range []func(time.Time) []Fact{s.decideNotices, s.decideCohorts, s.decideCanary, s.decidePass, s.decideBudget, s.decideOverrun, s.decideTurns, s.decideReached, s.decidePrepares, s.decidePermits, s.decideMissed, s.decideEnd} {
		if facts := rule(now); len(facts) > 0 {
			for i := range facts {
				facts[i].At, facts[i].Who, facts[i].Campaign, facts[i].Revision = now, Engine, s.Campaign, s.Revision
			}
			return facts
		}
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// decideNotices asks for what tenants must hear.
func (s *State) decideNotices(time.Time) (out []Fact) {
	for _, id := range sortedKeys(s.due) {
		out = append(out, s.due[id])
	}
	return out
}

// decideBudget halts the campaign once too many turns broke.
func (s *State) decideBudget(time.Time) []Fact {
	if budget := max(1, s.Plan.Policy.FailureBudget); s.Phase == PhaseRunning && len(s.failed) >= budget {
		id := sortedKeys(s.failed)[0]
		return []Fact{{Kind: CampaignHalted, Code: CodeBudget,
			Why: fmt.Sprintf("%d of at most %d turns broke; %s: %s", len(s.failed), budget, id, s.Turns[id].Why)}}
	}
	return nil
}

// decideOverrun notes each promise whose slot is past while the instance is not back.
func (s *State) decideOverrun(now time.Time) []Fact {
	var out []Fact
	for _, id := range s.Active() {
		t := s.Turns[id]
		for _, g := range t.sortedGuests() {
			sl := s.turnSlot[id+"/"+g.ID]
			if sl == nil || s.overrun[sl.ID] || !g.disturbed() || now.Before(sl.End) {
				continue
			}
			out = append(out, Fact{Kind: Overrun, Turn: id, Host: t.Plan.Host, Instance: g.ID, Tenant: sl.Tenant, Slots: []string{sl.ID},
				Why: fmt.Sprintf("the slot ended at %s and %s %s", sl.End.Format(time.RFC3339), g.ID, g.plight())})
			if sl.Tenant != "" {
				out = append(out, Fact{Kind: NoticeAsked, Notice: s.noticeID(NoticeOverrun, sl.Tenant, sl.ID), NoticeKind: NoticeOverrun, Tenant: sl.Tenant, Slots: []string{sl.ID}})
			}
		}
	}
	return out
}

// disturbed: an act of ours has taken the instance away from service, or may have.
func (g *TurnGuest) disturbed() bool {
	switch g.Stage {
	case StageMoving, StageStopping, StageStopped, StageBacking, StageHoming:
		return true
	}
	return g.Sticky != ""
}

// plight says in what an act of ours has left an instance that it disturbs.
func (g *TurnGuest) plight() string {
	if g.Sticky != "" && g.Stage != StageMoving && g.Stage != StageHoming {
		return fmt.Sprintf("may be on %s, on %s or on neither: its move ended unread", g.From, g.Sticky)
	}
	return "is " + string(g.Stage)
}

// decidePermits gives leave to the next turns that all rules allow.
func (s *State) decidePermits(now time.Time) []Fact {
	for _, id := range s.front() {
		t := s.Turns[id]
		switch r := s.permit(t, now); {
		case r.hold != nil:
			return []Fact{*r.hold}
		case r.ok:
			if f := s.endsPatch(t); f != nil {
				return []Fact{*f}
			}
			return []Fact{{Kind: TurnPermitted, Turn: id, Host: t.Plan.Host}} // one at a time: the next is judged with it under way
		}
	}
	return s.missedAside(now)
}

// decideEnd drops what an abort leaves, and ends the campaign once nothing is open and all have heard.
func (s *State) decideEnd(now time.Time) []Fact {
	if s.Phase == PhaseAborted && len(s.waiting) > 0 {
		var out []Fact
		for _, id := range s.waiting {
			if s.Turns[id].Phase == TurnPreparing {
				continue // what is in flight there ends first
			}
			out = append(out, Fact{Kind: TurnDropped, Turn: id, Host: s.Turns[id].Plan.Host, Code: s.abortCode(), Why: "the campaign was " + s.abortCode() + " before its turn"})
		}
		return out
	}
	if s.awaits() || len(s.waiting) > 0 || len(s.active) > 0 || !s.allHeard() {
		return nil
	}
	if facts, wait := s.takeStock(now); facts != nil || wait {
		return facts
	}
	code := "done"
	for _, t := range s.Turns {
		if t.Phase != TurnFinished && !t.reached() && t.Code != CodeInstead {
			code = "partly"
		}
	}
	for id := range s.listed {
		if g := s.Guests[id]; g != nil && s.Turns[g.Host] != nil && s.Turns[g.Host].Plan.Tactic == plan.Refresh {
			code = "partly" // a refresh is for the instances: one that still runs the old software was not refreshed
		}
	}
	if s.Phase == PhaseAborted {
		code = s.abortCode()
	}
	return []Fact{{Kind: CampaignFinished, Code: code}}
}
