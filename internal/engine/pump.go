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

// maxSkew is how far the clock may lie behind the last fact before no disruption begins (law 10).
const maxSkew = 5 * time.Second

// Pump is the machine of one campaign.
type Pump struct {
	journal    store.Journal
	clock      Clock
	dispatcher Dispatcher
	wake       func() // asks for another Turn soon

	mu       *sync.Mutex // over all below but inbox; that of all campaigns which are turned together
	together *Together   // nil: this one alone
	state    *execution.State
	last     int64 // number of the last stored fact; the state may lie behind it after a bug
	inflight map[string]flight
	starts   int64 // chores begun so far
	broken   bool  // a bug was met: nothing more is decided in this process

	known lookup // of plan and fleet, which never change within a journal; only read

	inboxMu sync.Mutex
	inbox   []answer
}

// flight is a chore that was begun and has not answered.
type flight struct {
	start  int64 // which start it was: a key may be begun again after it was cancelled
	since  time.Time
	cancel func()
}

// UnreadableError says that a journal does not fold: this binary cannot go on with its campaign.
type UnreadableError struct{ Err error }

func (e *UnreadableError) Error() string { return "the journal does not fold: " + e.Err.Error() }

// Unwrap gives the cause.
func (e *UnreadableError) Unwrap() error { return e.Err }

// Open folds a campaign's journal and records that this controller, of the given generation, took
// it over. wake is called when Turn should be called again. Of a journal that does not fold it gives
// the state up to the fact that it stumbled over, to be read only, and an UnreadableError.
func Open(ctx context.Context, j store.Journal, campaign string, generation int64, clock Clock, d Dispatcher, wake func()) (*Pump, error) {
	p := &Pump{journal: j, clock: clock, dispatcher: d, wake: wake, state: execution.New(), inflight: map[string]flight{}, mu: new(sync.Mutex)}
	if err := j.Read(ctx, campaign, 0, p.fold); err != nil {
		return p, err
	}
	if p.state.Plan == nil {
		return p, &UnreadableError{errors.New("it holds no plan")}
	}
	p.last = p.state.Seq
	p.known = newLookup(p.state.Plan, p.state.Fleet)
	if p.state.Phase == execution.PhaseFinished {
		return p, nil
	}
	return p, p.append(ctx, []execution.Fact{{Kind: execution.ControllerTook, Who: execution.Engine, Generation: generation, Why: "controller started"}})
}

// fold takes a stored fact in. A panic is that campaign's trouble, not the process's.
func (p *Pump) fold(f execution.Fact) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &UnreadableError{fmt.Errorf("fact %d: %v", f.Seq, r)}
		}
	}()
	if err := p.state.Apply(f); err != nil {
		return &UnreadableError{err}
	}
	return nil
}

// now is the clock, never before the last fact, in whole milliseconds.
func (p *Pump) now() time.Time {
	now := p.clock.Now().UTC().Truncate(time.Millisecond)
	if now.Before(p.state.At) {
		return p.state.At
	}
	return now
}

// sign fills in what chores leave out of their facts, and says whether the state would take them.
func (p *Pump) sign(facts []execution.Fact) error {
	now := p.now()
	for i := range facts {
		facts[i].At, facts[i].Campaign = now, p.state.Campaign
		if facts[i].Revision == 0 {
			facts[i].Revision = p.state.Revision
		}
		if facts[i].Who == "" {
			facts[i].Who = execution.Engine
		}
		if err := p.state.Accepts(facts[i]); err != nil {
			return bug("not stored: %v", err)
		}
	}
	return nil
}

// append stores facts and then folds them.
func (p *Pump) append(ctx context.Context, facts []execution.Fact) error {
	if err := p.sign(facts); err != nil {
		return err
	}
	stored, err := p.journal.Append(ctx, p.state.Campaign, p.last, facts)
	if err != nil {
		return err
	}
	p.last += int64(len(stored))
	for _, f := range stored {
		if err := p.fold(f); err != nil {
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
	p.meet()
	defer p.rouse(p.last)
	if err := p.take(ctx); err != nil {
		return time.Time{}, p.orHalt(ctx, err)
	}
	if p.broken {
		return time.Time{}, nil
	}
	for range maxDecisions {
		facts := p.held().Decide(p.now())
		if len(facts) == 0 {
			return p.dispatch(), nil
		}
		if err := p.append(ctx, facts); err != nil {
			return time.Time{}, p.orHalt(ctx, err)
		}
	}
	return time.Time{}, p.halt(ctx, fmt.Sprintf("%d decisions in one turn without coming to rest", maxDecisions))
}

// behind is how far the clock lies behind the last fact; 0 within the skew that is allowed.
func (p *Pump) behind() time.Duration {
	if d := p.state.At.Sub(p.clock.Now()); d > maxSkew {
		return d
	}
	return 0
}

// Behind is how far the clock was set back behind the last fact: no disruption begins until it has
// caught up. 0 within the skew that is allowed.
func (p *Pump) Behind() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.behind()
}

// held is the state on which is decided: the campaign's own or, while the clock lies behind, the same
// one as if paused. Time stands still in it then: no disruption begins, and whoever was stopped is
// brought back, once; what waits for a moment (a retry, a renewed look) waits for the clock.
func (p *Pump) held() *execution.State {
	if p.state.Phase != execution.PhaseRunning || p.behind() == 0 {
		return p.state
	}
	s := *p.state
	s.Phase = execution.PhasePaused
	return &s
}

// maxDecisions bounds one turn: each decision changes something, so more is a bug.
const maxDecisions = 1_000_000

// dispatch starts and stops chores so that what is in flight is what the state says.
func (p *Pump) dispatch() (next time.Time) {
	now, s := p.now(), p.held()
	next = s.Wake(now)
	want := map[string]bool{}
	for _, c := range s.Outstanding(now) {
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
		p.start(c, now)
	}
	for key, f := range p.inflight {
		if !want[key] {
			f.cancel()
			delete(p.inflight, key)
		}
	}
	if p.behind() > 0 {
		return p.clock.Now().Add(time.Second) // see whether it has caught up
	}
	return next
}

func (p *Pump) start(c execution.Chore, now time.Time) {
	p.starts++
	n := p.starts
	cancel := p.dispatcher.Start(c, func(facts []execution.Fact) {
		p.inboxMu.Lock()
		p.inbox = append(p.inbox, answer{c.Key, n, facts})
		p.inboxMu.Unlock()
		p.wake()
	})
	p.inflight[c.Key] = flight{n, now, cancel}
}

// Read calls fn with the state; fn must not keep or change it.
func (p *Pump) Read(fn func(*execution.State)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.meet()
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
	defer p.rouse(p.last)
	if err := p.append(ctx, []execution.Fact{*f}); err != nil {
		return err
	}
	if f.Kind == execution.CampaignResumed {
		p.broken = false
	}
	p.wake()
	return nil
}
