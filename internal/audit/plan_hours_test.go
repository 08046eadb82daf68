package audit

import (
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// TestHoursAllowed: what owners write holds the good plan's nights, or is not about it.
func TestHoursAllowed(t *testing.T) {
	for name, change := range map[string]func(f *fleet.Fleet, p *plan.Plan){
		"each owner's windows hold both nights": func(f *fleet.Fleet, p *plan.Plan) {
			own := []fleet.Window{{Start: "01:00", Length: 4 * hour}}
			f.Regions[0].Windows, f.Sites[0].Windows, f.HostGroups[0].Windows, f.Tenants[0].Windows, f.Tenants[1].Windows = own, own, own, own, own
		},
		"a tenant's in its own zone": func(f *fleet.Fleet, p *plan.Plan) {
			f.Tenants[0].Timezone, f.Tenants[0].Windows = "Asia/Tehran", []fleet.Window{{RRule: "FREQ=WEEKLY;BYDAY=TU,WE", Start: "05:30", Length: 2 * hour}}
		},
		"windows that meet": func(f *fleet.Fleet, p *plan.Plan) {
			f.Tenants[0].Windows = []fleet.Window{{Start: "02:00", Length: hour}, {Start: "03:00", Length: hour}}
		},
		"another region's, another site's": func(f *fleet.Fleet, p *plan.Plan) {
			f.Regions[1].Windows, f.Sites[1].Windows = []fleet.Window{{Start: "12:00", Length: hour}}, []fleet.Window{{Start: "12:00", Length: hour}}
		},
		"a no that is overruled, and says so": func(f *fleet.Fleet, p *plan.Plan) {
			for i := range f.Tenants {
				f.Tenants[i].Freezes = []fleet.Freeze{{From: "2026-03-09 00:00", To: "2026-03-12 00:00", Yields: true}}
			}
			for i := range p.Slots {
				p.Slots[i].Overrules = "2026-03-09 to 2026-03-12"
			}
		},
		"freezes before and after": func(f *fleet.Fleet, p *plan.Plan) {
			p.Policy.Freezes = []plan.FreezeRule{{From: "2026-03-01 00:00", To: "2026-03-10 02:00"}, {From: "2026-03-11 04:00", To: "2026-04-01 00:00"}, {From: "2026-03-10 04:00", To: "2026-03-11 02:00"}}
		},
		"freezes of others": func(f *fleet.Fleet, p *plan.Plan) {
			all := plan.FreezeRule{From: "2026-03-01 00:00", To: "2026-04-01 00:00"}
			for n := range 4 {
				p.Policy.Freezes = append(p.Policy.Freezes, all)
				z := &p.Policy.Freezes[n]
				*[]*[]string{&z.Regions, &z.Sites, &z.HostGroups, &z.Tenants}[n] = []string{"elsewhere"}
			}
			all.Hypervisor = "xen"
			p.Policy.Freezes = append(p.Policy.Freezes, all)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, p := goodFleet(), goodPlan()
			change(f, p)
			p.Fleet, p.FleetDigest = f, plan.FleetDigest(f)
			p.Digest = plan.Digest(*p)
			for _, x := range Plan(f, p) {
				t.Errorf("%v", x)
			}
		})
	}
}

// TestFrozenSpan: where clocks change a freeze is as long as it may be read.
func TestFrozenSpan(t *testing.T) {
	for _, c := range []struct{ zone, from, to, start, end string }{
		{"", "2026-01-01 00:00", "2026-01-02 00:00", "2026-01-01 00:00", "2026-01-02 00:00"},
		{"Europe/Berlin", "2026-03-29 02:30", "2026-03-30 02:30", "2026-03-29 00:30", "2026-03-30 00:30"},
		{"Europe/Berlin", "2026-03-28 02:30", "2026-03-29 02:30", "2026-03-28 01:30", "2026-03-29 01:30"},
		{"Europe/Berlin", "2026-10-25 02:30", "2026-10-26 02:30", "2026-10-25 00:30", "2026-10-26 01:30"},
		{"Europe/Berlin", "2026-10-24 02:30", "2026-10-25 02:30", "2026-10-24 00:30", "2026-10-25 01:30"},
		{"Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-05 01:50", "2026-04-04 14:45", "2026-04-04 15:20"},
	} {
		s, err := frozenSpan(c.from, c.to, c.zone)
		if err != nil {
			t.Fatal(err)
		}
		if !s.start.Equal(at(c.start)) || !s.end.Equal(at(c.end)) {
			t.Errorf("%s %s to %s: %s to %s, want %s to %s", c.zone, c.from, c.to, s.start.Format(time.DateTime), s.end.Format(time.DateTime), c.start, c.end)
		}
	}
}
