package planner

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// bounds are lower bounds on waves, moves and time, measured over the hosts that have a turn, with the
// policy as it is and each instance disposed of as planned: no order and no choice of destinations comes
// below them. Each is proven where it is reckoned: waves in bounds_waves.go, moves in bounds_moves.go, time
// in bounds_time.go, and in bounds_room.go how many hosts can be empty at once, on which the others rest.
//
// They hold for plans of waves that do not overlap, in which an instance leaves a host in that host's turn
// only; and they are reckoned from the fleet at the outset and the finished plan alone.
type bounds struct {
	*world
	plan   *plan.Plan
	index  map[string]int // of a host in world.hosts
	loads  []load         // as world.hosts
	areas  []*area
	areaOf map[*pool]*area
	needs  []groupNeed // as world.groups
	// unsure are instances that could move and that the plan stops after all: another plan may move them,
	// so they count neither as what moves nor as what stays.
	unsure map[string]bool
}

// load is what one host's turn has to do with the instances that were there at the outset.
type load struct {
	movers []mover // they move
	stays  []stop  // saved or stopped in place
	keeps  int64   // MiB that never leave: those above, and all that nothing is done to

	fixed, work, span time.Duration // at p99, see bounds_time.go
}

// mover is an instance that its host's turn moves away.
type mover struct {
	*fleet.Instance
	unsure bool
}

// part is some of a plan's turns, of different hosts.
type part struct {
	live  bool // live patches, which take nobody away
	hosts []*host
	waves int // in which the plan has them
	alone int // so many of the hosts, at least, are such that no two of them can be in one wave
}

// outset is kept for nothing but the order of steps: bounds read the fleet, which never changes.
type outset struct{}

func (w *world) outset() outset { return outset{} }

// measure gives the lower bounds for a plan and its ratio to them.
func (w *world) measure(_ outset, p *plan.Plan) plan.Bounds {
	b := readBounds(w, p)
	all := func(*plan.Turn) bool { return true }
	sooner, later := func(t *plan.Turn) bool { return !t.Deferred }, func(t *plan.Turn) bool { return t.Deferred }
	patches, turns, deferred, away := b.of(true, all), b.of(false, sooner), b.of(false, later), b.of(false, all)
	b.weighAreas(away)
	out := plan.Bounds{WavesMin: b.stageMin(patches, turns) + b.stageMin(deferred)}
	out.MovesM1, out.MovesM2, out.MovesMin = b.movesMin(away)
	out.WavesRatio, out.MovesRatio = ratio(int64(p.Counts.Waves), int64(out.WavesMin)), ratio(int64(p.Counts.Moves), int64(out.MovesMin))
	out.MakespanS = int64(p.End.Sub(p.Start).Seconds())
	out.MakespanMinS = int64(b.makespanMin([]part{patches, turns}, []part{deferred}).Seconds())
	out.MakespanRatio = ratio(out.MakespanS, out.MakespanMinS)
	return out
}

// ratio of a plan's number to its bound; 1 where both are nothing.
func ratio(n, least int64) float64 {
	if least == 0 {
		return 1
	}
	return math.Round(float64(n)/float64(least)*100) / 100
}

// readBounds takes from the fleet and the plan what the bounds are reckoned from.
func readBounds(w *world, p *plan.Plan) *bounds {
	b := &bounds{world: w, plan: p, index: make(map[string]int, len(w.hosts)), loads: make([]load, len(w.hosts)), areaOf: map[*pool]*area{}, unsure: map[string]bool{}}
	for i, h := range w.hosts {
		b.index[h.ID] = i
		b.loads[i].keeps = w.ix.UsedMiB(h.ID)
	}
	b.readStops()
	b.readMoves()
	b.needs = b.groupNeeds()
	b.findAreas()
	return b
}

// readStops notes what the plan saves or stops. A turn with slots is named after its host.
func (b *bounds) readStops() {
	for i := range b.plan.Slots {
		s := &b.plan.Slots[i]
		if s.Class != plan.ClassOutage {
			continue
		}
		n, g := b.index[s.Turn], b.guestOf(s.Instance)
		if g.Host != s.Turn || !b.mustStop(b.hosts[n], g) {
			b.unsure[s.Instance] = true
			if g.Host == s.Turn {
				b.loads[n].keeps -= g.MemoryMiB
			}
			continue
		}
		b.loads[n].stays = append(b.loads[n].stays, stop{guest: g, how: s.Disposition})
	}
}

// readMoves notes who was on a host at the outset and moves in its turn.
func (b *bounds) readMoves() {
	for i := range b.plan.Slots {
		s := &b.plan.Slots[i]
		in := b.ix.Instances[s.Instance]
		if s.Class == plan.ClassOutage || in.Host != s.Turn {
			continue
		}
		l := &b.loads[b.index[s.Turn]]
		l.movers = append(l.movers, mover{in, len(b.unsure) > 0 && b.unsure[in.ID]})
		l.keeps -= in.MemoryMiB
	}
}

func (b *bounds) guestOf(id string) *guest {
	i, _ := slices.BinarySearchFunc(b.guests, id, func(g *guest, id string) int { return strings.Compare(g.ID, id) })
	return b.guests[i]
}

// of takes the turns of a plan that are asked for.
func (b *bounds) of(live bool, is func(*plan.Turn) bool) part {
	x := part{live: live}
	last := 0 // turns are in the order of their waves
	for i := range b.plan.Turns {
		t := &b.plan.Turns[i]
		if (t.Tactic == plan.LivePatch) != live || !is(t) {
			continue
		}
		x.hosts = append(x.hosts, b.hosts[b.index[t.Host]])
		if t.Wave != last {
			last = t.Wave
			x.waves++
		}
	}
	x.alone = b.clique(x)
	if !live {
		b.timeTurns(x)
	}
	return x
}

// byPool sorts hosts into their home pools.
func byPool(hosts []*host) map[*pool][]*host {
	out := map[*pool][]*host{}
	for _, h := range hosts {
		out[h.pool] = append(out[h.pool], h)
	}
	return out
}

func ceilDiv[T int | int64](n, by T) T { return (max(0, n) + by - 1) / max(1, by) }
