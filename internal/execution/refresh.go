package execution

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// A refresh touches each instance of its host that still runs on what was there before, once: it
// moves to a host with the new software on disk, or, where it cannot move, is saved and restored (or
// stopped and started) in place. Whoever landed here by our hands, or runs on the fix by its own
// monitor, is left alone.

// toDo lists the instances on a turn's host, as last seen, that the turn must do something about.
func (s *State) toDo(t *TurnState) []InstanceView {
	v := s.host(t.Plan.Host).View
	if v == nil {
		return nil
	}
	here := slices.DeleteFunc(present(v), func(in InstanceView) bool {
		g := s.Guests[in.ID] // our move has taken it away since that look
		return g != nil && g.Host != t.Plan.Host && g.Changed.After(v.At)
	})
	if t.Plan.Tactic != plan.Refresh {
		return here
	}
	var out []InstanceView
	for _, in := range here {
		if !in.Incoming && s.movedHere[in.ID] != t.Plan.Host && s.disposition(t, in.ID) != plan.DispBlocked && s.runsOn(t.Plan.Host, in) != onFix {
			out = append(out, in)
		}
	}
	return out
}

// mayTouch: by the last look, a turn in place may have to do something about an instance on its host.
func (s *State) mayTouch(t *TurnState, instance string) bool {
	if t.Plan.Tactic != plan.Refresh || s.movedHere[instance] == t.Plan.Host || s.disposition(t, instance) == plan.DispBlocked {
		return false
	}
	if v := s.host(t.Plan.Host).View; v != nil {
		for _, in := range v.Instances {
			if in.ID == instance {
				return s.runsOn(t.Plan.Host, in) != onFix
			}
		}
	}
	return true
}

// undone says what by the last look speaks against the new software being on the disk of a host that
// was prepared for its refresh: others may have taken it away since. "" when nothing does.
func (s *State) undone(host string) string {
	t, c, v := s.Turns[host], s.cohort(host), s.host(host).View
	if t == nil || t.Plan.Tactic != plan.Refresh || t.Prepared.IsZero() || c == nil || v == nil {
		return ""
	}
	for _, pkg := range sortedKeys(c.Packages) {
		if have := v.Installed[pkg]; have != "" {
			if order, err := s.order(host, have, c.Packages[pkg]); err == nil && order < 0 {
				return fmt.Sprintf("%s %s is on its disk again, older than %s", pkg, have, c.Packages[pkg])
			}
		}
	}
	return ""
}

// freshness is what an instance's own monitor says of the process that it runs in.
type freshness int

const (
	untold    freshness = iota // it says nothing of the cohort's packages
	unordered                  // it says a version that cannot be compared with what is wanted
	onOld
	onFix
)

// runsOn judges one instance by its own monitor against what its host's cohort wants.
func (s *State) runsOn(host string, in InstanceView) freshness {
	c := s.cohort(host)
	if c == nil {
		return untold
	}
	told := untold
	for _, pkg := range sortedKeys(c.Packages) {
		if have := in.Running[pkg]; have != "" {
			switch r, err := s.order(host, have, c.Packages[pkg]); {
			case err != nil:
				told = unordered // that another package is fixed proves nothing of this one
			case r < 0:
				return onOld
			case told == untold:
				told = onFix
			}
		}
	}
	return told
}

// whyUnordered says which versions of an instance cannot be compared.
func (s *State) whyUnordered(host string, in InstanceView) string {
	c := s.cohort(host)
	if c == nil {
		return ""
	}
	for _, pkg := range sortedKeys(c.Packages) {
		if have := in.Running[pkg]; have != "" {
			if _, err := s.order(host, have, c.Packages[pkg]); err != nil {
				return fmt.Sprintf("its monitor says %s %s: %v", pkg, have, err)
			}
		}
	}
	return ""
}

// decideInPlace saves and restores, or stops and starts, what cannot move: one after the other, so
// that each is away for its own time only.
func (s *State) decideInPlace(t *TurnState, now time.Time, quiet bool) []Fact {
	if facts := s.bringBack(t, now); facts != nil || t.anyStage(StageStopping, StageStopped, StageBacking) {
		return facts
	}
	if !s.sees(t, now) || s.doubts(t.Plan.Host) || s.unprovenOf(t) > 0 {
		return nil
	}
	undone, left := s.undone(t.Plan.Host), 0
	for _, in := range s.toDo(t) {
		g, d, sl := t.guest(in.ID), s.disposition(t, in.ID), s.turnSlot[t.Plan.ID+"/"+in.ID]
		if g.Stage == StageBack {
			continue // refreshed: its monitor is asked next
		}
		left++
		worst := 2 * s.saveMax(t)
		switch {
		case plan.ClassOf(d) != plan.ClassOutage && t.Refills >= maxRefills:
			return []Fact{*t.held(CodeRefilled, in.ID+" and others keep coming to the host on what is not fixed", "stop the tool that places them, then: evenkeel retry "+t.Plan.ID)}
		case plan.ClassOf(d) != plan.ClassOutage:
			return t.failed(CodeRefilled, in.ID+" has come to the host and is not known to run on the fix", "keep other tools from placing instances there", true)
		case undone != "":
			return []Fact{*t.held(CodeOldVersion, undone+"; a stop would give "+in.ID+" nothing", "install the fixed version by hand and keep others from taking it away, then: evenkeel retry "+t.Plan.ID)}
		case g.Stage == StageStuck:
			return []Fact{*t.held(CodeStopFailed, fmt.Sprintf("%s: %s", in.ID, g.Why), "look at this instance, then: evenkeel retry "+t.Plan.ID)}
		case now.Add(worst).After(sl.End):
			return []Fact{*t.held(CodeSlotMissed, fmt.Sprintf("%s's slot ends at %s and its stop and return may take %s", in.ID, sl.End.Format(time.RFC3339), worst), "plan again: it needs another slot")}
		case quiet || g.InDoubt || now.Before(g.RetryAt) || s.groupFull(s.instance(in.ID)) != "":
			continue
		}
		return []Fact{{Kind: StopStarted, Turn: t.Plan.ID, Instance: in.ID, Tenant: sl.Tenant, From: t.Plan.Host, Disposition: d, Attempt: g.Attempt + 1,
			Deadline: now.Add(s.saveMax(t))}}
	}
	if left == 0 {
		return t.done("nothing is left to be stopped on the host")
	}
	return nil
}

