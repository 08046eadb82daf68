package planner

import (
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/calendar"
)

// A tenant may say no to a stretch of time (a freeze that yields). A host that would miss finish_by or disclosure for it is
// served all the same, where that helps, and the promise says so: it is what the tenant is told with, and no turn begins
// whose notice was not accepted in time.

// overrule lifts what tenants on a host said no to, once, where there is a deadline; it reports whether there was anything.
func (w *world) overrule(h *host) bool {
	if h.overruled || !w.calendar.BindsAny() || !h.lane.hours.Yields() || w.deadline().IsZero() {
		return false
	}
	h.overruled = true
	w.relane(h)
	return true
}

// overrules words what of its tenant's a slot overrules.
func (w *world) overrules(d *draft, g *guest, start, end time.Time) string {
	if !d.host.overruled || g.Tenant == "" || !w.calendar.Binds(g.Tenant) {
		return ""
	}
	hours, err := w.calendar.Of(d.host.ID, []string{g.Tenant})
	if err != nil {
		return ""
	}
	var words []string
	for _, f := range hours.Yielding(calendar.Owner{Kind: calendar.OfTenant, ID: g.Tenant}, calendar.Interval{Start: start, End: end}) {
		words = append(words, f.Stretch())
	}
	return strings.Join(words, "; ")
}

// deadline is the instant by which the turns of this stage must be over; zero: there is none.
func (w *world) deadline() time.Time {
	by, t := w.finishBy(), w.in.Target
	if t == nil || t.Disclosure.IsZero() || by.Before(t.Disclosure) && !by.IsZero() {
		return by
	}
	if w.tooLate(t.Disclosure.Add(time.Second)) == codeAfterDisclosure {
		return t.Disclosure
	}
	return by
}
