package plan

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// tactics says, where hosts are live-patched, how many are and until when, whose reboot follows later, and
// which hosts get another tactic instead, and why.
func (t *table) tactics() {
	var now, later, other []Turn
	for _, u := range t.p.Turns {
		switch {
		case u.Deferred:
			later = append(later, u)
		case u.Tactic == LivePatch:
			now = append(now, u)
		case strings.Contains(u.Why, NoLivePatch):
			other = append(other, u)
		}
	}
	if len(now)+len(later)+len(other) == 0 {
		return
	}
	if len(now) > 0 {
		from, by := stretch(now)
		t.line("now        live patch on %s, %s to %s at worst: nobody feels it", many(len(now), "host"), moment(from, nil), clockOf(from, by, time.UTC))
	}
	if len(later) > 0 {
		from, by := stretch(later)
		t.line("later      reboot of %s, %s to %s at worst: deferred, each told from the start%s", many(len(later), "host"), moment(from, nil), clockOf(from, by, time.UTC), byTactic(later))
	}
	if len(other) > 0 {
		t.line("instead    another tactic on %s%s", many(len(other), "host"), byTactic(other))
		for _, why := range t.whys(other) {
			t.line("  %s", why)
		}
	}
	t.line("")
}

// stretch is from the first start of turns to their last end at worst.
func stretch(turns []Turn) (from, by time.Time) {
	from, by = turns[0].Start, turns[0].WorstEnd()
	for _, u := range turns {
		if u.Start.Before(from) {
			from = u.Start
		}
		if u.WorstEnd().After(by) {
			by = u.WorstEnd()
		}
	}
	return from, by
}

// byTactic counts turns by their tactic.
func byTactic(turns []Turn) string {
	n, parts := map[Tactic]int{}, []string{}
	for _, u := range turns {
		n[u.Tactic]++
	}
	for _, tactic := range []Tactic{Refresh, Evacuate, Suspend, Reboot} {
		if n[tactic] > 0 {
			parts = append(parts, string(tactic)+" "+strconv.Itoa(n[tactic]))
		}
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// whys groups hosts that are not live-patched by the reason, the most frequent first.
func (t *table) whys(turns []Turn) (out []string) {
	hosts := map[string][]string{}
	var whys []string
	for _, u := range turns {
		why, _, _ := strings.Cut(u.Why[strings.Index(u.Why, NoLivePatch):], "; ")
		if hosts[why] == nil {
			whys = append(whys, why)
		}
		hosts[why] = append(hosts[why], u.Host)
	}
	slices.SortStableFunc(whys, func(a, b string) int { return len(hosts[b]) - len(hosts[a]) })
	for _, why := range whys {
		names, more := hosts[why], ""
		if n := len(names); t.o.Most > 0 && n > t.o.Most {
			names, more = names[:t.o.Most], " and "+many(n-t.o.Most, "more host")
		}
		out = append(out, why+": "+strings.Join(names, ", ")+more)
	}
	return out
}
