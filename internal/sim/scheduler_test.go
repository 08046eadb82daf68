package sim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var dawn = time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)

// after is a moment so long after dawn.
type anyKey struct{}

func after(d time.Duration) time.Time { return dawn.Add(d) }

func run(t testing.TB, s *Scheduler, d time.Duration) {
	t.Helper()
	if err := s.Run(after(d)); err != nil {
		t.Fatal(err)
	}
}

func TestProcessesRunByTimeThenByOrderOfAsking(t *testing.T) {
	s := NewScheduler(dawn)
	defer s.Close()
	var got []string
	say := func(what string) { got = append(got, fmt.Sprintf("%s@%s", what, s.Now().Sub(dawn))) }
	for _, name := range []string{"a", "b"} {
		s.Go(name, func(ctx context.Context) {
			say(name + "1")
			s.Wait(ctx, time.Second)
			say(name + "2")
			s.Wait(ctx, 0)
			say(name + "3")
		})
	}
	s.At(after(time.Second), func() { say("event") })
	s.At(after(500*time.Millisecond), func() { say("early") })
	run(t, s, time.Minute)
	// The event was asked for before the processes asked to wait, so it goes first at 1 s.
	want := "a1@0s b1@0s early@500ms event@1s a2@1s b2@1s a3@1s b3@1s"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
	if !s.Now().Equal(after(time.Minute)) || !s.Idle() {
		t.Errorf("clock at %s, idle %v", s.Now(), s.Idle())
	}
}

func TestRunStopsAtItsMomentAndGoesOn(t *testing.T) {
	s := NewScheduler(dawn)
	defer s.Close()
	n := 0
	s.Go("ticker", func(ctx context.Context) {
		for s.Wait(ctx, time.Second) == nil {
			n++
		}
	})
	run(t, s, 3*time.Second)
	if n != 3 {
		t.Errorf("after 3 s: %d ticks, want 3 (the tick at the moment itself counts)", n)
	}
	run(t, s, 10*time.Second)
	if n != 10 {
		t.Errorf("after 10 s: %d ticks", n)
	}
}

func TestDeadlinesAndCancelsEndAWaitAtTheirMoment(t *testing.T) {
	type ctxOf func(s *Scheduler, parent context.Context) context.Context
	in := func(d time.Duration) ctxOf {
		return func(s *Scheduler, p context.Context) context.Context {
			c, _ := s.WithDeadline(p, after(d))
			return c
		}
	}
	cancelled := func(d time.Duration) ctxOf {
		return func(s *Scheduler, p context.Context) context.Context {
			c, cancel := s.WithCancel(p)
			s.Go("canceller", func(ctx context.Context) { s.Wait(ctx, d); cancel() })
			return c
		}
	}
	std := func(s *Scheduler, p context.Context) context.Context {
		c, cancel := context.WithCancel(p)
		_ = cancel
		return context.WithValue(c, anyKey{}, "v")
	}
	stdCancelled := func(d time.Duration) ctxOf {
		return func(s *Scheduler, p context.Context) context.Context {
			c, cancel := context.WithCancel(p)
			s.At(after(d), cancel)
			return c
		}
	}
	tests := []struct {
		name string
		make []ctxOf
		err  error
		at   time.Duration
	}{
		{"none", nil, nil, 10 * time.Second},
		{"deadline", []ctxOf{in(3 * time.Second)}, context.DeadlineExceeded, 3 * time.Second},
		{"deadline later than the wait", []ctxOf{in(30 * time.Second)}, nil, 10 * time.Second},
		{"nested, the outer is sooner", []ctxOf{in(3 * time.Second), in(5 * time.Second)}, context.DeadlineExceeded, 3 * time.Second},
		{"nested, the inner is sooner", []ctxOf{in(5 * time.Second), in(3 * time.Second)}, context.DeadlineExceeded, 3 * time.Second},
		{"cancelled by another process", []ctxOf{cancelled(2 * time.Second)}, context.Canceled, 2 * time.Second},
		{"outer cancelled, inner deadline", []ctxOf{cancelled(2 * time.Second), in(3 * time.Second)}, context.Canceled, 2 * time.Second},
		{"a standard context inside a deadline", []ctxOf{in(3 * time.Second), std}, context.DeadlineExceeded, 3 * time.Second},
		{"a standard context cancelled", []ctxOf{in(9 * time.Second), stdCancelled(4 * time.Second)}, context.Canceled, 4 * time.Second},
		{"a deadline inside a standard context cancelled", []ctxOf{stdCancelled(4 * time.Second), in(9 * time.Second)}, context.Canceled, 4 * time.Second},
		{"past deadline", []ctxOf{in(-time.Second)}, context.DeadlineExceeded, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := NewScheduler(dawn)
			defer s.Close()
			var err error
			at := time.Duration(-1)
			s.Go("waiter", func(ctx context.Context) {
				for _, m := range tt.make {
					ctx = m(s, ctx)
				}
				err = s.Wait(ctx, 10*time.Second)
				at = s.Now().Sub(dawn)
			})
			run(t, s, time.Minute)
			if !errors.Is(err, tt.err) || at != tt.at {
				t.Errorf("woke at %s with %v, want %s with %v", at, err, tt.at, tt.err)
			}
		})
	}
}

