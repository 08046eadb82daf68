package xen

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
)

var removeFile = os.Remove

func ask(a, b *fakeHost) driver.MigrateRequest {
	return driver.MigrateRequest{Fence: gen, Instance: "web", From: a.host, To: b.host, StuckFor: time.Minute}
}

func mustEnds(t *testing.T, out driver.MigrateOutcome, src, dst driver.Where) {
	t.Helper()
	if want := (driver.Ends{Source: src, Destination: dst}); out.Ends != want {
		t.Errorf("ends %+v, expected %+v", out.Ends, want)
	}
}

func TestMigrate(t *testing.T) {
	cfg, a, b := fakeHosts(t)
	d := newDriver(t, cfg)
	a.guest("web")
	a.put("etc/xen/auto/web.cfg", "name = \"web\"\n")
	for n := range 2 {
		out, err := d.Migrate(in(t, 20*time.Second), ask(a, b))
		if err != nil || !out.Ends.Moved() || out.Already != (n == 1) {
			t.Fatalf("%+v, %v", out, err)
		}
	}
	if a.count("migrate") != 1 || a.has("etc/xen/auto/web.cfg") || !b.has("save/web.cfg") {
		t.Errorf("calls %q", a.read("calls"))
	}
	// It can be stopped and started there, and moved back.
	if err := d.Stop(in(t, 20*time.Second), gen, b.host, "web"); err != nil {
		t.Error(err)
	}
	if err := d.Start(in(t, 20*time.Second), gen, b.host, "web"); err != nil {
		t.Error(err)
	}
	if out, err := d.Migrate(in(t, 20*time.Second), ask(b, a)); err != nil || !out.Ends.Moved() {
		t.Errorf("%+v, %v", out, err)
	}
	if !a.has("etc/xen/auto/web.cfg") || b.has("save/web.cfg") {
		t.Error("what was borrowed was not given back")
	}
}

func TestMigrateFailures(t *testing.T) {
	run := driver.IsRunning
	for name, c := range map[string]struct {
		harm     func(a, b *fakeHost)
		code     string
		src, dst driver.Where
	}{
		"no shadow":          {func(a, b *fakeHost) { a.put("logdirty", "") }, driver.CodeCannotMove, run, driver.IsAbsent},
		"no room":            {func(a, b *fakeHost) { b.put("free", "100") }, driver.CodeNoRoom, run, driver.IsAbsent},
		"nowhere":            {func(a, b *fakeHost) { a.remove("dom/web"); a.remove("etc/xen/web.cfg") }, driver.CodeNotFound, driver.IsAbsent, driver.IsAbsent},
		"handshake lost":     {func(a, b *fakeHost) { a.put("handshake", "never") }, driver.CodeFailed, driver.IsPaused, driver.IsPaused},
		"namesake":           {func(a, b *fakeHost) { b.put("dom/web", "3 128 -b---- 00000000-0000-4000-8000-000000000002\n") }, driver.CodeRefused, run, run},
		"runs at both":       {func(a, b *fakeHost) { b.put("dom/web", "3 128 -b---- 00000000-0000-4000-8000-000000000001\n") }, driver.CodeSplit, run, run},
		"destination silent": {func(a, b *fakeHost) { b.cut() }, driver.CodeUnreachable, run, driver.IsUnreachable},
		"source silent":      {func(a, b *fakeHost) { a.cut() }, driver.CodeUnreachable, driver.IsUnreachable, driver.IsAbsent},
		"xl says nothing":    {func(a, b *fakeHost) { b.put("broken", "") }, driver.CodeUnreachable, run, driver.IsUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, a, b := fakeHosts(t)
			a.guest("web")
			c.harm(a, b)
			out, err := newDriver(t, cfg).Migrate(in(t, 20*time.Second), ask(a, b))
			mustCode(t, err, c.code)
			mustEnds(t, out, c.src, c.dst)
		})
	}
}

// The handshake was lost after the destination had started it: it has moved, and the dead half is cleared away.
func TestMigrateLeftover(t *testing.T) {
	cfg, a, b := fakeHosts(t)
	a.guest("web")
	a.put("handshake", "started")
	out, err := newDriver(t, cfg).Migrate(in(t, 20*time.Second), ask(a, b))
	if err != nil || !out.Ends.Moved() || a.has("dom/web--migratedaway") {
		t.Errorf("%+v, %v", out, err)
	}
}

// A half at the destination whose sender is gone never ran and never will: it is cleared away, and the
// next migration works.
func TestMigrateOrphan(t *testing.T) {
	cfg, a, b := fakeHosts(t)
	a.guest("web")
	b.put("dom/web--incoming", "8 128 --p--- 00000000-0000-4000-8000-000000000001\n")
	d := newDriver(t, cfg)
	var out driver.MigrateOutcome
	var err error
	for range 2 {
		if out, err = d.Migrate(in(t, 20*time.Second), ask(a, b)); err == nil {
			break
		}
	}
	if err != nil || !out.Ends.Moved() {
		t.Errorf("%+v, %v", out, err)
	}
}

// The controller is killed in mid-copy: the migration goes on, and the next controller joins it.
func TestMigrateSurvivesItsCaller(t *testing.T) {
	cfg, a, b := fakeHosts(t)
	a.guest("web")
	a.put("slow", "1.5")
	kill := caller(t, call{Config: cfg, Instance: "web", From: a.host, To: b.host})
	a.waitFor("a migration under way", func() bool { return a.has("transport") })
	kill()
	out, err := newDriver(t, cfg).Migrate(in(t, 20*time.Second), ask(a, b))
	if err != nil || !out.Ends.Moved() || a.count("migrate") != 1 {
		t.Errorf("%+v, %v, calls %q", out, err, a.read("calls"))
	}
}

func TestMigrateEnds(t *testing.T) {
	for name, c := range map[string]struct {
		code string
		end  func(t *testing.T, cfg Config, a *fakeHost, cancel func())
		r    func(*driver.MigrateRequest)
	}{
		"deadline": {driver.CodeDeadline, func(_ *testing.T, _ Config, _ *fakeHost, cancel func()) { cancel() }, nil},
		"aborted by another": {driver.CodeAborted, func(t *testing.T, cfg Config, a *fakeHost, _ func()) {
			if err := newDriver(t, cfg).AbortMigration(in(t, 20*time.Second), gen, a.host, "web"); err != nil {
				t.Error(err)
			}
		}, nil},
		"stuck": {driver.CodeNoProgress, func(*testing.T, Config, *fakeHost, func()) {}, func(r *driver.MigrateRequest) { r.StuckFor = 100 * time.Millisecond }},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, a, b := fakeHosts(t)
			a.guest("web")
			a.put("slow", "30")
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			r := ask(a, b)
			begun := make(chan struct{}, 100)
			r.Progress = func(driver.Progress) { begun <- struct{}{} }
			if c.r != nil {
				c.r(&r)
			}
			done := make(chan error, 1)
			var out driver.MigrateOutcome
			go func() {
				var err error
				out, err = newDriver(t, cfg).Migrate(ctx, r)
				done <- err
			}()
			<-begun
			a.waitFor("a transport", func() bool { return a.has("transport") })
			c.end(t, cfg, a, cancel)
			mustCode(t, <-done, c.code)
			mustEnds(t, out, driver.IsRunning, driver.IsAbsent)
			if err := newDriver(t, cfg).AbortMigration(in(t, 20*time.Second), gen, a.host, "web"); err != nil {
				t.Errorf("nothing is left to abort: %v", err)
			}
		})
	}
}
