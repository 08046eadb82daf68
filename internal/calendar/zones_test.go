package calendar

import (
	"strings"
	"testing"
	"time"
)

// nights are windows around a change of clocks: what each date's start came to in UTC, how long, and what is told of it.
// Ends are written as lengths of real time; the wall clock's end is in the note.
var nights = []struct {
	zone, start string
	length      time.Duration
	from        string   // the first date of three
	opens       []string // UTC
	told        string   // of these; empty: nothing
}{
	// Forward at 02:00 by 1 h, back at 03:00.
	{"Europe/Berlin", "02:30", 2 * time.Hour, "2026-03-28", []string{"03-28 01:30", "03-29 01:30", "03-30 00:30"},
		"02:30 on 2026-03-29 does not exist in Europe/Berlin, where clocks go forward by 1 h: the window opens at 03:30 CEST"},
	{"Europe/Berlin", "01:00", 2 * time.Hour, "2026-03-28", []string{"03-28 00:00", "03-29 00:00", "03-29 23:00"},
		"clocks in Europe/Berlin go forward by 1 h while the window is open: it lasts 2 h, from 01:00 CET to 04:00 CEST"},
	{"Europe/Berlin", "02:30", 2 * time.Hour, "2026-10-24", []string{"10-24 00:30", "10-25 00:30", "10-26 01:30"},
		"02:30 on 2026-10-25 comes twice in Europe/Berlin, where clocks go back by 1 h: the window opens at the first, 02:30 CEST"},
	{"Europe/Berlin", "03:00", 2 * time.Hour, "2026-10-24", []string{"10-24 01:00", "10-25 02:00", "10-26 02:00"}, ""},
	// Forward at 02:00, back at 02:00.
	{"America/New_York", "02:00", time.Hour, "2026-03-07", []string{"03-07 07:00", "03-08 07:00", "03-09 06:00"},
		"02:00 on 2026-03-08 does not exist in America/New_York, where clocks go forward by 1 h: the window opens at 03:00 EDT"},
	{"America/New_York", "01:30", time.Hour, "2026-10-31", []string{"10-31 05:30", "11-01 05:30", "11-02 06:30"},
		"01:30 on 2026-11-01 comes twice in America/New_York, where clocks go back by 1 h: the window opens at the first, 01:30 EDT"},
	// Half an hour off.
	{"America/St_Johns", "02:15", time.Hour, "2026-03-07", []string{"03-07 05:45", "03-08 05:45", "03-09 04:45"},
		"02:15 on 2026-03-08 does not exist in America/St_Johns, where clocks go forward by 1 h: the window opens at 03:15 NDT"},
	// By half an hour.
	{"Australia/Lord_Howe", "02:15", time.Hour, "2026-10-03", []string{"10-02 15:45", "10-03 15:45", "10-04 15:15"},
		"02:15 on 2026-10-04 does not exist in Australia/Lord_Howe, where clocks go forward by 30 min: the window opens at 02:45 +11"},
	{"Australia/Lord_Howe", "01:45", time.Hour, "2026-04-04", []string{"04-03 14:45", "04-04 14:45", "04-05 15:15"},
		"01:45 on 2026-04-05 comes twice in Australia/Lord_Howe, where clocks go back by 30 min: the window opens at the first, 01:45 +11"},
	// At midnight, until 2018; never since.
	{"America/Sao_Paulo", "00:30", 2 * time.Hour, "2018-11-03", []string{"11-03 03:30", "11-04 03:30", "11-05 02:30"},
		"00:30 on 2018-11-04 does not exist in America/Sao_Paulo, where clocks go forward by 1 h: the window opens at 01:30 -02"},
	{"America/Sao_Paulo", "00:30", 2 * time.Hour, "2026-11-01", []string{"11-01 03:30", "11-02 03:30", "11-03 03:30"}, ""},
	// At midnight of a Persian date, until 2022; never since.
	{"Asia/Tehran", "00:00", 2 * time.Hour, "2022-03-21", []string{"03-20 20:30", "03-21 20:30", "03-22 19:30"},
		"00:00 on 2022-03-22 does not exist in Asia/Tehran, where clocks go forward by 1 h: the window opens at 01:00 +0430"},
	{"Asia/Tehran", "00:00", 2 * time.Hour, "2026-03-21", []string{"03-20 20:30", "03-21 20:30", "03-22 20:30"}, ""},
	// Back for Ramadan at 03:00, and forward after it at 02:00.
	{"Africa/Casablanca", "02:30", 2 * time.Hour, "2026-02-14", []string{"02-14 01:30", "02-15 01:30", "02-16 02:30"},
		"02:30 on 2026-02-15 comes twice in Africa/Casablanca, where clocks go back by 1 h: the window opens at the first, 02:30 +01"},
	{"Africa/Casablanca", "02:30", 2 * time.Hour, "2026-03-21", []string{"03-21 02:30", "03-22 02:30", "03-23 01:30"},
		"02:30 on 2026-03-22 does not exist in Africa/Casablanca, where clocks go forward by 1 h: the window opens at 03:30 +01"},
	// Without the 30th: its window and the 31st's are one.
	{"Pacific/Apia", "02:00", 2 * time.Hour, "2011-12-29", []string{"12-29 12:00", "12-30 12:00"},
		"02:00 on 2011-12-30 does not exist in Pacific/Apia, where clocks go forward by 24 h: the window opens at 02:00 +14"},
	// At midnight, in the southern spring.
	{"America/Santiago", "00:00", time.Hour, "2026-09-05", []string{"09-05 04:00", "09-06 04:00", "09-07 03:00"},
		"00:00 on 2026-09-06 does not exist in America/Santiago, where clocks go forward by 1 h: the window opens at 01:00 -03"},
}

