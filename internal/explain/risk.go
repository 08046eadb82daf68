package explain

import (
	"fmt"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
)

// codeExposed tells what a host exposes until its turn: what is exposed most goes first where that costs nothing.
const codeExposed = "exposed"

// exposed says what is exposed on a host until its turn, and on how many hosts with a turn in its pools more is; nil: it
// has no turn, or there is nothing to fix. What counts is the plan's outset.
func (s *scene) exposed(h *fleet.Host, assessed *advisory.Assessment) *Reason {
	if s.p.Target == nil || assessed == nil || len(s.turnsOf[h.ID]) == 0 {
		return nil
	}
	risks := assessed.Risks(s.p.Fleet)
	own, open := risks[h.ID]
	if !open {
		return nil
	}
	worse, all := 0, 0
	for id := range s.turnsOf { // counts: in any order
		if s.ix.HomePool(id) == s.ix.HomePool(h.ID) {
			all++
			if risks[id].Compare(own) < 0 {
				worse++
			}
		}
	}
	severity := "no severity is said of what affects it"
	if own.Severity != "" {
		severity = "the worst that affects it is " + string(own.Severity)
	}
	return &Reason{Code: codeExposed, Host: h.ID, Need: int64(worse), Have: int64(all), Why: fmt.Sprintf(
		"%s; %s of %s run on it; of the %s of its pool with a turn more is exposed on %d", severity, many(own.Instances, "instance"), many(own.Tenants, "tenant"), many(all, "host"), worse)}
}
