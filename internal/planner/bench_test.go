package planner_test

import (
	"fmt"
	"testing"
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
