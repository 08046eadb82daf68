package execution

import (
	"slices"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// underway is what the turns under way take, kept with each fact of a turn: so what a permit costs to judge
// depends on what its host belongs to, not on how many turns or hosts there are.
type underway struct {
	homes   map[string]int                 // pool -> hosts whose home it is
	hosts   map[string]int                 // host -> turns that have it
	pools   map[string]int                 // pool -> turns that take a host away
	sites   map[string]map[string]bool     // site -> turns
	places  map[plan.Place]map[string]bool // the same by rack
	racks   map[plan.Place]int             // rack -> turns that take a host away
	regions map[string]int                 // region -> the same
	groups  map[string]int                 // group -> its members on the hosts of those turns, each when it was permitted
	needs   map[string]map[string]int      // turn -> the same
	waves   map[int]map[string]bool        // wave -> turns that later waves wait for
	counts  map[string]bool                // turns that are in hosts, pools and sites
}

func newUnderway() underway {
	return underway{homes: map[string]int{}, hosts: map[string]int{}, pools: map[string]int{}, sites: map[string]map[string]bool{}, places: map[plan.Place]map[string]bool{}, racks: map[plan.Place]int{}, regions: map[string]int{},
		groups: map[string]int{}, needs: map[string]map[string]int{},
		waves: map[int]map[string]bool{}, counts: map[string]bool{}}
}

// takesHost: the turn's host is in it now. A live patch that is held, with nothing in flight, is over.
func (s *State) takesHost(t *TurnState) bool {
	if !s.active[t.Plan.ID] || t.Permitted.IsZero() {
		return false
	}
	return t.Plan.Tactic != plan.LivePatch || t.Phase != TurnOnHold || t.Started || t.revert.started
}

// recount takes in what a fact made of a turn.
func (s *State) recount(t *TurnState) {
	u, id := &s.inTurn, t.Plan.ID
	if is := s.takesHost(t); is != u.counts[id] {
		by := 1
		if is {
			u.counts[id] = true
			u.needs[id] = s.needs(t)
		} else {
			by = -1
			delete(u.counts, id)
		}
		if u.hosts[t.Plan.Host] += by; u.hosts[t.Plan.Host] == 0 {
			delete(u.hosts, t.Plan.Host)
		}
		if t.Plan.Tactic != plan.LivePatch { // which takes nobody away
			u.pools[t.Plan.Pool] += by
			u.racks[s.place(t.Plan)] += by
			u.regions[s.place(t.Plan).Region] += by
		}
		for g, n := range u.needs[id] {
			u.groups[g] += by * n
		}
		if !is {
			delete(u.needs, id)
		}
		mark(u.sites, t.Plan.Site, id, is)
		mark(u.places, s.place(t.Plan), id, is)
	}
	mark(u.waves, t.Plan.Wave, id, s.active[id] && (t.Phase == TurnActive || t.Plan.Canary))
}

// mark notes whether an id is in the set of a key; empty sets are dropped.
func mark[K comparable](sets map[K]map[string]bool, key K, id string, in bool) {
	switch set := sets[key]; {
	case in && set == nil:
		sets[key] = map[string]bool{id: true}
	case in:
		set[id] = true
	default:
		if delete(set, id); len(set) == 0 {
			delete(sets, key)
		}
	}
}

// before lists the turns ahead of a wave that are not over, by id.
func (u *underway) before(wave int) (ids []string) {
	for w, turns := range u.waves {
		if w < wave {
			ids = append(ids, sortedKeys(turns)...)
		}
	}
	slices.Sort(ids)
	return ids
}

// onePerPlace lists a turn of each place that has any, by id.
func (u *underway) onePerPlace() (ids []string) {
	for _, turns := range u.places {
		ids = append(ids, sortedKeys(turns)[0])
	}
	slices.Sort(ids)
	return ids
}