// decideRefreshed asks each instance that the turn moved or stopped, through its own monitor, what it
// runs on now.
func (s *State) decideRefreshed(t *TurnState, now time.Time) []Fact {
	if len(s.toJudge(t)) > 0 {
		return s.cannotLook(t, now)
	}
	var proven, untoldOf []string
	for _, in := range s.toDo(t) {
		if t.guest(in.ID).Stage != StageBack { // it came meanwhile, or was never done
			return t.failed(CodeRefilled, in.ID+" runs on the host and is not known to run on the fix", "keep other tools from placing instances there", true)
		}
	}
	for _, g := range t.sortedGuests() {
		in, host, there := s.lastSeen(g)
		if !there {
			continue // deleted, or taken elsewhere by others
		}
		switch s.runsOn(t.Plan.Host, in) {
		case onOld:
			return []Fact{*t.held(CodeStillOld, fmt.Sprintf("%s on %s still runs on what is not fixed: its monitor says %s", g.ID, host, said(in)), "restart or migrate this instance, then: evenkeel retry "+t.Plan.ID)}
		case unordered:
			return []Fact{*t.held(CodeCannotJudge, fmt.Sprintf("whether %s on %s runs on the fix is not known: %s", g.ID, host, s.whyUnordered(t.Plan.Host, in)), orderly(t.Plan.ID))}
		case untold:
			untoldOf = append(untoldOf, g.ID+" on "+host)
		default:
			proven = append(proven, g.ID+" on "+host)
		}
	}
	if len(untoldOf) > 0 {
		return t.failed(CodeCannotJudge, "its own monitor does not say what it runs on: "+strings.Join(untoldOf, ", "), "look at these monitors, then: evenkeel retry "+t.Plan.ID, true)
	}
	return t.done(fmt.Sprintf("%d instances run on the fix by their own monitors: %s", len(proven), strings.Join(proven, ", ")))
}

func said(in InstanceView) string {
	var out []string
	for _, pkg := range sortedKeys(in.Running) {
		out = append(out, pkg+" "+in.Running[pkg])
	}
	return strings.Join(out, ", ")
}

// handled: the turn has given the instance another process.
func (g *TurnGuest) handled() bool {
	return g.Stage == StageAway || g.Stage == StageHome || g.Stage == StageBack
}

// lastSeen is a handled instance in the last look at the host on which it is.
func (s *State) lastSeen(g *TurnGuest) (in InstanceView, host string, there bool) {
	who := s.Guests[g.ID]
	if !g.handled() || who == nil || who.Gone {
		return in, "", false
	}
	if v := s.host(who.Host).View; v != nil {
		for _, in := range v.Instances {
			if in.ID == g.ID {
				return in, who.Host, true
			}
		}
	}
	return in, who.Host, false
}

// toJudge are the hosts that must be looked at anew before the turn's instances can be judged: looks
// from after their move, which show them, or fail to often enough.
func (s *State) toJudge(t *TurnState) (hosts []string) {
	want := map[string]bool{}
	for _, g := range t.sortedGuests() {
		who := s.Guests[g.ID]
		if !g.handled() || who == nil || who.Gone {
			continue
		}
		h := s.host(who.Host)
		old := h.View == nil || !h.Lost.IsZero() || h.At.Before(later(who.Changed, t.changed()))
		if n := h.Absent[g.ID]; old || n > 0 && n < looksToBelieve {
			want[who.Host] = true
		}
	}
	if h := s.host(t.Plan.Host); h.View == nil || !h.Lost.IsZero() || h.At.Before(t.changed()) {
		want[t.Plan.Host] = true
	}
	return sortedKeys(want)
}

// cannotLook holds the turn once a host that must be looked at has been silent for long.
func (s *State) cannotLook(t *TurnState, now time.Time) []Fact {
	for _, id := range s.toJudge(t) {
		if !s.answers(id, now) {
			return []Fact{*t.held(CodeNoAnswer, fmt.Sprintf("%s has not answered since %s, and what its instances run on is not known: %s", id, s.host(id).Lost.Format(time.RFC3339), s.host(id).Why),
				"bring that host back, then: evenkeel retry "+t.Plan.ID)}
		}
	}
	return nil
}
