package simulated_test

import (
	"context"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/simulated"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// TestLivePatch: the command ends while the patch is in transition; the list says when it is applied,
// whether it stays in transition or is taken away; a reboot ends it.
func TestLivePatch(t *testing.T) {
	for name, c := range map[string]struct {
		fault simulated.Fault
		after string // state after a minute and a half
		code  string // of the update
	}{
		"as it should":      {"", "applied", ""},
		"a task keeps it":   {simulated.PatchStuck, "transition", ""},
		"others take it":    {simulated.PatchLost, "", ""},
		"it does not load":  {simulated.UpdateFails, "", driver.CodeUpdateFailed},
		"it is not applied": {simulated.UpdateSays70, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, nil)
			if c.fault != "" {
				l.world.Force(c.fault, 1)
			}
			h, u := host("h2"), plan.Update{Command: []string{"apply", "linux:livepatch_1"}}
			state := func(ctx context.Context) string {
				o, err := l.d.Observe(ctx, h)
				if err != nil || o.Software.LivePatches == nil {
					t.Fatalf("the list is not read: %v %v", o.Software.LivePatches, err)
				}
				for _, p := range o.Software.LivePatches {
					if p.Name == "livepatch_1" && p.Component == "linux" {
						return p.State
					}
				}
				return ""
			}
			l.run(func(ctx context.Context) {
				_, err := l.d.Update(ctx, l.fence, h, u)
				wantCode(t, err, c.code)
				if early := state(ctx); early != "" && early != "transition" {
					t.Errorf("right after its command it is %q", early)
				}
				l.sleep(ctx, 90*time.Second)
				if got := state(ctx); got != c.after {
					t.Errorf("it is %q, want %q", got, c.after)
				}
				if c.after != "applied" {
					return
				}
				if out, err := l.d.Update(ctx, l.fence, h, u); err != nil || out.Needed {
					t.Errorf("once more: %+v %v", out, err)
				}
				wantCode(t, l.d.Reboot(ctx, l.fence, h, l.world.BootID("h2"), u), "")
				l.sleep(ctx, time.Hour)
				if got := state(ctx); got != "" {
					t.Errorf("after a reboot it is %q", got)
				}
			})
		})
	}
}
