package picture

import (
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// scale maps instants to places: hours in which something may happen have the width that is theirs, all others
// together a little.
type scale struct {
	left, gap float64 // gap between two stretches
	perHour   float64
	stretches []stretch
}

// stretch is a time in which windows are open.
type stretch struct{ from, to time.Time }

// idle is how long nothing must happen for it to be cut out.
const idle = 90 * time.Minute

// cutsMost is the share of the picture's width that goes to cuts at most.
const cutsMost = 0.25

func scaleOf(p *plan.Plan, left, right float64) scale {
	var all []stretch
	for i := range p.Turns {
		t := &p.Turns[i]
		end := t.Start.Add(time.Duration(t.WorstS) * time.Second)
		from, to := t.WindowStart, t.WindowEnd
		if from.IsZero() || to.Sub(from) > 24*time.Hour { // open at any hour: what is used of it
			from, to = t.Start, end
		}
		all = append(all, stretch{from, latest(to, end)})
	}
	for i := range p.Slots {
		if s := &p.Slots[i]; !s.Start.IsZero() {
			all = append(all, stretch{s.Start, s.End})
		}
	}
	s := scale{left: left, stretches: merged(all)}
	var hours float64
	for _, x := range s.stretches {
		hours += x.to.Sub(x.from).Hours()
	}
	if cuts := float64(len(s.stretches) - 1); cuts > 0 {
		s.gap = min(14, cutsMost*(right-left)/cuts)
	}
	s.perHour = (right - left - s.gap*float64(max(0, len(s.stretches)-1))) / max(hours, 0.1)
	return s
}

// merged joins what overlaps or is less than idle apart.
func merged(all []stretch) (out []stretch) {
	slices.SortFunc(all, func(a, b stretch) int { return a.from.Compare(b.from) })
	for _, x := range all {
		if n := len(out); n > 0 && x.from.Sub(out[n-1].to) < idle {
			out[n-1].to = latest(out[n-1].to, x.to)
			continue
		}
		out = append(out, x)
	}
	return out
}

func (s *scale) from() time.Time {
	if len(s.stretches) == 0 {
		return time.Time{}
	}
	return s.stretches[0].from
}

func (s *scale) to() time.Time {
	if len(s.stretches) == 0 {
		return time.Time{}
	}
	return s.stretches[len(s.stretches)-1].to
}

// x is where an instant lies; one that was cut out lies in the middle of its cut.
func (s *scale) x(at time.Time) float64 {
	x := s.left
	for i, part := range s.stretches {
		switch {
		case at.Before(part.from) && i > 0:
			return x - s.gap/2
		case !at.After(part.to):
			return x + s.perHour*max(0, at.Sub(part.from).Hours())
		}
		x += s.perHour*part.to.Sub(part.from).Hours() + s.gap
	}
	return x - s.gap
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
