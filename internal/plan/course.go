package plan

import (
	"time"

	"github.com/evenkeel/evenkeel/internal/quantile"
)

// Course is how long the steps of something take, one after the other. A step is told as what is expected of it, which
// is its median, and its 99th percentile, and is taken to be log-normal between the two. Steps in a course are
// independent; what is slow together is one step. Its zero value is a course of no steps.
type Course struct {
	// Expected and Worst add up what is expected of the steps, and their 99th percentiles: all of them slow at once.
	Expected, Worst time.Duration
	sum             quantile.Sum
}

// Then is the course with another step.
func (c Course) Then(expected, worst time.Duration) Course {
	worst = max(expected, worst)
	return Course{c.Expected + expected, c.Worst + worst, c.sum.Plus(quantile.Through(expected, worst, 0.99))}
}

// And is the course with another one after it.
func (c Course) And(o Course) Course {
	return Course{c.Expected + o.Expected, c.Worst + o.Worst, c.sum.And(o.sum)}
}

// At is how long it takes at most in a share p of all cases, from 0.9 to 1: no less than is expected, and in 99 % no more
// than all steps slow at once take.
func (c Course) At(p float64) time.Duration {
	at := max(c.Expected, c.sum.At(p))
	if p <= 0.99 {
		at = min(at, c.Worst)
	}
	return at
}

// SlotAuto as a policy's SlotBy: slots by the turn.
const SlotAuto = "auto"

// AutoSlots tells whether each slot is as long as its turn needs.
func (p *Policy) AutoSlots() bool { return p.SlotBy == SlotAuto }

// Slot is how long a slot is that a turn of this course, all of it, begins with: so long that 99.5 % of such turns end in
// it, with a twentieth of its 99th percentile to spare for a start that is late; but no longer than half as long again as
// its 95th percentile. Where steps are so uncertain that this does not hold 99.5 %, fewer do; but 99 % always, with ten
// seconds to spare: that is the worst case by which a turn may begin at all. away is the end of the course in which
// instances are stopped, with no steps where none is: they are stopped only if what is left ends in the slot in 99 of 100
// cases, so 95 % of what goes before must leave as much.
func (c Course) Slot(before, away Course) time.Duration {
	p99 := c.At(0.99)
	wanted := c.At(0.995)
	if away.Expected > 0 {
		wanted = max(wanted, before.At(0.95)+away.At(0.99))
	}
	const late = 10 * time.Second
	wanted = min(wanted+max(late, p99/20), c.At(0.95)*3/2)
	return upToSecond(max(wanted, p99+late)).Std()
}
