package optima_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/evenkeel/evenkeel/internal/planner/optima"
)

// brute tries all waves and all destinations of a tiny case, breadth first over plain maps, without any
// bound or symmetry.
func brute(c *optima.Case) (waves, moves int) {
	type state struct {
		at   string // instance -> host
		done int
	}
	all := 1<<len(c.Hosts) - 1
	start := make([]byte, len(c.Instances))
	for i, in := range c.Instances {
		start[i] = byte(in.Host)
	}
	now := map[state]int{{string(start), 0}: 0}
	for waves = 1; len(now) > 0; waves++ {
		next := map[state]int{}
		for s, cost := range now {
			for set := 1; set <= all; set++ {
				if set&all == set && set&s.done == 0 {
					for at, moved := range outcomes(c, s.at, set) {
						k := state{at, s.done | set}
						if old, ok := next[k]; !ok || cost+moved < old {
							next[k] = cost + moved
						}
					}
				}
			}
		}
		best := -1
		for s, cost := range next {
			if s.done == all && (best < 0 || cost < best) {
				best = cost
			}
		}
		if best >= 0 {
			return waves, best
		}
		now = next
	}
	return 0, 0
}

// outcomes are the places after a wave, with the moves that it took.
func outcomes(c *optima.Case, at string, set int) map[string]int {
	out := map[string]int{}
	for _, hg := range c.HostGroups {
		n := 0
		for _, h := range hg.Hosts {
			n += set >> h & 1
		}
		if n > hg.Max {
			return nil
		}
	}
	for g := range c.Groups {
		stay, leaves := 0, map[byte]bool{}
		for i, in := range c.Instances {
			if in.Group == g+1 && set>>at[i]&1 == 1 {
				if in.Pinned {
					stay++
				} else {
					leaves[at[i]] = true
				}
			}
		}
		if stay+len(leaves) > c.Groups[g].Max {
			return nil
		}
	}
	to := []byte(at)
	var choose func(i, moved int)
	choose = func(i, moved int) {
		if i == len(at) {
			if lawful(c, at, string(to)) {
				out[string(to)] = moved
			}
			return
		}
		in := c.Instances[i]
		if set>>at[i]&1 == 0 || in.Pinned {
			choose(i+1, moved)
			return
		}
		for h := range c.Hosts {
			if set>>h&1 == 0 {
				to[i] = byte(h)
				choose(i+1, moved+1)
			}
		}
		to[i] = at[i]
	}
	choose(0, 0)
	return out
}

// lawful: both ends of all moves have the memory, pools are kept, and no two of a spread group share a domain.
func lawful(c *optima.Case, at, to string) bool {
	used := make([]int, len(c.Hosts))
	domain := func(g optima.Group, h byte) string {
		if r := c.Hosts[h].Rack; g.Spread == "rack" && r > 0 {
			return fmt.Sprint("rack", r)
		}
		return fmt.Sprint("host", h)
	}
	for i, in := range c.Instances {
		used[to[i]] += in.GiB
		if to[i] == at[i] {
			continue
		}
		used[at[i]] += in.GiB
		if !meet(c.Hosts[at[i]], c.Hosts[to[i]]) {
			return false
		}
		if in.Group == 0 || c.Groups[in.Group-1].Spread == "" {
			continue
		}
		g := c.Groups[in.Group-1]
		for j, o := range c.Instances {
			if j != i && o.Group == in.Group && (domain(g, at[j]) == domain(g, to[i]) || domain(g, to[j]) == domain(g, to[i])) {
				return false
			}
		}
	}
	for h := range c.Hosts {
		if used[h] > c.Hosts[h].GiB {
			return false
		}
	}
	return true
}

func meet(a, b optima.Host) bool {
	pools := func(h optima.Host) []int {
		if len(h.Pools) == 0 {
			return []int{0}
		}
		return h.Pools
	}
	for _, p := range pools(a) {
		for _, q := range pools(b) {
			if p == q {
				return true
			}
		}
	}
	return false
}

// TestAgainstBrute: on tiny cases of every kind the search finds what plain trying finds.
func TestAgainstBrute(t *testing.T) {
	checked, never := 0, 0
	for k, d := range drawers {
		r := rand.New(rand.NewPCG(77, uint64(k)))
		for n := 0; n < 25; {
			c := d.draw(r)
			if shrink(r, &c); len(c.Instances) == 0 {
				continue
			}
			n++
			wantWaves, wantMoves := brute(&c)
			waves, moves, err := optima.Solve(&c, 1_000_000)
			if wantWaves == 0 && err == optima.ErrNever {
				never++
				continue
			}
			if err != nil || waves != wantWaves || moves != wantMoves {
				t.Fatalf("%s: %d waves, %d moves, %v; by trying %d, %d\n%+v", d.kind, waves, moves, err, wantWaves, wantMoves, c)
			}
			checked++
		}
	}
	if checked < 100 || never == 0 {
		t.Errorf("%d cases compared, %d without a plan", checked, never)
	}
}

// shrink leaves four hosts and six instances of a case.
func shrink(r *rand.Rand, c *optima.Case) {
	n := min(4, len(c.Hosts))
	c.Hosts = c.Hosts[:n]
	var kept []optima.Instance
	for _, i := range r.Perm(len(c.Instances)) {
		if in := c.Instances[i]; in.Host < n && len(kept) < 6 {
			kept = append(kept, in)
		}
	}
	c.Instances = kept
	for h := range c.Hosts { // as full as before
		used := 0
		for _, in := range kept {
			if in.Host == h {
				used += in.GiB
			}
		}
		c.Hosts[h].GiB = max(used, min(c.Hosts[h].GiB, used+1+r.IntN(6)))
	}
	for i := range c.HostGroups {
		var in []int
		for _, h := range c.HostGroups[i].Hosts {
			if h < n {
				in = append(in, h)
			}
		}
		c.HostGroups[i].Hosts = in
	}
}
