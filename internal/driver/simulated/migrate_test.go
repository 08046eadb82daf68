package simulated_test

import (
	"context"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/simulated"
)

const (
	up     = driver.IsRunning
	gone   = driver.IsAbsent
	silent = driver.IsUnreachable
	halted = driver.IsPaused
)

// Each row is one migration of an instance from h1 to h2 or h3 while something breaks. What the
// driver must say is the table of what libvirt was seen to do.
func TestMigrateUnderFaults(t *testing.T) {
	tests := []struct {
		name     string
		instance string
		to       string
		force    simulated.Fault
		breaks   func(l *lab)
		limit    time.Duration // of the context; 0: ten minutes
		change   func(r *driver.MigrateRequest)
		code     string
		ends     driver.Ends
		runs     []string // a day later
	}{
		{name: "nothing", ends: driver.Ends{Source: gone, Destination: up}, runs: []string{"h3"}},
		{name: "dirty guest converges", instance: "db", ends: driver.Ends{Source: gone, Destination: up}, runs: []string{"h3"}},
		{name: "auto-converge", instance: "hot", change: func(r *driver.MigrateRequest) { r.AutoConverge = true }, ends: driver.Ends{Source: gone, Destination: up}, runs: []string{"h3"}},
		{name: "too hot, aborted", instance: "hot", code: driver.CodeNoProgress, ends: driver.Ends{Source: up, Destination: gone}, runs: []string{"h1"}},
		{name: "too hot, post-copy", instance: "hot", change: func(r *driver.MigrateRequest) { r.AfterStuck = "post-copy" }, ends: driver.Ends{Source: gone, Destination: up}, runs: []string{"h3"}},
		{name: "too hot, no time", instance: "hot", limit: 20 * time.Second, code: driver.CodeDeadline, ends: driver.Ends{Source: up, Destination: gone}, runs: []string{"h1"}},
		{name: "local disk", instance: "local", code: driver.CodeCannotMove, ends: driver.Ends{Source: up, Destination: gone}, runs: []string{"h1"}},
		{name: "no room", instance: "db", to: "h2", code: driver.CodeNoRoom, ends: driver.Ends{Source: up, Destination: gone}, runs: []string{"h1"}},
		{name: "stopped", instance: "cold", code: driver.CodeRefused, ends: driver.Ends{Source: driver.IsStopped, Destination: gone}},
		{name: "unknown", instance: "nobody", code: driver.CodeNotFound, ends: driver.Ends{Source: gone, Destination: gone}},
		{name: "call lost", force: simulated.CallLost, ends: driver.Ends{Source: gone, Destination: up}, runs: []string{"h3"}},
		{name: "answer lost", force: simulated.AnswerLost, ends: driver.Ends{Source: gone, Destination: up}, runs: []string{"h3"}},
		{name: "answers doubled", breaks: func(l *lab) { l.world.Force(simulated.CallDoubled, 100) }, ends: driver.Ends{Source: gone, Destination: up}, runs: []string{"h3"}},
		{name: "lie: completed", force: simulated.LieCompleted, code: driver.CodeFailed, ends: driver.Ends{Source: up, Destination: gone}, runs: []string{"h1"}},
		{name: "lie: not found", force: simulated.LieNotFound, ends: driver.Ends{Source: gone, Destination: up}, runs: []string{"h3"}},
		{name: "the hypervisor gives up", instance: "db", force: simulated.MigrationFails, code: driver.CodeFailed, ends: driver.Ends{Source: up, Destination: gone}, runs: []string{"h1"}},
		{name: "the instance dies of it", instance: "db", force: simulated.MoveKills, code: driver.CodeFailed, ends: driver.Ends{Source: driver.IsStopped, Destination: gone}},
		{name: "receiving process killed", instance: "db", breaks: func(l *lab) { l.at(time.Second, func() { l.world.KillIncoming("db") }) }, code: driver.CodeFailed, ends: driver.Ends{Source: up, Destination: gone}, runs: []string{"h1"}},
		{name: "destination's service killed", instance: "db", breaks: func(l *lab) { l.at(time.Second, func() { l.world.KillService("h3", 3*time.Second) }) }, code: driver.CodeFailed, ends: driver.Ends{Source: up, Destination: gone}, runs: []string{"h1"}},
		{name: "source's service killed", instance: "db", breaks: func(l *lab) { l.at(time.Second, func() { l.world.KillService("h1", 3*time.Second) }) }, code: driver.CodeFailed, ends: driver.Ends{Source: up, Destination: gone}, runs: []string{"h1"}},
		{name: "destination's power cut", instance: "db", breaks: func(l *lab) { l.at(time.Second, func() { l.world.PowerOff("h3") }) }, code: driver.CodeUnreachable, ends: driver.Ends{Source: up, Destination: silent}, runs: []string{"h1"}},
		{name: "destination's power cut and back", instance: "db", breaks: func(l *lab) {
			l.at(time.Second, func() { l.world.PowerOff("h3") })
			l.at(40*time.Second, func() { l.world.PowerOn("h3") })
		}, code: driver.CodeFailed, ends: driver.Ends{Source: up, Destination: gone}, runs: []string{"h1"}},
		{name: "partition of 10 s", instance: "db", breaks: func(l *lab) { l.at(time.Second, func() { l.world.Cut("h3", 10*time.Second) }) }, ends: driver.Ends{Source: gone, Destination: up}, runs: []string{"h3"}},
		{name: "partition of 50 s", instance: "db", breaks: func(l *lab) { l.at(time.Second, func() { l.world.Cut("h3", 50*time.Second) }) }, code: driver.CodeFailed, ends: driver.Ends{Source: up, Destination: gone}, runs: []string{"h1"}},
		{name: "frozen at the finish, thawed in time", breaks: func(l *lab) { l.at(1900*time.Millisecond, func() { l.world.Freeze("h3", 20*time.Second) }) }, ends: driver.Ends{Source: gone, Destination: up}, runs: []string{"h3"}},
		{name: "frozen at the finish for too long: both run", force: simulated.FinishHangs, breaks: func(l *lab) { l.d.Limits.Settle = 2 * time.Minute }, code: driver.CodeSplit, ends: driver.Ends{Source: up, Destination: up}, runs: []string{"h1", "h3"}},
		{name: "frozen at the finish, nobody waits for it", force: simulated.FinishHangs, limit: 45 * time.Second, code: driver.CodeDeadline, ends: driver.Ends{Source: up, Destination: silent}, runs: []string{"h1", "h3"}},
		{name: "frozen at the finish, source's service killed: a paused half is cleared", force: simulated.FinishServiceOff, breaks: func(l *lab) { l.d.Limits.Settle = 2 * time.Minute }, ends: driver.Ends{Source: gone, Destination: up}, runs: []string{"h3"}},
		{name: "source's power cut", instance: "db", breaks: func(l *lab) {
			l.at(time.Second, func() { l.world.PowerOff("h1") })
			l.at(90*time.Second, func() { l.world.PowerOn("h1") })
		}, code: driver.CodeFailed, ends: driver.Ends{Source: driver.IsStopped, Destination: gone}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t, nil)
			if tt.instance == "" {
				tt.instance = "web"
			}
			if tt.to == "" {
				tt.to = "h3"
			}
			if tt.limit == 0 {
				tt.limit = 10 * time.Minute
			}
			if tt.force != "" {
				l.world.Force(tt.force, 1)
			}
			if tt.breaks != nil {
				tt.breaks(l)
			}
			r := l.request(tt.instance, "h1", tt.to)
			if tt.change != nil {
				tt.change(&r)
			}
			l.run(func(ctx context.Context) {
				c, cancel := l.sched.WithTimeout(ctx, tt.limit)
				defer cancel()
				begun := l.sched.Now()
				out, err := l.d.Migrate(c, r)
				if took := l.sched.Now().Sub(begun); took > tt.limit+2*l.d.Limits.Grace+2*l.d.Limits.Grace {
					t.Errorf("it took %s, although its context ended after %s", took, tt.limit)
				}
				wantCode(t, err, tt.code)
				if out.Ends != tt.ends {
					t.Errorf("ends %+v, want %+v", out.Ends, tt.ends)
				}
				if out.Already {
					t.Error("it says that the effect was there before")
				}
			})
			l.wantOn(tt.instance, tt.runs...)
			if tt.force != "" && l.world.Hits()[tt.force] != 1 {
				t.Errorf("the fault %s struck %d times, want once", tt.force, l.world.Hits()[tt.force])
			}
		})
	}
}

