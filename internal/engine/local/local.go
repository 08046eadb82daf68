// Package local is the dispatcher of one process: each chore a goroutine.
package local

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/internal/engine"
	"github.com/evenkeel/evenkeel/internal/execution"
)

// Dispatcher runs chores of one campaign as goroutines.
type Dispatcher struct {
	ctx      context.Context
	world    engine.World
	campaign func() engine.Campaign
	wg       sync.WaitGroup
}

// New makes a dispatcher whose chores end with ctx. campaign gives what chores need to know.
func New(ctx context.Context, w engine.World, campaign func() engine.Campaign) *Dispatcher {
	return &Dispatcher{ctx: ctx, world: w, campaign: campaign}
}

// Start implements engine.Dispatcher.
func (d *Dispatcher) Start(c execution.Chore, report func([]execution.Fact)) func() {
	ctx, cancel := context.WithCancel(d.ctx)
	d.wg.Add(1)
	go func() {
		defer d.wg.Done()
		defer cancel()
		defer func() {
			if r := recover(); r != nil {
				report([]execution.Fact{{Kind: execution.CampaignHalted, Code: execution.CodeBug, Why: fmt.Sprintf("chore %s: %v\n%s", c.Key, r, debug.Stack())}})
			}
		}()
		report(engine.Perform(ctx, d.world, d.campaign(), c))
	}()
	return cancel
}

// Wait returns once all chores have ended, or after most.
func (d *Dispatcher) Wait(most time.Duration) {
	done := make(chan struct{})
	go func() { d.wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(most):
	}
}
