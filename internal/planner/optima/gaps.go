package optima

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// Gap is how far the planner's plan of a case is from the optimum.
type Gap struct {
	Case
	PlanWaves int
	PlanMoves int
	// Wrong says what else is not as the optimum has it: a host without a turn, an instance stopped that
	// could move. Empty: nothing.
	Wrong  string
	Bounds plan.Bounds
}

// Waves above the fewest.
func (g *Gap) Waves() int { return g.PlanWaves - g.Case.Waves }

// Moves above the fewest, as a share of them: 0.05 is 5 % more. The fewest are those in the fewest waves, so a
// plan of more waves may have less than none above.
func (g *Gap) Moves() float64 {
	if g.Case.Moves == 0 {
		return float64(g.PlanMoves)
	}
	return float64(g.PlanMoves-g.Case.Moves) / float64(g.Case.Moves)
}

// Gaps plans all committed cases by the profile bound.
func Gaps() ([]Gap, error) {
	cases, err := Cases()
	if err != nil {
		return nil, err
	}
	out := make([]Gap, len(cases))
	for i := range cases {
		if out[i], err = cases[i].gap(); err != nil {
			return nil, fmt.Errorf("%s: %w", cases[i].Name, err)
		}
	}
	return out, nil
}

func (c *Case) gap() (Gap, error) {
	p, err := c.Plan()
	if err != nil {
		return Gap{}, err
	}
	g := Gap{Case: *c, PlanWaves: p.Counts.Waves, PlanMoves: p.Counts.Moves, Bounds: p.Bounds}
	stays := 0
	for i := range c.Instances {
		if c.Instances[i].Pinned {
			stays++
		}
	}
	switch {
	case p.Counts.Hosts != len(c.Hosts):
		g.Wrong = fmt.Sprintf("%d of %d hosts have a turn", p.Counts.Hosts, len(c.Hosts))
	case p.Counts.Stops != stays:
		g.Wrong = fmt.Sprintf("%d are stopped, %d cannot move", p.Counts.Stops, stays)
	}
	return g, nil
}

// Table is the gaps in sum.
type Table struct {
	Cases       int
	Wrong       int         // cases with something wrong; they are in no other number
	ByWaves     map[int]int // waves above the fewest -> cases
	MedianWaves int
	WorstWaves  int
	MedianMoves float64 // share above the fewest, of cases with the fewest waves
	WorstMoves  float64
	Over        int   // cases of the fewest waves with more than 5 % of moves above
	Worst       []Gap // those with anything above, worst first
}

// Sum sums gaps up.
func Sum(gaps []Gap) Table {
	t := Table{Cases: len(gaps), ByWaves: map[int]int{}}
	var waves []int
	var moves []float64
	for _, g := range gaps {
		if g.Wrong != "" {
			t.Wrong++
			t.Worst = append(t.Worst, g)
			continue
		}
		t.ByWaves[g.Waves()]++
		waves = append(waves, g.Waves())
		if g.Waves() == 0 {
			moves = append(moves, g.Moves())
			if g.Moves() > 0.05 {
				t.Over++
			}
		}
		if g.Waves() > 0 || g.Moves() > 0 {
			t.Worst = append(t.Worst, g)
		}
	}
	slices.Sort(waves)
	slices.Sort(moves)
	if n := len(waves); n > 0 {
		t.MedianWaves, t.WorstWaves = waves[n/2], waves[n-1]
	}
	if n := len(moves); n > 0 {
		t.MedianMoves, t.WorstMoves = moves[n/2], moves[n-1]
	}
	slices.SortStableFunc(t.Worst, func(a, b Gap) int {
		switch {
		case (a.Wrong != "") != (b.Wrong != ""):
			return len(b.Wrong) - len(a.Wrong)
		case a.Waves() != b.Waves():
			return b.Waves() - a.Waves()
		case a.Moves() > b.Moves():
			return -1
		case a.Moves() < b.Moves():
			return 1
		}
		return 0
	})
	return t
}

// Write prints the table, by kind of case, and then the worst cases.
func Write(w io.Writer, gaps []Gap, worst int) error {
	var kinds []string
	byKind := map[string][]Gap{}
	for _, g := range gaps {
		kind, _, _ := strings.Cut(g.Name, "-")
		if byKind[kind] == nil {
			kinds = append(kinds, kind)
		}
		byKind[kind] = append(byKind[kind], g)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%-12s %6s %8s %8s %8s %12s %12s %8s %6s\n", "cases", "n", "+0 waves", "+1 wave", "+2 more", "moves median", "moves worst", "over 5 %", "wrong")
	line := func(name string, gaps []Gap) {
		t := Sum(gaps)
		more := t.Cases - t.Wrong - t.ByWaves[0] - t.ByWaves[1]
		fmt.Fprintf(&b, "%-12s %6d %8d %8d %8d %11.1f%% %11.1f%% %8d %6d\n", name, t.Cases, t.ByWaves[0], t.ByWaves[1], more, 100*t.MedianMoves, 100*t.WorstMoves, t.Over, t.Wrong)
	}
	for _, kind := range kinds {
		line(kind, byKind[kind])
	}
	line("all", gaps)
	t := Sum(gaps)
	for _, g := range t.Worst[:min(worst, len(t.Worst))] {
		fmt.Fprintf(&b, "%-16s waves %d, fewest %d; moves %d, fewest %d  %s\n", g.Name, g.PlanWaves, g.Case.Waves, g.PlanMoves, g.Case.Moves, g.Wrong)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