func TestMigrateAgainIsAlready(t *testing.T) {
	l := newLab(t, nil)
	l.run(func(ctx context.Context) {
		first, err := l.d.Migrate(ctx, l.request("db", "h1", "h3"))
		wantCode(t, err, "")
		if first.Already || first.Blackout <= 0 || first.Total <= 0 {
			t.Errorf("first: %+v", first)
		}
		if told, really := first.Blackout, l.world.Blackouts()["db"]; told != really {
			t.Errorf("blackout told %s, the world saw %s", told, really)
		}
		second, err := l.d.Migrate(ctx, l.request("db", "h1", "h3"))
		wantCode(t, err, "")
		if !second.Already || !second.Ends.Moved() {
			t.Errorf("second: %+v", second)
		}
	})
}

// A controller dies in mid-copy; the next one finds the migration and goes on with it.
func TestMigrateGoesOnAfterItsCallerDied(t *testing.T) {
	l := newLab(t, nil)
	first := l.sched.Go("controller 1", func(ctx context.Context) {
		l.d.Migrate(ctx, l.request("db", "h1", "h3"))
		t.Error("the dead controller came back")
	})
	l.at(2*time.Second, func() { l.sched.Kill(first) })
	l.run(func(ctx context.Context) {
		l.sleep(ctx, 2500*time.Millisecond)
		out, err := simulated.NewDriver(l.world).Migrate(ctx, l.request("db", "h1", "h3"))
		wantCode(t, err, "")
		if out.Already || !out.Ends.Moved() {
			t.Errorf("outcome %+v", out)
		}
	})
	begun := 0
	for _, r := range l.world.Log() {
		if r.Kind == simulated.MoveBegan {
			begun++
		}
	}
	if begun != 1 {
		t.Errorf("%d migrations were begun, want 1", begun)
	}
}

