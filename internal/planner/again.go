package planner

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// A fleet changes under its plan. Made anew, the plan would give a thousand people another slot for one host's
// sake. So a plan is made again from the one before: pools in which nothing happened keep their turns, moves and
// slots to the byte, and in the others a turn keeps wave, start and slot wherever every rule still holds there.
//
// It goes in four steps. What happened is told by comparing the fleet with what the plan foresaw for this moment
// (foreseen.go). The pools where something happened, and those that share hosts with them, are a fleet of their own,
// and what groups, host groups, sites and waves have to do with other pools is noted (again_part.go). In that fleet the
// waves of the plan are gone through once more, each at its start, the hosts that had a turn in it first
// (again_sweep.go); whose turn finds no place there waits for a wave after the last. At the end both plans' promises
// are held side by side (again_told.go).

// Changes are what has become of a plan's promises in the next revision.
type Changes struct {
	// Pools that were planned again, by id, and what happened in each; others are as they were.
	Pools []Touched `json:"pools"`
	// Whole: why the whole plan had to be made anew; empty: it was not.
	Whole string `json:"whole,omitempty"`
	// Kept promises stand as they were told; those that are Done were kept before the moment of planning.
	Kept  int     `json:"kept"`
	Done  int     `json:"done"`
	Moved []Moved `json:"moved"` // by start of what was promised, then by id
}

// None: no promise, turn or wave has become another; the plan stands as it is.
func (c *Changes) None() bool { return len(c.Pools) == 0 && c.Whole == "" && len(c.Moved) == 0 }

// Touched is a pool in which something happened.
type Touched struct {
	Pool string   `json:"pool"`
	Why  []string `json:"why"`
}

// Moved is one promise that is not as it was told.
type Moved struct {
	Was   *plan.Slot `json:"was,omitempty"` // nil: there was none
	Now   *plan.Slot `json:"now,omitempty"` // nil: there is none any more
	Cause string     `json:"cause"`
}

// errWhole: what is left of a plan cannot be kept beside the rest; the whole plan has to be made anew.
type errWhole struct{ why string }

func (e errWhole) Error() string { return e.why }

// Again makes the next revision of a plan, from the fleet as it is now: in.Fleet, judged by in.Assessment at in.Now.
// was carries the fleet that it was made from. in.Revision and in.Parent are set here where they are 0. Where no
// promise, turn or wave would become another, was itself comes back, and Changes.None says so.
//
// What cannot be made again in part (another policy or target, refreshes and deferred reboots, a canary that no host of
// the touched pools can be) is proposed anew as a whole; Changes.Whole says why.
func Again(in Input, was *plan.Plan) (plan.Plan, Changes, error) {
	if was == nil || was.Fleet == nil {
		return plan.Plan{}, Changes{}, errors.New("no plan to make again, or one without the fleet that it was made from: give the saved plan as it is")
	}
	if err := whole(in); err != nil {
		return plan.Plan{}, Changes{}, err
	}
	in.Parent = cmp.Or(in.Parent, was.Revision)
	in.Revision = cmp.Or(in.Revision, in.Parent+1)
	a := foresee(in, was)
	if why := a.unfit(); why != "" {
		return a.anew(why)
	}
	links := a.otherLink()
	if a.touchNear(); len(a.why) == 0 && links == "" {
		return *was, a.unchanged(), nil
	}
	if why := cmp.Or(links, a.joint()); why != "" {
		return a.anew(why)
	}
	p, err := a.redrafted()
	var all errWhole
	switch {
	case errors.As(err, &all):
		return a.anew(all.why)
	case err != nil:
		return plan.Plan{}, Changes{}, err
	}
	if why := a.outgrown(&p); why != "" {
		return a.anew(why)
	}
	c := a.told(&p)
	if len(c.Moved) == 0 && a.sameTurns(&p) {
		return *was, a.unchanged(), nil
	}
	p.Verdict = verdict(&p)
	p.Digest = plan.Digest(p)
	return p, c, nil
}

