package explain_test

import (
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// TestWhoseWindowDecided: what is told of the clock time names the owner for whom it is not sooner, and what a change of
// clocks does to a window there.
func TestWhoseWindowDecided(t *testing.T) {
	const h = plan.Duration(time.Hour)
	for _, c := range []struct {
		name   string
		change func(f *fleet.Fleet, p *plan.Policy)
		want   string
	}{
		{"the policy alone", func(*fleet.Fleet, *plan.Policy) {}, "the window 2026-03-04 01:00 UTC to 2026-03-04 05:00 UTC, after this: tenants are told 1d ahead (lead time of a blip), so no slot begins before 2026-03-03 09:01 UTC"},
		{"a tenant", func(f *fleet.Fleet, _ *plan.Policy) {
			f.Tenants[0].Windows = []fleet.Window{{Days: []string{"sat"}, Start: "00:00", Length: 4 * h}}
		}, "; without the windows of tenant acme it could start 2026-03-04 01:00 UTC"},
		{"a region, by a rule", func(f *fleet.Fleet, _ *plan.Policy) {
			f.Regions[0].Windows = []fleet.Window{{RRule: "FREQ=MONTHLY;BYDAY=2SU", Start: "00:00", Length: 4 * h}}
		}, "; without the windows of region north it could start 2026-03-04 01:00 UTC"},
		{"a freeze", func(_ *fleet.Fleet, p *plan.Policy) {
			p.Freezes = []plan.FreezeRule{{From: "2026-03-03 00:00", To: "2026-03-09 00:00"}}
		}, "; without the freezes of the policy it could start 2026-03-04 01:00 UTC"},
		{"two that stand against each other", func(f *fleet.Fleet, p *plan.Policy) {
			f.Regions[0].Windows = []fleet.Window{{Days: []string{"thu"}, Start: "02:00", Length: 2 * h}}
			f.Tenants[0].Windows = []fleet.Window{{RRule: "FREQ=WEEKLY;INTERVAL=2;BYDAY=TH", From: "2026-03-12", Start: "00:00", Length: 6 * h}}
		}, "; without the windows of tenant acme it could start 2026-03-05 02:00 UTC"},
		{"a night when clocks change", func(f *fleet.Fleet, p *plan.Policy) {
			f.Tenants[0].Timezone, f.Tenants[0].Windows = "America/New_York", []fleet.Window{{Days: []string{"sun"}, Start: "02:30", Length: 4 * h}}
			p.Windows[0] = plan.WindowRule{Start: "05:00", Length: 6 * h}
		}, "; 02:30 on 2026-03-08 does not exist in America/New_York, where clocks go forward by 1 h: the window opens at 03:30 EDT"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, pol := uniform(3, 16384, 1, 4096), eager()
			pol.Windows, pol.Lead, pol.Slot = []plan.WindowRule{{Start: "01:00", Length: 4 * h}}, plan.DefaultPolicy().Lead, 4*h
			c.change(f, &pol)
			p := propose(t, f, pol)
			if len(p.Turns) == 0 {
				t.Fatalf("blocked: %+v", p.Blocked)
			}
			a := of(t, p, f, p.Turns[0].Host)
			if why := a.Host.Turns[0].When; why.Code != "window" || !strings.HasSuffix(why.Why, c.want) {
				t.Errorf("%s: %s", why.Code, why.Why)
			}
		})
	}
}
