package explain_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/explain"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// TestStaysForADeadline: an instance that is saved so that more hosts have their turn in time has that for a reason,
// with the deadline, and not that there was no room.
func TestStaysForADeadline(t *testing.T) {
	f := &fleet.Fleet{Evenkeel: fleet.SchemaV1, Taken: made, Regions: []fleet.Region{{ID: "r"}}, Sites: []fleet.Site{{ID: "s", Region: "r"}}, Pools: []fleet.Pool{{ID: "p", Site: "s"}},
		Tenants: []fleet.Tenant{{ID: "acme", Contacts: []fleet.Contact{{Email: "ops@acme.example"}}}}}
	for i := range 9 {
		h := fmt.Sprintf("h%d", i)
		f.Hosts = append(f.Hosts, fleet.Host{ID: h, Pools: []string{"p"}, Hypervisor: fleet.KVM, MemoryMiB: 4096, NICMbps: 10000})
		if i > 0 {
			f.Instances = append(f.Instances, fleet.Instance{ID: fmt.Sprintf("v%d", i), Host: h, Tenant: "acme", MemoryMiB: 4000})
		}
	}
	pol := plan.DefaultPolicy()
	pol.KeepReserve, pol.MaxAwayPercent, pol.Tactics = false, 34, []plan.Tactic{plan.Evacuate, plan.Suspend}
	pol.Windows, pol.Slot = []plan.WindowRule{{Start: "00:00", Length: plan.Duration(8 * time.Hour)}}, plan.Duration(2*time.Hour)
	pol.Lead = plan.Lead{Blip: plan.Duration(time.Hour), Outage: plan.Duration(time.Hour)}
	pol.Times.Reboot, pol.Times.RebootMax = plan.Duration(35*time.Minute), plan.Duration(time.Hour)
	pol.FinishBy = time.Date(2026, 3, 3, 8, 0, 0, 0, time.UTC)
	p, err := planner.Propose(planner.Input{Fleet: f, Policy: pol, Campaign: "c", Revision: 1, Now: made})
	if err != nil {
		t.Fatal(err)
	}
	p.Fleet = f
	saved := 0
	for _, s := range p.Slots {
		if s.Disposition != plan.DispStatefulStop {
			continue
		}
		saved++
		a, err := explain.Of(&p, s.Instance, nil)
		if err != nil {
			t.Fatal(err)
		}
		if why := a.Instance.Touched[0].Why; why.Code != "deadline" || !why.At.Equal(pol.FinishBy) || !strings.Contains(why.Why, "finish_by (2026-03-03 08:00 UTC)") {
			t.Errorf("%s: %+v", s.Instance, why)
		}
	}
	if saved != 5 {
		t.Errorf("%d are saved, want 5", saved)
	}
}
