package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/simulated"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

const (
	xenPackage = "xen-hypervisor-4.17-amd64"
	oldXen     = "4.17.5+72-g8dd13b8d3c-1~deb12u1"
	newXen     = "4.17.7+13-g6c4b1a1ab3-1~deb12u1"
	noShadow   = "pv hvm hap gnttab-v1 gnttab-v2"
	withShadow = "pv hvm hap shadow gnttab-v1 gnttab-v2"
)

// The kinds of Xen campaign that a run may be, and one of KVM in which migrations begin to fail.
const (
	byPatches  = "live-patch some" // live patches for some builds, the next tactic for the others
	byDeferred = "then reboot"     // the same, and a reboot later
	byXenBoot  = "xen reboot"
	byHold     = "migrations fail"
)

// newKinds says whether the seed is of the half that has them.
func newKinds(seed uint64) bool { return (seed/24)%2 == 1 }

func onXen(kind string) bool { return kind == byPatches || kind == byDeferred || kind == byXenBoot }

// baseline is a live patch that a vendor shipped before; some hosts have it.
const baseline = "base1"

// builds are those of the old Xen, of which hosts have one each.
func builds() (out []string) {
	for n := range 3 {
		out = append(out, fmt.Sprintf("%040x", 0xb0+n))
	}
	return out
}

// fitXen makes Xen hosts of a fleet's, and a campaign of the kind. It gives the payloads by file name.
func fitXen(kind string, r *rand.Rand, f *fleet.Fleet, p *plan.Policy, tg *plan.Target) map[string][]byte {
	caps := map[string]string{oldXen: withShadow, newXen: noShadow}
	if r.IntN(5) == 0 {
		caps[oldXen] = noShadow
	}
	if r.IntN(4) == 0 {
		caps[newXen] = withShadow
	}
	based := map[string]bool{}
	for _, b := range builds() {
		based[b] = r.IntN(4) == 0
	}
	for i := range f.Hosts {
		h := &f.Hosts[i]
		xen := oldXen
		if h.Software.Booted["qemu-system-x86"] == newQEMU {
			xen = newXen
		}
		v := map[string]string{xenPackage: xen}
		upstream, _, _ := strings.Cut(xen, "+")
		h.Hypervisor, h.VirtCaps = fleet.Xen, strings.Fields(caps[xen])
		h.Software = fleet.Software{Installed: v, Booted: v, Running: map[string]string{"xen-upstream": upstream}, BuildID: newBuild, LivePatches: []fleet.LivePatch{}}
		if xen == oldXen {
			h.Software.BuildID = builds()[r.IntN(3)]
		}
		if based[h.Software.BuildID] {
			h.Software.LivePatches = append(h.Software.LivePatches, fleet.LivePatch{Name: baseline, Component: "xen", State: fleet.PatchApplied})
		}
		h.Capabilities = []string{fleet.CanLiveMigrate, fleet.CanReboot, fleet.CanSuspend, fleet.CanUpdate}
		if r.IntN(8) > 0 {
			h.Capabilities = append(h.Capabilities, fleet.CanLivePatch)
		}
	}
	for i := range f.Instances {
		f.Instances[i].Running, f.Instances[i].GuestType = nil, []string{"pv", "pvh", "pvh", "hvm"}[r.IntN(4)]
	}
	c := &tg.Cohorts[0]
	tg.ID, tg.Fixes = "xen-fix", []string{"XSA-901", "XSA-902"}
	c.Packages = map[string]string{xenPackage: newXen}
	c.Update.Command = []string{"simulated-update", xenPackage + "=" + newXen}
	p.WaveGrowth, p.MigrationFailures = []int{0, 1, 2, 4}[r.IntN(4)], 1+r.IntN(3)
	p.NonConverging = []string{"hold"}
	if kind == byXenBoot {
		splitCohort(r, tg)
		return nil
	}
	if c.Remedy = "live-patch"; kind == byDeferred {
		c.Then = "reboot"
	}
	p.Tactics = slices.Insert(p.Tactics, 0, plan.LivePatch)
	p.Canary, p.Soak = r.IntN(4) > 0, plan.Duration(5+r.IntN(25))*60e9
	files := drawPayloads(r, c, based)
	splitCohort(r, tg)
	return files
}

// splitCohort gives each pool a cohort of its own, the second one at times without live patches.
func splitCohort(r *rand.Rand, tg *plan.Target) {
	if r.IntN(2) == 0 {
		return
	}
	one, two := tg.Cohorts[0], tg.Cohorts[0]
	one.Name, one.Match.Pools = "one", []string{"p1"}
	two.Name, two.Match.Pools = "two", []string{"p2"}
	if r.IntN(2) == 0 {
		two.Remedy, two.LivePatches, two.Then = "reboot", nil, ""
	}
	tg.Cohorts = []plan.Cohort{one, two}
}

// unread takes facts of Xen hosts out of what the product is told. The world keeps them.
func unread(r *rand.Rand, f *fleet.Fleet) {
	for i := range f.Hosts {
		h := &f.Hosts[i]
		switch r.IntN(40) {
		case 0:
			h.Software.BuildID = ""
		case 1:
			h.Software.LivePatches = nil
		case 2, 3, 4, 5:
			h.VirtCaps = nil
		}
	}
}

// newBuild is that of the fixed Xen.
var newBuild = simulated.BuildID(map[string]string{xenPackage: newXen})

// drawPayloads names live patches for some builds: one that fixes all, two of which each fixes one, one
// that fixes half, or none.
func drawPayloads(r *rand.Rand, c *plan.Cohort, based map[string]bool) map[string][]byte {
	files := map[string][]byte{}
	add := func(build, name, on string, replace bool, fixes ...string) {
		file := build[38:] + "-" + name + ".livepatch"
		files[file] = simulated.Payload(build, on)
		bound := build
		if r.IntN(4) == 0 {
			bound = strings.ToUpper(build)
		}
		c.LivePatches = append(c.LivePatches, plan.WantedPatch{Name: name, Component: "xen", BuildID: bound, Fixes: fixes, File: file,
			SHA256: driver.Sum(files[file]), Replace: replace})
	}
	for n, build := range builds() {
		on := ""
		if based[build] {
			on = baseline
		}
		how := r.IntN(5)
		if n == 0 {
			how = r.IntN(3) // there is a whole one for this
		}
		switch how {
		case 0:
			add(build, "cumulative", "", true)
		case 1:
			add(build, "xsa901", on, false, "XSA-901")
			add(build, "xsa902", "xsa901", false, "XSA-902")
		case 2:
			add(build, "both", on, false)
		case 3:
			add(build, "xsa901", on, false, "XSA-901") // not enough
		}
	}
	return files
}
