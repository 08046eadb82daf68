package execution

import (
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// A move that failed without both ends having been read may have ended at either of them, or at
// both. Until it is known the instance counts as disturbed, its memory as used at the destination,
// and nothing else is done to it: both hosts are looked at again.

// unprovenOf counts the instances of a turn whose whereabouts are not proven.
func (s *State) unprovenOf(t *TurnState) (n int) {
	for _, g := range t.Guests {
		if g.Sticky != "" && g.Stage != StageMoving && g.Stage != StageHoming {
			n++
		}
	}
	return n
}

// unprovenHosts are the hosts to look at for them; while the turn is held a person looks.
func (s *State) unprovenHosts(t *TurnState) (hosts []string) {
	if t.Phase == TurnOnHold {
		return nil
	}
	for _, g := range t.sortedGuests() {
		if g.Sticky != "" && g.Stage != StageMoving && g.Stage != StageHoming {
			hosts = append(hosts, g.From, g.Sticky)
		}
	}
	return hosts
}

// decideUnproven says what two looks, both after the failure, tell of such a move.
func (s *State) decideUnproven(t *TurnState, now time.Time) []Fact {
	for _, g := range t.sortedGuests() {
		if g.Sticky == "" || g.Stage == StageMoving || g.Stage == StageHoming {
			continue
		}
		if g.Code == CodeSplit && t.Phase == TurnActive {
			return []Fact{*t.held(CodeSplit, fmt.Sprintf("%s runs, or may run, on %s and on %s at once", g.ID, g.From, g.Sticky),
				"look at both copies, leave exactly one running, then: evenkeel retry "+t.Plan.ID)}
		}
		src, dst := s.end(g.From, g), s.end(g.Sticky, g)
		f := Fact{Turn: t.Plan.ID, Instance: g.ID, From: g.From, To: g.Sticky, Attempt: g.Attempt, Home: g.From != t.Plan.Host,
			Source: src, Destination: dst, Why: "both ends were read again"}
		none := func(w string) bool { return w == "absent" || w == "stopped" }
		switch {
		case dst == "running" && none(src):
			f.Kind, f.BlackoutMs = MoveDone, -1
			return []Fact{f}
		case src == "running" && none(dst):
			f.Kind, f.Code, f.Retry = MoveFailed, "stayed", g.Code != CodeSplit // after a split a person decides
			return []Fact{f}
		case src == "running" && dst == "running" && g.Code != CodeSplit && t.Phase == TurnActive:
			f.Kind, f.Code, f.Why = MoveFailed, CodeSplit, "it runs at both ends"
			return []Fact{f}
		case none(src) && none(dst) && (src == "stopped" || dst == "stopped"):
			f.Kind, f.Host, f.Why = Died, g.From, "both ends were read again: it runs at neither"
			if dst == "stopped" { // it had arrived
				f.Host = g.Sticky
			}
			return []Fact{f}
		case t.Phase == TurnActive && now.Sub(g.FailedAt) > unprovenFor:
			return []Fact{*t.held(CodeUnproven, fmt.Sprintf("where %s runs is not known: %s is %s, %s is %s", g.ID, g.From, src, g.Sticky, dst),
				"look at both hosts, leave exactly one copy running, then: evenkeel retry "+t.Plan.ID)}
		}
	}
	return nil
}

// mayHaveStopped: a stop of ours failed, and may still take effect as long as the turn lasts (a guest
// may take its time to shut down).
func (g *TurnGuest) mayHaveStopped() bool {
	return !g.Stopped.IsZero() && (g.Stage == StageHere || g.Stage == StageStuck)
}

// shuttingDown names an instance that was asked to shut down and did not in time, and until when it is
// watched: it may still take its time.
func (s *State) shuttingDown(t *TurnState) (string, time.Time) {
	for _, g := range t.sortedGuests() {
		if g.Disposition == plan.DispStop && g.mayHaveStopped() {
			return g.ID, g.FailedAt.Add(s.saveMax(t))
		}
	}
	return "", time.Time{}
}

// inDoubt counts the instances whose failed stop may have taken effect.
func (t *TurnState) inDoubt() (n int) {
	for _, g := range t.Guests {
		if g.InDoubt {
			n++
		}
	}
	return n
}

// decideInDoubt says what a look after the failure tells of a stop that failed: it is stopped, and by
// us, so it will be brought back; or it runs (HostSeen says so); or it is gone.
func (s *State) decideInDoubt(t *TurnState) []Fact {
	h := s.host(t.Plan.Host)
	for _, g := range t.sortedGuests() {
		if !g.mayHaveStopped() || h.View == nil || !h.Lost.IsZero() || h.At.Before(g.FailedAt) {
			continue
		}
		for _, in := range h.View.Instances {
			if in.ID == g.ID && in.State == string(fleet.Stopped) {
				return []Fact{{Kind: StopDone, Turn: t.Plan.ID, Host: t.Plan.Host, Instance: g.ID, From: t.Plan.Host, Disposition: g.Disposition, Attempt: g.Attempt,
					Why: "the answer was lost; a look shows it stopped"}}
			}
		}
	}
	return nil
}

// end is what the last look after the failure says of an instance at one host.
func (s *State) end(host string, g *TurnGuest) string {
	h := s.host(host)
	if h.View == nil || h.At.Before(g.FailedAt) || !h.Lost.IsZero() {
		return "unreachable"
	}
	for _, in := range h.View.Instances {
		switch {
		case in.ID != g.ID:
		case in.Incoming, in.Migrating:
			return "unreachable" // still changing
		case in.State == string(fleet.Running):
			return "running"
		case in.State == string(fleet.Paused):
			return "paused"
		default:
			return "stopped"
		}
	}
	if g.missed[host] < 2 || h.Absent[g.ID] > 0 && h.Absent[g.ID] < looksToBelieve {
		return "unreachable" // one look may be wrong
	}
	return "absent"
}
