package engine

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/store"
)

// Order is what an operator tells a campaign to do.
type Order struct {
	Verb string `json:"verb"` // pause, resume, abort, hold, retry
	Host string `json:"host,omitempty"`
	Who  string `json:"who"`
	Why  string `json:"why,omitempty"`
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
	case "hold", "retry":
		return o.turn(s, f)
	}
	return &Refused{"unknown-order", fmt.Sprintf("%q is no order", o.Verb), "orders are pause, resume, abort, hold and retry"}
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

// turn holds a host's turn, or lets a held one go on.
func (o Order) turn(s *execution.State, f *execution.Fact) error {
	var held []string
	for _, t := range s.Turns {
		if t.Phase == execution.TurnOnHold {
			held = append(held, t.Plan.Host)
		}
		if t.Plan.Host != o.Host {
			continue
		}
		f.Turn = t.Plan.ID
		switch {
		case o.Verb == "hold" && (t.Phase == execution.TurnWaiting || t.Phase == execution.TurnPreparing || t.Phase == execution.TurnActive):
			f.Kind, f.Code, f.Next = execution.TurnHeld, execution.CodeOperator, "evenkeel retry "+o.Host
			if f.Why == "" {
				f.Why = "an operator holds it"
			}
			return nil
		case o.Verb == "retry" && t.Phase == execution.TurnOnHold:
			f.Kind = execution.TurnReleased
			return nil
		}
		return &Refused{"phase", fmt.Sprintf("the turn of host %s is %s", o.Host, t.Phase), "only a turn that waits, is prepared or is under way can be held, and only a held one retried"}
	}
	sort.Strings(held)
	return &Refused{"unknown-host", fmt.Sprintf("host %q has no turn in campaign %s", o.Host, s.Campaign), "held are: " + strings.Join(held, " ")}
}
