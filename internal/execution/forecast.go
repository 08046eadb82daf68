package execution

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// The plan has shown that there is room for all who move, in the order and to the hosts of its forecast.
// Late placement keeps to that as far as what is seen now allows: whoever is placed out of that order may
// take the one place where a later one may go.

// forecast is where, and when, the plan reckoned that an instance moves.
type forecast struct {
	to     string
	start  time.Time
	length time.Duration
}

func forecastOf(moves []plan.Move) map[string]forecast {
	out := map[string]forecast{}
	for _, m := range moves {
		if !m.Home {
			out[actKey(m.Turn, m.Instance)] = forecast{m.To, m.Start, m.End.Sub(m.Start)}
		}
	}
	return out
}

// toPlace lists what a turn does something about in the order in which it is placed: as forecast, first those
// who were to take room on fixed hosts, the largest first among those of one moment; last whom the plan did
// not know.
func (s *State) toPlace(t *TurnState) []InstanceView {
	type entry struct {
		InstanceView
		level int
		start time.Time
	}
	var order []entry
	for _, v := range s.toDo(t) {
		e := entry{v, landsUnfixed, never}
		if f, known := s.forecast[actKey(t.Plan.ID, v.ID)]; known {
			e.level, e.start = s.level(f.to), f.start
		}
		order = append(order, e)
	}
	slices.SortStableFunc(order, func(a, b entry) int {
		return cmp.Or(a.level-b.level, a.start.Compare(b.start), cmp.Compare(b.MemoryMiB, a.MemoryMiB), strings.Compare(a.ID, b.ID))
	})
	out := make([]InstanceView, len(order))
	for i, e := range order {
		out[i] = e.InstanceView
	}
	return out
}
