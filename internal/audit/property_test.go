package audit

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// drawn is a fleet of any size with a plan that takes one host a night, fixed hosts first: dull, slow
// and within every law.
func drawn(t *rapid.T) (*fleet.Fleet, *plan.Plan) {
	f, p := goodFleet(), goodPlan()
	f.HostGroups, f.Hosts, f.Instances, f.Groups = nil, nil, nil, []fleet.Group{{ID: "g", MaxUnavailable: 1}}
	p.Turns, p.Moves, p.Slots, p.Blocked, p.Skipped = nil, nil, nil, nil, nil
	p.Target.FinishBy = time.Time{}
	p.Policy.Tactics = append(p.Policy.Tactics, plan.Reboot)
	hosts := rapid.IntRange(3, 7).Draw(t, "hosts")
	soft := map[string]string{"qemu-system-x86": oldQEMU}
	for i := range hosts {
		f.Hosts = append(f.Hosts, fleet.Host{ID: fmt.Sprintf("h%d", i), Pools: []string{"p1"}, Hypervisor: fleet.KVM, MemoryMiB: 16384, Software: fleet.Software{Installed: soft}})
	}
	at0 := map[string]int{}
	used := make([]int64, hosts)
	for i := range rapid.IntRange(0, 3*hosts).Draw(t, "instances") {
		h := rapid.IntRange(0, hosts-1).Draw(t, "host")
		in := fleet.Instance{ID: fmt.Sprintf("i%d", i), Host: f.Hosts[h].ID, MemoryMiB: int64(rapid.IntRange(1, 8).Draw(t, "size")) * 128,
			Tenant: rapid.SampledFrom([]string{"", "acme", "birch"}).Draw(t, "tenant"), Group: rapid.SampledFrom([]string{"", "g"}).Draw(t, "group")}
		in.Disks = []fleet.Disk{{Name: "vda", Shared: rapid.IntRange(0, 4).Draw(t, "shared") > 0}}
		f.Instances = append(f.Instances, in)
		at0[in.ID] = h
		used[h] += in.MemoryMiB
	}
	night := at("2026-03-10 02:00")
	for h := range hosts {
		takeTurn(f, p, night.AddDate(0, 0, h), h, at0, used)
	}
	p.Start, p.End = p.Turns[0].Start, p.Turns[hosts-1].End
	seal(p)
	return f, p
}

// takeTurn plans the turn of host h in one night: moves one after the other, then the stops.
func takeTurn(f *fleet.Fleet, p *plan.Plan, night time.Time, h int, place map[string]int, used []int64) {
	host := f.Hosts[h].ID
	now := night
	for i := range f.Instances {
		in := &f.Instances[i]
		if place[in.ID] != h {
			continue
		}
		s := plan.Slot{ID: host + "/" + in.ID, Instance: in.ID, Tenant: in.Tenant, Turn: host, Start: night, End: night.Add(2 * time.Hour), Disposition: plan.DispStop,
			ExpectedMs: 330_000, WorstMs: 1_800_000}
		if in.Disks[0].Shared {
			s.Disposition, s.ExpectedMs, s.WorstMs = plan.DispLiveMigrate, 200, 900
			to := 0 // fixed hosts in order of their turns; the first turn's instances go to the last host
			if h == 0 {
				to = len(f.Hosts) - 1
			}
			for to < h-1 && used[to]+in.MemoryMiB > f.Hosts[to].MemoryMiB {
				to++
			}
			p.Moves = append(p.Moves, plan.Move{Instance: in.ID, From: host, To: f.Hosts[to].ID, Turn: host, Start: now, End: now.Add(time.Minute)})
			now = now.Add(time.Minute)
			used[h], used[to], place[in.ID] = used[h]-in.MemoryMiB, used[to]+in.MemoryMiB, to
		}
		s.Class = plan.ClassOf(s.Disposition)
		s.NoticeBy = night.Add(-p.Policy.Lead.Of(s.Class))
		p.Slots = append(p.Slots, s)
	}
	p.Turns = append(p.Turns, plan.Turn{ID: host, Host: host, Pool: "p1", Site: "s1", Wave: h + 1, Canary: h == 0, Tactic: plan.Evacuate, Start: night, End: now.Add(10 * time.Minute),
		WorstS: 7200, WindowStart: night, WindowEnd: night.Add(2 * time.Hour)})
}

