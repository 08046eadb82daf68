package audit

import (
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// refreshFleet is goodFleet with the word of each monitor.
func refreshFleet() *fleet.Fleet {
	f := goodFleet()
	for i := range f.Instances {
		v := oldQEMU
		if f.Instances[i].Host == "d" {
			v = newQEMU
		}
		f.Instances[i].Running = map[string]string{"qemu-system-x86": v}
	}
	return f
}

// refreshPlan gives each instance of a, b and c another process once: a1, a2, b1 and own by a move, c1
// in place; the new software is on all three disks before.
func refreshPlan() *plan.Plan {
	p := goodPlan()
	p.Target.Cohorts[0].Remedy = "refresh"
	p.Policy.Tactics = []plan.Tactic{plan.Refresh, plan.Suspend}
	for i := range p.Turns {
		u := &p.Turns[i]
		u.Tactic, u.UpdateFrom, u.UpdateBy = plan.Refresh, at("2026-03-01 00:40"), at("2026-03-01 02:00")
	}
	p.Turns[0].UpdateFrom, p.Turns[0].UpdateBy = at("2026-03-01 00:10"), at("2026-03-01 00:20")
	p.Moves = slices.DeleteFunc(p.Moves, func(m plan.Move) bool {
		return m.Instance == "a1" && m.Turn == "b" || m.Instance == "a2" && m.Turn == "c"
	})
	p.Slots = slices.DeleteFunc(p.Slots, func(s plan.Slot) bool { return s.ID == "b/a1" || s.ID == "c/a2" })
	seal(p)
	return p
}

// prepare puts the new software on a host's disk ahead of its turn.
func (s *script) prepare(host string) {
	s.add(Fact{Kind: "turn-prepares", Turn: host, Host: host})
	s.see(host)
	s.step(host, "update", s.boot[host])
	s.soft[host] = newQEMU
	s.step(host, "prove", "")
}

// refresh carries one refresh out.
func (s *script) refresh(host string, moves [][2]string, saves ...string) {
	s.see(host)
	s.add(Fact{Kind: "turn-permitted", Turn: host, Host: host})
	for _, m := range moves {
		s.move(host, m[0], m[1])
	}
	s.add(Fact{Kind: "step-done", Turn: host, Host: host, Step: "empty", Why: "nothing is left"})
	for _, i := range saves {
		s.add(Fact{Kind: "stop-started", Turn: host, Instance: i, From: host, Disposition: plan.DispStatefulStop, Attempt: 1, Deadline: s.now.Add(5 * time.Minute)})
		s.state[i] = "stopped"
		s.add(Fact{Kind: "stop-done", Turn: host, Instance: i, From: host, Disposition: plan.DispStatefulStop, Attempt: 1})
		s.add(Fact{Kind: "back-started", Turn: host, Instance: i, To: host, Disposition: plan.DispStatefulStop, Attempt: 1})
		s.state[i], s.runs[i] = "running", newQEMU
		s.add(Fact{Kind: "back-done", Turn: host, Instance: i, To: host, Disposition: plan.DispStatefulStop, Attempt: 1})
	}
	for _, h := range []string{"a", "b", "c"} {
		s.see(h)
	}
	s.add(Fact{Kind: "turn-done", Turn: host, Host: host})
}

func refreshJournal() []Fact {
	f, p := refreshFleet(), refreshPlan()
	s := newScript(f, p)
	slots := map[string][]string{}
	for _, sl := range p.Slots {
		slots[sl.Tenant] = append(slots[sl.Tenant], sl.ID)
	}
	for _, tenant := range []string{"acme", "birch"} {
		s.add(Fact{Kind: "notice-asked", Notice: "scheduled/" + tenant, NoticeKind: "scheduled", Tenant: tenant, Slots: slots[tenant]})
		s.add(Fact{Kind: "notice-accepted", Notice: "scheduled/" + tenant, Tenant: tenant, Contact: "ops@" + tenant + ".example", Attempt: 1})
	}
	s.now = at("2026-03-01 00:10")
	s.prepare("a")
	s.now = at("2026-03-01 00:45")
	s.prepare("b")
	s.prepare("c")
	s.now = at("2026-03-10 02:00")
	s.refresh("a", [][2]string{{"a1", "b"}, {"a2", "c"}})
	s.now = at("2026-03-10 02:50")
	s.see("a") // it has soaked
	s.refresh("b", [][2]string{{"b1", "a"}, {"own", "a"}})
	s.now = at("2026-03-11 02:00")
	s.refresh("c", nil, "c1")
	s.add(Fact{Kind: "campaign-finished", Code: "done"})
	return s.facts
}

// patchPlan is a live patch of host c alone.
func patchPlan() *plan.Plan {
	p := goodPlan()
	p.Turns, p.Moves, p.Slots = p.Turns[2:], nil, nil
	p.Turns[0].Tactic, p.Turns[0].Wave, p.Turns[0].Canary = plan.LivePatch, 1, true
	p.Target.Cohorts[0].Remedy = "live-patch"
	p.Target.Cohorts[0].LivePatches = []plan.WantedPatch{{Name: "livepatch_1", Component: "linux"}}
	p.Blocked = append(p.Blocked, plan.Blocked{Host: "a", Code: "x", Why: "w", Unblock: "u"}, plan.Blocked{Host: "b", Code: "x", Why: "w", Unblock: "u"})
	seal(p)
	return p
}

// patchFleet is refreshFleet with a host that takes live patches.
func patchFleet() *fleet.Fleet {
	f := refreshFleet()
	f.Hosts[2].Capabilities = []string{fleet.CanLivePatch, fleet.CanUpdate}
	return f
}

func patchJournal() []Fact {
	s := newScript(refreshFleet(), patchPlan())
	s.now = at("2026-03-11 02:00")
	s.see("c")
	s.add(Fact{Kind: "turn-permitted", Turn: "c", Host: "c"})
	s.step("c", "update", s.boot["c"])
	s.add(Fact{Kind: "step-started", Turn: "c", Host: "c", Step: "prove", Attempt: 1, Deadline: s.now.Add(time.Hour)})
	s.see("c")
	s.facts[len(s.facts)-1].Seen.LivePatches = []fleet.LivePatch{{Name: "livepatch_1", Component: "linux", State: "applied"}}
	s.add(Fact{Kind: "step-done", Turn: "c", Host: "c", Step: "prove", Attempt: 1, BootID: s.boot["c"], Why: "seen"})
	s.add(Fact{Kind: "turn-done", Turn: "c", Host: "c"})
	s.add(Fact{Kind: "campaign-finished", Code: "done"})
	return s.facts
}

// TestGoodInPlace: sound plans and journals of both kinds are clean.
func TestGoodInPlace(t *testing.T) {
	for name, found := range map[string][]Finding{
		"refresh plan": Plan(refreshFleet(), refreshPlan()), "refresh journal": Facts(refreshJournal()).Findings,
		"live-patch plan": Plan(patchFleet(), patchPlan()), "live-patch journal": Facts(patchJournal()).Findings,
	} {
		if len(found) > 0 {
			show(t, found)
			t.Errorf("%s: %v", name, codes(found))
		}
	}
}
