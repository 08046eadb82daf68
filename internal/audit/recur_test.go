package audit

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/calendar"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// TestDatesOf: examples of RFC 5545, 3.8.5.3.
func TestDatesOf(t *testing.T) {
	for _, c := range []struct{ rule, first, dates string }{
		{"FREQ=DAILY;INTERVAL=10;COUNT=4", "1997-09-02", "1997-09-02 1997-09-12 1997-09-22 1997-10-02"},
		{"FREQ=DAILY;UNTIL=19970904", "1997-09-02", "1997-09-02 1997-09-03 1997-09-04"},
		{"FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "1997-08-05", "1997-08-05 1997-08-10 1997-08-19 1997-08-24"},
		{"FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "1997-08-05", "1997-08-05 1997-08-17 1997-08-19 1997-08-31"},
		{"FREQ=MONTHLY;INTERVAL=2;COUNT=4;BYDAY=1SU,-1SU", "1997-09-07", "1997-09-07 1997-09-28 1997-11-02 1997-11-30"},
		{"FREQ=MONTHLY;COUNT=3;BYMONTHDAY=-3", "1997-09-28", "1997-09-28 1997-10-29 1997-11-28"},
		{"FREQ=MONTHLY;COUNT=3", "2026-01-31", "2026-01-31 2026-03-31 2026-05-31"},
		{"FREQ=YEARLY;COUNT=4;BYMONTH=6,7", "1997-06-10", "1997-06-10 1997-07-10 1998-06-10 1998-07-10"},
		{"FREQ=YEARLY;BYDAY=20MO;COUNT=3", "1997-05-19", "1997-05-19 1998-05-18 1999-05-17"},
		{"FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=3", "1998-02-01", "1998-02-13 1998-03-13 1998-11-13"},
		{"FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8;COUNT=3", "1996-11-05", "1996-11-05 2000-11-07 2004-11-02"},
		{"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2;COUNT=4", "1997-09-29", "1997-09-29 1997-10-30 1997-11-27 1997-12-30"},
	} {
		list, err := datesOf(c.rule, c.first, at("1996-01-01 00:00"), at("2040-01-01 00:00"))
		if err != nil {
			t.Errorf("%s: %v", c.rule, err)
		}
		var got []string
		for _, d := range list {
			got = append(got, d.Format("2006-01-02"))
		}
		if strings.Join(got, " ") != c.dates {
			t.Errorf("%s from %s:\ngot  %s\nwant %s", c.rule, c.first, strings.Join(got, " "), c.dates)
		}
	}
	for _, bad := range []string{"", "FREQ=HOURLY", "BYDAY=MO", "FREQ=MONTHLY;BYDAY=XX", "FREQ=DAILY;INTERVAL=x", "FREQ=MONTHLY;BYMONTHDAY=a", "FREQ=DAILY;UNTIL=soon", "FREQ=DAILY;COUNT=few"} {
		if _, err := datesOf(bad, "2026-01-01", at("2026-01-01 00:00"), at("2026-03-01 00:00")); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

// drawRule draws a rule that documents may have.
func drawRule(t *rapid.T) (rule, first string) {
	pick := func(what string, of ...string) string { return rapid.SampledFrom(of).Draw(t, what) }
	rule = "FREQ=" + pick("freq", "DAILY", "WEEKLY", "MONTHLY", "YEARLY")
	rule += pick("interval", "", "", ";INTERVAL=2", ";INTERVAL=3", ";INTERVAL=13")
	rule += pick("weeks start", "", "", ";WKST=SU", ";WKST=WE")
	rule += pick("months", "", "", ";BYMONTH=3,10", ";BYMONTH=2,11,12")
	rule += pick("days", "", ";BYDAY=SU", ";BYDAY=MO,WE,SA", ";BYDAY=1SU,-1FR", ";BYDAY=5TU,-5TU,2TH", ";BYDAY=10MO")
	rule += pick("days of the month", "", "", ";BYMONTHDAY=1,15,-1", ";BYMONTHDAY=29,30,31,-31")
	rule += pick("places", "", "", ";BYSETPOS=1", ";BYSETPOS=-1,2")
	rule += pick("end", "", "", ";COUNT=5", ";UNTIL=20261025", ";UNTIL=20260329T010000Z")
	first = at("2025-01-01 00:00").AddDate(0, 0, rapid.IntRange(0, 700).Draw(t, "first")).Format("2006-01-02")
	if strings.Contains(rule, "WEEKLY") && rapid.Bool().Draw(t, "from always") && !strings.Contains(rule, "INTERVAL") && strings.Contains(rule, "BYDAY") && !strings.Contains(rule, "COUNT") {
		first = ""
	}
	if found, _ := calendar.CheckRecurrence(rule, first); found != "" {
		t.Skip(found)
	}
	return rule, first
}

// TestTwoReadingsOfOneRule: the calendar that guides and the judge open the same windows.
func TestTwoReadingsOfOneRule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rrule, first := drawRule(t)
		zone := rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia", "America/Sao_Paulo", "Asia/Tehran"}).Draw(t, "zone")
		start := rapid.SampledFrom([]string{"00:00", "02:15", "02:30", "23:50"}).Draw(t, "start")
		length := rapid.SampledFrom([]time.Duration{time.Hour, 3 * time.Hour}).Draw(t, "length")
		from := at("2026-01-01 00:00").AddDate(0, 0, rapid.IntRange(0, 700).Draw(t, "from"))
		to := from.AddDate(0, 0, rapid.IntRange(1, 200).Draw(t, "days"))
		w, err := calendar.For([]calendar.Rule{{Recur: rrule, From: first, Start: start, Length: length, Zone: zone}}, calendar.Place{})
		if err != nil {
			t.Fatal(err)
		}
		o, err := openings([]plan.WindowRule{{RRule: rrule, From: first, Start: start, Length: plan.Duration(length), Timezone: zone}}, place{}, from, to)
		if err != nil {
			t.Fatal(err)
		}
		var a, b []string
		for _, x := range w.Between(from, to) {
			a = append(a, fmt.Sprint(x.Start, x.End))
		}
		for _, x := range o.spans {
			if x.end.After(from) && x.start.Before(to) {
				b = append(b, fmt.Sprint(x.start, x.end))
			}
		}
		if strings.Join(a, "\n") != strings.Join(b, "\n") {
			t.Fatalf("%s from %q at %s in %s\ncalendar:\n%s\njudge:\n%s", rrule, first, start, zone, strings.Join(a, "\n"), strings.Join(b, "\n"))
		}
	})
}
