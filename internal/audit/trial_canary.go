package audit

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// A canary is judged twice: when its turn is done, and by a look once it has soaked. What goes wrong
// while it soaks is what the soak is for.

// unlooked is what is known of a canary that has soaked and was not looked at since.
const unlooked = "nobody has looked"

// inForce notes what the plan that was just applied says of the order of its turns. A plan from before
// canaries were judged twice is known by a policy that does not say how waves grow.
func (r *run) inForce(f *Fact) {
	var says struct {
		Policy struct {
			WaveGrowth *int `json:"wave_growth"`
		} `json:"policy"`
	}
	r.judgesTwice = json.Unmarshal(f.Plan, &says) == nil && says.Policy.WaveGrowth != nil
	r.canaries, r.patching = nil, map[*turnRun]bool{}
	for i := range r.plan.Turns {
		p := &r.plan.Turns[i]
		tr := r.turn(p.ID)
		if p.Canary {
			r.canaries = append(r.canaries, tr)
		}
		if p.Tactic == plan.LivePatch && !tr.done && !tr.dropped && !tr.held {
			r.patching[tr] = true
		}
	}
}

// soaksFrom notes the end of a turn: a live patch is over, a canary soaks.
func (r *run) soaksFrom(tr *turnRun) {
	if tr.tactic() == plan.LivePatch && (tr.done || tr.past) && !r.deferredOn {
		r.patchesOver = latest(r.patchesOver, tr.ended)
	}
	delete(r.patching, tr)
	if tr.done && tr.plan != nil && tr.plan.Canary {
		tr.sound, tr.unsound = false, unlooked
		r.soaking = append(r.soaking, tr)
	}
}

// seenSoaked judges a look at hosts of canaries that have soaked.
func (t *trial) seenSoaked(f *Fact) {
	for _, r := range t.runs {
		r.soaking = slices.DeleteFunc(r.soaking, func(tr *turnRun) bool {
			if tr.host != f.Host || f.Seen.At.Before(tr.ended.Add(time.Duration(r.plan.Policy.Soak))) {
				return false
			}
			tr.unsound = t.unwell(r, tr, f.Seen)
			tr.sound = tr.unsound == ""
			return tr.sound
		})
	}
}

// unwell says what a look at a canary's host shows that is not as its turn ended; "" when it is sound:
// on the same boot, healthy, with its live patches applied or the wanted versions booted.
func (t *trial) unwell(r *run, tr *turnRun, v *View) string {
	c, h := r.cohortOf(tr.host), r.hosts[tr.host]
	switch {
	case tr.bootAfter != "" && v.BootID != tr.bootAfter:
		return "it runs on boot " + v.BootID + ", and its turn ended on boot " + tr.bootAfter
	case v.Health != string(fleet.Up):
		return "it is " + v.Health
	case c == nil:
		return ""
	case tr.tactic() == plan.LivePatch:
		return unpatched(r.plan.Target, c, v, "")
	case tr.tactic() == plan.Refresh:
		if !onDisk(c, h, v) {
			return "the new software is not on its disk"
		}
	case len(c.Packages) > 0:
		return notBooted(c, h, v)
	}
	return ""
}

// canariesSoaked asks law 6 of a permit: each canary ahead of the turn is done, has soaked, and was seen
// sound since. One that was dropped, for its host was at the target, soaks all the same.
func (t *trial) canariesSoaked(r *run, tr *turnRun, f *Fact, s Subject) {
	if !r.plan.Policy.Canary {
		return
	}
	soak := time.Duration(r.plan.Policy.Soak)
	for _, c := range r.canaries {
		if c == tr || c.dropped && !c.past || tr.plan != nil && c.plan.Wave > tr.plan.Wave {
			continue
		}
		soaked := (c.done || c.past) && !f.At.Before(c.ended.Add(soak))
		t.must(soaked, 6, "canary-not-soaked", s, f.At, "a canary that is done and has soaked "+soak.String(), "turn %s is permitted %s, the canary %s is done: %v, since %s", tr.id, clock(f.At), c.id, c.done, clock(c.ended))
		if soaked && c.done && r.judgesTwice && (tr.plan == nil || c.plan.Wave < tr.plan.Wave) {
			t.must(c.sound, 6, "canary-unlooked", s, f.At, "a look at host "+c.host+" from "+clock(c.ended.Add(soak))+" on that shows it sound", "turn %s is permitted, the canary %s has soaked, and of its host then: %s", tr.id, c.id, c.unsound)
		}
	}
}

// reopens: a canary that was done is held, for it is not sound any more.
func (t *trial) reopens(r *run, tr *turnRun, f *Fact) {
	if f.Code != "canary-unwell" || !tr.done {
		return
	}
	tr.done, tr.ready, tr.open, tr.sound = false, false, true, false
	r.soaking = slices.DeleteFunc(r.soaking, func(o *turnRun) bool { return o == tr })
	if tr.tactic() == plan.Refresh {
		tr.bootAfter = "" // a person has it proven anew, on whatever boot it runs then
	}
	t.open[tr] = r
	if m := t.machine(tr.host); m.turn == nil {
		m.turn = tr
	}
}

// afterPatches asks law 6 of a deferred reboot: each live patch of the plan is over, or held, and the last
// one has soaked. One that a person has done again later is not waited for.
func (t *trial) afterPatches(r *run, tr *turnRun, f *Fact, s Subject) {
	if tr.plan == nil || !tr.plan.Deferred {
		return
	}
	var left []string
	for o := range r.patching {
		if !r.deferredOn || !o.released {
			left = append(left, o.id)
		}
	}
	slices.Sort(left)
	from := r.patchesOver
	if r.plan.Policy.Canary && !from.IsZero() {
		from = from.Add(time.Duration(r.plan.Policy.Soak))
	}
	t.must(len(left) == 0 && !f.At.Before(from), 6, "deferred-early", s, f.At, "all live patches over, and "+clock(from)+" or later", "turn %s, which is deferred, is permitted %s; live patches that are not over: [%s]; they have soaked %s",
		tr.id, clock(f.At), strings.Join(left, " "), clock(from))
	r.deferredOn = true
}

// twin is the other turn of the same host; nil without one.
func (r *run) twin(tr *turnRun) *turnRun {
	other := plan.PatchTurn(tr.host)
	if tr.id == other {
		other = tr.host
	}
	if o := r.turns[other]; o != nil && o.plan != nil && tr.plan != nil && o != tr {
		return o
	}
	return nil
}

// apartFromTwin asks law 5 of a permit and of a step: the host's live patch and its reboot are never at
// work at once. A live patch that is held, with nothing in flight, waits for nobody but a person.
func (t *trial) apartFromTwin(r *run, tr *turnRun, f *Fact, s Subject) {
	o := r.twin(tr)
	if o == nil {
		return
	}
	free := !o.open || o.tactic() == plan.LivePatch && o.held && len(o.attempts) == 0
	t.must(free, 5, "turns-overlap", s, f.At, "the end of turn "+o.id+" first", "%s of turn %s, and turn %s of the same host is under way", f.Kind, tr.id, o.id)
}
