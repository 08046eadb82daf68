package audit

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// houseMutants break laws 6 to 10.
var houseMutants = []journalMutant{
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
	{"a canary that does not soak", 6, []string{"canary-not-soaked", "canary-unlooked"}, false, func(p *tape) {
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
	{"a cordon that is kept, untried", 7, one("not-given-back"), false, func(p *tape) {
		i := p.find("given-back", "c")
		p.cut(i)
		p.put(i, Fact{Kind: "turn-dropped", Turn: "c", Host: "c", Code: "aborted", Why: "cordon could not be given back"})
	}},
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
	{"not brought home as planned", 7, one("not-home"), false, func(p *tape) {
		p.replan(func(_ *fleet.Fleet, pl *plan.Plan) {
			pl.Policy.Home = plan.HomeSettle
			pl.Moves = append(pl.Moves, plan.Move{Instance: "a2", From: "b", To: "a", Turn: "a", Home: true, Start: at("2026-03-11 02:05"), End: at("2026-03-11 02:06")})
		})
	}},
	{"a pool left worse off than found and than forecast", 7, one("pool-worse"), false, func(p *tape) {
		p.replan(func(_ *fleet.Fleet, pl *plan.Plan) {
			pl.Policy.Home = plan.HomeSettle
			pl.Moves[4].To = "c" // a, where it lands, is fuller by it than any host was
		})
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
	{"a campaign closed by force that was not told to end", 8, one("forced-unasked"), false, func(p *tape) {
		i := p.find("step-started", "update", "a")
		p.put(i, Fact{Kind: "campaign-forced", Who: "operator:robin", Why: "w"})
		p.cut(i + 1)
	}},
	{"a campaign that the engine closes by force", 8, one("forced-unasked"), false, func(p *tape) {
		i := p.find("step-started", "update", "a")
		p.put(i, Fact{Kind: "campaign-aborted", Who: "operator:robin", Why: "w"}, Fact{Kind: "campaign-forced", Why: "w"})
		p.cut(i + 2)
	}},
	{"a step that begins after the campaign was closed by force", 8, one("act-after-forced"), false, func(p *tape) {
		i := p.find("step-started", "update", "a")
		p.put(i, Fact{Kind: "campaign-aborted", Who: "operator:robin", Why: "w"}, Fact{Kind: "campaign-forced", Who: "operator:robin", Why: "w"})
		p.cut(i + 3)
	}},
	{"an instance started after the campaign was closed by force", 8, one("act-after-forced"), false, func(p *tape) {
		i := p.find("back-started", "c")
		p.put(i, Fact{Kind: "campaign-aborted", Who: "operator:robin", Why: "w"}, Fact{Kind: "campaign-forced", Who: "operator:robin", Why: "w"})
		p.cut(i + 3)
	}},
	{"a cordon that a campaign closed by force does not name", 7, one("not-given-back"), false, func(p *tape) {
		i := p.find("step-started", "update", "a")
		p.put(i, Fact{Kind: "campaign-aborted", Who: "operator:robin", Why: "w"}, Fact{Kind: "campaign-forced", Who: "operator:robin", Why: "w"},
			Fact{Kind: "turn-dropped", Turn: "a", Host: "a", Code: "forced", Why: "its host is dead"})
		p.cut(i + 3)
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
