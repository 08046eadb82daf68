package study

import (
	"testing"

	"pgregory.net/rapid"
)

// TestAnyScenario: whatever is drawn, the rows add up, a covered host reboots only where its live patch
// failed, and the auditor is content.
func TestAnyScenario(t *testing.T) {
	as := advisories(t)
	rapid.Check(t, func(t *rapid.T) {
		s := March2015(rapid.SampledFrom([]float64{0, 0.1, 0.5, 1}).Draw(t, "affected"))
		s.Seed = Seed(rapid.Uint64().Draw(t, "seed"))
		s.Regions, s.Sites = rapid.IntRange(1, 2).Draw(t, "regions"), rapid.IntRange(1, 3).Draw(t, "sites")
		s.Pools, s.Hosts = rapid.IntRange(1, 2).Draw(t, "pools"), rapid.IntRange(3, 9).Draw(t, "hosts")
		s.Tenants = rapid.IntRange(1, 5).Draw(t, "tenants")
		s.Builds = rapid.IntRange(1, 5).Draw(t, "builds")
		s.Covered, s.Shadow = rapid.IntRange(0, s.Builds).Draw(t, "covered"), rapid.IntRange(0, s.Builds).Draw(t, "shadow")
		s.FailureShare = rapid.SampledFrom([]float64{0, 0.2, 1}).Draw(t, "failures")
		s.Pinned = rapid.SampledFrom([]float64{0, 0.3}).Draw(t, "pinned")
		s.NoSuspend = rapid.SampledFrom([]float64{0, 0.3}).Draw(t, "no suspend")
		arm := rapid.SampledFrom(Arms).Draw(t, "arm")
		o, err := Run(s, arm, as, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range o.Findings {
			t.Errorf("law %d, %s: %s: %s", f.Law, f.Code, f.Subject, f.What)
		}
		uncovered := o.Planned.Sum.Reboots + o.Planned.Row(blocked).Hosts
		for _, table := range []*Table{&o.Planned, &o.Drawn} {
			if table.Sum.Hosts != s.AllHosts() || table.Row(blocked).Hosts > 0 {
				t.Errorf("%d hosts of %d, %d of them blocked: %v", table.Sum.Hosts, s.AllHosts(), table.Row(blocked).Hosts, table.Blocked)
			}
			if patched := table.Row("live-patch"); patched.Blip+patched.Saved+patched.Stopped+patched.Reboots > 0 {
				t.Errorf("a live patch was felt: %+v", *patched)
			}
			if !arm.Migrate && table.Sum.Blip+table.Moves > 0 {
				t.Errorf("%d moves where nothing can migrate", table.Moves)
			}
		}
		if got, want := o.Drawn.Sum.Reboots, uncovered+len(o.Failed); got != want {
			t.Errorf("%d hosts reboot, want the %d without a live patch and the %d on which it failed", got, uncovered, len(o.Failed))
		}
	})
}
