package engine

import (
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Campaign is what a chore needs to know of its campaign.
type Campaign struct {
	Plan  *plan.Plan
	Fleet *fleet.Fleet
	// Asked gives when a notice was decided, Code why it was (cancelled), Actual what happened in a slot
	// so far.
	Asked  func(notice string) time.Time
	Code   func(notice string) string
	Actual func(slot string) *execution.Actual
	// Awaited says that a turn of ours takes the host down and up, or patches its running code, so that it
	// is asked about by other ways when it does not answer. nil: none does.
	Awaited func(host string) bool

	known lookup // empty: reckoned anew by each chore
}

// lookup answers what chores ask of plan and fleet; it is only read once it is made.
type lookup struct {
	hosts   map[string]*fleet.Host
	cohorts *advisory.Cohorts // nil in a routine cycle
}

func newLookup(p *plan.Plan, f *fleet.Fleet) lookup {
	l := lookup{hosts: make(map[string]*fleet.Host, len(f.Hosts))}
	for i := range f.Hosts {
		l.hosts[f.Hosts[i].ID] = &f.Hosts[i]
	}
	if p.Target != nil {
		l.cohorts = advisory.NewCohorts(f, p.Target)
	}
	return l
}

func (k Campaign) lookup() lookup {
	if k.known.hosts != nil {
		return k.known
	}
	return newLookup(k.Plan, k.Fleet)
}

// cohort is the target's for a host; nil when there is none.
func (k Campaign) cohort(host string) *plan.Cohort {
	l := k.lookup()
	if h := l.hosts[host]; h != nil && l.cohorts != nil {
		return l.cohorts.Of(h)
	}
	return nil
}

// update is the update that the plan names for a host.
func (k Campaign) update(host string) plan.Update {
	if c := k.cohort(host); c != nil {
		return c.Update
	}
	return plan.Update{}
}

// Campaign is what chores need to know; plan and fleet never change within a journal.
func (p *Pump) Campaign() Campaign {
	k := Campaign{
		Asked: func(id string) (at time.Time) {
			p.Read(func(s *execution.State) {
				if n := s.Notices[id]; n != nil {
					at = n.Asked
				}
			})
			return at
		},
		Code: func(id string) (code string) {
			p.Read(func(s *execution.State) {
				if n := s.Notices[id]; n != nil {
					code = n.Code
				}
			})
			return code
		},
		Actual: func(slot string) (a *execution.Actual) {
			p.Read(func(s *execution.State) {
				if have := s.Actual(slot); have != nil {
					seen := *have
					a = &seen
				}
			})
			return a
		},
		Awaited: func(host string) (is bool) {
			p.Read(func(s *execution.State) {
				is = slices.ContainsFunc(s.Active(), func(id string) bool {
					t := s.Turns[id]
					return t.Plan.Host == host && (t.Rebooted || !t.Ordered.IsZero() || t.Step == execution.StepProve || t.Plan.Tactic == plan.LivePatch)
				})
			})
			return is
		},
		known: p.known,
	}
	p.Read(func(s *execution.State) { k.Plan, k.Fleet = s.Plan, s.Fleet })
	return k
}
