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

// crowded is a host on which somebody has started an instance since it was found empty.
type crowded struct{ rebooted bool }

func (c *crowded) Observe(_ context.Context, h driver.Host) (driver.Observation, error) {
	return driver.Observation{Host: h.ID, BootID: "boot-1", Health: fleet.Up, Instances: []driver.InstanceSeen{{ID: "new", State: fleet.Running}}}, nil
}
func (c *crowded) Close() error { return nil }
func (c *crowded) Reboot(context.Context, driver.Fence, driver.Host, string, plan.Update) error {
	c.rebooted = true
	return nil
}

// A reboot that was decided some time ago (a controller died in between) looks before it leaps: what
// was empty then may not be now.
func TestAHostIsLookedAtRightBeforeItsReboot(t *testing.T) {
	d := &crowded{}
	w := engine.World{Drivers: map[string]driver.Driver{"sim": d}, Clock: &clock{dawn}, WithDeadline: func(ctx context.Context, _ time.Time) (context.Context, context.CancelFunc) {
		return context.WithCancel(ctx)
	}}
	k := engine.Campaign{Plan: &plan.Plan{}, Fleet: &fleet.Fleet{Hosts: []fleet.Host{{ID: "h1", URI: "sim://h1"}}}}
	facts := engine.Perform(context.Background(), w, k, execution.Chore{Kind: execution.ChoreReboot, Turn: "h1", Host: "h1", Step: execution.StepReboot, Attempt: 1, BootID: "boot-1", Deadline: dawn.Add(time.Minute)})
	if d.rebooted || len(facts) != 1 || facts[0].Kind != execution.StepFailed {
		t.Fatalf("rebooted %v with an instance running on it; facts %+v", d.rebooted, facts)
	}
}
