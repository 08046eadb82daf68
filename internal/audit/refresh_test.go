package audit

import (
	"encoding/json"
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
		"live-patch plan": Plan(refreshFleet(), patchPlan()), "live-patch journal": Facts(patchJournal()).Findings,
	} {
		if len(found) > 0 {
			show(t, found)
			t.Errorf("%s: %v", name, codes(found))
		}
	}
}

// inPlaceMutants break one thing in refreshPlan, or in patchPlan where patch is set; each code named
// must be among what is found.
var inPlacePlanMutants = []struct {
	name  string
	law   int
	codes []string
	patch bool
	spoil func(p *plan.Plan)
}{
	{"a live patch moves somebody", 1, one("live-patch-disturbs"), true, func(p *plan.Plan) {
		p.Moves = append(p.Moves, plan.Move{Instance: "a2", From: "a", To: "b", Turn: "c", Start: at("2026-03-11 02:01"), End: at("2026-03-11 02:03")})
	}},
	{"an update ahead of a turn that reboots", 10, one("update-ahead"), false, func(p *plan.Plan) { p.Turns[2].Tactic = plan.Suspend }},
	{"an update that ends in its turn", 10, one("update-times"), false, func(p *plan.Plan) { p.Turns[2].UpdateBy = at("2026-03-11 02:01") }},
	{"no update ahead", 10, one("no-update-times"), false, func(p *plan.Plan) { p.Turns[2].UpdateFrom, p.Turns[2].UpdateBy = time.Time{}, time.Time{} }},
	{"an update before the canary has soaked", 6, one("canary-not-soaked"), false, func(p *plan.Plan) { p.Turns[1].UpdateFrom = at("2026-03-01 00:30") }},
	{"an update under embargo", 9, one("under-embargo"), false, func(p *plan.Plan) {
		p.Target.EmbargoDeploy, p.Target.Disclosure = "no", at("2026-03-01 00:45")
	}},
	{"a move onto a host that is updated later", 6, one("onto-old-process"), false, func(p *plan.Plan) { p.Turns[1].UpdateBy = at("2026-03-10 02:40") }},
	{"a second move", 5, one("refreshed-twice"), false, func(p *plan.Plan) {
		p.Moves = append(p.Moves, plan.Move{Instance: "a1", From: "b", To: "c", Turn: "b", Start: at("2026-03-10 02:51"), End: at("2026-03-10 02:53")})
		s := *slotOf(p, "b/b1")
		s.ID, s.Instance, s.Tenant = "b/a1", "a1", "acme"
		p.Slots = append(p.Slots, s)
	}},
	{"one is forgotten", 7, one("not-refreshed"), false, func(p *plan.Plan) {
		p.Moves = slices.DeleteFunc(p.Moves, func(m plan.Move) bool { return m.Instance == "own" })
		p.Slots = slices.DeleteFunc(p.Slots, func(s plan.Slot) bool { return s.Instance == "own" })
	}},
}

