package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/store"
)

// maxSkew is how far the clock may lie behind the last fact before nothing more is decided (law 10).
const maxSkew = 5 * time.Second

// Pump is the machine of one campaign.
type Pump struct {
	journal    store.Journal
	clock      Clock
	dispatcher Dispatcher
	wake       func() // asks for another Turn soon

	mu       sync.Mutex // over all below but inbox
	state    *execution.State
	last     int64 // number of the last stored fact; the state may lie behind it after a bug
	inflight map[string]func()
	broken   bool // a bug was met: nothing more is decided in this process

	inboxMu sync.Mutex
	inbox   []answer
}

// answer is what a chore came to.
type answer struct {
	key   string
	facts []execution.Fact
}

// Open folds a campaign's journal and records that this controller, of the given generation, took
// it over. wake is called when Turn should be called again.
func Open(ctx context.Context, j store.Journal, campaign string, generation int64, clock Clock, d Dispatcher, wake func()) (*Pump, error) {
	p := &Pump{journal: j, clock: clock, dispatcher: d, wake: wake, state: execution.New(), inflight: map[string]func(){}}
	if err := j.Read(ctx, campaign, 0, p.state.Apply); err != nil {
		return nil, err
	}
	p.last = p.state.Seq
	if p.state.Phase == execution.PhaseFinished {
		return p, nil
	}
	err := p.append(ctx, []execution.Fact{{Kind: execution.ControllerTook, Who: execution.Engine, Generation: generation, Why: "controller started"}})
	return p, err
}

// now is the clock, never before the last fact, in whole milliseconds.
func (p *Pump) now() time.Time {
	now := p.clock.Now().UTC().Truncate(time.Millisecond)
	if now.Before(p.state.At) {
		return p.state.At
	}
	return now
}

// append stores facts and then folds them. Facts of chores carry no moment yet.
func (p *Pump) append(ctx context.Context, facts []execution.Fact) error {
	now := p.now()
	for i := range facts {
		facts[i].At, facts[i].Campaign = now, p.state.Campaign
		if facts[i].Revision == 0 {
			facts[i].Revision = p.state.Revision
		}
		if facts[i].Who == "" {
			facts[i].Who = execution.Engine
		}
	}
	for _, f := range facts {
		if err := p.state.Accepts(f); err != nil {
			return bug("not stored: %v", err)
		}
	}
	stored, err := p.journal.Append(ctx, p.state.Campaign, p.last, facts)
	if err != nil {
		return err
	}
	p.last += int64(len(stored))
	for _, f := range stored {
		if err := p.state.Apply(f); err != nil {
			return bug("%v", err)
		}
	}
	return nil
}

// Turn stores what chores came to, decides until nothing comes, starts what should be in flight and
// stops what should not. It gives the moment at which it wants to be called again; zero: when woken.
// After an error nothing was lost; ErrConflict means that another controller has taken over.
func (p *Pump) Turn(ctx context.Context) (next time.Time, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer func() {
		if r := recover(); r != nil {
			err = p.halt(ctx, fmt.Sprintf("%v\n%s", r, debug.Stack()))
		}
	}()
	if err := p.take(ctx); err != nil {
		return time.Time{}, p.orHalt(ctx, err)
	}
	if behind := p.state.At.Sub(p.clock.Now()); behind > maxSkew {
		return p.clock.Now().Add(time.Second), nil // the clock was set back: wait until it has caught up
	}
	if p.broken {
		return time.Time{}, nil
	}
	for range maxDecisions {
		facts := p.state.Decide(p.now())
		if len(facts) == 0 {
			return p.dispatch(), nil
		}
		if err := p.append(ctx, facts); err != nil {
			return time.Time{}, p.orHalt(ctx, err)
		}
	}
	return time.Time{}, p.halt(ctx, fmt.Sprintf("%d decisions in one turn without coming to rest", maxDecisions))
}

