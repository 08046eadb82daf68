package drivertest

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// PatchLab is a host on which a driver.Patcher is tried. Its list of live patches is empty at the
// beginning, and at the end.
type PatchLab struct {
	Driver driver.Driver
	Host   driver.Host
	// First stands on the hypervisor itself, Stacked on First, Replacing on the hypervisor again, in
	// the place of First. OtherBuild binds to a build that does not run here. All with their payloads.
	First, Stacked, Replacing, OtherBuild driver.Patch
	// RebootWithin is how long the host may take to come back; 5 minutes when zero.
	RebootWithin time.Duration
	Limit        time.Duration // of one act; 2 minutes when zero
	// Truth gives from outside the patches that are applied, in order; nil: the observation is all
	// there is.
	Truth func(t *testing.T) []string
}

// RunPatches holds a driver to the contract of driver.Patcher.
func RunPatches(t *testing.T, lab PatchLab) Summary {
	t.Helper()
	p, ok := lab.Driver.(driver.Patcher)
	if !ok {
		t.Fatalf("%T is no driver.Patcher", lab.Driver)
	}
	if lab.Limit == 0 {
		lab.Limit = 2 * time.Minute
	}
	if lab.RebootWithin == 0 {
		lab.RebootWithin = 5 * time.Minute
	}
	s := &patchSuite{lab, p}
	var sum Summary
	for _, c := range patchCases {
		var tried *testing.T
		ok := t.Run(c.name, func(t *testing.T) {
			tried = t
			c.run(t, s)
		})
		switch {
		case tried == nil: // left out by -run
		case tried.Skipped():
			sum.Skipped = append(sum.Skipped, c.name)
		case ok:
			sum.Passed = append(sum.Passed, c.name)
		default:
			sum.Failed = append(sum.Failed, c.name)
		}
		if tried != nil {
			s.clear(t)
		}
	}
	t.Logf("live patches: %d passed, %d failed, %d skipped %q", len(sum.Passed), len(sum.Failed), len(sum.Skipped), sum.Skipped)
	return sum
}

var patchCases = []struct {
	name string
	run  func(*testing.T, *patchSuite)
}{
	{"patch-wrong-hash", patchWrongHash},
	{"patch-wrong-build", patchWrongBuild},
	{"patch-not-a-payload", patchNoPayload},
	{"patch-missing", patchMissing},
	{"patch-without-time", patchWithoutTime},
	{"patch-apply-twice", patchTwice},
	{"patch-stacked", patchStacked},
	{"patch-on-top-of-nothing", patchOrphan},
	{"patch-replace", patchReplace},
	{"patch-revert-and-again", patchRevert},
	{"patch-revert-below-another", patchBelow},
	{"patch-stale-generation", patchStale},
	{"patch-gone-after-reboot", patchAfterReboot},
}

type patchSuite struct {
	PatchLab
	p driver.Patcher
}

func (s *patchSuite) ctx(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), s.Limit)
	t.Cleanup(cancel)
	return ctx
}

// order is the fence of these cases; a stale one is a generation older.
func order(age int64) driver.Fence {
	f := fence("update")
	f.Generation = generation - age
	return f
}

// shows holds what came back, what an observation sees, and what is so from outside to one list of
// applied patches.
func (s *patchSuite) shows(t *testing.T, out driver.PatchOutcome, applied ...driver.Patch) {
	t.Helper()
	o, err := s.Driver.Observe(s.ctx(t), s.Host)
	noError(t, err)
	views := map[string][]string{"the outcome": appliedIn(out.Patches), "an observation": appliedIn(o.Software.LivePatches)}
	if out.Patches == nil || o.Software.LivePatches == nil {
		t.Errorf("the list was not read: outcome %#v, observation %#v", out.Patches, o.Software.LivePatches)
	}
	if s.Truth != nil {
		views["outside"] = s.Truth(t)
	}
	want := []string{}
	for _, p := range applied {
		want = append(want, p.Name)
	}
	slices.Sort(want)
	for by, got := range views {
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%s: applied %q, want %q", by, got, want)
		}
	}
}

func appliedIn(list []fleet.LivePatch) []string {
	names := []string{}
	for _, p := range list {
		if p.Component == "xen" && p.State == fleet.PatchApplied {
			names = append(names, p.Name)
		}
	}
	return names
}

func (s *patchSuite) apply(t *testing.T, want ...driver.Patch) driver.PatchOutcome {
	t.Helper()
	out, err := s.p.Apply(s.ctx(t), order(0), s.Host, want)
	noError(t, err)
	return out
}

// refuses wants an error of a code, and nothing changed.
func (s *patchSuite) refuses(t *testing.T, code string, want []driver.Patch, left ...driver.Patch) {
	t.Helper()
	out, err := s.p.Apply(s.ctx(t), order(0), s.Host, want)
	wantError(t, err, code)
	s.shows(t, out, left...)
}

// clear leaves the list empty, whatever a case did.
func (s *patchSuite) clear(t *testing.T) {
	t.Helper()
	out, err := s.p.Revert(s.ctx(t), order(0), s.Host, []string{s.First.Name, s.Stacked.Name, s.Replacing.Name, s.OtherBuild.Name})
	noError(t, err)
	if len(out.Patches) != 0 {
		t.Fatalf("the list still shows %+v", out.Patches)
	}
}

