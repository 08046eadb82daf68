package simulated_test

import (
	"bytes"
	"context"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/drivertest"
	"github.com/evenkeel/evenkeel/internal/driver/simulated"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// speed of the worlds that run on the machine's clock in these tests.
const speed = 20

// locked is a buffer for a log that is read while it grows.
type locked struct {
	sync.Mutex
	bytes.Buffer
}

func (b *locked) Write(p []byte) (int, error) {
	b.Lock()
	defer b.Unlock()
	return b.Buffer.Write(p)
}

// conformanceWorld has h1 and h2 for moving about, h3 to update and reboot, and h4, which is silent.
func conformanceWorld(t *testing.T, log *locked) (*simulated.World, *fleet.Fleet) {
	return conformanceWorldOf(t, log, fleet.KVM)
}

func conformanceWorldOf(t *testing.T, log *locked, hypervisor fleet.Hypervisor) (*simulated.World, *fleet.Fleet) {
	f := threeHosts()
	for i := range f.Hosts {
		if f.Hosts[i].Hypervisor = hypervisor; hypervisor == fleet.Xen {
			f.Hosts[i].VirtCaps, f.Hosts[i].Software = oldCaps, fleet.Software{Installed: map[string]string{xenPackage: oldXen, "qemu": oldQEMU}, BuildID: oldBuild}
		}
	}
	f.Hosts = append(f.Hosts, fleet.Host{ID: "h4", MemoryMiB: 1024})
	for i := range f.Instances {
		if f.Instances[i].ID == "wide" {
			f.Instances[i].MemoryMiB = 9000 // leaves room on h2 for all but hot and db together
		}
		if f.Instances[i].ID == "hot" {
			f.Instances[i].MemoryMiB, f.Instances[i].DirtyMiBps = 7800, 0 // too big for h2
		}
		if f.Instances[i].ID == "db" {
			f.Instances[i].DirtyMiBps = 1
		}
	}
	times := simulated.DefaultTimes()
	times.RebootMin, times.RebootMax = 20*time.Second, 40*time.Second
	w, err := simulated.NewWorld(f, simulated.Options{
		Clock: simulated.Hurried(speed), Seed: 3, Times: times, Log: log, Updates: map[string]string{"qemu": newQEMU},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Cut("h4", 1000*time.Hour)
	return w, f
}

func conformanceLab(w *simulated.World, d *simulated.Driver) drivertest.Lab {
	lab := drivertest.Lab{
		Driver: d, Movable: []string{"web", "db", "tiny"}, Slow: "web", SlowMiBps: 15,
		Suspendable: "web", Stoppable: "web", TooBig: "hot", Silent: host("h4"),
		RebootHost: host("h3"), RebootWithin: time.Minute, RebootShows: time.Second,
		UpdateHost: host("h3"), Update: plan.Update{Command: []string{"simulated-update", "qemu=" + newQEMU}},
		Truth: func(_ *testing.T, instance string) []string { return w.RunningOn(instance) },
		KillDestinationMidCopy: func(t *testing.T, instance string) {
			if !w.KillIncoming(instance) {
				t.Errorf("%s has no receiving half to kill", instance)
			}
		},
		FreezeDestination: func(*testing.T) func() {
			w.Freeze("h2", time.Hour)
			return func() { w.Rejoin("h2") }
		},
	}
	for _, id := range []string{"h1", "h2", "h3"} {
		lab.Hosts = append(lab.Hosts, host(id))
	}
	lab.CutNetwork = func(_ *testing.T, h driver.Host) func() {
		w.Cut(h.ID, time.Hour)
		return func() { w.Rejoin(h.ID) }
	}
	return lab
}

func wantAll(t *testing.T, sum drivertest.Summary) {
	t.Helper()
	if len(sum.Skipped) > 0 || len(sum.Passed) < 20 {
		t.Errorf("the simulated driver must pass every case: passed %d, skipped %v", len(sum.Passed), sum.Skipped)
	}
}

func TestConformance(t *testing.T) {
	t.Parallel() // it waits on the machine's clock most of the time
	w, _ := conformanceWorld(t, &locked{})
	wantAll(t, drivertest.Run(t, conformanceLab(w, simulated.NewDriver(w))))
}

// TestConformanceOfXen: a world of Xen hosts, whose instances tell nothing of what they run on.
func TestConformanceOfXen(t *testing.T) {
	t.Parallel()
	w, _ := conformanceWorldOf(t, &locked{}, fleet.Xen)
	wantAll(t, drivertest.Run(t, conformanceLab(w, simulated.NewDriver(w))))
}

func TestConformanceOverASocket(t *testing.T) {
	t.Parallel()
	log := &locked{}
	w, f := conformanceWorld(t, log)
	socket := filepath.Join(t.TempDir(), "world.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- w.Serve(ctx, l, speed) }()
	go func() { ended <- w.Live(ctx) }()
	d := simulated.Dial(socket)
	d.Limits = simulated.Limits{Call: time.Second, Poll: 50 * time.Millisecond, Settle: 4 * time.Second, Grace: time.Second}
	wantAll(t, drivertest.Run(t, conformanceLab(w, d)))
	d.Close()
	stop()
	for range 2 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}

	// The witness counts the same from the log file as the world from its memory.
	tally, err := simulated.ReadLog("log", &log.Buffer)
	if err != nil {
		t.Fatal(err)
	}
	var hosts, instances []string
	for _, h := range f.Hosts {
		hosts = append(hosts, h.ID)
	}
	for _, i := range f.Instances {
		if i.State == "" {
			instances = append(instances, i.ID)
		}
	}
	got := tally.Verdict(hosts, instances)
	if want := w.Verdict(); got != want {
		t.Errorf("witness %+v, world %+v", got, want)
	}
	if got.HostsRebooted != 1 || got.HostsFixed != 1 || got.Killed != 0 || got.DoubleRun != 0 || got.InstancesRunning != len(instances) {
		t.Errorf("witness %+v", got)
	}
}

func TestNobodyServes(t *testing.T) {
	d := simulated.Dial(filepath.Join(t.TempDir(), "none.sock"))
	defer d.Close()
	_, err := d.Observe(context.Background(), host("h1"))
	wantCode(t, err, "unreachable")
}
