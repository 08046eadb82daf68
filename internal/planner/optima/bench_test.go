package optima_test

import (
	"testing"

	"github.com/evenkeel/evenkeel/internal/planner/optima"
)

// BenchmarkSmall is what one small plan costs.
func BenchmarkSmall(b *testing.B) {
	list, err := optima.Cases()
	if err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		if _, err := list[i%len(list)].Plan(); err != nil {
			b.Fatal(err)
		}
	}
}
