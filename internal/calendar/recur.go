package calendar

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// recurrence is a recurrence rule of RFC 5545 (3.3.10) that names days. What it does not read - rules by the hour,
// BYHOUR, BYYEARDAY, BYWEEKNO - it refuses; the time of day is the window's own start.
//
// A date is taken or not by itself, so no date depends on how far ahead it was asked for: it lies in a period that
// INTERVAL takes, it passes the BY parts, and BYSETPOS takes it from among its period's dates. COUNT becomes a
// last date when the rule is read.
type recurrence struct {
	freq      string
	interval  int
	months    []int    // BYMONTH
	monthDays []int    // BYMONTHDAY; below 0: from the month's end
	days      []nthDay // BYDAY
	positions []int    // BYSETPOS
	weekStart time.Weekday
	from      time.Time // first date, at midnight UTC; zero: there is none
	until     time.Time // last date, likewise
	latest    time.Time // no occurrence starts after this instant; zero: no such bound
	count     int
}

// nthDay is one part of BYDAY: 2SU is the second Sunday, -1FR the last Friday, MO (nth 0) each Monday.
type nthDay struct {
	nth int
	day time.Weekday
}

const (
	oneDay    = 24 * time.Hour
	mostCount = 1000 // of COUNT
	farAhead  = 100  // years: a rule that gives no date within them gives none
	dateForm  = "2006-01-02"
)

// unanchored is the date that periods are counted from where no From says: a Monday, the first of a year.
var unanchored = time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)

var weekdayCodes = []string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"} // by time.Weekday

// CheckRecurrence says what is wrong with a recurrence rule and its first date (2026-01-05, or empty): found and what
// is expected; both empty when nothing is. It also refuses a rule that gives no date at all.
func CheckRecurrence(rule, from string) (found, expected string) {
	r, err := readRecurrence(rule, from)
	if err != nil {
		return err.found, err.expected
	}
	start := r.from
	if start.IsZero() {
		start = unanchored
	}
	for d := start; d.Before(start.AddDate(farAhead, 0, 0)); d = d.AddDate(0, 0, 1) {
		if r.takes(d) {
			return "", ""
		}
		if !r.until.IsZero() && d.After(r.until) {
			break
		}
	}
	return rule + ", which gives no date", "a rule that comes true"
}

// unreadable is a recurrence rule that cannot be read.
type unreadable struct{ found, expected string }

func (u *unreadable) Error() string {
	return fmt.Sprintf("rrule: found %s, expected %s", u.found, u.expected)
}

func readRecurrence(rule, from string) (r recurrence, bad *unreadable) {
	r = recurrence{interval: 1, weekStart: time.Monday}
	if from != "" {
		day, err := time.Parse(dateForm, from)
		if err != nil {
			return r, &unreadable{strconv.Quote(from), "a first date such as 2026-01-05"}
		}
		r.from = day
	}
	seen := map[string]bool{}
	for part := range strings.SplitSeq(strings.TrimPrefix(rule, "RRULE:"), ";") {
		key, value, ok := strings.Cut(part, "=")
		if !ok || seen[key] {
			return r, &unreadable{strconv.Quote(part), "parts such as FREQ=MONTHLY;BYDAY=2SU, each once"}
		}
		seen[key] = true
		if bad := r.part(key, value); bad != nil {
			return r, bad
		}
	}
	if bad := r.sound(seen); bad != nil {
		return r, bad
	}
	if r.count > 0 {
		r.until = r.lastOf(r.count)
	}
	return r, nil
}

