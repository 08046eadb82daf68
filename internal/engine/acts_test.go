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

// found is a host as it is found right before its reboot.
type found struct {
	boot     string
	state    fleet.State
	silent   bool
	rebooted bool
}

func (h *found) Observe(_ context.Context, at driver.Host) (driver.Observation, error) {
	if h.silent {
		return driver.Observation{}, &driver.Error{Code: driver.CodeUnreachable, Why: "no answer", Retry: true}
	}
	return driver.Observation{Host: at.ID, BootID: h.boot, Health: fleet.Up, Instances: []driver.InstanceSeen{{ID: "new", State: h.state}}}, nil
}
func (h *found) Close() error { return nil }
func (h *found) Reboot(context.Context, driver.Fence, driver.Host, string, plan.Update) error {
	h.rebooted = true
	return nil
}

// A reboot that was decided some time ago (a controller died in between) looks before it leaps: what
// was empty then may not be now, and what was to be ended may have ended.
func TestAHostIsLookedAtRightBeforeItsReboot(t *testing.T) {
	for name, tt := range map[string]struct {
		host     found
		rebooted bool
		kind     execution.Kind
		code     string
		retry    bool
	}{
		"empty":           {found{boot: "boot-1", state: fleet.Stopped}, true, execution.StepDone, "", false},
		"filled again":    {found{boot: "boot-1", state: fleet.Running}, false, execution.StepFailed, execution.CodeRefilled, true},
		"half arrived":    {found{boot: "boot-1", state: fleet.Paused}, false, execution.StepFailed, execution.CodeRefilled, true},
		"rebooted":        {found{boot: "boot-2", state: fleet.Running}, false, execution.StepDone, "", false},
		"does not answer": {found{silent: true}, false, execution.StepFailed, driver.CodeUnreachable, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := engine.World{Drivers: map[string]driver.Driver{"sim": &tt.host}, Clock: &clock{dawn}, WithDeadline: endless}
			k := engine.Campaign{Plan: &plan.Plan{}, Fleet: &fleet.Fleet{Hosts: []fleet.Host{{ID: "h1", URI: "sim://h1"}}}}
			facts := engine.Perform(context.Background(), w, k, execution.Chore{Kind: execution.ChoreReboot, Turn: "h1", Host: "h1", Step: execution.StepReboot, Attempt: 1, BootID: "boot-1", Deadline: dawn.Add(time.Minute)})
			if tt.host.rebooted != tt.rebooted || len(facts) != 1 || facts[0].Kind != tt.kind || facts[0].Code != tt.code || facts[0].Retry != tt.retry || facts[0].Why == "" {
				t.Fatalf("rebooted %v, facts %+v", tt.host.rebooted, facts)
			}
		})
	}
}

// own looks by itself right before it reboots.
type own struct {
	found
	err error
}

func (h *own) RebootEmpty(context.Context, driver.Fence, driver.Host, string, plan.Update) error {
	return h.err
}

// A host that looks by itself is not looked at once more, and is heard.
func TestAHostThatLooksItself(t *testing.T) {
	for code, want := range map[string]string{"": "", driver.CodeOccupied: execution.CodeRefilled, driver.CodeUnreachable: driver.CodeUnreachable} {
		h := own{found: found{silent: true}}
		if code != "" {
			h.err = &driver.Error{Code: code, Why: "why", Next: "next", Retry: true}
		}
		w := engine.World{Drivers: map[string]driver.Driver{"sim": &h}, Clock: &clock{dawn}, WithDeadline: endless}
		k := engine.Campaign{Plan: &plan.Plan{}, Fleet: &fleet.Fleet{Hosts: []fleet.Host{{ID: "h1", URI: "sim://h1"}}}}
		facts := engine.Perform(context.Background(), w, k, execution.Chore{Kind: execution.ChoreReboot, Turn: "h1", Host: "h1", Step: execution.StepReboot, Attempt: 1, BootID: "boot-1", Deadline: dawn.Add(time.Minute)})
		if len(facts) != 1 || facts[0].Code != want || (facts[0].Kind == execution.StepDone) != (code == "") || h.rebooted {
			t.Errorf("%q: %+v", code, facts)
		}
	}
}

func endless(ctx context.Context, _ time.Time) (context.Context, context.CancelFunc) {
	return context.WithCancel(ctx)
}

// A server that was started without a mail server gives no tenant up for it.
func TestNoChannelGivesNobodyUp(t *testing.T) {
	w := engine.World{Clock: &clock{dawn}, WithDeadline: endless}
	facts := engine.Perform(context.Background(), w, engine.Campaign{}, execution.Chore{Kind: execution.ChoreTell, Notice: "n", Tenant: "acme", Contact: "a@acme.example", Attempt: 1})
	if len(facts) != 1 || facts[0].Kind != execution.NoticeFailed || !facts[0].Retry || facts[0].Next != "start the server with --smtp" {
		t.Fatalf("%+v", facts)
	}
}
