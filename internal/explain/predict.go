package explain

import (
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// What is taken where nothing is known; as planning does.
const (
	nicMbps  = 1000
	diskMiBs = 200
	resend   = 1.25
	tooDirty = 0.9
	worstOf  = 3
)

func nic(h *fleet.Host) float64 {
	if h.NICMbps > 0 {
		return float64(h.NICMbps)
	}
	return nicMbps
}

// bandwidth in MiB/s that one of several migrations at once has.
func (s *scene) bandwidth(mbps float64) float64 {
	return mbps * 1e6 / 8 / (1 << 20) / float64(max(1, s.policy.MovesPerHost))
}

// moveTime predicts one migration over a link.
func (s *scene) moveTime(i *fleet.Instance, mbps float64) time.Duration {
	rate := s.bandwidth(mbps)
	factor := resend
	switch dirty := i.DirtyMiBps / rate; {
	case dirty >= tooDirty:
		factor = 2 // sent once, then pulled by post-copy
	case dirty > 0:
		factor = max(resend, min(1/(1-dirty), 4))
	}
	t := s.policy.Times.MigrateBase.Std() + time.Duration(float64(i.MemoryMiB)/rate*factor*float64(time.Second))
	return max(time.Second, ceil(t))
}

// saveTime predicts the saving, or the restoring, of so much memory.
func (s *scene) saveTime(mib int64) time.Duration {
	return ceil(s.policy.Times.Save.Std() + time.Duration(float64(mib)/diskMiBs*float64(time.Second)))
}

// saveMax is the p99 of saving, or of restoring, so much memory of one host at once; 0: of none, where
// instances are stopped.
func (s *scene) saveMax(mib int64) time.Duration {
	most := s.policy.Times.SaveMax.Std()
	if mib == 0 {
		return most
	}
	return max(most, ceil(s.saveTime(mib)*3/2))
}

// leastWorst is a p99 that the turn cannot undercut there, when these move: they leave over the host's own
// link at the full concurrency, and nobody else is in the way.
func (a *asked) leastWorst(moves []*fleet.Instance) time.Duration {
	times, tactic := a.policy.Times, a.t.Tactic
	worst := max(time.Second, times.Overhead.Std())
	var drain time.Duration
	for _, i := range moves {
		t := a.moveTime(i, nic(a.h))
		drain += max(t, min(worstOf*t, times.MigrateMax.Std()))
	}
	drain = (drain / time.Duration(max(1, a.policy.MovesPerHost))).Truncate(time.Second)
	if tactic == plan.Refresh {
		for range a.stops {
			worst += 2 * times.SaveMax.Std()
		}
		return worst + drain
	}
	if len(a.stops) > 0 {
		worst += 2 * a.saveMax(a.saved)
	}
	if a.p.Target != nil {
		_, most := times.UpdateIn(tactic)
		worst += most
	}
	if reboots(tactic) {
		worst += max(times.Reboot.Std(), times.RebootMax.Std())
	}
	return worst + drain
}

func reboots(t plan.Tactic) bool { return t == plan.Evacuate || t == plan.Suspend || t == plan.Reboot }

// margin is kept where a plan's clock meets the world's: after the lead time, and at a slot's end.
func margin(d time.Duration) time.Duration {
	return ceil(max(5*time.Second, min(d/100, time.Minute)))
}

func ceil(d time.Duration) time.Duration { return (d + time.Second - 1).Truncate(time.Second) }
