package calendar

import (
	"fmt"
	"time"
)

// Reading tells how clocks show a wall time on a date.
type Reading int

// Once: as almost always. Skipped: never, for clocks go forward over it. Twice: for clocks go back over it.
const (
	Once Reading = iota
	Skipped
	Twice
)

// Readings gives the two instants that a wall time on a date may mean, the earlier first, and why there are two. They
// are one and the same but where clocks change: of a skipped time they are its readings by the clocks of after and of
// before the change, of one that comes twice both.
func Readings(year int, month time.Month, day, hour, minute int, zone *time.Location) (first, last time.Time, how Reading) {
	wall := time.Date(year, month, day, hour, minute, 0, 0, time.UTC)
	at := Instant(year, month, day, hour, minute, zone)
	if ahead := at.Add(offset(at, zone)).Sub(wall); ahead != 0 {
		return at.Add(-ahead), at, Skipped
	}
	if later := wall.Add(-offset(wall.Add(15*time.Hour), zone)); later.After(at) && later.Add(offset(later, zone)).Equal(wall) {
		return at, later, Twice
	}
	return at, at, Once
}

// Shift is a window on which a change of clocks bears.
type Shift struct {
	Window  Interval
	Written time.Time // its start as written, as if in UTC
	Zone    *time.Location
	Start   Reading       // of its start
	By      time.Duration // that clocks change by: above 0 forward
}

// String says for people what was decided.
func (s Shift) String() string {
	clock := func(at time.Time) string { return at.In(s.Zone).Format("15:04 MST") }
	way := "forward"
	if s.By < 0 {
		way = "back"
	}
	by := lasting(max(s.By, -s.By))
	switch s.Start {
	case Skipped:
		return fmt.Sprintf("%s on %s does not exist in %s, where clocks go forward by %s: the window opens at %s", s.Written.Format("15:04"), s.Written.Format(dateForm), s.Zone, by, clock(s.Window.Start))
	case Twice:
		return fmt.Sprintf("%s on %s comes twice in %s, where clocks go back by %s: the window opens at the first, %s", s.Written.Format("15:04"), s.Written.Format(dateForm), s.Zone, by, clock(s.Window.Start))
	}
	return fmt.Sprintf("clocks in %s go %s by %s while the window is open: it lasts %s, from %s to %s", s.Zone, way, by, lasting(s.Window.End.Sub(s.Window.Start)), clock(s.Window.Start), clock(s.Window.End))
}

func lasting(d time.Duration) string {
	h, m := int(d/time.Hour), int(d/time.Minute)%60
	switch {
	case m == 0:
		return fmt.Sprintf("%d h", h)
	case h == 0:
		return fmt.Sprintf("%d min", m)
	}
	return fmt.Sprintf("%d h %d min", h, m)
}

// Shifts tells of the windows between two instants on which a change of clocks bears, by their start.
func (w Windows) Shifts(from, to time.Time) (out []Shift) {
	for _, r := range w.rules {
		for _, o := range r.dated(from, to) {
			d := o.date
			first, last, how := Readings(d.Year(), d.Month(), d.Day(), r.minute/60, r.minute%60, r.zone)
			s := Shift{Window: o.Interval, Written: d.Add(time.Duration(r.minute) * time.Minute), Zone: r.zone, Start: how}
			switch how {
			case Skipped:
				s.By = last.Sub(first)
			case Twice:
				s.By = first.Sub(last)
			default:
				if s.By = offset(o.End, r.zone) - offset(o.Start, r.zone); s.By == 0 {
					continue
				}
			}
			out = append(out, s)
		}
	}
	return out
}
