package engine

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// TestHold: a turn may be held in every phase but its end, also while its host is prepared ahead of it.
func TestHold(t *testing.T) {
	f := &fleet.Fleet{Hosts: []fleet.Host{{ID: "h1", Pools: []string{"p1"}}}, Pools: []fleet.Pool{{ID: "p1"}}}
	pj, err := json.Marshal(&plan.Plan{Campaign: "c", Revision: 1, Turns: []plan.Turn{{ID: "h1", Host: "h1", Pool: "p1", Tactic: plan.Refresh}}})
	if err != nil {
		t.Fatal(err)
	}
	fj, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	s := execution.New()
	for _, step := range []struct {
		then    execution.Fact
		phase   execution.TurnPhase
		refused bool
	}{
		{execution.Fact{Kind: execution.CampaignApplied, Campaign: "c", Revision: 1, Plan: pj, Fleet: fj}, execution.TurnWaiting, false},
		{execution.Fact{Kind: execution.TurnPrepares, Turn: "h1", Host: "h1"}, execution.TurnPreparing, false},
		{execution.Fact{Kind: execution.TurnPermitted, Turn: "h1", Host: "h1"}, execution.TurnActive, false},
		{execution.Fact{Kind: execution.TurnDone, Turn: "h1", Host: "h1"}, execution.TurnFinished, true},
	} {
		if err := s.Apply(step.then); err != nil {
			t.Fatal(err)
		}
		if now := s.Turns["h1"].Phase; now != step.phase {
			t.Fatalf("after %s it is %s", step.then.Kind, now)
		}
		var order execution.Fact
		err := Order{Verb: "hold", Host: "h1", Who: "t"}.fill(s, &order)
		var no *Refused
		if refused := errors.As(err, &no); refused != step.refused || !refused && order.Kind != execution.TurnHeld {
			t.Errorf("a turn that is %s: %v, %s", step.phase, err, order.Kind)
		}
	}
}
