package simulated_test

import (
	"context"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/simulated"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

func TestSaveRestoreStopStartTwice(t *testing.T) {
	l := newLab(t, nil)
	l.run(func(ctx context.Context) {
		h := host("h1")
		acts := []struct {
			name  string
			act   func(context.Context, driver.Fence, driver.Host, string) error
			state fleet.State
			saved bool
		}{
			{"save", l.d.Save, fleet.Stopped, true}, {"restore", l.d.Restore, fleet.Running, false},
			{"stop", l.d.Stop, fleet.Stopped, false}, {"start", l.d.Start, fleet.Running, false},
		}
		for _, a := range acts {
			for range 2 {
				if err := a.act(ctx, l.fence, h, "web"); err != nil {
					t.Errorf("%s: %v", a.name, err)
				}
				o, err := l.d.Observe(ctx, h)
				wantCode(t, err, "")
				for _, i := range o.Instances {
					if i.ID == "web" && (i.State != a.state || i.Saved != a.saved) {
						t.Errorf("after %s: %+v", a.name, i)
					}
				}
			}
			wantCode(t, a.act(ctx, l.fence, h, "nobody"), driver.CodeNotFound)
		}
		stopping, cancel := l.sched.WithTimeout(ctx, time.Second)
		defer cancel()
		wantCode(t, l.d.Stop(stopping, l.fence, h, "db"), driver.CodeDeadline) // it takes 3 s
	})
	if k := l.world.Killed(); len(k) != 0 {
		t.Errorf("killed %v", k)
	}
}

// An answer that is lost must not make an act fail, or be done twice, or take the whole context.
func TestLostAnswersOfActs(t *testing.T) {
	acts := map[string]func(l *lab, ctx context.Context) error{
		"save":  func(l *lab, ctx context.Context) error { return l.d.Save(ctx, l.fence, host("h1"), "web") },
		"stop":  func(l *lab, ctx context.Context) error { return l.d.Stop(ctx, l.fence, host("h1"), "web") },
		"start": func(l *lab, ctx context.Context) error { return l.d.Start(ctx, l.fence, host("h1"), "cold") },
		"update": func(l *lab, ctx context.Context) error {
			out, err := l.d.Update(ctx, l.fence, host("h3"), plan.Update{})
			if !out.Needed {
				l.t.Error("the update that was done is called not needed")
			}
			return err
		},
		"cordon": func(l *lab, ctx context.Context) error { return l.d.Cordon(ctx, l.fence, host("h3")) },
		"reboot": func(l *lab, ctx context.Context) error {
			return l.d.Reboot(ctx, l.fence, host("h3"), l.boot, plan.Update{})
		},
	}
	for name, act := range acts {
		for _, f := range []simulated.Fault{simulated.CallLost, simulated.AnswerLost, simulated.CallDoubled} {
			t.Run(name+" "+string(f), func(t *testing.T) {
				l := newLab(t, nil)
				l.boot = l.world.BootID("h3")
				if name == "cordon" {
					l.world.Force(f, 1)
				} else { // the act is the second call; the first one looks
					l.at(time.Millisecond, func() { l.world.Force(f, 1) })
				}
				l.run(func(ctx context.Context) {
					ctx, cancel := l.sched.WithTimeout(ctx, time.Hour)
					defer cancel()
					begun := l.sched.Now()
					err := act(l, ctx)
					if f == simulated.CallLost && (name == "cordon" || name == "reboot") {
						wantCode(t, err, driver.CodeUnreachable)
					} else if name == "reboot" && f == simulated.AnswerLost {
						wantCode(t, err, driver.CodeUnreachable) // it goes down before it could be asked again
						wantCode(t, func() error { l.sleep(ctx, 10*time.Minute); return act(l, ctx) }(), "")
					} else {
						wantCode(t, err, "")
					}
					if took := l.sched.Now().Sub(begun); took > 20*time.Minute {
						t.Errorf("it took %s", took)
					}
				})
				if l.world.Hits()[f] != 1 {
					t.Fatalf("the fault struck %d times", l.world.Hits()[f])
				}
				told := 0
				for _, r := range l.world.Log() {
					if r.Kind == simulated.HostTold {
						told++
					}
				}
				if want := name == "reboot" && f != simulated.CallLost; (told == 1) != want || told > 1 {
					t.Errorf("%d reboots were ordered", told)
				}
			})
		}
	}
}

func TestUpdateRebootProof(t *testing.T) {
	l := newLab(t, nil)
	h := host("h2")
	before := l.world.BootID("h2")
	l.run(func(ctx context.Context) {
		u := plan.Update{Command: []string{"simulated-update", "qemu=" + newQEMU}}
		out, err := l.d.Update(ctx, l.fence, h, u)
		wantCode(t, err, "")
		if !out.Needed {
			t.Error("the first update was not needed")
		}
		if out, err = l.d.Update(ctx, l.fence, h, u); err != nil || out.Needed {
			t.Errorf("the second update: %+v %v", out, err)
		}
		o, _ := l.d.Observe(ctx, h)
		if o.Software.Installed["qemu"] != newQEMU || o.Software.Booted["qemu"] != oldQEMU || o.Instances[0].Running["qemu"] != oldQEMU {
			t.Errorf("installed, booted and running are not told apart: %+v %+v", o.Software, o.Instances[0].Running)
		}
		l.fence.Generation = 4
		wantCode(t, l.d.Reboot(ctx, l.fence, h, "never-seen", u), driver.CodeRefused)
		stale := l.fence
		stale.Generation = 3
		wantCode(t, l.d.Reboot(ctx, stale, h, before, u), driver.CodeRefused)
		l.sleep(ctx, time.Hour)
		if l.world.BootID("h2") != before {
			t.Fatal("a refused reboot happened")
		}
		wantCode(t, l.d.Reboot(ctx, l.fence, h, before, u), "")
		wantCode(t, l.d.Reboot(ctx, l.fence, h, before, u), "") // the same order again, before it went down
		l.sleep(ctx, time.Hour)
		wantCode(t, l.d.Reboot(ctx, l.fence, h, before, u), "") // and long after
		l.sleep(ctx, time.Hour)
		o, err = l.d.Observe(ctx, h)
		wantCode(t, err, "")
		if o.BootID == before || o.Software.Booted["qemu"] != newQEMU {
			t.Errorf("after the reboot: boot id %s, booted %v", o.BootID, o.Software.Booted)
		}
	})
	if v := l.world.Verdict(); v.HostsRebooted != 1 || v.HostsFixed != 1 || l.world.Reboots()["h2"] != 1 {
		t.Errorf("verdict %+v, reboots %v", v, l.world.Reboots())
	}
	if k := l.world.Killed(); len(k) != 1 || k[0] != "wide" {
		t.Errorf("killed %v: what ran on the host when it went down must be on the list", k)
	}
}

func TestRebootsThatGoWrong(t *testing.T) {
	tests := []struct {
		fault   simulated.Fault
		answers bool
		reboots int
		booted  string
	}{
		{simulated.NeverReturns, false, 0, ""},
		{simulated.SameBoot, true, 0, oldQEMU},
		{simulated.BootsOld, true, 1, oldQEMU},
		{simulated.Flaps, true, 1, newQEMU},
	}
	for _, tt := range tests {
		t.Run(string(tt.fault), func(t *testing.T) {
			l := newLab(t, nil)
			h := host("h3")
			l.run(func(ctx context.Context) {
				_, err := l.d.Update(ctx, l.fence, h, plan.Update{})
				wantCode(t, err, "")
				l.world.Force(tt.fault, 1)
				wantCode(t, l.d.Reboot(ctx, l.fence, h, l.world.BootID("h3"), plan.Update{}), "")
				l.sleep(ctx, time.Hour)
				o, err := l.d.Observe(ctx, h)
				if !tt.answers {
					wantCode(t, err, driver.CodeUnreachable)
				} else if wantCode(t, err, ""); o.Software.Booted["qemu"] != tt.booted {
					t.Errorf("booted %v", o.Software.Booted)
				}
			})
			if l.world.Reboots()["h3"] != tt.reboots {
				t.Errorf("%d reboots", l.world.Reboots()["h3"])
			}
		})
	}
}

func TestUpdatesThatGoWrong(t *testing.T) {
	l := newLab(t, nil)
	h := host("h3")
	l.run(func(ctx context.Context) {
		l.world.Force(simulated.UpdateFails, 1)
		_, err := l.d.Update(ctx, l.fence, h, plan.Update{})
		wantCode(t, err, driver.CodeUpdateFailed)
		l.world.Force(simulated.UpdateSays70, 1)
		out, err := l.d.Update(ctx, l.fence, h, plan.Update{})
		wantCode(t, err, "")
		if out.Needed {
			t.Error("70 means: not needed")
		}
		o, _ := l.d.Observe(ctx, h)
		if o.Software.Installed["qemu"] != oldQEMU {
			t.Errorf("installed %v, although neither update did anything", o.Software.Installed)
		}
	})
}

func TestObserveOfASilentHostEndsWithItsContext(t *testing.T) {
	l := newLab(t, nil)
	l.world.Cut("h1", time.Hour)
	l.run(func(ctx context.Context) {
		c, cancel := l.sched.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		begun := l.sched.Now()
		_, err := l.d.Observe(c, host("h1"))
		wantCode(t, err, driver.CodeUnreachable)
		if took := l.sched.Now().Sub(begun); took != 3*time.Second {
			t.Errorf("it took %s", took)
		}
		_, err = l.d.Observe(ctx, host("elsewhere"))
		wantCode(t, err, driver.CodeUnreachable)
		_, err = l.d.Observe(ctx, driver.Host{ID: "h1", URI: "qemu:///system"})
		wantCode(t, err, driver.CodeUnsupported)
	})
}

func TestOthersAct(t *testing.T) {
	l := newLab(t, nil)
	l.run(func(ctx context.Context) {
		l.world.Force(simulated.OthersStart, 1)
		l.world.KillCopy("h2", "wide")
		out, err := l.d.Migrate(ctx, l.request("web", "h1", "h2"))
		wantCode(t, err, "")
		if !out.Ends.Moved() {
			t.Fatalf("%+v", out)
		}
		if out, err = l.d.Migrate(ctx, l.request("web", "h2", "h3")); err != nil || !out.Ends.Moved() {
			t.Fatalf("%+v %v", out, err)
		}
		l.sleep(ctx, time.Minute)
		o, _ := l.d.Observe(ctx, host("h2"))
		if n := len(o.Instances); n != 2 { // wide, stopped, and the one that others started
			t.Errorf("h2 has %d instances: %+v", n, o.Instances)
		}
		wantCode(t, l.d.Cordon(ctx, l.fence, host("h3")), "")
		wantCode(t, l.d.Cordon(ctx, l.fence, host("h3")), "")
		if id := l.world.OthersStart("h3", 64); id != "" {
			t.Errorf("%s was started on a cordoned host", id)
		}
		wantCode(t, l.d.Uncordon(ctx, l.fence, host("h3")), "")
		if id := l.world.OthersStart("h3", 64); id == "" {
			t.Error("an uncordoned host takes nothing")
		}
		l.world.OthersRemove("web")
		l.wantOn("web")
	})
}
