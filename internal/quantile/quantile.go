// Package quantile reckons how long something takes at most, in so many of a hundred cases: of one step, and of
// several one after the other.
//
// A step's time is taken to be log-normal: never less than nothing, most often near its median, now and then much
// longer, as reboots, copies and updates are. Two numbers tell such a distribution: the median and one other quantile,
// such as the 95th or the 99th percentile. LogNormal answers any other quantile of it, and draws from it: At of a number
// drawn evenly between 0 and 1 is a drawn time.
//
// Sum is the time of independent steps one after the other. Their quantiles do not add up: all steps are seldom slow at
// once, and who adds their 99th percentiles plans for what happens far less than once in a hundred times. What does add
// up is the mean, the variance and the third central moment; so the sum is taken to be the shifted log-normal that has
// the same three. That is exact for one step, and for one with any constant beside it, and never falls below the
// constant. With two moments alone (Fenton and Wilkinson) the tail of a long-tailed step would be lost beside a longer
// one of little spread. Steps that are slow together, such as migrations over one link, are no independent steps: add up
// their quantiles first, and put them into a Sum as one.
//
// It draws nothing itself and reads no clock. Times are whole milliseconds, so that the last bit of a logarithm decides
// nothing. Start reading at LogNormal.
package quantile

import (
	"math"
	"time"
)

// LogNormal is the distribution of a time whose logarithm is normal.
type LogNormal struct {
	Median time.Duration
	Sigma  float64 // standard deviation of the logarithm; 0: it always takes Median
}

// Through is the log-normal distribution with a median and another quantile: `most` is the p-quantile, p above one half
// and below 1. Where most is no longer than the median, or there is no median, it always takes most or the median,
// whichever is longer.
func Through(median, most time.Duration, p float64) LogNormal {
	if median <= 0 || most <= median {
		return LogNormal{Median: max(0, median, most)}
	}
	return LogNormal{Median: median, Sigma: math.Log(float64(most)/float64(median)) / Normal(p)}
}

// At is the time that is not exceeded in a share p of all cases, between 0 and 1.
func (d LogNormal) At(p float64) time.Duration {
	if d.Sigma == 0 {
		return d.Median
	}
	return rounded(d.Median.Seconds() * math.Exp(Normal(p)*d.Sigma))
}

// Mean is the average.
func (d LogNormal) Mean() time.Duration { return rounded(d.mean()) }

func (d LogNormal) mean() float64 { return d.Median.Seconds() * math.Exp(d.Sigma*d.Sigma/2) }

// Normal is the p-quantile of the standard normal distribution.
func Normal(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }

// Sum is the distribution of the time of independent steps, one after the other. Its zero value is that of none.
type Sum struct {
	mean, variance, third float64   // in seconds, their square and their cube
	usual                 float64   // means, but of no step more than its 95th percentile
	widest                LogNormal // the step whose 95th percentile is furthest from its median
}

// Plus adds a step.
func (s Sum) Plus(d LogNormal) Sum {
	m, w := d.mean(), math.Expm1(d.Sigma*d.Sigma)
	return s.And(Sum{m, m * m * w, m * m * m * w * w * (w + 3), d.usual(), d})
}

// And adds the steps of another sum.
func (s Sum) And(o Sum) Sum {
	if o.widest.spread() > s.widest.spread() {
		s.widest = o.widest
	}
	return Sum{s.mean + o.mean, s.variance + o.variance, s.third + o.third, s.usual + o.usual, s.widest}
}

func (d LogNormal) usual() float64 { return min(d.mean(), d.At(0.95).Seconds()) }

// spread is how far the 95th percentile lies from the median.
func (d LogNormal) spread() time.Duration { return d.At(0.95) - d.Median }

// Mean is the average.
func (s Sum) Mean() time.Duration { return rounded(s.mean) }

// At is the time that is not exceeded in a share p of all cases, between 0 and 1. Above the median it is no less than
// the widest step makes it, the others being as usual: where a step is short as a rule and very long now and then, three moments tell of
// little else.
func (s Sum) At(p float64) time.Duration {
	at := s.matched(p)
	if p > 0.5 {
		at = max(at, rounded(s.usual-s.widest.usual())+s.widest.At(p))
	}
	return at
}

// matched is the quantile of the shifted log-normal distribution that has the same three moments.
func (s Sum) matched(p float64) time.Duration {
	if s.variance <= 0 {
		return rounded(s.mean)
	}
	// Of a log-normal distribution with mean m and squared coefficient of variation c*c, the skewness is c*c*c + 3c.
	skew := s.third / (s.variance * math.Sqrt(s.variance))
	root := math.Sqrt(skew*skew + 4)
	c := math.Cbrt((root+skew)/2) - math.Cbrt((root-skew)/2)
	m := math.Sqrt(s.variance) / c
	sigma := math.Sqrt(math.Log1p(c * c))
	return rounded(s.mean - m + m*math.Exp(Normal(p)*sigma-sigma*sigma/2))
}

// rounded to whole milliseconds; what is too long for a Duration is the longest there is.
func rounded(seconds float64) time.Duration {
	const longest = math.MaxInt64 / 4
	if ns := seconds * float64(time.Second); !(ns < longest) {
		return longest
	}
	return time.Duration(math.Round(seconds*1000)) * time.Millisecond
}
