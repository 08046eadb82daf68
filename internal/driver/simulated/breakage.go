package simulated

import (
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// What becomes of a migration when one of its hosts breaks: the table of what libvirt and QEMU
// were seen to do.

// peerGone: a host of the migration lost its power. What ran there is lost already.
func (w *World) peerGone(m *migration, h *machine) {
	atSource := h == m.src.on
	switch {
	case m.phase == postCopy && atSource: // half of the memory was still there
		w.lose(m.dst, "the source went down in post-copy")
		w.forget(m.dst)
		w.endMove(m, codeFailed, "the source went down in post-copy")
	case m.phase == postCopy:
		w.forget(m.dst)
		w.endMove(m, codeFailed, "the destination went down in post-copy")
	case atSource:
		dst := m.dst
		w.endMove(m, codeFailed, "the source went down")
		w.after(w.times.Keepalive, func() {
			if dst.incoming && dst.on.copies[dst.of.id] == dst {
				w.forget(dst)
			}
		})
	default: // the source is blocked until its keepalive ends
		m.version++
		m.phase = blocked
		w.after(w.times.Keepalive, func() {
			w.breakMove(m, codeFailed, "unable to read from the destination: keepalive timeout")
		})
	}
}

// serviceKilled: the service of a host of the migration was killed; guests run on.
func (w *World) serviceKilled(m *migration, h *machine) {
	switch {
	case m.phase == postCopy: // the two monitors go on by themselves
	case h == m.dst.on:
		w.breakMove(m, codeFailed, "the destination's service ended")
	case m.phase == copying || m.phase == blocked:
		w.breakMove(m, codeInterrupted, "procedure interrupted: the service ended")
	default: // in the switch: nobody is left to resume or to undefine the source's half
		m.orphaned = true
		if m.dst.on.frozen.After(w.now) {
			w.orphan(m)
		}
	}
}

// orphan: the source's service is gone and the destination frozen in the switch. The destination
// runs once it thaws; the source's paused half stays behind.
func (w *World) orphan(m *migration) {
	src, dst := m.src, m.dst
	w.endMove(m, codeInterrupted, "procedure interrupted: the service ended")
	src.last = nil // a service that starts anew knows of no job
	w.after(dst.on.frozen.Sub(w.now)+200*time.Millisecond, func() {
		if dst.on.copies[dst.of.id] == dst && dst.incoming {
			dst.incoming = false
			dst.software = dst.on.softwareFor(dst.of)
			src.husk = true
			w.setRunning(dst, "arrive")
		}
	})
}

// keepalive ends a copy that stays silent for too long.
func (w *World) keepalive(m *migration) {
	since := m.silent
	w.after(w.times.Keepalive, func() {
		if m.phase == copying && m.silent.Equal(since) {
			w.breakMove(m, codeFailed, "the other end is silent: keepalive timeout")
		}
	})
}

// maybeOthers lets other actors refill a host that has just been emptied.
func (w *World) maybeOthers(h *machine) {
	for _, c := range h.copies {
		if c.state != fleet.Stopped {
			return
		}
	}
	if !w.chance.strikes(OthersStart) {
		return
	}
	w.after(time.Duration(w.chance.between(OthersStart, 0, 30)*float64(time.Second)), func() {
		w.othersStart(h, min(1024, h.spec.MemoryMiB/8))
	})
}

// othersStart starts an instance that the product has never heard of.
func (w *World) othersStart(h *machine, memoryMiB int64) string {
	if !h.up || h.cordoned || h.free() < memoryMiB {
		return ""
	}
	w.added++
	i := w.addInstance(fleet.Instance{ID: fmt.Sprintf("others-%d", w.added), Host: h.id, MemoryMiB: memoryMiB})
	w.record(Record{Kind: OthersActed, Host: h.id, Instance: i.id, Why: "started by others"})
	w.start(w.define(i, h), "start")
	return i.id
}
