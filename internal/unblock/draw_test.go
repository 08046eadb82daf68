package unblock_test

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

var now = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// base is a fleet of one region, site and pool without hosts.
func base() *fleet.Fleet {
	return &fleet.Fleet{
		Evenkeel: fleet.SchemaV1,
		Regions:  []fleet.Region{{ID: "north"}},
		Sites:    []fleet.Site{{ID: "n1", Region: "north", Timezone: "Europe/Berlin"}},
		Pools:    []fleet.Pool{{ID: "pool", Site: "n1"}},
		Tenants:  []fleet.Tenant{{ID: "acme", Contacts: []fleet.Contact{{Email: "ops@acme.example"}}}},
	}
}

// uniform has n hosts of mem MiB with each so many instances of size MiB.
func uniform(n int, mem int64, each int, size int64) *fleet.Fleet {
	f := base()
	for i := range n {
		h := fmt.Sprintf("h%03d", i)
		f.Hosts = append(f.Hosts, fleet.Host{ID: h, Pools: []string{"pool"}, Hypervisor: fleet.KVM, MemoryMiB: mem, NICMbps: 10000, Software: qemu(older)})
		for k := range each {
			f.Instances = append(f.Instances, fleet.Instance{ID: fmt.Sprintf("v%03d-%d", i, k), Host: h, Tenant: "acme", MemoryMiB: size})
		}
	}
	return f
}

func qemu(v string) fleet.Software {
	m := map[string]string{"qemu-system-x86": v}
	return fleet.Software{Installed: m, Booted: m}
}

// reboots is a campaign that updates and reboots each host.
func reboots(f *fleet.Fleet) planner.Input {
	return targeted(f, plan.DefaultPolicy(), &plan.Target{Evenkeel: plan.TargetSchemaV1, ID: "t", Cohorts: []plan.Cohort{{
		Packages: map[string]string{"qemu-system-x86": newer}, Update: plan.Update{Command: []string{"host-update"}}}}})
}

func targeted(f *fleet.Fleet, p plan.Policy, t *plan.Target) planner.Input {
	return planner.Input{Fleet: f, Target: t, Policy: p, Campaign: "c", Revision: 1, Now: now,
		Assessment: advisory.Assess(f, t, nil, 0, now)}
}

