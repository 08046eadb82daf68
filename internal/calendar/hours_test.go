package calendar

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func windows(t rapid.TB, rules ...Rule) Windows {
	t.Helper()
	w, err := For(rules, Place{})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// drawHours draws owners with windows, some of them always open, and freezes.
func drawHours(t *rapid.T) ([]Layer, []Freeze, time.Time) {
	var layers []Layer
	for n := range rapid.IntRange(1, 4).Draw(t, "owners") {
		var rules []Rule
		for range rapid.IntRange(1, 2).Draw(t, "windows") {
			rules = append(rules, Rule{Start: rapid.SampledFrom([]string{"00:00", "01:30", "03:00", "22:00"}).Draw(t, "start"),
				Length: rapid.SampledFrom([]time.Duration{time.Hour, 3 * time.Hour, 26 * time.Hour}).Draw(t, "length"),
				Recur:  rapid.SampledFrom([]string{"", "", "FREQ=MONTHLY;BYDAY=1SU,3MO,-1FR", "FREQ=WEEKLY;BYDAY=SA,SU"}).Draw(t, "rule"),
				Always: rapid.IntRange(0, 9).Draw(t, "always") == 0, Zone: rapid.SampledFrom(zones).Draw(t, "zone")})
		}
		layers = append(layers, Layer{Owner{OfTenant, string(rune('a' + n))}, windows(t, rules...)})
	}
	from := time.Date(2026, time.Month(rapid.IntRange(1, 12).Draw(t, "month")), 1, 0, 0, 0, 0, time.UTC)
	var freezes []Freeze
	for n := range rapid.IntRange(0, 3).Draw(t, "freezes") {
		start := from.Add(time.Duration(rapid.IntRange(-20, 20*24*4).Draw(t, "freeze")) * 15 * time.Minute)
		freezes = append(freezes, Freeze{Owner: Owner{OfTenant, string(rune('b' + n))}, Interval: Interval{start, start.Add(time.Duration(rapid.IntRange(1, 400).Draw(t, "quarters")) * 15 * time.Minute)}})
	}
	return layers, freezes, from
}

// TestHours: a moment lies in what is given exactly if each owner has a window open then and nobody freezes it; what is
// given is the same asked in pieces; Closed agrees; and leave of one more owner only takes away.
func TestHours(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		layers, freezes, from := drawHours(t)
		h, to := Meet(layers, freezes), from.AddDate(0, 0, 20)
		given := h.Between(from, to)
		for at := from; at.Before(to); at = at.Add(15 * time.Minute) {
			open := true
			for _, l := range layers {
				open = open && (l.Windows.Always || holds(l.Windows.Between(at, at.Add(time.Minute)), at))
			}
			for _, f := range freezes {
				open = open && (at.Before(f.Start) || !at.Before(f.End))
			}
			if said := holds(given, at) || h.Always && len(h.Closed(at, at.Add(time.Minute))) == 0; said != open {
				t.Fatalf("at %s: given %t, open %t; %v", at, said, open, given)
			}
			if closed := h.Closed(at, at.Add(time.Minute)); (len(closed) == 0) != open {
				t.Fatalf("at %s: closed by %v, open %t", at, closed, open)
			}
		}
		mid := from.Add(time.Duration(rapid.IntRange(1, 19*24).Draw(t, "mid")) * time.Hour)
		seen := map[Interval]bool{}
		for _, part := range [][]Interval{h.Between(from, mid), h.Between(mid, to)} {
			for _, o := range part {
				seen[o] = true
			}
		}
		if len(seen) != len(given) {
			t.Fatalf("in two pieces there are %d stretches, at once %d", len(seen), len(given))
		}
		for i, o := range given {
			if !seen[o] || !o.End.After(from) || !o.Start.Before(to) || !o.End.After(o.Start) || o.End.Sub(o.Start) > h.Longest() || i > 0 && byStart(given[i-1], o) >= 0 {
				t.Fatalf("stretch %d of %v is wrong: %v", i, given, o)
			}
		}
		for _, l := range layers[1:] {
			if wider := h.Without(l.Owner); !wider.Always {
				for _, o := range given {
					if !holds(wider.Between(o.Start, o.End), o.Start) {
						t.Fatalf("without %s %s is closed", l.Owner, o.Start)
					}
				}
			}
		}
	})
}

func holds(list []Interval, at time.Time) bool {
	for _, o := range list {
		if !at.Before(o.Start) && at.Before(o.End) {
			return true
		}
	}
	return false
}

// TestThaw: from there on nothing is frozen for so long, and from no earlier instant on.
func TestThaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		_, freezes, at := drawHours(t)
		h, length := Meet(nil, freezes), time.Duration(rapid.IntRange(1, 300).Draw(t, "minutes"))*time.Minute
		for got := h.Thaw(at, length); !at.After(got); at = at.Add(15 * time.Minute) {
			free := true
			for _, f := range freezes {
				free = free && (!f.Start.Before(at.Add(length)) || !f.End.After(at))
			}
			if free != at.Equal(got) {
				t.Fatalf("%s: free %t, and it was said to thaw at %s", at, free, got)
			}
		}
	})
}

// TestWhoseHours: the policy opens each night, a host group at weekends, a tenant by its own clock, and a fair freezes one
// night of what is left.
func TestWhoseHours(t *testing.T) {
	policy := Layer{Owner{OfPolicy, ""}, windows(t, Rule{Start: "01:00", Length: 4 * time.Hour, Zone: "Europe/Berlin"})}
	group := Layer{Owner{OfHostGroup, "quorum"}, windows(t, Rule{Days: []string{"sat", "sun"}, Start: "00:00", Length: 6 * time.Hour, Zone: "Europe/Berlin"})}
	tenant := Layer{Owner{OfTenant, "acme"}, windows(t, Rule{Recur: "FREQ=MONTHLY;BYDAY=4SA,4SU,-1SU", Start: "19:30", Length: 5 * time.Hour, Zone: "America/New_York"})}
	fair, err := ReadFreeze(tenant.Owner, "a fair", "2026-03-29 00:00", "2026-03-29 23:00", "America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	h := Meet([]Layer{policy, group, tenant}, []Freeze{fair})
	show := func(h Hours) string {
		var out []string
		for _, o := range h.Between(day(t, "2026-03-20"), day(t, "2026-04-30")) {
			out = append(out, o.Start.Format("01-02 15:04")+"-"+o.End.Format("15:04"))
		}
		return strings.Join(out, " ")
	}
	// 28 March 19:30 in New York is 23:30 UTC, and 01:00 in Berlin on the 29th is midnight UTC. The tenant's Sundays are
	// Mondays in Berlin, where the group has none.
	if got, want := show(h), "03-29 00:00-04:00 04-25 23:30-03:00"; got != want {
		t.Errorf("all: %s, want %s", got, want)
	}
	closed := h.Closed(day(t, "2026-03-29").Add(23*time.Hour+30*time.Minute), day(t, "2026-03-30").Add(0))
	var why []string
	for _, c := range closed {
		why = append(why, c.Why)
	}
	const want = "no window of host group quorum holds it; the freeze of tenant acme (a fair) from 2026-03-29 04:00 UTC to 2026-03-30 03:00 UTC forbids it"
	if got := strings.Join(why, "; "); got != want {
		t.Errorf("closed:\n%s\nwant\n%s", got, want)
	}
}
