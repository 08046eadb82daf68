package planner_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/audit"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

const hours = plan.Duration(time.Hour)

// nightly is a policy of windows from 01:00 to 05:00 at the site, and else as eager.
func nightly() plan.Policy {
	p := eager()
	p.Windows = []plan.WindowRule{{Start: "01:00", Length: 4 * hours}}
	p.Slot = 2 * hours
	return p
}

// TestWhoseWindows: three empty hosts and one with an instance of acme and one of birch, at a site in Berlin, planned on
// Monday 2 March 2026; h0000, on which they run, has its turn when all who have a say allow it.
func TestWhoseWindows(t *testing.T) {
	ny := "America/New_York"
	for _, c := range []struct {
		name         string
		change       func(f *fleet.Fleet, p *plan.Policy)
		start, end   string // of the turn's window; empty: blocked
		slot         string // when the slot begins
		why, unblock string // parts of the blocker's
	}{
		{"the policy's alone", func(*fleet.Fleet, *plan.Policy) {}, "2026-03-04 00:00", "2026-03-04 04:00", "2026-03-04 00:00", "", ""},
		{"the region's on Saturdays", func(f *fleet.Fleet, _ *plan.Policy) {
			f.Regions[0].Windows = []fleet.Window{{Days: []string{"sat"}, Start: "00:00", Length: 3 * hours}}
		}, "2026-03-07 00:00", "2026-03-07 02:00", "2026-03-07 00:00", "", ""},
		{"a host group's by a rule", func(f *fleet.Fleet, _ *plan.Policy) {
			f.HostGroups = []fleet.HostGroup{{ID: "quorum", Hosts: []string{"h0000"}, MaxUnavailable: 1, Windows: []fleet.Window{{RRule: "FREQ=MONTHLY;BYDAY=2SU", Start: "02:00", Length: 6 * hours}}}}
		}, "2026-03-08 01:00", "2026-03-08 04:00", "2026-03-08 01:00", "", ""},
		{"a tenant's by its own clock, on a night when that changes", func(f *fleet.Fleet, _ *plan.Policy) {
			// 23:00 on 8 March in New York is 03:00 UTC on the 9th, for clocks there went forward that morning.
			f.Tenants[0].Timezone, f.Tenants[0].Windows = ny, []fleet.Window{{Days: []string{"sun"}, Start: "23:00", Length: 3 * hours}}
		}, "2026-03-09 03:00", "2026-03-09 04:00", "2026-03-09 03:00", "", ""},
		{"both tenants'", func(f *fleet.Fleet, _ *plan.Policy) {
			f.Tenants[0].Windows = []fleet.Window{{Days: []string{"tue", "thu"}, Start: "23:00", Length: 6 * hours}}
			f.Tenants[1].Windows = []fleet.Window{{Days: []string{"thu", "fri"}, Start: "02:00", Length: 4 * hours}, {Days: []string{"fri"}, Start: "00:30", Length: 2 * hours}}
		}, "2026-03-06 00:30", "2026-03-06 02:30", "2026-03-06 00:30", "", ""},
		{"windows of a tenant that is not there", func(f *fleet.Fleet, _ *plan.Policy) {
			f.Tenants = append(f.Tenants, fleet.Tenant{ID: "dune", Windows: []fleet.Window{{Days: []string{"sun"}, Start: "12:00", Length: hours}}})
		}, "2026-03-04 00:00", "2026-03-04 04:00", "2026-03-04 00:00", "", ""},
		{"a freeze of all for a week", func(_ *fleet.Fleet, p *plan.Policy) {
			p.Freezes = []plan.FreezeRule{{Why: "a fair", From: "2026-03-02 00:00", To: "2026-03-10 02:30"}}
		}, "2026-03-10 01:30", "2026-03-10 04:00", "2026-03-10 01:30", "", ""},
		{"a tenant's freeze", func(f *fleet.Fleet, _ *plan.Policy) {
			f.Tenants[1].Timezone, f.Tenants[1].Freezes = ny, []fleet.Freeze{{From: "2026-03-03 00:00", To: "2026-03-03 20:00"}}
		}, "2026-03-04 01:00", "2026-03-04 04:00", "2026-03-04 01:00", "", ""},
		{"a freeze that names a tenant", func(_ *fleet.Fleet, p *plan.Policy) {
			p.Freezes = []plan.FreezeRule{{Tenants: []string{"birch"}, From: "2026-03-02 00:00", To: "2026-03-05 00:00"}}
		}, "2026-03-05 00:00", "2026-03-05 04:00", "2026-03-05 00:00", "", ""},
		{"a freeze where windows are always open", func(_ *fleet.Fleet, p *plan.Policy) {
			p.Windows = []plan.WindowRule{{Always: true}}
			p.Freezes = []plan.FreezeRule{{From: "2026-03-03 09:00", To: "2026-03-03 11:30"}, {From: "2026-03-03 13:00", To: "2026-03-03 14:00", Timezone: "UTC"}}
		}, "2026-03-03 10:30", "2026-03-03 12:30", "2026-03-03 10:30", "", ""},
		{"a tenant's no, without a deadline", func(f *fleet.Fleet, _ *plan.Policy) {
			f.Tenants[1].Freezes = []fleet.Freeze{{From: "2026-03-03 00:00", To: "2026-03-20 00:00", Yields: true}}
		}, "2026-03-20 00:00", "2026-03-20 04:00", "2026-03-20 00:00", "", ""},
		{"a tenant's no that keeps the deadline", func(f *fleet.Fleet, p *plan.Policy) {
			f.Tenants[1].Freezes = []fleet.Freeze{{From: "2026-03-03 00:00", To: "2026-03-07 00:00", Yields: true}}
			p.FinishBy = time.Date(2026, 3, 8, 0, 0, 0, 0, time.UTC)
		}, "2026-03-07 00:00", "2026-03-07 04:00", "2026-03-07 00:00", "", ""},
		{"a tenant's no that gives way to the deadline", func(f *fleet.Fleet, p *plan.Policy) {
			f.Tenants[1].Freezes = []fleet.Freeze{{Why: "year end", From: "2026-03-03 00:00", To: "2026-03-20 00:00", Yields: true}}
			p.FinishBy = time.Date(2026, 3, 8, 0, 0, 0, 0, time.UTC)
		}, "2026-03-04 00:00", "2026-03-04 04:00", "2026-03-04 00:00", "", ""},
		{"nothing in common", func(f *fleet.Fleet, _ *plan.Policy) {
			f.Tenants[0].Windows = []fleet.Window{{Days: []string{"sat"}, Start: "12:00", Length: 4 * hours}}
		}, "", "", "", "what the windows of the policy and tenant acme have in common is nothing",
			"a window of the policy of at least"},
		{"too little in common", func(f *fleet.Fleet, _ *plan.Policy) {
			f.Tenants[0].Windows = []fleet.Window{{Start: "03:50", Length: 4 * hours}}
		}, "", "", "", "is at most 10m0s at a time, first from 2026-03-04 03:50 UTC on", "or a window of tenant acme of at least"},
		{"nobody alone can help", func(f *fleet.Fleet, _ *plan.Policy) {
			f.Tenants[0].Windows = []fleet.Window{{Start: "12:00", Length: hours}}
			f.Tenants[1].Windows = []fleet.Window{{Start: "14:00", Length: hours}}
		}, "", "", "", "the policy, tenant acme and tenant birch have in common is nothing", "no change of one owner alone would do"},
		{"frozen for longer than anybody plans ahead", func(f *fleet.Fleet, _ *plan.Policy) {
			f.Tenants[1].Freezes = []fleet.Freeze{{Why: "never", From: "2026-03-01 00:00", To: "2030-01-01 00:00"}}
		}, "", "", "", "less the freezes of tenant birch, is nothing", "no freeze of tenant birch for"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := uniform(4, 16384, 0, 1024)
			f.Tenants = append(f.Tenants, fleet.Tenant{ID: "birch", Contacts: []fleet.Contact{{Email: "it@birch.example"}}})
			f.Instances = []fleet.Instance{vm("a", "h0000", 1024), vm("b", "h0000", 1024)}
			f.Instances[1].Tenant = "birch"
			pol := nightly()
			c.change(f, &pol)
			p := routine(t, f, pol)
			for _, x := range audit.Plan(f, &p) {
				t.Errorf("law %d, %s: %s", x.Law, x.Code, x.What)
			}
			if c.start == "" {
				if len(p.Blocked) != 1 || p.Blocked[0].Host != "h0000" || p.Blocked[0].Code != "windows-apart" || !strings.Contains(p.Blocked[0].Why, c.why) || !strings.Contains(p.Blocked[0].Unblock, c.unblock) {
					t.Errorf("blocked: %+v", p.Blocked)
				}
				return
			}
			u := turnOf(t, p, "h0000")
			if !u.WindowStart.Equal(at(t, c.start)) || !u.WindowEnd.Equal(at(t, c.end)) {
				t.Errorf("the window is %s to %s, want %s to %s", u.WindowStart, u.WindowEnd, c.start, c.end)
			}
			for _, s := range p.Slots {
				overrules := ""
				if strings.Contains(c.name, "gives way") && s.Tenant == "birch" {
					overrules = "2026-03-03 00:00 UTC to 2026-03-20 00:00 UTC (year end)"
				}
				if s.Overrules != overrules {
					t.Errorf("slot %s overrules %q, want %q", s.ID, s.Overrules, overrules)
				}
				if !s.Start.Equal(at(t, c.slot)) {
					t.Errorf("slot %s begins %s, want %s", s.ID, s.Start, c.slot)
				}
			}
		})
	}
}

