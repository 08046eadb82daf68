package planner

import (
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// failure is why something cannot be placed or a turn cannot be had.
type failure int

const (
	fine      failure = iota
	waits             // another turn of the wave is in the way
	noRoom            // no destination that can take it has the memory
	noSpread          // one has, but another member of its group is too near
	noReserve         // one would do, but the pool's reserve would be eaten
	noGroup           // a group cannot spare what the turn disturbs at once
	noTime            // the turn does not fit its slot
)

// trouble is a failure with its numbers.
type trouble struct {
	why   failure
	guest *guest
	pool  *pool
	group *group
	left  int64 // MiB that the pool would keep
}

// destination finds where a guest of h goes now. Only where no host keeps it apart from its groups'
// other members may it stay in a domain that it shares with one of them already.
func (v *wave) destination(h *host, g *guest, tight bool) (*host, trouble) {
	if to := v.asBefore(h, g, tight); to != nil {
		return to, trouble{}
	}
	to, t := v.nearest(h, g, tight, false)
	if to == nil && t.why == noSpread {
		to, t = v.nearest(h, g, tight, true)
	}
	return to, t
}

// nearest takes a fixed host if any rule-abiding one has room, the one with most room first (or
// least, when tight), else the open host whose turn is furthest away.
func (v *wave) nearest(h *host, g *guest, tight, sharing bool) (*host, trouble) {
	t := trouble{why: noRoom, guest: g, pool: h.pool}
	best := v.onShelf(h, g, tight, sharing, &t)
	if best != nil {
		return best, trouble{}
	}
	if h.refreshed() {
		return nil, t // on an unfixed host it would have to move again
	}
	if v.defers { // one that has its live patch is better than one that has nothing, be it a trap or not
		for _, refuses := range []rule{v.refusesOpen, v.refusesStuck} {
			if best = v.open(h, g, sharing, &t, true, refuses); best != nil {
				return best, trouble{}
			}
		}
		if v.open(h, g, sharing, &t, true, v.refuses) != nil { // and no worse one will do
			t.why = noRoom
			return nil, t
		}
	}
	if best = v.open(h, g, sharing, &t, false, v.refusesOpen); best != nil {
		return best, trouble{}
	}
	return nil, t
}

// onShelf takes the best of the fixed hosts that are not refused.
func (v *wave) onShelf(h *host, g *guest, tight, sharing bool, t *trouble) (best *host) {
	for _, p := range h.pools {
		for _, s := range p.shelves {
			if s.most() < g.MemoryMiB || !v.alike.canMove(g.class, h.class, s.class) {
				continue
			}
			for to := range s.from(g.MemoryMiB, tight, g.mark) {
				if best != nil && !v.better(h, g, to, best, tight) {
					break
				}
				why := v.refuses(h, g, to, sharing)
				if why == fine {
					best = to
					break
				}
				t.worsen(why)
			}
		}
	}
	return best
}

type rule func(h *host, g *guest, to *host, sharing bool) failure

// open takes the first of the open hosts, which have their live patch or not, that is not refused.
func (v *wave) open(h *host, g *guest, sharing bool, t *trouble, patched bool, refuses rule) *host {
	for _, p := range h.pools {
		if _, paced := v.paced[p]; v.empty[p] && !paced && v.by.script == nil {
			t.why = waits // from the next wave on there is a fixed host with room
			return nil
		}
		if to := v.inRow(h, g, p, sharing, t, patched, refuses); to != nil {
			return to
		}
	}
	return nil
}

// inRow takes the first of one pool's open hosts that is not refused.
func (v *wave) inRow(h *host, g *guest, p *pool, sharing bool, t *trouble, patched bool, refuses rule) *host {
	var rows []*row
	var next []int
	for _, r := range p.rows {
		if n := r.next(0, g.MemoryMiB, patched); n >= 0 && v.alike.canMove(g.class, h.class, r.class) {
			rows, next = append(rows, r), append(next, n)
		}
	}
	for len(rows) > 0 {
		i := 0
		for k := range rows {
			if rows[k].ranks[next[k]] < rows[i].ranks[next[i]] {
				i = k
			}
		}
		to := rows[i].hosts[next[i]]
		why := refuses(h, g, to, sharing)
		if why == fine {
			return to
		}
		t.worsen(why)
		if next[i] = rows[i].next(next[i]+1, g.MemoryMiB, patched); next[i] < 0 {
			rows, next = slices.Delete(rows, i, i+1), slices.Delete(next, i, i+1)
		}
	}
	return nil
}

// worsen keeps the failure that came nearest to success.
func (t *trouble) worsen(why failure) { t.why = max(t.why, why) }

// better ranks fixed destinations: spares first, then by room, then by their marks.
func (v *wave) better(h *host, g *guest, a, b *host, tight bool) bool {
	if a.Spare != b.Spare {
		return a.Spare
	}
	if v.bringsHome(g, h) {
		if ha, hb := v.returns(g, a, h), v.returns(g, b, h); ha != hb {
			return ha
		}
	}
	step := h.pool.step
	if fa, fb := a.free()/step, b.free()/step; fa != fb {
		return (fa > fb) != tight
	}
	if a.mark != b.mark {
		return a.mark-g.mark < b.mark-g.mark // the one that comes next after the guest's own, round about
	}
	return a.seq < b.seq
}

// refuses asks all rules for one destination.
func (v *wave) refuses(h *host, g *guest, to *host, sharing bool) failure {
	switch {
	case to.inTurn:
		return waits
	case v.notYet(h, to):
		return noRoom
	case to == h || !to.IsUp() || to.free() < g.MemoryMiB:
		return noRoom
	case v.tooSlow(g, v.between(h, to)):
		return noRoom
	case !v.alike.canMove(g.class, h.class, to.class):
		return noRoom
	case !spread(g, to, sharing):
		return noSpread
	}
	_, kept := v.reserve(to.pool, h, g.MemoryMiB)
	if to.pool != h.pool && kept { // what lands elsewhere takes nothing of its home's room but its host's
		_, kept = v.reserve(h.pool, h, 0)
	}
	if !kept && !v.probing {
		return noReserve
	}
	return fine
}

// refusesOpen asks beyond that what makes an unfixed host a trap: from one whose own turn is ahead
// the guest must be able to go on, back to where it came from if nowhere else, its group must be
// able to spare it there too, and the turn must still fit a slot.
func (v *wave) refusesOpen(h *host, g *guest, to *host, sharing bool) failure {
	if why := v.refuses(h, g, to, sharing); why != fine || to.status != due && !to.awaits() || to.can.livePatch && !to.awaits() {
		return why
	}
	if to.can.livePatch { // what its reboot does counts, not its live patch
		defer func(can tactics) { to.can = can }(to.can)
		to.can = to.deferral.can
	}
	if !to.can.moves() || !v.returns(g, to, h) {
		return noRoom
	}
	for _, gr := range g.groups {
		stay := 1
		for _, o := range to.guests {
			if v.mustStop(to, o) && slices.Contains(o.groups, gr) {
				stay++
			}
		}
		if stay > gr.spare {
			return noRoom
		}
	}
	more := time.Duration(to.arriving+1) * v.worstMove(v.moveTime(g, nic(to)))
	if v.leastWorst(to)+more+v.spare() > to.lane.longest() {
		return noRoom
	}
	return fine
}

// refusesStuck asks beyond the rules that the reboot which is ahead of a patched host can do something to
// the guest.
func (v *wave) refusesStuck(h *host, g *guest, to *host, sharing bool) failure {
	if why := v.refuses(h, g, to, sharing); why != fine || to.deferral.can.moves() || v.fallback(to, g).how != plan.DispBlocked {
		return why
	}
	return noRoom
}

// returns: a guest that landed on a host may go back to h once that is done.
func (v *wave) returns(g *guest, from, h *host) bool {
	return v.alike.canMove(v.alike.landed(g.class, g.at.class, from.class), from.class, v.alike.host(h.after))
}

// land books a guest's place at both ends until the wave is over.
func land(m *move) {
	m.to.take(m.guest.MemoryMiB)
	m.to.arriving++
	for _, gr := range m.guest.groups {
		gr.domain[gr.domainOf(m.to)]++
	}
}

func unland(m *move) {
	m.to.take(-m.guest.MemoryMiB)
	m.to.arriving--
	for _, gr := range m.guest.groups {
		gr.domain[gr.domainOf(m.to)]--
	}
}