// redrafted is the plan with the touched pools drafted again. A promise that stands but for how long its interruption
// takes would have to be told again, and where there is no time left for that its turn is drafted once more, elsewhere.
func (a *again) redrafted() (plan.Plan, error) {
	for {
		w, err := a.redraft()
		if err != nil {
			return plan.Plan{}, err
		}
		p, late := a.joined(w), false
		for i := range p.Slots {
			s := &p.Slots[i]
			if s.Tenant == "" || !s.Told.IsZero() || a.lost[s.Turn] != "" || a.turnAhead[s.Turn] == nil || !s.Start.Add(-a.in.Policy.Lead.Of(s.Class)).Before(a.now) {
				continue
			}
			a.lost[s.Turn], late = "what it does to "+s.Instance+" takes longer than was told, and it is too late to tell so", true
		}
		if !late {
			return p, nil
		}
	}
}

// anew proposes the whole plan.
func (a *again) anew(why string) (plan.Plan, Changes, error) {
	p, err := Propose(a.in)
	if err != nil {
		return p, Changes{}, err
	}
	a.whole = why
	return p, a.told(&p), nil
}

// joint says what binds all pools together, so that a change in one is a change in all; empty: nothing.
func (a *again) joint() string {
	switch {
	case a.in.Policy.HomeRule() == plan.HomeSettle:
		return "its instances settle, and who goes home is chosen for all turns together"
	case a.in.Policy.RulesPlaces():
		return "policy has rules of racks, of regions or of the time between places, which bind all pools together"
	case len(a.in.Fleet.Links) > 0:
		return "the fleet has links, which its pools share"
	case slices.ContainsFunc(a.ahead, func(t *plan.Turn) bool { return t.ForDeadline }):
		return "some hosts are served in place for a deadline, and who those are is weighed over all"
	}
	return ""
}

// otherLink names a link that is not as it was; empty: all are.
func (a *again) otherLink() (what string) {
	pairs(a.was.Fleet.Links, a.in.Fleet.Links, func(l *fleet.Link) string { return l.ID }, func(old, now *fleet.Link) {
		switch {
		case what != "" || old != nil && now != nil && alikeJSON(old, now):
		case now == nil:
			what = "link " + old.ID + " is gone"
		case old == nil:
			what = "link " + now.ID + " was added"
		case old.Mbps != now.Mbps:
			what = fmt.Sprintf("link %s carried %d Mbit/s and carries %d", now.ID, old.Mbps, now.Mbps)
		default:
			what = "link " + now.ID + " leads elsewhere"
		}
	})
	return what
}

// unfit says why no part of the plan can stand, whatever happened; empty: some may.
func (a *again) unfit() string {
	switch {
	case !alikeJSON(a.in.Policy, a.was.Policy):
		return "the policy is another one"
	case a.in.Profile != a.was.Profile:
		return "the profile is another one"
	case (a.in.Target == nil) != (a.was.Target == nil):
		return "the target is another one"
	case a.in.Target != nil && a.otherTarget():
		return "the target is another one"
	case len(a.ahead) == 0:
		return "the plan has no turn ahead"
	}
	for i := range a.was.Turns {
		if t := &a.was.Turns[i]; t.Canary && a.past[t.Host] == "" && a.turnAhead[t.ID] == nil {
			return "its canary, host " + t.Host + ", has not done what it was to"
		}
	}
	for _, t := range a.ahead {
		if t.Deferred || t.Tactic == plan.Refresh || t.ID != t.Host {
			return "it has refreshes or deferred reboots, which are prepared for all hosts together"
		}
	}
	return ""
}

// otherTarget: something but the cohorts' own words differs.
func (a *again) otherTarget() bool {
	x, y := *a.in.Target, *a.was.Target
	if len(x.Cohorts) != len(y.Cohorts) {
		return true
	}
	x.Cohorts, y.Cohorts = nil, nil
	return !alikeJSON(x, y)
}

// alikeJSON: two values are written alike, whatever empty lists they have.
func alikeJSON(x, y any) bool {
	a, errA := json.Marshal(x)
	b, errB := json.Marshal(y)
	return errA == nil && errB == nil && string(a) == string(b)
}

