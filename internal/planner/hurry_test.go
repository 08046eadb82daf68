package planner_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// oneEmpty has n full hosts, and one with nobody on it: a host can be emptied in each wave.
func oneEmpty(n int) *fleet.Fleet {
	f := base()
	for i := range n + 1 {
		h := fmt.Sprintf("h%04d", i)
		f.Hosts = append(f.Hosts, host(h, 4096))
		if i > 0 {
			f.Instances = append(f.Instances, vm(fmt.Sprintf("v%04d", i), h, 4000))
		}
	}
	return f
}

// tonight leaves a night of four slots.
func tonight(tactics ...plan.Tactic) plan.Policy {
	p := plan.DefaultPolicy()
	p.KeepReserve, p.MaxAwayPercent, p.Tactics = false, 34, tactics
	p.Windows = []plan.WindowRule{{Start: "00:00", Length: plan.Duration(8 * time.Hour)}}
	p.Slot = plan.Duration(2 * time.Hour)
	p.Lead = plan.Lead{Blip: plan.Duration(time.Hour), Outage: plan.Duration(time.Hour)}
	p.Times.Reboot, p.Times.RebootMax = plan.Duration(35*time.Minute), plan.Duration(time.Hour)
	p.FinishBy = time.Date(2026, 3, 3, 8, 0, 0, 0, time.UTC)
	return p
}

// TestDeadlineBeforeComfort: of hosts of which one can be emptied in each wave, as many are saved in place as are too
// late otherwise, and no more; where no deadline is near, nobody is.
func TestDeadlineBeforeComfort(t *testing.T) {
	f := oneEmpty(8)
	p := routine(t, f, tonight(plan.Evacuate, plan.Suspend, plan.Reboot))
	if len(p.Blocked) > 0 || p.Counts.Hosts != 9 || p.Counts.Stops != 5 || p.Counts.Moves != 3 {
		t.Errorf("%+v, blocked %v; want 9 hosts, 5 of them saved in place", p.Counts, codes(p))
	}
	sound(t, f, &p)
	for _, turn := range p.Turns {
		if turn.ForDeadline != (turn.Tactic == plan.Suspend) {
			t.Errorf("turn %s: %s, for the deadline: %v", turn.ID, turn.Tactic, turn.ForDeadline)
		}
	}
	for what, change := range map[string]func(*plan.Policy){
		"no stops allowed":          func(p *plan.Policy) { p.Tactics = []plan.Tactic{plan.Evacuate} },
		"no deadline":               func(p *plan.Policy) { p.FinishBy = time.Time{} },
		"a deadline that is met":    func(p *plan.Policy) { p.FinishBy = p.FinishBy.AddDate(0, 0, 2) },
		"stops told a week ahead":   func(p *plan.Policy) { p.Lead.Outage = plan.Duration(7 * 24 * time.Hour) },
		"no time to save in a slot": func(p *plan.Policy) { p.Tactics, p.Times.SaveMax = p.Tactics[:2], plan.Duration(time.Second) },
	} {
		pol := tonight(plan.Evacuate, plan.Suspend, plan.Reboot)
		change(&pol)
		if p := routine(t, f, pol); p.Counts.Stops > 0 || slices.ContainsFunc(p.Turns, func(u plan.Turn) bool { return u.ForDeadline }) {
			t.Errorf("%s: %+v", what, p.Counts)
		}
	}
}

// TestDisclosureBeforeComfort: the instant at which the vulnerability is told to all is such a deadline.
func TestDisclosureBeforeComfort(t *testing.T) {
	f, pol := oneEmpty(8), tonight(plan.Evacuate, plan.Suspend)
	tg := &plan.Target{Evenkeel: plan.TargetSchemaV1, ID: "t", Disclosure: pol.FinishBy, EmbargoDeploy: "yes",
		Cohorts: []plan.Cohort{{Packages: map[string]string{"qemu-system-x86": newer}, Update: plan.Update{Command: []string{"host-update"}}}}}
	for i := range f.Hosts {
		f.Hosts[i].Ecosystem, f.Hosts[i].Software = "Debian:12", fleet.Software{Installed: map[string]string{"qemu-system-x86": older}, Booted: map[string]string{"qemu-system-x86": older}}
	}
	pol.FinishBy, pol.Times.UpdateMax = time.Time{}, plan.Duration(time.Minute)
	in := planner.Input{Fleet: f, Target: tg, Policy: pol, Campaign: "c", Revision: 1, Now: at(t, "2026-03-02 09:00")}
	in.Assessment = advisory.Assess(f, tg, nil, 0, in.Now)
	p, err := planner.Propose(in)
	if err != nil || len(p.Blocked) > 0 || p.Counts.Hosts != 9 || p.Counts.Stops != 5 {
		t.Errorf("%+v, blocked %+v, %v; want 9 hosts, 5 of them saved in place", p.Counts, p.Blocked, err)
	}
}

