package planner

import (
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// What is taken where nothing is known.
const (
	nicMbps  = 1000 // a host's link
	diskMiBs = 200  // saving to a host's disk and restoring from it
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

// bandwidth in MiB/s that one of several migrations at once has.
func (w *world) bandwidth(mbps float64) float64 {
	return mbps * 1e6 / 8 / (1 << 20) / float64(w.policy.MovesPerHost)
}

// converges tells whether pre-copy of a guest comes to an end over a link; with post-copy it always
// does.
func (w *world) converges(g *guest, mbps float64) bool {
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
	return ceilSecond(times.Save.Std() + seconds(float64(mib)/diskMiBs))
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

// spanOf is how long the parts of a turn take that do not depend on where instances go: expected
// and p99. outage is the part of it during which saved and stopped instances are away.
type spanOf struct{ all, outage time.Duration }

func (w *world) fixedSpans(h *host, t plan.Tactic, stops []stop) (expected, worst spanOf) {
	times := w.policy.Times
	expected.all = max(time.Second, times.Overhead.Std())
	worst.all = expected.all
	if len(stops) > 0 && t == plan.Refresh { // one after the other, each for its own time
		for i := range stops {
			save := w.saveTime(stops[i : i+1])
			expected.all += 2 * save
			worst.all += 2 * max(save, times.SaveMax.Std())
			expected.outage, worst.outage = max(expected.outage, 2*save), max(worst.outage, 2*max(save, times.SaveMax.Std()))
		}
		return expected, worst
	}
	if len(stops) > 0 {
		expected.outage, worst.outage = 2*w.saveTime(stops), 2*w.saveMax(stops)
	}
	if h.updates && t != plan.Refresh { // there it is done ahead
		update, most := times.UpdateIn(t)
		expected.all += update
		worst.all += most
	}
	if reboots(t) {
		expected.outage += times.Reboot.Std()
		worst.outage += max(times.Reboot.Std(), times.RebootMax.Std())
	}
	expected.all += expected.outage
	worst.all += worst.outage
	if len(stops) > 0 {
		expected.outage += times.Overhead.Std()
		worst.outage += times.Overhead.Std()
	}
	return expected, worst
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
	var drain time.Duration
	var stops []stop
	for _, g := range h.toDo() {
		switch {
		case h.can.livePatch:
		case w.mustStop(h, g):
			stops = append(stops, w.fallback(h, g))
		case !h.mayStop:
			drain += w.worstMove(w.moveTime(g, nic(h)))
		}
	}
	drain = (drain / time.Duration(w.policy.MovesPerHost)).Truncate(time.Second)
	stops = w.lightened(h, stops, drain)
	_, worst := w.fixedSpans(h, w.tacticOf(h, stops), stops)
	return worst.all + drain
}

// margin is kept where a plan's clock meets the world's: after the lead time, and at a slot's end.
func margin(d time.Duration) time.Duration {
	return ceilSecond(max(5*time.Second, min(d/100, time.Minute)))
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func ceilSecond(d time.Duration) time.Duration {
	return (d + time.Second - 1).Truncate(time.Second)
}
