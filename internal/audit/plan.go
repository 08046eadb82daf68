package audit

import (
	"sort"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Plan judges a plan against the fleet that it was made from and gives what is wrong with it.
func Plan(f *fleet.Fleet, p *plan.Plan) []Finding { return PlanVerdict(f, p).Findings }

// PlanVerdict judges a plan as Plan does, and counts what was asked per law. Law 8 is not asked: a
// plan halts nothing.
func PlanVerdict(f *fleet.Fleet, p *plan.Plan) Verdict {
	d := newDossier(f, p)
	d.form()
	d.counts()
	d.bounds()
	d.toll()
	d.profile()
	d.slots()
	d.windows()
	d.judgeHours()
	d.forecasts()
	d.quantiles()
	d.redundancy()
	d.stagger()
	d.pace()
	d.patching()
	d.embargo()
	d.tacticsAllowed()
	d.rushed()
	d.coverage()
	d.prepared()
	d.replay()
	return d.verdict()
}

// dossier is one plan under audit.
type dossier struct {
	record
	*estate
	f *fleet.Fleet
	p *plan.Plan

	turns   map[string]*plan.Turn    // by id
	slotOf  map[[2]string]*plan.Slot // by turn and instance
	slotsOf map[string][]*plan.Slot  // by turn
	movesOf map[string][]*plan.Move  // by turn
	ordered []*plan.Turn             // by start, then id
	cohorts map[string]*plan.Cohort  // host -> its cohort, once asked for

	// Of the toll, once asked for: the intervals promised to an instance; hosts that need the fix, and when each
	// has it; the moves of an instance by start.
	promised        map[string][]span
	unfixed         map[string]bool
	fixedAt         map[string]time.Time
	movesOfInstance map[string][]*plan.Move
}

func newDossier(f *fleet.Fleet, p *plan.Plan) *dossier {
	d := &dossier{
		estate: newEstate(f), f: f, p: p,
		turns: map[string]*plan.Turn{}, slotOf: map[[2]string]*plan.Slot{},
		slotsOf: map[string][]*plan.Slot{}, movesOf: map[string][]*plan.Move{}, cohorts: map[string]*plan.Cohort{},
	}
	for i := range p.Turns {
		put(d.turns, p.Turns[i].ID, &p.Turns[i])
		d.ordered = append(d.ordered, &p.Turns[i])
	}
	sort.SliceStable(d.ordered, func(i, j int) bool {
		a, b := d.ordered[i], d.ordered[j]
		if !a.Start.Equal(b.Start) {
			return a.Start.Before(b.Start)
		}
		return a.ID < b.ID
	})
	for i := range p.Slots {
		s := &p.Slots[i]
		if key := [2]string{s.Turn, s.Instance}; d.slotOf[key] == nil {
			d.slotOf[key] = s
		}
		d.slotsOf[s.Turn] = append(d.slotsOf[s.Turn], s)
	}
	for i := range p.Moves {
		d.movesOf[p.Moves[i].Turn] = append(d.movesOf[p.Moves[i].Turn], &p.Moves[i])
	}
	return d
}

// cohort is the first cohort of the target that matches a host; nil without one.
func (d *dossier) cohort(h *fleet.Host) *plan.Cohort {
	c, known := d.cohorts[h.ID]
	if !known {
		c = d.cohortOf(d.p.Target, h.ID)
		d.cohorts[h.ID] = c
	}
	return c
}

// worst is the predicted p99 end of a turn.
func worst(t *plan.Turn) time.Time { return t.Start.Add(seconds(t.WorstS)) }

func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }

// reboots: the tactic takes the host itself down.
func reboots(t plan.Tactic) bool {
	return t == plan.Evacuate || t == plan.Suspend || t == plan.Reboot
}

// disrupts: the class is felt.
func disrupts(c plan.Class) bool { return c == plan.ClassBlip || c == plan.ClassOutage }

// disrupting: the turn touches at least one instance.
func (d *dossier) disrupting(t *plan.Turn) bool {
	for _, s := range d.slotsOf[t.ID] {
		if disrupts(s.Class) {
			return true
		}
	}
	return len(d.movesOf[t.ID]) > 0
}

func ofTurn(t *plan.Turn) Subject { return Subject{Turn: t.ID, Host: t.Host} }

func ofSlot(s *plan.Slot) Subject {
	return Subject{Turn: s.Turn, Instance: s.Instance, Slot: s.ID, Tenant: s.Tenant}
}

func ofMove(m *plan.Move) Subject {
	return Subject{Turn: m.Turn, Instance: m.Instance, Host: m.To}
}
