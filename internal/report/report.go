// Package report tells what a campaign promised and what it did: it folds the
// journal, and nothing else, into one value and writes that as text, JSON or
// one HTML page.
//
// It never reads a clock, a store or a host, and it judges no law: the
// auditor's verdict comes in as a value and is printed beside. A journal that
// is cut off anywhere gives the report up to there.
//
// Start reading at Fold, then Report; promise.go says when a promise was kept,
// exposure.go how long hosts and instances stayed unfixed, page.go how the
// HTML page is made.
package report

import (
	"encoding/json"
	"io"
	"time"

	"github.com/evenkeel/evenkeel/internal/audit"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Report is what one campaign's journal says. Times are UTC; _ms and _s name the unit.
type Report struct {
	Campaign string `json:"campaign"`
	Public   string `json:"public"` // how tenants know the work
	Revision int    `json:"revision"`
	// Supersedes is the campaign whose place it took, ParentEnded when that one was over; zero: it is not.
	Supersedes  string    `json:"supersedes,omitempty"`
	ParentEnded time.Time `json:"parent_ended,omitzero"`
	// Target and Fixes are for operators; while Disclosure lies ahead they stay with them.
	Target     string    `json:"target,omitempty"`
	Fixes      []string  `json:"fixes,omitempty"`
	Disclosure time.Time `json:"disclosure,omitzero"`
	State      State     `json:"state"`
	Why        string    `json:"why,omitempty"` // why it is paused, halted, aborted; how it finished
	Applied    time.Time `json:"applied"`
	By         string    `json:"by,omitempty"` // who applied it
	Until      time.Time `json:"until"`        // the last fact: nothing is known of what came after
	Facts      int       `json:"facts"`

	PlannedStart time.Time `json:"planned_start,omitzero"`
	PlannedEnd   time.Time `json:"planned_end,omitzero"`
	Began        time.Time `json:"began,omitzero"` // the first leave to disrupt
	Ended        time.Time `json:"ended,omitzero"` // zero: it is not over

	Totals    Totals      `json:"totals"`
	Promises  []Promise   `json:"promises"` // by slot start, then id
	Notices   []Notice    `json:"notices"`  // in the order in which they were asked for
	Hosts     []Host      `json:"hosts"`    // a line each turn, by wave, planned start, id; then hosts without one
	Acts      []Act       `json:"acts"`     // what was done to instances, by start
	Events    []Event     `json:"events"`   // what went otherwise than planned, by time
	Instances []Instance  `json:"instances"`
	NeverBack []NeverBack `json:"never_back"`
	// Away are instances that should have gone back to the host that they were moved off, and did not.
	Away []Away `json:"away,omitempty"`
	// Cohorts whose migrations were held, and Wrong, the hosts that came back wrong, in order of time.
	Cohorts  []CohortHold  `json:"cohorts,omitempty"`
	Wrong    []WrongReturn `json:"wrong,omitempty"`
	Exposure Exposure      `json:"exposure"`
	// Misfits are facts that do not fit the ones before; they are left out of all the above.
	Misfits []string `json:"misfits,omitempty"`

	blackout time.Duration // policy's limit of a blip
	handedTo string        // what ended it, where promises were handed over
}

// State of a campaign.
type State string

// The states.
const (
	Waiting  State = "waiting" // for the end of the campaign that it supersedes
	Running  State = "running"
	Paused   State = "paused"
	Halted   State = "halted"
	Aborted  State = "aborted"
	Finished State = "finished"
)

// Totals sum the report up.
type Totals struct {
	HostsPlanned int `json:"hosts_planned"` // with a turn; one that has two is done when both are
	HostsDone    int `json:"hosts_done"`
	HostsHeld    int `json:"hosts_held"`
	HostsDropped int `json:"hosts_dropped"`
	HostsOpen    int `json:"hosts_open"` // under way or waiting
	Rebooted     int `json:"rebooted"`   // hosts whose boot id changed
	Patched      int `json:"patched"`    // hosts whose live patches were proven applied
	CohortHolds  int `json:"cohort_holds,omitempty"`

	InstancesTouched int `json:"instances_touched"` // moved or stopped, or tried to be
	TenantsTouched   int `json:"tenants_touched"`
	InstancesBefore  int `json:"instances_before"`  // that ran when the plan was applied
	InstancesRunning int `json:"instances_running"` // of those, known to run at the end
	Moves            int `json:"moves"`
	MovesFailed      int `json:"moves_failed"` // attempts
	Stops            int `json:"stops"`        // stopped or saved, and back
	// Interruptions that were measured, in ms.
	BlackoutMedianMs int64 `json:"blackout_median_ms"` // of live migrations
	BlackoutMaxMs    int64 `json:"blackout_max_ms"`
	StopMaxMs        int64 `json:"stop_max_ms"`
	NotMeasured      int   `json:"not_measured"`

	Promises map[Outcome]int `json:"promises"`

	NoticesAsked    int `json:"notices_asked"`
	NoticesAccepted int `json:"notices_accepted"`
	NoticesFailed   int `json:"notices_failed"` // attempts

	Holds     int `json:"holds"`
	Retries   int `json:"retries"` // steps and acts tried again
	Pauses    int `json:"pauses"`
	Takeovers int `json:"takeovers"` // controllers that took over from another
	Externals int `json:"externals"`
	Overruns  int `json:"overruns"` // recorded
}

// Promise is one slot as told, beside what happened.
type Promise struct {
	plan.Slot
	Host    string  `json:"host"`
	Outcome Outcome `json:"outcome"`
	Why     string  `json:"why,omitempty"`
	// From and To bound what was done to the instance; both zero: nothing was.
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"` // zero with From set: it is not over
	// ActualMs is the interruption in all: blackouts as the hypervisor measured them, stops from
	// the start of the stop until the instance runs again; -1: not all of it was measured.
	ActualMs int64 `json:"actual_ms"`
	Told     bool  `json:"told"` // its notice was accepted
	// ToldAheadS is how long before the first disruption, in s; with From zero, before the slot.
	ToldAheadS int64 `json:"told_ahead_s,omitempty"`
	Attempts   int   `json:"attempts"`

	acts     []*Act
	told     time.Time
	overrun  string
	gone     string
	replaced string // why a later revision took it back
	handed   bool   // a child keeps it
}

// Outcome of a promise.
type Outcome string

// The outcomes.
const (
	Kept     Outcome = "kept"
	Overrun  Outcome = "overrun"  // outside its slot, longer than told, or of a worse class
	Unproven Outcome = "unproven" // inside its slot, but how long it was interrupted was not measured, or it does not run at the end
	Unmoved  Outcome = "unmoved"  // nothing was done to the instance
	Dropped  Outcome = "dropped"  // taken back
	Handed   Outcome = "handed"   // the campaign that took this one's place keeps it
	Ahead    Outcome = "waiting"
	Moving   Outcome = "moving"
	OnHold   Outcome = "held"
)

// Outcomes lists them in the order in which people want to read them.
var Outcomes = []Outcome{Overrun, Unproven, OnHold, Moving, Ahead, Dropped, Handed, Unmoved, Kept}

// Notice is one line of the ledger.
type Notice struct {
	ID       string    `json:"id"`
	Kind     string    `json:"kind"`
	Tenant   string    `json:"tenant"`
	Slots    []string  `json:"slots"`
	Asked    time.Time `json:"asked"`
	Accepted time.Time `json:"accepted,omitzero"` // zero: by nobody
	Contact  string    `json:"contact,omitempty"` // that accepted it, or refused it last
	Failures int       `json:"failures"`          // attempts that failed
	Why      string    `json:"why,omitempty"`     // of the last failure
	// AheadS is how long before the first disruption of its slots it was accepted, in s, and
	// FirstDisruption that moment; zero: none so far.
	FirstDisruption time.Time `json:"first_disruption,omitzero"`
	AheadS          int64     `json:"ahead_s,omitempty"`
}

// HostState is where a host's turn stands.
type HostState string

// The states of a host's turn; a host may also be skipped or blocked by the plan.
const (
	HostWaiting HostState = "waiting"
	HostActive  HostState = "moving"
	HostHeld    HostState = "held"
	HostDone    HostState = "done"
	HostDropped HostState = "dropped"
	HostSkipped HostState = "skipped"
	HostBlocked HostState = "blocked"
)

// Host is one turn of a host and its end; a host without a turn has one line as well.
type Host struct {
	Host   string      `json:"host"`
	Turn   string      `json:"turn,omitempty"` // its id; of a live patch that a reboot follows another than the host's
	Pool   string      `json:"pool,omitempty"`
	Site   string      `json:"site,omitempty"`
	Wave   int         `json:"wave,omitempty"`
	Canary bool        `json:"canary,omitempty"`
	Tactic plan.Tactic `json:"tactic,omitempty"`
	// Deferred: the reboot that follows the host's live patch, which is a line of its own.
	Deferred bool      `json:"deferred,omitempty"`
	State    HostState `json:"state"`
	Code     string    `json:"code,omitempty"`
	Why      string    `json:"why,omitempty"`
	Next     string    `json:"next,omitempty"`

	PlannedStart time.Time `json:"planned_start,omitzero"`
	PlannedEnd   time.Time `json:"planned_end,omitzero"`
	Began        time.Time `json:"began,omitzero"`
	Ended        time.Time `json:"ended,omitzero"`
	DurationS    int64     `json:"duration_s,omitempty"` // Began to Ended, or to the journal's end

	Steps      []Span            `json:"steps,omitempty"`
	Holds      []Span            `json:"holds,omitempty"`
	BootBefore string            `json:"boot_before,omitempty"`
	BootAfter  string            `json:"boot_after,omitempty"`
	Proof      string            `json:"proof,omitempty"`    // the evidence that the fix is in effect
	Software   map[string]string `json:"software,omitempty"` // booted with, else running, as last seen
	Health     string            `json:"health,omitempty"`   // as last seen
	// Borrowed are settings taken for the turn and not given back.
	Borrowed []string `json:"borrowed,omitempty"`
}

// Name is what people read at the head of the line.
func (h *Host) Name() string {
	switch {
	case h.Turn != "" && h.Turn != h.Host:
		return h.Host + ", its live patch"
	case h.Deferred:
		return h.Host + ", its deferred reboot"
	}
	return h.Host
}

// CohortHold is a time in which a cohort's migrations were held.
type CohortHold struct {
	Cohort   string    `json:"cohort"`
	Code     string    `json:"code"`
	Why      string    `json:"why"`
	Next     string    `json:"next,omitempty"`
	Since    time.Time `json:"since"`
	Released time.Time `json:"released,omitzero"` // zero: it is held
	By       string    `json:"by,omitempty"`      // who released it
}

// WrongReturn is a host that did not come back from its reboot as it should.
type WrongReturn struct {
	Host   string    `json:"host"`
	Turn   string    `json:"turn"`
	At     time.Time `json:"at"`
	Code   string    `json:"code"` // what it came back as
	Why    string    `json:"why"`
	Next   string    `json:"next,omitempty"`
	Mended time.Time `json:"mended,omitzero"` // when its turn was done after all; zero: it was not
}

// Span is a step or a hold.
type Span struct {
	Name    string    `json:"name"`
	Attempt int       `json:"attempt,omitempty"`
	Start   time.Time `json:"start"`
	End     time.Time `json:"end,omitzero"` // zero: it is not over
	Seconds float64   `json:"seconds"`      // to the journal's end when it is not over
	Result  Result    `json:"result"`
	Code    string    `json:"code,omitempty"`
	Why     string    `json:"why,omitempty"`
}

// Result of a step, a hold or an act.
type Result string

// The results.
const (
	Open   Result = "open"
	Done   Result = "done"
	Failed Result = "failed"
)

// Act is something done to one instance: a move, or a stop until it runs again.
type Act struct {
	Kind     string    `json:"kind"` // move, home, stop, save, death (a move left it running nowhere)
	Instance string    `json:"instance"`
	Tenant   string    `json:"tenant,omitempty"`
	Turn     string    `json:"turn"`
	From     string    `json:"from"`
	To       string    `json:"to,omitempty"`
	Attempt  int       `json:"attempt"`
	Start    time.Time `json:"start"`
	Down     time.Time `json:"down,omitzero"` // stop, save: no longer running since
	End      time.Time `json:"end,omitzero"`
	Ms       int64     `json:"ms"` // interruption; -1: not measured
	Result   Result    `json:"result"`
	Code     string    `json:"code,omitempty"`
	Why      string    `json:"why,omitempty"`
}

// Event is something that went otherwise than planned, or that a person did.
type Event struct {
	At       time.Time `json:"at"`
	Seq      int64     `json:"seq"`
	Kind     string    `json:"kind"` // as in the journal
	Who      string    `json:"who,omitempty"`
	Host     string    `json:"host,omitempty"`
	Instance string    `json:"instance,omitempty"`
	Tenant   string    `json:"tenant,omitempty"`
	Text     string    `json:"text"`
}

// Instance is how one instance came out.
type Instance struct {
	Instance string `json:"instance"`
	Tenant   string `json:"tenant,omitempty"`
	Before   string `json:"before"` // host when the plan was applied
	After    string `json:"after"`  // host where it was last known
	State    string `json:"state"`  // running, paused, stopped, moving, stopping, gone
	Touched  bool   `json:"touched"`
	ActualMs int64  `json:"actual_ms"` // interruption in all; -1: not all measured
	ranFirst bool
}

// NeverBack is an instance that ran before and is not known to run at the end.
type NeverBack struct {
	Instance string    `json:"instance"`
	Tenant   string    `json:"tenant,omitempty"`
	Host     string    `json:"host"`
	Since    time.Time `json:"since,omitzero"`
	Ours     bool      `json:"ours"` // by our act; else others did it
	Why      string    `json:"why"`
}

// Away is an instance that should have gone home, by policy or by the plan, and did not.
type Away struct {
	Instance string `json:"instance"`
	Tenant   string `json:"tenant,omitempty"`
	Home     string `json:"home"`    // the host that it was moved off
	On       string `json:"on"`      // where it is
	Planned  bool   `json:"planned"` // the plan had a way home for it
	Code     string `json:"code"`
	Why      string `json:"why"`
}

// Exposure is how long hosts and instances stayed unfixed after the plan was applied, in hours,
// until the journal's end where they still are.
type Exposure struct {
	Counted       bool    `json:"counted"` // false: a routine cycle has nothing to fix
	HostHours     float64 `json:"host_hours"`
	InstanceHours float64 `json:"instance_hours"`
	HostsAtStart  int     `json:"hosts_at_start"`
	HostsLeft     int     `json:"hosts_left"`
	GuestsAtStart int     `json:"instances_at_start"`
	GuestsLeft    int     `json:"instances_left"`
}

// document is the JSON form.
type document struct {
	*Report
	Verdict *audit.Verdict `json:"verdict,omitempty"`
}

// JSON writes the report and, unless it is nil, the auditor's verdict.
func JSON(w io.Writer, r *Report, v *audit.Verdict) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(document{r, v})
}
