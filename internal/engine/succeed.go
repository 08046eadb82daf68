package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/store"
)

// A child campaign takes the place of its parent in three steps, each of which one journal holds, so
// that a kill between any two of them loses nothing: the child is recorded and waits; the parent is
// told to end; once it has ended, the child is told so. What comes next is read from the two journals
// alone, and no step is taken twice.

// Succeed takes a child that waits one step on towards the place of its parent: the parent is told to
// end, or the child is told that it has ended. It does nothing for a campaign that waits for nobody.
func Succeed(ctx context.Context, parent, child *Pump) error {
	over, err := parent.giveWay(ctx, child)
	if err != nil || !over {
		return err
	}
	return child.inherit(ctx, parent)
}

// giveWay tells a campaign to end, once, because a child takes its place; over: it has ended.
func (p *Pump) giveWay(ctx context.Context, child *Pump) (over bool, err error) {
	by := child.Campaign().Plan.Campaign
	f := execution.Fact{Kind: execution.CampaignAborted, Who: execution.Engine, Code: execution.CodeSuperseded, Why: "campaign " + by + " takes its place"}
	var kept []string
	child.Read(func(s *execution.State) { kept = s.Kept() })
	err = p.Command(ctx, &f, func(s *execution.State) error {
		f.Slots, _ = s.Hands(kept)
		over = s.Phase == execution.PhaseFinished
		if over || s.Phase == execution.PhaseAborted {
			return errNotNeeded
		}
		return nil
	})
	if errors.Is(err, errNotNeeded) {
		err = nil
	}
	return over, err
}

// errNotNeeded: it is told already, or over.
var errNotNeeded = errors.New("it ends already")

