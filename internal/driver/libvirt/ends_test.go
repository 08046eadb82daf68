package libvirt

import (
	"testing"

	golibvirt "github.com/digitalocean/go-libvirt"
	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/driver"
)

// Ends as they were seen on real hosts.
var (
	nowhere     = end{reached: true}
	silent      = end{}
	running     = end{reached: true, defined: true, persistent: true, state: golibvirt.DomainRunning, reason: int32(golibvirt.DomainRunningBooted)}
	canceled    = end{reached: true, defined: true, persistent: true, state: golibvirt.DomainRunning, reason: int32(golibvirt.DomainRunningMigrationCanceled)}
	migrated    = end{reached: true, defined: true, persistent: true, state: golibvirt.DomainRunning, reason: int32(golibvirt.DomainRunningMigrated)}
	off         = end{reached: true, defined: true, persistent: true, state: golibvirt.DomainShutoff}
	leaving     = withJob(running, golibvirt.DomainJobOperationStrMigrationOut)
	arriving    = withJob(end{reached: true, defined: true, state: golibvirt.DomainPaused, reason: int32(golibvirt.DomainPausedMigration)}, golibvirt.DomainJobOperationStrMigrationIn)
	arrived     = end{reached: true, defined: true, state: golibvirt.DomainPaused, reason: int32(golibvirt.DomainPausedMigration)}
	finishing   = withJob(end{reached: true, defined: true, persistent: true, state: golibvirt.DomainPaused, reason: int32(golibvirt.DomainPausedMigration)}, golibvirt.DomainJobOperationStrMigrationOut)
	deadCopy    = end{reached: true, defined: true, persistent: true, state: golibvirt.DomainPaused, reason: int32(golibvirt.DomainPausedMigration)}
	halfGone    = end{reached: true, defined: true, persistent: true, state: golibvirt.DomainPaused, reason: int32(golibvirt.DomainPausedPostcopy)}
	halfHere    = end{reached: true, defined: true, state: golibvirt.DomainRunning, reason: int32(golibvirt.DomainRunningPostcopy)}
	halfFailed  = end{reached: true, defined: true, persistent: true, state: golibvirt.DomainPaused, reason: int32(golibvirt.DomainPausedPostcopyFailed)}
	pausedByMan = end{reached: true, defined: true, persistent: true, state: golibvirt.DomainPaused, reason: int32(golibvirt.DomainPausedUser)}
	saving      = withJob(running, golibvirt.DomainJobOperationStrSave)
)

func withJob(e end, op golibvirt.DomainJobOperation) end {
	e.job = job{kind: op, unit: golibvirt.DomainJobUnbounded}
	return e
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		name     string
		src, dst end
		want     verdict
		sweep    bool
	}{
		{"before", running, nowhere, stayed, false},
		{"before, defined there", running, off, stayed, false},
		{"another job holds it", saving, nowhere, stayed, false},
		{"pre-copy", leaving, arriving, unsettled, false},
		{"job has begun, nothing there yet", leaving, nowhere, unsettled, false},
		{"finishing", finishing, arriving, unsettled, false},
		{"finishing, runs there already", finishing, migrated, unsettled, false},
		{"done", nowhere, migrated, moved, false},
		{"done, definition left", off, migrated, leftover, true},
		{"source libvirtd died at the end", deadCopy, migrated, leftover, true},
		{"canceled", canceled, nowhere, stayed, false},
		{"canceled, half not gone yet", canceled, arrived, unsettled, false},
		{"destination frozen past the keepalive", canceled, silent, unsettled, false},
		{"and thawed", canceled, migrated, split, false},
		{"source down", silent, migrated, unsettled, false},
		{"source down, destination empty", silent, nowhere, unsettled, false},
		{"post-copy", halfGone, halfHere, unsettled, false},
		{"post-copy, job not seen", halfGone, migrated, unsettled, false},
		{"post-copy failed", halfFailed, halfHere, unsettled, false},
		{"nowhere", nowhere, nowhere, lostBoth, false},
		{"off", off, nowhere, lostBoth, false},
		{"off at both", off, off, lostBoth, false},
		{"paused by a person", pausedByMan, nowhere, unsettled, false},
		{"both down", silent, silent, unsettled, false},
	} {
		if got := judge(c.src, c.dst); got != c.want {
			t.Errorf("%s: verdict %d, expected %d", c.name, got, c.want)
		}
		if got := removable(c.src, c.dst); got != c.sweep {
			t.Errorf("%s: removable %v, expected %v", c.name, got, c.sweep)
		}
	}
}

