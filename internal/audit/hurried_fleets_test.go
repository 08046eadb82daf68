package audit_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/audit"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// pressed gives a drawn campaign a deadline before which its plan is not over, and leave to save instances and to move
// them; false: its plan is over at once.
func pressed(t testing.TB, seed uint64) (planner.Input, plan.Plan, bool) {
	in, _ := campaign(seed)
	in.Policy.FinishBy, in.Policy.KeepReserve, in.Policy.Lead = time.Time{}, false, plan.Lead{Blip: plan.Duration(time.Hour), Outage: plan.Duration(time.Hour)}
	in.Policy.MaxAwayPercent, in.Policy.WaveGrowth, in.Policy.Canary, in.Policy.StaggerSites = 100, 0, false, false // a host at a time would take as long in place
	for _, tactic := range []plan.Tactic{plan.Evacuate, plan.Suspend} {
		if !slices.Contains(in.Policy.Tactics, tactic) {
			in.Policy.Tactics = append(slices.Clone(in.Policy.Tactics), tactic)
		}
	}
	if in.Target != nil {
		tg := *in.Target
		tg.FinishBy, tg.Disclosure = time.Time{}, time.Time{}
		in.Target = &tg
	}
	calm := proposed(t, in, "")
	if calm.Counts.Waves < 3 {
		return in, calm, false
	}
	in.Policy.FinishBy = calm.Start.Add(calm.End.Sub(calm.Start) * time.Duration(3+seed%6) / 10)
	return in, calm, true
}

// TestHurriedFleets: the auditor finds nothing in plans that stop instances for a deadline, finds no reason for that
// where the deadline is taken away, and none where it is put off for long.
func TestHurriedFleets(t *testing.T) {
	const n = 1200
	var mu sync.Mutex
	hurried, late, spared := 0, 0, 0
	each(n, func(seed uint64) {
		in, calm, is := pressed(t, seed)
		if !is {
			return
		}
		p := proposed(t, in, "")
		for _, f := range audit.Plan(in.Fleet, &p) {
			t.Errorf("fleet %d: law %d, %s [%s]: %s", seed, f.Law, f.Code, f.Subject, f.What)
		}
		mu.Lock()
		defer mu.Unlock()
		if len(p.Blocked) > len(calm.Blocked) {
			late++
		}
		if !slices.ContainsFunc(p.Turns, func(u plan.Turn) bool { return u.ForDeadline }) {
			return
		}
		hurried++
		finds := func(by time.Time, code string) bool {
			p.Policy.FinishBy = by
			p.Digest = plan.Digest(p)
			return slices.ContainsFunc(audit.Plan(in.Fleet, &p), func(f audit.Finding) bool { return f.Code == code })
		}
		if !finds(time.Time{}, "no-deadline") {
			t.Errorf("fleet %d: the auditor does not see that there is no deadline", seed)
		}
		if finds(in.Policy.FinishBy.AddDate(0, 6, 0), "no-rush") {
			spared++
		}
	})
	if t.Logf("of %d plans %d stop instances for a deadline, %d of them needlessly were it half a year later; %d are late even so", n, hurried, spared, late); hurried < 20 || spared < 10 {
		t.Error("the draws try too little")
	}
}
