package explain_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// Two builds of Debian's QEMU.
const (
	older = "1:7.2+dfsg-7+deb12u12"
	newer = "1:7.2+dfsg-7+deb12u18"
)

var made = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// uniform has n hosts of mem MiB in one pool, with each so many instances of size MiB.
func uniform(n int, mem int64, each int, size int64) *fleet.Fleet {
	f := &fleet.Fleet{Evenkeel: fleet.SchemaV1, Regions: []fleet.Region{{ID: "north"}}, Sites: []fleet.Site{{ID: "n1", Region: "north"}},
		Pools: []fleet.Pool{{ID: "pool", Site: "n1"}}, Tenants: []fleet.Tenant{{ID: "acme", Contacts: []fleet.Contact{{Email: "ops@acme.example"}}}}}
	for i := range n {
		h := fmt.Sprintf("h%05d", i)
		f.Hosts = append(f.Hosts, fleet.Host{ID: h, Pools: []string{"pool"}, Hypervisor: fleet.KVM, MemoryMiB: mem, NICMbps: 10000})
		for k := range each {
			f.Instances = append(f.Instances, fleet.Instance{ID: fmt.Sprintf("v%05d-%02d", i, k), Host: h, Tenant: "acme", MemoryMiB: size})
		}
	}
	return f
}

