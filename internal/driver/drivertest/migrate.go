package drivertest

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
)

// soon is how long after its context a call may still take: for an abort and for reading both ends.
const soon = 30 * time.Second

func (s *suite) request(instance string, from, to driver.Host) driver.MigrateRequest {
	return driver.MigrateRequest{Fence: fence("empty"), Instance: instance, From: from, To: to, AutoConverge: true, StuckFor: time.Minute}
}

// slow is a request for a migration that lasts long enough to be broken.
func (s *suite) slow() driver.MigrateRequest {
	r := s.request(s.Slow, s.a, s.b)
	r.BandwidthMiB = s.SlowMiBps
	return r
}

// move migrates and checks that both ends prove it.
func (s *suite) move(t *testing.T, m driver.Migrator, instance string, from, to driver.Host) driver.MigrateOutcome {
	t.Helper()
	out, err := m.Migrate(s.ctx(t), s.request(instance, from, to))
	noError(t, err)
	if !out.Ends.Moved() {
		t.Fatalf("no error, and the ends are %+v", out.Ends)
	}
	s.mustRunOnly(t, instance, to)
	return out
}

// home brings an instance back to A at the end of a case, wherever it was left.
func (s *suite) home(t *testing.T, instance string) {
	t.Helper()
	m, ok := s.Driver.(driver.Migrator)
	if !ok {
		return
	}
	on := s.runningOn(t, instance)
	if slices.Equal(on, []string{s.b.ID}) {
		s.move(t, m, instance, s.b, s.a)
		return
	}
	s.mustRunOnly(t, instance, s.a)
}

// started is a migration in the background.
type started struct {
	done    chan struct{}
	out     driver.MigrateOutcome
	err     error
	began   time.Time
	ended   time.Time
	moving  chan struct{} // closed at the first sign of the running job
	onceOff sync.Once
}

// start begins a slow migration and waits until it is seen to run.
func (s *suite) start(ctx context.Context, t *testing.T, m driver.Migrator) *started {
	t.Helper()
	r := s.slow()
	b := &started{done: make(chan struct{}), moving: make(chan struct{}), began: time.Now()}
	r.Progress = func(driver.Progress) { b.onceOff.Do(func() { close(b.moving) }) }
	go func() {
		defer close(b.done)
		b.out, b.err = m.Migrate(ctx, r)
		b.ended = time.Now()
	}()
	select {
	case <-b.moving:
	case <-b.done:
		t.Fatalf("the migration was over before it was seen to run (%+v, %v): %s is not slow enough", b.out, b.err, s.Slow)
	case <-time.After(s.Limit):
		t.Fatal("the migration was never seen to run")
	}
	return b
}

func (b *started) wait(t *testing.T, limit time.Duration) {
	t.Helper()
	select {
	case <-b.done:
	case <-time.After(limit):
		t.Fatalf("the migration did not end within %s", limit)
	}
}

func migrateMissing(t *testing.T, s *suite) {
	m := as[driver.Migrator](t, s)
	out, err := m.Migrate(s.ctx(t), s.request("no-such-instance", s.a, s.b))
	wantError(t, err, driver.CodeNotFound)
	if want := (driver.Ends{Source: driver.IsAbsent, Destination: driver.IsAbsent}); out.Ends != want {
		t.Errorf("ends %+v, want %+v", out.Ends, want)
	}
}

func migrateThereAndBack(t *testing.T, s *suite) {
	m := as[driver.Migrator](t, s)
	id := s.Movable[0]
	if out := s.move(t, m, id, s.a, s.b); out.Already {
		t.Error("the first move says that it was there already")
	}
	if out := s.move(t, m, id, s.a, s.b); !out.Already {
		t.Error("the same move again does not say Already")
	}
	if out := s.move(t, m, id, s.b, s.a); out.Already {
		t.Error("the way back says that it was there already")
	}
}

func migrateWithoutTime(t *testing.T, s *suite) {
	m := as[driver.Migrator](t, s)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	out, err := m.Migrate(ctx, s.request(s.Movable[0], s.a, s.b))
	wantError(t, err, driver.CodeDeadline)
	if !out.Ends.Stayed() {
		t.Errorf("ends %+v: they must be read all the same, and nothing may have moved", out.Ends)
	}
	s.mustRunOnly(t, s.Movable[0], s.a)
}

func migrateDeadline(t *testing.T, s *suite) {
	m := as[driver.Migrator](t, s)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b := s.start(ctx, t, m)
	deadline := time.Now()
	cancel() // the moment of the deadline
	b.wait(t, soon)
	if late := b.ended.Sub(deadline); late > soon {
		t.Errorf("the call ended %s after its context", late)
	}
	switch {
	case b.out.Ends.Stayed():
		wantError(t, b.err, driver.CodeDeadline, driver.CodeAborted)
		s.mustRunOnly(t, s.Slow, s.a)
	case b.out.Ends.Moved():
		noError(t, b.err)
		s.mustRunOnly(t, s.Slow, s.b)
	default: // still in the switch-over: the driver says so, and it settles by itself
		wantError(t, b.err, driver.CodeDeadline, driver.CodeUnreachable, driver.CodeSplit)
		until(t, s.Limit, "single place where "+s.Slow+" runs", func() bool { return len(s.runningOn(t, s.Slow)) == 1 })
	}
	s.home(t, s.Slow)
}

