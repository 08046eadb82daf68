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

// mostWeighed is how often hosts are weighed against each other by their tenants at most.
const mostWeighed = 1_000_000

// hurry gives a better plan than w, with hosts served in place, where hosts are too late and there is one. Its
// drafts go the way of an earlier one.
func (w *world) hurry(o outset, by way) (*world, outset) {
	if !w.tardy() {
		return w, o
	}
	r := &race{best: w, start: o, by: by, turns: mostTurns}
	late, rest := w.runners()
	r.enlist()
	r.spare()
	if n, from := len(r.last), slices.Concat(late, rest); n > 0 && n*len(from) < mostWeighed {
		if _, better := r.try(ofFewTenants(from, n)); better {
			r.spare()
		}
	}
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
	id      string
	stops   int      // instances that it stops then and that could move
	tenants []string // whose they are, sorted
	kin     string   // these in one, to have those beside each other who have the same
	wave    int      // of its turn; 0: it has none
}

// easier ranks runners: fewest tenants, then those of the same tenants together, then fewest stops, then the latest.
func easier(a, b runner) int {
	return cmp.Or(cmp.Compare(len(a.tenants), len(b.tenants)), strings.Compare(a.kin, b.kin), cmp.Compare(a.stops, b.stops), cmp.Compare(b.wave, a.wave), strings.Compare(a.id, b.id))
}

// ofFewTenants picks n, each of which adds as few tenants to those already interrupted as can be.
func ofFewTenants(from []runner, n int) (out []runner) {
	hit, like, left := map[string]bool{}, map[string]int{}, slices.Clone(from)
	for _, x := range left {
		like[x.kin]++
	}
	adds := func(x runner) (n int) {
		for _, t := range x.tenants {
			if !hit[t] {
				n++
			}
		}
		return n
	}
	for len(out) < n && len(left) > 0 {
		best := slices.MinFunc(left, func(a, b runner) int {
			return cmp.Or(cmp.Compare(adds(a), adds(b)), cmp.Compare(like[b.kin], like[a.kin]), easier(a, b))
		})
		out = append(out, best)
		for _, t := range best.tenants {
			hit[t] = true
		}
		left = slices.DeleteFunc(left, func(x runner) bool { return x.id == best.id })
	}
	return out
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
	if better = r.prefers(made, len(stays)); better {
		r.best, r.start, r.last = made, start, slices.Clone(stays)
	}
	return made, better
}

// prefers: a draft is better than the best, or as good and serves fewer in place. Of two with as many hosts without a turn
// that is the one that stops something of fewer tenants, whatever it moves.
func (r *race) prefers(made *world, stays int) bool {
	if lost := cmp.Or(cmp.Compare(len(made.plan.Blocked), len(r.best.plan.Blocked)), cmp.Compare(made.tenantsStopped(), r.best.tenantsStopped())); lost != 0 {
		return lost < 0
	}
	return made.better(r.best) || stays < len(r.last) && !r.best.better(made)
}

// tenantsStopped counts the tenants of whom something is saved or stopped.
func (w *world) tenantsStopped() int {
	tenants := map[string]bool{}
	for i := range w.plan.Slots {
		if s := &w.plan.Slots[i]; s.Class == plan.ClassOutage && s.Tenant != "" {
			tenants[s.Tenant] = true
		}
	}
	return len(tenants)
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

// spare lets hosts be emptied after all: many at once, then fewer, those of the same tenants together, and those
// first that have most to stop.
func (r *race) spare() {
	slices.SortFunc(r.last, func(a, b runner) int { return -easier(a, b) })
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
		x := runner{id: h.ID, wave: wave[h.ID]}
		x.stops, x.tenants = w.hurriedStops(h, at[h.ID])
		x.kin = strings.Join(x.tenants, "\x00")
		switch {
		case x.stops == 0 || !ids[h.ID] && x.wave == 0:
		case ids[h.ID]:
			late = append(late, x)
		default:
			rest = append(rest, x)
		}
	}
	slices.SortFunc(late, easier)
	slices.SortFunc(rest, easier)
	return late, rest
}

// hurriedStops is how many of those on a host at the outset could move and stay, were it served in place for a
// deadline, and whose they are; 0, where it may not be, or would be too late even so.
func (w *world) hurriedStops(h *host, at []*guest) (n int, tenants []string) {
	if !h.mayHurry() {
		return 0, nil
	}
	defer func(guests []*guest, stays bool) { h.guests, h.stays = guests, stays }(h.guests, h.stays)
	h.guests, h.stays = at, true
	for _, g := range at {
		if g.stuck == nil && w.mustStop(h, g) {
			if n++; g.Tenant != "" {
				tenants = append(tenants, g.Tenant)
			}
		}
	}
	if n == 0 || len(w.crowded(h)) > 0 {
		return 0, nil
	}
	worst := w.reckonLeast(h)
	lead := max(w.policy.Lead.Of(plan.ClassOutage), w.policy.Lead.Of(plan.ClassBlip))
	start, _, ok := h.lane.next(later(w.now, w.embargo()), w.now.Add(lead+margin(lead)), worst+w.spare())
	if !ok || w.tooLate(start.Add(worst)) != "" {
		return 0, nil
	}
	slices.Sort(tenants)
	return n, slices.Compact(tenants)
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
