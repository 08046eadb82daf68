package planner

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// A plan may have nearly as many waves as hosts, where a host group or the room there is lets one at a time be
// away. So no wave may cost a look at each host. Hosts that are due wait in lines: all in one can start at the
// same instants, for they have the same calendar, lead time and least length of a turn; and what keeps one of
// them out of a wave by pool, host group, site or region keeps all of them out. A wave asks lines, not hosts.
// There are as many lines as kinds of hosts and lengths of turns, and lengths are in whole seconds. Who received
// an instance a short while ago waits by itself, until it may have its turn; who failed on its own waits on its
// pool's bench for something to change there.

// line of hosts that are due.
type line struct {
	lineKey
	hosts places
	asked int // when it was last asked for its start
	start time.Time
	piece piece
}

type lineKey struct {
	sort  int   // of pools, region, host groups, and rack where rules tell them apart
	lane  *lane // the calendar, also of whom the turn interrupts
	can   tactics
	worst time.Duration // that a turn takes at least, at p99
	class harm
	wide  int // which wide groups keep it out of a wave
}

// waiting are the hosts that are due.
type waiting struct {
	lines   []*line
	byKey   map[lineKey]*line
	sorts   map[string]int
	resting []*host // each for its own notBefore
	bench   []*host // of hosts in several pools
	stirred []*pool // something changed in them
	asked   int     // how often nextStart asked
	looks   int     // at lines and hosts, in all waves
}

// queueUp lines up all of the queue.
func (w *world) queueUp() {
	for _, p := range w.stirred {
		p.stirred = false
	}
	for _, p := range w.pools {
		p.bench = nil
	}
	w.waiting = waiting{byKey: map[lineKey]*line{}, sorts: map[string]int{}, asked: w.asked, looks: w.looks}
	for i, h := range w.queue {
		h.place, h.line, h.rests = i, nil, false
		h.sort = w.sortOf(h)
		w.lineUp(h)
	}
}

// sortOf numbers what hosts of one line have in common from the outset, from 1.
func (w *world) sortOf(h *host) int {
	var b strings.Builder
	for _, p := range h.pools {
		b.WriteString(p.ID)
		b.WriteByte(0)
	}
	fmt.Fprintf(&b, "\x00%s\x00%s\x00%s", h.site, h.Hypervisor, h.region)
	if w.ruledByRack() {
		b.WriteString("\x00rack " + h.rack)
	}
	for _, g := range h.hostGroups {
		b.WriteByte(0)
		b.WriteString(g.ID)
	}
	n, known := w.sorts[b.String()]
	if !known {
		n = len(w.sorts) + 1
		w.sorts[b.String()] = n
	}
	return n
}

// A wide group has so many members that not each host of one is to be asked whether it is in it.
const wide = 32

// wideOf numbers the wide groups that a host's turn moves members of: when another turn of a wave takes what such
// a group can spare, the host waits. 0: there are none, or something else may be the matter with its turn.
func (w *world) wideOf(h *host) int {
	if h.can.livePatch {
		return 0
	}
	var groups []*group
	for _, g := range h.toDo() {
		if w.mustStop(h, g) && (len(g.groups) > 0 || w.fallback(h, g).how == plan.DispBlocked) {
			return 0
		}
		for _, gr := range g.groups {
			if gr.spare <= 0 {
				return 0
			}
			if len(gr.members) > wide && !slices.Contains(groups, gr) {
				groups = append(groups, gr)
			}
		}
	}
	if len(groups) == 0 {
		return 0
	}
	slices.SortFunc(groups, func(a, b *group) int { return strings.Compare(a.ID, b.ID) })
	var name strings.Builder
	for _, gr := range groups {
		name.WriteString(gr.ID)
		name.WriteByte(0)
	}
	n, known := w.wides[name.String()]
	if !known {
		n = len(w.wideSets)
		w.wides[name.String()], w.wideSets = n, append(w.wideSets, groups)
	}
	return n
}

// lineUp has a host wait where it belongs by now. It is to be called after each change of its guests or of what
// is known of its turn.
func (w *world) lineUp(h *host) {
	if h.line != nil {
		h.line.hosts.remove(h.place)
		h.line = nil
	}
	switch {
	case h.sort == 0, h.status != due: // it does not wait, or not yet
	case h.tried >= 0 && h.tried == h.age():
		if len(h.pools) > 1 {
			w.bench = append(w.bench, h)
		} else {
			h.pool.bench = append(h.pool.bench, h)
		}
	case h.notBefore.After(w.clock):
		if !h.rests {
			h.rests = true
			w.resting = append(w.resting, h)
		}
	default:
		w.relane(h) // by those who are on it now
		key := lineKey{h.sort, h.lane, h.can, w.worstOf(h), w.classOf(h), w.leastOf(h).wide}
		l := w.byKey[key]
		if l == nil {
			l = &line{lineKey: key}
			w.byKey[key], w.lines = l, append(w.lines, l)
		}
		l.hosts.add(h.place)
		h.line = l
	}
}

// isResting: it waits by itself for an instant.
func (h *host) isResting() bool {
	return h.rests && h.status == due && h.line == nil && (h.tried < 0 || h.tried != h.age())
}

// stir notes that something changed in a pool: who failed on its own may fare better now.
func (w *world) stir(p *pool) {
	p.age++
	if !p.stirred {
		p.stirred = true
		w.stirred = append(w.stirred, p)
	}
}

// rouse lines up who has waited for a change that has come, or for an instant.
func (w *world) rouse() {
	again := func(hosts []*host) {
		for _, h := range hosts {
			w.lineUp(h)
		}
	}
	if len(w.stirred) > 0 {
		bench := w.bench
		w.bench = nil
		again(bench)
	}
	for _, p := range w.stirred {
		bench := p.bench
		p.bench, p.stirred = nil, false
		again(bench)
	}
	w.stirred = w.stirred[:0]
	resting := w.resting
	w.resting = nil
	for _, h := range resting {
		h.rests = false
		w.lineUp(h)
	}
}

// nextStart gives the earliest instant at which some host may start that did not fail for good; for the
// canary, at which some live patch may, where there is one. Hosts that can never start, or not in time,
// are blocked on the way.
func (w *world) nextStart() (start time.Time, ok bool) {
	w.rouse()
	canary, patch := w.policy.Canary && w.ofStage == 0, false
	take := func(next time.Time, livePatch bool) {
		sooner := next.Before(start) && (!canary || livePatch == patch)
		if !ok || sooner || canary && livePatch && !patch {
			start, ok, patch = next, true, livePatch
		}
	}
	w.asked++
	w.askLines()
	for _, l := range w.lines {
		take(l.start, l.can.livePatch)
	}
	for _, h := range w.resting {
		if h.isResting() {
			take(h.next, h.can.livePatch)
		}
	}
	return start, ok
}

// askLines finds for each line, and for each host that waits by itself, when it may start. Lines without a host
// are given up.
func (w *world) askLines() {
	w.looks += len(w.resting)
	for _, h := range w.resting {
		if h.isResting() {
			w.findNext(h)
		}
	}
	var kept []*line
	for i := 0; i < len(w.lines); i++ { // a host that changes lines may open one at the end
		l := w.lines[i]
		w.looks++
		for l.hosts.n > 0 && l.asked != w.asked {
			h := w.queue[l.hosts.next(0)]
			if w.findNext(h) && h.line == l {
				l.start, l.piece, l.asked = h.next, h.piece, w.asked
			}
		}
		if l.hosts.n == 0 {
			delete(w.byKey, l.lineKey)
			continue
		}
		kept = append(kept, l)
	}
	w.lines = kept
}
