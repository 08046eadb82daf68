package planner

import (
	"maps"
	"math/bits"
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Unpaced proposes the first draft of a plan whose waves are as big as they can be.
func Unpaced(in Input) (plan.Plan, error) {
	w, o, err := draftBy(in, fleet.NewIndex(in.Fleet), way{unpaced: true})
	if err != nil {
		return plan.Plan{}, err
	}
	return w.finish(o)
}

// Looks counts the lines and hosts that the waves of the first draft look at, and the waves.
func Looks(in Input) (looks, waves int) {
	w, _, err := draftBy(in, fleet.NewIndex(in.Fleet), way{})
	if err != nil {
		return 0, 0
	}
	return w.looks, w.waves
}

// Stalled proposes the first draft of a plan where the measure of a wave lets no host in; for good: where each host
// waits for one that never lands.
func Stalled(t testing.TB, in Input, good bool) plan.Plan {
	w, o, err := draftBy(in, fleet.NewIndex(in.Fleet), way{measure: func(w *world, ready []*pool) map[*pool]int {
		for _, h := range w.queue {
			if good {
				h.arriving = 1
			}
		}
		out := map[*pool]int{}
		for _, p := range ready {
			out[p] = 0
		}
		return out
	}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := w.finish(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Sketched plays a script that was changed so many times, in a sketch and as a draft. It gives the waves and moves
// of both; all is less than all hosts with a turn, in either.
func Sketched(in Input, changes int) (sketched, drafted [2]int, all bool, err error) {
	ix := fleet.NewIndex(in.Fleet)
	w, _, err := draftBy(in, ix, way{})
	if err != nil {
		return sketched, drafted, false, err
	}
	s, err := sketchOf(w)
	if err != nil {
		return sketched, drafted, false, err
	}
	r, by := &rehearsal{sketch: s, seed: 1}, w.played()
	for range changes {
		by = r.change(by, w.waves)
	}
	o := r.play(by, 2*len(w.hosts))
	x, _, err := draftBy(in, ix, way{script: &by})
	if err != nil {
		return sketched, drafted, false, err
	}
	return [2]int{o.waves, o.moves}, [2]int{x.waves, len(x.plan.Moves)}, o.left == 0 && x.complete(), nil
}

// Overflow gives for each of so many waves the first host of a line that does not fit in the waves before it.
func Overflow(rooms []int64, slack int64, k, waves, less int) []int {
	first := tooMany(len(rooms), k, waves, less)
	overflow(first, rooms, slack, less)
	return first
}

// Share gives the least and the most load that goes with so much room of hosts, and the most room with which
// goes no more than that least.
func Share(load, room []int64, of int64) (least, most, within int64) {
	var low share
	for i := range load {
		low.hosts = append(low.hosts, loaded{load[i], room[i]})
	}
	high := share{hosts: slices.Clone(low.hosts)}
	low.line(false)
	high.line(true)
	least = low.of(of, true)
	return least, high.of(of, false), low.within(least)
}

// SpareOf serves some hosts in place for a deadline, one instance on each, and lets go whom it can; it gives how many
// instances were stopped, and how many are.
func SpareOf(in Input, ids ...string) (before, after int, err error) {
	w, o, err := drafted(in, fleet.NewIndex(in.Fleet))
	if err != nil {
		return 0, 0, err
	}
	r := &race{best: w, start: o, by: way{unpaced: true}, turns: mostTurns}
	var stays []runner
	for _, id := range ids {
		stays = append(stays, runner{id: id, stops: 1})
	}
	r.try(stays)
	stopped := func() (n int) {
		for _, s := range r.best.plan.Slots {
			if s.Class == plan.ClassOutage {
				n++
			}
		}
		return n + 100*len(r.best.plan.Blocked) // which are to be none
	}
	before = stopped()
	r.spare()
	return before, stopped(), nil
}

// Sent plans a campaign as if all stayed and gives how many are sent home on paper until no pool is worse off, and how
// many are enough at least, found by trying all; not ok: there is nothing to restore, or it cannot be, or too many could
// go home to try all.
func Sent(in Input) (sent, fewest int, ok bool) {
	const most = 12
	w, _, err := best(in)
	if err != nil {
		return 0, 0, false
	}
	found := w.ix.Standings(func(i *fleet.Instance) string { return i.Host })
	if w.worseOff(found) == 0 {
		return 0, 0, false
	}
	at := w.places()
	var away []*guest
	for _, g := range w.guests {
		if g.alive() && g.off != nil && g.off != g.at {
			away = append(away, g)
		}
	}
	if len(away) > most {
		return 0, 0, false
	}
	worse := func(home func(k int) bool) (n int) {
		end := maps.Clone(at)
		for k, g := range away {
			if home(k) {
				end[g.ID] = g.off.ID
			}
		}
		for pool, s := range w.ix.Standings(func(i *fleet.Instance) string { return end[i.ID] }) {
			n += len(s.Worse(found[pool]))
		}
		return n
	}
	chosen := w.homeward(found, nil)
	if worse(func(k int) bool { return chosen[wayHome{away[k].off.ID, away[k].ID}] }) > 0 {
		return 0, 0, false
	}
	fewest = len(away)
	for set := range 1 << len(away) {
		if n := bits.OnesCount(uint(set)); n < fewest && worse(func(k int) bool { return set>>k&1 == 1 }) == 0 {
			fewest = n
		}
	}
	return len(chosen), fewest, true
}

// AgainInParts makes a plan again and gives the revision's changes, with what each part of it cost by a clock: to read (both
// fleets and the plan are compared, and what stands is noted), to plan (the touched pools), and to write (the revision is
// put together, counted, its promises compared and its digests made).
func AgainInParts(in Input, was *plan.Plan, clock func() time.Duration) (c Changes, read, drafted, written time.Duration, err error) {
	start := clock()
	in.Parent, in.Revision = was.Revision, was.Revision+1
	a := foresee(in, was)
	if why := a.unfit(); why != "" {
		return c, 0, 0, 0, errWhole{why}
	}
	a.touchNear()
	part := a.part()
	e := a.elsewhere(part)
	read = clock() - start
	in.Fleet = part
	r, err := a.replayed(in, fleet.NewIndex(part), e, false)
	if err != nil {
		return c, 0, 0, 0, err
	}
	drafted = clock() - start - read
	maps.Copy(a.lost, r.lost)
	p := a.joined(r.world)
	c = a.told(&p)
	p.Digest = plan.Digest(p)
	return c, read, drafted, clock() - start - read - drafted, nil
}

// ApartIsBetter: a draft in which no place takes a slot that is cut as another's is better than the best there is.
// shared: some place does in that one.
func ApartIsBetter(in Input) (better, shared bool, err error) {
	ix := fleet.NewIndex(in.Fleet)
	w, _, err := drafted(in, ix)
	if err != nil {
		return false, false, err
	}
	apart, _, err := draftBy(in, ix, way{apart: true})
	return err == nil && apart.better(w), w.joined, err
}

// Weighed is what a draft comes to where hosts are ordered by what is exposed on them, or not.
type Weighed struct {
	plan.Toll
	Waves    int
	Exposure int64 // by severity
}

// ByRisk gives the best draft before and after hosts are ordered by what is exposed on them, and by which order.
func ByRisk(in Input) (before, after Weighed, order int, err error) {
	w, o, err := drafted(in, fleet.NewIndex(in.Fleet))
	if err != nil {
		return before, after, 0, err
	}
	weighed := func(w *world) Weighed { return Weighed{w.toll(), w.waves, w.exposure()} }
	before = weighed(w)
	w, _, err = w.riskiestFirst(o)
	return before, weighed(w), int(w.by.risk), err
}
