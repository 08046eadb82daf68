package simulated_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/console"
	"github.com/evenkeel/evenkeel/internal/driver/simulated"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

const (
	xenPackage = "xen-hypervisor-4.17-amd64"
	oldXen     = "4.17.5+72-g8dd13b8d3c-1~deb12u1"
	newXen     = "4.17.7+13-g6c4b1a1-1~deb12u1"
	oldBuild   = "51e5ad2c4b2d3f8a0d1c5f2f3b6a7c8d9e0f1a2b"
)

var oldCaps = []string{"pv", "hvm", "hap", "shadow", "gnttab-v1"}

// xenHosts are three Xen hosts; h1 runs a PV and a PVH guest.
func xenHosts() *fleet.Fleet {
	f := &fleet.Fleet{}
	for _, id := range []string{"h1", "h2", "h3"} {
		f.Hosts = append(f.Hosts, fleet.Host{ID: id, Pools: []string{"p"}, Hypervisor: fleet.Xen, MemoryMiB: 16384, VirtCaps: slices.Clone(oldCaps),
			Software: fleet.Software{Installed: map[string]string{xenPackage: oldXen}, BuildID: oldBuild}})
	}
	f.Instances = []fleet.Instance{{ID: "pv", Host: "h1", MemoryMiB: 2048, GuestType: "pv"}, {ID: "pvh", Host: "h1", MemoryMiB: 2048, GuestType: "pvh"},
		{ID: "back", Host: "h2", MemoryMiB: 1024, GuestType: "PV"}}
	return f
}

func newXenLab(t *testing.T, f simulated.Faults, change func(*fleet.Fleet)) *lab {
	fl := xenHosts()
	if change != nil {
		change(fl)
	}
	return newLabOf(t, fl, func(o *simulated.Options) { o.Faults, o.Updates = f, map[string]string{xenPackage: newXen} })
}

// renew updates and reboots a host, and waits.
func (l *lab) renew(ctx context.Context, id string) {
	_, err := l.d.Update(ctx, l.fence, host(id), plan.Update{})
	wantCode(l.t, err, "")
	l.reboot(ctx, id)
}

// TestXenHost: build id and virt_caps are the running hypervisor's; live patches bind to that build and
// are gone after a reboot; a PV guest leaves only where there is shadow paging.
func TestXenHost(t *testing.T) {
	l := newXenLab(t, simulated.Faults{}, nil)
	l.run(func(ctx context.Context) {
		patch := []driver.Patch{{Name: "lp1", Component: "xen", BuildID: oldBuild, Payload: simulated.Payload(oldBuild, "")}}
		if out, err := l.d.Apply(ctx, l.fence, host("h2"), patch); err != nil || len(out.Patches) != 1 {
			t.Errorf("the patch of the old build: %+v %v", out, err)
		}
		_, err := l.d.Update(ctx, l.fence, host("h2"), plan.Update{})
		wantCode(t, err, "")
		o, _ := l.d.Observe(ctx, host("h2"))
		if o.Software.Installed[xenPackage] != newXen || o.Software.Running["xen-upstream"] != "4.17.5" || o.Software.Running[xenPackage] != "" || o.Software.BuildID != oldBuild || !slices.Contains(o.Facts.VirtCaps, "shadow") {
			t.Errorf("after the update, before the reboot: %+v %v", o.Software, o.Facts.VirtCaps)
		}
		_, err = l.d.Migrate(ctx, l.request("back", "h2", "h3"))
		wantCode(t, err, "")
		l.reboot(ctx, "h2")
		o, _ = l.d.Observe(ctx, host("h2"))
		build := simulated.BuildID(map[string]string{xenPackage: newXen})
		if o.Software.Booted[xenPackage] != newXen || o.Software.Running["xen-upstream"] != "4.17.7" || o.Software.BuildID != build || slices.Contains(o.Facts.VirtCaps, "shadow") || len(o.Software.LivePatches) != 0 {
			t.Errorf("after the reboot: %+v %v", o.Software, o.Facts.VirtCaps)
		}
		_, err = l.d.Apply(ctx, l.fence, host("h2"), patch)
		wantCode(t, err, driver.CodePatchBuild)
		for id, code := range map[string]string{"pv": driver.CodeCannotMove, "pvh": ""} {
			_, err = l.d.Migrate(ctx, l.request(id, "h1", "h2"))
			wantCode(t, err, "")
			_, err = l.d.Migrate(ctx, l.request(id, "h2", "h1"))
			wantCode(t, err, code)
		}
	})
	l.wantOn("pv", "h2")
	l.wantOn("pvh", "h1")
}

