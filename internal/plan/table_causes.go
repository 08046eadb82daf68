package plan

import (
	"cmp"
	"fmt"
	"strings"
)

// causes tells for each cause of what is blocked whom it keeps, and what would free all of them.
func (t *table) causes() {
	if len(t.p.Causes) == 0 {
		return
	}
	t.line("")
	t.line("causes, and what would free what they block")
	for _, c := range t.p.Causes {
		where := ""
		if c.Pool != "" {
			where = " in pool " + c.Pool
		}
		t.line("  %s%s: %s", c.Code, where, t.whom(c))
		t.changes(c)
		t.remarks(c.Why)
	}
	t.together()
}

func (t *table) remarks(text string) {
	if text == "" {
		return
	}
	for _, why := range strings.Split(text, "; ") {
		t.line("    %s", why)
	}
}

// together tells what the changes of all causes come to when they are made at once.
func (t *table) together() {
	all := t.p.Together
	if all == nil {
		return
	}
	t.line("  all of it at once")
	if len(all.Changes) > 0 {
		checked := "checked"
		if all.Proven {
			checked += "; fewer changes do not do"
		}
		t.line("    %s, after which %s (%s):", many(len(all.Changes), "change"), orNobody(all.Blocked), checked)
		t.list(all.Changes)
	}
	for i, b := range all.Left {
		if t.o.Most > 0 && i == 4 {
			break
		}
		t.line("    still blocked: %s: %s (%s)", cmp.Or(b.Instance, b.Host), b.Why, b.Code)
	}
	t.remarks(all.Why)
}

func orNobody(n int) string {
	if n == 0 {
		return "nobody is blocked"
	}
	return fmt.Sprintf("%d stay blocked", n)
}

// whom counts the hosts and instances of a cause and names the first few.
func (t *table) whom(c Cause) string {
	var parts []string
	for _, kept := range []struct {
		what string
		ids  []string
	}{{"host", c.Hosts}, {"instance", c.Instances}} {
		if len(kept.ids) == 0 {
			continue
		}
		names, few := kept.ids, 4
		if t.o.Most > 0 && len(names) > few {
			names = append(names[:few:few], fmt.Sprintf("and %d more", len(kept.ids)-few))
		}
		parts = append(parts, fmt.Sprintf("%s (%s)", many(len(kept.ids), kept.what), strings.Join(names, ", ")))
	}
	return strings.Join(parts, ", ")
}

func (t *table) changes(c Cause) {
	switch {
	case len(c.Changes) == 0:
		return
	case c.Proven:
		t.line("    would be freed by (checked; fewer changes do not do):")
	default:
		t.line("    would be freed by (checked):")
	}
	t.list(c.Changes)
}

func (t *table) list(changes []Change) {
	for i, change := range changes {
		if t.o.Most > 0 && i == t.o.Most {
			t.line("      and %s", many(len(changes)-i, "more change"))
			return
		}
		t.line("      %s", change)
	}
}

// String is a change for people: in words, and as an edit of a file.
func (c Change) String() string {
	if c.Field == "" {
		return c.Words
	}
	what := c.Of
	if c.ID != "" {
		what += " " + c.ID
	}
	switch {
	case c.Field == "add":
		return fmt.Sprintf("%s [%s: added with %s]", c.Words, what, c.To)
	case c.From == "" && c.Field == "windows":
		return fmt.Sprintf("%s [%s: windows has one more: %s]", c.Words, what, c.To)
	}
	return fmt.Sprintf("%s [%s: %s from %s to %s]", c.Words, what, c.Field, cmp.Or(c.From, "none"), cmp.Or(c.To, "none"))
}
