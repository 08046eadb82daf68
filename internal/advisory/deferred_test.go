package advisory

import (
	"slices"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// TestThen: a host that has its live patches is fixed, and what its cohort has follow is said beside that,
// as long as it is not known to have booted the wanted packages. Nothing of it makes a verdict worse.
func TestThen(t *testing.T) {
	const old, fixed = "4.17.5+72-1", "4.17.7+13-1"
	has := func(names ...string) []fleet.LivePatch {
		list := []fleet.LivePatch{}
		for _, n := range names {
			list = append(list, fleet.LivePatch{Name: n, Component: "xen", State: fleet.PatchApplied})
		}
		return list
	}
	for _, c := range []struct {
		name    string
		booted  m
		running m
		build   string
		patches []fleet.LivePatch
		noThen  bool
		want    Verdict
		then    string
		says    string // in the evidence
	}{
		{"patched, booted old", m{"xen-hypervisor": old}, nil, "aa", has("p1", "p2"), false, IsFixed, "reboot", "its deferred reboot is still to come"},
		{"patched, in a cohort without then", m{"xen-hypervisor": old}, nil, "aa", has("p1", "p2"), true, IsFixed, "", "the live patch p1, p2 is applied"},
		{"patched, and booted new", m{"xen-hypervisor": fixed}, nil, "aa", has("p1", "p2"), false, IsFixed, "", ""},
		{"booted new", m{"xen-hypervisor": fixed}, nil, "cc", has(), false, IsFixed, "", ""},
		{"patched, and what it booted was not read: what runs stands for it", nil, m{"xen-hypervisor": old}, "aa", has("p1", "p2"), false, IsFixed, "reboot", "runs xen-hypervisor " + old},
		{"half of it applied", m{"xen-hypervisor": old}, nil, "aa", has("p1"), false, IsAffected, "reboot", "the live patch p2 is not applied"},
		{"all of its build applied, which is not enough", m{"xen-hypervisor": old}, nil, "bb", has("p1"), false, IsAffected, "reboot", "does not fix XSA-2"},
		{"none for its build", m{"xen-hypervisor": old}, nil, "cc", has("p1", "p2"), false, IsAffected, "reboot", "is older"},
		{"its build was not read, and patches of these names are applied", m{"xen-hypervisor": old}, nil, "", has("p1", "p2"), false, IsUnknown, "", "the host's build id was not read"},
		{"its build was not read, and none is applied", m{"xen-hypervisor": old}, nil, "", has(), false, IsAffected, "reboot", "is older"},
		{"neither build nor list were read", m{"xen-hypervisor": old}, nil, "", nil, false, IsUnknown, "", "the host's list was not read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := xenWorld(old, "pv")
			h := &f.Hosts[0]
			h.Software = fleet.Software{Installed: m{"xen-hypervisor": old}, Booted: c.booted, Running: c.running, BuildID: c.build, LivePatches: c.patches}
			tg := &plan.Target{ID: "t", Fixes: []string{"XSA-1", "XSA-2"}, Cohorts: []plan.Cohort{{Name: "x", Packages: m{"xen-hypervisor": fixed}, Remedy: "live-patch", Then: "reboot",
				LivePatches: []plan.WantedPatch{{Name: "p1", Component: "xen", BuildID: "aa", Fixes: []string{"XSA-1"}}, {Name: "p2", Component: "xen", BuildID: "aa", Fixes: []string{"XSA-2"}},
					{Name: "p1", Component: "xen", BuildID: "bb", Fixes: []string{"XSA-1"}}}}}}
			if c.noThen {
				tg.Cohorts[0].Then = ""
			}
			a := Assess(f, tg, nil, 0, now)
			v := a.Hosts[0]
			expect(t, "host", v.Verdict, v.Evidence, c.want, c.says)
			if v.Then != c.then {
				t.Errorf("then %q, want %q: %q", v.Then, c.then, v.Evidence)
			}
			still := slices.ContainsFunc(v.Evidence, func(l string) bool { return strings.Contains(l, "still to come") })
			if still != (c.want == IsFixed && c.then != "") {
				t.Errorf("the evidence speaks of a reboot to come: %v: %q", still, v.Evidence)
			}
		})
	}
}

