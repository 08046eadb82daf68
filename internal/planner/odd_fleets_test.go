package planner_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/audit"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// drawOdd draws a campaign as drawMixed does, with what that leaves out: kernels that are live-patched, guests
// that only some hypervisors let go, software of which a layer was not read or lies on the disk alone, cohorts
// with tactics of their own or served in place, fixes that were withdrawn, and documents.
func drawOdd(t *rapid.T) planner.Input {
	in := drawMixed(t)
	for i := range in.Fleet.Hosts {
		h := &in.Fleet.Hosts[i]
		if h.Hypervisor == fleet.Xen {
			h.VirtCaps = rapid.SampledFrom([][]string{nil, {"pv", "hvm", "hap"}, {"pv", "hvm", "hap", "shadow"}}).Draw(t, "caps")
			if rapid.IntRange(0, 4).Draw(t, "running too") == 0 {
				h.Software.Running = map[string]string{xenPkg: h.Software.Booted[xenPkg]}
			}
			if rapid.IntRange(0, 6).Draw(t, "no booted") == 0 {
				h.Software.Running, h.Software.Booted = h.Software.Booted, nil
			}
			if rapid.IntRange(0, 4).Draw(t, "on disk") == 0 {
				h.Software.Installed = map[string]string{xenPkg: newXen}
			}
			continue
		}
		if rapid.Bool().Draw(t, "klp") {
			h.Capabilities = []string{fleet.CanLivePatch, fleet.CanLiveMigrate, fleet.CanSuspend, fleet.CanReboot, fleet.CanUpdate}
			h.Software.LivePatches = []fleet.LivePatch{}
			if rapid.IntRange(0, 3).Draw(t, "klp applied") == 0 {
				h.Software.LivePatches = []fleet.LivePatch{{Name: "k1", Component: "linux", State: "applied"}}
			}
			v := rapid.SampledFrom([]string{"6.1.100-1", "6.1.100-1", "6.1.158-1"}).Draw(t, "linux")
			for _, m := range []map[string]string{h.Software.Installed, h.Software.Booted} {
				m["linux-image-amd64"] = v
			}
		}
	}
	for i := range in.Fleet.Instances {
		if in.Fleet.Instances[i].GuestType != "" {
			in.Fleet.Instances[i].GuestType = rapid.SampledFrom([]string{"pvh", "hvm", "pv", "pv"}).Draw(t, "guest2")
		}
	}
	for i := range in.Target.Cohorts {
		c := &in.Target.Cohorts[i]
		if c.Name == "kvm" && rapid.Bool().Draw(t, "klp cohort") {
			c.Packages = map[string]string{"linux-image-amd64": "6.1.158-1"}
			c.Remedy, c.LivePatches = "live-patch", []plan.WantedPatch{{Name: "k1", Component: "linux"}}
			c.Then = rapid.SampledFrom([]string{"", "reboot"}).Draw(t, "then2")
		}
		if c.Name == "xen" && rapid.IntRange(0, 3).Draw(t, "with linux") == 0 {
			c.LivePatches = append(c.LivePatches, plan.WantedPatch{Name: "k1", Component: "linux"})
		}
		c.InPlace = rapid.IntRange(0, 4).Draw(t, "in place") == 0
		if rapid.IntRange(0, 3).Draw(t, "cohort tactics") == 0 {
			c.Tactics = rapid.SampledFrom([][]plan.Tactic{{plan.LivePatch, plan.Evacuate}, {plan.LivePatch, plan.Suspend, plan.Reboot}, {plan.LivePatch, plan.Refresh, plan.Suspend}, {plan.LivePatch, plan.Evacuate, plan.Suspend}}).Draw(t, "ct")
		}
	}
	if rapid.IntRange(0, 4).Draw(t, "withdraw") == 0 {
		in.Target.Withdrawn = append(in.Target.Withdrawn, rapid.SampledFrom([]plan.WithdrawnFix{{Package: xenPkg, Versions: []string{oldXen}, Why: "w"}, {Package: "linux-image-amd64", Versions: []string{"6.1.100-1"}, Why: "w"}, {LivePatch: "xsa9", Why: "w"}}).Draw(t, "withdrawn"))
	}
	var docs []advisory.Advisory
	if rapid.IntRange(0, 4).Draw(t, "docs") == 0 {
		docs = []advisory.Advisory{fixedIn("XSA-1", rapid.SampledFrom([]string{newXen, "4.17.5+20-1"}).Draw(t, "d1")), fixedIn("XSA-2", newXen)}
	}
	in.Assessment = advisory.Assess(in.Fleet, in.Target, docs, 0, in.Now)
	return in
}

// TestOddFleets: such plans keep the rules as well, and the auditor finds nothing.
func TestOddFleets(t *testing.T) {
	kernels, inPlace := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		in := drawOdd(t)
		p, err := planner.Propose(in)
		if err != nil {
			t.Fatal(err)
		}
		for _, wrong := range append(stageRules(in, p), walk(in.Fleet, p)...) {
			t.Error(wrong)
		}
		if p.Counts.Waves < p.Bounds.WavesMin || p.Counts.Moves < p.Bounds.MovesMin {
			t.Errorf("a plan of %d waves and %d moves beats its bounds: %+v", p.Counts.Waves, p.Counts.Moves, p.Bounds)
		}
		for _, f := range audit.Plan(in.Fleet, &p) {
			if f.Code == "not-home" && cannotReturn(in, f.Subject.Instance) {
				continue
			}
			t.Errorf("law %d, %s: %s: %s", f.Law, f.Code, f.Subject, f.What)
		}
		cohorts, ix := advisory.NewCohorts(in.Fleet, in.Target), fleet.NewIndex(in.Fleet)
		for _, u := range p.Turns {
			c := cohorts.Of(ix.Hosts[u.Host])
			if u.Tactic == plan.LivePatch && c.Match.Hypervisor == "kvm" {
				kernels++
			}
			if c.InPlace && u.Tactic != plan.LivePatch {
				inPlace++
			}
		}
		if t.Failed() {
			t.Log(told(p))
		}
	})
	if kernels == 0 || inPlace == 0 {
		t.Errorf("%d kernels live-patched, %d hosts served in place: the draws exercise nothing", kernels, inPlace)
	}
}
