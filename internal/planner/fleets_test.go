package planner_test

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

// at reads an instant.
func at(t testing.TB, text string) time.Time {
	t.Helper()
	for _, form := range []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02 15:04"} {
		if moment, err := time.Parse(form, text); err == nil {
			return moment.UTC()
		}
	}
	t.Fatalf("%q is no time", text)
	return time.Time{}
}

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
		h := fmt.Sprintf("h%04d", i)
		f.Hosts = append(f.Hosts, host(h, mem))
		for k := range each {
			f.Instances = append(f.Instances, vm(fmt.Sprintf("v%04d-%02d", i, k), h, size))
		}
	}
	return f
}

func host(id string, mem int64) fleet.Host {
	return fleet.Host{ID: id, Pools: []string{"pool"}, Hypervisor: fleet.KVM, MemoryMiB: mem, NICMbps: 10000}
}

func vm(id, host string, mem int64) fleet.Instance {
	return fleet.Instance{ID: id, Host: host, Tenant: "acme", MemoryMiB: mem}
}

// eager allows all that capacity does, at any time.
func eager() plan.Policy {
	p := plan.DefaultPolicy()
	p.Windows = []plan.WindowRule{{Always: true}}
	p.Canary, p.KeepReserve, p.StaggerSites, p.MaxAwayPercent = false, false, false, 100
	p.MovesPerPool = 100000
	p.MinStay = 0
	p.Slot = plan.Duration(6 * time.Hour)
	return p
}

