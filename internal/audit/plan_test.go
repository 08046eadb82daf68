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

// planMutants are all mutants of a plan.
var planMutants = slices.Concat(promiseMutants, hostMutants, tacticMutants, deadlineMutants, forecastMutants, quantileMutants)

// promiseMutants break laws 1 to 5.
var promiseMutants = []planMutant{
	{"a campaign that supersedes itself", 10, one("own-parent"), false, func(_ *fleet.Fleet, p *plan.Plan) { p.Supersedes = p.Campaign }},
	// law 1
	{"an instance is neither moved nor stopped", 1, one("left-behind"), false, func(f *fleet.Fleet, p *plan.Plan) {
		dropMove(p, 4)
		p.Slots = slices.DeleteFunc(p.Slots, func(s plan.Slot) bool { return s.ID == "b/own" })
	}},
	{"an instance leaves as the turn ends", 1, []string{"late-out", "turn-too-short", "worst-too-short"}, false, func(f *fleet.Fleet, p *plan.Plan) {
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
	{"a stop called a blip", 1, []string{"class", "class-understated"}, false, func(f *fleet.Fleet, p *plan.Plan) {
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
	{"windows of its region elsewhere", 2, []string{"slot-outside-own-window", "turn-outside-own-window", "window-misstated"}, false, func(f *fleet.Fleet, p *plan.Plan) {
		f.Regions[0].Windows = []fleet.Window{{Start: "12:00", Length: 3 * hour}}
	}},
	{"windows of its site that end within the turn", 2, []string{"slot-outside-own-window", "turn-outside-own-window", "window-misstated"}, false, func(f *fleet.Fleet, p *plan.Plan) {
		f.Sites[0].Windows = []fleet.Window{{Start: "01:00", Length: 2 * hour}}
	}},
	{"windows of its host group on another day", 2, []string{"slot-outside-own-window", "turn-outside-own-window", "window-misstated"}, false, func(f *fleet.Fleet, p *plan.Plan) {
		f.HostGroups[0].Windows = []fleet.Window{{RRule: "FREQ=MONTHLY;BYDAY=3TU", Start: "02:00", Length: 2 * hour}}
	}},
	{"windows of a tenant by another clock", 2, []string{"slot-outside-own-window", "turn-outside-own-window", "window-misstated"}, false, func(f *fleet.Fleet, p *plan.Plan) {
		f.Tenants[0].Timezone, f.Tenants[0].Windows = "Europe/Berlin", []fleet.Window{{Start: "02:00", Length: 2 * hour}}
	}},
	{"a stated window that a tenant's does not hold", 2, one("window-misstated"), false, func(f *fleet.Fleet, p *plan.Plan) {
		f.Tenants[0].Windows = []fleet.Window{{Start: "02:00", Length: 2 * hour}}
		p.Policy.Windows[0].Start, p.Policy.Windows[0].Length = "01:00", 4*hour
		p.Turns[2].WindowStart, p.Turns[2].WindowEnd = at("2026-03-11 01:00"), at("2026-03-11 05:00")
	}},
	{"windows of a tenant by a rule of no kind", 2, []string{"own-windows-unreadable", "slot-outside-own-window", "turn-outside-own-window", "window-misstated"}, false, func(f *fleet.Fleet, p *plan.Plan) {
		f.Tenants[0].Windows = []fleet.Window{{RRule: "FREQ=HOURLY", Start: "02:00", Length: 2 * hour}}
	}},
	{"a freeze of all", 2, []string{"frozen", "slot-frozen"}, false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Policy.Freezes = []plan.FreezeRule{{From: "2026-03-10 02:15", To: "2026-03-10 02:20"}}
	}},
	{"a freeze of a slot's last minute", 2, one("slot-frozen"), false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Policy.Freezes = []plan.FreezeRule{{Regions: []string{"north"}, Sites: []string{"s1"}, Hypervisor: "kvm", HostGroups: []string{"quorum"}, Timezone: "Europe/Berlin", From: "2026-03-11 04:59", To: "2026-03-11 05:10"}}
		f.HostGroups[0].Hosts = append(f.HostGroups[0].Hosts, "c")
	}},
	{"a freeze for a tenant", 2, []string{"frozen", "slot-frozen"}, false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Policy.Freezes = []plan.FreezeRule{{Tenants: []string{"acme"}, From: "2026-03-11 00:00", To: "2026-03-12 00:00"}}
	}},
	{"a tenant's own freeze", 2, []string{"frozen", "slot-frozen"}, false, func(f *fleet.Fleet, p *plan.Plan) {
		f.Tenants[0].Freezes = []fleet.Freeze{{From: "2026-03-11 00:00", To: "2026-03-12 00:00"}}
	}},
	{"a tenant's no, passed over in silence", 2, []string{"frozen", "slot-frozen"}, false, func(f *fleet.Fleet, p *plan.Plan) {
		f.Tenants[0].Freezes = []fleet.Freeze{{From: "2026-03-11 00:00", To: "2026-03-12 00:00", Yields: true}}
	}},
	{"a freeze that does not yield, overruled", 2, []string{"frozen", "overrules-nothing", "slot-frozen"}, false, func(f *fleet.Fleet, p *plan.Plan) {
		f.Tenants[0].Freezes = []fleet.Freeze{{From: "2026-03-09 00:00", To: "2026-03-12 00:00"}}
		for i := range p.Slots {
			p.Slots[i].Overrules = "2026-03-09 to 2026-03-12"
		}
	}},
	{"a no overruled without a deadline", 2, one("overruled-for-nothing"), false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Target.FinishBy = time.Time{}
		for i := range f.Tenants {
			f.Tenants[i].Freezes = []fleet.Freeze{{From: "2026-03-09 00:00", To: "2026-03-12 00:00", Yields: true}}
		}
		for i := range p.Slots {
			p.Slots[i].Overrules = "2026-03-09 to 2026-03-12"
		}
	}},
	{"a freeze of its region", 2, []string{"frozen", "slot-frozen"}, false, func(f *fleet.Fleet, p *plan.Plan) {
		f.Regions[0].Freezes = []fleet.Freeze{{From: "2026-03-10 00:00", To: "2026-03-12 00:00"}}
	}},
	{"a freeze of its host group", 2, []string{"frozen", "slot-frozen"}, false, func(f *fleet.Fleet, p *plan.Plan) {
		f.HostGroups[0].Freezes = []fleet.Freeze{{From: "2026-03-10 00:00", To: "2026-03-12 00:00"}}
	}},
	{"a freeze on no date", 2, one("freeze-unreadable"), false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Policy.Freezes = []plan.FreezeRule{{From: "2026-02-30 00:00", To: "2026-03-01 00:00"}}
	}},
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
	{"two racks of a site at once", 3, one("stagger"), false, func(f *fleet.Fleet, p *plan.Plan) {
		elsewhere("s1")(f, p)
		p.Policy.StaggerRacks, p.Policy.StaggerSites = true, false
		p.Policy.MaxAwayPercent = 100
	}},
	{"a rack too soon after another", 3, one("stagger-gap"), false, func(_ *fleet.Fleet, p *plan.Plan) {
		p.Policy.StaggerRacks, p.Policy.StaggerGap.Racks = true, plan.Duration(time.Minute) // the canary's turn may take until 3:00
	}},
	{"too many moves in a region", 6, one("moves-per-place"), false, func(_ *fleet.Fleet, p *plan.Plan) {
		p.Policy.MovesPerRegion = 1
		p.Moves[1].Start = p.Moves[0].Start.Add(time.Second)
	}},
	{"too many moves over a link", 6, one("moves-per-link"), false, func(f *fleet.Fleet, p *plan.Plan) {
		f.Links = []fleet.Link{{ID: "up", Mbps: 40000, Hosts: []string{"a"}}}
		p.Policy.MovesPerLink = 1
		p.Moves[1].Start = p.Moves[0].Start.Add(time.Second)
	}},
	{"too many of a region away", 6, one("away-from-place"), false, func(f *fleet.Fleet, p *plan.Plan) {
		elsewhere("s3")(f, p)
		f.Sites[2].Region = "north"
		p.Policy.AwayPerRegion, p.Policy.StaggerSites = 1, false
	}},
	{"a rack that nobody knows", 3, one("stagger-gap"), false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Policy.StaggerRacks, p.Policy.StaggerGap.Racks = true, plan.Duration(time.Minute)
		f.Hosts[0].Rack, f.Hosts[1].Rack = "", ""
	}},
	// law 4
	{"told, it says, by a campaign that it does not name", 4, one("told-by-nobody"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Slots[0].Told = p.Made }},
	{"told, it says, when it was not made yet", 4, one("told-by-nobody"), false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Supersedes, p.Slots[0].Told = "winter", p.Made.Add(time.Minute)
	}},
	{"made too late to tell", 4, one("lead"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Made = at("2026-03-04 02:01") }},
	{"a wrong notice_by", 4, one("notice-by"), false, func(f *fleet.Fleet, p *plan.Plan) { p.Slots[0].NoticeBy = p.Slots[0].NoticeBy.Add(time.Minute) }},
	{"a tenant nobody can reach", 4, one("no-contact"), false, func(f *fleet.Fleet, p *plan.Plan) { f.Tenants[1].Contacts = nil }},
	// law 5
	{"two moves of an instance at once", 5, []string{"two-moves"}, false, func(f *fleet.Fleet, p *plan.Plan) {
		p.Moves = append(p.Moves, plan.Move{Instance: "a1", From: "a", To: "c", Turn: "a", Start: at("2026-03-10 02:02"), End: at("2026-03-10 02:04")})
	}},
	{"a move from where it is not", 5, []string{"from-elsewhere", "left-behind", "move-of-turn"}, false, func(f *fleet.Fleet, p *plan.Plan) { p.Moves[2].From = "c" }},
	{"two turns of a host", 5, []string{"double-id", "host-unable", "live-patch-disturbs", "no-live-patch", "two-turns"}, false, func(f *fleet.Fleet, p *plan.Plan) {
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
