package simulated_test

import (
	"context"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/drivertest"
	"github.com/evenkeel/evenkeel/internal/driver/simulated"
	"github.com/evenkeel/evenkeel/internal/fleet"
)

func simPatch(name, build, on string) driver.Patch {
	return driver.Patch{Name: name, Component: "xen", Payload: simulated.Payload(build, on)}
}

// TestPatchConformance runs the suite of driver.Patcher.
func TestPatchConformance(t *testing.T) {
	t.Parallel()
	f := &fleet.Fleet{Hosts: []fleet.Host{{ID: "x1", MemoryMiB: 4096, Hypervisor: fleet.Xen, Software: fleet.Software{BuildID: "b1"}}}}
	times := simulated.DefaultTimes()
	times.RebootMin, times.RebootMax = 20*time.Second, 40*time.Second
	w, err := simulated.NewWorld(f, simulated.Options{Clock: simulated.Hurried(speed), Seed: 5, Times: times})
	if err != nil {
		t.Fatal(err)
	}
	sum := drivertest.RunPatches(t, drivertest.PatchLab{
		Driver: simulated.NewDriver(w), Host: host("x1"), RebootWithin: time.Minute,
		First: simPatch("lp1", "b1", ""), Stacked: simPatch("lp2", "b1", "lp1"), Replacing: simPatch("lp3", "b1", ""), OtherBuild: simPatch("lp4", "b2", ""),
		Truth: func(*testing.T) (on []string) {
			for _, p := range w.LivePatches("x1") {
				if p.State == fleet.PatchApplied {
					on = append(on, p.Name)
				}
			}
			return on
		},
	})
	if len(sum.Skipped) > 0 || len(sum.Passed) < 13 {
		t.Errorf("the simulated driver must pass every case: passed %d, skipped %v", len(sum.Passed), sum.Skipped)
	}
}

// TestPatchFaults: whatever goes wrong on the way, the list tells, and asking again gets there.
func TestPatchFaults(t *testing.T) {
	for fault, code := range map[simulated.Fault]string{
		simulated.UpdateFails: driver.CodePatchInvalid, simulated.AnswerLost: "", simulated.CallDoubled: "",
	} {
		t.Run(string(fault), func(t *testing.T) {
			l := newLab(t, nil)
			l.run(func(ctx context.Context) {
				want := []driver.Patch{{Name: "lp1", Component: "xen", Payload: simulated.Payload(buildOf(l, ctx), "")}}
				l.world.Force(fault, 1)
				out, err := l.d.Apply(ctx, l.fence, host("h2"), want)
				if code != "" {
					wantCode(t, err, code)
				}
				for n := 0; err != nil && n < 5; n++ {
					out, err = l.d.Apply(ctx, l.fence, host("h2"), want)
				}
				if err != nil || len(out.Patches) != 1 || out.Patches[0].State != fleet.PatchApplied {
					t.Errorf("%+v %v", out, err)
				}
				if got := l.world.LivePatches("h2"); len(got) != 1 {
					t.Errorf("the host has %+v", got)
				}
			})
		})
	}
}

func buildOf(l *lab, ctx context.Context) string {
	o, _ := l.d.Observe(ctx, host("h2"))
	return o.Software.BuildID
}
