// Package driver is the port to hypervisors. A driver publishes what it sees
// and carries out single acts; it never decides what should happen next and
// never talks to planner or execution.
//
// The contract, which drivertest holds every driver to:
//   - An act first looks whether its effect is already there, then acts, then
//     proves the effect by observation. So each act may be called again.
//   - After any error or lost answer both ends are read; what was read comes
//     back in the outcome. Nothing is inferred. What could not be read is
//     Unreachable, never 'absent'.
//   - Each call ends soon after its context does, whatever the peer does.
//   - Errors are *Error: code, sentence, next step, whether to try again.
//
// Start reading at Driver, then at the small optional interfaces below it.
package driver

import (
	"context"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Host is how a driver reaches one host.
type Host struct {
	ID  string
	URI string // libvirt URI, or the simulated world's
	SSH string // user@address[:port]; empty when there is none
	// MemoryMiB is what instances can use there in all, where an operator has said so (the fleet
	// file's memory_mib); 0: as the driver measures it.
	MemoryMiB int64
}

// Driver is what every driver can do: look.
type Driver interface {
	// Observe reads one host as it is now. An error means that the host's hypervisor service did
	// not answer; an unreachable SSH only leaves facts out and says so in Observation.Missing.
	Observe(ctx context.Context, h Host) (Observation, error)
	// Close gives connections back.
	Close() error
}

// Observation is what was seen of one host at one moment.
type Observation struct {
	Host         string         `json:"host"`
	At           time.Time      `json:"at"`
	BootID       string         `json:"boot_id,omitempty"`
	Health       fleet.Health   `json:"health"`
	Software     fleet.Software `json:"software"`
	Capabilities []string       `json:"capabilities,omitempty"`
	MemoryMiB    int64          `json:"memory_mib"`        // what instances can use in all
	FreeMiB      int64          `json:"free_mib"`          // what is free for instances now
	Instances    []InstanceSeen `json:"instances"`         // sorted by id; running, paused and stopped
	Missing      []string       `json:"missing,omitempty"` // facts that could not be read, with why
	// Gaps are facts that the host does not offer at all, with why: its kernel is of no package, its
	// distribution has no ecosystem. They stay unknown, but no fault kept them from being read.
	Gaps  []string    `json:"gaps,omitempty"`
	Facts *fleet.Host `json:"-"` // all that discovery can tell of the host
}

// InstanceSeen is one instance as seen on one host.
type InstanceSeen struct {
	ID        string            `json:"id"`
	State     fleet.State       `json:"state"`
	Incoming  bool              `json:"incoming,omitempty"`  // the receiving half of a migration under way
	Migrating bool              `json:"migrating,omitempty"` // a migration away from here is under way
	Saved     bool              `json:"saved,omitempty"`     // stopped with its memory saved on disk
	MemoryMiB int64             `json:"memory_mib"`
	Running   map[string]string `json:"running,omitempty"` // package -> version, from its own monitor
	Looked    fleet.Sighting    `json:"looked,omitzero"`   // when and how Running was read
	Facts     *fleet.Instance   `json:"-"`                 // all that discovery can tell of it
}

// Fence names the act, so that a stale controller's call can be told apart. Generation grows with
// each controller that takes over; hosts refuse an older one where they can.
type Fence struct {
	Campaign   string
	Revision   int
	Turn       string
	Step       string
	Attempt    int
	Generation int64
}

// Where an instance was found at one end.
type Where string

// What can be read at one end.
const (
	IsRunning     Where = "running"
	IsPaused      Where = "paused"
	IsStopped     Where = "stopped" // defined there, not running
	IsAbsent      Where = "absent"
	IsUnreachable Where = "unreachable" // could not be read: may be anything
)

// Ends is what both ends of a migration said, read after it ended.
type Ends struct {
	Source      Where `json:"source"`
	Destination Where `json:"destination"`
}

// Moved: it runs at the destination and nowhere else.
func (e Ends) Moved() bool {
	return e.Destination == IsRunning && (e.Source == IsAbsent || e.Source == IsStopped)
}

// Stayed: it runs at the source and nowhere else.
func (e Ends) Stayed() bool {
	return e.Source == IsRunning && (e.Destination == IsAbsent || e.Destination == IsStopped)
}

// MigrateRequest asks for one live migration.
type MigrateRequest struct {
	Fence    Fence
	Instance string
	From, To Host
	// AutoConverge throttles a guest that dirties memory too fast. AfterStuck says what to do once
	// no progress was made for StuckFor: "post-copy" switches over, anything else aborts.
	AutoConverge bool
	AfterStuck   string
	StuckFor     time.Duration
	BandwidthMiB int64 // MiB/s; 0: no limit
	// Progress, when set, hears of each look at the running job; it must not block.
	Progress func(Progress)
}

// Progress of a migration.
type Progress struct {
	TotalMiB, RemainingMiB int64
	DirtyMiBps             float64
	Iteration              int
}

// MigrateOutcome is what a migration came to. Ends is always filled in, error or not.
type MigrateOutcome struct {
	Ends     Ends          `json:"ends"`
	Already  bool          `json:"already,omitempty"`  // the effect was there before
	Blackout time.Duration `json:"blackout,omitempty"` // pause as the hypervisor reports it; 0: not known
	Total    time.Duration `json:"total,omitempty"`
	PostCopy bool          `json:"post_copy,omitempty"`
}

// Migrator can move a running instance between two hosts.
type Migrator interface {
	Migrate(ctx context.Context, r MigrateRequest) (MigrateOutcome, error)
}

// Aborter can stop a migration that is under way, also one that an earlier controller began.
// It returns once the job is over; what came of it must be read.
type Aborter interface {
	AbortMigration(ctx context.Context, f Fence, h Host, instance string) error
}

// Suspender can save an instance's memory to its host's disk and restore it there.
// Restore of an instance that runs already is done.
type Suspender interface {
	Save(ctx context.Context, f Fence, h Host, instance string) error
	Restore(ctx context.Context, f Fence, h Host, instance string) error
}

// Stopper can shut an instance down (gracefully until the context's deadline, never by force)
// and start it.
type Stopper interface {
	Stop(ctx context.Context, f Fence, h Host, instance string) error
	Start(ctx context.Context, f Fence, h Host, instance string) error
}

// UpdateOutcome is what an update said.
type UpdateOutcome struct {
	Needed  bool   `json:"needed"`  // false: nothing had to be done (exit 70)
	Message string `json:"message"` // its last lines of output
}

// Updater changes a host's software.
type Updater interface {
	Update(ctx context.Context, f Fence, h Host, u plan.Update) (UpdateOutcome, error)
}

// Rebooter reboots a host, guarded: the host refuses unless its boot id is bootID and the
// generation is not older than one it has seen. It returns when the host has taken the order,
// or when the host's boot id is already another one; the proof is a later Observe.
type Rebooter interface {
	Reboot(ctx context.Context, f Fence, h Host, bootID string, u plan.Update) error
}

// EmptyRebooter reboots a host as a Rebooter does, and has the host itself look right before the order that
// no instance runs on it, half of one that arrives included: if one does it refuses (CodeOccupied). No
// look from outside can be as close.
type EmptyRebooter interface {
	RebootEmpty(ctx context.Context, f Fence, h Host, bootID string, u plan.Update) error
}

// BootTeller tells which boot a host is in for much less than a look costs: a host on its way down and up is
// asked for nothing else until that changes.
type BootTeller interface {
	BootID(ctx context.Context, h Host) (string, error)
}

// Cordoner keeps others from placing instances on a host. Both are idempotent.
type Cordoner interface {
	Cordon(ctx context.Context, f Fence, h Host) error
	Uncordon(ctx context.Context, f Fence, h Host) error
}

// Error is an operating error.
type Error struct {
	Code  string `json:"code"`
	Why   string `json:"why"`  // one sentence
	Next  string `json:"next"` // what to do
	Retry bool   `json:"retry"`
	Awake bool   `json:"awake,omitempty"` // of a look: the machine itself answered, its hypervisor's tools did not
	Err   error  `json:"-"`
}

func (e *Error) Error() string {
	s := e.Why
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// The codes.
const (
	CodeUnreachable  = "unreachable"   // the host's service does not answer
	CodeRefused      = "refused"       // the host refused: guard, generation, permission
	CodeOccupied     = "occupied"      // an instance runs on the host, which should be empty
	CodeNotFound     = "not-found"     // no such instance there
	CodeNoRoom       = "no-room"       // the destination lacks memory
	CodeCannotMove   = "cannot-move"   // the hypervisor refuses to move it (unsafe disk, device, CPU)
	CodeNoProgress   = "no-progress"   // the migration does not converge
	CodeAborted      = "aborted"       // somebody aborted it
	CodeDeadline     = "deadline"      // the call's deadline passed
	CodeFailed       = "failed"        // it failed for another reason
	CodeHostKey      = "host-key"      // the host's SSH key is not the pinned one
	CodeUpdateFailed = "update-failed" // the update command or a hook failed
	CodeUnsupported  = "unsupported"   // this driver cannot do that
	CodeSplit        = "split-brain"   // it runs, or may run, at both ends
	CodeSaveMissing  = "save-missing"  // it has no saved memory there
	CodeSaveDamaged  = "save-damaged"  // its saved memory is not whole, or may be older than its disks
)
