package audit

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A recurrence rule of RFC 5545 is expanded here period by period, as its table has it: from each year, month, week or
// day that INTERVAL takes the dates that the BY parts name, of these those at the places of BYSETPOS, until UNTIL or COUNT.

// rule is a recurrence rule by its parts.
type rule struct {
	parts map[string][]string
	every int
	first time.Time // midnight UTC of the first date; zero: none is named
}

// datesOf lists the dates that a rule gives from one date to another, both at midnight UTC.
func datesOf(text, first string, from, to time.Time) ([]time.Time, error) {
	r, err := readRule(text, first)
	if err != nil {
		return nil, err
	}
	last, latest, left, err := r.ends()
	if err != nil {
		return nil, err
	}
	var out []time.Time
	begin := r.first
	if begin.IsZero() {
		begin = time.Date(from.Year()-1, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	for n := 0; ; n++ {
		start, end := r.period(begin, n*r.every)
		if start.After(to) || !last.IsZero() && start.After(last) {
			return out, nil
		}
		dates, err := r.within(start, end)
		if err != nil {
			return nil, err
		}
		for _, d := range dates {
			if d.Before(r.first) || !last.IsZero() && d.After(last) || !latest.IsZero() && d.After(latest) {
				continue
			}
			if left--; left == -1 {
				return out, nil
			}
			if !d.Before(from) && !d.After(to) {
				out = append(out, d)
			}
		}
	}
}

func readRule(text, first string) (rule, error) {
	r := rule{parts: map[string][]string{}, every: 1}
	for _, part := range strings.Split(strings.TrimPrefix(text, "RRULE:"), ";") {
		key, value, ok := strings.Cut(part, "=")
		if !ok || value == "" {
			return r, fmt.Errorf("rrule %q: %q is no part of one", text, part)
		}
		r.parts[key] = strings.Split(value, ",")
	}
	if first != "" {
		d, err := time.Parse("2006-01-02", first)
		if err != nil {
			return r, fmt.Errorf("from %q is no date like 2026-01-05", first)
		}
		r.first = d
	}
	if v, ok := r.parts["INTERVAL"]; ok {
		n, err := strconv.Atoi(v[0])
		if err != nil || n < 1 {
			return r, fmt.Errorf("rrule %q: INTERVAL=%s", text, v[0])
		}
		r.every = n
	}
	if f := r.freq(); f != "DAILY" && f != "WEEKLY" && f != "MONTHLY" && f != "YEARLY" {
		return r, fmt.Errorf("rrule %q has no FREQ of days, weeks, months or years", text)
	}
	return r, nil
}

func (r rule) freq() string {
	if v := r.parts["FREQ"]; len(v) == 1 {
		return v[0]
	}
	return ""
}

// ends reads UNTIL and COUNT: the last date, the last instant, how many there are in all (below 0: no end).
func (r rule) ends() (last, latest time.Time, left int, err error) {
	left = -2
	if v, ok := r.parts["COUNT"]; ok {
		if left, err = strconv.Atoi(v[0]); err != nil {
			return last, latest, left, err
		}
	}
	if v, ok := r.parts["UNTIL"]; ok {
		if last, err = time.Parse("20060102", v[0]); err == nil {
			return last, latest, left, nil
		}
		last = time.Time{}
		if latest, err = time.Parse("20060102T150405Z", v[0]); err == nil {
			latest = latest.AddDate(0, 0, 1) // a date lies less than a day before its instants; they are held to it themselves
		}
	}
	return last, latest, left, err
}

var dayCodes = map[string]time.Weekday{"SU": 0, "MO": 1, "TU": 2, "WE": 3, "TH": 4, "FR": 5, "SA": 6}

// period is the n-th day, week, month or year from that of a date, and the first day after it.
func (r rule) period(d time.Time, n int) (start, end time.Time) {
	switch r.freq() {
	case "DAILY":
		return d.AddDate(0, 0, n), d.AddDate(0, 0, n+1)
	case "WEEKLY":
		monday := time.Monday
		if v, ok := r.parts["WKST"]; ok {
			monday = dayCodes[v[0]]
		}
		for d.Weekday() != monday {
			d = d.AddDate(0, 0, -1)
		}
		return d.AddDate(0, 0, 7*n), d.AddDate(0, 0, 7*n+7)
	case "MONTHLY":
		m := d.Month() + time.Month(n)
		return day(d.Year(), m, 1), day(d.Year(), m+1, 1)
	}
	return day(d.Year()+n, 1, 1), day(d.Year()+n+1, 1, 1)
}

func day(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}

// latestOf is the instant after which a rule lets nothing start: UNTIL where it names one; zero: it does not.
func latestOf(text string) (at time.Time) {
	if _, until, ok := strings.Cut(text, "UNTIL="); ok {
		until, _, _ = strings.Cut(until, ";")
		at, _ = time.Parse("20060102T150405Z", until)
	}
	return at
}
