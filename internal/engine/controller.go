package engine

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/store"
)

// Controller turns all campaigns of one process.
type Controller struct {
	journal    store.Journal
	clock      Clock
	log        *slog.Logger
	dispatcher func(campaign func() Campaign) Dispatcher
	generation int64
	together   Together
	ctx        context.Context
	wg         sync.WaitGroup

	applying sync.Mutex // one plan is taken in at a time

	mu    sync.Mutex // over all below
	runs  map[string]*run
	order []string
}

// run is one campaign of the controller.
type run struct {
	id   string
	wake chan struct{}

	// Guarded by the controller's mu.
	pump    *Pump  // nil until its journal was read
	phase   string // "": it turns, or is finished; else beginning, failed or stopped
	trouble string // what keeps it from turning
}

// What may keep a campaign from turning.
const (
	beginning = "beginning" // recorded; it begins once its journal can be read and written
	failed    = "failed"    // its journal does not fold
	stopped   = "stopped"   // another controller took it over
)

// NewController takes over every unfinished campaign of the journal and turns it until ctx ends.
// Chores are not ended with ctx: what they do in the world goes on.
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
		c.together.Expect(id) // none begins a turn before it is known what the others hold
	}
	for _, id := range ids {
		c.open(id)
	}
	return c, nil
}

// open makes a run of a recorded campaign and turns it; if that cannot be at once, as soon as it can.
func (c *Controller) open(id string) {
	r := &run{id: id, wake: make(chan struct{}, 1), phase: beginning}
	c.mu.Lock()
	c.runs[id] = r
	c.order = append(c.order, id)
	c.mu.Unlock()
	ready := c.takeOver(r)
	c.wg.Add(1)
	go func() {
		defer c.wg.Done()
		for wait := time.Second; !ready; wait = min(2*wait, time.Minute) {
			if c.over(r) || c.clock.Wait(c.ctx, wait) != nil {
				return
			}
			ready = c.takeOver(r)
		}
		c.turn(r)
	}()
}

// over: it will not turn in this process.
func (c *Controller) over(r *run) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return r.phase == failed || r.phase == stopped
}

// takeOver reads the campaign's journal and records in it that this controller has it.
func (c *Controller) takeOver(r *run) bool {
	var p *Pump
	d := c.dispatcher(func() Campaign { return p.Campaign() })
	wake := func() {
		select {
		case r.wake <- struct{}{}:
		default: // it is awake already
		}
	}
	p, err := Open(c.ctx, c.journal, r.id, c.generation, c.clock, d, wake)
	var unreadable *UnreadableError
	if errors.As(err, &unreadable) || err == nil || errors.Is(err, store.ErrConflict) {
		c.together.Join(r.id, p, err != nil)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err == nil:
		r.pump, r.phase, r.trouble = p, "", ""
		return true
	case errors.As(err, &unreadable):
		r.pump, r.phase, r.trouble = p, failed, err.Error()
	case errors.Is(err, store.ErrConflict):
		r.pump, r.phase, r.trouble = p, stopped, err.Error()
	default:
		r.trouble = "it is recorded and begins as soon as its journal can be read and written: " + err.Error()
	}
	c.log.Error("the campaign does not begin", "campaign", r.id, "error", err)
	return false
}

// stop ends the turning of a campaign that another controller has taken over.
func (c *Controller) stop(id string, why error) {
	c.log.Error("another controller took the campaign over: this one stops", "campaign", id, "error", why)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.together.Freeze(id)
	r := c.runs[id]
	r.phase, r.trouble = stopped, why.Error()
	select {
	case r.wake <- struct{}{}: // so that it ends
	default:
	}
}

// turn turns one campaign until ctx ends, it is finished, or another controller takes over.
func (c *Controller) turn(r *run) {
	var said time.Time
	c.wakeChildren(r.id)
	for {
		next, err := r.pump.Turn(c.ctx)
		if err == nil {
			if err = c.succeed(r); err != nil && !errors.Is(err, store.ErrConflict) {
				c.log.Error("a child campaign does not get its parent's place yet", "campaign", r.id, "error", err)
				next, err = soonest(next, c.clock.Now().Add(2*time.Second)), nil
			}
		}
		over := false
		r.pump.Read(func(s *execution.State) { over = s.Phase == execution.PhaseFinished })
		switch {
		case over:
			c.wakeChildren(r.id)
			return
		case c.ctx.Err() != nil || c.over(r):
			return
		case errors.Is(err, store.ErrConflict):
			c.stop(r.id, err)
			return
		case err != nil:
			c.log.Error("turning the campaign failed", "campaign", r.id, "error", err)
			next = c.clock.Now().Add(2 * time.Second)
		}
		if behind := r.pump.Behind(); behind > 0 && time.Since(said) > time.Minute {
			said = time.Now()
			c.log.Error("the clock was set back behind the journal: no disruption begins until it has caught up", "campaign", r.id, "behind", behind)
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

// soonest of a moment, zero for none, and another one.
func soonest(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// Wait returns once every campaign has stopped turning.
func (c *Controller) Wait() { c.wg.Wait() }
