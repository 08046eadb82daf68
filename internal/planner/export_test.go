package planner

import (
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
