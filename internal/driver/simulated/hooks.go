package simulated

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// What tests, drills and the auditor ask of the world and do to it, beside the product.

// Log is all that has happened so far.
func (w *World) Log() []Record {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	return slices.Clone(w.log)
}

// Verdict sums up what has happened so far, over the fleet's hosts and those of its instances that ran at
// the beginning.
func (w *World) Verdict() Verdict {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	return w.tally.Verdict(w.hostIDs, w.ids)
}

// RunningOn lists the hosts on which an instance runs at this moment.
func (w *World) RunningOn(instance string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	return slices.Clone(w.tally.Running[instance])
}

// Killed lists the instances that lost their memory, once for each time.
func (w *World) Killed() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	return slices.Clone(w.tally.Killed)
}

// DoubleRun lists the instances that ran in two places, once for each time.
func (w *World) DoubleRun() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	return slices.Clone(w.tally.Doubled)
}

// Blackouts gives each instance's longest gap between running and running on.
func (w *World) Blackouts() map[string]time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	return maps.Clone(w.tally.Blackout)
}

// Reboots counts each host's boots since the beginning.
func (w *World) Reboots() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	return maps.Clone(w.tally.Boots)
}

// Hits counts how often each fault struck.
func (w *World) Hits() map[Fault]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.chance.hits)
}

// BootID is the host's boot id at this moment.
func (w *World) BootID(host string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	return w.mustHost(host).bootID
}

// Break changes what goes wrong from now on.
func (w *World) Break(f Faults) error {
	if err := f.Check(); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for host := range f.Returns {
		if w.hosts[host] == nil {
			return fmt.Errorf("returns of host %s: %w", host, ErrNoHost)
		}
	}
	w.advance()
	w.chance.set(f)
	return nil
}

// SetFaults is Break for those who know that the faults are sound: it panics where they are not.
func (w *World) SetFaults(f Faults) {
	if err := w.Break(f); err != nil {
		panic("simulated: " + err.Error())
	}
}

func (w *World) has(host string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.hosts[host] != nil
}

// Force makes a fault strike at each of its next n opportunities, whatever its rate.
func (w *World) Force(f Fault, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, known := w.chance.rates[f]; !known {
		panic("simulated: there is no fault " + string(f))
	}
	w.chance.forced[f] += n
}

// Cut takes a host off every network for a while.
func (w *World) Cut(host string, d time.Duration) {
	w.onHost(host, func(h *machine) { w.cut(h, d) })
}

// Rejoin ends a Cut and a Freeze now.
func (w *World) Rejoin(host string) {
	w.onHost(host, w.rejoin)
}

func (w *World) rejoin(h *machine) {
	h.cutUntil, h.frozen = w.now, w.now
	w.record(Record{Kind: HostBack, Host: h.id})
	w.rebalance(h)
}

// Freeze stops a host's service and its half of each migration for a while; its guests run on.
func (w *World) Freeze(host string, d time.Duration) {
	w.onHost(host, func(h *machine) { w.freeze(h, d) })
}

// KillService kills a host's service; it is back after d. Guests run on.
func (w *World) KillService(host string, d time.Duration) {
	w.onHost(host, func(h *machine) { w.serviceDown(h, d, "killed") })
}

// PowerOff takes a host's power; it stays down until PowerOn.
func (w *World) PowerOff(host string) {
	w.onHost(host, func(h *machine) {
		if h.up {
			w.goDown(h, "power off")
		}
	})
}

// PowerOn boots a host that is down.
func (w *World) PowerOn(host string) {
	w.onHost(host, func(h *machine) {
		if !h.up {
			w.boot(h, "")
		}
	})
}

// KillIncoming kills the receiving half of an instance's migration, and says whether there was one.
func (w *World) KillIncoming(instance string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	if i := w.instances[instance]; i != nil {
		for _, c := range i.copies {
			if c.job != nil && c.job.dst.incoming {
				w.breakMove(c.job, codeFailed, "the receiving process ended")
				return true
			}
		}
	}
	return false
}

// OthersStart lets another actor start an instance on a host, and gives its id: "" when the host
// takes none (down, cordoned, no room).
func (w *World) OthersStart(host string, memoryMiB int64) (id string) {
	w.onHost(host, func(h *machine) { id = w.othersStart(h, memoryMiB) })
	return id
}

// OthersRemove lets another actor remove an instance, wherever it is.
func (w *World) OthersRemove(instance string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	if i := w.instances[instance]; i != nil && !i.removed {
		w.remove(i, "removed by others")
	}
}

// KillCopy ends what a host runs of an instance, as a fence or a person would.
func (w *World) KillCopy(host, instance string) {
	w.onHost(host, func(h *machine) {
		c := h.copies[instance]
		if c == nil {
			return
		}
		if c.job != nil {
			w.breakMove(c.job, codeFailed, "the guest was killed")
		}
		w.record(Record{Kind: OthersActed, Host: h.id, Instance: instance, Why: "killed by hand"})
		w.lose(c, "killed by hand")
		if c.state == fleet.Stopped && h.copies[instance] == c && len(c.of.copies) > 1 {
			w.forget(c)
		}
	})
}

func (w *World) onHost(id string, do func(*machine)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	do(w.mustHost(id))
}

// mustHost panics for a host that is not in the world: the caller made a mistake.
func (w *World) mustHost(id string) *machine {
	h := w.hosts[id]
	if h == nil {
		panic("simulated: there is no host " + id)
	}
	return h
}
