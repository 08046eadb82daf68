package planner_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

func whereEach(f *fleet.Fleet, p plan.Plan) map[string]string {
	at := map[string]string{}
	for _, i := range f.Instances {
		at[i.ID] = i.Host
	}
	for _, m := range p.Moves { // by start
		at[m.Instance] = m.To
	}
	return at
}

// TestHomeOfASpreadGroup: one of two that shared a host goes back to it, the other no longer may; one
// that never left its site may go back within it, whoever else is there.
func TestHomeOfASpreadGroup(t *testing.T) {
	f := uniform(3, 8192, 0, 0)
	f.Groups = []fleet.Group{{ID: "apart", MaxUnavailable: 2, Spread: fleet.SpreadHost}, {ID: "site", MaxUnavailable: 2, Spread: fleet.SpreadSite}}
	for n, g := range []string{"apart", "apart", "site", "site"} {
		i := vm(fmt.Sprintf("v%d", n), fmt.Sprintf("h000%d", n/2), 512)
		i.Group = g
		f.Instances = append(f.Instances, i)
	}
	pol := eager()
	pol.BringHome, pol.MaxAwayPercent = true, 5
	at := whereEach(f, routine(t, f, pol))
	if at["v2"] != "h0001" || at["v3"] != "h0001" {
		t.Errorf("those that stay in their site: %v", at)
	}
	if (at["v0"] == "h0000") == (at["v1"] == "h0000") {
		t.Errorf("one of v0 and v1 may go home, not none and not both: %v", at)
	}
}

// TestReserveOfTwoPools: each pool's reserve is weighed with what lands in that pool, and the numbers
// that are named as the way out work.
func TestReserveOfTwoPools(t *testing.T) {
	f := uniform(1, 4096, 3, 1024)
	f.Pools = append(f.Pools, fleet.Pool{ID: "other", Site: "n1"})
	f.Hosts[0].Pools = []string{"pool", "other"}
	for _, id := range []string{"x", "y"} {
		h := host(id, 8192)
		h.Pools = []string{"other", "pool"}
		f.Hosts = append(f.Hosts, h)
	}
	none, named := int64(0), int64(9000)
	f.Pools[0].ReserveMiB, f.Pools[1].ReserveMiB = &none, &named
	pol := eager()
	pol.Tactics = []plan.Tactic{plan.Evacuate}
	pol.KeepReserve, pol.MaxAwayPercent = true, 5
	if p := routine(t, f, pol); len(p.Blocked) > 0 {
		t.Errorf("3072 MiB of 16384 land in the other pool, which keeps 9000: blocked %+v", p.Blocked)
	}
	named = 14000
	p := routine(t, f, pol)
	i := slices.IndexFunc(p.Blocked, func(b plan.Blocked) bool { return b.Host == "h0000" })
	if i < 0 || !strings.HasPrefix(p.Blocked[i].Unblock, "reserve_mib: 13312 (or less) for pool other, or ") {
		t.Fatalf("blocked %+v", p.Blocked)
	}
	named = 13312
	if p = routine(t, f, pol); len(p.Turns) == 0 || slices.Contains(codes(p), "h0000:reserve") {
		t.Errorf("with the number that was named: blocked %+v", p.Blocked)
	}
}

// TestFullToTheLastMiB: what fits without a gap is moved, though outlooks reckon with gaps.
func TestFullToTheLastMiB(t *testing.T) {
	f := uniform(2, 20000, 0, 0)
	for n, size := range []int64{1, 99, 400, 1500, 3000, 5000, 10000} {
		f.Instances = append(f.Instances, vm(fmt.Sprint("v", n), "h0001", size))
	}
	if p := routine(t, f, eager()); len(p.Blocked) > 0 || p.Counts.Moves != 7 {
		t.Errorf("%+v, blocked %+v", p.Counts, p.Blocked)
	}
}

