package planner

import (
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Blocked is what Propose would block, in the same order, without the plan around it: no bounds are measured,
// no digests made, and no more drafts than it takes; so the room that a reason names may be that of a draft which is not
// the plan's. It is for those who ask many times what a plan would
// block, and carry none out.
func Blocked(in Input) ([]plan.Blocked, error) {
	if err := whole(in); err != nil {
		return nil, err
	}
	ix := fleet.NewIndex(in.Fleet)
	w, _, err := draftBy(in, ix, way{})
	if err == nil && !w.blocksNoMore() {
		w, _, err = best(in)
	}
	if err != nil {
		return nil, err
	}
	p := plan.Plan{Blocked: orEmpty(w.plan.Blocked)}
	sorted(&p)
	return p.Blocked, nil
}

// blocksNoMore: this draft blocks those alone for whom no draft can do anything, so whichever is the best
// blocks the same.
func (w *world) blocksNoMore() bool {
	return len(w.banned) == 0 && len(w.plan.Blocked) == w.judged
}
