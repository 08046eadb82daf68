package calendar

import (
	"slices"
	"time"
)

// lastOf is the date of the n-th occurrence; the last one when there are fewer.
func (r *recurrence) lastOf(n int) (last time.Time) {
	last = r.from.AddDate(0, 0, -1)
	for d := r.from; n > 0 && d.Before(r.from.AddDate(farAhead, 0, 0)); d = d.AddDate(0, 0, 1) {
		if r.takes(d) {
			last = d
			n--
		}
	}
	return last
}

// takes tells whether the rule gives a date, which is at midnight UTC.
func (r *recurrence) takes(d time.Time) bool {
	if d.Before(r.from) || !r.until.IsZero() && d.After(r.until) || !r.inTurn(d) || !r.fits(d) {
		return false
	}
	if len(r.positions) == 0 {
		return true
	}
	from, to := r.period(d)
	place, all := 0, 0
	for x := from; x.Before(to); x = x.AddDate(0, 0, 1) {
		if r.fits(x) {
			if all++; x.Equal(d) {
				place = all
			}
		}
	}
	return slices.Contains(r.positions, place) || slices.Contains(r.positions, place-all-1)
}

// inTurn: INTERVAL takes the date's period.
func (r *recurrence) inTurn(d time.Time) bool {
	if r.interval == 1 {
		return true
	}
	a, b := r.from, d
	n := 0
	switch r.freq {
	case "DAILY":
		n = daysBetween(a, b)
	case "WEEKLY":
		a, _ = r.period(a)
		b, _ = r.period(b)
		n = daysBetween(a, b) / 7
	case "MONTHLY":
		n = 12*(b.Year()-a.Year()) + int(b.Month()) - int(a.Month())
	case "YEARLY":
		n = b.Year() - a.Year()
	}
	return n%r.interval == 0
}

func daysBetween(a, b time.Time) int { return int(b.Sub(a) / oneDay) }

// period is the week, month or year that a date lies in, up to the first day after it.
func (r *recurrence) period(d time.Time) (from, to time.Time) {
	switch r.freq {
	case "WEEKLY":
		from = d.AddDate(0, 0, -(int(d.Weekday()-r.weekStart+7) % 7))
		return from, from.AddDate(0, 0, 7)
	case "MONTHLY":
		from = time.Date(d.Year(), d.Month(), 1, 0, 0, 0, 0, time.UTC)
		return from, from.AddDate(0, 1, 0)
	case "YEARLY":
		from = time.Date(d.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
		return from, from.AddDate(1, 0, 0)
	}
	return d, d.AddDate(0, 0, 1)
}

// fits: the date passes the BY parts; what they leave open, the first date says.
func (r *recurrence) fits(d time.Time) bool {
	if len(r.months) > 0 && !slices.Contains(r.months, int(d.Month())) {
		return false
	}
	if len(r.monthDays) > 0 {
		left := time.Date(d.Year(), d.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day() - d.Day() + 1 // to the month's end, from 1
		if !slices.Contains(r.monthDays, d.Day()) && !slices.Contains(r.monthDays, -left) {
			return false
		}
	}
	switch {
	case len(r.days) > 0:
		return slices.ContainsFunc(r.days, func(n nthDay) bool { return n.day == d.Weekday() && (n.nth == 0 || r.isNth(n.nth, d)) })
	case len(r.monthDays) > 0 || r.freq == "DAILY":
		return true
	case r.freq == "WEEKLY":
		return d.Weekday() == r.from.Weekday()
	case r.freq == "YEARLY" && len(r.months) == 0:
		return d.Day() == r.from.Day() && d.Month() == r.from.Month()
	}
	return d.Day() == r.from.Day()
}

// isNth: the date is the n-th of its weekday, or the n-th from the end, in its month; in its year where a yearly rule
// names no months.
func (r *recurrence) isNth(n int, d time.Time) bool {
	from := time.Date(d.Year(), d.Month(), 1, 0, 0, 0, 0, time.UTC)
	to := from.AddDate(0, 1, 0)
	if r.freq == "YEARLY" && len(r.months) == 0 {
		from, to = r.period(d)
	}
	return n == daysBetween(from, d)/7+1 || n == -((daysBetween(d, to)-1)/7+1)
}
