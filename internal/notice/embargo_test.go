package notice

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// secrets must not be readable anywhere in a mail before disclosure, nor may the target's name or
// the hosts': sample names them so that each is easily found.
var secrets = []string{"cve", "4242", "xsa", "999", "emergency", "target", "kvm-"}

var everyKind = []Kind{Planned, Scheduled, Reminded, Starting, Finished, Overrun, Rescheduled, Cancelled}

// ofKind is a notice of any kind with all that the kind can carry.
func ofKind(t testing.TB, kind Kind) Notice {
	p, _ := sample()
	extra := Extra{Was: map[string]plan.Slot{}, Actual: map[string]Actual{}, Reason: "A host was slow."}
	for _, s := range p.Slots {
		extra.Actual[s.ID] = Actual{From: s.Start.Add(time.Minute), To: s.Start.Add(2 * time.Minute), Ms: 2000}
		s.Start, s.End = s.Start.AddDate(0, 0, -2), s.End.AddDate(0, 0, -2)
		extra.Was[s.ID] = s
	}
	return build(t, kind, allOfAcme, extra)
}

// visible is every byte of a message that a tenant can see.
func visible(t testing.TB, m Message) string {
	all, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(all) + m.Subject + m.Text + m.HTML
}

func TestEmbargo(t *testing.T) {
	for _, kind := range everyKind {
		seen := strings.ToLower(visible(t, render(t, ofKind(t, kind), now)))
		for _, s := range secrets {
			if at := strings.Index(seen, s); at >= 0 {
				t.Errorf("%s: %q is readable before disclosure: ...%s...", kind, s, seen[max(0, at-40):min(len(seen), at+40)])
			}
		}
		if !strings.Contains(seen, "maintenance of hosts") {
			t.Errorf("%s: the public words are missing", kind)
		}
	}
}

func TestAfterDisclosure(t *testing.T) {
	p, f := sample()
	for _, c := range []struct {
		built, rendered string
		named           bool
	}{
		{"2026-10-20T11:59:59Z", "2026-10-20T11:59:59Z", false},
		{"2026-10-20T12:00:00Z", "2026-10-20T12:00:00Z", true},
		{"2026-10-20T12:00:00Z", "2026-10-20T11:59:59Z", false}, // a notice prepared too early
		{"2026-10-20T11:59:59Z", "2026-10-20T12:00:00Z", false}, // asked for under embargo: the same mail again
	} {
		n, err := Build(p, f, Scheduled, "acme", allOfAcme, at(c.built), Extra{})
		if err != nil {
			t.Fatal(err)
		}
		m := render(t, n, at(c.rendered))
		for part, text := range map[string]string{"text": m.Text, "html": m.HTML} {
			if got := strings.Contains(text, "CVE-2026-4242") && strings.Contains(text, "XSA-999"); got != c.named {
				t.Errorf("built %s, rendered %s: %s names the advisories: %v", c.built, c.rendered, part, got)
			}
		}
	}
}

// Words that an operator wrote carelessly are found before they are sent.
func TestEmbargoedWordsAreRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(*Notice, string)
		text string
		bad  bool
	}{
		{"public", func(n *Notice, s string) { n.Public = s }, "Fix for XSA-999", true},
		{"public, other case and dashes", func(n *Notice, s string) { n.Public = s }, "fix for xsa_999", true},
		{"public, another advisory", func(n *Notice, s string) { n.Public = s }, "see CVE-2031-12345", true},
		{"public, the campaign", func(n *Notice, s string) { n.Public = s }, "xsa-999-emergency", true},
		{"public, the target", func(n *Notice, s string) { n.Public = s }, "Target CVE 2026 4242", true},
		{"reason", func(n *Notice, s string) { n.Reason = s }, "the patch of DSA-5999-1 failed", true},
		{"contact", func(n *Notice, s string) { n.OperatorContact = s }, "cve-2026-4242@operator.example", true},
		{"harmless reason", func(n *Notice, s string) { n.Reason = s }, "A host did not start.", false},
		{"a tenant's own instance", func(n *Notice, s string) { n.Items[0].Instance, n.Items[0].Slot.Instance = s, s }, "xsa-scanner", false},
	} {
		n := ofKind(t, Overrun)
		for i := range n.Items {
			n.Items[i].Was = nil
		}
		c.set(&n, c.text)
		if bad := Lint(n); (bad != nil) != c.bad {
			t.Errorf("%s %q: lint says %q", c.name, c.text, bad)
		}
		if _, err := Render(n, now); (err != nil) != c.bad {
			t.Errorf("%s %q: render says %v", c.name, c.text, err)
		}
		n.Disclosed = true // built after disclosure, but rendered before it
		if _, err := Render(n, now); (err != nil) != c.bad {
			t.Errorf("%s %q, disclosed too early: render says %v", c.name, c.text, err)
		}
		if bad := Lint(n); bad != nil {
			t.Errorf("%s %q, after disclosure: lint says %q", c.name, c.text, bad)
		}
	}
}

// A message id is no hash that a tenant could check a guess of the campaign's name against.
func TestMessageIDNeedsTheKey(t *testing.T) {
	n := ofKind(t, Scheduled)
	one := render(t, n, now)
	n.Key = "another plan"
	two := render(t, n, now)
	if one.MessageID == two.MessageID || one.Headers["References"] == two.Headers["References"] {
		t.Error("message id and thread can be computed from what a tenant may guess")
	}
}
