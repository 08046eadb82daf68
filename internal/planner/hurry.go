package planner

import (
	"cmp"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// A deadline comes before comfort: where emptying hosts takes so many waves that some have no turn before
// disclosure or finish_by, and policy lets instances be saved or stopped, some hosts are served in place, so that
// more of them share a wave; as few as are found to do.

// codeDeadline is why an instance stays that could move: were its host emptied, some host would be too late.
const codeDeadline = "deadline"

// mostHurried is how often a plan is drafted again for its deadline at most; a big fleet, by mostTurns, less often.
const mostHurried = 40

// hurry gives a better plan than w, with hosts served in place, where hosts are too late and there is one. Its
// drafts go the way of an earlier one.
func (w *world) hurry(o outset, by way) (*world, outset) {
	if !w.tardy() {
		return w, o
	}
	r := &race{best: w, start: o, by: by, turns: mostTurns}
	r.enlist()
	r.spare()
	return r.best, r.start
}

// race is a search for the hosts to serve in place.
type race struct {
	best   *world
	start  outset
	by     way
	last   []runner // served in place by the best draft
	drafts int      // made
	turns  int      // that others may have
}

// runner is a host that may be served in place.
type runner struct {
	id    string
	stops int // instances that it stops then and that could move
	wave  int // of its turn; 0: it has none
}

// try makes a draft with these served in place; better: it is the best now. nil: there were enough drafts.
func (r *race) try(stays []runner) (made *world, better bool) {
	if r.turns -= len(stays) + len(r.best.plan.Turns); r.turns < 0 || r.drafts >= mostHurried {
		return nil, false
	}
	r.drafts++
	by := r.by
	by.stays = map[string]bool{}
	for _, x := range stays {
		by.stays[x.id] = true
	}
	made, start, err := draftBy(r.best.in, r.best.ix, by)
	if err != nil {
		return nil, false
	}
	if better = made.better(r.best); better {
		r.best, r.start, r.last = made, start, slices.Clone(stays)
	}
	return made, better
}

// enlist serves those in place that are too late, and where they still are, others beside them: first a few, then
// many. Whether waves may be as big as they can be is asked of each.
func (r *race) enlist() {
	picked := map[string]bool{}
	var stays []runner
	pick := func(from []runner, most int) (n int) {
		for _, x := range from {
			if n < most && !picked[x.id] {
				picked[x.id], n = true, n+1
				stays = append(stays, x)
			}
		}
		return n
	}
	for made := r.best; made != nil; {
		late, rest := made.runners()
		if len(late) == 0 || pick(late, len(late)) == 0 && pick(rest, max(1, len(stays))) == 0 {
			return
		}
		if made, _ = r.try(stays); made != nil && !r.by.unpaced && made.tardy() {
			r.by.unpaced = true
			if bigger, better := r.try(stays); better {
				made = bigger
			} else {
				r.by.unpaced = false
			}
		}
	}
}

// spare lets hosts be emptied after all: many at once, then fewer, those first that have most to stop.
func (r *race) spare() {
	slices.SortStableFunc(r.last, func(a, b runner) int { return cmp.Compare(b.stops, a.stops) })
	for n := len(r.last) / 2; n > 0; n /= 2 {
		for i := 0; i+n <= len(r.last); {
			if _, better := r.try(slices.Concat(r.last[:i], r.last[i+n:])); !better {
				i += n
			}
		}
	}
}

// tardy: a host is too late for a deadline.
func (w *world) tardy() bool { return len(w.tooLateHosts()) > 0 }

func (w *world) tooLateHosts() map[string]bool {
	ids := map[string]bool{}
	for _, b := range w.plan.Blocked[w.judged:] {
		if b.Code == codeAfterFinishBy || b.Code == codeAfterDisclosure {
			ids[b.Host] = true
		}
	}
	return ids
}

// runners are the hosts that could be served in place and are not, those with least to stop first: the ones that are
// too late and would not have to be, and the ones that are emptied, of these the last ones first.
func (w *world) runners() (late, rest []runner) {
	ids, wave, at := w.tooLateHosts(), map[string]int{}, map[string][]*guest{}
	for _, t := range w.plan.Turns {
		wave[t.Host] = t.Wave
	}
	for _, g := range w.guests {
		if g.alive() {
			at[g.Host] = append(at[g.Host], g)
		}
	}
	for _, h := range w.hosts {
		x := runner{h.ID, w.hurriedStops(h, at[h.ID]), wave[h.ID]}
		switch {
		case x.stops == 0 || !ids[h.ID] && x.wave == 0:
		case ids[h.ID]:
			late = append(late, x)
		default:
			rest = append(rest, x)
		}
	}
	order := func(a, b runner) int {
		return cmp.Or(cmp.Compare(a.stops, b.stops), cmp.Compare(b.wave, a.wave), strings.Compare(a.id, b.id))
	}
	slices.SortFunc(late, order)
	slices.SortFunc(rest, order)
	return late, rest
}

// hurriedStops is how many of those on a host at the outset could move and stay, were it served in place for a
// deadline; 0, where it may not be, or would be too late even so.
func (w *world) hurriedStops(h *host, at []*guest) (n int) {
	if !h.mayHurry() {
		return 0
	}
	defer func(guests []*guest, stays bool) { h.guests, h.stays = guests, stays }(h.guests, h.stays)
	h.guests, h.stays = at, true
	for _, g := range at {
		if g.stuck == nil && w.mustStop(h, g) {
			n++
		}
	}
	if n == 0 || len(w.crowded(h)) > 0 {
		return 0
	}
	worst := w.reckonLeast(h)
	lead := max(w.policy.Lead.Of(plan.ClassOutage), w.policy.Lead.Of(plan.ClassBlip))
	start, _, ok := h.lane.next(later(w.now, w.embargo()), w.now.Add(lead+margin(lead)), worst+margin(w.policy.Slot.Std()))
	if !ok || w.tooLate(start.Add(worst)) != "" {
		return 0
	}
	return n
}

// mayHurry: a turn that would empty the host may serve it in place. A reboot that follows a live patch is not hurried.
func (h *host) mayHurry() bool {
	return h.can.evacuate && h.can.moves() && !h.refreshed() && !h.can.livePatch && !h.deferral.ahead && (h.can.save || h.can.stop)
}

// hurryHosts has all stay, on the hosts that this draft serves in place, whom policy lets be saved or stopped.
func (w *world) hurryHosts() {
	for _, h := range w.hosts {
		if h.status != due || !w.by.stays[h.ID] || !h.mayHurry() {
			continue
		}
		if h.stays = true; len(w.crowded(h)) > 0 {
			h.stays = false
			continue
		}
		h.hurried, w.relaxed = true, true
	}
}

// forDeadline: somebody stays who could move.
func (d *draft) forDeadline() bool {
	return slices.ContainsFunc(d.stops, func(s stop) bool { return s.why == codeDeadline })
}
