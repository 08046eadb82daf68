package audit

import (
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// hostMutants break laws 6 to 10.
var hostMutants = []planMutant{
	// law 6
	{"no memory", 6, one("no-room"), false, func(f *fleet.Fleet, p *plan.Plan) {
		f.Hosts[1].MemoryMiB = 3071
		f.Instances = append(f.Instances, fleet.Instance{ID: "asleep", Host: "b", State: fleet.Stopped, MemoryMiB: 9000})
		p.Policy.KeepReserve = false
	}},
	{"the reserve eaten", 6, one("reserve"), false, func(f *fleet.Fleet, p *plan.Plan) { f.Pools[0].ReserveMiB = ptr(11265) }},
	{"a sick destination", 6, one("unhealthy"), false, func(f *fleet.Fleet, p *plan.Plan) {
		f.Hosts[1].Health = fleet.Sick
		p.Policy.KeepReserve = false
	}},
	{"into a host's turn", 6, []string{"host-unable", "into-a-turn", "no-live-patch"}, false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Moves[5].Start, p.Moves[5].End, p.Moves[5].To = at("2026-03-11 02:01"), at("2026-03-11 02:03"), "b"
		p.Turns[1].Start, p.Turns[1].End = at("2026-03-11 02:00"), at("2026-03-11 02:20")
		p.Turns[1].Wave, p.Turns[1].Tactic = 3, plan.LivePatch
		p.Turns[1].WindowStart, p.Turns[1].WindowEnd = at("2026-03-11 02:00"), at("2026-03-11 04:00")
		p.Policy.MaxAwayPercent, p.Policy.KeepReserve = 50, false
		f.Groups, f.Hosts[0].Spare = nil, true
		p.Slots = slices.DeleteFunc(p.Slots, func(s plan.Slot) bool { return s.Turn == "b" })
		p.Moves = slices.DeleteFunc(p.Moves, func(m plan.Move) bool { return m.Turn == "b" })
	}},
	{"a stay too short", 6, one("min-stay"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Policy.MinStay = plan.Duration(48 * time.Minute) }},
	{"a CPU feature missing", 6, one("cannot-take"), false, func(f *fleet.Fleet, p *plan.Plan) { f.Hosts[2].CPUFeatures = []string{"sse4_2"} }},
	{"a machine type missing", 6, one("cannot-take"), false, func(f *fleet.Fleet, p *plan.Plan) { f.Hosts[2].MachineTypes = []string{"pc-i440fx-7.2"} }},
	{"a network missing", 6, one("cannot-take"), false, func(f *fleet.Fleet, p *plan.Plan) { f.Hosts[2].Networks = []string{"wan"} }},
	{"a storage missing", 6, one("cannot-take"), false, func(f *fleet.Fleet, p *plan.Plan) { f.Hosts[2].Storage = []string{"ceph"} }},
	{"no live migration", 6, one("cannot-take"), false, func(f *fleet.Fleet, p *plan.Plan) { f.Hosts[1].Capabilities = []string{"reboot", "update"} }},
	{"a PV guest that leaves a Xen without shadow paging", 6, one("cannot-take"), false, func(f *fleet.Fleet, p *plan.Plan) {
		f.Hosts[0].VirtCaps, f.Hosts[1].VirtCaps, f.Instances[0].GuestType = []string{"pv", "hvm", "hap"}, []string{"pv", "hvm", "hap"}, "pv"
	}},
	{"another hypervisor", 6, one("cannot-take"), false, func(f *fleet.Fleet, p *plan.Plan) { f.Hosts[2].Hypervisor = fleet.Xen }},
	{"a pinned instance", 6, one("cannot-take"), false, func(f *fleet.Fleet, p *plan.Plan) { f.Instances[0].Pinned = "licence" }},
	{"a passed-through device", 6, one("cannot-take"), false, func(f *fleet.Fleet, p *plan.Plan) { f.Instances[0].Devices = []string{"gpu0"} }},
	{"a local disk", 6, one("cannot-take"), false, func(f *fleet.Fleet, p *plan.Plan) { f.Instances[0].Disks[0].Shared = false }},
	{"an instance the driver calls immovable", 6, one("cannot-take"), false, func(f *fleet.Fleet, p *plan.Plan) {
		f.Instances[0].Immovable = []fleet.Reason{{Code: "x", Why: "y"}}
	}},
	{"no common pool", 6, one("cannot-take"), false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Moves[5].To = "d"
		p.Policy.KeepReserve = false
	}},
	{"onto an older hypervisor", 6, one("cannot-take"), false, func(f *fleet.Fleet, p *plan.Plan) {
		f.Hosts[2].Software.Installed = map[string]string{"qemu-system-x86": "1:7.2+dfsg-7+deb12u14"}
	}},
	{"from a fixed host back to an unfixed one", 6, []string{"cannot-take", "move-of-turn"}, false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Moves = append(p.Moves, plan.Move{Instance: "own", From: "a", To: "c", Turn: "b", Start: at("2026-03-10 03:00"), End: at("2026-03-10 03:02")},
			plan.Move{Instance: "own", From: "c", To: "b", Turn: "c", Start: at("2026-03-11 02:03"), End: at("2026-03-11 02:05")})
		s := *slotOf(p, "c/a2")
		s.ID, s.Instance, s.Tenant = "c/own", "own", ""
		p.Slots = append(p.Slots, s)
	}},
	{"with a newer monitor onto an older hypervisor", 6, one("cannot-take"), false, func(f *fleet.Fleet, p *plan.Plan) {
		f.Instances[1].Running = map[string]string{"qemu-system-x86": newQEMU}
	}},
	{"onto a host of its group", 6, one("spread"), false, ontoItsGroup},
	{"onto a host of its group that spreads over racks, whose rack nobody knows", 6, one("spread"), false, func(f *fleet.Fleet, p *plan.Plan) {
		f.Groups[1].Spread, f.Hosts[0].Rack, f.Hosts[1].Rack = fleet.SpreadRack, "", ""
		ontoItsGroup(f, p)
	}},
	{"unfixed while a fixed one has room", 6, one("unfixed-destination"), false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Moves[4].To = "c"
		p.Moves = append(p.Moves, plan.Move{Instance: "own", From: "c", To: "b", Turn: "c", Start: at("2026-03-11 02:03"), End: at("2026-03-11 02:05")})
		s := *slotOf(p, "c/a2")
		s.ID, s.Instance, s.Tenant = "c/own", "own", ""
		p.Slots = append(p.Slots, s)
	}},
	{"no canary", 6, one("no-canary"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Turns[0].Canary = false }},
	{"a canary that does not soak", 6, one("canary-not-soaked"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Policy.Soak = plan.Duration(31 * time.Minute) }},
	{"waves out of order", 6, one("wave-order"), false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Turns[1].Wave, p.Turns[2].Wave = 3, 2
		f.Pools = append(f.Pools, fleet.Pool{ID: "p3", Site: "s1", ReserveMiB: new(int64)})
		f.Hosts[2].Pools = []string{"p3", "p1"}
		p.Turns[2].Pool = "p3"
		p.Policy.KeepReserve = false
	}},
	{"waves that overlap, too many away", 6, []string{"too-many-away", "wave-overlap"}, false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Policy.Canary, f.HostGroups, p.Policy.KeepReserve = false, nil, false
		p.Policy.MinStay = 0
		shiftTurn(p, "b", -31*time.Minute)
	}},
	// law 7
	{"a host forgotten", 7, one("host-forgotten"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Blocked = nil }},
	{"a host both turned and skipped", 7, one("host-twice"), false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Skipped = append(p.Skipped, plan.Skipped{Host: "c", Code: "fixed", Why: "so it says"})
		f.Hosts[2].Spare = true
	}},
	{"not brought home", 7, one("not-home"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Policy.BringHome = true }},
	{"a pool left worse off", 7, one("pool-worse"), false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Policy.Home, p.Turns[1].WorstS = plan.HomeSettle, 2700 // there is time for a move home
	}},
	// law 9
	{"a public text that names the advisory", 9, one("public-names-advisory"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Public = "fix for cve-2025-11234" }},
	{"a public text that names an alias", 9, one("public-names-advisory"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Public = "see XSA-108" }},
	{"an end after disclosure", 9, one("after-disclosure"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Target.Disclosure = at("2026-03-11 02:24") }},
	{"a turn under a deployment embargo", 9, one("under-embargo"), false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Target.Disclosure, p.Target.EmbargoDeploy = at("2026-03-10 02:01"), "no"
	}},
	{"an end after finish_by", 9, one("finish-by"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Target.FinishBy = at("2026-03-11 02:24") }},
	{"an end after policy's finish_by", 9, one("finish-by"), false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Target.FinishBy, p.Policy.FinishBy = time.Time{}, at("2026-03-11 02:24")
	}},
	// law 10
	{"changed after it was sealed", 10, one("digest"), true, func(f *fleet.Fleet, p *plan.Plan) { p.Verdict = "all is well" }},
	{"a wrong count", 10, []string{"count", "digest"}, true, func(f *fleet.Fleet, p *plan.Plan) { p.Counts.Moves++ }},
	{"another fleet", 10, one("fleet-digest"), false, func(f *fleet.Fleet, p *plan.Plan) { p.FleetDigest = "0" }},
	{"another schema", 10, one("schema"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Evenkeel = "plan/v2" }},
	{"no campaign", 10, one("no-campaign"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Campaign = "" }},
	{"a parent of its own revision", 10, one("revision"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Parent = 1 }},
	{"no moment of making", 10, one("no-made"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Made = time.Time{} }},
	{"an unknown tactic", 10, one("tactic"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Turns[0].Tactic = "hope" }},
	{"a turn of another name", 10, one("turn-id"), false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Turns[2].ID = "c9"
		p.Moves[5].Turn = "c9"
		for i := range p.Slots {
			if s := &p.Slots[i]; s.Turn == "c" {
				s.Turn, s.ID = "c9", "c9/"+s.Instance
			}
		}
	}},
	{"a turn of an unknown host", 10, []string{"unknown-host"}, false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Turns = append(p.Turns, plan.Turn{ID: "x", Host: "x", Wave: 4, Tactic: plan.LivePatch, Start: at("2026-03-11 02:21"), End: at("2026-03-11 02:25"), WorstS: 600})
	}},
	{"a turn in another pool", 10, one("turn-place"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Turns[0].Pool = "p2" }},
	{"a turn that may end before it ends", 10, []string{"turn-times", "worst-too-short"}, false, func(f *fleet.Fleet, p *plan.Plan) { p.Turns[2].WorstS = 1499 }},
	{"a turn before the plan", 10, one("plan-times"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Start = at("2026-03-10 02:01") }},
	{"a turn in wave 0", 10, one("wave"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Turns[0].Wave = 0 }},
	{"a turn that starts before the plan was made", 10, []string{"before-made", "lead"}, false, func(f *fleet.Fleet, p *plan.Plan) { p.Made = at("2026-03-11 00:00") }},
	{"a move of an unknown instance", 10, []string{"no-slot", "unknown-instance"}, false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Moves = append(p.Moves, plan.Move{Instance: "x", From: "a", To: "b", Turn: "a", Start: at("2026-03-10 02:02"), End: at("2026-03-10 02:04")})
	}},
	{"a move to an unknown host", 10, []string{"move-hosts"}, false, func(f *fleet.Fleet, p *plan.Plan) { p.Moves[5].To = "x" }},
	{"a move that ends before it starts", 10, one("move-times"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Moves[5].End = at("2026-03-11 02:01") }},
	{"a move of an unknown turn", 10, []string{"left-behind", "no-move", "no-slot", "unknown-turn"}, false, func(f *fleet.Fleet, p *plan.Plan) { p.Moves[5].Turn = "x" }},
	{"a way home that ends elsewhere", 10, one("home-move"), false, func(f *fleet.Fleet, p *plan.Plan) {
		f.Groups = nil
		p.Moves = append(p.Moves, plan.Move{Instance: "a2", From: "b", To: "a", Turn: "c", Home: true, Start: at("2026-03-11 02:30"), End: at("2026-03-11 02:31")})
	}},
	{"a slot twice", 10, one("double-id"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Slots = append(p.Slots, p.Slots[0]) }},
	{"a slot of another name", 10, one("slot-id"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Slots[0].ID = "x" }},
	{"a slot of an unknown turn", 10, one("unknown-turn"), false, func(f *fleet.Fleet, p *plan.Plan) {
		s := p.Slots[0]
		s.Turn, s.ID = "x", "x/a1"
		p.Slots = append(p.Slots, s)
	}},
	{"a slot of an unknown instance", 10, one("unknown-instance"), false, func(f *fleet.Fleet, p *plan.Plan) {
		s := p.Slots[0]
		s.Instance, s.ID = "x", "a/x"
		p.Slots = append(p.Slots, s)
	}},
	{"a slot promised to another tenant", 10, one("slot-tenant"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Slots[0].Tenant = "birch" }},
	{"a slot that ends as it starts", 10, []string{"move-outside-slot", "slot-times", "turn-outside-slot"}, false, func(f *fleet.Fleet, p *plan.Plan) { p.Slots[0].End = p.Slots[0].Start }},
	{"an unknown host blocked", 10, one("unknown-blocked"), false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Blocked = append(p.Blocked, plan.Blocked{Host: "x", Code: "c", Why: "w", Unblock: "u"})
	}},
	{"a blocker without a remedy", 10, one("blocked-unsaid"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Blocked[0].Unblock = "" }},
	{"an unknown host skipped", 10, one("unknown-host"), false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Skipped = append(p.Skipped, plan.Skipped{Host: "x", Code: "c", Why: "w"})
	}},
	{"a host skipped without a word", 10, one("skipped-unsaid"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Skipped[0].Why = "" }},
}

// ontoItsGroup has a2 moved to the host on which the other member of its group is.
func ontoItsGroup(f *fleet.Fleet, p *plan.Plan) {
	p.Moves[1].To, p.Moves[5] = "b", p.Moves[1]
	p.Moves[1].To = "b"
	dropMove(p, 5)
	p.Slots = slices.DeleteFunc(p.Slots, func(s plan.Slot) bool { return s.ID == "c/a2" })
	p.Moves = append(p.Moves, plan.Move{Instance: "a2", From: "b", To: "a", Turn: "b", Start: at("2026-03-10 02:57"), End: at("2026-03-10 02:59")})
	s := *slotOf(p, "b/b1")
	s.ID, s.Instance = "b/a2", "a2"
	p.Slots = append(p.Slots, s)
	f.Hosts[0].MemoryMiB = 16384
	p.Policy.KeepReserve = false
}
