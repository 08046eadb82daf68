package execution

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Migrations towards hosts that have the fix may begin to fail, as they did in 2019 towards a fixed
// Xen. Once so many have failed in a row within one cohort, its migrations are held: whoever was stopped
// comes back, live patches and other cohorts go on, and a person has another tactic proposed.

// CohortHold is why a cohort's migrations are held.
type CohortHold struct {
	Cohort string    `json:"cohort"`
	Code   string    `json:"code"`
	Why    string    `json:"why"`
	Next   string    `json:"next"`
	Since  time.Time `json:"since"`
}

// failing are the migrations of a cohort that failed in a row.
type failing struct {
	n    int
	last string
}

// notHypervisors are the codes of failed moves that say nothing of the hypervisor: the driver's, and our
// own for no answer by the deadline.
var notHypervisors = []string{"no-room", "unreachable", "refused", "deadline", CodeNoAnswer, CodeAborted, "host-key", "unsupported", "not-found"}

// cohortName names the cohort of a host; "" in a routine cycle, and for a host of no cohort.
func (s *State) cohortName(host string) string {
	name, known := s.cohortOf[host]
	if !known && s.cohorts != nil {
		name = s.cohorts.Name(s.cohort(host))
		s.cohortOf[host] = name // it never changes within a journal
	}
	return name
}

// HeldCohorts says of each cohort whose migrations are held why.
func (s *State) HeldCohorts() map[string]string {
	out := make(map[string]string, len(s.stopped))
	for name, h := range s.stopped {
		out[name] = h.Why
	}
	return out
}

// cohortHolds lists them by name.
func (s *State) cohortHolds() []CohortHold {
	var out []CohortHold
	for _, name := range sortedKeys(s.stopped) {
		out = append(out, *s.stopped[name])
	}
	return out
}

// barred says why no instance of a turn's host may begin to move; nil: its cohort is not held.
func (s *State) barred(t *TurnState) *CohortHold {
	if len(s.stopped) == 0 || t.Plan.Tactic == plan.LivePatch {
		return nil
	}
	return s.stopped[s.cohortName(t.Plan.Host)]
}

// moves: the turn live-migrates somebody, or has.
func (s *State) moves(t *TurnState) bool {
	if t.Plan.Tactic == plan.LivePatch {
		return false
	}
	for _, g := range t.Guests {
		if g.Stage == StageMoving || g.Stage == StageHoming || g.Stage == StageAway && t.Plan.Tactic != plan.Refresh { // a refreshed one is done
			return true
		}
	}
	for id := range s.on[t.Plan.Host] {
		g := s.Guests[id]
		if !g.Gone && g.State != fleet.Stopped && s.disposition(t, id) == plan.DispLiveMigrate && (t.Plan.Tactic != plan.Refresh || s.mayTouch(t, id)) {
			return true
		}
	}
	return false
}

// unbarred keeps waiting turns of held cohorts waiting.
func (s *State) unbarred(t *TurnState, _ time.Time) *ruling {
	if h := s.barred(t); h != nil && s.moves(t) {
		r := wait(time.Time{}, fmt.Sprintf("the migrations of cohort %s are held (%s): %s", h.Cohort, h.Code, h.Why))
		return &r
	}
	return nil
}

// noteMigration counts what a migration came to, where it went towards a host with the fix.
func (s *State) noteMigration(t *TurnState, f Fact) {
	name := s.cohortName(t.Plan.Host)
	if name == "" || !s.fixed[f.To] {
		return
	}
	switch {
	case f.Kind == MoveDone:
		delete(s.failing, name)
	case f.Kind == MoveFailed && !slices.Contains(notHypervisors, f.Code):
		if s.failing[name] == nil {
			s.failing[name] = &failing{}
		}
		s.failing[name].n++
		s.failing[name].last = fmt.Sprintf("%s from %s to %s: %s", f.Instance, f.From, f.To, orElse(f.Why, f.Code))
	}
}

