package planner_test

import (
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/audit"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// Two pools of six hosts have their turns two by two, in three waves each. The last host of the second pool was
// blocked and is free now: in time for the deadline it could enter the last wave alone, in which its own pool has one
// turn and the other pool two.
const freed = "h0011"

// beside plans such a fleet, frees the host and plans again. held changes fleet and policy before, given a host of the
// other pool that is in the last wave.
func beside(t *testing.T, held func(f *fleet.Fleet, p *plan.Policy, other string)) (in planner.Input, was, now plan.Plan, c planner.Changes) {
	t.Helper()
	in = planner.Input{Fleet: shops(2, 6, 4, 4<<10), Policy: eager(), Campaign: "c", Revision: 1, Now: at(t, "2026-03-02 09:00")}
	in.Policy.MaxAwayPercent, in.Policy.Tactics = 34, []plan.Tactic{plan.Evacuate}
	pinned := &in.Fleet.Instances[11*4]
	pinned.Pinned = "licence"
	first, err := planner.Propose(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range first.Turns {
		if x.Pool == "p000" && x.Wave == first.Counts.Waves && held != nil {
			held(in.Fleet, &in.Policy, x.Host)
			break
		}
	}
	if first, err = planner.Propose(in); err != nil {
		t.Fatal(err)
	}
	in.Policy.FinishBy = first.End.Add(time.Minute)
	if was, err = planner.Propose(in); err != nil {
		t.Fatal(err)
	}
	in.Fleet, in.Revision = copied(t, in.Fleet), 0
	in.Fleet.Instances[11*4].Pinned = ""
	if now, c, err = planner.Again(in, &was); err != nil || c.Whole != "" || len(c.Pools) > 1 || len(was.Turns) != 11 {
		t.Fatalf("%v, whole %q, pools %+v, %d turns", err, c.Whole, c.Pools, len(was.Turns))
	}
	if c.None() {
		return in, was, now, c
	}
	for _, x := range audit.Plan(in.Fleet, &now) {
		t.Errorf("%s: %s", x.Code, x.What)
	}
	return in, was, now, c
}

// turnsAgain: the freed host has a turn in the next revision.
func turnsAgain(p *plan.Plan) bool {
	for _, x := range p.Turns {
		if x.Host == freed {
			return true
		}
	}
	return false
}

// TestAgainBesideOthers: what other pools do in a wave counts for who enters it.
func TestAgainBesideOthers(t *testing.T) {
	inOtherPool := func(f *fleet.Fleet, host string) *fleet.Instance {
		for i := range f.Instances {
			if f.Instances[i].Host == host {
				return &f.Instances[i]
			}
		}
		return nil
	}
	for name, c := range map[string]struct {
		held  func(f *fleet.Fleet, p *plan.Policy, other string)
		turns bool
	}{
		"nothing in the way": {nil, true},
		"a host group of both, three may be away": {func(f *fleet.Fleet, _ *plan.Policy, _ string) {
			f.HostGroups = append(f.HostGroups, fleet.HostGroup{ID: "q", Hosts: firstPoolAnd(f, freed), MaxUnavailable: 3})
		}, true},
		"a host group of both, two may be away": {func(f *fleet.Fleet, _ *plan.Policy, _ string) {
			f.HostGroups = append(f.HostGroups, fleet.HostGroup{ID: "q", Hosts: firstPoolAnd(f, freed), MaxUnavailable: 2})
		}, false},
		"a group of both, two may be away": {func(f *fleet.Fleet, _ *plan.Policy, other string) {
			f.Groups = append(f.Groups, fleet.Group{ID: "g", MaxUnavailable: 2})
			inOtherPool(f, other).Group, inOtherPool(f, freed).Group = "g", "g"
		}, true},
		"a group of both, one may be away": {func(f *fleet.Fleet, _ *plan.Policy, other string) {
			f.Groups = append(f.Groups, fleet.Group{ID: "g", Members: []string{inOtherPool(f, other).ID, inOtherPool(f, freed).ID}, MaxUnavailable: 1})
		}, false},
		"a member elsewhere is down": {func(f *fleet.Fleet, _ *plan.Policy, other string) {
			f.Groups = append(f.Groups, fleet.Group{ID: "g"})
			inOtherPool(f, freed).Group = "g"
			f.Instances = append(f.Instances, fleet.Instance{ID: "stopped", Host: other, MemoryMiB: 1 << 10, Group: "g", State: fleet.Stopped})
		}, false},
		"a host elsewhere is down": {func(f *fleet.Fleet, _ *plan.Policy, other string) {
			h := *byHost(f, other)
			h.ID, h.Health = "zz-down", fleet.Down
			f.Hosts = append(f.Hosts, h)
			f.HostGroups = append(f.HostGroups, fleet.HostGroup{ID: "q", Hosts: []string{"zz-down", freed}, MaxUnavailable: 1})
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			_, was, now, ch := beside(t, c.held)
			if turnsAgain(&now) != c.turns {
				t.Errorf("a turn for %s: %v, want %v; blocked %+v", freed, !c.turns, c.turns, now.Blocked)
			}
			if ch.Kept != len(was.Slots) {
				t.Errorf("%d of %d promises kept: %+v", ch.Kept, len(was.Slots), ch.Moved)
			}
		})
	}
}

// TestAgainStaggered: sites that are set apart stay so, also for who lost its turn.
func TestAgainStaggered(t *testing.T) {
	for _, set := range []func(p *plan.Policy){func(p *plan.Policy) { p.StaggerSites = true }, func(p *plan.Policy) { p.StaggerSites = false }} {
		_, _, now, _ := beside(t, func(_ *fleet.Fleet, p *plan.Policy, _ string) { set(p) })
		waves := map[int]map[string]bool{}
		for _, x := range now.Turns {
			if waves[x.Wave] == nil {
				waves[x.Wave] = map[string]bool{}
			}
			waves[x.Wave][x.Site] = true
		}
		for n, sites := range waves {
			if now.Policy.StaggerSites && len(sites) > 1 {
				t.Errorf("wave %d is at sites %v", n, sites)
			}
		}
	}
}

// firstPoolAnd are the hosts of the first pool, and one more.
func firstPoolAnd(f *fleet.Fleet, host string) (out []string) {
	for _, h := range f.Hosts {
		if h.Pools[0] == "p000" {
			out = append(out, h.ID)
		}
	}
	return append(out, host)
}
