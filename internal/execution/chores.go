package execution

import (
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// ChoreKind says what a chore does.
type ChoreKind string

// The kinds of chores.
const (
	ChoreLook     ChoreKind = "look"
	ChoreTell     ChoreKind = "tell"
	ChoreCordon   ChoreKind = "cordon"
	ChoreUncordon ChoreKind = "uncordon"
	ChoreUpdate   ChoreKind = "update"
	ChoreReboot   ChoreKind = "reboot"
	ChoreProve    ChoreKind = "prove"
	ChoreMove     ChoreKind = "move"
	ChoreStop     ChoreKind = "stop"
	ChoreBack     ChoreKind = "back"
	ChoreRevert   ChoreKind = "revert"
)

// Chore is one act that should be in flight. Its Key names it: the same key is the same act, so a
// chore that is in flight is not started again, and one that a crash lost is started with the same
// attempt (drivers look first).
type Chore struct {
	Key         string
	Kind        ChoreKind
	Campaign    string
	Revision    int
	Generation  int64
	Turn        string
	Step        Step
	Attempt     int
	Host        string
	Instance    string
	From, To    string
	Disposition plan.Disposition
	Home        bool
	BootID      string
	BuildID     string   // update: of the hypervisor that runs, by the look that the update rests on; empty: not read
	Patches     []string // revert: the live patches to take back, in the order in which they were applied
	NotBefore   time.Time
	Deadline    time.Time

	Notice     string
	NoticeKind string
	Tenant     string
	Contact    string
	Slots      []string
}

// Outstanding lists the chores that should be in flight at now, in a stable order. Its cost is that
// of the notices not yet accepted and the turns under way, not of the fleet.
func (s *State) Outstanding(now time.Time) []Chore {
	if s.Plan == nil || s.Phase == PhaseFinished {
		return nil
	}
	var out []Chore
	add := func(c Chore) {
		c.Campaign, c.Revision, c.Generation = s.Campaign, s.Revision, s.Generation
		out = append(out, c)
	}
	for _, n := range s.openNotices() {
		contact := ""
		if cs := s.contacts(n.Tenant); len(cs) > 0 {
			contact = cs[min(n.Contacts, len(cs)-1)].Email
		}
		add(Chore{Key: fmt.Sprintf("tell/%s/%d", n.ID, n.Attempts+1), Kind: ChoreTell, Notice: n.ID, NoticeKind: n.Kind,
			Tenant: n.Tenant, Contact: contact, Slots: n.Slots, Attempt: n.Attempts + 1, NotBefore: n.RetryAt})
	}
	looks := map[string]time.Time{} // host -> not before
	want := func(hosts []string, pause time.Duration) {
		for _, id := range hosts {
			h := s.host(id)
			from := h.RetryAt
			if again := h.At.Add(pause); pause > 0 && again.After(from) {
				from = again // looks in a row tell more when some time lies between them
			}
			if have, twice := looks[id]; !twice || from.Before(have) {
				looks[id] = from
			}
		}
	}
	for _, id := range s.Active() {
		t := s.Turns[id]
		s.stepChore(t, add)
		s.revertChore(t, add)
		for _, g := range t.sortedGuests() {
			s.guestChore(t, g, add)
		}
		want(s.wantLooks(t, now), 0)
		want(s.doubtful(t), lookAgain)
		want(s.wantProof(t), lookAgain)
		want(s.unprovenHosts(t), lookAgain)
		if id, until := s.shuttingDown(t); id != "" && s.host(t.Plan.Host).At.Before(until) && s.Phase == PhaseAborted {
			want([]string{t.Plan.Host}, until.Sub(s.host(t.Plan.Host).At))
		}
		if t.inDoubt() > 0 || (t.committed() && t.anyStage(StageStopped) && !s.mayBringBack(t, now) && !(t.Started && (t.Step == StepProve || t.Step == StepReboot))) {
			want([]string{t.Plan.Host}, lookAgain)
		}
	}
	want(s.wantPermitLooks(now), 0)
	want(s.wantReachedLooks(), 0)
	want(s.wantCanaryLooks(now), lookAgain)
	want(s.doubledHosts(), lookAgain)
	want(s.unseen(now), lookAgain)
	for _, id := range sortedKeys(looks) {
		n := s.host(id).Looks + 1
		add(Chore{Key: fmt.Sprintf("look/%s/%d", id, n), Kind: ChoreLook, Host: id, Attempt: n, NotBefore: looks[id]})
	}
	return out
}

func (s *State) stepChore(t *TurnState, add func(Chore)) {
	if !t.Started {
		return
	}
	kind := map[Step]ChoreKind{StepCordon: ChoreCordon, StepUpdate: ChoreUpdate, StepReboot: ChoreReboot,
		StepProve: ChoreProve, StepUncordon: ChoreUncordon}[t.Step]
	if kind == "" {
		return
	}
	if t.proving() {
		return // looks tell
	}
	if kind == ChoreProve && s.proofAt(t) {
		return // the look that proves it is here: Decide judges it
	}
	c := Chore{Key: fmt.Sprintf("%s/%s/%d", t.Plan.ID, t.Step, t.Attempt), Kind: kind, Turn: t.Plan.ID, Step: t.Step,
		Attempt: t.Attempt, Host: t.Plan.Host, BootID: t.OldBoot, Deadline: t.Deadline}
	if kind == ChoreProve {
		c.Deadline = s.proveBy(t)
	}
	if v := s.host(t.Plan.Host).View; kind == ChoreUpdate && v != nil {
		c.BuildID = v.BuildID
	}
	if h := s.host(t.Plan.Host); kind == ChoreProve && h.Heard.After(t.Since) {
		c.NotBefore = h.Heard.Add(lookAgain) // it ended without a proof, as where something else is known of the host
	}
	add(c)
}

func (s *State) guestChore(t *TurnState, g *TurnGuest, add func(Chore)) {
	c := Chore{Turn: t.Plan.ID, Instance: g.ID, Attempt: g.Attempt, Deadline: g.Deadline, Disposition: g.Disposition, Host: t.Plan.Host}
	switch g.Stage {
	case StageMoving, StageHoming:
		c.Kind, c.Step, c.Home = ChoreMove, StepEmpty, g.Stage == StageHoming
		if a := s.open[actKey(t.Plan.ID, g.ID)]; a != nil {
			c.From, c.To = a.From, a.To
		}
		c.Key = fmt.Sprintf("%s/move/%s/%d", t.Plan.ID, g.ID, g.Attempt)
	case StageStopping:
		c.Kind, c.Step, c.From = ChoreStop, StepStop, t.Plan.Host
		c.Key = fmt.Sprintf("%s/stop/%s/%d", t.Plan.ID, g.ID, g.Attempt)
	case StageBacking:
		c.Kind, c.Step, c.Host, c.To = ChoreBack, StepReturn, g.startsOn(t), g.startsOn(t)
		c.Key = fmt.Sprintf("%s/back/%s/%d", t.Plan.ID, g.ID, g.Attempt)
	default:
		return
	}
	add(c)
}

func (s *State) openNotices() []*NoticeState {
	var out []*NoticeState
	for _, id := range sortedKeys(s.unsent) {
		out = append(out, s.Notices[id])
	}
	return out
}

// wantLooks names the hosts that a turn under way must see anew.
func (s *State) wantLooks(t *TurnState, now time.Time) []string {
	if t.Phase == TurnOnHold {
		return nil
	}
	var hosts []string
	own := t.Plan.Host
	needOwn := false // looks cost the host and its guests
	switch t.Step {
	case StepUpdate:
		needOwn = t.inPlace() && !t.Started && !s.sees(t, now)
	case StepEmpty: // not while all are on their way; that nobody is left must be seen
		needOwn = !s.knows(t, now) && s.anyToPlace(t) || !s.sees(t, now) && !s.anyToPlace(t) && !t.anyStage(StageMoving)
	case StepStop: // not while all are being stopped
		known := s.knows(t, now) && t.Plan.Tactic != plan.Refresh || s.sees(t, now)
		needOwn = !t.Started && !known && (!t.anyStage(StageStopping) || s.anyToStop(t))
	case StepReboot: // the order looks for itself
		needOwn = !t.Started && !s.knows(t, now)
	case StepJudge:
		needOwn = !t.Started && !s.sees(t, now) && (t.Plan.Tactic == plan.Refresh || len(ownPackages(s.cohort(own))) > 0)
	case StepHome:
		needOwn = s.anyGoesHome(t) && t.borrowed() && !s.knows(t, now)
	}
	if needOwn {
		hosts = append(hosts, own)
	}
	if t.Step == StepEmpty && s.knows(t, now) && !s.movesFull(t) {
		hosts = append(hosts, s.destinationsToSee(t, now)...)
	}
	return hosts
}

// anyToPlace: by the last look some instance waits to be moved off the turn's host.
func (s *State) anyToPlace(t *TurnState) bool {
	h := s.host(t.Plan.Host)
	if h.View == nil {
		return true
	}
	for _, in := range s.toDo(t) {
		g := s.Guests[in.ID]
		if g == nil || g.Host == t.Plan.Host && !s.inFlight(in.ID) && s.disposition(t, in.ID) == plan.DispLiveMigrate {
			return true
		}
	}
	return false
}

// anyToStop: by the last look some instance waits to be saved or stopped.
func (s *State) anyToStop(t *TurnState) bool {
	h := s.host(t.Plan.Host)
	if h.View == nil {
		return true
	}
	for _, in := range present(h.View) {
		if g := t.Guests[in.ID]; g == nil || g.Stage != StageStopping && g.Stage != StageStopped {
			return true
		}
	}
	return false
}

// destinationsToSee are the best destinations, by what was known last, of the next instances to be
// moved, as far as they were not seen lately: a pool may have a thousand hosts and a move needs one.
func (s *State) destinationsToSee(t *TurnState, now time.Time) (hosts []string) {
	next := 0
	for _, in := range s.toPlace(t) {
		g := t.guest(in.ID)
		if in.Incoming || g.Stage == StageMoving || g.Stage == StageStuck || g.Sticky != "" || now.Before(g.RetryAt) || s.disposition(t, in.ID) != plan.DispLiveMigrate {
			continue
		}
		p := s.Place(t, in.ID, now)
		if p.To == "" && len(p.Sees) == 0 { // perhaps one that did not answer does now
			for _, id := range s.candidates(t) {
				if !s.host(id).Lost.IsZero() {
					p.Sees = append(p.Sees, id)
				}
			}
		}
		if p.To == "" && len(p.Sees) == 0 {
			continue // no look would help it
		}
		hosts = append(hosts, p.Sees[:min(len(p.Sees), bestToSee)]...)
		if next++; next == 2 {
			break
		}
	}
	return hosts
}

// doubtful is the turn's own host while its last look did not show what should be there.
func (s *State) doubtful(t *TurnState) []string {
	if t.Phase == TurnActive && !t.Started && (t.Step == StepEmpty || t.Step == StepStop || t.Step == StepReboot) && s.doubts(t.Plan.Host) {
		return []string{t.Plan.Host}
	}
	return nil
}

// wantPermitLooks names the hosts to be seen before the next turns can be permitted.
func (s *State) wantPermitLooks(now time.Time) []string {
	var hosts []string
	for _, id := range s.front() {
		t := s.Turns[id]
		if v := s.permit(t, now); v.needLook {
			hosts = append(hosts, t.Plan.Host)
		}
	}
	return hosts
}

// sees: the turn's own host was looked at recently enough, and after the last thing that changed it.
func (s *State) sees(t *TurnState, now time.Time) bool {
	h := s.host(t.Plan.Host)
	return s.knows(t, now) && !h.At.Before(t.moved)
}

// knows: the same, but for the turn's own moves that were done since: who is not there any more, or is again, is
// known without a look.
func (s *State) knows(t *TurnState, now time.Time) bool {
	h := s.host(t.Plan.Host)
	return h.View != nil && h.Lost.IsZero() && now.Sub(h.At) <= fresh && !h.At.Before(t.Changed)
}
