package explain_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/audit"
	"github.com/evenkeel/evenkeel/internal/explain"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// TestChoices: the replay agrees with the plan. Each destination that the plan chose is allowed by the replay, the
// numbers add up, and a destination that is said to be allowed too breaks no rule of room, by the auditor, when
// the move goes there and its wave goes on as planned.
func TestChoices(t *testing.T) {
	moves, swapped, codes := 0, 0, map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		in := draw(t)
		p, err := planner.Propose(in)
		if err != nil {
			t.Fatal(err)
		}
		p.Fleet = in.Fleet
		before := audit.Plan(in.Fleet, &p)
		for _, i := range in.Fleet.Instances {
			a, err := explain.Of(&p, i.ID, nil)
			if err != nil {
				t.Fatal(err)
			}
			if n := touches(&p, i.ID); len(a.Instance.Touched) != n || (n == 0) != (a.Instance.Left != nil) {
				t.Errorf("%s: %d promises explained of %d, left: %v", i.ID, len(a.Instance.Touched), n, a.Instance.Left)
			}
			for k, u := range a.Instance.Touched {
				c := u.Move
				if (c != nil) != (u.Disposition == plan.DispLiveMigrate) {
					t.Fatalf("%s: %s, moves: %v", i.ID, u.Disposition, c)
				}
				if c == nil {
					codes["stays:"+u.Why.Code]++
					continue
				}
				moves++
				codes[c.Why.Code]++
				refused := 0
				for _, r := range c.Refused {
					refused += r.Hosts
				}
				if c.Rank < 1 || c.Rank > c.Allowed || refused+c.Allowed != c.Hosts {
					t.Errorf("%s to %s: rank %d of %d allowed, %d refused of %d: %s", i.ID, c.To, c.Rank, c.Allowed, refused, c.Hosts, c.Why.Why)
				}
				if k+1 < len(a.Instance.Touched) || u.Home != nil {
					continue // another move begins where this one ends
				}
				for _, o := range c.Next {
					swapped++
					if f := wrong(before, audit.Plan(in.Fleet, resent(&p, i.ID, c, o.Host)), overBy(&p, u.Wave)); f != nil {
						t.Errorf("%s could go to %s instead of %s, it is said, and %s: %s", i.ID, o.Host, c.To, f.Code, f.What)
					}
				}
			}
		}
	})
	t.Logf("%d moves, %d of them sent elsewhere; %v", moves, swapped, codes)
	if moves == 0 || swapped == 0 {
		t.Error("the draws exercise nothing")
	}
}

func touches(p *plan.Plan, instance string) (n int) {
	for _, s := range p.Slots {
		if s.Instance == instance {
			n++
		}
	}
	return n
}

// resent sends one move elsewhere.
func resent(p *plan.Plan, instance string, c *explain.Choice, to string) *plan.Plan {
	out := *p
	out.Moves = slices.Clone(p.Moves)
	for n := range out.Moves {
		if m := &out.Moves[n]; m.Instance == instance && m.To == c.To && m.Start.Equal(c.Start) {
			m.To = to
		}
	}
	return &out
}

// overBy is when a wave is over at worst.
func overBy(p *plan.Plan, wave int) (by time.Time) {
	for _, t := range p.Turns {
		if t.Wave == wave && t.WorstEnd().After(by) {
			by = t.WorstEnd()
		}
	}
	return by
}

// wrong gives a finding of room, fitness or spread up to an instant that was not there before.
func wrong(before, after []audit.Finding, by time.Time) *audit.Finding {
	for n := range after {
		if f := &after[n]; !f.At.After(by) && slices.Contains([]string{"no-room", "unhealthy", "into-a-turn", "cannot-take", "spread", "min-stay"}, f.Code) && !slices.Contains(before, *f) {
			return f
		}
	}
	return nil
}