// inherit records in the child, in one go, that its parent is over and whom that one's moves left
// elsewhere than the child's plan saw them.
func (p *Pump) inherit(ctx context.Context, parent *Pump) error {
	var id, how string
	var at map[string]string
	var unproven map[string][2]string
	var kept, lost []string
	p.Read(func(s *execution.State) { kept = s.Kept() })
	parent.Read(func(s *execution.State) {
		id, how, at, unproven = s.Campaign, s.PhaseWhy, s.Left(), s.Unproven()
		_, lost = s.Hands(kept)
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state.Awaits() == "" {
		return nil
	}
	var facts []execution.Fact
	for i := range p.state.Fleet.Instances {
		in := &p.state.Fleet.Instances[i]
		if ends, doubt := unproven[in.ID]; doubt && p.known.hosts[ends[0]] != nil && p.known.hosts[ends[1]] != nil {
			facts = append(facts, execution.Fact{Kind: execution.Inherited, Instance: in.ID, Host: ends[0], To: ends[1], Tenant: in.Tenant, Code: execution.CodeUnproven,
				Why: "campaign " + id + " ended without proof of where it runs"})
			continue
		}
		if host := at[in.ID]; host != in.Host && p.known.hosts[host] != nil {
			facts = append(facts, execution.Fact{Kind: execution.Inherited, Instance: in.ID, Host: host, Tenant: in.Tenant,
				Why: "campaign " + id + " left it there; the plan saw it on " + in.Host})
		}
	}
	facts = append(facts, execution.Fact{Kind: execution.ParentEnded, Code: how, Slots: lost, Why: "campaign " + id + " is over: " + how})
	if err := p.append(ctx, facts); err != nil {
		return p.orHalt(ctx, err)
	}
	p.wake()
	return nil
}

// onItsWay says what an ending campaign still has to do.
func onItsWay(s *execution.State) string {
	n := s.Count()
	var what []string
	if under := n[execution.TurnActive] + n[execution.TurnPreparing]; under > 0 {
		what = append(what, fmt.Sprintf("%d of its turns are under way", under))
	}
	for _, id := range s.Active() {
		if t := s.Turns[id]; t.Phase == execution.TurnOnHold {
			what = append(what, fmt.Sprintf("host %s is held (%s): %s; next: %s", t.Plan.Host, t.Code, t.Why, t.Next))
		}
	}
	if unsent := s.Untold(); unsent > 0 {
		what = append(what, fmt.Sprintf("%d notices of its end are not accepted yet", unsent))
	}
	if len(what) == 0 {
		what = []string{"its hosts are looked at once more"}
	}
	return "it ends: " + strings.Join(what, "; ")
}

// succeed takes a campaign that waits for its parent one step on. An error is one to try again after.
func (c *Controller) succeed(r *run) error {
	var id string
	r.pump.Read(func(s *execution.State) { id = s.Awaits() })
	if id == "" {
		return nil
	}
	parent, err := c.turning(id)
	if err != nil {
		return nil //nolint:nilerr // it does not turn here now: Status says why, and it wakes this one once it does
	}
	over, err := parent.giveWay(c.ctx, r.pump)
	switch {
	case errors.Is(err, store.ErrConflict):
		c.stop(id, err)
		return nil
	case err != nil:
		return fmt.Errorf("campaign %s could not be told to end: %w", id, err)
	case !over:
		return nil // it wakes this one when it is over
	}
	return r.pump.inherit(c.ctx, parent)
}

// wakeChildren has those that wait for a campaign look at it again.
func (c *Controller) wakeChildren(id string) {
	for _, r := range c.children(id) {
		select {
		case r.wake <- struct{}{}:
		default: // it is awake already
		}
	}
}

// children are the runs whose plan supersedes a campaign.
func (c *Controller) children(id string) (out []run) {
	for _, other := range c.Campaigns() {
		r, err := c.find(other)
		if err == nil && r.pump != nil && r.pump.supersedes() == id {
			out = append(out, r)
		}
	}
	return out
}

// supersedes names the campaign whose place this one takes; "" when none.
func (p *Pump) supersedes() (id string) {
	p.Read(func(s *execution.State) {
		if s.Plan != nil {
			id = s.Plan.Supersedes
		}
	})
	return id
}

// mayFollow refuses a plan that supersedes what it cannot: a campaign that is not known here, that
// cannot be told to end, or whose place another child takes already.
func (c *Controller) mayFollow(p *plan.Plan) error {
	if p.Supersedes == "" {
		return nil
	}
	if p.Supersedes == p.Campaign {
		return &Refused{"own-parent", fmt.Sprintf("campaign %s would supersede itself", p.Campaign), "plan with another --campaign"}
	}
	r, err := c.find(p.Supersedes)
	switch {
	case err != nil:
		return &Refused{"unknown-parent", fmt.Sprintf("the plan supersedes campaign %s, which this server does not know", p.Supersedes), "apply it where that campaign runs, or plan without --supersedes"}
	case r.phase != "":
		return &Refused{"parent", fmt.Sprintf("the plan supersedes campaign %s, which cannot be told to end: %s", p.Supersedes, r.trouble), "mend that and apply again"}
	}
	for _, o := range c.children(p.Supersedes) {
		return &Refused{"superseded", fmt.Sprintf("campaign %s takes the place of %s already", o.id, p.Supersedes), "plan again with --supersedes " + o.id}
	}
	return nil
}

// waitsFor says, for people, what a child that waits is waiting for.
func (c *Controller) waitsFor(id string) string {
	r, err := c.find(id)
	switch {
	case err != nil:
		return err.Error()
	case r.phase != "":
		return fmt.Sprintf("campaign %s does not turn: %s", id, r.trouble)
	}
	what := ""
	r.pump.Read(func(s *execution.State) {
		switch s.Phase {
		case execution.PhaseAborted:
			what = onItsWay(s)
		case execution.PhaseFinished:
			what = "it is over"
		default:
			what = "it is being told to end"
		}
	})
	return "campaign " + id + ": " + what
}

// ancestors are a campaign, the one whose place it takes, and so on.
func (c *Controller) ancestors(id string) map[string]bool {
	out := map[string]bool{}
	for id != "" && !out[id] {
		out[id] = true
		r, err := c.find(id)
		if err != nil || r.pump == nil {
			break
		}
		id = r.pump.supersedes()
	}
	return out
}
