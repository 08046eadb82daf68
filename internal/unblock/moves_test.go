package unblock_test

import (
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
	"github.com/evenkeel/evenkeel/internal/unblock"
)

// sharing is a campaign that saves instances, with members of the group g on some hosts: so many on each.
func sharing(members ...int) planner.Input {
	in := easy()
	in.Policy.Tactics = []plan.Tactic{plan.Suspend}
	in.Fleet.Groups = []fleet.Group{{ID: "g"}}
	for h, n := range members {
		for k := range n {
			in.Fleet.Instances[2*h+k].Group = "g"
		}
	}
	return in
}

var oneTurn = []struct {
	name  string
	in    func() planner.Input
	want  string // the changes, as of, id, field, to
	other string // what Why says of
}{
	{"two on one host", func() planner.Input { return sharing(2) }, "instance v000-0 host h001", "let 2 members of group g"},
	{"there where none is yet", func() planner.Input { return sharing(2, 1, 1) }, "instance v000-0 host h003", ""},
	{"the smaller one", func() planner.Input {
		in := sharing(2)
		in.Fleet.Instances[0].MemoryMiB = 2048
		return in
	}, "instance v000-1 host h001", ""},
	{"two on two hosts: one number is less than two moves", func() planner.Input { return sharing(2, 2) }, "policy  tactics evacuate, suspend", "let 2 members of group g"},
	{"one move for two groups", func() planner.Input {
		in := sharing(2)
		in.Fleet.Groups = append(in.Fleet.Groups, fleet.Group{ID: "k", Members: []string{"v000-0", "v000-1"}})
		return in
	}, "instance v000-0 host h001", ""},
	{"one of three is spared, or two are moved", func() planner.Input {
		in := sharing(2)
		in.Fleet.Instances = append(in.Fleet.Instances, fleet.Instance{ID: "v000-2", Host: "h000", Tenant: "acme", MemoryMiB: 512, Group: "g"})
		in.Target.Cohorts[0].InPlace = true
		return in
	}, "group g max_unavailable 3", ""},
	{"pinned: the other one goes", func() planner.Input {
		in := sharing(2)
		in.Fleet.Instances[0].Pinned = "licence"
		return in
	}, "instance v000-1 host h001", ""},
	{"both are pinned", func() planner.Input {
		in := sharing(2)
		in.Fleet.Instances[0].Pinned, in.Fleet.Instances[1].Pinned = "licence", "licence"
		return in
	}, "group g max_unavailable 2", ""},
	{"hosts that cannot live-migrate", func() planner.Input {
		in := sharing(2)
		for n := range in.Fleet.Hosts {
			in.Fleet.Hosts[n].Capabilities = []string{"suspend", "reboot", "update"}
		}
		return in
	}, "instance v000-0 host h001", ""},
	{"no room elsewhere", func() planner.Input {
		in := sharing(2)
		for n := range in.Fleet.Hosts[1:] {
			in.Fleet.Hosts[n+1].MemoryMiB = 2048
		}
		in.Target.Cohorts[0].InPlace = true
		return in
	}, "group g max_unavailable 2", ""},
	{"in the other rack", func() planner.Input {
		in := sharing(2, 0, 1, 0)
		in.Fleet.Groups[0].Spread = fleet.SpreadRack
		for n, rack := range []string{"r1", "r1", "r2", "r3"} {
			in.Fleet.Hosts[n].Rack = rack
		}
		return in
	}, "instance v000-0 host h003", ""},
}

// TestGroupInOneTurn: members of a group that one turn would disturb together are put elsewhere, or the group
// spares more: whichever is fewer changes.
func TestGroupInOneTurn(t *testing.T) {
	for _, c := range oneTurn {
		in := c.in()
		in = targeted(in.Fleet, in.Policy, in.Target)
		p := propose(t, in)
		causes, _ := unblock.Causes(in, p)
		for _, o := range causes {
			if o.Code != "group-in-one-turn" {
				continue
			}
			var got []string
			for _, o := range o.Changes {
				got = append(got, strings.Join([]string{o.Of, o.ID, o.Field, o.To}, " "))
			}
			if strings.Join(got, " + ") != c.want || !strings.Contains(o.Why, c.other) {
				t.Errorf("%s: got %s", c.name, told(o))
			}
			if freed, wholly := tried(t, in, p, o, o.Changes); !freed || !wholly {
				t.Errorf("%s: not freed: %s", c.name, told(o))
			}
		}
		if len(causes) == 0 || causes[0].Code != "group-in-one-turn" {
			t.Errorf("%s: got %s", c.name, told(causes))
		}
	}
}
