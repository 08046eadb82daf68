package execution

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Placement is the answer of Place: a destination, or why there is none now.
type Placement struct {
	To   string
	Wait bool           // some host may do soon: a look is missing, room is being freed, a member of its group is away
	Sees []string       // the best hosts, as far as their look is missing or old
	Why  []fleet.Reason // per host that was asked and refused: its id is in Why's text
}

// Place binds one instance's destination late, on what was seen within the last minute. It keeps
// the laws of redundancy and room, lands on fixed hosts first, and never where the instance would
// be interrupted again without a promise.
func (s *State) Place(t *TurnState, instance string, now time.Time) Placement {
	if len(s.beside) > 0 {
		return s.placeNow(t, instance, now) // what others hold follows from their facts
	}
	places, key := s.seenAt(now).places, actKey(t.Plan.ID, instance)
	p, known := places[key]
	if !known {
		p = s.placeNow(t, instance, now)
		p.Sees, p.Why = slices.Clip(p.Sees), slices.Clip(p.Why)
		places[key] = p
	}
	return p
}

func (s *State) placeNow(t *TurnState, instance string, now time.Time) Placement {
	in := s.instance(instance)
	if g := s.groupFull(in); g != "" {
		return Placement{Wait: true, Why: []fleet.Reason{{Code: "group", Why: fmt.Sprintf("group %s has as many members away as it allows", g)}}}
	}
	var out Placement
	poolFree := s.poolFrees()
	waits := false // for a host that may take it soon: no worse one takes it before, but is looked at meanwhile
	groups, untold := s.alike(t, in)
	for _, alike := range groups {
		soon := false
		for _, id := range s.byRoom(alike) {
			no := s.refuses(t, in, id, now, poolFree(t.Plan.Pool))
			if no == nil && !waits {
				if no = s.leaves(t, in, id, now, poolFree); no == nil {
					return s.placed(id, out.Why)
				}
				soon = true
			}
			if no == nil {
				continue
			}
			if no.look {
				out.Sees, soon = append(out.Sees, id), true
			}
			out.refused(id, no)
			if waits && len(out.Sees) >= bestToSee {
				return out
			}
		}
		waits = waits || soon
	}
	if r := s.nobodyTold(t, untold); r != nil {
		out.Wait = out.Wait || r.soon
		out.Why = append(out.Why, r.Reason)
	}
	return out
}

// untold: a host's own turn is ahead, would disturb the instance, and nobody was told of that. In most pools that holds
// of nearly all hosts on the old version, so they are not asked one by one.
func (s *State) untold(t *TurnState, in *fleet.Instance, to string) bool {
	o := s.Turns[to]
	if o == nil || o.Phase != TurnWaiting || o.Plan.Tactic == plan.LivePatch || !o.Prepared.IsZero() || t.Plan.Tactic == plan.Refresh || in.Tenant == "" {
		return false
	}
	return !s.mayStay(t, in, o)
}

// nobodyTold is why none of such hosts takes the instance: soon, where one of them begins its own turn next and will be fixed
// then; nil: there are none.
func (s *State) nobodyTold(t *TurnState, hosts []string) *refusal {
	if len(hosts) == 0 {
		return nil
	}
	soon := false
	for _, id := range s.waiting {
		if o := s.Turns[id]; o.Plan.Wave > t.Plan.Wave {
			break
		} else if slices.Contains(hosts, o.Plan.Host) {
			soon = true
			break
		}
	}
	which := hosts[0]
	if n := len(hosts); n > 1 {
		which = fmt.Sprintf("%s and %d more", hosts[0], n-1)
	}
	return &refusal{fleet.Reason{Code: CodeNotTold, Why: which + ": its own turn would disrupt the instance and nobody was told of that"}, soon, false}
}