// TestNobodyIsOvertaken: no instance leaves for a host whose own turn is ahead when the turn of a host
// that could take it is over already, in the same wave too.
func TestNobodyIsOvertaken(t *testing.T) {
	f := uniform(4, 65536, 0, 0)
	for n := range f.Hosts {
		f.Hosts[n].NICMbps = 1000
	}
	f.Instances = append(f.Instances, vm("small", "h0000", 64))
	for n := range 12 {
		f.Instances = append(f.Instances, vm(fmt.Sprintf("big%02d", n), "h0001", 4096))
	}
	for n := range 13 {
		f.Instances = append(f.Instances, vm(fmt.Sprintf("c%02d", n), "h0002", 64), vm(fmt.Sprintf("d%02d", n), "h0003", 64))
	}
	p := routine(t, f, eager())
	for _, m := range p.Moves {
		if turnOf(t, p, m.To).Start.Before(m.Start) {
			continue
		}
		for _, u := range p.Turns {
			if u.Host != m.From && !u.End.After(m.Start) {
				t.Errorf("%s leaves for %s at %s, and %s was done at %s", m.Instance, m.To, m.Start, u.Host, u.End)
			}
		}
	}
}

// TestSoftwareIsNotForgotten: one that passed over a host of unknown software does not go on to an
// older one than it came from.
func TestSoftwareIsNotForgotten(t *testing.T) {
	f := uniform(3, 8192, 0, 0)
	soft := func(v string) fleet.Software {
		return fleet.Software{Installed: map[string]string{"qemu-system-x86": v}, Running: map[string]string{"qemu-system-x86": v}}
	}
	f.Hosts[0].Software, f.Hosts[2].Software = soft(newer), soft(older)
	f.Hosts[2].MemoryMiB = 65536
	f.Instances = append(f.Instances, vm("new", "h0000", 512), vm("x", "h0001", 64), vm("y", "h0001", 64))
	pol := eager()
	pol.MaxAwayPercent = 5
	p := routine(t, f, pol)
	if !slices.ContainsFunc(p.Moves, func(m plan.Move) bool { return m.Instance == "new" && m.To == "h0001" }) {
		t.Fatalf("it does not pass over h0001: %+v %+v", p.Moves, p.Blocked)
	}
	for _, m := range p.Moves {
		if m.Instance == "new" && m.To == "h0002" {
			t.Errorf("%s, which runs on %s, goes to %s, which has %s", m.Instance, newer, m.To, older)
		}
	}
}

// TestInstancesOfFixedHosts: where nobody knows what an instance on a fixed host runs on, that is said,
// and never taken as fixed.
func TestInstancesOfFixedHosts(t *testing.T) {
	f := uniform(2, 8192, 1, 512)
	a := advisory.Assessment{
		Hosts: []advisory.HostVerdict{{Host: "h0000", Verdict: advisory.IsFixed}, {Host: "h0001", Verdict: advisory.NotAffected}},
		Instances: []advisory.InstanceVerdict{{Instance: "v0000-00", Verdict: advisory.IsUnknown, Needs: "a look through its monitor", Evidence: []string{"in no cohort", "its monitor is silent", "  as seen"}},
			{Instance: "v0001-00", Verdict: advisory.IsAffected, Needs: "another process"}},
	}
	p, err := planner.Propose(planner.Input{Fleet: f, Target: &plan.Target{ID: "t", Cohorts: []plan.Cohort{{}}}, Assessment: a,
		Policy: eager(), Campaign: "c", Revision: 1, Now: at(t, "2026-03-02 09:00")})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"v0000-00:verdict-unknown", "v0001-00:instance-affected-alone"}
	if !slices.Equal(codes(p), want) || len(p.Skipped) != 2 || p.Blocked[0].Unblock != "a look through its monitor" ||
		!strings.HasSuffix(p.Blocked[0].Why, "is not known: in no cohort; its monitor is silent") || !strings.HasPrefix(p.Verdict, "No: no host needs maintenance") {
		t.Errorf("%d skipped, blocked %+v, verdict %s", len(p.Skipped), p.Blocked, p.Verdict)
	}
}
