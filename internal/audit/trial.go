package audit

import (
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// trial is what is known of a journal up to some fact.
type trial struct {
	record
	seq        int64
	now        time.Time
	generation int64
	took       int64 // the fact by which a controller last took over
	runs       map[string]*run
	guests     map[string]*guest
	machines   map[string]*machine
	open       map[*turnRun]*run // turns under way, held ones too
}

// run is one campaign.
type run struct {
	*estate
	id       string
	revision int
	plan     *plan.Plan
	slots    map[[2]string]*plan.Slot // by turn and instance
	slotByID map[string]*plan.Slot
	turns    map[string]*turnRun
	cohorts  map[string]*plan.Cohort // host -> its cohort, once asked for
	skipped  map[string]bool         // hosts that need no turn
	ran      map[string]string       // instances that ran when a plan was applied -> their host then
	stopped  string                  // kind of the fact that stopped it; "" while it may go on
	finished bool
	held     map[string]bool // turns that broke since a person last resumed
	letters  map[string]*letter
	told     map[string][]telling    // by slot id
	overruns map[[2]string]time.Time // by turn and instance: first told on the record
	warned   map[string]time.Time    // by slot id: overrun notice asked
	late     []lateness              // interruptions that outlasted their slot
	lists    []string                // what people were shown about what did not come back

	judgesTwice bool               // a canary is looked at once more when it has soaked
	canaries    []*turnRun         // of the plan in force
	soaking     []*turnRun         // canaries that are done and were not seen sound after their soak
	patching    map[*turnRun]bool  // live patches that are neither over nor held
	disrupted   map[spot]time.Time // where turns that touched instances ended last
	patchesOver time.Time          // when the last of those that were done ended
	forced      bool               // a person closed it as it is
	deferredOn  bool               // a deferred reboot was permitted
	failing     map[string]int     // cohort -> migrations that failed in a row towards hosts with the fix
	heldCohorts map[string]bool

	parentEnded bool              // the campaign that the plan supersedes is over
	inherited   map[string]legacy // instances that the parent's moves left elsewhere than the plan saw them
}

// turnRun is one turn.
type turnRun struct {
	id, host   string
	plan       *plan.Turn // nil when the plan does not have it
	permitted  time.Time
	open, held bool // permitted and not done or dropped; waiting for a person
	done       bool
	dropped    bool
	ended      time.Time
	override   bool // an operator allowed acts outside the promise, with a reason
	borrowed   map[string]bool
	attempts   map[string]*attempt // by step: in flight
	started    map[string]int      // by step: chores started
	failed     map[string]int      // by step: chores that failed
	rebooted   map[int]int         // by revision: reboots done
	updated    map[int]int         // by revision: updates done that were started
	released   bool                // an operator retried it
	bootBefore string              // boot id that the reboot ends
	bootAfter  string              // boot id that the proof saw
	boots      []string            // boot ids seen since the permit
	orders     int                 // reboots that were ordered and could still be its doing
	unseen     bool                // the reboot was started without a fresh look
	placed     map[string][]placed // by instance
	busy       map[string]bool     // instances with an act of the turn that has not ended
	doubts     map[string]bool     // instances with a move of the turn whose end is not known
	preparing  bool                // its host's software is being changed ahead of it
	ready      bool                // and was seen to be the new one
	readyAt    time.Time
	updateBoot string          // boot id under which that began
	touches    bool            // it promises an interruption to somebody
	passed     bool            // a canary in whose place another turn goes first
	past       bool            // dropped since its host is at the target
	broke      bool            // it holds, and not by a person's word
	had        map[string]bool // live patches applied before its first update
	hadBuild   string          // the build that ran then
	reverts    []string        // live patches that its last revert is to take back
	acted      bool            // an instance was to be moved away or stopped for it
	movedAway  bool            // it has moved somebody
	patched    bool            // a look showed its live patches applied
	sound      bool            // a canary: a look after its soak showed it as it was
	unsound    string          // what the last look after its soak showed instead
	before     *View           // the look that its last reboot order rests on
	ordered    int64           // the fact of that order; 0: none
}

type attempt struct {
	n        int
	seq      int64 // the fact that started it
	deadline time.Time
}

type placed struct {
	attempt int
	to      string
}

// act is what the campaign does to an instance and has not ended yet.
type act struct {
	stop bool
	run  *run
	turn *turnRun
	slot *plan.Slot // nil when none was promised
	from string
	to   string
	n    int // attempt
}

// guest is one instance.
type guest struct {
	id       string
	in       *fleet.Instance // nil when no applied fleet has it
	host     string
	state    string // running, paused, stopped, unknown, absent
	memory   int64
	runs     map[string]string
	act      *act
	doubt    *doubt         // a move whose end is not known; nil when all ends are
	missed   map[string]int // host -> looks in a row that should have shown it and did not
	lastMove *act           // the move of it that ended last
	died     bool           // that one left it running nowhere, and it is not back
	half     *act           // a stop that failed and may have taken effect; nil when none did
	changed  time.Time      // last end of an act of ours
	landed   time.Time      // last landing by a move of ours
	freshIn  *run           // the campaign that has given it another process, on the fix
	external string         // code of the last fact about what others did
	holds    []string       // hosts that hold its memory
	seenAt   [2]glimpse
}

// doubt is a move that ended with nobody knowing where: until both ends were read, or looked at,
// anew. split: it was read running at both.
type doubt struct {
	turn     *turnRun
	from, to string
	split    bool
	ends     map[string]string // host -> what looks since then have shown
}

// glimpse is one look that saw an instance running.
type glimpse struct {
	host string
	at   time.Time
}

// machine is one host.
type machine struct {
	id   string
	view *View
	lost bool
	said map[string]int64 // code of a host-lost fact -> the last such fact
	turn *turnRun         // open
	used int64            // MiB that guests hold by the facts
	on   map[string]bool
}

func newTrial() *trial {
	return &trial{runs: map[string]*run{}, guests: map[string]*guest{}, machines: map[string]*machine{}, open: map[*turnRun]*run{}}
}

func (t *trial) machine(id string) *machine {
	m := t.machines[id]
	if m == nil {
		m = &machine{id: id, said: map[string]int64{}, on: map[string]bool{}}
		t.machines[id] = m
	}
	return m
}

func (t *trial) guest(id string) *guest {
	g := t.guests[id]
	if g == nil {
		g = &guest{id: id, state: "running", missed: map[string]int{}}
		t.guests[id] = g
	}
	return g
}

// hold says which hosts hold a guest's memory from now on.
func (t *trial) hold(g *guest, hosts ...string) {
	for _, h := range g.holds {
		m := t.machine(h)
		m.used -= g.memory
		delete(m.on, g.id)
	}
	g.holds = nil
	for _, h := range hosts {
		if h == "" || contains(g.holds, h) {
			continue
		}
		m := t.machine(h)
		m.used += g.memory
		m.on[g.id] = true
		g.holds = append(g.holds, h)
	}
}

// settle ends what is open about a guest: it is on a host, in a state.
func (t *trial) settle(g *guest, host, state string) {
	g.host, g.state = host, state
	if state == "absent" || state == "stopped" {
		t.hold(g) // one that we stopped keeps its hold: it comes back to the host
		return
	}
	t.hold(g, host)
}

// stands lists the hosts that an instance is on or on its way to, in whatever state.
func (g *guest) stands() []string {
	if g.host == "" || contains(g.holds, g.host) {
		return g.holds
	}
	return append([]string{g.host}, g.holds...)
}

func (r *run) turn(id string) *turnRun {
	tr := r.turns[id]
	if tr == nil {
		tr = &turnRun{id: id, borrowed: map[string]bool{}, attempts: map[string]*attempt{}, started: map[string]int{}, failed: map[string]int{},
			rebooted: map[int]int{}, updated: map[int]int{}, placed: map[string][]placed{}, busy: map[string]bool{}, doubts: map[string]bool{}}
		r.turns[id] = tr
	}
	return tr
}
