package notice

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// zone gives the tenant's time zone by its IANA name. The machine's own zone is no zone to promise in.
func zone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("the time zone %q is not an IANA name such as Europe/Berlin", name)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("the time zone %q is not known", name)
	}
	return loc, nil
}

// stamp writes a moment exactly, its offset always with it: Sun 25 Oct 2026 02:30 UTC+02:00.
// Abbreviations such as CST or PST are never used: they mean several zones.
func stamp(t time.Time, loc *time.Location) string {
	t = t.In(loc)
	layout := "Mon 2 Jan 2006 15:04"
	if t.Second() != 0 || t.Nanosecond() != 0 {
		layout += ":05.999999999"
	}
	return t.Format(layout) + " " + offset(t)
}

// offset writes the offset of a moment in its own zone: UTC, UTC+02:00, UTC-03:30.
func offset(t time.Time) string {
	if t.Location() == time.UTC {
		return "UTC"
	}
	_, s := t.Zone()
	sign := "+"
	if s < 0 {
		sign, s = "-", -s
	}
	text := fmt.Sprintf("UTC%s%02d:%02d", sign, s/3600, s/60%60)
	if s%60 != 0 {
		text += fmt.Sprintf(":%02d", s%60)
	}
	return text
}

// lasting writes a duration exactly to the millisecond: 300 ms, 2.5 s, 1 h 5 min.
func lasting(d time.Duration) string {
	if d < 0 {
		return "-" + lasting(-d)
	}
	ms := d.Milliseconds()
	if ms < 1000 && ms > 0 {
		return strconv.FormatInt(ms, 10) + " ms"
	}
	var parts []string
	for _, u := range []struct {
		ms   int64
		name string
	}{{86_400_000, "d"}, {3_600_000, "h"}, {60_000, "min"}} {
		if n := ms / u.ms; n > 0 {
			parts = append(parts, strconv.FormatInt(n, 10)+" "+u.name)
			ms %= u.ms
		}
	}
	if ms > 0 || len(parts) == 0 {
		parts = append(parts, strconv.FormatFloat(float64(ms)/1000, 'f', -1, 64)+" s")
	}
	return strings.Join(parts, " ")
}

// clockNotes are the sentences that a change of clocks near a slot needs.
func clockNotes(start, end time.Time, loc *time.Location) []string {
	var notes []string
	if _, change := start.In(loc).ZoneBounds(); !change.IsZero() && change.After(start) && change.Before(end) {
		_, before := start.In(loc).Zone()
		_, after := change.In(loc).Zone()
		if step := time.Duration(after-before) * time.Second; step != 0 {
			way := "forward"
			if step < 0 {
				way, step = "back", -step
			}
			notes = append(notes, fmt.Sprintf("Clocks in %s go %s by %s during this slot, at %s. The slot lasts %s of real time all the same.",
				loc, way, lasting(step), stamp(change, time.UTC), lasting(end.Sub(start))))
		}
	}
	for _, edge := range []struct {
		name string
		at   time.Time
	}{{"start", start}, {"end", end}} {
		if which := repeated(edge.at.In(loc)); which != "" {
			notes = append(notes, fmt.Sprintf("The clock in %s shows %s twice that day; the slot's %s is the %s of the two, at %s.",
				loc, edge.at.In(loc).Format("15:04"), edge.name, which, offset(edge.at.In(loc))))
		}
	}
	return notes
}

// repeated tells whether the wall clock shows this time twice, and which of the two this is.
func repeated(t time.Time) string {
	from, until := t.ZoneBounds()
	_, here := t.Zone()
	if !until.IsZero() {
		_, next := until.Zone()
		if back := time.Duration(here-next) * time.Second; back > 0 && t.Add(back).Compare(until) >= 0 {
			return "first"
		}
	}
	if !from.IsZero() {
		_, before := from.Add(-1).Zone()
		if back := time.Duration(before-here) * time.Second; back > 0 && t.Add(-back).Before(from) {
			return "second"
		}
	}
	return ""
}
