package planner_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// comeHome counts the ways home of a plan.
func comeHome(p plan.Plan) (n int) {
	for _, m := range p.Moves {
		if m.Home {
			n++
		}
	}
	return n
}

func worseOff(p plan.Plan, f *fleet.Fleet) (n int) {
	p.Fleet = f
	for _, s := range p.Standings() {
		n += len(s.Worse)
	}
	return n
}

// TestSettle: of three rules, staying leaves a pool worse off, returning costs as many moves again, and settling leaves
// it as well off with fewer.
func TestSettle(t *testing.T) {
	f := uniform(6, 8192, 3, 1024)
	ways := map[plan.Home]int{}
	for _, rule := range []plan.Home{plan.HomeStay, plan.HomeReturn, plan.HomeSettle} {
		pol := eager()
		pol.Home, pol.MaxAwayPercent = rule, 5
		p := routine(t, f, pol)
		ways[rule] = comeHome(p)
		if worse := worseOff(p, f); (worse > 0) != (rule == plan.HomeStay) {
			t.Errorf("%s: worse off in %d", rule, worse)
		}
		if len(p.Turns) != 6 || p.Counts.Blocked+p.Counts.Stops > 0 {
			t.Errorf("%s: %+v", rule, p.Counts)
		}
		for _, s := range p.Slots {
			if s.Away != nil {
				t.Errorf("%s: %s: %+v", rule, s.Instance, s.Away)
			}
		}
	}
	if ways[plan.HomeStay] != 0 || ways[plan.HomeReturn] != 18 || ways[plan.HomeSettle] == 0 || ways[plan.HomeSettle] >= 18 {
		t.Errorf("ways home: %v", ways)
	}
}

// TestSettleWhereNothingIsWorse: nobody goes home whose pool does not need it.
func TestSettleWhereNothingIsWorse(t *testing.T) {
	f := uniform(3, 8192, 3, 1024)
	f.Hosts[0].MemoryMiB = 3 * 1024 // full, and the others have more than all need
	pol := eager()
	pol.Home, pol.MaxAwayPercent = plan.HomeSettle, 5
	if p := routine(t, f, pol); comeHome(p) > 1 || worseOff(p, f) > 0 {
		t.Errorf("%d ways home, worse off in %d", comeHome(p), worseOff(p, f))
	}
}

// TestSettledFleets: no drawn fleet is left worse off by a plan that settles but where somebody cannot go home, which
// the plan says; and it costs no more ways home than to bring everybody back.
func TestSettledFleets(t *testing.T) {
	var plans, clean, ways, all, excused, blocked int
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		in.Policy.BringHome, in.Policy.Home = false, plan.HomeStay
		stay, err := planner.Propose(in)
		if err != nil {
			t.Fatal(err)
		}
		in.Policy.Home = plan.HomeSettle
		p, err := planner.Propose(in)
		if err != nil {
			t.Fatal(err)
		}
		contented(t, in, &p)
		plans++
		if worseOff(stay, in.Fleet) == 0 {
			clean++
			if comeHome(p) > 0 {
				t.Error("ways home that no pool needs")
			}
		}
		blocked += p.Counts.Blocked - stay.Counts.Blocked
		if worseOff(p, in.Fleet) > 0 {
			excused++
		}
		in.Policy.Home, in.Policy.BringHome = plan.HomeReturn, true
		back, err := planner.Propose(in)
		if err != nil {
			t.Fatal(err)
		}
		ways, all = ways+comeHome(p), all+comeHome(back)
	})
	t.Logf("%d plans, %d of which need no way home; %d ways home, %d to bring everybody back; %d worse off for who cannot go; blocked beyond staying %d", plans, clean, ways, all, excused, blocked)
	if ways == 0 || clean == 0 || ways >= all {
		t.Error("the draws exercise nothing")
	}
}

// TestSentHome: what is sent home on paper is seldom more than the fewest that would do, and never fewer.
func TestSentHome(t *testing.T) {
	var cases, all, least, more int
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		in.Policy.BringHome, in.Policy.Home = false, plan.HomeStay
		sent, fewest, ok := planner.Sent(in)
		if !ok {
			return
		}
		if sent < fewest {
			t.Errorf("%d are sent home, and %d are the fewest that would do", sent, fewest)
		}
		if cases++; sent > fewest {
			more++
		}
		all, least = all+sent, least+fewest
	})
	t.Logf("%d cases: %d sent home, %d at least; more than the fewest in %d", cases, all, least, more)
	if 2*all > 3*least+4 {
		t.Error("more are sent home than need to be")
	}
}
