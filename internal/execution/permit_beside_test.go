package execution

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkPermitBeside asks for one permit beside a campaign that goes ahead on as large a fleet and has one in ten of
// its pools in turns; x/first is its cost by that on the smallest fleet. It grows: docs/decisions/0037 says why.
func BenchmarkPermitBeside(b *testing.B) {
	first := 0.0
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("hosts=%d", n), func(b *testing.B) {
			s, now := wide(b, n)
			o, _ := wide(b, n)
			o.Campaign, o.Plan.Policy.FinishBy = "urgent", now.Add(time.Hour)
			s.Meet([]Neighbour{{Campaign: "urgent", State: o}})
			t := s.Turns["h00000"]
			b.ResetTimer()
			for b.Loop() {
				s.permit(t, now)
			}
			each := float64(b.Elapsed()) / float64(b.N)
			if first == 0 {
				first = each
			}
			b.ReportMetric(each/first, "x/first")
		})
	}
}
