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

// refusal of one host as a destination.
type refusal struct {
	fleet.Reason
	soon bool // may change by itself
	look bool // for want of a recent look
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
	}
	var out Placement
	var best, unseen []choice
	soonest, poolFree := landsUnfixed, s.poolFree(t.Plan.Pool)
	for _, id := range s.candidates(t) {
		no := s.refuses(t, in, id, now, poolFree)
		if no == nil {
			best = append(best, choice{id, s.rank(t, instance, id)})
			continue
		}
		out.Wait = out.Wait || no.soon
		if no.look {
			unseen = append(unseen, choice{id, s.rank(t, instance, id)})
			soonest = min(soonest, s.level(id))
		}
		out.Why = append(out.Why, fleet.Reason{Code: no.Code, Why: id + ": " + no.Why})
	}
	byRank := func(a, b choice) int {
		return cmp.Or(cmp.Compare(a.rank[0], b.rank[0]), cmp.Compare(a.rank[1], b.rank[1]), cmp.Compare(a.rank[2], b.rank[2]), cmp.Compare(a.host, b.host))
	}
	slices.SortStableFunc(best, byRank)
	slices.SortStableFunc(unseen, byRank)
	for _, c := range unseen {
		out.Sees = append(out.Sees, c.host)
	}
	if len(best) == 0 || soonest < s.level(best[0].host) {
		out.Wait = out.Wait || soonest < landsUnfixed // a better host may have room: look at it before a worse one is taken
		return out
	}
	to := Placement{To: best[0].host}
	for _, r := range out.Why { // say why no better host took it
		if host, _, _ := strings.Cut(r.Why, ":"); s.level(host) < s.level(to.To) {
			to.Why = append(to.Why, r)
		}
	}
	return to
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
	if s.forecast[t.Plan.ID+"/"+instance] != host {
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

// refuses says why a host must not receive an instance now; nil when it may.
func (s *State) refuses(t *TurnState, in *fleet.Instance, to string, now time.Time, poolFree func() int64) *refusal {
	h := s.host(to)
	if health := s.health(to); health != string(fleet.Up) {
		return &refusal{fleet.Reason{Code: fleet.HostUnfit, Why: "is " + health}, !h.Lost.IsZero(), false}
	}
	for id := range s.active {
		if o := s.Turns[id]; o.Plan.Host == to && !o.Permitted.IsZero() {
			return &refusal{fleet.Reason{Code: fleet.HostUnfit, Why: "is in a turn itself"}, o.Phase == TurnActive, false}
		}
	}
	if r := s.ownTurnSoon(t, in, to, now); r != nil {
		return r
	}
	if r := s.fits(in, t.Plan.Host, to); r != nil {
		return r
	}
	if r := s.spreads(in, to); r != nil {
		return r
	}
	if r := s.room(t, in, to, poolFree); r != nil {
		return r
	}
	if h.View == nil || now.Sub(h.At) > fresh { // the last rule: only who would do by what was known last is looked at
		return &refusal{fleet.Reason{Code: "stale", Why: "was not seen within the last minute"}, true, true}
	}
	return nil
}

// health is what is known of a host's fitness; a host that does not answer now is down.
func (s *State) health(host string) string {
	switch h, known := s.host(host), s.index.Hosts[host]; {
	case !h.Lost.IsZero():
		return string(fleet.Down)
	case h.View != nil:
		return h.View.Health
	case known != nil && known.Health != "":
		return string(known.Health)
	}
	return string(fleet.Up)
}

// ownTurnSoon: a host that has its own turn ahead is no place to stay; nor one where that turn would
// disrupt the instance without a promise.
func (s *State) ownTurnSoon(t *TurnState, in *fleet.Instance, to string, now time.Time) *refusal {
	if t.Plan.Tactic == plan.Refresh && !s.fixed[to] {
		o := s.Turns[to]
		return &refusal{fleet.Reason{Code: CodeUnfixed, Why: "does not have the new software on disk: the instance would have to move again"}, o != nil && o.Phase == TurnPreparing, false}
	}
	if t.Plan.Tactic == plan.Refresh {
		if why := s.undone(to); why != "" {
			return &refusal{fleet.Reason{Code: CodeUnfixed, Why: why + ": the instance would have to move again"}, false, false}
		}
	}
	if o := s.Turns[to]; o != nil && o.Phase == TurnWaiting && (o.Plan.Tactic == plan.LivePatch || !o.Prepared.IsZero()) {
		return nil // its own turn leaves alone who lands there now
	}
	if o := s.Turns[to]; o != nil && (o.Phase == TurnWaiting || o.Phase == TurnPreparing) { // a turn is named after its host
		id := o.Plan.ID
		_, aside := s.aside[id] // it does not begin before a person says so, and then after the least stay
		if !aside && o.Plan.Wave > t.Plan.Wave && s.earliest(o).Sub(now) < time.Duration(s.Plan.Policy.MinStay) && s.earliest(o).After(now) {
			return &refusal{fleet.Reason{Code: fleet.HostUnfit, Why: "starts its own turn within the least stay"}, false, false}
		}
		if !aside && o.Plan.Wave <= t.Plan.Wave && o != t {
			return &refusal{fleet.Reason{Code: fleet.HostUnfit, Why: "is about to start its own turn"}, true, false}
		}
		if in.Tenant != "" && s.turnSlot[id+"/"+in.ID] == nil && !s.homeward[t.Plan.ID+"/"+in.ID] {
			return &refusal{fleet.Reason{Code: "not-told", Why: "its own turn would disrupt the instance and nobody was told of that"}, false, false}
		}
	}
	return nil
}

// earliest is when a waiting turn may begin by the clock alone.
func (s *State) earliest(t *TurnState) time.Time {
	from := t.Plan.WindowStart
	for _, sl := range s.ofTurn[t.Plan.ID] {
		if sl.Start.After(from) {
			from = sl.Start
		}
	}
	if t.Plan.Start.After(from) {
		from = t.Plan.Start
	}
	return from
}

// fits asks fleet.CanMove with the software and health that were seen last.
func (s *State) fits(in *fleet.Instance, from, to string) *refusal {
	f, d := s.index.Hosts[from], s.index.Hosts[to]
	if f == nil || d == nil {
		return &refusal{fleet.Reason{Code: fleet.NoCommonPool, Why: "is not in the fleet"}, false, false}
	}
	src, dst := *f, *d
	for h, c := range map[string]*fleet.Host{from: &src, to: &dst} {
		if v := s.host(h).View; v != nil {
			c.Software = fleet.Software{Installed: v.Installed, Booted: v.Booted, Running: v.Running}
			c.Health, c.VirtCaps = fleet.Health(v.Health), capsBy(c, v)
		}
		if k := s.cohort(h); k != nil && c.Ecosystem == "" {
			c.Ecosystem = k.Ecosystem // by whose rules the target has its versions ordered
		}
	}
	if r := fleet.CanMove(s.index, in, &src, &dst); r != nil {
		return &refusal{*r, false, false}
	}
	return nil
}

// capsBy are a host's virt_caps by a look; where that did not read them, those of the plan's fleet, as long
// as it is the boot of which they tell.
func capsBy(h *fleet.Host, v *HostView) []string {
	switch {
	case v.VirtCaps != nil:
		return v.VirtCaps
	case h.BootID != "" && v.BootID != "" && h.BootID != v.BootID:
		return nil
	}
	return h.VirtCaps
}

// spreads: no member of a spread group may join another one's host, rack or site.
func (s *State) spreads(in *fleet.Instance, to string) *refusal {
	for _, g := range s.index.GroupsOf[in.ID] {
		if g.Spread == fleet.SpreadNone {
			continue
		}
		for _, m := range s.index.Members[g.ID] {
			o := s.Guests[m.ID]
			if m.ID == in.ID || o == nil || o.Gone {
				continue
			}
			at := []string{o.Host}
			for _, a := range s.open {
				if a.Instance == m.ID && a.To != "" {
					at = append(at, a.To)
				}
			}
			for _, h := range at {
				if s.sameDomain(g.Spread, h, to) && !s.sameDomain(g.Spread, h, in.Host) { // whom it shares with already is no reason
					return &refusal{fleet.Reason{Code: fleet.SpreadForbids, Why: fmt.Sprintf("carries %s of group %s, which spreads over %ss", m.ID, g.ID, g.Spread)}, false, false}
				}
			}
		}
	}
	return nil
}

func (s *State) sameDomain(d fleet.Spread, a, b string) bool {
	if a == b {
		return true
	}
	ha, hb := s.index.Hosts[a], s.index.Hosts[b]
	if ha == nil || hb == nil {
		return false
	}
	sa, sb := s.index.SiteOf(a), s.index.SiteOf(b)
	sameSite := sa != nil && sb != nil && sa.ID == sb.ID
	switch d {
	case fleet.SpreadSite:
		return sameSite
	case fleet.SpreadRack:
		return sameSite && ha.Rack != "" && ha.Rack == hb.Rack
	}
	return false
}

// free is a host's free memory less what is on its way to it.
func (s *State) free(host string) int64 {
	h := s.host(host)
	if h.View == nil {
		return s.index.FreeMiB(host)
	}
	free := h.View.FreeMiB
	counted := map[string]bool{} // the look shows it, or it was taken off already
	for _, in := range h.View.Instances {
		counted[in.ID] = in.State != string(fleet.Stopped)
	}
	take := func(id string) {
		if !counted[id] {
			counted[id] = true
			free -= s.Guests[id].Memory
		}
	}
	for _, a := range s.open {
		if a.To == host {
			take(a.Instance)
		}
	}
	for id, turn := range s.unproven {
		if g := s.Turns[turn].Guests[id]; g.Sticky == host && (s.end(host, g) != "absent" || s.end(g.From, g) == "unreachable") {
			take(id)
		}
	}
	for id, at := range s.landed[host] {
		if at.After(h.At) {
			take(id)
		}
	}
	return free
}

// room: memory at this instant, and the pool's reserve kept.
func (s *State) room(t *TurnState, in *fleet.Instance, to string, poolFree func() int64) *refusal {
	free := s.free(to)
	if free < in.MemoryMiB {
		return &refusal{fleet.Reason{Code: fleet.NoRoom, Why: fmt.Sprintf("has %d MiB free, %d are needed", free, in.MemoryMiB)}, len(s.open) > 0, false}
	}
	if !s.Plan.Policy.KeepReserve {
		return nil
	}
	pool := t.Plan.Pool
	left := poolFree() - in.MemoryMiB
	if reserve := s.index.ReserveMiB(pool); left < reserve {
		return &refusal{fleet.Reason{Code: "reserve", Why: fmt.Sprintf("the pool would keep %d MiB free and its reserve is %d", left, reserve)}, false, false}
	}
	return nil
}

// poolFree sums up, once and only when asked, what is free on a pool's hosts that are not away.
func (s *State) poolFree(pool string) func() int64 {
	sum, known := int64(0), false
	return func() int64 {
		if !known {
			known = true
			for _, h := range s.index.HomeHosts(pool) {
				if !s.away(h.ID) {
					sum += s.free(h.ID)
				}
			}
		}
		return sum
	}
}

// away: the host is in a turn that takes it away, which a live patch does not, or does not answer.
func (s *State) away(host string) bool {
	for id := range s.active {
		if o := s.Turns[id]; o.Plan.Host == host && !o.Permitted.IsZero() && o.Plan.Tactic != plan.LivePatch {
			return true
		}
	}
	return s.isDown(host)
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
