package planner_test

import (
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// TestMovesTakeTurnsOverLinks: no more migrations go over a link at once than policy allows, and a link that both ends
// lie behind binds none.
func TestMovesTakeTurnsOverLinks(t *testing.T) {
	for name, c := range map[string]struct {
		sites []string // behind the link, with the racks
		racks []string
		bound bool // a rack's uplink is, a line that no migration leaves is not
	}{
		"a rack's uplink":     {[]string{"n1"}, []string{"r0"}, true},
		"the line of a site":  {[]string{"n1"}, nil, false},
		"racks of every site": {nil, []string{"r0", "r1", "r2"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := threeSites()
			f.Links = []fleet.Link{{ID: "line", Mbps: 400_000, Sites: c.sites, Racks: c.racks}}
			pol := eager()
			pol.MovesPerHost, pol.MovesPerLink = 4, 8
			ix := fleet.NewIndex(f)
			over := func(m *plan.Move) bool { // by the rack alone: migrations stay in their site
				return ix.SiteOf(m.From).ID == "n1" && (ix.Hosts[m.From].Rack == "r0") != (ix.Hosts[m.To].Rack == "r0")
			}
			if n := mostAtOnce(routine(t, f, pol).Moves, over); n < 2 {
				t.Fatalf("%d migrations at once over a wide link: the test shows nothing", n)
			}
			pol.MovesPerLink = 1
			p := routine(t, f, pol)
			if n := mostAtOnce(p.Moves, over); c.bound != (n == 1) {
				t.Errorf("%d migrations at once from or to rack r0 of site n1", n)
			}
			if len(p.Turns) != len(f.Hosts) || len(p.Blocked) > 0 {
				t.Errorf("%d turns, blocked: %+v", len(p.Turns), p.Blocked)
			}
		})
	}
}

// TestLinkSlowsMoves: a migration over a link takes as long as its share of that needs, where a NIC would give it more.
func TestLinkSlowsMoves(t *testing.T) {
	f := threeSites()
	pol := eager()
	pol.MovesPerHost, pol.MovesPerLink = 2, 4
	f.Links = []fleet.Link{{ID: "line", Mbps: 1000, Sites: []string{"n1"}, Racks: []string{"r0"}}}
	ix := fleet.NewIndex(f)
	// 250 Mbit/s are 29.8 MiB/s
	least := time.Duration(float64(1024) / (250e6 / 8 / (1 << 20)) * float64(time.Second)).Truncate(time.Second)
	slow, fast := 0, 0
	p := routine(t, f, pol)
	for i := range p.Moves {
		m := &p.Moves[i]
		switch took := m.End.Sub(m.Start); {
		case ix.SiteOf(m.From).ID == "n1" && (ix.Hosts[m.From].Rack == "r0") != (ix.Hosts[m.To].Rack == "r0"):
			if slow++; took < least {
				t.Errorf("%s takes %s over the link, its share needs %s", m.Instance, took, least)
			}
		default:
			if fast++; took >= least {
				t.Errorf("%s takes %s and does not go over the link", m.Instance, took)
			}
		}
	}
	if slow == 0 || fast == 0 {
		t.Errorf("%d moves over the link, %d elsewhere: the test shows nothing", slow, fast)
	}
}

// mostAtOnce counts the migrations of a kind that are in flight at the start of one of them.
func mostAtOnce(moves []plan.Move, kind func(*plan.Move) bool) (most int) {
	for i := range moves {
		if !kind(&moves[i]) {
			continue
		}
		n := 0
		for j := range moves {
			m := &moves[j]
			if kind(m) && !m.Start.After(moves[i].Start) && m.End.After(moves[i].Start) {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}
