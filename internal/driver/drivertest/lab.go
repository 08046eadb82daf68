// Package drivertest is the conformance suite of the port to hypervisors: what
// package driver promises, as cases that any driver must pass against real or
// simulated hosts alike.
//
// It knows nothing of any driver. The caller fills in a Lab: two hosts or more,
// instances that may be moved about, and breakers that do harm from outside. A
// case whose breaker or ability is nil is skipped under its own name and counted
// in the Summary, so that a lab can hold itself to the number it expects.
//
// The cases run in order and leave the lab as they found it, apart from the
// reboot and the update at the end. Start reading at Run.
package drivertest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Lab is what a driver is tried on.
type Lab struct {
	Driver driver.Driver
	// Hosts are two or more; instances start on the first, A, and move to the second, B.
	Hosts []driver.Host
	// Movable instances run on A and may live-migrate to B and back. Three or more make the
	// concurrent case worth something.
	Movable []string
	// Slow is a movable instance on A whose migration takes 10 s or more at SlowMiBps (0: no
	// limit); the first Movable when empty. The cases that break a migration use it.
	Slow      string
	SlowMiBps int64
	// Suspendable and Stoppable run on A; empty: skipped.
	Suspendable string
	Stoppable   string
	// TooBig runs on A and does not fit B; empty: skipped.
	TooBig string
	// Silent is a host that never answers.
	Silent driver.Host
	// RebootHost may be rebooted, and comes back within RebootWithin (5 minutes when zero). It should
	// run nothing that matters. The zero Host: skipped.
	RebootHost   driver.Host
	RebootWithin time.Duration
	// RebootShows is how long to watch for a reboot that must not come; 8 s when zero.
	RebootShows time.Duration
	// UpdateHost may be updated with Update, which is needed once; the zero Host: skipped.
	UpdateHost driver.Host
	Update     plan.Update
	// Truth tells from outside on which hosts (ids) an instance runs now; nil: the driver's own
	// observations are all there is.
	Truth func(t *testing.T, instance string) []string
	// Limit of one act, and of waiting for one thing to come true; 2 minutes when zero.
	Limit time.Duration

	// FreezeWithin is the deadline of a migration whose destination stands still; 5 s when zero. It must
	// leave time for the migration to begin.
	FreezeWithin time.Duration

	// The breakers. Each does its harm at once; those that give a function are undone by it.
	KillDestinationMidCopy func(t *testing.T, instance string)                // end the receiving process
	FreezeDestination      func(t *testing.T) (thaw func())                   // B's service and guests stand still
	CutNetwork             func(t *testing.T, h driver.Host) (restore func()) // nothing reaches h, nothing leaves it
}

// Summary says what was run.
type Summary struct {
	Passed, Failed, Skipped []string
}

// Run holds a driver to the contract.
func Run(t *testing.T, lab Lab) Summary {
	t.Helper()
	if len(lab.Hosts) < 2 || len(lab.Movable) == 0 || lab.Driver == nil {
		t.Fatal("a lab needs a driver, two hosts and one movable instance at least")
	}
	if lab.Limit == 0 {
		lab.Limit = 2 * time.Minute
	}
	if lab.RebootWithin == 0 {
		lab.RebootWithin = 5 * time.Minute
	}
	if lab.RebootShows == 0 {
		lab.RebootShows = 8 * time.Second
	}
	if lab.FreezeWithin == 0 {
		lab.FreezeWithin = 5 * time.Second
	}
	if lab.Slow == "" {
		lab.Slow = lab.Movable[0]
	}
	var sum Summary
	for _, c := range cases {
		var tried *testing.T
		ok := t.Run(c.name, func(t *testing.T) {
			tried = t
			c.run(t, &suite{Lab: lab, a: lab.Hosts[0], b: lab.Hosts[1]})
		})
		switch {
		case tried == nil: // left out by -run
		case tried.Skipped():
			sum.Skipped = append(sum.Skipped, c.name)
		case ok:
			sum.Passed = append(sum.Passed, c.name)
		default:
			sum.Failed = append(sum.Failed, c.name)
		}
	}
	t.Logf("conformance: %d passed, %d failed, %d skipped %q", len(sum.Passed), len(sum.Failed), len(sum.Skipped), sum.Skipped)
	return sum
}

