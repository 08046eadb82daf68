package execution

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// A host may reach the target before its turn: by another campaign, or by a person's hand. Its turn
// is then dropped and its promises are cancelled, as long as nothing was done for it. Only a whole
// look proves it: the host and every instance on it fixed by the target's own versions, with nothing
// unknown. A turn whose host looked like that when the plan was made has another reason, and stays.

// reached: the turn was dropped because its host is at the target.
func (t *TurnState) reached() bool { return t.Phase == TurnAbandoned && t.Code == CodeReached }

// untouched: the turn has done nothing to its host but to cordon it.
func (t *TurnState) untouched() bool {
	switch {
	case t.Updated || t.committed() || t.tries[StepUpdate] > 0 || t.tries[StepReboot] > 0:
		return false
	case t.Phase == TurnWaiting:
		return true
	case t.Phase != TurnActive || t.Permitted.IsZero():
		return false
	}
	for _, g := range t.Guests {
		if g.Attempt > 0 || g.Stage != StageHere && g.Stage != StageGone {
			return false
		}
	}
	return true
}

// noteReached keeps what the last look at a host shows of the target, where a turn may be spared.
func (s *State) noteReached(host string) {
	if s.Plan.Target == nil {
		return
	}
	for _, t := range s.turnsOf[host] {
		delete(s.reached, t.Plan.ID)
		if !t.untouched() {
			continue
		}
		if why := s.atTarget(t, s.host(host).View); why != "" && !s.plannedAtTarget(t) {
			s.reached[t.Plan.ID] = why
		}
	}
}

// atTarget says why a look proves that a turn's host and all that is on it are at the target; "" when it
// does not.
func (s *State) atTarget(t *TurnState, v *HostView) string {
	host := t.Plan.Host
	h := s.index.Hosts[host]
	if h == nil || v == nil || v.Health != string(fleet.Up) || len(v.Missing) > 0 {
		return ""
	}
	if s.sameOldXen(h, v) {
		return ""
	}
	seen := *h
	seen.Seen = v.At
	// Nothing of the plan's snapshot is kept: what the look does not tell is not known.
	seen.Software = fleet.Software{Installed: v.Installed, Booted: v.Booted, Running: v.Running, BuildID: v.BuildID, LivePatches: v.LivePatches}
	var on []fleet.Instance
	for _, in := range v.Instances {
		i := fleet.Instance{ID: in.ID}
		if known := s.index.Instances[in.ID]; known != nil {
			i = *known
		}
		i.Host, i.State, i.Running = host, fleet.State(in.State), in.Running
		if in.Incoming || in.Migrating || s.doubled[in.ID] != nil {
			return "" // it comes from somewhere, or goes
		}
		on = append(on, i)
	}
	return s.judgeTarget(t, &seen, on, v.At)
}

// sameOldXen: the versions may look right, and by its build id a Xen host runs the very hypervisor that the
// plan saw there, when that was older than wanted.
func (s *State) sameOldXen(h *fleet.Host, v *HostView) bool {
	c := s.cohort(h.ID)
	if c == nil || h.Hypervisor != fleet.Xen || v.BuildID == "" || !strings.EqualFold(v.BuildID, h.Software.BuildID) {
		return false
	}
	for _, pkg := range sortedKeys(c.Packages) {
		if isHypervisor(pkg) && s.olderXen(h.ID, h.Software.Booted, h.Software.Running, pkg, c.Packages[pkg]) != "" {
			return true
		}
	}
	return false
}

// plannedAtTarget: by the plan's own snapshot the host was at the target.
func (s *State) plannedAtTarget(t *TurnState) bool {
	var on []fleet.Instance
	for _, in := range s.index.On[t.Plan.Host] {
		on = append(on, *in)
	}
	return s.judgeTarget(t, s.index.Hosts[t.Plan.Host], on, s.Plan.Made) != ""
}

