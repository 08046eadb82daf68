package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/internal/audit"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Refused is an order that a rule or a law forbids; nothing was changed.
type Refused struct {
	Code string `json:"code"`
	Why  string `json:"why"`
	Next string `json:"next"`
}

func (r *Refused) Error() string {
	if r.Next == "" {
		return r.Why
	}
	return r.Why + " (" + r.Next + ")"
}

// Apply begins a campaign by its plan. Nothing is changed when it is refused. Once it is recorded it
// begins: when its journal cannot be read and written again at once, as soon as it can be, and its
// Status says so.
func (c *Controller) Apply(ctx context.Context, p *plan.Plan, who string) error {
	f := p.Fleet
	c.applying.Lock()
	defer c.applying.Unlock()
	now := c.clock.Now().UTC().Truncate(time.Millisecond)
	if err := c.acceptable(p, f, now); err != nil {
		return err
	}
	bare := *p
	bare.Fleet = nil // it is stored beside the plan
	pj, err := json.Marshal(bare)
	if err != nil {
		return err
	}
	fj, err := json.Marshal(f)
	if err != nil {
		return err
	}
	first := execution.Fact{At: now, Kind: execution.CampaignApplied, Who: "operator:" + who, Campaign: p.Campaign, Revision: p.Revision,
		Plan: pj, Fleet: fj, Why: p.Verdict}
	if _, err := c.journal.Append(ctx, p.Campaign, 0, []execution.Fact{first}); err != nil {
		return err
	}
	c.open(p.Campaign) // a child tells its parent to end from there: a kill in between loses nothing
	return nil
}

func (c *Controller) acceptable(p *plan.Plan, f *fleet.Fleet, now time.Time) error {
	if p.Digest != plan.Digest(*p) {
		return &Refused{"digest", "the plan was changed after it was made: its digest does not fit", "plan again"}
	}
	if p.FleetDigest != plan.FleetDigest(f) {
		return &Refused{"digest", "the fleet in the plan is not the one that the plan was made from", "plan again"}
	}
	if p.Profile == plan.Bound {
		return &Refused{"profile", "the plan is of profile bound: it is to measure by, without windows, notice, canary or reserves", plan.BoundWay}
	}
	if len(p.Turns) == 0 {
		return &Refused{"empty", "the plan has no turn: there is nothing to do", ""}
	}
	if _, err := c.find(p.Campaign); err == nil {
		return &Refused{"stale", fmt.Sprintf("campaign %s exists already: a plan that was applied is never applied again", p.Campaign), "evenkeel status " + p.Campaign + ", or plan with another --campaign"}
	}
	for _, s := range p.Slots {
		if lead := p.Policy.Lead.Of(s.Class); s.Told.IsZero() && s.Tenant != "" && now.Add(lead).After(s.Start) {
			return &Refused{"stale", fmt.Sprintf("the notice for %s had to be out by %s, and it is %s", s.ID, s.Start.Add(-lead).Format(time.RFC3339), now.Format(time.RFC3339)), "plan again"}
		}
	}
	if found := audit.Plan(f, p); len(found) > 0 {
		return &Refused{"audit", fmt.Sprintf("the auditor found %d violations, first: %s", len(found), found[0].What), "evenkeel audit --plan PLAN shows all"}
	}
	if err := c.mayFollow(p); err != nil {
		return err
	}
	if err := c.keepsItsWord(p); err != nil {
		return err
	}
	return c.claimed(p, f)
}

// keepsItsWord refuses a plan that says of promises that their tenants were told of them by the campaign whose place
// it takes, where that one does not say so.
func (c *Controller) keepsItsWord(p *plan.Plan) error {
	var told []*plan.Slot
	for i := range p.Slots {
		if !p.Slots[i].Told.IsZero() {
			told = append(told, &p.Slots[i])
		}
	}
	if len(told) == 0 {
		return nil
	}
	if r, missing := c.find(p.Supersedes); missing == nil && r.pump != nil {
		r.pump.Read(func(s *execution.State) {
			for len(told) > 0 {
				if at, stands := s.HandsOver(told[0]); !stands || !at.Equal(told[0].Told) {
					return
				}
				told = told[1:]
			}
		})
	}
	if len(told) == 0 {
		return nil
	}
	sl := told[0]
	return &Refused{"stale", fmt.Sprintf("the plan says that %s was told of %s at %s, and campaign %q does not hold that promise any more", sl.Tenant, sl.ID, sl.Told.Format(time.RFC3339), p.Supersedes), "plan again"}
}
