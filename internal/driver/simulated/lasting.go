package simulated

import (
	"math"
	"math/rand/v2"
	"time"
)

// Lasting is how long something takes each time: lognormal, as boots of servers and steps of packagers are, with a
// median and the duration that 95 of 100 stay below. The zero value means that Times has a fixed duration for it.
type Lasting struct{ Median, P95 time.Duration }

// p95Deviations is how many standard deviations the 95th percentile of a normal distribution lies above its middle.
const p95Deviations = 1.6448536269514722

// Given says that there is a distribution.
func (l Lasting) Given() bool { return l.Median > 0 }

// draw gives one duration. A p95 that is not above the median means no spread.
func (l Lasting) draw(r *rand.Rand) time.Duration {
	sigma := max(0, math.Log(float64(max(l.P95, l.Median))/float64(l.Median))/p95Deviations)
	return time.Duration(float64(l.Median) * math.Exp(sigma*r.NormFloat64()))
}

// lasts draws a duration, or takes the fixed one where there is no distribution. Each name has dice of its own.
func (w *World) lasts(name string, l Lasting, fixed time.Duration) time.Duration {
	if !l.Given() {
		return fixed
	}
	return l.draw(w.chance.stream(Fault(name)))
}
