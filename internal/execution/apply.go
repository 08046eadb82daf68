package execution

import (
	"fmt"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
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
	CampaignApplied: false, ControllerTook: false, CampaignPaused: false, CampaignResumed: false, CampaignAborted: false, CampaignHalted: false, CampaignFinished: false,
	NoticeAsked: false, NoticeAccepted: false, NoticeFailed: false, HostSeen: false, HostLost: false, External: false, NotReturned: false, Unfixed: false,
	Overrun: true, TurnPermitted: true, TurnHeld: true, TurnReleased: true, TurnDone: true, TurnDropped: true, StepStarted: true, StepDone: true, StepFailed: true,
	MovePlaced: true, MoveDone: true, MoveFailed: true, StopStarted: true, StopDone: true, StopFailed: true, BackStarted: true, BackDone: true, BackFailed: true,
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
		s.Generation = f.Generation
	case CampaignPaused:
		s.Phase, s.PhaseWhy = PhasePaused, f.Why
	case CampaignResumed:
		s.Phase, s.PhaseWhy = PhaseRunning, ""
		s.failed = map[string]bool{}
	case CampaignHalted:
		s.Phase, s.PhaseWhy = PhaseHalted, f.Why
	case CampaignAborted:
		s.Phase, s.PhaseWhy = PhaseAborted, f.Why
		s.due = map[string]Fact{} // who has not heard of it need not
	case CampaignFinished:
		s.Phase, s.PhaseWhy = PhaseFinished, f.Code
	case NoticeAsked, NoticeAccepted, NoticeFailed:
		s.applyNotice(f)
	case HostSeen:
		s.seeHost(f.Host, f.Seen)
	case HostLost:
		h := s.host(f.Host)
		h.Looks++
		if h.Lost.IsZero() {
			h.Lost = f.At
		}
		h.RetryAt, h.Why = f.At.Add(min(max(f.At.Sub(h.Lost)/4, lookAgain), time.Minute)), f.Why
	case External:
		s.applyExternal(f)
	case NotReturned, Unfixed:
		s.listed[f.Instance] = true
	case Overrun:
		for _, id := range f.Slots {
			s.overrun[id] = true
		}
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

func (s *State) applyNotice(f Fact) {
	n := s.Notices[f.Notice]
	if n == nil {
		n = &NoticeState{ID: f.Notice, Kind: f.NoticeKind, Tenant: f.Tenant, Slots: f.Slots, Asked: f.At}
		s.Notices[f.Notice] = n
		delete(s.due, f.Notice)
		s.unsent[f.Notice] = true
		if f.NoticeKind == NoticeCancelled {
			for _, id := range f.Slots {
				s.cancelled[id] = true
			}
		}
		if f.NoticeKind == NoticeScheduled {
			for _, id := range f.Slots {
				s.bySlot[id] = f.Notice
			}
		}
	}
	defer func() {
		if !n.Accepted.IsZero() || n.GaveUp || n.Attempts >= maxNoticeTries {
			delete(s.unsent, n.ID)
		}
	}()
	switch f.Kind {
	case NoticeAccepted:
		n.Accepted, n.Contact, n.Why = f.At, f.Contact, ""
		n.Attempts++
	case NoticeFailed:
		n.Attempts++
		n.Why = f.Why
		n.RetryAt = f.At.Add(backoff(n.Attempts, 5*time.Second, 5*time.Minute))
		if !f.Retry {
			n.Contacts++ // this address is given up; the next contact is tried where policy allows
			n.RetryAt = f.At
		}
		if !f.Retry && (s.Plan.Policy.Undeliverable != "next-contact" || n.Contacts >= len(s.contacts(n.Tenant))) {
			n.GaveUp = true
		}
	}
}

func (s *State) contacts(tenant string) []fleet.Contact {
	if t := s.index.Tenants[tenant]; t != nil {
		return t.Contacts
	}
	return nil
}

// seeHost takes an observation in: it is what this campaign knows of the host and of the instances
// on it, except those that an act of ours has in flight.
func (s *State) seeHost(id string, v *HostView) {
	h := s.host(id)
	h.View, h.At, h.Lost, h.Why = v, v.At, time.Time{}, ""
	h.Looks++
	for inst, at := range s.landed[id] {
		if !at.After(v.At) {
			delete(s.landed[id], inst) // the look shows it
		}
	}
	here := map[string]bool{}
	for _, in := range v.Instances {
		here[in.ID] = true
		g := s.Guests[in.ID]
		if g == nil {
			g = &GuestState{New: true}
			s.Guests[in.ID] = g
			s.settle(in.ID, id)
		}
		if in.Incoming || s.inFlight(in.ID) {
			continue
		}
		switch {
		case in.State == string(fleet.Running):
			s.settle(in.ID, id)
			g.State, g.Saved, g.Gone = fleet.Running, false, false
		case g.Host == id:
			g.State, g.Saved = fleet.State(in.State), in.Saved
		}
		g.Memory = in.MemoryMiB
	}
	for turn := range s.active {
		for _, tg := range s.Turns[turn].Guests {
			if tg.InDoubt && s.Turns[turn].Plan.Host == id && !v.At.Before(tg.FailedAt) && runs(v, tg.ID) {
				tg.InDoubt = false // the stop did not take effect
			}
		}
	}
	for inst, turn := range s.unproven {
		g := s.Turns[turn].Guests[inst]
		switch {
		case (id != g.From && id != g.Sticky) || v.At.Before(g.FailedAt):
		case here[inst]:
			delete(g.missed, id)
		case g.missed == nil:
			g.missed = map[string]int{id: 1}
		default:
			g.missed[id]++
		}
	}
	absent := h.Absent
	h.Absent = map[string]int{}
	for inst := range s.on[id] {
		if !s.Guests[inst].Gone && !here[inst] && !s.inFlight(inst) {
			h.Absent[inst] = absent[inst] + 1
		}
	}
}

func runs(v *HostView, instance string) bool {
	for _, in := range v.Instances {
		if in.ID == instance {
			return in.State == string(fleet.Running)
		}
	}
	return false
}

func (s *State) inFlight(instance string) bool {
	for _, a := range s.open {
		if a.Instance == instance {
			return true
		}
	}
	return false
}

func (s *State) applyExternal(f Fact) {
	if f.Code == "appeared" {
		s.appeared[f.Turn+"/"+f.Instance] = true
	}
	g := s.Guests[f.Instance]
	if g == nil {
		return
	}
	if f.Code == "gone" {
		g.Gone = true
		if h := s.Hosts[f.Host]; h != nil {
			delete(h.Absent, f.Instance)
		}
		for _, id := range s.Active() {
			if tg := s.Turns[id].Guests[f.Instance]; tg != nil && tg.Stage == StageHere {
				tg.Stage = StageGone
			}
		}
	}
}

func (s *State) applyTurn(t *TurnState, f Fact) {
	switch f.Kind {
	case TurnPermitted:
		t.Phase, t.Permitted, t.Since = TurnActive, f.At, f.At
		if st := t.steps(); len(st) > 0 {
			t.Step = st[0]
		}
		s.active[t.Plan.ID] = true
		s.dropWaiting(t.Plan.ID)
	case TurnHeld:
		t.Phase, t.Code, t.Why, t.Next = TurnOnHold, f.Code, f.Why, f.Next
		t.Started = false
		s.active[t.Plan.ID] = true
		s.dropWaiting(t.Plan.ID)
		if f.Code != CodeOperator && !t.Permitted.IsZero() { // what never began did not break
			s.failed[t.Plan.ID] = true
		}
		s.reckon(t)
	case TurnReleased:
		s.release(t, f.At)
	case TurnDone:
		t.Phase, t.Ended = TurnFinished, f.At
		delete(s.active, t.Plan.ID)
		delete(s.failed, t.Plan.ID)
		s.fixed[t.Plan.Host] = true
		s.reckon(t)
	case TurnDropped:
		t.Phase, t.Ended, t.Code, t.Why = TurnAbandoned, f.At, f.Code, f.Why
		delete(s.active, t.Plan.ID)
		s.dropWaiting(t.Plan.ID)
		s.reckon(t)
	case StepStarted, StepDone, StepFailed:
		s.applyStep(t, f)
	case StaysAway:
		t.guest(f.Instance).GoneHome = true
	case Borrowed:
		t.Cordoned = true
	case GivenBack:
		t.Cordoned = false
	case MovePlaced, MoveDone, MoveFailed:
		s.applyMove(t, f)
	case StopStarted, StopDone, StopFailed:
		s.applyStop(t, f)
	case BackStarted, BackDone, BackFailed:
		s.applyBack(t, f)
	}
}

func (s *State) dropWaiting(id string) {
	for i, w := range s.waiting {
		if w == id {
			s.waiting = append(s.waiting[:i:i], s.waiting[i+1:]...)
			return
		}
	}
}

// interrupted adds to what happened in the slot of an instance in a turn. ms is -1 when not measured.
func (s *State) interrupted(turn, instance string, from, to time.Time, ms int64) {
	sl := s.turnSlot[turn+"/"+instance]
	if sl == nil {
		return
	}
	a := s.actual[sl.ID]
	if a == nil {
		s.actual[sl.ID] = &Actual{From: from, To: to, Ms: ms}
		return
	}
	a.To = to
	if a.Ms >= 0 && ms >= 0 {
		a.Ms += ms
	} else {
		a.Ms = -1
	}
}

// release gives a held turn another run at its step.
func (s *State) release(t *TurnState, at time.Time) {
	delete(s.failed, t.Plan.ID)
	if t.Permitted.IsZero() { // held before it began: it waits for its permit again
		t.Phase, t.Code, t.Why, t.Next = TurnWaiting, "", "", ""
		delete(s.active, t.Plan.ID)
		i, _ := slices.BinarySearchFunc(s.waiting, t.Plan, func(id string, p plan.Turn) int { return compareTurns(s.Turns[id].Plan, p) })
		s.waiting = slices.Insert(s.waiting, i, t.Plan.ID)
		return
	}
	sameBoot := t.Code == CodeSameBoot
	t.Phase, t.Code, t.Why, t.Next = TurnActive, "", "", ""
	t.Failures, t.Refills, t.RetryAt, t.Started, t.Since, t.Changed = 0, 0, time.Time{}, false, at, at
	for _, g := range t.Guests {
		g.Failures, g.RetryAt = 0, time.Time{}
		if g.Stage == StageStuck {
			g.Stage = StageHere
		}
		if g.Sticky != "" { // both ends are read anew
			g.FailedAt, g.Code = at, ""
		}
	}
	if t.Step == StepProve && sameBoot {
		t.Step, t.Ordered, t.Rebooted = StepReboot, time.Time{}, false // it never rebooted: the order is given again
	}
}

func (s *State) applyStep(t *TurnState, f Fact) {
	switch f.Kind {
	case StepStarted:
		if t.Step != f.Step {
			t.Step, t.Failures, t.Since = f.Step, 0, f.At
		}
		t.Started, t.Attempt, t.Deadline = true, f.Attempt, f.Deadline
		t.tries[f.Step] = f.Attempt
		switch f.Step {
		case StepReboot:
			t.OldBoot, t.Ordered = f.BootID, f.At
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
			t.Rebooted = t.Plan.Tactic == plan.Refresh
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

func (t *TurnState) guest(id string) *TurnGuest {
	g := t.Guests[id]
	if g == nil {
		g = &TurnGuest{ID: id}
		t.Guests[id] = g
	}
	return g
}

func actKey(turn, instance string) string { return turn + "/" + instance }

func (s *State) applyMove(t *TurnState, f Fact) {
	g, who := t.guest(f.Instance), s.Guests[f.Instance]
	if who == nil {
		who = &GuestState{State: fleet.Running, New: true}
		s.Guests[f.Instance] = who
		s.settle(f.Instance, f.From)
	}
	key := actKey(f.Turn, f.Instance)
	if f.Kind == MovePlaced {
		if g.Stage == StageAway && !f.Home {
			t.Refills++ // it was moved away and is here again
		}
		g.Disposition, g.From, g.To, g.Attempt, g.Deadline = plan.DispLiveMigrate, f.From, f.To, f.Attempt, f.Deadline
		g.Stage = StageMoving
		if f.Home {
			g.Stage = StageHoming
		}
		s.open[key] = &openAct{f.Turn, f.Instance, f.From, f.To, f.Kind, f.At}
		return
	}
	if f.Attempt != g.Attempt || (g.Stage != StageMoving && g.Stage != StageHoming && g.Sticky == "") {
		return
	}
	home, from := f.Home, g.FailedAt
	if a := s.open[key]; a != nil {
		from = a.At
	}
	delete(s.open, key)
	delete(s.unproven, f.Instance)
	t.Changed = f.At
	if f.Kind == MoveDone {
		s.settle(f.Instance, f.To)
		delete(s.landed[f.From], f.Instance)
		who.State, who.Saved, who.Gone = fleet.Running, false, false
		if s.landed[f.To] == nil {
			s.landed[f.To] = map[string]time.Time{}
		}
		s.landed[f.To][f.Instance] = f.At
		s.lastLanded[f.To] = f.At
		g.Stage, g.MovedTo, g.Code, g.Why, g.Failures, g.Sticky = StageAway, f.To, "", "", 0, ""
		if home {
			g.Stage, g.GoneHome = StageHome, true
		}
		s.touched(f.To, f.At)
		s.interrupted(f.Turn, f.Instance, from, f.At, f.BlackoutMs)
		return
	}
	g.Failures++
	g.RetryAt, g.FailedAt = f.At.Add(backoff(g.Failures, 3*time.Second, time.Minute)), f.At
	g.Code, g.Why = f.Code, f.Why
	g.Sticky = ""
	if f.Source != "running" || (f.Destination != "absent" && f.Destination != "stopped") {
		g.Sticky, g.missed = f.To, nil
		s.unproven[f.Instance] = f.Turn
	}
	switch {
	case home:
		g.Stage, g.Stuck = StageAway, !f.Retry
	case !f.Retry || g.Failures >= maxMoveFailures:
		g.Stage = StageStuck
	default:
		g.Stage = StageHere
	}
	s.touched(f.To, f.At)
	s.touched(f.From, f.At)
}

// touched notes that an older look at a host no longer tells the truth about it.
func (s *State) touched(host string, at time.Time) {
	for id := range s.active {
		if t := s.Turns[id]; t.Plan.Host == host && t.Changed.Before(at) {
			t.Changed = at
		}
	}
}

func (s *State) applyStop(t *TurnState, f Fact) {
	g, who := t.guest(f.Instance), s.Guests[f.Instance]
	key := actKey(f.Turn, f.Instance)
	switch f.Kind {
	case StopStarted:
		g.Disposition, g.Stage, g.Attempt, g.Deadline, g.Stopped = f.Disposition, StageStopping, f.Attempt, f.Deadline, f.At
		s.open[key] = &openAct{f.Turn, f.Instance, f.From, "", f.Kind, f.At}
	case StopDone:
		if f.Attempt != g.Attempt || (g.Stage != StageStopping && !g.mayHaveStopped()) {
			return
		}
		delete(s.open, key)
		g.InDoubt = false
		g.Stage, t.Changed, g.Failures = StageStopped, f.At, 0
		who.State, who.Saved, who.Away = fleet.Stopped, f.Disposition == plan.DispStatefulStop, true
	case StopFailed:
		if f.Attempt != g.Attempt || g.Stage != StageStopping {
			return
		}
		delete(s.open, key)
		g.Failures++
		g.InDoubt, g.FailedAt = true, f.At
		g.RetryAt, g.Code, g.Why, t.Changed = f.At.Add(backoff(g.Failures, 3*time.Second, time.Minute)), f.Code, f.Why, f.At
		g.Stage = StageHere
		if !f.Retry || g.Failures >= maxMoveFailures {
			g.Stage = StageStuck
		}
	}
}

func (s *State) applyBack(t *TurnState, f Fact) {
	g, who := t.guest(f.Instance), s.Guests[f.Instance]
	switch f.Kind {
	case BackStarted:
		g.Stage, g.Attempt, g.Deadline = StageBacking, f.Attempt, f.Deadline
	case BackDone:
		if f.Attempt != g.Attempt || g.Stage != StageBacking {
			return
		}
		g.Stage, g.Failures, t.Changed = StageBack, 0, f.At
		s.interrupted(f.Turn, f.Instance, g.Stopped, f.At, f.At.Sub(g.Stopped).Milliseconds())
		s.settle(f.Instance, t.Plan.Host)
		who.State, who.Saved, who.Away = fleet.Running, false, false
	case BackFailed:
		if f.Attempt != g.Attempt || g.Stage != StageBacking {
			return
		}
		g.Failures++
		g.Stage, g.Code, g.Why, t.Changed = StageStopped, f.Code, f.Why, f.At
		g.RetryAt = f.At.Add(backoff(g.Failures, 5*time.Second, time.Minute))
		if !f.Retry {
			g.Failures += maxBackFailures
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