func migrateAbort(t *testing.T, s *suite) {
	m, a := as[driver.Migrator](t, s), as[driver.Aborter](t, s)
	b := s.start(s.ctx(t), t, m)
	noError(t, a.AbortMigration(s.ctx(t), fence("empty"), s.a, s.Slow))
	b.wait(t, soon)
	if !b.out.Ends.Stayed() {
		t.Errorf("after an abort in mid-copy the ends are %+v", b.out.Ends)
	}
	wantError(t, b.err, driver.CodeAborted)
	s.mustRunOnly(t, s.Slow, s.a)
	noError(t, a.AbortMigration(s.ctx(t), fence("empty"), s.a, s.Slow)) // nothing is left to abort
}

func migrateConcurrently(t *testing.T, s *suite) {
	m := as[driver.Migrator](t, s)
	if len(s.Movable) < 2 {
		t.Skip("the lab has one movable instance")
	}
	for _, way := range [][2]driver.Host{{s.a, s.b}, {s.b, s.a}} {
		var all sync.WaitGroup
		for _, id := range s.Movable {
			all.Go(func() {
				out, err := m.Migrate(s.ctx(t), s.request(id, way[0], way[1]))
				if err != nil || !out.Ends.Moved() {
					t.Errorf("%s: %+v, %v", id, out, err)
				}
			})
		}
		all.Wait()
		for _, id := range s.Movable {
			s.mustRunOnly(t, id, way[1])
		}
	}
}

func migrateNoRoom(t *testing.T, s *suite) {
	m := as[driver.Migrator](t, s)
	if s.TooBig == "" {
		t.Skip("the lab has no instance that is too big for B")
	}
	out, err := m.Migrate(s.ctx(t), s.request(s.TooBig, s.a, s.b))
	wantError(t, err, driver.CodeNoRoom)
	if !out.Ends.Stayed() {
		t.Errorf("ends %+v", out.Ends)
	}
	s.mustRunOnly(t, s.TooBig, s.a)
}

func migrateToSilent(t *testing.T, s *suite) {
	m := as[driver.Migrator](t, s)
	if s.Silent == (driver.Host{}) {
		t.Skip("the lab has no silent host")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	began := time.Now()
	out, err := m.Migrate(ctx, s.request(s.Movable[0], s.a, s.Silent))
	if took := time.Since(began); took > 3*time.Second+soon {
		t.Errorf("it took %s with a context of 3 s", took)
	}
	wantError(t, err, driver.CodeUnreachable, driver.CodeDeadline)
	if want := (driver.Ends{Source: driver.IsRunning, Destination: driver.IsUnreachable}); out.Ends != want {
		t.Errorf("ends %+v, want %+v: what cannot be read is never 'absent'", out.Ends, want)
	}
	s.mustRunOnly(t, s.Movable[0], s.a)
}

func killDestination(t *testing.T, s *suite) {
	m := as[driver.Migrator](t, s)
	if s.KillDestinationMidCopy == nil {
		t.Skip("the lab cannot kill the receiving process")
	}
	b := s.start(s.ctx(t), t, m)
	s.KillDestinationMidCopy(t, s.Slow)
	b.wait(t, s.Limit)
	wantError(t, b.err, driver.CodeFailed, driver.CodeAborted, driver.CodeUnreachable)
	if !b.out.Ends.Stayed() {
		t.Errorf("ends %+v", b.out.Ends)
	}
	s.mustRunOnly(t, s.Slow, s.a)
}

func cutNetwork(t *testing.T, s *suite) {
	m := as[driver.Migrator](t, s)
	if s.CutNetwork == nil {
		t.Skip("the lab cannot cut a network")
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b := s.start(ctx, t, m)
	restore := s.CutNetwork(t, s.b)
	undo := sync.OnceFunc(restore)
	defer undo()
	cancel() // nobody will ever answer: the call must end by itself soon after its context
	b.wait(t, soon)
	wantError(t, b.err, driver.CodeDeadline, driver.CodeUnreachable)
	if b.out.Ends.Destination != driver.IsUnreachable {
		t.Errorf("ends %+v: B cannot be read", b.out.Ends)
	}
	undo()
	s.settles(t)
}

func freezeDestination(t *testing.T, s *suite) {
	m := as[driver.Migrator](t, s)
	if s.FreezeDestination == nil {
		t.Skip("the lab cannot freeze a host")
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.FreezeWithin)
	defer cancel()
	b := s.start(ctx, t, m)
	thaw := sync.OnceFunc(s.FreezeDestination(t))
	defer thaw()
	b.wait(t, s.FreezeWithin+soon)
	if b.err == nil || b.out.Ends.Moved() {
		t.Errorf("the destination stood still, and the driver says %+v, %v", b.out, b.err)
	}
	wantError(t, b.err, driver.CodeDeadline, driver.CodeUnreachable, driver.CodeFailed, driver.CodeAborted)
	thaw()
	s.settles(t)
}

// settles: once both hosts answer again the instance runs in one place, and a driver that is asked
// for the same move sees what is so.
func (s *suite) settles(t *testing.T) {
	t.Helper()
	until(t, s.Limit, "answer from both hosts with "+s.Slow+" running at one", func() bool {
		n := 0
		for _, h := range []driver.Host{s.a, s.b} {
			o, err := s.Driver.Observe(s.ctx(t), h)
			if err != nil {
				return false
			}
			i, ok := seen(o, s.Slow)
			if ok && (i.Incoming || i.Migrating) {
				return false
			}
			if ok && i.State == "running" {
				n++
			}
		}
		return n == 1
	})
	s.home(t, s.Slow)
}