func TestDeadlineIsVirtual(t *testing.T) {
	s := NewScheduler(dawn)
	outer, cancel := s.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	inner, cancel2 := s.WithTimeout(outer, 2*time.Hour)
	defer cancel2()
	if at, ok := inner.Deadline(); !ok || !at.Equal(after(time.Hour)) {
		t.Errorf("deadline %v %v, want the outer one", at, ok)
	}
	cancel()
	if inner.Err() != context.Canceled {
		t.Errorf("inner: %v", inner.Err())
	}
}

func TestPanicSurfacesWithTheName(t *testing.T) {
	s := NewScheduler(dawn)
	defer s.Close()
	s.Go("calm", func(ctx context.Context) { s.Wait(ctx, time.Hour) })
	s.Go("pump-3", func(ctx context.Context) { s.Wait(ctx, time.Second); panic("a turn was lost") })
	err := s.Run(after(time.Minute))
	var p *Panic
	if !errors.As(err, &p) || p.Process != "pump-3" || p.Value != "a turn was lost" || !p.At.Equal(after(time.Second)) {
		t.Fatalf("got %v", err)
	}
	if !strings.Contains(string(p.Stack), "scheduler_test.go") {
		t.Errorf("the stack does not show the place:\n%s", p.Stack)
	}
	if again := s.Run(after(time.Hour)); again != err {
		t.Errorf("a failed scheduler ran on: %v", again)
	}
}

func TestKilledProcessNeverComesBack(t *testing.T) {
	s := NewScheduler(dawn)
	defer s.Close()
	acted, deferred := false, false
	victim := s.Go("victim", func(ctx context.Context) {
		defer func() {
			deferred = true
			s.Wait(ctx, time.Second)
			acted = true
		}()
		s.Wait(ctx, time.Hour)
		acted = true
	})
	unborn := s.Go("unborn", func(context.Context) { acted = true })
	s.Kill(unborn)
	s.At(after(time.Second), func() { s.Kill(victim); s.Kill(victim) })
	run(t, s, 2*time.Hour)
	if acted || !deferred {
		t.Errorf("acted %v, deferred %v", acted, deferred)
	}
}

