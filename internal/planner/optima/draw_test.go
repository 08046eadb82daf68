package optima_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/evenkeel/evenkeel/internal/planner/optima"
)

var (
	update = flag.Bool("update", false, "draw and prove the committed cases anew")
	all    = flag.Bool("all", false, "prove all committed cases again, not a sample")
)

const (
	perKind = 20
	effort  = 4_000_000 // steps of the search after which a drawn case is left out
)

// drawers make the cases of each kind.
var drawers = []struct {
	kind string
	draw func(*rand.Rand) optima.Case
}{
	{"uniform", drawUniform},
	{"mixed", func(r *rand.Rand) optima.Case { return fill(r, hosts(r, 4, 8, 16), sizes{1, 2, 4, 8}, 0.5, 0.85) }},
	{"tight", func(r *rand.Rand) optima.Case { return fill(r, hosts(r, 4, 8, 12), sizes{1, 2, 3, 5}, 0.72, 0.92) }},
	{"uneven", func(r *rand.Rand) optima.Case {
		return fill(r, hosts(r, 4, 8, 8, 12, 16, 24), sizes{1, 2, 3, 4, 6}, 0.5, 0.85)
	}},
	{"groups", func(r *rand.Rand) optima.Case {
		c := fill(r, hosts(r, 4, 8, 12, 16), sizes{2, 3, 4}, 0.4, 0.75)
		return group(r, c, 1+r.IntN(3), "")
	}},
	{"spread", func(r *rand.Rand) optima.Case {
		c := fill(r, hosts(r, 4, 8, 12, 16), sizes{2, 3, 4}, 0.4, 0.75)
		for i := range c.Hosts {
			c.Hosts[i].Rack = 1 + i%3
		}
		c = group(r, c, 1+r.IntN(2), "host")
		return group(r, c, 1, "rack")
	}},
	{"pinned", func(r *rand.Rand) optima.Case {
		c := fill(r, hosts(r, 4, 8, 12, 16), sizes{1, 2, 4}, 0.5, 0.8)
		for range 1 + r.IntN(3) {
			c.Instances[r.IntN(len(c.Instances))].Pinned = true
		}
		return c
	}},
	{"hostgroups", func(r *rand.Rand) optima.Case {
		c := fill(r, hosts(r, 4, 8, 12), sizes{1, 2, 3}, 0.4, 0.7)
		for range 1 + r.IntN(2) {
			c.HostGroups = append(c.HostGroups, optima.HostGroup{Hosts: r.Perm(len(c.Hosts))[:2+r.IntN(3)], Max: 1 + r.IntN(2)})
		}
		return c
	}},
	{"pools", func(r *rand.Rand) optima.Case {
		hs := hosts(r, 5, 8, 12, 16)
		for i := range hs {
			switch hs[i].Pools = []int{i % 2}; {
			case i == len(hs)-1 && r.IntN(2) == 0:
				hs[i].Pools = []int{i % 2, 1 - i%2}
			}
		}
		return group(r, fill(r, hs, sizes{1, 2, 4}, 0.35, 0.65), 1, "")
	}},
	{"spares", func(r *rand.Rand) optima.Case {
		hs := hosts(r, 4, 8, 12, 16)
		c := fill(r, hs[1+r.IntN(2):], sizes{1, 2, 3, 4}, 0.5, 0.9)
		away := len(hs) - len(c.Hosts)
		for i := range c.Instances {
			c.Instances[i].Host += away
		}
		c.Hosts = hs
		return c
	}},
	{"every", func(r *rand.Rand) optima.Case {
		c := fill(r, hosts(r, 4, 8, 8, 12, 16), sizes{1, 2, 4}, 0.4, 0.7)
		for i := range c.Hosts {
			c.Hosts[i].Rack = 1 + i%4
		}
		c = group(r, group(r, c, 1, ""), 1, []string{"host", "rack"}[r.IntN(2)])
		c.Instances[r.IntN(len(c.Instances))].Pinned = true
		c.HostGroups = []optima.HostGroup{{Hosts: r.Perm(len(c.Hosts))[:3], Max: 1 + r.IntN(2)}}
		return c
	}},
}

