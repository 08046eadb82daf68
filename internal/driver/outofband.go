package driver

import (
	"context"
	"errors"
	"syscall"
)

// Power is what a host's power supply says of it.
type Power string

// The states; empty: it cannot be told.
const (
	PowerOn  Power = "on"
	PowerOff Power = "off"
)

// Probe is what is known of a host by other ways than its own answers.
type Probe struct {
	Power   Power  // empty: not known
	Console string // the end of what its serial console printed since it was last switched on; empty: not known
}

// OutOfBand tells of a host without asking the host: by its power supply and its serial console. It
// is asked about hosts that do not answer, so that a person is told which kind of trouble it is.
type OutOfBand interface {
	// Probe gives what could be learnt, also with an error, which says what could not.
	Probe(ctx context.Context, h Host) (Probe, error)
}

// Awake says that a look failed although the machine itself answered: its service is the trouble, not
// its power, its control domain or its network.
func Awake(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Awake
}

// TurnedAway says that a look failed because a connection was refused: something that is switched on and
// on the network did that, the host or what stands before it.
func TurnedAway(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }
