package sim

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver/simulated"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/store"
)

// full is a fleet of n hosts of 256 GiB without room for one instance more.
func full(n, each int) *fleet.Fleet {
	f := &fleet.Fleet{Evenkeel: fleet.SchemaV1, Regions: []fleet.Region{{ID: "r1"}}, Sites: []fleet.Site{{ID: "s1", Region: "r1"}}, Pools: []fleet.Pool{{ID: "p1", Site: "s1"}},
		Tenants: []fleet.Tenant{{ID: "t1", Contacts: []fleet.Contact{{Email: "ops@t1.example"}}}}}
	old := map[string]string{"qemu-system-x86": oldQEMU}
	for h := range n {
		id := fmt.Sprintf("h%d", h+1)
		f.Hosts = append(f.Hosts, fleet.Host{ID: id, Pools: []string{"p1"}, Hypervisor: fleet.KVM, URI: "sim://" + id, MemoryMiB: 256 << 10, NICMbps: 10_000,
			Software: fleet.Software{Installed: old, Booted: old, Running: old}})
		for i := range each {
			f.Instances = append(f.Instances, fleet.Instance{ID: fmt.Sprintf("%si%d", id, i+1), Host: id, Tenant: "t1", MemoryMiB: 256 << 10 / int64(each), VCPUs: 1, Running: old})
		}
	}
	return f
}

// TestFullFleet: a fleet of full hosts is brought to the target by the policy that people start with, each instance
// saved and restored in its slot, though a host's saves take much longer than policy gives one of them, and
// longer than was predicted.
func TestFullFleet(t *testing.T) {
	const hosts, each = 3, 8
	for name, slower := range map[string]float64{"as predicted": 1, "a disk slower than predicted": 1.4} {
		t.Run(name, func(t *testing.T) {
			x := &drill{Scheduler: NewScheduler(epoch), r: rand.New(rand.NewPCG(1, 1)), fleet: full(hosts, each), journal: store.NewMemory(), target: target(), times: simulated.DefaultTimes()}
			defer x.Close()
			x.times.DiskMiBps = 200 / each / slower // of each, when all of a host share its disk
			x.reality("")
			res, err := x.through(&Result{Seed: 1, Fleet: x.fleet}, plan.DefaultPolicy())
			if err != nil || res.Bad() {
				t.Fatal(why(res, err))
			}
			saved, longest := 0, time.Duration(0)
			began := map[string]time.Time{}
			for _, f := range res.Facts {
				switch f.Kind {
				case execution.StopStarted:
					began[f.Instance] = f.At
				case execution.StopDone:
					saved, longest = saved+1, max(longest, f.At.Sub(began[f.Instance]))
				case execution.StopFailed, execution.BackFailed, execution.TurnHeld, execution.Overrun:
					t.Errorf("%s of %s%s: %s", f.Kind, f.Turn, f.Instance, f.Why)
				}
			}
			if res.How != "done" || saved != hosts*each || longest < 20*time.Minute {
				t.Errorf("it came to %s; %d saved, %s at the longest", res.How, saved, longest)
			}
			if n := res.World.Killed; n > 0 {
				t.Errorf("%d instances lost their memory", n)
			}
		})
	}
}
