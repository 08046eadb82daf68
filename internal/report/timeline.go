package report

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// The timeline is drawn with widths in percent, so that it fits any screen, and heights in pixels.
// Time in which nothing happened is cut out: a campaign is minutes of work between days of waiting.

// maxLanes is how many hosts the timeline shows; the tables below it hold all.
const maxLanes = 300

// maxPieces is how many stretches of time the timeline is made of at most.
const maxPieces = 12

const (
	gapShare   = 1.5 // percent of the width that a cut takes
	pieceFloor = 4.0 // percent that a stretch takes at least
)

// interval of time.
type interval struct{ from, to time.Time }

// piece is one stretch of time drawn to scale from x0 to x1, in percent.
type piece struct {
	interval
	x0, x1 float64
}

// scale maps moments to places.
type scale []piece

// newScale covers all intervals; cuts between them are as few and as long as can be.
func newScale(all []interval) scale {
	if len(all) == 0 {
		return nil
	}
	slices.SortFunc(all, func(a, b interval) int { return a.from.Compare(b.from) })
	busy := merge(all, 0)
	var work time.Duration
	for _, i := range busy {
		work += i.to.Sub(i.from)
	}
	least := max(work/4, time.Minute) // a shorter pause is shown as it is
	pieces := merge(busy, least)
	for len(pieces) > maxPieces {
		least *= 2
		pieces = merge(busy, least)
	}
	return spread(pieces, least/3)
}

// merge joins intervals, sorted by their start, that lie no further apart than gap.
func merge(sorted []interval, gap time.Duration) (out []interval) {
	for _, i := range sorted {
		if n := len(out); n > 0 && !i.from.After(out[n-1].to.Add(gap)) {
			if i.to.After(out[n-1].to) {
				out[n-1].to = i.to
			}
			continue
		}
		out = append(out, i)
	}
	return out
}

// spread gives each piece its share of the width, with a little air around, at most most.
func spread(pieces []interval, most time.Duration) (s scale) {
	var total time.Duration
	for i := range pieces {
		air := min(max(pieces[i].to.Sub(pieces[i].from)/50, time.Second), most)
		pieces[i].from, pieces[i].to = pieces[i].from.Add(-air), pieces[i].to.Add(air)
		total += pieces[i].to.Sub(pieces[i].from)
	}
	n := float64(len(pieces))
	room := 100 - gapShare*(n-1) - pieceFloor*n
	x := 0.0
	for _, i := range pieces {
		width := pieceFloor + room*float64(i.to.Sub(i.from))/float64(total)
		s = append(s, piece{i, x, x + width})
		x += width + gapShare
	}
	return s
}

// x is the place of a moment; one that was cut out lies at the edge of the cut.
func (s scale) x(t time.Time) float64 {
	for i, p := range s {
		if t.Before(p.from) {
			if i == 0 {
				return 0
			}
			return s[i-1].x1
		}
		if !t.After(p.to) {
			return p.x0 + (p.x1-p.x0)*float64(t.Sub(p.from))/float64(p.to.Sub(p.from))
		}
	}
	return 100
}

// bar is a rectangle of the timeline.
type bar struct {
	X, W  string // percent
	Y, H  int    // pixels
	Class string // how it came out: waiting, moving, done, held, broken
	Kind  string // step, act, stop, slot, plan
	Text  string // shown in it where there is room
	Wide  bool   // there is room also on a small screen
	Tip   string
}

// lane is one host.
type lane struct {
	Y, H   int
	Name   string
	Status string // glyph and words
	Class  string
	Bars   []bar
}

// tick is a word on the time axis.
type tick struct {
	X      string
	Text   string
	Anchor string
	Small  bool // fits a small screen
}

// timeline is the whole drawing.
type timeline struct {
	Height int
	Lanes  []lane
	Ticks  []tick
	Cuts   []bar
	Hidden int // hosts that have no lane
}

// The heights of a lane's parts, in pixels.
const (
	axisHigh  = 22
	labelHigh = 18
	stepHigh  = 14
	actHigh   = 7
	laneAir   = 12
)

