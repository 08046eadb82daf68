package planner

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// replay goes through the waves of a plan once more, for the hosts of some pools.
type replay struct {
	*world
	a      *again
	e      *elsewhere
	early  bool // who lost its turn is tried in each wave that is left, not only after the last
	byID   map[string]*host
	slots  map[string][]*plan.Slot      // turn -> its promises
	went   map[string]map[string]string // turn -> instance -> where it was to go
	late   []*host                      // that lost their turns, or had none
	lost   map[string]string
	wave   *abroad // that is gone through now; nil: none
	by     time.Time
	prefer map[string]string // instance -> the host where it was to go, in the turn that is tried
	untold string            // who could not be told in time, in the turn that was tried last
	groups map[string]*group
	places map[string]*host // hosts of other pools
}

// redraft drafts the touched pools again. Who lost its turn waits until after the last wave, so that nobody else
// does for its sake; unless it would be too late then.
func (a *again) redraft() (*world, error) {
	part := a.part()
	in := a.in
	in.Fleet = part
	ix, e := fleet.NewIndex(part), a.elsewhere(part)
	r, err := a.replayed(in, ix, e, false)
	if err != nil {
		return nil, err
	}
	if len(r.plan.Blocked) > r.judged {
		if other, err := a.replayed(in, ix, e, true); err == nil && len(other.plan.Blocked) < len(r.plan.Blocked) {
			r = other
		}
	}
	for id, why := range r.lost {
		a.lost[id] = why
	}
	return r.world, nil
}

func (a *again) replayed(in Input, ix *fleet.Index, e *elsewhere, early bool) (*replay, error) {
	w, err := newWorld(in, ix)
	if err != nil {
		return nil, err
	}
	r := &replay{world: w, a: a, e: e, early: early, byID: map[string]*host{}, slots: map[string][]*plan.Slot{}, went: map[string]map[string]string{},
		lost: map[string]string{}, groups: map[string]*group{}, places: map[string]*host{}}
	w.again, w.past = r, a.past
	w.banned, w.undeferred = map[string]plan.Blocked{}, map[string]plan.Blocked{}
	r.join()
	w.noteShed()
	w.classify()
	for _, h := range w.hosts {
		if r.byID[h.ID] = h; h.status == due && h.refreshed() || h.deferral.ahead {
			return nil, errWhole{"refreshes and deferred reboots are prepared for all hosts together"}
		}
	}
	w.by = way{script: r.script()}
	w.order()
	w.judged = len(w.plan.Blocked)
	r.recall()
	if err := r.goThrough(); err != nil {
		return nil, err
	}
	w.sweep()
	return r, nil
}

// join adds to groups and host groups what other pools have of them.
func (r *replay) join() {
	for _, g := range r.world.groups {
		r.groups[g.ID] = g
		g.spare -= r.e.down[g.ID]
	}
	for id, host := range r.e.members {
		at := r.placeOf(host)
		for _, g := range r.groupsOf(id) {
			g.domain[g.domainOf(at)]++
		}
	}
	seen := map[*hostGroup]bool{}
	for _, h := range r.hosts {
		for _, g := range h.hostGroups {
			if !seen[g] {
				seen[g] = true
				g.spare -= r.downAbroad(g)
			}
		}
	}
}

// downAbroad counts the hosts of a host group that are down in other pools: those of the part are counted already.
func (r *replay) downAbroad(g *hostGroup) int { return r.e.away[g.ID] }

// groupsOf are the groups of the part that a member in another pool is in.
func (r *replay) groupsOf(instance string) (out []*group) {
	for _, g := range r.e.groupsOf[instance] {
		if gr := r.groups[g]; gr != nil {
			out = append(out, gr)
		}
	}
	return out
}

// placeOf stands for a host of another pool, as far as groups spread over it.
func (r *replay) placeOf(id string) *host {
	if h := r.places[id]; h != nil {
		return h
	}
	h := &host{Host: r.a.hosts[id]}
	if h.Host == nil {
		h.Host = &fleet.Host{ID: id}
	}
	h.site = r.a.siteOf[homeOf(h.Host)]
	r.places[id] = h
	return h
}

// script lines hosts up by the waves of their turns, so that instances go where there is most time left.
func (r *replay) script() *script {
	n := len(r.hosts)
	s := &script{make([]int, n), make([]int, n), make([]bool, n), make([]bool, n)}
	for i, h := range r.hosts {
		s.rank[i] = math.MaxInt32
		if t := r.a.turnAhead[h.ID]; t != nil {
			s.rank[i] = t.Wave
		}
	}
	return s
}

// recall notes what the turns of the part promised, and where instances were to go.
func (r *replay) recall() {
	for i := range r.a.was.Slots {
		s := &r.a.was.Slots[i]
		if t := r.a.turnAhead[s.Turn]; t != nil && r.a.touches(t.Pool) {
			r.slots[s.Turn] = append(r.slots[s.Turn], s)
		}
	}
	for i := range r.a.was.Moves {
		m := &r.a.was.Moves[i]
		if t := r.a.turnAhead[m.Turn]; t != nil && !m.Home && r.a.touches(t.Pool) {
			if r.went[m.Turn] == nil {
				r.went[m.Turn] = map[string]string{}
			}
			r.went[m.Turn][m.Instance] = m.To
		}
	}
}

