package plan

import (
	"strings"
	"time"
)

// ahead says what happens before the waves of a refresh: new software on disks, which nobody feels.
func (t *table) ahead() {
	var canary, rest []Turn
	for _, u := range t.p.Turns {
		switch {
		case u.UpdateBy.IsZero():
		case u.Canary:
			canary = append(canary, u)
		default:
			rest = append(rest, u)
		}
	}
	for _, part := range []struct {
		turns []Turn
		mark  string
	}{{canary, "  canary"}, {rest, ""}} {
		if len(part.turns) == 0 {
			continue
		}
		from, by := part.turns[0].UpdateFrom, part.turns[0].UpdateBy
		var names []string
		for _, u := range part.turns {
			if u.UpdateBy.After(by) {
				by = u.UpdateBy
			}
			names = append(names, u.Host)
		}
		more := ""
		if n := len(names); t.o.Most > 0 && n > t.o.Most {
			names, more = names[:t.o.Most], " and "+many(n-t.o.Most, "more host")
		}
		t.line("ahead   %s to %s at worst", moment(from, nil), clockOf(from, by, time.UTC))
		t.line("  %s%s  new software on disk, which nobody feels; proven before anybody moves%s", strings.Join(names, ", "), more, part.mark)
	}
}
