package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// guest is where one instance is while the journal is read.
type guest struct {
	line  Instance
	since time.Time // of its present state
	ours  bool      // our act brought it into this state
	why   string
	// listed: the campaign itself put it on the list of those that did not come back.
	listed bool
}

func (b *book) enterInstances(at time.Time) {
	for i := range b.fleet.Instances {
		in := &b.fleet.Instances[i]
		if b.guests[in.ID] != nil {
			continue
		}
		state := cmp.Or(in.State, fleet.Running)
		b.guests[in.ID] = &guest{since: at, line: Instance{Instance: in.ID, Tenant: in.Tenant, Before: in.Host, After: in.Host,
			State: string(state), ranFirst: state != fleet.Stopped}}
	}
}

// guest gives the line of an instance; one that the fleet did not hold came later.
func (b *book) guest(f *execution.Fact) *guest {
	g := b.guests[f.Instance]
	if g == nil {
		g = &guest{line: Instance{Instance: f.Instance, Tenant: f.Tenant, State: "running"}}
		b.guests[f.Instance] = g
	}
	return g
}

func (g *guest) become(state, host string, at time.Time, ours bool, why string) {
	g.line.State, g.since, g.ours, g.why, g.listed = state, at, ours, why, false
	if host != "" {
		g.line.After = host
	}
	if g.line.Before == "" {
		g.line.Before = host
	}
}

// move enters a live migration.
func (b *book) move(f *execution.Fact) {
	key := f.Turn + "/" + f.Instance
	g := b.guest(f)
	if f.Kind == execution.MovePlaced {
		if old := b.open[key]; old != nil {
			b.end(old, f.At, Failed, "", "no answer to this attempt")
		}
		kind := "move"
		if f.Home {
			kind = "home"
		}
		b.begin(key, f, g, kind)
		g.become("moving", "", f.At, true, "on its way from "+f.From+" to "+f.To)
		return
	}
	a := b.open[key]
	if a == nil || a.Attempt != f.Attempt || (a.Kind != "move" && a.Kind != "home") {
		b.misfit(f, "no such move of "+f.Instance+" is under way")
		return
	}
	delete(b.open, key)
	if f.Kind == execution.MoveDone {
		b.end(a, f.At, Done, f.Code, f.Why)
		a.Ms = f.BlackoutMs
		if f.To != "" {
			a.To = f.To
		}
		g.become("running", a.To, f.At, true, "")
		b.exposed.landed(f.Instance, a.To, f.At)
		return
	}
	b.end(a, f.At, Failed, f.Code, f.Why)
	// What was read at both ends says where it is; what was not read leaves it where it was.
	switch {
	case f.Destination == "running" && f.Source != "running":
		g.become("running", f.To, f.At, true, f.Why)
	case f.Source == "" && f.Destination == "" || f.Source == "running":
		g.become("running", a.From, f.At, true, f.Why)
	default:
		g.become("unknown", "", f.At, true, fmt.Sprintf("after a failed move it was %s at %s and %s at %s", f.Source, f.From, f.Destination, f.To))
	}
	b.event(f, fmt.Sprintf("its move to %s failed, attempt %d%s", f.To, f.Attempt, because(cmp.Or(f.Why, f.Code))))
}

// died enters what a move of ours has killed: an interruption from the move's start until it runs again.
func (b *book) died(f *execution.Fact) {
	g := b.guest(f)
	since := f.At
	for _, a := range slices.Backward(b.acts) {
		if a.Turn == f.Turn && a.Instance == f.Instance {
			since = a.Start // somewhere between its start and its end
			break
		}
	}
	key := f.Turn + "/" + f.Instance
	b.begin(key, f, g, "death")
	b.open[key].Start, b.open[key].Down = since, since
	g.become("stopped", f.Host, f.At, true, "a move of ours left it running nowhere")
	b.event(f, fmt.Sprintf("its move from %s to %s left it running nowhere: it is stopped on %s", f.From, f.To, f.Host))
}

// stop enters a stop or a save, and the way back: one act from its start until the instance runs.
func (b *book) stop(f *execution.Fact) {
	key := f.Turn + "/" + f.Instance
	g := b.guest(f)
	if f.Kind == execution.StopStarted {
		if old := b.open[key]; old != nil {
			b.end(old, f.At, Failed, "", "no answer to this attempt")
		}
		kind := "stop"
		if f.Disposition == plan.DispStatefulStop {
			kind = "save"
		}
		b.begin(key, f, g, kind)
		g.become("stopping", "", f.At, true, "its "+kind+" began")
		return
	}
	a := b.open[key]
	if a == nil || (a.Kind != "stop" && a.Kind != "save" && a.Kind != "death") {
		b.misfit(f, "no stop of "+f.Instance+" is under way")
		return
	}
	switch f.Kind {
	case execution.StopDone:
		a.Down = f.At
		g.become("stopped", f.From, f.At, true, "we stopped it and it has not been started again")
	case execution.StopFailed:
		delete(b.open, key)
		b.end(a, f.At, Failed, f.Code, f.Why)
		g.become("running", "", f.At, true, f.Why)
		b.event(f, fmt.Sprintf("its %s failed, attempt %d%s", a.Kind, f.Attempt, because(cmp.Or(f.Why, f.Code))))
	case execution.BackStarted:
		if f.Attempt > 1 && a.Why != "" {
			b.r.Totals.Retries++
		}
		a.To = f.To
	case execution.BackDone:
		delete(b.open, key)
		b.end(a, f.At, Done, "", "")
		a.To = cmp.Or(f.To, a.To, a.From)
		a.Ms = f.At.Sub(a.Start).Milliseconds()
		g.become("running", a.To, f.At, true, "")
		b.exposed.landed(f.Instance, a.To, f.At)
	case execution.BackFailed:
		a.Code, a.Why = f.Code, cmp.Or(f.Why, f.Code)
		g.why = "it does not come back: " + a.Why
		b.event(f, fmt.Sprintf("it did not come back, attempt %d%s", f.Attempt, because(a.Why)))
	}
}