// TestDeadlines: whatever the deadline, a plan that may stop instances gives as many hosts a turn as one that may not, stops
// none where that one is in time, and is sound; and it is at least as good as the one that moves nobody.
func TestDeadlines(t *testing.T) {
	late, helped := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		f := base()
		for i := range rapid.IntRange(2, 14).Draw(t, "hosts") {
			h := host(fmt.Sprintf("h%04d", i), rapid.SampledFrom([]int64{8192, 16384}).Draw(t, "memory"))
			f.Hosts = append(f.Hosts, h)
			for k, left := 0, h.MemoryMiB*rapid.Int64Range(0, 10).Draw(t, "use")/10; left >= 1024; k++ {
				size := min(left, rapid.SampledFrom([]int64{1024, 2048, 4096}).Draw(t, "size"))
				f.Instances = append(f.Instances, vm(fmt.Sprintf("%s-v%d", h.ID, k), h.ID, size))
				left -= size
			}
		}
		pol := tonight(plan.Evacuate)
		pol.Canary, pol.MaxAwayPercent = rapid.Bool().Draw(t, "canary"), rapid.SampledFrom([]int{20, 50, 100}).Draw(t, "away")
		pol.FinishBy = pol.FinishBy.Add(-time.Duration(rapid.IntRange(0, 6).Draw(t, "hours before")) * time.Hour)
		kind := routineOf(t, f, pol)
		pol.Tactics = []plan.Tactic{plan.Evacuate, plan.Suspend}
		p := routineOf(t, f, pol)
		pol.Tactics = []plan.Tactic{plan.Suspend}
		sound(t, f, &p)
		if p.Counts.Hosts < kind.Counts.Hosts {
			t.Errorf("%d hosts have a turn, without stops %d", p.Counts.Hosts, kind.Counts.Hosts)
		}
		if len(kind.Blocked) == 0 && p.Counts.Stops > 0 {
			t.Errorf("%d stops, and there may be none", p.Counts.Stops)
		}
		if harsh := routineOf(t, f, pol); p.Counts.Hosts < harsh.Counts.Hosts {
			t.Errorf("%d hosts have a turn, %d with all saved in place", p.Counts.Hosts, harsh.Counts.Hosts)
		}
		if len(kind.Blocked) > 0 {
			late++
		}
		if slices.ContainsFunc(p.Turns, func(u plan.Turn) bool { return u.ForDeadline }) {
			helped++
		}
	})
	if t.Logf("%d of the fleets were late, %d were hurried", late, helped); helped == 0 {
		t.Error("no drawn fleet was hurried")
	}
}

// TestSpare: of more hosts than have to be served in place, those are emptied after all that can be.
func TestSpare(t *testing.T) {
	f := oneEmpty(8)
	var all []string
	for _, h := range f.Hosts[1:] {
		all = append(all, h.ID)
	}
	in := planner.Input{Fleet: f, Policy: tonight(plan.Evacuate, plan.Suspend), Campaign: "c", Revision: 1, Now: at(t, "2026-03-02 09:00")}
	if before, after, err := planner.SpareOf(in, all...); before != 8 || after != 5 || err != nil {
		t.Errorf("%d instances stopped, then %d, %v; want 8, then 5", before, after, err)
	}
}

// TestDeadlineOfFewTenants: of as many hosts as have to be served in place, those are whose stops interrupt fewest tenants.
func TestDeadlineOfFewTenants(t *testing.T) {
	f := oneEmpty(8)
	for i := range f.Instances {
		if id := fmt.Sprintf("t%d", i); i%2 == 1 || i == 2 {
			f.Instances[i].Tenant = "many"
		} else {
			f.Instances[i].Tenant = id
		}
	}
	for _, id := range []string{"many", "t0", "t4", "t6"} {
		f.Tenants = append(f.Tenants, fleet.Tenant{ID: id, Contacts: []fleet.Contact{{Email: "ops@acme.example"}}})
	}
	p := routine(t, f, tonight(plan.Evacuate, plan.Suspend))
	for _, s := range p.Slots {
		if s.Class == plan.ClassOutage && s.Tenant != "many" {
			t.Errorf("%s of tenant %s is saved, and one tenant has as many as have to be", s.Instance, s.Tenant)
		}
	}
	if len(p.Blocked) > 0 || p.Counts.Stops != 5 {
		t.Errorf("%+v, blocked %v; want 5 saved in place", p.Counts, codes(p))
	}
	sound(t, f, &p)
}
