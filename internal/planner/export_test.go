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
