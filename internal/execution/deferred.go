package execution

import (
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// A host may have two turns: a live patch, which ends its exposure, and a deferred reboot into the
// fixed packages in a later wave. The turn that disturbs people bears the host's id, so looking a host up
// among the turns finds that one. They never overlap: the reboots begin once all live patches are
// over, and a live patch that is held then is dropped as its host's reboot begins.

// other is the host's other turn; nil where it has one.
func (s *State) other(t *TurnState) *TurnState {
	for _, o := range s.turnsOf[t.Plan.Host] {
		if o != t {
			return o
		}
	}
	return nil
}

// over: nothing more is to be expected of the turn.
func (t *TurnState) over() bool { return t.Phase == TurnFinished || t.Phase == TurnAbandoned }

// patchOver notes that a live patch is done, dropped or held: no reboot waits for it any longer. Those
// that a person has done again once the reboots have begun keep only their own host's waiting.
func (s *State) patchOver(t *TurnState, at time.Time) {
	if s.patching[t.Plan.ID] && (t.Phase == TurnFinished || t.reached()) && !s.rebooting {
		s.patched = later(s.patched, at)
	}
	delete(s.patching, t.Plan.ID)
}

// staged keeps the two stages of a plan, and the two turns of a host, apart.
func (s *State) staged(t *TurnState, now time.Time) *ruling {
	o := s.other(t)
	switch {
	case t.Plan.Tactic == plan.LivePatch && o != nil && !o.Permitted.IsZero() && !o.over():
		r := wait(time.Time{}, "the reboot of its host is under way in turn "+o.Plan.ID)
		return &r
	case !t.Plan.Deferred:
		return nil
	case len(s.patching) > 0 && !s.rebooting:
		r := wait(time.Time{}, fmt.Sprintf("%d live patches come first and are not over: %s", len(s.patching), sortedKeys(s.patching)[0]))
		return &r
	case o != nil && !o.over() && (o.Phase != TurnOnHold || o.Started || o.revert.started || o.reverts()):
		r := wait(time.Time{}, "what is under way in turn "+o.Plan.ID+" of its host ends first")
		return &r
	}
	if soaked := s.patched.Add(time.Duration(s.Plan.Policy.Soak)); s.Plan.Policy.Canary && !s.patched.IsZero() && now.Before(soaked) {
		r := wait(soaked, "the live patches soak")
		return &r
	}
	return nil
}

// endsPatch drops a host's live patch that is held as the host's reboot is about to begin; nil when
// there is none. From then on nobody can have it tried again in the midst of the reboot.
func (s *State) endsPatch(t *TurnState) *Fact {
	o := s.other(t)
	if o == nil || !t.Plan.Deferred || o.Phase != TurnOnHold {
		return nil
	}
	return &Fact{Kind: TurnDropped, Turn: o.Plan.ID, Host: o.Plan.Host, Code: CodeInstead,
		Why: "turn " + t.Plan.ID + " reboots the host into the fix instead; its live patch was held: " + o.Why}
}

// Levels of a host as a place to land, best first.
const (
	landsFixed   = iota // on the fix, to stay
	landsPatched        // on the fix by a live patch: its reboot is still ahead, and the instance would move again
	landsUnfixed
)

// level of a host as a place to land.
func (s *State) level(host string) int {
	switch t := s.Turns[host]; {
	case !s.fixed[host]:
		return landsUnfixed
	case t != nil && t.Plan.Deferred && t.Phase != TurnFinished && !t.reached():
		return landsPatched
	}
	return landsFixed
}
