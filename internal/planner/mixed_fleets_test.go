package planner_test

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// Two builds of Debian's Xen, and the package that the hypervisor boots from.
const (
	xenPkg = "xen-hypervisor-4.17-amd64"
	oldXen = "4.17.5+23-ga4e5191dc0-1"
	newXen = "4.17.7+13-g1234567890-1"
	sum    = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

// xenFleet is uniform, of Xen hosts that can be live-patched, on the older Xen of build aa without a live
// patch.
func xenFleet(n int, mem int64, each int, size int64) *fleet.Fleet {
	f := uniform(n, mem, each, size)
	for i := range f.Hosts {
		asXen(&f.Hosts[i], oldXen, "aa", []fleet.LivePatch{})
	}
	for i := range f.Instances {
		f.Instances[i].GuestType = "pvh"
	}
	return f
}

func asXen(h *fleet.Host, v, build string, patches []fleet.LivePatch) {
	h.Hypervisor, h.Ecosystem = fleet.Xen, "Debian:12"
	h.Capabilities = []string{fleet.CanLivePatch, fleet.CanLiveMigrate, fleet.CanSuspend, fleet.CanReboot, fleet.CanUpdate}
	h.Software = fleet.Software{Installed: map[string]string{xenPkg: v}, Booted: map[string]string{xenPkg: v}, BuildID: build, LivePatches: patches}
}

func applied(names ...string) []fleet.LivePatch {
	list := []fleet.LivePatch{}
	for _, n := range names {
		list = append(list, fleet.LivePatch{Name: n, Component: "xen", State: fleet.PatchApplied})
	}
	return list
}

// xenTarget fixes two advisories: by live patches on build aa, and one of them alone on build bb; by the
// newer Xen everywhere.
func xenTarget(then string) *plan.Target {
	file := func(name, build string, fixes ...string) plan.WantedPatch {
		return plan.WantedPatch{Name: name, Component: "xen", BuildID: build, Fixes: fixes, File: name + ".livepatch", SHA256: sum}
	}
	return &plan.Target{Evenkeel: plan.TargetSchemaV1, ID: "t", Fixes: []string{"XSA-1", "XSA-2"}, Cohorts: []plan.Cohort{{
		Name: "xen", Packages: map[string]string{xenPkg: newXen}, Ecosystem: "Debian:12", Remedy: "live-patch", Then: then,
		Update:      plan.Update{Command: []string{"host-update"}},
		LivePatches: []plan.WantedPatch{file("xsa1-aa", "aa", "XSA-1"), file("xsa2-aa", "aa", "XSA-2"), file("xsa1-bb", "bb", "XSA-1")},
	}}}
}

// drawMixed draws a campaign over Xen hosts of several builds, of which some have live patches, some of
// them applied already, sometimes beside hosts of KVM that are refreshed or rebooted.
func drawMixed(t *rapid.T) planner.Input {
	in := planner.Input{Fleet: drawFleet(t), Policy: drawPolicy(t), Campaign: "c", Revision: 1,
		Now: time.Date(2026, 3, 2, 9, 0, 0, int(time.Millisecond), time.UTC)}
	in.Policy.Tactics = rapid.SampledFrom([][]plan.Tactic{
		{plan.LivePatch, plan.Evacuate, plan.Suspend}, {plan.LivePatch, plan.Evacuate, plan.Suspend, plan.Reboot}, {plan.LivePatch, plan.Evacuate},
		{plan.LivePatch, plan.Suspend}, {plan.LivePatch}, {plan.Evacuate, plan.Suspend},
	}).Draw(t, "mixed tactics")
	in.Policy.WaveGrowth = rapid.SampledFrom([]int{0, 1, 2, 4}).Draw(t, "growth")
	in.Policy.BringHome = rapid.IntRange(0, 5).Draw(t, "brought home") == 0
	builds := rapid.SampledFrom([][]string{{"aa"}, {"aa", "aa", "aa", "bb"}, {"aa", "AA", "bb", "cc", ""}}).Draw(t, "builds")
	kvm, xen := rapid.IntRange(0, 2).Draw(t, "with kvm") == 0, map[string]bool{}
	for i := range in.Fleet.Hosts {
		h := &in.Fleet.Hosts[i]
		if kvm && rapid.Bool().Draw(t, "kvm") {
			continue
		}
		xen[h.ID] = true
		bare := h.Capabilities
		v := rapid.SampledFrom([]string{oldXen, oldXen, oldXen, newXen}).Draw(t, "xen")
		build := rapid.SampledFrom(builds).Draw(t, "build")
		var list []fleet.LivePatch
		switch rapid.IntRange(0, 9).Draw(t, "patches") {
		case 0:
			list = applied("xsa1-aa", "xsa2-aa")
		case 1:
			list = applied("xsa1-aa")
		case 2: // not read
		default:
			list = applied()
		}
		asXen(h, v, build, list)
		if bare != nil && rapid.Bool().Draw(t, "bare xen") {
			h.Capabilities = append([]string{fleet.CanLivePatch}, bare...)
		}
	}
	for i := range in.Fleet.Instances {
		if !xen[in.Fleet.Instances[i].Host] {
			continue
		}
		in.Fleet.Instances[i].Running = nil
		in.Fleet.Instances[i].GuestType = rapid.SampledFrom([]string{"pvh", "hvm"}).Draw(t, "guest")
	}
	in.Target = xenTarget(rapid.SampledFrom([]string{"", "reboot", "reboot"}).Draw(t, "then"))
	c := &in.Target.Cohorts[0]
	if rapid.IntRange(0, 5).Draw(t, "by command") == 0 {
		for i := range c.LivePatches {
			c.LivePatches[i].File, c.LivePatches[i].SHA256 = "", ""
		}
	}
	if rapid.IntRange(0, 3).Draw(t, "two cohorts") == 0 {
		other := *c
		other.Name, other.Remedy, other.Then, other.LivePatches = "others", "", "", nil
		for _, h := range in.Fleet.Hosts {
			if rapid.Bool().Draw(t, "other") {
				other.Match.Hosts = append(other.Match.Hosts, h.ID)
			}
		}
		if len(other.Match.Hosts) > 0 {
			in.Target.Cohorts = []plan.Cohort{other, *c}
		}
	}
	if kvm {
		in.Target.Cohorts = append([]plan.Cohort{{Name: "kvm", Match: plan.Match{Hypervisor: "kvm"}, Packages: map[string]string{"qemu-system-x86": newer},
			Remedy: rapid.SampledFrom([]string{"refresh", ""}).Draw(t, "kvm remedy"), Update: plan.Update{Command: []string{"host-update"}}}}, in.Target.Cohorts...)
		if rapid.Bool().Draw(t, "refreshes") {
			in.Policy.Tactics = append([]plan.Tactic{plan.Refresh}, in.Policy.Tactics...)
		}
	}
	if rapid.IntRange(0, 3).Draw(t, "embargoed") == 0 {
		in.Target.Disclosure = in.Now.AddDate(0, 0, rapid.IntRange(1, 20).Draw(t, "disclosure"))
		in.Target.EmbargoDeploy = rapid.SampledFrom([]string{"", "yes", "yes", "no"}).Draw(t, "deploy")
	}
	in.Assessment = advisory.Assess(in.Fleet, in.Target, nil, 0, in.Now)
	return in
}

// told says what a plan does, for messages.
func told(p plan.Plan) string {
	out := p.Verdict
	for _, u := range p.Turns {
		out += fmt.Sprintf("\n  wave %d %s %s canary=%v deferred=%v %s..%s %s", u.Wave, u.ID, u.Tactic, u.Canary, u.Deferred, u.Start.Format("02 15:04:05"), u.WorstEnd().Format("02 15:04:05"), u.Why)
	}
	for _, b := range p.Blocked {
		out += fmt.Sprintf("\n  blocked %s%s %s: %s", b.Host, b.Instance, b.Code, b.Why)
	}
	return out
}
