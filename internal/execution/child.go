package execution

import (
	"fmt"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// A campaign whose plan supersedes another one waits for that one's end: notices go out, no turn
// begins. What it must know of its parent is told to it as facts, so that its journal stands for
// itself: who was left where (Inherited), and that the parent is over (ParentEnded). The engine
// orders the parent to end and tells these; this machine only waits.

// awaits: the campaign that this one supersedes is not over.
func (s *State) awaits() bool { return s.Plan.Supersedes != "" && s.parentEnded.IsZero() }

// Awaits names the campaign whose end this one waits for; "" when it waits for none.
func (s *State) Awaits() string {
	if s.Plan == nil || !s.awaits() || s.Phase == PhaseFinished {
		return ""
	}
	return s.Plan.Supersedes
}

// Superseded says that the campaign was told to end because a child takes its place.
func (s *State) Superseded() bool { return s.superseded }

// Untold counts the notices that nobody has accepted, nor is given up.
func (s *State) Untold() int { return len(s.due) + len(s.unsent) }

// Left says on which host each instance is that this campaign, or one before it, has moved: by what is
// proven alone.
func (s *State) Left() map[string]string {
	at := map[string]string{}
	note := func(id string) {
		if g := s.Guests[id]; g != nil && !g.Gone && s.unproven[id] == "" && s.doubled[id] == nil {
			at[id] = g.Host
		}
	}
	for id := range s.inherited {
		note(id)
	}
	for _, t := range s.Turns {
		for id, g := range t.Guests {
			if g.MovedTo != "" {
				note(id)
			}
		}
	}
	return at
}

// under is the phase of a campaign that nothing stops, and what it waits for.
func (s *State) under() (Phase, string) {
	if s.awaits() {
		return PhaseWaiting, "it waits for the end of campaign " + s.Plan.Supersedes + ", whose place it takes"
	}
	return PhaseRunning, ""
}

// abortCode is why an aborted campaign drops its turns.
func (s *State) abortCode() string {
	if s.superseded {
		return CodeSuperseded
	}
	return CodeAborted
}

// acceptsParent: only a campaign that waits for its parent is told of it.
func (s *State) acceptsParent(f Fact) error {
	switch {
	case s.Plan == nil || s.Plan.Supersedes == "":
		return fmt.Errorf("journal of %s: fact %d is %s, and its plan supersedes no campaign", f.Campaign, f.Seq, f.Kind)
	case !s.awaits():
		return fmt.Errorf("journal of %s: fact %d is %s, and campaign %s is over already", f.Campaign, f.Seq, f.Kind, s.Plan.Supersedes)
	case f.Kind == Inherited && (s.index.Instances[f.Instance] == nil || s.index.Hosts[f.Host] == nil || f.To != "" && s.index.Hosts[f.To] == nil):
		return fmt.Errorf("journal of %s: fact %d is %s of instance %q on host %q, which its fleet does not have", f.Campaign, f.Seq, f.Kind, f.Instance, f.Host)
	}
	return nil
}

func (s *State) applyParent(f Fact) {
	if f.Kind == ParentEnded {
		s.parentEnded = f.At
		s.lose(f)
		if s.Phase == PhaseWaiting {
			s.Phase, s.PhaseWhy = s.under()
		}
		return
	}
	if f.To != "" {
		s.doubled[f.Instance] = &doubled{ends: [2]string{f.Host, f.To}, since: f.At, ran: map[string]bool{}, missed: map[string]int{}}
		return
	}
	// Our side brought it there: its least stay counts from now, and nobody told its tenant of a turn
	// of that host.
	s.inherited[f.Instance] = f.Host
	if h := s.host(f.Host); h.View == nil || h.At.Before(f.At) {
		s.settle(f.Instance, f.Host)
	}
	s.lastLanded[f.Host] = later(s.lastLanded[f.Host], f.At)
}

// leftBehind are the hosts on which the parent's end left somebody who does not run, or of whom that is
// not proven.
func (s *State) leftBehind() (hosts []string) {
	if s.parentEnded.IsZero() {
		return nil
	}
	for _, d := range s.doubled {
		hosts = append(hosts, d.ends[:]...)
	}
	for i := range s.Fleet.Instances {
		in := &s.Fleet.Instances[i]
		if g := s.Guests[in.ID]; g.State != fleet.Running && (in.State == "" || in.State == fleet.Running) {
			hosts = append(hosts, g.Host)
		}
	}
	return hosts
}