// reboot reboots a host that is updated, and waits.
func (l *lab) reboot(ctx context.Context, id string) {
	wantCode(l.t, l.d.Reboot(ctx, l.fence, host(id), l.world.BootID(id), plan.Update{}), "")
	l.sleep(ctx, 10*time.Minute)
}

// TestXenLikeAnother: a version that a host of the fleet runs is everywhere as it is there.
func TestXenLikeAnother(t *testing.T) {
	l := newXenLab(t, simulated.Faults{}, func(f *fleet.Fleet) {
		f.Hosts[2].Software = fleet.Software{Installed: map[string]string{xenPackage: newXen}, BuildID: "b2"}
		f.Hosts[2].VirtCaps = []string{"pv", "hap", "shadow", "vmtrace"}
	})
	l.run(func(ctx context.Context) { l.renew(ctx, "h1") })
	if got := l.world.Truth("h1"); got.BuildID != "b2" || !got.Shadow {
		t.Errorf("%+v", got)
	}
}

// TestReturns: each way in which a reboot comes out is told apart by what the host, its power supply
// and its console say, and is over once it is mended.
func TestReturns(t *testing.T) {
	build := simulated.BuildID(map[string]string{xenPackage: newXen})
	off := driver.PowerOff
	for how, c := range map[simulated.Fault]struct {
		answers        bool
		booted, build  string
		power          driver.Power
		reached        console.Stage
		panics, byRate bool
	}{
		"well":                 {answers: true, booted: newXen, build: build, power: driver.PowerOn, reached: console.Login},
		simulated.BootsOld:     {answers: true, booted: oldXen, build: oldBuild, power: driver.PowerOn, reached: console.Login},
		simulated.OldBuild:     {answers: true, booted: newXen, build: oldBuild, power: driver.PowerOn, reached: console.Login},
		simulated.NoNetwork:    {power: driver.PowerOn, reached: console.Login},
		simulated.NoDom0:       {power: driver.PowerOn, reached: console.Hypervisor, panics: true},
		simulated.StaysOff:     {power: off, reached: console.None},
		simulated.NeverReturns: {power: driver.PowerOn, reached: console.None},
	} {
		t.Run(string(how), func(t *testing.T) {
			l := newXenLab(t, simulated.Faults{Returns: map[string][]simulated.Fault{"h3": {how, "well"}}}, nil)
			l.run(func(ctx context.Context) {
				before := l.world.BootID("h3")
				l.renew(ctx, "h3")
				o, err := l.d.Observe(ctx, host("h3"))
				if c.answers {
					wantCode(t, err, "")
					if o.BootID == before || o.Software.Booted[xenPackage] != c.booted || o.Software.BuildID != c.build || o.Software.Installed[xenPackage] != newXen {
						t.Errorf("it came back with boot id %s (was %s), %+v", o.BootID, before, o.Software)
					}
				} else {
					wantCode(t, err, driver.CodeUnreachable)
				}
				p, err := l.d.Probe(ctx, host("h3"))
				wantCode(t, err, "")
				if r := console.Read(p.Console); p.Power != c.power || r.Reached != c.reached || (r.Panic != "") != c.panics {
					t.Errorf("power %q, console %+v of\n%s", p.Power, r, p.Console)
				}
				l.sleep(ctx, 5*time.Hour)
				l.world.Mend("h3")
				if o, err = l.d.Observe(ctx, host("h3")); err != nil || !c.answers && (o.Software.BuildID != build && how != simulated.NoNetwork || o.BootID == before) {
					t.Errorf("mended: %+v %v", o.Software, err)
				}
			})
			if got := l.world.Hits()[how]; got != 1 && how != "well" {
				t.Errorf("it struck %d times", got)
			}
		})
	}
}

// TestProbe tells of a host that is well and may tell nothing.
func TestProbe(t *testing.T) {
	l := newXenLab(t, simulated.Faults{}, nil)
	l.run(func(ctx context.Context) {
		p, err := l.d.Probe(ctx, host("h1"))
		if err != nil || p.Power != driver.PowerOn || console.Read(p.Console).Hypervisor != "4.17.5" {
			t.Errorf("%+v %v", p, err)
		}
		l.world.Cut("h1", time.Hour)
		l.world.Force(simulated.ProbeMute, 1)
		if p, err = l.d.Probe(ctx, host("h1")); err != nil || p != (driver.Probe{}) {
			t.Errorf("mute: %+v %v", p, err)
		}
		if p, err = l.d.Probe(ctx, host("h1")); err != nil || p.Power != driver.PowerOn {
			t.Errorf("cut off: %+v %v", p, err)
		}
		l.world.PowerOff("h1")
		if p, err = l.d.Probe(ctx, host("h1")); err != nil || p != (driver.Probe{Power: driver.PowerOff}) {
			t.Errorf("off: %+v %v", p, err)
		}
		_, err = l.d.Probe(ctx, host("nobody"))
		wantCode(t, err, driver.CodeUnreachable)
	})
}