// maxDecisions bounds one turn: each decision changes something, so more is a bug.
const maxDecisions = 1_000_000

type bugError string

func (b bugError) Error() string { return string(b) }

func bug(format string, args ...any) error { return bugError(fmt.Sprintf(format, args...)) }

func (p *Pump) orHalt(ctx context.Context, err error) error {
	var b bugError
	if errors.As(err, &b) {
		return p.halt(ctx, b.Error())
	}
	return err
}

// halt makes a bug a held campaign: what is in flight goes on, nothing new begins.
func (p *Pump) halt(ctx context.Context, why string) error {
	if p.broken {
		return nil // it was said
	}
	p.broken = true
	if len(why) > 4000 {
		why = why[:4000]
	}
	now := p.now()
	_, err := p.journal.Append(ctx, p.state.Campaign, p.last, []execution.Fact{{At: now, Kind: execution.CampaignHalted, Who: execution.Engine,
		Revision: p.state.Revision, Code: execution.CodeBug, Why: why}})
	if err == nil {
		p.last++
		p.state.Phase, p.state.PhaseWhy, p.state.Seq, p.state.At = execution.PhaseHalted, why, p.last, now
	}
	return errors.Join(fmt.Errorf("campaign %s is halted by a bug: %s", p.state.Campaign, why), err)
}

// take stores the answers that came in. An answer of a chore that is not in flight any more was
// given up: what it says is read again from the world, never believed late.
func (p *Pump) take(ctx context.Context) (err error) {
	for {
		p.inboxMu.Lock()
		if len(p.inbox) == 0 {
			p.inboxMu.Unlock()
			return nil
		}
		a := p.inbox[0]
		p.inboxMu.Unlock()
		if _, ours := p.inflight[a.key]; ours && len(a.facts) > 0 && p.state.Phase != execution.PhaseFinished {
			var b bugError
			if err = p.append(ctx, a.facts); err != nil && !errors.As(err, &b) {
				return err // it stays in the inbox: nothing is lost while the journal cannot be written
			}
		}
		delete(p.inflight, a.key)
		p.inboxMu.Lock()
		p.inbox = p.inbox[1:]
		p.inboxMu.Unlock()
		if err != nil {
			return err
		}
	}
}

// dispatch starts and stops chores so that what is in flight is what the state says.
func (p *Pump) dispatch() (next time.Time) {
	now := p.now()
	next = p.state.Wake(now)
	want := map[string]bool{}
	for _, c := range p.state.Outstanding(now) {
		want[c.Key] = true
		if _, runs := p.inflight[c.Key]; runs {
			continue
		}
		if c.NotBefore.After(now) {
			if next.IsZero() || c.NotBefore.Before(next) {
				next = c.NotBefore
			}
			continue
		}
		p.inflight[c.Key] = p.dispatcher.Start(c, func(facts []execution.Fact) {
			p.inboxMu.Lock()
			p.inbox = append(p.inbox, answer{c.Key, facts})
			p.inboxMu.Unlock()
			p.wake()
		})
	}
	for key, cancel := range p.inflight {
		if !want[key] {
			cancel()
			delete(p.inflight, key)
		}
	}
	return next
}

// Stop cancels what is in flight; the journal says what to go on with.
func (p *Pump) Stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, cancel := range p.inflight {
		cancel()
	}
}

// Read calls fn with the state; fn must not keep or change it.
func (p *Pump) Read(fn func(*execution.State)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fn(p.state)
}

// Command records what an operator said. check looks at the state first, fills the fact in, and may
// refuse.
func (p *Pump) Command(ctx context.Context, f *execution.Fact, check func(*execution.State) error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := check(p.state); err != nil {
		return err
	}
	if err := p.append(ctx, []execution.Fact{*f}); err != nil {
		return err
	}
	if f.Kind == execution.CampaignResumed {
		p.broken = false
	}
	p.wake()
	return nil
}
