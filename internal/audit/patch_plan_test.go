package audit

import (
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

func turnOf(p *plan.Plan, id string) *plan.Turn {
	for i := range p.Turns {
		if p.Turns[i].ID == id {
			return &p.Turns[i]
		}
	}
	panic("no turn " + id)
}

func dropTurnOf(p *plan.Plan, id string) {
	p.Turns = slices.DeleteFunc(p.Turns, func(t plan.Turn) bool { return t.ID == id })
	p.Moves = slices.DeleteFunc(p.Moves, func(m plan.Move) bool { return m.Turn == id })
	p.Slots = slices.DeleteFunc(p.Slots, func(s plan.Slot) bool { return s.Turn == id })
}

// manyPatches adds hosts that are live-patched in one wave of their own, with x2's.
func manyPatches(f *fleet.Fleet, p *plan.Plan, ids ...string) {
	for _, id := range ids {
		h := f.Hosts[1]
		h.ID = id
		f.Hosts = append(f.Hosts, h)
		t := *turnOf(p, "x2+live-patch")
		t.ID, t.Host = id, id
		p.Turns = append(p.Turns, t)
		p.Blocked = append(p.Blocked, plan.Blocked{Host: id, Code: "instance-blocked", Why: "w", Unblock: "u"})
	}
}

// ontoPatched makes v3 land on a host that is not x4, which is kept empty, and leave x2 again with v2.
func ontoPatched(f *fleet.Fleet, p *plan.Plan, to string) {
	y := f.Hosts[2]
	y.ID = "y1"
	f.Hosts = append(f.Hosts, y)
	f.Hosts[3].Spare = true
	p.Blocked = append(p.Blocked, plan.Blocked{Host: "y1", Code: "no-live-patch", Why: "w", Unblock: "u"})
	p.Moves[0].To = to
	on := p.Moves[2]
	on.Instance, on.Start, on.End = "v3", on.End, on.End.Add(time.Minute)
	s := *slotOf(p, "x2/v2")
	s.ID, s.Instance, s.Tenant = "x2/v3", "v3", "acme"
	p.Moves, p.Slots = append(p.Moves, on), append(p.Slots, s)
}

// patchPlanMutants break one thing in patchedPlan; exactly the codes named must be found.
var patchPlanMutants = []planMutant{
	{"a live patch on a build for which there is none", 10, one("no-live-patch"), false, func(f *fleet.Fleet, p *plan.Plan) { f.Hosts[1].Software.BuildID = "b2b2" }},
	{"a live patch on a build that nobody read", 10, one("no-live-patch"), false, func(f *fleet.Fleet, p *plan.Plan) { f.Hosts[1].Software.BuildID = "" }},
	{"a live patch that does not fix all", 10, one("no-live-patch"), false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Target.Fixes = append(p.Target.Fixes, "XSA-9")
		p.Target.Cohorts[0].LivePatches[0].Fixes = []string{"CVE-2025-11234"}
	}},
	{"a payload without a digest", 5, one("payload-unnamed"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Target.Cohorts[0].LivePatches[0].SHA256 = "" }},
	{"two turns where the cohort wants no reboot", 5, []string{"deferred-what", "turn-id", "two-turns"}, false, func(f *fleet.Fleet, p *plan.Plan) { p.Target.Cohorts[0].Then = "" }},
	{"two turns of which none is deferred", 5, one("two-turns"), false, func(f *fleet.Fleet, p *plan.Plan) { turnOf(p, "x2").Deferred = false }},
	{"two turns by other names", 5, []string{"deferred-exposed", "turn-id", "two-turns"}, false, func(f *fleet.Fleet, p *plan.Plan) { turnOf(p, "x2+live-patch").ID = "x2-live-patch" }},
	{"three turns", 5, []string{"double-id", "two-turns"}, false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Turns = append(p.Turns, *turnOf(p, "x2+live-patch"))
	}},
	{"a deferred live patch", 10, []string{"deferred-early", "deferred-what", "no-canary", "turn-id", "two-turns"}, false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Target.FinishBy = time.Time{}
		turnOf(p, "x2+live-patch").Deferred = true
	}},
	{"a reboot deferred on a host without its live patch", 9, []string{"deferred-exposed"}, false, func(f *fleet.Fleet, p *plan.Plan) { dropTurnOf(p, "x2+live-patch") }},
	{"a reboot deferred on a host whose list nobody read", 9, []string{"deferred-exposed"}, false, func(f *fleet.Fleet, p *plan.Plan) {
		dropTurnOf(p, "x2+live-patch")
		f.Hosts[1].Software.LivePatches = nil
	}},
	{"a reboot deferred beside a live patch that is not over", 6, []string{"deferred-early"}, false, func(f *fleet.Fleet, p *plan.Plan) { turnOf(p, "x2+live-patch").WorstS = 48 * 3600 }},
	{"a reboot deferred before the live patches have soaked", 6, []string{"canary-not-soaked", "deferred-early"}, false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Policy.Soak = plan.Duration(48 * time.Hour)
		turnOf(p, "x1+live-patch").Start = at("2026-03-08 02:00")
		turnOf(p, "x1+live-patch").End = at("2026-03-08 02:05")
		p.Start = at("2026-03-08 02:00")
	}},
	{"a reboot that is forgotten", 7, one("reboot-forgotten"), false, func(f *fleet.Fleet, p *plan.Plan) {
		dropTurnOf(p, "x2")
		p.End = turnOf(p, "x1").End
	}},
	{"a reboot that is forgotten where the live patch was there", 7, one("reboot-forgotten"), false, func(f *fleet.Fleet, p *plan.Plan) {
		dropTurnOf(p, "x2")
		dropTurnOf(p, "x2+live-patch")
		p.End = turnOf(p, "x1").End
		f.Hosts[1].Software.LivePatches = []fleet.LivePatch{{Name: "lp1", Component: "xen", State: fleet.PatchApplied}}
		p.Skipped = append(p.Skipped, plan.Skipped{Host: "x2", Code: "fixed", Why: "its live patch is applied"})
	}},
	{"deferred reboots without a canary of their own", 6, one("no-canary"), false, func(f *fleet.Fleet, p *plan.Plan) { turnOf(p, "x1").Canary = false }},
	{"a canary that is not alone", 6, []string{"canary-not-alone"}, false, func(f *fleet.Fleet, p *plan.Plan) { turnOf(p, "x2").Wave = 4; p.Policy.MaxAwayPercent = 50 }},
	{"deferred reboots that do not soak", 6, one("canary-not-soaked"), false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Policy.Soak = plan.Duration(36 * time.Minute)
		shiftTurn(p, "x1", 0)
	}},
	{"a wave that grows too fast", 6, one("wave-growth"), false, func(f *fleet.Fleet, p *plan.Plan) { manyPatches(f, p, "y1", "y2", "y3", "y4") }},
	{"live patches that end after disclosure", 9, one("after-disclosure"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Target.Disclosure = at("2026-03-10 02:44") }},
	{"deferred reboots that end after finish_by", 9, one("finish-by"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Target.FinishBy = at("2026-03-12 03:14") }},
	{"a move onto the old while a host that is patched has room", 6, one("unfixed-destination"), false, func(f *fleet.Fleet, p *plan.Plan) {
		ontoPatched(f, p, "y1")
		p.Moves[3].From = "y1"
		p.Moves = p.Moves[:3] // it may stay there
		p.Slots = p.Slots[:3]
	}},
	{"a move onto a host that is patched while a fixed one has room", 6, one("unfixed-destination"), false, func(f *fleet.Fleet, p *plan.Plan) {
		ontoPatched(f, p, "x2")
		f.Hosts[3].Spare = false
	}},
	{"a live patch makes no host newer", 6, one("cannot-take"), false, func(f *fleet.Fleet, p *plan.Plan) {
		ontoPatched(f, p, "x2")
		f.Instances[2].Running = map[string]string{xenPkg: newXen}
	}},
	{"a turn of a host past the target", 5, one("past-target"), false, func(f *fleet.Fleet, p *plan.Plan) {
		v := map[string]string{xenPkg: "4.17.8-1"}
		f.Hosts[2].Software.Installed, f.Hosts[2].Software.Booted, f.Hosts[2].Software.Running = v, v, v
		f.Hosts[3].Software = f.Hosts[2].Software // else nothing could move to it
	}},
}

