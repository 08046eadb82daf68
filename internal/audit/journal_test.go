package audit

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// tape is a journal under the knife: facts are found by what they say, and numbered anew afterwards.
type tape struct {
	t     *testing.T
	facts []Fact
}

// find gives the place of the n-th fact (from 0) of a kind that agrees with the words given: any of
// its turn, step, instance, host, notice.
func (p *tape) find(kind string, words ...string) int {
	p.t.Helper()
	for i, f := range p.facts {
		if f.Kind != kind {
			continue
		}
		all := []string{f.Turn, f.Step, f.Instance, f.Host, f.Notice}
		if !slices.ContainsFunc(words, func(w string) bool { return !slices.Contains(all, w) }) {
			return i
		}
	}
	p.t.Fatalf("no %s fact with %v", kind, words)
	return -1
}

func (p *tape) get(kind string, words ...string) *Fact {
	p.t.Helper()
	return &p.facts[p.find(kind, words...)]
}

func (p *tape) drop(kind string, words ...string) {
	p.t.Helper()
	i := p.find(kind, words...)
	p.facts = slices.Delete(p.facts, i, i+1)
}

// put inserts facts ahead of place i, at the time of the fact before it.
func (p *tape) put(i int, facts ...Fact) {
	for n := range facts {
		facts[n].At = p.facts[i-1].At
		if facts[n].Campaign == "" {
			facts[n].Campaign = "spring"
		}
		if facts[n].Who == "" {
			facts[n].Who = "engine"
		}
	}
	p.facts = slices.Insert(p.facts, i, facts...)
}

// cut ends the journal ahead of place i.
func (p *tape) cut(i int) { p.facts = p.facts[:i] }

// delay moves all facts from place i on later.
func (p *tape) delay(i int, by time.Duration) {
	for n := i; n < len(p.facts); n++ {
		f := &p.facts[n]
		f.At = f.At.Add(by)
		if !f.Deadline.IsZero() {
			f.Deadline = f.Deadline.Add(by)
		}
		if f.Seen != nil {
			v := *f.Seen
			v.At = v.At.Add(by)
			f.Seen = &v
		}
	}
}

// remake changes plan and fleet and writes the whole journal anew.
func (p *tape) remake(change func(f *fleet.Fleet, p *plan.Plan)) {
	f, pl := goodFleet(), goodPlan()
	change(f, pl)
	p.facts = journalOf(f, pl)
}

// replan changes plan and fleet as they were applied, and nothing else.
func (p *tape) replan(change func(f *fleet.Fleet, p *plan.Plan)) {
	f, pl := goodFleet(), goodPlan()
	change(f, pl)
	p.facts[0].Plan, _ = json.Marshal(pl)
	p.facts[0].Fleet, _ = json.Marshal(f)
}

func (p *tape) renumber() {
	for i := range p.facts {
		p.facts[i].Seq = int64(i + 1)
	}
}

// journalMutant breaks one thing in a good journal; exactly the codes named must then be found.
type journalMutant struct {
	name   string
	law    int
	codes  []string
	raw    bool // keep the numbers as they are
	break_ func(p *tape)
}

func external(instance, code string) Fact {
	return Fact{Kind: "external", Host: "a", Instance: instance, Code: code, Why: "by others"}
}

