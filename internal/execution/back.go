package execution

import (
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// mayBringBack: nobody is brought back onto a host that a reboot order of ours may still take down.
// It is over once the host was seen on another boot, or on the same one long after the order.
func (s *State) mayBringBack(t *TurnState, now time.Time) bool {
	if t.Ordered.IsZero() {
		return true
	}
	h := s.host(t.Plan.Host)
	if h.View == nil || !h.Lost.IsZero() || !h.At.After(t.Ordered) {
		return false
	}
	return h.View.BootID != t.OldBoot && h.View.Health == string(fleet.Up) ||
		h.View.BootID == t.OldBoot && !h.At.Before(t.Ordered.Add(s.waitFor(t)))
}

// bringBack restores or starts what the turn stopped. It is no new disruption: it is allowed under
// pause, halt, abort and hold.
func (s *State) bringBack(t *TurnState, now time.Time) []Fact {
	may := s.mayBringBack(t, now)
	for _, g := range t.sortedGuests() {
		if g.Stage != StageStopped || now.Before(g.RetryAt) || !may && g.startsOn(t) == t.Plan.Host {
			continue
		}
		if g.Failures >= maxBackFailures {
			if t.Phase == TurnOnHold {
				continue
			}
			return []Fact{*t.held(CodeNotReturned, fmt.Sprintf("%s does not come back: %s", g.ID, g.Why), "start it by hand, then: evenkeel retry "+t.Plan.ID)}
		}
		return []Fact{{Kind: BackStarted, Turn: t.Plan.ID, Instance: g.ID, To: g.startsOn(t), Disposition: g.Disposition, Attempt: g.Attempt + 1,
			Deadline: now.Add(s.saveMax(t))}}
	}
	return nil
}

// decideHome brings moved instances back where policy says so, within their slot; those that cannot
// come stay where they run.
func (s *State) decideHome(t *TurnState, now time.Time, quiet bool) []Fact {
	if t.anyDead() {
		return s.bringBack(t, now)
	}
	if !s.anyGoesHome(t) {
		return t.done("instances stay where they run")
	}
	if (quiet && s.Phase != PhaseAborted) || t.borrowed() && !s.knows(t, now) {
		return nil
	}
	away, home := 0, 0
	for _, g := range t.sortedGuests() {
		if g.Stage == StageHome {
			home++
		}
		if g.Stage == StageHoming || g.Sticky != "" {
			away++
			continue
		}
		who := s.Guests[g.ID]
		sl := s.turnSlot[t.Plan.ID+"/"+g.ID]
		deadline := now.Add(time.Duration(s.Plan.Policy.Times.MigrateMax))
		if sl != nil {
			deadline, _ = s.moveBy(t, g.ID, now, sl.End)
		}
		if g.Stage != StageAway || g.GoneHome || who.Gone || who.Host != g.MovedTo || s.index.Instances[g.ID] == nil {
			continue
		}
		goes, why := s.goesHome(t, g)
		if why != "" {
			return []Fact{{Kind: StaysAway, Turn: t.Plan.ID, Host: t.Plan.Host, Instance: g.ID, To: who.Host, Code: stays, Why: why}}
		}
		if !goes {
			continue
		}
		if no := s.refusesHome(t, g, deadline); no != nil {
			return []Fact{{Kind: StaysAway, Turn: t.Plan.ID, Host: t.Plan.Host, Instance: g.ID, To: who.Host, Code: no.Code, Why: no.Why}}
		}
		if now.Before(g.RetryAt) || s.movesFull(t) || s.crowded(who.Host, t.Plan.Host) || s.groupFull(s.instance(g.ID)) != "" {
			away++
			continue
		}
		f := Fact{Kind: MovePlaced, Turn: t.Plan.ID, Instance: g.ID, From: who.Host, To: t.Plan.Host, Attempt: g.Attempt + 1, Deadline: deadline, Home: true, Disposition: plan.DispLiveMigrate}
		if sl != nil {
			f.Tenant = sl.Tenant
		}
		return []Fact{f}
	}
	if away > 0 {
		return nil
	}
	return t.done(fmt.Sprintf("%d instances are back home", home))
}

// stays is the code of an instance that is not brought home for no reason of fleet.CanMove's.
const stays = "stays"

// refusesHome says why an instance cannot be brought home; nil when it can.
func (s *State) refusesHome(t *TurnState, g *TurnGuest, deadline time.Time) *fleet.Reason {
	in := s.instance(g.ID)
	sl := s.turnSlot[t.Plan.ID+"/"+g.ID]
	no := func(code, why string) *fleet.Reason { return &fleet.Reason{Code: code, Why: why} }
	switch unfit, apart, held := s.fits(in, in.Host, t.Plan.Host), s.spreads(in, t.Plan.Host), s.barred(t); {
	case s.Phase == PhaseAborted:
		return no(stays, "the campaign was aborted")
	case held != nil:
		return no(held.Code, "cohort "+held.Cohort+" is held: "+held.Why)
	case g.Failures > 0 && (g.Code != "" && g.Stuck || g.Failures >= maxMoveFailures):
		return no(stays, "its move home failed: "+orElse(g.Why, g.Code))
	case sl != nil && deadline.After(sl.End):
		return no(stays, "its slot ends before the move home is sure to be over")
	case sl == nil:
		return no(stays, "nobody was told of a move home")
	case unfit != nil:
		return &unfit.Reason
	case apart != nil:
		return &apart.Reason
	case s.free(t.Plan.Host) < in.MemoryMiB:
		return no(stays, fmt.Sprintf("its home has %d MiB free and it needs %d", s.free(t.Plan.Host), in.MemoryMiB))
	}
	return nil
}
