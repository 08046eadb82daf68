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

// calm lays turns out one wave a night: dull, slow and within every law.
type calm struct {
	f     *fleet.Fleet
	p     *plan.Plan
	night time.Time
	wave  int
}

// next begins a wave in the next night.
func (c *calm) next() {
	c.wave++
	c.night = c.night.AddDate(0, 0, 1)
}

// turn adds a turn of a host to the wave; one that reboots moves everybody to host s, one after the other.
func (c *calm) turn(id, host string, tactic plan.Tactic, canary, deferred bool) {
	now := c.night
	for i := range c.f.Instances {
		in := &c.f.Instances[i]
		if in.Host != host || tactic == plan.LivePatch {
			continue
		}
		c.p.Moves = append(c.p.Moves, plan.Move{Instance: in.ID, From: host, To: "s", Turn: id, Start: now, End: now.Add(time.Minute)})
		s := plan.Slot{ID: id + "/" + in.ID, Instance: in.ID, Tenant: in.Tenant, Turn: id, Class: plan.ClassBlip, Disposition: plan.DispLiveMigrate, Start: c.night, End: c.night.Add(2 * time.Hour)}
		s.NoticeBy = s.Start.Add(-c.p.Policy.Lead.Of(s.Class))
		c.p.Slots = append(c.p.Slots, s)
		now = now.Add(time.Minute)
	}
	c.p.Turns = append(c.p.Turns, plan.Turn{ID: id, Host: host, Pool: "p1", Site: "s1", Wave: c.wave, Canary: canary, Deferred: deferred, Tactic: tactic, Start: c.night, End: now.Add(10 * time.Minute),
		WorstS: 7200, WindowStart: c.night, WindowEnd: c.night.Add(2 * time.Hour)})
}

// drawnPatched is a Xen fleet of which some hosts can be live-patched, some had their live patch and some
// have none for their build, with a calm plan for it; and its hosts that are live-patched.
func drawnPatched(t *rapid.T) (f *fleet.Fleet, p *plan.Plan, patched []string) {
	f, p = patchedFleet(), patchedPlan()
	old, fixed := f.Hosts[0], f.Hosts[3]
	fixed.ID, fixed.MemoryMiB = "s", 1<<20
	f.Hosts, f.Instances = []fleet.Host{fixed}, nil
	p.Turns, p.Moves, p.Slots, p.Blocked, p.Skipped = nil, nil, nil, nil, []plan.Skipped{{Host: "s", Code: "fixed", Why: "w"}}
	p.Target.FinishBy, p.Policy.KeepReserve, p.Policy.MaxAwayPercent = time.Time{}, false, 1
	p.Policy.WaveGrowth = rapid.IntRange(0, 3).Draw(t, "growth")
	var none, later []string
	for i := range rapid.IntRange(1, 12).Draw(t, "hosts") {
		h := old
		h.ID = fmt.Sprintf("h%d", i)
		switch rapid.SampledFrom([]string{"patched", "patched", "had", "none"}).Draw(t, "kind") {
		case "patched":
			patched, later = append(patched, h.ID), append(later, h.ID)
		case "had":
			h.Software.LivePatches = []fleet.LivePatch{{Name: "lp1", Component: "xen", State: fleet.PatchApplied}}
			later = append(later, h.ID)
		default:
			h.Software.BuildID = "b2b2"
			none = append(none, h.ID)
		}
		f.Hosts = append(f.Hosts, h)
		for k := range rapid.IntRange(0, 3).Draw(t, "instances") {
			f.Instances = append(f.Instances, fleet.Instance{ID: fmt.Sprintf("i%d-%d", i, k), Host: h.ID, Tenant: rapid.SampledFrom([]string{"", "acme", "birch"}).Draw(t, "tenant"), MemoryMiB: 64})
		}
	}
	c := &calm{f: f, p: p, night: at("2026-03-10 02:00")}
	largest := 1
	for rest := patched; len(rest) > 0; {
		n := largest * p.Policy.WaveGrowth
		if n == 0 {
			n = len(rest)
		}
		if len(rest) == len(patched) {
			n = 1
		}
		n = min(n, len(rest))
		c.next()
		for _, id := range rest[:n] {
			c.turn(plan.PatchTurn(id), id, plan.LivePatch, len(p.Turns) == 0, false)
		}
		rest, largest = rest[n:], max(largest, n)
	}
	for _, id := range none {
		c.next()
		c.turn(id, id, plan.Evacuate, len(p.Turns) == 0, false)
	}
	for i, id := range later {
		c.next()
		c.turn(id, id, plan.Evacuate, i == 0, true)
	}
	p.Start, p.End = p.Turns[0].Start, p.Turns[len(p.Turns)-1].End
	seal(p)
	return f, p, patched
}

// TestDrawnPatched: a calm plan is clean, and not any more once a host runs another build than it was
// planned for, lost its reboot, or is rebooted before the live patches are over.
func TestDrawnPatched(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, p, patched := drawnPatched(t)
		if found := Plan(f, p); len(found) > 0 {
			t.Fatalf("a calm plan: %v: %+v", codes(found), found)
		}
		if len(patched) == 0 {
			return
		}
		id := rapid.SampledFrom(patched).Draw(t, "victim")
		want := rapid.SampledFrom([]string{"no-live-patch", "reboot-forgotten", "deferred-early"}).Draw(t, "mischief")
		switch want {
		case "no-live-patch":
			for i := range f.Hosts {
				if f.Hosts[i].ID == id {
					f.Hosts[i].Software.BuildID = rapid.SampledFrom([]string{"", "b2b2"}).Draw(t, "build")
				}
			}
		case "reboot-forgotten":
			dropTurnOf(p, id)
		case "deferred-early":
			turnOf(p, plan.PatchTurn(id)).WorstS = 100 * 24 * 3600
		}
		seal(p)
		if got := codes(Plan(f, p)); !slices.Contains(got, want) {
			t.Fatalf("%s of %s is not found: %v", want, id, got)
		}
	})
}
