package plan

import (
	"fmt"
	"strings"
)

// bounds tells how far the plan is from what no plan can do without, and what the care that it takes costs.
func (t *table) bounds() {
	c, b := t.p.Counts, t.p.Bounds
	if b == (Bounds{}) { // a plan that was made again is measured by the promises that it keeps
		t.price()
		return
	}
	t.line("bounds     waves %d, at least %d (%.2f x); moves %d, at least %d (%.2f x)", c.Waves, b.WavesMin, b.WavesRatio, c.Moves, b.MovesMin, b.MovesRatio)
	if b.MovesM1 > 0 && b.MovesM2 > 0 {
		t.line("           moves to M1, of all that must leave: %d (%.2f x); to M2, which adds the first wave's: %d (%.2f x)",
			b.MovesM1, ratio(c.Moves, b.MovesM1), b.MovesM2, ratio(c.Moves, b.MovesM2))
	}
	if b.MakespanMinS > 0 {
		t.line("           time %s, at least %s by links, concurrency and windows (%.2f x)", Lasting(b.MakespanS), Lasting(b.MakespanMinS), b.MakespanRatio)
	}
	t.price()
}

func ratio(have, least int) float64 { return float64(have) / float64(least) }

// price compares a careful plan with the one that capacity alone would allow.
func (t *table) price() {
	switch {
	case t.p.Profile == Bound:
		t.line("profile    bound: all lifted that is for people's sake or for safety's; to measure by, not to carry out")
	case t.o.AsBound != nil:
		o := t.o.AsBound
		t.line("price      careful: %s in %s; with all that capacity allows (bound): %s in %s",
			many(t.p.Counts.Waves, "wave"), Lasting(t.p.makespanS()), many(o.Counts.Waves, "wave"), Lasting(o.makespanS()))
	case t.o.NoPrice != "":
		t.line("price      careful: %s in %s; %s", many(t.p.Counts.Waves, "wave"), Lasting(t.p.makespanS()), t.o.NoPrice)
	}
}

// Lasting writes seconds by their two largest units, such as 3 d 4 h, rounded down.
func Lasting(seconds int64) string {
	const day = 24 * 60 * 60
	left, words := max(seconds, 0), []string{}
	for _, unit := range []struct {
		name  string
		holds int64
	}{{"d", day}, {"h", 60 * 60}, {"min", 60}, {"s", 1}} {
		n := left / unit.holds
		left %= unit.holds
		if n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, unit.name))
		}
		if len(words) == 2 || len(words) == 1 && n == 0 {
			break
		}
	}
	if len(words) == 0 {
		return "0 s"
	}
	return strings.Join(words, " ")
}
