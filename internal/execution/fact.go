package execution

import (
	"encoding/json"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Kind of a fact. The journal holds facts and nothing else.
type Kind string

// The kinds. 'By' says which fields a fact of the kind fills in beside Seq, At, Kind, Who, Campaign.
const (
	CampaignApplied  Kind = "campaign-applied"  // Revision, Plan (the whole plan), Fleet (the snapshot), Generation; Why when overridden
	ControllerTook   Kind = "controller-took"   // Generation: a controller took over; older ones must not act
	CampaignPaused   Kind = "campaign-paused"   // Why
	CampaignResumed  Kind = "campaign-resumed"  // Why
	CampaignAborted  Kind = "campaign-aborted"  // Why, Code (superseded: a child takes its place, and keeps the promises in Slots): turns under way end in a safe place, no other begins
	CampaignHalted   Kind = "campaign-halted"   // Code, Why, Turn and Host of a failed canary: the failure budget is spent, or a bug
	CampaignForced   Kind = "campaign-forced"   // Why: a person closes a campaign that was told to end and cannot: its turns end as they are
	CampaignFinished Kind = "campaign-finished" // Code: done, aborted, superseded, partly
	Inherited        Kind = "inherited"         // Instance, Host, Why: the parent's moves left it there, and not where the plan saw it; To: or there, or at both
	ParentEnded      Kind = "parent-ended"      // Code (how), Why: the campaign that the plan supersedes is over; turns may begin. Slots: the promises that it did not hand over after all

	NoticeAsked    Kind = "notice-asked"    // Notice, Tenant, NoticeKind, Slots, Code (cancelled: of the turn): decided, stored before it is sent
	NoticeAccepted Kind = "notice-accepted" // Notice, Tenant, Contact, Attempt: the receiving server took it
	NoticeFailed   Kind = "notice-failed"   // Notice, Tenant, Contact, Attempt, Code, Why

	SlotPassed     Kind = "slot-passed"     // Turn, Host, Instance, To (a turn), Slots, Why: the promise of one turn is kept by another one's, at the same time
	CanaryPassed   Kind = "canary-passed"   // Turn, Host, To (a turn), Code, Why: the canary is held before its host was changed, and another turn stands in for it
	TurnPrepares   Kind = "turn-prepares"   // Turn, Host: leave to change its host's software ahead of it, which disturbs nobody (refresh)
	TurnPermitted  Kind = "turn-permitted"  // Turn, Host: leave to disrupt
	TurnHeld       Kind = "turn-held"       // Turn, Host, Step, Code, Why, Next
	CohortHeld     Kind = "cohort-held"     // Cohort, Code, Why, Next: no migration of its hosts' instances begins any more; another tactic is to be proposed
	CohortReleased Kind = "cohort-released" // Cohort: an operator said to go on with it

	TurnReleased Kind = "turn-released" // Turn, Host: an operator said retry
	TurnDone     Kind = "turn-done"     // Turn, Host
	TurnDropped  Kind = "turn-dropped"  // Turn, Host, Code, Why: aborted or not needed; nothing borrowed is left

	StepStarted Kind = "step-started" // Turn, Host, Step, Attempt, Deadline, Code (why the turn goes no further): stored before the chore runs
	StepDone    Kind = "step-done"    // Turn, Host, Step, Attempt, Why (evidence), BootID where it matters
	StepFailed  Kind = "step-failed"  // Turn, Host, Step, Attempt, Code, Why, Next, Retry

	MovePlaced  Kind = "move-placed"  // Turn, Instance, From, To, Attempt, Deadline, Home: late placement
	MoveDone    Kind = "move-done"    // Turn, Instance, From, To, Attempt, BlackoutMs (-1: not known), Source, Destination
	MoveFailed  Kind = "move-failed"  // Turn, Instance, From, To, Attempt, Code, Why, Retry, Source, Destination
	Died        Kind = "died"         // Turn, Instance, Host (where it is stopped), From, To, Attempt, Source, Destination, Why: a move of ours left it running nowhere
	StopStarted Kind = "stop-started" // Turn, Instance, From, Disposition, Attempt, Deadline
	StopDone    Kind = "stop-done"    // Turn, Instance, From, Disposition, Attempt: saved or stopped; the interruption begins no later
	StopFailed  Kind = "stop-failed"  // Turn, Instance, From, Disposition, Attempt, Code, Why, Retry
	BackStarted Kind = "back-started" // Turn, Instance, To, Disposition, Attempt, Deadline
	BackDone    Kind = "back-done"    // Turn, Instance, To, Disposition, Attempt: runs again
	BackFailed  Kind = "back-failed"  // Turn, Instance, To, Disposition, Attempt, Code, Why, Retry

	HostSeen    Kind = "host-seen"    // Host, Seen: an observation a decision rests on
	HostLost    Kind = "host-lost"    // Host, Code, Why: it did not answer
	Overrun     Kind = "overrun"      // Turn, Instance, Why: a slot is past and the instance is not back
	Borrowed    Kind = "borrowed"     // Turn, Host, Code (cordon): a setting taken for the turn
	GivenBack   Kind = "given-back"   // Turn, Host, Code
	StaysAway   Kind = "stays-away"   // Turn, Instance, To, Code, Why: policy brings it home and it stays where it runs
	NotReturned Kind = "not-returned" // Host, Instance, Code (gone, stopped, paused, unreachable), Why: the named list at a campaign's end
	Unfixed     Kind = "unfixed"      // Host, Instance, Code, Why: at a campaign's end it still runs software that is not fixed, or (cannot-judge) is not known to be
	External    Kind = "external"     // Host, Instance, Code (gone, appeared, moved, stopped), Why: done by others
)

// Step of a turn, in order.
type Step string

// The steps of a turn.
const (
	StepCordon   Step = "cordon"
	StepEmpty    Step = "empty"    // live migrations away
	StepUpdate   Step = "update"   // change the software; nobody is stopped yet, so a failure costs nobody anything
	StepStop     Step = "stop"     // save or stop what cannot move
	StepReboot   Step = "reboot"   // after looking again that the host is empty
	StepProve    Step = "prove"    // another boot id, the fixed version, a healthy service
	StepReturn   Step = "return"   // saved and stopped instances run again
	StepJudge    Step = "judge"    // guests looked at through their own monitors
	StepUncordon Step = "uncordon" //
	StepRevert   Step = "revert"   // a failed canary's live patches are taken back; the step that it is held at stays
	StepHome     Step = "home"     // moved instances come back, where policy says so
)

// Fact is one line of the journal. Unused fields are absent from its JSON.
type Fact struct {
	Seq        int64     `json:"seq"` // from 1, without gaps, over one journal
	At         time.Time `json:"at"`  // UTC; never before the fact ahead of it
	Kind       Kind      `json:"kind"`
	Who        string    `json:"who"` // engine, operator:NAME
	Campaign   string    `json:"campaign,omitempty"`
	Revision   int       `json:"revision,omitempty"`
	Generation int64     `json:"generation,omitempty"`
	Cohort     string    `json:"cohort,omitempty"` // its name as advisory.Cohorts.Name gives it
	Turn       string    `json:"turn,omitempty"`
	Host       string    `json:"host,omitempty"`
	Instance   string    `json:"instance,omitempty"`
	Tenant     string    `json:"tenant,omitempty"`
	Step       Step      `json:"step,omitempty"`
	Attempt    int       `json:"attempt,omitempty"`
	From       string    `json:"from,omitempty"`
	To         string    `json:"to,omitempty"`
	Home       bool      `json:"home,omitempty"`
	Deadline   time.Time `json:"deadline,omitzero"`

	Disposition plan.Disposition `json:"disposition,omitempty"`
	Source      string           `json:"source,omitempty"`      // what was read there: running, paused, stopped, absent, unreachable
	Destination string           `json:"destination,omitempty"` // the same
	BlackoutMs  int64            `json:"blackout_ms,omitempty"` // -1: not known
	BootID      string           `json:"boot_id,omitempty"`

	Notice     string   `json:"notice,omitempty"` // its id
	NoticeKind string   `json:"notice_kind,omitempty"`
	Contact    string   `json:"contact,omitempty"`
	Slots      []string `json:"slots,omitempty"` // ids of the promises it tells of

	Patches []string `json:"patches,omitempty"` // of step revert: the live patches to take back, in the order in which they were applied

	Code  string `json:"code,omitempty"`
	Why   string `json:"why,omitempty"`
	Next  string `json:"next,omitempty"`
	Retry bool   `json:"retry,omitempty"`

	Seen *HostView `json:"seen,omitempty"`

	Plan  json.RawMessage `json:"plan,omitempty"`
	Fleet json.RawMessage `json:"fleet,omitempty"`
}

// HostView is what an observation says, as far as decisions rest on it.
type HostView struct {
	At        time.Time         `json:"at"`
	BootID    string            `json:"boot_id,omitempty"`
	Health    string            `json:"health"`
	Installed map[string]string `json:"installed,omitempty"`
	Booted    map[string]string `json:"booted,omitempty"`
	Running   map[string]string `json:"running,omitempty"`
	BuildID   string            `json:"build_id,omitempty"` // of the running hypervisor
	VirtCaps  []string          `json:"virt_caps,omitzero"` // of the running hypervisor (xl info); nil: not read
	// LivePatches of the running hypervisor and kernel. nil: not read; empty: there are none.
	LivePatches []fleet.LivePatch `json:"live_patches,omitzero"`
	MemoryMiB   int64             `json:"memory_mib"`
	FreeMiB     int64             `json:"free_mib"`
	Instances   []InstanceView    `json:"instances,omitempty"`
	Missing     []string          `json:"missing,omitempty"`
}

// InstanceView is one instance in a HostView.
type InstanceView struct {
	ID        string            `json:"id"`
	State     string            `json:"state"` // running, paused, stopped
	Incoming  bool              `json:"incoming,omitempty"`
	Migrating bool              `json:"migrating,omitempty"`
	Saved     bool              `json:"saved,omitempty"`
	MemoryMiB int64             `json:"memory_mib"`
	Running   map[string]string `json:"running,omitempty"`
}
