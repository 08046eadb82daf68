package calendar

import (
	"fmt"
	"time"
	_ "time/tzdata" // zones must not depend on what is installed
)

// Zone finds a time zone by its IANA name; UTC when the name is empty.
func Zone(name string) (*time.Location, error) {
	if name == "Local" { // the machine's own: no two machines would agree
		return nil, fmt.Errorf("time zone: found %q, expected an IANA name such as Europe/Berlin", name)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("time zone: found %q, expected an IANA name such as Europe/Berlin", name)
	}
	return loc, nil
}

// Instant gives the UTC instant at which clocks in zone show a wall-clock time on a date. A time
// that is skipped moves forward by the gap; of a time that comes twice it gives the first.
func Instant(year int, month time.Month, day, hour, minute int, zone *time.Location) time.Time {
	wall := time.Date(year, month, day, hour, minute, 0, 0, time.UTC)
	// Offsets lie within 15 hours of UTC, so these two moments are surely before and after any
	// reading of the wall clock; between them clocks change at most once.
	before, after := offset(wall.Add(-15*time.Hour), zone), offset(wall.Add(15*time.Hour), zone)
	early, late := wall.Add(-before), wall.Add(-after)
	if early.After(late) { // clocks go forward on the way
		if offset(late, zone) == after {
			return late // the change is past already
		}
		return early // not yet, or skipped: the old offset carries it over the gap
	}
	if offset(early, zone) == before {
		return early // no change, or the first of two
	}
	return late
}

func offset(t time.Time, zone *time.Location) time.Duration {
	_, seconds := t.In(zone).Zone()
	return time.Duration(seconds) * time.Second
}
