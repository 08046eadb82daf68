package planner_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// mixed has hosts of 128 and 256 GiB, each used to so many percent, a tenth more or less, by instances of 1,
// 2, 4, 8, 16 and 32 GiB.
func mixed(n, percent int) *fleet.Fleet {
	f, seed := base(), uint64(42)
	draw := func(k int) int {
		seed = seed*6364136223846793005 + 1442695040888963407
		return int((seed >> 33) % uint64(k))
	}
	for i := range n {
		mem := int64(128 << 10)
		if draw(3) == 0 {
			mem *= 2
		}
		h := fmt.Sprintf("h%05d", i)
		f.Hosts = append(f.Hosts, host(h, mem))
		left := mem * int64(percent) / 100
		left = min(left+left*int64(draw(21)-10)/100, mem)
		for k := 0; left >= 1<<10; k++ {
			size := int64(1<<10) << draw(6)
			for size > left {
				size /= 2
			}
			left -= size
			f.Instances = append(f.Instances, vm(fmt.Sprintf("v%05d-%02d", i, k), h, size))
		}
	}
	return f
}

// manySizes has hosts of 128, 192 and 256 GiB, each used to so many percent by instances of 1 to 32 GiB.
func manySizes(n, percent int) *fleet.Fleet {
	f := base()
	for i := range n {
		mem := []int64{128, 256, 192}[i%3] << 10
		h := host(fmt.Sprintf("h%05d", i), mem)
		h.NICMbps = 25_000
		f.Hosts = append(f.Hosts, h)
		draw, left := rand.New(rand.NewPCG(uint64(percent), uint64(i))), mem*int64(percent)/100
		for k := 0; left >= 1<<10; k++ {
			size := int64(1<<10) << []int{0, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 5}[draw.IntN(12)]
			for size > left {
				size /= 2
			}
			left -= size
			f.Instances = append(f.Instances, vm(fmt.Sprintf("v%05d-%02d", i, k), h.ID, size))
		}
	}
	return f
}

// TestUniformQuality: uniform fleets have as many waves as must be, and hardly a move more than must be.
func TestUniformQuality(t *testing.T) {
	for _, n := range []int{37, 100, 250} {
		for _, slots := range []int{16, 14, 13, 12, 11} { // 10 of them used
			p := routine(t, uniform(n, int64(slots)<<12, 10, 1<<12), plan.ToBound(plan.DefaultPolicy()))
			if p.Counts.Waves != p.Bounds.WavesMin || float64(p.Counts.Moves) > 1.02*float64(p.Bounds.MovesMin) || len(p.Blocked) > 0 {
				t.Errorf("%d hosts, 10 of %d places used: %+v, bounds %+v", n, slots, p.Counts, p.Bounds)
			}
		}
	}
}

// TestMixedQuality: fleets of mixed sizes need at most a wave more than must be, and few moves and little time
// more. On slow links the time to fill a large host, which the bound does not know of, counts for more.
func TestMixedQuality(t *testing.T) {
	for _, c := range []struct {
		percent           int
		moves, slow, fast float64 // to M2, and of time on links of 10 and of 25 Gbit/s
	}{{60, 1.03, 1.24, 1.13}, {70, 1.06, 1.24, 1.135}, {80, 1.08, 1.44, 1.335}, {85, 1.07, 1.12, 1.07}, {90, 1.08, 1.10, 1.06}} {
		for mbps, most := range map[int64]float64{10_000: c.slow, 25_000: c.fast} {
			f := mixed(300, c.percent)
			for i := range f.Hosts {
				f.Hosts[i].NICMbps = mbps
			}
			p := routine(t, f, plan.ToBound(plan.DefaultPolicy()))
			b := p.Bounds
			t.Logf("%d %%, %d Mbit/s: moves %.3f x M2, time %.3f x its bound", c.percent, mbps, float64(p.Counts.Moves)/float64(b.MovesM2), float64(b.MakespanS)/float64(b.MakespanMinS))
			if p.Counts.Waves > b.WavesMin+1 || float64(p.Counts.Moves) > c.moves*float64(b.MovesM2) || float64(b.MakespanS) > most*float64(b.MakespanMinS) || len(p.Blocked) > 0 {
				t.Errorf("%d %%, %d Mbit/s: %+v, bounds %+v", c.percent, mbps, p.Counts, b)
			}
		}
	}
}

