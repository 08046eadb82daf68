package whatif_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/whatif"
)

// TestLateForAll: where a deadline is past, nothing is best about doing nothing, and those that are left run on
// what is to be fixed until they could have been fixed. One that is stopped does not run.
func TestLateForAll(t *testing.T) {
	in := input(fleetOf(1, 4, 1, 2))
	in.Fleet.Instances[0].State = fleet.Stopped
	in.Policy.FinishBy = now.Add(-time.Hour)
	c, err := whatif.Compare(in, whatif.Ways(), nil)
	if err != nil {
		t.Fatal(err)
	}
	asked := c.Rows[0]
	if want := 3 * c.Deadline.End.Sub(now).Hours(); asked.Best || asked.LeftExposed != 3 || asked.ExposedVMHours < want-0.1 || asked.ExposedVMHours > want+0.1 {
		t.Errorf("%+v, want 3 left and %.1f VM-hours", asked, want)
	}
}

// TestNothingToDo: what needs no turn is not told to be over never.
func TestNothingToDo(t *testing.T) {
	c, err := whatif.Compare(input(fleetOf(1, 0, 0, 1)), whatif.Ways(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := whatif.Table(&b, c); err != nil || strings.Contains(b.String(), "never") || !strings.Contains(b.String(), "nothing to do") {
		t.Errorf("%v\n%s", err, b.String())
	}
}

// TestSparesAreNotLeft: hosts that are added and get no turn in a routine cycle are none that the fleet is left with.
func TestSparesAreNotLeft(t *testing.T) {
	in := input(fleetOf(1, 10, 4, 4))
	in.Policy.FinishBy = now.Add(-time.Hour)
	c, err := whatif.Compare(in, whatif.Ways(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if asked, spares := row(t, c, "as asked"), row(t, c, "4 spares"); asked.Blocked != 10 || spares.Blocked != 10 {
		t.Errorf("as asked %+v, with spares %+v", asked, spares)
	}
}

// TestExposureOfMany: the hours of many instances are more than nanoseconds in 64 bits can hold, which are those of
// 50 000 instances for two days.
func TestExposureOfMany(t *testing.T) {
	in := input(fleetOf(1, 20, 5, 4))
	const days = 3000
	in.Policy.Lead.Blip = plan.Duration(days * 24 * time.Hour)
	c, err := whatif.Compare(in, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if asked := c.Rows[0]; asked.Blocked != 0 || asked.ExposedVMHours < 100*days*24 || asked.ExposedVMHours > 100*(days+30)*24 {
		t.Errorf("100 instances for %d days and a little: %v VM-hours", days, asked.ExposedVMHours)
	}
}
