package notice

import (
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
	"pgregory.net/rapid"
)

// plain is what a reader sees of an HTML page: tags gone, entities read, white space squeezed.
func plain(page string) string {
	body := page[strings.Index(page, "<body>"):]
	return strings.Join(strings.Fields(html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(body, " "))), " ")
}

func TestRenderSaysAll(t *testing.T) {
	common := []string{"Acme GmbH", "Maintenance of hosts", "maintenance@operator.example", "Europe/Berlin",
		"Sun 25 Oct 2026 00:00 UTC", "Sun 25 Oct 2026 02:00 UTC", "Sun 25 Oct 2026 02:00 UTC+02:00", "Sun 25 Oct 2026 03:00 UTC+01:00",
		"Mon 26 Oct 2026 01:00 UTC", "Mon 26 Oct 2026 03:00 UTC", "Mon 26 Oct 2026 02:00 UTC+01:00", "Mon 26 Oct 2026 04:00 UTC+01:00",
		"web-1", "web-2", "db-1", "1.5 s", "900 ms", "5 s", "5 min", "20 min", "In 95 of 100 cases 3.25 s at most", "In 95 of 100 cases 12 min 30 s at most", "Clocks in Europe/Berlin go back by 1 h",
		"blip (a short pause), moved while it runs", "outage, stopped and started again", "What does not count", "reference"}
	ahead := []string{"Nothing that interrupts these instances is done outside their slot", "within five minutes", "What to do", "If a time does not suit you"}
	for kind, more := range map[Kind][]string{
		Planned: {"not promised yet", "What to do"}, Scheduled: append(ahead, "No other instance of yours"), Reminded: ahead, Starting: ahead,
		Finished:    {"interrupted for 2 s", "Sun 25 Oct 2026 00:01 UTC", "Sun 25 Oct 2026 02:01 UTC+02:00", "inside the slot", "The promise was kept."},
		Overrun:     {"is past, and the maintenance is not finished", "A host was slow."},
		Rescheduled: append(ahead, "Was", "Now", "Fri 23 Oct 2026 00:00 UTC", "Fri 23 Oct 2026 02:00 UTC+02:00", "Only the new times count"),
		Cancelled:   {"is cancelled", "A host was slow."},
	} {
		m := render(t, ofKind(t, kind), now)
		for part, text := range map[string]string{"text": strings.Join(strings.Fields(m.Text), " "), "html": plain(m.HTML)} {
			text = strings.ToLower(text)
			for _, want := range append(append([]string{}, common...), more...) {
				if !strings.Contains(text, strings.ToLower(want)) {
					t.Errorf("%s: %s lacks %q:\n%s", kind, part, want, text)
				}
			}
		}
		if !strings.HasPrefix(m.Subject, kinds[kind].badge+": Maintenance of hosts, web-1 and 2 more, from Sun 25 Oct 2026 00:00 UTC") {
			t.Errorf("%s: subject %q", kind, m.Subject)
		}
	}
}

func TestActual(t *testing.T) {
	s := slot("kvm-1/web-1", "acme", plan.DispLiveMigrate, "2026-10-25T00:00:00Z", 1500, 5000)
	for _, c := range []struct {
		name, from, to string
		ms             int64
		what, inSlot   string
		kept           string
	}{
		{"kept", "2026-10-25T00:10:00Z", "2026-10-25T00:10:30Z", 1200, "interrupted for 1.2 s", "inside the slot", "kept"},
		{"at the edges", "2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z", 5000, "interrupted for 5 s", "inside the slot", "kept"},
		{"too long", "2026-10-25T00:10:00Z", "2026-10-25T00:10:30Z", 5001, "interrupted for 5.001 s", "inside the slot", "broken"},
		{"too early", "2026-10-24T23:59:59Z", "2026-10-25T00:10:30Z", 1, "interrupted for 1 ms", "it began 1 s before the slot", "broken"},
		{"too late", "2026-10-25T01:59:59Z", "2026-10-25T02:03:00Z", 1, "interrupted for 1 ms", "it ended 3 min after the slot", "broken"},
		{"not measured, but short", "2026-10-25T00:10:00Z", "2026-10-25T00:10:04Z", -1, "interrupted for at most 4 s (not measured more closely)", "inside the slot", "kept"},
		{"not measured, maybe long", "2026-10-25T00:10:00Z", "2026-10-25T00:10:06Z", -1, "interrupted for at most 6 s (not measured more closely)", "inside the slot", ""},
		{"not measured and late", "2026-10-25T00:10:00Z", "2026-10-25T02:10:00Z", -1, "interrupted for at most 2 h (not measured more closely)", "it ended 10 min after the slot", "broken"},
	} {
		a := newActual(Item{Slot: s, ActualFrom: at(c.from), ActualTo: at(c.to), ActualMs: c.ms}, time.UTC)
		if a.What != c.what || a.InSlot != c.inSlot || a.Kept != c.kept {
			t.Errorf("%s: %q, %q, %q", c.name, a.What, a.InSlot, a.Kept)
		}
	}
	if a := newActual(Item{Slot: s}, time.UTC); a.Kept != "kept" || a.What != "it was not interrupted" {
		t.Errorf("no interruption: %+v", a)
	}
	if a := newActual(Item{Slot: s, ActualMs: -1}, time.UTC); a.Kept != "" || a.What != "not known" {
		t.Errorf("not known: %+v", a)
	}
}

