package simulated

import (
	"fmt"
	"slices"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// Inconsistent says where the world contradicts itself, or "".
func (w *World) Inconsistent() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	for _, h := range w.hosts {
		if free := h.free(); free < 0 {
			return fmt.Sprintf("host %s holds %d MiB too much", h.id, -free)
		}
		for id, c := range h.copies {
			switch {
			case c.on != h || c.of.id != id || !slices.Contains(c.of.copies, c):
				return fmt.Sprintf("host %s and instance %s do not know of each other", h.id, id)
			case (c.state == fleet.Running) != slices.Contains(w.tally.Running[id], h.id):
				return fmt.Sprintf("the log says that %s runs on %v, and on %s it is %s", id, w.tally.Running[id], h.id, c.state)
			case !h.up && c.state != fleet.Stopped:
				return fmt.Sprintf("%s is %s on %s, which is down", id, c.state, h.id)
			case c.job != nil && (c.job.phase == ended || c.job.src != c):
				return fmt.Sprintf("%s has a migration that is over", id)
			}
		}
		for _, m := range h.moves {
			if m.phase == ended || m.src.job != m {
				return fmt.Sprintf("host %s has a migration of %s that is over", h.id, m.src.of.id)
			}
		}
	}
	return ""
}

// AllFaults names each fault.
func AllFaults() (all []Fault) {
	for f := range (Faults{}).rates() {
		all = append(all, f)
	}
	all = append(all, MovesFail)
	slices.Sort(all)
	return all
}
