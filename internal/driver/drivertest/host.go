package drivertest

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

func observeTruth(t *testing.T, s *suite) {
	o := s.observe(t, s.a)
	if o.Host != s.a.ID || o.At.IsZero() || o.BootID == "" || o.Health != fleet.Up {
		t.Errorf("host %q at %s, boot id %q, health %q", o.Host, o.At, o.BootID, o.Health)
	}
	if o.MemoryMiB <= 0 || o.FreeMiB < 0 || o.FreeMiB > o.MemoryMiB {
		t.Errorf("memory %d MiB, free %d MiB", o.MemoryMiB, o.FreeMiB)
	}
	if o.Facts == nil {
		t.Error("an observation without the facts for discovery")
	}
	if !slices.IsSortedFunc(o.Instances, func(a, b driver.InstanceSeen) int { return strings.Compare(a.ID, b.ID) }) {
		t.Error("the instances are not sorted by id")
	}
	for _, id := range append([]string{s.Slow}, s.Movable...) {
		i, ok := seen(o, id)
		if !ok || i.State != fleet.Running || i.Incoming || i.Migrating || i.MemoryMiB <= 0 {
			t.Errorf("%s should run on %s, and is seen as %+v (%v)", id, s.a.ID, i, ok)
		}
		s.mustRunOnly(t, id, s.a)
	}
	if s.observe(t, s.b).BootID == o.BootID {
		t.Error("two hosts have the same boot id")
	}
}

func observeAgain(t *testing.T, s *suite) {
	first, second := s.observe(t, s.a), s.observe(t, s.a)
	for _, o := range []*driver.Observation{&first, &second} {
		o.At, o.Facts, o.FreeMiB = time.Time{}, nil, 0 // free memory may breathe
		for layer, s := range o.Software.Looked {
			o.Software.Looked[layer] = fleet.Sighting{How: s.How}
		}
		for i := range o.Instances {
			o.Instances[i].Facts, o.Instances[i].Looked.At = nil, time.Time{}
		}
	}
	if !reflect.DeepEqual(first, second) {
		t.Errorf("two looks differ:\n%+v\n%+v", first, second)
	}
}

// observeHow: what is reported of software says when and how it was seen. What was not looked at is
// not reported, so that it cannot be taken for absent.
func observeHow(t *testing.T, s *suite) {
	for _, h := range s.Hosts {
		began := s.observe(t, h).At
		o := s.observe(t, h)
		dated := func(what string, at fleet.Sighting) {
			t.Helper()
			if at.How == "" || at.At.IsZero() || at.At.After(o.At) {
				t.Errorf("%s, %s: seen at %s by %q, in a look at %s", h.ID, what, at.At, at.How, o.At)
			}
		}
		for layer, found := range map[string]int{
			fleet.LayerInstalled: len(o.Software.Installed), fleet.LayerBooted: len(o.Software.Booted), fleet.LayerRunning: len(o.Software.Running),
		} {
			at, looked := o.Software.Looked[layer]
			if found > 0 || looked {
				dated(layer, at)
			}
			if looked && at.At.Before(began) && layer != fleet.LayerRunning { // a process cannot change what it runs
				t.Errorf("%s, %s: seen at %s, before a look at %s began", h.ID, layer, at.At, o.At)
			}
		}
		if _, looked := o.Software.Looked[fleet.LayerLivePatches]; looked != (o.Software.LivePatches != nil) {
			t.Errorf("%s: live patches %#v, looked at: %v", h.ID, o.Software.LivePatches, looked)
		} else if looked {
			dated(fleet.LayerLivePatches, o.Software.Looked[fleet.LayerLivePatches])
		}
		for _, p := range o.Software.LivePatches {
			if p.Name == "" || p.Component == "" || p.State != fleet.PatchApplied && p.State != fleet.PatchTransition && p.State != fleet.PatchLoaded {
				t.Errorf("%s: live patch %+v", h.ID, p)
			}
		}
		for _, i := range o.Instances {
			if len(i.Running) > 0 {
				dated(i.ID, i.Looked)
			}
		}
		if o.Facts == nil || !reflect.DeepEqual(o.Facts.Software, o.Software) {
			t.Errorf("%s: discovery is told of other software than %+v", h.ID, o.Software)
		}
	}
}

