package audit

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/plan"
)

const hour = plan.Duration(time.Hour)

func TestOpenings(t *testing.T) {
	nightly := plan.WindowRule{Start: "02:00", Length: 2 * hour}
	for _, c := range []struct {
		name       string
		rule       plan.WindowRule
		zone       string
		start, end string
		want       bool
	}{
		{"inside", nightly, "UTC", "2026-03-10 02:00", "2026-03-10 04:00", true},
		{"a second early", nightly, "UTC", "2026-03-10 01:59:59", "2026-03-10 04:00", false},
		{"a second late", nightly, "UTC", "2026-03-10 02:00", "2026-03-10 04:00:01", false},
		{"in the site's zone", nightly, "America/New_York", "2026-01-10 07:00", "2026-01-10 09:00", true},
		{"not in UTC there", nightly, "America/New_York", "2026-01-10 02:00", "2026-01-10 04:00", false},
		{"the rule's zone wins", plan.WindowRule{Start: "02:00", Length: 2 * hour, Timezone: "UTC"}, "America/New_York", "2026-01-10 02:00", "2026-01-10 04:00", true},
		{"a skipped 02:00 moves to 03:00 summer time", nightly, "America/New_York", "2026-03-08 07:00", "2026-03-08 09:00", true},
		{"and no earlier", nightly, "America/New_York", "2026-03-08 06:59:59", "2026-03-08 09:00", false},
		{"a skipped 02:30 moves by the gap", plan.WindowRule{Start: "02:30", Length: hour}, "Europe/Berlin", "2026-03-29 01:30", "2026-03-29 02:30", true},
		{"an ambiguous 02:30 means the first", plan.WindowRule{Start: "02:30", Length: hour}, "Europe/Berlin", "2026-10-25 00:30", "2026-10-25 01:30", true},
		{"and not the second", plan.WindowRule{Start: "02:30", Length: hour}, "Europe/Berlin", "2026-10-25 01:30", "2026-10-25 02:30", false},
		{"half an hour of summer time", plan.WindowRule{Start: "01:45", Length: hour}, "Australia/Lord_Howe", "2026-04-04 14:45", "2026-04-04 15:45", true},
		{"a day that it does not open", plan.WindowRule{Days: []string{"tue"}, Start: "02:00", Length: 2 * hour}, "UTC", "2026-03-11 02:00", "2026-03-11 04:00", false},
		{"a day that it does", plan.WindowRule{Days: []string{"mon", "tue"}, Start: "02:00", Length: 2 * hour}, "UTC", "2026-03-10 02:00", "2026-03-10 04:00", true},
		{"across midnight of its day", plan.WindowRule{Days: []string{"tue"}, Start: "23:00", Length: 2 * hour}, "UTC", "2026-03-10 23:30", "2026-03-11 01:00", true},
		{"the day of the zone, not of UTC", plan.WindowRule{Days: []string{"wed"}, Start: "02:00", Length: 2 * hour}, "Asia/Tokyo", "2026-03-10 17:00", "2026-03-10 19:00", true},
		{"windows that meet are one", plan.WindowRule{Start: "02:00", Length: 24 * hour}, "UTC", "2026-03-10 01:00", "2026-03-10 03:00", true},
		{"always", plan.WindowRule{Always: true}, "UTC", "2026-03-10 12:34", "2026-03-12 12:34", true},
		{"another region's", plan.WindowRule{Regions: []string{"south"}, Always: true}, "UTC", "2026-03-10 02:00", "2026-03-10 03:00", false},
		{"another site's", plan.WindowRule{Sites: []string{"s2"}, Always: true}, "UTC", "2026-03-10 02:00", "2026-03-10 03:00", false},
		{"another hypervisor's", plan.WindowRule{Hypervisor: "xen", Always: true}, "UTC", "2026-03-10 02:00", "2026-03-10 03:00", false},
		{"its own by all three", plan.WindowRule{Regions: []string{"north"}, Sites: []string{"s1"}, Hypervisor: "kvm", Always: true}, "UTC", "2026-03-10 02:00", "2026-03-10 03:00", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			start, end := at(c.start), at(c.end)
			o, err := openings([]plan.WindowRule{c.rule}, place{"north", "s1", c.zone, "kvm"}, start, end)
			if err != nil {
				t.Fatal(err)
			}
			if got := o.holds(start, end); got != c.want {
				t.Errorf("holds: %v, want %v; windows %v", got, c.want, o.spans)
			}
		})
	}
}

func TestOpeningsUnreadable(t *testing.T) {
	for _, r := range []plan.WindowRule{{Start: "2 am", Length: hour}, {Start: "02:00", Length: hour, Timezone: "Nowhere/Land"}} {
		if _, err := openings([]plan.WindowRule{r}, place{zone: "UTC"}, at("2026-03-10 00:00"), at("2026-03-11 00:00")); err == nil {
			t.Errorf("%+v was read", r)
		}
	}
}

// TestInstantOf: the instant shows the wall time, is the first that does, and where none does the
// clock was put forward just there.
func TestInstantOf(t *testing.T) {
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/St_Johns", "Pacific/Apia", "Africa/Casablanca", "Pacific/Kiritimati"}
	rapid.Check(t, func(t *rapid.T) {
		loc, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Skip(err)
		}
		u := at("2012-01-01 00:00").Add(time.Duration(rapid.IntRange(0, 20*366*24*4).Draw(t, "quarter hours")) * 15 * time.Minute)
		got := instantOf(u, loc)
		var first time.Time // by looking at every quarter of an hour around
		for x := u.Add(-16 * time.Hour); x.Before(u.Add(16 * time.Hour)); x = x.Add(15 * time.Minute) {
			if shows(x, u, loc) {
				first = x
				break
			}
		}
		if !first.IsZero() && !got.Equal(first) {
			t.Fatalf("%s in %s: %s, want %s", u, loc, got, first)
		}
		if first.IsZero() {
			_, before := got.Add(-3 * time.Hour).In(loc).Zone()
			_, after := got.In(loc).Zone()
			if gap := after - before; gap <= 0 || !shows(got, u.Add(time.Duration(gap)*time.Second), loc) {
				t.Fatalf("%s in %s is skipped and became %s", u, loc, got.In(loc))
			}
		}
	})
}
