// Package plan is the plan as a value: turns, waves, moves, slots, promises
// and what is blocked, numbered and with a parent. Once made it never changes.
//
// It never decides anything: planner proposes plans, audit judges them,
// execution carries them out. Start reading at Plan.
//
// All times are UTC instants; durations in JSON are whole seconds in fields
// that end in _s.
package plan

import (
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// SchemaV1 is the value of the JSON form's `evenkeel` key.
const SchemaV1 = "plan/v1"

// Tactic is how one host reaches the target.
type Tactic string

// The tactics, least disruptive first.
const (
	LivePatch Tactic = "live-patch"
	Refresh   Tactic = "refresh"
	Evacuate  Tactic = "evacuate"
	Suspend   Tactic = "suspend"
	Reboot    Tactic = "reboot"
	Hold      Tactic = "hold"
)

// Class of an interruption.
type Class string

// None: nothing felt. Blip: a live migration within policy's blackout limit. Outage: anything longer.
const (
	ClassNone   Class = "none"
	ClassBlip   Class = "blip"
	ClassOutage Class = "outage"
)

// Disposition is what happens to one instance in one turn.
type Disposition string

// The dispositions.
const (
	DispNone         Disposition = "none"
	DispLiveMigrate  Disposition = "live-migrate"
	DispStatefulStop Disposition = "stateful-stop" // save, reboot (not in a refresh), restore: memory kept
	DispStop         Disposition = "stop"          // shut down in the slot, started after
	DispBlocked      Disposition = "blocked"
)

// ClassOf is the class of interruption that a disposition brings.
func ClassOf(d Disposition) Class {
	switch d {
	case DispLiveMigrate:
		return ClassBlip
	case DispStatefulStop, DispStop:
		return ClassOutage
	}
	return ClassNone
}

// Plan is one immutable revision.
type Plan struct {
	Evenkeel string `json:"evenkeel" yaml:"evenkeel"`
	Campaign string `json:"campaign" yaml:"campaign"`
	Revision int    `json:"revision" yaml:"revision"`
	Parent   int    `json:"parent,omitempty" yaml:"parent,omitempty"`
	// Supersedes is the campaign whose place this one takes: that one is ended in a safe place first.
	Supersedes string    `json:"supersedes,omitempty" yaml:"supersedes,omitempty"`
	Digest     string    `json:"digest" yaml:"digest"` // sha256 of the plan's JSON with this field empty
	Made       time.Time `json:"made" yaml:"made"`
	// Public names the work before disclosure: never an advisory's id.
	Public string `json:"public" yaml:"public"`
	// FleetDigest and Policy pin what the plan was made from.
	FleetDigest string `json:"fleet_digest" yaml:"fleet_digest"`
	// Fleet is the snapshot that the plan was made from: it lets a plan file stand for itself.
	Fleet  *fleet.Fleet `json:"fleet,omitempty" yaml:"fleet,omitempty"`
	Target *Target      `json:"target,omitempty" yaml:"target,omitempty"` // nil for a routine cycle
	Policy Policy       `json:"policy" yaml:"policy"`
	// Profile is bound where the plan was made to be measured (ToBound), and not to be carried out.
	Profile Profile   `json:"profile,omitempty" yaml:"profile,omitempty"`
	Verdict string    `json:"verdict" yaml:"verdict"` // one sentence
	Start   time.Time `json:"start,omitzero" yaml:"start,omitempty"`
	End     time.Time `json:"end,omitzero" yaml:"end,omitempty"`
	Turns   []Turn    `json:"turns" yaml:"turns"`
	Moves   []Move    `json:"moves" yaml:"moves"`
	Slots   []Slot    `json:"slots" yaml:"slots"`
	Blocked []Blocked `json:"blocked" yaml:"blocked"`
	Skipped []Skipped `json:"skipped,omitempty" yaml:"skipped,omitempty"`
	Counts  Counts    `json:"counts" yaml:"counts"`
	Bounds  Bounds    `json:"bounds" yaml:"bounds"`
	// Causes, Together and Summary are words on the plan and no part of it: its digest leaves them out.
	Causes   []Cause   `json:"causes,omitempty" yaml:"causes,omitempty"`
	Together *Together `json:"together,omitempty" yaml:"together,omitempty"` // what would free several causes at once
	Summary  *Summary  `json:"summary,omitempty" yaml:"summary,omitempty"`
}

// Turn is one host's maintenance.
type Turn struct {
	ID     string    `json:"id" yaml:"id"` // unique in the plan; the host's id, but see Deferred
	Host   string    `json:"host" yaml:"host"`
	Pool   string    `json:"pool" yaml:"pool"`
	Site   string    `json:"site" yaml:"site"`
	Wave   int       `json:"wave" yaml:"wave"` // from 1
	Canary bool      `json:"canary,omitempty" yaml:"canary,omitempty"`
	Tactic Tactic    `json:"tactic" yaml:"tactic"`
	Start  time.Time `json:"start" yaml:"start"`
	End    time.Time `json:"end" yaml:"end"` // expected
	// WorstS is the predicted p99 duration in seconds: Start+WorstS must lie in every slot of the turn.
	WorstS int64 `json:"worst_s" yaml:"worst_s"`
	// P95S is what it takes no longer than in 95 of 100 cases, in seconds, from when it starts. 0 in plans of before.
	P95S int64 `json:"p95_s,omitempty" yaml:"p95_s,omitempty"`
	// SaveMaxS is how long saving, or restoring, all that the turn saves together may take at worst, in
	// seconds, where that is longer than the policy's times.save_max; 0: it is not.
	SaveMaxS int64 `json:"save_max_s,omitempty" yaml:"save_max_s,omitempty"`
	// UpdateFrom and UpdateBy say when its host's software is changed ahead of a refresh, at the
	// earliest (after the canary has soaked) and at worst: that disturbs nobody, and all hosts of a pool come before
	// the first instance moves. Zero: it is changed within the turn.
	UpdateFrom time.Time `json:"update_from,omitzero" yaml:"update_from,omitempty"`
	UpdateBy   time.Time `json:"update_by,omitzero" yaml:"update_by,omitempty"`
	// WindowStart and WindowEnd bound the window occurrence that the turn lies in.
	WindowStart time.Time `json:"window_start" yaml:"window_start"`
	WindowEnd   time.Time `json:"window_end" yaml:"window_end"`
	// Deferred: the reboot that follows a live patch (Cohort.Then). The live patch is another turn of
	// the same host, in an earlier wave, whose id is PatchTurn(host); this one's id is the host's.
	// The fix is in effect by then, so disclosure does not bound it; finish_by does.
	Deferred bool `json:"deferred,omitempty" yaml:"deferred,omitempty"`
	// ForDeadline: those who stay on its host could move, and are saved or stopped so that more hosts have their
	// turn before disclosure or finish_by.
	ForDeadline bool `json:"for_deadline,omitempty" yaml:"for_deadline,omitempty"`
	// Why says, for people, why this tactic and this place in the order.
	Why string `json:"why,omitempty" yaml:"why,omitempty"`
}

// SaveMax is how long saving, or restoring, what the turn saves may take at worst: each instance's deadline,
// for those of a host share its disk and may all end last.
func (t *Turn) SaveMax(times Times) time.Duration {
	return max(times.SaveMax.Std(), time.Duration(t.SaveMaxS)*time.Second)
}

// PatchTurn is the id of a host's live-patch turn where its reboot is deferred to a second one. A
// host's id has no plus sign, so it is nobody else's.
func PatchTurn(host string) string { return host + "+" + string(LivePatch) }

// Move is one instance's forecast migration; destinations are placed late.
type Move struct {
	Instance string    `json:"instance" yaml:"instance"`
	From     string    `json:"from" yaml:"from"`
	To       string    `json:"to" yaml:"to"`
	Turn     string    `json:"turn" yaml:"turn"`
	Start    time.Time `json:"start" yaml:"start"`
	End      time.Time `json:"end" yaml:"end"`
	Home     bool      `json:"home,omitempty" yaml:"home,omitempty"` // brings it back after its host's turn
}

// Slot is the interval promised to a tenant for one interruption of one instance: the promise.
type Slot struct {
	ID          string      `json:"id" yaml:"id"` // stable: turn/instance
	Instance    string      `json:"instance" yaml:"instance"`
	Tenant      string      `json:"tenant" yaml:"tenant"`
	Turn        string      `json:"turn" yaml:"turn"`
	Class       Class       `json:"class" yaml:"class"`
	Disposition Disposition `json:"disposition" yaml:"disposition"`
	Start       time.Time   `json:"start" yaml:"start"`
	End         time.Time   `json:"end" yaml:"end"`
	ExpectedMs  int64       `json:"expected_ms" yaml:"expected_ms"`           // interruption expected
	P95Ms       int64       `json:"p95_ms,omitempty" yaml:"p95_ms,omitempty"` // no longer in 95 of 100 cases; 0 in plans of before
	WorstMs     int64       `json:"worst_ms" yaml:"worst_ms"`                 // nor than this in 99
	NoticeBy    time.Time   `json:"notice_by" yaml:"notice_by"`               // Start less the class's lead time
	// Told is when the tenant was told of this very promise by the campaign that the plan supersedes; zero: this plan's
	// campaign tells it.
	Told time.Time `json:"told,omitzero" yaml:"told,omitempty"`
	// Overrules is the tenant's freeze, in its own words, that gave way to finish_by or disclosure; empty: none did.
	Overrules string `json:"overrules,omitempty" yaml:"overrules,omitempty"`
	// Away says why the instance does not come home after the turn although it should; nil: it comes, or need not.
	Away *Away `json:"away,omitempty" yaml:"away,omitempty"`
}

// Away is why an instance cannot go back to the host that it was moved off: a code, which is fleet.CanMove's where the
// software or the hardware forbids it, and words.
type Away struct {
	Code string `json:"code" yaml:"code"`
	Why  string `json:"why" yaml:"why"`
}

// AwayNoTime: the way home does not fit into the slot, or ends past a deadline.
const AwayNoTime = "no-time"

// Blocked is a host or an instance for which nothing can be done yet.
type Blocked struct {
	Host     string `json:"host,omitempty" yaml:"host,omitempty"`
	Instance string `json:"instance,omitempty" yaml:"instance,omitempty"`
	Code     string `json:"code" yaml:"code"`
	Why      string `json:"why" yaml:"why"`
	Unblock  string `json:"unblock" yaml:"unblock"` // what would allow it
}

// Skipped is a host that needs no turn.
type Skipped struct {
	Host string `json:"host" yaml:"host"`
	Code string `json:"code" yaml:"code"` // fixed, not-affected
	Why  string `json:"why" yaml:"why"`
}

// Counts sum the plan up.
type Counts struct {
	Hosts     int `json:"hosts" yaml:"hosts"`         // hosts with a turn
	Waves     int `json:"waves" yaml:"waves"`         //
	Instances int `json:"instances" yaml:"instances"` // instances touched
	Tenants   int `json:"tenants" yaml:"tenants"`     // tenants touched
	Moves     int `json:"moves" yaml:"moves"`
	Stops     int `json:"stops" yaml:"stops"`
	Blocked   int `json:"blocked" yaml:"blocked"`
	Skipped   int `json:"skipped" yaml:"skipped"`
}

// Bounds are lower bounds and the plan's ratio to each (1.00 is optimal).
type Bounds struct {
	WavesMin   int     `json:"waves_min" yaml:"waves_min"`
	WavesRatio float64 `json:"waves_ratio" yaml:"waves_ratio"`
	MovesMin   int     `json:"moves_min" yaml:"moves_min"`
	MovesRatio float64 `json:"moves_ratio" yaml:"moves_ratio"`
	// MovesM1 counts the instances on hosts that must be emptied; MovesM2 adds those of the smallest
	// first wave that the plan's number of waves allows: nothing is fixed yet when they move.
	MovesM1 int `json:"moves_m1,omitempty" yaml:"moves_m1,omitempty"`
	MovesM2 int `json:"moves_m2,omitempty" yaml:"moves_m2,omitempty"`
	// MakespanS is from the first turn's start to the last one's end at worst, in seconds; MakespanMinS
	// is what links, concurrency and windows allow at best.
	MakespanS     int64   `json:"makespan_s,omitempty" yaml:"makespan_s,omitempty"`
	MakespanMinS  int64   `json:"makespan_min_s,omitempty" yaml:"makespan_min_s,omitempty"`
	MakespanRatio float64 `json:"makespan_ratio,omitempty" yaml:"makespan_ratio,omitempty"`
}
