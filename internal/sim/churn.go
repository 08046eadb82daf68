package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver/simulated"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/store"
)

// Churn is a campaign over a large fleet that changes under it. Rates are for each hour of virtual time.
type Churn struct {
	Seed     uint64
	Hosts    int     // in two pools, four from 400 on, on two sites
	Lost     float64 // share of all hosts that lose their power for good
	Changed  float64 // share of all instances that are made, resized, moved by others or deleted
	Troubled float64 // share of all hosts that grow sick, are cut off for minutes, or get a slow link
	NotBack  float64 // chance that a host does not come back from its reboot
	Slow     bool    // hosts boot as those of large Xen providers did, median 35 min and p95 60; else as the lab's
}

// cycle is how long large servers took from shutdown to service: lognormal, median 35 min, p95 60 (reported in 2017).
var cycle = simulated.Lasting{Median: 35 * time.Minute, P95: 60 * time.Minute}

// times are the world's, with everything that takes long drawn from a distribution.
func (c Churn) times() simulated.Times {
	t := simulated.DefaultTimes()
	t.Updates = simulated.Lasting{Median: 30 * time.Second, P95: 60 * time.Second}
	t.Saves = simulated.Lasting{Median: 2 * time.Second, P95: 5 * time.Second}
	t.Moves = simulated.Lasting{Median: 8 * time.Second, P95: 20 * time.Second}
	t.Reboots = simulated.Lasting{Median: 4 * time.Minute, P95: 7 * time.Minute}
	if c.Slow {
		t.Reboots = cycle
	}
	return t
}

// policy is that of a provider who may take a fifth of each pool at once.
func (c Churn) policy() plan.Policy {
	const m = plan.Duration(time.Minute)
	p := plan.DefaultPolicy()
	p.Windows = []plan.WindowRule{{Always: true}}
	p.Lead = plan.Lead{Blip: 30 * m, Outage: 60 * m}
	p.Tactics = []plan.Tactic{plan.Evacuate}
	p.Canary, p.Soak, p.WaveGrowth = true, 10*m, 4
	p.MaxAwayPercent, p.StaggerSites = 20, false
	p.MovesPerHost, p.MovesPerPool = 2, 200
	p.Contact = "noc@operator.example"
	p.FailureBudget = max(1, c.Hosts/8)
	p.Times.Update, p.Times.UpdateMax = m/2, 2*m
	p.Times.MigrateMax, p.Times.MigrateBase = 2*m, plan.Duration(8*time.Second)
	p.Slot, p.Times.Reboot, p.Times.RebootMax = 30*m, 4*m, 10*m
	if c.Slow { // 1.5 x p95; the end of a boot is waited for up to the 99.6th percentile
		p.Slot, p.Times.Reboot, p.Times.RebootMax = 90*m, 35*m, 82*m
	}
	return p
}

// drawEstate makes a fleet of many hosts: ten instances each, a third of the memory free, and for every tenth
// instance a group of three on hosts of its own.
func drawEstate(r *rand.Rand, hosts int) *fleet.Fleet {
	f := &fleet.Fleet{Evenkeel: fleet.SchemaV1, Regions: []fleet.Region{{ID: "r1"}},
		Sites: []fleet.Site{{ID: "s1", Region: "r1"}, {ID: "s2", Region: "r1"}}}
	for t := range max(4, hosts/5) {
		id := fmt.Sprintf("t%d", t+1)
		f.Tenants = append(f.Tenants, fleet.Tenant{ID: id, Contacts: []fleet.Contact{{Email: "ops@" + id + ".example"}}})
	}
	old := map[string]string{"qemu-system-x86": oldQEMU}
	const each = 10 // instances on a host
	pools := 2
	if hosts >= 400 {
		pools = 4
	}
	for p := range pools {
		pool := fleet.Pool{ID: fmt.Sprintf("p%d", p+1), Site: fmt.Sprintf("s%d", p%2+1)}
		f.Pools = append(f.Pools, pool)
		var first, last int // instances of the pool
		for h := range hosts / pools {
			id := fmt.Sprintf("%sh%03d", pool.ID, h+1)
			f.Hosts = append(f.Hosts, fleet.Host{ID: id, Pools: []string{pool.ID}, Hypervisor: fleet.KVM, URI: "sim://" + id, MemoryMiB: 64 << 10, NICMbps: 25_000,
				Rack: fmt.Sprintf("%sr%d", pool.ID, h/20+1), Software: fleet.Software{Installed: old, Booted: old, Running: old}})
			if h == 0 {
				first = len(f.Instances)
			}
			for i := range each {
				f.Instances = append(f.Instances, fleet.Instance{ID: fmt.Sprintf("%si%02d", id, i+1), Host: id, Tenant: f.Tenants[r.IntN(len(f.Tenants))].ID,
					MemoryMiB: int64(2+r.IntN(5)) * 1024, VCPUs: 1, Running: old, DirtyMiBps: float64(r.IntN(60))})
			}
			last = len(f.Instances)
		}
		for g := range (last - first) / 30 { // members lie on three hosts in a row of hosts
			a, b, c := first+g*30, first+g*30+each, first+g*30+2*each
			if c >= last {
				break
			}
			tenant := f.Instances[a].Tenant
			f.Instances[b].Tenant, f.Instances[c].Tenant = tenant, tenant
			f.Groups = append(f.Groups, fleet.Group{ID: fmt.Sprintf("%sg%d", pool.ID, g+1), Tenant: tenant, Spread: fleet.SpreadHost, MaxUnavailable: 1,
				Members: []string{f.Instances[a].ID, f.Instances[b].ID, f.Instances[c].ID}})
		}
	}
	return f
}

// RunChurn draws the fleet, plans it and carries the plan out while the fleet changes.
func RunChurn(c Churn) (*Churned, error) {
	r := rand.New(rand.NewPCG(c.Seed, 0x63687572))
	x := &churning{drill: &drill{Scheduler: NewScheduler(epoch), r: r, fleet: drawEstate(r, c.Hosts), journal: store.NewMemory(), target: target(),
		times: c.times(), troubles: Troubles{World: simulated.Faults{NeverReturns: c.NotBack}}}, churn: c}
	defer x.Close()
	x.reality("")
	x.cast = x.actors
	res, err := x.through(&Result{Seed: c.Seed, Fleet: x.fleet}, c.policy())
	if err != nil {
		return nil, err
	}
	return x.tally(res), nil
}
