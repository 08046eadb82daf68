package report

import (
	"fmt"
	"testing"
	"time"
)

// TestExposureOfMany: the hours of many instances are more than nanoseconds in 64 bits can hold.
func TestExposureOfMany(t *testing.T) {
	e, start := newExposure(), time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	const hosts, guests, days = 5_000, 100_000, 60
	for i := range guests {
		e.guests[fmt.Sprint("i", i)] = start
	}
	for i := range hosts {
		e.hosts[fmt.Sprint("h", i)] = start
	}
	for i := range guests / 2 {
		e.guestFixed(fmt.Sprint("i", i), start.AddDate(0, 0, days))
	}
	e.hostFixed("h1", start.AddDate(0, 0, days))
	if out := e.end(start.AddDate(0, 0, days)); out.HostHours != hosts*days*24 || out.InstanceHours != guests*days*24 {
		t.Errorf("%v and %v hours, want %d and %d", out.HostHours, out.InstanceHours, hosts*days*24, guests*days*24)
	}
}
