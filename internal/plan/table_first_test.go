package plan

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestFirstScreen: within the first ten lines stand whether it is in time, who is hurt and how badly, what is blocked,
// and what to do next until when.
func TestFirstScreen(t *testing.T) {
	start := time.Date(2026, 3, 10, 1, 0, 0, 0, time.UTC)
	p := Plan{Verdict: "Partly.", Campaign: "c", Revision: 2, Made: start.Add(-48 * time.Hour), Start: start, End: start.Add(26 * time.Hour), Counts: Counts{Hosts: 3},
		Target:  &Target{Disclosure: start.Add(20 * time.Hour), FinishBy: start.Add(50 * time.Hour)},
		Blocked: []Blocked{{Host: "x", Code: "instance-blocked"}, {Instance: "i9", Code: "pinned"}, {Host: "y", Code: "no-room"}, {Host: "z", Code: "no-room"}}}
	for n := range 6 { // t0 to t5; the first two have one instance stopped, t1 two; t5 has one moved twice
		s := Slot{Instance: fmt.Sprint("i", n), Tenant: fmt.Sprint("t", n), Class: ClassBlip, NoticeBy: start.Add(-time.Duration(n) * time.Hour)}
		if n < 2 {
			s.Class, s.ExpectedMs, s.WorstMs = ClassOutage, 600_000, 1_800_000
		}
		p.Slots = append(p.Slots, s)
	}
	p.Turns = []Turn{{ID: "h+live-patch", Host: "h", Wave: 1, Start: start, WorstS: 26 * 3600}, {ID: "h", Host: "h", Wave: 2, Start: start.Add(29 * time.Hour), WorstS: 3600, Deferred: true}}
	p.End = start.Add(30 * time.Hour)
	p.Slots = append(p.Slots, Slot{Instance: "j1", Tenant: "t1", Class: ClassOutage, ExpectedMs: 700_000, WorstMs: 1_700_000}, p.Slots[5])
	var b strings.Builder
	if err := Table(&b, p, TableOptions{Path: "p.json"}); err != nil {
		t.Fatal(err)
	}
	want := `Partly.

in time    no: over 6 h after disclosure, Tue 2026-03-10 21:00 UTC
in time    yes: over 20 h before finish by, Thu 2026-03-12 03:00 UTC
hurt       2 tenants have instances stopped, for 11 min 40 s as a rule and 30 min at worst
           most: t1 (2), t0 (1)
           4 tenants have instances live-migrated alone
           1 instance is interrupted more than once
blocked    no-room 2, pinned 1: what would allow each stands below
next       evenkeel apply p.json --revision 2
           the first notice must be accepted by Mon 2026-03-09 20:00 UTC

campaign`
	if !strings.HasPrefix(b.String(), want) {
		t.Errorf("first screen:\n%s", b.String())
	}
	for _, c := range []struct {
		slots []Slot
		want  string
	}{
		{nil, "hurt       nobody\n"},
		{p.Slots[2:3], "hurt       nobody is stopped; 1 tenant has instances live-migrated\n"},
	} {
		p.Slots, p.Blocked = c.slots, nil
		b.Reset()
		if err := Table(&b, p, TableOptions{}); err != nil || !strings.Contains(b.String(), c.want) || strings.Contains(b.String(), "blocked  ") {
			t.Errorf("want %q, %v:\n%s", c.want, err, b.String())
		}
	}
}

// TestFirstScreenLate: a plan of what fits before a limit is not told to be in time where hosts have no turn for it,
// also where none has one; and an instance that is brought home is interrupted twice.
func TestFirstScreenLate(t *testing.T) {
	start := time.Date(2026, 3, 10, 1, 0, 0, 0, time.UTC)
	p := Plan{Made: start.Add(-48 * time.Hour), Start: start, End: start.Add(time.Hour), Counts: Counts{Hosts: 1}, Policy: Policy{FinishBy: start.Add(2 * time.Hour)},
		Blocked: []Blocked{{Host: "x", Code: "after-finish-by"}, {Host: "y", Code: "after-finish-by"}},
		Slots:   []Slot{{Instance: "i", Tenant: "t", Class: ClassBlip}}, Moves: []Move{{Instance: "i"}, {Instance: "i", Home: true}}}
	none := p
	none.Counts, none.Blocked, none.Slots, none.Made = Counts{}, p.Blocked[:1], nil, start.Add(48*time.Hour)
	for _, c := range []struct {
		p    Plan
		want string
	}{
		{p, "in time    no: 2 hosts have no turn before finish by, Tue 2026-03-10 03:00 UTC\n"},
		{none, "in time    no: 1 host has no turn before finish by, Tue 2026-03-10 03:00 UTC\n"},
		{p, "           1 instance is interrupted more than once\n"},
	} {
		var b strings.Builder
		if err := Table(&b, c.p, TableOptions{}); err != nil || !strings.Contains(b.String(), c.want) || strings.Contains(b.String(), "yes:") {
			t.Errorf("want %q, %v:\n%s", c.want, err, b.String())
		}
	}
}