func TestNightsOfChange(t *testing.T) {
	for _, c := range nights {
		t.Run(strings.ReplaceAll(c.zone, "/", "-")+" "+c.from+" "+c.start, func(t *testing.T) {
			w, err := For([]Rule{{Start: c.start, Length: c.length, Zone: c.zone}}, Place{})
			if err != nil {
				t.Fatal(err)
			}
			day, err := time.Parse(dateForm, c.from)
			if err != nil {
				t.Fatal(err)
			}
			z := zone(t, c.zone)
			from := Instant(day.Year(), day.Month(), day.Day(), 0, 0, z)
			to := Instant(day.Year(), day.Month(), day.Day()+3, 0, 0, z)
			var opens, told []string
			for _, o := range w.Between(from, to) {
				if opens = append(opens, o.Start.Format("01-02 15:04")); o.End.Sub(o.Start) != c.length {
					t.Errorf("%s lasts %s", o.Start, o.End.Sub(o.Start))
				}
			}
			for _, s := range w.Shifts(from, to) {
				told = append(told, s.String())
			}
			if got, want := strings.Join(opens, ", "), strings.Join(c.opens, ", "); got != want {
				t.Errorf("opens %s, want %s", got, want)
			}
			if got := strings.Join(told, "; "); got != c.told {
				t.Errorf("told:\n%s\nwant:\n%s", got, c.told)
			}
		})
	}
}

// TestFreezesAcrossChanges: in doubt a freeze holds.
func TestFreezesAcrossChanges(t *testing.T) {
	for _, c := range []struct{ zone, from, to, want string }{
		{"Europe/Berlin", "2026-11-27 00:00", "2026-12-01 00:00", "11-26 23:00 to 11-30 23:00"},
		{"Europe/Berlin", "2026-03-28 02:30", "2026-03-29 02:30", "03-28 01:30 to 03-29 01:30"}, // its end is skipped: 03:30
		{"Europe/Berlin", "2026-03-29 02:30", "2026-03-30 02:30", "03-29 00:30 to 03-30 00:30"}, // its beginning is: 01:30
		{"Europe/Berlin", "2026-10-25 02:30", "2026-10-26 02:30", "10-25 00:30 to 10-26 01:30"}, // twice: from the first
		{"Europe/Berlin", "2026-10-24 02:30", "2026-10-25 02:30", "10-24 00:30 to 10-25 01:30"}, // to the second
		{"Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-05 01:50", "04-04 14:45 to 04-04 15:20"},
		{"Pacific/Apia", "2011-12-30 00:00", "2011-12-31 00:00", "12-29 10:00 to 12-30 10:00"},
		{"", "2026-01-01 00:00", "2026-01-02 00:00", "01-01 00:00 to 01-02 00:00"},
	} {
		f, err := ReadFreeze(Owner{OfTenant, "acme"}, "", c.from, c.to, c.zone)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Start.Format("01-02 15:04") + " to " + f.End.Format("01-02 15:04"); got != c.want {
			t.Errorf("%s %s to %s: got %s, want %s", c.zone, c.from, c.to, got, c.want)
		}
	}
	for _, c := range []struct{ from, to, zone string }{
		{"2026-02-30 00:00", "2026-03-01 00:00", ""}, {"2026-03-01 00:00", "2026-03-01 00:00", ""}, {"2026-03-01 00:00", "2026-03-02 00:00", "Nowhere/Land"},
	} {
		if f, err := ReadFreeze(Owner{}, "", c.from, c.to, c.zone); err == nil {
			t.Errorf("%+v was read as %v", c, f)
		}
	}
}
