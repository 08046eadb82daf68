package unblock

import (
	"fmt"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/plan"
)

const (
	// togetherEffort is how many hosts and instances may be planned anew to put the sets of all causes together.
	togetherEffort = 100_000
	// togetherAttempts in a small fleet, and rounds of looking at what shows up behind.
	togetherAttempts, rounds = 300, 4
	// leftMost that stay blocked are named.
	leftMost = 20
)

// solved is a cause with the set that was found for it.
type solved struct {
	*blockage
	set []pick // nil: none
}

// together makes the sets of all causes at once. Each was found by itself: with those of the others made it may
// not be needed, and what they free may meet something that nobody was blocked by before. So what shows up is
// looked at as behind a single cause, then what can be spared is, and each number is made as small as it may be.
// nil: there are not several sets, so what was found for the one says all.
func (b *study) together(all []solved) *plan.Together {
	var sets int
	for _, g := range all {
		if g.set != nil {
			sets++
		}
	}
	if sets < 2 {
		return nil
	}
	if len(b.in.Fleet.Hosts) > wholeMost || 2*costOf(b.in) > togetherEffort {
		return &plan.Together{Blocked: len(b.plan.Blocked), Why: "not checked together, for that takes plans of the whole fleet, which is large: plan again once some of the changes are made"}
	}
	b.share = togetherEffort
	j := b.newJoint(all)
	set, r := j.gathered(j.union(all))
	if !r.freed {
		return &plan.Together{Blocked: len(b.plan.Blocked), Why: "made at once, the changes of all causes cannot be planned with: make those of one cause, and plan again"}
	}
	if !r.wholly() {
		j.giveUpOn(r.hidden)
	}
	found := j.smaller(optionsOf(set), j.spared(set, ruling.wholly))
	found = j.sized(found, ruling.wholly)
	return j.report(found)
}

// joint is a search of all causes at once.
type joint struct {
	*search
	given blockers         // what no set was found for, or keeps somebody whatever is tried
	lost  map[subject]bool // for whom nothing at all was found
	own   int              // changes of the causes themselves
}

func (b *study) newJoint(all []solved) *joint {
	every := &blockage{}
	j := &joint{given: blockers{}, lost: map[subject]bool{}}
	for _, g := range all {
		if g.set != nil {
			every.own, every.waiting = append(every.own, g.blockage.own...), append(every.waiting, g.waiting...)
			continue
		}
		for _, o := range g.blockage.own {
			j.given.add(o)
		}
	}
	j.search = b.newSearch(b.in, b.plan.Blocked, every)
	j.search.left, j.aim = togetherAttempts, j.judgedAll
	for who := range j.given { // nothing is asked of those for whom nothing at all was found
		j.lost[who] = !j.search.own[who]
	}
	return j
}

// judgedAll: what is blocked still, of all that a set was found for and of all that were not blocked before.
func (j *joint) judgedAll(blocked []plan.Blocked) ruling {
	r := ruling{freed: true}
	for _, b := range blocked {
		who := subjectOf(b)
		if b.Code != codeOfInstance && !j.lost[who] && !j.given[who][b.Code] {
			r.hidden = append(r.hidden, b)
		}
	}
	return r
}

// union is the sets of all causes as one: of a change that several have, the most that one of them needs.
func (j *joint) union(all []solved) (set []pick) {
	for _, g := range all {
		for _, m := range g.set {
			i := slices.IndexFunc(set, func(o pick) bool { return o.key == m.key })
			switch {
			case i >= 0:
				set[i].n = max(set[i].n, m.n)
			case !moved(set, m.option):
				o := *m.option // what is behind one cause is none of the others' business
				o.behind = false
				set = append(set, pick{&o, m.n})
			}
		}
	}
	j.own = len(set)
	return ordered(set)
}

// gathered adds to a set what helps against what is blocked with it, and what shows up then.
func (j *joint) gathered(set []pick) ([]pick, ruling) {
	r := j.plan(set)
	for n := 0; n < rounds && len(r.hidden) > 0; n++ {
		next, tried := j.with(set, r.hidden, false)
		if !tried.freed { // there is no room for all who could be moved at once
			next, tried = j.with(set, r.hidden, true)
		}
		if !tried.freed || len(next) == len(set) && !tried.wholly() {
			break
		}
		set, r = next, tried
	}
	return set, r
}

// with adds all that could help against some that are blocked, as much of it as may be, and plans; still: nobody is
// moved for it.
func (j *joint) with(set []pick, hidden []plan.Blocked, still bool) ([]pick, ruling) {
	next := slices.Clone(set)
	for _, o := range j.options(hidden) {
		i := slices.IndexFunc(next, func(m pick) bool { return m.key == o.key })
		switch {
		case i >= 0:
			next[i].n = next[i].most
		case !moved(next, o) && !(still && o.moves != ""):
			o.behind = true
			next = append(next, pick{o, o.most})
		}
	}
	next = ordered(next)
	return next, j.plan(next)
}

// giveUpOn: what keeps those, whatever is tried, is asked for no more. What else kept them is still to go.
func (j *joint) giveUpOn(hidden []plan.Blocked) {
	for _, b := range hidden {
		j.given.add(b)
	}
}

// report plans once more, and says who stays blocked.
func (j *joint) report(r result) *plan.Together {
	out := &plan.Together{Changes: written(j.in, r.set), Proven: r.proven && !j.capped}
	j.aim = func(blocked []plan.Blocked) ruling {
		for _, b := range blocked {
			if b.Code == codeOfInstance {
				continue
			}
			if out.Blocked++; len(out.Left) < leftMost {
				out.Left = append(out.Left, b)
			}
		}
		return ruling{freed: true}
	}
	tried, capped := togetherAttempts-j.search.left, j.capped
	j.search.left, j.study.share = 1, costOf(j.in) // for this one plan
	j.plan(r.set)
	var parts []string
	behind := 0
	for _, m := range r.set {
		if m.behind {
			behind++
		}
	}
	if behind > 0 {
		parts = append(parts, fmt.Sprintf("%d of these are for what shows up only once the others are made", behind))
	}
	if spared := j.own - (len(r.set) - behind); spared > 0 {
		parts = append(parts, fmt.Sprintf("%d that causes name are not needed beside the others", spared))
	}
	if capped {
		parts = append(parts, fmt.Sprintf("the search ended after %d plans: fewer changes may do", tried))
	}
	out.Why = strings.Join(parts, "; ")
	return out
}

func optionsOf(set []pick) (list []*option) {
	for _, m := range set {
		list = append(list, m.option)
	}
	return list
}

func ordered(set []pick) []pick {
	slices.SortStableFunc(set, func(a, b pick) int { return int(a.rank - b.rank) })
	return set
}
