// Package local is the dispatcher of one process: each chore a goroutine.
//
// Looks and tells are bounded, since a campaign may want thousands of them at
// once: the rest wait in a queue, in the order in which they came. What acts on
// hosts and instances is never queued: execution bounds it by policy.
//
// It never ends a chore because the process ends. A migration that is under
// way goes on in the hypervisors, and the next server finds it there; to give
// it up because somebody stopped the server would be an act.
package local

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/evenkeel/evenkeel/internal/engine"
	"github.com/evenkeel/evenkeel/internal/execution"
)

// AtOnce is how many looks, and how many tells, one campaign has in flight.
const AtOnce = 16

// Dispatcher runs chores of one campaign as goroutines.
type Dispatcher struct {
	world        engine.World
	campaign     func() engine.Campaign
	looks, tells lane
}

// New makes a dispatcher. campaign gives what chores need to know.
func New(w engine.World, campaign func() engine.Campaign) *Dispatcher {
	return &Dispatcher{world: w, campaign: campaign}
}

// Start implements engine.Dispatcher.
func (d *Dispatcher) Start(c execution.Chore, report func([]execution.Fact)) func() {
	ctx, cancel := context.WithCancel(context.Background())
	run := func() {
		defer cancel()
		defer func() {
			if r := recover(); r != nil {
				report([]execution.Fact{{Kind: execution.CampaignHalted, Code: execution.CodeBug, Why: fmt.Sprintf("chore %s: %v\n%s", c.Key, r, debug.Stack())}})
			}
		}()
		if ctx.Err() != nil {
			report(nil) // cancelled while it waited
			return
		}
		report(engine.Perform(ctx, d.world, d.campaign(), c))
	}
	switch c.Kind {
	case execution.ChoreLook:
		d.looks.add(run)
	case execution.ChoreTell:
		d.tells.add(run)
	default:
		go run()
	}
	return cancel
}

// lane runs at most AtOnce functions at once.
type lane struct {
	mu      sync.Mutex
	busy    int
	waiting []func()
}

func (l *lane) add(run func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.busy == AtOnce {
		l.waiting = append(l.waiting, run)
		return
	}
	l.busy++
	go func() {
		for run != nil {
			run()
			run = l.next()
		}
	}()
}

// next is what has waited longest; nil when nothing does, and then a place is free.
func (l *lane) next() func() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == 0 {
		l.busy--
		return nil
	}
	run := l.waiting[0]
	l.waiting = l.waiting[1:]
	return run
}
