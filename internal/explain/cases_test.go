package explain_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/explain"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

func of(t *testing.T, p plan.Plan, f *fleet.Fleet, id string) explain.Answer {
	t.Helper()
	p.Fleet = f
	a, err := explain.Of(&p, id, nil)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// last is the host of the last turn of a plan.
func last(p plan.Plan) string { return p.Turns[len(p.Turns)-1].Host }

func codes(list []explain.Reason) (out []string) {
	for _, r := range list {
		out = append(out, r.Code)
	}
	return out
}

// reason finds one of a wave before a host's only turn.
func reason(t *testing.T, a explain.Answer, wave int, code string) explain.Reason {
	t.Helper()
	for _, r := range a.Host.Turns[0].Earlier[wave-1].Reasons {
		if r.Code == code {
			return r
		}
	}
	t.Fatalf("%s, wave %d: no reason %s: %+v", a.ID, wave, code, a.Host.Turns[0].Earlier)
	return explain.Reason{}
}

// Ten hosts are three quarters full: with two away the others have room for no third.
func TestRoomDecides(t *testing.T) {
	f := uniform(10, 16384, 3, 4096)
	p := propose(t, f, eager())
	a := of(t, p, f, last(p))
	u := a.Host.Turns[0]
	if len(u.Earlier) != u.Wave-1 || u.When.Code != "wave-before" || u.Not[0].Code != "routine" {
		t.Errorf("%d waves asked before wave %d, when %+v, not %+v", len(u.Earlier), u.Wave, u.When, u.Not)
	}
	r := reason(t, a, u.Wave-1, "no-room")
	if r.Law != 6 || r.Need <= r.Have {
		t.Errorf("%+v", r)
	}
	if b := a.Host.Bound[0]; b.Code != "no-room" || b.Need != 5 || !strings.Contains(b.Why, "at most 2 of 10 hosts can be empty at once") {
		t.Errorf("%+v", a.Host.Bound)
	}
}

// The reserve: by default as much as the largest host has.
func TestReserveDecides(t *testing.T) {
	f := uniform(10, 16384, 2, 4096)
	p := eager()
	p.KeepReserve = true
	made := propose(t, f, p)
	a := of(t, made, f, last(made))
	r := reason(t, a, a.Host.Turns[0].Wave-1, "reserve")
	if r.Law != 6 || r.Need != 16384 || r.Have >= r.Need || r.Pool != "pool" {
		t.Errorf("%+v", r)
	}
}

// An instance that landed on a host keeps it from its turn for a while.
func TestMinStayDecides(t *testing.T) {
	f := uniform(3, 16384, 2, 4096)
	p := eager()
	p.MinStay = plan.Duration(5 * time.Hour)
	made := propose(t, f, p)
	found := false
	for _, u := range made.Turns {
		a := of(t, made, f, u.Host)
		for _, e := range a.Host.Turns[0].Earlier {
			for _, r := range e.Reasons {
				if r.Code == "min-stay" {
					found = true
					if r.Law != 6 || !r.At.After(e.Start) || r.Instance == "" {
						t.Errorf("%+v", r)
					}
				}
			}
		}
		found = found || a.Host.Turns[0].When.Code == "min-stay"
	}
	for _, i := range f.Instances {
		for _, u := range of(t, made, f, i.ID).Instance.Touched {
			if u.Move.Rank == 0 {
				t.Errorf("%s to %s: %+v", i.ID, u.Move.To, u.Move.Why)
			}
		}
	}
	if !found {
		t.Error("five hours of stay keep no turn back")
	}
}

// Two members of one group that are both saved where they are cannot be away together.
func TestGroupDecides(t *testing.T) {
	f := uniform(4, 16384, 1, 4096)
	f.Groups = []fleet.Group{{ID: "db", MaxUnavailable: 1}}
	for n := range f.Instances[:2] {
		f.Instances[n].Group, f.Instances[n].Pinned = "db", "licence"
	}
	p := eager()
	made := propose(t, f, p)
	second := of(t, made, f, "h00001")
	if second.Host.Turns[0].Wave == 1 {
		second = of(t, made, f, "h00000")
	}
	r := reason(t, second, 1, "group")
	if r.Law != 3 || r.Group != "db" || r.Need != 2 || r.Have != 1 {
		t.Errorf("%+v", r)
	}
	not := second.Host.Turns[0].Not
	if n := not[len(not)-1]; n.Tactic != plan.Evacuate || n.Code != "instances-stay" || !strings.Contains(n.Why, "licence") {
		t.Errorf("%+v", not)
	}
	i := of(t, made, f, "v00000-00").Instance
	if len(i.Touched) != 1 || i.Touched[0].Why.Code != fleet.PinnedToHost || i.Touched[0].Class != plan.ClassOutage {
		t.Errorf("%+v", i)
	}
}

// In the first wave nothing is fixed yet: what moves then moves again.
func TestTwice(t *testing.T) {
	f := uniform(10, 16384, 3, 4096)
	p := propose(t, f, eager())
	moves := map[string]int{}
	for _, m := range p.Moves {
		moves[m.Instance]++
	}
	twice := 0
	for _, i := range f.Instances {
		a := of(t, p, f, i.ID).Instance
		if (a.Twice != nil) != (moves[i.ID] > 1) {
			t.Errorf("%s moves %d times: %+v", i.ID, moves[i.ID], a.Twice)
		}
		if a.Twice == nil {
			continue
		}
		twice++
		if a.Twice.Host != a.Touched[0].Move.To || a.Twice.At.IsZero() || a.Ends != a.Touched[1].Move.To {
			t.Errorf("%+v", a.Twice)
		}
	}
	if twice == 0 {
		t.Error("nothing moves twice: the fleet shows nothing")
	}
}

func TestBlockedAndLeft(t *testing.T) {
	f := uniform(4, 16384, 1, 4096)
	f.Instances[0].Pinned, f.Instances[1].State = "licence", fleet.Stopped
	p := plan.ToBound(plan.DefaultPolicy())
	p.Tactics = []plan.Tactic{plan.Evacuate}
	made := propose(t, f, p)
	h, i := of(t, made, f, "h00000").Host, of(t, made, f, "v00000-00").Instance
	if len(h.Turns) != 0 || len(h.Block) == 0 || len(i.Block) == 0 || i.Left == nil || i.Left.Code != "blocked-itself" || i.Block[0].Unblock == "" {
		t.Errorf("%+v\n%+v", h, i)
	}
	if s := of(t, made, f, "v00001-00").Instance; s.Left == nil || s.Left.Code != "stopped" {
		t.Errorf("%+v", s)
	}
	made.Causes = []plan.Cause{{Code: fleet.PinnedToHost, Hosts: []string{"h00000"}, Changes: []plan.Change{{Of: "instance", ID: "v00000-00", Words: "unpin v00000-00"}}}, {Code: "other", Hosts: []string{"h00001"}}}
	if c := of(t, made, f, "h00000").Host.Cause; len(c) != 1 || c[0].Changes[0].Words != "unpin v00000-00" {
		t.Errorf("%+v", c)
	}
}

// Hosts of a mixed cohort: one has live patches for its build, the other has not.
func TestTactics(t *testing.T) {
	f := uniform(3, 16384, 1, 4096)
	builds := []string{"aa", "bb", "aa"}
	tg := patches(f, func() string { b := builds[0]; builds = builds[1:]; return b })
	in := planner.Input{Fleet: f, Target: tg, Assessment: advisory.Assess(f, tg, nil, 0, made), Policy: plan.DefaultPolicy(), Campaign: "c", Now: made, Revision: 1}
	p, err := planner.Propose(in)
	if err != nil {
		t.Fatal(err)
	}
	other, twice := of(t, p, f, "h00001").Host, of(t, p, f, "h00000").Host
	if len(other.Turns) != 1 || other.Turns[0].Not[0].Code != plan.NoLivePatch || !strings.Contains(other.Turns[0].Not[0].Why, "bb") || other.Turns[0].Not[1].Code != "remedy" {
		t.Errorf("%+v", other)
	}
	if len(twice.Turns) != 2 || len(twice.Turns[0].Not) != 0 || twice.Turns[1].Not[0].Tactic != plan.Refresh || twice.Need.Code != string(advisory.IsAffected) {
		t.Errorf("%+v", twice)
	}
	if e := twice.Turns[1].Earlier[0].Reasons; !slices.Contains(codes(e), "after-patches") {
		t.Errorf("the deferred reboot is kept from wave 1 by %v", codes(e))
	}
}

func TestUnknown(t *testing.T) {
	f := uniform(12, 16384, 1, 4096)
	p := propose(t, f, eager())
	p.Fleet = f
	for id, want := range map[string]string{"h0001": "h00001", "H00003": "h00003", "v00007-0": "v00007-00", "zzz": "no id is like it"} {
		if _, err := explain.Of(&p, id, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, expected %q in it", id, err, want)
		}
	}
	p.Fleet = nil
	if _, err := explain.Of(&p, "h00001", nil); err == nil {
		t.Error("a plan without its fleet is explained")
	}
}

// The same plan gives the same words, and a machine reads all of them.
func TestSteady(t *testing.T) {
	f := uniform(10, 16384, 3, 4096)
	p := propose(t, f, plan.DefaultPolicy())
	var before []string
	for range 3 {
		var now []string
		for _, id := range []string{last(p), "v00003-01"} {
			a := of(t, p, f, id)
			src, err := json.Marshal(a)
			if err != nil {
				t.Fatal(err)
			}
			var back explain.Answer
			if err := json.Unmarshal(src, &back); err != nil || back.ID != id {
				t.Fatalf("%v: %s", err, src)
			}
			var words strings.Builder
			if err := explain.Write(&words, a, func(s string) string { return s }); err != nil {
				t.Fatal(err)
			}
			now = append(now, string(src), words.String())
		}
		if before != nil && !slices.Equal(before, now) {
			t.Errorf("two answers differ:\n%v\n%v", before, now)
		}
		before = now
	}
}

// Members that move are not disturbed in two turns of one wave, though their minutes might not meet.
func TestGroupOfMovers(t *testing.T) {
	f := uniform(6, 16384, 1, 4096)
	f.Groups = []fleet.Group{{ID: "web", MaxUnavailable: 1, Members: []string{"v00000-00", "v00001-00"}}}
	made := propose(t, f, eager())
	a := of(t, made, f, "h00001")
	if a.Host.Turns[0].Wave == 1 {
		a = of(t, made, f, "h00000")
	}
	if r := reason(t, a, 1, "group"); r.Law != 0 || r.Group != "web" || r.Need != 2 || r.Have != 1 {
		t.Errorf("%+v", r)
	}
}

// What a host offers changes with its turn: an instance may go to one that was too old before.
func TestSoftwareByThen(t *testing.T) {
	const middle = "1:7.2+dfsg-7+deb12u15"
	f := uniform(3, 16384, 4, 4096)
	for n, v := range []string{older, middle, middle} {
		f.Hosts[n].Software = fleet.Software{Installed: map[string]string{"qemu-system-x86": v}, Booted: map[string]string{"qemu-system-x86": v}}
	}
	f.Instances = f.Instances[7:] // the first host is empty, the second has one, the third is full
	tg := &plan.Target{Evenkeel: plan.TargetSchemaV1, ID: "t", Cohorts: []plan.Cohort{{Packages: map[string]string{"qemu-system-x86": newer}, Update: plan.Update{Command: []string{"host-update"}}}}}
	p, err := planner.Propose(planner.Input{Fleet: f, Target: tg, Assessment: advisory.Assess(f, tg, nil, 0, made), Policy: eager(), Campaign: "c", Now: made, Revision: 1})
	if err != nil {
		t.Fatal(err)
	}
	a := of(t, p, f, "v00001-03").Instance
	if len(a.Touched) != 1 {
		t.Fatalf("%+v: %s", a, p.Verdict)
	}
	c := a.Touched[0].Move
	if c.To != "h00000" || c.Why.Code != "only-one" || c.Rank != 1 {
		t.Errorf("%+v", c)
	}
}

// What a host saves together takes as long in an earlier wave as in its own, and is what its turn takes at least.
func TestSavesDecide(t *testing.T) {
	f := uniform(3, 256<<10, 8, 32<<10)
	p := plan.DefaultPolicy()
	made := propose(t, f, p)
	a := of(t, made, f, last(made))
	u := a.Host.Turns[0]
	worst := made.Turns[len(made.Turns)-1].WorstS
	if u.Wave != 3 || worst < 80*60 || u.Earlier[0].LeastS != worst {
		t.Errorf("wave %d takes %d s at worst, and would take %d at least in wave 1", u.Wave, worst, u.Earlier[0].LeastS)
	}
	p.Tactics = append(p.Tactics, plan.Reboot)
	p.Slot = plan.Duration(80 * time.Minute)
	made = propose(t, f, p)
	stopped := 0
	for _, s := range made.Slots {
		if s.Disposition == plan.DispStop {
			stopped++
			if why := of(t, made, f, s.Instance).Instance.Touched[0].Why.Why; !strings.Contains(why, "would not be saved and restored within a slot") {
				t.Errorf("%s: %s", s.Instance, why)
			}
		}
	}
	if stopped != 3 { // one of the 8 of each host
		t.Errorf("%d are stopped", stopped)
	}
}
