package audit

import (
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// planMutant breaks one thing in a good plan, or in the fleet beneath it; exactly the codes named
// must then be found. The plan is sealed again unless raw.
type planMutant struct {
	name  string
	law   int // of the first code
	codes []string
	raw   bool
	spoil func(f *fleet.Fleet, p *plan.Plan)
}

func one(code string) []string { return []string{code} }

func slotOf(p *plan.Plan, id string) *plan.Slot {
	for i := range p.Slots {
		if p.Slots[i].ID == id {
			return &p.Slots[i]
		}
	}
	panic("no slot " + id)
}

func dropMove(p *plan.Plan, i int) { p.Moves = slices.Delete(p.Moves, i, i+1) }

func shiftTurn(p *plan.Plan, id string, by time.Duration) {
	for i := range p.Turns {
		if t := &p.Turns[i]; t.ID == id {
			t.Start, t.End = t.Start.Add(by), t.End.Add(by)
		}
	}
	for i := range p.Moves {
		if m := &p.Moves[i]; m.Turn == id {
			m.Start, m.End = m.Start.Add(by), m.End.Add(by)
		}
	}
}

// elsewhere moves host c to another site and its turn into the night of b's; a2 is out of it.
func elsewhere(site string) func(f *fleet.Fleet, p *plan.Plan) {
	return func(f *fleet.Fleet, p *plan.Plan) {
		f.Pools = append(f.Pools, fleet.Pool{ID: "p3", Site: site, ReserveMiB: new(int64)})
		f.Hosts[2].Pools = []string{"p3", "p1"}
		p.Turns[2].Pool, p.Turns[2].Site = "p3", site
		p.Policy.Canary, p.Policy.KeepReserve = false, false
		// c's turn, without a2, which goes to nobody's host meanwhile: same night as b's.
		p.Slots = slices.DeleteFunc(p.Slots, func(s plan.Slot) bool { return s.Instance == "a2" })
		p.Moves = slices.DeleteFunc(p.Moves, func(m plan.Move) bool { return m.Instance == "a2" })
		f.Instances[1].State, f.Instances[1].Group = fleet.Stopped, ""
		p.Turns[2].Start, p.Turns[2].End = at("2026-03-10 03:00"), at("2026-03-10 03:20")
		p.Turns[2].Wave = 2
		p.Turns[2].WindowStart, p.Turns[2].WindowEnd = at("2026-03-10 02:00"), at("2026-03-10 04:00")
		s := slotOf(p, "c/c1")
		s.Start, s.End = at("2026-03-10 02:00"), at("2026-03-10 04:00")
		s.NoticeBy = s.Start.Add(-7 * 24 * time.Hour)
	}
}

var planMutants = []planMutant{
	{"a campaign that supersedes itself", 10, one("own-parent"), false, func(_ *fleet.Fleet, p *plan.Plan) { p.Supersedes = p.Campaign }},
	// law 1
	{"an instance is neither moved nor stopped", 1, one("left-behind"), false, func(f *fleet.Fleet, p *plan.Plan) {
		dropMove(p, 4)
		p.Slots = slices.DeleteFunc(p.Slots, func(s plan.Slot) bool { return s.ID == "b/own" })
	}},
	{"an instance leaves as the turn ends", 1, one("late-out"), false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Moves[5].Start, p.Moves[5].End = at("2026-03-11 02:20"), at("2026-03-11 02:25")
	}},
	{"an instance leaves after another came home", 1, one("late-out"), false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Moves = append(p.Moves, plan.Move{Instance: "a1", From: "b", To: "a", Turn: "a", Home: true, Start: at("2026-03-10 02:04"), End: at("2026-03-10 02:05")})
		dropMove(p, 2)
		p.Slots = slices.DeleteFunc(p.Slots, func(s plan.Slot) bool { return s.ID == "b/a1" })
	}},
	{"a move without a slot", 1, one("no-slot"), false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Slots = slices.DeleteFunc(p.Slots, func(s plan.Slot) bool { return s.ID == "a/a2" })
	}},
	{"a promised stop that moves", 1, []string{"cannot-take", "moved-otherwise"}, false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Moves = append(p.Moves, plan.Move{Instance: "c1", From: "c", To: "a", Turn: "c", Start: at("2026-03-11 02:05"), End: at("2026-03-11 02:06")})
	}},
	{"a stop called a blip", 1, one("class"), false, func(f *fleet.Fleet, p *plan.Plan) {
		s := slotOf(p, "c/c1")
		s.Class = plan.ClassBlip
		s.NoticeBy = s.Start.Add(-24 * time.Hour)
	}},
	{"a disposition that is none", 1, []string{"class", "disposition", "moved-otherwise"}, false, func(f *fleet.Fleet, p *plan.Plan) {
		s := slotOf(p, "a/a2")
		s.Disposition = plan.DispBlocked
	}},
	{"expected above worst", 1, one("expected-above-worst"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Slots[0].ExpectedMs = 901 }},
	{"a blip longer than policy's", 1, one("class-understated"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Slots[0].WorstMs = 5001 }},
	{"memory that cannot be saved", 1, one("cannot-suspend"), false, func(f *fleet.Fleet, p *plan.Plan) { f.Instances[3].NoSuspend = true }},
	{"a stopped instance that migrates", 1, one("moves-stopped"), false, func(f *fleet.Fleet, p *plan.Plan) { f.Instances[5].State = fleet.Stopped }},
	// law 2
	{"a move before its turn", 2, []string{"move-outside-turn"}, false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Moves[2].Start = at("2026-03-10 02:49")
	}},
	{"a move before its slot", 2, []string{"move-outside-slot", "turn-outside-slot"}, false, func(f *fleet.Fleet, p *plan.Plan) {
		s := slotOf(p, "a/a1")
		s.Start = at("2026-03-10 02:02")
		s.NoticeBy = s.Start.Add(-24 * time.Hour)
	}},
	{"a worst case that outlasts its slot", 2, one("turn-outside-slot"), false, func(f *fleet.Fleet, p *plan.Plan) { slotOf(p, "b/b1").End = at("2026-03-10 03:49") }},
	{"a slot longer than policy's", 2, one("slot-too-long"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Policy.Slot = plan.Duration(time.Hour) }},
	{"a worst case that outlasts the window", 2, []string{"turn-outside-slot", "turn-outside-window", "window-misstated"}, false, func(f *fleet.Fleet, p *plan.Plan) { p.Turns[1].WorstS = 4260 }},
	{"a slot that begins before the window", 2, one("slot-outside-window"), false, func(f *fleet.Fleet, p *plan.Plan) {
		s := slotOf(p, "a/a1")
		s.Start, s.End = at("2026-03-10 01:30"), at("2026-03-10 03:30")
		s.NoticeBy = s.Start.Add(-24 * time.Hour)
	}},
	{"a window misstated", 2, one("window-misstated"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Turns[0].WindowEnd = at("2026-03-10 04:01") }},
	{"windows of another region", 2, []string{"slot-outside-window", "turn-outside-window", "window-misstated"}, false, func(f *fleet.Fleet, p *plan.Plan) { p.Policy.Windows[0].Regions = []string{"south"} }},
	{"a window in an unknown zone", 2, []string{"slot-outside-window", "turn-outside-window", "window-misstated", "windows-unreadable"}, false, func(f *fleet.Fleet, p *plan.Plan) { p.Policy.Windows[0].Timezone = "Nowhere/Land" }},
	// law 3
	{"two members of a group at once", 3, one("group"), false, func(f *fleet.Fleet, p *plan.Plan) { f.Groups[0].Members = []string{"a2", "c1"} }},
	{"a group with a member down", 3, one("group"), false, func(f *fleet.Fleet, p *plan.Plan) {
		f.Groups[0].Members = []string{"a1", "d1"}
		f.Instances[4].State = fleet.Paused
	}},
	{"a group with a member on a host that is down", 3, one("group"), false, func(f *fleet.Fleet, p *plan.Plan) {
		f.Groups[0].Members = []string{"a1", "d1"}
		f.Hosts[3].Health = fleet.Down
		f.HostGroups = nil
	}},
	{"a host group with a host down", 3, one("host-group"), false, func(f *fleet.Fleet, p *plan.Plan) { f.HostGroups[0].Hosts = []string{"c", "e"} }},
	{"two sites of a region at once", 3, one("stagger"), false, elsewhere("s2")},
	{"two regions at once", 3, one("stagger"), false, func(f *fleet.Fleet, p *plan.Plan) {
		elsewhere("s3")(f, p)
		p.Policy.StaggerRegions, p.Policy.StaggerSites = true, false
	}},
	// law 4
	{"made too late to tell", 4, one("lead"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Made = at("2026-03-04 02:01") }},
	{"a wrong notice_by", 4, one("notice-by"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Slots[0].NoticeBy = p.Slots[0].NoticeBy.Add(time.Minute) }},
	{"a tenant nobody can reach", 4, one("no-contact"), false, func(f *fleet.Fleet, p *plan.Plan) { f.Tenants[1].Contacts = nil }},
	// law 5
	{"two moves of an instance at once", 5, []string{"two-moves"}, false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Moves = append(p.Moves, plan.Move{Instance: "a1", From: "a", To: "c", Turn: "a", Start: at("2026-03-10 02:02"), End: at("2026-03-10 02:04")})
	}},
	{"a move from where it is not", 5, []string{"from-elsewhere", "left-behind"}, false, func(f *fleet.Fleet, p *plan.Plan) { p.Moves[2].From = "c" }},
	{"two turns of a host", 5, []string{"double-id", "live-patch-disturbs", "two-turns"}, false, func(f *fleet.Fleet, p *plan.Plan) {
		t := p.Turns[0]
		t.Canary, t.Wave = false, 2
		t.Start, t.End = at("2026-03-11 02:40"), at("2026-03-11 02:50")
		t.WindowStart, t.WindowEnd = at("2026-03-11 02:00"), at("2026-03-11 04:00")
		t.Wave, t.Tactic = 4, plan.LivePatch
		p.Turns, p.End = append(p.Turns, t), t.End
		p.Policy.Windows[0].Always = true
		for i := range p.Slots {
			if p.Slots[i].Turn == "a" {
				p.Slots[i].End = at("2026-03-11 04:00")
			}
		}
		p.Policy.Slot = plan.Duration(48 * time.Hour)
	}},
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
	{"into a host's turn", 6, one("into-a-turn"), false, func(f *fleet.Fleet, p *plan.Plan) {
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
	{"from a fixed host back to an unfixed one", 6, one("cannot-take"), false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Moves = append(p.Moves, plan.Move{Instance: "own", From: "a", To: "c", Turn: "b", Start: at("2026-03-10 03:00"), End: at("2026-03-10 03:02")},
			plan.Move{Instance: "own", From: "c", To: "b", Turn: "c", Start: at("2026-03-11 02:03"), End: at("2026-03-11 02:05")})
		s := *slotOf(p, "c/a2")
		s.ID, s.Instance, s.Tenant = "c/own", "own", ""
		p.Slots = append(p.Slots, s)
	}},
	{"with a newer monitor onto an older hypervisor", 6, one("cannot-take"), false, func(f *fleet.Fleet, p *plan.Plan) {
		f.Instances[1].Running = map[string]string{"qemu-system-x86": newQEMU}
	}},
	{"onto a host of its group", 6, one("spread"), false, func(f *fleet.Fleet, p *plan.Plan) {
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
	}},
	{"onto a host of its group that spreads over racks, whose rack nobody knows", 6, one("spread"), false, func(f *fleet.Fleet, p *plan.Plan) {
		f.Groups[1].Spread, f.Hosts[0].Rack, f.Hosts[1].Rack = fleet.SpreadRack, "", ""
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
	{"a turn that may end before it ends", 10, one("turn-times"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Turns[2].WorstS = 1499 }},
	{"a turn before the plan", 10, one("plan-times"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Start = at("2026-03-10 02:01") }},
	{"a turn in wave 0", 10, one("wave"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Turns[0].Wave = 0 }},
	{"a turn that starts before the plan was made", 10, []string{"before-made", "lead"}, false, func(f *fleet.Fleet, p *plan.Plan) { p.Made = at("2026-03-11 00:00") }},
	{"a move of an unknown instance", 10, []string{"no-slot", "unknown-instance"}, false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Moves = append(p.Moves, plan.Move{Instance: "x", From: "a", To: "b", Turn: "a", Start: at("2026-03-10 02:02"), End: at("2026-03-10 02:04")})
	}},
	{"a move to an unknown host", 10, []string{"move-hosts"}, false, func(f *fleet.Fleet, p *plan.Plan) { p.Moves[5].To = "x" }},
	{"a move that ends before it starts", 10, one("move-times"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Moves[5].End = at("2026-03-11 02:01") }},
	{"a move of an unknown turn", 10, []string{"left-behind", "no-slot", "unknown-turn"}, false, func(f *fleet.Fleet, p *plan.Plan) { p.Moves[5].Turn = "x" }},
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

func ptr(n int64) *int64 { return &n }

func TestPlanMutants(t *testing.T) {
	for _, m := range planMutants {
		t.Run(m.name, func(t *testing.T) {
			f, p := goodFleet(), goodPlan()
			m.spoil(f, p)
			if !m.raw {
				seal(p)
			}
			found := Plan(f, p)
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
