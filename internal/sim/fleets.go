package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

const (
	oldQEMU = "1:7.2+dfsg-7+deb12u15"
	newQEMU = "1:7.2+dfsg-7+deb12u18"
)

// drawFleet makes a fleet of two or more pools on two sites, with groups, spread, pinned and stopped
// instances, local disks and uneven hosts.
func drawFleet(r *rand.Rand) *fleet.Fleet {
	f := &fleet.Fleet{Evenkeel: fleet.SchemaV1, Regions: []fleet.Region{{ID: "r1"}},
		Sites: []fleet.Site{{ID: "s1", Region: "r1", Timezone: "Europe/Amsterdam"}, {ID: "s2", Region: "r1"}}}
	for t := range 2 + r.IntN(4) {
		id := fmt.Sprintf("t%d", t+1)
		f.Tenants = append(f.Tenants, fleet.Tenant{ID: id, Contacts: []fleet.Contact{{Email: "ops@" + id + ".example"}, {Email: "boss@" + id + ".example"}}})
	}
	none := int64(0)
	for p := range 2 {
		pool := fleet.Pool{ID: fmt.Sprintf("p%d", p+1), Site: fmt.Sprintf("s%d", p+1)}
		if r.IntN(2) == 0 {
			pool.ReserveMiB = &none
		}
		f.Pools = append(f.Pools, pool)
		for h := range 2 + r.IntN(5) {
			drawHost(r, f, pool.ID, fmt.Sprintf("%sh%d", pool.ID, h+1))
		}
	}
	for g := range r.IntN(5) {
		drawGroup(r, f, fmt.Sprintf("grp%d", g+1))
	}
	if r.IntN(3) == 0 {
		f.HostGroups = append(f.HostGroups, fleet.HostGroup{ID: "storage", Hosts: []string{"p1h1", "p1h2", "p2h1"}, MaxUnavailable: 1})
	}
	return f
}

func drawHost(r *rand.Rand, f *fleet.Fleet, pool, id string) {
	v := map[string]string{"qemu-system-x86": oldQEMU}
	if r.IntN(8) == 0 {
		v = map[string]string{"qemu-system-x86": newQEMU} // somebody patched it already
	}
	h := fleet.Host{ID: id, Pools: []string{pool}, Hypervisor: fleet.KVM, URI: "sim://" + id, MemoryMiB: int64(8+8*r.IntN(2)) * 1024, NICMbps: 10_000,
		Rack: fmt.Sprintf("rack%d", r.IntN(3)+1), Software: fleet.Software{Installed: v, Booted: v, Running: v}}
	free := h.MemoryMiB * int64(40+r.IntN(40)) / 100
	for n := 0; ; n++ {
		in := fleet.Instance{ID: fmt.Sprintf("%si%d", id, n+1), Host: id, MemoryMiB: int64(1+r.IntN(4)) * 512, VCPUs: 1, Running: v}
		if free -= in.MemoryMiB; free < 0 {
			break
		}
		if r.IntN(10) > 0 {
			in.Tenant = f.Tenants[r.IntN(len(f.Tenants))].ID
		}
		switch r.IntN(16) {
		case 0:
			in.Disks = []fleet.Disk{{Name: "vda", SizeMiB: 1024}} // local
		case 1:
			in.State, in.Running = fleet.Stopped, nil
		case 2:
			in.DirtyMiBps = float64(50 + r.IntN(400))
		}
		f.Instances = append(f.Instances, in)
	}
	f.Hosts = append(f.Hosts, h)
}

// drawGroup makes a group of a tenant's own instances.
func drawGroup(r *rand.Rand, f *fleet.Fleet, id string) {
	g := fleet.Group{ID: id, Tenant: f.Tenants[r.IntN(len(f.Tenants))].ID, MaxUnavailable: 1}
	hosts := map[string]bool{}
	if r.IntN(2) == 0 {
		g.Spread = fleet.SpreadHost
	}
	for i := range f.Instances {
		in := &f.Instances[i]
		if in.Tenant != g.Tenant || r.IntN(3) > 0 || len(g.Members) == 4 || g.Spread != "" && hosts[in.Host] {
			continue
		}
		hosts[in.Host] = true
		g.Members = append(g.Members, in.ID)
	}
	if len(g.Members) >= 2 {
		f.Groups = append(f.Groups, g)
	}
}

