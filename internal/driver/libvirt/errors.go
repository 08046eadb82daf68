package libvirt

import (
	"context"
	"errors"
	"fmt"
	"strings"

	golibvirt "github.com/digitalocean/go-libvirt"

	"github.com/evenkeel/evenkeel/internal/driver"
)

// code gives libvirt's error number; 0 when the error is not libvirt's.
func code(err error) golibvirt.ErrorNumber {
	var e golibvirt.Error
	if errors.As(err, &e) {
		return golibvirt.ErrorNumber(e.Code)
	}
	return 0
}

func absent(err error) bool { return code(err) == golibvirt.ErrNoDomain }

// explain turns what libvirt or the connection said into an operating error. what names the act,
// e.g. "saving g1 on h2". Nil stays nil, and an error with a code keeps it.
func explain(ctx context.Context, host, what string, err error) error {
	var done *driver.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &done):
		return err
	case ctx.Err() != nil:
		return &driver.Error{Code: driver.CodeDeadline, Retry: true, Err: ctx.Err(),
			Why: what + " did not end in time", Next: "look at the host and the instance; the next attempt looks first, too"}
	case lost(err):
		return &driver.Error{Code: driver.CodeUnreachable, Retry: true, Err: err,
			Why: fmt.Sprintf("%s: libvirt on %s does not answer", what, host), Next: "see whether the host and its libvirtd are up"}
	}
	e := &driver.Error{Code: driver.CodeFailed, Why: what + " failed", Next: "read libvirt's words, mend the cause and try again", Retry: true, Err: err}
	if k, known := kinds(code(err), strings.ToLower(err.Error())); known {
		e.Code, e.Next, e.Retry = k.code, k.next, k.retry
	}
	return e
}

type kind struct {
	code, next string
	retry      bool
}

// kinds sorts libvirt's errors. Its messages are looked at only where one number means many things.
func kinds(n golibvirt.ErrorNumber, msg string) (kind, bool) {
	switch n {
	case golibvirt.ErrNoDomain:
		return kind{driver.CodeNotFound, "observe the host again: somebody moved or deleted it", false}, true
	case golibvirt.ErrOperationAborted:
		return kind{driver.CodeAborted, "find out who aborted it; then try again", true}, true
	case golibvirt.ErrMigrateUnsafe:
		return kind{driver.CodeCannotMove, "put its disks on shared storage, or let it be stopped or suspended", false}, true
	case golibvirt.ErrCPUIncompatible:
		return kind{driver.CodeCannotMove, "choose a destination whose CPU offers the same features", false}, true
	case golibvirt.ErrOperationDenied, golibvirt.ErrAuthFailed, golibvirt.ErrAuthUnavailable, golibvirt.ErrAuthCancelled:
		return kind{driver.CodeRefused, "give this user the right to do that in libvirt", false}, true
	case golibvirt.ErrNoMemory:
		return kind{driver.CodeNoRoom, "choose a destination with more free memory", true}, true
	case golibvirt.ErrOperationTimeout:
		return kind{driver.CodeFailed, "another job holds the instance: wait until it is over", true}, true
	case golibvirt.ErrNoSupport, golibvirt.ErrOperationUnsupported, golibvirt.ErrArgumentUnsupported:
		return kind{driver.CodeUnsupported, "use another tactic for this host", false}, true
	}
	switch {
	case strings.Contains(msg, "cannot migrate") || strings.Contains(msg, "migration is not allowed") || strings.Contains(msg, "unsafe migration") ||
		n == golibvirt.ErrConfigUnsupported || n == golibvirt.ErrDeviceMissing:
		return kind{driver.CodeCannotMove, "take away what libvirt names, or let it be stopped or suspended", false}, true
	case strings.Contains(msg, "cannot allocate memory") || strings.Contains(msg, "cannot set up guest memory"):
		return kind{driver.CodeNoRoom, "choose a destination with more free memory", true}, true
	case n == golibvirt.ErrSystemError && strings.Contains(msg, "unable to connect to server"), n == golibvirt.ErrNoConnect, n == golibvirt.ErrRPC:
		return kind{driver.CodeUnreachable, "see whether the two hosts reach each other's libvirtd", true}, true
	}
	return kind{}, false
}
