package planner

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// codeDone: a host's turn is over, and brought what it was to bring.
const codeDone = "done"

// again is a plan, and what has happened since it was made.
type again struct {
	in  Input
	was *plan.Plan
	now time.Time

	hosts     map[string]*fleet.Host // as they are
	hostOf    map[string]string      // of instances that are blocked by themselves
	ahead     []*plan.Turn           // that have not begun
	turnAhead map[string]*plan.Turn
	past      map[string]string // host -> why its turn is behind it
	gone      map[string]bool   // instances of the plan's fleet that are no more
	made      map[string]bool   // and that are new
	wandered  map[string]string // instance -> its host, where the plan did not foresee it
	why       map[string][]string
	linked    map[string]map[string]bool // pools that share hosts
	lost      map[string]string          // turn -> why it is not where it was
	whole     string
	siteOf    map[string]string     // of pools
	promised  map[string]*plan.Slot // what tenants were told and may be kept, by slot id
}

// foresee compares the fleet with what the plan foresaw for this moment.
func foresee(in Input, was *plan.Plan) *again {
	a := &again{in: in, was: was, now: ceilSecondOf(in.Now), hosts: make(map[string]*fleet.Host, len(in.Fleet.Hosts)), hostOf: map[string]string{},
		turnAhead: make(map[string]*plan.Turn, len(was.Turns)), past: map[string]string{}, gone: map[string]bool{}, made: map[string]bool{},
		wandered: map[string]string{}, promised: promised(in), siteOf: map[string]string{}, why: map[string][]string{}, linked: map[string]map[string]bool{}, lost: map[string]string{}}
	for i := range in.Fleet.Hosts {
		h := &in.Fleet.Hosts[i]
		a.hosts[h.ID] = h
		a.link(h)
	}
	for i := range was.Fleet.Hosts {
		a.link(&was.Fleet.Hosts[i])
	}
	for i := range in.Fleet.Pools {
		a.siteOf[in.Fleet.Pools[i].ID] = in.Fleet.Pools[i].Site
	}
	a.compareTurns()
	a.compareHosts()
	a.compareInstances()
	a.compareRest()
	return a
}

func ceilSecondOf(t time.Time) time.Time {
	if s := t.UTC().Truncate(time.Second); !s.Equal(t) {
		return s.Add(time.Second)
	}
	return t.UTC()
}

// touch notes that something happened in the home pool of a host, and in its others.
func (a *again) touch(h *fleet.Host, format string, args ...any) {
	for _, p := range h.Pools {
		a.touchPool(p, format, args...)
	}
}

func (a *again) touchPool(pool, format string, args ...any) {
	a.why[pool] = append(a.why[pool], fmt.Sprintf(format, args...))
}

func (a *again) link(h *fleet.Host) {
	if len(h.Pools) < 2 {
		return
	}
	for _, p := range h.Pools {
		if a.linked[p] == nil {
			a.linked[p] = map[string]bool{}
		}
		for _, q := range h.Pools {
			a.linked[p][q] = true
		}
	}
}

// touchNear touches all pools that share hosts with touched ones, over however many others.
func (a *again) touchNear() {
	todo := slices.Sorted(maps.Keys(a.why))
	for len(todo) > 0 {
		p := todo[0]
		todo = todo[1:]
		for _, q := range slices.Sorted(maps.Keys(a.linked[p])) {
			if !a.touches(q) {
				a.touchPool(q, "it shares hosts with pool %s", p)
				todo = append(todo, q)
			}
		}
	}
}

// compareTurns tells the turns that are ahead from those that are over, and finds promises that can no longer be
// told in time.
func (a *again) compareTurns() {
	for i := range a.was.Turns {
		t := &a.was.Turns[i]
		h := a.hosts[t.Host]
		switch {
		case h == nil:
			a.lost[t.ID] = "host " + t.Host + " is gone"
		case a.in.Underway[t.Host]:
			a.past[t.Host] = "its turn of " + t.Start.UTC().Format(time.RFC3339) + " is under way"
		case a.isDone(t, h):
			a.past[t.Host] = "its turn of " + t.Start.UTC().Format(time.RFC3339) + " is over"
			continue
		case t.Start.Before(a.now):
			a.lost[t.ID] = "its turn of " + t.Start.UTC().Format(time.RFC3339) + " has not brought host " + t.Host + " where it was to"
			a.touch(h, "%s", a.lost[t.ID])
		default:
			a.ahead = append(a.ahead, t)
			a.turnAhead[t.ID] = t
		}
	}
	for i := range a.was.Slots {
		s := &a.was.Slots[i]
		t := a.turnAhead[s.Turn]
		if t == nil || s.Tenant == "" || !s.Start.Add(-a.in.Policy.Lead.Of(s.Class)).Before(a.now) || a.stillTold(s) {
			continue
		}
		if _, known := a.lost[t.ID]; !known {
			a.lost[t.ID] = "the notice for " + s.ID + " had to be out by " + s.NoticeBy.UTC().Format(time.RFC3339)
			a.touch(a.hosts[t.Host], "%s", a.lost[t.ID])
		}
	}
}

// isDone: a turn is over, and its host needs none any more; in a routine cycle, it has booted since.
func (a *again) isDone(t *plan.Turn, h *fleet.Host) bool {
	if t.WorstEnd().After(a.now) && t.Start.After(a.now) {
		return false
	}
	if a.in.Target != nil {
		v, _ := a.in.Assessment.Host(h.ID)
		return v.Verdict == advisory.IsFixed || v.Verdict == advisory.NotAffected
	}
	return !t.WorstEnd().After(a.now) && (h.BootID == "" || h.BootID != a.bootBefore(h.ID))
}

func (a *again) bootBefore(host string) string {
	for i := range a.was.Fleet.Hosts {
		if a.was.Fleet.Hosts[i].ID == host {
			return a.was.Fleet.Hosts[i].BootID
		}
	}
	return ""
}

// pairs walks two lists side by side. Most lists have the same order; where they differ a map finds the other.
func pairs[T any](old, now []T, id func(*T) string, each func(old, now *T)) {
	var byID map[string]*T
	find := func(at int, x *T) *T {
		if byID == nil && at < len(old) && id(&old[at]) == id(x) {
			return &old[at]
		}
		if byID == nil {
			byID = make(map[string]*T, len(old))
			for i := range old {
				byID[id(&old[i])] = &old[i]
			}
		}
		return byID[id(x)]
	}
	missing := len(old)
	for i := range now {
		was := find(i, &now[i])
		if was != nil {
			missing--
		}
		each(was, &now[i])
	}
	if missing <= 0 {
		return
	}
	here := make(map[string]bool, len(now))
	for i := range now {
		here[id(&now[i])] = true
	}
	for i := range old {
		if !here[id(&old[i])] {
			each(&old[i], nil)
		}
	}
}
