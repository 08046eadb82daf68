package calendar

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := Zone(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// TestInstant: what happens where clocks change, in zones that change at different hours, by
// different steps, in different months, and by a whole day.
func TestInstant(t *testing.T) {
	for _, c := range []struct{ zone, wall, utc string }{
		{"UTC", "2026-03-29 02:30", "2026-03-29 02:30"},
		{"Europe/Berlin", "2026-03-29 01:59", "2026-03-29 00:59"},
		{"Europe/Berlin", "2026-03-29 02:00", "2026-03-29 01:00"}, // skipped: 03:00
		{"Europe/Berlin", "2026-03-29 02:30", "2026-03-29 01:30"}, // skipped: 03:30
		{"Europe/Berlin", "2026-03-29 03:00", "2026-03-29 01:00"},
		{"Europe/Berlin", "2026-10-25 01:59", "2026-10-24 23:59"},
		{"Europe/Berlin", "2026-10-25 02:30", "2026-10-25 00:30"}, // twice: the first
		{"Europe/Berlin", "2026-10-25 03:00", "2026-10-25 02:00"},
		{"America/New_York", "2026-03-08 02:30", "2026-03-08 07:30"},
		{"America/New_York", "2026-11-01 01:30", "2026-11-01 05:30"},
		{"America/St_Johns", "2026-03-08 02:15", "2026-03-08 05:45"},    // half an hour off
		{"Australia/Lord_Howe", "2026-10-04 02:10", "2026-10-03 15:40"}, // clocks skip half an hour: 02:40
		{"Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-04 14:45"}, // and repeat it: the first
		{"America/Sao_Paulo", "2018-11-04 00:30", "2018-11-04 03:30"},   // midnight does not exist: 01:30
		{"Asia/Kathmandu", "2026-03-29 02:30", "2026-03-28 20:45"},
		{"Pacific/Apia", "2011-12-30 02:00", "2011-12-30 12:00"}, // the whole day does not exist: the 31st
		{"Pacific/Apia", "2011-12-31 02:00", "2011-12-30 12:00"},
		{"Africa/Casablanca", "2026-02-15 02:30", "2026-02-15 01:30"}, // Ramadan begins: twice, the first
	} {
		wall, err := time.Parse("2006-01-02 15:04", c.wall)
		if err != nil {
			t.Fatal(err)
		}
		got := Instant(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), zone(t, c.zone))
		if s := got.UTC().Format("2006-01-02 15:04"); s != c.utc {
			t.Errorf("%s %s: got %s UTC, want %s", c.zone, c.wall, s, c.utc)
		}
	}
}

var zones = []string{"UTC", "Europe/Berlin", "Europe/London", "America/New_York", "America/St_Johns", "America/Santiago",
	"Australia/Lord_Howe", "Australia/Sydney", "Asia/Tehran", "Asia/Kathmandu", "Pacific/Apia", "Africa/Casablanca", "Pacific/Kiritimati", "Pacific/Pago_Pago"}

// TestInstantIsFirstReading: clocks show the wall time at the instant, and at no earlier one; if
// they never show it, the instant is as far past the change as the wall time is past the gap's start.
func TestInstantIsFirstReading(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loc, err := Zone(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		wall := time.Unix(rapid.Int64Range(946684800, 1893456000).Draw(t, "second"), 0).UTC().Truncate(time.Minute)
		got := Instant(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), loc)
		// The clock by brute force: each quarter of an hour around, and each minute of the day itself.
		var first time.Time
		for m := -26 * 60; m <= 26*60; m++ {
			at := wall.Add(time.Duration(m) * time.Minute)
			if reads(at, loc).Equal(wall) {
				first = at
				break
			}
		}
		if !first.IsZero() {
			if !got.Equal(first) {
				t.Fatalf("clocks in %s first show %s at %s, got %s", loc, wall, first, got)
			}
			return
		}
		ahead := reads(got, loc).Sub(wall)
		before := reads(got.Add(-ahead), loc)
		if ahead <= 0 || before.After(wall) {
			t.Fatalf("%s is skipped in %s; %s shows %s", wall, loc, got, reads(got, loc))
		}
	})
}

// reads is what clocks show, written as if it were UTC.
func reads(at time.Time, loc *time.Location) time.Time {
	l := at.In(loc)
	return time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), 0, 0, time.UTC)
}