// stopsTogether: two members of the group stop in one turn, or one does while another moves: the
// drawn plan is not within law 3 then.
func stopsTogether(f *fleet.Fleet, p *plan.Plan) bool {
	member := func(id string) bool {
		return slices.ContainsFunc(f.Instances, func(i fleet.Instance) bool { return i.ID == id && i.Group == "g" })
	}
	for _, t := range p.Turns {
		stops, moves := 0, 0
		for _, s := range p.Slots {
			if s.Turn == t.ID && member(s.Instance) {
				if s.Class == plan.ClassOutage {
					stops++
				} else {
					moves++
				}
			}
		}
		if stops > 1 || stops == 1 && moves > 0 {
			return true
		}
	}
	return false
}

func TestDrawnPlans(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, p := drawn(t)
		want := []string{}
		if stopsTogether(f, p) {
			want = one("group")
		}
		found := Plan(f, p)
		if got := codes(found); !slices.Equal(got, want) {
			t.Fatalf("found %v, want %v: %+v", got, want, found)
		}
		// Whatever the order in which the plan lists things, the findings are the same.
		slices.Reverse(p.Turns)
		slices.Reverse(p.Moves)
		slices.Reverse(p.Slots)
		seal(p)
		if again := Plan(f, p); !slices.Equal(codes(again), want) || len(again) != len(found) {
			t.Fatalf("in another order: %v, want %v", codes(again), want)
		}
	})
}

// TestBoundaries: what just fits is no finding.
func TestBoundaries(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(f *fleet.Fleet, p *plan.Plan)
	}{
		{"made just in time to tell", func(f *fleet.Fleet, p *plan.Plan) { p.Made = at("2026-03-04 02:00") }},
		{"a reserve that is just kept", func(f *fleet.Fleet, p *plan.Plan) { f.Pools[0].ReserveMiB = ptr(11264) }},
		{"memory that just fits", func(f *fleet.Fleet, p *plan.Plan) {
			f.Hosts[1].MemoryMiB = 3072
			p.Policy.KeepReserve = false
		}},
		{"a stay just long enough", func(f *fleet.Fleet, p *plan.Plan) { p.Policy.MinStay = plan.Duration(47 * time.Minute) }},
		{"a soak just long enough", func(f *fleet.Fleet, p *plan.Plan) { p.Policy.Soak = plan.Duration(30 * time.Minute) }},
		{"a worst case that just fits", func(f *fleet.Fleet, p *plan.Plan) { p.Turns[1].WorstS = 4200 }},
		{"a blip as long as policy's", func(f *fleet.Fleet, p *plan.Plan) { p.Slots[0].WorstMs = 5000 }},
		{"members one after the other", func(f *fleet.Fleet, p *plan.Plan) { f.Groups[0].Members = []string{"a1", "a2"} }},
		{"an end at finish_by", func(f *fleet.Fleet, p *plan.Plan) { p.Target.FinishBy = p.End }},
		{"an end at disclosure", func(f *fleet.Fleet, p *plan.Plan) { p.Target.Disclosure = p.End }},
		{"an end after disclosure, by policy's leave", func(f *fleet.Fleet, p *plan.Plan) {
			p.Target.Disclosure, p.Policy.AfterDisclosure = at("2026-03-10 12:00"), true
		}},
		{"a start at disclosure, where the advisory forbids an earlier one", func(f *fleet.Fleet, p *plan.Plan) {
			p.Target.Disclosure, p.Target.EmbargoDeploy = p.Start, "no"
		}},
		{"an instance of nobody's needs no notice", func(f *fleet.Fleet, p *plan.Plan) { slotOf(p, "b/own").NoticeBy = time.Time{} }},
		{"a spread that was broken before", func(f *fleet.Fleet, p *plan.Plan) {
			f.Groups[1].Spread, f.Groups[1].MaxUnavailable = fleet.SpreadSite, 2
		}},
		{"a host with an unknown list forbids nothing", func(f *fleet.Fleet, p *plan.Plan) {
			f.Hosts[2].CPUFeatures, f.Hosts[2].MachineTypes, f.Hosts[2].Networks, f.Hosts[2].Storage = nil, nil, nil, nil
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, p := goodFleet(), goodPlan()
			c.change(f, p)
			seal(p)
			if found := Plan(f, p); len(found) > 0 {
				show(t, found)
				t.Fatal("found fault with what just fits")
			}
		})
	}
}