func propose(t testing.TB, f *fleet.Fleet, p plan.Policy) plan.Plan {
	t.Helper()
	out, err := planner.Propose(planner.Input{Fleet: f, Policy: p, Campaign: "cycle", Now: made, Revision: 1})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// eager allows all that capacity does, at any time.
func eager() plan.Policy { return plan.ToBound(plan.DefaultPolicy()) }

// draw makes a campaign in which every rule has something to say.
func draw(t *rapid.T) planner.Input {
	in := planner.Input{Fleet: drawFleet(t), Policy: drawPolicy(t), Campaign: "c", Revision: 1, Now: made}
	switch rapid.SampledFrom([]string{"routine", "target", "target", "patches"}).Draw(t, "kind") {
	case "patches":
		in.Policy.Tactics = append([]plan.Tactic{plan.LivePatch}, in.Policy.Tactics...)
		in.Target = patches(in.Fleet, func() string { return rapid.SampledFrom([]string{"aa", "aa", "bb"}).Draw(t, "build") })
		in.Target.Cohorts[0].Then = rapid.SampledFrom([]string{"", "reboot"}).Draw(t, "then")
		in.Assessment = advisory.Assess(in.Fleet, in.Target, nil, 0, in.Now)
	case "target":
		tg := &plan.Target{Evenkeel: plan.TargetSchemaV1, ID: "t", Cohorts: []plan.Cohort{{
			Packages: map[string]string{"qemu-system-x86": newer}, Update: plan.Update{Command: []string{"host-update"}},
			Remedy: rapid.SampledFrom([]string{"", "reboot", "refresh"}).Draw(t, "remedy"),
		}}}
		if rapid.IntRange(0, 2).Draw(t, "embargoed") == 0 {
			tg.Disclosure, tg.EmbargoDeploy = made.AddDate(0, 0, 3), "no"
		}
		in.Target, in.Assessment = tg, advisory.Assess(in.Fleet, tg, nil, 0, in.Now)
	}
	return in
}

const (
	xenPkg = "xen-hypervisor-4.17-amd64"
	oldXen = "4.17.5+23-ga4e5191dc0-1"
	newXen = "4.17.7+13-g1234567890-1"
)

// patches makes a fleet's hosts Xen hosts of several builds, and gives the target that has live patches for
// those of build aa.
func patches(f *fleet.Fleet, build func() string) *plan.Target {
	for n := range f.Hosts {
		h := &f.Hosts[n]
		h.Hypervisor, h.Ecosystem = fleet.Xen, "Debian:12"
		h.Capabilities = []string{fleet.CanLivePatch, fleet.CanLiveMigrate, fleet.CanSuspend, fleet.CanReboot, fleet.CanUpdate}
		h.Software = fleet.Software{Installed: map[string]string{xenPkg: oldXen}, Booted: map[string]string{xenPkg: oldXen}, BuildID: build(), LivePatches: []fleet.LivePatch{}}
	}
	fixes := []string{"XSA-1"}
	return &plan.Target{Evenkeel: plan.TargetSchemaV1, ID: "t", Fixes: fixes, Cohorts: []plan.Cohort{{Name: "xen", Packages: map[string]string{xenPkg: newXen}, Ecosystem: "Debian:12",
		Remedy: "live-patch", Then: "reboot", Update: plan.Update{Command: []string{"host-update"}}, LivePatches: []plan.WantedPatch{{Name: "xsa1-aa", Component: "xen", BuildID: "aa", Fixes: fixes}}}}}
}

func drawFleet(t *rapid.T) *fleet.Fleet {
	f := &fleet.Fleet{Evenkeel: fleet.SchemaV1, Regions: []fleet.Region{{ID: "east"}, {ID: "west"}}}
	for n := range rapid.IntRange(1, 3).Draw(t, "sites") {
		site := fleet.Site{ID: fmt.Sprintf("s%d", n), Region: f.Regions[n/2].ID, Timezone: rapid.SampledFrom([]string{"", "Europe/Berlin", "America/New_York"}).Draw(t, "zone")}
		pool := fleet.Pool{ID: fmt.Sprintf("p%d", n), Site: site.ID}
		if rapid.Bool().Draw(t, "named reserve") {
			mib := rapid.Int64Range(0, 4096).Draw(t, "reserve")
			pool.ReserveMiB = &mib
		}
		f.Sites, f.Pools = append(f.Sites, site), append(f.Pools, pool)
	}
	f.Tenants = []fleet.Tenant{{ID: "acme", Contacts: []fleet.Contact{{Email: "ops@acme.example"}}}}
	const h = plan.Duration(time.Hour)
	switch rapid.IntRange(0, 9).Draw(t, "whose hours") {
	case 0:
		f.Tenants[0].Timezone, f.Tenants[0].Windows = "America/New_York", []fleet.Window{{Start: "21:00", Length: 5 * h}, {Days: []string{"sat"}, Start: "03:00", Length: 30 * h}}
	case 1:
		f.Regions[0].Windows = []fleet.Window{{RRule: "FREQ=WEEKLY;BYDAY=TU,WE,SU", Start: "01:30", Length: 22 * h}}
	case 2:
		f.Tenants[0].Freezes = []fleet.Freeze{{Why: "a fair", From: "2026-03-05 00:00", To: "2026-03-07 12:00"}}
		f.Sites[0].Freezes = []fleet.Freeze{{From: "2026-03-03 12:00", To: "2026-03-03 18:00"}}
	}
	for g := range rapid.IntRange(0, 4).Draw(t, "groups") {
		f.Groups = append(f.Groups, fleet.Group{ID: fmt.Sprintf("g%d", g), MaxUnavailable: rapid.IntRange(0, 2).Draw(t, "max"),
			Spread: rapid.SampledFrom([]fleet.Spread{"", "", fleet.SpreadHost, fleet.SpreadRack}).Draw(t, "spread")})
	}
	for n := range rapid.IntRange(3, 12).Draw(t, "hosts") {
		drawHost(t, f, n)
	}
	for g := range rapid.IntRange(0, 2).Draw(t, "host groups") {
		hg := fleet.HostGroup{ID: fmt.Sprintf("hg%d", g), MaxUnavailable: rapid.IntRange(1, 2).Draw(t, "away")}
		for _, h := range f.Hosts {
			if rapid.Bool().Draw(t, "in") {
				hg.Hosts = append(hg.Hosts, h.ID)
			}
		}
		f.HostGroups = append(f.HostGroups, hg)
	}
	return f
}

func drawHost(t *rapid.T, f *fleet.Fleet, n int) {
	h := fleet.Host{ID: fmt.Sprintf("h%02d", n), Hypervisor: fleet.KVM, NICMbps: 10000, Rack: rapid.SampledFrom([]string{"r1", "r2", "r3"}).Draw(t, "rack"),
		MemoryMiB: rapid.SampledFrom([]int64{4096, 8192, 16384}).Draw(t, "memory"), Spare: rapid.IntRange(0, 9).Draw(t, "spare") == 0}
	h.Pools = []string{rapid.SampledFrom(f.Pools).Draw(t, "pool").ID}
	h.Health = rapid.SampledFrom([]fleet.Health{"", "", "", "", "", "", "", "", fleet.Sick, fleet.Down}).Draw(t, "health")
	old := rapid.SampledFrom([]string{older, older, older, newer}).Draw(t, "qemu")
	h.Software = fleet.Software{Installed: map[string]string{"qemu-system-x86": old}, Booted: map[string]string{"qemu-system-x86": old}}
	f.Hosts = append(f.Hosts, h)
	free := h.MemoryMiB
	for k := range rapid.IntRange(0, 6).Draw(t, "instances") {
		i := fleet.Instance{ID: fmt.Sprintf("%s-v%d", h.ID, k), Host: h.ID, Tenant: rapid.SampledFrom([]string{"acme", "acme", "acme", ""}).Draw(t, "tenant"),
			MemoryMiB: rapid.SampledFrom([]int64{256, 512, 1024, 2048}).Draw(t, "size")}
		if free -= i.MemoryMiB; free < 0 || h.Spare {
			return
		}
		i.State = rapid.SampledFrom([]fleet.State{"", "", "", "", "", fleet.Running, fleet.Stopped, fleet.Paused}).Draw(t, "state")
		if len(f.Groups) > 0 && rapid.Bool().Draw(t, "grouped") {
			i.Group = rapid.SampledFrom(f.Groups).Draw(t, "group").ID
		}
		switch rapid.IntRange(0, 14).Draw(t, "odd") {
		case 0:
			i.Pinned = "licence"
		case 1:
			i.Disks = []fleet.Disk{{Name: "vda"}}
		case 2:
			i.NoSuspend = true
		}
		f.Instances = append(f.Instances, i)
	}
}

func drawPolicy(t *rapid.T) plan.Policy {
	p := plan.DefaultPolicy()
	p.SlotBy = rapid.SampledFrom([]string{"", "", plan.SlotAuto}).Draw(t, "slots by")
	p.Windows = rapid.SampledFrom([][]plan.WindowRule{
		{{Always: true}}, {{Always: true}}, {{Start: "02:00", Length: plan.Duration(2 * time.Hour)}},
		{{Start: "01:30", Length: plan.Duration(5 * time.Hour), Days: []string{"sat", "sun"}}},
		{{Start: "02:30", Length: plan.Duration(3 * time.Hour), Regions: []string{"east"}}, {Always: true, Regions: []string{"west"}}},
	}).Draw(t, "windows")
	p.Slot = plan.Duration(rapid.SampledFrom([]time.Duration{time.Hour, 2 * time.Hour, 3 * time.Hour}).Draw(t, "slot"))
	p.Tactics = rapid.SampledFrom([][]plan.Tactic{
		{plan.Evacuate}, {plan.Evacuate, plan.Suspend}, {plan.Refresh, plan.Evacuate, plan.Suspend, plan.Reboot}, {plan.Suspend, plan.Reboot},
	}).Draw(t, "tactics")
	p.Canary, p.KeepReserve = rapid.Bool().Draw(t, "canary"), rapid.Bool().Draw(t, "reserve kept")
	p.WaveGrowth = rapid.SampledFrom([]int{0, 1, 2, 4}).Draw(t, "growth")
	p.StaggerSites, p.StaggerRegions = rapid.Bool().Draw(t, "sites apart"), rapid.IntRange(0, 3).Draw(t, "regions apart") == 0
	p.StaggerRacks = rapid.IntRange(0, 3).Draw(t, "racks apart") == 0
	p.AwayPerRack, p.AwayPerRegion = rapid.SampledFrom([]int{0, 0, 1}).Draw(t, "away of a rack"), rapid.SampledFrom([]int{0, 0, 2}).Draw(t, "away of a region")
	if p.StaggerSites && rapid.Bool().Draw(t, "gap of sites") {
		p.StaggerGap.Sites = plan.Duration(20 * time.Hour)
	}
	if p.StaggerRacks && rapid.Bool().Draw(t, "gap of racks") {
		p.StaggerGap.Racks = plan.Duration(time.Hour)
	}
	p.MaxAwayPercent = rapid.SampledFrom([]int{5, 30, 100}).Draw(t, "away")
	p.BringHome = rapid.IntRange(0, 4).Draw(t, "home") == 0
	p.MinStay = plan.Duration(rapid.SampledFrom([]time.Duration{0, 10 * time.Minute, 5 * time.Hour}).Draw(t, "stay"))
	return p
}