// TestManySizesQuality: so do fleets of three sizes of hosts, of which each is used to the same percentage, at 60 and at
// 90 %: in the fewest waves, and in hardly more time than must be.
func TestManySizesQuality(t *testing.T) {
	for percent, time := range map[int]float64{60: 1.14, 90: 1.10} {
		p := routine(t, manySizes(1000, percent), plan.ToBound(plan.DefaultPolicy()))
		b := p.Bounds
		moves, ratio := float64(p.Counts.Moves)/float64(b.MovesM2), float64(b.MakespanS)/float64(b.MakespanMinS)
		if p.Counts.Waves != b.WavesMin || moves > 1.07 || ratio > time || len(p.Blocked) > 0 {
			t.Errorf("%d %%: moves %.3f x M2, time %.3f x its bound, %+v, bounds %+v", percent, moves, ratio, p.Counts, b)
		}
	}
}

// TestRestraint: waves that are held back never cost a turn or a stop, nor a wave where those count.
func TestRestraint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.SampledFrom([]func(*rapid.T) planner.Input{drawInput, drawMixed}).Draw(t, "input")(t)
		if rapid.Bool().Draw(t, "lifted") {
			in.Policy, in.Profile = plan.ToBound(in.Policy), plan.Bound
		}
		p, err := planner.Propose(in)
		if err != nil {
			t.Fatal(err)
		}
		q, err := planner.Unpaced(in)
		if err != nil {
			t.Fatal(err)
		}
		a, b := p.Counts, q.Counts
		if in.Profile != plan.Bound { // what people lose comes first, and waves are none of it
			if of, other := plan.TollOf(p.Fleet, &p), plan.TollOf(q.Fleet, &q); of.Compare(other) > 0 && a.Blocked+a.Stops > b.Blocked+b.Stops {
				t.Errorf("held back: %+v, else %+v\n%s\n%s", of, other, told(p), told(q))
			}
			return
		}
		switch {
		case a.Blocked > b.Blocked, a.Blocked == b.Blocked && a.Stops > b.Stops, a.Blocked == b.Blocked && a.Stops == b.Stops && a.Waves > b.Waves:
			t.Errorf("held back: %+v, else %+v\n%s\n%s", a, b, told(p), told(q))
		}
	})
}

// TestSteady: an instance or a host more or less changes the wave of few turns, where it does not change
// how many waves there are.
func TestSteady(t *testing.T) {
	fleets := map[string]func() *fleet.Fleet{
		"uniform, 60 %": func() *fleet.Fleet { return uniform(400, 64<<10, 10, 3900) },
		"uniform, 75 %": func() *fleet.Fleet { return uniform(400, 64<<10, 10, 4900) },
		"mixed, 60 %":   func() *fleet.Fleet { return mixed(400, 60) },
		"mixed, 70 %":   func() *fleet.Fleet { return mixed(400, 70) },
	}
	for name, fresh := range fleets {
		before := routine(t, fresh(), plan.ToBound(plan.DefaultPolicy()))
		for what, change := range map[string]func(*fleet.Fleet){
			"one instance more": func(f *fleet.Fleet) { f.Instances = append(f.Instances, vm("x", f.Hosts[120].ID, 1024)) },
			"one instance less": func(f *fleet.Fleet) { f.Instances = f.Instances[1:] },
			"one host less": func(f *fleet.Fleet) {
				gone := f.Hosts[200].ID
				f.Hosts = append(f.Hosts[:200:200], f.Hosts[201:]...)
				var left []fleet.Instance
				for _, i := range f.Instances {
					if i.Host != gone {
						left = append(left, i)
					}
				}
				f.Instances = left
			},
		} {
			f := fresh()
			change(f)
			after := routine(t, f, plan.ToBound(plan.DefaultPolicy()))
			wave, changed := map[string]int{}, 0
			for _, u := range before.Turns {
				wave[u.Host] = u.Wave
			}
			for _, u := range after.Turns {
				if wave[u.Host] != u.Wave {
					changed++
				}
			}
			if before.Counts.Waves != after.Counts.Waves || changed*100 > 3*len(before.Turns) {
				t.Errorf("%s, %s: %d of %d turns change their wave; %d waves, then %d", name, what, changed, len(before.Turns), before.Counts.Waves, after.Counts.Waves)
			}
		}
	}
}
