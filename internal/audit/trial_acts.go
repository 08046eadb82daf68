package audit

import (
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// actStarts judges a disruptive act that begins - a live migration that is placed, or an instance
// that is to be saved or stopped - by every law that bears on it, and folds it.
func (t *trial) actStarts(r *run, f *Fact) {
	tr := r.turn(f.Turn)
	sl := r.slots[[2]string{tr.id, f.Instance}]
	s := Subject{Campaign: r.id, Turn: tr.id, Host: f.To, Instance: f.Instance, Seq: f.Seq}
	if s.Host == "" {
		s.Host = f.From
	}
	if sl != nil {
		s.Slot, s.Tenant = sl.ID, sl.Tenant
	}
	g := t.guest(f.Instance)
	t.must(r.stopped == "", 8, "act-while-stopped", s, f.At, "an act before the stop, or after campaign-resumed", "%s of %s begins after %s", f.Kind, f.Instance, r.stopped)
	t.must(!tr.held, 8, "act-while-held", s, f.At, "an act after turn-released", "%s of %s begins while turn %s holds", f.Kind, f.Instance, tr.id)
	t.must(tr.open, 3, "no-permit", s, f.At, "a turn-permitted ahead of it, and no end of the turn", "%s of %s begins and turn %s is not open", f.Kind, f.Instance, tr.id)
	t.toldFirst(r, f, tr, sl, s)
	t.inSlot(r, f, tr, sl, s)
	t.groupsHold(r, f, g, s)
	t.staggered(r, f, tr, s)
	t.once(f, g, s)
	t.actInPlace(r, f, tr, g, s)
	t.needed(r, tr, f, s)
	t.moveInCohort(r, tr, f, s)
	tr.acted = true
	if f.Kind == "stop-started" {
		t.promisedStop(f, sl, s)
		t.actBegins(g, &act{stop: true, run: r, turn: tr, slot: sl, from: f.From, n: f.Attempt})
		return
	}
	t.roomAt(r, f, tr, g, s)
	t.fliesAt(r, f, s)
	t.fliesOver(r, f, s)
	tr.placed[g.id] = append(tr.placed[g.id], placed{f.Attempt, f.To})
	t.actBegins(g, &act{run: r, turn: tr, slot: sl, from: f.From, to: f.To, n: f.Attempt})
	t.hold(g, f.From, f.To)
}

// inSlot asks law 2: the act begins inside the promised slot and its worst case ends there. The worst
// case of a move is its deadline; of a stop, what must still follow it (the save, the reboot, the
// restore); and of both, on the way out, that of the whole turn from its permit on.
func (t *trial) inSlot(r *run, f *Fact, tr *turnRun, sl *plan.Slot, s Subject) {
	if sl == nil || tr.override {
		return
	}
	times := r.timesOf(&r.plan.Policy, tr.host)
	end := f.Deadline
	if f.Kind == "stop-started" {
		end = f.At.Add(time.Duration(times.RebootMax))
		if tr.tactic() == plan.Refresh { // in place
			end = f.At
		}
		if f.Disposition == plan.DispStatefulStop || tr.tactic() == plan.Refresh {
			end = end.Add(2 * tr.saving(times))
		}
		if r.plan.Policy.SlotBy == "auto" && covers(sl.End.Sub(f.At), r.outageAhead(tr, f, times)...) >= 0.99-laxer {
			end = f.At
		}
	} else if end.IsZero() {
		end = f.At.Add(time.Duration(times.MigrateMax))
	}
	if tr.plan != nil && !f.Home && tr.permitted.Add(seconds(tr.plan.WorstS)).After(end) {
		end = tr.permitted.Add(seconds(tr.plan.WorstS))
	}
	t.must(!f.At.Before(sl.Start), 2, "before-slot", s, f.At, "a start at "+clock(sl.Start)+" or later, or an operator's override", "%s of %s begins %s, its slot %s", f.Kind, f.Instance, clock(f.At), clock(sl.Start))
	t.must(!end.After(sl.End), 2, "past-slot", s, f.At, "a start early enough to end by "+clock(sl.End)+" at worst, or another slot, told anew",
		"%s of %s begins %s and may end %s, its slot ends %s", f.Kind, f.Instance, clock(f.At), clock(end), clock(sl.End))
}

// outageAhead are the parts that follow a stop: in a refresh, its own save and restore; in any other turn those of all
// whom it saves, and the reboot.
func (r *run) outageAhead(tr *turnRun, f *Fact, times plan.Times) (parts []part) {
	var mib int64
	saves := 0
	for i := range r.plan.Slots {
		s := &r.plan.Slots[i]
		in := r.instances[s.Instance]
		if s.Turn == tr.id && in != nil && s.Disposition == plan.DispStatefulStop && (tr.tactic() != plan.Refresh || s.Instance == f.Instance) {
			mib, saves = mib+in.MemoryMiB, saves+1
		}
	}
	if saves > 0 || tr.tactic() == plan.Refresh {
		needs := needed(times, mib)
		parts = append(parts, part{2 * needs, 2 * max(needs, tr.saving(times))})
	}
	if tr.tactic() != plan.Refresh {
		parts = append(parts, part{}.plus(times.Reboot, times.RebootMax))
	}
	return parts
}

// saving is how long a turn's saves, or its restores, may take: what policy gives one instance, or what the plan
// foresees for all of them where that is longer.
func (tr *turnRun) saving(times plan.Times) time.Duration {
	most := time.Duration(times.SaveMax)
	if tr.plan != nil {
		most = max(most, seconds(tr.plan.SaveMaxS))
	}
	return most
}

// groupsHold asks law 3: with this one, no more members of any of its groups are disrupted or down
// than may be. A member whose host does not answer counts as down: nobody knows better.
func (t *trial) groupsHold(r *run, f *Fact, g *guest, s Subject) {
	for _, gr := range r.groupsOf[g.id] {
		n := 1
		for _, m := range gr.members {
			if m != g.id && t.disturbed(t.guest(m)) {
				n++
			}
		}
		s.Group = gr.id
		t.must(n <= gr.most, 3, "group", s, f.At, "another member back first, or a higher max_unavailable of the group",
			"%d of the %d members of group %s are disrupted or down with %s, at most %d may be", n, len(gr.members), gr.id, g.id, gr.most)
	}
}

// disturbed: an act of ours has it, or it does not serve. What its owner deleted is no member any more.
func (t *trial) disturbed(g *guest) bool {
	if g.external == "gone" && g.state == "absent" {
		return false
	}
	return g.act != nil || g.state != string(fleet.Running) || g.host != "" && t.machine(g.host).lost
}

// actBegins puts an act in flight; one that it displaces was found fault with.
func (t *trial) actBegins(g *guest, a *act) {
	if g.act != nil {
		delete(g.act.turn.busy, g.id)
	}
	g.act = a
	a.turn.busy[g.id] = true
}

// once asks law 5: one act on an instance at a time, from where it is, and nowhere else than where
// an unresolved one may have put it.
func (t *trial) once(f *Fact, g *guest, s Subject) {
	t.must(g.act == nil, 5, "two-acts", s, f.At, "an act after the one before it has ended", "%s of %s begins while another act on it has not ended", f.Kind, g.id)
	t.must(g.host == "" || g.host == f.From, 5, "from-elsewhere", s, f.At, "an act where the instance is by the last facts", "%s of %s names host %s, by the last facts it is on %s", f.Kind, g.id, f.From, g.host)
	d := g.doubt
	t.must(d == nil || d.to == f.To && !d.split, 5, "place-unresolved", s, f.At, "a look that shows where the instance runs, or the same destination again",
		"%s of %s begins, and where its last move ended is not known: it was tried on %s", f.Kind, g.id, d.where())
}

// where names the two ends of a move in doubt.
func (d *doubt) where() string {
	if d == nil {
		return ""
	}
	return "from " + d.from + " to " + d.to
}

// promisedStop asks law 1: nothing is stopped that was not promised to be, and nothing loses its
// memory that was promised to keep it.
func (t *trial) promisedStop(f *Fact, sl *plan.Slot, s Subject) {
	promised := plan.DispNone
	if sl != nil {
		promised = sl.Disposition
	}
	ok := f.Disposition == promised && plan.ClassOf(promised) == plan.ClassOutage || promised == plan.DispStop && f.Disposition == plan.DispStatefulStop
	t.must(ok, 1, "silent-stop", s, f.At, "a promise of that stop, told as such, or a turn that holds", "%s begins for %s, which was promised %q", f.Disposition, f.Instance, promised)
}