// TestWhoKeepsItLate: where a deadline passes before all allow it, the blocker names those without whom it would do.
func TestWhoKeepsItLate(t *testing.T) {
	f := uniform(3, 16384, 1, 1024)
	f.Tenants[0].Windows = []fleet.Window{{Days: []string{"sun"}, Start: "00:00", Length: 4 * hours}}
	pol := nightly()
	pol.FinishBy = at(t, "2026-03-06 12:00")
	p := routine(t, f, pol)
	const want = "what keeps it from an earlier start is the windows of tenant acme (without them: 2026-03-04 00:00 UTC)"
	if len(p.Turns) != 0 || len(p.Blocked) != 3 || p.Blocked[0].Code != "after-finish-by" || !strings.Contains(p.Blocked[0].Why, want) {
		t.Errorf("blocked: %+v", p.Blocked)
	}
}

// TestALivePatchWaitsForNoTenant, but for the freezes of its place it does: it changes the host.
func TestALivePatchWaitsForNoTenant(t *testing.T) {
	f, pol := xenFleet(3, 16384, 1, 1024), nightly()
	pol.Tactics = mixedPolicy().Tactics
	f.Tenants[0].Windows = []fleet.Window{{Days: []string{"sun"}, Start: "12:00", Length: 4 * hours}}
	for _, want := range []string{"2026-03-03 00:00", "2026-03-05 00:00"} {
		p := propose(t, f, xenTarget(""), pol)
		if len(p.Turns) != 3 || p.Turns[0].Tactic != plan.LivePatch || !p.Turns[0].Start.Equal(at(t, want)) {
			t.Errorf("want %s: turns %+v, blocked %+v", want, p.Turns, p.Blocked)
		}
		pol.Freezes = []plan.FreezeRule{{From: "2026-03-02 00:00", To: "2026-03-05 00:00"}}
	}
}

