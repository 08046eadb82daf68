package planner

import (
	"cmp"
	"container/heap"
	"math"
	"slices"
	"time"
)

// patience is how many hosts of one pool may fail to enter a wave before the rest of the pool is left to the next
// one: so many, or as many as have entered it. Behind one that is too large for what room is left there may stand
// smaller ones for which there is enough, so as long as its stock lasts a pool is asked to its end. So in all waves
// together no more tries fail than so many a host and so many a wave.
const (
	patience    = 200
	patienceFor = 4 // tries of each host of a pool are its stock
)

// tires notes that a host of a pool failed to enter. It tells whether patience with the pool ends with that.
func (v *wave) tires(p *pool) bool {
	v.fails[p]++
	if v.fails[p] < max(patience, v.away[p]) {
		return false
	}
	p.failed++
	return p.failed >= patienceFor*len(p.hosts)
}

// fill lets hosts enter a wave. The canary goes alone: the lightest host that can. Where any host may be
// live-patched now, it is a wave of live patches.
func (w *world) fill(v *wave) {
	r := w.readyFor(v)
	if most := v.most(); most >= r.n && !v.live && !w.allReturn() && w.by.script == nil && !w.stalled { // trust, where it grows, comes first
		v.paced = w.measured(r.pools)
	}
	canary := w.policy.Canary && w.ofStage == 0
	if !canary && w.by.script == nil && !w.by.coloured {
		v.byLines(r)
		return
	}
	all := r.all(w)
	if canary {
		slices.SortStableFunc(all, func(a, b *host) int {
			return cmp.Or(refreshFirst(a, b), cmp.Compare(w.classOf(a), w.classOf(b)), lighter(a, b))
		})
	}
	if all = w.by.script.cast(all, w.ofStage+1); w.by.coloured && !canary && !v.live {
		all = w.coloured(all)
	}
	for _, h := range all {
		if len(v.turns) >= v.most() {
			return
		}
		if v.ask(h); canary && len(v.turns) > 0 {
			v.turns[0].canary = true
			return
		}
	}
}

// ready are those that may start with a wave.
type ready struct {
	lines []*line
	loose []*host // that wait by themselves
	pools []*pool
	n     int // of hosts
}

func (w *world) readyFor(v *wave) (r ready) {
	take := func(livePatch bool, p *pool, n int) bool {
		if livePatch && !v.live { // it is a wave of these alone
			r, v.live = ready{}, true
		}
		if livePatch != v.live {
			return false
		}
		r.pools, r.n = append(r.pools, p), r.n+n
		return true
	}
	for _, l := range w.lines {
		if l.asked == w.asked && l.start.Equal(v.start) && l.hosts.n > 0 && take(l.can.livePatch, w.queue[l.hosts.next(0)].pool, l.hosts.n) {
			r.lines = append(r.lines, l)
		}
	}
	for _, h := range w.resting {
		if h.isResting() && h.next.Equal(v.start) && take(h.can.livePatch, h.pool, 1) {
			r.loose = append(r.loose, h)
		}
	}
	if p, ok := v.opener(r); ok && !w.by.apart {
		w.join(v, &r, p)
	}
	return r
}

// opener is the slot that a wave begins in, of the first who is ready for it. The canary's is its own.
func (v *wave) opener(r ready) (p piece, ok bool) {
	switch {
	case v.policy.Canary && v.ofStage == 0:
		return p, false
	case len(r.lines) > 0:
		p = r.lines[0].piece
	case len(r.loose) > 0:
		p = r.loose[0].piece
	}
	return p, !p.start.IsZero() && !p.made
}

// join adds those whose own slots begin at other hours, where the slot that the wave begins in lies in their window too.
func (w *world) join(v *wave, r *ready, opener piece) {
	fits := func(h *host, next time.Time) (piece, bool) {
		after, told := w.earliest(h)
		if !next.After(v.start) || h.can.livePatch != v.live || v.start.Before(after) || opener.start.Before(told) {
			return piece{}, false
		}
		p, ok := h.lane.join(opener)
		need := w.worstOf(h) + w.spare()
		return p, ok && !v.start.Add(need).After(p.end)
	}
	for _, l := range w.lines {
		if l.asked != w.asked || l.hosts.n == 0 {
			continue
		}
		h := w.queue[l.hosts.next(0)]
		if p, ok := fits(h, l.start); ok {
			l.start, l.piece, w.joined = v.start, p, true
			r.lines, r.pools, r.n = append(r.lines, l), append(r.pools, h.pool), r.n+l.hosts.n
		}
	}
	for _, h := range w.resting {
		if !h.isResting() {
			continue
		}
		if p, ok := fits(h, h.next); ok {
			h.next, h.piece, w.joined = v.start, p, true
			r.loose, r.pools, r.n = append(r.loose, h), append(r.pools, h.pool), r.n+1
		}
	}
}

