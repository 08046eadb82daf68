package execution

import (
	"maps"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Phase of a campaign.
type Phase string

// The phases.
const (
	PhaseNone     Phase = ""
	PhaseWaiting  Phase = "waiting" // for the end of the campaign that it supersedes
	PhaseRunning  Phase = "running"
	PhasePaused   Phase = "paused"
	PhaseHalted   Phase = "halted" // by the failure budget or a bug; an operator may resume
	PhaseAborted  Phase = "aborted"
	PhaseFinished Phase = "finished"
)

// TurnPhase is where a turn stands.
type TurnPhase string

// The phases of a turn.
const (
	TurnWaiting   TurnPhase = "waiting"
	TurnPreparing TurnPhase = "preparing" // its host's software is changed ahead of it: nobody is disturbed
	TurnActive    TurnPhase = "active"
	TurnOnHold    TurnPhase = "held"
	TurnFinished  TurnPhase = "done"
	TurnAbandoned TurnPhase = "dropped"
)

// State is the run of one campaign, folded from its journal. Only Apply changes it.
type State struct {
	Campaign   string
	Revision   int
	Generation int64
	Phase      Phase
	PhaseWhy   string
	Plan       *plan.Plan
	Fleet      *fleet.Fleet
	Seq        int64
	At         time.Time // of the last fact

	Turns   map[string]*TurnState
	Order   []string // turn ids by wave, then start, then id
	Notices map[string]*NoticeState
	Hosts   map[string]*HostState
	Guests  map[string]*GuestState

	index      *fleet.Index
	cohorts    *advisory.Cohorts       // nil in a routine cycle
	bySlot     map[string]string       // slot id -> id of the notice that tells of it
	turnSlot   map[string]*plan.Slot   // turn + "/" + instance
	ofTurn     map[string][]*plan.Slot // turn -> its slots
	forecast   map[string]forecast     // turn + "/" + instance -> where and when the plan reckoned that it moves
	active     map[string]bool         // turns under way or held
	beside     []Neighbour             // other campaigns: no fact tells of them
	applied    time.Time
	inTurn     underway                        // what they take
	waiting    []string                        // turns not yet permitted, in order
	open       map[string]*openAct             // acts in flight by chore key
	actual     map[string]*Actual              // slot id -> the interruption that happened
	listed     map[string]bool                 // instances on the named list
	on         map[string]map[string]bool      // host -> instances that are there by all we know
	due        map[string]Fact                 // notices to ask for, by id
	unsent     map[string]bool                 // notices asked for and neither accepted nor given up
	homeward   map[string]bool                 // turn/instance that the turn itself brings home again
	movesOf    map[string][]*plan.Move         // instance -> the plan's moves of it by their starts, where policy settles it
	cancelled  map[string]bool                 // slot ids whose tenants were told that they will not be used
	slotsOf    map[string][]*plan.Slot         // tenant -> its slots
	unproven   map[string]string               // instance -> turn whose move of it may have ended at either end
	lastLanded map[string]time.Time            // host -> when our last move to it ended
	ends       plan.Ends                       // of turns by place, where policy leaves gaps between places
	appeared   map[string]bool                 // turn/instance that others put on a turn's host
	overrun    map[string]bool                 // slot ids whose overrun is recorded
	failed     map[string]bool                 // turns that count against the failure budget
	landed     map[string]map[string]time.Time // host -> instances that our acts have running there, and since when
	fixed      map[string]bool                 // hosts on which an instance lands on the fix: done, skipped, or prepared for their refresh
	unprepared map[string]*TurnState           // host -> its turn, while the new software is not on its disk
	largest    int64                           // MiB of the largest instance
	once       *once                           // what was found out since the last fact
	others     map[string][]string             // host -> the other hosts of its pools, by id; as far as it was asked for
	blocked    map[string]bool                 // instances for which the plan has found no way
	movedHere  map[string]string               // instance -> host on which our last move of it ended, where it began anew on the fix

	took        time.Time            // when the controller that acts now took over
	superseded  bool                 // it was aborted because a child takes its place
	forced      time.Time            // when a person closed it as it is; zero: nobody did
	parentEnded time.Time            // when the campaign that it supersedes was over; zero: it is not
	kept        map[string]time.Time // slot ids of promises that the parent told and this campaign keeps -> when the tenant was told
	handed      map[string]bool      // slot ids of promises that a child keeps
	passedTo    map[string]string    // slot ids of promises that another turn keeps -> that turn
	inherited   map[string]string    // instance -> host on which the parent's moves left it, against the plan's fleet
	doubled     map[string]*doubled  // instance -> where the parent left it without proof
	reached     map[string]string    // turn -> what the last look at its host shows of the target, when that is reached

	turnsOf   map[string][]*TurnState // host -> its turns: two where its reboot follows a live patch
	canaries  []*TurnState            // in order
	passed    map[string]bool         // turns in whose place another went as the canary
	passes    int                     // canaries that were passed over since the campaign was last resumed
	patching  map[string]bool         // live-patch turns that are not over
	rebooting bool                    // a deferred reboot was permitted
	patched   time.Time               // when the last live patch was done, or found not to be needed
	cohortOf  map[string]string       // host -> name of its cohort
	failing   map[string]*failing     // cohort -> its migrations that failed in a row
	stopped   map[string]*CohortHold  // cohort -> why its migrations are held
	aside     map[string]time.Time    // waiting turns of such cohorts -> when their slot is missed
}

// TurnState is the run of one turn.
type TurnState struct {
	Plan       plan.Turn
	Phase      TurnPhase
	Step       Step
	Started    bool // Step's chore is in flight
	Attempt    int  // of Step
	Failures   int  // of Step, since it began or was released
	RetryAt    time.Time
	Deadline   time.Time
	Permitted  time.Time
	Since      time.Time // Step was entered
	Changed    time.Time // something happened that an older look at the host does not show
	moved      time.Time // its last move off the host, or home, ended: an older look does not show that either, and it is known
	Ended      time.Time
	Prepared   time.Time // its host was seen with the new software on disk (refresh)
	UpdateBoot string    // boot id under which its software was changed in place
	OldBoot    string    // boot id that the reboot ends
	NewBoot    string
	Refills    int       // times the host was found filled again before its reboot
	Rebooted   bool      // the point of no return: the reboot order was taken
	Ordered    time.Time // when its reboot was ordered: from then on the order may take effect at any moment; zero: it surely was not
	Updated    bool      // its software was changed: not once more after a refill
	Unneeded   bool      // its host is at the target already: what was borrowed is given back and it is dropped
	Cordoned   bool
	Code       string // why it is held or was dropped
	Why        string
	Next       string
	Guests     map[string]*TurnGuest
	Judged     time.Time         // a canary: when, after its soak, its host was seen to be sound
	ready      time.Time         // a refresh's canary: when, after the soak of its preparation, its host was seen to be sound
	unwell     time.Time         // since when looks after its soak do not show that
	found      map[string]string // installed when the turn was permitted
	before     software          // what ran and lay on the disk before the reboot
	revert     reverting
	tries      map[Step]int // attempts of each step so far: a number is never used twice
}

// committed: the host goes down, or may go down, by our order: the turn must see it back.
func (t *TurnState) committed() bool { return t.Rebooted || !t.Ordered.IsZero() }

// NoticeState is the ledger's line of one notice.
type NoticeState struct {
	ID       string
	Kind     string
	Tenant   string
	Slots    []string
	Code     string // why it was cancelled: the code of its turn
	Asked    time.Time
	Accepted time.Time // zero: not yet
	Contact  string    // that accepted it
	Attempts int
	Tries    int // attempts that count: not those of a server that has no channel at all
	Contacts int // contacts given up on
	RetryAt  time.Time
	GaveUp   bool
	Why      string
}

// HostState is what is known of one host.
type HostState struct {
	View    *HostView
	At      time.Time      // of the view
	refuted time.Time      // a move to it failed, or who was stopped runs there again: no older look makes it a destination
	Absent  map[string]int // instances that should be there -> how many looks in a row did not show them
	Looks   int            // looks asked for so far, answered or not
	Lost    time.Time      // since when it does not answer; zero: it does
	RetryAt time.Time
	Why     string
	// Code of the last report that it does not answer; empty: nobody can tell more. It was said since
	// Since, Said times in a row; Heard is when the last report came.
	Code  string
	Since time.Time
	Said  int
	Heard time.Time
}

// GuestState is where an instance is, as far as this campaign knows.
type GuestState struct {
	Host    string
	State   fleet.State // running, stopped, paused
	Saved   bool
	Gone    bool
	New     bool // appeared after the plan was made: nobody was told
	Memory  int64
	Changed time.Time // the last end of an act of ours: an older look tells nothing of it
}

// openAct is an act in flight that disturbs an instance or uses room.
type openAct struct {
	Turn, Instance, From, To string
	Kind                     Kind
	At                       time.Time
}

// New is the state before any fact.
func New() *State {
	return &State{
		Turns: map[string]*TurnState{}, Notices: map[string]*NoticeState{}, Hosts: map[string]*HostState{}, Guests: map[string]*GuestState{},
		bySlot: map[string]string{}, turnSlot: map[string]*plan.Slot{}, ofTurn: map[string][]*plan.Slot{},
		others: map[string][]string{}, passed: map[string]bool{}, active: map[string]bool{}, inTurn: newUnderway(), open: map[string]*openAct{},
		actual: map[string]*Actual{}, overrun: map[string]bool{}, failed: map[string]bool{}, fixed: map[string]bool{},
		appeared: map[string]bool{}, on: map[string]map[string]bool{}, due: map[string]Fact{}, unsent: map[string]bool{}, slotsOf: map[string][]*plan.Slot{}, cancelled: map[string]bool{}, homeward: map[string]bool{}, movesOf: map[string][]*plan.Move{}, unproven: map[string]string{}, listed: map[string]bool{}, lastLanded: map[string]time.Time{},
		blocked: map[string]bool{}, unprepared: map[string]*TurnState{}, movedHere: map[string]string{},
		landed: map[string]map[string]time.Time{}, inherited: map[string]string{}, kept: map[string]time.Time{}, handed: map[string]bool{}, passedTo: map[string]string{}, doubled: map[string]*doubled{}, reached: map[string]string{},
		turnsOf: map[string][]*TurnState{}, patching: map[string]bool{}, cohortOf: map[string]string{}, failing: map[string]*failing{},
		stopped: map[string]*CohortHold{}, aside: map[string]time.Time{},
	}
}

// Fold makes the state of a whole journal.
func Fold(facts []Fact) (*State, error) {
	s := New()
	for i := range facts {
		if err := s.Apply(facts[i]); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// settle notes on which host an instance is, by all we know.
func (s *State) settle(instance, host string) {
	g := s.Guests[instance]
	delete(s.on[g.Host], instance)
	g.Host = host
	if s.on[host] == nil {
		s.on[host] = map[string]bool{}
	}
	s.on[host][instance] = true
}

// changed notes the end of an act of ours on an instance.
func (s *State) changed(instance string, at time.Time) { s.Guests[instance].Changed = at }

func compareTurns(a, b plan.Turn) int {
	if a.Wave != b.Wave {
		return a.Wave - b.Wave
	}
	if c := a.Start.Compare(b.Start); c != 0 {
		return c
	}
	if a.ID < b.ID {
		return -1
	}
	if a.ID > b.ID {
		return 1
	}
	return 0
}

// Active lists the turns under way or held, in order.
func (s *State) Active() []string {
	ids := slices.Collect(maps.Keys(s.active))
	slices.SortFunc(ids, func(a, b string) int { return compareTurns(s.Turns[a].Plan, s.Turns[b].Plan) })
	return ids
}

// Count of turns per phase.
func (s *State) Count() map[TurnPhase]int {
	n := map[TurnPhase]int{}
	for _, t := range s.Turns {
		n[t.Phase]++
	}
	return n
}

// Fixed says whether a host is known to be at the target.
func (s *State) Fixed(host string) bool { return s.fixed[host] }

// SlotOf gives the promise for an instance in a turn, or nil.
func (s *State) SlotOf(turn, instance string) *plan.Slot { return s.turnSlot[turn+"/"+instance] }

// Actual gives the interruption that happened in a slot, or nil when none did so far.
func (s *State) Actual(slot string) *Actual { return s.actual[slot] }

// disturbed counts the members of a group that are down from any cause, or being moved or stopped.
func (s *State) disturbed(group string) (n int) {
	for _, in := range s.index.Members[group] {
		if s.down(in.ID) {
			n++
		}
	}
	return n
}

func (s *State) isDisturbed(instance string) bool {
	g := s.Guests[instance]
	if g == nil || g.Gone {
		return false // deleted by its owner: the group is what remains
	}
	h := s.host(g.Host)
	if g.State != fleet.Running || h.Absent[instance] > 0 || !h.Lost.IsZero() {
		return true // also when the last look at its host did not show it, or the host does not answer
	}
	return s.inFlight(instance) || s.unproven[instance] != "" || s.doubled[instance] != nil || s.inDoubt(instance)
}

// cohort gives what a host should become; nil in a routine cycle.
func (s *State) cohort(host string) *plan.Cohort {
	h := s.index.Hosts[host]
	if s.Plan.Target == nil || h == nil {
		return nil
	}
	return s.cohorts.Of(h)
}

// sortedGuests lists a turn's instances by id.
func (t *TurnState) sortedGuests() []*TurnGuest {
	ids := slices.Sorted(maps.Keys(t.Guests))
	out := make([]*TurnGuest, len(ids))
	for i, id := range ids {
		out[i] = t.Guests[id]
	}
	return out
}