// placed names a destination, and why no better host took the instance.
func (s *State) placed(to string, refused []fleet.Reason) Placement {
	p := Placement{To: to}
	for _, r := range refused {
		if host, _, _ := strings.Cut(r.Why, ":"); s.level(host) < s.level(to) {
			p.Why = append(p.Why, r)
		}
	}
	slices.SortStableFunc(p.Why, func(a, b fleet.Reason) int { return cmp.Compare(a.Why, b.Why) })
	return p
}

// alike are the candidates in groups, best first: those on the fix before others, and of those the forecast one alone.
// In most pools that one takes the instance, and nobody else is asked. Hosts apart from them are those for whose own turn
// nobody was told.
func (s *State) alike(t *TurnState, in *fleet.Instance) (best [][]string, untold []string) {
	var groups [2 * (landsUnfixed + 1)][]string
	forecast := s.forecast[actKey(t.Plan.ID, in.ID)].to
	for _, id := range s.candidates(t) {
		if s.untold(t, in, id) {
			untold = append(untold, id)
			continue
		}
		n := 2 * s.level(id)
		if id != forecast {
			n++
		}
		groups[n] = append(groups[n], id)
	}
	return groups[:], untold
}

// byRoom sorts hosts: most room first.
func (s *State) byRoom(hosts []string) []string {
	if len(hosts) < 2 {
		return hosts
	}
	free := make(map[string]int64, len(hosts))
	for _, id := range hosts {
		free[id] = s.free(id)
	}
	slices.SortFunc(hosts, func(a, b string) int { return cmp.Or(cmp.Compare(free[b], free[a]), cmp.Compare(a, b)) })
	return hosts
}

// refused notes why a host does not receive the instance.
func (p *Placement) refused(host string, no *refusal) {
	p.Wait = p.Wait || no.soon
	p.Why = append(p.Why, fleet.Reason{Code: no.Code, Why: host + ": " + no.Why})
}

// candidates are the hosts that share a pool with the turn's host, by id.
func (s *State) candidates(t *TurnState) []string {
	own := s.index.Hosts[t.Plan.Host]
	if own == nil {
		return nil
	}
	if ids, known := s.others[own.ID]; known {
		return ids
	}
	seen := map[string]bool{own.ID: true}
	var ids []string
	for _, p := range own.Pools {
		for _, h := range s.index.PoolHosts[p] {
			if !seen[h.ID] {
				seen[h.ID] = true
				ids = append(ids, h.ID)
			}
		}
	}
	slices.Sort(ids)
	s.others[own.ID] = ids
	return ids
}

// instance is what the fleet says of it, or, when it appeared later, what was seen.
func (s *State) instance(id string) *fleet.Instance {
	var in fleet.Instance
	if known := s.index.Instances[id]; known != nil {
		in = *known
	} else {
		in = fleet.Instance{ID: id}
	}
	if g := s.Guests[id]; g != nil {
		in.Host, in.State = g.Host, g.State
		if g.Memory > in.MemoryMiB {
			in.MemoryMiB = g.Memory
		}
	}
	if h := s.Hosts[in.Host]; h != nil && h.View != nil {
		for _, v := range h.View.Instances {
			if v.ID == id && len(v.Running) > 0 {
				in.Running = v.Running
			}
		}
	}
	return &in
}

// groupFull names a group of the instance that could not spare it now; "" when all can.
func (s *State) groupFull(in *fleet.Instance) string {
	for _, g := range s.index.GroupsOf[in.ID] {
		if n := s.disturbed(g.ID); n+1 > g.Allowed() {
			return g.ID
		}
	}
	return ""
}

// disposition of an instance in a turn: as promised; an instance that appeared later is only ever
// live-migrated, for nobody was told of more.
func (s *State) disposition(t *TurnState, instance string) plan.Disposition {
	if sl := s.turnSlot[t.Plan.ID+"/"+instance]; sl != nil {
		return sl.Disposition
	}
	if t.Plan.Tactic == plan.Refresh && s.blocked[instance] {
		return plan.DispBlocked // it stays as it is, and stops nobody else
	}
	return plan.DispLiveMigrate
}
