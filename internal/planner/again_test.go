package planner_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// copied is a fleet that shares nothing with another.
func copied(t interface {
	Helper()
	Fatal(args ...any)
}, f *fleet.Fleet) *fleet.Fleet {
	t.Helper()
	text, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	out := &fleet.Fleet{}
	if err := json.Unmarshal(text, out); err != nil {
		t.Fatal(err)
	}
	return out
}

// churn changes a fleet as a working day does.
func churn(t *rapid.T, f *fleet.Fleet) {
	free := func(host string) int64 {
		ix := fleet.NewIndex(f)
		return ix.FreeMiB(host)
	}
	for n := range rapid.IntRange(1, 3).Draw(t, "changes") {
		h := &f.Hosts[rapid.IntRange(0, len(f.Hosts)-1).Draw(t, "host")]
		i := rapid.IntRange(0, max(0, len(f.Instances)-1)).Draw(t, "instance")
		what := rapid.IntRange(0, 7).Draw(t, "change")
		if len(f.Instances) == 0 && what > 2 {
			what = 0
		}
		switch what {
		case 0:
			h.Health = rapid.SampledFrom([]fleet.Health{fleet.Down, fleet.Sick, ""}).Draw(t, "health")
		case 1:
			if room := free(h.ID); room > 0 {
				f.Instances = append(f.Instances, fleet.Instance{ID: fmt.Sprintf("new%d", n), Host: h.ID, MemoryMiB: min(512, room), Tenant: "acme"})
			}
		case 2:
			x := *h
			x.ID, x.Health = fmt.Sprintf("x%d", n), ""
			f.Hosts = append(f.Hosts, x)
		case 3:
			f.Instances = slices.Delete(f.Instances, i, i+1)
		case 4:
			f.Instances[i].MemoryMiB = max(1, f.Instances[i].MemoryMiB/2)
		case 5:
			if room := free(f.Instances[i].Host); room > 0 {
				f.Instances[i].MemoryMiB += room / 2
			}
		case 6:
			if room := free(h.ID); room >= f.Instances[i].MemoryMiB {
				f.Instances[i].Host = h.ID
			}
		case 7:
			f.Instances[i].State = rapid.SampledFrom([]fleet.State{fleet.Stopped, fleet.Running}).Draw(t, "state")
		}
	}
}

// drawAgain draws a plan, and what the fleet has come to some time later.
func drawAgain(t *rapid.T) (in planner.Input, was plan.Plan) {
	in = drawInput(t)
	if in.Target != nil && rapid.IntRange(0, 3).Draw(t, "rebooted") > 0 {
		in.Target.Cohorts[0].Remedy = "reboot"
		in.Policy.Tactics = []plan.Tactic{plan.Evacuate, plan.Suspend, plan.Reboot}
		in.Assessment = advisory.Assess(in.Fleet, in.Target, nil, 0, in.Now)
	}
	was, err := planner.Propose(in)
	if err != nil {
		t.Fatal(err)
	}
	in.Fleet, in.Revision = copied(t, in.Fleet), 0
	in.Now = in.Now.Add(time.Duration(rapid.SampledFrom([]int{0, 0, 0, 1, 20}).Draw(t, "hours")) * time.Hour)
	return in, was
}

func assessed(in *planner.Input) {
	if in.Target != nil {
		in.Assessment = advisory.Assess(in.Fleet, in.Target, nil, 0, in.Now)
	}
}

func TestAgain(t *testing.T) {
	whole, part, moved, kept := map[string]int{}, 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		in, was := drawAgain(t)
		churn(t, in.Fleet)
		assessed(&in)
		p, c, err := planner.Again(in, &was)
		if err != nil {
			t.Fatal(err)
		}
		if c.None() {
			return
		}
		contented(t, in, &p)
		if p.Parent != was.Revision || p.Revision != was.Revision+1 {
			t.Errorf("revision %d of parent %d", p.Revision, p.Parent)
		}
		judgeMoved(t, &was, &p, &c)
		if c.Whole != "" {
			whole[c.Whole]++
			return
		}
		part++
		kept, moved = kept+c.Kept, moved+len(c.Moved)
		elsewhereAsBefore(t, &was, &p, &c)
	})
	t.Logf("%d plans again in part, whole %v; %d promises kept, %d moved", part, whole, kept, moved)
}