func (r *recurrence) part(key, value string) (bad *unreadable) {
	switch key {
	case "FREQ":
		if r.freq = value; !slices.Contains([]string{"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}, value) {
			return &unreadable{strconv.Quote("FREQ=" + value), "one of DAILY, WEEKLY, MONTHLY, YEARLY"}
		}
	case "INTERVAL":
		r.interval, bad = oneNumber(key, value, 1, mostCount)
	case "COUNT":
		r.count, bad = oneNumber(key, value, 1, mostCount)
	case "UNTIL":
		return r.bound(value)
	case "WKST":
		day := slices.Index(weekdayCodes, value)
		if r.weekStart = time.Weekday(day); day < 0 {
			return &unreadable{strconv.Quote("WKST=" + value), "a day such as MO"}
		}
	case "BYMONTH":
		r.months, bad = numbers(key, value, 1, 12)
	case "BYMONTHDAY":
		r.monthDays, bad = numbers(key, value, -31, 31)
	case "BYSETPOS":
		r.positions, bad = numbers(key, value, -366, 366)
	case "BYDAY":
		return r.byDay(value)
	default:
		return &unreadable{strconv.Quote(key), "one of FREQ, INTERVAL, COUNT, UNTIL, WKST, BYMONTH, BYMONTHDAY, BYDAY, BYSETPOS: the time of day is the window's start"}
	}
	return bad
}

// bound reads UNTIL: a date, which is the last one, or an instant in UTC, after which nothing starts.
func (r *recurrence) bound(value string) *unreadable {
	if day, err := time.Parse("20060102", value); err == nil {
		r.until = day
		return nil
	}
	at, err := time.Parse("20060102T150405Z", value)
	if err != nil {
		return &unreadable{strconv.Quote("UNTIL=" + value), "a date such as 20261231, or an instant such as 20261231T220000Z"}
	}
	r.latest = at
	return nil
}

func (r *recurrence) byDay(value string) *unreadable {
	for text := range strings.SplitSeq(value, ",") {
		code := text[max(0, len(text)-2):]
		day := slices.Index(weekdayCodes, code)
		nth := 0
		if before := strings.TrimSuffix(text, code); before != "" && day >= 0 {
			n, err := strconv.Atoi(before)
			if nth = n; err != nil || n == 0 || n < -53 || n > 53 {
				day = -1
			}
		}
		if day < 0 {
			return &unreadable{strconv.Quote("BYDAY=" + value), "days such as MO, 2SU (the second) or -1FR (the last)"}
		}
		r.days = append(r.days, nthDay{nth, time.Weekday(day)})
	}
	return nil
}

func oneNumber(key, value string, least, most int) (int, *unreadable) {
	n, err := strconv.Atoi(value)
	if err != nil || n < least || n > most {
		return 0, &unreadable{strconv.Quote(key + "=" + value), fmt.Sprintf("a number from %d to %d", least, most)}
	}
	return n, nil
}

func numbers(key, value string, least, most int) (out []int, bad *unreadable) {
	for text := range strings.SplitSeq(value, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n == 0 || n < least || n > most {
			return nil, &unreadable{strconv.Quote(key + "=" + value), fmt.Sprintf("numbers from %d to %d, and not 0", least, most)}
		}
		out = append(out, n)
	}
	return out, nil
}

// sound asks what the standard asks of the parts together, and for a first date where the rule depends on one.
func (r *recurrence) sound(seen map[string]bool) *unreadable {
	nth := slices.ContainsFunc(r.days, func(d nthDay) bool { return d.nth != 0 })
	coarse := r.freq == "MONTHLY" || r.freq == "YEARLY"
	switch {
	case r.freq == "":
		return &unreadable{"no FREQ", "FREQ=DAILY, WEEKLY, MONTHLY or YEARLY"}
	case seen["COUNT"] && seen["UNTIL"]:
		return &unreadable{"COUNT and UNTIL", "one of them"}
	case nth && !coarse:
		return &unreadable{"a numbered day with FREQ=" + r.freq, "plain days such as MO, or FREQ=MONTHLY"}
	case len(r.monthDays) > 0 && r.freq == "WEEKLY":
		return &unreadable{"BYMONTHDAY with FREQ=WEEKLY", "FREQ=MONTHLY"}
	case len(r.positions) > 0 && (r.freq == "DAILY" || len(r.days)+len(r.monthDays)+len(r.months) == 0):
		return &unreadable{"BYSETPOS with nothing to choose from", "BYDAY, BYMONTHDAY or BYMONTH with it, and no FREQ=DAILY"}
	}
	byItself := len(r.days)+len(r.monthDays) > 0 || r.freq == "DAILY"
	if r.from.IsZero() && (r.interval > 1 || r.count > 0 || !byItself) {
		return &unreadable{"a rule that depends on its first date", "from, the first date, such as from: 2026-01-05"}
	}
	return nil
}