// newTimeline draws the hosts that have a turn.
func newTimeline(r *Report) *timeline {
	s := newScale(r.busy())
	if s == nil {
		return nil
	}
	tl := &timeline{}
	y := axisHigh
	acts := map[string][]*Act{}
	for i := range r.Acts {
		acts[r.Acts[i].Turn] = append(acts[r.Acts[i].Turn], &r.Acts[i])
	}
	slots := map[string][]*Promise{}
	for i := range r.Promises {
		slots[r.Promises[i].Turn] = append(slots[r.Promises[i].Turn], &r.Promises[i])
	}
	for i := range r.Hosts {
		h := &r.Hosts[i]
		if h.Wave == 0 {
			continue
		}
		if len(tl.Lanes) == maxLanes {
			tl.Hidden++
			continue
		}
		l := drawLane(r, s, h, acts[h.Turn], slots[h.Turn], y)
		tl.Lanes = append(tl.Lanes, l)
		y += l.H
	}
	tl.Height = y
	tl.axis(s)
	return tl
}

// busy lists when something was done; before anything was, when it is planned.
func (r *Report) busy() (all []interval) {
	add := func(from, to time.Time) {
		if from.IsZero() {
			return
		}
		if to.IsZero() || to.Before(from) {
			to = r.Until
		}
		if to.Before(from) {
			to = from
		}
		all = append(all, interval{from, to})
	}
	for i := range r.Hosts {
		h := &r.Hosts[i]
		for _, s := range h.Steps {
			add(s.Start, s.End)
		}
		if !h.Began.IsZero() && h.State != HostHeld {
			add(h.Began, h.Ended)
		}
		for _, s := range h.Holds { // a hold of days is shown by its two ends
			add(s.Start, s.Start)
			add(s.End, s.End)
		}
	}
	for i := range r.Acts {
		add(r.Acts[i].Start, r.Acts[i].End)
	}
	for i := range r.Hosts {
		if h := &r.Hosts[i]; h.Began.IsZero() && h.State == HostWaiting {
			add(h.PlannedStart, h.PlannedEnd)
		}
	}
	return all
}

// drawLane draws one host: slots as outlines behind, steps as one row, acts in rows below.
func drawLane(r *Report, s scale, h *Host, acts []*Act, slots []*Promise, y int) lane {
	l := lane{Y: y, Name: h.Name(), Class: classOf(string(h.State)), Status: glyphOf(string(h.State)) + " " + string(h.State)}
	if !h.Began.IsZero() {
		l.Status += ", " + span(time.Duration(h.DurationS)*time.Second)
	}
	top := y + labelHigh
	put := func(from, to time.Time, y, high int, b bar) {
		if to.IsZero() {
			to = r.Until
		}
		x0, x1 := s.x(from), s.x(to)
		width := max(x1-x0, 0.35)
		b.X, b.W, b.Y, b.H, b.Wide = percent(min(x0, 99.65)), percent(width), y, high, width > 18
		if width < 5 {
			b.Text = ""
		}
		l.Bars = append(l.Bars, b)
	}
	rows := packActs(r, acts)
	high := stepHigh + 2 + len(rows)*actHigh
	seen := map[interval]bool{}
	for _, p := range slots {
		at := interval{p.Start, p.End}
		if !seen[at] && s.x(p.End) > s.x(p.Start) {
			put(p.Start, p.End, top-2, high+4, bar{Kind: "slot", Class: "slot", Tip: "promised slot " + slotWords(p.Start, p.End)})
		}
		seen[at] = true
	}
	if h.Began.IsZero() {
		put(h.PlannedStart, h.PlannedEnd, top, stepHigh, bar{Kind: "plan", Class: "waiting", Text: "planned", Tip: h.Host + " planned " + slotWords(h.PlannedStart, h.PlannedEnd)})
	}
	for _, x := range h.Holds {
		put(x.Start, x.End, top, stepHigh, bar{Kind: "hold", Class: "held", Text: "held", Tip: h.Host + " held at " + x.Name + ", " + spanS(x.Seconds) + because(x.Why)})
	}
	for _, x := range h.Steps {
		put(x.Start, x.End, top, stepHigh, bar{Kind: "step", Class: classOf(string(x.Result)), Text: x.Name,
			Tip: fmt.Sprintf("%s %s, %s, %s%s", h.Host, x.Name, x.Result, spanS(x.Seconds), because(x.Why))})
	}
	for n, row := range rows {
		for _, a := range row {
			put(a.Start, a.End, top+stepHigh+2+n*actHigh, actHigh-2, bar{Kind: a.Kind, Class: a.class(), Tip: a.tip()})
		}
	}
	l.H = labelHigh + high + laneAir
	return l
}

