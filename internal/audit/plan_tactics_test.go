package audit

import (
	"testing"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

func allowing(tactics ...plan.Tactic) func(*fleet.Fleet, *plan.Plan) {
	return func(_ *fleet.Fleet, p *plan.Plan) { p.Policy.Tactics = tactics }
}

// tacticMutants break what policy, cohort and host allow in goodPlan, which evacuates, and saves c1.
var tacticMutants = []planMutant{
	{"a policy that lets nobody be saved", 1, one("promise-forbidden"), false, allowing(plan.Evacuate, plan.Reboot)},
	{"a policy that lets nobody be moved", 1, []string{"promise-forbidden", "tactic-forbidden"}, false, allowing(plan.Refresh, plan.Suspend)},
	{"a cohort that lets nobody be moved", 1, []string{"promise-forbidden", "tactic-forbidden"}, false, func(_ *fleet.Fleet, p *plan.Plan) {
		p.Target.Cohorts[0].Tactics = []plan.Tactic{plan.Suspend}
	}},
	{"a cohort that is served in place", 1, one("promise-forbidden"), false, func(_ *fleet.Fleet, p *plan.Plan) { p.Target.Cohorts[0].InPlace = true }},
	{"a stop where memory may be saved and no more", 1, one("promise-forbidden"), false, func(_ *fleet.Fleet, p *plan.Plan) { slotOf(p, "c/c1").Disposition = plan.DispStop }},
	{"a host that cannot be rebooted", 10, one("host-unable"), false, func(f *fleet.Fleet, _ *plan.Plan) {
		f.Hosts[2].Capabilities = []string{fleet.CanLiveMigrate, fleet.CanSuspend, fleet.CanUpdate}
	}},
}

// TestPatchWhereItCannotBe: a live patch is planned only for a host that publishes that it takes some.
func TestPatchWhereItCannotBe(t *testing.T) {
	for name, capabilities := range map[string][]string{
		"says nothing": nil, "says what else it can": {fleet.CanLiveMigrate, fleet.CanReboot, fleet.CanSuspend, fleet.CanUpdate},
	} {
		f, p := patchedFleet(), patchedPlan()
		f.Hosts[1].Capabilities = capabilities
		seal(p)
		if got := codes(Plan(f, p)); len(got) != 1 || got[0] != "host-unable" {
			t.Errorf("a host that %s: found %v, want [host-unable]", name, got)
		}
	}
}

// TestFixedWithoutItsPatches: a host that is skipped as fixed, and whose list lacks its cohort's live patches, has
// none for a reboot to follow.
func TestFixedWithoutItsPatches(t *testing.T) {
	for _, list := range [][]fleet.LivePatch{nil, {}, {{Name: "lp1", Component: "xen", State: "loaded"}}} {
		f, p := patchedFleet(), patchedPlan()
		f.Hosts[1].Software.LivePatches = list
		dropTurnOf(p, "x2")
		dropTurnOf(p, "x2+live-patch")
		p.End = turnOf(p, "x1").End
		p.Skipped = append(p.Skipped, plan.Skipped{Host: "x2", Code: "fixed", Why: "a document says so"})
		seal(p)
		if found := Plan(f, p); len(found) > 0 {
			t.Errorf("list %v: %v", list, codes(found))
		}
	}
}
