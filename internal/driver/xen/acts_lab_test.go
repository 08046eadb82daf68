package xen

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// slowly is the limit of one act there: ten times what it takes on a quiet machine.
const slowly = 8 * time.Minute

func (l *xenLab) request(name string, from, to int) driver.MigrateRequest {
	return driver.MigrateRequest{Fence: gen, Instance: name, From: l.hosts[from], To: l.hosts[to], StuckFor: 2 * time.Minute}
}

// shadow tells whether a host can live-migrate PV guests away.
func (l *xenLab) shadow(host string) bool {
	out, err := l.on(host, "xl info")
	if err != nil {
		l.t.Fatal(err)
	}
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "virt_caps") {
			return strings.Contains(line, " shadow")
		}
	}
	l.t.Fatalf("xl info on %s has no virt_caps", host)
	return false
}

// A PVH and a PV guest are moved, and count on where they were.
func TestLabMigrate(t *testing.T) {
	l := theLab(t)
	l.clear()
	d := l.driver()
	for kind, name := range map[string]string{"pvh": "t1", "pv": "t2"} {
		t.Run(kind, func(t *testing.T) {
			if kind == "pv" && !l.shadow("h1") {
				t.Fatal("h1 has no shadow paging: bring the lab up with an old build there")
			}
			l.guest("h1", name, kind)
			before, boots := l.tick(name)
			looks := 0
			r := l.request(name, 0, 1)
			r.Progress = func(driver.Progress) { looks++ }
			out, err := d.Migrate(in(t, slowly), r)
			t.Logf("%+v, %v, %d looks", out, err, looks)
			if err != nil || !out.Ends.Moved() || out.Already || looks == 0 {
				t.Fatalf("%+v, %v, %d looks", out, err, looks)
			}
			l.goesOn(name, before, boots)
			l.runsOnly(name, "h2")
			if out, err = d.Migrate(in(t, slowly), r); err != nil || !out.Already {
				t.Errorf("again: %+v, %v", out, err)
			}
		})
	}
}

// A guest is saved, its host updated and rebooted into the fixed hypervisor, and the guest restored: it
// counts on. On that hypervisor a PV guest cannot be live-migrated, and the driver says so.
func TestLabSaveRebootRestore(t *testing.T) {
	l := theLab(t)
	l.clear()
	d := l.driver()
	h := l.hosts[1]
	name := l.guest("h2", "t3", "pv")
	for range 2 {
		if err := d.Save(in(t, slowly), gen, h, name); err != nil {
			t.Fatal(err)
		}
	}
	before, boots := l.tick(name)
	first, err := d.Observe(in(t, slowly), h)
	if err != nil {
		t.Fatal(err)
	}
	out, err := d.Update(in(t, slowly), gen, h, plan.Update{Command: []string{"host-update"}})
	t.Logf("update: %+v, %v", out, err)
	if err != nil {
		t.Fatal(err)
	}
	mustCode(t, d.Reboot(in(t, slowly), driver.Fence{Generation: 1}, h, first.BootID, plan.Update{}), driver.CodeRefused)
	if err := d.Reboot(in(t, slowly), gen, h, first.BootID, plan.Update{}); err != nil {
		t.Fatal(err)
	}
	var second driver.Observation
	l.until("h2 is back", func() bool {
		second, err = d.Observe(in(t, time.Minute), h)
		return err == nil && second.BootID != "" && second.BootID != first.BootID
	})
	if out.Needed && (second.Software.BuildID == "" || second.Software.BuildID == first.Software.BuildID) {
		t.Errorf("build id %q after the update, before %q", second.Software.BuildID, first.Software.BuildID)
	}
	if err := d.Reboot(in(t, slowly), gen, h, first.BootID, plan.Update{}); err != nil {
		t.Errorf("the order is carried out: %v", err)
	}
	for range 2 {
		if err := d.Restore(in(t, slowly), gen, h, name); err != nil {
			t.Fatal(err)
		}
	}
	l.goesOn(name, before, boots)
	l.runsOnly(name, "h2")

	if l.shadow("h2") {
		t.Fatal("the fixed build has shadow paging")
	}
	moved, err := d.Migrate(in(t, slowly), l.request(name, 1, 0))
	mustCode(t, err, driver.CodeCannotMove)
	if !moved.Ends.Stayed() || !strings.Contains(err.Error(), "logdirty: 95") {
		t.Errorf("%+v, %v", moved, err)
	}
	n, _ := l.tick(name)
	l.goesOn(name, n, boots)
}

// The destination loses its power in mid-copy. As long as it cannot be read nobody says that the
// instance stayed; it runs on, and moves once the destination is back.
func TestLabDestinationPowerCut(t *testing.T) {
	l := theLab(t)
	l.clear()
	name := l.guest("h1", "t4", "pvh")
	cfg := l.config()
	cfg.Patience, cfg.CallTimeout = 20*time.Second, 15*time.Second
	d := newDriver(t, cfg)
	before, boots := l.tick(name)
	r := l.request(name, 0, 1)
	crash := sync.OnceFunc(func() { l.must("power", "crash", "h2") })
	r.Progress = func(driver.Progress) { crash() }
	out, err := d.Migrate(in(t, slowly), r)
	t.Logf("%+v, %v", out, err)
	mustCode(t, err, driver.CodeUnreachable)
	mustEnds(t, out, driver.IsRunning, driver.IsUnreachable)
	l.goesOn(name, before, boots)
	l.must("power", "on", "h2")
	n, _ := l.tick(name)
	r.Progress = nil
	if out, err = l.driver().Migrate(in(t, slowly), r); err != nil || !out.Ends.Moved() {
		t.Errorf("after it came back: %+v, %v", out, err)
	}
	l.goesOn(name, n, boots)
	l.runsOnly(name, "h2")
}
