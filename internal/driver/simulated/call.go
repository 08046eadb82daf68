package simulated

import (
	"context"
	"errors"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Op is what a Call asks of a host.
type Op string

// The operations. Each is one request to one host's service, as primitive as a hypervisor's own.
const (
	OpHost     Op = "host"     // the host and all that is defined there
	OpLookup   Op = "lookup"   // one instance
	OpMigrate  Op = "migrate"  // begin a migration away from here; the answer does not wait for its end
	OpJob      Op = "job"      // what the instance's migration does, or how the last one ended
	OpAbort    Op = "abort"    // abort the instance's migration
	OpPostCopy Op = "postcopy" // switch the instance's migration to post-copy
	OpDestroy  Op = "destroy"  // end a paused copy that is no good, and forget it
	OpSave     Op = "save"
	OpRestore  Op = "restore"
	OpStop     Op = "stop"
	OpStart    Op = "start"
	OpUpdate   Op = "update"
	OpReboot   Op = "reboot"
	OpCordon   Op = "cordon"
	OpUncordon Op = "uncordon"
	OpProbe    Op = "probe" // of the host's power supply and console, not of the host
)

// Call is one request.
type Call struct {
	Op         Op          `json:"op"`
	Host       string      `json:"host"`
	Instance   string      `json:"instance,omitempty"`
	Generation int64       `json:"generation,omitempty"`
	To         string      `json:"to,omitempty"` // migrate: the destination
	BootID     string      `json:"boot_id,omitempty"`
	Update     plan.Update `json:"update,omitzero"`

	Patch *driver.Patch `json:"patch,omitempty"` // patch, unpatch

	AutoConverge bool  `json:"auto_converge,omitempty"`
	BandwidthMiB int64 `json:"bandwidth_mib,omitempty"`
}

// Answer is what came back. Code is empty when the host says that it did what was asked.
type Answer struct {
	Code     string          `json:"code,omitempty"`
	Why      string          `json:"why,omitempty"`
	Host     *HostReport     `json:"host,omitempty"`
	Instance *InstanceReport `json:"instance,omitempty"`
	Job      *JobReport      `json:"job,omitempty"`
	Probe    *driver.Probe   `json:"probe,omitempty"`
	Exit     int             `json:"exit,omitempty"` // of an update
}

// What a host answers instead of doing what was asked.
const (
	codeNoDomain    = "no-domain"
	codeRefused     = "refused" // a guard
	codeNoRoom      = "no-room"
	codeUnsafe      = "unsafe"
	codeInvalid     = "invalid" // not in the state that the request needs
	codeAborted     = "aborted"
	codeFailed      = "failed"
	codeInterrupted = "interrupted"
	codeSilent      = "silent" // from the destination to the source: it does not answer
)

// HostReport is a host as its own service tells it.
type HostReport struct {
	BootID       string           `json:"boot_id"`
	PastBootIDs  []string         `json:"past_boot_ids,omitempty"`
	Software     fleet.Software   `json:"software"`
	Capabilities []string         `json:"capabilities"`
	MemoryMiB    int64            `json:"memory_mib"`
	FreeMiB      int64            `json:"free_mib"`
	Cordoned     bool             `json:"cordoned,omitempty"`
	Instances    []InstanceReport `json:"instances"` // sorted by id
	Facts        fleet.Host       `json:"facts"`
}

// InstanceReport is an instance as one host's service tells it.
type InstanceReport struct {
	ID        string            `json:"id"`
	State     fleet.State       `json:"state"`
	Incoming  bool              `json:"incoming,omitempty"`
	Migrating bool              `json:"migrating,omitempty"`
	Saved     bool              `json:"saved,omitempty"`
	MemoryMiB int64             `json:"memory_mib"`
	Running   map[string]string `json:"running,omitempty"`
	Facts     fleet.Instance    `json:"facts"`
}

// JobReport is a migration as one end's service tells it.
type JobReport struct {
	Active       bool          `json:"active,omitempty"`
	To           string        `json:"to,omitempty"`
	TotalMiB     int64         `json:"total_mib,omitempty"`
	RemainingMiB int64         `json:"remaining_mib,omitempty"`
	DirtyMiBps   float64       `json:"dirty_mibps,omitempty"`
	Iteration    int           `json:"iteration,omitempty"`
	PostCopy     bool          `json:"post_copy,omitempty"`
	Completed    bool          `json:"completed,omitempty"` // the last one ended well
	Code         string        `json:"code,omitempty"`      // how the last one ended badly
	Why          string        `json:"why,omitempty"`
	Blackout     time.Duration `json:"blackout,omitempty"`
	Total        time.Duration `json:"total,omitempty"`
}

// What can happen to a call on its way; the driver sees no more than these.
var (
	// ErrNoAnswer: nothing was heard. It may have been done, or not, or be done later.
	ErrNoAnswer = errors.New("no answer")
	// ErrServiceOff: the host's machine answers, its service does not.
	ErrServiceOff = errors.New("connection refused")
	// ErrNoHost: the world has no such host.
	ErrNoHost = errors.New("no such host")
)

// Do carries one call to its host and the answer back, with all that can go wrong on the way. It
// ends when ctx does, or after patience (0: never) with ErrNoAnswer.
func (w *World) Do(ctx context.Context, c Call, patience time.Duration) (Answer, error) {
	t := &trip{w: w, ctx: ctx, left: patience, endless: patience <= 0}
	w.mu.Lock()
	w.advance()
	h := w.hosts[c.Host]
	if h == nil {
		w.mu.Unlock()
		return Answer{}, ErrNoHost
	}
	if c.Op == OpProbe {
		w.mu.Unlock()
		return w.probed(h, t)
	}
	fate := w.drawFate(h)
	w.mu.Unlock()
	if err := t.wait(w.times.Latency); err != nil {
		return Answer{}, err
	}
	if fate.lost {
		return t.silence()
	}
	answer, job, err := w.deliver(h, c, fate)
	switch {
	case errors.Is(err, ErrNoAnswer):
		return t.silence()
	case err != nil:
		return Answer{}, err
	}
	if job != nil {
		if answer, err = w.await(t, job); err != nil {
			return Answer{}, err
		}
	}
	if fate.unheard {
		return t.silence()
	}
	if err := t.wait(fate.late + w.times.Latency); err != nil {
		return Answer{}, err
	}
	if !w.reaches(h) {
		return t.silence()
	}
	return answer, nil
}

// fate is what the network will do to one call.
type fate struct {
	lost, unheard, doubled bool
	late                   time.Duration
}

func (w *World) drawFate(h *machine) fate {
	c := w.chance
	if c.strikes(HostCut) && h.up {
		w.cut(h, time.Duration(c.between(HostCut, 5, 120)*float64(time.Second)))
	}
	if c.strikes(ServiceDies) {
		w.serviceDown(h, time.Duration(c.between(ServiceDies, 2, 10)*float64(time.Second)), "killed")
	}
	f := fate{lost: c.strikes(CallLost), unheard: c.strikes(AnswerLost), doubled: c.strikes(CallDoubled)}
	if c.strikes(AnswerLate) {
		f.late = time.Duration(c.between(AnswerLate, 5, 90) * float64(time.Second))
	}
	return f
}

// deliver hands a call to its host's service.
func (w *World) deliver(h *machine, c Call, f fate) (Answer, *work, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	switch {
	case !h.live(w.now):
		return Answer{}, nil, ErrNoAnswer
	case h.serviceOff > 0:
		return Answer{}, nil, ErrServiceOff
	}
	answer, job := w.serve(h, c)
	if f.doubled {
		answer, job = w.serve(h, c)
	}
	return answer, job, w.sinkErr
}

// await waits for the end of work at a host, whose result is the answer.
func (w *World) await(t *trip, job *work) (Answer, error) {
	for {
		w.mu.Lock()
		w.advance()
		done, rest := job.done, job.ends.Sub(w.now)
		answer := Answer{Code: job.code, Why: job.why, Exit: job.exit}
		w.mu.Unlock()
		if done {
			return answer, nil
		}
		if err := t.wait(max(rest, time.Millisecond)); err != nil {
			return Answer{}, err
		}
	}
}

func (w *World) reaches(h *machine) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	return h.live(w.now)
}

// trip is one caller's patience.
type trip struct {
	w       *World
	ctx     context.Context
	left    time.Duration
	endless bool
}

// wait spends d of the patience.
func (t *trip) wait(d time.Duration) error {
	if d <= 0 {
		return t.ctx.Err()
	}
	over := !t.endless && d >= t.left
	if over {
		d = t.left
	}
	t.left -= d
	if err := t.w.clock.Wait(t.ctx, d); err != nil {
		return err
	}
	if over {
		return ErrNoAnswer
	}
	return nil
}

// silence waits for what never comes.
func (t *trip) silence() (Answer, error) {
	for {
		if err := t.wait(time.Hour); err != nil {
			return Answer{}, err
		}
	}
}
