package quantile_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/quantile"
)

// TestLogNormal: what tables of the normal distribution give. 35 minutes with a 95th percentile of 60 is what accounts
// of whole cycles of hosts come to.
func TestLogNormal(t *testing.T) {
	d := quantile.Through(35*time.Minute, time.Hour, 0.95)
	for _, c := range []struct {
		p    float64
		want time.Duration
	}{
		{0.05, 1225 * time.Second}, {0.5, 35 * time.Minute}, {0.95, time.Hour},
		{0.99, 4501 * time.Second}, {0.995, 4884 * time.Second},
	} {
		if got := d.At(c.p); (got - c.want).Abs() > time.Second {
			t.Errorf("the %g-quantile is %s, want %s", c.p, got, c.want)
		}
	}
	if got, want := d.Mean(), 2216*time.Second; (got - want).Abs() > time.Second {
		t.Errorf("the mean is %s, want %s", got, want)
	}
	if got := quantile.Normal(0.975); math.Abs(got-1.959964) > 1e-6 {
		t.Errorf("the 0.975-quantile of the normal distribution is %f", got)
	}
}

// TestNoSpread: what always takes the same does so at each quantile, also of a sum.
func TestNoSpread(t *testing.T) {
	for _, d := range []quantile.LogNormal{
		quantile.Through(time.Minute, time.Minute, 0.99), quantile.Through(time.Minute, time.Second, 0.99), quantile.Through(0, time.Minute, 0.95),
	} {
		for _, p := range []float64{0.5, 0.95, 0.999} {
			if got, sum := d.At(p), (quantile.Sum{}).Plus(d).Plus(d).At(p); got != time.Minute || sum != 2*time.Minute {
				t.Errorf("%+v: the %g-quantile is %s, of two of them %s", d, p, got, sum)
			}
		}
	}
	if got := (quantile.Sum{}).At(0.99); got != 0 {
		t.Errorf("nothing takes %s", got)
	}
	if got := quantile.Through(100*365*24*time.Hour, 290*365*24*time.Hour, 0.501).At(0.999999); got <= 0 {
		t.Errorf("a time without end is %s", got)
	}
}

// step draws a step of a turn: seconds to an hour, the 99th percentile up to eight times the median.
func step(t *rapid.T) quantile.LogNormal {
	median := time.Duration(rapid.IntRange(1, 3600).Draw(t, "median")) * time.Second
	return quantile.Through(median, time.Duration(float64(median)*rapid.Float64Range(1, 8).Draw(t, "p99")), 0.99)
}

// TestSumOfOne: a sum of one step is that step, and a constant beside it moves each quantile by itself.
func TestSumOfOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, p := step(t), rapid.Float64Range(0.5, 0.999).Draw(t, "p")
		aside := time.Duration(rapid.IntRange(0, 1000).Draw(t, "aside")) * time.Second
		want := d.At(p) + aside
		if got := (quantile.Sum{}).Plus(quantile.LogNormal{Median: aside}).Plus(d).At(p); (got - want).Abs() > want/1_000_000+2*time.Millisecond {
			t.Errorf("%+v with %s beside it: the %g-quantile is %s, want %s", d, aside, p, got, want)
		}
	})
}

// TestSumOrder: quantiles rise with p, each is no less than the steps' medians come to, and above the median no more
// than the quantiles of all steps together.
func TestSumOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		steps := rapid.SliceOfN(rapid.Custom(step), 1, 6).Draw(t, "steps")
		var sum quantile.Sum
		var medians time.Duration
		for _, d := range steps {
			sum, medians = sum.Plus(d), medians+d.Median
		}
		last := time.Duration(0)
		for _, p := range []float64{0.5, 0.9, 0.95, 0.99, 0.995, 0.999} {
			var all time.Duration
			for _, d := range steps {
				all += d.At(p)
			}
			got := sum.At(p)
			if got < last || p >= 0.9 && got < medians || p >= 0.95 && got > all+time.Duration(len(steps))*time.Millisecond {
				t.Errorf("the %g-quantile is %s after %s; medians come to %s and quantiles to %s", p, got, last, medians, all)
			}
			last = got
		}
	})
}

// TestSumCovers: of sums that are drawn, the share that the p-quantile says stays within it.
func TestSumCovers(t *testing.T) {
	const n = 20_000
	rapid.Check(t, func(t *rapid.T) {
		steps := rapid.SliceOfN(rapid.Custom(step).Filter(func(d quantile.LogNormal) bool { return d.Sigma > 0.02 }), 1, 5).Draw(t, "steps")
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		var sum quantile.Sum
		for _, d := range steps {
			sum = sum.Plus(d)
		}
		drawn := make([]time.Duration, n)
		for i := range drawn {
			for _, d := range steps {
				drawn[i] += d.At(1 - r.Float64()) // never 0
			}
		}
		slices.Sort(drawn)
		for _, c := range []struct{ p, aside float64 }{{0.95, 0.015}, {0.99, 0.005}, {0.995, 0.004}} {
			within, _ := slices.BinarySearch(drawn, sum.At(c.p)+2*time.Millisecond)
			if share := float64(within) / n; math.Abs(share-c.p) > c.aside {
				t.Errorf("%.2f %% of the sums of %v are within their %g-quantile, %s", 100*share, steps, c.p, sum.At(c.p))
			}
		}
	})
}

// TestSumWithARareLongStep: a step that takes 20 s as a rule and 20 minutes once in a hundred times, beside a reboot. Its
// third moment is all that is left of both, but the sum's percentiles are no less than the reboot's.
func TestSumWithARareLongStep(t *testing.T) {
	reboot := quantile.Through(35*time.Minute, time.Hour, 0.99)
	rare := quantile.Through(20*time.Second, 20*time.Minute, 0.99)
	sum := (quantile.Sum{}).Plus(rare).Plus(reboot)
	r, drawn := rand.New(rand.NewPCG(1, 2)), make([]time.Duration, 20_000)
	for i := range drawn {
		drawn[i] = reboot.At(1-r.Float64()) + rare.At(1-r.Float64())
	}
	slices.Sort(drawn)
	for _, c := range []struct{ p, aside float64 }{{0.95, 0.02}, {0.99, 0.01}} {
		within, _ := slices.BinarySearch(drawn, sum.At(c.p))
		if share := float64(within) / float64(len(drawn)); math.Abs(share-c.p) > c.aside {
			t.Errorf("%.2f %% of the sums are within their %g-quantile, %s", 100*share, c.p, sum.At(c.p))
		}
	}
}
