package libvirt

import (
	"testing"
	"time"
)

// rounds makes samples, four a second, of a migration whose rounds begin with so many MiB and are
// sent at rate MiB/s.
func rounds(rate float64, sizes ...float64) (samples []sample) {
	at := 0.0
	for n, size := range sizes {
		for left := size; left > 0; left -= rate / 4 {
			samples = append(samples, sample{time.Duration(at * float64(time.Second)), int64(n + 1), uint64(left * (1 << 20))})
			at += 0.25
		}
	}
	return samples
}

type sample struct {
	at    time.Duration
	round int64
	left  uint64
}

func many(n int, size float64) (all []float64) {
	for range n {
		all = append(all, size)
	}
	return all
}

func TestDetector(t *testing.T) {
	for _, c := range []struct {
		name     string
		samples  []sample
		stuckFor time.Duration
		from, to time.Duration // stuck is first said in between; 0, 0: never
	}{
		{"converges", rounds(20, 160, 60, 20, 5, 1), 3 * time.Second, 0, 0},
		{"one long round is progress", rounds(1, 160), 3 * time.Second, 0, 0},
		{"slow, but each round is smaller", rounds(5, 160, 120, 90, 67, 50, 37, 28, 21, 16), 10 * time.Second, 0, 0},
		{"never", rounds(20, append([]float64{160}, many(20, 60)...)...), 6 * time.Second, 16 * time.Second, 18 * time.Second},
		{"growing rounds", rounds(20, 160, 60, 61, 62, 63, 64, 65, 66, 67, 68), 6 * time.Second, 16 * time.Second, 18 * time.Second},
		{"a hair smaller each time does not count", rounds(20, 160, 60, 59.9, 59.8, 59.7, 59.6, 59.5, 59.4, 59.3, 59.2), 6 * time.Second, 16 * time.Second, 18 * time.Second},
		{"no limit", rounds(20, many(50, 60)...), 0, 0, 0},
		{"stands still", []sample{{0, 1, 100 << 20}, {4 * time.Second, 1, 100 << 20}, {7 * time.Second, 1, 100 << 20}}, 6 * time.Second, 7 * time.Second, 7 * time.Second},
	} {
		d := detector{stuckFor: c.stuckFor}
		t0 := time.Unix(1_000_000, 0)
		said := time.Duration(-1)
		for _, s := range c.samples {
			if d.stuck(t0.Add(s.at), s.round, s.left) {
				said = s.at
				break
			}
		}
		switch never := c.to == 0; {
		case never && said >= 0:
			t.Errorf("%s: called stuck after %s", c.name, said)
		case !never && (said < c.from || said > c.to):
			t.Errorf("%s: called stuck at %s, expected between %s and %s", c.name, said, c.from, c.to)
		}
	}
}
