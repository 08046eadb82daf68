package audit

import (
	"testing"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// fails puts so many failed migrations of v3, towards x4, ahead of the one that succeeds.
func (p *tape) fails(n int, code string) {
	i := p.of("move-placed", "x3", "v3")
	placed, done := p.facts[i], p.facts[i+1]
	for k := range n {
		try, failed := placed, done
		try.Attempt, failed.Attempt = k+1, k+1
		failed.Kind, failed.Code, failed.Why, failed.Source, failed.Destination, failed.BlackoutMs = "move-failed", code, "no", "running", "absent", 0
		p.put(i+2*k, try, failed)
	}
	j := i + 2*n
	p.facts[j].Attempt, p.facts[j+1].Attempt = n+1, n+1
}

// afterFailures is the place after the last failure.
func (p *tape) afterFailures() int {
	for i := len(p.facts) - 1; ; i-- {
		if p.facts[i].Kind == "move-failed" {
			return i + 1
		}
	}
}

var (
	holdsXen = Fact{Kind: "cohort-held", Cohort: "xen", Code: "migrations-fail", Why: "w", Next: "n"}
	letsXen  = Fact{Kind: "cohort-released", Cohort: "xen", Who: "operator:robin"}
	holdsX3  = Fact{Kind: "turn-held", Turn: "x3", Host: "x3", Step: "empty", Code: "migrations-fail", Why: "w"}
	letsX3   = Fact{Kind: "turn-released", Turn: "x3", Host: "x3"}
)

// heldJournal is a cohort that is held after three failures, and released by a person.
func heldJournal() []Fact {
	p := &tape{nil, patchedJournal()}
	p.t = new(testing.T)
	p.fails(3, "failed")
	p.put(p.afterFailures(), holdsXen, holdsX3, letsXen, letsX3)
	p.renumber()
	return p.facts
}

// cohortMutants break what is asked of cohorts whose migrations fail.
var cohortMutants = []journalMutant{
	{"a cohort that is not held", 8, one("cohort-not-held"), false, func(p *tape) { p.fails(3, "failed") }},
	{"a cohort that is not held, and the next turn begins", 8, one("cohort-not-held"), false, func(p *tape) {
		p.fails(3, "failed")
		i := p.afterFailures()
		p.cutOut(i, p.of("turn-done", "x3"))
		p.put(i, Fact{Kind: "given-back", Turn: "x3", Host: "x3", Code: "cordon"})
		p.facts[i+1].Kind, p.facts[i+1].Code, p.facts[i+1].Why = "turn-dropped", "aborted", "w"
	}},
	{"a cohort that is held for nothing", 10, one("cohort-held-unfounded"), false, func(p *tape) {
		p.put(p.of("turn-permitted", "x3"), holdsXen, letsXen)
	}},
	{"a cohort that is held too soon", 10, one("cohort-held-unfounded"), false, func(p *tape) {
		p.fails(2, "failed")
		p.put(p.afterFailures(), holdsXen, letsXen)
	}},
	{"a cohort that is held for want of room", 10, one("cohort-held-unfounded"), false, func(p *tape) {
		p.fails(3, "no-room")
		p.put(p.afterFailures(), holdsXen, letsXen)
	}},
	{"a cohort that is held after a success", 10, one("cohort-held-unfounded"), false, func(p *tape) {
		p.fails(2, "failed")
		p.put(p.of("move-done", "x3", "v3")+1, holdsXen, letsXen)
	}},
	{"a cohort that is held where policy never holds one", 10, one("cohort-held-unfounded"), false, func(p *tape) {
		p.repatch(func(_ *fleet.Fleet, pl *plan.Plan) { pl.Policy.MigrationFailures = 0 })
		p.fails(3, "failed")
		p.put(p.afterFailures(), holdsXen, letsXen)
	}},
	{"a cohort that is held for failures towards what has no fix", 10, []string{"cohort-held-unfounded", "unfixed-destination"}, false, func(p *tape) {
		p.repatch(func(_ *fleet.Fleet, pl *plan.Plan) { pl.Skipped = nil }) // x4 is in no turn either
		p.fails(3, "failed")
		p.put(p.afterFailures(), holdsXen, letsXen)
	}},
	{"a cohort that nobody knows", 10, []string{"cohort-held-unfounded", "cohort-held-what"}, false, func(p *tape) {
		f, g := holdsXen, letsXen
		f.Cohort, g.Cohort = "kvm", "kvm"
		p.put(p.of("turn-permitted", "x3"), f, g)
	}},
	{"a cohort that is held twice", 10, one("cohort-held-what"), false, func(p *tape) {
		p.fails(3, "failed")
		p.put(p.afterFailures(), holdsXen, holdsXen, letsXen)
	}},
	{"a move while its cohort is held", 8, one("cohort-is-held"), false, func(p *tape) {
		p.fails(3, "failed")
		p.put(p.afterFailures(), holdsXen)
		p.put(p.of("turn-permitted", "x1"), letsXen)
	}},
	{"a turn that moves instances while its cohort is held", 8, one("cohort-is-held"), false, func(p *tape) {
		p.fails(3, "failed")
		p.put(p.afterFailures(), holdsXen)
		i := p.afterFailures() + 1
		p.cutOut(i, p.of("turn-done", "x3"))
		p.put(i, Fact{Kind: "given-back", Turn: "x3", Host: "x3", Code: "cordon"})
		p.facts[i+1].Kind, p.facts[i+1].Code, p.facts[i+1].Why = "turn-dropped", "aborted", "w"
		p.put(p.of("turn-permitted", "x1")+1, letsXen)
	}},
	{"a reboot of a turn that moved somebody while its cohort is held", 8, []string{"cohort-held-unfounded", "cohort-is-held"}, false, func(p *tape) {
		i := p.of("step-started", "x3", "reboot")
		p.put(i, holdsXen)
		p.put(i+2, letsXen)
	}},
	{"a cohort that the engine releases", 8, one("cohort-released"), false, func(p *tape) {
		p.fails(3, "failed")
		f := letsXen
		f.Who = "engine"
		p.put(p.afterFailures(), holdsXen, f)
	}},
	{"a cohort that is released and was not held", 8, one("cohort-released"), false, func(p *tape) { p.put(p.of("turn-permitted", "x3"), letsXen) }},
	{"a turn that holds for a cohort that is not held", 10, one("unfounded-hold"), false, func(p *tape) { p.put(p.of("move-placed", "x3"), holdsX3, letsX3) }},
}

// TestGoodCohorts: what may happen as migrations fail.
func TestGoodCohorts(t *testing.T) {
	for name, change := range map[string]func(p *tape){
		"two failures in a row":     func(p *tape) { p.fails(2, "failed") },
		"failures for want of room": func(p *tape) { p.fails(5, "no-room") },
		"no bound": func(p *tape) {
			p.fails(5, "failed")
			p.repatch(func(_ *fleet.Fleet, pl *plan.Plan) { pl.Policy.MigrationFailures = 0 })
		},
		"a held cohort costs no failure": func(p *tape) { p.facts = heldJournal(); p.budgetOfOne() },
		"a cohort without a name": func(p *tape) {
			p.repatch(func(_ *fleet.Fleet, pl *plan.Plan) { pl.Target.Cohorts[0].Name = "" })
			p.fails(3, "failed")
			f, g := holdsXen, letsXen
			f.Cohort, g.Cohort = "#1", "#1"
			p.put(p.afterFailures(), f, holdsX3, g, letsX3)
		},
		"live patches go on meanwhile": func(p *tape) {
			p.fails(3, "failed")
			p.put(p.afterFailures(), holdsXen, holdsX3, letsXen, letsX3)
			i, j := p.of("turn-permitted", "x2+live-patch")-1, p.of("turn-done", "x2+live-patch")
			second := append([]Fact(nil), p.facts[i:j+1]...)
			p.cutOut(i, j+1)
			p.put(p.find("cohort-held")+1, second...)
			for n := p.find("cohort-held"); n < len(p.facts) && p.facts[n].Kind != "cohort-released"; n++ {
				if p.facts[n].Seen != nil {
					v := *p.facts[n].Seen
					v.At = p.facts[n].At
					p.facts[n].Seen = &v
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := &tape{t, patchedJournal()}
			change(p)
			p.renumber()
			if found := Facts(p.facts).Findings; len(found) > 0 {
				show(t, found)
				t.Fatal("found fault with what is allowed")
			}
		})
	}
}

// budgetOfOne has one more turn hold and be released ahead of a permit, as the failure budget allows.
func (p *tape) budgetOfOne() {
	i := p.of("turn-permitted", "x1")
	p.put(i+1, Fact{Kind: "turn-held", Turn: "x1", Host: "x1", Step: "empty", Code: "no-place", Why: "w"}, Fact{Kind: "turn-released", Turn: "x1", Host: "x1", Who: "operator:robin"})
}
