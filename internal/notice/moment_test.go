package notice

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var zones = []string{"UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "America/New_York", "Europe/London", "Pacific/Apia"}

func load(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := zone(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestStamp(t *testing.T) {
	for _, c := range []struct{ zone, at, want string }{
		{"UTC", "2026-10-25T00:30:00Z", "Sun 25 Oct 2026 00:30 UTC"},
		{"UTC", "2026-10-25T00:30:07Z", "Sun 25 Oct 2026 00:30:07 UTC"},
		{"UTC", "2026-10-25T00:30:07.25Z", "Sun 25 Oct 2026 00:30:07.25 UTC"},
		{"Europe/Berlin", "2026-10-25T00:30:00Z", "Sun 25 Oct 2026 02:30 UTC+02:00"}, // the first 02:30
		{"Europe/Berlin", "2026-10-25T01:30:00Z", "Sun 25 Oct 2026 02:30 UTC+01:00"}, // the second
		{"Europe/Berlin", "2026-03-29T01:00:00Z", "Sun 29 Mar 2026 03:00 UTC+02:00"}, // after the gap
		{"America/St_Johns", "2026-01-05T03:00:00Z", "Sun 4 Jan 2026 23:30 UTC-03:30"},
		{"America/St_Johns", "2026-07-05T03:00:00Z", "Sun 5 Jul 2026 00:30 UTC-02:30"},
		{"Asia/Kathmandu", "2026-10-25T20:00:00Z", "Mon 26 Oct 2026 01:45 UTC+05:45"},
		{"Europe/London", "2026-12-01T20:00:00Z", "Tue 1 Dec 2026 20:00 UTC+00:00"},
	} {
		if got := stamp(at(c.at), load(t, c.zone)); got != c.want {
			t.Errorf("%s in %s: %q, want %q", c.at, c.zone, got, c.want)
		}
	}
}

func TestZoneRefused(t *testing.T) {
	for _, name := range []string{"", "Local", "CET/Berlin", "PST", "../etc/passwd", "Europe/Berlin\n"} {
		if _, err := zone(name); err == nil {
			t.Errorf("%q was taken for a time zone", name)
		}
	}
}

func TestLasting(t *testing.T) {
	for _, c := range []struct {
		ms   int64
		want string
	}{
		{0, "0 s"}, {1, "1 ms"}, {999, "999 ms"}, {1000, "1 s"}, {1500, "1.5 s"}, {60_000, "1 min"}, {61_001, "1 min 1.001 s"},
		{7_200_000, "2 h"}, {3_900_000, "1 h 5 min"}, {90_061_000, "1 d 1 h 1 min 1 s"}, {-1500, "-1.5 s"},
	} {
		if got := lasting(time.Duration(c.ms) * time.Millisecond); got != c.want {
			t.Errorf("%d ms: %q, want %q", c.ms, got, c.want)
		}
	}
}

func TestClockNotes(t *testing.T) {
	for _, c := range []struct {
		zone, start, end string
		want             []string // what each note must hold
	}{
		{"Europe/Berlin", "2026-10-24T20:00:00Z", "2026-10-24T22:00:00Z", nil},
		{"Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T02:30:00Z", []string{"go back by 1 h during this slot, at Sun 25 Oct 2026 01:00 UTC. The slot lasts 2 h", "02:30 twice that day; the slot's start is the first of the two, at UTC+02:00"}},
		{"Europe/Berlin", "2026-10-25T01:30:00Z", "2026-10-25T03:30:00Z", []string{"02:30 twice that day; the slot's start is the second of the two, at UTC+01:00"}},
		{"Europe/Berlin", "2026-10-24T22:15:00Z", "2026-10-25T00:15:00Z", []string{"02:15 twice that day; the slot's end is the first"}},
		{"Europe/Berlin", "2026-10-25T02:00:00Z", "2026-10-25T04:00:00Z", nil}, // 03:00 comes once
		{"Europe/Berlin", "2026-03-29T00:30:00Z", "2026-03-29T02:30:00Z", []string{"go forward by 1 h during this slot, at Sun 29 Mar 2026 01:00 UTC"}},
		{"Australia/Lord_Howe", "2026-04-04T14:00:00Z", "2026-04-04T16:00:00Z", []string{"go back by 30 min"}},
		{"Asia/Kathmandu", "2026-10-25T00:30:00Z", "2026-10-25T02:30:00Z", nil},
	} {
		got := clockNotes(at(c.start), at(c.end), load(t, c.zone))
		if len(got) != len(c.want) {
			t.Errorf("%s from %s: notes %q, want %q", c.zone, c.start, got, c.want)
			continue
		}
		for i := range got {
			if !strings.Contains(got[i], c.want[i]) {
				t.Errorf("%s from %s: note %q lacks %q", c.zone, c.start, got[i], c.want[i])
			}
		}
	}
}

// What is printed can be read back: the same instant, in any zone, on both sides of a change.
func TestStampIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loc, err := zone(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		moment := drawMoment(t)
		text := stamp(moment, loc)
		text = strings.TrimSuffix(text, "UTC") // UTC itself carries no digits
		layout := "Mon 2 Jan 2006 15:04:05 UTC-07:00"
		if loc == time.UTC {
			layout = "Mon 2 Jan 2006 15:04:05 "
		}
		if moment.Second() == 0 {
			layout = strings.Replace(layout, ":05", "", 1)
		}
		back, err := time.Parse(layout, text)
		if err != nil {
			t.Fatal(err)
		}
		if !back.Equal(moment) {
			t.Fatalf("%s in %s prints as %q, which is %s", moment, loc, text, back.UTC())
		}
	})
}

// A wall-clock time is called repeated exactly when a search of the hours around finds it again.
func TestRepeatedAgainstSearch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loc, err := zone(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		moment := drawMoment(t).In(loc)
		const wall = "2006-01-02 15:04:05"
		want := ""
		for d := 15 * time.Minute; d <= 3*time.Hour; d += 15 * time.Minute {
			if moment.Add(d).Format(wall) == moment.Format(wall) {
				want = "first"
			}
			if moment.Add(-d).Format(wall) == moment.Format(wall) {
				want = "second"
			}
		}
		if got := repeated(moment); got != want {
			t.Fatalf("%s: %q, want %q", moment, got, want)
		}
	})
}

// drawMoment is any second of three years, every other time one near a change of clocks.
func drawMoment(t *rapid.T) time.Time {
	if rapid.Bool().Draw(t, "near a change") {
		change := at(rapid.SampledFrom([]string{"2026-10-25T01:00:00Z", "2026-03-29T01:00:00Z", "2026-11-01T04:30:00Z", "2026-11-01T06:00:00Z", "2026-04-04T15:00:00Z"}).Draw(t, "change"))
		return change.Add(time.Duration(rapid.IntRange(-7200, 7200).Draw(t, "seconds")) * time.Second)
	}
	return at("2025-06-01T00:00:00Z").Add(time.Duration(rapid.IntRange(0, 3*365*86400).Draw(t, "second")) * time.Second)
}
