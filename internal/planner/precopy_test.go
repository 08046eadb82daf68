package planner_test

import (
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
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
