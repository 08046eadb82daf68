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
