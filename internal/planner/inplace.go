package planner

import (
	"cmp"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// stopInstead gives a host that cannot be emptied leave to save or stop what does not fit elsewhere, once;
// false: it has it already, or policy lets nothing on it be stopped.
func (w *world) stopInstead(h *host) bool {
	if h.mayStop || !h.refreshed() && !w.anyStops(h) { // a refresh leaves behind what may not be stopped
		return false
	}
	h.mayStop, h.tried, w.relaxed = true, -1, true
	return true
}

// lightened stops some of those that would be saved, the largest first, where saving all of them takes
// longer than policy allows and policy lets them be stopped.
func (w *world) lightened(h *host, stops []stop) []stop {
	most := w.policy.Times.SaveMax.Std()
	if h.refreshed() || !h.can.stop || len(stops) < 2 || w.saveTime(stops) <= most { // a refresh saves one after the other
		return stops
	}
	out := slices.Clone(stops)
	order := make([]int, 0, len(out))
	for i, s := range out {
		if s.how == plan.DispStatefulStop {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(out[b].guest.MemoryMiB, out[a].guest.MemoryMiB), strings.Compare(out[a].guest.ID, out[b].guest.ID))
	})
	for _, i := range order {
		if w.saveTime(out) <= most {
			break
		}
		out[i].how, out[i].why = plan.DispStop, codeSaveTooLong
	}
	return out
}