var journalMutants = []journalMutant{
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
	{"a turn done on the same boot", 5, one("reboot-unproven"), false, func(p *tape) { p.get("step-done", "a", "prove").BootID = "boot-1-a" }},
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
	// law 6
	{"a look that is too old", 6, one("stale-look"), false, func(p *tape) {
		p.delay(p.find("move-placed", "a1"), 61*time.Second)
		p.get("move-placed", "a", "a2") // still there
	}},
	{"a destination never seen", 6, one("stale-look"), false, func(p *tape) {
		i := p.find("move-placed", "a", "a1")
		p.facts = slices.Delete(p.facts, i-1, i)
	}},
	{"no memory by the last look", 6, one("no-room"), false, func(p *tape) {
		i := p.find("move-placed", "a1")
		v := *p.facts[i-1].Seen
		v.FreeMiB = 1023
		p.facts[i-1].Seen = &v
	}},
	{"no memory once what is on its way has landed", 6, one("no-room"), false, func(p *tape) {
		// the look at a before b1's move is left out, and the one before a1's shows room for one only
		i := p.find("move-placed", "b", "a1")
		v := *p.facts[i-1].Seen
		v.FreeMiB = 2047
		p.facts[i-1].Seen = &v
		j := p.find("move-placed", "b", "b1")
		p.facts = slices.Delete(p.facts, j-1, j)
	}},
	{"a sick destination", 6, []string{"unhealthy"}, false, func(p *tape) {
		p.replan(func(_ *fleet.Fleet, pl *plan.Plan) { pl.Policy.KeepReserve = false })
		p.facts[p.find("move-placed", "a1")-1].Seen.Health = "sick"
	}},
	{"into a host's turn", 6, []string{"into-a-turn", "too-many-away"}, false, func(p *tape) {
		p.replan(func(f *fleet.Fleet, pl *plan.Plan) {
			pl.Policy.KeepReserve, pl.Policy.Canary, f.HostGroups = false, false, nil
		})
		i := p.find("turn-permitted", "b")
		permit := p.facts[i]
		p.facts = slices.Delete(p.facts, i, i+1)
		j := p.find("move-placed", "a", "a1")
		permit.At = p.facts[j-1].At
		p.facts = slices.Insert(p.facts, j, permit)
	}},
	{"a stay too short", 6, one("min-stay"), false, func(p *tape) {
		p.replan(func(_ *fleet.Fleet, pl *plan.Plan) { pl.Policy.MinStay = plan.Duration(51 * time.Minute) })
	}},
	{"a CPU feature missing", 6, one("cannot-take"), false, func(p *tape) {
		p.replan(func(f *fleet.Fleet, _ *plan.Plan) { f.Hosts[2].CPUFeatures = []string{"sse4_2"} })
	}},
	{"onto an older hypervisor, as it was seen", 6, one("cannot-take"), false, func(p *tape) {
		i := p.find("move-placed", "a1")
		p.facts[i-1].Seen.Installed["qemu-system-x86"] = "1:7.2+dfsg-7+deb12u14"
	}},
	{"onto a host of its group", 6, one("spread"), false, func(p *tape) {
		p.replan(func(f *fleet.Fleet, _ *plan.Plan) {
			f.Groups[1].Members, f.Groups[1].MaxUnavailable = []string{"c1"}, 3
		})
	}},
	{"the reserve eaten", 6, one("reserve"), false, func(p *tape) {
		p.replan(func(f *fleet.Fleet, _ *plan.Plan) { f.Pools[0].ReserveMiB = ptr(11265) })
	}},
	{"unfixed while a fixed one has room", 6, one("unfixed-destination"), false, func(p *tape) {
		f, pl := goodFleet(), goodPlan()
		s := newScript(f, pl)
		s.facts = slices.Clone(p.facts[:p.find("move-placed", "b", "own")])
		s.at["a1"], s.at["b1"], s.at["a2"], s.soft["a"] = "a", "a", "c", newQEMU
		s.now = s.facts[len(s.facts)-1].At
		s.move("b", "own", "c") // a was seen a second ago and has room
		p.facts = s.facts
	}},
	{"a canary that does not soak", 6, one("canary-not-soaked"), false, func(p *tape) {
		p.replan(func(_ *fleet.Fleet, pl *plan.Plan) { pl.Policy.Soak = plan.Duration(50 * time.Minute) })
	}},
	// law 7
	{"an instance that does not come back", 7, []string{"ended-while-away", "not-back"}, false, func(p *tape) {
		p.drop("back-started", "c1")
		p.drop("back-done", "c1")
	}},
	{"an instance that is not there any more", 7, one("not-back"), false, func(p *tape) {
		i := p.find("campaign-finished")
		p.put(i, Fact{Kind: "host-seen", Host: "c", Seen: &View{At: p.facts[i-1].At, BootID: "boot-2-c", Health: "up"}})
		p.put(i+1, p.facts[i])
	}},
	{"a cordon that is kept", 7, one("not-given-back"), false, func(p *tape) { p.drop("given-back", "a") }},
	{"a turn left open", 7, []string{"not-given-back", "turn-open"}, false, func(p *tape) {
		p.drop("turn-done", "c")
		p.drop("given-back", "c")
		i := p.find("step-started", "c", "uncordon")
		p.put(i, Fact{Kind: "turn-held", Turn: "c", Host: "c", Code: "operator", Why: "look"})
	}},
	{"a turn forgotten", 7, one("turn-forgotten"), false, func(p *tape) {
		i, j := p.find("turn-permitted", "c")-1, p.find("turn-done", "c")
		p.facts = slices.Delete(p.facts, i, j+1)
	}},
	{"not brought home", 7, one("not-home"), false, func(p *tape) {
		p.replan(func(_ *fleet.Fleet, pl *plan.Plan) { pl.Policy.BringHome = true })
	}},
	// law 8
	{"an act while paused", 8, one("act-while-stopped"), false, func(p *tape) {
		p.put(p.find("move-placed", "a2"), Fact{Kind: "campaign-paused", Who: "operator:robin", Why: "wait"})
		p.put(p.find("move-placed", "a2")+1, Fact{Kind: "campaign-resumed", Who: "operator:robin"})
	}},
	{"a stop while halted", 8, one("act-while-stopped"), false, func(p *tape) {
		p.put(p.find("stop-started"), Fact{Kind: "campaign-halted", Code: "failure-budget", Why: "too many"})
		p.put(p.find("stop-started")+1, Fact{Kind: "campaign-resumed", Who: "operator:robin"})
	}},
	{"a permit after an abort", 8, []string{"act-while-stopped", "permit-while-stopped", "reboot-while-stopped"}, false, func(p *tape) {
		p.put(p.find("turn-permitted", "c"), Fact{Kind: "campaign-aborted", Who: "operator:robin", Why: "enough"})
	}},
	{"a resumption after an abort", 8, one("resumed-aborted"), false, func(p *tape) {
		p.put(p.find("campaign-finished"), Fact{Kind: "campaign-aborted", Who: "operator:robin", Why: "enough"}, Fact{Kind: "campaign-resumed", Who: "operator:robin"})
	}},
	{"a reboot while paused", 8, one("reboot-while-stopped"), false, func(p *tape) {
		i := p.find("step-started", "a", "reboot")
		p.put(i, Fact{Kind: "campaign-paused", Who: "operator:robin", Why: "wait"})
		p.put(i+2, Fact{Kind: "campaign-resumed", Who: "operator:robin"})
	}},
	{"an act while its turn holds", 8, one("act-while-held"), false, func(p *tape) {
		i := p.find("move-placed", "a2")
		p.put(i, Fact{Kind: "turn-held", Turn: "a", Host: "a", Code: "operator", Why: "look"})
		p.put(i+2, Fact{Kind: "turn-released", Turn: "a", Host: "a", Who: "operator:robin"})
	}},
	{"a reboot while its turn holds", 8, one("reboot-while-held"), false, func(p *tape) {
		i := p.find("step-started", "a", "reboot")
		p.put(i, Fact{Kind: "turn-held", Turn: "a", Host: "a", Code: "operator", Why: "look"})
		p.put(i+2, Fact{Kind: "turn-released", Turn: "a", Host: "a", Who: "operator:robin"})
	}},
	{"a permit past the failure budget", 8, []string{"into-a-turn", "past-budget"}, false, func(p *tape) {
		p.replan(func(f *fleet.Fleet, pl *plan.Plan) {
			pl.Policy.Canary, pl.Policy.MaxAwayPercent, f.HostGroups, pl.Policy.KeepReserve = false, 100, nil, false
		})
		// both earlier turns break instead of ending, and end only after c's permit (so b's moves land in a's turn)
		var ends []Fact
		for _, id := range []string{"a", "b"} {
			i := p.find("turn-done", id)
			ends = append(ends, p.facts[i])
			p.facts[i] = Fact{Kind: "turn-held", Turn: id, Host: id, Code: "still-affected", Why: "a guest runs on old software", At: p.facts[i].At, Who: "engine", Campaign: "spring"}
		}
		p.put(p.find("turn-permitted", "c")+1, ends...)
	}},
	// law 9
	{"a permit under a deployment embargo", 9, one("under-embargo"), false, func(p *tape) {
		p.replan(func(_ *fleet.Fleet, pl *plan.Plan) {
			pl.Target.Disclosure, pl.Target.EmbargoDeploy = at("2026-03-10 02:30"), "no"
		})
	}},
	{"a plan that ends after disclosure", 9, one("after-disclosure"), false, func(p *tape) {
		p.replan(func(_ *fleet.Fleet, pl *plan.Plan) { pl.Target.Disclosure = at("2026-03-10 02:30") })
	}},
	{"a public text that names the advisory", 9, one("public-names-advisory"), false, func(p *tape) {
		p.replan(func(_ *fleet.Fleet, pl *plan.Plan) { pl.Public = "CVE-2025-11234" })
	}},
	// law 10
	{"a fact missing", 10, one("seq-gap"), true, func(p *tape) { p.facts = slices.Delete(p.facts, len(p.facts)-2, len(p.facts)-1) }},
	{"time runs backwards", 10, []string{"backwards"}, false, func(p *tape) { p.get("campaign-finished").At = at("2026-03-11 02:00") }},
	{"time off UTC", 10, one("not-utc"), false, func(p *tape) {
		f := p.get("campaign-finished")
		f.At = f.At.In(time.FixedZone("", 3600))
	}},
	{"no time", 10, []string{"backwards", "no-time"}, false, func(p *tape) { p.get("campaign-finished").At = time.Time{} }},
	{"nobody wrote it", 10, one("who"), false, func(p *tape) { p.get("turn-permitted", "c").Who = "" }},
	{"an operator without a name", 10, one("who"), false, func(p *tape) { p.get("turn-permitted", "c").Who = "operator:" }},
	{"an unknown kind", 10, one("kind"), false, func(p *tape) { p.put(2, Fact{Kind: "guess"}) }},
	{"a hold without a reason", 10, one("incomplete"), false, func(p *tape) {
		p.put(p.find("campaign-finished"), Fact{Kind: "campaign-paused", Who: "operator:robin"})
	}},
	{"facts before the plan", 10, []string{"before-applied", "empty"}[:1], false, func(p *tape) {
		p.facts = []Fact{p.facts[1]}
	}},
	{"a plan that cannot be read", 10, []string{"applied-unreadable"}, false, func(p *tape) {
		p.facts = p.facts[:1]
		p.facts[0].Plan = json.RawMessage(`{"turns": 3}`)
	}},
	{"a plan of no campaign", 10, []string{"no-campaign"}, false, func(p *tape) {
		p.facts = p.facts[:1]
		p.facts[0].Campaign = ""
	}},
	{"a revision that is not newer", 10, one("revision-not-newer"), false, func(p *tape) {
		p.put(p.find("notice-asked", "scheduled/acme"), p.facts[0])
		p.facts[1].Who = "operator:robin"
	}},
	{"an act after the end", 10, one("after-finish"), false, func(p *tape) {
		p.put(len(p.facts), Fact{Kind: "turn-held", Turn: "a", Host: "a", Code: "operator", Why: "look"})
	}},
	{"an unknown turn", 10, []string{"unknown-turn"}, false, func(p *tape) {
		p.put(p.find("campaign-finished"), Fact{Kind: "turn-dropped", Turn: "x", Host: "x", Code: "aborted", Why: "no"})
	}},
	{"a turn on another host", 10, one("turn-host"), false, func(p *tape) { p.get("borrowed", "c").Host = "b" }},
	{"a step on another host", 10, one("turn-host"), false, func(p *tape) { p.get("step-started", "c", "cordon").Host = "b" }},
	{"a turn that ends twice", 10, one("ended-twice"), false, func(p *tape) {
		i := p.find("turn-done", "a")
		p.put(i+1, Fact{Kind: "turn-dropped", Turn: "a", Host: "a", Code: "aborted", Why: "no"})
		p.replan(func(_ *fleet.Fleet, pl *plan.Plan) { pl.Policy.Canary = false })
	}},
	{"a setting given back that was not taken", 10, one("not-borrowed"), false, func(p *tape) { p.drop("borrowed", "a") }},
	{"a reboot done that was never started", 10, []string{"unstarted"}, false, func(p *tape) { p.drop("step-started", "a", "reboot") }},
	{"a move done that was never placed", 10, []string{"unplaced"}, false, func(p *tape) { p.drop("move-placed", "b", "own") }},
	{"a stop done that was never started", 10, []string{"unstarted"}, false, func(p *tape) { p.drop("stop-started", "c1") }},
	{"a return that was never started", 10, one("unstarted"), false, func(p *tape) { p.drop("back-started", "c1") }},
	{"a notice asked twice", 10, one("notice-twice"), false, func(p *tape) { p.put(2, p.facts[1]) }},
	{"a notice of an unknown kind", 10, []string{"not-told", "notice-kind"}, false, func(p *tape) { p.get("notice-asked", "scheduled/birch").NoticeKind = "rumour" }},
	{"a notice accepted that nobody asked for", 10, one("notice-unasked"), false, func(p *tape) { p.drop("notice-asked", "finished/birch") }},
	{"a notice of an unknown slot", 10, one("unknown-slot"), false, func(p *tape) {
		n := p.get("notice-asked", "scheduled/birch")
		n.Slots = append(slices.Clone(n.Slots), "a/x")
	}},
	{"a look from the future", 10, one("seen-ahead"), false, func(p *tape) {
		i := p.find("turn-permitted", "a") - 1
		p.facts[i].Seen.At = p.facts[i].At.Add(time.Second)
	}},
	{"no facts at all", 10, one("empty"), false, func(p *tape) { p.cut(0) }},
}

func TestJournalMutants(t *testing.T) {
	for _, m := range journalMutants {
		t.Run(m.name, func(t *testing.T) {
			p := &tape{t, goodJournal()}
			m.break_(p)
			if !m.raw {
				p.renumber()
			}
			found := Facts(p.facts).Findings
			if got := codes(found); !slices.Equal(got, m.codes) {
				show(t, found)
				t.Fatalf("found %v, want %v", got, m.codes)
			}
			if !slices.ContainsFunc(found, func(x Finding) bool { return x.Law == m.law }) {
				t.Errorf("no finding is of law %d", m.law)
			}
			for _, x := range found {
				if x.What == "" || x.Allow == "" || x.Law < 1 || x.Law > Laws {
					t.Errorf("a finding without words: %+v", x)
				}
			}
		})
	}
}
