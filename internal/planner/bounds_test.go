package planner_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// TestBoundsBelowPlans: no plan does better than its own bounds, whatever the fleet and the policy.
func TestBoundsBelowPlans(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.SampledFrom([]func(*rapid.T) planner.Input{drawInput, drawMixed}).Draw(t, "input")(t)
		if rapid.IntRange(0, 2).Draw(t, "lifted") == 0 {
			in.Policy = plan.ToBound(in.Policy)
		}
		p, err := planner.Propose(in)
		if err != nil {
			t.Fatal(err)
		}
		b := p.Bounds
		if p.Counts.Waves < b.WavesMin || p.Counts.Moves < b.MovesMin || b.MakespanS < b.MakespanMinS {
			t.Errorf("%d waves, %d moves, bounds %+v", p.Counts.Waves, p.Counts.Moves, b)
		}
		if b.MovesM1 > b.MovesM2 || b.MovesM2 > b.MovesMin {
			t.Errorf("moves: M1 %d, M2 %d, least %d", b.MovesM1, b.MovesM2, b.MovesMin)
		}
		if took := p.End.Sub(p.Start); b.MakespanS != int64(took/time.Second) {
			t.Errorf("makespan %d s, the plan takes %s", b.MakespanS, took)
		}
	})
}

// TestSlots: with c used and s free slots per host, n hosts need ceil(n/k) waves, k = floor(s*n/(c+s)),
// although the sum of memory, of which some is no slot's, would let one more host be empty.
func TestSlots(t *testing.T) {
	for _, c := range []struct{ hosts, used, slots, waves int }{
		{10, 6, 10, 3}, {10, 9, 10, 10}, {12, 3, 4, 4}, {6, 3, 5, 3}, {7, 1, 2, 3}, {9, 2, 3, 3}, {20, 8, 10, 5},
	} {
		f := uniform(c.hosts, int64(c.slots)*1024+1000, c.used, 1024) // 1000 MiB of each host are no slot
		p := routine(t, f, plan.ToBound(plan.DefaultPolicy()))
		if p.Bounds.WavesMin != c.waves {
			t.Errorf("%+v: at least %d waves", c, p.Bounds.WavesMin)
		}
		if b := p.Bounds; b.MakespanMinS > b.MakespanS || b.MakespanRatio > 1.25 {
			t.Errorf("%+v: %+v", c, b)
		}
	}
}

// TestSecondMoves: what M2 counts, and where more must move twice than it tells.
func TestSecondMoves(t *testing.T) {
	for _, c := range []struct {
		name         string
		f            *fleet.Fleet
		m1, m2, most int
	}{
		{"six hosts of three", uniform(6, 4096, 3, 1024), 18, 21, 22},
		{"with a spare, at four waves", withSpare(uniform(6, 4096, 3, 1024)), 18, 18, 20},
		{"half full", uniform(8, 4096, 2, 1024), 16, 24, 24},
		{"half full, of two sizes", twoSizes(), 16, 24, 24}, // the first of two waves takes half of all room, be they few hosts or many
	} {
		p := routine(t, c.f, plan.ToBound(plan.DefaultPolicy()))
		b := p.Bounds
		if b.MovesM1 != c.m1 || b.MovesM2 != c.m2 || b.MovesMin < b.MovesM2 || b.MovesMin > c.most {
			t.Errorf("%s: %+v with %d waves and %d moves", c.name, b, p.Counts.Waves, p.Counts.Moves)
		}
	}
}

// twoSizes has four hosts of 4 GiB and two of 8 GiB, each half full of instances of 1 GiB.
func twoSizes() *fleet.Fleet {
	f := uniform(6, 4096, 2, 1024)
	for i := range 2 {
		h := f.Hosts[i].ID
		f.Hosts[i].MemoryMiB = 8192
		f.Instances = append(f.Instances, vm(h+"-a", h, 1024), vm(h+"-b", h, 1024))
	}
	return f
}

func withSpare(f *fleet.Fleet) *fleet.Fleet {
	f.Hosts = append(f.Hosts, host("spare", 4096))
	f.Hosts[len(f.Hosts)-1].Spare = true
	return f
}

// TestClique: three hosts of which each two share a group, each pair another one, take three waves.
func TestClique(t *testing.T) {
	f := uniform(6, 16<<10, 3, 1024)
	for i, pair := range [][2]string{{"v0000-00", "v0001-00"}, {"v0001-01", "v0002-01"}, {"v0002-02", "v0000-02"}} {
		f.Groups = append(f.Groups, fleet.Group{ID: fmt.Sprintf("g%d", i), Members: pair[:]})
	}
	f.HostGroups = []fleet.HostGroup{{ID: "hg", MaxUnavailable: 1, Hosts: []string{"h0000", "h0001", "h0002", "h0003"}}}
	if p := routine(t, f, plan.ToBound(plan.DefaultPolicy())); p.Bounds.WavesMin != 4 {
		t.Errorf("with a host group: at least %d waves", p.Bounds.WavesMin)
	}
	f.HostGroups = nil
	if p := routine(t, f, plan.ToBound(plan.DefaultPolicy())); p.Bounds.WavesMin != 3 {
		t.Errorf("at least %d waves", p.Bounds.WavesMin)
	}
}