var inPlaceJournalMutants = []struct {
	name  string
	law   int
	codes []string
	patch bool
	spoil func(p *tape)
}{
	{"a host is prepared after its turn", 10, one("prepares-what"), false, func(p *tape) {
		p.put(p.find("turn-permitted", "b"), Fact{Kind: "turn-prepares", Turn: "a", Host: "a"})
	}},
	{"a host is prepared while paused", 8, one("prepare-while-stopped"), false, func(p *tape) {
		i := p.find("turn-prepares", "b")
		p.put(i, Fact{Kind: "campaign-paused", Who: "operator:robin", Why: "w"})
		p.put(i+2, Fact{Kind: "campaign-resumed", Who: "operator:robin", Why: "w"})
	}},
	{"an update that nobody planned", 10, one("unplanned-update"), false, func(p *tape) {
		p.replan2(func(pl *plan.Plan) { pl.Turns[1].UpdateFrom, pl.Turns[1].UpdateBy = time.Time{}, time.Time{} })
	}},
	{"two hosts are prepared at once", 6, one("too-many-prepared"), false, func(p *tape) {
		c := p.facts[p.find("turn-prepares", "c")]
		p.drop("turn-prepares", "c")
		p.put(p.find("turn-prepares", "b")+1, c)
	}},
	{"the canary has not soaked on disk", 6, one("canary-not-soaked"), false, func(p *tape) {
		p.replan2(func(pl *plan.Plan) { pl.Policy.Soak = plan.Duration(40 * time.Minute) })
	}},
	{"a host is prepared under embargo", 9, one("under-embargo"), false, func(p *tape) {
		p.replan2(func(pl *plan.Plan) { pl.Target.EmbargoDeploy, pl.Target.Disclosure = "no", at("2026-03-01 00:30") })
	}},
	{"no look shows the software on disk", 5, one("prepared-unproven"), false, func(p *tape) {
		for i := p.find("turn-prepares", "b"); p.facts[i].Kind != "step-done" || p.facts[i].Step != "prove"; i++ {
			if p.facts[i].Kind == "host-seen" {
				v := *p.facts[i].Seen
				v.Installed = map[string]string{"qemu-system-x86": oldQEMU}
				p.facts[i].Seen = &v
			}
		}
	}},
	{"a host is prepared on another boot", 5, one("prepared-on-another-boot"), false, func(p *tape) { p.lookWhilePrepared("b").BootID = "boot-9-b" }},
	{"its destination lost the software again", 6, one("software-taken-away"), false, func(p *tape) {
		p.onDiskBefore(p.find("move-placed", "a1"), "b", oldQEMU)
	}},
	{"a stop on a host that lost the software again", 6, one("software-taken-away"), false, func(p *tape) {
		p.onDiskBefore(p.find("stop-started", "c1"), "c", oldQEMU)
	}},
	{"a canary that was dropped has not soaked on disk", 6, []string{"canary-not-soaked", "dropped-midway"}, false, func(p *tape) {
		p.replan2(func(pl *plan.Plan) { pl.Policy.Soak = plan.Duration(20 * time.Minute) })
		p.put(p.find("turn-prepares", "b"), atTarget("a"))
		p.facts[p.find("turn-dropped", "a")].At = p.get("turn-prepares", "b").At
	}},
	{"a canary that was dropped has not soaked", 6, []string{"canary-not-soaked", "ended-twice"}, false, func(p *tape) {
		p.replan2(func(pl *plan.Plan) { pl.Policy.Soak = plan.Duration(20 * time.Minute) })
		p.put(p.find("turn-permitted", "b"), atTarget("a"))
	}},
	{"a turn begins unprepared", 6, []string{"onto-old-process", "unprepared"}, false, func(p *tape) {
		for _, kind := range []string{"turn-prepares", "step-started", "step-done", "step-started", "step-done"} {
			p.drop(kind, "b")
		}
	}},
	{"an instance is moved twice", 5, one("refreshed-twice"), false, func(p *tape) {
		i := p.find("move-placed", "own")
		f := p.facts[i]
		f.Turn, f.Instance, f.To = "b", "a1", "a"
		p.put(i, f, Fact{Kind: "move-done", Turn: "b", Instance: "a1", From: "b", To: "a", Attempt: 1, BlackoutMs: 1, Source: "absent", Destination: "running"})
	}},
	{"its monitor says the old version", 5, one("refresh-unproven"), false, func(p *tape) { p.says("a1", oldQEMU) }},
	{"its monitor says nothing", 5, one("refresh-unproven"), false, func(p *tape) { p.says("a1", "") }},
	{"somebody is left on the old version", 7, one("not-refreshed"), false, func(p *tape) {
		for i := p.find("turn-permitted", "a"); p.facts[i].Kind != "turn-done"; i++ {
			if p.facts[i].Kind == "host-seen" && p.facts[i].Host == "a" {
				v := *p.facts[i].Seen
				v.Instances = append(v.Instances, Sighting{ID: "x1", State: "running", MemoryMiB: 512, Running: map[string]string{"qemu-system-x86": oldQEMU}})
				p.facts[i].Seen = &v
			}
		}
	}},
	{"a refresh reboots", 1, one("reboot-unplanned"), false, func(p *tape) {
		p.put(p.find("turn-done", "c"), Fact{Kind: "step-started", Turn: "c", Host: "c", Step: "reboot", Attempt: 1, BootID: "boot-1-c"})
	}},
	{"a live patch that the list calls loaded", 5, one("live-patch-unproven"), true, func(p *tape) { p.lastLook().LivePatches[0].State = "loaded" }},
	{"a live patch that is not listed", 5, one("live-patch-unproven"), true, func(p *tape) { p.lastLook().LivePatches = nil }},
	{"a live patch on another boot", 5, one("live-patch-unproven"), true, func(p *tape) { p.lastLook().BootID = "boot-9" }},
	{"a live patch that stops somebody", 1, one("live-patch-disturbs"), true, func(p *tape) {
		p.put(p.find("turn-done", "c"), Fact{Kind: "stop-started", Turn: "c", Instance: "c1", From: "c", Disposition: plan.DispStatefulStop, Attempt: 1})
	}},
}

