package simulated

import (
	"math"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// phase of a migration.
type phase int

const (
	copying   phase = iota // the source runs, memory flows
	switching              // the source is paused, the destination not yet running
	postCopy               // the destination runs, the rest of the memory follows
	blocked                // the destination lost its power, and the source has not noticed yet
	ended                  // nothing is under way any more
)

// migration is one live migration as it really goes: pre-copy in passes, each of which sends what
// the guest dirtied during the one before, until the rest fits the blackout.
type migration struct {
	src, dst     *resident
	phase        phase
	began        time.Time
	autoConverge bool
	bandwidth    float64 // limit in MiB/s; 0: none

	pass, left float64 // MiB of this pass, and what is left of them
	passBegan  time.Time
	lastAt     time.Time // left is as of then
	rate       float64   // MiB/s since then
	silent     time.Time // since when nothing flows; zero: it does
	throttle   float64
	iteration  int
	version    uint64 // an appointment made for an older version is stale

	pausedAt time.Time
	wantPost bool // the switch is one to post-copy
	orphaned bool // the source's service died in the switch: its copy stays behind, paused

	code, why string // how it ended; "" is well
	blackout  time.Duration
	total     time.Duration

	plan moveFaults
}

// moveFaults is what will go wrong with one migration, drawn at its beginning.
type moveFaults struct {
	stuck      bool
	hang       time.Duration // the destination freezes for so long at the switch
	serviceOff bool          // and the source's service is killed meanwhile
	atSwitch   func()
	atEnd      func()
}

// defaultNICMbps is taken for a host whose fleet entry has no NIC rate.
const defaultNICMbps = 10_000

func (h *machine) nicMiBps() float64 {
	mbps := h.spec.NICMbps
	if mbps <= 0 {
		mbps = defaultNICMbps
	}
	return float64(mbps) * 1e6 / 8 / (1 << 20)
}

// beginMove starts a migration that the source has accepted.
func (w *World) beginMove(src *resident, to *machine, c Call) {
	if w.chance.strikes(LieCompleted) {
		src.last = &migration{src: src, phase: ended, blackout: w.times.Switch, total: time.Second}
		w.record(Record{Kind: Lied, Host: src.on.id, Instance: src.of.id, To: to.id, Why: "completed, and nothing was done"})
		return
	}
	dst := w.define(src.of, to)
	dst.state, dst.incoming = fleet.Paused, true
	memory := float64(src.of.spec.MemoryMiB)
	m := &migration{
		src: src, dst: dst, began: w.now, autoConverge: c.AutoConverge, bandwidth: float64(c.BandwidthMiB),
		pass: memory, left: memory, passBegan: w.now, lastAt: w.now, iteration: 1,
	}
	if l := w.times.Moves; l.Given() {
		if own := memory / max(0.001, w.lasts("move lasts", l, 0).Seconds()); m.bandwidth == 0 || own < m.bandwidth {
			m.bandwidth = own
		}
	}
	src.job = m
	src.on.moves = append(src.on.moves, m)
	to.moves = append(to.moves, m)
	w.record(Record{Kind: MoveBegan, Host: src.on.id, Instance: src.of.id, To: to.id})
	w.drawMoveFaults(m)
	w.rebalance(src.on)
	w.rebalance(to)
}

// drawMoveFaults decides what will go wrong with a migration.
func (w *World) drawMoveFaults(m *migration) {
	c := w.chance
	inCopy := func(f Fault) time.Duration { return w.inCopy(m, f) }
	if c.strikes(MigrationFails) {
		w.failInCopy(m, MigrationFails, "internal error: the stream to the destination ended early")
	}
	if c.strikes(MoveKills) {
		w.after(w.inCopy(m, MoveKills), func() {
			if m.phase == copying {
				w.breakMove(m, codeFailed, "operation failed: domain is not running")
				w.lose(m.src, "its process died in a migration")
			}
		})
	}
	m.plan.stuck = c.strikes(MigrationStuck)
	if c.strikes(FinishHangs) {
		m.plan.hang = time.Duration(c.between(FinishHangs, 40, 90) * float64(time.Second))
	}
	if c.strikes(FinishServiceOff) {
		m.plan.hang = time.Duration(c.between(FinishServiceOff, 40, 90) * float64(time.Second))
		m.plan.serviceOff = true
	}
	dies := func(f Fault, h *machine) {
		if !c.strikes(f) {
			return
		}
		die := func() {
			if h.up {
				w.goDown(h, "power cut")
				w.bootLater(h)
			}
		}
		switch c.stream(f).IntN(3) {
		case 0:
			w.after(inCopy(f), die)
		case 1:
			m.plan.atSwitch = die
		case 2:
			m.plan.atEnd = func() { w.after(inCopy(f), die) }
		}
	}
	dies(DestinationDies, m.dst.on)
	dies(SourceDies, m.src.on)
	if c.strikes(OthersRemove) {
		i := m.src.of
		w.after(time.Duration(c.between(OthersRemove, 0, 30)*float64(time.Second)), func() {
			if !i.removed {
				w.remove(i, "removed by its owner")
			}
		})
	}
}

// inCopy draws a moment of a migration's first pass, counted from its beginning.
func (w *World) inCopy(m *migration, f Fault) time.Duration {
	expected := float64(m.src.of.spec.MemoryMiB) / max(1, min(m.src.on.nicMiBps(), m.dst.on.nicMiBps()))
	return time.Duration(w.chance.between(f, 0, expected) * float64(time.Second))
}

// failInCopy has the hypervisor give a migration up in its first pass.
func (w *World) failInCopy(m *migration, f Fault, why string) {
	w.after(w.inCopy(m, f), func() {
		if m.phase == copying {
			w.breakMove(m, codeFailed, why)
		}
	})
}

// flows says that the migration's memory is being sent.
func (m *migration) flows() bool { return m.phase == copying || m.phase == postCopy }

// share is the rate that a migration gets now: an equal part of the busier link.
func (w *World) share(m *migration) float64 {
	if !m.src.on.live(w.now) || !m.dst.on.live(w.now) {
		return 0
	}
	part := func(h *machine) float64 {
		n := 0
		for _, o := range h.moves {
			if o.flows() {
				n++
			}
		}
		return h.nicMiBps() / float64(max(n, 1))
	}
	rate := min(part(m.src.on), part(m.dst.on))
	if m.phase == copying && m.bandwidth > 0 {
		rate = min(rate, m.bandwidth)
	}
	return rate
}

// rebalance gives each migration of a host its present share.
func (w *World) rebalance(h *machine) {
	for _, m := range h.moves {
		w.retime(m)
	}
}

// retime books what was sent since the last look, and makes the appointment for the pass's end.
func (w *World) retime(m *migration) {
	if !m.flows() {
		return
	}
	m.left = m.leftAt(w.now)
	m.lastAt = w.now
	m.rate = w.share(m)
	m.version++
	if m.rate <= 0 {
		if m.silent.IsZero() {
			m.silent = w.now
			w.keepalive(m)
		}
		return
	}
	m.silent = time.Time{}
	version := m.version
	w.after(time.Duration(math.Ceil(m.left/m.rate*float64(time.Second))), func() {
		if m.version == version {
			m.left, m.lastAt = 0, w.now
			w.passEnds(m)
		}
	})
}

func (m *migration) leftAt(now time.Time) float64 {
	return max(0, m.left-m.rate*now.Sub(m.lastAt).Seconds())
}

// dirtied is how much the guest dirtied since the pass began.
func (m *migration) dirtied(now time.Time) float64 {
	if m.plan.stuck {
		return m.pass
	}
	rate := m.src.of.spec.DirtyMiBps * (1 - m.throttle)
	return min(float64(m.src.of.spec.MemoryMiB), rate*now.Sub(m.passBegan).Seconds())
}

func (w *World) passEnds(m *migration) {
	if m.phase == postCopy {
		w.moveDone(m)
		return
	}
	dirtied := m.dirtied(w.now)
	if !m.plan.stuck && dirtied <= m.rate*w.times.Blackout.Seconds() {
		w.switchOver(m, time.Duration(dirtied/m.rate*float64(time.Second)))
		return
	}
	if m.autoConverge && m.iteration >= 2 && dirtied > m.pass/2 {
		m.throttle = min(0.99, max(0.2, m.throttle+0.1)) // QEMU's own steps
	}
	m.iteration++
	m.pass, m.left, m.passBegan, m.lastAt = dirtied, dirtied, w.now, w.now
	w.retime(m)
}

// switchOver pauses the source, and lets the destination run after the rest is sent.
func (w *World) switchOver(m *migration, rest time.Duration) {
	m.phase = switching
	m.pausedAt = w.now
	m.version++
	w.rebalance(m.src.on)
	w.rebalance(m.dst.on)
	w.setIdle(m.src, fleet.Paused, "pause")
	if m.plan.atSwitch != nil {
		m.plan.atSwitch()
	}
	if m.phase == ended {
		return
	}
	if m.plan.hang > 0 {
		w.freeze(m.dst.on, m.plan.hang)
		if m.plan.serviceOff {
			src := m.src.on
			w.after(5*time.Second, func() { w.serviceDown(src, 3*time.Second, "killed") })
		}
	}
	version := m.version
	w.after(rest+w.times.Switch, func() { w.finish(m, version) })
}

// finish is the moment at which the destination should begin to run.
func (w *World) finish(m *migration, version uint64) {
	if m.version != version || m.phase != switching {
		return
	}
	if m.dst.on.live(w.now) && m.src.on.linked(w.now) {
		w.arrive(m)
		return
	}
	back := later(later(m.dst.on.frozen, m.dst.on.cutUntil), m.src.on.cutUntil)
	giveUp := m.pausedAt.Add(w.times.Keepalive)
	if back.After(giveUp) && !w.now.Before(giveUp) {
		w.cancelSwitch(m)
		return
	}
	if back.After(giveUp) {
		back = giveUp
	}
	w.after(back.Sub(w.now), func() { w.finish(m, version) })
}

// cancelSwitch is what the source does when the destination was silent for too long in the switch:
// it runs again. A destination that was cut off drops its half; one that was only frozen knows
// nothing of it, and runs as well once it thaws.
func (w *World) cancelSwitch(m *migration) {
	dst := m.dst
	if dst.on.frozen.After(w.now) {
		w.after(dst.on.frozen.Sub(w.now)+200*time.Millisecond, func() {
			if dst.on.copies[dst.of.id] == dst && dst.incoming {
				dst.incoming = false
				dst.software = dst.on.softwareFor(dst.of)
				w.setRunning(dst, "arrive")
			}
		})
		w.endMove(m, codeFailed, "migration canceled: no answer from the destination")
		w.resumeSource(m)
		return
	}
	w.breakMove(m, codeFailed, "migration canceled: no answer from the destination")
}

// arrive lets the destination run.
func (w *World) arrive(m *migration) {
	m.dst.incoming = false
	m.dst.software = m.dst.on.softwareFor(m.dst.of)
	w.setRunning(m.dst, "arrive")
	m.blackout = w.now.Sub(m.pausedAt)
	m.src.husk = true
	if m.wantPost {
		left := min(m.src.of.spec.MemoryMiB, int64(m.left)+1)
		m.phase, m.pass, m.left, m.passBegan, m.lastAt, m.rate = postCopy, float64(left), float64(left), w.now, w.now, 0
		w.rebalance(m.src.on)
		w.rebalance(m.dst.on)
		return
	}
	w.moveDone(m)
}

// moveDone ends a migration well. The source knows nothing of the instance any more, unless its
// service died in the switch.
func (w *World) moveDone(m *migration) {
	src := m.src
	if !m.orphaned {
		w.forget(src)
	}
	m.dst.last = m
	w.detach(m)
	m.total = w.now.Sub(m.began)
	w.record(Record{Kind: MoveDone, Host: src.on.id, Instance: src.of.id, To: m.dst.on.id})
	if m.plan.atEnd != nil {
		m.plan.atEnd()
	}
	w.maybeOthers(src.on)
}

// endMove ends a migration badly.
func (w *World) endMove(m *migration, code, why string) {
	m.code, m.why = code, why
	m.total = w.now.Sub(m.began)
	m.src.last = m
	w.detach(m)
	w.record(Record{Kind: MoveBroke, Host: m.src.on.id, Instance: m.src.of.id, To: m.dst.on.id, Why: why})
}

// resumeSource lets the source run again, if it was paused for the switch.
func (w *World) resumeSource(m *migration) {
	if m.src.state == fleet.Paused && !m.src.husk {
		w.setRunning(m.src, "resume")
	}
}

// breakMove ends a migration badly, drops the destination's half and lets the source run again.
func (w *World) breakMove(m *migration, code, why string) {
	if m.phase == ended {
		return
	}
	if m.dst.incoming && m.dst.on.copies[m.dst.of.id] == m.dst {
		w.forget(m.dst)
	}
	w.endMove(m, code, why)
	w.resumeSource(m)
}

// detach takes a migration off both hosts.
func (w *World) detach(m *migration) {
	m.phase = ended
	m.version++
	m.src.job = nil
	for _, h := range []*machine{m.src.on, m.dst.on} {
		h.moves = slices.DeleteFunc(h.moves, func(o *migration) bool { return o == m })
		w.rebalance(h)
	}
}
