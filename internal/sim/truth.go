package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/driver/simulated"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/report"
)

// What the world itself knows of Xen hosts, and what a journal may not say against it.

// lookBack is how old a look may be on which a fact rests.
const lookBack = 2 * time.Minute

// trial compares one journal with the world.
type trial struct {
	fleet *fleet.Fleet
	plan  *plan.Plan
	facts []execution.Fact
	log   []simulated.Record
	hosts map[string]*witness
	turns map[string]*plan.Turn
	wrong []string
}

// untrue holds a campaign on Xen hosts to what the world knows.
func untrue(f *fleet.Fleet, p *plan.Plan, facts []execution.Fact, log []simulated.Record) []string {
	if len(facts) == 0 || len(log) == 0 {
		return nil
	}
	t := &trial{fleet: f, plan: p, facts: facts, log: log, hosts: witnesses(f, log), turns: map[string]*plan.Turn{}}
	for i := range p.Turns {
		t.turns[p.Turns[i].ID] = &p.Turns[i]
	}
	if f.Hosts[0].Hypervisor == fleet.Xen {
		t.proofs()
		t.pvGuests()
		t.exposure()
	}
	t.canaries()
	t.named()
	return t.wrong
}

func (t *trial) say(at time.Time, format string, args ...any) {
	t.wrong = append(t.wrong, at.Format("15:04:05")+" "+fmt.Sprintf(format, args...))
}

// proofs: what is called proven or done is so. A live patch is applied, on the build that it is for; a
// reboot brought the fixed build.
func (t *trial) proofs() {
	fixed := newBuild
	for _, h := range t.fleet.Hosts {
		if h.Software.Booted[xenPackage] == newXen {
			fixed = h.Software.BuildID
		}
	}
	for _, f := range t.facts {
		turn := t.turns[f.Turn]
		proven := f.Kind == execution.StepDone && f.Step == execution.StepProve
		reached := f.Kind == execution.TurnDropped && f.Code == execution.CodeReached
		if turn == nil || !proven && !reached && f.Kind != execution.TurnDone {
			continue
		}
		w, from := t.hosts[turn.Host], f.At.Add(-lookBack)
		ran := w.ran(from, f.At)
		switch {
		case reached && slices.Contains(ran, fixed): // whatever its turn was to do
		case reached && turn.Tactic != plan.LivePatch && (turn.Deferred || !t.patched(f, w, ran)):
			t.say(f.At, "%s is dropped as at the target, and its host ran %v, not the fixed %s", f.Turn, ran, fixed)
		case turn.Tactic != plan.LivePatch && proven && !slices.Contains(ran, fixed):
			t.say(f.At, "%s is proven and ran %v, not the fixed %s", f.Turn, ran, fixed)
		case turn.Tactic == plan.LivePatch:
			t.patchesThere(f, w, ran)
		}
	}
}

// patched: by the world the host had all the live patches that are for its build.
func (t *trial) patched(f execution.Fact, w *witness, ran []string) bool {
	if len(ran) == 0 {
		return false
	}
	c := &t.plan.Target.Cohorts[0]
	left, some := t.plan.Target.Unpatched(c, ran[len(ran)-1])
	for _, p := range c.PatchesFor(ran[len(ran)-1]) {
		some = some && w.applied(p.Name, f.At.Add(-lookBack), f.At)
	}
	return some && len(left) == 0
}

func (t *trial) patchesThere(f execution.Fact, w *witness, ran []string) {
	if len(ran) == 0 {
		t.say(f.At, "%s (%s): its host was down", f.Turn, f.Kind)
		return
	}
	want := t.plan.Target.Cohorts[0].PatchesFor(ran[len(ran)-1])
	if len(want) == 0 {
		t.say(f.At, "%s (%s): no live patch is for build %s", f.Turn, f.Kind, ran[len(ran)-1])
	}
	for _, p := range want {
		if !w.applied(p.Name, f.At.Add(-lookBack), f.At) {
			t.say(f.At, "%s (%s): the host's own list lacks %s", f.Turn, f.Kind, p.Name)
		}
	}
}

// pvGuests: whoever could have read that a host has no shadow paging does not try to move a PV guest
// away from it.
func (t *trial) pvGuests() {
	for _, r := range t.log {
		if r.Kind != simulated.HostRefused || !strings.Contains(r.Why, "logdirty") {
			continue
		}
		boots := t.hosts[r.Host].boots
		n := len(boots) - 1
		for n > 0 && boots[n].from.After(r.At) {
			n--
		}
		if n == 0 && t.told(r.Host) {
			t.say(r.At, "PV guest %s was to move off %s, which the fleet says has no shadow paging", r.Instance, r.Host)
			continue
		}
		for _, f := range t.facts {
			if f.Kind == execution.HostSeen && f.Host == r.Host && f.Seen != nil && f.Seen.At.After(boots[n].from) && f.At.Before(r.At.Add(-time.Second)) {
				t.say(r.At, "PV guest %s was to move off %s, which was seen without shadow paging at %s", r.Instance, r.Host, f.Seen.At.Format("15:04:05"))
				break
			}
		}
	}
}

// told: the product's fleet says what virt_caps the host has.
func (t *trial) told(host string) bool {
	for _, h := range t.plan.Fleet.Hosts {
		if h.ID == host {
			return h.VirtCaps != nil
		}
	}
	return false
}

// exposure: the report counts no less of it than there was.
func (t *trial) exposure() {
	r, err := report.Fold(t.facts)
	if err != nil {
		t.say(t.facts[0].At, "the report cannot be made: %v", err)
		return
	}
	began, least := t.facts[0].At, time.Duration(0)
	for _, h := range advisory.Assess(t.plan.Fleet, t.plan.Target, nil, 0, began).Hosts {
		if h.Verdict != advisory.IsAffected {
			continue
		}
		until := r.Until
		if at := t.fixedAt(h.Host); !at.IsZero() && at.Before(until) {
			until = at
		}
		least += max(0, until.Sub(began))
	}
	if got := time.Duration(r.Exposure.HostHours * float64(time.Hour)); r.Exposure.Counted && got < least-time.Minute {
		t.say(r.Until, "the report counts %s of exposed hosts, and by the world it was at least %s", got, least)
	}
}

// fixedAt is when the host first had all its live patches at once, or ran another build; zero: never.
func (t *trial) fixedAt(host string) (at time.Time) {
	w := t.hosts[host]
	first := w.boots[0].build
	for _, b := range w.boots[1:] {
		if b.build != first {
			at = b.from
			break
		}
	}
	want := t.plan.Target.Cohorts[0].PatchesFor(first)
	left, _ := t.plan.Target.Unpatched(&t.plan.Target.Cohorts[0], first)
	if len(want) == 0 || len(left) > 0 {
		return at
	}
	var all time.Time
	for _, p := range want {
		if len(w.patches[p.Name]) == 0 {
			return at
		}
		if from := w.patches[p.Name][0].from; from.After(all) {
			all = from
		}
	}
	if at.IsZero() || all.Before(at) {
		at = all
	}
	return at
}
