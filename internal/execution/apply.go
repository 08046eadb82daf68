package execution

import (
	"fmt"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// Accepts says whether Apply would take a fact: its number, its moment, and the things it names must
// fit. A fact that it refuses must not be stored.
func (s *State) Accepts(f Fact) error {
	switch {
	case f.Seq != 0 && f.Seq != s.Seq+1:
		return fmt.Errorf("journal of %s: fact %d follows fact %d", f.Campaign, f.Seq, s.Seq)
	case f.At.Before(s.At):
		return fmt.Errorf("journal of %s: fact %d lies before the fact ahead of it (%s < %s)", f.Campaign, f.Seq, f.At.Format(time.RFC3339Nano), s.At.Format(time.RFC3339Nano))
	case (s.Plan == nil) != (f.Kind == CampaignApplied):
		return fmt.Errorf("journal of %s: fact %d is %s, and a plan begins a journal exactly once", f.Campaign, f.Seq, f.Kind)
	case f.Kind == HostSeen && f.Seen == nil:
		return fmt.Errorf("journal of %s: fact %d saw nothing", f.Campaign, f.Seq)
	}
	switch f.Kind {
	case ParentEnded, Inherited:
		return s.acceptsParent(f)
	case CohortHeld, CohortReleased:
		return s.acceptsCohort(f)
	}
	ofTurn, known := kinds[f.Kind]
	if !known {
		return fmt.Errorf("journal of %s: fact %d is of unknown kind %q", f.Campaign, f.Seq, f.Kind)
	}
	if ofTurn && s.Turns[f.Turn] == nil {
		return fmt.Errorf("journal of %s: fact %d (%s) names turn %q, which the plan does not have", f.Campaign, f.Seq, f.Kind, f.Turn)
	}
	return nil
}

// kinds are all kinds of facts; true: of one turn.
var kinds = map[Kind]bool{
	CampaignApplied: false, ControllerTook: false, CampaignPaused: false, CampaignResumed: false, CampaignAborted: false, CampaignHalted: false, CampaignForced: false, CampaignFinished: false, ParentEnded: false, Inherited: false,
	NoticeAsked: false, NoticeAccepted: false, NoticeFailed: false, HostSeen: false, HostLost: false, External: false, NotReturned: false, Unfixed: false,
	Overrun: true, CanaryPassed: true, SlotPassed: true, TurnPrepares: true, TurnPermitted: true, TurnHeld: true, TurnReleased: true, TurnDone: true, TurnDropped: true, StepStarted: true, StepDone: true, StepFailed: true,
	MovePlaced: true, MoveDone: true, MoveFailed: true, Died: true, StopStarted: true, StopDone: true, StopFailed: true, BackStarted: true, BackDone: true, BackFailed: true,
	StaysAway: true, Borrowed: true, GivenBack: true,
}

// Apply folds one fact into the state. An error means that the journal is not one this machine
// wrote: the state must not be used any further.
func (s *State) Apply(f Fact) error {
	if err := s.Accepts(f); err != nil {
		return err
	}
	if err := s.apply(f); err != nil {
		return err
	}
	s.Seq, s.At = s.Seq+1, f.At
	return nil
}

func (s *State) apply(f Fact) error {
	switch f.Kind {
	case CampaignApplied:
		return s.begin(f)
	case ControllerTook:
		s.Generation, s.took = f.Generation, f.At
	case CampaignPaused:
		s.Phase, s.PhaseWhy = PhasePaused, f.Why
	case CampaignResumed:
		s.Phase, s.PhaseWhy = s.under()
		s.failed, s.passes = map[string]bool{}, 0
	case CampaignHalted:
		s.Phase, s.PhaseWhy = PhaseHalted, f.Why
	case CampaignAborted:
		s.Phase, s.PhaseWhy, s.superseded = PhaseAborted, f.Why, f.Code == CodeSuperseded
		s.handOver(f.Slots)
		s.due = map[string]Fact{} // who has not heard of it need not
	case CampaignForced:
		s.forced = f.At
	case CampaignFinished:
		s.Phase, s.PhaseWhy = PhaseFinished, f.Code
	case ParentEnded, Inherited:
		s.applyParent(f)
	case NoticeAsked, NoticeAccepted, NoticeFailed:
		s.applyNotice(f)
	case HostSeen:
		s.seeHost(f.Host, f.Seen)
	case HostLost:
		s.host(f.Host).silent(f)
	case CohortHeld, CohortReleased:
		s.applyCohort(f)
	case External:
		s.applyExternal(f)
	case NotReturned, Unfixed:
		s.listed[f.Instance] = true
	case Overrun:
		for _, id := range f.Slots {
			s.overrun[id] = true
		}
	case CanaryPassed:
		return s.applyPass(s.Turns[f.Turn], f)
	case SlotPassed:
		return s.applySlotPassed(f)
	default:
		s.applyTurn(s.Turns[f.Turn], f)
	}
	return nil
}

func (s *State) host(id string) *HostState {
	h := s.Hosts[id]
	if h == nil {
		h = &HostState{}
		s.Hosts[id] = h
	}
	return h
}

func (s *State) applyTurn(t *TurnState, f Fact) {
	defer s.recount(t)
	switch f.Kind {
	case TurnPrepares:
		s.applyPrepares(t, f)
	case TurnPermitted:
		t.Phase, t.Permitted, t.Since = TurnActive, f.At, f.At
		if st := t.steps(); len(st) > 0 {
			t.Step = st[0]
		}
		s.active[t.Plan.ID] = true
		s.dropWaiting(t.Plan.ID)
		if v := s.host(t.Plan.Host).View; v != nil {
			t.found = v.Installed
		}
		s.passCanaries(t)
		s.rebooting = s.rebooting || t.Plan.Deferred
	case TurnHeld:
		if t.Phase == TurnFinished { // a canary that did not stay sound
			t.Ended = time.Time{}
			delete(s.fixed, t.Plan.Host)
		}
		t.Phase, t.Code, t.Why, t.Next = TurnOnHold, f.Code, f.Why, f.Next
		// A hold that is not for the turn's own failure leaves what is in flight to its own end; proving is only
		// looking, and stops.
		own := f.Code != CodeOperator && f.Code != CodeMigrationsFail
		t.Started = t.Started && !own && t.Step != StepProve
		s.active[t.Plan.ID] = true
		s.dropWaiting(t.Plan.ID)
		s.patchOver(t, f.At)
		if own && (!t.Permitted.IsZero() || t.unready() && t.Step != "") && !t.brokeNothing() { // nor did what never began
			s.failed[t.Plan.ID] = true
		}
		s.reckon(t)
	case TurnReleased:
		s.release(t, f.At)
	case TurnDone:
		t.Phase, t.Ended = TurnFinished, f.At
		s.turnOver(t, f.At)
		s.patchOver(t, f.At)
		delete(s.active, t.Plan.ID)
		delete(s.failed, t.Plan.ID)
		s.fixed[t.Plan.Host] = true
		s.reckon(t)
	case TurnDropped:
		t.Phase, t.Ended, t.Code, t.Why = TurnAbandoned, f.At, f.Code, f.Why
		s.turnOver(t, f.At)
		delete(s.active, t.Plan.ID)
		if aheadOf[t.Plan.Tactic] != nil {
			delete(s.unprepared, t.Plan.Host)
		}
		s.dropWaiting(t.Plan.ID)
		s.patchOver(t, f.At)
		if t.reached() {
			s.fixed[t.Plan.Host] = true
		}
		s.reckon(t)
	case StepStarted, StepDone, StepFailed:
		s.applyStep(t, f)
		s.endPreparation(t, f.At)
	case StaysAway:
		t.guest(f.Instance).GoneHome = true
	case Borrowed:
		t.Cordoned = true
	case GivenBack:
		t.Cordoned = false
	case Died:
		s.applyDied(t, f)
	case MovePlaced, MoveDone, MoveFailed:
		s.applyMove(t, f)
	case StopStarted, StopDone, StopFailed:
		s.applyStop(t, f)
	case BackStarted, BackDone, BackFailed:
		s.applyBack(t, f)
	}
}

// dropWaiting moves those ahead of it up: they are of its own wave, and few beside all that wait.
func (s *State) dropWaiting(id string) {
	delete(s.aside, id)
	if i := slices.Index(s.waiting, id); i >= 0 {
		copy(s.waiting[1:i+1], s.waiting[:i])
		s.waiting = s.waiting[1:]
	}
}

// release gives a held turn another run at its step.
func (s *State) release(t *TurnState, at time.Time) {
	delete(s.failed, t.Plan.ID)
	t.unwell = time.Time{}
	if h := s.host(t.Plan.Host); !h.Lost.IsZero() { // a person says that it is back: its silence counts anew
		h.Lost, h.RetryAt = at, at
	}
	t.releaseRevert()
	if t.Plan.Tactic == plan.LivePatch {
		s.patching[t.Plan.ID] = true
	}
	if t.Permitted.IsZero() { // held before it began: it waits for its permit again
		defer s.releasePreparation(t, at)
		t.Phase, t.Code, t.Why, t.Next = TurnWaiting, "", "", ""
		s.lookAnew(t.Plan.Host, at)
		delete(s.active, t.Plan.ID)
		i, _ := slices.BinarySearchFunc(s.waiting, t.Plan, func(id string, p plan.Turn) int { return compareTurns(s.Turns[id].Plan, p) })
		s.waiting = slices.Insert(s.waiting, i, t.Plan.ID)
		s.setAside(t)
		return
	}
	sameBoot := t.Code == CodeSameBoot
	t.releaseCanary()
	t.Phase, t.Code, t.Why, t.Next = TurnActive, "", "", ""
	t.Failures, t.Refills, t.RetryAt, t.Since, t.Changed = 0, 0, time.Time{}, at, at
	t.Started = t.Started && t.Step != StepProve // proving begins anew, with a deadline of its own
	for _, g := range t.Guests {
		g.Failures, g.RetryAt = 0, time.Time{}
		if g.Stage == StageStuck {
			g.Stage = StageHere
		}
		if g.Sticky != "" { // both ends are read anew
			g.FailedAt, g.Code = at, ""
		}
	}
	if t.Plan.Tactic == plan.LivePatch && t.Step == StepProve {
		t.Step, t.UpdateBoot = StepUpdate, "" // a look tells whether the patch must be applied again
	}
	s.proveAfterAll(t)
	if t.Step == StepProve && sameBoot {
		t.Step, t.Ordered, t.Rebooted = StepReboot, time.Time{}, false // it never rebooted: the order is given again
	}
}

// proveAfterAll: an aborted campaign gives up on a host that did not come back, and gives back what it borrowed. Where a
// person says then that the host is back, its turn ends with the proof that it still owes.
func (s *State) proveAfterAll(t *TurnState) {
	if s.Phase == PhaseAborted && t.Phase == TurnActive && !t.Started && t.committed() && t.NewBoot == "" && (t.Step == StepUncordon || t.Step == StepHome) {
		t.Step = StepProve
	}
}

func (s *State) applyStep(t *TurnState, f Fact) {
	if f.Step == StepRevert {
		t.applyRevert(f)
		return
	}
	switch f.Kind {
	case StepStarted:
		if t.Step != f.Step {
			t.Step, t.Failures, t.Since = f.Step, 0, f.At
		}
		t.Started, t.Attempt, t.Deadline = true, f.Attempt, f.Deadline
		t.tries[f.Step] = f.Attempt
		t.Unneeded = t.Unneeded || f.Code == CodeReached
		switch f.Step {
		case StepReboot:
			t.OldBoot, t.Ordered = f.BootID, f.At
			t.before = softwareOf(s.host(t.Plan.Host).View)
		case StepUpdate:
			t.UpdateBoot = f.BootID
			s.noteBrought(t)
		case StepCordon:
			t.Cordoned = true // it may take effect although its answer is lost; giving back twice does no harm
		}
	case StepDone:
		if f.Step != t.Step || (t.Started && f.Attempt != t.Attempt) {
			return // a late answer of an attempt that was given up
		}
		t.Started = false
		switch {
		case f.Step == StepUpdate && f.Attempt > 0:
			t.Updated = true
		case f.Step == StepProve:
			t.NewBoot = f.BootID
		case f.Step == StepReboot:
			t.Rebooted = true
		}
		if f.Step == StepUncordon { // the host answers: whoever could not be brought back is tried anew
			for _, g := range t.Guests {
				if g.Stage == StageStopped {
					g.Failures, g.RetryAt = 0, time.Time{}
				}
			}
		}
		if f.Step == StepUpdate || f.Step == StepReboot || f.Step == StepReturn || f.Step == StepProve {
			t.Changed = f.At
		}
		t.Step, t.Since, t.Failures, t.Attempt, t.RetryAt = t.next(), f.At, 0, 0, time.Time{}
		s.proveAfterAll(t)
	case StepFailed:
		if f.Step != t.Step || f.Attempt != t.Attempt {
			return
		}
		t.Started, t.Changed = false, f.At
		if f.Step == StepReboot && slices.Contains(surelyNot, f.Code) {
			t.Ordered = time.Time{}
		}
		t.Failures++
		t.RetryAt = f.At.Add(backoff(t.Failures, 2*time.Second, time.Minute))
		t.Code, t.Why, t.Next = f.Code, f.Why, f.Next
		if !f.Retry {
			t.Failures += maxStepFailures
		}
		if f.Code == CodeRefilled {
			t.Step, t.Failures, t.Refills, t.Since = StepEmpty, 0, t.Refills+1, f.At
		}
	}
}

// backoff doubles from first up to most.
func backoff(n int, first, most time.Duration) time.Duration {
	d := first
	for range n - 1 {
		if d *= 2; d >= most {
			return most
		}
	}
	return d
}