func propose(t testing.TB, in planner.Input) plan.Plan {
	t.Helper()
	p, err := planner.Propose(in)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// drawInput draws a small campaign in which much is blocked, for many reasons.
func drawInput(t *rapid.T, most int) planner.Input {
	f := base()
	f.Tenants = append(f.Tenants, fleet.Tenant{ID: "cedar"}) // nobody to tell
	if rapid.IntRange(0, 3).Draw(t, "second site") == 0 {
		f.Sites = append(f.Sites, fleet.Site{ID: "n2", Region: "north"})
		f.Pools = append(f.Pools, fleet.Pool{ID: "pool2", Site: "n2"})
	}
	for i := range f.Pools {
		if rapid.Bool().Draw(t, "named reserve") {
			mib := rapid.Int64Range(0, 8192).Draw(t, "reserve")
			f.Pools[i].ReserveMiB = &mib
		}
	}
	for g := range rapid.IntRange(0, 2).Draw(t, "groups") {
		f.Groups = append(f.Groups, fleet.Group{ID: fmt.Sprintf("g%d", g), MaxUnavailable: rapid.IntRange(0, 2).Draw(t, "max"),
			Spread: rapid.SampledFrom([]fleet.Spread{"", fleet.SpreadHost, fleet.SpreadRack}).Draw(t, "spread")})
	}
	for i := range rapid.IntRange(1, most).Draw(t, "hosts") {
		drawHost(t, f, fmt.Sprintf("h%d", i))
	}
	if rapid.IntRange(0, 2).Draw(t, "host group") == 0 {
		f.HostGroups = []fleet.HostGroup{{ID: "hg", MaxUnavailable: 1, Hosts: []string{f.Hosts[0].ID, f.Hosts[len(f.Hosts)-1].ID}}}
	}
	p := drawPolicy(t)
	if rapid.IntRange(0, 3).Draw(t, "routine") == 0 {
		return planner.Input{Fleet: f, Policy: p, Campaign: "c", Revision: 1, Now: now}
	}
	tg := &plan.Target{Evenkeel: plan.TargetSchemaV1, ID: "t", Cohorts: []plan.Cohort{{
		Packages: map[string]string{"qemu-system-x86": newer}, Update: plan.Update{Command: []string{"host-update"}},
		Remedy:  rapid.SampledFrom([]string{"", "reboot", "refresh"}).Draw(t, "remedy"),
		InPlace: rapid.IntRange(0, 5).Draw(t, "in place") == 0,
	}}}
	if rapid.IntRange(0, 4).Draw(t, "cohort tactics") == 0 {
		tg.Cohorts[0].Tactics = []plan.Tactic{plan.Evacuate}
	}
	if rapid.IntRange(0, 4).Draw(t, "no command") == 0 {
		tg.Cohorts[0].Update = plan.Update{}
	}
	if rapid.IntRange(0, 3).Draw(t, "embargoed") == 0 {
		tg.Disclosure = now.AddDate(0, 0, rapid.IntRange(1, 12).Draw(t, "disclosure"))
	}
	return targeted(f, p, tg)
}

func drawHost(t *rapid.T, f *fleet.Fleet, id string) {
	h := fleet.Host{ID: id, Hypervisor: fleet.KVM, NICMbps: 10000, Pools: []string{rapid.SampledFrom(f.Pools).Draw(t, "pool").ID},
		MemoryMiB: rapid.SampledFrom([]int64{4096, 8192}).Draw(t, "memory"), Rack: rapid.SampledFrom([]string{"r1", "r2"}).Draw(t, "rack"),
		Health:   rapid.SampledFrom([]fleet.Health{"", "", "", "", "", fleet.Sick, fleet.Down}).Draw(t, "health"),
		Software: qemu(rapid.SampledFrom([]string{older, older, older, newer}).Draw(t, "qemu"))}
	if rapid.IntRange(0, 4).Draw(t, "networked") == 0 {
		h.Networks = []string{"blue"}
	}
	if rapid.IntRange(0, 6).Draw(t, "bare") == 0 {
		h.Capabilities = rapid.SampledFrom([][]string{{"reboot", "update", "suspend"}, {"live-migrate", "reboot"}, {"live-migrate"}}).Draw(t, "capabilities")
	}
	f.Hosts = append(f.Hosts, h)
	free := h.MemoryMiB
	for k := range rapid.IntRange(0, 5).Draw(t, "instances") {
		i := fleet.Instance{ID: fmt.Sprintf("%s-v%d", id, k), Host: id, MemoryMiB: rapid.SampledFrom([]int64{512, 1024, 3072}).Draw(t, "size"),
			Tenant: rapid.SampledFrom([]string{"acme", "acme", "acme", "acme", "cedar"}).Draw(t, "tenant"),
			State:  rapid.SampledFrom([]fleet.State{"", "", "", "", fleet.Stopped, fleet.Paused}).Draw(t, "state")}
		if free -= i.MemoryMiB; free < 0 {
			return
		}
		if len(f.Groups) > 0 && rapid.Bool().Draw(t, "grouped") {
			i.Group = rapid.SampledFrom(f.Groups).Draw(t, "group").ID
		}
		switch rapid.IntRange(0, 14).Draw(t, "odd") {
		case 0:
			i.Pinned = "licence"
		case 1:
			i.Disks = []fleet.Disk{{Name: "vda"}}
		case 2:
			i.Devices = []string{"0000:03:00.0"}
		case 3:
			i.DirtyMiBps = 4000
		case 4:
			i.Networks = []string{"red"}
		case 5:
			i.CPUModel = "Skylake"
		case 6:
			i.Immovable = []fleet.Reason{{Code: "odd", Why: "the driver says so"}}
		}
		f.Instances = append(f.Instances, i)
	}
}

func drawPolicy(t *rapid.T) plan.Policy {
	p := plan.DefaultPolicy()
	p.Windows = rapid.SampledFrom([][]plan.WindowRule{
		{{Always: true}}, {{Start: "02:00", Length: plan.Duration(2 * time.Hour)}}, {{Start: "02:00", Length: plan.Duration(30 * time.Minute)}},
		{{Start: "02:30", Length: plan.Duration(3 * time.Hour), Sites: []string{"n1"}}},
	}).Draw(t, "windows")
	p.Slot = plan.Duration(rapid.SampledFrom([]time.Duration{20 * time.Minute, 2 * time.Hour}).Draw(t, "slot"))
	p.Tactics = rapid.SampledFrom([][]plan.Tactic{
		{plan.Evacuate}, {plan.Evacuate, plan.Suspend}, {plan.LivePatch, plan.Refresh, plan.Evacuate, plan.Suspend, plan.Reboot}, {plan.Refresh}, {plan.Reboot},
	}).Draw(t, "tactics")
	p.Canary, p.KeepReserve = rapid.Bool().Draw(t, "canary"), rapid.Bool().Draw(t, "reserve kept")
	p.Times.SaveMax = plan.Duration(rapid.SampledFrom([]time.Duration{15 * time.Second, 5 * time.Minute}).Draw(t, "save"))
	if rapid.IntRange(0, 5).Draw(t, "slow") == 0 {
		p.Times.MigrateMax, p.NonConverging = plan.Duration(5*time.Second), []string{"hold"}
	}
	if rapid.IntRange(0, 3).Draw(t, "deadline") == 0 {
		p.FinishBy = time.Date(2026, 3, rapid.IntRange(3, 14).Draw(t, "by"), 0, 0, 0, 0, time.UTC)
	}
	return p
}
