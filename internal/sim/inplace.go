package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver/simulated"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// inPlace: the tactic reboots nothing.
func inPlace(t plan.Tactic) bool { return t == plan.Refresh || t == plan.LivePatch }

// notInPlace holds changes in place to the world's own record: no host was told to reboot; nobody was
// given another process twice; a host that is called patched had the patch applied by then; and who is
// called refreshed runs on the fix.
func (x *drill) notInPlace(res *Result, s *execution.State) (wrong []string) {
	patched, others := map[string]time.Time{}, map[string]bool{}
	tactics, reboots := map[string]plan.Tactic{}, map[string]bool{}
	for _, t := range res.Plan.Turns {
		tactics[t.ID] = t.Tactic
		reboots[t.Host] = reboots[t.Host] || !inPlace(t.Tactic)
	}
	for _, r := range res.Log {
		switch {
		case r.Kind == simulated.HostTold && !reboots[r.Host]:
			wrong = append(wrong, r.Host+" was told to reboot, and no turn of the plan reboots it")
		case r.Kind == simulated.HostPatched:
			if _, again := patched[r.Host]; !again {
				patched[r.Host] = r.At
			}
		case r.Kind == simulated.OthersActed, r.Kind == simulated.Killed:
			others[r.Instance] = true
		}
	}
	moved, touched := map[string]int{}, map[string]bool{}
	for _, f := range res.Facts {
		switch {
		case f.Kind == execution.Died:
			moved[f.Instance]-- // started once more, since its move took its process
		case f.Kind == execution.MoveDone && !f.Home && tactics[f.Turn] == plan.Refresh, f.Kind == execution.BackDone && tactics[f.Turn] == plan.Refresh:
			touched[f.Instance] = true
			if f.Kind == execution.MoveDone || f.Code == "" && f.Why == "" {
				moved[f.Instance]++
			}
		case f.Kind == execution.TurnDone && tactics[f.Turn] == plan.LivePatch && x.fleet.Hosts[0].Hypervisor == fleet.KVM:
			if at, ok := patched[f.Host]; !ok || at.After(f.At) { // of Xen's, see truth.go
				wrong = append(wrong, f.Host+" is called done, and its live patch was not applied by then")
			}
		}
	}
	for id, n := range moved {
		if n > 1 {
			wrong = append(wrong, fmt.Sprintf("%s was given another process %d times", id, n))
		}
	}
	listed := map[string]bool{}
	for _, f := range res.Facts {
		if f.Kind == execution.Unfixed || f.Kind == execution.NotReturned {
			listed[f.Instance] = true
		}
	}
	for _, in := range x.fleet.Instances {
		t := s.Turns[in.Host]
		if t == nil || t.Plan.Tactic != plan.Refresh || t.Phase != execution.TurnFinished || in.State == "stopped" || others[in.ID] || listed[in.ID] {
			continue
		}
		blocked := slices.ContainsFunc(res.Plan.Blocked, func(b plan.Blocked) bool { return b.Instance == in.ID })
		if on := x.world.SoftwareOf(in.ID); len(on) > 0 && on["qemu-system-x86"] == oldQEMU && !blocked {
			wrong = append(wrong, fmt.Sprintf("%s runs on %s, and the refresh of its host %s is called done (touched: %v)", in.ID, on["qemu-system-x86"], in.Host, touched[in.ID]))
		}
	}
	return wrong
}
