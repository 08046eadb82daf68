// Package engine turns the machine: it stores the facts that execution
// decides, starts the chores that should be in flight, and stores what they
// came to. Facts are durable before any chore starts.
//
// It decides nothing about hosts, instances or tenants itself. Start reading
// at Pump.Turn (one turn of the machine), then Perform (what a chore does to
// the world), then Controller (all campaigns of one process) and Succeed (a
// child takes its parent's place). local/ runs chores as goroutines.
//
// What may go wrong, and what comes of it:
//   - The journal cannot be written: nothing is decided, no answer is lost.
//   - Another controller writes to a journal: this one stops deciding for that
//     campaign; status shows it and orders are refused.
//   - A journal does not fold: that campaign is shown as failed, others go on.
//   - A bug, also one in a chore: the campaign halts, once, with the reason.
//   - The clock is set back by more than 5 s: no disruption begins until it
//     has caught up with the journal; who was stopped is brought back.
//   - The process ends: what is under way in the world goes on there.
package engine

import (
	"context"
	"time"

	"github.com/evenkeel/evenkeel/internal/execution"
)

// Clock is the time of day and the waiting.
type Clock interface {
	Now() time.Time
	// Wait returns after d, or with ctx's error once it ends.
	Wait(ctx context.Context, d time.Duration) error
}

// Dispatcher runs chores.
type Dispatcher interface {
	// Start begins a chore and returns at once. report is called once, with the facts that it came
	// to, also after cancel; it may be called from any goroutine. A chore that panics reports
	// CampaignHalted with CodeBug. Only cancel ends a chore early: a server that ends leaves what it
	// began to the world, as a kill would, and the next one finds it there.
	Start(c execution.Chore, report func([]execution.Fact)) (cancel func())
}

// RealClock is the machine's own.
type RealClock struct{}

// Now implements Clock.
func (RealClock) Now() time.Time { return time.Now() }

// Wait implements Clock.
func (RealClock) Wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
