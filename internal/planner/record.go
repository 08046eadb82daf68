package planner

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// record writes a wave into the plan.
func (w *world) record(v *wave) {
	if len(w.plan.Slots) == 0 { // most plans move few instances twice: big lists are not to grow step by step
		n := 0
		for _, h := range w.queue {
			n += len(h.guests)
		}
		w.plan.Turns = slices.Grow(w.plan.Turns, len(w.queue))
		w.plan.Slots, w.plan.Moves = slices.Grow(w.plan.Slots, n+n/3), slices.Grow(w.plan.Moves, n+n/3)
	}
	for _, d := range v.turns {
		h := d.host
		h.lane.keep(d.piece)
		if w.stage == second {
			w.rebootIn[h.ID] = w.waves
		}
		from, by := w.updatesAhead(d)
		w.plan.Turns = append(w.plan.Turns, plan.Turn{
			ID: turnID(d), Host: h.ID, Deferred: w.stage == second, Pool: h.pool.ID, Site: h.site, Wave: w.waves, Canary: d.canary, Tactic: d.tactic,
			UpdateFrom: from, UpdateBy: by, Start: v.start, End: v.start.Add(ceilSecond(d.expected.all)), WorstS: int64(ceilSecond(d.p99) / time.Second), P95S: int64(ceilSecond(d.p95) / time.Second), SaveMaxS: int64(w.longerSaves(d) / time.Second),
			WindowStart: d.piece.window.Start, WindowEnd: d.piece.window.End, ForDeadline: d.forDeadline(), Why: w.reason(d),
		})
		for _, m := range d.homes {
			w.recordMove(v, d, m, true)
		}
		most := w.policy.Blackout.Std()
		for _, m := range d.moves {
			w.recordMove(v, d, m, false)
			w.recordSlot(v, d, m.guest, plan.DispLiveMigrate, plan.Course{}.Then(min(max(blink, w.pause(m.guest, w.between(m.from, m.to))), most), most))
			w.plan.Slots[len(w.plan.Slots)-1].Away = d.away[m.guest]
		}
		for _, s := range d.stops {
			w.recordSlot(v, d, s.guest, s.how, d.outage)
		}
	}
}

// turnID is the host's id, but for a live patch that a deferred reboot follows.
func turnID(d *draft) string {
	if d.tactic == plan.LivePatch && d.host.deferral.ahead && !d.host.deferral.blocked {
		return plan.PatchTurn(d.host.ID)
	}
	return d.host.ID
}

func (w *world) recordMove(v *wave, d *draft, m *move, home bool) {
	w.plan.Moves = append(w.plan.Moves, plan.Move{
		Instance: m.guest.ID, From: m.from.ID, To: m.to.ID, Turn: d.host.ID,
		Start: v.start.Add(ceilSecond(m.start)), End: v.start.Add(ceilSecond(m.end)), Home: home,
	})
}

func (w *world) recordSlot(v *wave, d *draft, g *guest, how plan.Disposition, away plan.Course) {
	class, start, end, worst := plan.ClassOf(how), d.piece.start, d.piece.end, away.Worst
	if w.policy.AutoSlots() {
		start, end, worst = v.start, v.start.Add(d.worst.all), away.At(0.99)
	}
	w.plan.Slots = append(w.plan.Slots, plan.Slot{
		ID: d.host.ID + "/" + g.ID, Instance: g.ID, Tenant: g.Tenant, Turn: d.host.ID, Class: class, Disposition: how,
		Start: start, End: end, ExpectedMs: away.Expected.Milliseconds(), P95Ms: away.At(0.95).Milliseconds(), WorstMs: worst.Milliseconds(),
		NoticeBy: start.Add(-w.policy.Lead.Of(class)), Overrules: w.overrules(d, g, start, end),
	})
}

// reason says why this tactic and why now.
func (w *world) reason(d *draft) string {
	var parts []string
	if d.canary {
		parts = append(parts, "canary: the host whose turn disturbs least goes first and alone")
	}
	if d.host.unpatched != "" {
		parts = append(parts, d.host.unpatched)
	}
	if w.stage == second {
		parts = append(parts, "the reboot that follows its live patch")
	}
	if fix := w.shed[d.host.ID]; fix != "" {
		parts = append(parts, "it sheds a withdrawn fix, "+fix)
	}
	switch n := len(d.moves); {
	case d.tactic == plan.LivePatch:
		parts = append(parts, "it can be patched while it runs")
	case n == 0 && len(d.stops) == 0 && d.tactic == plan.Refresh:
		parts = append(parts, "nothing on it has to be given another process")
	case n == 0 && len(d.stops) == 0:
		parts = append(parts, "nothing runs on it")
	case len(d.stops) == 0 && d.tactic == plan.Refresh:
		parts = append(parts, "moved once, onto the new software: "+many(n, "instance"))
	case len(d.stops) == 0:
		parts = append(parts, "all that runs on it can move: "+many(n, "instance"))
	default:
		parts = append(parts, fmt.Sprintf("%d move, %d stay: %s", n, len(d.stops), w.whyStay(d)))
	}
	return strings.Join(parts, "; ")
}

// whyStay names the first few that stay, each with its reason.
func (w *world) whyStay(d *draft) string {
	const most = 3
	var names []string
	for i, s := range d.stops {
		if i == most {
			names = append(names, fmt.Sprintf("and %d more", len(d.stops)-most))
			break
		}
		names = append(names, s.guest.ID+" ("+s.why+")")
	}
	return strings.Join(names, ", ")
}

// sorted puts all lists of the plan in the order in which people read them.
func sorted(p *plan.Plan) {
	slices.SortFunc(p.Turns, func(a, b plan.Turn) int {
		return or(a.Wave-b.Wave, a.Start.Compare(b.Start), strings.Compare(a.ID, b.ID))
	})
	slices.SortFunc(p.Moves, func(a, b plan.Move) int {
		return or(a.Start.Compare(b.Start), strings.Compare(a.Turn, b.Turn), strings.Compare(a.Instance, b.Instance), strings.Compare(a.From, b.From))
	})
	slices.SortFunc(p.Slots, func(a, b plan.Slot) int {
		return or(a.Start.Compare(b.Start), strings.Compare(a.Turn, b.Turn), strings.Compare(a.Instance, b.Instance))
	})
	slices.SortFunc(p.Blocked, func(a, b plan.Blocked) int {
		return or(strings.Compare(a.Host, b.Host), strings.Compare(a.Instance, b.Instance), strings.Compare(a.Code, b.Code))
	})
	slices.SortFunc(p.Skipped, func(a, b plan.Skipped) int { return strings.Compare(a.Host, b.Host) })
}

func or(orders ...int) int {
	for _, o := range orders {
		if o != 0 {
			return o
		}
	}
	return 0
}
