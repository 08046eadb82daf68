package audit

import (
	"sort"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// A campaign has up to two stages: the turns that bring the fix, and the reboots that are deferred. Each
// begins with a canary of its own, which goes alone and soaks, and grows from there (law 6).

// stages are the turns that bring the fix and those that are deferred, each by start.
func (d *dossier) stages() (first, deferred []*plan.Turn) {
	for _, t := range d.ordered {
		if t.Deferred {
			deferred = append(deferred, t)
		} else {
			first = append(first, t)
		}
	}
	return first, deferred
}

// canary: the first turn of each stage is one, alone in its wave, and nothing later starts until it has
// ended and soaked. A later revision whose campaign has its canary behind it marks none.
func (d *dossier) canary() {
	if !d.p.Policy.Canary {
		return
	}
	first, deferred := d.stages()
	for _, stage := range [][]*plan.Turn{first, deferred} {
		marked := false
		for _, t := range stage {
			marked = marked || t.Canary
		}
		if len(stage) == 0 || d.p.Parent > 0 && !marked {
			continue
		}
		c := stage[0]
		for _, t := range stage[1:] {
			d.must(!t.Canary || !c.Canary, 6, "second-canary", ofTurn(t), t.Start, "one canary in each stage, its first turn", "turn %s is a canary, and %s is the first turn of its stage", t.ID, c.ID)
		}
		d.must(c.Canary, 6, "no-canary", ofTurn(c), c.Start, "a first turn that is the canary", "policy asks for a canary and the first turn, %s, is none", c.ID)
		d.alone(c)
	}
}

// alone: no other turn lies in the canary's wave, and no later one begins before it has soaked.
func (d *dossier) alone(c *plan.Turn) {
	soaked := c.End.Add(time.Duration(d.p.Policy.Soak))
	for _, t := range d.ordered {
		if t == c || c.Deferred && t.Wave < c.Wave {
			continue
		}
		d.must(t.Wave != c.Wave, 6, "canary-not-alone", ofTurn(t), t.Start, "a wave of its own for the canary", "turn %s lies in wave %d, that of the canary %s", t.ID, t.Wave, c.ID)
		d.must(!t.Start.Before(soaked), 6, "canary-not-soaked", ofTurn(t), t.Start, "a start no earlier than "+clock(soaked),
			"turn %s starts %s, the canary %s ends %s and soaks %s", t.ID, clock(t.Start), c.ID, clock(c.End), time.Duration(d.p.Policy.Soak))
	}
}

// growth: no wave of a stage has more than policy's multiple of the turns of the largest one before it.
func (d *dossier) growth() {
	times := d.p.Policy.WaveGrowth
	if !d.p.Policy.Canary || times <= 0 {
		return
	}
	first, deferred := d.stages()
	for _, stage := range [][]*plan.Turn{first, deferred} {
		turns, begins := map[int]int{}, map[int]time.Time{}
		var waves []int
		for _, t := range stage {
			if turns[t.Wave]++; turns[t.Wave] == 1 {
				waves, begins[t.Wave] = append(waves, t.Wave), t.Start
			}
		}
		sort.Ints(waves)
		largest := 0
		for i, w := range waves {
			d.must(i == 0 || turns[w] <= times*largest, 6, "wave-growth", Subject{}, begins[w], "a smaller wave, or a higher wave_growth",
				"wave %d has %d turns, the largest before it %d, and policy lets waves grow %d-fold", w, turns[w], largest, times)
			largest = max(largest, turns[w])
		}
	}
}
