package planner_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/audit"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// child proposes the child of a campaign with one held cohort, and has it audited.
func child(t *testing.T, parent plan.Plan, f *fleet.Fleet, held string) plan.Plan {
	t.Helper()
	in, err := planner.Follow(parent, f, []string{held}, at(t, "2026-03-04 09:00"), "c-2")
	if err != nil {
		t.Fatal(err)
	}
	p, err := planner.Propose(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range audit.Plan(f, &p) {
		t.Errorf("law %d, %s: %s: %s", x.Law, x.Code, x.Subject, x.What)
	}
	return p
}

// prepared is a fleet with the newer software on its disks, under instances that run on the older.
func prepared(f *fleet.Fleet, hosts ...int) *fleet.Fleet {
	out := *f
	out.Hosts = slices.Clone(f.Hosts)
	for _, i := range hosts {
		v := map[string]string{"qemu-system-x86": newer}
		out.Hosts[i].Software = fleet.Software{Installed: v, Booted: v, Running: v}
	}
	return &out
}

// TestFollowRefresh: where a refresh's migrations fail, its instances are saved and restored where they are, on
// hosts that have the new software on their disks by now and on those that have not. No host is rebooted for
// it, for a refresh is what the target asks for.
func TestFollowRefresh(t *testing.T) {
	f := oldFleet(4, 16384, 2, 1024)
	parent := propose(t, f, refreshTarget(), refreshPolicy())
	p := child(t, parent, prepared(f, 0, 1, 2), "all")
	if len(p.Turns) != 4 || len(p.Moves) != 0 || p.Counts.Stops != 8 || len(p.Blocked) != 0 {
		t.Fatal(told(p))
	}
	for _, u := range p.Turns {
		if onDisk := u.Host != "h0003"; u.Tactic != plan.Refresh || u.UpdateBy.IsZero() != onDisk || !strings.Contains(u.Why, "in-place") {
			t.Errorf("%+v", u)
		}
	}
	for _, s := range p.Slots {
		if s.Disposition != plan.DispStatefulStop {
			t.Errorf("%+v", s)
		}
	}
	if parent.Target.Cohorts[0].InPlace {
		t.Error("the parent's target was changed")
	}
}

// TestFollowRefreshWithoutAWay: where policy lets nobody be saved or stopped, each instance that is left as it is
// stands there with what would allow more.
func TestFollowRefreshWithoutAWay(t *testing.T) {
	f, pol := oldFleet(2, 16384, 1, 1024), refreshPolicy()
	pol.Tactics = []plan.Tactic{plan.Refresh}
	p := child(t, propose(t, f, refreshTarget(), pol), prepared(f, 0, 1), "all")
	if len(p.Moves)+len(p.Slots) != 0 || len(p.Blocked) != 2 {
		t.Fatal(told(p))
	}
	for _, b := range p.Blocked {
		if b.Instance == "" || b.Code != "no-tactic" || !strings.Contains(b.Why, "in_place") || !strings.HasPrefix(b.Unblock, "allow the tactic suspend") {
			t.Errorf("%+v", b)
		}
	}
}
