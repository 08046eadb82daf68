package execution

import (
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// refusal of one host as a destination.
type refusal struct {
	fleet.Reason
	soon bool // may change by itself
	look bool // for want of a recent look
}

// refuses says why a host must not receive an instance now; nil when it may.
func (s *State) refuses(t *TurnState, in *fleet.Instance, to string, now time.Time, poolFree func() int64) *refusal {
	h := s.host(to)
	if health := s.health(to); health != string(fleet.Up) {
		return &refusal{fleet.Reason{Code: fleet.HostUnfit, Why: "is " + health}, !h.Lost.IsZero(), false}
	}
	for _, o := range s.turnsOf[to] {
		if s.active[o.Plan.ID] && !o.Permitted.IsZero() {
			return &refusal{fleet.Reason{Code: fleet.HostUnfit, Why: "is in a turn itself"}, o.Phase == TurnActive && !s.stands(o, now), false}
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
	if h.View == nil || now.Sub(h.At) > fresh || h.At.Before(h.refuted) { // the last rule: only who would do by what was known last is looked at
		return &refusal{fleet.Reason{Code: "stale", Why: "was not seen within the last minute, or since it changed"}, true, true}
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
		if in.Tenant != "" && !s.mayStay(t, in, o) {
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
