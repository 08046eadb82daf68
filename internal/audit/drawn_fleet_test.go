package audit_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// Builds of Debian's QEMU and Xen, and a sum that stands for any.
const (
	qemu, xen        = "qemu-system-x86", "xen-hypervisor-4.17-amd64"
	qemuOld, qemuNew = "1:7.2+dfsg-7+deb12u12", "1:7.2+dfsg-7+deb12u18"
	xenOld, xenNew   = "4.17.5+23-ga4e5191dc0-1", "4.17.7+13-g1234567890-1"
	anySum           = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

// dice draws a whole campaign from one number: 3 to 40 hosts in two to four sites and pools, with every rule
// present that a fleet, a target or a policy can state.
type dice struct {
	*rand.Rand
	f     *fleet.Fleet
	most  int     // instances of a host
	sizes []int64 // of instances, in MiB
}

// campaign draws the input of one plan. Every fourth is planned for its bounds.
func campaign(seed uint64) (in planner.Input, profile plan.Profile) {
	d := &dice{Rand: rand.New(rand.NewPCG(seed, 5)), f: &fleet.Fleet{Evenkeel: fleet.SchemaV1}}
	in = planner.Input{Fleet: d.f, Campaign: fmt.Sprintf("c%d", seed), Revision: 1, Now: d.now()}
	d.most, d.sizes = of(d, 4, 8, 12), of(d, []int64{256, 512, 1024}, []int64{512, 1024, 2048, 4096})
	d.places()
	d.owners()
	for i := range of(d, 3+d.IntN(5), 3+d.IntN(12), 3+d.IntN(20), 3+d.IntN(38)) {
		d.host(i)
	}
	d.sets()
	in.Policy = d.policy(in.Now)
	staggered(seed, &in.Policy)
	(&dice{Rand: rand.New(rand.NewPCG(seed, 36)), f: d.f}).links(&in.Policy)
	(&dice{Rand: rand.New(rand.NewPCG(seed, 6)), f: d.f}).models(&in.Policy)
	if d.IntN(4) > 0 {
		in.Target = d.target(in.Now)
		in.Assessment = advisory.Assess(d.f, in.Target, nil, 0, in.Now)
	}
	if seed%4 == 3 {
		in.Policy, profile = plan.ToBound(in.Policy), plan.Bound
	}
	return in, profile
}

// staggered has every other policy keep racks apart or leave time between places; of a stream of its own.
func staggered(seed uint64, p *plan.Policy) {
	const h = plan.Duration(time.Hour)
	if d := (&dice{Rand: rand.New(rand.NewPCG(seed, 31))}); d.oneIn(2) {
		p.StaggerRacks = d.oneIn(2)
		if p.StaggerSites {
			p.StaggerGap.Sites = of(d, 20*h, 26*h)
		}
		if p.StaggerRegions {
			p.StaggerGap.Regions = of(d, 0, 3*h)
		}
		if p.StaggerRacks {
			p.StaggerGap.Racks = of(d, 0, h/2)
		}
		p.AwayPerRack, p.AwayPerRegion = of(d, 0, 1), of(d, 0, 0, 1)
		p.MovesPerRack, p.MovesPerRegion = of(d, 0, 1), of(d, 0, 0, 1)
	}
}

// links gives every third fleet uplinks of racks and hosts; of a stream of its own.
func (d *dice) links(p *plan.Policy) {
	if !d.oneIn(3) || len(d.f.Hosts) == 0 {
		return
	}
	p.MovesPerLink = of(d, 0, 1, 2)
	if h := d.f.Hosts[d.IntN(len(d.f.Hosts))]; h.Rack != "" {
		d.f.Links = append(d.f.Links, fleet.Link{ID: "uplink", Mbps: of(d, int64(500), 2000, 40000), Racks: []string{h.Rack}})
	}
	d.f.Links = append(d.f.Links, fleet.Link{ID: "cable", Mbps: of(d, int64(300), 1000, 40000), Hosts: []string{d.f.Hosts[d.IntN(len(d.f.Hosts))].ID}})
}

// models gives some hosts a model, and in every other campaign reboots of their own.
func (d *dice) models(p *plan.Policy) {
	const m = plan.Duration(time.Minute)
	for i := range d.f.Hosts {
		d.f.Hosts[i].Model = of(d, "", "m1", "m1", "m2")
	}
	if d.oneIn(3) {
		p.SlotBy = plan.SlotAuto
	}
	if d.oneIn(2) {
		p.TimesFor = []plan.TimesRule{
			{Hypervisor: of(d, "", "xen"), Sites: of(d, nil, []string{d.f.Sites[0].ID}), Models: []string{"m1"}, Reboot: plan.Spread{Median: 10 * m, P95: 15 * m}},
			{Models: []string{"m1", "m2"}, Reboot: plan.Spread{Median: of(d, m, 6*m), P95: of(d, 6*m, 12*m)}},
		}
	}
}

// oneIn is true once in n draws.
func (d *dice) oneIn(n int) bool { return d.IntN(n) == 0 }

// of takes one of a list.
func of[T any](d *dice, list ...T) T { return list[d.IntN(len(list))] }

// now is a working day, every other one in a week in which clocks change: in Europe, America or Australia.
func (d *dice) now() time.Time {
	day := of(d, "2026-03-02", "2026-06-17", "2026-12-28", "2026-03-05", "2026-03-25", "2026-10-21", "2026-10-29", "2026-04-01", "2026-10-01")
	at, err := time.Parse("2006-01-02", day)
	if err != nil {
		panic(err)
	}
	return at.Add(time.Duration(d.IntN(24*60)) * time.Minute)
}

func (d *dice) places() {
	for r := range 1 + d.IntN(2) {
		region := of(d, "east", "north") + fmt.Sprint(r)
		d.f.Regions = append(d.f.Regions, fleet.Region{ID: region})
		for s := range 2 {
			site := fmt.Sprintf("%s-%d", region, s)
			d.f.Sites = append(d.f.Sites, fleet.Site{ID: site, Region: region, Timezone: of(d, "", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")})
			p := fleet.Pool{ID: "p-" + site, Site: site}
			if !d.oneIn(3) {
				mib := of(d, int64(0), 1024, 4096, 8192)
				p.ReserveMiB = &mib
			}
			d.f.Pools = append(d.f.Pools, p)
		}
	}
}

// owners are tenants, of whom one cannot be told, and groups of every spread.
func (d *dice) owners() {
	for i, id := range []string{"acme", "birch", "cedar", "mute"} {
		t := fleet.Tenant{ID: id}
		if i < 3 {
			t.Contacts = []fleet.Contact{{Email: "ops@" + id + ".example"}}
		}
		d.f.Tenants = append(d.f.Tenants, t)
	}
	for i, s := range []fleet.Spread{"", "", fleet.SpreadHost, fleet.SpreadHost, fleet.SpreadRack, fleet.SpreadSite} {
		d.f.Groups = append(d.f.Groups, fleet.Group{ID: fmt.Sprintf("g%d", i), MaxUnavailable: d.IntN(3), Spread: s})
	}
}

// host adds a host, and who runs on it.
func (d *dice) host(n int) {
	home := d.f.Pools[n%len(d.f.Pools)].ID
	h := fleet.Host{ID: fmt.Sprintf("h%02d", n), Pools: []string{home}, MemoryMiB: of(d, int64(8192), 16384, 16384, 32768), NICMbps: of(d, int64(0), 1000, 10000, 10000, 25000),
		Rack: of(d, "", "r1", "r2", "r3"), Spare: d.oneIn(9), Health: of(d, fleet.Health(""), "", "", "", "", "", "", "", "", fleet.Sick, fleet.Down),
		CPUFeatures: of(d, nil, []string{"sse4_2", "avx2"}, []string{"sse4_2", "avx2"}, []string{"sse4_2"}), Networks: of(d, nil, []string{"lan", "wan"}, []string{"lan"})}
	if other := of(d, d.f.Pools...).ID; d.oneIn(8) && other != home {
		h.Pools = append(h.Pools, other)
	}
	if h.Hypervisor = fleet.KVM; len(d.f.Pools) > 2 && n%len(d.f.Pools) == 1 || d.oneIn(6) {
		h.Hypervisor = fleet.Xen
	}
	d.software(&h)
	if d.oneIn(8) {
		h.Capabilities = of(d, []string{"reboot", "update", "suspend"}, []string{"live-migrate", "reboot", "update"}, []string{"live-migrate"})
	}
	d.f.Hosts = append(d.f.Hosts, h)
	if h.Spare {
		return
	}
	for k, left := range d.Perm(d.IntN(d.most)) {
		d.instance(&h, k, left)
	}
}

func (d *dice) software(h *fleet.Host) {
	if h.Hypervisor == fleet.KVM {
		v := map[string]string{qemu: of(d, qemuOld, qemuOld, qemuOld, qemuNew)}
		h.Software = fleet.Software{Installed: v, Booted: v}
		return
	}
	h.Ecosystem, h.Capabilities = "Debian:12", []string{fleet.CanLivePatch, fleet.CanLiveMigrate, fleet.CanSuspend, fleet.CanReboot, fleet.CanUpdate}
	v := map[string]string{xen: of(d, xenOld, xenOld, xenOld, xenNew)}
	h.Software = fleet.Software{Installed: v, Booted: v, BuildID: of(d, "aa", "aa", "aa", "bb"), LivePatches: []fleet.LivePatch{}}
	if d.oneIn(7) {
		h.Software.LivePatches = append(h.Software.LivePatches, fleet.LivePatch{Name: "xsa1-aa", Component: "xen", State: fleet.PatchApplied})
	}
	h.VirtCaps = of(d, nil, []string{"pv", "hvm", "hap"}, []string{"pv", "hvm", "hap", "shadow"})
}

func (d *dice) instance(h *fleet.Host, k, odd int) {
	in := fleet.Instance{ID: fmt.Sprintf("%s-v%d", h.ID, k), Host: h.ID, Tenant: of(d, "", "acme", "acme", "birch", "birch", "cedar", "cedar"), MemoryMiB: of(d, d.sizes...),
		State: of(d, fleet.State(""), "", "", "", "", "", fleet.Running, fleet.Stopped, fleet.Paused), DirtyMiBps: of(d, 0.0, 0, 0, 20, 60, 400)}
	used := in.MemoryMiB
	for i := range d.f.Instances {
		if d.f.Instances[i].Host == h.ID {
			used += d.f.Instances[i].MemoryMiB
		}
	}
	if used > h.MemoryMiB {
		return
	}
	if d.oneIn(3) {
		in.Group = of(d, d.f.Groups...).ID
	}
	if len(h.CPUFeatures) > 0 && d.oneIn(3) {
		in.CPUFeatures = h.CPUFeatures
	}
	if len(h.Networks) > 0 && d.oneIn(3) {
		in.Networks = h.Networks[len(h.Networks)-1:]
	}
	if h.Hypervisor == fleet.Xen {
		in.GuestType = of(d, "pvh", "hvm", "pv")
	} else if in.State != fleet.Stopped && d.oneIn(2) {
		in.Running = map[string]string{qemu: h.Software.Booted[qemu]}
	}
	switch (odd + k + d.IntN(40)) % 48 {
	case 0:
		in.Pinned = "licence"
	case 1:
		in.Disks = []fleet.Disk{{Name: "vda"}}
	case 2:
		in.Devices = []string{"0000:03:00.0"}
	case 3:
		in.NoSuspend, in.Pinned = true, "clock"
	case 4:
		in.Tenant = "mute"
	}
	d.f.Instances = append(d.f.Instances, in)
}

// sets are the host groups, and members that only their group names.
func (d *dice) sets() {
	for g := range 2 {
		hg := fleet.HostGroup{ID: fmt.Sprintf("hg%d", g), MaxUnavailable: 1 + d.IntN(2)}
		for i := range d.f.Hosts {
			if d.oneIn(3) {
				hg.Hosts = append(hg.Hosts, d.f.Hosts[i].ID)
			}
		}
		d.f.HostGroups = append(d.f.HostGroups, hg)
	}
	for i := range d.f.Instances {
		if d.oneIn(20) && d.f.Instances[i].Group != "g0" {
			d.f.Groups[0].Members = append(d.f.Groups[0].Members, d.f.Instances[i].ID)
		}
	}
}

func (d *dice) policy(now time.Time) plan.Policy {
	const h = plan.Duration(time.Hour)
	p := plan.DefaultPolicy()
	r := d.f.Regions[0].ID
	p.Windows = of(d,
		[]plan.WindowRule{{Always: true}},
		[]plan.WindowRule{{Start: "02:00", Length: 2 * h}},
		[]plan.WindowRule{{Start: "01:30", Length: 5 * h, Days: []string{"sat", "sun"}}},
		[]plan.WindowRule{{Start: "02:30", Length: 3 * h, Regions: []string{r}}, {Start: "00:30", Length: 4 * h, Timezone: "America/New_York"}},
		[]plan.WindowRule{{Start: "22:00", Length: h}, {Start: "23:30", Length: 4 * h, Timezone: "Europe/Berlin"}},
		[]plan.WindowRule{{Start: "01:00", Length: 3 * h, Hypervisor: "kvm"}, {Start: "20:00", Length: 6 * h, Hypervisor: "xen"}})
	p.Slot = of(d, h, 2*h, 2*h, 3*h)
	p.Lead = of(d, p.Lead, plan.Lead{Blip: 72 * h, Outage: 72 * h}, plan.Lead{Blip: h, Outage: 240 * h})
	p.Tactics = of(d, p.Tactics, append([]plan.Tactic{plan.Reboot}, p.Tactics...), []plan.Tactic{plan.LivePatch, plan.Evacuate, plan.Suspend, plan.Reboot}, []plan.Tactic{plan.Refresh, plan.Evacuate}, []plan.Tactic{plan.Suspend, plan.Reboot})
	p.Canary, p.Soak, p.WaveGrowth = !d.oneIn(3), plan.Duration(d.IntN(90))*plan.Duration(time.Minute), of(d, 0, 1, 2, 4)
	p.KeepReserve, p.StaggerSites, p.StaggerRegions = !d.oneIn(3), !d.oneIn(3), d.oneIn(3)
	p.MaxAwayPercent, p.BringHome = of(d, 5, 30, 60, 100), d.oneIn(4)
	p.MinStay = of(d, 0, plan.Duration(10*time.Minute), 6*h)
	p.MovesPerHost, p.MovesPerPool = 1+d.IntN(3), of(d, 1, 2, 4, 8)
	if !p.BringHome && p.MovesPerHost == 2 { // no draw of its own: the fleets that were drawn before are the same
		p.Home = plan.HomeSettle
	}
	p.NonConverging = of(d, []string{"post-copy"}, []string{"hold"})
	if d.oneIn(5) {
		p.FinishBy = now.AddDate(0, 0, 2+d.IntN(20))
	}
	if d.oneIn(3) {
		p.Times.Update, p.Times.UpdateMax, p.Times.Reboot, p.Times.RebootMax = h/60, h/30, h/30, h/15
	}
	p.Times.SaveMax = of(d, p.Times.SaveMax, h/60, h/120)
	return p
}

// target brings both hypervisors to a fix: by reboot, by refresh, or by live patches that a reboot may follow.
func (d *dice) target(now time.Time) *plan.Target {
	update := plan.Update{Command: []string{"host-update"}}
	patch := func(name, build string, fixes ...string) plan.WantedPatch {
		return plan.WantedPatch{Name: name, Component: "xen", BuildID: build, Fixes: fixes, File: name + ".livepatch", SHA256: anySum}
	}
	t := &plan.Target{Evenkeel: plan.TargetSchemaV1, ID: "t", Public: "host maintenance", Fixes: []string{"XSA-1"}}
	if site := d.f.Sites[0].ID; d.oneIn(4) {
		t.Cohorts = append(t.Cohorts, plan.Cohort{Name: "first", Match: plan.Match{Hypervisor: "kvm", Sites: []string{site}}, Packages: map[string]string{qemu: qemuNew}, Update: update,
			Tactics: of(d, []plan.Tactic{plan.Evacuate}, []plan.Tactic{plan.Suspend, plan.Reboot}), InPlace: d.oneIn(3)})
	}
	t.Cohorts = append(t.Cohorts,
		plan.Cohort{Name: "kvm", Match: plan.Match{Hypervisor: "kvm"}, Packages: map[string]string{qemu: qemuNew}, Remedy: of(d, "", "reboot", "refresh"), Update: update},
		plan.Cohort{Name: "xen", Match: plan.Match{Hypervisor: "xen"}, Packages: map[string]string{xen: xenNew}, Ecosystem: "Debian:12", Remedy: of(d, "live-patch", "live-patch", ""), Then: of(d, "", "reboot"), Update: update,
			LivePatches: []plan.WantedPatch{patch("xsa1-aa", "aa", "XSA-1"), patch("xsa0-bb", "bb", "XSA-0")}})
	for i := range t.Cohorts {
		if c := &t.Cohorts[i]; c.Name == "xen" && c.Remedy == "" {
			c.LivePatches, c.Then = nil, ""
		}
	}
	if d.oneIn(3) {
		t.Disclosure, t.EmbargoDeploy = now.AddDate(0, 0, 1+d.IntN(20)), of(d, "", "yes", "no", "mitigations")
	}
	if d.oneIn(6) {
		t.FinishBy = now.AddDate(0, 0, 3+d.IntN(25))
	}
	return t
}
