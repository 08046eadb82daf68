package execution

import (
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Where policy settles instances, those go home for whom the plan has a way home. That leaves each pool as well off as
// it was found, if all land as forecast. Destinations are bound late, though: of who landed elsewhere it is asked anew
// whether its pool would be worse off with it there.

// anyGoesHome: some instance of a turn may have to be brought home, or is on its way.
func (s *State) anyGoesHome(t *TurnState) bool {
	switch s.Plan.Policy.HomeRule() {
	case plan.HomeReturn:
		return true
	case plan.HomeSettle:
		for _, g := range t.Guests {
			if g.Stage == StageHoming || s.homeward[actKey(t.Plan.ID, g.ID)] || s.strayed(t, g) {
				return true
			}
		}
	}
	return false
}

// strayed: an instance that was moved away runs elsewhere than the plan had forecast.
func (s *State) strayed(t *TurnState, g *TurnGuest) bool {
	f, known := s.forecast[actKey(t.Plan.ID, g.ID)]
	return g.Stage == StageAway && (!known || f.to != g.MovedTo)
}

// goesHome says whether an instance that is away is to be brought home; why says why not where it would be as bad
// at home.
func (s *State) goesHome(t *TurnState, g *TurnGuest) (goes bool, why string) {
	switch {
	case s.Plan.Policy.HomeRule() == plan.HomeReturn, s.homeward[actKey(t.Plan.ID, g.ID)]:
		return true, ""
	case s.Plan.Policy.HomeRule() != plan.HomeSettle || !s.strayed(t, g):
		return false, ""
	}
	found := s.index.Standings(func(i *fleet.Instance) string { return i.Host })
	here, there := s.endsWith(g.ID, s.Guests[g.ID].Host), s.endsWith(g.ID, t.Plan.Host)
	var bad []string
	more, helps := 0, false
	for _, p := range sortedKeys(found) {
		worse, mended := here[p].Worse(found[p]), here[p].Worse(there[p])
		for _, code := range worse {
			bad = append(bad, p+": "+code)
			helps = helps || slices.Contains(mended, code)
		}
		more += len(there[p].Worse(found[p])) - len(worse)
	}
	switch {
	case len(bad) == 0:
		return false, ""
	case helps && more <= 0:
		return true, ""
	}
	return false, "it runs elsewhere than forecast, which leaves a pool worse off, and with it at home that would be no better (" + strings.Join(bad, ", ") + ")"
}

// endsWith gives how pools stand when all that is ahead goes as forecast and an instance is on a host.
func (s *State) endsWith(instance, host string) map[string]fleet.Standing {
	return s.index.Standings(func(i *fleet.Instance) string {
		if i.ID == instance {
			return host
		}
		return s.endsOn(i.ID)
	})
}

// endsOn is where an instance is when all is over: where the plan's moves that are ahead of it take it from where it is.
// A turn that has not begun with it moves it only off its own host: of who landed elsewhere than forecast it knows nothing.
func (s *State) endsOn(instance string) string {
	at := ""
	if g := s.Guests[instance]; g != nil {
		at = g.Host
	}
	for _, m := range s.movesOf[instance] {
		t := s.Turns[m.Turn]
		if t == nil || t.Phase == TurnFinished || t.Phase == TurnAbandoned {
			continue
		}
		switch g := t.Guests[instance]; {
		case g == nil && m.From != at:
		case g == nil || m.Home:
			at = m.To
		case g.Stage == StageHoming:
			at = t.Plan.Host
		case g.Stage != StageAway && g.Stage != StageHome:
			at = m.To
		}
	}
	return at
}