// decideCohorts holds the migrations of a cohort, and lets the turns go on that were held for one that
// was released since.
func (s *State) decideCohorts(time.Time) []Fact {
	most := s.Plan.Policy.MigrationFailures
	if s.Phase == PhaseAborted {
		return nil
	}
	for _, name := range sortedKeys(s.failing) {
		if n := s.failing[name].n; most > 0 && n >= most && s.stopped[name] == nil {
			return []Fact{{Kind: CohortHeld, Cohort: name, Code: CodeMigrationsFail,
				Why:  fmt.Sprintf("%d migrations in a row towards hosts that have the fix failed, the last one of %s", n, s.failing[name].last),
				Next: fmt.Sprintf("evenkeel replan %s; or, once migrations work again: evenkeel retry %s --cohort %s", s.Campaign, s.Campaign, quoted(name))}}
		}
	}
	for _, id := range s.Active() {
		if t := s.Turns[id]; t.Phase == TurnOnHold && t.Code == CodeMigrationsFail && s.barred(t) == nil {
			return []Fact{{Kind: TurnReleased, Turn: id, Host: t.Plan.Host, Why: "cohort " + s.cohortName(t.Plan.Host) + ", for which it was held, was released"}}
		}
	}
	return nil
}

// holdBarred holds a turn under way whose cohort is held, unless its host goes down by our order
// already. What is in flight ends by itself.
func (s *State) holdBarred(t *TurnState) []Fact {
	h := s.barred(t)
	if h == nil || t.Phase != TurnActive || t.committed() || t.Unneeded || s.unprovenOf(t) > 0 || !s.moves(t) {
		return nil
	}
	return []Fact{*t.held(CodeMigrationsFail, fmt.Sprintf("cohort %s is held: %s", h.Cohort, h.Why), h.Next)}
}

// acceptsCohort: only a cohort of the target that is not held is held, and only a held one is released.
func (s *State) acceptsCohort(f Fact) error {
	known := false
	if s.Plan.Target != nil {
		for i := range s.Plan.Target.Cohorts {
			known = known || f.Cohort != "" && s.cohorts.Name(&s.Plan.Target.Cohorts[i]) == f.Cohort
		}
	}
	switch held := s.stopped[f.Cohort] != nil; {
	case !known:
		return fmt.Errorf("journal of %s: fact %d (%s) names cohort %q, which the target does not have", f.Campaign, f.Seq, f.Kind, f.Cohort)
	case f.Kind == CohortReleased && !held:
		return fmt.Errorf("journal of %s: fact %d releases cohort %s, which is not held; held are: %v", f.Campaign, f.Seq, f.Cohort, sortedKeys(s.stopped))
	case f.Kind == CohortHeld && held:
		return fmt.Errorf("journal of %s: fact %d holds cohort %s, which is held already", f.Campaign, f.Seq, f.Cohort)
	}
	return nil
}

func (s *State) applyCohort(f Fact) {
	if f.Kind == CohortReleased {
		delete(s.stopped, f.Cohort)
		delete(s.failing, f.Cohort)
		maps.DeleteFunc(s.aside, func(id string, _ time.Time) bool { return s.cohortName(s.Turns[id].Plan.Host) == f.Cohort })
		return
	}
	s.stopped[f.Cohort] = &CohortHold{f.Cohort, f.Code, f.Why, f.Next, f.At}
	for _, id := range s.waiting {
		s.setAside(s.Turns[id])
	}
}

// setAside keeps a waiting turn of a held cohort from keeping the waves after its own waiting.
func (s *State) setAside(t *TurnState) {
	if s.barred(t) == nil || !s.moves(t) {
		return
	}
	s.aside[t.Plan.ID] = s.missedAt(t)
}

// missedAt is the moment after which a turn's slot is too short for it; never where it has none.
func (s *State) missedAt(t *TurnState) time.Time {
	end := t.Plan.WindowEnd
	for _, sl := range s.liveSlots(t) {
		if sl.End.Before(end) || end.IsZero() {
			end = sl.End
		}
	}
	if end.IsZero() {
		return never
	}
	return end.Add(-time.Duration(t.Plan.WorstS) * time.Second)
}

// missedAside holds turns that were set aside and whose slot passes meanwhile, so that their tenants
// hear of it.
func (s *State) missedAside(now time.Time) []Fact {
	if s.Phase != PhaseRunning {
		return nil
	}
	for _, id := range sortedKeys(s.aside) {
		if !now.After(s.aside[id]) {
			continue
		}
		if r := s.inSlot(s.Turns[id], now); r != nil && r.hold != nil {
			r.hold.Why += ", and its cohort is held"
			return []Fact{*r.hold}
		}
	}
	return nil
}

// quoted is a cohort's name as a shell takes it: names have blanks, and #1 would begin a comment.
func quoted(name string) string {
	if strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == "" {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}
