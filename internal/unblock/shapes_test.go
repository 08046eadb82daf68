package unblock_test

import (
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/unblock"
)

// TestNewHostTakesThem: a host that is proposed is one that the instances can move to. Those of a host with newer software
// move to none that is like the others.
func TestNewHostTakesThem(t *testing.T) {
	in := easy()
	in.Target = nil
	in.Fleet = uniform(3, 4096, 1, 3072)
	in.Fleet.Hosts[0].Software, in.Fleet.Hosts[1].MemoryMiB, in.Fleet.Hosts[2].Software = qemu(newer), 8192, qemu(newer)
	in.Fleet.Instances[1].MemoryMiB = 1024
	p := propose(t, in)
	for _, c := range first(unblock.Causes(in, p)) {
		if c.Hosts[0] != "h000" {
			continue
		}
		if len(c.Changes) != 1 || !strings.HasSuffix(c.Changes[0].To, ", like host h000") {
			t.Fatalf("found %s, expected one host like h000", told(c))
		}
		return
	}
	t.Fatalf("h000 is not blocked: %s", told(p.Blocked))
}

// TestGroupThatIsDown: who does not serve as it is counts twice for its group, once in its host's turn. So a group may have
// to spare more than it has members.
func TestGroupThatIsDown(t *testing.T) {
	in := easy()
	in.Policy.Tactics = []plan.Tactic{plan.Evacuate, plan.Suspend}
	in.Fleet = uniform(1, 4096, 2, 512)
	in.Fleet.Groups = []fleet.Group{{ID: "g", MaxUnavailable: 1}}
	for n := range in.Fleet.Instances {
		i := &in.Fleet.Instances[n]
		i.Group, i.State, i.Pinned = "g", fleet.Paused, "licence"
	}
	p := propose(t, in)
	for _, c := range first(unblock.Causes(in, p)) {
		if c.Code != "group-degraded" {
			continue
		}
		if len(c.Changes) != 1 || c.Changes[0].Of != "group" || c.Changes[0].To != "4" {
			t.Fatalf("found %s, expected that the group spares 4", told(c))
		}
		return
	}
	t.Fatalf("the group is not degraded: %s", told(p.Blocked))
}

func first(causes []plan.Cause, _ *plan.Together) []plan.Cause { return causes }
