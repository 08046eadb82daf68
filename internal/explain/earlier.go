package explain

import (
	"fmt"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// The codes of what keeps a turn from an earlier wave.
const (
	codeCanary     = "canary"         // a stage's canary goes alone
	codeKind       = "wave-kind"      // live patches and other turns do not share a wave
	codePatches    = "after-patches"  // deferred reboots follow all live patches
	codeGrowth     = "wave-growth"    // the wave is as large as it may be
	codeAway       = "max-away"       // the share of the pool, the rack or the region is away
	codeHostGroup  = "host-group"     // a host group can spare no other host
	codeStagger    = "stagger"        // another rack, site or region is being disrupted, or was just before
	codeGroup      = "group"          // a group can spare no other member
	codeMinStay    = "min-stay"       // an instance landed on the host just before
	codeTakesIn    = "takes-in"       // the host takes instances in then
	codeLead       = "lead"           // tenants could not be told in time
	codeWindow     = "window"         // no window of the host's place is open
	codeSlot       = "slot-too-short" // what is left of the slot is shorter than the turn
	codeRoom       = "no-room"        // its instances find no room beside the others of the wave
	codeReserve    = "reserve"        // the pool's reserve would be eaten
	codeNotReady   = "not-prepared"   // hosts get the new software first
	codeLink       = "link-share"     // a link's share bounds the rate of a move
	codeLinks      = "moves-per-pool" // the wave's migrations take all of its slot
	codeCostsMoves = "costs-moves"    // it could be, with moves that are to be done again
	codeOrder      = "order"          // nothing forbids it: others were taken first
)

// asked is one turn put into one earlier wave, all else as planned.
type asked struct {
	*scene
	t            *plan.Turn
	h            *fleet.Host
	wave         int // its number
	w            *wave
	stops, moves []*fleet.Instance // those on the host by then, by what the plan does to them
	saved        int64             // MiB of those that the plan saves
	least        time.Duration     // that the turn might take at worst
	reasons      []Reason
}

// earlier asks of each wave before a turn's own what keeps the turn from it.
func (s *scene) earlier(t *plan.Turn) (out []Earlier) {
	does := s.dispositions(t)
	for n := 1; n < t.Wave; n++ {
		a := &asked{scene: s, t: t, h: s.ix.Hosts[t.Host], wave: n, w: &s.waves[n-1]}
		for _, i := range s.guests(t.Host, n) {
			switch plan.ClassOf(does[i.ID]) {
			case plan.ClassOutage:
				a.stops = append(a.stops, i)
				if does[i.ID] == plan.DispStatefulStop {
					a.saved += i.MemoryMiB
				}
			case plan.ClassBlip:
				a.moves = append(a.moves, i)
			}
		}
		a.least = a.leastWorst(a.moves)
		a.ask()
		slices.SortStableFunc(a.reasons, func(x, y Reason) int { return rank(x) - rank(y) })
		out = append(out, Earlier{Wave: n, Start: a.w.start, LeastS: int64(a.least / time.Second), Reasons: a.reasons})
	}
	return out
}

// rank: what breaks a law comes before what is practice.
func rank(r Reason) int {
	if r.Law > 0 {
		return 0
	}
	return 1
}

func (s *scene) dispositions(t *plan.Turn) map[string]plan.Disposition {
	does := map[string]plan.Disposition{}
	for _, slot := range s.slotsOf[t.ID] {
		does[slot.Instance] = slot.Disposition
	}
	return does
}

func (a *asked) because(r Reason) { a.reasons = append(a.reasons, r) }

// lawIf gives a law's number where it is known that the law would be broken.
func lawIf(law int, known bool) int {
	if known {
		return law
	}
	return 0
}

func (a *asked) ask() {
	a.trust()
	a.kinds()
	a.share()
	a.places()
	a.hostGroups()
	a.stagger()
	a.groups()
	a.lead()
	a.window()
	a.landed()
	a.links()
	if !a.forbidden() || a.wave == a.t.Wave-1 { // a look at all its pools' hosts for each wave of a large fleet
		a.room()
	}
	if len(a.reasons) == 0 {
		a.because(a.order())
	}
}

// forbidden: a law forbids the wave already.
func (a *asked) forbidden() bool {
	return slices.ContainsFunc(a.reasons, func(r Reason) bool { return r.Law > 0 })
}

// trust: the canary alone, and waves that grow only so fast.
func (a *asked) trust() {
	if !a.policy.Canary {
		return
	}
	if c := a.w.turns[0]; c.Canary && c.Deferred == a.t.Deferred {
		a.because(Reason{Code: codeCanary, Law: 6, Host: c.Host, At: c.End.Add(a.policy.Soak.Std()),
			Why: fmt.Sprintf("wave %d is the canary %s, which goes alone; the next turn starts once it has soaked for %s", a.wave, c.Host, a.policy.Soak)})
		return
	}
	grow := a.policy.WaveGrowth
	if grow <= 0 || a.w.deferred != a.t.Deferred {
		return
	}
	largest, alike := 0, 0 // of the stage, and of the wave's own kind
	for n := 1; n < a.wave; n++ {
		if v := &a.waves[n-1]; v.deferred == a.w.deferred {
			largest = max(largest, len(v.turns))
			if v.live == a.w.live {
				alike = max(alike, len(v.turns))
			}
		}
	}
	if size, most := len(a.w.turns), max(1, grow*alike); size+1 > most {
		a.because(Reason{Code: codeGrowth, Law: lawIf(6, largest > 0 && size+1 > grow*largest), Need: int64(size + 1), Have: int64(most),
			Why: fmt.Sprintf("wave %d has %s, and may have %d: %d times the largest wave of its kind before it (wave_growth)", a.wave, many(size, "turn"), most, grow)})
	}
}

// kinds of waves are not mixed, and deferred reboots follow all live patches.
func (a *asked) kinds() {
	live := a.t.Tactic == plan.LivePatch
	switch {
	case a.t.Deferred && !a.w.deferred:
		a.because(Reason{Code: codePatches, Why: fmt.Sprintf("wave %d brings the fix; the reboots that follow live patches begin when all that is over", a.wave)})
	case live != a.w.live:
		what := "is of live patches alone"
		if live {
			what = "takes hosts away, and live patches have waves of their own"
		}
		a.because(Reason{Code: codeKind, Why: fmt.Sprintf("wave %d %s", a.wave, what)})
	}
}

// share: so many of a pool's hosts may be away at once.
func (a *asked) share() {
	if a.t.Tactic == plan.LivePatch {
		return
	}
	away, pool := 0, a.ix.HomePool(a.h.ID)
	for _, t := range a.w.turns {
		if t.Tactic != plan.LivePatch && a.ix.HomePool(t.Host) == pool {
			away++
		}
	}
	hosts := a.homes[pool.ID]
	if most := mostAway(hosts, a.policy.MaxAwayPercent); away+1 > most {
		a.because(Reason{Code: codeAway, Law: 6, Pool: pool.ID, Need: int64(away + 1), Have: int64(most),
			Why: fmt.Sprintf("%d of the %d hosts of pool %s are away in wave %d, and at most %d may be (max_away_percent %d)", away, hosts, pool.ID, a.wave, most, a.policy.MaxAwayPercent)})
	}
}

// places: so many hosts of a rack, and of a region, may be away at once.
func (a *asked) places() {
	p := a.policy
	if p.AwayPerRack == 0 && p.AwayPerRegion == 0 || a.t.Tactic == plan.LivePatch {
		return
	}
	here, inRack, inRegion := a.place(a.t), 0, 0
	for _, t := range a.w.turns {
		if at := a.place(t); t.Tactic != plan.LivePatch && at.Region == here.Region {
			inRegion++
			if at == here {
				inRack++
			}
		}
	}
	tell := func(n, most int, what, name string) {
		if most > 0 && n+1 > most {
			a.because(Reason{Code: codeAway, Law: 6, Need: int64(n + 1), Have: int64(most),
				Why: fmt.Sprintf("%d hosts of its %s are away in wave %d, and at most %d may be (%s)", n, what, a.wave, most, name)})
		}
	}
	tell(inRack, p.AwayPerRack, "rack", "away_per_rack")
	tell(inRegion, p.AwayPerRegion, "region", "away_per_region")
}

func mostAway(hosts, percent int) int { return max(1, hosts*percent/100) }

func (a *asked) hostGroups() {
	for _, g := range a.ix.HostGroupsOf[a.h.ID] {
		away, rebooted, down := []string{}, 0, 0
		for _, id := range g.Hosts {
			if h := a.ix.Hosts[id]; h != nil && h.Health == fleet.Down {
				down++
			} else if t := a.inTurn(id, a.wave); t != nil {
				away = append(away, id)
				if reboots(t.Tactic) {
					rebooted++
				}
			}
		}
		if len(away)+1+down <= g.MaxUnavailable {
			continue
		}
		sure := reboots(a.t.Tactic) && rebooted+1+down > max(1, g.MaxUnavailable)
		a.because(Reason{Code: codeHostGroup, Law: lawIf(3, sure), Group: g.ID, Need: int64(len(away) + 1 + down), Have: int64(g.MaxUnavailable),
			Why: fmt.Sprintf("host group %s allows %d away at once; in wave %d that is %s%s", g.ID, g.MaxUnavailable, a.wave, orNone(few(away)), downToo(down, "host"))})
	}
}

// disturbs: the turn touches an instance.
func (s *scene) disturbs(t *plan.Turn) bool { return len(s.slotsOf[t.ID]) > 0 }

// landed: whoever landed on the host has a least stay, and who lands there in that very wave finds no host
// in its turn.
func (a *asked) landed() {
	length := a.t.End.Sub(a.t.Start)
	for _, m := range a.onto[a.h.ID] {
		w := a.waveOf(m)
		switch {
		case m.Home:
		case w == a.wave:
			a.because(Reason{Code: codeTakesIn, Law: lawIf(6, m.Start.Before(a.w.start.Add(length))), Instance: m.Instance, Host: m.From, At: m.Start,
				Why: fmt.Sprintf("it takes %s in from %s in wave %d, and a host in its turn takes nobody in", m.Instance, m.From, a.wave)})
			return
		case w < a.wave && a.t.Tactic != plan.Refresh && a.t.Tactic != plan.LivePatch:
			if stays := m.End.Add(a.policy.MinStay.Std()); stays.After(a.w.start) {
				a.because(Reason{Code: codeMinStay, Law: 6, Instance: m.Instance, Host: m.From, At: stays,
					Why: fmt.Sprintf("%s landed on it at %s, and is to stay for %s (min_stay) before it is moved again", m.Instance, stamp(m.End), a.policy.MinStay)})
				return
			}
		}
	}
}

// order says what decided where no rule did.
func (a *asked) order() Reason {
	unfixed := 0
	if a.t.Tactic != plan.Refresh && len(a.moves) > 0 {
		for _, m := range a.leaving() {
			if a.level(m.To, a.wave) != onTheFix && a.level(m.To, a.t.Wave) == onTheFix {
				unfixed++
			}
		}
	}
	if unfixed > 0 {
		return Reason{Code: codeCostsMoves, Need: int64(unfixed),
			Why: fmt.Sprintf("no rule forbids wave %d, but the hosts to which %d of its instances go later are not fixed by then: from elsewhere they would have to move once more", a.wave, unfixed)}
	}
	return Reason{Code: codeOrder, Why: fmt.Sprintf("no rule forbids wave %d by itself: others were taken first, as a rule those that give most room for each instance on them, in a small fleet those in whose order the whole took fewest waves and moves, and where that costs neither, those on which most is exposed; and a wave is as large as its room, its times and few moves allow", a.wave)}
}

// leaving are the moves by which the plan's own turn empties the host.
func (a *asked) leaving() (out []*plan.Move) {
	for _, m := range a.waves[a.t.Wave-1].moves {
		if m.Turn == a.t.ID && !m.Home {
			out = append(out, m)
		}
	}
	return out
}