type sizes []int

func hosts(r *rand.Rand, least, most int, gib ...int) []optima.Host {
	out := make([]optima.Host, least+r.IntN(most-least+1))
	for i := range out {
		out[i].GiB = gib[r.IntN(len(gib))]
	}
	return out
}

func drawUniform(r *rand.Rand) optima.Case {
	c := optima.Case{}
	slots := 3 + r.IntN(6)
	n := 3 + r.IntN(6)
	used := min(max(1, slots*(50+r.IntN(45))/100), 24/n)
	for i := range n {
		c.Hosts = append(c.Hosts, optima.Host{GiB: 2*slots + r.IntN(2)})
		if i == 0 && r.IntN(4) == 0 { // a spare
			continue
		}
		for range used {
			c.Instances = append(c.Instances, optima.Instance{Host: i, GiB: 2})
		}
	}
	return c
}

// fill puts instances on hosts up to a share of their memory, at most 24 in all.
func fill(r *rand.Rand, hosts []optima.Host, sizes sizes, least, most float64) optima.Case {
	c := optima.Case{Hosts: hosts}
	share := least + (most-least)*r.Float64()
	for i, h := range hosts {
		left := int(float64(h.GiB)*share + r.Float64())
		for range 24 / len(hosts) {
			if gib := sizes[r.IntN(len(sizes))]; gib <= left {
				left -= gib
				c.Instances = append(c.Instances, optima.Instance{Host: i, GiB: gib})
			}
		}
	}
	return c
}

// group puts some instances into groups of two to four; with a spread, such that it holds at the outset.
func group(r *rand.Rand, c optima.Case, groups int, spread string) optima.Case {
	for range groups {
		c.Groups = append(c.Groups, optima.Group{Max: 1 + r.IntN(4)/3, Spread: spread})
		taken := map[int]bool{}
		n := 0
		for _, i := range r.Perm(len(c.Instances)) {
			in := &c.Instances[i]
			domain := in.Host
			if spread == "rack" {
				domain = c.Hosts[in.Host].Rack
			}
			if in.Group != 0 || spread != "" && taken[domain] || n == 4 {
				continue
			}
			taken[domain] = true
			in.Group = len(c.Groups)
			if n++; n >= 2 && r.IntN(3) == 0 {
				break
			}
		}
	}
	return c
}

// draw makes the cases of all kinds: those that have a plan, that the search can prove, and that need more
// than one wave.
func draw(t *testing.T) (out []optima.Case) {
	hard := 0
	for k, d := range drawers {
		r := rand.New(rand.NewPCG(5, uint64(k)))
		for n := 0; n < perKind; {
			c := d.draw(r)
			if len(c.Instances) < 5 || len(c.Instances) > 24 {
				continue
			}
			waves, moves, err := optima.Solve(&c, effort)
			if errors.Is(err, optima.ErrTooHard) {
				hard++
			}
			if err != nil || waves < 2 {
				continue
			}
			n++
			c.Name, c.Waves, c.Moves = fmt.Sprintf("%s-%02d", d.kind, n), waves, moves
			out = append(out, c)
		}
		t.Logf("%s: done, %d were too hard so far", d.kind, hard)
	}
	return out
}

// TestDraw writes the committed cases when asked to.
func TestDraw(t *testing.T) {
	if !*update {
		t.Skip("only with -update")
	}
	var b bytes.Buffer
	for _, c := range draw(t) {
		p, err := c.Plan()
		if err != nil {
			t.Fatal(err)
		}
		c.WavesMin, c.MovesMin = p.Bounds.WavesMin, p.Bounds.MovesMin
		line, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(line, '\n'))
	}
	if err := os.WriteFile("testdata/cases.jsonl", b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
