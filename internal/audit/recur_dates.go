package audit

import (
	"fmt"
	"sort"
	"strconv"
	"time"
)

// within lists the dates of one period, in their order, each once.
func (r rule) within(start, end time.Time) ([]time.Time, error) {
	found, err := r.named(start, end)
	if err != nil {
		return nil, err
	}
	months, err := ints(r.parts["BYMONTH"])
	if err != nil {
		return nil, err
	}
	seen := map[time.Time]bool{}
	var all []time.Time
	for _, d := range found {
		if !seen[d] && (len(months) == 0 || holdsInt(months, int(d.Month()))) {
			seen[d] = true
			all = append(all, d)
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Before(all[j]) })
	places, err := ints(r.parts["BYSETPOS"])
	if err != nil || len(places) == 0 {
		return all, err
	}
	var out []time.Time
	for i := range all {
		if holdsInt(places, i+1) || holdsInt(places, i-len(all)) {
			out = append(out, all[i])
		}
	}
	return out, nil
}

// named are the dates of a period by BYMONTHDAY and BYDAY, or by the first date where there is neither.
func (r rule) named(start, end time.Time) (out []time.Time, err error) {
	monthDays, err := ints(r.parts["BYMONTHDAY"])
	if err != nil {
		return nil, err
	}
	weekdays, byWeekday := r.parts["BYDAY"]
	var ofWeek []time.Time
	if byWeekday {
		if ofWeek, err = r.weekdays(weekdays, start, end); err != nil || len(monthDays) == 0 {
			return ofWeek, err
		}
	}
	for m := day(start.Year(), start.Month(), 1); m.Before(end); m = m.AddDate(0, 1, 0) {
		last := m.AddDate(0, 1, -1).Day()
		for _, n := range r.daysOfMonth(monthDays, m) {
			if n < 0 {
				n += last + 1
			}
			d := m.AddDate(0, 0, n-1)
			if n < 1 || n > last || d.Before(start) || !d.Before(end) {
				continue
			}
			if !byWeekday || holdsTime(ofWeek, d) {
				out = append(out, d)
			}
		}
	}
	return out, nil
}

// daysOfMonth are the days that BYMONTHDAY names, else those that the first date implies.
func (r rule) daysOfMonth(named []int, month time.Time) (out []int) {
	_, byMonth := r.parts["BYMONTH"]
	switch {
	case len(named) > 0:
		return named
	case r.freq() == "DAILY":
		for n := 1; n <= 31; n++ {
			out = append(out, n)
		}
	case r.freq() == "WEEKLY":
		for d := month; d.Month() == month.Month(); d = d.AddDate(0, 0, 1) {
			if d.Weekday() == r.first.Weekday() {
				out = append(out, d.Day())
			}
		}
	case r.freq() == "YEARLY" && !byMonth && month.Month() != r.first.Month():
	default:
		out = []int{r.first.Day()}
	}
	return out
}

// weekdays are the dates of BYDAY in a period: numbered ones count in each month, or in a year whose months are not named.
func (r rule) weekdays(codes []string, start, end time.Time) (out []time.Time, err error) {
	_, byMonth := r.parts["BYMONTH"]
	for _, code := range codes {
		wd, known := dayCodes[code[max(0, len(code)-2):]]
		if !known {
			return nil, fmt.Errorf("rrule: BYDAY=%s", code)
		}
		text, n := code[:len(code)-2], 0
		if text != "" {
			if n, err = strconv.Atoi(text); err != nil || n == 0 {
				return nil, fmt.Errorf("rrule: BYDAY=%s", code)
			}
		}
		spans := []span{{start, end}}
		if r.freq() == "YEARLY" && byMonth {
			spans = nil
			for m := start; m.Before(end); m = m.AddDate(0, 1, 0) {
				spans = append(spans, span{m, m.AddDate(0, 1, 0)})
			}
		}
		for _, s := range spans {
			out = append(out, nthOf(wd, n, s)...)
		}
	}
	return out, nil
}

// nthOf gives the n-th of a weekday in a span of days, from its end when n is below 0, all when it is 0.
func nthOf(wd time.Weekday, n int, s span) (out []time.Time) {
	var all []time.Time
	for d := s.start.AddDate(0, 0, (int(wd)-int(s.start.Weekday())+7)%7); d.Before(s.end); d = d.AddDate(0, 0, 7) {
		all = append(all, d)
	}
	switch {
	case n == 0:
		return all
	case n < 0:
		n += len(all) + 1
	}
	if n < 1 || n > len(all) {
		return nil
	}
	return all[n-1 : n]
}

func ints(list []string) (out []int, err error) {
	for _, text := range list {
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, fmt.Errorf("rrule: %q is no number", text)
		}
		out = append(out, n)
	}
	return out, nil
}

func holdsInt(list []int, n int) bool {
	for _, x := range list {
		if x == n {
			return true
		}
	}
	return false
}

func holdsTime(list []time.Time, t time.Time) bool {
	for _, x := range list {
		if x.Equal(t) {
			return true
		}
	}
	return false
}
