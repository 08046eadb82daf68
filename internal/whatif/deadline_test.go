package whatif_test

import (
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
	"github.com/evenkeel/evenkeel/internal/whatif"
)

func deadlineOf(t *testing.T, in planner.Input) *whatif.Deadline {
	t.Helper()
	c, err := whatif.Compare(in, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Deadline == nil {
		t.Fatal("no deadline is missed")
	}
	return c.Deadline
}

// TestRemedyFreesTheLate: a change that frees as many hosts as are late, but others, is none: saving instances would
// free the pinned ones of one site, while those of the other have no window in time.
func TestRemedyFreesTheLate(t *testing.T) {
	in := input(fleetOf(2, 10, 2, 4))
	in.Fleet.Sites = append(in.Fleet.Sites, in.Fleet.Sites[0])
	in.Fleet.Sites[1].ID, in.Fleet.Pools[1].Site = "n2", "n2"
	for i := range in.Fleet.Instances[:20] {
		in.Fleet.Instances[i].Pinned = "licence"
	}
	in.Policy.Tactics, in.Policy.Lead = []plan.Tactic{plan.Evacuate}, plan.Lead{}
	in.Policy.Windows = []plan.WindowRule{{Always: true, Sites: []string{"n1"}}, {Start: "02:00", Length: plan.Duration(time.Hour), Sites: []string{"n2"}}}
	in.Policy.FinishBy = now.Add(12 * time.Hour)
	d := deadlineOf(t, in)
	if d.Past != 10 || len(d.Ways) == 0 {
		t.Fatalf("%+v", d)
	}
	for _, r := range d.Ways {
		if strings.HasPrefix(r.Words, "save instances") {
			t.Errorf("named, though the hosts of n2 stay late: %s", r.Words)
		}
	}
}

func namedFor(d *whatif.Deadline, price string) string {
	for _, r := range d.Ways {
		if r.Price == price {
			return r.Words
		}
	}
	return ""
}

// TestRemedyCanBeWritten: what is named can be written into a policy as it stands. One without suspend needs it
// where evacuate goes, and moves at once stop at what a policy may say.
func TestRemedyCanBeWritten(t *testing.T) {
	in := input(fleetOf(1, 10, 6, 4)) // too full for more than one host away
	in.Policy.Tactics, in.Policy.Lead, in.Policy.MaxAwayPercent = []plan.Tactic{plan.Evacuate}, plan.Lead{}, 100
	in.Policy.Windows, in.Policy.Canary, in.Policy.WaveGrowth = []plan.WindowRule{{Always: true}}, false, 0
	in.Policy.MovesPerHost, in.Policy.MovesPerPool = 400, 600
	in.Policy.FinishBy = now.Add(80 * time.Minute)
	d := deadlineOf(t, in)
	if words := namedFor(d, "instances are saved and restored"); !strings.Contains(words, "tactics with suspend and without evacuate") {
		t.Errorf("%q of %+v", words, d)
	}
	if words := namedFor(d, "busier links"); words != "" {
		t.Errorf("more than a policy may say: %s", words)
	}
	c, err := whatif.Compare(in, whatif.Ways(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range c.Rows {
		if r.Name == "twice the moves" {
			t.Errorf("more than a policy may say: %s", r.What)
		}
	}
}

// TestSpareNames: an added host takes no name that the fleet has already, or its room would be lost.
func TestSpareNames(t *testing.T) {
	in := input(fleetOf(1, 10, 4, 4))
	plain, err := whatif.Compare(in, whatif.Ways(), nil)
	if err != nil {
		t.Fatal(err)
	}
	in.Fleet.Hosts[9].ID = "spare-p0-1"
	for i := range in.Fleet.Instances[36:] {
		in.Fleet.Instances[36+i].Host = "spare-p0-1"
	}
	named, err := whatif.Compare(in, whatif.Ways(), nil)
	if err != nil {
		t.Fatal(err)
	}
	a, b := row(t, plain, "4 spares"), row(t, named, "4 spares")
	if a.Turns != 14 || b.Turns != a.Turns || b.Blocked != a.Blocked {
		t.Errorf("%d turns, %d blocked; with a host of such a name %d and %d", a.Turns, a.Blocked, b.Turns, b.Blocked)
	}
}
