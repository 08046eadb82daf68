package explain

import (
	"fmt"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// sound refuses a plan that speaks of hosts or instances which its fleet does not have: there is nothing true to say
// of it. Whatever made it, what it names is looked up without asking from there on.
func sound(p *plan.Plan, ix *fleet.Index) error {
	turns := make(map[string]bool, len(p.Turns))
	for i := range p.Turns {
		t := &p.Turns[i]
		if turns[t.ID] = true; ix.Hosts[t.Host] == nil {
			return fmt.Errorf("the plan's turn %q is of host %q, which its fleet does not have: make the plan again", t.ID, t.Host)
		}
	}
	for i := range p.Moves {
		m := &p.Moves[i]
		switch {
		case ix.Instances[m.Instance] == nil:
			return fmt.Errorf("the plan moves instance %q, which its fleet does not have: make the plan again", m.Instance)
		case ix.Hosts[m.From] == nil || ix.Hosts[m.To] == nil:
			return fmt.Errorf("the plan moves %s from host %q to host %q, and its fleet does not have both: make the plan again", m.Instance, m.From, m.To)
		case !turns[m.Turn]:
			return fmt.Errorf("the plan moves %s in turn %q, which it does not have: make the plan again", m.Instance, m.Turn)
		}
	}
	for i := range p.Slots {
		s := &p.Slots[i]
		if ix.Instances[s.Instance] == nil || !turns[s.Turn] {
			return fmt.Errorf("the plan's slot %q is of instance %q in turn %q, and it does not have both: make the plan again", s.ID, s.Instance, s.Turn)
		}
	}
	return nil
}
