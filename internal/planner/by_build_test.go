package planner_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// TestByBuild: who has no live patch, or not enough of them, or cannot be patched, gets the next tactic and
// the reason; who has them already gets the reboot alone, or nothing.
func TestByBuild(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(h *fleet.Host)
		then   string
		want   string // tactics of its turns, or the code of what blocks it
		why    string
	}{
		{"its build has them", func(*fleet.Host) {}, "", "live-patch", "it can be patched while it runs"},
		{"and the reboot follows", func(*fleet.Host) {}, "reboot", "live-patch evacuate", "its reboot is deferred to wave"},
		{"written otherwise", func(h *fleet.Host) { h.Software.BuildID = "AA" }, "", "live-patch", ""},
		{"half of them applied", func(h *fleet.Host) { h.Software.LivePatches = applied("xsa1-aa") }, "reboot", "live-patch evacuate", ""},
		{"not all for its build", func(h *fleet.Host) { h.Software.BuildID = "bb" }, "reboot", "evacuate", "no-live-patch: those for its build bb do not fix XSA-2"},
		{"none for its build", func(h *fleet.Host) { h.Software.BuildID = "cc" }, "reboot", "evacuate", "no-live-patch: none of cohort xen is for its build cc"},
		{"cannot be patched", func(h *fleet.Host) {
			h.Capabilities = []string{fleet.CanLiveMigrate, fleet.CanReboot, fleet.CanUpdate, fleet.CanSuspend}
		}, "reboot", "evacuate", "no-live-patch: its driver does not offer live patches"},
		{"its build was not read", func(h *fleet.Host) { h.Software.BuildID = "" }, "reboot", "build-unknown", ""},
		{"has them", func(h *fleet.Host) { h.Software.LivePatches = applied("xsa1-aa", "xsa2-aa") }, "", "fixed", ""},
		{"has them, and the reboot follows", func(h *fleet.Host) { h.Software.LivePatches = applied("xsa1-aa", "xsa2-aa") }, "reboot", "evacuate", "the reboot that follows its live patch"},
		{"booted the newer Xen", func(h *fleet.Host) { asXen(h, newXen, "dd", applied()) }, "reboot", "fixed", ""},
		{"half of it would have to come by a reboot, and is there", func(h *fleet.Host) {
			h.Software.BuildID, h.Software.Installed = "bb", map[string]string{xenPkg: newXen}
		}, "reboot", "evacuate", "do not fix XSA-2"},
		{"another patch does not count", func(h *fleet.Host) { h.Software.LivePatches = applied("xsa1-aa", "xsa2-old") }, "", "live-patch", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := xenFleet(4, 16384, 2, 1024)
			c.change(&f.Hosts[2])
			p := propose(t, f, xenTarget(c.then), mixedPolicy())
			var got []string
			why := ""
			for _, u := range turnsOf(p, "h0002") {
				got, why = append(got, string(u.Tactic)), orElse(why, u.Why)
			}
			for _, b := range p.Blocked {
				if b.Host == "h0002" {
					got = append(got, b.Code)
				}
			}
			for _, k := range p.Skipped {
				if k.Host == "h0002" {
					got = append(got, k.Code)
				}
			}
			if strings.Join(got, " ") != c.want || !strings.Contains(why, c.why) {
				t.Errorf("%v, because: %s", got, why)
			}
			if first := p.Turns[0]; first.Tactic != plan.LivePatch || !first.Canary {
				t.Errorf("the canary is %+v", first)
			}
		})
	}
}

// TestNoOtherTactic: only where no other tactic is left is a host blocked for want of a live patch.
func TestNoOtherTactic(t *testing.T) {
	f, pol := xenFleet(4, 16384, 2, 1024), mixedPolicy()
	f.Hosts[1].Software.BuildID = "bb"
	pol.Tactics = []plan.Tactic{plan.LivePatch}
	p := propose(t, f, xenTarget(""), pol)
	if len(p.Turns) != 3 || !slices.Equal(codes(p), []string{"h0001:no-live-patch"}) || !strings.Contains(p.Blocked[0].Why, "do not fix XSA-2") || !strings.Contains(p.Blocked[0].Unblock, "evacuate, suspend and reboot") {
		t.Errorf("%s", told(p))
	}
}

// TestNothingElseBringsIt: a reboot that nothing proves, or that brings nothing, is no other tactic.
func TestNothingElseBringsIt(t *testing.T) {
	for name, change := range map[string]func(c *plan.Cohort){
		"names no packages": func(c *plan.Cohort) { c.Packages = nil },
		"names no update":   func(c *plan.Cohort) { c.Update = plan.Update{} },
	} {
		f, tg := xenFleet(4, 16384, 2, 1024), xenTarget("")
		f.Hosts[1].Software.BuildID = "cc"
		change(&tg.Cohorts[0])
		a := advisory.Assessment{}
		for _, h := range f.Hosts {
			a.Hosts = append(a.Hosts, advisory.HostVerdict{Host: h.ID, Verdict: advisory.IsAffected})
		}
		p, err := planner.Propose(planner.Input{Fleet: f, Target: tg, Assessment: a, Policy: mixedPolicy(), Campaign: "c", Revision: 1, Now: at(t, "2026-03-02 09:00")})
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Turns) != 3 || !slices.Equal(codes(p), []string{"h0001:no-live-patch"}) || !strings.Contains(p.Blocked[0].Why, "is for its build cc; cohort xen "+name) {
			t.Errorf("%s: %s", name, told(p))
		}
	}
}

// TestLivePatchNotAllowed: nor is it where policy allows no live patch, for the cohort's update may bring that alone;
// where packages prove it and an update brings them, each turn says why it is no live patch.
func TestLivePatchNotAllowed(t *testing.T) {
	for name, c := range map[string]struct {
		change func(c *plan.Cohort)
		turns  int
	}{
		"names no packages": {func(c *plan.Cohort) { c.Packages = nil }, 0},
		"names no update":   {func(c *plan.Cohort) { c.Update = plan.Update{} }, 0},
		"names both":        {func(*plan.Cohort) {}, 4},
	} {
		f, tg, pol, now := xenFleet(4, 16384, 2, 1024), xenTarget(""), mixedPolicy(), at(t, "2026-03-02 09:00")
		pol.Tactics = []plan.Tactic{plan.Evacuate, plan.Suspend}
		c.change(&tg.Cohorts[0])
		a := advisory.Assess(f, tg, []advisory.Advisory{fixedIn("XSA-1", newXen), fixedIn("XSA-2", newXen)}, 0, now)
		p, err := planner.Propose(planner.Input{Fleet: f, Target: tg, Assessment: a, Policy: pol, Campaign: "c", Revision: 1, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range p.Turns {
			if !strings.Contains(u.Why, "no-live-patch: policy or cohort does not allow the tactic live-patch") {
				t.Errorf("%s: %s", name, u.Why)
			}
		}
		if b := p.Blocked; len(p.Turns) != c.turns || len(b) != 4-c.turns || len(b) > 0 && (b[0].Code != "no-live-patch" || !strings.Contains(b[0].Why, name) || !strings.HasPrefix(b[0].Unblock, "allow the tactic live-patch")) {
			t.Errorf("%s: %s", name, told(p))
		}
	}
}
