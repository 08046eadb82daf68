package optima_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/planner/optima"
)

func cases(t *testing.T) []optima.Case {
	t.Helper()
	out, err := optima.Cases()
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 150 {
		t.Fatalf("%d cases are committed", len(out))
	}
	return out
}

// TestProve proves committed optima again: with -all each of them, else those that a short search can.
func TestProve(t *testing.T) {
	steps, proven := 20_000, 0
	if *all {
		steps = 4_000_000
	}
	list := cases(t)
	for _, c := range list {
		waves, moves, err := optima.Solve(&c, steps)
		if errors.Is(err, optima.ErrTooHard) && !*all {
			continue
		}
		if err != nil || waves != c.Waves || moves != c.Moves {
			t.Errorf("%s: %d waves and %d moves (%v), committed %d and %d", c.Name, waves, moves, err, c.Waves, c.Moves)
		}
		proven++
	}
	if proven < 100 {
		t.Errorf("only %d of %d were proven again", proven, len(list))
	}
	t.Logf("%d of %d proven again", proven, len(list))
}

// TestBounds: no lower bound is above a proven optimum, neither as committed nor as reckoned now.
func TestBounds(t *testing.T) {
	gaps, err := optima.Gaps()
	if err != nil {
		t.Fatal(err)
	}
	tightWaves, tightMoves := 0, 0
	for _, g := range gaps {
		if g.WavesMin > g.Case.Waves || g.MovesMin > g.Case.Moves {
			t.Errorf("%s: committed bounds %d waves, %d moves; optimum %d, %d", g.Name, g.WavesMin, g.MovesMin, g.Case.Waves, g.Case.Moves)
		}
		if g.Wrong != "" {
			continue // another set of turns
		}
		if b := g.Bounds; b.WavesMin > g.Case.Waves || b.MovesMin > g.Case.Moves || b.MovesM2 > g.Case.Moves {
			t.Errorf("%s: bounds %+v; optimum %d waves, %d moves", g.Name, b, g.Case.Waves, g.Case.Moves)
		}
		if g.PlanWaves < g.Case.Waves || g.PlanWaves == g.Case.Waves && g.PlanMoves < g.Case.Moves {
			t.Errorf("%s: a plan of %d waves and %d moves beats the proven optimum, %d and %d", g.Name, g.PlanWaves, g.PlanMoves, g.Case.Waves, g.Case.Moves)
		}
		if g.Bounds.WavesMin == g.Case.Waves {
			tightWaves++
		}
		if g.PlanWaves == g.Case.Waves && g.Bounds.MovesMin == g.Case.Moves {
			tightMoves++
		}
	}
	t.Logf("of %d optima the bound equals the waves of %d, and the moves of %d", len(gaps), tightWaves, tightMoves)
}

// TestBoundsOfDrawn: the same for cases of all kinds that are drawn anew.
func TestBoundsOfDrawn(t *testing.T) {
	proven := 0
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.SampledFrom(drawers).Draw(t, "kind")
		c := d.draw(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)))
		waves, moves, err := optima.Solve(&c, 10_000)
		if err != nil {
			return // too hard for a short search, or no plan at all
		}
		proven++
		p, err := c.Plan()
		if err != nil {
			t.Fatal(err)
		}
		b, stays := p.Bounds, 0
		for _, in := range c.Instances {
			if in.Pinned {
				stays++
			}
		}
		if p.Counts.Hosts != len(c.Hosts) || p.Counts.Stops != stays {
			return // another set of turns
		}
		if b.WavesMin > waves || b.MovesMin > moves || p.Counts.Waves < waves || p.Counts.Waves == waves && p.Counts.Moves < moves {
			t.Fatalf("%s: optimum %d waves, %d moves; plan %d, %d; bounds %+v\n%+v", d.kind, waves, moves, p.Counts.Waves, p.Counts.Moves, b, c)
		}
	})
	if proven < 30 {
		t.Errorf("only %d were proven", proven)
	}
}

// The limits of TestGap: a median of nothing, no wave more than the fewest, and at worst 5 % of moves.
const (
	worstWaves = 0    // above the fewest
	worstMoves = 0.05 // above the fewest, as a share of them, in as few waves
	mostLate   = 0    // cases with more waves than the fewest
	mostOver   = 0    // cases with more than 5 % of moves above the fewest, in as few waves
	mostWrong  = 0    // cases with an instance stopped that could move
)

// TestGap plans all cases and holds the planner to the limits above.
func TestGap(t *testing.T) {
	gaps, err := optima.Gaps()
	if err != nil {
		t.Fatal(err)
	}
	var table bytes.Buffer
	if err := optima.Write(&table, gaps, 20); err != nil {
		t.Fatal(err)
	}
	s := optima.Sum(gaps)
	if s.Wrong > mostWrong || s.MedianWaves > 0 || s.MedianMoves > 0 || s.WorstWaves > worstWaves || s.WorstMoves > worstMoves ||
		s.Cases-s.Wrong-s.ByWaves[0] > mostLate || s.Over > mostOver {
		t.Errorf("the planner is further from the optima than it may be:\n%s", table.String())
	} else {
		t.Logf("\n%s", table.String())
	}
}

// TestTable: the table tells what is wrong, late and over.
func TestTable(t *testing.T) {
	list := cases(t)[:3]
	gaps := []optima.Gap{
		{Case: list[0], PlanWaves: list[0].Waves, PlanMoves: list[0].Moves},
		{Case: list[1], PlanWaves: list[1].Waves + 2, PlanMoves: list[1].Moves},
		{Case: list[2], Wrong: "2 of 3 hosts have a turn"},
	}
	s := optima.Sum(gaps)
	if s.Wrong != 1 || s.WorstWaves != 2 || s.ByWaves[0] != 1 || len(s.Worst) != 2 || s.Worst[0].Wrong == "" {
		t.Errorf("%+v", s)
	}
	var b strings.Builder
	if err := optima.Write(&b, gaps, 5); err != nil || !strings.Contains(b.String(), "2 of 3 hosts have a turn") {
		t.Errorf("%v\n%s", err, b.String())
	}
}
