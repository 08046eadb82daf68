package audit

import (
	"sort"
	"strings"
	"time"
)

// lateness is one interruption that outlasted its slot.
type lateness struct {
	turn, instance, slot, tenant string
	end                          time.Time
}

// note remembers an act that ended, or had not ended, at a moment after its slot.
func (r *run) note(g *guest, a *act, at time.Time) {
	if a.slot != nil && at.After(a.slot.End) {
		r.late = append(r.late, lateness{a.turn.id, g.id, a.slot.ID, a.slot.Tenant, a.slot.End})
	}
}

// finish asks law 7 at the end of a campaign: everybody who ran runs, or is named to people; nothing
// is left open or borrowed.
func (t *trial) finish(r *run, f *Fact) {
	r.finished = true
	r.lists = append(r.lists, f.Why)
	t.finishesAfterParent(r, f)
	for _, tr := range r.turns {
		s := Subject{Campaign: r.id, Turn: tr.id, Host: tr.host, Seq: f.Seq}
		t.must(!tr.open, 7, "turn-open", s, f.At, "turn-done or turn-dropped for each turn that was permitted", "campaign %s finishes while turn %s is open", r.id, tr.id)
		t.must(tr.plan == nil || tr.done || tr.dropped || tr.held, 7, "turn-forgotten", s, f.At, "an end of each turn of the plan, or a hold that says why not",
			"campaign %s finishes and turn %s was neither done, dropped nor held", r.id, tr.id)
		if tr.open {
			for code := range tr.borrowed {
				t.must(false, 7, "not-given-back", s, f.At, "a given-back fact for "+code, "campaign %s finishes and %s is still borrowed from host %s", r.id, code, tr.host)
			}
		}
	}
	ids := make([]string, 0, len(r.ran))
	for id := range r.ran {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	for _, id := range ids {
		t.cameBack(r, id, f)
	}
	t.asFound(r, f)
}

func (t *trial) cameBack(r *run, id string, f *Fact) {
	g := t.guest(id)
	s := Subject{Campaign: r.id, Instance: id, Host: g.host, Seq: f.Seq}
	byOthers := g.act == nil && (g.external == "gone" || g.external == "stopped")
	runs := g.act == nil && g.state == "running"
	if runs || byOthers {
		t.must(true, 7, "", s, f.At, "", "")
	} else {
		t.must(r.names(id), 7, "not-back", s, f.At, "the instance running again, or named in a hold that a person has seen",
			"%s ran when the plan was applied; when the campaign finishes it is %s", id, describe(g))
	}
	home := r.homeOf(id)
	if home == "" || !runs || g.landed.IsZero() || g.external != "" {
		return
	}
	if tr := r.turns[home]; tr != nil && !tr.done {
		return // its home never came through its turn: to bring it there would be wrong
	}
	if tr := r.turns[home]; tr != nil && settles(&r.plan.Policy) && home != r.ran[id] && len(tr.placed[id]) == 0 {
		return // a turn was to take it along and bring it back, and it had landed elsewhere before
	}
	t.must(g.host == home || g.host == r.ran[id] || r.names(id), 7, "not-home", s, f.At, "a move home, or the instance named in a hold that a person has seen",
		"%s ran on %s; when the campaign finishes it is on %s, and policy, or the plan, brings it home", id, r.ran[id], g.host)
}

func describe(g *guest) string {
	if g.act != nil {
		if g.act.stop {
			return "stopped by the campaign and not back"
		}
		return "on its way to " + g.act.to
	}
	return g.state
}

// names: one of the texts shown to people names the instance.
func (r *run) names(id string) bool {
	for _, text := range r.lists {
		if word(text, id) {
			return true
		}
	}
	return false
}

// word: the text holds an id as a word of its own, not as a part of a longer one.
func word(text, id string) bool {
	part := func(c byte) bool {
		return c == '-' || c == '_' || c == '.' || digit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
	}
	for from := 0; id != ""; {
		i := strings.Index(text[from:], id)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(id)
		// A full stop ends a sentence; inside a word it belongs to the word.
		after := end < len(text) && part(text[end]) && !(text[end] == '.' && (end+1 == len(text) || !part(text[end+1])))
		if (i == 0 || !part(text[i-1])) && !after {
			return true
		}
		from = i + 1
	}
	return false
}

// close asks what can only be asked at the end of the facts: were overruns told (law 2)?
func (t *trial) close() Verdict {
	for _, g := range t.guests {
		if a := g.act; a != nil {
			a.run.note(g, a, t.now)
		}
	}
	finished := len(t.runs) > 0
	for _, r := range t.runs {
		finished = finished && r.finished
		for _, l := range r.late {
			t.overrunTold(r, l)
		}
	}
	t.must(t.seq > 0, 10, "empty", Subject{}, time.Time{}, "at least one fact", "the journal holds no fact")
	v := t.verdict()
	v.Finished = finished
	return v
}

// overrunTold: within 5 minutes after the slot's end the record and the tenant know.
func (t *trial) overrunTold(r *run, l lateness) {
	by := l.end.Add(overrunTold)
	s := Subject{Campaign: r.id, Turn: l.turn, Instance: l.instance, Slot: l.slot, Tenant: l.tenant}
	on := func(at time.Time) bool { return !at.IsZero() && !at.After(by) || at.IsZero() && !t.now.After(by) }
	t.must(on(r.overruns[[2]string{l.turn, l.instance}]), 2, "overrun-unrecorded", s, by, "an overrun fact by "+clock(by), "%s was not back when its slot ended %s, and no fact says so within 5 minutes", l.instance, clock(l.end))
	t.must(l.tenant == "" || on(r.warned[l.slot]), 2, "overrun-untold", s, by, "an overrun notice to the tenant by "+clock(by), "%s was not back when its slot ended %s, and tenant %s was sent no notice of it within 5 minutes", l.instance, clock(l.end), l.tenant)
}
