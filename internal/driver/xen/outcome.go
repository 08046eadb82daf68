package xen

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
)

// said is what the tool's own words mean. They say why something failed; they never prove where an
// instance runs.
type said struct {
	code, next string
	retry      bool
	line       string // the line that says so
}

// causes are the words of xl and of the transport, the most telling first.
var causes = []struct {
	words      string
	code, next string
	retry      bool
}{
	// Xen without shadow paging cannot follow what a PV guest writes: EOPNOTSUPP.
	{"Failed to enable logdirty: 95", driver.CodeCannotMove, "this hypervisor has no shadow paging, without which no PV guest is live-migrated: suspend it instead", false},
	{"No config file stored for running domain", driver.CodeCannotMove, "give it a stored configuration, or stop and start it", false},
	{"CHECK AT BOTH ENDS", driver.CodeFailed, "read both ends; let it run at one of them at most", true},
	{"Host key verification failed", driver.CodeHostKey, "pin the destination's host key on the source's dom0", false},
	{"Permission denied (", driver.CodeRefused, "let the source's dom0 into the destination's", false},
	{"Could not resolve hostname", driver.CodeUnreachable, "correct the destination's address", false},
	{"Connection refused", driver.CodeUnreachable, "see whether the destination's dom0 takes connections", true},
	{"No route to host", driver.CodeUnreachable, "see whether the two hosts reach each other", true},
	{"Connection timed out", driver.CodeUnreachable, "see whether the two hosts reach each other", true},
	{"not responding", driver.CodeUnreachable, "see whether the two hosts reach each other", true},
	{"migration receiver stream contained unexpected data", driver.CodeFailed, "let the destination's dom0 say nothing at login, and see whether it has xl", false},
	{"Cannot allocate memory", driver.CodeNoRoom, "choose a destination with more free memory", true},
	{"not enough memory", driver.CodeNoRoom, "choose a destination with more free memory", true},
	{"failed to free memory for the domain", driver.CodeNoRoom, "choose a destination with more free memory", true},
	{"No space left on device", driver.CodeNoRoom, "make room there", true},
	{"domain did not respond to suspend request", driver.CodeFailed, "see whether the guest answers; it runs on", true},
	{"already exists", driver.CodeRefused, "look at the other domain of that name or UUID", false},
	{"Migration failed due to problems at target", driver.CodeFailed, "read the destination's /var/log/xen; it runs on at the source", true},
	{"Migration failed, resuming at sender", driver.CodeFailed, "see what happened to the destination; it runs on at the source", true},
	{"Failed to save domain, resuming domain", driver.CodeFailed, "read the cause; it runs on", true},
	{"Migration failed", driver.CodeFailed, "read xl's words", true},
}

// readOutcome sorts what a tool printed. harmless lines are passed over: after a migration that broke
// in mid-copy xl also tries to resume a domain that was never suspended.
func readOutcome(out string) said {
	for _, c := range causes {
		for line := range strings.Lines(out) {
			if !strings.Contains(line, "xc_domain_resume failed") && strings.Contains(strings.ToLower(line), strings.ToLower(c.words)) {
				return said{c.code, c.next, c.retry, strings.TrimSpace(line)}
			}
		}
	}
	return said{code: driver.CodeFailed, next: "read xl's words, mend the cause and try again", retry: true, line: lastOf(telling(out), 2)}
}

// telling leaves the harmless lines out.
func telling(out string) string {
	var keep []string
	for line := range strings.Lines(out) {
		if line = strings.TrimSpace(line); line != "" && !strings.Contains(line, "xc_domain_resume failed") && !strings.Contains(line, "xc: info:") && !strings.Contains(line, "xc: progress:") {
			keep = append(keep, line)
		}
	}
	return strings.Join(keep, "\n")
}

// lastOf gives the end of a text, for messages.
func lastOf(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// code gives an error's code; empty when it has none.
func code(err error) string {
	var e *driver.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// unsure: the order may have been taken, though no answer came.
func unsure(err error) bool {
	return code(err) == driver.CodeUnreachable || code(err) == driver.CodeDeadline || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// sleep waits; false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
