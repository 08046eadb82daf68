package simulated

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// machine is one hypervisor machine as it really is.
type machine struct {
	id         string
	spec       fleet.Host
	up         bool
	goingDown  bool // a reboot was accepted
	bootID     string
	past       []string // boot ids of earlier boots
	installed  map[string]string
	booted     map[string]string
	running    map[string]string
	patches    []fleet.LivePatch // of the running kernel and hypervisor
	began      hypervisor        // the one of the fleet
	runs       hypervisor        // the one that runs, or ran last
	off        bool              // it has no power
	console    string            // what it printed since it was last switched on
	generation int64
	cordoned   bool
	serviceOff int       // reasons for which the service is off
	cutUntil   time.Time // no packet reaches it or leaves it
	frozen     time.Time // nothing of its service moves until then
	updating   *work
	copies     map[string]*resident // by instance
	moves      []*migration         // from or to here, under way
}

// addHost makes a host of the fleet, booted. A host whose fleet entry tells only one of installed,
// booted and running has that version in all three.
func (w *World) addHost(spec fleet.Host) {
	sw := spec.Software
	installed := firstOf(sw.Installed, sw.Booted, sw.Running)
	booted := firstOf(sw.Booted, sw.Installed, sw.Running)
	h := &machine{
		id: spec.ID, spec: spec, up: spec.Health != fleet.Down,
		installed: installed, booted: booted, running: firstOf(sw.Running, booted),
		copies: map[string]*resident{}, patches: slices.Clone(sw.LivePatches),
	}
	h.spec.Pools = slices.Clone(spec.Pools)
	h.spec.Capabilities = slices.Clone(spec.Capabilities)
	if h.bootID = spec.BootID; h.bootID == "" {
		h.bootID = w.newBootID(h)
	}
	w.hosts[h.id] = h
	w.firstHypervisor(h)
	if h.off = !h.up; h.up {
		h.prints(consoleOf(h, ""))
	}
	if h.up {
		w.record(Record{Kind: HostBooted, Host: h.id, BootID: h.bootID, BuildID: h.runs.build, Booted: maps.Clone(h.booted), Why: "beginning"})
	}
}

// firstOf copies the first map that says something.
func firstOf(ms ...map[string]string) map[string]string {
	for _, m := range ms {
		if len(m) > 0 {
			return maps.Clone(m)
		}
	}
	return map[string]string{}
}

func (w *World) newBootID(h *machine) string {
	s := w.chance.stream(Fault("boot id of " + h.id))
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", s.Uint32(), s.Uint32()&0xffff, s.Uint32()&0xfff, 0x8000|s.Uint32()&0x3fff, s.Uint64()&0xffffffffffff)
}

// free is the memory that nobody on the host holds.
func (h *machine) free() int64 {
	free := h.spec.MemoryMiB
	for _, c := range h.copies {
		if c.state != fleet.Stopped {
			free -= c.of.spec.MemoryMiB
		}
	}
	return free
}

// softwareFor is what an instance that starts here now runs on: the versions of the packages that
// its own monitor tells of, or of all when the fleet does not say. A QEMU process begins from what is
// installed, whatever ran before.
func (h *machine) softwareFor(i *instance) map[string]string {
	begins := maps.Clone(h.running)
	for pkg, v := range h.installed {
		if h.spec.Hypervisor == fleet.KVM && strings.HasPrefix(pkg, "qemu") {
			begins[pkg] = v
		}
	}
	if len(i.spec.Running) == 0 {
		return begins
	}
	on := map[string]string{}
	for pkg := range i.spec.Running {
		if v, ok := begins[pkg]; ok {
			on[pkg] = v
		} else {
			on[pkg] = i.spec.Running[pkg]
		}
	}
	return on
}

// linked says that packets reach the host's machine.
func (h *machine) linked(now time.Time) bool { return h.up && !h.cutUntil.After(now) }

// live says that a migration's data can flow through the host.
func (h *machine) live(now time.Time) bool { return h.linked(now) && !h.frozen.After(now) }

// sortedCopies lists what is defined on the host, by instance.
func (h *machine) sortedCopies() []*resident {
	cs := make([]*resident, 0, len(h.copies))
	for _, id := range slices.Sorted(maps.Keys(h.copies)) {
		cs = append(cs, h.copies[id])
	}
	return cs
}

// orderReboot takes an order whose guard has been passed.
func (w *World) orderReboot(h *machine) {
	w.record(Record{Kind: HostTold, Host: h.id, BootID: h.bootID})
	if w.chance.strikes(SameBoot) {
		return
	}
	h.goingDown = true
	bootID := h.bootID
	w.after(w.times.Down, func() {
		if h.up && h.bootID == bootID {
			w.goDown(h, "reboot")
			w.bootLater(h)
		}
	})
}

// goDown takes a host's power away: all that runs there is lost.
func (w *World) goDown(h *machine, why string) {
	h.up, h.goingDown, h.off = false, false, strings.HasPrefix(why, "power")
	if why == "reboot" {
		h.prints(shutdownText)
	}
	if h.updating != nil {
		h.updating.giveUp()
		h.updating = nil
	}
	w.record(Record{Kind: HostWentDown, Host: h.id, Why: why})
	for _, c := range h.sortedCopies() {
		w.lose(c, "its host went down: "+why)
	}
	for _, m := range slices.Clone(h.moves) {
		w.peerGone(m, h)
	}
}

// startAll starts what is stopped on a host that has booted, and runs nowhere else.
func (w *World) startAll(h *machine) {
	for _, c := range h.sortedCopies() {
		if h.up && c.state == fleet.Stopped && !c.saved && len(c.of.held()) == 0 && h.free() >= c.of.spec.MemoryMiB {
			w.start(c, "autostart")
		}
	}
}

// flap lets the host's service come and go for a while, when that fault strikes.
func (w *World) flap(h *machine) {
	if !w.chance.strikes(Flaps) {
		return
	}
	for i := range 3 {
		w.after(time.Duration(i)*20*time.Second, func() { w.serviceDown(h, 10*time.Second, "flaps") })
	}
}

// serviceDown kills the host's service; it is back after a while. Guests run on.
func (w *World) serviceDown(h *machine, d time.Duration, why string) {
	if !h.up {
		return
	}
	w.record(Record{Kind: ServiceOff, Host: h.id, Why: why})
	h.serviceOff++
	bootID := h.bootID
	w.after(d, func() {
		if h.up && h.bootID == bootID && h.serviceOff > 0 {
			h.serviceOff--
			w.record(Record{Kind: ServiceOn, Host: h.id})
		}
	})
	for _, m := range slices.Clone(h.moves) {
		w.serviceKilled(m, h)
	}
}

// cut takes the host off every network for a while.
func (w *World) cut(h *machine, d time.Duration) {
	h.cutUntil = later(h.cutUntil, w.now.Add(d))
	w.record(Record{Kind: HostGone, Host: h.id, Why: "cut off for " + d.String()})
	w.stall(h, d)
}

// freeze stops the host's service and its half of each migration for a while; guests that run run on.
func (w *World) freeze(h *machine, d time.Duration) {
	h.frozen = later(h.frozen, w.now.Add(d))
	w.record(Record{Kind: HostGone, Host: h.id, Why: "frozen for " + d.String()})
	w.stall(h, d)
}

// stall stops the data of the host's migrations until it is live again.
func (w *World) stall(h *machine, d time.Duration) {
	w.rebalance(h)
	w.after(d, func() {
		if h.live(w.now) {
			w.record(Record{Kind: HostBack, Host: h.id})
			w.rebalance(h)
		}
	})
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
