package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/engine"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// falls is a host that answers on one boot for so many looks, and not after that.
type falls struct {
	last, looks int
}

func (u *falls) Observe(context.Context, driver.Host) (driver.Observation, error) {
	if u.looks++; u.looks > u.last {
		return driver.Observation{}, &driver.Error{Code: driver.CodeUnreachable, Why: "no"}
	}
	return driver.Observation{BootID: "boot-1", Health: fleet.Up}, nil
}
func (u *falls) Close() error { return nil }

// A single look that is lost at the end of the time does not make a host silent that answered just before;
// three in a row do.
func TestOneLostLookIsNoSilence(t *testing.T) {
	for name, tt := range map[string]struct {
		answers int
		kind    execution.Kind
	}{
		"it always answers": {1000, execution.HostSeen}, "the last look is lost": {14, execution.HostSeen},
		"the last three are": {12, execution.HostLost}, "it never answers": {0, execution.HostLost},
	} {
		c := &running{now: dawn, deadline: dawn.Add(30 * time.Second)} // a look every two seconds: fifteen
		h := &falls{last: tt.answers}
		w := engine.World{Drivers: map[string]driver.Driver{"xen": h}, Clock: c, WithDeadline: endless}
		k := engine.Campaign{Plan: &plan.Plan{}, Fleet: &fleet.Fleet{Hosts: []fleet.Host{{ID: "h1", URI: "xen+ssh://root@192.0.2.1/"}}}}
		facts := engine.Perform(context.Background(), w, k, execution.Chore{Kind: execution.ChoreProve, Turn: "h1", Host: "h1", Step: execution.StepProve, Attempt: 1, BootID: "boot-1", Deadline: c.deadline})
		if len(facts) != 1 || facts[0].Kind != tt.kind || h.looks != 15 || tt.kind == execution.HostSeen && facts[0].Seen.BootID != "boot-1" {
			t.Errorf("%s: after %d looks %+v", name, h.looks, facts)
		}
	}
}

// reboots is a host that is in its old boot for a while, then silent, then in another boot. It tells its boot
// for less than a look costs.
type reboots struct {
	c           *running
	down, up    time.Time
	looks, asks int
}

func (r *reboots) boot() (string, error) {
	switch {
	case r.c.now.Before(r.down):
		return "boot-1", nil
	case r.c.now.Before(r.up):
		return "", &driver.Error{Code: driver.CodeUnreachable, Why: "no"}
	}
	return "boot-2", nil
}

func (r *reboots) Observe(context.Context, driver.Host) (driver.Observation, error) {
	r.looks++
	id, err := r.boot()
	return driver.Observation{BootID: id, Health: fleet.Up}, err
}

func (r *reboots) BootID(context.Context, driver.Host) (string, error) {
	r.asks++
	return r.boot()
}
func (r *reboots) Close() error { return nil }

// While a host says that it is still in the boot that is to end, it is seldom looked at; what proves its
// reboot is a look. One that stays in that boot is known to answer when the time is over.
func TestAHostThatGoesDownIsNotLookedAt(t *testing.T) {
	for name, tt := range map[string]struct {
		down, up time.Duration
		boot     string
		looks    int // most
	}{
		"it goes down soon": {5 * time.Second, 6 * time.Second, "boot-2", 3},
		"it takes its time": {35 * time.Second, 36 * time.Second, "boot-2", 6},
		"it is long away":   {5 * time.Second, 45 * time.Second, "boot-2", 6},
		"it never does":     {time.Hour, time.Hour, "boot-1", 9},
	} {
		c := &running{now: dawn, deadline: dawn.Add(80 * time.Second)}
		h := &reboots{c: c, down: dawn.Add(tt.down), up: dawn.Add(tt.up)}
		w := engine.World{Drivers: map[string]driver.Driver{"xen": h}, Clock: c, WithDeadline: endless}
		k := engine.Campaign{Plan: &plan.Plan{}, Fleet: &fleet.Fleet{Hosts: []fleet.Host{{ID: "h1", URI: "xen+ssh://root@192.0.2.1/"}}}}
		facts := engine.Perform(context.Background(), w, k, execution.Chore{Kind: execution.ChoreProve, Turn: "h1", Host: "h1", Step: execution.StepProve, Attempt: 1, BootID: "boot-1", Deadline: c.deadline})
		if len(facts) != 1 || facts[0].Kind != execution.HostSeen || facts[0].Seen.BootID != tt.boot || h.looks > tt.looks || h.asks == 0 {
			t.Errorf("%s: after %d looks and %d questions %+v", name, h.looks, h.asks, facts)
		}
		if late := c.now.Sub(h.up); tt.boot == "boot-2" && late > time.Second {
			t.Errorf("%s: seen %s after it was back", name, late)
		}
	}
}
