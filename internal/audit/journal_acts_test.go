package audit

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// actMutants break laws 1 to 5.
var actMutants = []journalMutant{
	// law 1
	{"a promised move becomes a stop", 1, one("silent-stop"), false, func(p *tape) {
		i := p.find("move-placed", "b", "own")
		p.facts[i] = Fact{Kind: "stop-started", Turn: "b", Instance: "own", From: "b", Disposition: plan.DispStop, Attempt: 1, At: p.facts[i].At, Who: "engine", Campaign: "spring"}
		p.facts[i+1] = Fact{Kind: "back-started", Turn: "b", Instance: "own", To: "b", Attempt: 1, At: p.facts[i+1].At, Who: "engine", Campaign: "spring"}
		p.put(i+2, Fact{Kind: "back-done", Turn: "b", Instance: "own", To: "b", Attempt: 1})
		p.put(i+3, external("own", "stopped"))
		p.facts = slices.DeleteFunc(p.facts, func(f Fact) bool { return f.Kind == "host-seen" && f.Host == "a" && f.At.After(p.facts[i].At) })
	}},
	{"memory lost that was promised to be kept", 1, one("silent-stop"), false, func(p *tape) { p.get("stop-started", "c1").Disposition = plan.DispStop }},
	{"a blip that was an outage", 1, one("class-exceeded"), false, func(p *tape) { p.get("move-done", "a1").BlackoutMs = 5001 }},
	{"a reboot under a running instance", 1, []string{"reboot-not-empty"}, false, func(p *tape) {
		i := p.find("step-started", "a", "reboot")
		v := *p.facts[i-1].Seen
		v.Instances = append(v.Instances, Sighting{ID: "new1", State: "running", MemoryMiB: 512})
		p.facts[i-1].Seen = &v
	}},
	{"a reboot that nobody looked before", 1, one("reboot-unseen"), false, func(p *tape) {
		i := p.find("step-started", "a", "reboot")
		p.delay(i, 61*time.Second)
		p.get("step-done", "a", "reboot").Why = ""
	}},
	// law 2
	{"an act before its slot", 2, one("before-slot"), false, func(p *tape) {
		p.replan(func(_ *fleet.Fleet, pl *plan.Plan) { slotOf(pl, "a/a1").Start = at("2026-03-10 02:10") })
	}},
	{"a move that may outlast its slot", 2, one("past-slot"), false, func(p *tape) { p.get("move-placed", "a1").Deadline = at("2026-03-10 04:00:01") }},
	{"a stop that may outlast its slot", 2, one("past-slot"), false, func(p *tape) {
		p.replan(func(_ *fleet.Fleet, pl *plan.Plan) { pl.Policy.Times.RebootMax = plan.Duration(110 * time.Minute) })
	}},
	{"a stop whose saves may outlast its slot", 2, one("past-slot"), false, func(p *tape) {
		p.replan(func(_ *fleet.Fleet, pl *plan.Plan) { pl.Turns[2].SaveMaxS = 50 * 60 })
	}},
	{"a turn that may outlast its slots", 2, one("past-slot"), false, func(p *tape) {
		p.replan(func(_ *fleet.Fleet, pl *plan.Plan) { pl.Turns[2].WorstS = 7199 })
	}},
	{"an overrun that nobody records", 2, []string{"overrun-unrecorded", "overrun-untold"}, false, func(p *tape) { p.delay(p.find("back-started"), 3*time.Hour) }},
	{"an overrun that is told late", 2, one("overrun-untold"), false, func(p *tape) {
		i := p.find("back-started")
		p.delay(i, 3*time.Hour)
		p.put(i, Fact{Kind: "overrun", Turn: "c", Instance: "c1", Why: "not back"})
		p.facts[i].At = at("2026-03-11 04:05:00")
		p.put(i+1, Fact{Kind: "notice-asked", Notice: "overrun/c1", NoticeKind: "overrun", Tenant: "acme", Slots: []string{"c/c1"}})
		p.facts[i+1].At = at("2026-03-11 04:05:01")
	}},
	// law 3
	{"two members of a group at once", 3, one("group"), false, func(p *tape) {
		p.replan(func(f *fleet.Fleet, _ *plan.Plan) { f.Groups[0].Members = []string{"a2", "c1"} })
		i, j := p.find("stop-started"), p.find("move-done", "c", "a2")
		done := p.facts[j]
		p.facts = slices.Delete(p.facts, j, j+1)
		done.At = p.facts[i].At
		p.facts = slices.Insert(p.facts, i, done)
	}},
	{"a member that others stopped", 3, one("group"), false, func(p *tape) { p.put(p.find("move-placed", "a1"), external("c1", "stopped")) }},
	{"a member whose host does not answer", 3, one("group"), false, func(p *tape) {
		p.replan(func(f *fleet.Fleet, _ *plan.Plan) { f.Groups[0].Members, f.HostGroups = []string{"a1", "d1"}, nil })
		p.put(p.find("move-placed", "a1"), Fact{Kind: "host-lost", Host: "d", Why: "no answer"})
	}},
	{"an act without a permit", 3, []string{"no-permit", "unpermitted"}, false, func(p *tape) { p.drop("turn-permitted", "c") }},
	{"a host group with a host down", 3, one("host-group"), false, func(p *tape) {
		p.replan(func(f *fleet.Fleet, _ *plan.Plan) { f.HostGroups[0].Hosts = []string{"c", "e"} })
	}},
	{"a site apart", 3, one("stagger"), false, func(p *tape) {
		p.replan(func(f *fleet.Fleet, pl *plan.Plan) {
			f.Hosts[1].Pools = []string{"p2", "p1"}
			pl.Policy.KeepReserve, pl.Policy.Canary, f.HostGroups, pl.Policy.MinStay = false, false, nil, 0
		})
		// b's turn opens while a's is under way, and moves nobody before a's has ended
		i := p.find("turn-permitted", "b")
		permit := p.facts[i]
		p.facts = slices.Delete(p.facts, i, i+1)
		j := p.find("move-placed", "a", "a2") + 2
		permit.At = p.facts[j-1].At
		p.facts = slices.Insert(p.facts, j, permit)
		// a2 again, from c to c's own pool: not needed; the next act of a is its undoing
		p.put(j+1, Fact{Kind: "move-placed", Turn: "a", Instance: "a2", From: "c", To: "a", Home: true, Attempt: 2, Deadline: at("2026-03-10 02:15")},
			Fact{Kind: "move-failed", Turn: "a", Instance: "a2", From: "c", To: "a", Home: true, Attempt: 2, Why: "no", Source: "running", Destination: "absent"})
	}},
	{"too many moves in a region", 6, one("moves-per-place"), false, func(p *tape) {
		p.replan(func(_ *fleet.Fleet, pl *plan.Plan) { pl.Policy.MovesPerRegion = 1 })
		i, j := p.find("move-done", "a", "a1"), p.find("move-placed", "a", "a2")
		first := p.facts[i] // it ends once the second has begun
		p.facts = slices.Delete(p.facts, i, i+1)
		first.At = p.facts[j-1].At
		p.facts = slices.Insert(p.facts, j, first)
	}},
	{"too many moves over a link", 6, one("moves-per-link"), false, func(p *tape) {
		p.replan(func(f *fleet.Fleet, pl *plan.Plan) {
			f.Links, pl.Policy.MovesPerLink = []fleet.Link{{ID: "up", Mbps: 100000, Hosts: []string{"a"}}}, 1
		})
		i, j := p.find("move-done", "a", "a1"), p.find("move-placed", "a", "a2")
		first := p.facts[i] // it ends once the second has begun
		p.facts = slices.Delete(p.facts, i, i+1)
		first.At = p.facts[j-1].At
		p.facts = slices.Insert(p.facts, j, first)
	}},
	{"too many of a region away", 6, one("away-from-place"), false, func(p *tape) {
		p.replan(func(f *fleet.Fleet, pl *plan.Plan) {
			f.Hosts[1].Pools = []string{"p2", "p1"}
			pl.Policy.KeepReserve, pl.Policy.Canary, f.HostGroups, pl.Policy.MinStay = false, false, nil, 0
			pl.Policy.StaggerSites, pl.Policy.AwayPerRegion = false, 1
		})
		i := p.find("turn-permitted", "b") // while a's turn is under way
		permit := p.facts[i]
		p.facts = slices.Delete(p.facts, i, i+1)
		j := p.find("move-placed", "a", "a2") + 2
		permit.At = p.facts[j-1].At
		p.facts = slices.Insert(p.facts, j, permit)
	}},
	{"a rack too soon after another", 3, one("stagger-gap"), false, func(p *tape) {
		p.replan(func(_ *fleet.Fleet, pl *plan.Plan) {
			pl.Policy.StaggerRacks, pl.Policy.StaggerGap.Racks = true, plan.Duration(2*time.Hour)
		})
	}},
	// law 4
	{"a notice that nobody accepted", 4, one("not-told"), false, func(p *tape) { p.drop("notice-accepted", "scheduled/birch") }},
	{"a notice accepted too late", 4, one("not-told"), false, func(p *tape) {
		i := p.find("notice-accepted", "scheduled/birch")
		accepted := p.facts[i]
		p.facts = slices.Delete(p.facts, i, i+1)
		accepted.At = at("2026-03-09 02:55")
		p.facts = slices.Insert(p.facts, i, accepted)
	}},
	{"a notice that was cancelled", 4, one("not-told"), false, func(p *tape) {
		i := p.find("notice-accepted", "scheduled/birch")
		p.put(i+1, Fact{Kind: "notice-asked", Notice: "cancelled/birch", NoticeKind: "cancelled", Tenant: "birch", Slots: []string{"a/a2"}},
			Fact{Kind: "notice-accepted", Notice: "cancelled/birch", Tenant: "birch", Contact: "ops@birch.example"})
	}},
	{"a slot that was moved after it was told", 4, one("not-told"), false, func(p *tape) {
		f, pl := goodFleet(), goodPlan()
		pl.Revision, pl.Parent = 2, 1
		slotOf(pl, "a/a1").End = at("2026-03-10 03:59")
		fact := Fact{Kind: "campaign-applied", Who: "operator:robin", Revision: 2, Generation: 1}
		fact.Plan, _ = json.Marshal(pl)
		fact.Fleet, _ = json.Marshal(f)
		p.put(p.find("host-seen", "a"), fact)
	}},
	{"an act that nothing was promised for", 4, one("not-promised"), false, func(p *tape) {
		p.replan(func(_ *fleet.Fleet, pl *plan.Plan) {
			pl.Slots = slices.DeleteFunc(pl.Slots, func(s plan.Slot) bool { return s.ID == "a/a2" })
		})
		for _, id := range []string{"scheduled/birch", "finished/birch"} {
			p.get("notice-asked", id).Slots = []string{"b/b1", "c/a2"}
		}
	}},
	{"a notice to another tenant", 4, []string{"wrong-tenant"}, false, func(p *tape) {
		n := p.get("notice-asked", "scheduled/birch")
		n.Slots = append(slices.Clone(n.Slots), "a/a1")
	}},
	{"a notice to a stranger", 4, one("wrong-contact"), false, func(p *tape) { p.get("notice-accepted", "scheduled/birch").Contact = "ops@cedar.example" }},
	// law 5
	{"a host rebooted twice", 5, one("rebooted-twice"), false, func(p *tape) {
		i := p.find("step-done", "a", "reboot")
		p.put(i+1, Fact{Kind: "step-started", Turn: "a", Host: "a", Step: "reboot", Attempt: 2, BootID: "boot-1-a"}, Fact{Kind: "step-done", Turn: "a", Host: "a", Step: "reboot", Attempt: 2, Why: "seen"})
	}},
	{"two boots after two orders", 5, one("rebooted-twice"), false, func(p *tape) {
		i := p.find("step-done", "a", "reboot")
		p.put(i, Fact{Kind: "step-failed", Turn: "a", Host: "a", Step: "reboot", Attempt: 1, Why: "no answer"},
			Fact{Kind: "step-started", Turn: "a", Host: "a", Step: "reboot", Attempt: 2, BootID: "boot-1-a"})
		p.facts[i+2].Attempt = 2
		j := p.find("step-started", "a", "prove")
		v := *p.facts[j+1].Seen
		v.BootID = "boot-x-a"
		p.put(j, Fact{Kind: "host-seen", Host: "a", Seen: &v})
		p.facts[j].Seen.At = p.facts[j].At
	}},
	{"a host updated twice", 5, one("updated-twice"), false, func(p *tape) {
		i := p.find("step-done", "a", "update")
		p.put(i+1, Fact{Kind: "step-started", Turn: "a", Host: "a", Step: "update", Attempt: 2}, Fact{Kind: "step-done", Turn: "a", Host: "a", Step: "update", Attempt: 2})
	}},
	{"two attempts at once", 5, one("two-attempts"), false, func(p *tape) {
		p.put(p.find("step-done", "a", "update"), Fact{Kind: "step-started", Turn: "a", Host: "a", Step: "update", Attempt: 1})
	}},
	{"a turn done without a reboot", 5, one("reboot-unproven"), false, func(p *tape) {
		p.drop("step-started", "a", "reboot")
		p.drop("step-done", "a", "reboot")
	}},
	{"a turn done on the same boot", 5, []string{"canary-unlooked", "reboot-unproven"}, false, func(p *tape) { p.get("step-done", "a", "prove").BootID = "boot-1-a" }},
	{"a reboot that names no boot", 5, one("reboot-unguarded"), false, func(p *tape) { p.get("step-started", "a", "reboot").BootID = "" }},
	{"a stale controller writes", 5, one("stale-controller"), false, func(p *tape) {
		i := p.find("turn-permitted", "b")
		p.put(i, Fact{Kind: "controller-took", Generation: 3})
		p.facts[i+1].Generation = 2
	}},
	{"a controller of an older generation", 5, one("generation-not-newer"), false, func(p *tape) {
		p.put(p.find("turn-permitted", "b"), Fact{Kind: "controller-took", Generation: 1})
	}},
	{"one instance placed on two hosts", 5, []string{"late-landing", "two-acts"}, false, func(p *tape) {
		i := p.find("move-done", "a1")
		second := p.facts[i-1]
		second.To, second.Attempt = "c", 2
		c := *p.get("host-seen", "b").Seen
		c.Instances = []Sighting{{ID: "c1", State: "running", MemoryMiB: 1024, Running: map[string]string{"qemu-system-x86": oldQEMU}}}
		p.put(i, Fact{Kind: "host-seen", Host: "c", Seen: &c}, second)
		p.put(i+3, Fact{Kind: "move-failed", Turn: "a", Instance: "a1", From: "a", To: "c", Attempt: 2, Why: "no", Source: "absent", Destination: "absent"})
		p.facts[i+3].Source, p.facts[i+3].Destination = "running", "absent"
		v := Fact{Kind: "host-seen", Host: "b", Seen: &View{At: p.facts[i+3].At.Add(time.Second), BootID: "boot-1-b", Health: "up", FreeMiB: 5120,
			Instances: []Sighting{{ID: "b1", State: "running", MemoryMiB: 1024}, {ID: "own", State: "running", MemoryMiB: 1024}, {ID: "a1", State: "running", MemoryMiB: 1024}}}}
		p.put(i+4, v)
		p.facts[i+4].At = p.facts[i+3].At.Add(time.Second)
	}},
	{"a move from where it is not", 5, one("from-elsewhere"), false, func(p *tape) { p.get("move-placed", "b", "a1").From = "c" }},
	{"another destination after an unresolved move", 5, one("place-unresolved"), false, func(p *tape) {
		p.replan(func(_ *fleet.Fleet, pl *plan.Plan) { pl.Policy.KeepReserve = false })
		i := p.find("move-done", "b", "own")
		look := func(host string) Fact {
			return Fact{Kind: "host-seen", Host: host, Seen: &View{At: p.facts[i-3].At, BootID: "boot-" + host, Health: "up", FreeMiB: 6144, Missing: []string{"instances"}}}
		}
		placed, failed := p.facts[i-1], p.facts[i]
		again, done := placed, failed
		placed.To = "c"
		failed.Kind, failed.Why, failed.To, failed.Source, failed.Destination = "move-failed", "lost", "c", "unreachable", "unreachable"
		again.Attempt, done.Attempt = 2, 2
		p.facts = slices.Delete(p.facts, i-1, i+1)
		// the fixed host a does not answer when the first is placed, and does when the second is
		p.put(i-1, Fact{Kind: "host-lost", Host: "a", Why: "no answer"}, look("c"), placed, failed, look("a"), again, done)
	}},
	{"a move whose end nobody read", 5, []string{"done-in-doubt", "ends-unread", "move-unproven", "not-back", "reboot-not-empty"}, false, func(p *tape) {
		p.get("move-done", "b", "own").Source = ""
		p.get("move-done", "b", "own").Destination = ""
	}},
	{"a move that is done and not proven", 5, []string{"done-in-doubt", "move-unproven", "not-back", "reboot-not-empty"}, false, func(p *tape) { p.get("move-done", "b", "own").Source = "unreachable" }},
	{"a move that ends in two places", 5, []string{"done-in-doubt", "not-back", "reboot-not-empty", "two-places"}, false, func(p *tape) { p.get("move-done", "b", "own").Source = "running" }},
	{"an instance seen here, there and here", 5, one("two-places"), false, func(p *tape) {
		i := p.find("turn-permitted", "a")
		look := func(host string, n int) Fact {
			return Fact{Kind: "host-seen", Host: host, Seen: &View{At: p.facts[i-1].At.Add(time.Duration(n) * time.Millisecond), BootID: "boot-1-" + host, Health: "up", Missing: []string{"rest"},
				Instances: []Sighting{{ID: "a1", State: "running", MemoryMiB: 1024}}}}
		}
		facts := []Fact{look("a", 1), look("b", 2), look("a", 3)}
		p.put(i, facts...)
		for n := range facts {
			p.facts[i+n].At = p.facts[i+n].Seen.At
		}
	}},
	{"a second turn of a host", 5, []string{"ended-twice", "second-turn"}, false, func(p *tape) {
		i := p.find("turn-done", "a")
		p.put(i+1, Fact{Kind: "turn-permitted", Turn: "a", Host: "a"}, Fact{Kind: "turn-dropped", Turn: "a", Host: "a", Code: "not-needed", Why: "done"})
		p.replan(func(_ *fleet.Fleet, pl *plan.Plan) { pl.Policy.Canary = false })
	}},
	{"a host of another campaign's turn", 5, one("host-claimed"), false, func(p *tape) {
		applied := p.facts[0]
		applied.Campaign = "autumn"
		p.put(p.find("turn-permitted", "a")+1, applied, Fact{Kind: "turn-permitted", Campaign: "autumn", Turn: "a", Host: "a"},
			Fact{Kind: "turn-dropped", Campaign: "autumn", Turn: "a", Host: "a", Code: "aborted", Why: "no"})
	}},
	{"a stopped instance started elsewhere", 5, one("back-elsewhere"), false, func(p *tape) {
		p.get("back-started", "c1").To = "b"
	}},
}