// judgeMoved: each promise that is another is named, once, with its cause, and no other is.
func judgeMoved(t *rapid.T, was, now *plan.Plan, c *planner.Changes) {
	t.Helper()
	gone, come := map[string]bool{}, map[string]bool{}
	for _, m := range c.Moved {
		if m.Cause == "" {
			t.Errorf("no cause: %+v", m)
		}
		if m.Was != nil {
			gone[m.Was.ID] = true
		}
		if m.Now != nil {
			come[m.Now.ID] = true
		}
	}
	if n := len(c.Moved); len(was.Slots) != c.Kept+c.Done+len(gone) || n < len(gone) || n < len(come) {
		t.Errorf("%d promises were: %d kept, %d done, %d moved", len(was.Slots), c.Kept, c.Done, len(gone))
	}
	old := map[string]plan.Slot{}
	for _, s := range was.Slots {
		old[s.ID] = s
	}
	for _, s := range now.Slots {
		o, same := old[s.ID]
		same = same && o.Start.Equal(s.Start) && o.End.Equal(s.End) && o.Class == s.Class
		if !same && !come[s.ID] {
			t.Errorf("slot %s is another and nobody says so", s.ID)
		}
	}
}

// elsewhereAsBefore: pools in which nothing happened have what they had ahead, to the byte.
func elsewhereAsBefore(t *rapid.T, was, now *plan.Plan, c *planner.Changes) {
	t.Helper()
	touched := map[string]bool{}
	for _, p := range c.Pools {
		touched[p.Pool] = true
	}
	lines := func(p *plan.Plan, only map[string]bool) map[string]bool {
		out, of := map[string]bool{}, map[string]bool{}
		add := func(x any) {
			text, err := json.Marshal(x)
			if err != nil {
				t.Fatal(err)
			}
			out[string(text)] = true
		}
		for _, x := range p.Turns {
			if of[x.ID] = !touched[x.Pool] && (only == nil || only[x.ID]); of[x.ID] {
				add(x)
			}
		}
		for _, x := range p.Moves {
			if of[x.Turn] {
				add(x)
			}
		}
		for _, x := range p.Slots {
			if of[x.Turn] {
				add(x)
			}
		}
		return out
	}
	left := map[string]bool{}
	for _, x := range was.Turns {
		left[x.ID] = !slices.ContainsFunc(now.Skipped, func(s plan.Skipped) bool { return s.Host == x.Host })
	}
	a, b := lines(was, left), lines(now, nil)
	for line := range b {
		if !a[line] {
			t.Errorf("a pool in which nothing happened has what it had not: %s", line)
		}
	}
	if len(a) != len(b) {
		t.Errorf("pools in which nothing happened had %d turns, moves and slots, and have %d", len(a), len(b))
	}
}

// TestAgainUnchanged: where nothing happened the same plan comes back, and where only people left every promise of
// the others stands.
func TestAgainUnchanged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in, was := drawAgain(t)
		in.Now = was.Made
		assessed(&in)
		p, c, err := planner.Again(in, &was)
		if err != nil {
			t.Fatal(err)
		}
		if c.Whole == "" && (!c.None() || p.Digest != was.Digest || c.Kept != len(was.Slots)) {
			t.Errorf("%+v", c)
		}
	})
}

// TestAgainTwice: the same input gives the same revision.
func TestAgainTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in, was := drawAgain(t)
		churn(t, in.Fleet)
		assessed(&in)
		p, c, err := planner.Again(in, &was)
		q, d, other := planner.Again(in, &was)
		if err != nil || other != nil || p.Digest != q.Digest || fmt.Sprint(told2(c)) != fmt.Sprint(told2(d)) {
			t.Errorf("%v %v: %s and %s", err, other, p.Digest, q.Digest)
		}
	})
}

func told2(c planner.Changes) (out []string) {
	for _, m := range c.Moved {
		out = append(out, m.Cause)
	}
	for _, p := range c.Pools {
		out = append(out, p.Pool+strings.Join(p.Why, ";"))
	}
	return out
}

// shops are pools of so many hosts each, one to a site, each host with as many instances of one size.
func shops(pools, hosts, each int, size int64) *fleet.Fleet {
	f := uniform(pools*hosts, 64<<10, each, size)
	f.Pools, f.Sites = nil, nil
	for p := range pools {
		site := fmt.Sprintf("s%03d", p)
		f.Sites = append(f.Sites, fleet.Site{ID: site, Region: f.Regions[0].ID})
		f.Pools = append(f.Pools, fleet.Pool{ID: fmt.Sprintf("p%03d", p), Site: site})
	}
	for i := range f.Hosts {
		f.Hosts[i].Pools = []string{f.Pools[i/hosts].ID}
	}
	return f
}