// all are the hosts, in the order of the queue.
func (r *ready) all(w *world) []*host {
	out := slices.Clone(r.loose)
	for _, l := range r.lines {
		for place := l.hosts.next(0); place >= 0; place = l.hosts.next(place + 1) {
			h := w.queue[place]
			h.next, h.piece = l.start, l.piece
			out = append(out, h)
		}
	}
	slices.SortFunc(out, func(a, b *host) int { return cmp.Compare(a.place, b.place) })
	return out
}

// turnstile gives hosts of several lines in the order of the queue; a line of nil is one host by itself.
type turnstile []waitingAt

type waitingAt struct {
	place int
	line  *line
}

func (t turnstile) Len() int           { return len(t) }
func (t turnstile) Less(i, j int) bool { return t[i].place < t[j].place }
func (t turnstile) Swap(i, j int)      { t[i], t[j] = t[j], t[i] }
func (t *turnstile) Push(x any)        { *t = append(*t, x.(waitingAt)) }
func (t *turnstile) Pop() any {
	last := (*t)[len(*t)-1]
	*t = (*t)[:len(*t)-1]
	return last
}

// byLines asks the ready hosts one after the other, and of a line that is shut no more of them.
func (v *wave) byLines(r ready) {
	var t turnstile
	for _, h := range r.loose {
		t = append(t, waitingAt{h.place, nil})
	}
	for _, l := range r.lines {
		t = append(t, waitingAt{l.hosts.next(0), l})
	}
	heap.Init(&t)
	var shut []waitingAt
	most, end := v.most(), math.MaxInt
	for len(t) > 0 {
		x := &t[0]
		if len(v.turns) >= most {
			break
		}
		h := v.queue[x.place]
		if x.line != nil {
			h.next, h.piece = x.line.start, x.line.piece
		}
		closed := x.line != nil && v.spent(x.line) || v.ask(h)
		if len(v.turns) >= most {
			end = x.place
		}
		next := -1
		if x.line != nil && closed {
			shut = append(shut, *x)
		} else if x.line != nil {
			next = x.line.hosts.next(x.place + 1)
		}
		if x.place = next; next < 0 {
			heap.Pop(&t)
		} else {
			heap.Fix(&t, 0)
		}
	}
	v.noteHeld(shut, end)
}

// spent: other turns of the wave take what some wide group of a line can spare.
func (v *wave) spent(l *line) bool {
	for _, gr := range v.wideSets[l.wide] {
		if v.groupUse[gr] >= gr.spare {
			return true
		}
	}
	return false
}

// noteHeld notes whether any host of the lines that were shut would have had to stay out for the measure of the
// wave alone, had it been asked: one behind the place at which its pool had its measure, while there was
// patience with the pool.
func (v *wave) noteHeld(shut []waitingAt, end int) {
	for _, x := range shut {
		p := v.queue[x.place].pool
		full, paced := v.fullAt[p]
		if v.held || !paced {
			continue
		}
		last := end
		if n, tired := v.tiredAt[p]; tired {
			last = min(last, n)
		}
		next := x.line.hosts.next(max(x.place, full+1))
		v.held = next >= 0 && next <= last
	}
}

// ask gives a host its chance of a turn in the wave. It tells whether all others of its line would stay out too,
// for the same reason.
func (v *wave) ask(h *host) (shut bool) {
	v.looks++
	if _, tired := v.tiredAt[h.pool]; tired && v.away[h.pool] > 0 {
		return true
	}
	if n, ok := v.paced[h.pool]; ok && v.away[h.pool] >= n {
		v.held = true
		return true
	}
	if !v.admits(h) {
		return true
	}
	if h.arriving > 0 {
		return false
	}
	d, t := v.try(h)
	v.short = v.short || t.why == noRoom || t.why == noSpread || t.why == noReserve
	switch {
	case t.why == fine:
		if n, ok := v.paced[h.pool]; ok && v.away[h.pool] == n {
			v.fullAt[h.pool] = h.place
		}
	case t.why == waits:
	case v.disturbs(h):
		if _, tired := v.tiredAt[h.pool]; v.tires(h.pool) && !tired {
			v.tiredAt[h.pool] = h.place
		}
	case t.why == noTime && d.worst.all > h.minWorst:
		h.minWorst, v.learnt = d.worst.all, true
		v.lineUp(h)
	default:
		h.tried, h.trouble, v.learnt = h.age(), t, true
		v.lineUp(h)
	}
	return false
}

// disturbs: something in the wave may bear on a host, so that its failure proves nothing.
func (v *wave) disturbs(h *host) bool {
	if len(v.turns) == 0 {
		return false
	}
	for _, p := range h.pools {
		if v.touched[p] {
			return true
		}
	}
	for _, g := range h.guests {
		for _, gr := range g.groups {
			if v.groupUse[gr] > 0 {
				return true
			}
		}
	}
	return v.anyHome()
}
