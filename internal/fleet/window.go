package fleet

import (
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/internal/calendar"
)

// Window is a recurring stretch of time in which its owner - a region, a site, a host group or a tenant - allows
// disruption. Start is a wall-clock time in Timezone; when that is empty, in the owner's own zone: a tenant's, a
// site's, or that of the site in which the host stands.
type Window struct {
	Days []string `yaml:"days,omitempty" json:"days,omitempty" form:"enum=mon|tue|wed|thu|fri|sat|sun"` // empty: each day
	// RRule, in place of days, is a recurrence rule of RFC 5545 by the day, such as FREQ=MONTHLY;BYDAY=2SU.
	RRule string `yaml:"rrule,omitempty" json:"rrule,omitempty" form:"is=filled"`
	// From is the first date; a rule with INTERVAL or COUNT, or without a day of its own, counts from it.
	From     string   `yaml:"from,omitempty" json:"from,omitempty" form:"is=date"`
	Start    string   `yaml:"start" json:"start" form:"is=clock"` // "02:00"
	Length   Duration `yaml:"length" json:"length" form:"min=1"`
	Timezone string   `yaml:"timezone,omitempty" json:"timezone,omitempty" form:"is=zone"`
}

// Freeze is a stretch in which its owner allows nothing. From and To are wall times, in the zone as a Window's.
type Freeze struct {
	Why      string `yaml:"why,omitempty" json:"why,omitempty"` // shown to people
	From     string `yaml:"from" json:"from" form:"is=wall"`    // "2026-11-27 00:00"
	To       string `yaml:"to" json:"to" form:"is=wall"`        // likewise
	Timezone string `yaml:"timezone,omitempty" json:"timezone,omitempty" form:"is=zone"`
	// Yields makes a tenant's freeze a no: where a host could not be served by finish_by or disclosure, it gives way,
	// and the tenant is told so ahead.
	Yields bool `yaml:"yields,omitempty" json:"yields,omitempty"`
}

// LongestWindow is as long as a window may be: with most rules it comes again by then.
const LongestWindow = Duration(7 * 24 * time.Hour)

// owned checks the windows and freezes of all owners.
func (c *checker) owned(f *Fleet) {
	for n := range f.Regions {
		c.hours("regions", n, f.Regions[n].Windows, f.Regions[n].Freezes)
	}
	for n := range f.Sites {
		c.hours("sites", n, f.Sites[n].Windows, f.Sites[n].Freezes)
	}
	for n := range f.HostGroups {
		c.hours("host_groups", n, f.HostGroups[n].Windows, f.HostGroups[n].Freezes)
	}
	for n := range f.Tenants {
		c.hours("tenants", n, f.Tenants[n].Windows, f.Tenants[n].Freezes)
	}
}

func (c *checker) hours(list string, n int, windows []Window, freezes []Freeze) {
	for m, w := range windows {
		path := at(list, n, fmt.Sprintf("windows[%d]", m))()
		c.once(w.Days, func(d int) string { return fmt.Sprintf("%s.days[%d]", path, d) }, "day")
		WrongWindow(len(w.Days) > 0, w.RRule, w.From, func(field, found, expected string) { c.wrong(path+"."+field, found, expected) })
		if w.Length > LongestWindow {
			c.wrong(path+".length", w.Length.String(), "at most "+LongestWindow.String()+", after which the window comes again")
		}
	}
	for m, z := range freezes {
		if found, expected := WrongFreeze(z.From, z.To); found != "" {
			c.wrong(at(list, n, fmt.Sprintf("freezes[%d].to", m))(), found, expected)
		}
		if z.Yields && list != "tenants" {
			c.wrong(at(list, n, fmt.Sprintf("freezes[%d].yields", m))(), "a freeze of "+list+" that yields", "yields in freezes of tenants alone: those of places are the operator's, who can lift them")
		}
	}
}

// WrongWindow tells what is wrong with the days of a window, by the field.
func WrongWindow(days bool, rrule, from string, wrong func(field, found, expected string)) {
	switch {
	case rrule != "" && days:
		wrong("rrule", "rrule in a window that names days", "days or rrule")
	case rrule != "":
		if found, expected := calendar.CheckRecurrence(rrule, from); found != "" {
			wrong("rrule", found, expected)
		}
	case from != "":
		wrong("from", "from in a window without rrule", "rrule with it")
	}
}

// WrongFreeze tells what is wrong with a freeze of two sound wall times; nothing: no word.
func WrongFreeze(from, to string) (found, expected string) {
	a, errA := time.Parse(calendar.WallForm, from)
	b, errB := time.Parse(calendar.WallForm, to)
	if errA == nil && errB == nil && !b.After(a) {
		return "a freeze that ends at " + to, "an end after its beginning, " + from
	}
	return "", ""
}
