package explain

import (
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// What is taken where nothing is known; as planning does.
const (
	nicMbps  = 1000
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

// between is the rate, in Mbit/s of a NIC, of the slowest of what a migration goes over.
func (s *scene) between(a, b *fleet.Host) float64 {
	rate, _ := s.policy.Slowest(min(nic(a), nic(b)), s.ix.LinksOver(a.ID, b.ID))
	return rate
}

// slowLink tells of the link that bounds the rate of a move between two hosts; nil: none does.
func (s *scene) slowLink(a, b *fleet.Host) *Reason {
	_, l := s.policy.Slowest(min(nic(a), nic(b)), s.ix.LinksOver(a.ID, b.ID))
	if l == nil {
		return nil
	}
	n := s.policy.OverLink()
	return &Reason{Code: codeLink, Have: l.Mbps / int64(n),
		Why: fmt.Sprintf("its rate is its share of link %s: %d Mbit/s among %d at once (moves_per_link) are less than the NICs would give it", l.ID, l.Mbps, n)}
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
	return s.policy.Times.SaveOf(mib)
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
// link at the full concurrency, and nobody else is in the way. Where slots are made for their turns, it is the
// slot that it needs at least.
func (a *asked) leastWorst(moves []*fleet.Instance) time.Duration {
	before, away := a.course(moves)
	if !a.policy.AutoSlots() {
		return before.Worst + away.Worst
	}
	return before.And(away).Slot(before, away)
}

// course is how long such a turn takes: until instances are stopped, and until they are back.
func (a *asked) course(moves []*fleet.Instance) (before, away plan.Course) {
	times, tactic := a.policy.TimesOf(a.h, a.t.Site), a.t.Tactic
	before = before.Then(max(time.Second, times.Overhead.Std()), 0)
	var usual, drain time.Duration
	for _, i := range moves {
		t := a.moveTime(i, nic(a.h))
		usual, drain = usual+t, drain+max(t, min(worstOf*t, times.MigrateMax.Std()))
	}
	at := time.Duration(max(1, a.policy.MovesPerHost))
	before = before.Then((usual / at).Truncate(time.Second), (drain / at).Truncate(time.Second))
	if tactic == plan.Refresh {
		saves := time.Duration(len(a.stops)) * 2 * times.SaveMax.Std()
		return before.Then(min(saves, 2*times.SaveOf(a.saved)), saves), away
	}
	if a.p.Target != nil {
		before = before.Then(times.UpdateIn(tactic))
	}
	if len(a.stops) > 0 {
		away = away.Then(min(2*a.saveTime(a.saved), 2*a.saveMax(a.saved)), 2*a.saveMax(a.saved))
	}
	if reboots(tactic) {
		away = away.Then(times.Reboot.Std(), times.RebootMax.Std())
	}
	return before, away
}

func reboots(t plan.Tactic) bool { return t == plan.Evacuate || t == plan.Suspend || t == plan.Reboot }

// margin is kept where a plan's clock meets the world's: after the lead time, and at a slot's end.
func margin(d time.Duration) time.Duration {
	return ceil(max(5*time.Second, min(d/100, time.Minute)))
}

func ceil(d time.Duration) time.Duration { return (d + time.Second - 1).Truncate(time.Second) }