// goThrough goes through the waves. An error: there has to be a canary, and no host of the part can be it.
func (r *replay) goThrough() error {
	for _, h := range r.queue {
		if r.a.turnAhead[h.ID] == nil {
			r.late = append(r.late, h)
		}
	}
	for i, n := range r.e.waves {
		r.wave = r.e.at[n]
		r.clock = later(r.clock, r.wave.start)
		if r.by = (time.Time{}); i+1 < len(r.e.waves) {
			pause := time.Second
			if r.wave.canary {
				pause = max(pause, r.policy.Soak.Std())
			}
			r.by = r.e.at[r.e.waves[i+1]].start.Add(-pause)
		}
		if err := r.goOver(n); err != nil {
			return err
		}
	}
	last := r.e.at[r.e.waves[len(r.e.waves)-1]]
	pause := time.Second
	if last.canary {
		pause = max(pause, r.policy.Soak.Std())
	}
	r.clock = later(r.clock, r.tick(later(last.worstBy, r.plannedBy()).Add(pause)))
	r.waves, r.ofStage = r.e.waves[len(r.e.waves)-1], len(r.e.waves)
	r.wave, r.by = nil, time.Time{}
	return nil
}

// plannedBy is when the last turn that is planned by now is over at worst.
func (r *replay) plannedBy() (by time.Time) {
	for i := range r.plan.Turns {
		by = later(by, r.plan.Turns[i].WorstEnd())
	}
	return by
}

// goOver goes over one wave.
func (r *replay) goOver(n int) error {
	r.rouse()
	v := r.newWave(r.wave.start)
	v.live = r.wave.live
	ours := slices.Clone(r.wave.ours)
	slices.SortStableFunc(ours, func(a, b *plan.Turn) int { return cmp.Or(a.End.Compare(b.End), strings.Compare(a.ID, b.ID)) })
	for _, t := range ours {
		if why := r.retake(v, t); why != "" {
			r.lost[t.ID] = why
			if h := r.byID[t.Host]; h != nil && h.status == due {
				r.late = append(r.late, h)
			}
		} else if t.Canary {
			v.turns[len(v.turns)-1].canary = true
		}
	}
	if r.wave.canary && r.wave.turns == 0 && len(v.turns) == 0 && !r.stepIn(v) {
		return errWhole{"its canary cannot have its turn, and no host of the touched pools can take its place"}
	}
	if r.early && !r.wave.canary {
		r.letIn(v)
	}
	r.ofStage++
	r.largest[v.kind()] = max(r.largest[v.kind()], r.wave.turns+len(v.turns))
	if len(v.turns) > 0 {
		r.waves = n
		r.record(v)
		v.close()
	}
	r.passOn()
	return nil
}

// passOn has members in other pools arrive where the wave has moved them.
func (r *replay) passOn() {
	for _, m := range r.wave.moves {
		for _, g := range r.groupsOf(m.Instance) {
			if m.Home { // the way there was counted as one for good
				g.domain[g.domainOf(r.placeOf(m.To))]++
			}
			g.domain[g.domainOf(r.placeOf(m.From))]--
		}
	}
}

// open notes in a wave what other pools do in it.
func (r *replay) open(v *wave) {
	if r.wave == nil {
		return
	}
	for id, n := range r.wave.groups {
		if g := r.groups[id]; g != nil {
			v.groupUse[g] = n
		}
	}
	for region, site := range r.wave.sites {
		v.siteOf[region] = site
	}
	for _, h := range r.hosts {
		for _, g := range h.hostGroups {
			if n := r.wave.hosts[g.ID]; n > 0 {
				v.hostUse[g] = n
			}
		}
	}
	for _, m := range r.wave.moves {
		if !m.Home {
			for _, g := range r.groupsOf(m.Instance) {
				g.domain[g.domainOf(r.placeOf(m.To))]++
			}
		}
	}
}

// stepIn finds another canary.
func (r *replay) stepIn(v *wave) bool {
	all := slices.Clone(r.queue)
	slices.SortStableFunc(all, func(a, b *host) int { return cmp.Or(cmp.Compare(r.classOf(a), r.classOf(b)), lighter(a, b)) })
	for _, h := range all {
		if r.start(v, h) {
			v.turns[0].canary = true
			if t := r.a.turnAhead[h.ID]; t != nil {
				r.lost[t.ID] = "host " + h.ID + " is the canary now: the one that was cannot be"
			}
			return true
		}
	}
	return false
}

// letIn lets hosts that lost their turns, or had none, into a wave.
func (r *replay) letIn(v *wave) {
	var rest []*host
	for _, h := range r.late {
		if h.status != due {
			continue
		}
		if r.wave.turns+len(v.turns) >= v.most() || !r.start(v, h) {
			rest = append(rest, h)
		}
	}
	r.late = rest
}

// start tries a host at the start of a wave, in the slot that its calendar has then.
func (r *replay) start(v *wave, h *host) bool {
	if h.status != due || h.can.livePatch != v.live || !r.findNext(h) || !h.next.Equal(v.start) || !v.apart(h) {
		return false
	}
	_, t := v.try(h)
	return t.why == fine
}
