package engine

import (
	"encoding/json"
	"errors"
	"strings"
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

// A host may have two turns, its live patch and its later reboot: each is ordered by its own id, and the
// host's id means the one that disturbs it.
func TestOrdersByTurn(t *testing.T) {
	f := &fleet.Fleet{Hosts: []fleet.Host{{ID: "h1", Pools: []string{"p1"}}, {ID: "h2", Pools: []string{"p1"}}}, Pools: []fleet.Pool{{ID: "p1"}}}
	pj, err := json.Marshal(&plan.Plan{Campaign: "c", Revision: 1, Turns: []plan.Turn{{ID: plan.PatchTurn("h1"), Host: "h1", Pool: "p1", Wave: 1, Tactic: plan.LivePatch},
		{ID: "h1", Host: "h1", Pool: "p1", Wave: 2, Tactic: plan.Suspend, Deferred: true}, {ID: plan.PatchTurn("h2"), Host: "h2", Pool: "p1", Wave: 1, Tactic: plan.LivePatch}}})
	if err != nil {
		t.Fatal(err)
	}
	fj, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	s := execution.New()
	for _, f := range []execution.Fact{
		{Kind: execution.CampaignApplied, Campaign: "c", Revision: 1, Plan: pj, Fleet: fj},
		{Kind: execution.TurnPermitted, Turn: plan.PatchTurn("h1"), Host: "h1"},
		{Kind: execution.TurnHeld, Turn: plan.PatchTurn("h1"), Host: "h1", Step: execution.StepUpdate, Code: execution.CodeStepFailed, Why: "x", Next: "y"},
	} {
		if err := s.Apply(f); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		verb, host, turn string
		of               string
		words            string // of a refusal
	}{
		{verb: "retry", host: "h1+live-patch", turn: "h1+live-patch", of: "h1"},
		{verb: "retry", host: "h1", words: "h1+live-patch, which is held"},
		{verb: "hold", host: "h1", turn: "h1", of: "h1"},
		{verb: "hold", host: "h2", turn: "h2+live-patch", of: "h2"},
		{verb: "hold", host: "h2+live-patch", turn: "h2+live-patch", of: "h2"},
		{verb: "hold", host: "h3", words: "held are: h1+live-patch"},
	} {
		var got execution.Fact
		err := Order{Verb: tt.verb, Host: tt.host, Who: "t"}.fill(s, &got)
		if tt.words != "" {
			if err == nil || !strings.Contains(err.Error(), tt.words) {
				t.Errorf("%s %s: %v", tt.verb, tt.host, err)
			}
			continue
		}
		if err != nil || got.Turn != tt.turn || got.Host != tt.of {
			t.Errorf("%s %s is about turn %q of %q: %v", tt.verb, tt.host, got.Turn, got.Host, err)
		}
	}
}

func TestChildNames(t *testing.T) {
	c := &Controller{order: []string{"spring", "autumn", "autumn-2", "autumn-3"}}
	for parent, want := range map[string]string{"spring": "spring-2", "autumn": "autumn-4", "autumn-2": "autumn-4", "autumn-3": "autumn-4", "x-2": "x-3", "x-1": "x-1-2", "-2": "-2-2",
		"maintenance-20260302-0800": "maintenance-20260302-0800-2", "maintenance-20260302-0008": "maintenance-20260302-0008-2", "xsa-444": "xsa-444-2", "x-99": "x-100", "x-": "x--2"} {
		if got, err := c.childName(parent, ""); got != want || err != nil {
			t.Errorf("%s: %q, %v, want %q", parent, got, err, want)
		}
	}
}
