package calendar

import (
	"strings"
	"testing"
	"time"
)

func day(t testing.TB, text string) time.Time {
	t.Helper()
	d, err := time.Parse(dateForm, text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestRecurrences: rules with the dates that they give from the first one on. Most are of RFC 5545, 3.8.5.3.
func TestRecurrences(t *testing.T) {
	for _, c := range []struct{ rule, from, dates string }{
		{"FREQ=DAILY;COUNT=3", "1997-09-02", "1997-09-02 1997-09-03 1997-09-04"},
		{"FREQ=DAILY;UNTIL=19970904", "1997-09-02", "1997-09-02 1997-09-03 1997-09-04"},
		{"FREQ=DAILY;INTERVAL=10;COUNT=4", "1997-09-02", "1997-09-02 1997-09-12 1997-09-22 1997-10-02"},
		{"FREQ=WEEKLY;COUNT=3", "1997-09-02", "1997-09-02 1997-09-09 1997-09-16"},
		{"FREQ=WEEKLY;INTERVAL=2;COUNT=4;WKST=SU;BYDAY=TU,TH", "1997-09-02", "1997-09-02 1997-09-04 1997-09-16 1997-09-18"},
		{"FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "1997-08-05", "1997-08-05 1997-08-10 1997-08-19 1997-08-24"},
		{"FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "1997-08-05", "1997-08-05 1997-08-17 1997-08-19 1997-08-31"},
		{"FREQ=MONTHLY;COUNT=3;BYDAY=1FR", "1997-09-05", "1997-09-05 1997-10-03 1997-11-07"},
		{"FREQ=MONTHLY;INTERVAL=2;COUNT=4;BYDAY=1SU,-1SU", "1997-09-07", "1997-09-07 1997-09-28 1997-11-02 1997-11-30"},
		{"FREQ=MONTHLY;COUNT=3;BYDAY=-2MO", "1997-09-22", "1997-09-22 1997-10-20 1997-11-17"},
		{"FREQ=MONTHLY;COUNT=3;BYMONTHDAY=-3", "1997-09-28", "1997-09-28 1997-10-29 1997-11-28"},
		{"FREQ=MONTHLY;COUNT=5;BYMONTHDAY=1,-1", "1997-09-30", "1997-09-30 1997-10-01 1997-10-31 1997-11-01 1997-11-30"},
		{"FREQ=MONTHLY;COUNT=3", "2026-01-31", "2026-01-31 2026-03-31 2026-05-31"}, // months without a 31st are left out
		{"FREQ=YEARLY;COUNT=4;BYMONTH=6,7", "1997-06-10", "1997-06-10 1997-07-10 1998-06-10 1998-07-10"},
		{"FREQ=YEARLY;COUNT=3", "2024-02-29", "2024-02-29 2028-02-29 2032-02-29"},
		{"FREQ=YEARLY;BYDAY=20MO;COUNT=3", "1997-05-19", "1997-05-19 1998-05-18 1999-05-17"},
		{"FREQ=YEARLY;BYMONTH=3;BYDAY=TH;COUNT=4", "1997-03-13", "1997-03-13 1997-03-20 1997-03-27 1998-03-05"},
		{"FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=3", "1998-02-01", "1998-02-13 1998-03-13 1998-11-13"},
		{"FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8;COUNT=3", "1996-11-05", "1996-11-05 2000-11-07 2004-11-02"},
		{"FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "1997-09-04", "1997-09-04 1997-10-07 1997-11-06"},
		{"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2;COUNT=4", "1997-09-29", "1997-09-29 1997-10-30 1997-11-27 1997-12-30"},
		{"RRULE:FREQ=WEEKLY;BYDAY=SA;BYMONTH=12;COUNT=2", "2026-01-01", "2026-12-05 2026-12-12"},
	} {
		r, bad := readRecurrence(c.rule, c.from)
		if bad != nil {
			t.Errorf("%s: %v", c.rule, bad)
			continue
		}
		var got []string
		for d := day(t, c.from); d.Before(day(t, c.from).AddDate(12, 0, 0)); d = d.AddDate(0, 0, 1) {
			if r.takes(d) {
				got = append(got, d.Format(dateForm))
			}
		}
		if strings.Join(got, " ") != c.dates {
			t.Errorf("%s from %s:\ngot  %s\nwant %s", c.rule, c.from, strings.Join(got, " "), c.dates)
		}
		if found, expected := CheckRecurrence(c.rule, c.from); found != "" {
			t.Errorf("%s from %s: found %s, expected %s", c.rule, c.from, found, expected)
		}
	}
}

func TestRecurrencesRefused(t *testing.T) {
	for rule, found := range map[string]string{
		"":                                    `""`,
		"BYDAY=MO":                            "no FREQ",
		"FREQ=HOURLY":                         `"FREQ=HOURLY"`,
		"FREQ=DAILY;BYHOUR=3":                 `"BYHOUR"`,
		"FREQ=DAILY;FREQ=DAILY":               `"FREQ=DAILY"`,
		"FREQ=WEEKLY;BYDAY=XX":                `"BYDAY=XX"`,
		"FREQ=WEEKLY;BYDAY=2MO":               "a numbered day with FREQ=WEEKLY",
		"FREQ=MONTHLY;BYDAY=0MO":              `"BYDAY=0MO"`,
		"FREQ=MONTHLY;BYMONTHDAY=32":          `"BYMONTHDAY=32"`,
		"FREQ=WEEKLY;BYMONTHDAY=3":            "BYMONTHDAY with FREQ=WEEKLY",
		"FREQ=MONTHLY;BYSETPOS=1":             "BYSETPOS with nothing to choose from",
		"FREQ=DAILY;INTERVAL=0":               `"INTERVAL=0"`,
		"FREQ=DAILY;INTERVAL=2":               "a rule that depends on its first date",
		"FREQ=MONTHLY":                        "a rule that depends on its first date",
		"FREQ=DAILY;COUNT=2":                  "a rule that depends on its first date",
		"FREQ=DAILY;UNTIL=2026":               `"UNTIL=2026"`,
		"FREQ=DAILY;UNTIL=20001231":           "FREQ=DAILY;UNTIL=20001231, which gives no date",
		"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30, which gives no date",
		"FREQ=DAILY;COUNT=2;UNTIL=20270101":   "COUNT and UNTIL",
	} {
		got, expected := CheckRecurrence(rule, "")
		if got != found || expected == "" {
			t.Errorf("%s: found %s, expected %s; want found %s", rule, got, expected, found)
		}
	}
}

// TestUntilAnInstant: after it nothing starts, in whatever zone.
func TestUntilAnInstant(t *testing.T) {
	w, err := For([]Rule{{Recur: "FREQ=DAILY;UNTIL=20260102T010000Z", Start: "02:00", Length: time.Hour, Zone: "Europe/Berlin"}}, Place{})
	if err != nil {
		t.Fatal(err)
	}
	all := w.Between(day(t, "2026-01-01"), day(t, "2026-01-05"))
	if len(all) != 2 || !all[1].Start.Equal(day(t, "2026-01-02").Add(time.Hour)) {
		t.Errorf("got %v", all)
	}
}