// cases in the order in which they run: those that only look first, those that change a host last.
var cases = []struct {
	name string
	run  func(*testing.T, *suite)
}{
	{"observe-truth", observeTruth},
	{"observe-again-is-the-same", observeAgain},
	{"observe-says-how", observeHow},
	{"observe-silent-host", observeSilent},
	{"migrate-missing", migrateMissing},
	{"migrate-there-and-back", migrateThereAndBack},
	{"migrate-without-time", migrateWithoutTime},
	{"migrate-deadline", migrateDeadline},
	{"migrate-abort", migrateAbort},
	{"migrate-concurrently", migrateConcurrently},
	{"migrate-no-room", migrateNoRoom},
	{"migrate-to-a-silent-host", migrateToSilent},
	{"kill-destination-mid-copy", killDestination},
	{"cut-network-mid-copy", cutNetwork},
	{"freeze-destination", freezeDestination},
	{"save-restore-twice", saveRestore},
	{"stop-start-twice", stopStart},
	{"cordon-twice", cordonTwice},
	{"update-then-not-needed", updateTwice},
	{"reboot-guard-and-proof", rebootOnce},
	{"reboot-stale-generation", rebootStale},
}

// suite is one case's view of the lab.
type suite struct {
	Lab
	a, b driver.Host
}

// ctx is a context for one act.
func (s *suite) ctx(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), s.Limit)
	t.Cleanup(cancel)
	return ctx
}

// as gives the driver's optional interface, or skips the case.
func as[T any](t *testing.T, s *suite) T {
	t.Helper()
	d, ok := s.Driver.(T)
	if !ok {
		t.Skipf("this driver is no %T", new(T))
	}
	return d
}

func fence(step string) driver.Fence {
	return driver.Fence{Campaign: "conformance", Revision: 1, Turn: "lab", Step: step, Attempt: 1, Generation: 1}
}

// noError fails the case at once.
func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("error: %v", err)
	}
}

// wantError holds an error to the contract: an *Error with one of the codes, and whole.
func wantError(t *testing.T, err error, codes ...string) {
	t.Helper()
	var e *driver.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v (%T), want a *driver.Error with code %q", err, err, codes)
	}
	if e.Why == "" || e.Next == "" {
		t.Errorf("the error does not say why and what next: %+v", e)
	}
	for _, c := range codes {
		if e.Code == c {
			return
		}
	}
	t.Errorf("code %s (%v), want %q", e.Code, err, codes)
}

// observe reads a host and fails the case when it cannot.
func (s *suite) observe(t *testing.T, h driver.Host) driver.Observation {
	t.Helper()
	o, err := s.Driver.Observe(s.ctx(t), h)
	noError(t, err)
	return o
}

// seen finds an instance in an observation.
func seen(o driver.Observation, instance string) (driver.InstanceSeen, bool) {
	for _, i := range o.Instances {
		if i.ID == instance {
			return i, true
		}
	}
	return driver.InstanceSeen{}, false
}

// runningOn lists the hosts of the lab on which the driver sees the instance run.
func (s *suite) runningOn(t *testing.T, instance string) []string {
	t.Helper()
	var on []string
	for _, h := range s.Hosts {
		if i, ok := seen(s.observe(t, h), instance); ok && i.State == fleet.Running && !i.Incoming {
			on = append(on, h.ID)
		}
	}
	return on
}

// mustRunOnly checks, by the driver and from outside, that the instance runs on one host alone.
func (s *suite) mustRunOnly(t *testing.T, instance string, h driver.Host) {
	t.Helper()
	check := func(by string, on []string) {
		if len(on) != 1 || on[0] != h.ID {
			t.Errorf("%s: %s runs on %v, want %s alone", by, instance, on, h.ID)
		}
	}
	check("driver", s.runningOn(t, instance))
	if s.Truth != nil {
		check("outside", s.Truth(t, instance))
	}
}

// until looks again and again, for as long as the limit, until ok says yes.
func until(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); ; time.Sleep(100 * time.Millisecond) {
		if ok() {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("after %s there is still no %s", limit, what)
		}
	}
}
