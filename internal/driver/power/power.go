// Package power asks an operator's own command about hosts that do not answer:
// whether they are switched on, and what their serial console printed. The
// command is the operator's, since power supplies and console servers differ:
// ipmitool and conserver in one place, a lab's script in another.
//
//	COMMAND status HOST    prints on or off in its first line; anything else, or
//	                       another exit code than 0: it cannot be told
//	COMMAND console HOST   prints what the host's console printed; the last 64 KiB
//	                       count
//
// It gets a host's id and nothing else, in its arguments; what it needs beside
// that, a password above all, it finds in its own environment and files. It runs
// without a shell and without input, for 5 s at most, and all that it started is
// ended then. What it cannot tell stays unknown: no failure of it stops anything.
// Start reading at Command.Probe.
package power

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
)

const (
	patience   = 5 * time.Second // for each of the two questions
	maxConsole = 64 << 10        // bytes of a console that count, from its end
	maxStatus  = 1 << 10
	maxWords   = 1 << 10 // of what it says on standard error
)

// Command is a driver.OutOfBand by an operator's command. It is safe for concurrent use.
type Command struct {
	path string
	log  *slog.Logger

	mu   sync.Mutex
	said map[string]bool // failures that are in the log, until the host's question is answered again
}

// New finds the command. An error says that there is no such program.
func New(command string, log *slog.Logger) (*Command, error) {
	path, err := exec.LookPath(command)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be run: %w", command, errors.Unwrap(err))
	}
	return &Command{path: path, log: log, said: map[string]bool{}}, nil
}

// Probe implements driver.OutOfBand. A host that is off is not asked for its console, which tells of
// earlier times.
func (c *Command) Probe(ctx context.Context, h driver.Host) (driver.Probe, error) {
	var p driver.Probe
	out, words, failed := c.ask(ctx, "status", h, &end{most: maxStatus, front: true})
	if failed == nil {
		first, _, _ := strings.Cut(out, "\n")
		switch power := driver.Power(strings.TrimSpace(first)); power {
		case driver.PowerOn, driver.PowerOff:
			p.Power = power
		default:
			why := fmt.Sprintf("it printed %q, expected on or off", short(string(power)))
			if words != "" {
				why += "; it says: " + words // a script whose last command is a filter ends well, whatever failed before
			}
			failed = unknown("status", h, why, nil)
		}
	}
	c.tell(ctx, "status", h, failed)
	if p.Power == driver.PowerOff {
		return p, failed
	}
	text, _, mute := c.ask(ctx, "console", h, &end{most: maxConsole})
	c.tell(ctx, "console", h, mute)
	p.Console = text
	if failed != nil && mute != nil {
		return p, fmt.Errorf("%w; %w", failed, mute) // in one line: it goes into a hold's words
	}
	return p, cmp.Or(failed, mute)
}

// tell puts a failure into the log, once until the same question is answered again.
func (c *Command) tell(ctx context.Context, question string, h driver.Host, err error) {
	if err != nil && ctx.Err() != nil {
		return // nobody waits for the answer any more
	}
	key := question + " " + h.ID
	c.mu.Lock()
	known := c.said[key]
	c.said[key] = err != nil
	c.mu.Unlock()
	if err != nil && !known {
		c.log.Warn("the out-of-band command does not tell; nothing is stopped by that", "question", question, "host", h.ID, "error", err)
	}
}

func unknown(question string, h driver.Host, why string, err error) error {
	return &driver.Error{Code: driver.CodeFailed, Why: fmt.Sprintf("the out-of-band command does not tell the %s of %s: %s", question, h.ID, why), Err: err,
		Next: "run it by hand with the arguments " + question + " " + h.ID, Retry: true}
}