// drawPolicy is careful or bold, always with windows and leads short enough for a run of hours.
func drawPolicy(r *rand.Rand) plan.Policy {
	const m = plan.Duration(time.Minute)
	p := plan.DefaultPolicy()
	p.Windows = []plan.WindowRule{{Always: true}}
	if r.IntN(3) == 0 {
		p.Windows = []plan.WindowRule{{Start: "00:00", Length: 120 * m}, {Start: "06:00", Length: 180 * m}, {Start: "12:30", Length: 120 * m}}
	}
	p.Slot = 120 * m
	p.Lead = plan.Lead{Blip: plan.Duration(5+r.IntN(10)) * m, Outage: plan.Duration(10+r.IntN(20)) * m}
	p.Tactics = []plan.Tactic{plan.Evacuate, plan.Suspend}
	if r.IntN(2) == 0 {
		p.Tactics = append(p.Tactics, plan.Reboot)
	}
	p.Canary, p.Soak = r.IntN(2) == 0, plan.Duration(r.IntN(10))*m
	p.MaxAwayPercent = []int{5, 30, 60}[r.IntN(3)]
	p.KeepReserve = r.IntN(2) == 0
	p.StaggerSites = r.IntN(2) == 0
	p.BringHome = r.IntN(3) == 0
	p.FailureBudget = 1 + r.IntN(3)
	p.MovesPerHost = 1 + r.IntN(3)
	p.Undeliverable = []string{"hold", "next-contact"}[r.IntN(2)]
	p.NonConverging = [][]string{{"post-copy", "hold"}, {"hold"}}[r.IntN(2)]
	p.Blackout = plan.Duration(30 * time.Second)
	p.Contact = "noc@operator.example"
	p.Times.UpdateMax, p.Times.RebootMax, p.Times.MigrateMax, p.Times.SaveMax = 5*m, 8*m, 5*m, 3*m
	if p.MovesPerHost == 1 { // and turns that save more at once have longer
		p.Times.SaveMax = m
	}
	if p.MovesPerHost == 2 && !p.BringHome {
		p.Home = plan.HomeSettle
	}
	return p
}

// placesApart has one policy in six keep racks apart, leave time between places or bound the hosts of a place that are
// away; of a stream of its own, so that the other runs stay as they were.
func placesApart(seed uint64, p *plan.Policy) {
	const m = plan.Duration(time.Minute)
	r := rand.New(rand.NewPCG(seed, 31))
	if r.IntN(6) > 0 {
		return
	}
	p.StaggerRacks = r.IntN(2) == 0
	if p.StaggerRacks && r.IntN(2) == 0 {
		p.StaggerGap.Racks = 10 * m
	}
	if p.StaggerSites && r.IntN(2) == 0 {
		p.StaggerGap.Sites = 30 * m
	}
	p.AwayPerRack, p.AwayPerRegion = r.IntN(3), r.IntN(4)
	p.MovesPerRack, p.MovesPerRegion = r.IntN(3), r.IntN(4)
}

// The kinds of campaign that a run may be.
const (
	byReboot    = "reboot"
	byRefresh   = "refresh"
	byLivePatch = "live-patch"
)

// kindOf makes half of the runs those of old: of them a third are refreshes and a sixth live patches,
// whatever troubles they have. The other half are those of xen_fleets.go.
func kindOf(seed uint64) string {
	if newKinds(seed) {
		return []string{byPatches, byDeferred, byXenBoot, byPatches, byDeferred, byHold}[(seed/4)%6]
	}
	return []string{byReboot, byRefresh, byReboot, byRefresh, byReboot, byLivePatch}[(seed/4)%6]
}

// livePatch is what such a campaign applies.
const livePatch = "livepatch_1"

// fit adapts what was drawn to the kind of campaign. It gives the payloads of live patches by file name.
func fit(kind string, r *rand.Rand, f *fleet.Fleet, p *plan.Policy, tg *plan.Target) map[string][]byte {
	if onXen(kind) {
		return fitXen(kind, r, f, p, tg)
	}
	c := &tg.Cohorts[0]
	if kind == byHold {
		kind, p.MigrationFailures = byReboot, 1+r.IntN(3)
	}
	c.Remedy = kind
	switch kind {
	case byRefresh:
		p.Tactics = [][]plan.Tactic{{plan.Refresh}, {plan.Refresh, plan.Suspend}, {plan.Refresh, plan.Suspend, plan.Reboot}}[r.IntN(3)]
		for i := range f.Hosts {
			if r.IntN(6) == 0 { // the package is there, and nobody has moved
				f.Hosts[i].Software.Installed = map[string]string{"qemu-system-x86": newQEMU}
			}
		}
	case byLivePatch:
		p.Tactics = []plan.Tactic{plan.LivePatch}
		c.LivePatches = []plan.WantedPatch{{Name: livePatch, Component: "linux"}}
		c.Update.Command = []string{"simulated-patch", "linux:" + livePatch}
		for i := range f.Hosts {
			f.Hosts[i].Capabilities = []string{fleet.CanLiveMigrate, fleet.CanReboot, fleet.CanSuspend, fleet.CanUpdate, fleet.CanLivePatch}
		}
	}
	return nil
}

func target() *plan.Target {
	return &plan.Target{Evenkeel: plan.TargetSchemaV1, ID: "qemu-fix", Public: "host maintenance", Cohorts: []plan.Cohort{{Name: "all",
		Packages: map[string]string{"qemu-system-x86": newQEMU}, Ecosystem: "Debian", Remedy: "reboot",
		Update: plan.Update{Command: []string{"simulated-update", "qemu-system-x86=" + newQEMU}}}}}
}