// TestThenByDocuments: the same where documents judge, which know nothing of the cohort's reboot.
func TestThenByDocuments(t *testing.T) {
	const old, fixed = "4.17.5+72-1", "4.17.7+13-1"
	f := xenWorld(old, "pv")
	h := &f.Hosts[0]
	h.Ecosystem = "Debian:12"
	h.Software = fleet.Software{Installed: m{"xen-hypervisor-4.17-amd64": old}, Booted: m{"xen-hypervisor-4.17-amd64": old}, BuildID: "aa",
		LivePatches: []fleet.LivePatch{{Name: "p1", Component: "xen", State: fleet.PatchApplied}}}
	tg := &plan.Target{ID: "t", Fixes: []string{"XSA-1"}, Cohorts: []plan.Cohort{{Name: "x", Packages: m{"xen-hypervisor-4.17-amd64": fixed}, Ecosystem: "Debian:12", Remedy: "live-patch", Then: "reboot",
		LivePatches: []plan.WantedPatch{{Name: "p1", Component: "xen", BuildID: "aa"}}}}}
	doc := osv("XSA-1", ranged("Debian:12", "xen", fixedIn(fixed)...))
	a := Assess(f, tg, []Advisory{doc}, 0, now)
	if v := a.Hosts[0]; v.Verdict != IsFixed || v.Then != "reboot" {
		t.Errorf("%s, then %q: %q", v.Verdict, v.Then, v.Evidence)
	}
	if v := a.Instances[0]; v.Verdict != IsFixed {
		t.Errorf("its instance is %s: %q", v.Verdict, v.Evidence)
	}
}

// TestPatchesOfTwoKinds: live patches of Xen and of the kernel fix together what the target fixes, and none of
// them may be missing.
func TestPatchesOfTwoKinds(t *testing.T) {
	const old, fixed = "4.17.5+72-1", "4.17.7+13-1"
	xen := fleet.LivePatch{Name: "p1", Component: "xen", State: fleet.PatchApplied}
	linux := fleet.LivePatch{Name: "k1", Component: "linux", State: fleet.PatchApplied}
	for _, c := range []struct {
		name    string
		applied []fleet.LivePatch
		all     bool // each of the patches fixes all
		want    Verdict
		says    string
	}{
		{"both applied", []fleet.LivePatch{xen, linux}, false, IsFixed, "the live patch p1, k1 is applied"},
		{"Xen's alone", []fleet.LivePatch{xen}, false, IsAffected, "the live patch k1 is not applied"},
		{"the kernel's alone", []fleet.LivePatch{linux}, false, IsAffected, "the live patch p1 is not applied"},
		{"Xen's alone, and each fixes all", []fleet.LivePatch{xen}, true, IsAffected, "the live patch k1 is not applied"},
		{"none", []fleet.LivePatch{}, false, IsAffected, "the live patch p1, k1 is not applied"},
		{"not read", nil, false, IsUnknown, "the host's list was not read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := xenWorld(old, "pv")
			f.Hosts[0].Software = fleet.Software{Booted: m{"xen-hypervisor": old}, BuildID: "aa", LivePatches: c.applied}
			tg := &plan.Target{ID: "t", Fixes: []string{"XSA-1", "CVE-3"}, Cohorts: []plan.Cohort{{Name: "x", Packages: m{"xen-hypervisor": fixed}, Remedy: "live-patch",
				LivePatches: []plan.WantedPatch{{Name: "p1", Component: "xen", BuildID: "aa", Fixes: []string{"XSA-1"}}, {Name: "k1", Component: "linux", Fixes: []string{"CVE-3"}}}}}}
			if c.all {
				tg.Cohorts[0].LivePatches[0].Fixes, tg.Cohorts[0].LivePatches[1].Fixes = nil, nil
			}
			v := Assess(f, tg, nil, 0, now).Hosts[0]
			expect(t, "host", v.Verdict, v.Evidence, c.want, c.says)
		})
	}
}