func observeSilent(t *testing.T, s *suite) {
	if s.Silent == (driver.Host{}) {
		t.Skip("the lab has no silent host")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	began := time.Now()
	_, err := s.Driver.Observe(ctx, s.Silent)
	if took := time.Since(began); took > 2*time.Second+soon/3 {
		t.Errorf("it took %s with a context of 2 s", took)
	}
	wantError(t, err, driver.CodeUnreachable)
}

// twice does an act two times, checks the state after each, and an unknown instance at last.
func (s *suite) twice(t *testing.T, instance string, want func(driver.InstanceSeen) bool, act func(context.Context, driver.Fence, driver.Host, string) error) {
	t.Helper()
	for n := range 2 {
		noError(t, act(s.ctx(t), fence("empty"), s.a, instance))
		if i, ok := seen(s.observe(t, s.a), instance); !ok || !want(i) {
			t.Fatalf("after time %d: %+v (seen: %v)", n+1, i, ok)
		}
	}
	wantError(t, act(s.ctx(t), fence("empty"), s.a, "no-such-instance"), driver.CodeNotFound)
}

func isRunning(i driver.InstanceSeen) bool { return i.State == fleet.Running }

func saveRestore(t *testing.T, s *suite) {
	d := as[driver.Suspender](t, s)
	if s.Suspendable == "" {
		t.Skip("the lab has no suspendable instance")
	}
	s.twice(t, s.Suspendable, func(i driver.InstanceSeen) bool { return i.State == fleet.Stopped && i.Saved }, d.Save)
	s.twice(t, s.Suspendable, isRunning, d.Restore)
	s.mustRunOnly(t, s.Suspendable, s.a)
}

func stopStart(t *testing.T, s *suite) {
	d := as[driver.Stopper](t, s)
	if s.Stoppable == "" {
		t.Skip("the lab has no stoppable instance")
	}
	s.twice(t, s.Stoppable, func(i driver.InstanceSeen) bool { return i.State == fleet.Stopped && !i.Saved }, d.Stop)
	s.twice(t, s.Stoppable, isRunning, d.Start)
	s.mustRunOnly(t, s.Stoppable, s.a)
}

func cordonTwice(t *testing.T, s *suite) {
	d := as[driver.Cordoner](t, s)
	for range 2 {
		noError(t, d.Cordon(s.ctx(t), fence("cordon"), s.b))
	}
	for range 2 {
		noError(t, d.Uncordon(s.ctx(t), fence("uncordon"), s.b))
	}
}

func updateTwice(t *testing.T, s *suite) {
	d := as[driver.Updater](t, s)
	if s.UpdateHost == (driver.Host{}) {
		t.Skip("the lab has no host to update")
	}
	before := s.observe(t, s.UpdateHost)
	out, err := d.Update(s.ctx(t), fence("update"), s.UpdateHost, s.Update)
	noError(t, err)
	after := s.observe(t, s.UpdateHost)
	if !out.Needed || reflect.DeepEqual(before.Software.Installed, after.Software.Installed) {
		t.Errorf("needed %v (%s), installed before %v, after %v", out.Needed, out.Message, before.Software.Installed, after.Software.Installed)
	}
	if out, err = d.Update(s.ctx(t), fence("update"), s.UpdateHost, s.Update); err != nil || out.Needed {
		t.Errorf("the same update again: %+v, %v", out, err)
	}
}

// generation of the orders that are given in earnest; rebootStale comes with an older one.
const generation = 7

func rebootOnce(t *testing.T, s *suite) {
	d := as[driver.Rebooter](t, s)
	h := s.RebootHost
	if h == (driver.Host{}) {
		t.Skip("the lab has no host to reboot")
	}
	f := fence("reboot")
	f.Generation = generation
	first := s.observe(t, h).BootID
	// A boot id that is not the host's: refused, or taken for a reboot that is over. Never a reboot.
	if err := d.Reboot(s.ctx(t), f, h, "00000000-0000-4000-8000-000000000000", plan.Update{}); err != nil {
		wantError(t, err, driver.CodeRefused)
	}
	s.staysUp(t, h, first)

	noError(t, d.Reboot(s.ctx(t), f, h, first, plan.Update{}))
	second := ""
	until(t, s.RebootWithin, "new boot id of "+h.ID, func() bool {
		o, err := s.Driver.Observe(s.ctx(t), h)
		second = o.BootID
		return err == nil && second != "" && second != first
	})
	noError(t, d.Reboot(s.ctx(t), f, h, first, plan.Update{})) // the same order again: it was carried out
	s.staysUp(t, h, second)
}

func rebootStale(t *testing.T, s *suite) {
	d := as[driver.Rebooter](t, s)
	h := s.RebootHost
	if h == (driver.Host{}) {
		t.Skip("the lab has no host to reboot")
	}
	f := fence("reboot")
	f.Generation = generation - 1
	bootID := s.observe(t, h).BootID
	wantError(t, d.Reboot(s.ctx(t), f, h, bootID, plan.Update{}), driver.CodeRefused)
	s.staysUp(t, h, bootID)
}

// staysUp watches long enough for a reboot that was ordered to show.
func (s *suite) staysUp(t *testing.T, h driver.Host, bootID string) {
	t.Helper()
	for end := time.Now().Add(s.RebootShows); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		o, err := s.Driver.Observe(s.ctx(t), h)
		if err != nil {
			t.Fatalf("%s went away: %v", h.ID, err)
		}
		if o.BootID != bootID {
			t.Fatalf("boot id of %s is %s, want still %s", h.ID, o.BootID, bootID)
		}
	}
}
