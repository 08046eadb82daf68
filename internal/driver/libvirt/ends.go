package libvirt

import (
	golibvirt "github.com/digitalocean/go-libvirt"

	"github.com/evenkeel/evenkeel/internal/driver"
)

// end is what one host said of one domain.
type end struct {
	reached    bool
	err        error // why it was not reached
	defined    bool  // libvirt knows a domain of this name, active or not
	uuid       golibvirt.UUID
	state      golibvirt.DomainState
	reason     int32
	persistent bool
	job        job
	dom        golibvirt.Domain
}

// job is the job under way on a domain.
type job struct {
	kind golibvirt.DomainJobOperation // 0: none
	unit golibvirt.DomainJobType
}

func (j job) active() bool { return j.unit != golibvirt.DomainJobNone }

func (j job) leaving() bool {
	return j.active() && j.kind == golibvirt.DomainJobOperationStrMigrationOut
}

// where puts an end into the contract's words. A domain that is shutting down, or that the guest put
// to sleep, counts as paused: it is still there, but does not run.
func (e end) where() driver.Where {
	switch {
	case !e.reached:
		return driver.IsUnreachable
	case !e.defined:
		return driver.IsAbsent
	}
	switch e.state {
	case golibvirt.DomainRunning, golibvirt.DomainBlocked:
		return driver.IsRunning
	case golibvirt.DomainShutoff, golibvirt.DomainCrashed:
		return driver.IsStopped
	}
	return driver.IsPaused
}

// incoming: the receiving half of a migration, not yet running and not yet persistent.
func (e end) incoming() bool {
	if !e.defined || e.where() != driver.IsPaused {
		return false
	}
	return e.job.active() && e.job.kind == golibvirt.DomainJobOperationStrMigrationIn ||
		!e.persistent && e.reason == int32(golibvirt.DomainPausedMigration)
}

// postcopy: half of its memory is still on the other host; neither half may be touched.
func (e end) postcopy() bool {
	switch e.state {
	case golibvirt.DomainRunning:
		return e.reason == int32(golibvirt.DomainRunningPostcopy) || e.reason == runningPostcopyFailed
	case golibvirt.DomainPaused:
		return e.reason == int32(golibvirt.DomainPausedPostcopy) || e.reason == int32(golibvirt.DomainPausedPostcopyFailed)
	}
	return false
}

// runningPostcopyFailed is VIR_DOMAIN_RUNNING_POSTCOPY_FAILED, newer than the client library.
const runningPostcopyFailed = 11

// verdict is what two ends mean together.
type verdict int

const (
	unsettled verdict = iota // still changing, or not both read: look again
	moved                    // runs at the destination, nowhere else
	stayed                   // runs at the source, nowhere else
	split                    // runs at both
	leftover                 // runs at the destination; a dead copy is left on the source
	lostBoth                 // runs nowhere, and nothing is under way
)

// judge reads the two ends of one instance. It never guesses: an end that was not reached, or that
// may still begin to run, leaves the matter unsettled. The destination must have been read before
// the source: then 'both run' cannot come from the moment of the switch, since a source is paused
// before its destination runs.
func judge(src, dst end) verdict {
	if !src.reached || !dst.reached {
		return unsettled
	}
	if src.postcopy() || dst.postcopy() {
		return unsettled
	}
	s, t := src.where(), dst.where()
	switch {
	case s == driver.IsRunning && t == driver.IsRunning:
		return split
	case t == driver.IsRunning && s == driver.IsAbsent:
		return moved
	case t == driver.IsRunning && !src.job.active():
		return leftover // paused or stopped
	case s == driver.IsRunning && !src.job.leaving() && (t == driver.IsAbsent || t == driver.IsStopped):
		return stayed
	case s != driver.IsRunning && t != driver.IsRunning && s != driver.IsPaused && t != driver.IsPaused:
		return lostBoth // absent or stopped at both
	}
	return unsettled
}

// removable tells whether the copy on the source may be destroyed and undefined: only when the
// destination runs on its own, and the copy is the same domain, without a job, not half of a
// post-copy migration, and does not run.
func removable(src, dst end) bool {
	return judge(src, dst) == leftover && src.uuid == dst.uuid && dst.where() == driver.IsRunning && !dst.job.active()
}