func routine(t testing.TB, f *fleet.Fleet, p plan.Policy) plan.Plan {
	t.Helper()
	in := planner.Input{Fleet: f, Policy: p, Campaign: "cycle-1", Now: at(t, "2026-03-02 09:00"), Revision: 1}
	if p.MovesPerPool == plan.ToBound(p).MovesPerPool { // it is lifted: to be measured by
		in.Profile = plan.Bound
	}
	out, err := planner.Propose(in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// drawFleet makes a small fleet in which every rule has something to say.
func drawFleet(t *rapid.T) *fleet.Fleet {
	f := &fleet.Fleet{Evenkeel: fleet.SchemaV1}
	for _, r := range []string{"east", "west"}[:rapid.IntRange(1, 2).Draw(t, "regions")] {
		f.Regions = append(f.Regions, fleet.Region{ID: r})
		for s := range rapid.IntRange(1, 2).Draw(t, "sites") {
			zone := rapid.SampledFrom([]string{"", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"}).Draw(t, "zone")
			f.Sites = append(f.Sites, fleet.Site{ID: fmt.Sprintf("%s%d", r, s), Region: r, Timezone: zone})
			pool := fleet.Pool{ID: fmt.Sprintf("p-%s%d", r, s), Site: fmt.Sprintf("%s%d", r, s)}
			if rapid.Bool().Draw(t, "named reserve") {
				mib := rapid.Int64Range(0, 4096).Draw(t, "reserve")
				pool.ReserveMiB = &mib
			}
			f.Pools = append(f.Pools, pool)
		}
	}
	f.Tenants = []fleet.Tenant{
		{ID: "acme", Contacts: []fleet.Contact{{Email: "ops@acme.example"}}},
		{ID: "birch", Contacts: []fleet.Contact{{Email: "it@birch.example"}}},
		{ID: "cedar"}, // nobody to tell
	}
	for g := range rapid.IntRange(0, 4).Draw(t, "groups") {
		f.Groups = append(f.Groups, fleet.Group{ID: fmt.Sprintf("g%d", g), MaxUnavailable: rapid.IntRange(0, 2).Draw(t, "max"),
			Spread: rapid.SampledFrom([]fleet.Spread{"", "", fleet.SpreadHost, fleet.SpreadRack, fleet.SpreadSite}).Draw(t, "spread")})
	}
	drawHosts(t, f)
	return f
}

func drawHosts(t *rapid.T, f *fleet.Fleet) {
	n := rapid.IntRange(2, 12).Draw(t, "hosts")
	brim := rapid.IntRange(0, 4).Draw(t, "to the brim") == 0 // what is on one fits on an empty one, without a gap
	for i := range n {
		h := fleet.Host{ID: fmt.Sprintf("h%02d", i), Hypervisor: fleet.KVM, NICMbps: 10000,
			MemoryMiB: rapid.SampledFrom([]int64{4096, 8192, 16384}).Draw(t, "memory"),
			Rack:      rapid.SampledFrom([]string{"r1", "r2", "r3"}).Draw(t, "rack"),
			Spare:     rapid.IntRange(0, 9).Draw(t, "spare") == 0}
		h.Pools = []string{rapid.SampledFrom(f.Pools).Draw(t, "pool").ID}
		if rapid.IntRange(0, 9).Draw(t, "second") == 0 {
			if other := rapid.SampledFrom(f.Pools).Draw(t, "other").ID; other != h.Pools[0] {
				h.Pools = append(h.Pools, other)
			}
		}
		h.Health = rapid.SampledFrom([]fleet.Health{"", "", "", "", "", "", "", fleet.Sick, fleet.Down}).Draw(t, "health")
		if rapid.IntRange(0, 9).Draw(t, "bare") == 0 {
			h.Capabilities = rapid.SampledFrom([][]string{{"reboot", "update", "suspend"}, {"live-migrate", "reboot", "update"}, {"live-migrate"}}).Draw(t, "capabilities")
		}
		if brim {
			h.MemoryMiB = 8192
		}
		old := rapid.SampledFrom([]string{older, older, newer}).Draw(t, "qemu")
		h.Software = fleet.Software{Installed: map[string]string{"qemu-system-x86": old}, Booted: map[string]string{"qemu-system-x86": old}}
		f.Hosts = append(f.Hosts, h)
		if !h.Spare {
			drawInstances(t, f, &h, brim)
		}
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
	for _, rack := range []string{"r1", "r2"} {
		if rapid.IntRange(0, 3).Draw(t, "uplink") == 0 {
			f.Links = append(f.Links, fleet.Link{ID: "uplink-" + rack, Mbps: rapid.SampledFrom([]int64{100, 2000, 40000}).Draw(t, "rate"), Racks: []string{rack}})
		}
	}
}

// drawInstances fills a host, to the brim or not.
func drawInstances(t *rapid.T, f *fleet.Fleet, h *fleet.Host, brim bool) {
	free := h.MemoryMiB
	most := rapid.IntRange(0, 6).Draw(t, "instances")
	for k := range most {
		i := fleet.Instance{ID: fmt.Sprintf("%s-v%d", h.ID, k), Host: h.ID, MemoryMiB: rapid.SampledFrom([]int64{256, 512, 1024, 2048}).Draw(t, "size")}
		switch fill := rapid.IntRange(0, 11).Draw(t, "fill"); {
		case fill < 2:
			i.MemoryMiB = rapid.Int64Range(1, 4096).Draw(t, "odd size")
		case fill == 2 || brim && k == most-1:
			i.MemoryMiB = free // to the last MiB
		}
		if free -= i.MemoryMiB; free < 0 || i.MemoryMiB == 0 {
			return
		}
		i.Tenant = rapid.SampledFrom([]string{"acme", "acme", "birch", "birch", "", "cedar"}).Draw(t, "tenant")
		if i.Tenant == "cedar" && rapid.IntRange(0, 5).Draw(t, "cedar") > 0 {
			i.Tenant = "birch"
		}
		i.State = rapid.SampledFrom([]fleet.State{"", "", "", "", "", fleet.Running, fleet.Stopped, fleet.Paused}).Draw(t, "state")
		if len(f.Groups) > 0 && rapid.Bool().Draw(t, "grouped") {
			i.Group = rapid.SampledFrom(f.Groups).Draw(t, "group").ID
		}
		if v := h.Software.Booted["qemu-system-x86"]; v != "" && i.State != fleet.Stopped && rapid.Bool().Draw(t, "told") {
			i.Running = map[string]string{"qemu-system-x86": v}
		}
		switch rapid.IntRange(0, 14).Draw(t, "odd") {
		case 0:
			i.Pinned = "licence"
		case 1:
			i.Disks = []fleet.Disk{{Name: "vda", Shared: false}}
		case 2:
			i.Devices = []string{"0000:03:00.0"}
		case 3:
			i.NoSuspend = true
		case 4:
			i.DirtyMiBps = 4000
		}
		f.Instances = append(f.Instances, i)
	}
}

func drawPolicy(t *rapid.T) plan.Policy {
	p := plan.DefaultPolicy()
	p.Windows = rapid.SampledFrom([][]plan.WindowRule{
		{{Always: true}},
		{{Start: "02:00", Length: plan.Duration(2 * time.Hour)}},
		{{Start: "01:30", Length: plan.Duration(5 * time.Hour), Days: []string{"sat", "sun"}}},
		{{Start: "02:30", Length: plan.Duration(3 * time.Hour), Regions: []string{"east"}}, {Always: true, Regions: []string{"west"}}},
		{{Start: "22:00", Length: plan.Duration(time.Hour)}, {Start: "23:30", Length: plan.Duration(4 * time.Hour), Timezone: "America/New_York"}},
	}).Draw(t, "windows")
	p.Slot = plan.Duration(rapid.SampledFrom([]time.Duration{10 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour}).Draw(t, "slot"))
	p.SlotBy = rapid.SampledFrom([]string{"", "", "constant", plan.SlotAuto, plan.SlotAuto}).Draw(t, "slots by")
	p.Tactics = rapid.SampledFrom([][]plan.Tactic{
		{plan.Evacuate}, {plan.Evacuate, plan.Suspend}, {plan.LivePatch, plan.Refresh, plan.Evacuate, plan.Suspend, plan.Reboot}, {plan.Refresh}, {plan.Refresh, plan.Suspend}, {plan.Refresh, plan.Reboot}, {plan.Reboot}, {plan.Suspend, plan.Reboot},
	}).Draw(t, "tactics")
	p.Canary, p.KeepReserve = rapid.Bool().Draw(t, "canary"), rapid.Bool().Draw(t, "reserve kept")
	p.StaggerSites, p.StaggerRegions = rapid.Bool().Draw(t, "sites apart"), rapid.Bool().Draw(t, "regions apart")
	p.StaggerRacks = rapid.IntRange(0, 3).Draw(t, "racks apart") == 0
	drawGaps(t, &p)
	p.MovesPerRack, p.MovesPerRegion = rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, "moves of a rack"), rapid.SampledFrom([]int{0, 0, 0, 1, 3}).Draw(t, "moves of a region")
	p.MovesPerLink = rapid.SampledFrom([]int{0, 1, 2}).Draw(t, "moves of a link")
	p.AwayPerRack, p.AwayPerRegion = rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, "away of a rack"), rapid.SampledFrom([]int{0, 0, 0, 1, 3}).Draw(t, "away of a region")
	p.MaxAwayPercent = rapid.SampledFrom([]int{5, 30, 100}).Draw(t, "away")
	p.Home = rapid.SampledFrom([]plan.Home{"", plan.HomeReturn, plan.HomeSettle}).Draw(t, "home")
	p.BringHome = p.Home == plan.HomeReturn
	p.MinStay = plan.Duration(rapid.SampledFrom([]time.Duration{0, 10 * time.Minute, 5 * time.Hour}).Draw(t, "stay"))
	p.MovesPerHost, p.MovesPerPool = rapid.IntRange(1, 3).Draw(t, "per host"), rapid.IntRange(1, 6).Draw(t, "per pool")
	if rapid.IntRange(0, 3).Draw(t, "deadline") == 0 {
		p.FinishBy = time.Date(2026, 3, rapid.IntRange(3, 20).Draw(t, "by"), 0, 0, 0, 0, time.UTC)
	}
	if rapid.Bool().Draw(t, "quick") {
		p.Times.UpdateMax, p.Times.RebootMax = plan.Duration(2*time.Minute), plan.Duration(3*time.Minute)
		p.Times.Update, p.Times.Reboot = plan.Duration(time.Minute), plan.Duration(2*time.Minute)
	}
	if rapid.Bool().Draw(t, "known times") {
		p.TimesFor = []plan.TimesRule{{Hosts: []string{"h00", "h01", "h02", "h03"}, Reboot: plan.Spread{Median: plan.Duration(4 * time.Minute), P95: plan.Duration(rapid.SampledFrom([]time.Duration{4 * time.Minute, 9 * time.Minute, 20 * time.Minute}).Draw(t, "p95"))}}}
	}
	return p
}

// drawGaps has a policy leave time between places that it keeps apart, now and then.
func drawGaps(t *rapid.T, p *plan.Policy) {
	gap := func(of string, on bool, most time.Duration) plan.Duration {
		if !on || rapid.IntRange(0, 2).Draw(t, of) > 0 {
			return 0
		}
		return plan.Duration(time.Duration(rapid.Int64Range(1, int64(most/time.Second)).Draw(t, "gap of "+of)) * time.Second)
	}
	p.StaggerGap = plan.Gap{Racks: gap("racks", p.StaggerRacks, time.Hour), Sites: gap("sites", p.StaggerSites, 26*time.Hour), Regions: gap("regions", p.StaggerRegions, 50*time.Hour)}
}

// drawInput draws a whole campaign: a routine cycle or one with a target.
func drawInput(t *rapid.T) planner.Input {
	in := planner.Input{Fleet: drawFleet(t), Policy: drawPolicy(t), Campaign: "c", Revision: 1,
		Now: time.Date(2026, 3, 2, 9, 0, 0, int(time.Millisecond), time.UTC)}
	if rapid.Bool().Draw(t, "targeted") {
		tg := &plan.Target{Evenkeel: plan.TargetSchemaV1, ID: "t", Cohorts: []plan.Cohort{{
			Packages: map[string]string{"qemu-system-x86": newer},
			Remedy:   rapid.SampledFrom([]string{"", "reboot", "refresh", "refresh"}).Draw(t, "remedy"),
			Update:   plan.Update{Command: []string{"host-update"}},
		}}}
		if rapid.IntRange(0, 2).Draw(t, "embargoed") == 0 {
			tg.Disclosure = in.Now.AddDate(0, 0, rapid.IntRange(1, 20).Draw(t, "disclosure"))
			tg.EmbargoDeploy = rapid.SampledFrom([]string{"", "yes", "no", "mitigations"}).Draw(t, "deploy")
		}
		in.Target = tg
		in.Assessment = advisory.Assess(in.Fleet, tg, nil, 0, in.Now)
	}
	return in
}