// class: an act that went well is blue, whatever came after; one that failed is red.
func (a *Act) class() string {
	if a.Result == Failed {
		return "broken"
	}
	return "moving"
}

func (a *Act) tip() string {
	words := fmt.Sprintf("%s of %s, %s", a.Kind, a.Instance, a.Result)
	if a.To != "" && a.To != a.From {
		words += ", " + a.From + " to " + a.To
	}
	if a.Result == Done {
		words += ", interrupted " + ms(a.Ms)
	}
	return words + because(a.Why)
}

// packActs puts acts into as few rows as they need so that none overlap.
func packActs(r *Report, acts []*Act) (rows [][]*Act) {
	var ends []time.Time
	for _, a := range acts {
		end := a.End
		if end.IsZero() {
			end = r.Until
		}
		n := slices.IndexFunc(ends, func(t time.Time) bool { return !t.After(a.Start) })
		if n < 0 {
			n = len(rows)
			rows, ends = append(rows, nil), append(ends, end)
		}
		rows[n], ends[n] = append(rows[n], a), end
	}
	return rows
}

// axis writes when each piece begins and when the last one ends, where there is room for the words,
// and marks the cuts.
func (tl *timeline) axis(s scale) {
	const roomy, small = 10, 30 // percent that a label takes on a wide and on a narrow screen
	next, nextSmall, day := 0.0, 0.0, ""
	for i, p := range s {
		if i > 0 {
			tl.Cuts = append(tl.Cuts, bar{X: percent((s[i-1].x1 + p.x0) / 2), Y: axisHigh, H: tl.Height,
				Tip: span(p.from.Sub(s[i-1].to)) + " in which nothing was done"})
		}
		if p.x0 < next || p.x0 > 100-roomy {
			continue
		}
		layout := "15:04:05"
		if d := p.from.UTC().Format(time.DateOnly); d != day {
			layout, day = "Jan 2 15:04", d
		}
		t := tick{X: percent(p.x0), Text: p.from.UTC().Format(layout), Anchor: "start"}
		next = p.x0 + roomy
		if p.x0 >= nextSmall && p.x0 <= 100-small {
			t.Small, nextSmall = true, p.x0+small
		}
		tl.Ticks = append(tl.Ticks, t)
	}
	if next <= 100-roomy {
		tl.Ticks = append(tl.Ticks, tick{X: "100%", Text: s[len(s)-1].to.UTC().Format("15:04:05"), Anchor: "end", Small: nextSmall <= 100-small})
	}
}

func percent(x float64) string { return strconv.FormatFloat(x, 'f', 3, 64) + "%" }

// classOf maps a state, outcome or result to one of the five colours.
func classOf(state string) string {
	switch state {
	case "done", "kept", "accepted", "running":
		return "done"
	case "moving", "open":
		return "moving"
	case "held", "blocked", "unproven", "paused":
		return "held"
	case "overrun", "failed", "halted", "broken", "unknown", "unreachable":
		return "broken"
	}
	return "waiting"
}

// glyphOf is the sign that goes with a colour, so that colour never stands alone.
func glyphOf(state string) string {
	return map[string]string{"waiting": "○", "moving": "▸", "done": "✓", "held": "‖", "broken": "✗"}[classOf(state)]
}
