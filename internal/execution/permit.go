package execution

import (
	"fmt"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// ruling is the answer to 'may this turn begin now?'.
type ruling struct {
	ok       bool
	needLook bool      // all holds but the look at its host is missing or old
	until    time.Time // not before; zero: waits for something else to happen
	hold     *Fact     // it must wait for a person
	why      string
}

func wait(until time.Time, why string) ruling { return ruling{until: until, why: why} }

// front is the list of turns that may be next: those of the lowest wave that is not permitted yet.
// Turns of held cohorts keep nobody waiting.
func (s *State) front() []string {
	if s.Phase != PhaseRunning || len(s.waiting) == 0 {
		return nil
	}
	first, n := s.waiting, 0
	if len(s.aside) > 0 {
		first = slices.DeleteFunc(slices.Clone(s.waiting), func(id string) bool { _, off := s.aside[id]; return off })
	}
	for n < len(first) && s.Turns[first[n]].Plan.Wave == s.Turns[first[0]].Plan.Wave {
		n++
	}
	return first[:n]
}

// permit rules on one waiting turn: order, soak, embargo, slot, notice, then what other turns under
// way leave open, also those of other campaigns, then the look at its host.
func (s *State) permit(t *TurnState, now time.Time) ruling {
	if len(t.steps()) == 0 {
		return ruling{hold: t.held(CodeUnsupported, fmt.Sprintf("tactic %s cannot be carried out by this version", t.Plan.Tactic), "plan again without this tactic")}
	}
	if r := s.own(t, now); r != nil {
		if h := s.host(t.Plan.Host); r.hold != nil && r.hold.Code == CodeSlotMissed && s.gaveUp(t, now) { // what it missed its slot for
			return s.unheard(t, h)
		}
		return *r
	}
	if r := s.shared(t, now); r != nil {
		return *r
	}
	h := s.host(t.Plan.Host)
	switch {
	case s.gaveUp(t, now):
		return s.unheard(t, h)
	case h.View == nil || !h.Lost.IsZero() || now.Sub(h.At) > fresh:
		return ruling{needLook: true, why: "its host must be looked at first"}
	}
	return ruling{ok: true}
}

// own are the rules that ask of this campaign alone.
func (s *State) own(t *TurnState, now time.Time) *ruling {
	for _, rule := range []func(*TurnState, time.Time) *ruling{s.readied, s.inOrder, s.staged, s.afterEmbargo, s.inSlot, s.unbarred, s.told, s.stayed, s.single, s.apart} {
		if r := rule(t, now); r != nil {
			return r
		}
	}
	return nil
}

// inOrder: no wave begins before those ahead of it are over. A turn that lasts longer than it may at worst keeps
// waiting only those who depend on what it takes away (apart, and the groups of its instances), as one that is held
// does, and the hosts where it has instances that it may move again: else one slow host would cost all who come after
// it their slots.
func (s *State) inOrder(t *TurnState, now time.Time) *ruling {
	var until time.Time
	why := ""
	for _, id := range s.inTurn.before(t.Plan.Wave) {
		o := s.Turns[id]
		due := o.worstEnd()
		if o.Plan.Canary {
			due = never
		}
		if s.keeps(o, t.Plan.Host) {
			due = never
		}
		if now.Before(due) && due.After(until) {
			until, why = due, fmt.Sprintf("wave %d is not over: %s", o.Plan.Wave, id)
		}
	}
	switch {
	case until.Equal(never):
		return &ruling{why: why}
	case why != "":
		r := wait(until, why)
		return &r
	}
	return s.afterCanaries(t, now)
}

// keeps: instances of a turn under way are on a host or on their way to it, and it may move them again.
func (s *State) keeps(o *TurnState, host string) bool {
	for id, g := range o.Guests {
		at := s.Guests[id]
		switch g.Stage {
		case StageMoving, StageStuck, StageHoming:
			if g.To == host || at != nil && at.Host == host {
				return true
			}
		case StageAway:
			if !g.GoneHome && at != nil && at.Host == host {
				return true
			}
		}
	}
	return false
}

// worstEnd is when a turn under way should be over at worst; never where its plan does not say.
func (t *TurnState) worstEnd() time.Time {
	if t.Permitted.IsZero() || t.Plan.WorstS <= 0 {
		return never
	}
	return t.Permitted.Add(time.Duration(t.Plan.WorstS) * time.Second)
}

func (s *State) afterEmbargo(_ *TurnState, now time.Time) *ruling {
	if tg := s.Plan.Target; tg != nil && tg.EmbargoDeploy != "" && tg.EmbargoDeploy != "yes" && now.Before(tg.Disclosure) {
		r := wait(tg.Disclosure, "the advisory forbids deployment under embargo")
		return &r
	}
	return nil
}

// inSlot: nothing begins before the latest of the slots it touches, nor when its worst case would
// end after the earliest of their ends.
func (s *State) inSlot(t *TurnState, now time.Time) *ruling {
	from, to := t.Plan.WindowStart, t.Plan.WindowEnd
	for _, sl := range s.liveSlots(t) {
		if sl.Start.After(from) {
			from = sl.Start
		}
		if sl.End.Before(to) || to.IsZero() {
			to = sl.End
		}
	}
	if now.Before(from) {
		r := wait(from, "its slot has not begun")
		return &r
	}
	worst := time.Duration(t.Plan.WorstS) * time.Second
	if !to.IsZero() && now.Add(worst).After(to) {
		return &ruling{hold: t.held(CodeSlotMissed, fmt.Sprintf("the slot ends at %s and the turn may take %s", to.Format(time.RFC3339), worst), "plan again: the turn needs another slot")}
	}
	return nil
}

// liveSlots are the promises of a turn to instances that still exist and run on its host.
func (s *State) liveSlots(t *TurnState) []*plan.Slot {
	var out []*plan.Slot
	for _, sl := range s.ofTurn[t.Plan.ID] {
		if g := s.Guests[sl.Instance]; g != nil && !g.Gone && g.Host == t.Plan.Host {
			out = append(out, sl)
		}
	}
	return out
}

// told: each promise was accepted at least its class's lead time ago.
func (s *State) told(t *TurnState, now time.Time) *ruling {
	for _, id := range sortedKeys(s.on[t.Plan.Host]) {
		if t.inPlace() && !s.mayTouch(t, id) {
			continue // a change in place leaves alone who was brought here
		}
		if turn := s.strands(t, id); turn != "" {
			return &ruling{hold: t.held(CodeNotTold, fmt.Sprintf("%s was brought here in the turn of %s and did not get home again; its tenant was told of no interruption here", id, turn), "bring it home by hand, or plan again, then: evenkeel retry "+t.Plan.ID)}
		}
	}
	for _, sl := range s.liveSlots(t) {
		if sl.Tenant == "" {
			continue // the operator's own: there is nobody else to tell
		}
		if r := s.toldSlot(t, sl, now); r != nil {
			return r
		}
	}
	return nil
}

// strands names the turn that left an instance on a host whose own turn was not promised to it.
func (s *State) strands(t *TurnState, instance string) string {
	g, in := s.Guests[instance], s.index.Instances[instance]
	if in == nil || in.Tenant == "" || g.Gone || g.State != fleet.Running || s.turnSlot[t.Plan.ID+"/"+instance] != nil {
		return ""
	}
	if s.inherited[instance] == t.Plan.Host {
		return "campaign " + s.Plan.Supersedes
	}
	for _, id := range s.Order {
		if tg := s.Turns[id].Guests[instance]; tg != nil && tg.Stage == StageAway && tg.MovedTo == t.Plan.Host {
			return id
		}
	}
	return ""
}

func (s *State) toldSlot(t *TurnState, sl *plan.Slot, now time.Time) *ruling {
	if s.cancelled[sl.ID] {
		return &ruling{hold: t.held(CodeSlotMissed, fmt.Sprintf("tenant %s was told that the slot of %s is cancelled", sl.Tenant, sl.Instance), "plan again: the turn needs another slot")}
	}
	n := s.Notices[s.bySlot[sl.ID]]
	if told := s.toldAt(sl.ID); !told.IsZero() {
		if due := told.Add(s.Plan.Policy.Lead.Of(sl.Class)); now.Before(due) {
			r := wait(due, "the lead time after the notice to "+sl.Tenant+" runs")
			return &r
		}
		return nil
	}
	if n != nil && (n.GaveUp || n.Tries >= maxNoticeTries) {
		if s.Plan.Policy.Undeliverable == "override" {
			return nil
		}
		return &ruling{hold: t.held(CodeUndelivered, fmt.Sprintf("tenant %s could not be told of %s: %s", sl.Tenant, sl.Instance, n.Why), "mend the tenant's contacts and plan again, or set undeliverable in the policy")}
	}
	r := wait(time.Time{}, "the notice to "+sl.Tenant+" is not accepted yet")
	return &r
}

// stayed: whoever our moves brought to this host has had its least stay there.
func (s *State) stayed(t *TurnState, now time.Time) *ruling {
	for _, a := range s.open {
		if a.To == t.Plan.Host {
			r := wait(time.Time{}, a.Instance+" is on its way to it")
			return &r
		}
	}
	for id, turn := range s.unproven {
		if g := s.Turns[turn].Guests[id]; g.Sticky == t.Plan.Host || g.From == t.Plan.Host {
			r := wait(time.Time{}, "where "+id+" runs is not known, and it may be here")
			return &r
		}
	}
	due := s.lastLanded[t.Plan.Host].Add(time.Duration(s.Plan.Policy.MinStay))
	if now.Before(due) && !t.inPlace() { // a change in place leaves alone who was brought here
		r := wait(due, "instances that were moved to it have not had their least stay yet")
		return &r
	}
	return nil
}

// apart: what is under way elsewhere, or was, leaves this turn open: pool share, host groups, stagger. A live
// patch takes nobody away, so the pool's share does not bind it; one that is held is over.
func (s *State) apart(t *TurnState, now time.Time) *ruling {
	if why := s.besidePlaces(t.Plan); why != "" {
		r := wait(time.Time{}, why)
		return &r
	}
	if due, why := s.ends.NotBefore(&s.Plan.Policy, s.place(t.Plan)); now.Before(due) {
		r := wait(due, why)
		return &r
	}
	inPool := s.inTurn.pools[t.Plan.Pool]
	if most := s.mostAway(t.Plan.Pool); inPool >= most && t.Plan.Tactic != plan.LivePatch {
		r := wait(time.Time{}, fmt.Sprintf("%d of pool %s are away, which is the most allowed", inPool, t.Plan.Pool))
		return &r
	}
	if t.Plan.Tactic != plan.LivePatch {
		p, here := &s.Plan.Policy, s.place(t.Plan)
		if most, n := p.AwayPerRack, s.inTurn.racks[here]; most > 0 && n >= most {
			r := wait(time.Time{}, fmt.Sprintf("%d hosts of its rack are away, which is the most allowed", n))
			return &r
		}
		if most, n := p.AwayPerRegion, s.inTurn.regions[here.Region]; most > 0 && n >= most {
			r := wait(time.Time{}, fmt.Sprintf("%d hosts of region %s are away, which is the most allowed", n, here.Region))
			return &r
		}
	}
	for _, g := range s.index.HostGroupsOf[t.Plan.Host] {
		n := 0
		for _, h := range g.Hosts {
			if h != t.Plan.Host && (s.inTurn.hosts[h] > 0 || s.isDown(h)) {
				n++
			}
		}
		if n >= g.MaxUnavailable {
			r := wait(time.Time{}, fmt.Sprintf("host group %s has %d away, the most allowed", g.ID, n))
			return &r
		}
	}
	return nil
}

// besidePlaces says what under way keeps a turn from its place; empty: nothing does.
func (s *State) besidePlaces(t plan.Turn) string {
	switch p := &s.Plan.Policy; {
	case p.StaggerRacks:
		for _, id := range s.inTurn.onePerPlace() {
			if why := s.staggered(t, s.Turns[id].Plan); why != "" {
				return why
			}
		}
	case p.StaggerSites || p.StaggerRegions:
		for _, site := range sortedKeys(s.inTurn.sites) {
			if why := s.staggered(t, plan.Turn{Site: site}); why != "" {
				return why
			}
		}
	}
	return ""
}

func (s *State) isDown(host string) bool {
	h := s.Hosts[host]
	if h != nil && !h.Lost.IsZero() {
		return true
	}
	fh := s.index.Hosts[host]
	return fh != nil && fh.Health == "down" && (h == nil || h.View == nil)
}

func (s *State) staggered(a, b plan.Turn) string {
	from, busy := s.place(a), s.place(b)
	if _, apart := s.Plan.Policy.Apart(from, busy); !apart {
		return ""
	}
	switch {
	case from.Region != busy.Region:
		return fmt.Sprintf("region %s is being disrupted and regions are kept apart", busy.Region)
	case from.Site != busy.Site:
		return fmt.Sprintf("site %s is being disrupted and sites of one region are kept apart", busy.Site)
	}
	return fmt.Sprintf("host %s, in another rack of site %s, is being disrupted and racks are kept apart", b.Host, busy.Site)
}

// place is where a turn is.
func (s *State) place(t plan.Turn) plan.Place {
	at := plan.Place{Region: s.region(t.Site), Site: t.Site}
	if h := s.index.Hosts[t.Host]; h != nil {
		at.Rack = plan.RackOf(h)
	}
	return at
}

// turnOver notes when a turn that had leave to disrupt is over: what policy keeps apart from its place waits from
// then on.
func (s *State) turnOver(t *TurnState, at time.Time) {
	if !t.Permitted.IsZero() { // whatever its own policy says: another campaign's may keep places apart
		s.ends.Note(s.place(t.Plan), at)
	}
}

func (s *State) region(site string) string {
	if st := s.index.Sites[site]; st != nil {
		return st.Region
	}
	return ""
}

// mostAway is how many hosts of a pool may be in a turn at once.
func (s *State) mostAway(pool string) int {
	return max(1, s.inTurn.homes[pool]*s.Plan.Policy.MaxAwayPercent/100)
}
