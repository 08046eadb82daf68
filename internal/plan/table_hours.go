package plan

import (
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/calendar"
	"github.com/evenkeel/evenkeel/internal/fleet"
)

// hours says of a wave whose windows its turns lie in, where others than the policy have a say, and what changes of
// clocks do to these windows.
func (t *table) hours(turns []Turn) {
	c := t.calendarOf()
	if c == nil {
		return
	}
	var whose, told, overruled []string
	for i, u := range turns {
		if t.o.Most > 0 && i == t.o.Most {
			break
		}
		hours, err := c.Of(u.Host, t.tenants[u.ID])
		if err != nil {
			continue
		}
		if owners, frozen := hours.Owners(); !hours.Single() && len(owners)+len(frozen) > 0 {
			whose = append(whose, windowWords(u, owners))
		}
		overruled = append(overruled, t.overruled[u.ID]...)
		for _, s := range hours.Shifts(u.WindowStart, u.WindowEnd) {
			told = append(told, s.String())
		}
	}
	for _, line := range slices.Compact(slices.Sorted(slices.Values(whose))) {
		t.line("  %s", line)
	}
	for _, line := range slices.Compact(slices.Sorted(slices.Values(overruled))) {
		t.line("  %s", line)
	}
	for _, line := range slices.Compact(slices.Sorted(slices.Values(told))) {
		t.line("  %s", line)
	}
}

func windowWords(u Turn, owners []calendar.Owner) string {
	var names []string
	for _, o := range owners {
		names = append(names, o.String())
	}
	text := "window  " + moment(u.WindowStart, nil) + " to " + clockOf(u.WindowStart, u.WindowEnd, time.UTC)
	if len(names) == 0 {
		return text + ", clear of freezes"
	}
	return text + ", by " + strings.Join(names, ", ")
}

// calendarOf is made only where it has something to say, for it takes an index of the fleet; nil: it has nothing.
func (t *table) calendarOf() *Calendar {
	p := t.p
	if t.asked || p.Fleet == nil {
		return t.calendar
	}
	if t.asked = true; !t.owned() && !t.clocksChange() {
		return nil
	}
	c, err := NewCalendar(&p.Policy, fleet.NewIndex(p.Fleet))
	if err != nil {
		return nil
	}
	t.calendar, t.tenants, t.overruled = c, map[string][]string{}, map[string][]string{}
	for _, s := range p.Slots {
		if s.Overrules != "" {
			t.overruled[s.Turn] = append(t.overruled[s.Turn], "overruled  what tenant "+s.Tenant+" said no to, "+s.Overrules+", gives way to the deadline")
		}
		if s.Tenant != "" && c.Binds(s.Tenant) && !slices.Contains(t.tenants[s.Turn], s.Tenant) {
			t.tenants[s.Turn] = append(t.tenants[s.Turn], s.Tenant)
		}
	}
	return c
}

// owned: somebody beside the policy's windows has a say.
func (t *table) owned() bool {
	f := t.p.Fleet
	return len(t.p.Policy.Freezes) > 0 ||
		slices.ContainsFunc(f.Regions, func(r fleet.Region) bool { return len(r.Windows)+len(r.Freezes) > 0 }) ||
		slices.ContainsFunc(f.Sites, func(s fleet.Site) bool { return len(s.Windows)+len(s.Freezes) > 0 }) ||
		slices.ContainsFunc(f.HostGroups, func(g fleet.HostGroup) bool { return len(g.Windows)+len(g.Freezes) > 0 }) ||
		slices.ContainsFunc(f.Tenants, func(n fleet.Tenant) bool { return len(n.Windows)+len(n.Freezes) > 0 })
}

// clocksChange: they do in some zone of the policy's windows while the plan lasts, or within a window's length of it.
func (t *table) clocksChange() bool {
	var zones []string
	for _, s := range t.p.Fleet.Sites {
		zones = append(zones, s.Timezone)
	}
	for _, w := range t.p.Policy.Windows {
		zones = append(zones, w.Timezone)
	}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(zones))) {
		zone, err := calendar.Zone(name)
		if err != nil {
			continue
		}
		_, before := t.p.Start.Add(-fleet.LongestWindow.Std()).In(zone).Zone()
		for at := t.p.Start.Add(-fleet.LongestWindow.Std()); at.Before(t.p.End.Add(fleet.LongestWindow.Std())); at = at.AddDate(0, 0, 1) {
			if _, now := at.In(zone).Zone(); now != before {
				return true
			}
		}
	}
	return false
}
