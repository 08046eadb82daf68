// Package notify is the port to people: a channel takes one message to one
// address and says whether the receiving server took it.
//
// It never decides who hears what (notice) or when (execution), keeps no
// ledger and never tries twice by itself: the caller stores the outcome and
// decides. The contract, which notifytest holds every channel to:
//   - Accepted means that the receiving server said so, in so many words. A
//     connection that worked means nothing.
//   - When it is not known whether the server took the message, the outcome is
//     temporary: sending the same message again carries the same Message-ID,
//     by which a reader's mail program shows it once.
//   - Each call ends soon after its context does, whatever the peer does.
//   - Errors are *Error. No error holds a secret.
//   - A channel may be used by many goroutines at once.
//
// Start reading at Channel; email/ is the first one.
package notify

import (
	"context"

	"github.com/evenkeel/evenkeel/internal/notice"
)

// Channel takes messages to people.
type Channel interface {
	// Send takes one message to one address. Without an error the receipt says Accepted.
	Send(ctx context.Context, to string, m notice.Message) (Receipt, error)
}

// Receipt is what the receiving server said.
type Receipt struct {
	Accepted bool   `json:"accepted"`
	Server   string `json:"server"` // host:port that was spoken to
	Detail   string `json:"detail"` // the server's own words, made safe to print
}

// Code of an error.
type Code string

// The codes.
const (
	// Rejected: this message will not be taken for this address. Trying again is no use.
	Rejected Code = "rejected"
	// Temporary: the server said 'not now', or it is not known whether it took the message.
	Temporary Code = "temporary"
	// Unreachable: no session with the server came about: nothing listens, the name or the
	// certificate is wrong, it refuses us or our password. The message was not offered.
	Unreachable Code = "unreachable"
	// Deadline: the call's context ended first.
	Deadline Code = "deadline"
)

// Error is why a message was not accepted.
type Error struct {
	Code   Code
	Server string // host:port, where one was spoken to
	Why    string // one sentence
	Next   string // what would help
	Retry  bool   // try the same message again
	Err    error  // the cause, when there is one that may be shown
}

func (e *Error) Error() string {
	text := string(e.Code) + ": "
	if e.Server != "" {
		text += e.Server + ": "
	}
	text += e.Why
	if e.Next != "" {
		text += "; " + e.Next
	}
	return text
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }
