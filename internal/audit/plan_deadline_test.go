package audit

import (
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// hurried makes goodPlan one that saves c1, which could move, for a deadline that is near.
func hurried(f *fleet.Fleet, p *plan.Plan) {
	f.Instances[3].Disks[0].Shared = true
	p.Turns[2].ForDeadline = true
	p.Target.FinishBy = at("2026-03-11 06:00")
}

// deadlineMutants break what a turn for a deadline says of itself.
var deadlineMutants = []planMutant{
	{"for a deadline that there is not", 10, one("no-deadline"), false, func(f *fleet.Fleet, p *plan.Plan) { hurried(f, p); p.Target.FinishBy = time.Time{} }},
	{"for a disclosure that is past", 10, one("no-deadline"), false, func(f *fleet.Fleet, p *plan.Plan) {
		hurried(f, p)
		p.Target.FinishBy, p.Target.Disclosure = time.Time{}, p.Made
	}},
	{"for a disclosure that policy lets pass", 10, one("no-deadline"), false, func(f *fleet.Fleet, p *plan.Plan) {
		hurried(f, p)
		p.Target.FinishBy, p.Target.Disclosure, p.Policy.AfterDisclosure = time.Time{}, at("2026-03-11 06:00"), true
	}},
	{"for a disclosure before which nothing may be done", 10, []string{"no-deadline", "under-embargo"}, false, func(f *fleet.Fleet, p *plan.Plan) {
		hurried(f, p)
		p.Target.FinishBy, p.Target.Disclosure, p.Target.EmbargoDeploy = time.Time{}, at("2026-03-11 06:00"), "no"
	}},
	{"for a deadline, of whom cannot move", 10, one("nobody-rushed"), false, func(f *fleet.Fleet, p *plan.Plan) { hurried(f, p); f.Instances[3].Disks[0].Shared = false }},
	{"for a deadline, by a turn that stops nobody", 10, one("nobody-rushed"), false, func(f *fleet.Fleet, p *plan.Plan) {
		hurried(f, p)
		p.Turns[2].ForDeadline, p.Turns[1].ForDeadline = false, true
	}},
	{"for a deadline, where nobody may move", 1, []string{"nobody-rushed", "promise-forbidden", "tactic-forbidden"}, false, func(f *fleet.Fleet, p *plan.Plan) {
		hurried(f, p)
		p.Target.Cohorts[0].Tactics = []plan.Tactic{plan.Suspend}
	}},
	{"for a deadline, where nobody may be saved", 1, one("promise-forbidden"), false, func(f *fleet.Fleet, p *plan.Plan) {
		hurried(f, p)
		p.Policy.Tactics = []plan.Tactic{plan.Evacuate, plan.Reboot}
	}},
	{"for a deadline that is nights away", 10, one("no-rush"), false, func(f *fleet.Fleet, p *plan.Plan) { hurried(f, p); p.Target.FinishBy = at("2026-03-12 04:00") }},
	{"for a disclosure that is nights away", 10, one("no-rush"), false, func(f *fleet.Fleet, p *plan.Plan) {
		hurried(f, p)
		p.Target.FinishBy, p.Target.Disclosure = time.Time{}, at("2026-03-12 04:00")
	}},
}

// TestForDeadline: what the deadline may have forced is no finding, nor is what more than the deadline forced.
func TestForDeadline(t *testing.T) {
	for name, change := range map[string]func(*fleet.Fleet, *plan.Plan){
		"no time is left": func(*fleet.Fleet, *plan.Plan) {},
		"the disclosure is nearer than the end": func(_ *fleet.Fleet, p *plan.Plan) {
			p.Target.FinishBy, p.Target.Disclosure = at("2026-03-20 00:00"), at("2026-03-11 06:00")
		},
		"the night that is left is a minute short": func(_ *fleet.Fleet, p *plan.Plan) { p.Target.FinishBy = at("2026-03-12 03:59") },
		"the nights that are left are frozen": func(_ *fleet.Fleet, p *plan.Plan) {
			p.Target.FinishBy = at("2026-03-15 00:00")
			p.Policy.Freezes = []plan.FreezeRule{{From: "2026-03-12 00:00", To: "2026-03-16 00:00"}}
		},
		"the nights that are left are no nights of the tenant's": func(f *fleet.Fleet, p *plan.Plan) {
			p.Target.FinishBy = at("2026-03-15 00:00")
			f.Tenants[0].Windows = []fleet.Window{{Days: []string{"tue", "wed"}, Start: "02:00", Length: plan.Duration(2 * time.Hour)}}
		},
		"another host is too late even so": func(_ *fleet.Fleet, p *plan.Plan) {
			p.Target.FinishBy = at("2026-03-15 00:00")
			p.Blocked[0].Code = "after-finish-by"
		},
		"no other host has room": func(f *fleet.Fleet, p *plan.Plan) {
			p.Target.FinishBy, p.Policy.KeepReserve = at("2026-03-15 00:00"), false
			f.Hosts[2].MemoryMiB, f.Instances[3].MemoryMiB = 16384, 8000
			slotOf(p, "c/c1").ExpectedMs = 600_000
		},
		"no other host can take it": func(f *fleet.Fleet, p *plan.Plan) {
			p.Target.FinishBy = at("2026-03-15 00:00")
			f.Instances[3].CPUFeatures = []string{"amx"}
		},
		"its group may not be together": func(f *fleet.Fleet, p *plan.Plan) {
			p.Target.FinishBy = at("2026-03-15 00:00")
			f.Hosts[0].Rack, f.Hosts[1].Rack = "rack-1", "rack-1"
			f.Groups = append(f.Groups, fleet.Group{ID: "apart", Tenant: "acme", Spread: fleet.SpreadRack, MaxUnavailable: 2, Members: []string{"own", "c1"}})
		},
		"the pool would not keep its reserve": func(f *fleet.Fleet, p *plan.Plan) {
			p.Target.FinishBy = at("2026-03-15 00:00")
			reserve := int64(12000)
			f.Pools[0].ReserveMiB, f.Hosts[2].MemoryMiB = &reserve, 16384
		},
	} {
		f, p := goodFleet(), goodPlan()
		hurried(f, p)
		change(f, p)
		seal(p)
		if found := Plan(f, p); len(found) > 0 {
			t.Errorf("%s:", name)
			show(t, found)
		}
	}
}
