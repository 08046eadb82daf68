package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/internal/audit"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/store"
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

// Controller turns all campaigns of one process.
type Controller struct {
	journal    store.Journal
	clock      Clock
	log        *slog.Logger
	dispatcher func(campaign func() Campaign) Dispatcher
	generation int64

	mu    sync.Mutex
	runs  map[string]*run
	order []string
	wg    sync.WaitGroup
	ctx   context.Context
}

type run struct {
	pump *Pump
	wake chan struct{}
	err  error // why it stopped turning
}

// NewController takes over every unfinished campaign of the journal and turns it until ctx ends.
func NewController(ctx context.Context, j store.Journal, clock Clock, log *slog.Logger, dispatcher func(campaign func() Campaign) Dispatcher) (*Controller, error) {
	g, err := j.NextGeneration(ctx)
	if err != nil {
		return nil, err
	}
	c := &Controller{journal: j, clock: clock, log: log, dispatcher: dispatcher, generation: g, runs: map[string]*run{}, ctx: ctx}
	ids, err := j.Campaigns(ctx)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if err := c.open(id); err != nil {
			return nil, fmt.Errorf("campaign %s: %w", id, err)
		}
	}
	return c, nil
}

func (c *Controller) open(id string) error {
	r := &run{wake: make(chan struct{}, 1)}
	wake := func() {
		select {
		case r.wake <- struct{}{}:
		default: // it is awake already
		}
	}
	var d Dispatcher = c.dispatcher(func() Campaign { return r.pump.Campaign() })
	p, err := Open(c.ctx, c.journal, id, c.generation, c.clock, d, wake)
	if err != nil {
		return err
	}
	r.pump = p
	c.runs[id] = r
	c.order = append(c.order, id)
	c.wg.Add(1)
	go func() {
		defer c.wg.Done()
		c.turn(id, r)
	}()
	return nil
}

// Campaign is what chores need to know; plan and fleet never change within a revision.
func (p *Pump) Campaign() Campaign {
	k := Campaign{
		Asked: func(id string) (at time.Time) {
			p.Read(func(s *execution.State) {
				if n := s.Notices[id]; n != nil {
					at = n.Asked
				}
			})
			return at
		},
		Actual: func(slot string) (a *execution.Actual) {
			p.Read(func(s *execution.State) {
				if have := s.Actual(slot); have != nil {
					seen := *have
					a = &seen
				}
			})
			return a
		},
	}
	p.Read(func(s *execution.State) { k.Plan, k.Fleet = s.Plan, s.Fleet })
	return k
}

// turn turns one campaign until ctx ends, it is finished, or another controller takes over.
func (c *Controller) turn(id string, r *run) {
	for {
		next, err := r.pump.Turn(c.ctx)
		over := false
		r.pump.Read(func(s *execution.State) { over = s.Phase == execution.PhaseFinished })
		switch {
		case c.ctx.Err() != nil || over:
			return
		case errors.Is(err, store.ErrConflict):
			c.log.Error("another controller took the campaign over: this one stops", "campaign", id, "error", err)
			c.mu.Lock()
			r.err = err
			c.mu.Unlock()
			r.pump.Stop()
			return
		case err != nil:
			c.log.Error("turning the campaign failed", "campaign", id, "error", err)
			next = c.clock.Now().Add(2 * time.Second)
		}
		var alarm <-chan time.Time
		if !next.IsZero() {
			alarm = time.After(max(5*time.Millisecond, next.Sub(c.clock.Now())))
		}
		select {
		case <-c.ctx.Done():
			return
		case <-r.wake:
		case <-alarm:
		}
	}
}

// Wait returns once every campaign has stopped turning.
func (c *Controller) Wait() { c.wg.Wait() }

// Apply begins a campaign by its plan. Nothing is changed when it is refused.
func (c *Controller) Apply(ctx context.Context, p *plan.Plan, who string) error {
	f := p.Fleet
	c.mu.Lock()
	defer c.mu.Unlock()
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
	return c.open(p.Campaign)
}

func (c *Controller) acceptable(p *plan.Plan, f *fleet.Fleet, now time.Time) error {
	if p.Digest != plan.Digest(*p) {
		return &Refused{"digest", "the plan was changed after it was made: its digest does not fit", "plan again"}
	}
	if p.FleetDigest != plan.FleetDigest(f) {
		return &Refused{"digest", "the fleet in the plan is not the one that the plan was made from", "plan again"}
	}
	if len(p.Turns) == 0 {
		return &Refused{"empty", "the plan has no turn: there is nothing to do", ""}
	}
	if r := c.runs[p.Campaign]; r != nil {
		return &Refused{"stale", fmt.Sprintf("campaign %s exists already: a plan that was applied is never applied again", p.Campaign), "evenkeel status " + p.Campaign + ", or plan with another --campaign"}
	}
	for _, s := range p.Slots {
		if lead := p.Policy.Lead.Of(s.Class); s.Tenant != "" && now.Add(lead).After(s.Start) {
			return &Refused{"stale", fmt.Sprintf("the notice for %s had to be out by %s, and it is %s", s.ID, s.Start.Add(-lead).Format(time.RFC3339), now.Format(time.RFC3339)), "plan again"}
		}
	}
	if found := audit.Plan(f, p); len(found) > 0 {
		return &Refused{"audit", fmt.Sprintf("the auditor found %d violations, first: %s", len(found), found[0].What), "evenkeel audit --plan PLAN shows all"}
	}
	busy := map[string]string{}
	for id, r := range c.runs {
		r.pump.Read(func(s *execution.State) {
			if s.Phase == execution.PhaseFinished {
				return
			}
			for _, t := range s.Turns {
				if t.Phase != execution.TurnFinished && t.Phase != execution.TurnAbandoned {
					busy[t.Plan.Host] = id
				}
			}
		})
	}
	for _, t := range p.Turns {
		if other := busy[t.Host]; other != "" {
			return &Refused{"claimed", fmt.Sprintf("host %s belongs to campaign %s, which is not finished", t.Host, other), "wait for it, or: evenkeel abort " + other}
		}
	}
	return nil
}

// ErrUnknown says that there is no such campaign.
var ErrUnknown = store.ErrNoCampaign

func (c *Controller) find(id string) (*run, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.runs[id]
	if r == nil {
		return nil, fmt.Errorf("campaign %q: %w", id, ErrUnknown)
	}
	return r, nil
}

// Campaigns lists the ids, oldest first.
func (c *Controller) Campaigns() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.order)
}

// Read calls fn with a campaign's state.
func (c *Controller) Read(id string, fn func(*execution.State)) error {
	r, err := c.find(id)
	if err != nil {
		return err
	}
	r.pump.Read(fn)
	return nil
}

// Journal gives a campaign's facts after the one numbered after.
func (c *Controller) Journal(ctx context.Context, id string, after int64, fn func(execution.Fact) error) error {
	return c.journal.Read(ctx, id, after, fn)
}
