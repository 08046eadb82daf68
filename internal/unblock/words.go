package unblock

import (
	"fmt"
	"slices"
	"strings"
)

// words say how far the answer goes.
func (s *search) words(r result) string {
	var parts []string
	for _, o := range r.others {
		parts = append(parts, "instead would do as well: "+o.change(o.n).Words)
	}
	if slices.ContainsFunc(r.set, func(m pick) bool { return m.behind }) {
		parts = append(parts, "some of these are for what shows up once "+s.g.code+" is gone")
	}
	if len(r.hidden) > 0 {
		b := r.hidden[0]
		parts = append(parts, fmt.Sprintf("that frees them of this; then %s %s is blocked by %s: %s", subjectOf(b).kind, subjectOf(b).id, b.Code, b.Why))
	}
	if s.capped {
		parts = append(parts, fmt.Sprintf("the search ended after %d plans: a smaller set may do", attempts-s.left))
	}
	if s.part && len(s.study.in.Fleet.Hosts) > wholeMost {
		parts = append(parts, fmt.Sprintf("checked on the %d hosts concerned, not on the whole fleet", len(s.in.Fleet.Hosts)))
	}
	return strings.Join(parts, "; ")
}

func (s *search) whyNone(r result) string {
	why := "no set of the changes that were tried frees them"
	if s.capped {
		why = fmt.Sprintf("none was found within %d plans", attempts-s.left)
	}
	if len(r.hidden) > 0 {
		b := r.hidden[0]
		why += fmt.Sprintf(": with all of them %s %s is blocked by %s: %s", subjectOf(b).kind, subjectOf(b).id, b.Code, b.Why)
	}
	return why + "; it says itself: " + s.g.own[0].Unblock
}
