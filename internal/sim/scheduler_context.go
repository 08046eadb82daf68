package sim

import (
	"context"
	"maps"
	"slices"
	"time"
)

// virtual is a context whose deadline is a virtual moment. All of it happens in the goroutine that
// holds the baton, so whoever cancels it has woken the waiters, in order, when the call returns.
type virtual struct {
	parent   context.Context
	s        *Scheduler
	deadline time.Time // zero: none of its own
	done     chan struct{}
	err      error
	nextID   int
	waiting  map[int]func() // called in the order of their ids
	forget   func()         // takes it off its parent
}

type virtualKey struct{}

// background is the context that a process starts with.
func (s *Scheduler) background(*Process) context.Context {
	return &virtual{parent: context.Background(), s: s, done: make(chan struct{}), forget: func() {}}
}

// WithCancel gives a child context and the function that ends it. Whoever waits on the child
// wakes at the virtual moment of the call.
func (s *Scheduler) WithCancel(parent context.Context) (context.Context, context.CancelFunc) {
	return s.WithDeadline(parent, time.Time{})
}

// WithTimeout is WithDeadline counted from now.
func (s *Scheduler) WithTimeout(parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return s.WithDeadline(parent, s.now.Add(d))
}

// WithDeadline gives a child context that ends at the virtual moment t with
// context.DeadlineExceeded, or before that when its parent ends or cancel is called. The zero t
// sets no deadline.
func (s *Scheduler) WithDeadline(parent context.Context, t time.Time) (context.Context, context.CancelFunc) {
	c := &virtual{parent: parent, s: s, deadline: t, done: make(chan struct{}), forget: func() {}}
	if err := parent.Err(); err != nil {
		c.end(err)
		return c, func() {}
	}
	c.forget = s.onEnd(parent, func() { c.end(parent.Err()) })
	if !t.IsZero() {
		s.At(t, func() { c.end(context.DeadlineExceeded) })
	}
	return c, func() { c.end(context.Canceled) }
}

func (c *virtual) Deadline() (time.Time, bool) {
	at, ok := c.parent.Deadline()
	if !c.deadline.IsZero() && (!ok || c.deadline.Before(at)) {
		return c.deadline, true
	}
	return at, ok
}

func (c *virtual) Done() <-chan struct{} { return c.done }
func (c *virtual) Err() error            { return c.err }

func (c *virtual) Value(key any) any {
	if key == (virtualKey{}) {
		return c
	}
	return c.parent.Value(key)
}

// AfterFunc lets the standard library's derived contexts end at the same moment, at once and in
// this goroutine, without one of their own (see context.AfterFunc).
func (c *virtual) AfterFunc(f func()) (stop func() bool) {
	if c.err != nil {
		f()
		return func() bool { return false }
	}
	id := c.add(f)
	return func() bool { return c.remove(id) }
}

func (c *virtual) add(f func()) int {
	if c.waiting == nil {
		c.waiting = map[int]func(){}
	}
	c.nextID++
	c.waiting[c.nextID] = f
	return c.nextID
}

func (c *virtual) remove(id int) bool {
	_, there := c.waiting[id]
	delete(c.waiting, id)
	return there
}

func (c *virtual) end(err error) {
	if c.err != nil {
		return
	}
	c.err = err
	close(c.done)
	c.forget()
	waiting := c.waiting
	c.waiting = nil
	for _, id := range slices.Sorted(maps.Keys(waiting)) {
		waiting[id]()
	}
}

// watch is a context of another make: it cannot tell us when it ends, so it is looked at.
type watch struct {
	ctx  context.Context
	f    func()
	gone bool
}

// onEnd calls f once, in the baton's goroutine, when ctx ends; the function it gives takes that back.
func (s *Scheduler) onEnd(ctx context.Context, f func()) (forget func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	if v, ok := ctx.Value(virtualKey{}).(*virtual); ok && v.Done() == ctx.Done() {
		id := v.add(f)
		return func() { v.remove(id) }
	}
	w := &watch{ctx: ctx, f: f}
	s.foreign = append(s.foreign, w)
	return func() { w.gone = true }
}

// lookAtForeign finds the foreign contexts that the last step ended. Ending them is synchronous in
// the step, so the order found here is the same in every run.
func (s *Scheduler) lookAtForeign() {
	watched := s.foreign
	kept := watched[:0]
	var due []*watch
	for _, w := range watched {
		switch {
		case w.gone:
		case w.ctx.Err() != nil:
			due = append(due, w)
		default:
			kept = append(kept, w)
		}
	}
	clear(watched[len(kept):])
	s.foreign = kept
	for _, w := range due {
		w.f()
	}
}
