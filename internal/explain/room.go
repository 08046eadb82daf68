package explain

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// The codes of what forbids a destination, beside those of fleet.CanMove.
const (
	codeInTurn   = "in-turn"            // the host is in its own turn
	codeTooLong  = "migration-too-long" // over that link
	codeNotFixed = "not-fixed"          // and one that is can take it
	codeBooked   = "booked"             // what is free is for others of the wave
)

// spot is a host that could take instances in a wave, with what stays free on it.
type spot struct {
	host *fleet.Host
	free int64 // MiB, less all that the wave brings there
}

// company says, for one instance in one wave, which domains hold another member of a group that spreads.
type company struct {
	groups []*fleet.Group
	from   string
	at     []map[string]bool // per group: domains with another member when the wave begins
	comes  []map[string]bool // or to which one moves in it
}

// companyOf looks around an instance.
func (s *scene) companyOf(i *fleet.Instance, from string, wave int) (c company) {
	for _, g := range s.ix.GroupsOf[i.ID] {
		if g.Spread == fleet.SpreadNone {
			continue
		}
		at, comes := map[string]bool{}, map[string]bool{}
		for _, m := range s.ix.Members[g.ID] {
			if m.ID == i.ID {
				continue
			}
			at[s.domain(g, s.where(m.ID, wave))] = true
			for _, move := range s.movesOf[m.ID] {
				if s.waveOf(move) == wave {
					comes[s.domain(g, move.To)] = true
				}
			}
		}
		c.groups, c.at, c.comes = append(c.groups, g), append(c.at, at), append(c.comes, comes)
	}
	c.from = from
	return c
}

// domain of a host that members of a group may not share; one without a known rack is a rack of its own.
func (s *scene) domain(g *fleet.Group, host string) string {
	h := s.ix.Hosts[host]
	switch {
	case g.Spread == fleet.SpreadSite && s.ix.SiteOf(host) != nil:
		return s.ix.SiteOf(host).ID
	case g.Spread == fleet.SpreadRack && h.Rack != "" && s.ix.SiteOf(host) != nil:
		return s.ix.SiteOf(host).ID + "\x00" + h.Rack
	}
	return "host\x00" + host
}

// apart: no other member is near; sharing allows to stay near one that is near already. sure: it is a law that
// forbids it, and not only how planning books both ends of each move through a wave.
func (s *scene) apart(c company, to *fleet.Host, sharing bool) (ok, sure bool) {
	for n, g := range c.groups {
		key, home := s.domain(g, to.ID), s.domain(g, c.from)
		if !c.at[n][key] && !c.comes[n][key] || sharing && key == home {
			continue
		}
		known := g.Spread != fleet.SpreadRack || to.Rack != "" && s.ix.Hosts[c.from].Rack != ""
		return false, known && c.at[n][key] && key != home && !c.at[n][home] && !c.comes[n][home]
	}
	return true, false
}

