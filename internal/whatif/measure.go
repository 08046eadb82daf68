package whatif

import (
	"math"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// Numbers are what people trade against each other.
type Numbers struct {
	Start time.Time `json:"start,omitzero"` // of the first turn
	End   time.Time `json:"end,omitzero"`   // of the last, at worst
	// FinishS is from now to that end, in seconds.
	FinishS int64 `json:"finish_seconds"`
	Turns   int   `json:"turns"`
	Waves   int   `json:"waves"`
	Moves   int   `json:"moves"`
	// Blocked are the hosts that get no turn though they need one.
	Blocked int `json:"blocked"`
	// TenantsTouched have an instance that is migrated, saved or stopped; TenantsStopped one of the latter two.
	TenantsTouched int     `json:"tenants_touched"`
	TenantsStopped int     `json:"tenants_stopped"`
	TouchedPercent float64 `json:"tenants_touched_percent"` // of the fleet's tenants
	StoppedPercent float64 `json:"tenants_stopped_percent"`
	Stops          int     `json:"stops"` // instances saved or stopped, each time that they are
	// MostEach is how often one and the same instance is interrupted at most.
	MostEach int `json:"most_interruptions_of_an_instance"`
	// ExposedVMHours is how long instances run on what is to be fixed, from now on, all added up; those that the
	// plan leaves on it count until the last of all compared plans is over, that without the deadline among them.
	ExposedVMHours float64 `json:"exposed_vm_hours"`
	LeftExposed    int     `json:"instances_left_exposed"`
	// PoolsWorse are left worse off than they were found, by spread, reserve, fullest host or largest free memory.
	PoolsWorse int `json:"pools_left_worse_off"`

	exposedS int64 // of those that are not left; nanoseconds of a large fleet would not fit
}

// measure reads the numbers off a plan that was made from in, with so many hosts of the fleet itself: those that
// were added come after them, and are not left with anything.
func measure(in planner.Input, p *plan.Plan, hosts int) Numbers {
	without := blocked(p)
	for i := range in.Fleet.Hosts[hosts:] {
		delete(without, in.Fleet.Hosts[hosts+i].ID)
	}
	n := Numbers{Start: p.Start, End: p.End, Turns: len(p.Turns), Waves: p.Counts.Waves, Moves: len(p.Moves), Blocked: len(without)}
	if len(p.Turns) > 0 {
		n.FinishS = int64(p.End.Sub(in.Now).Seconds())
	}
	touched, stopped, each := map[string]bool{}, map[string]bool{}, map[string]int{}
	for i := range p.Slots {
		s := &p.Slots[i]
		if s.Class != plan.ClassBlip && s.Class != plan.ClassOutage {
			continue
		}
		touched[s.Tenant] = true
		if s.Class == plan.ClassOutage {
			n.Stops++
			stopped[s.Tenant] = true
			each[s.Instance]++
		}
	}
	for i := range p.Moves { // there and back is one slot and two interruptions
		each[p.Moves[i].Instance]++
	}
	for _, times := range each {
		n.MostEach = max(n.MostEach, times)
	}
	n.TenantsTouched, n.TenantsStopped = len(touched), len(stopped)
	if all := tenantsOf(in.Fleet); all > 0 {
		n.TouchedPercent, n.StoppedPercent = percent(n.TenantsTouched, all), percent(n.TenantsStopped, all)
	}
	n.exposedS, n.LeftExposed = exposed(in, p)
	for _, s := range p.Standings() {
		if len(s.Worse) > 0 {
			n.PoolsWorse++
		}
	}
	return n
}

// beats: at least as good in all that people lose, and better in something.
func (n *Numbers) beats(o *Numbers) bool {
	pairs := [][2]int64{{int64(n.Blocked), int64(o.Blocked)}, {n.FinishS, o.FinishS}, {int64(n.TenantsStopped), int64(o.TenantsStopped)},
		{int64(n.TenantsTouched), int64(o.TenantsTouched)}, {int64(n.MostEach), int64(o.MostEach)}, {int64(n.PoolsWorse), int64(o.PoolsWorse)}}
	better := false
	for _, p := range pairs {
		if p[0] > p[1] {
			return false
		}
		better = better || p[0] < p[1]
	}
	return better
}

// blocked are the hosts that get no turn though they need one.
func blocked(p *plan.Plan) map[string]bool {
	hosts := map[string]bool{}
	for i := range p.Blocked {
		if p.Blocked[i].Host != "" && p.Blocked[i].Instance == "" {
			hosts[p.Blocked[i].Host] = true
		}
	}
	return hosts
}

func tenantsOf(f *fleet.Fleet) int {
	seen := map[string]bool{}
	for i := range f.Instances {
		seen[f.Instances[i].Tenant] = true
	}
	return len(seen)
}

// percent to two places, so that one of ten thousand shows.
func percent(part, whole int) float64 {
	return math.Round(10_000*float64(part)/float64(whole)) / 100
}

// exposed adds up for all instances how long each runs on a host that needs a turn before that turn is over: it
// ends for one that lands on a host whose turn is over. left are those for whom it never ends.
func exposed(in planner.Input, p *plan.Plan) (seconds int64, left int) {
	over := fixedFrom(p)
	moves := map[string][]*plan.Move{}
	for i := range p.Moves {
		m := &p.Moves[i]
		moves[m.Instance] = append(moves[m.Instance], m)
	}
	for i := range in.Fleet.Instances {
		g := &in.Fleet.Instances[i]
		if g.State == fleet.Stopped {
			continue // it runs on nothing
		}
		switch at, ok := over.freeFrom(g.Host, moves[g.ID]); {
		case !ok:
			left++
		case at.After(in.Now):
			seconds += int64(at.Sub(in.Now) / time.Second)
		}
	}
	return seconds, left
}

// fixes says from when on each host is fixed that is not at the outset; nil: never.
type fixes map[string]*time.Time

// fixedFrom takes the expected end of a host's first turn.
func fixedFrom(p *plan.Plan) fixes {
	over := fixes{}
	for i := range p.Blocked {
		if b := &p.Blocked[i]; b.Host != "" && b.Instance == "" {
			over[b.Host] = nil
		}
	}
	for i := range p.Turns {
		t := &p.Turns[i]
		if was := over[t.Host]; was == nil || t.End.Before(*was) {
			over[t.Host] = &t.End
		}
	}
	return over
}

// freeFrom is when an instance runs on a fixed host for the first time; not ok: it never does. Its moves are in the
// order of their starts, as in a plan.
func (f fixes) freeFrom(host string, moves []*plan.Move) (at time.Time, ok bool) {
	var since time.Time
	for _, m := range moves {
		if at, ok := f.on(host, since); ok && !at.After(m.Start) {
			return at, true
		}
		host, since = m.To, m.End
	}
	return f.on(host, since)
}

// on is when a host is fixed on which an instance is from some moment on.
func (f fixes) on(host string, since time.Time) (time.Time, bool) {
	fixed, open := f[host]
	switch {
	case !open:
		return since, true
	case fixed == nil:
		return since, false
	}
	return later(*fixed, since), true
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