// TestWindowsBoundTime: of ten waves of more than 20 minutes five fit a window of two hours, so the last is in
// the next night, 22 hours after the end of the first one's.
func TestWindowsBoundTime(t *testing.T) {
	p := eager()
	p.MaxAwayPercent, p.Slot = 10, plan.Duration(2*time.Hour)
	p.Windows = []plan.WindowRule{{Start: "02:00", Length: plan.Duration(2 * time.Hour)}}
	out := routine(t, uniform(10, 16<<10, 4, 1024), p)
	if m := out.Bounds.MakespanMinS; m < 22*3600 || out.Bounds.MakespanS < m {
		t.Errorf("%+v", out.Bounds)
	}
}

// TestBoundsOfOddHosts: a sick host takes no room with it when it goes, nor does one that is refreshed; and what
// stays on a host is no room.
func TestBoundsOfOddHosts(t *testing.T) {
	f := uniform(4, 4096, 2, 1024)
	f.Hosts = append(f.Hosts, host("sick", 4096))
	f.Hosts[4].Health = fleet.Sick
	for i := range 3 {
		f.Instances = append(f.Instances, vm(fmt.Sprintf("s%d", i), "sick", 1024))
	}
	if b := routine(t, f, plan.ToBound(plan.DefaultPolicy())).Bounds; b.WavesMin != 2 {
		t.Errorf("with a sick host: %+v", b)
	}
	pinned := uniform(4, 8192, 3, 1024)
	for i := range 4 {
		v := vm(fmt.Sprintf("p%d", i), fmt.Sprintf("h%04d", i), 4096)
		v.Pinned = "licence"
		pinned.Instances = append(pinned.Instances, v)
	}
	if b := routine(t, pinned, plan.ToBound(plan.DefaultPolicy())).Bounds; b.WavesMin != 4 || b.MovesM1 != 12 || b.MovesM2 != 15 {
		t.Errorf("with much that stays: %+v", b)
	}
	if b := propose(t, oldFleet(4, 4096, 3, 1024), refreshTarget(), plan.ToBound(plan.DefaultPolicy())).Bounds; b.WavesMin != 1 || b.MovesMin != 12 {
		t.Errorf("refreshed: %+v", b)
	}
}

// TestBoundsWhereSomeStop: on two hosts that cannot be emptied what does not fit is saved. Who is moved and then
// saved where it landed needs no second move, so none is counted.
func TestBoundsWhereSomeStop(t *testing.T) {
	p := routine(t, uniform(2, 4096, 3, 1024), plan.ToBound(plan.DefaultPolicy()))
	if b := p.Bounds; p.Counts.Stops == 0 || p.Counts.Moves < b.MovesMin || p.Counts.Waves < b.WavesMin {
		t.Errorf("%+v %+v", p.Counts, b)
	}
}

// TestOneTwice: where nobody can stay in the first wave and no two members of a group share a host, the group's
// turns take a wave more than it has hosts. Where two may share one,
// or all are brought home, they need not.
func TestOneTwice(t *testing.T) {
	made := func(spread fleet.Spread) *fleet.Fleet {
		f := uniform(3, 16<<10, 1, 1024)
		f.Groups = []fleet.Group{{ID: "g", MaxUnavailable: 1, Spread: spread, Members: []string{"v0000-00", "v0001-00", "v0002-00"}}}
		f.Hosts = append(f.Hosts, host("h0003", 16<<10), host("h0004", 16<<10))
		f.Instances = append(f.Instances, vm("other", "h0003", 1024))
		return f
	}
	for _, c := range []struct {
		name  string
		fleet *fleet.Fleet
		least int
	}{
		{"apart", made(fleet.SpreadHost), 4},
		{"together", made(""), 3},
	} {
		p := routine(t, c.fleet, eager())
		if p.Bounds.WavesMin != c.least || p.Counts.Waves > 4 {
			t.Errorf("%s: %+v with %d waves, want %d", c.name, p.Bounds, p.Counts.Waves, c.least)
		}
	}
	home := eager()
	home.BringHome = true
	if p := routine(t, made(fleet.SpreadHost), home); p.Bounds.WavesMin != 3 {
		t.Errorf("brought home: %+v", p.Bounds)
	}
}

// A sick host that is refreshed saves its instances in place, one after the other: a group of one member needs one wave.
func TestOneTwiceOfARefresh(t *testing.T) {
	f := oldFleet(1, 8192, 2, 512)
	f.Hosts[0].Health = fleet.Sick
	f.Groups = []fleet.Group{{ID: "g", MaxUnavailable: 1, Spread: fleet.SpreadHost, Members: []string{f.Instances[0].ID}}}
	pol := refreshPolicy()
	pol.Tactics = []plan.Tactic{plan.Refresh, plan.Suspend}
	p := propose(t, f, refreshTarget(), pol)
	if p.Counts.Waves != 1 || p.Bounds.WavesMin != 1 {
		t.Errorf("%d waves, %+v, blocked %+v", p.Counts.Waves, p.Bounds, p.Blocked)
	}
}
