package simulated

import "github.com/evenkeel/evenkeel/internal/fleet"

// What tenants, balancers and links do to a fleet while a campaign is under way.

// OthersMove lets another actor move a running instance to a host, in one instant, and says whether it could: not
// while a migration of it is under way, nor to a host that is down, is cordoned or has no room.
func (w *World) OthersMove(instance, to string) (moved bool) {
	w.onHost(to, func(h *machine) {
		c := w.alone(instance)
		if c == nil || c.on == h || !h.up || h.cordoned || h.free() < c.of.spec.MemoryMiB || c.of.immovable(h) != "" {
			return
		}
		w.record(Record{Kind: OthersActed, Host: c.on.id, Instance: instance, To: to, Why: "moved by others"})
		there := w.define(c.of, h)
		w.setIdle(c, fleet.Paused, "pause")
		there.software = h.softwareFor(c.of)
		w.setRunning(there, "arrive")
		w.forget(c)
		moved = true
	})
	return moved
}

// OthersResize lets an owner change an instance's memory, and says whether its host allowed it.
func (w *World) OthersResize(instance string, memoryMiB int64) (done bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	c := w.alone(instance)
	if c == nil || memoryMiB <= 0 || c.on.free()+c.of.spec.MemoryMiB < memoryMiB {
		return false
	}
	c.of.spec.MemoryMiB = memoryMiB
	w.record(Record{Kind: OthersActed, Host: c.on.id, Instance: instance, Why: "resized by its owner"})
	return true
}

// alone is the one copy of an instance that runs on a host that is up, with nothing under way; else nil.
func (w *World) alone(instance string) *resident {
	i := w.instances[instance]
	if i == nil || i.removed || len(i.copies) != 1 {
		return nil
	}
	if c := i.copies[0]; c.state == fleet.Running && c.job == nil && c.busy == nil && c.on.up && !c.on.goingDown {
		return c
	}
	return nil
}

// SlowLink changes the rate of a host's link, in Mbit/s; migrations under way go on at the new one.
func (w *World) SlowLink(host string, mbps int64) {
	w.onHost(host, func(h *machine) {
		h.spec.NICMbps = mbps
		for _, m := range append([]*migration(nil), h.moves...) {
			w.rebalance(m.src.on)
			w.rebalance(m.dst.on)
		}
	})
}

// Up says whether a host is up.
func (w *World) Up(host string) (up bool) {
	w.onHost(host, func(h *machine) { up = h.up })
	return up
}

// OthersRestart lets another actor start an instance anew on a host after its own host was lost, as tools for high
// availability do, and says whether it could.
func (w *World) OthersRestart(instance, on string) (done bool) {
	w.onHost(on, func(h *machine) {
		i := w.instances[instance]
		if i == nil || i.removed || !h.up || h.cordoned || h.free() < i.spec.MemoryMiB || len(i.held()) > 0 || len(i.copies) != 1 || i.copies[0].on.up {
			return
		}
		w.forget(i.copies[0])
		w.record(Record{Kind: OthersActed, Host: on, Instance: instance, Why: "started anew by others"})
		w.start(w.define(i, h), "start")
		done = true
	})
	return done
}

// Residents lists what is defined on a host.
func (w *World) Residents(host string) (ids []string) {
	w.onHost(host, func(h *machine) {
		for _, c := range h.sortedCopies() {
			ids = append(ids, c.of.id)
		}
	})
	return ids
}
