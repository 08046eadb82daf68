package plan

import (
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// ExposureS adds up, in seconds, how long each instance that runs is on a host that needs a turn before that turn is
// over: it ends for one that lands on a host whose turn is over. Those for whom it never ends count until the plan's
// end. Each counts as often as the host that it is on at the outset weighs.
func ExposureS(f *fleet.Fleet, p *Plan, weight func(host string) int64) (seconds int64) {
	var end time.Time
	for i := range p.Turns {
		if over := p.Turns[i].WorstEnd(); over.After(end) {
			end = over
		}
	}
	e := exposureOf(p)
	moves := make(map[string][]*Move, len(p.Moves))
	for i := range p.Moves {
		m := &p.Moves[i]
		moves[m.Instance] = append(moves[m.Instance], m)
	}
	for i := range f.Instances {
		g := &f.Instances[i]
		if g.State == fleet.Stopped {
			continue // it runs on nothing
		}
		of := moves[g.ID]
		slices.SortFunc(of, func(a, b *Move) int { return a.Start.Compare(b.Start) })
		at, ok := e.freeFrom(g.Host, of)
		if !ok {
			at = end
		}
		seconds += secondsTo(p.Made, at) * weight(g.Host)
	}
	return seconds
}

// exposed says from when on each host is fixed that is not at the outset; zero: never.
type exposed map[string]time.Time

// exposureOf takes the expected end of a host's first turn.
func exposureOf(p *Plan) exposed {
	over := make(exposed, len(p.Turns))
	for i := range p.Blocked {
		if b := &p.Blocked[i]; b.Host != "" && b.Instance == "" {
			over[b.Host] = time.Time{}
		}
	}
	for i := range p.Turns {
		t := &p.Turns[i]
		if was := over[t.Host]; was.IsZero() || t.End.Before(was) {
			over[t.Host] = t.End
		}
	}
	return over
}

// freeFrom is when an instance runs on a fixed host for the first time; not ok: it never does. Its moves are in the
// order of their starts.
func (e exposed) freeFrom(host string, moves []*Move) (at time.Time, ok bool) {
	var since time.Time
	for _, m := range moves {
		if at, ok := e.on(host, since); ok && !at.After(m.Start) {
			return at, true
		}
		host, since = m.To, m.End
	}
	return e.on(host, since)
}

// on is when a host is fixed on which an instance is from some moment on.
func (e exposed) on(host string, since time.Time) (time.Time, bool) {
	fixed, open := e[host]
	if open && (fixed.IsZero() || fixed.After(since)) {
		since = fixed
	}
	return since, !open || !fixed.IsZero()
}
