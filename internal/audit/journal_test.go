package audit

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// tape is a journal under the knife: facts are found by what they say, and numbered anew afterwards.
type tape struct {
	t     *testing.T
	facts []Fact
}

// find gives the place of the first fact of a kind that agrees with all the words given: each is its
// turn, step, instance, host or notice.
func (p *tape) find(kind string, words ...string) int {
	p.t.Helper()
	for i, f := range p.facts {
		if f.Kind != kind {
			continue
		}
		all := []string{f.Turn, f.Step, f.Instance, f.Host, f.Notice}
		if !slices.ContainsFunc(words, func(w string) bool { return !slices.Contains(all, w) }) {
			return i
		}
	}
	p.t.Fatalf("no %s fact with %v", kind, words)
	return -1
}

func (p *tape) get(kind string, words ...string) *Fact {
	p.t.Helper()
	return &p.facts[p.find(kind, words...)]
}

func (p *tape) drop(kind string, words ...string) {
	p.t.Helper()
	i := p.find(kind, words...)
	p.facts = slices.Delete(p.facts, i, i+1)
}

// put inserts facts ahead of place i, at the time of the fact before it.
func (p *tape) put(i int, facts ...Fact) {
	for n := range facts {
		facts[n].At = p.facts[i-1].At
		if facts[n].Campaign == "" {
			facts[n].Campaign = "spring"
		}
		if facts[n].Who == "" {
			facts[n].Who = "engine"
		}
	}
	p.facts = slices.Insert(p.facts, i, facts...)
}

// cut ends the journal ahead of place i.
func (p *tape) cut(i int) { p.facts = p.facts[:i] }

// delay moves all facts from place i on later.
func (p *tape) delay(i int, by time.Duration) {
	for n := i; n < len(p.facts); n++ {
		f := &p.facts[n]
		f.At = f.At.Add(by)
		if !f.Deadline.IsZero() {
			f.Deadline = f.Deadline.Add(by)
		}
		if f.Seen != nil {
			v := *f.Seen
			v.At = v.At.Add(by)
			f.Seen = &v
		}
	}
}

// replan changes plan and fleet as they were applied, and nothing else.
func (p *tape) replan(change func(f *fleet.Fleet, p *plan.Plan)) {
	f, pl := goodFleet(), goodPlan()
	change(f, pl)
	p.facts[0].Plan, _ = json.Marshal(pl)
	p.facts[0].Fleet, _ = json.Marshal(f)
}

func (p *tape) renumber() {
	for i := range p.facts {
		p.facts[i].Seq = int64(i + 1)
	}
}

// journalMutant breaks one thing in a good journal; exactly the codes named must then be found.
type journalMutant struct {
	name  string
	law   int
	codes []string
	raw   bool // keep the numbers as they are
	spoil func(p *tape)
}

func external(instance, code string) Fact {
	return Fact{Kind: "external", Host: "a", Instance: instance, Code: code, Why: "by others"}
}

// journalMutants are all mutants of a journal.
var journalMutants = slices.Concat(actMutants, houseMutants, childMutants, diedMutants, slotMutants)

func TestJournalMutants(t *testing.T) {
	for _, m := range journalMutants {
		t.Run(m.name, func(t *testing.T) {
			p := &tape{t, goodJournal()}
			m.spoil(p)
			if !m.raw {
				p.renumber()
			}
			found := Facts(p.facts).Findings
			if got := codes(found); !slices.Equal(got, m.codes) {
				show(t, found)
				t.Fatalf("found %v, want %v", got, m.codes)
			}
			if !slices.ContainsFunc(found, func(x Finding) bool { return x.Law == m.law }) {
				t.Errorf("no finding is of law %d", m.law)
			}
			for _, x := range found {
				if x.What == "" || x.Allow == "" || x.Law < 1 || x.Law > Laws {
					t.Errorf("a finding without words: %+v", x)
				}
			}
		})
	}
}