// joined puts what stands and what was planned again together, all but the verdict and the digest.
func (a *again) joined(w *world) plan.Plan {
	p := w.plan
	for _, t := range a.ahead {
		if !a.touches(t.Pool) {
			p.Turns = append(p.Turns, *t)
		}
	}
	for i := range a.was.Moves {
		if m := &a.was.Moves[i]; a.stands(m.Turn) {
			p.Moves = append(p.Moves, *m)
		}
	}
	for i := range a.was.Slots {
		if s := &a.was.Slots[i]; a.stands(s.Turn) {
			p.Slots = append(p.Slots, *s)
		}
	}
	for _, b := range a.was.Blocked {
		if pool := a.poolOfBlocked(b); pool != "" && !a.touches(pool) {
			p.Blocked = append(p.Blocked, b)
		}
	}
	for id := range a.in.Underway {
		if h := a.hosts[id]; h != nil && !a.touches(homeOf(h)) {
			p.Blocked = append(p.Blocked, underway(id, a.in.Supersedes))
		}
	}
	p.Skipped = append(p.Skipped, a.skippedElsewhere()...)
	head(a.in, &p)
	return p
}

// stands: a turn of a pool that is not touched is ahead.
func (a *again) stands(turn string) bool {
	t := a.turnAhead[turn]
	return t != nil && !a.touches(t.Pool)
}

func (a *again) poolOfBlocked(b plan.Blocked) string {
	id := b.Host
	if id == "" {
		id = a.hostOf[b.Instance]
	}
	if h := a.hosts[id]; h != nil && len(h.Pools) > 0 {
		return h.Pools[0]
	}
	return ""
}

// skippedElsewhere are the hosts of other pools that need no turn: as was said, and those that had theirs.
func (a *again) skippedElsewhere() (out []plan.Skipped) {
	for _, s := range a.was.Skipped {
		if h := a.hosts[s.Host]; h != nil && !a.touches(h.Pools[0]) {
			out = append(out, s)
		}
	}
	blocked := map[string]bool{} // with a live patch done and no reboot to follow it, and said to be
	for _, b := range a.was.Blocked {
		blocked[b.Host] = true
	}
	for id, why := range a.past {
		if h := a.hosts[id]; h != nil && !a.touches(h.Pools[0]) && !a.in.Underway[id] && !blocked[id] {
			out = append(out, plan.Skipped{Host: id, Code: codeDone, Why: why})
		}
	}
	return out
}

// outgrown: a wave that stands would be larger now than those before it let it be, for they have lost turns.
func (a *again) outgrown(p *plan.Plan) string {
	times := p.Policy.WaveGrowth
	if !p.Policy.Canary || times <= 0 {
		return ""
	}
	sizes := map[int]int{}
	var waves []int
	for i := range p.Turns {
		if n := p.Turns[i].Wave; sizes[n] == 0 {
			waves = append(waves, n)
		}
		sizes[p.Turns[i].Wave]++
	}
	slices.Sort(waves)
	largest := 0
	for i, n := range waves {
		if i > 0 && sizes[n] > times*largest {
			return fmt.Sprintf("waves before it have lost so many turns that wave %d would grow too fast", n)
		}
		largest = max(largest, sizes[n])
	}
	return ""
}

// sameTurns: the turns ahead are those that were, in the same waves at the same times, and nobody is blocked who was
// not.
func (a *again) sameTurns(p *plan.Plan) bool {
	if len(p.Turns) != len(a.ahead) || len(p.Blocked) != len(a.was.Blocked) {
		return false
	}
	for i := range p.Turns {
		t := &p.Turns[i]
		o := a.turnAhead[t.ID]
		if o == nil || o.Wave != t.Wave || !o.Start.Equal(t.Start) || o.Tactic != t.Tactic || o.Canary != t.Canary || t.WorstEnd().After(o.WorstEnd()) {
			return false
		}
	}
	for i, b := range p.Blocked {
		if o := a.was.Blocked[i]; b.Host != o.Host || b.Instance != o.Instance || b.Code != o.Code {
			return false
		}
	}
	return true
}

// touches: something happened in a pool, or in one that shares hosts with it.
func (a *again) touches(pool string) bool { return len(a.why[pool]) > 0 }

// homeOf is the home pool of a host, as it is now or was.
func homeOf(h *fleet.Host) string {
	if len(h.Pools) == 0 {
		return ""
	}
	return h.Pools[0]
}

func sortMoved(list []Moved) {
	of := func(m Moved) *plan.Slot { return cmp.Or(m.Was, m.Now) }
	slices.SortFunc(list, func(a, b Moved) int {
		return cmp.Or(of(a).Start.Compare(of(b).Start), strings.Compare(of(a).ID, of(b).ID))
	})
}
