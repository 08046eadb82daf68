package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/store"
)

// PhaseFailed and PhaseBeginning are phases that only a controller knows: no fact says them.
const (
	PhaseFailed    execution.Phase = failed
	PhaseBeginning execution.Phase = beginning
)

// Status is a campaign in brief, with what its controller has to say of it.
type Status struct {
	execution.Status
	// Trouble is what keeps the campaign from going on although its journal does not say so.
	Trouble string `json:"trouble,omitempty"`
}

// ErrUnknown says that there is no such campaign.
var ErrUnknown = store.ErrNoCampaign

// Campaigns lists the ids, oldest first.
func (c *Controller) Campaigns() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.order)
}

// find gives a campaign as it stands now.
func (c *Controller) find(id string) (run, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.runs[id]
	if r == nil {
		return run{}, fmt.Errorf("campaign %q: %w", id, ErrUnknown)
	}
	return *r, nil
}

// Status gives a campaign in brief.
func (c *Controller) Status(id string, now time.Time) (Status, error) {
	r, err := c.find(id)
	if err != nil {
		return Status{}, err
	}
	out := Status{Status: execution.Status{Campaign: id, Phase: PhaseBeginning, Turns: []execution.TurnStatus{}}, Trouble: r.trouble}
	switch {
	case r.phase == failed:
		out.Phase = PhaseFailed
	case r.pump != nil:
		parent := ""
		r.pump.Read(func(s *execution.State) { out.Status, parent = s.Status(now), s.Awaits() })
		if parent != "" {
			out.Why += "; " + c.waitsFor(parent)
		}
		if behind := r.pump.Behind(); r.phase == "" && behind > 0 && out.Phase != execution.PhaseFinished {
			out.Trouble = fmt.Sprintf("the clock lies %s behind the journal: no disruption begins until it has caught up; set it right", behind.Round(time.Second))
		}
	}
	return out, nil
}

// Over says that no fact of the campaign is to be expected any more: it is finished, or has failed.
func (c *Controller) Over(id string) (over bool, err error) {
	r, err := c.find(id)
	if err == nil && r.pump != nil {
		r.pump.Read(func(s *execution.State) { over = s.Phase == execution.PhaseFinished })
	}
	return over || r.phase == failed, err
}

// turning gives the campaign's pump, if it turns.
func (c *Controller) turning(id string) (*Pump, error) {
	r, err := c.find(id)
	if err != nil {
		return nil, err
	}
	switch r.phase {
	case "":
		return r.pump, nil
	case failed:
		return nil, &Refused{"failed", fmt.Sprintf("campaign %s does not turn: %s", id, r.trouble), "start the evenkeel that wrote its journal"}
	case stopped:
		return nil, &Refused{"stopped", fmt.Sprintf("campaign %s is no longer this server's: %s", id, r.trouble), "ask the other server, or start this one again"}
	}
	return nil, &Refused{"beginning", fmt.Sprintf("campaign %s does not turn yet: %s", id, r.trouble), "mend that and order again"}
}

// Journal gives a campaign's facts after the one numbered after, also of a campaign that does not turn.
func (c *Controller) Journal(ctx context.Context, id string, after int64, fn func(execution.Fact) error) error {
	return c.journal.Read(ctx, id, after, fn)
}
