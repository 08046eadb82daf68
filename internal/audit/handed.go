package audit

import (
	"encoding/json"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// heirs judges what one campaign says that another one told for it: a plan that takes a campaign's place may keep
// that one's promises, and who was told of one that stands is not told again. Whether that is so stands in the parent's
// journal alone.
type heirs struct{ record }

// promises is what one journal says of promises, as far as another campaign may rest on it.
type promises struct {
	id        string
	applied   time.Time
	plan      *plan.Plan
	told      map[string][]telling
	cancelled map[string]int64 // slot id -> the fact that asks for the notice
	begun     map[string]int64 // turn -> the fact that permits it
	passed    map[string]int64 // slot id -> the fact by which another turn is to keep it
	returned  map[string]bool  // slot ids that its parent did not hand over after all
	handed    []string         // slot ids that it hands over
}

// handedOver judges each journal whose plan supersedes a campaign by that one's journal, where it is among them.
func handedOver(journals [][]Fact) Verdict {
	h := new(heirs)
	of := map[string]*promises{}
	all := make([]*promises, 0, len(journals))
	for _, facts := range journals {
		if p := promisesOf(facts); p != nil {
			of[p.id] = p
			all = append(all, p)
		}
	}
	for _, child := range all {
		if parent := of[child.plan.Supersedes]; parent != nil && parent != child {
			h.judge(parent, child)
		}
	}
	return h.verdict()
}

// promisesOf reads a journal for what it promised, told and took back; nil where it holds no plan.
func promisesOf(facts []Fact) *promises {
	if len(facts) == 0 || facts[0].Kind != "campaign-applied" {
		return nil
	}
	p := &promises{id: facts[0].Campaign, applied: facts[0].At, plan: new(plan.Plan), told: map[string][]telling{}, cancelled: map[string]int64{}, begun: map[string]int64{}, passed: map[string]int64{}, returned: map[string]bool{}}
	if json.Unmarshal(facts[0].Plan, p.plan) != nil {
		return nil
	}
	slots := map[string]*plan.Slot{}
	for i := range p.plan.Slots {
		s := &p.plan.Slots[i]
		if slots[s.ID] = s; p.plan.Supersedes != "" && !s.Told.IsZero() {
			p.told[s.ID] = []telling{{s.Told, *s}}
		}
	}
	asked := map[string]*Fact{}
	for i := range facts {
		p.hear(&facts[i], slots, asked)
	}
	return p
}

func (p *promises) hear(f *Fact, slots map[string]*plan.Slot, asked map[string]*Fact) {
	switch f.Kind {
	case "notice-asked":
		asked[f.Notice] = f
		for _, id := range f.Slots {
			if f.NoticeKind == "cancelled" {
				p.cancelled[id] = f.Seq
			}
		}
	case "notice-accepted":
		if a := asked[f.Notice]; a != nil && announces[a.NoticeKind] {
			for _, id := range a.Slots {
				if s := slots[id]; s != nil {
					p.told[id] = append(p.told[id], telling{f.At, *s})
				}
			}
		}
	case "slot-passed": // another turn is to keep it
		for _, id := range f.Slots {
			p.passed[id] = f.Seq
		}
	case "turn-permitted":
		if p.begun[f.Turn] == 0 {
			p.begun[f.Turn] = f.Seq
		}
	case "campaign-aborted":
		p.handed = append(p.handed, f.Slots...)
	case "parent-ended":
		for _, id := range f.Slots {
			p.returned[id] = true
			delete(p.told, id)
		}
	}
}

// judge asks law 4 of each promise that a child says its parent told: was it told, just so and just then; does nobody
// tell its tenant that it is off; and was it not kept already? And of each that the parent hands over: is it kept?
func (h *heirs) judge(parent, child *promises) {
	keeps := map[string]bool{}
	for i := range child.plan.Slots {
		sl := &child.plan.Slots[i]
		keeps[sl.ID] = !sl.Told.IsZero() // what comes back to it after all is told anew
	}
	for _, id := range parent.handed {
		h.must(keeps[id], 4, "handed-to-nobody", Subject{Campaign: parent.id, Slot: id}, child.applied, "a slot of the child's plan that says when its tenant was told, or a cancellation",
			"campaign %s hands slot %s over, and campaign %s does not keep it", parent.id, id, child.id)
	}
	for i := range child.plan.Slots {
		sl := &child.plan.Slots[i]
		if sl.Told.IsZero() || child.returned[sl.ID] {
			continue
		}
		s := Subject{Campaign: child.id, Turn: sl.Turn, Instance: sl.Instance, Slot: sl.ID, Tenant: sl.Tenant}
		h.must(heard(parent.told[sl.ID], sl), 4, "handed-untold", s, sl.Start, "a notice of this promise in the journal of campaign "+parent.id+", accepted "+clock(sl.Told),
			"the plan says that tenant %s was told of slot %s %s, and campaign %s did not tell it so", sl.Tenant, sl.ID, clock(sl.Told), parent.id)
		h.must(parent.cancelled[sl.ID] == 0, 4, "handed-cancelled", s, sl.Start, "no cancellation of a promise that is handed over, or a notice of it anew",
			"campaign %s keeps slot %s, and fact %d of campaign %s tells tenant %s that it is off", child.id, sl.ID, parent.cancelled[sl.ID], parent.id, sl.Tenant)
		h.must(parent.begun[sl.Turn] == 0, 4, "handed-used", s, sl.Start, "promises handed over whose turns did not begin",
			"campaign %s keeps slot %s, and fact %d of campaign %s began that turn", child.id, sl.ID, parent.begun[sl.Turn], parent.id)
		h.must(parent.passed[sl.ID] == 0, 4, "handed-used", s, sl.Start, "promises handed over that no other turn of the parent keeps",
			"campaign %s keeps slot %s, and by fact %d of campaign %s another turn of that one does", child.id, sl.ID, parent.passed[sl.ID], parent.id)
	}
}

// heard: one of the tellings is of this promise, at the moment that it names, and of no shorter an interruption.
func heard(tellings []telling, sl *plan.Slot) bool {
	for _, t := range tellings {
		p := &t.promise
		if t.accepted.Equal(sl.Told) && samePromise(*p, *sl) && p.Tenant == sl.Tenant && p.Disposition == sl.Disposition && sl.ExpectedMs <= p.ExpectedMs && sl.WorstMs <= p.WorstMs {
			return true
		}
	}
	return false
}
