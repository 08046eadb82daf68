package audit

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// span is a stretch of time from start up to, not including, end.
type span struct{ start, end time.Time }

func (s span) holds(start, end time.Time) bool {
	return !start.Before(s.start) && !end.After(s.end)
}

// place is what window rules are matched with.
type place struct{ region, site, zone, hypervisor string }

// opening is when disruption is allowed at one place.
type opening struct {
	always bool
	spans  []span // merged, by start
}

// holds reports whether [start, end) lies in allowed time.
func (o opening) holds(start, end time.Time) bool {
	if o.always {
		return true
	}
	i := sort.Search(len(o.spans), func(i int) bool { return o.spans[i].start.After(start) })
	return i > 0 && o.spans[i-1].holds(start, end)
}

// openings derives from the rules alone when disruption is allowed at a place, for all time from
// `from` to `to`. Windows that meet or overlap are one. An error names a zone or a wall-clock time
// that cannot be read.
func openings(rules []plan.WindowRule, at place, from, to time.Time) (opening, error) {
	var all []span
	for i, r := range rules {
		if !ruleMatches(r, at) {
			continue
		}
		if r.Always {
			return opening{always: true}, nil
		}
		spans, err := occurrences(r, at.zone, from, to)
		if err != nil {
			return opening{}, fmt.Errorf("windows[%d]: %w", i, err)
		}
		all = append(all, spans...)
	}
	return opening{spans: merged(all)}, nil
}

func ruleMatches(r plan.WindowRule, at place) bool {
	return matches(r.Regions, at.region) && matches(r.Sites, at.site) &&
		(r.Hypervisor == "" || r.Hypervisor == at.hypervisor)
}

// matches: an empty selector matches all.
func matches(selector []string, id string) bool {
	return len(selector) == 0 || contains(selector, id)
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// occurrences lists each time the rule's window opens between from and to.
func occurrences(r plan.WindowRule, zone string, from, to time.Time) ([]span, error) {
	if r.Timezone != "" {
		zone = r.Timezone
	}
	loc, err := time.LoadLocation(zone) // "" is UTC
	if err != nil {
		return nil, fmt.Errorf("time zone %q: %w", zone, err)
	}
	wall, err := time.Parse("15:04", r.Start)
	if err != nil {
		return nil, fmt.Errorf("start %q is no wall-clock time like 02:00", r.Start)
	}
	length := time.Duration(r.Length)
	var out []span
	// Two days more on each side: a wall-clock date and its instant lie up to a day apart.
	day, end := from.Add(-length).AddDate(0, 0, -2).UTC().Truncate(24*time.Hour), to.AddDate(0, 0, 2)
	var dates []time.Time
	if r.RRule != "" {
		if dates, err = datesOf(r.RRule, r.From, day, end); err != nil {
			return nil, err
		}
	} else {
		for ; day.Before(end); day = day.AddDate(0, 0, 1) {
			if onDay(r.Days, day.Weekday()) {
				dates = append(dates, day)
			}
		}
	}
	latest := latestOf(r.RRule)
	for _, day := range dates {
		start := instantOf(day.Add(time.Duration(wall.Hour())*time.Hour+time.Duration(wall.Minute())*time.Minute), loc)
		if latest.IsZero() || !start.After(latest) {
			out = append(out, span{start, start.Add(length)})
		}
	}
	return out, nil
}

func onDay(days []string, d time.Weekday) bool {
	if len(days) == 0 {
		return true
	}
	short := strings.ToLower(d.String()[:3])
	for _, x := range days {
		if strings.HasPrefix(strings.ToLower(x), short) {
			return true
		}
	}
	return false
}

// instantOf gives the instant at which clocks in loc show the wall time that u shows in UTC. A
// wall time that is skipped moves forward by the gap; one that comes twice means the first.
func instantOf(u time.Time, loc *time.Location) time.Time {
	// Offsets lie between -12 h and +14 h: these two moments are surely before and after.
	_, early := u.Add(-15 * time.Hour).In(loc).Zone()
	_, late := u.Add(13 * time.Hour).In(loc).Zone()
	first := u.Add(-time.Duration(early) * time.Second)
	second := u.Add(-time.Duration(late) * time.Second)
	if second.Before(first) {
		// Clocks go forward: the second reading is right once the change is past.
		if shows(second, u, loc) {
			return second.UTC()
		}
		return first.UTC()
	}
	// Clocks go back, or do not change: the first reading, unless it is already too late for it.
	if shows(first, u, loc) {
		return first.UTC()
	}
	return second.UTC()
}

// shows reports whether clocks in loc read at t what u reads in UTC.
func shows(t, u time.Time, loc *time.Location) bool {
	_, off := t.In(loc).Zone()
	return t.Add(time.Duration(off) * time.Second).Equal(u)
}

func merged(spans []span) []span {
	sort.Slice(spans, func(i, j int) bool { return spans[i].start.Before(spans[j].start) })
	var out []span
	for _, s := range spans {
		if !s.end.After(s.start) {
			continue
		}
		if n := len(out); n > 0 && !s.start.After(out[n-1].end) {
			if s.end.After(out[n-1].end) {
				out[n-1].end = s.end
			}
			continue
		}
		out = append(out, s)
	}
	return out
}