// begin opens an act and enters it at its promise.
func (b *book) begin(key string, f *execution.Fact, g *guest, kind string) {
	a := &Act{Kind: kind, Instance: f.Instance, Tenant: cmp.Or(f.Tenant, g.line.Tenant), Turn: f.Turn, From: f.From, To: f.To,
		Attempt: f.Attempt, Start: f.At, Ms: -1, Result: Open}
	b.acts, b.open[key] = append(b.acts, a), a
	g.line.Touched = true
	if p := b.slotOf[key]; p != nil {
		if len(p.acts) > 0 && p.acts[len(p.acts)-1].Result == Failed {
			b.r.Totals.Retries++
		}
		p.acts = append(p.acts, a)
	}
	if b.turns[f.Turn] == nil {
		b.misfit(f, "no plan has turn "+f.Turn)
	}
}

func (b *book) end(a *Act, at time.Time, result Result, code, why string) {
	a.End, a.Result, a.Code, a.Why = at, result, code, why
}

// seeInstance believes a look, unless an act of ours is under way or ended after it.
func (b *book) seeInstance(f *execution.Fact, v *execution.InstanceView) {
	g := b.guest(&execution.Fact{Instance: v.ID})
	if v.Incoming || v.Migrating || f.Seen.At.Before(g.since) || g.line.State == "moving" || g.line.State == "stopping" {
		return
	}
	if v.State != g.line.State || f.Host != g.line.After {
		// A stopped copy elsewhere is what a move leaves behind, not where the instance is.
		if v.State != "running" && g.line.After != f.Host && g.line.After != "" {
			return
		}
		ours := g.ours && v.State == "stopped"
		why := "last seen " + v.State
		if ours {
			why = g.why
		}
		g.become(v.State, f.Host, f.Seen.At, ours, why)
	}
	b.exposed.seen(v, f.Host, f.At)
}

func (b *book) external(f *execution.Fact) {
	b.r.Totals.Externals++
	b.event(f, "by others: "+cmp.Or(f.Code, "changed")+because(f.Why))
	if f.Instance == "" {
		return
	}
	g := b.guest(f)
	switch f.Code {
	case "gone":
		g.become("gone", "", f.At, false, cmp.Or(f.Why, "gone by others' hands"))
		b.exposed.gone(f.Instance, f.At)
		if p := b.slotOf[f.Turn+"/"+f.Instance]; p != nil {
			p.gone = g.why
		}
	case "stopped":
		g.become("stopped", f.Host, f.At, false, cmp.Or(f.Why, "stopped by others"))
	case "moved", "appeared":
		g.become("running", cmp.Or(f.To, f.Host), f.At, false, f.Why)
	}
}

// notReturned takes the campaign's own word, at its end, for an instance that does not run. Whose
// act it was stays as it was known.
func (b *book) notReturned(f *execution.Fact) {
	b.event(f, "it ran before and does not run now: "+cmp.Or(f.Code, "not known")+because(f.Why))
	g := b.guest(f)
	since := g.since
	if g.line.State == "running" {
		since = f.At
	}
	g.become(cmp.Or(f.Code, "unknown"), f.Host, since, g.ours && g.line.State != "running", cmp.Or(f.Why, f.Code))
	g.listed = true
}

// closeInstances lists how each came out, and those that did not come back.
func (b *book) closeInstances() {
	r := b.r
	underWay := map[string]bool{}
	for _, a := range b.open {
		if t := b.turns[a.Turn]; t != nil && t.host.State == HostActive && r.State != Finished {
			underWay[a.Instance] = true
		}
	}
	ms := map[string]int64{}
	for _, a := range b.acts {
		if a.Result == Failed {
			continue
		}
		if old := ms[a.Instance]; old < 0 || a.Ms < 0 {
			ms[a.Instance] = -1
		} else {
			ms[a.Instance] = old + a.Ms
		}
	}
	for _, id := range slices.Sorted(maps.Keys(b.guests)) {
		g := b.guests[id]
		g.line.ActualMs = ms[id]
		r.Instances = append(r.Instances, g.line)
		if !g.line.ranFirst {
			continue
		}
		r.Totals.InstancesBefore++
		if !g.listed && (g.line.State == "running" || g.line.State == "paused") {
			r.Totals.InstancesRunning++
			continue
		}
		if !g.listed && underWay[id] {
			continue // not lost: its turn goes on
		}
		r.NeverBack = append(r.NeverBack, NeverBack{Instance: id, Tenant: g.line.Tenant, Host: g.line.After, Since: g.since, Ours: g.ours, Why: cmp.Or(g.why, g.line.State)})
	}
}