// decorate gives owners of a drawn fleet windows and freezes, wide enough to plan by at times.
func decorate(t *rapid.T, in *planner.Input) {
	zone := func() string {
		return rapid.SampledFrom([]string{"", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia"}).Draw(t, "zone of hours")
	}
	windows := func(often int) (out []fleet.Window) {
		if rapid.IntRange(0, often).Draw(t, "windows") > 0 {
			return nil
		}
		for range rapid.IntRange(1, 2).Draw(t, "of them") {
			out = append(out, rapid.SampledFrom([]fleet.Window{{Start: "00:00", Length: 12 * hours}, {Start: "20:30", Length: 9 * hours}, {Days: []string{"sat", "sun"}, Start: "00:00", Length: 24 * hours},
				{RRule: "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH", From: "2026-01-01", Start: "01:00", Length: 20 * hours}, {RRule: "FREQ=MONTHLY;BYDAY=1SU,-1SA", Start: "02:30", Length: 5 * hours}}).Draw(t, "window"))
			out[len(out)-1].Timezone = zone()
		}
		return out
	}
	freezes := func(often int) []fleet.Freeze {
		if rapid.IntRange(0, often).Draw(t, "freezes") > 0 {
			return nil
		}
		from := in.Now.AddDate(0, 0, rapid.IntRange(-1, 30).Draw(t, "freeze from"))
		return []fleet.Freeze{{From: from.Format("2006-01-02 15:04"), To: from.Add(time.Duration(rapid.IntRange(1, 200).Draw(t, "freeze hours")) * time.Hour).Format("2006-01-02 15:04"), Timezone: zone()}}
	}
	noes := func(often int) []fleet.Freeze {
		out := freezes(often)
		for i := range out {
			out[i].Yields = rapid.Bool().Draw(t, "yields")
		}
		return out
	}
	f := in.Fleet
	for n := range f.Regions {
		f.Regions[n].Windows, f.Regions[n].Freezes = windows(3), freezes(5)
	}
	for n := range f.Sites {
		f.Sites[n].Windows, f.Sites[n].Freezes = windows(5), freezes(5)
	}
	for n := range f.HostGroups {
		f.HostGroups[n].Windows, f.HostGroups[n].Freezes = windows(2), freezes(3)
	}
	for n := range f.Tenants {
		f.Tenants[n].Timezone, f.Tenants[n].Windows, f.Tenants[n].Freezes = zone(), windows(1), noes(3)
	}
	for range rapid.IntRange(0, 2).Draw(t, "policy's freezes") {
		for _, z := range freezes(0) {
			r := plan.FreezeRule{From: z.From, To: z.To, Timezone: z.Timezone}
			switch rapid.IntRange(0, 4).Draw(t, "of whom") {
			case 0:
				r.Tenants = []string{"acme"}
			case 1:
				r.Regions = []string{"east"}
			case 2:
				for _, g := range f.HostGroups {
					r.HostGroups = append(r.HostGroups, g.ID)
				}
			}
			in.Policy.Freezes = append(in.Policy.Freezes, r)
		}
	}
}

// TestHoursAudited: whoever owns windows and freezes, the judge finds nothing; and what owners have no say in is planned as
// without them.
func TestHoursAudited(t *testing.T) {
	turns, apart := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		decorate(t, &in)
		p, err := planner.Propose(in)
		if err != nil {
			t.Fatal(err)
		}
		contented(t, in, &p)
		for _, wrong := range walk(in.Fleet, p) {
			t.Error(wrong)
		}
		turns += len(p.Turns)
		for _, b := range p.Blocked {
			if b.Code == "windows-apart" {
				apart++
			}
		}
		again, err := planner.Propose(in)
		if err != nil || fmt.Sprint(again.Digest) != p.Digest {
			t.Fatalf("planned twice it is another plan: %v", err)
		}
	})
	if turns < 20 || apart == 0 {
		t.Errorf("%d turns and %d hosts whose windows are apart: the drawn fleets show too little", turns, apart)
	}
}
