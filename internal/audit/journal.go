package audit

import (
	"encoding/json"
	"io"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// How old a look may be, and how late an overrun may be told: the laws' own numbers.
const (
	freshLook   = 60 * time.Second
	overrunTold = 5 * time.Minute
	// A single look can be wrong about what it does not show: hypervisors were seen to lose a running
	// instance from a list. So many looks in a row prove an absence.
	looksToMiss = 2
)

// Journal judges a journal, finished or still growing, from its facts alone. The error is for lines
// that are no facts (*BadLine) and for the reader's own; the verdict then covers what came before.
func Journal(r io.Reader) (Verdict, error) {
	t := newTrial()
	err := ReadFacts(r, t.hear)
	return t.close(), err
}

// Facts judges facts that were read already, in order.
func Facts(facts []Fact) Verdict {
	t := newTrial()
	for i := range facts {
		t.hear(&facts[i])
	}
	return t.close()
}

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
	skipped  map[string]bool   // hosts that need no turn
	ran      map[string]string // instances that ran when a plan was applied -> their host then
	stopped  string            // kind of the fact that stopped it; "" while it may go on
	finished bool
	held     map[string]bool // turns that broke since a person last resumed
	letters  map[string]*letter
	told     map[string][]telling    // by slot id
	overruns map[[2]string]time.Time // by turn and instance: first told on the record
	warned   map[string]time.Time    // by slot id: overrun notice asked
	late     []lateness              // interruptions that outlasted their slot
	lists    []string                // what people were shown about what did not come back
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
	rebooted   map[int]int         // by revision: reboots done
	updated    map[int]int         // by revision: updates done that were started
	bootBefore string              // boot id that the reboot ends
	bootAfter  string              // boot id that the proof saw
	boots      []string            // boot ids seen since the permit
	unseen     bool                // the reboot was started without a fresh look
	placed     map[string][]placed // by instance
	busy       map[string]bool     // instances with an act of the turn that has not ended
	doubts     map[string]bool     // instances with a move of the turn whose end is not known
	touches    bool                // it promises an interruption to somebody
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
	changed  time.Time      // last end of an act of ours
	landed   time.Time      // last landing by a move of ours
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
	turn *turnRun // open
	used int64    // MiB that guests hold by the facts
	on   map[string]bool
}

func newTrial() *trial {
	return &trial{runs: map[string]*run{}, guests: map[string]*guest{}, machines: map[string]*machine{}, open: map[*turnRun]*run{}}
}

func (t *trial) machine(id string) *machine {
	m := t.machines[id]
	if m == nil {
		m = &machine{id: id, on: map[string]bool{}}
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
		tr = &turnRun{id: id, borrowed: map[string]bool{}, attempts: map[string]*attempt{}, started: map[string]int{},
			rebooted: map[int]int{}, updated: map[int]int{}, placed: map[string][]placed{}, busy: map[string]bool{}, doubts: map[string]bool{}}
		r.turns[id] = tr
	}
	return tr
}

// hear takes one fact in: it is judged against what was known before it, then folded.
func (t *trial) hear(f *Fact) {
	r := t.onRecord(f)
	if f.At.After(t.now) {
		t.now = f.At
	}
	t.seq = f.Seq
	if f.Kind == "campaign-applied" {
		t.apply(f)
		return
	}
	t.world(f)
	if r == nil {
		return
	}
	switch f.Kind {
	case "campaign-paused", "campaign-halted", "campaign-aborted":
		r.stopped = f.Kind
	case "campaign-resumed":
		t.resumed(r, f)
	case "campaign-finished":
		t.finish(r, f)
	case "notice-asked", "notice-accepted", "notice-failed":
		t.notice(r, f)
	case "turn-permitted", "turn-held", "turn-released", "turn-done", "turn-dropped", "borrowed", "given-back":
		t.turnFact(r, f)
	case "step-started", "step-done", "step-failed":
		t.stepFact(r, f)
	case "move-placed", "stop-started":
		t.actStarts(r, f)
	case "move-done", "move-failed":
		t.moveEnds(r, f)
	case "stop-done", "stop-failed", "back-started", "back-done", "back-failed":
		t.stopGoesOn(r, f)
	case "stays-away", "not-returned": // lists that people are shown
		r.lists = append(r.lists, f.Instance)
	case "overrun":
		key := [2]string{f.Turn, f.Instance}
		if r.overruns[key].IsZero() {
			r.overruns[key] = f.At
		}
	}
}

// apply takes a plan and its fleet in: the campaign's first, or a later revision.
func (t *trial) apply(f *Fact) {
	p, fl := new(plan.Plan), new(fleet.Fleet)
	s := Subject{Campaign: f.Campaign, Seq: f.Seq}
	errPlan, errFleet := json.Unmarshal(f.Plan, p), json.Unmarshal(f.Fleet, fl)
	t.must(errPlan == nil && errFleet == nil, 10, "applied-unreadable", s, f.At, "the plan and the fleet that were applied, as JSON", "fact %d does not hold both (plan: %v; fleet: %v)", f.Seq, errPlan, errFleet)
	if errPlan != nil || errFleet != nil {
		return
	}
	r := t.runs[f.Campaign]
	if r == nil {
		r = &run{id: f.Campaign, turns: map[string]*turnRun{}, ran: map[string]string{}, held: map[string]bool{}, letters: map[string]*letter{},
			told: map[string][]telling{}, overruns: map[[2]string]time.Time{}, warned: map[string]time.Time{}}
		t.runs[f.Campaign] = r
	} else {
		t.must(p.Revision > r.revision, 10, "revision-not-newer", s, f.At, "a revision above the one in force", "revision %d is applied over revision %d", p.Revision, r.revision)
	}
	r.estate, r.plan, r.revision, r.finished = newEstate(fl), p, p.Revision, false
	r.slots, r.slotByID = map[[2]string]*plan.Slot{}, map[string]*plan.Slot{}
	for i := range p.Slots {
		sl := &p.Slots[i]
		r.slots[[2]string{sl.Turn, sl.Instance}], r.slotByID[sl.ID] = sl, sl
	}
	for _, tr := range r.turns {
		tr.plan, tr.touches = nil, false
	}
	for i := range p.Turns {
		tr := r.turn(p.Turns[i].ID)
		tr.plan, tr.host = &p.Turns[i], p.Turns[i].Host
	}
	r.skipped = map[string]bool{}
	for _, k := range p.Skipped {
		r.skipped[k.Host] = true
	}
	for i := range p.Slots {
		if tr := r.turns[p.Slots[i].Turn]; tr != nil && disrupts(p.Slots[i].Class) {
			tr.touches = true
		}
	}
	t.takeFleet(r)
	t.appliedUnderEmbargo(r, f)
}

// takeFleet lays a new snapshot over what is known; it says nothing of instances with an act of ours
// in flight or undone.
func (t *trial) takeFleet(r *run) {
	for id, in := range r.instances {
		g := t.guest(id)
		g.in = in
		if g.act != nil {
			continue
		}
		t.hold(g)
		g.memory, g.runs = in.MemoryMiB, in.Running
		state := string(in.State)
		if state == "" {
			state = string(fleet.Running)
		}
		t.settle(g, in.Host, state)
		if _, known := r.ran[id]; !known && serves(in) {
			r.ran[id] = in.Host
		}
	}
	for id := range r.hosts {
		t.machine(id)
	}
}
