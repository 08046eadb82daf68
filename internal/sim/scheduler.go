package sim

import (
	"container/heap"
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"
)

// Scheduler is virtual time. It runs processes and events one at a time, ordered by (virtual
// moment, order of asking), so that the same seed gives the same run to the byte whatever the
// machine, its load or GOMAXPROCS. It is a Clock of the simulated driver.
//
// A process is a function on its own goroutine that holds a baton while it runs and hands it back
// in Wait and at its end. So code under a Scheduler must wait only through Wait: a process that
// blocks on a channel, a lock held across Wait or the real clock stops the whole world. Methods
// may be called by the process or event that is running, or from outside while Run is not.
type Scheduler struct {
	now     time.Time
	seq     uint64
	queue   queue
	current *Process
	baton   chan struct{}
	parked  map[*Process]struct{}
	foreign []*watch // contexts that this package did not make; looked at after each step
	still   int      // steps since time last moved
	failed  error
	closed  bool
}

// mostStill bounds the steps at one moment: beyond it a process spins without time passing.
const mostStill = 1_000_000

// Process is one thread of the simulated world.
type Process struct {
	name   string
	run    func(context.Context)
	wake   chan struct{}
	turn   uint64 // grows with each wake-up; an event for an older turn is stale
	begun  bool
	ended  bool
	killed bool
}

// Panic is what Run returns when a process or event panicked.
type Panic struct {
	Process string
	At      time.Time
	Value   any
	Stack   []byte
}

func (p *Panic) Error() string {
	return fmt.Sprintf("process %q panicked at %s: %v\n%s", p.Process, p.At.Format(time.RFC3339Nano), p.Value, p.Stack)
}

// NewScheduler starts virtual time at a moment.
func NewScheduler(start time.Time) *Scheduler {
	return &Scheduler{now: start, baton: make(chan struct{}), parked: map[*Process]struct{}{}}
}

// Now is the virtual moment.
func (s *Scheduler) Now() time.Time { return s.now }

// Go begins a process at this moment, after all that was asked for before. Its context ends never;
// the process ends by returning.
func (s *Scheduler) Go(name string, run func(context.Context)) *Process {
	p := &Process{name: name, run: run, wake: make(chan struct{})}
	s.push(s.now, event{process: p, turn: p.turn})
	return p
}

// At calls f at moment t (now, when t is past). f may not Wait.
func (s *Scheduler) At(t time.Time, f func()) {
	if t.Before(s.now) {
		t = s.now
	}
	s.push(t, event{call: f})
}

// Kill ends a process as kill -9 would: it never comes back from the Wait that it is in. Its
// deferred functions run, but a Wait in them does not return either. A process cannot kill itself.
func (s *Scheduler) Kill(p *Process) {
	if p == s.current {
		panic("sim: a process cannot kill itself: return instead")
	}
	if p.ended || p.killed {
		return
	}
	p.killed = true
	p.turn++
	s.push(s.now, event{process: p, turn: p.turn})
}

// Wait sleeps for d, or until ctx ends, and then gives ctx's error. A d of zero or less lets all
// that is due at this moment go first.
func (s *Scheduler) Wait(ctx context.Context, d time.Duration) error {
	p := s.current
	if p == nil {
		panic("sim: Wait outside a process: only a function started with Go may wait")
	}
	if p.killed || s.closed {
		runtime.Goexit()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	turn := p.turn
	s.push(s.now.Add(max(d, 0)), event{process: p, turn: turn})
	forget := s.onEnd(ctx, func() {
		if p.turn == turn { // still in this Wait, and nobody else woke it at this moment
			p.turn++
			s.push(s.now, event{process: p, turn: p.turn})
		}
	})
	s.parked[p] = struct{}{}
	s.baton <- struct{}{}
	<-p.wake
	delete(s.parked, p)
	forget()
	if p.killed || s.closed {
		runtime.Goexit()
	}
	return ctx.Err()
}

// Run goes through all that is due up to and including until, and leaves the clock there. It
// returns a *Panic when a process panicked; the scheduler is then good for Close only.
func (s *Scheduler) Run(until time.Time) error {
	for s.failed == nil && len(s.queue) > 0 && !s.queue[0].at.After(until) {
		s.step()
	}
	if s.failed == nil && s.now.Before(until) {
		s.now = until
	}
	return s.failed
}

// Idle says that nothing is left to happen.
func (s *Scheduler) Idle() bool { return len(s.queue) == 0 }

// step runs the first event.
func (s *Scheduler) step() {
	e := heap.Pop(&s.queue).(event)
	if e.process != nil && (e.process.ended || e.turn != e.process.turn) {
		return
	}
	if s.still++; s.now.Before(e.at) {
		s.now, s.still = e.at, 0
	}
	if s.still > mostStill {
		s.fail(e.name(), fmt.Sprintf("%d steps without time passing: something waits for 0 in a loop", mostStill))
		return
	}
	switch {
	case e.call != nil:
		s.guarded(e.call)
	default:
		e.process.turn++
		s.resume(e.process)
	}
	s.lookAtForeign()
}

// guarded calls an event; its panic is Run's.
func (s *Scheduler) guarded(call func()) {
	defer func() {
		if r := recover(); r != nil {
			s.fail("event", r)
		}
	}()
	call()
}

func (s *Scheduler) fail(name string, value any) {
	if s.failed == nil {
		s.failed = &Panic{Process: name, At: s.now, Value: value, Stack: debug.Stack()}
	}
}

// resume hands the baton to a process and takes it back.
func (s *Scheduler) resume(p *Process) {
	s.current = p
	switch {
	case p.begun:
		p.wake <- struct{}{}
		<-s.baton
	case p.killed || s.closed:
		p.ended = true // it never began
	default:
		p.begun = true
		go s.live(p)
		<-s.baton
	}
	s.current = nil
}

// live is a process's goroutine.
func (s *Scheduler) live(p *Process) {
	defer func() {
		if r := recover(); r != nil {
			s.fail(p.name, r)
		}
		p.ended = true
		s.baton <- struct{}{}
	}()
	p.run(s.background(p))
}

// Close ends every process that is left. No goroutine remains after it.
func (s *Scheduler) Close() {
	s.closed = true
	for len(s.parked) > 0 {
		for p := range s.parked { // any order: none of them acts any more
			s.resume(p)
		}
	}
	s.queue, s.foreign = nil, nil
}

func (s *Scheduler) push(at time.Time, e event) {
	if s.closed {
		return
	}
	s.seq++
	e.at, e.seq = at, s.seq
	heap.Push(&s.queue, e)
}

// event is one entry of the queue: a call, or the wake-up of a process.
type event struct {
	at      time.Time
	seq     uint64
	call    func()
	process *Process
	turn    uint64
}

func (e event) name() string {
	if e.process == nil {
		return "event"
	}
	return e.process.name
}

// queue is a heap of events by (moment, order of asking).
type queue []event

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	if !q[i].at.Equal(q[j].at) {
		return q[i].at.Before(q[j].at)
	}
	return q[i].seq < q[j].seq
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(event)) }
func (q *queue) Pop() any {
	old := *q
	e := old[len(old)-1]
	old[len(old)-1] = event{}
	*q = old[:len(old)-1]
	return e
}
