package audit

import (
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// moveEnds judges what a migration came to. Proof is what was read at both ends, not the word 'done'.
func (t *trial) moveEnds(r *run, f *Fact) {
	tr, g := r.turn(f.Turn), t.guest(f.Instance)
	s := Subject{Campaign: r.id, Turn: tr.id, Host: f.To, Instance: f.Instance, Seq: f.Seq}
	t.must(tr.wasPlaced(f), 10, "unplaced", s, f.At, "a move-placed, stored before the migration starts", "attempt %d of the move of %s to %s ends and was never placed", f.Attempt, f.Instance, f.To)
	t.must(f.Source != "" && f.Destination != "", 5, "ends-unread", s, f.At, "what both ends said, or unreachable", "the move of %s ends with source %q and destination %q", f.Instance, f.Source, f.Destination)
	mine := g.act != nil && !g.act.stop && g.act.turn == tr && g.act.n == f.Attempt && g.act.to == f.To
	t.countsMove(r, tr, f, mine)
	there := f.Destination == "running" && (f.Source == "absent" || f.Source == "stopped")
	if f.Kind == "move-done" {
		t.must(f.Destination != "running" || f.Source != "running", 5, "two-places", s, f.At, "one end at which it runs", "%s runs on %s and on %s", f.Instance, f.From, f.To)
		t.must(there || f.Source == "running" && f.Destination == "running", 5, "move-unproven", s, f.At, "a destination where it runs and a source where it does not",
			"the move of %s is done with source %s and destination %s", f.Instance, f.Source, f.Destination)
		t.blip(r, f, s)
		t.must(mine || g.act == nil, 5, "late-landing", s, f.At, "an earlier attempt that has surely ended before another destination is tried",
			"%s lands on %s while its move to %s is under way", f.Instance, f.To, actTo(g))
	}
	again := g.act == nil && g.doubt != nil && g.doubt.turn == tr && g.doubt.to == f.To // both ends were read again
	if !mine && !again && (g.act != nil || !there) {
		return // the late answer of an attempt that was given up
	}
	if g.act != nil {
		g.lastMove = g.act
	}
	t.actEnds(g, f.At)
	switch {
	case there:
		g.landed = f.At
		if !f.Home {
			tr.movedAway = true
			g.givenProcess(r, tr, f.To)
		}
		g.runs = nil // it took on what its new host runs; the next look says what
		t.sure(g, f.To, "running")
	case f.Source == "running" && (f.Destination == "absent" || f.Destination == "stopped"):
		t.sure(g, f.From, "running")
	default:
		// That it runs twice is the hypervisors' doing; what we do next is judged: nothing may touch it.
		split := f.Source == "running" && f.Destination == "running"
		g.doubt = &doubt{turn: tr, from: f.From, to: f.To, split: split, ends: map[string]string{}}
		tr.doubts[g.id] = true
		g.host, g.state = f.From, "unknown"
		t.hold(g, f.From, f.To)
	}
}

func actTo(g *guest) string {
	if g.act == nil {
		return ""
	}
	return g.act.to
}

func (tr *turnRun) wasPlaced(f *Fact) bool {
	for _, p := range tr.placed[f.Instance] {
		if p.attempt == f.Attempt && p.to == f.To {
			return true
		}
	}
	return false
}

// blip asks law 1: a live migration that paused its instance for longer than policy's blackout was
// an outage, unless that is what was promised.
func (t *trial) blip(r *run, f *Fact, s Subject) {
	sl := r.slots[[2]string{f.Turn, f.Instance}]
	if f.BlackoutMs <= 0 || sl != nil && sl.Class == plan.ClassOutage {
		return
	}
	most := time.Duration(r.plan.Policy.Blackout)
	t.must(time.Duration(f.BlackoutMs)*time.Millisecond <= most, 1, "class-exceeded", s, f.At, "a pause of at most "+most.String(), "%s stood still for %d ms, a blip is at most %s", f.Instance, f.BlackoutMs, most)
}

// actEnds closes an act and remembers it when it outlasted its slot.
func (t *trial) actEnds(g *guest, at time.Time) {
	if a := g.act; a != nil {
		a.run.note(g, a, at)
		delete(a.turn.busy, g.id)
	}
	g.act, g.changed = nil, at
}

// died: a move left an instance running nowhere. That needs looks at both ends, after the move; from then on it is
// ours to bring back, as if we had stopped it.
func (t *trial) died(r *run, f *Fact) {
	tr, g := r.turn(f.Turn), t.guest(f.Instance)
	s := Subject{Campaign: r.id, Turn: tr.id, Host: f.Host, Instance: f.Instance, Seq: f.Seq}
	t.must(g.lastMove != nil && g.lastMove.turn == tr && g.lastMove.from == f.From && g.lastMove.to == f.To && g.act == nil, 10, "died-unmoved", s, f.At,
		"a move that ended before with its ends unread", "%s is said to have died of a move from %s to %s, which the record does not hold", f.Instance, f.From, f.To)
	t.must(g.doubt == nil && g.state == "stopped" && g.host == f.Host, 5, "died-unread", s, f.At, "looks at both ends, after the move, that show it running at neither",
		"%s is said to be stopped on %s and to run nowhere; by the record it is %s on %s", f.Instance, f.Host, g.state, g.host)
	g.act = &act{stop: true, run: r, turn: tr, slot: r.slots[[2]string{f.Turn, f.Instance}], from: f.Host, n: f.Attempt}
	g.died, tr.busy[g.id], g.changed = true, true, f.At
}

// stopGoesOn folds what became of a stop: from its start until the instance is back.
func (t *trial) stopGoesOn(r *run, f *Fact) {
	tr, g := r.turn(f.Turn), t.guest(f.Instance)
	s := Subject{Campaign: r.id, Turn: tr.id, Host: tr.host, Instance: f.Instance, Seq: f.Seq}
	mine := g.act != nil && g.act.stop && g.act.turn == tr
	switch f.Kind {
	case "stop-done":
		if half := g.half; !mine && half != nil && half.turn == tr { // its answer was lost, and a look showed it stopped
			g.act, mine, tr.busy[g.id] = half, true, true
		}
		g.half = nil
		t.must(mine, 10, "unstarted", s, f.At, "a stop-started, stored before the stop", "%s is stopped and no fact started that", f.Instance)
		g.state, g.changed = "stopped", f.At
	case "stop-failed":
		if mine && g.state != "stopped" {
			// Whether it still runs is not known before the next look; a retry may follow.
			g.half = g.act
			t.actEnds(g, f.At)
			g.state = "unknown"
		}
	case "back-started":
		t.must(!r.forced, 8, "act-after-forced", s, f.At, "a start before the campaign was closed by force", "%s is to be started after campaign %s was closed by force", f.Instance, r.id)
		t.must(f.To == tr.host || g.died && f.To == g.host, 5, "back-elsewhere", s, f.At, "the host on which it was stopped", "%s, stopped on %s, is to be started on %s", f.Instance, tr.host, f.To)
		tr.placed[g.id] = append(tr.placed[g.id], placed{f.Attempt, "back"})
	case "back-done":
		started := tr.wasPlaced(&Fact{Instance: f.Instance, Attempt: f.Attempt, To: "back"})
		t.must(started, 10, "unstarted", s, f.At, "a back-started, stored before the start", "%s is back and no fact started that", f.Instance)
		if mine || g.act == nil {
			t.actEnds(g, f.At)
			g.died = false
			g.runs = nil // a new process: the next look says what it runs on
			g.givenProcess(r, tr, f.To)
			t.sure(g, f.To, "running")
		}
	}
}
