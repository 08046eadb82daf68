package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/store"
)

// Order is what an operator tells a campaign to do.
type Order struct {
	Verb string `json:"verb"` // pause, resume, abort, finalize, hold, retry
	// Force closes a campaign as it is, which finalize refuses else with the list of what that leaves.
	Force bool `json:"force,omitempty"`
	// Host is what hold and retry are about: the id of a turn, which is its host's or h1+live-patch.
	Host   string `json:"host,omitempty"`
	Cohort string `json:"cohort,omitempty"` // or, of retry, the held cohort that is to go on
	Who    string `json:"who"`
	Why    string `json:"why,omitempty"`
}

// Order records an operator's order. It is refused when it makes no sense in the present state.
func (c *Controller) Order(ctx context.Context, id string, o Order) error {
	p, err := c.turning(id)
	if err != nil {
		return err
	}
	f := execution.Fact{Who: "operator:" + o.Who, Why: o.Why, Host: o.Host}
	err = p.Command(ctx, &f, func(s *execution.State) error { return o.fill(s, &f) })
	if errors.Is(err, store.ErrConflict) {
		c.stop(id, err)
		_, err = c.turning(id) // says so
	}
	return err
}

// fill checks the order against the state and says which fact it becomes.
func (o Order) fill(s *execution.State, f *execution.Fact) error {
	if s.Phase == execution.PhaseFinished {
		return &Refused{"finished", fmt.Sprintf("campaign %s is finished", s.Campaign), ""}
	}
	switch o.Verb {
	case "pause":
		f.Kind = execution.CampaignPaused
		return phase(s, execution.PhaseRunning, execution.PhaseWaiting)
	case "resume":
		f.Kind = execution.CampaignResumed
		return phase(s, execution.PhasePaused, execution.PhaseHalted)
	case "abort":
		f.Kind = execution.CampaignAborted
		return phase(s, execution.PhaseRunning, execution.PhaseWaiting, execution.PhasePaused, execution.PhaseHalted)
	case "finalize":
		return o.finalize(s, f)
	case "hold", "retry":
		if o.Cohort != "" {
			return o.cohort(s, f)
		}
		return o.turn(s, f)
	}
	return &Refused{"unknown-order", fmt.Sprintf("%q is no order", o.Verb), "orders are pause, resume, abort, finalize, hold and retry"}
}

// finalize closes a campaign that was told to end and cannot by itself.
func (o Order) finalize(s *execution.State, f *execution.Fact) error {
	if err := phase(s, execution.PhaseAborted); err != nil {
		return &Refused{"phase", err.Error(), "tell it to end first, which brings all to a safe place: evenkeel abort " + s.Campaign}
	}
	if !o.Force {
		left := strings.Join(s.Leftover(), "; ")
		if left == "" {
			left = "its hosts are looked at once more"
		}
		return &Refused{"ends-by-itself", fmt.Sprintf("campaign %s ends by itself as soon as it can; until then: %s", s.Campaign, left),
			"mend that; or close it as it is, with all this left to you: evenkeel finalize " + s.Campaign + " --force --why REASON"}
	}
	if o.Why == "" {
		return &Refused{"no-reason", "a campaign is not closed by force without a reason", "say it with --why"}
	}
	f.Kind = execution.CampaignForced
	return nil
}

func phase(s *execution.State, allowed ...execution.Phase) error {
	var names []string
	for _, p := range allowed {
		if s.Phase == p {
			return nil
		}
		names = append(names, string(p))
	}
	return &Refused{"phase", fmt.Sprintf("campaign %s is %s", s.Campaign, s.Phase), "this order needs one that is " + strings.Join(names, " or ")}
}

// turn holds a turn, or lets a held one go on.
func (o Order) turn(s *execution.State, f *execution.Fact) error {
	t := o.find(s)
	if t == nil {
		var held []string
		for id, t := range s.Turns {
			if t.Phase == execution.TurnOnHold {
				held = append(held, id)
			}
		}
		sort.Strings(held)
		return &Refused{"unknown-host", fmt.Sprintf("host %q has no turn in campaign %s", o.Host, s.Campaign), "held are: " + strings.Join(held, " ")}
	}
	f.Turn, f.Host = t.Plan.ID, t.Plan.Host
	switch {
	case o.Verb == "hold" && (t.Phase == execution.TurnWaiting || t.Phase == execution.TurnPreparing || t.Phase == execution.TurnActive):
		f.Kind, f.Code, f.Next = execution.TurnHeld, execution.CodeOperator, "evenkeel retry "+t.Plan.ID
		if f.Why == "" {
			f.Why = "an operator holds it"
		}
		return nil
	case o.Verb == "retry" && t.Phase == execution.TurnOnHold:
		if t.Code == execution.CodeMigrationsFail && len(s.HeldCohorts()) > 0 { // it would be held again at once
			return &Refused{"cohort-held", fmt.Sprintf("turn %s is held with its cohort: %s", t.Plan.ID, t.Why), t.Next}
		}
		if why, next := s.MayRelease(t); why != "" {
			return &Refused{"canary", fmt.Sprintf("turn %s was passed over: %s", t.Plan.ID, why), next}
		}
		f.Kind = execution.TurnReleased
		return nil
	}
	next := "only a turn that waits, is prepared or is under way can be held, and only a held one retried"
	if other := s.Turns[plan.PatchTurn(t.Plan.Host)]; other != nil && other != t {
		next += fmt.Sprintf("; its host has another turn, %s, which is %s", other.Plan.ID, other.Phase)
	}
	return &Refused{"phase", fmt.Sprintf("turn %s is %s", t.Plan.ID, t.Phase), next}
}

// find gives the turn that is meant: by its id or, where that names none, the one of that host.
func (o Order) find(s *execution.State) *execution.TurnState {
	if t := s.Turns[o.Host]; t != nil {
		return t
	}
	for _, t := range s.Turns {
		if t.Plan.Host == o.Host {
			return t
		}
	}
	return nil
}

// cohort lets a held cohort go on.
func (o Order) cohort(s *execution.State, f *execution.Fact) error {
	held := s.HeldCohorts()
	switch _, is := held[o.Cohort]; {
	case o.Verb != "retry":
		return &Refused{"unknown-order", "a cohort is held by the machine alone", "evenkeel pause holds a whole campaign, evenkeel hold one turn"}
	case !is && len(held) == 0:
		return &Refused{"unknown-cohort", fmt.Sprintf("cohort %q of campaign %s is not held", o.Cohort, s.Campaign), "no cohort is"}
	case !is:
		return &Refused{"unknown-cohort", fmt.Sprintf("cohort %q of campaign %s is not held", o.Cohort, s.Campaign), "held are: " + strings.Join(slices.Sorted(maps.Keys(held)), " ")}
	}
	f.Kind, f.Cohort, f.Host = execution.CohortReleased, o.Cohort, ""
	return nil
}
