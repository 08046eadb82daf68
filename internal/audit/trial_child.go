package audit

import (
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// A child campaign takes another one's place: two campaigns on one fleet would each count on room and
// on members that the other takes away. So nothing of the child begins before its parent is over.

// legacy is where, and since when, an instance stands by the parent's moves.
type legacy struct {
	host  string
	since time.Time
}

// awaits: the plan in force supersedes a campaign that is not over by the journal.
func (r *run) awaits() bool { return r.plan.Supersedes != "" && !r.parentEnded }

// parentFact takes in what the child was told of its parent.
func (t *trial) parentFact(r *run, f *Fact) {
	s := Subject{Campaign: r.id, Instance: f.Instance, Host: f.Host, Seq: f.Seq}
	t.must(r.plan.Supersedes != "", 10, "no-parent", s, f.At, "a plan that names the campaign under supersedes", "fact %d, %s, and the plan supersedes no campaign", f.Seq, f.Kind)
	t.must(!r.parentEnded, 10, "parent-ended-twice", s, f.At, "all that is told of the parent before its end, and one end", "fact %d, %s, follows the end of campaign %s", f.Seq, f.Kind, r.plan.Supersedes)
	if f.Kind == "parent-ended" {
		r.parentEnded = true
		for _, id := range f.Slots { // these it did not hand over
			delete(r.told, id)
		}
		return
	}
	if f.To != "" { // it may run at either of two ends, or at both: looks have to tell
		g := t.guest(f.Instance)
		g.doubt = &doubt{turn: &turnRun{doubts: map[string]bool{}}, from: f.Host, to: f.To, split: true, ends: map[string]string{}}
		g.host, g.state = f.Host, "unknown"
		t.hold(g, f.Host, f.To)
		return
	}
	r.inherited[f.Instance] = legacy{f.Host, f.At}
	if g := t.guest(f.Instance); g.act == nil && g.host != f.Host {
		g.seenAt = [2]glimpse{}
		t.settle(g, f.Host, string(fleet.Running))
	}
}

// afterParent asks laws 5 and 6 of a permit in a child: its parent is over, and what the parent brought
// to the host has had its least stay there since.
func (t *trial) afterParent(r *run, tr *turnRun, f *Fact, s Subject) {
	t.must(!r.awaits(), 5, "parent-not-ended", s, f.At, "a parent-ended fact ahead of the first permit", "turn %s is permitted and campaign %s, whose place is taken, is not over", tr.id, r.plan.Supersedes)
	if tr.inPlace() {
		return // it leaves alone who was brought here
	}
	stay := time.Duration(r.plan.Policy.MinStay)
	for id, l := range r.inherited {
		if g := t.guest(id); l.host != tr.host || g.host != tr.host {
			continue
		}
		s.Instance = id
		t.must(!f.At.Before(l.since.Add(stay)), 6, "min-stay", s, f.At, "a permit no earlier than "+clock(l.since.Add(stay)),
			"turn %s is permitted %s after the parent's end left %s on its host, it is to stay %s", tr.id, f.At.Sub(l.since), id, stay)
	}
}

// preparesAfterParent: to change software ahead of a turn is an act like any other.
func (t *trial) preparesAfterParent(r *run, tr *turnRun, f *Fact, s Subject) {
	t.must(!r.awaits(), 5, "parent-not-ended", s, f.At, "a parent-ended fact ahead of the first preparation", "turn %s is prepared and campaign %s, whose place is taken, is not over", tr.id, r.plan.Supersedes)
}

// finishesAfterParent: a child that ends before its parent would leave a third one to believe that
// nobody is at work.
func (t *trial) finishesAfterParent(r *run, f *Fact) {
	t.must(!r.awaits(), 5, "parent-not-ended", Subject{Campaign: r.id, Seq: f.Seq}, f.At, "a parent-ended fact ahead of the end", "campaign %s finishes and campaign %s, whose place it takes, is not over", r.id, r.plan.Supersedes)
}