// replan2 changes the refresh plan as it was applied.
func (p *tape) replan2(change func(pl *plan.Plan)) {
	pl := refreshPlan()
	change(pl)
	p.facts[0].Plan, _ = json.Marshal(pl)
}

// says makes each look after an instance's move tell another version of it.
func (p *tape) says(instance, version string) {
	for i := p.find("move-done", instance); i < len(p.facts); i++ {
		if p.facts[i].Seen == nil {
			continue
		}
		v := *p.facts[i].Seen
		v.Instances = slices.Clone(v.Instances)
		for k := range v.Instances {
			if v.Instances[k].ID == instance {
				v.Instances[k].Running = nil
				if version != "" {
					v.Instances[k].Running = map[string]string{"qemu-system-x86": version}
				}
			}
		}
		p.facts[i].Seen = &v
	}
}

func atTarget(turn string) Fact {
	return Fact{Kind: "turn-dropped", Turn: turn, Host: turn, Code: "already-at-target", Why: "it is there"}
}

// lookWhilePrepared is the last look at a host before its preparation was proven, of its own.
func (p *tape) lookWhilePrepared(host string) *View {
	at := 0
	for i := p.find("turn-prepares", host); p.facts[i].Kind != "step-done" || p.facts[i].Step != "prove"; i++ {
		if p.facts[i].Kind == "host-seen" && p.facts[i].Host == host {
			at = i
		}
	}
	if at == 0 {
		at = p.find("step-done", host, "prove")
		v := *p.facts[p.find("host-seen", host)].Seen
		v.Installed = map[string]string{"qemu-system-x86": newQEMU}
		v.At = p.facts[at-1].At
		p.put(at, Fact{Kind: "host-seen", Host: host, Seen: &v})
		p.facts[at].At = v.At
	}
	v := *p.facts[at].Seen
	p.facts[at].Seen = &v
	return &v
}

// onDiskBefore makes the last look at a host before a fact show another version on its disk.
func (p *tape) onDiskBefore(i int, host, version string) {
	for i--; p.facts[i].Kind != "host-seen" || p.facts[i].Host != host; i-- {
	}
	v := *p.facts[i].Seen
	v.Installed = map[string]string{"qemu-system-x86": version}
	p.facts[i].Seen = &v
}

func (p *tape) lastLook() *View {
	for i := len(p.facts) - 1; i >= 0; i-- {
		if p.facts[i].Seen != nil {
			return p.facts[i].Seen
		}
	}
	panic("no look")
}

func TestInPlaceMutants(t *testing.T) {
	check := func(t *testing.T, found []Finding, law int, want []string) {
		for _, code := range want {
			if !slices.Contains(codes(found), code) {
				show(t, found)
				t.Errorf("found %v, want %s", codes(found), code)
			}
		}
		if !slices.ContainsFunc(found, func(f Finding) bool {
			return f.Law == law && slices.Contains(want, f.Code) && f.What != "" && f.Allow != ""
		}) {
			t.Errorf("no such finding is of law %d, with words", law)
		}
	}
	for _, m := range inPlacePlanMutants {
		t.Run("plan "+m.name, func(t *testing.T) {
			p := refreshPlan()
			if m.patch {
				p = patchPlan()
			}
			m.spoil(p)
			seal(p)
			check(t, Plan(refreshFleet(), p), m.law, m.codes)
		})
	}
	for _, m := range inPlaceJournalMutants {
		t.Run("journal "+m.name, func(t *testing.T) {
			p := &tape{t, refreshJournal()}
			if m.patch {
				p.facts = patchJournal()
			}
			m.spoil(p)
			p.renumber()
			check(t, Facts(p.facts).Findings, m.law, m.codes)
		})
	}
}