// TestAgainKeeps: what a day does to a pool, and which promises it costs.
func TestAgainKeeps(t *testing.T) {
	policy := plan.DefaultPolicy()
	policy.WaveGrowth = 0
	start := planner.Input{Fleet: shops(3, 40, 8, 4<<10), Policy: policy, Campaign: "c", Revision: 1, Now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	was, err := planner.Propose(start)
	if err != nil {
		t.Fatal(err)
	}
	last := was.Turns[len(was.Turns)-1].Host
	for name, c := range map[string]struct {
		change func(f *fleet.Fleet)
		pools  int // in which something happens
		most   int // promises that may move: of 1000
	}{
		"one instance is gone":  {func(f *fleet.Fleet) { f.Instances = f.Instances[1:] }, 1, 2},
		"one is smaller":        {func(f *fleet.Fleet) { f.Instances[9].MemoryMiB /= 2 }, 1, 0},
		"one grew":              {func(f *fleet.Fleet) { f.Instances[9].MemoryMiB *= 2 }, 1, 9},
		"one is new":            {func(f *fleet.Fleet) { f.Instances = append(f.Instances, vm("new", last, 2048)) }, 1, 3},
		"a host is new":         {func(f *fleet.Fleet) { h := f.Hosts[0]; h.ID = "zz"; f.Hosts = append(f.Hosts, h) }, 1, 0},
		"a host is down":        {func(f *fleet.Fleet) { byHost(f, last).Health = fleet.Down }, 1, 8 + 16},
		"a link is slower":      {func(f *fleet.Fleet) { byHost(f, last).NICMbps = 1000 }, 1, 16},
		"others moved somebody": {func(f *fleet.Fleet) { f.Instances[2].Host = last }, 2, 9},
	} {
		t.Run(name, func(t *testing.T) {
			in := start
			in.Fleet, in.Revision = copied(t, start.Fleet), 0
			c.change(in.Fleet)
			p, ch, err := planner.Again(in, &was)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d kept, %d moved, pools %d, whole %q, %d turns of %d", ch.Kept, len(ch.Moved), len(ch.Pools), ch.Whole, len(p.Turns), len(was.Turns))
			for _, m := range ch.Moved[:min(3, len(ch.Moved))] {
				t.Log(m.Cause)
			}
			if ch.Whole != "" || len(ch.Pools) > c.pools || len(ch.Moved) > c.most {
				t.Errorf("%d promises moved, at most %d were to; pools %d; whole: %q", len(ch.Moved), c.most, len(ch.Pools), ch.Whole)
			}
		})
	}
}

func byHost(f *fleet.Fleet, id string) *fleet.Host {
	for i := range f.Hosts {
		if f.Hosts[i].ID == id {
			return &f.Hosts[i]
		}
	}
	return nil
}

// TestAgainCanaryUnproven: while its canary has not done what it was to, nobody else goes on as planned.
func TestAgainCanaryUnproven(t *testing.T) {
	in := planner.Input{Fleet: shops(2, 20, 2, 4<<10), Policy: plan.DefaultPolicy(), Campaign: "c", Revision: 1, Now: at(t, "2026-03-02 09:00")}
	for i := range in.Fleet.Hosts {
		in.Fleet.Hosts[i].BootID = "before"
	}
	was, err := planner.Propose(in)
	if err != nil {
		t.Fatal(err)
	}
	in.Fleet, in.Revision, in.Now = copied(t, in.Fleet), 0, was.Turns[0].WorstEnd().Add(time.Hour)
	p, c, err := planner.Again(in, &was)
	if err != nil || !strings.Contains(c.Whole, "canary") || len(p.Turns) == 0 || !p.Turns[0].Canary {
		t.Errorf("%v, whole %q", err, c.Whole)
	}
	byHost(in.Fleet, was.Turns[0].Host).BootID = "after"
	if p, c, err = planner.Again(in, &was); err != nil || c.Whole != "" || len(p.Turns) > 0 && p.Turns[0].Canary {
		t.Errorf("%v, whole %q", err, c.Whole)
	}
}
