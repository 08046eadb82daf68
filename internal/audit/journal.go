package audit

import (
	"encoding/json"
	"io"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// How old a look may be, and how late an overrun may be told: the laws' own numbers.
const (
	freshLook   = 60 * time.Second
	overrunTold = 5 * time.Minute
	// A single look can be wrong about what it does not show: hypervisors were seen to lose a running
	// instance from a list. So many looks in a row prove an absence.
	looksToMiss = 2
)

// Journal judges a journal, finished or still growing, from its facts alone. The error is for lines
// that are no facts (*BadLine) and for the reader's own; the verdict then covers what came before.
func Journal(r io.Reader) (Verdict, error) {
	t := newTrial()
	err := ReadFacts(r, t.hear)
	return t.close(), err
}

// Facts judges facts that were read already, in order.
func Facts(facts []Fact) Verdict {
	t := newTrial()
	for i := range facts {
		t.hear(&facts[i])
	}
	return t.close()
}

// hear takes one fact in: it is judged against what was known before it, then folded.
func (t *trial) hear(f *Fact) {
	r := t.onRecord(f)
	if f.At.After(t.now) {
		t.now = f.At
	}
	t.seq = f.Seq
	if f.Kind == "campaign-applied" {
		t.apply(f)
		return
	}
	t.world(f)
	if r == nil {
		return
	}
	switch f.Kind {
	case "campaign-paused", "campaign-halted", "campaign-aborted":
		r.stopped = f.Kind
	case "campaign-forced":
		t.forced(r, f)
	case "campaign-resumed":
		t.resumed(r, f)
	case "campaign-finished":
		t.finish(r, f)
	case "parent-ended", "inherited":
		t.parentFact(r, f)
	case "notice-asked", "notice-accepted", "notice-failed":
		t.notice(r, f)
	case "cohort-held", "cohort-released":
		t.cohortFact(r, f)
	case "turn-prepares", "turn-permitted", "turn-held", "turn-released", "turn-done", "turn-dropped", "borrowed", "given-back":
		t.turnFact(r, f)
	case "step-started", "step-done", "step-failed":
		t.stepFact(r, f)
	case "move-placed", "stop-started":
		t.actStarts(r, f)
	case "move-done", "move-failed":
		t.moveEnds(r, f)
	case "slot-passed":
		t.slotPassed(r, f)
	case "canary-passed":
		t.passedOver(r, f)
	case "died":
		t.died(r, f)
	case "stop-done", "stop-failed", "back-started", "back-done", "back-failed":
		t.stopGoesOn(r, f)
	case "stays-away", "not-returned", "unfixed": // lists that people are shown
		r.lists = append(r.lists, f.Instance)
	case "overrun":
		key := [2]string{f.Turn, f.Instance}
		if r.overruns[key].IsZero() {
			r.overruns[key] = f.At
		}
	}
}

// apply takes a plan and its fleet in: the campaign's first, or a later revision.
func (t *trial) apply(f *Fact) {
	p, fl := new(plan.Plan), new(fleet.Fleet)
	s := Subject{Campaign: f.Campaign, Seq: f.Seq}
	errPlan, errFleet := json.Unmarshal(f.Plan, p), json.Unmarshal(f.Fleet, fl)
	t.must(errPlan == nil && errFleet == nil, 10, "applied-unreadable", s, f.At, "the plan and the fleet that were applied, as JSON", "fact %d does not hold both (plan: %v; fleet: %v)", f.Seq, errPlan, errFleet)
	if errPlan != nil || errFleet != nil {
		return
	}
	r := t.runs[f.Campaign]
	if r == nil {
		r = &run{id: f.Campaign, turns: map[string]*turnRun{}, ran: map[string]string{}, held: map[string]bool{}, letters: map[string]*letter{},
			told: map[string][]telling{}, overruns: map[[2]string]time.Time{}, warned: map[string]time.Time{}, inherited: map[string]legacy{},
			failing: map[string]int{}, heldCohorts: map[string]bool{}}
		t.runs[f.Campaign] = r
	} else {
		t.must(p.Revision > r.revision, 10, "revision-not-newer", s, f.At, "a revision above the one in force", "revision %d is applied over revision %d", p.Revision, r.revision)
	}
	r.estate, r.plan, r.revision, r.finished, r.cohorts = newEstate(fl), p, p.Revision, false, map[string]*plan.Cohort{}
	r.slots, r.slotByID = map[[2]string]*plan.Slot{}, map[string]*plan.Slot{}
	for i := range p.Slots {
		sl := &p.Slots[i]
		r.slots[[2]string{sl.Turn, sl.Instance}], r.slotByID[sl.ID] = sl, sl
		if p.Supersedes != "" && !sl.Told.IsZero() { // by the campaign before; Journals asks that one
			r.told[sl.ID] = append(r.told[sl.ID], telling{accepted: sl.Told, promise: *sl})
		}
	}
	for _, tr := range r.turns {
		tr.plan, tr.touches = nil, false
	}
	for i := range p.Turns {
		tr := r.turn(p.Turns[i].ID)
		tr.plan, tr.host = &p.Turns[i], p.Turns[i].Host
	}
	r.inForce(f)
	r.skipped = map[string]bool{}
	for _, k := range p.Skipped {
		r.skipped[k.Host] = true
	}
	for i := range p.Slots {
		if tr := r.turns[p.Slots[i].Turn]; tr != nil && disrupts(p.Slots[i].Class) {
			tr.touches = true
		}
	}
	t.takeFleet(r)
	t.appliedUnderEmbargo(r, f)
}

// takeFleet lays a new snapshot over what is known; it says nothing of instances with an act of ours
// in flight or undone.
func (t *trial) takeFleet(r *run) {
	for id, in := range r.instances {
		g := t.guest(id)
		g.in = in
		if g.act != nil {
			continue
		}
		t.hold(g)
		g.memory, g.runs = in.MemoryMiB, in.Running
		state := string(in.State)
		if state == "" {
			state = string(fleet.Running)
		}
		t.settle(g, in.Host, state)
		if _, known := r.ran[id]; !known && serves(in) {
			r.ran[id] = in.Host
		}
	}
	for id := range r.hosts {
		t.machine(id)
	}
}
