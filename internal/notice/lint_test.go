package notice

import (
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

func TestLint(t *testing.T) {
	first := func(f func(*plan.Slot)) func(*Notice) { return func(n *Notice) { f(&n.Items[0].Slot) } }
	for _, c := range []struct {
		name  string
		spoil func(*Notice)
		want  string // empty: may be sent
	}{
		{"as built", func(n *Notice) {}, ""},
		{"no zone", func(n *Notice) { n.Tenant.Timezone = "" }, "time zone"},
		{"a zone that is not", func(n *Notice) { n.Tenant.Timezone = "Europe/Atlantis" }, "Europe/Atlantis"},
		{"the machine's zone", func(n *Notice) { n.Tenant.Timezone = "Local" }, "IANA"},
		{"no contact of the operator", func(n *Notice) { n.OperatorContact = " \n" }, "set contact in the policy"},
		{"no contact of the tenant", func(n *Notice) { n.Tenant.Contacts = nil }, "give it one in the fleet"},
		{"no items", func(n *Notice) { n.Items = nil }, "names no slot"},
		{"no id", func(n *Notice) { n.ID = "" }, "no id"},
		{"no kind", func(n *Notice) { n.Kind = "" }, "kind"},
		{"no class", first(func(s *plan.Slot) { s.Class = "" }), "class \"\""},
		{"an unknown class", first(func(s *plan.Slot) { s.Class = "hiccup" }), "hiccup"},
		{"no disposition", first(func(s *plan.Slot) { s.Disposition = "" }), "disposition"},
		{"a blocked instance", first(func(s *plan.Slot) { s.Disposition = plan.DispBlocked }), "blocked"},
		{"a stop called a blip", first(func(s *plan.Slot) { s.Disposition = plan.DispStop }), "plays disposition stop down"},
		{"a move called none", first(func(s *plan.Slot) { s.Class = plan.ClassNone }), "plays disposition live-migrate down"},
		{"a long move called an outage", first(func(s *plan.Slot) { s.Class = plan.ClassOutage }), ""},
		{"no expected duration", first(func(s *plan.Slot) { s.ExpectedMs = 0 }), "expected interruption"},
		{"no worst duration", first(func(s *plan.Slot) { s.WorstMs = 0 }), "worst-case"},
		{"95 of 100 beyond worst", first(func(s *plan.Slot) { s.P95Ms = s.WorstMs + 1 }), "95 of 100"},
		{"95 of 100 below expected", first(func(s *plan.Slot) { s.P95Ms = s.ExpectedMs - 1 }), "95 of 100"},
		{"expected beyond worst", first(func(s *plan.Slot) { s.ExpectedMs = s.WorstMs + 1 }), "longer than the worst case"},
		{"worst beyond the slot", first(func(s *plan.Slot) { s.WorstMs = 7_200_001 }), "does not fit"},
		{"no durations where nothing is felt", first(func(s *plan.Slot) {
			s.Class, s.Disposition, s.ExpectedMs, s.WorstMs = plan.ClassNone, plan.DispNone, 0, 0
		}), ""},
		{"no start", first(func(s *plan.Slot) { s.Start = time.Time{} }), "exact start or end"},
		{"no end", first(func(s *plan.Slot) { s.End = time.Time{} }), "exact start or end"},
		{"end at start", first(func(s *plan.Slot) { s.End = s.Start }), "not after its start"},
		{"no instance", first(func(s *plan.Slot) { s.Instance = "" }), "no instance"},
		{"another instance", func(n *Notice) { n.Items[0].Instance = "web-9" }, "promised for \"web-1\""},
		{"rescheduled without was", func(n *Notice) { n.Kind = Rescheduled }, "what the promise was"},
		{"was of another instance", func(n *Notice) { was := n.Items[1].Slot; n.Items[0].Was = &was }, "another instance"},
		{"an actual end before its start", func(n *Notice) {
			n.Items[0].ActualFrom, n.Items[0].ActualTo = at("2026-10-25T00:10:00Z"), at("2026-10-25T00:09:00Z")
		}, "proper start and end"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := build(t, Scheduled, allOfAcme, Extra{})
			c.spoil(&n)
			bad := strings.Join(Lint(n), "\n")
			if c.want == "" && bad != "" || !strings.Contains(bad, c.want) {
				t.Errorf("lint says %q, want %q", bad, c.want)
			}
			if _, err := Render(n, now); (err == nil) != (c.want == "") {
				t.Errorf("render says %v", err)
			}
		})
	}
}
