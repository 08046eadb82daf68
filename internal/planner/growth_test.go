package planner_test

import (
	"testing"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// TestOneByOne: where there are as many waves as hosts, a wave looks at no more hosts in a fleet of four times
// the size. What one may be in the way of all others is a host group, a group, or the room there is.
func TestOneByOne(t *testing.T) {
	for name, make := range map[string]func(n int) *fleet.Fleet{
		"host group": func(n int) *fleet.Fleet { return inOneHostGroup(uniform(n, 64<<10, 4, 4<<10), 1) },
		"group":      func(n int) *fleet.Fleet { return inOneGroup(uniform(n, 64<<10, 4, 4<<10)) },
		"room":       func(n int) *fleet.Fleet { return plusOne(uniform(n, 64<<10, 4, 16<<10)) },
	} {
		perWave := func(n int) int {
			looks, waves := planner.Looks(planner.Input{Fleet: make(n), Policy: plan.ToBound(plan.DefaultPolicy()), Campaign: "c", Now: at(t, "2026-03-02 09:00"), Revision: 1})
			if waves < n {
				t.Errorf("%s: %d waves of %d hosts", name, waves, n)
			}
			return looks / waves
		}
		if small, large := perWave(800), perWave(3200); large > small+small/4+1 {
			t.Errorf("%s: each wave looks at %d hosts and lines of 3200 and %d of 800", name, large, small)
		}
	}
}

// TestNoWaveTwice: a wave in which nobody has a turn and nothing is learnt is not opened for ever, whatever
// keeps hosts out of it: the measure of waves alone, or something that lasts.
func TestNoWaveTwice(t *testing.T) {
	in := planner.Input{Fleet: uniform(6, 64<<10, 4, 4<<10), Policy: eager(), Campaign: "c", Now: at(t, "2026-03-02 09:00"), Revision: 1}
	if p := planner.Stalled(t, in, false); len(p.Blocked) > 0 || p.Counts.Hosts != 6 {
		t.Errorf("no measure lets any host in: %+v, blocked %+v", p.Counts, p.Blocked)
	}
	if p := planner.Stalled(t, in, true); len(p.Blocked) != 6 {
		t.Errorf("nothing lets any host in: %+v, blocked %+v", p.Counts, p.Blocked)
	}
}

// TestColours: each host has members of three groups of five that can spare one. Taking hosts as they come, it was
// ten and eleven waves, with 1.15 x the moves.
func TestColours(t *testing.T) {
	for n, waves := range map[int]int{100: 8, 500: 10} {
		p := routine(t, inGroupsOfFive(uniform(n, 64<<10, 10, 64<<10*6/100)), plan.ToBound(plan.DefaultPolicy()))
		if b := p.Bounds; b.WavesMin != 6 || p.Counts.Waves > waves || b.MovesRatio > 1.1 || len(p.Blocked) > 0 {
			t.Errorf("%d hosts: %d waves, %+v, blocked %v", n, p.Counts.Waves, b, p.Blocked)
		}
	}
}
