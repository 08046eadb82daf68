package planner_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// TestXenStopsForTheRest: Xen ends a migration after five rounds and stops the guest for what is left. Who would stand
// still for longer than a blip is not promised one; who stands still for less is promised that.
func TestXenStopsForTheRest(t *testing.T) {
	for name, c := range map[string]struct {
		on       fleet.Hypervisor
		dirty    float64 // MiB/s; a migration gets 1 Gbit/s / 2, 59.6 MiB/s
		promised plan.Disposition
		expected int64 // ms; 0: as long as nothing is known
		why      string
	}{
		"calm":             {fleet.Xen, 5, plan.DispLiveMigrate, 300, ""},
		"busy":             {fleet.Xen, 30, plan.DispLiveMigrate, 1110, ""}, // 2048 x 0.503^5 = 66 MiB at 59.6 MiB/s
		"too busy":         {fleet.Xen, 45, plan.DispStatefulStop, 0, "(long-pause)"},
		"never ends":       {fleet.Xen, 600, plan.DispStatefulStop, 0, "(long-pause)"},
		"QEMU's own limit": {fleet.KVM, 45, plan.DispLiveMigrate, 300, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := uniform(4, 16384, 2, 2048)
			for i := range f.Hosts {
				f.Hosts[i].Hypervisor, f.Hosts[i].NICMbps = c.on, 1000
			}
			f.Instances[0].DirtyMiBps = c.dirty
			pol := plan.DefaultPolicy()
			pol.MovesPerHost, pol.Blackout = 2, plan.Duration(3*time.Second)
			p := routine(t, f, pol)
			sound(t, f, &p)
			for _, s := range p.Slots {
				if s.Instance != f.Instances[0].ID {
					continue
				}
				if s.Disposition != c.promised || c.expected > 0 && s.ExpectedMs != c.expected {
					t.Errorf("it is promised %s of %d ms; want %s of %d", s.Disposition, s.ExpectedMs, c.promised, c.expected)
				}
			}
			said := ""
			for _, turn := range p.Turns {
				if turn.Host == f.Instances[0].Host {
					said = turn.Why
				}
			}
			if c.why != "" && !strings.Contains(said, c.why) {
				t.Errorf("its turn says %q, which lacks %q", said, c.why)
			}
		})
	}
}

// TestXenPausesAreSound: whatever guests on Xen dirty, over whatever links, the auditor's own reckoning agrees.
func TestXenPausesAreSound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := uniform(rapid.IntRange(2, 6).Draw(t, "hosts"), 32768, rapid.IntRange(1, 3).Draw(t, "each"), rapid.Int64Range(512, 8192).Draw(t, "memory"))
		for i := range f.Hosts {
			f.Hosts[i].Hypervisor, f.Hosts[i].NICMbps = fleet.Xen, rapid.Int64Range(100, 25_000).Draw(t, "nic")
		}
		for i := range f.Instances {
			f.Instances[i].DirtyMiBps = float64(rapid.IntRange(0, 800).Draw(t, "dirty"))
		}
		if rapid.Bool().Draw(t, "linked") {
			f.Links = []fleet.Link{{ID: "up", Mbps: rapid.Int64Range(100, 4000).Draw(t, "link"), Hosts: []string{f.Hosts[0].ID}}}
		}
		pol := plan.DefaultPolicy()
		pol.MovesPerHost = rapid.IntRange(1, 4).Draw(t, "moves")
		pol.Blackout = plan.Duration(time.Duration(rapid.IntRange(100, 10_000).Draw(t, "blackout")) * time.Millisecond)
		p, err := planner.Propose(planner.Input{Fleet: f, Policy: pol, Campaign: "cycle-1", Now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), Revision: 1})
		if err != nil {
			t.Fatal(err)
		}
		sound(t, f, &p)
	})
}