func patchWrongHash(t *testing.T, s *patchSuite) {
	p := s.First
	p.SHA256 = strings.Repeat("0", 64)
	s.refuses(t, driver.CodePatchHash, []driver.Patch{p})
}

func patchWrongBuild(t *testing.T, s *patchSuite) {
	s.refuses(t, driver.CodePatchBuild, []driver.Patch{s.OtherBuild})
	p := s.First
	p.BuildID = strings.Repeat("0", 40)
	s.refuses(t, driver.CodePatchBuild, []driver.Patch{p})
}

func patchNoPayload(t *testing.T, s *patchSuite) {
	p := s.First
	p.Payload, p.SHA256 = []byte("this is no live patch"), ""
	s.refuses(t, driver.CodePatchInvalid, []driver.Patch{p})
}

func patchMissing(t *testing.T, s *patchSuite) {
	p := s.First
	p.Payload = nil
	s.refuses(t, driver.CodePatchMissing, []driver.Patch{p})
	out, err := s.p.Revert(s.ctx(t), order(0), s.Host, []string{s.First.Name})
	noError(t, err)
	if !out.Already {
		t.Error("a revert of what is not there does not say that nothing had to be done")
	}
}

func patchWithoutTime(t *testing.T, s *patchSuite) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := s.p.Apply(ctx, order(0), s.Host, []driver.Patch{s.First})
	wantError(t, err, driver.CodeDeadline, driver.CodeUnreachable)
}

func patchTwice(t *testing.T, s *patchSuite) {
	if out := s.apply(t, s.First); out.Already {
		t.Error("the first time says that nothing had to be done")
	} else {
		s.shows(t, out, s.First)
	}
	out := s.apply(t, s.First)
	if !out.Already {
		t.Error("the second time does not say Already")
	}
	s.shows(t, out, s.First)
	p := s.First
	p.Payload = nil // who is applied needs no payload
	s.shows(t, s.apply(t, p), s.First)
}

func patchStacked(t *testing.T, s *patchSuite) {
	s.shows(t, s.apply(t, s.First, s.Stacked), s.First, s.Stacked)
	if out := s.apply(t, s.First, s.Stacked); !out.Already {
		t.Error("the second time does not say Already")
	}
}

func patchOrphan(t *testing.T, s *patchSuite) {
	s.refuses(t, driver.CodePatchDependency, []driver.Patch{s.Stacked})
}

func patchReplace(t *testing.T, s *patchSuite) {
	s.apply(t, s.First)
	p := s.Replacing
	p.Replace = true
	s.shows(t, s.apply(t, p), s.Replacing)
	if out := s.apply(t, p); !out.Already {
		t.Error("the second time does not say Already")
	}
}

func patchRevert(t *testing.T, s *patchSuite) {
	s.apply(t, s.First, s.Stacked)
	for n := range 2 {
		out, err := s.p.Revert(s.ctx(t), order(0), s.Host, []string{s.First.Name, s.Stacked.Name})
		noError(t, err)
		s.shows(t, out)
		if len(out.Patches) != 0 {
			t.Errorf("reverted and not unloaded: %+v", out.Patches)
		}
		if out.Already != (n == 1) {
			t.Errorf("time %d: already %v", n+1, out.Already)
		}
	}
	s.shows(t, s.apply(t, s.First), s.First)
}

func patchBelow(t *testing.T, s *patchSuite) {
	s.apply(t, s.First, s.Stacked)
	out, err := s.p.Revert(s.ctx(t), order(0), s.Host, []string{s.First.Name})
	wantError(t, err, driver.CodePatchBusy)
	s.shows(t, out, s.First, s.Stacked)
	if len(out.Log) == 0 {
		t.Error("the hypervisor's own words about it are not kept")
	}
}

func patchStale(t *testing.T, s *patchSuite) {
	s.apply(t, s.First)
	_, err := s.p.Apply(s.ctx(t), order(1), s.Host, []driver.Patch{s.First, s.Stacked})
	wantError(t, err, driver.CodeRefused)
	out, err := s.p.Revert(s.ctx(t), order(1), s.Host, []string{s.First.Name})
	wantError(t, err, driver.CodeRefused)
	s.shows(t, out, s.First)
}

func patchAfterReboot(t *testing.T, s *patchSuite) {
	r, ok := s.Driver.(driver.Rebooter)
	if !ok {
		t.Skipf("this driver is no %T", new(driver.Rebooter))
	}
	s.apply(t, s.First)
	o, err := s.Driver.Observe(s.ctx(t), s.Host)
	noError(t, err)
	noError(t, r.Reboot(s.ctx(t), order(0), s.Host, o.BootID, plan.Update{}))
	until(t, s.RebootWithin, "new boot of "+s.Host.ID, func() bool {
		now, err := s.Driver.Observe(s.ctx(t), s.Host)
		return err == nil && now.BootID != "" && now.BootID != o.BootID && now.Software.LivePatches != nil
	})
	p := s.First
	p.Payload = nil
	s.refuses(t, driver.CodePatchMissing, []driver.Patch{p})
	s.shows(t, s.apply(t, s.First), s.First)
}
