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
	Sees []string       // hosts whose look is missing or old
	Why  []fleet.Reason // per refused host: its id is in Why's text
}

// Place binds one instance's destination late, on what was seen within the last minute. It keeps
// the laws of redundancy and room, lands on fixed hosts first, and never where the instance would
// be interrupted again without a promise.
func (s *State) Place(t *TurnState, instance string, now time.Time) Placement {
	in := s.instance(instance)
	if g := s.groupFull(in); g != "" {
		return Placement{Wait: true, Why: []fleet.Reason{{Code: "group", Why: fmt.Sprintf("group %s has as many members away as it allows", g)}}}
	}
	type choice struct {
		host string
		rank [3]int64
		no   *refusal
	}
	var out Placement
	var may []choice // by what was known last
	poolFree := s.poolFrees()
	for _, id := range s.candidates(t) {
		no := s.refuses(t, in, id, now, poolFree(t.Plan.Pool))
		if no == nil || no.look {
			may = append(may, choice{id, s.rank(t, instance, id), no})
		}
		if no != nil {
			out.refused(id, no)
		}
	}
	slices.SortStableFunc(may, func(a, b choice) int {
		return cmp.Or(slices.Compare(a.rank[:], b.rank[:]), cmp.Compare(a.host, b.host))
	})
	var better *choice // it may take the instance soon, and then before any worse one
	for i := range may {
		c := &may[i]
		switch {
		case c.no != nil:
			out.Sees = append(out.Sees, c.host)
		case out.To != "":
			continue
		default:
			if c.no = s.leaves(t, in, c.host, now, poolFree); c.no != nil {
				out.refused(c.host, c.no)
			}
		}
		switch {
		case c.no == nil && (better == nil || slices.Compare(better.rank[:2], c.rank[:2]) >= 0):
			out.To = c.host
		case c.no != nil && better == nil:
			better = c
		}
	}
	if out.To == "" {
		return out
	}
	to := Placement{To: out.To}
	for _, r := range out.Why { // say why no better host took it
		if host, _, _ := strings.Cut(r.Why, ":"); s.level(host) < s.level(to.To) {
			to.Why = append(to.Why, r)
		}
	}
	return to
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
	return ids
}

// rank orders destinations, lowest first: fixed before unfixed, the forecast one, then most room.
func (s *State) rank(t *TurnState, instance, host string) [3]int64 {
	r := [3]int64{int64(s.level(host))}
	if s.forecast[actKey(t.Plan.ID, instance)].to != host {
		r[1] = 1
	}
	r[2] = -s.free(host)
	return r
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