// TestSweepOnlyTheSame: a dead copy is removed only if it is a copy of what runs there.
func TestSweepOnlyTheSame(t *testing.T) {
	other := deadCopy
	other.uuid[0] = 1
	if removable(other, migrated) {
		t.Error("another instance of the same name would be destroyed")
	}
	if removable(deadCopy, withJob(migrated, golibvirt.DomainJobOperationStrMigrationIn)) {
		t.Error("a source would be destroyed while the destination's job is under way")
	}
}

// anyEnd draws whatever libvirt might say: silence, no such domain, or any state at all.
func anyEnd(t *rapid.T, name string) end {
	switch rapid.IntRange(0, 5).Draw(t, name) {
	case 0:
		return silent
	case 1:
		return nowhere
	}
	return end{
		reached: true, defined: true, persistent: rapid.Bool().Draw(t, name+" persistent"),
		state: golibvirt.DomainState(rapid.Int32Range(0, 9).Draw(t, name+" state")), reason: rapid.Int32Range(0, 14).Draw(t, name+" reason"),
		job: job{unit: golibvirt.DomainJobType(rapid.Int32Range(0, 5).Draw(t, name+" unit")), kind: golibvirt.DomainJobOperation(rapid.Int32Range(0, 9).Draw(t, name+" op"))},
	}
}

// TestJudgeIsCareful holds, for anything that two ends may say, what must never be concluded.
func TestJudgeIsCareful(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src, dst := anyEnd(t, "src"), anyEnd(t, "dst")
		v := judge(src, dst)
		ends := driver.Ends{Source: src.where(), Destination: dst.where()}
		unread := !src.reached || !dst.reached
		switch {
		case unread && v != unsettled:
			t.Fatalf("%+v: verdict %d though an end was not read", ends, v)
		case v == stayed && !ends.Stayed():
			t.Fatalf("%+v is called stayed", ends)
		case v == moved && !ends.Moved():
			t.Fatalf("%+v is called moved", ends)
		case (v == stayed || v == moved) && (src.job.leaving() || src.postcopy() || dst.postcopy()):
			t.Fatalf("%+v is settled while its migration is under way", ends)
		case ends.Source == driver.IsRunning && ends.Destination == driver.IsRunning && v != split && !src.postcopy() && !dst.postcopy():
			t.Fatalf("both run, verdict %d", v)
		case removable(src, dst) && (unread || ends.Source == driver.IsRunning || ends.Destination != driver.IsRunning || src.job.active() || src.postcopy() || dst.postcopy()):
			t.Fatalf("%+v: a copy that may still be needed would be removed", ends)
		}
	})
}

func TestOpening(t *testing.T) {
	r := driver.MigrateRequest{Instance: "g1", From: driver.Host{ID: "h1"}, To: driver.Host{ID: "h2"}}
	stranger := off
	stranger.uuid[0] = 9
	down := end{err: &driver.Error{Code: driver.CodeUnreachable, Why: "down", Next: "wait"}}
	for _, c := range []struct {
		name     string
		src, dst end
		want     start
		code     string
	}{
		{"fresh", running, nowhere, begin, ""},
		{"there already", nowhere, migrated, already, ""},
		{"there already, dead copy here", deadCopy, migrated, already, ""},
		{"an earlier controller's job", leaving, arriving, adopt, ""},
		{"an earlier controller's post-copy", withJob(halfGone, golibvirt.DomainJobOperationStrMigrationOut), halfHere, adopt, ""},
		{"a job to somewhere else", leaving, nowhere, refused, driver.CodeRefused},
		{"another job", saving, nowhere, refused, driver.CodeRefused},
		{"source down", down, nowhere, refused, driver.CodeUnreachable},
		{"destination down", running, down, refused, driver.CodeUnreachable},
		{"namesake", running, stranger, refused, driver.CodeRefused},
		{"both run", canceled, migrated, refused, driver.CodeSplit},
		{"a copy may begin to run", canceled, arrived, refused, driver.CodeSplit},
		{"nowhere", nowhere, nowhere, refused, driver.CodeNotFound},
		{"off", off, nowhere, refused, driver.CodeRefused},
		{"paused by a person", pausedByMan, nowhere, refused, driver.CodeRefused},
	} {
		got, err := opening(r, c.src, c.dst, judge(c.src, c.dst))
		if got != c.want {
			t.Errorf("%s: %d, expected %d", c.name, got, c.want)
		}
		if (err != nil) != (c.code != "") {
			t.Errorf("%s: error %v", c.name, err)
		} else if err != nil {
			wantCode(t, err, c.code)
		}
	}
}