func TestPatchPlanMutants(t *testing.T) {
	for _, m := range patchPlanMutants {
		t.Run(m.name, func(t *testing.T) {
			f, p := patchedFleet(), patchedPlan()
			m.spoil(f, p)
			seal(p)
			found := Plan(f, p)
			if got := codes(found); !slices.Equal(got, m.codes) {
				show(t, found)
				t.Fatalf("found %v, want %v", got, m.codes)
			}
			if !slices.ContainsFunc(found, func(x Finding) bool { return x.Law == m.law && x.What != "" && x.Allow != "" }) {
				t.Errorf("no finding with words is of law %d", m.law)
			}
		})
	}
}

// TestGoodPatchPlans: what a plan with live patches and deferred reboots may do.
func TestGoodPatchPlans(t *testing.T) {
	for name, change := range map[string]func(f *fleet.Fleet, p *plan.Plan){
		"as it is": func(*fleet.Fleet, *plan.Plan) {},
		"many live patches at once, within the growth, whatever max_away_percent": func(f *fleet.Fleet, p *plan.Plan) { manyPatches(f, p, "y1", "y2", "y3") },
		"waves without a bound": func(f *fleet.Fleet, p *plan.Plan) {
			manyPatches(f, p, "y1", "y2", "y3", "y4")
			p.Policy.WaveGrowth = 0
		},
		"deferred reboots after disclosure": func(f *fleet.Fleet, p *plan.Plan) { p.Target.Disclosure = at("2026-03-11 02:20") },
		"a host that had its live patch": func(f *fleet.Fleet, p *plan.Plan) {
			dropTurnOf(p, "x2+live-patch")
			f.Hosts[1].Software.LivePatches = []fleet.LivePatch{{Name: "lp1", Component: "xen", State: fleet.PatchApplied}}
		},
		"a reboot that is blocked, by the live patch's own name": func(f *fleet.Fleet, p *plan.Plan) {
			dropTurnOf(p, "x2")
			p.End = turnOf(p, "x1").End
			p.Blocked = append(p.Blocked, plan.Blocked{Host: "x2", Code: "instance-blocked", Why: "w", Unblock: "u"})
		},
		"a reboot that is blocked, by its host's name": func(f *fleet.Fleet, p *plan.Plan) {
			dropTurnOf(p, "x2")
			turnOf(p, "x2+live-patch").ID = "x2"
			p.End = turnOf(p, "x1").End
			p.Blocked = append(p.Blocked, plan.Blocked{Host: "x2", Code: "instance-blocked", Why: "w", Unblock: "u"})
		},
		"a host that booted the packages needs no reboot": func(f *fleet.Fleet, p *plan.Plan) {
			dropTurnOf(p, "x2")
			f.Hosts[1].Software.Booted = map[string]string{xenPkg: newXen}
			p.End = turnOf(p, "x1").End
		},
		"live patches without a reboot to follow": func(f *fleet.Fleet, p *plan.Plan) {
			p.Target.Cohorts[0].Then = ""
			for _, id := range []string{"x1", "x2"} {
				dropTurnOf(p, id)
				turnOf(p, id+"+live-patch").ID = id
			}
			p.End = turnOf(p, "x3").End
		},
		"a move onto a host that is patched, for want of a better one": func(f *fleet.Fleet, p *plan.Plan) { ontoPatched(f, p, "x2") },
		"all patches together fix all": func(f *fleet.Fleet, p *plan.Plan) {
			p.Target.Fixes = append(p.Target.Fixes, "XSA-9")
			c := &p.Target.Cohorts[0]
			second := c.LivePatches[0]
			c.LivePatches[0].Fixes = []string{"CVE-2025-11234"}
			second.Name, second.Fixes = "lp2", []string{"XSA-9"}
			c.LivePatches = append(c.LivePatches, second)
		},
		"a host as new as the target, which documents call affected": func(f *fleet.Fleet, p *plan.Plan) {
			v := map[string]string{xenPkg: newXen}
			f.Hosts[2].Software.Installed, f.Hosts[2].Software.Booted, f.Hosts[2].Software.Running = v, v, v
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, p := patchedFleet(), patchedPlan()
			change(f, p)
			seal(p)
			if found := Plan(f, p); len(found) > 0 {
				show(t, found)
				t.Fatal("found fault with what is allowed")
			}
		})
	}
}
