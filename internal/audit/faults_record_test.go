package audit_test

import (
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// recordFaults break laws 9 and 10.
var recordFaults = []fault{
	{"a deadline before the end", 9, []string{"finish-by"}, func(v *victim) bool {
		if v.Target != nil {
			v.Target.FinishBy = time.Time{}
		}
		v.Policy.FinishBy = v.End.Add(-time.Second)
		return true
	}},
	{"disclosure before the end", 9, []string{"after-disclosure"}, func(v *victim) bool {
		t := v.turn(func(t *plan.Turn) bool { return !t.Deferred })
		if v.Target == nil || t == nil || v.Policy.AfterDisclosure || !t.Start.After(v.Made) {
			return false
		}
		v.Target.EmbargoDeploy, v.Target.Disclosure = "yes", t.End.Add(-time.Second)
		return true
	}},
	{"deploy under embargo", 9, []string{"under-embargo"}, func(v *victim) bool {
		if v.Target == nil {
			return false
		}
		v.Target.EmbargoDeploy, v.Target.Disclosure = "no", v.Turns[v.IntN(len(v.Turns))].Start.Add(time.Second)
		return true
	}},
	{"name the advisory to tenants", 9, []string{"public-names-advisory"}, always(func(v *victim) { v.Public = "reboots for XSA-108" })},
	{"a digest of something else", 10, []string{"digest"}, always(func(v *victim) { v.raw, v.Verdict = true, v.Verdict+" All is well." })},
	{"another policy under the same digest", 10, []string{"digest"}, always(func(v *victim) { v.raw, v.Policy.Slot = true, v.Policy.Slot+1 })},
	{"another fleet", 10, []string{"fleet-digest"}, always(func(v *victim) {
		v.seal()
		v.raw = true
		v.f.Hosts[0].MemoryMiB++
	})},
	{"one move more in the counts", 10, []string{"count"}, always(func(v *victim) { v.miscount(func(c *plan.Counts) { c.Moves++ }) })},
	{"one outage less in the counts", 10, []string{"count"}, always(func(v *victim) { v.miscount(func(c *plan.Counts) { c.Stops-- }) })},
	{"one tenant less in the counts", 10, []string{"count"}, always(func(v *victim) { v.miscount(func(c *plan.Counts) { c.Tenants-- }) })},
	{"a bound of waves that it beats", 10, []string{"bound"}, always(func(v *victim) { v.Bounds.WavesMin = v.Counts.Waves + 1 })},
	{"a bound of moves that it beats", 10, []string{"bound"}, always(func(v *victim) { v.Bounds.MovesMin = v.Counts.Moves + 1 })},
	{"a bound of time that it beats", 10, []string{"bound"}, always(func(v *victim) { v.Bounds.MakespanMinS = v.Bounds.MakespanS + 1 })},
	{"a ratio that flatters", 10, []string{"ratio"}, always(func(v *victim) { v.Bounds.WavesRatio -= 0.02 })},
	{"another M1", 10, []string{"moves-m1"}, always(func(v *victim) { v.Bounds.MovesM1++ })},
	{"another makespan", 10, []string{"makespan"}, always(func(v *victim) { v.Bounds.MakespanS-- })},
	{"careful work called bound", 10, []string{"bound-policy"}, func(v *victim) bool {
		was := v.Profile
		v.Profile = plan.Bound
		return was != plan.Bound
	}},
	{"a turn in another pool", 10, []string{"turn-place"}, always(func(v *victim) { v.Turns[0].Pool += "x" })},
	{"a live patch that the target has not", 10, []string{"no-live-patch"}, func(v *victim) bool {
		return v.Target != nil && onTurn(func(v *victim, t *plan.Turn) bool { return v.ix.Hosts[t.Host].Hypervisor == fleet.KVM }, func(v *victim, t *plan.Turn) { t.Tactic = plan.LivePatch })(v)
	}},
	{"a blocker without a reason", 10, []string{"blocked-unsaid"}, func(v *victim) bool {
		if len(v.Blocked) > 0 {
			v.Blocked[0].Why = ""
		}
		return len(v.Blocked) > 0
	}},
	{"a refresh updated after it began", 10, []string{"update-times"}, onTurn(func(_ *victim, t *plan.Turn) bool { return t.Tactic == plan.Refresh && !t.UpdateBy.IsZero() }, func(v *victim, t *plan.Turn) {
		t.UpdateBy = t.Start.Add(time.Second)
	})},
	{"a reboot deferred ahead of its live patch", 6, []string{"deferred-early"}, func(v *victim) bool {
		return v.meet(func(a, b *plan.Turn) bool { return a.Tactic == plan.LivePatch && b.Deferred })
	}},
	{"a turn of a host that is down", 10, []string{"host-down"}, func(v *victim) bool {
		t := v.turn(func(t *plan.Turn) bool { return true })
		for i := range v.f.Hosts {
			if v.f.Hosts[i].ID == t.Host {
				v.f.Hosts[i].Health = fleet.Down
			}
		}
		return true
	}},
}

// miscount seals the plan with counts that are not its own.
func (v *victim) miscount(change func(*plan.Counts)) {
	v.seal()
	change(&v.Counts)
	v.raw, v.Digest = true, plan.Digest(*v.Plan)
}