// TestBetween: asked in pieces or at once, the occurrences are the same, sorted, once each, of the
// rule's length, and they touch the stretch that was asked for.
func TestBetween(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rule := Rule{Start: rapid.SampledFrom([]string{"00:00", "02:00", "02:30", "23:45"}).Draw(t, "start"),
			Length: rapid.SampledFrom([]time.Duration{time.Hour, 2 * time.Hour, 25 * time.Hour, 50 * time.Hour}).Draw(t, "length"),
			Days:   rapid.SampledFrom([][]string{nil, {"sun"}, {"mon", "Tue"}}).Draw(t, "days")}
		w, err := For([]Rule{rule}, Place{Zone: rapid.SampledFrom(zones).Draw(t, "zone")})
		if err != nil {
			t.Fatal(err)
		}
		from := time.Date(2026, time.Month(rapid.IntRange(1, 12).Draw(t, "month")), rapid.IntRange(1, 28).Draw(t, "day"), 13, 7, 0, 0, time.UTC)
		mid, to := from.Add(time.Duration(rapid.IntRange(1, 500).Draw(t, "mid"))*time.Hour), from.Add(600*time.Hour)
		all := w.Between(from, to)
		seen := map[Interval]bool{}
		for _, part := range [][]Interval{w.Between(from, mid), w.Between(mid, to)} {
			for _, o := range part {
				seen[o] = true
			}
		}
		if len(seen) != len(all) {
			t.Fatalf("in two pieces there are %d occurrences, at once %d", len(seen), len(all))
		}
		for i, o := range all {
			switch {
			case !seen[o], !o.End.After(from), !o.Start.Before(to), o.End.Sub(o.Start) != rule.Length, i > 0 && !all[i-1].Start.Before(o.Start):
				t.Fatalf("occurrence %d of %v is wrong: %v", i, all, o)
			}
		}
		if len(rule.Days) == 0 && len(all) < 24 {
			t.Fatalf("in 25 days a daily window opens %d times", len(all))
		}
	})
}

func TestFor(t *testing.T) {
	rules := []Rule{
		{Start: "02:00", Length: time.Hour, Regions: []string{"north"}},
		{Start: "03:00", Length: 3 * time.Hour, Sites: []string{"s2"}, Zone: "Europe/Berlin"},
		{Always: true, Hypervisor: "xen"},
	}
	for _, c := range []struct {
		place  Place
		always bool
		opens  []string
	}{
		{Place{Region: "north", Site: "s1", Hypervisor: "kvm"}, false, []string{"02:00"}},
		{Place{Region: "north", Site: "s1", Hypervisor: "kvm", Zone: "Asia/Kathmandu"}, false, []string{"20:15"}},
		{Place{Region: "north", Site: "s2", Hypervisor: "xen"}, true, []string{"02:00", "02:00"}}, // Berlin's 03:00 in winter
		{Place{Region: "south", Site: "s1", Hypervisor: "kvm"}, false, nil},
	} {
		w, err := For(rules, c.place)
		if err != nil {
			t.Fatal(err)
		}
		day := time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC)
		var opens []string
		for _, o := range w.Between(day, day.Add(24*time.Hour)) {
			opens = append(opens, o.Start.Format("15:04"))
		}
		if w.Always != c.always || len(opens) != len(c.opens) || w.None() != (!c.always && c.opens == nil) {
			t.Fatalf("%+v: always %t, opens %v", c.place, w.Always, opens)
		}
		for i := range opens {
			if opens[i] != c.opens[i] {
				t.Errorf("%+v opens at %v, want %v", c.place, opens, c.opens)
			}
		}
	}
}

func TestForRefuses(t *testing.T) {
	good := Rule{Start: "02:00", Length: time.Hour}
	for name, change := range map[string]func(*Rule){
		"a zone that does not exist": func(r *Rule) { r.Zone = "Mars/Olympus" },
		"the machine's own zone":     func(r *Rule) { r.Zone = "Local" },
		"a start past midnight":      func(r *Rule) { r.Start = "24:30" },
		"no start":                   func(r *Rule) { r.Start = "" },
		"no length":                  func(r *Rule) { r.Length = 0 },
		"a day that is none":         func(r *Rule) { r.Days = []string{"someday"} },
	} {
		bad := good
		change(&bad)
		if _, err := For([]Rule{good, bad}, Place{}); err == nil || err.Error()[:len("windows[1]")] != "windows[1]" {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
