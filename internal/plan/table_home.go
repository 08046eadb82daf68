package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// home says what becomes of those that move away: who comes home, what pools are worse off in by those that do not, and
// who cannot come home and why. Of a policy that says nothing of it, only what is worse is told.
func (t *table) home() {
	p := t.p
	if p.Profile == Bound || len(p.Moves) == 0 {
		return
	}
	moved, back := t.goings()
	var lines []string
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	rule := p.Policy.HomeRule()
	switch {
	case rule == HomeReturn && back == moved:
		return // as it should be
	case rule == HomeReturn:
		say("return: %d of the %s that move away come home", back, many(moved, "instance"))
	case rule == HomeSettle:
		say("settle: %d of the %s that move away go back after it, the others stay where they landed", t.backs(), many(moved, "instance"))
	case p.Policy.Home == HomeStay:
		say("stay: %s that move away stay where they landed", many(moved, "instance"))
	}
	t.worse(say)
	t.cannotReturn(say)
	for i, line := range lines {
		head := ""
		if i == 0 {
			head = "home"
		}
		t.line("%-10s %s", head, line)
	}
	if len(lines) > 0 {
		t.line("")
	}
}

// goings counts the instances that move, and those of them that end where they began.
func (t *table) goings() (moved, back int) {
	began, ends := map[string]string{}, map[string]string{}
	for i := range t.p.Moves { // in the order of their starts
		m := &t.p.Moves[i]
		if _, known := began[m.Instance]; !known {
			began[m.Instance] = m.From
		}
		ends[m.Instance] = m.To
	}
	for id, from := range began {
		if ends[id] == from {
			back++
		}
	}
	return len(began), back
}

// backs counts those with a way back to a host that a turn moved them off.
func (t *table) backs() int {
	who := map[string]bool{}
	for i := range t.p.Moves {
		if t.p.Moves[i].Home {
			who[t.p.Moves[i].Instance] = true
		}
	}
	return len(who)
}

// worse names the pools that are worse off when all is over.
func (t *table) worse(say func(string, ...any)) {
	n := 0
	for _, s := range t.p.Standings() {
		if len(s.Worse) == 0 {
			continue
		}
		if n++; t.o.Most == 0 || n <= t.o.Most {
			say("pool %s is left worse off than it was found: %s", s.Pool, s.Words())
		}
	}
	switch {
	case t.o.Most > 0 && n > t.o.Most:
		say("and %s", many(n-t.o.Most, "more pool"))
	case n == 0 && t.p.Policy.Home != "":
		say("no pool is left worse off than it was found")
	}
}

// cannotReturn groups those that should come home and cannot by the reason, the most frequent first.
func (t *table) cannotReturn(say func(string, ...any)) {
	who := map[Away][]string{}
	var whys []Away
	for i := range t.p.Slots {
		s := &t.p.Slots[i]
		if s.Away == nil {
			continue
		}
		why := Away{s.Away.Code, strings.TrimPrefix(s.Away.Why, s.Instance+" ")}
		if who[why] == nil {
			whys = append(whys, why)
		}
		who[why] = append(who[why], s.Instance)
	}
	slices.SortStableFunc(whys, func(a, b Away) int { return cmp.Compare(len(who[b]), len(who[a])) })
	for n, why := range whys {
		if t.o.Most > 0 && n == t.o.Most {
			say("and %s", many(len(whys)-n, "more reason"))
			return
		}
		names, more := who[why], ""
		if k := len(names); t.o.Most > 0 && k > t.o.Most {
			names, more = names[:t.o.Most], " and "+many(k-t.o.Most, "more instance")
		}
		say("cannot come home (%s): %s%s: %s", why.Code, strings.Join(names, ", "), more, why.Why)
	}
}