func TestCloseLeavesNoGoroutine(t *testing.T) {
	var live atomic.Int64
	s := NewScheduler(dawn)
	for i := range 500 {
		s.Go(fmt.Sprint(i), func(ctx context.Context) {
			live.Add(1)
			defer live.Add(-1)
			defer s.Wait(ctx, time.Second)
			for { // never looks at an error: only Close ends it
				s.Wait(ctx, time.Duration(1+i)*time.Second)
			}
		})
	}
	run(t, s, time.Minute)
	if n := live.Load(); n != 500 {
		t.Fatalf("%d processes are there: the test proves nothing", n)
	}
	s.Close()
	for range 5000 {
		if live.Load() == 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d goroutines are left after Close", live.Load())
}

func TestWaitOutsideAProcessIsABug(t *testing.T) {
	s := NewScheduler(dawn)
	s.At(dawn, func() { s.Wait(context.Background(), time.Second) })
	var p *Panic
	if err := s.Run(dawn); !errors.As(err, &p) || !strings.Contains(fmt.Sprint(p.Value), "outside a process") {
		t.Errorf("got %v", err)
	}
}

func TestSpinningWithoutTimeIsABug(t *testing.T) {
	s := NewScheduler(dawn)
	defer s.Close()
	s.Go("spinner", func(ctx context.Context) {
		for {
			s.Wait(ctx, 0)
		}
	})
	var p *Panic
	if err := s.Run(after(time.Second)); !errors.As(err, &p) || p.Process != "spinner" {
		t.Errorf("got %v", err)
	}
}

// story runs a tangle of processes that wait, spawn, cancel and kill by a seed, and tells what happened.
func story(seed uint64) string {
	s := NewScheduler(dawn)
	defer s.Close()
	dice := rand.New(rand.NewPCG(seed, 1))
	var b strings.Builder
	var cancels []context.CancelFunc
	var processes []*Process
	var live func(depth int) func(context.Context)
	count := 0
	live = func(depth int) func(context.Context) {
		count++
		id := count
		return func(ctx context.Context) {
			for range 1 + dice.IntN(6) {
				c, cancel := s.WithTimeout(ctx, time.Duration(dice.IntN(4000))*time.Millisecond)
				cancels = append(cancels, cancel)
				err := s.Wait(c, time.Duration(dice.IntN(3000))*time.Millisecond)
				fmt.Fprintf(&b, "%s %d %v\n", s.Now().Sub(dawn), id, err)
				switch dice.IntN(5) {
				case 0:
					if depth < 4 {
						processes = append(processes, s.Go("child", live(depth+1)))
					}
				case 1:
					cancels[dice.IntN(len(cancels))]()
				case 2:
					if p := processes[dice.IntN(len(processes))]; p != s.current {
						s.Kill(p)
					}
				case 3:
					s.At(s.Now().Add(time.Second), func() { fmt.Fprintf(&b, "%s event of %d\n", s.Now().Sub(dawn), id) })
				}
			}
		}
	}
	for range 8 {
		processes = append(processes, s.Go("root", live(0)))
	}
	if err := s.Run(after(time.Hour)); err != nil {
		return err.Error()
	}
	return b.String()
}

func TestSameSeedSameRunWhateverGOMAXPROCS(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	stories := map[string]bool{}
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		runtime.GOMAXPROCS(1)
		one := story(seed)
		runtime.GOMAXPROCS(4)
		four := story(seed)
		if one != four {
			t.Fatalf("the run depends on GOMAXPROCS:\n%s\n--- 4:\n%s", one, four)
		}
		stories[one] = true
	})
	if len(stories) < 10 {
		t.Fatalf("only %d different stories: the seed changes nothing", len(stories))
	}
}

func TestTimeNeverRunsBackwards(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := NewScheduler(dawn)
		defer s.Close()
		last := dawn
		waits := rapid.SliceOfN(rapid.IntRange(-5, 50), 1, 200).Draw(t, "waits")
		for _, w := range waits {
			s.Go("p", func(ctx context.Context) {
				from := s.Now()
				if err := s.Wait(ctx, time.Duration(w)*time.Second); err != nil {
					t.Errorf("wait: %v", err)
				}
				if want := from.Add(time.Duration(max(w, 0)) * time.Second); !s.Now().Equal(want) {
					t.Errorf("woke at %s, want %s", s.Now(), want)
				}
				if s.Now().Before(last) {
					t.Errorf("time ran backwards: %s after %s", s.Now(), last)
				}
				last = s.Now()
			})
		}
		if err := s.Run(after(time.Hour)); err != nil {
			t.Fatal(err)
		}
	})
}

func TestTenThousandProcesses(t *testing.T) {
	s := NewScheduler(dawn)
	defer s.Close()
	steps := 0
	for range 10_000 {
		s.Go("p", func(ctx context.Context) {
			for i := range 10 {
				s.Wait(ctx, time.Duration(1+i)*time.Second)
				steps++
			}
		})
	}
	run(t, s, time.Hour)
	if steps != 100_000 {
		t.Errorf("%d steps", steps)
	}
}

func BenchmarkStep(b *testing.B) {
	s := NewScheduler(dawn)
	defer s.Close()
	for i := range 1000 {
		s.Go("p", func(ctx context.Context) {
			for {
				s.Wait(ctx, time.Duration(1+i%7)*time.Second)
			}
		})
	}
	b.ResetTimer()
	for range b.N {
		s.step()
	}
}