// The first paragraph says how many instances are interrupted, how badly, and what a slot is; an
// instance with several slots counts once, by its worst.
func TestLead(t *testing.T) {
	const stop, move, still = plan.DispStop, plan.DispLiveMigrate, plan.DispNone
	for _, c := range []struct {
		slots map[string]plan.Disposition
		want  string
	}{
		{map[string]plan.Disposition{"kvm-1/a": stop}, "interrupts 1 of your instances: 1 by an outage."},
		{map[string]plan.Disposition{"kvm-1/a": move, "kvm-1/b": move}, "interrupts 2 of your instances: 2 by a short pause."},
		{map[string]plan.Disposition{"kvm-1/a": plan.DispStatefulStop, "kvm-1/b": move}, "interrupts 2 of your instances: 1 by an outage, 1 by a short pause."},
		{map[string]plan.Disposition{"kvm-1/a": move, "kvm-2/a": stop, "kvm-3/a": still}, "interrupts 1 of your instances: 1 by an outage."},
		{map[string]plan.Disposition{"kvm-1/a": still}, "touches 1 of your instances without interrupting them."},
		{map[string]plan.Disposition{"kvm-1/a": still, "kvm-1/b": stop, "kvm-1/c": move}, "touches 3 of your instances and interrupts 2 of them: 1 by an outage, 1 by a short pause."},
	} {
		n := Notice{Kind: Scheduled}
		for id, d := range c.slots {
			s := slot(id, "acme", d, "2026-10-25T00:00:00Z", 1, 2)
			n.Items = append(n.Items, Item{Slot: s, Instance: s.Instance})
		}
		if got := lead(n); !strings.Contains(got, c.want) || !strings.Contains(got, "A slot is the time inside which") {
			t.Errorf("%v: %q lacks %q, or what a slot is", c.slots, got, c.want)
		}
	}
}

// The same notice is the same mail, whenever it is rendered.
func TestRenderIsStable(t *testing.T) {
	for _, kind := range everyKind {
		n := ofKind(t, kind)
		one := visible(t, render(t, n, now))
		for _, later := range []string{"2026-10-01T09:00:01Z", "2026-10-25T00:00:00Z", "2031-01-01T00:00:00Z"} {
			if visible(t, render(t, n, at(later))) != one {
				t.Errorf("%s: another mail at %s", kind, later)
			}
		}
	}
}

func TestMessageID(t *testing.T) {
	safe := regexp.MustCompile(`^[0-9a-f]{32}@[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`)
	seen := map[string]string{}
	for _, kind := range everyKind {
		for _, contact := range []string{"maintenance@operator.example", "Ops <Ops@Operator.EXAMPLE>", "+49 30 1234", "a@ümlaut.example", "a@[192.0.2.1]", "https://operator.example/help"} {
			n := ofKind(t, kind)
			n.OperatorContact = contact
			m := render(t, n, now)
			if !safe.MatchString(m.MessageID) {
				t.Errorf("message id %q with contact %q", m.MessageID, contact)
			}
			if other, taken := seen[m.MessageID]; taken && other != n.ID {
				t.Errorf("%s and %s share the message id %s", n.ID, other, m.MessageID)
			}
			seen[m.MessageID] = n.ID
		}
	}
}

// Odd names can neither forge lines, headers and tags nor break the page.
func TestOddNames(t *testing.T) {
	for _, odd := range []string{
		"web\r\nBcc: evil@evil.example", "web\n\nSLOT 9 OF 9", "<script>alert(1)</script>", `"><img src=x onerror=1>`, "a\u202egnp.exe",
		"\x00\x1b[31m", "bad\xffutf8", "=?utf-8?q?Cancelled?=", "{{.Key}}", "größe-数据-🚢", strings.Repeat("long-", 400), "ne\u0085l\u2028x", " ",
	} {
		n := ofKind(t, Rescheduled)
		n.Tenant.Name, n.Public, n.Reason = odd, odd, odd
		n.OperatorContact = "help " + odd
		n.Items[0].Instance, n.Items[0].Slot.Instance, n.Items[0].Was.Instance = odd, odd, odd
		m := render(t, n, now)
		if strings.ContainsFunc(m.Subject, hidden) || strings.Contains(m.Subject, "=?") || len([]rune(m.Subject)) > 200 {
			t.Errorf("%q: subject %q", odd, m.Subject)
		}
		for _, line := range strings.Split(m.Text, "\n") {
			if strings.ContainsFunc(line, hidden) || strings.HasPrefix(line, "Bcc:") || strings.HasPrefix(line, "SLOT 9") {
				t.Errorf("%q: line %q", odd, line)
			}
		}
		if strings.Contains(m.HTML, "<script") || strings.Contains(m.HTML, "<img") || strings.ContainsFunc(strings.ReplaceAll(m.HTML, "\n", ""), hidden) {
			t.Errorf("%q got through into the page", odd)
		}
		if !strings.Contains(m.Text, "Instance "+clean(odd)) {
			t.Errorf("%q: the instance is not named", odd)
		}
	}
}