// judgeTarget lets the one judge of versions rule on a host and its instances, by the target alone.
func (s *State) judgeTarget(t *TurnState, h *fleet.Host, on []fleet.Instance, at time.Time) string {
	small := fleet.Fleet{Evenkeel: s.Fleet.Evenkeel, Taken: at, Regions: s.Fleet.Regions, Hosts: []fleet.Host{*h}, Instances: on}
	for _, id := range h.Pools {
		if p := s.index.Pools[id]; p != nil {
			small.Pools = append(small.Pools, *p)
			if site := s.index.Sites[p.Site]; site != nil {
				small.Sites = append(small.Sites, *site)
			}
		}
	}
	c := s.cohorts.Of(h)
	if c == nil {
		return ""
	}
	a := advisory.Assess(&small, s.targetOf(t, c), nil, 0, at)
	if len(a.Hosts) != 1 || a.Hosts[0].Verdict != advisory.IsFixed {
		return ""
	}
	for _, v := range a.Instances {
		if v.Verdict != advisory.IsFixed && v.Verdict != advisory.NotAffected {
			return ""
		}
	}
	var lines []string
	for _, l := range a.Hosts[0].Evidence {
		if !strings.HasPrefix(l, " ") {
			lines = append(lines, l)
		}
	}
	return fmt.Sprintf("a look at %s shows it and the %d instances on it at the target: %s", at.UTC().Format(time.RFC3339), len(on), strings.Join(lines, "; "))
}

// targetOf is the target by which a turn is judged. A live patch brings the fix and not the packages: the
// reboot that follows it is not needed only where these were booted.
func (s *State) targetOf(t *TurnState, c *plan.Cohort) *plan.Target {
	if !t.Plan.Deferred {
		return s.Plan.Target
	}
	target, booted := *s.Plan.Target, *c
	booted.Remedy, booted.Then, booted.LivePatches = "reboot", "", nil
	target.Cohorts = []plan.Cohort{booted}
	return &target
}

// spared says why a turn is not needed by a fresh look; "" while it is, or while anything is in doubt.
func (s *State) spared(t *TurnState, now time.Time) string {
	host := t.Plan.Host
	h := s.host(host)
	if s.reached[t.Plan.ID] == "" || !t.untouched() || !h.Lost.IsZero() || now.Sub(h.At) > fresh || h.At.Before(t.changed()) || s.doubts(host) {
		return ""
	}
	for _, a := range s.open {
		if a.To == host || a.From == host {
			return ""
		}
	}
	for id, turn := range s.unproven {
		if g := s.Turns[turn].Guests[id]; g.Sticky == host || g.From == host {
			return ""
		}
	}
	return s.reached[t.Plan.ID]
}

// decideReached drops a turn that was not permitted yet and is not needed.
func (s *State) decideReached(now time.Time) []Fact {
	if s.Phase != PhaseRunning {
		return nil
	}
	for _, id := range sortedKeys(s.reached) {
		t := s.Turns[id]
		if t.Phase != TurnWaiting {
			continue
		}
		if why := s.spared(t, now); why != "" {
			return []Fact{{Kind: TurnDropped, Turn: id, Host: t.Plan.Host, Code: CodeReached, Why: why}}
		}
	}
	return nil
}

// decideUnneeded ends a turn that was just permitted and is not needed: its cordon is given back, then
// it is dropped.
func (s *State) decideUnneeded(t *TurnState, now time.Time) []Fact {
	if !t.Unneeded {
		if !slices.Contains([]Step{StepEmpty, StepStop, StepReboot}, t.Step) || s.spared(t, now) == "" {
			return nil
		}
	}
	if t.Cordoned {
		f := t.start(StepUncordon, now.Add(time.Minute))
		f.Code = CodeReached
		return []Fact{f}
	}
	why := s.reached[t.Plan.ID]
	if why == "" {
		why = "it was at the target before anything was done to it"
	}
	return []Fact{{Kind: TurnDropped, Turn: t.Plan.ID, Host: t.Plan.Host, Code: CodeReached, Why: why}}
}

// wantReachedLooks are the hosts of waiting turns that were not looked at since the parent ended: it
// may have brought them to the target. One look each: the turn itself looks again.
func (s *State) wantReachedLooks() (hosts []string) {
	if s.Phase != PhaseRunning || s.parentEnded.IsZero() || s.Plan.Target == nil {
		return nil
	}
	for _, id := range s.waiting {
		if h := s.host(s.Turns[id].Plan.Host); h.At.Before(s.parentEnded) && h.Lost.IsZero() {
			hosts = append(hosts, s.Turns[id].Plan.Host)
		}
	}
	return hosts
}