// TestGoodInPlaceTurns: what may happen in a change in place, and breaks no law.
func TestGoodInPlaceTurns(t *testing.T) {
	for name, c := range map[string]struct {
		patch  bool
		change func(p *tape)
	}{
		"a person retries on another boot": {true, func(p *tape) {
			i := p.find("step-started", "c", "prove") + 1
			p.put(i, Fact{Kind: "turn-held", Turn: "c", Host: "c", Step: "prove", Code: "rebooted-meanwhile", Why: "w", Next: "n"},
				Fact{Kind: "turn-released", Turn: "c", Host: "c", Who: "operator:robin"})
			p.lastLook().BootID = "boot-9-c"
			p.facts[p.find("step-done", "c", "prove")].BootID = "boot-9-c"
		}},
		"a refresh where the parent left somebody a moment ago": {false, func(p *tape) {
			p.replan2(func(pl *plan.Plan) { pl.Supersedes, pl.Policy.MinStay = "winter", plan.Duration(24*31*time.Hour) })
			p.put(p.find("turn-prepares", "a"), Fact{Kind: "inherited", Instance: "a1", Host: "a", Why: "w"}, parentEnded())
		}},
		"two copies, of which one is ended, in a child": {false, func(p *tape) {
			p.replan2(func(pl *plan.Plan) { pl.Supersedes = "winter" })
			i := p.find("turn-prepares", "a")
			v := *p.facts[p.find("host-seen", "a")].Seen
			look := func(host string, there bool) Fact {
				w := v
				w.Instances, w.BootID = nil, "boot-1-"+host
				if there {
					w.Instances = []Sighting{{ID: "idle", State: "running", MemoryMiB: 512}}
				} else {
					w.Instances = []Sighting{{ID: "idle", State: "stopped", MemoryMiB: 512}}
				}
				return Fact{Kind: "host-seen", Host: host, Seen: &w}
			}
			p.put(i, Fact{Kind: "inherited", Instance: "idle", Host: "d", To: "b", Code: "unknown-end", Why: "w"}, parentEnded(),
				look("d", true), look("b", true), look("b", false), look("d", true))
			for n := range 6 {
				if p.facts[i+n].At = p.facts[i-1].At; p.facts[i+n].Seen != nil {
					p.facts[i+n].Seen.At = p.facts[i].At
				}
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			p := &tape{t, refreshJournal()}
			if c.patch {
				p.facts = patchJournal()
			}
			c.change(p)
			p.renumber()
			for _, f := range Facts(p.facts).Findings {
				if name != "two copies, of which one is ended, in a child" || f.Code == "two-places" {
					t.Errorf("law %d %s %s: %s", f.Law, f.Code, f.Subject, f.What)
				}
			}
		})
	}
}

// TestLateLook: a look at the old host that began before a move ended, and is recorded after one at the
// new host, shows nobody in two places.
func TestLateLook(t *testing.T) {
	p := &tape{t, goodJournal()}
	i := p.find("move-done", "a1")
	early := *p.facts[p.find("host-seen", "a")].Seen
	early.At = p.facts[i].At.Add(-2 * time.Second)
	look := func(v View) Fact { return Fact{Kind: "host-seen", Host: "a", Seen: &v} }
	after := View{At: p.facts[i].At, BootID: "boot-1-b", Health: "up", MemoryMiB: 8192, Instances: []Sighting{{ID: "a1", State: "running", MemoryMiB: 1024}}}
	there := look(after)
	there.Host = "b"
	for n := range early.Instances {
		if early.Instances[n].ID != "a1" {
			early.Instances = slices.Delete(slices.Clone(early.Instances), n, n+1)
			break
		}
	}
	p.put(i+1, there, look(early), there)
	p.renumber()
	for _, f := range Facts(p.facts).Findings {
		if f.Code == "two-places" {
			t.Errorf("%s: %s", f.Subject, f.What)
		}
	}
}