func TestMigrateElsewhereIsRefusedWhileOneIsUnderWay(t *testing.T) {
	l := newLab(t, nil)
	l.sched.Go("other", func(ctx context.Context) {
		out, err := l.d.Migrate(ctx, l.request("db", "h1", "h3"))
		if err != nil || !out.Ends.Moved() {
			t.Errorf("the first was disturbed: %+v %v", out, err)
		}
	})
	l.run(func(ctx context.Context) {
		l.sleep(ctx, time.Second)
		l.world.KillCopy("h2", "wide") // so that there is room
		_, err := l.d.Migrate(ctx, l.request("db", "h1", "h2"))
		wantCode(t, err, driver.CodeRefused)
	})
	l.wantOn("db", "h3")
}

func TestAbortMigration(t *testing.T) {
	l := newLab(t, nil)
	l.sched.Go("mover", func(ctx context.Context) {
		out, err := l.d.Migrate(ctx, l.request("db", "h1", "h3"))
		wantCode(t, err, driver.CodeAborted)
		if !out.Ends.Stayed() {
			t.Errorf("ends %+v", out.Ends)
		}
	})
	l.run(func(ctx context.Context) {
		l.sleep(ctx, time.Second)
		wantCode(t, l.d.AbortMigration(ctx, l.fence, host("h1"), "db"), "")
		l.wantOn("db", "h1")
		wantCode(t, l.d.AbortMigration(ctx, l.fence, host("h1"), "db"), "") // nothing left to abort
		wantCode(t, l.d.AbortMigration(ctx, l.fence, host("h1"), "nobody"), driver.CodeNotFound)
	})
}

// Migrations share the link: two together take about as long as one after the other.
func TestConcurrentMigrationsShareTheLink(t *testing.T) {
	alone, together := time.Duration(0), time.Duration(0)
	for _, n := range []int{1, 2} {
		l := newLab(t, nil)
		for _, id := range []string{"web", "db"}[:n] {
			l.sched.Go(id, func(ctx context.Context) {
				out, err := l.d.Migrate(ctx, l.request(id, "h1", "h3"))
				wantCode(t, err, "")
				if id == "web" && n == 1 {
					alone = out.Total
				} else if id == "web" {
					together = out.Total
				}
			})
		}
		l.run(func(context.Context) {})
	}
	if ratio := together.Seconds() / alone.Seconds(); ratio < 1.8 || ratio > 2.2 {
		t.Errorf("alone %s, beside another %s", alone, together)
	}
}
