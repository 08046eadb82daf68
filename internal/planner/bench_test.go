package planner_test

import (
	"fmt"
	"testing"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// BenchmarkUniform plans uniform fleets at 60 % of their memory.
func BenchmarkUniform(b *testing.B) {
	for _, n := range []int{100, 1000, 3000} {
		f := uniform(n, 64<<10, 10, 64<<10*6/100)
		for _, careful := range []bool{false, true} {
			p := eager()
			if careful {
				p.MaxAwayPercent, p.KeepReserve, p.Canary = 5, true, true
			}
			b.Run(fmt.Sprintf("hosts=%d/careful=%t", n, careful), func(b *testing.B) {
				for b.Loop() {
					out := routine(b, f, p)
					b.ReportMetric(float64(out.Counts.Waves), "waves")
					b.ReportMetric(out.Bounds.WavesRatio, "waves-ratio")
					b.ReportMetric(out.Bounds.MovesRatio, "moves-ratio")
				}
			})
		}
	}
}

// bigXen has 9,990 hosts in 270 pools of 37, three sites a region, 20 instances a host; nine hosts of ten
// run a build that can be live-patched.
func bigXen() *fleet.Fleet {
	f := xenFleet(9990, 64<<10, 20, 2048)
	f.Regions, f.Sites, f.Pools = nil, nil, nil
	for p := range 270 {
		if p%30 == 0 {
			f.Regions = append(f.Regions, fleet.Region{ID: fmt.Sprintf("r%d", p/30)})
		}
		if p%10 == 0 {
			f.Sites = append(f.Sites, fleet.Site{ID: fmt.Sprintf("s%02d", p/10), Region: fmt.Sprintf("r%d", p/30)})
		}
		f.Pools = append(f.Pools, fleet.Pool{ID: fmt.Sprintf("p%03d", p), Site: fmt.Sprintf("s%02d", p/10)})
	}
	for i := range f.Hosts {
		f.Hosts[i].Pools = []string{fmt.Sprintf("p%03d", i/37)}
		if i%10 == 0 {
			f.Hosts[i].Software.BuildID = "bb"
		}
	}
	return f
}

// BenchmarkMixed plans the fleet above with live patches, another tactic where there is none, and deferred
// reboots.
func BenchmarkMixed(b *testing.B) {
	f, now := bigXen(), at(b, "2026-03-02 09:00")
	for _, then := range []string{"", "reboot"} {
		tg := xenTarget(then)
		b.Run("then="+then, func(b *testing.B) {
			for b.Loop() {
				a := advisory.Assess(f, tg, nil, 0, now)
				p, err := planner.Propose(planner.Input{Fleet: f, Target: tg, Assessment: a, Policy: plan.DefaultPolicy(), Campaign: "c", Now: now, Revision: 1})
				if err != nil || len(p.Blocked) > 0 {
					b.Fatal(err, len(p.Blocked))
				}
				b.ReportMetric(float64(p.Counts.Waves), "waves")
				b.ReportMetric(p.Bounds.WavesRatio, "waves-ratio")
				b.ReportMetric(p.Bounds.MovesRatio, "moves-ratio")
			}
		})
	}
}