// neighbours are the numbers of the hosts that share a pool with one, itself left out.
func (s *scene) neighbours(h *fleet.Host) []int {
	if known, ok := s.near[h.ID]; ok {
		return known
	}
	var out []int
	for _, p := range h.Pools {
		for _, o := range s.ix.PoolHosts[p] {
			if o != h {
				out = append(out, s.number[o.ID])
			}
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	s.near[h.ID] = out
	return out
}

// room asks whether the host's instances find a place in the wave, beside all that the wave moves already.
func (a *asked) room() {
	if len(a.moves) == 0 || a.t.Tactic == plan.LivePatch {
		return
	}
	if a.reserveEaten() {
		return
	}
	l := a.open(a.wave)
	var spots []spot
	for _, n := range a.neighbours(a.h) {
		if o := a.hosts[n]; o.IsUp() && l.turn[n] == nil {
			spots = append(spots, spot{o, o.MemoryMiB - l.used[n] - l.land[n]})
		}
	}
	moving := slices.Clone(a.moves)
	slices.SortStableFunc(moving, func(x, y *fleet.Instance) int { return cmp.Compare(y.MemoryMiB, x.MemoryMiB) })
	guests := make([]*landing, len(moving))
	for n, i := range moving {
		guests[n] = a.landingOf(i)
		if a.nowhere(guests[n], spots) {
			return
		}
	}
	if a.tooSmall(moving, spots) || a.fits(guests, spots, false) || a.fits(guests, spots, true) {
		return
	}
	a.because(Reason{Code: codeRoom, Need: sum(moving),
		Why: fmt.Sprintf("no way was found to place its %s (%d MiB) beside the others of wave %d", many(len(moving), "instance"), sum(moving), a.wave)})
}

// landing is one instance that looks for a place in a wave.
type landing struct {
	i       *fleet.Instance // as it is by then
	from    *fleet.Host
	company company
}

func (a *asked) landingOf(i *fleet.Instance) *landing {
	return &landing{a.instanceBy(i, a.wave), a.hostBy(a.h, a.wave), a.companyOf(i, a.h.ID, a.wave)}
}

// refuses gives the code of what forbids a spot; empty: nothing. sure: a law does.
func (a *asked) refuses(g *landing, x spot) (code string, sure bool) {
	if x.free < g.i.MemoryMiB {
		return fleet.NoRoom, true
	}
	if why := fleet.CanMove(a.ix, g.i, g.from, a.hostBy(x.host, a.wave)); why != nil {
		return why.Code, true
	}
	if a.moveTime(g.i, a.between(g.from, x.host)) > a.policy.Times.MigrateMax.Std() {
		return codeTooLong, false
	}
	if a.t.Tactic == plan.Refresh && a.level(x.host.ID, a.wave) != onTheFix {
		return codeNotFixed, true
	}
	if own := a.ahead(x.host.ID, a.wave); own != nil && own.Start.Before(a.w.start.Add(a.policy.MinStay.Std()+time.Second)) {
		return codeMinStay, true
	}
	if ok, sure := a.apart(g.company, x.host, true); !ok {
		return fleet.SpreadForbids, sure
	}
	return "", false
}

// nowhere: one of the instances finds no place, even if it were the only one.
func (a *asked) nowhere(g *landing, spots []spot) bool {
	counts, most, all := map[string]int{}, int64(0), true
	for _, x := range spots {
		code, sure := a.refuses(g, x)
		if code == "" {
			return false
		}
		counts[code]++
		all = all && sure
		most = max(most, x.free)
	}
	if others := len(a.neighbours(a.h)) - len(spots); others > 0 {
		counts[codeInTurn+" or unfit"] = others
	}
	a.because(Reason{Code: codeRoom, Law: lawIf(6, all), Instance: g.i.ID, Need: g.i.MemoryMiB, Have: most,
		Why: fmt.Sprintf("%s (%d MiB) finds no host beside the others of wave %d: %s; the most that is free on one is %d MiB", g.i.ID, g.i.MemoryMiB, a.wave, counted(counts), most)})
	return true
}

// tooSmall: all spots together have too little, by memory or by the number of instances that each holds.
func (a *asked) tooSmall(moving []*fleet.Instance, spots []spot) bool {
	least, need := moving[len(moving)-1].MemoryMiB, sum(moving)
	var free, places int64
	for _, x := range spots {
		free += max(0, x.free)
		places += max(0, x.free) / least
	}
	switch {
	case free < need:
		a.because(Reason{Code: codeRoom, Law: 6, Need: need, Have: free,
			Why: fmt.Sprintf("its %s need %d MiB, and all hosts that are not away in wave %d have %d MiB left beside what the wave moves", many(len(moving), "instance"), need, a.wave, free)})
	case places < int64(len(moving)):
		a.because(Reason{Code: codeRoom, Law: 6, Need: int64(len(moving)), Have: places,
			Why: fmt.Sprintf("its %s are of at least %d MiB, and the hosts that are not away in wave %d hold %d more of that size", many(len(moving), "instance"), least, a.wave, places)})
	default:
		return false
	}
	return true
}

// fits places the largest first, each on the first host that can take it, or on the one with most room.
func (a *asked) fits(guests []*landing, spots []spot, most bool) bool {
	spots = slices.Clone(spots)
	for _, g := range guests {
		best := -1
		for n, x := range spots {
			if best >= 0 && (!most || x.free <= spots[best].free) {
				continue
			}
			if code, _ := a.refuses(g, x); code == "" {
				if best = n; !most {
					break
				}
			}
		}
		if best < 0 {
			return false
		}
		spots[best].free -= g.i.MemoryMiB
	}
	return true
}

// reserveEaten: with the host away and its instances elsewhere in its pool, less than the reserve is left.
func (a *asked) reserveEaten() bool {
	pool := a.ix.HomePool(a.h.ID)
	if !a.policy.KeepReserve || len(a.h.Pools) > 1 {
		return false
	}
	l := a.open(a.wave)
	var free, lands int64
	for _, n := range a.neighbours(a.h) {
		o := a.hosts[n]
		if len(o.Pools) > 1 {
			return false // another pool may take them
		}
		if t := l.turn[n]; o.IsUp() && (t == nil || t.Tactic == plan.LivePatch) {
			free += o.MemoryMiB - l.used[n]
			lands += l.land[n]
		}
	}
	reserve, need := a.ix.ReserveMiB(pool.ID), sum(a.moves)
	if free-lands-need >= reserve {
		return false
	}
	sure := free-need < reserve || free-lands-need < reserve && a.allAwayAtOnce(pool)
	a.because(Reason{Code: codeReserve, Law: lawIf(6, sure), Pool: pool.ID, Need: reserve, Have: free - lands - need,
		Why: fmt.Sprintf("with it away too, and its %d MiB elsewhere, pool %s keeps %d MiB free in wave %d, and its reserve is %d MiB", need, pool.ID, free-lands-need, a.wave, reserve)})
	return true
}

// allAwayAtOnce: there is an instant at which all that moves within a pool in the wave has moved, and no host of
// it is back yet.
func (a *asked) allAwayAtOnce(pool *fleet.Pool) bool {
	back := a.w.start.Add(a.t.End.Sub(a.t.Start))
	for _, t := range a.w.turns {
		if t.Pool == pool.ID && t.End.Before(back) {
			back = t.End
		}
	}
	for _, m := range a.w.moves {
		if !m.Home && a.turns[m.Turn].Pool == pool.ID && !m.Start.Before(back) {
			return false
		}
	}
	return true
}

func sum(list []*fleet.Instance) (mib int64) {
	for _, i := range list {
		mib += i.MemoryMiB
	}
	return mib
}
