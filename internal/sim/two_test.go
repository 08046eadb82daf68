package sim

import (
	"testing"

	"github.com/evenkeel/evenkeel/internal/execution"
)

// TestTwoSeeds carries two campaigns out at once over one fleet per seed, and lets the auditor judge both beside
// each other.
func TestTwoSeeds(t *testing.T) {
	first, n := *first, max(60, *seeds/5)
	if *only != 0 {
		first, n = *only, 1
	}
	var both, done, waited, crashes int
	for seed := first; seed < first+uint64(n); seed++ {
		res, err := RunTwo(seed, troublesOf(seed))
		if err != nil || res.Bad() {
			t.Errorf("seed %d: %v\n%s\nreplay: go test ./internal/sim -run TestTwoSeeds -seed=%d", seed, err, whySuccession(&res.Succession), seed)
			continue
		}
		if res.Empty {
			continue
		}
		both, crashes = both+1, crashes+res.Crashes
		if res.Waited > 0 {
			waited++
		}
		for _, facts := range res.Facts {
			for _, f := range facts {
				if f.Kind == execution.TurnDone {
					done++
				}
			}
		}
	}
	t.Logf("%d seeds: %d with two campaigns, %d turns done, in %d runs one waited for the other, %d crashes", n, both, done, waited, crashes)
	if *only == 0 && (both < n/2 || done < both || waited < n/10 || crashes == 0) {
		t.Error("the runs do not exercise what they should")
	}
}

// TestTwoSeedsThatFoundSomething are those that did, and are mended.
func TestTwoSeedsThatFoundSomething(t *testing.T) {
	for _, seed := range []uint64{1119, 1160} {
		if res, err := RunTwo(seed, troublesOf(seed)); err != nil || res.Bad() {
			t.Errorf("seed %d: %v\n%s", seed, err, whySuccession(&res.Succession))
		}
	}
}
