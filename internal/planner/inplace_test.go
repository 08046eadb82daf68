package planner_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/audit"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// TestFullFleets: where no host can be emptied, for want of room or for the reserve's sake, all are maintained all the same: their instances are saved or
// stopped within promised slots, as far as policy lets them be.
func TestFullFleets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := base()
		use := rapid.Int64Range(50, 100).Draw(t, "use")
		for i := range rapid.IntRange(2, 10).Draw(t, "hosts") {
			mem := rapid.SampledFrom([]int64{8192, 16384}).Draw(t, "memory")
			h := host(fmt.Sprintf("h%04d", i), mem)
			f.Hosts = append(f.Hosts, h)
			for used, k := int64(0), 0; used < mem*use/100; k++ {
				size := min(mem-used, rapid.SampledFrom([]int64{512, 1024, 2048}).Draw(t, "size"))
				f.Instances = append(f.Instances, vm(fmt.Sprintf("%s-v%d", h.ID, k), h.ID, size))
				used += size
			}
		}
		pol := plan.DefaultPolicy()
		pol.Tactics = rapid.SampledFrom([][]plan.Tactic{{plan.Evacuate, plan.Suspend}, {plan.Suspend}, {plan.Evacuate, plan.Reboot}, {plan.Evacuate, plan.Suspend, plan.Reboot}}).Draw(t, "tactics")
		pol.Times.SaveMax = plan.Duration(2 * time.Minute) // of 16 GiB, with what is fixed: 92 s
		pol.Slot = plan.Duration(rapid.SampledFrom([]time.Duration{time.Hour, 2 * time.Hour}).Draw(t, "slot"))
		p := routineOf(t, f, pol)
		if len(p.Blocked) > 0 || p.Counts.Hosts != len(f.Hosts) {
			t.Fatalf("%d of %d hosts have a turn; blocked: %+v", p.Counts.Hosts, len(f.Hosts), p.Blocked)
		}
		for _, wrong := range audit.Plan(f, &p) {
			t.Errorf("law %d, %s: %s: %s", wrong.Law, wrong.Code, wrong.Subject, wrong.What)
		}
	})
}

func routineOf(t *rapid.T, f *fleet.Fleet, p plan.Policy) plan.Plan {
	t.Helper()
	out, err := planner.Propose(planner.Input{Fleet: f, Policy: p, Campaign: "cycle-1", Now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), Revision: 1})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestOneBindsOne: an instance that can neither move nor be stopped keeps its own host from its turn, and
// nobody else's.
func TestOneBindsOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := uniform(rapid.IntRange(3, 30).Draw(t, "hosts"), 8192, rapid.IntRange(1, 5).Draw(t, "each"), 1024)
		pol := plan.DefaultPolicy()
		if pol.Tactics = []plan.Tactic{plan.Evacuate}; len(f.Hosts) < 8 { // a small pool has no room for its largest host beside
			pol.KeepReserve = false
		}
		before := routineOf(t, f, pol)
		i := &f.Instances[rapid.IntRange(0, len(f.Instances)-1).Draw(t, "instance")]
		switch rapid.IntRange(0, 4).Draw(t, "why") {
		case 0:
			i.Pinned = "licence"
		case 1:
			i.Disks = []fleet.Disk{{Name: "vda"}}
		case 2:
			i.Devices = []string{"0000:03:00.0"}
		case 3:
			f.Tenants = append(f.Tenants, fleet.Tenant{ID: "mute"})
			i.Tenant = "mute"
		case 4:
			i.Immovable = []fleet.Reason{{Code: "odd"}}
		}
		after := routineOf(t, f, pol)
		if len(before.Blocked) > 0 {
			t.Fatalf("blocked before: %v", codes(before))
		}
		for _, b := range after.Blocked {
			if b.Host != i.Host && b.Instance != i.ID {
				t.Errorf("%s on %s blocks %s%s: %s", i.ID, i.Host, b.Host, b.Instance, b.Why)
			}
		}
		if len(after.Blocked) != 2 || after.Counts.Hosts != len(f.Hosts)-1 {
			t.Errorf("%d of %d hosts have a turn, blocked: %v", after.Counts.Hosts, len(f.Hosts), codes(after))
		}
	})
}

// TestWhoStaysIsTold: that policy allows no live migration is said in words, not by the code of a blocker.
func TestWhoStaysIsTold(t *testing.T) {
	pol := eager()
	pol.Tactics = []plan.Tactic{plan.Suspend}
	if p := routine(t, uniform(2, 8192, 1, 1024), pol); !strings.Contains(p.Turns[0].Why, "v0000-00 (live migration is not allowed)") {
		t.Errorf("it says: %s", p.Turns[0].Why)
	}
}
