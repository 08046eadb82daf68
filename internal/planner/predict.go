package planner

import (
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// What is taken where nothing is known.
const (
	nicMbps  = 1000 // a host's link
	resend   = 1.25 // memory sent, as a multiple of the guest's, when its dirty rate is not known
	tooDirty = 0.9  // of the link's rate: a guest that dirties more does not converge
	blink    = 300 * time.Millisecond
	worstOf  = 3 // p99 as a multiple of what is expected
)

func nic(h *host) float64 {
	if h.NICMbps > 0 {
		return float64(h.NICMbps)
	}
	return nicMbps
}

// between is the rate, in Mbit/s of a NIC, of the slowest of what a migration between two hosts goes over: the NICs at
// its ends and the links of the fleet.
func (w *world) between(a, b *host) float64 {
	rate := min(nic(a), nic(b))
	if len(a.links)+len(b.links) > 0 {
		rate, _ = w.policy.Slowest(rate, fleet.Over(a.links, b.links))
	}
	return rate
}

// tooSlow: at such a rate a guest's migration takes longer than policy waits, does not converge, or stops the guest for
// longer than a blip at its end.
func (w *world) tooSlow(g *guest, mbps float64) bool {
	return w.moveTime(g, mbps) > w.policy.Times.MigrateMax.Std() || !w.converges(g, mbps) || w.pause(g, mbps) > w.policy.Blackout.Std()
}

// pause is for how long a guest stands still at the end of a migration; 0: its hypervisor keeps that short.
func (w *world) pause(g *guest, mbps float64) time.Duration {
	if g.at == nil {
		return 0
	}
	return plan.LastRound(g.at.Hypervisor, float64(g.MemoryMiB), g.DirtyMiBps, w.bandwidth(mbps))
}

// bandwidth in MiB/s that one of several migrations at once has.
func (w *world) bandwidth(mbps float64) float64 {
	return mbps * 1e6 / 8 / (1 << 20) / float64(w.policy.MovesPerHost)
}

// converges tells whether pre-copy of a guest comes to an end over a link; with post-copy it always
// does, and on Xen, which stops the guest after some rounds.
func (w *world) converges(g *guest, mbps float64) bool {
	if g.at != nil && g.at.Hypervisor == fleet.Xen {
		return true // what it costs is its pause
	}
	return g.DirtyMiBps < tooDirty*w.bandwidth(mbps) || slices.Contains(w.policy.NonConverging, "post-copy")
}

// moveTime predicts one migration over a link, in whole seconds: the memory, with what must be sent
// again because the guest dirtied it meanwhile, at the share of the link that it gets when its host
// sends as many at once as policy allows.
func (w *world) moveTime(g *guest, mbps float64) time.Duration {
	rate := w.bandwidth(mbps)
	factor := resend
	switch dirty := g.DirtyMiBps / rate; {
	case dirty >= tooDirty:
		factor = 2 // sent once, then pulled by post-copy
	case dirty > 0:
		factor = max(resend, min(1/(1-dirty), 4))
	}
	t := w.policy.Times.MigrateBase.Std() + seconds(float64(g.MemoryMiB)/rate*factor)
	return max(time.Second, ceilSecond(t))
}

// worstMove is the p99 of a move that is expected to take so long.
func (w *world) worstMove(expected time.Duration) time.Duration {
	return max(expected, min(worstOf*expected, w.policy.Times.MigrateMax.Std()))
}

// saveTime predicts the saving, or the restoring, of several guests of one host.
func (w *world) saveTime(stops []stop) time.Duration {
	if len(stops) == 0 {
		return 0
	}
	var mib int64
	for _, s := range stops {
		if s.how == plan.DispStatefulStop {
			mib += s.guest.MemoryMiB
		}
	}
	return SaveTime(w.policy.Times, mib)
}

// SaveTime predicts the saving, or the restoring, of so much memory of one host, in whole seconds.
func SaveTime(times plan.Times, mib int64) time.Duration {
	return times.SaveOf(mib)
}

// saveMax is the p99 of saving, or of restoring, several guests of one host at once: what policy gives one of
// them, or half as much again as is predicted for all, whichever is longer.
func (w *world) saveMax(stops []stop) time.Duration {
	together := w.saveTime(stops)
	most := max(together, w.policy.Times.SaveMax.Std())
	if !slices.ContainsFunc(stops, func(s stop) bool { return s.how == plan.DispStatefulStop }) {
		return most
	}
	return max(most, ceilSecond(together*3/2))
}

// course is how long a turn takes from its wave's start to its end.
type course struct {
	all            plan.Course
	before, outage plan.Course // until saved and stopped instances go away; and until they are back
}

// spanOf is how long a turn takes, and the part of it during which saved and stopped instances are away.
type spanOf struct{ all, outage time.Duration }

// spans are what is expected of a course, and all its steps at their 99th percentile.
func (c *course) spans() (expected, worst spanOf) {
	return spanOf{c.all.Expected, c.outage.Expected}, spanOf{c.all.Worst, c.outage.Worst}
}

// foresee notes what a turn comes to, with all that other turns of its wave keep it waiting for.
func (w *world) foresee(d *draft, c course, expected, worst spanOf) {
	c.all = c.all.Then(expected.all-c.all.Expected, worst.all-c.all.Worst) // its instances wait for others, and go home
	d.expected, d.worst, d.outage = expected, worst, c.outage
	d.p95, d.p99 = max(expected.all, min(worst.all, c.all.At(0.95))), worst.all
	if w.policy.AutoSlots() {
		d.p99 = max(expected.all, min(worst.all, c.all.At(0.99)))
		d.worst.all = w.need(c)
	}
}

// then adds a step that nobody is away for.
func (c *course) then(expected, worst time.Duration) {
	c.all, c.before = c.all.Then(expected, worst), c.before.Then(expected, worst)
}

// away adds one that saved and stopped instances are away for.
func (c *course) away(expected, worst time.Duration) {
	c.all, c.outage = c.all.Then(expected, worst), c.outage.Then(expected, worst)
}

// need is the time that is kept free for a turn: all steps slow at once, or the slot that is made for it.
func (w *world) need(c course) time.Duration {
	if !w.policy.AutoSlots() {
		return c.all.Worst
	}
	return c.all.Slot(c.before, c.outage)
}

// spare is what a slot must have beyond what a turn needs. One that is made for the turn has it in itself.
func (w *world) spare() time.Duration {
	if w.policy.AutoSlots() {
		return 0
	}
	return margin(w.policy.Slot.Std())
}

// fixedCourse are the steps of a turn that do not depend on where instances go. Saves and restores go over one disk: if
// one is slow, all are, so together they are one step.
func (w *world) fixedCourse(h *host, t plan.Tactic, stops []stop) (c course) {
	times := h.times
	c.then(max(time.Second, times.Overhead.Std()), 0)
	if len(stops) > 0 && t == plan.Refresh { // one after the other, each for its own time
		var saves, most time.Duration
		for i := range stops {
			save := 2 * w.saveTime(stops[i:i+1])
			worst := max(save, 2*times.SaveMax.Std())
			saves, most = saves+save, most+worst
			if c.outage.Worst < worst || c.outage.Expected < save {
				c.outage = plan.Course{}.Then(max(c.outage.Expected, save), max(c.outage.Worst, worst))
			}
		}
		c.then(saves, most)
		return c
	}
	if h.updates && t != plan.Refresh { // there it is done ahead
		c.then(times.UpdateIn(t))
	}
	if len(stops) > 0 {
		c.away(2*w.saveTime(stops), 2*w.saveMax(stops))
	}
	if reboots(t) {
		c.away(times.Reboot.Std(), times.RebootMax.Std())
	}
	if len(stops) > 0 {
		c.outage = c.outage.Then(times.Overhead.Std(), 0)
	}
	return c
}

func reboots(t plan.Tactic) bool { return t == plan.Evacuate || t == plan.Suspend || t == plan.Reboot }

// leastWorst is a p99 that no turn of the host can undercut: its guests leave over its own link at
// the full concurrency, and nobody else is in the way.
func (w *world) leastWorst(h *host) time.Duration { return w.leastOf(h).worst }

// leastKnown is what is known of a turn beforehand, and what that depends on.
type leastKnown struct {
	can     tactics
	mayStop bool
	stays   bool
	changes int
	worst   time.Duration // what leastWorst gives
	class   harm          // what classOf gives
	wide    int           // what wideOf gives
}

func (w *world) leastOf(h *host) leastKnown {
	if k := &h.least; k.changes != h.changes || k.mayStop != h.mayStop || k.stays != h.stays || k.can != h.can {
		*k = leastKnown{h.can, h.mayStop, h.stays, h.changes, w.reckonLeast(h), w.reckonClass(h), w.wideOf(h)}
	}
	return h.least
}

func (w *world) reckonLeast(h *host) time.Duration {
	var drain, expected time.Duration
	var stops []stop
	for _, g := range h.toDo() {
		switch {
		case h.can.livePatch:
		case w.mustStop(h, g):
			stops = append(stops, w.fallback(h, g))
		case !h.mayStop:
			move := w.moveTime(g, nic(h))
			drain, expected = drain+w.worstMove(move), expected+move
		}
	}
	drain = (drain / time.Duration(w.policy.MovesPerHost)).Truncate(time.Second)
	stops = w.lightened(h, stops, drain)
	c := w.fixedCourse(h, w.tacticOf(h, stops), stops)
	c.then((expected / time.Duration(w.policy.MovesPerHost)).Truncate(time.Second), drain)
	return w.need(c)
}

// margin is kept where a plan's clock meets the world's: after the lead time, and at a slot's end.
func margin(d time.Duration) time.Duration {
	return ceilSecond(max(5*time.Second, min(d/100, time.Minute)))
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func ceilSecond(d time.Duration) time.Duration {
	return (d + time.Second - 1).Truncate(time.Second)
}
