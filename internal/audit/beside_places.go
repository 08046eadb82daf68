package audit

import (
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// flight is a migration that began and has not ended.
type flight struct{ from, to string }

// places asks of a permit what racks and regions bear of all campaigns together: under its own policy, and under
// that of each other campaign with a host away at the place.
func (b *besides) places(i int, m *side, f *Fact, s Subject) {
	for j, whose := range b.sides {
		if whose == nil {
			continue
		}
		for _, l := range m.limitsAt(&whose.plan.Policy, f.Host) {
			n, others, his := 1, 0, j == i
			for k, o := range b.sides {
				if o == nil {
					continue
				}
				for host, t := range o.open {
					if host == f.Host || t.Tactic == plan.LivePatch || !slices.Contains(o.limitsAt(&whose.plan.Policy, host), l) {
						continue
					}
					n++
					his = his || k == j
					if k != i {
						others++
					}
				}
			}
			b.must(n <= l.most || others == 0 || !his, 6, "away-from-place", s, f.At, "another host of the place back first, in whichever campaign, or a higher "+l.name,
				"%d hosts of %s are in a turn with %s in all campaigns, at most %d may be", n, l.place, f.Host, l.most)
		}
	}
}

// gaps asks of a permit that the time which either policy wants lies between it and the turns of other campaigns
// that have ended. One that had finished before this one began is not asked: nobody knew both at once.
func (b *besides) gaps(i int, m *side, f *Fact, s Subject) {
	for j, o := range b.sides {
		if o == nil || j == i || !o.finished.IsZero() && !o.finished.After(m.applied) {
			continue
		}
		var due time.Time
		for host, at := range o.ended {
			for _, pol := range []*plan.Policy{&m.plan.Policy, &o.plan.Policy} {
				if gap, apart := keptApart(pol, m.spotOf(pol, f.Host), o.spotOf(pol, host)); apart && at.Add(gap).After(due) {
					due = at.Add(gap)
				}
			}
		}
		b.must(!f.At.Before(due), 3, "stagger-gap", s, f.At, "a permit no earlier than "+clock(due)+", or policies with a shorter stagger_gap",
			"turn %s is permitted too soon after a turn of campaign %s ended at a place that is kept apart", f.Turn, o.plan.Campaign)
	}
}

// flies asks of a migration what racks, regions and links bear of all campaigns together.
func (b *besides) flies(i int, m *side, f *Fact, s Subject) {
	for j, whose := range b.sides {
		if whose == nil {
			continue
		}
		pol := &whose.plan.Policy
		for _, l := range m.ends(pol, f.From, f.To) {
			n := b.flying(i, j, f, func(o *side, a flight) bool { return slices.Contains(o.ends(pol, a.from, a.to), l) })
			b.must(n <= l.most, 6, "moves-per-place", s, f.At, "a later start, or a higher "+l.name,
				"%d migrations with an end in %s are in flight with that of %s in all campaigns, at most %d may be", n, l.place, f.Instance, l.most)
		}
		for _, l := range m.over(f.From, f.To) {
			n := b.flying(i, j, f, func(o *side, a flight) bool {
				return slices.ContainsFunc(o.over(a.from, a.to), func(x *fleet.Link) bool { return x.ID == l.ID })
			})
			b.must(n <= perLink(pol), 6, "moves-per-link", s, f.At, "a later start, or a higher moves_per_link",
				"%d migrations over link %s are in flight with that of %s in all campaigns, at most %d may be", n, l.ID, f.Instance, perLink(pol))
		}
	}
}

// flying counts the migrations in flight that a limit of campaign j counts, with one that campaign i begins; 0 where
// that limit does not bind, or campaign i is alone there, which its own journal is judged by.
func (b *besides) flying(i, j int, f *Fact, counts func(*side, flight) bool) int {
	n, others, his := 1, 0, i == j
	for k, o := range b.sides {
		if o == nil {
			continue
		}
		for in, a := range o.flights {
			if in == f.Instance || !counts(o, a) {
				continue
			}
			n++
			his = his || k == j
			if k != i {
				others++
			}
		}
	}
	if others == 0 || !his {
		return 0
	}
	return n
}
