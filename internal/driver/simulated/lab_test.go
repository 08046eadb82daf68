package simulated_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/simulated"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/sim"
)

const (
	oldQEMU = "1:7.2+dfsg-7+deb12u15"
	newQEMU = "1:7.2+dfsg-7+deb12u18"
)

var dawn = time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)

// three hosts of 16 GiB with 10 Gbit/s links; h1 runs six instances, h2 one.
func threeHosts() *fleet.Fleet {
	sw := fleet.Software{Installed: map[string]string{"qemu": oldQEMU}}
	f := &fleet.Fleet{}
	for _, id := range []string{"h1", "h2", "h3"} {
		f.Hosts = append(f.Hosts, fleet.Host{ID: id, Pools: []string{"p"}, Hypervisor: fleet.KVM, MemoryMiB: 16384, Software: sw})
	}
	add := func(id, host string, memory int64, change func(*fleet.Instance)) {
		i := fleet.Instance{ID: id, Host: host, MemoryMiB: memory}
		if change != nil {
			change(&i)
		}
		f.Instances = append(f.Instances, i)
	}
	add("web", "h1", 2048, nil)
	add("db", "h1", 4096, func(i *fleet.Instance) { i.DirtyMiBps = 100 })
	add("hot", "h1", 4096, func(i *fleet.Instance) { i.DirtyMiBps = 2000 }) // more than the link carries
	add("local", "h1", 1024, func(i *fleet.Instance) { i.Disks = []fleet.Disk{{Name: "vda"}} })
	add("cold", "h1", 1024, func(i *fleet.Instance) { i.State = fleet.Stopped })
	add("tiny", "h1", 64, nil)
	add("wide", "h2", 14336, nil)
	return f
}

// lab is a world in virtual time with a driver to it.
type lab struct {
	t     *testing.T
	sched *sim.Scheduler
	world *simulated.World
	d     *simulated.Driver
	fence driver.Fence
	boot  string // a boot id to remember
}

func newLab(t *testing.T, change func(*simulated.Options)) *lab {
	t.Helper()
	return newLabOf(t, threeHosts(), change)
}

func newLabOf(t *testing.T, f *fleet.Fleet, change func(*simulated.Options)) *lab {
	t.Helper()
	l := &lab{t: t, sched: sim.NewScheduler(dawn)}
	o := simulated.Options{Clock: l.sched, Seed: 7, Updates: map[string]string{"qemu": newQEMU}}
	if change != nil {
		change(&o)
	}
	w, err := simulated.NewWorld(f, o)
	if err != nil {
		t.Fatal(err)
	}
	l.world, l.d = w, simulated.NewDriver(w)
	t.Cleanup(l.sched.Close)
	return l
}

// run lets one process act for at most a virtual day.
func (l *lab) run(act func(ctx context.Context)) {
	l.t.Helper()
	done := false
	l.sched.Go("test", func(ctx context.Context) { act(ctx); done = true })
	if err := l.sched.Run(l.sched.Now().Add(24 * time.Hour)); err != nil {
		l.t.Fatal(err)
	}
	if !done {
		l.t.Fatal("the call did not end within a virtual day")
	}
}

// at does something to the world so long from now.
func (l *lab) at(d time.Duration, do func()) { l.sched.At(l.sched.Now().Add(d), do) }

func (l *lab) sleep(ctx context.Context, d time.Duration) {
	if err := l.sched.Wait(ctx, d); err != nil {
		l.t.Errorf("sleep: %v", err)
	}
}

func host(id string) driver.Host { return driver.Host{ID: id, URI: "sim://" + id} }

func (l *lab) request(instance, from, to string) driver.MigrateRequest {
	return driver.MigrateRequest{Fence: l.fence, Instance: instance, From: host(from), To: host(to), StuckFor: 30 * time.Second}
}

// wantCode checks that an error is an operating error with a code and a next step.
func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var e *driver.Error
	switch {
	case code == "" && err == nil:
	case code == "":
		t.Errorf("error %v, want none", err)
	case !errors.As(err, &e):
		t.Errorf("error %v, want one with code %s", err, code)
	case e.Code != code:
		t.Errorf("code %s (%v), want %s", e.Code, err, code)
	case e.Why == "" || e.Next == "":
		t.Errorf("the error %+v does not say why and what next", e)
	}
}

func (l *lab) wantOn(instance string, hosts ...string) {
	l.t.Helper()
	if got := l.world.RunningOn(instance); !slices.Equal(got, hosts) {
		l.t.Errorf("%s runs on %v, want %v", instance, got, hosts)
	}
}
