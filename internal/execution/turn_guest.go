package execution

import (
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// TurnGuest is what one turn does to one instance.
type TurnGuest struct {
	ID          string
	Disposition plan.Disposition
	Stage       Stage
	To          string
	Attempt     int
	Failures    int
	RetryAt     time.Time
	Deadline    time.Time
	// Sticky is the destination at which an attempt that is not proven to have failed may still end:
	// until both ends were read nothing else may be tried.
	Sticky    string
	From      string         // of the last move
	FailedAt  time.Time      // when the last move or stop failed
	missed    map[string]int // host -> looks in a row since then that did not show it
	InDoubt   bool           // its stop failed and may have taken effect: a look must tell
	Stopped   time.Time      // when its stop began
	Placed    time.Time      // when its last move was ordered
	DiedOn    string         // a move left it stopped there, and running nowhere
	MovedTo   string         // where the turn's move took it
	GoneHome  bool           // no further move home: done, or it stays away
	Stuck     bool           // its last failure is not to be tried again
	Code, Why string
}

// changed is the last moment at which something happened that an older look at the host does not show.
func (t *TurnState) changed() time.Time { return later(t.Changed, t.moved) }

// borrowed: the turn has moved somebody away who is not home again, or may be.
func (t *TurnState) borrowed() bool {
	for _, g := range t.Guests {
		if g.Stage == StageAway || g.Stage == StageHoming || g.Sticky != "" {
			return true
		}
	}
	return false
}

// Actual is the interruption that happened in one slot: it lies between From and To.
type Actual struct {
	From, To time.Time
	Ms       int64 // its length; -1: not measured
}

// Stage of a TurnGuest.
type Stage string

// The stages.
const (
	StageHere     Stage = ""         // still on the host, nothing in flight
	StageMoving   Stage = "moving"   // away
	StageAway     Stage = "away"     // runs elsewhere
	StageStopping Stage = "stopping" // being saved or stopped
	StageStopped  Stage = "stopped"  // saved or stopped on the host
	StageBacking  Stage = "backing"  // being restored or started
	StageBack     Stage = "back"     // runs on the host again
	StageHoming   Stage = "homing"   // on its way home
	StageHome     Stage = "home"     // moved away and brought home
	StageStuck    Stage = "stuck"    // out of attempts
	StageGone     Stage = "gone"     // deleted or moved by others
)