// The page needs nothing from elsewhere and adapts to small and dark screens.
func TestPageStandsAlone(t *testing.T) {
	for _, kind := range everyKind {
		n := ofKind(t, kind)
		page := render(t, n, now).HTML
		for _, outside := range []string{"src=", "url(", "@import", "http:", "https:", "<link", "<script", "<form"} {
			if strings.Contains(page, outside) {
				t.Errorf("%s: the page holds %s", kind, outside)
			}
		}
		for _, want := range []string{"prefers-color-scheme: dark", `name="viewport"`, `class="badge ` + string(kind) + `"`, `href="mailto:maintenance@operator.example"`} {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the page lacks %s", kind, want)
			}
		}
	}
	n := ofKind(t, Scheduled)
	n.OperatorContact = "javascript:alert(1)"
	if strings.Contains(render(t, n, now).HTML, "href=\"javascript") {
		t.Error("a contact became a script")
	}
}

func TestWords(t *testing.T) {
	quiet := slot("kvm-1/web-1", "acme", plan.DispNone, "2026-10-25T00:00:00Z", 0, 0)
	for _, c := range []struct {
		slots []plan.Slot
		want  string
	}{
		{[]plan.Slot{quiet}, "touches 1 of your instances without interrupting them"},
		{[]plan.Slot{quiet, slot("kvm-1/web-2", "acme", plan.DispStatefulStop, "2026-10-25T00:00:00Z", 1000, 2000)}, "touches 2 of your instances and interrupts 1 of them"},
		{[]plan.Slot{slot("kvm-1/web-2", "acme", plan.DispStatefulStop, "2026-10-25T00:00:00Z", 1000, 2000)}, "interrupts 1 of your instances"},
	} {
		n := build(t, Scheduled, nil, Extra{})
		for _, s := range c.slots {
			n.Items = append(n.Items, Item{Slot: s, Instance: s.Instance})
		}
		if m := render(t, n, now); !strings.Contains(strings.Join(strings.Fields(m.Text), " "), c.want) {
			t.Errorf("%q is missing in:\n%s", c.want, m.Text)
		}
	}
}

// Any plan, any zone: each instance stands under its own exact times, in UTC and in its zone.
func TestTimesOfAnyPlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, f := sample()
		name := rapid.SampledFrom(zones).Draw(t, "zone")
		f.Tenants[0].Timezone = name
		loc, _ := time.LoadLocation(name)
		p.Slots = nil
		for i := range rapid.IntRange(1, 6).Draw(t, "slots") {
			id := fmt.Sprintf("kvm-%d/vm-%d", rapid.IntRange(1, 3).Draw(t, "host"), i)
			d := rapid.SampledFrom([]plan.Disposition{plan.DispNone, plan.DispLiveMigrate, plan.DispStatefulStop, plan.DispStop}).Draw(t, "disposition")
			s := slot(id, "acme", d, "2026-01-01T00:00:00Z", int64(rapid.IntRange(1, 1000).Draw(t, "expected")), int64(rapid.IntRange(1000, 600_000).Draw(t, "worst")))
			s.Start = drawMoment(t)
			s.End = s.Start.Add(time.Duration(rapid.IntRange(1, 8).Draw(t, "quarters")) * 15 * time.Minute)
			p.Slots = append(p.Slots, s)
		}
		m, err := Render(ForPlan(p, f, now)[0], now)
		if err != nil {
			t.Fatal(err)
		}
		for part, text := range map[string]string{"text": m.Text, "html": plain(m.HTML)} {
			parts := regexp.MustCompile(`(?i)\bslot( \d+ of \d+)?\s+UTC\s`).Split(text, -1)[1:]
			for _, s := range p.Slots {
				found := false
				for _, section := range parts {
					if regexp.MustCompile(`\b` + s.Instance + `\b`).MatchString(section) {
						found = true
						for _, want := range []string{stamp(s.Start, time.UTC), stamp(s.End, time.UTC), stamp(s.Start, loc), stamp(s.End, loc)} {
							if !strings.Contains(section, want) {
								t.Fatalf("%s: %s stands in a section without %q:\n%s", part, s.Instance, want, section)
							}
						}
					}
				}
				if !found {
					t.Fatalf("%s does not name %s:\n%s", part, s.Instance, text)
				}
			}
		}
	})
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"web-1", "a\r\nb", "\xff\u202e\U000e0001", "=?utf-8?q?x?=", `\u000a`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, out := range []string{clean(s), prose(s), heading(s, 40)} {
			if strings.ContainsFunc(out, hidden) || strings.ContainsAny(out, "\r\n") {
				t.Fatalf("%q becomes %q", s, out)
			}
		}
		if clean(clean(s)) != clean(s) {
			t.Fatalf("%q is cleaned twice", s)
		}
		if got := wrap(72, "  ", prose(s)); strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(prose(s)), " ") {
			t.Fatalf("wrapping %q gives %q", s, got)
		}
	})
}
