package simulated

import (
	"maps"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/fleet"
)

// How hosts come back from a reboot, well or wrong, and what can be seen of that from outside.

// well is the name of no fault in Faults.Returns.
const well Fault = "well"

// wrongReturns are the ways in which a reboot may come out wrong, in the order in which they are drawn.
var wrongReturns = []Fault{NeverReturns, StaysOff, NoDom0, NoNetwork, BootsOld, OldBuild}

// unmended is how long a host without network stays so, if nobody mends it.
const unmended = 100 * 365 * 24 * time.Hour

// drawReturn decides what a reboot comes to; "": well.
func (w *World) drawReturn(h *machine) Fault {
	if next := w.chance.next[h.id]; len(next) > 0 {
		w.chance.next[h.id] = next[1:]
		if next[0] == well {
			return ""
		}
		w.chance.hits[next[0]]++
		return next[0]
	}
	for _, f := range wrongReturns {
		if (f != OldBuild || h.spec.Hypervisor == fleet.Xen) && w.chance.strikes(f) {
			return f
		}
	}
	return ""
}

// bootLater lets a host that is down come back, or not.
func (w *World) bootLater(h *machine) {
	how := w.drawReturn(h)
	if how != "" {
		w.record(Record{Kind: HostWrong, Host: h.id, Why: string(how)})
	}
	switch how {
	case NeverReturns:
		h.off = false // it hangs before its console says anything
		return
	case StaysOff:
		h.off = true
		return
	}
	spread := w.chance.between("reboot", float64(w.times.RebootMin), float64(w.times.RebootMax))
	bootID := h.bootID
	w.after(w.lasts("reboot lasts", w.times.Reboots, time.Duration(spread)), func() {
		if !h.up && h.bootID == bootID {
			w.boot(h, how)
			w.mayReset(h)
		}
	})
}

// hasNoNetwork: it came up so, and nobody has mended it.
func (w *World) hasNoNetwork(h *machine) bool { return h.cutUntil.Sub(w.now) > unmended/2 }

// boot brings a host up: well, or as a fault has it.
func (w *World) boot(h *machine, how Fault) {
	if h.off {
		h.off, h.console = false, ""
	}
	if how == NoDom0 {
		h.prints(consoleOf(h, how))
		return
	}
	h.past = append(h.past, h.bootID)
	h.up, h.goingDown, h.serviceOff, h.frozen = true, false, 0, time.Time{}
	h.bootID = w.newBootID(h)
	if w.hasNoNetwork(h) {
		h.cutUntil = w.now
	}
	if how != BootsOld {
		h.booted = maps.Clone(h.installed)
	}
	if how != BootsOld && how != OldBuild {
		h.runs = w.hypervisorOf(h, h.booted)
	}
	h.running, h.patches = maps.Clone(h.booted), nil
	h.prints(consoleOf(h, how))
	w.record(Record{Kind: HostBooted, Host: h.id, BootID: h.bootID, Booted: maps.Clone(h.booted), BuildID: h.runs.build})
	if how == NoNetwork {
		w.cut(h, unmended)
	}
	if w.autostart {
		w.after(w.times.Start, func() { w.startAll(h) })
	}
	w.flap(h)
}

// mayReset lets a host reset itself some time after a live patch or a reboot, with all that runs there.
func (w *World) mayReset(h *machine) {
	if !w.chance.strikes(RebootsItself) {
		return
	}
	bootID := h.bootID
	w.after(time.Duration(w.chance.between(RebootsItself, 0, float64(40*time.Minute))), func() {
		if h.up && h.bootID == bootID {
			w.goDown(h, "it reset itself")
			w.bootLater(h)
		}
	})
}

// Mend makes a host answer again: one that is down or hangs is booted, one without network gets it back.
func (w *World) Mend(host string) {
	w.onHost(host, func(h *machine) {
		if !h.up {
			w.boot(h, "")
		} else if w.hasNoNetwork(h) {
			w.rejoin(h)
		}
	})
}

// probed is the answer of a host's power supply and console, which the host's own troubles do not touch.
func (w *World) probed(h *machine, t *trip) (Answer, error) {
	if err := t.wait(2 * w.times.Latency); err != nil {
		return Answer{}, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	p := driver.Probe{Power: driver.PowerOn, Console: h.console}
	switch {
	case w.chance.strikes(ProbeMute):
		p = driver.Probe{}
		w.record(Record{Kind: HostMute, Host: h.id})
	case h.off:
		p = driver.Probe{Power: driver.PowerOff}
	}
	return Answer{Probe: &p}, nil
}

// Truth is what a host really is at this moment, whatever it tells.
type Truth struct {
	Up      bool
	Power   driver.Power
	Boots   int               // after the beginning
	BuildID string            // of the Xen that runs
	Xen     map[string]string // its packages' versions
	Shadow  bool              // PV guests can be migrated away
	Patches []fleet.LivePatch
}

// Truth tells it.
func (w *World) Truth(host string) (t Truth) {
	w.onHost(host, func(h *machine) {
		t = Truth{Up: h.up, Power: driver.PowerOn, Boots: w.tally.Boots[host], BuildID: h.runs.build, Xen: maps.Clone(h.runs.versions),
			Shadow: h.runs.caps == nil || slices.Contains(h.runs.caps, "shadow"), Patches: slices.Clone(h.patches)}
		if h.off {
			t.Power = driver.PowerOff
		}
	})
	return t
}
