package drivertest_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/drivertest"
	"github.com/evenkeel/evenkeel/internal/driver/simulated"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// bad drivers, each of which breaks one promise.
type (
	sayer   struct{ *simulated.Driver } // believes that a move was done because it was asked for
	guesser struct{ *simulated.Driver } // takes silence for an empty host
	mumbler struct{ *simulated.Driver } // gives plain errors
	brute   struct{ *simulated.Driver } // reboots whatever boot the host is in
	twice   struct{ *simulated.Driver } // fails when there is nothing left to do
	blind   struct{ *simulated.Driver } // does not read the ends after an error
	hearsay struct{ *simulated.Driver } // does not say how it knows what is installed
)

func (d hearsay) Observe(ctx context.Context, h driver.Host) (driver.Observation, error) {
	o, err := d.Driver.Observe(ctx, h)
	if err == nil {
		o.Software.Installed = map[string]string{"qemu": "1"}
		o.Software.Looked = maps.Clone(o.Software.Looked)
		delete(o.Software.Looked, fleet.LayerInstalled)
		facts := *o.Facts
		facts.Software = o.Software
		o.Facts = &facts
	}
	return o, err
}

func (d sayer) Migrate(context.Context, driver.MigrateRequest) (driver.MigrateOutcome, error) {
	return driver.MigrateOutcome{Ends: driver.Ends{Source: driver.IsAbsent, Destination: driver.IsRunning}}, nil
}

func (d guesser) Observe(ctx context.Context, h driver.Host) (driver.Observation, error) {
	o, err := d.Driver.Observe(ctx, h)
	if err != nil {
		return driver.Observation{Host: h.ID, At: time.Now()}, nil
	}
	return o, err
}

func (d mumbler) Migrate(ctx context.Context, r driver.MigrateRequest) (driver.MigrateOutcome, error) {
	out, err := d.Driver.Migrate(ctx, r)
	if err != nil {
		err = errors.New(err.Error())
	}
	return out, err
}

func (d brute) Reboot(ctx context.Context, f driver.Fence, h driver.Host, _ string, u plan.Update) error {
	o, err := d.Observe(ctx, h)
	if err != nil {
		return err
	}
	return d.Driver.Reboot(ctx, f, h, o.BootID, u)
}

func (d twice) Save(ctx context.Context, f driver.Fence, h driver.Host, id string) error {
	o, err := d.Observe(ctx, h)
	if err != nil {
		return err
	}
	for _, i := range o.Instances {
		if i.ID == id && i.Saved {
			return &driver.Error{Code: driver.CodeFailed, Why: "it is saved already", Next: "do not ask twice"}
		}
	}
	return d.Driver.Save(ctx, f, h, id)
}

func (d blind) Migrate(ctx context.Context, r driver.MigrateRequest) (driver.MigrateOutcome, error) {
	out, err := d.Driver.Migrate(ctx, r)
	if err != nil {
		out.Ends = driver.Ends{}
	}
	return out, err
}

// liars: which case catches which driver.
var liars = map[string]struct {
	caught string
	wrap   func(*simulated.Driver) driver.Driver
}{
	"none":    {"", func(d *simulated.Driver) driver.Driver { return d }},
	"sayer":   {"migrate-there-and-back", func(d *simulated.Driver) driver.Driver { return sayer{d} }},
	"guesser": {"observe-silent-host", func(d *simulated.Driver) driver.Driver { return guesser{d} }},
	"mumbler": {"migrate-missing", func(d *simulated.Driver) driver.Driver { return mumbler{d} }},
	"brute":   {"reboot-guard-and-proof", func(d *simulated.Driver) driver.Driver { return brute{d} }},
	"twice":   {"save-restore-twice", func(d *simulated.Driver) driver.Driver { return twice{d} }},
	"blind":   {"migrate-without-time", func(d *simulated.Driver) driver.Driver { return blind{d} }},
	"hearsay": {"observe-says-how", func(d *simulated.Driver) driver.Driver { return hearsay{d} }},
}

const liarEnv = "EVENKEEL_TEST_LIAR"

// TestOneLiar runs the suite over one bad driver, in a process of its own that is expected to fail.
func TestOneLiar(t *testing.T) {
	liar, ok := liars[os.Getenv(liarEnv)]
	if !ok {
		return // only TestLiarsAreCaught asks for it
	}
	f := &fleet.Fleet{
		Hosts:     []fleet.Host{{ID: "a", MemoryMiB: 4096}, {ID: "b", MemoryMiB: 4096}, {ID: "c", MemoryMiB: 4096}},
		Instances: []fleet.Instance{{ID: "web", Host: "a", MemoryMiB: 256}},
	}
	times := simulated.DefaultTimes()
	times.RebootMin, times.RebootMax = 10*time.Second, 20*time.Second
	w, err := simulated.NewWorld(f, simulated.Options{Clock: simulated.Hurried(50), Times: times})
	if err != nil {
		t.Fatal(err)
	}
	w.Cut("c", 1000*time.Hour)
	at := func(id string) driver.Host { return driver.Host{ID: id, URI: simulated.Scheme + id} }
	drivertest.Run(t, drivertest.Lab{
		Driver: liar.wrap(simulated.NewDriver(w)), Hosts: []driver.Host{at("a"), at("b")}, Movable: []string{"web"},
		Suspendable: "web", Silent: at("c"), RebootHost: at("b"), RebootWithin: time.Minute, RebootShows: time.Second,
	})
}

func TestLiarsAreCaught(t *testing.T) {
	for name, liar := range liars {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := "^TestOneLiar$"
			if liar.caught != "" {
				run += "/^" + liar.caught + "$"
			} else {
				run += "/^(observe|migrate-(missing|there|without)|save|reboot)"
			}
			cmd := exec.Command(os.Args[0], "-test.run", run, "-test.v")
			cmd.Env = append(os.Environ(), liarEnv+"="+name)
			out, err := cmd.CombinedOutput()
			if liar.caught == "" {
				if err != nil {
					t.Errorf("an honest driver failed:\n%s", out)
				}
				return
			}
			if err == nil || !strings.Contains(string(out), "--- FAIL: TestOneLiar/"+liar.caught) {
				t.Errorf("the suite let it pass (%v):\n%s", err, out)
			}
		})
	}
}