// TestMigrationsTo: only migrations towards the version that is named fail, from its moment on, with the
// hypervisor's own code, and the instance runs on where it was.
func TestMigrationsTo(t *testing.T) {
	newer := func(f *fleet.Fleet) { f.Hosts[2].Software.Installed = map[string]string{xenPackage: newXen} }
	rule := simulated.MigrationsTo{Package: xenPackage, Version: newXen, Rate: 1}
	for name, c := range map[string]struct {
		change   func(*simulated.MigrationsTo)
		to, code string
	}{
		"towards it":     {nil, "h3", driver.CodeFailed},
		"refused":        {func(r *simulated.MigrationsTo) { r.Refused = true }, "h3", driver.CodeCannotMove},
		"towards others": {nil, "h2", ""},
		"any version":    {func(r *simulated.MigrationsTo) { r.Version = "" }, "h2", driver.CodeFailed},
		"every host":     {func(r *simulated.MigrationsTo) { *r = simulated.MigrationsTo{Rate: 1} }, "h2", driver.CodeFailed},
		"other package":  {func(r *simulated.MigrationsTo) { r.Package = "qemu" }, "h3", ""},
		"not yet":        {func(r *simulated.MigrationsTo) { r.After = 3600 }, "h3", ""},
		"never":          {func(r *simulated.MigrationsTo) { r.Rate = 0 }, "h3", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := rule
			if c.change != nil {
				c.change(&r)
			}
			l := newXenLab(t, simulated.Faults{MigrationsTo: []simulated.MigrationsTo{r}}, newer)
			l.run(func(ctx context.Context) {
				out, err := l.d.Migrate(ctx, l.request("pvh", "h1", c.to))
				if wantCode(t, err, c.code); c.code != "" && !out.Ends.Stayed() {
					t.Errorf("ends %+v", out.Ends)
				}
				if hits := l.world.Hits()[simulated.MovesFail]; (hits == 1) != (c.code != "") {
					t.Errorf("it struck %d times", hits)
				}
				if r.After > 0 {
					l.sleep(ctx, time.Hour)
					_, err = l.d.Migrate(ctx, l.request("pv", "h1", c.to))
					wantCode(t, err, driver.CodeFailed)
				}
			})
			if len(l.world.Killed()) > 0 || len(l.world.RunningOn("pvh")) != 1 {
				t.Errorf("pvh runs on %v, killed %v", l.world.RunningOn("pvh"), l.world.Killed())
			}
		})
	}
}

// TestPatchedHostGoesBad: a patch that is taken away later, and a host that resets itself.
func TestPatchedHostGoesBad(t *testing.T) {
	for fault, boots := range map[simulated.Fault]int{simulated.PatchFades: 0, simulated.RebootsItself: 1} {
		t.Run(string(fault), func(t *testing.T) {
			l := newXenLab(t, simulated.Faults{}, nil)
			l.world.Force(fault, 1)
			l.run(func(ctx context.Context) {
				_, err := l.d.Apply(ctx, l.fence, host("h1"), []driver.Patch{{Name: "lp1", Component: "xen", Payload: simulated.Payload(oldBuild, "")}})
				wantCode(t, err, "")
				l.sleep(ctx, time.Hour)
			})
			if got := l.world.Truth("h1"); len(got.Patches) != 0 || got.Boots != boots || got.BuildID != oldBuild {
				t.Errorf("%+v", got)
			}
			if lost := len(l.world.Killed()); lost != 2*boots {
				t.Errorf("%d instances lost their memory", lost)
			}
		})
	}
}

// TestUnsoundFaults: what cannot be is refused, with its name.
func TestUnsoundFaults(t *testing.T) {
	for want, f := range map[string]simulated.Faults{
		"call_lost is 2":      {CallLost: 2},
		"no_dom0 is -1":       {NoDom0: -1},
		"entry 1: rate is 7":  {MigrationsTo: []simulated.MigrationsTo{{Rate: 7}}},
		`not to "call_lost"`:  {Returns: map[string][]simulated.Fault{"h1": {"call_lost"}}},
		"host h9: no such ho": {Returns: map[string][]simulated.Fault{"h9": {"well"}}},
	} {
		if _, err := simulated.NewWorld(xenHosts(), simulated.Options{Faults: f}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want one with %q", f, err, want)
		}
	}
}
