// Package calendar says when windows open. A window is a recurring stretch of
// calendar time, written as a wall-clock start in some time zone and a length;
// asked from an instant onward, calendar gives its occurrences as UTC intervals.
//
// It never reads a clock and knows nothing of plans, hosts or promises: plan converts
// what policy and fleet write into Rules. Start reading at For, then Meet.
//
// What happens where clocks change is decided here, once, and is what RFC 5545 (3.3.5) asks for:
//
//   - A start that clocks skip in spring moves forward by what was skipped:
//     02:30 becomes 03:30.
//   - A start that comes twice in autumn means the first of the two.
//   - A length is real time: a window of two hours from 02:00 ends two hours
//     later, whatever clocks show by then.
//   - The days of a rule are those of the written date. A date that a zone left
//     out entirely moves to the one after it, like any other skipped time; two
//     occurrences that fall together thereby are one.
//   - A freeze is the other way round, for in doubt it holds: it begins at the
//     earlier reading of its first minute and ends at the later of its last.
//
// Shifts tells of the windows that such a decision was taken for (shift.go).
//
// Windows have owners (hours.go). Those of one owner are alternatives: a turn lies
// in one of them. Those of several owners all hold: it lies in one of each, and in
// no freeze of any. Zones are the owner's own where a window names none.
package calendar

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Rule is one recurring window. Empty selectors match every place.
type Rule struct {
	Regions, Sites []string
	Hypervisor     string
	Days           []string // mon..sun; empty: each day
	Recur          string   // in place of Days: a recurrence rule of RFC 5545, such as FREQ=MONTHLY;BYDAY=2SU
	From           string   // first date, "2026-01-05"; empty: there was always one
	Start          string   // wall clock, "02:00"
	Length         time.Duration
	Zone           string // IANA; the place's own when empty
	Always         bool   // open at any time; Days, Start, Length and Zone do not count
}

// Place is what rules are matched with.
type Place struct {
	Region, Site, Hypervisor string
	Zone                     string // IANA; UTC when empty
}

// Interval is a stretch of time from Start up to, not including, End. Both are UTC.
type Interval struct{ Start, End time.Time }

// Windows are the windows of one place.
type Windows struct {
	Always bool // one of the rules is open at any time
	rules  []opening
}

// opening is one rule, read.
type opening struct {
	days   [7]bool     // by time.Weekday
	recur  *recurrence // in their place; nil: there is none
	minute int         // of the day
	length time.Duration
	zone   *time.Location
}

// None reports whether no rule matched: the place is never open.
func (w Windows) None() bool { return !w.Always && len(w.rules) == 0 }

// Longest is the length of the longest window that is not Always; 0 when there is none.
func (w Windows) Longest() (longest time.Duration) {
	for _, r := range w.rules {
		longest = max(longest, r.length)
	}
	return longest
}

// For picks the rules that match a place. The error names the rule, from 0, that cannot be read:
// a zone that does not exist, a start that is no wall-clock time, a day that is none, a length
// that is not above zero.
func For(rules []Rule, p Place) (Windows, error) {
	var w Windows
	for i, r := range rules {
		if !r.matches(p) {
			continue
		}
		if r.Always {
			w.Always = true
			continue
		}
		if r.Zone == "" {
			r.Zone = p.Zone
		}
		o, err := read(r)
		if err != nil {
			return Windows{}, fmt.Errorf("windows[%d]: %w", i, err)
		}
		w.rules = append(w.rules, o)
	}
	return w, nil
}

// Between gives the occurrences that end after from and start before to, by start, then end, each
// once. Windows of different rules may overlap. Always is not among them.
func (w Windows) Between(from, to time.Time) []Interval {
	var out []Interval
	for _, r := range w.rules {
		out = r.between(out, from, to)
	}
	slices.SortFunc(out, func(a, b Interval) int {
		if c := a.Start.Compare(b.Start); c != 0 {
			return c
		}
		return a.End.Compare(b.End)
	})
	return slices.CompactFunc(out, func(a, b Interval) bool { return a.Start.Equal(b.Start) && a.End.Equal(b.End) })
}

func (r Rule) matches(p Place) bool {
	return among(r.Regions, p.Region) && among(r.Sites, p.Site) && (r.Hypervisor == "" || r.Hypervisor == p.Hypervisor)
}

func among(list []string, id string) bool { return len(list) == 0 || slices.Contains(list, id) }

var dayNames = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} // by time.Weekday

func read(r Rule) (opening, error) {
	o := opening{length: r.Length}
	for _, d := range r.Days {
		i := slices.Index(dayNames, strings.ToLower(d))
		if i < 0 {
			return o, fmt.Errorf("days: found %q, expected one of mon, tue, wed, thu, fri, sat, sun", d)
		}
		o.days[i] = true
	}
	if r.Recur != "" {
		recur, bad := readRecurrence(r.Recur, r.From)
		if bad != nil {
			return o, bad
		}
		o.recur = &recur
	}
	if len(r.Days) == 0 {
		o.days = [7]bool{true, true, true, true, true, true, true}
	}
	wall, err := time.Parse("15:04", r.Start)
	if err != nil {
		return o, fmt.Errorf("start: found %q, expected a wall-clock time such as 02:00", r.Start)
	}
	o.minute = wall.Hour()*60 + wall.Minute()
	if r.Length <= 0 {
		return o, fmt.Errorf("length: found %s, expected a duration above zero", r.Length)
	}
	o.zone, err = Zone(r.Zone)
	return o, err
}

func (o opening) between(out []Interval, from, to time.Time) []Interval {
	for _, w := range o.dated(from, to) {
		out = append(out, w.Interval)
	}
	return out
}

// dated is an occurrence with the date that it was written for, at midnight UTC.
type dated struct {
	date time.Time
	Interval
}

func (o opening) dated(from, to time.Time) (out []dated) {
	// Two days more on each side: a written date and its instant lie less than two days apart.
	day := from.Add(-o.length).UTC().Truncate(24*time.Hour).AddDate(0, 0, -2)
	last := to.UTC().AddDate(0, 0, 2)
	for ; day.Before(last); day = day.AddDate(0, 0, 1) {
		if !o.on(day) {
			continue
		}
		start := Instant(day.Year(), day.Month(), day.Day(), o.minute/60, o.minute%60, o.zone)
		if o.recur != nil && !o.recur.latest.IsZero() && start.After(o.recur.latest) {
			continue
		}
		if end := start.Add(o.length); end.After(from) && start.Before(to) {
			out = append(out, dated{day, Interval{start, end}})
		}
	}
	return out
}

// on: the window opens on a written date.
func (o opening) on(day time.Time) bool {
	if o.recur != nil {
		return o.recur.takes(day)
	}
	return o.days[day.Weekday()]
}
