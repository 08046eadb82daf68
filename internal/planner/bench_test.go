package planner_test

import (
	"fmt"
	"testing"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// bench plans a routine cycle and reports how good the plan is.
func bench(b *testing.B, f *fleet.Fleet, p plan.Policy) {
	for b.Loop() {
		out := routine(b, f, p)
		b.ReportMetric(float64(out.Counts.Waves), "waves")
		b.ReportMetric(out.Bounds.WavesRatio, "waves-ratio")
		b.ReportMetric(out.Bounds.MovesRatio, "moves-ratio")
		b.ReportMetric(float64(out.Counts.Blocked), "blocked")
	}
}

// BenchmarkUniform plans uniform fleets: in one pool by capacity alone and by the default policy, and the
// largest in pools of 37.
func BenchmarkUniform(b *testing.B) {
	for _, n := range []int{100, 1000, 10000} {
		for _, percent := range []int64{60, 75, 90} {
			f := uniform(n, 64<<10, 10, 64<<10*percent/1000)
			b.Run(fmt.Sprintf("hosts=%d/used=%d", n, percent), func(b *testing.B) { bench(b, f, plan.ToBound(plan.DefaultPolicy())) })
			if percent == 60 {
				b.Run(fmt.Sprintf("hosts=%d/used=%d/careful", n, percent), func(b *testing.B) { bench(b, f, plan.DefaultPolicy()) })
			}
		}
	}
	f := inPools(uniform(10000, 64<<10, 10, 64<<10*6/100), 37)
	b.Run("hosts=10000/pools=271/used=60", func(b *testing.B) { bench(b, f, plan.ToBound(plan.DefaultPolicy())) })
	b.Run("hosts=10000/pools=271/used=60/careful", func(b *testing.B) { bench(b, f, plan.DefaultPolicy()) })
}

// BenchmarkMixedSizes plans fleets with hosts of two and instances of six sizes.
func BenchmarkMixedSizes(b *testing.B) {
	for _, n := range []int{100, 1000, 10000} {
		for _, percent := range []int{60, 75, 90} {
			f := mixed(n, percent)
			b.Run(fmt.Sprintf("hosts=%d/used=%d", n, percent), func(b *testing.B) { bench(b, f, plan.ToBound(plan.DefaultPolicy())) })
		}
	}
}

// BenchmarkOneByOne plans fleets that have about as many waves as hosts, and one with groups whose members are
// all over the pool.
func BenchmarkOneByOne(b *testing.B) {
	for _, n := range []int{1000, 4000, 16000} {
		for _, f := range []struct {
			name  string
			fleet *fleet.Fleet
		}{
			{"host group", inOneHostGroup(uniform(n, 64<<10, 4, 4<<10), 1)},
			{"group", inOneGroup(uniform(n, 64<<10, 4, 4<<10))},
			{"room", plusOne(uniform(n, 64<<10, 4, 16<<10))},
			{"groups of five", inGroupsOfFive(uniform(n, 64<<10, 10, 4<<10))},
		} {
			b.Run(fmt.Sprintf("hosts=%d/by=%s", n, f.name), func(b *testing.B) { bench(b, f.fleet, plan.ToBound(plan.DefaultPolicy())) })
		}
	}
}

// inOneHostGroup lets so many of all hosts be away at once.
func inOneHostGroup(f *fleet.Fleet, maxAway int) *fleet.Fleet {
	g := fleet.HostGroup{ID: "all", MaxUnavailable: maxAway}
	for _, h := range f.Hosts {
		g.Hosts = append(g.Hosts, h.ID)
	}
	f.HostGroups = append(f.HostGroups, g)
	return f
}

// inOneGroup puts one instance of each host in a group that can spare one.
func inOneGroup(f *fleet.Fleet) *fleet.Fleet {
	f.Groups = append(f.Groups, fleet.Group{ID: "all", MaxUnavailable: 1})
	each := len(f.Instances) / len(f.Hosts)
	for i := range f.Hosts {
		f.Instances[i*each].Group = "all"
	}
	return f
}

// plusOne adds an empty host.
func plusOne(f *fleet.Fleet) *fleet.Fleet {
	f.Hosts = append(f.Hosts, host("spare", f.Hosts[0].MemoryMiB))
	return f
}

// inGroupsOfFive puts three instances of each host in groups of five that can spare one: of five hosts side by
// side, and of five far apart, in two ways.
func inGroupsOfFive(f *fleet.Fleet) *fleet.Fleet {
	n := len(f.Hosts)
	each, stride := len(f.Instances)/n, n/5
	for k := range 3 * stride {
		f.Groups = append(f.Groups, fleet.Group{ID: fmt.Sprintf("g%05d", k), MaxUnavailable: 1, Spread: fleet.SpreadHost})
	}
	for i := range n {
		for k, g := range []int{i / 5, stride + i%stride, 2*stride + (i+i/stride*7)%stride} {
			f.Instances[i*each+k].Group = f.Groups[g].ID
		}
	}
	return f
}

// inPools splits a fleet of one pool into pools of so many hosts, ten to a site.
func inPools(f *fleet.Fleet, of int) *fleet.Fleet {
	f.Pools, f.Sites = nil, nil
	for i := range f.Hosts {
		n := i / of
		if i%of == 0 {
			if n%10 == 0 {
				f.Sites = append(f.Sites, fleet.Site{ID: fmt.Sprintf("s%04d", n/10), Region: f.Regions[0].ID})
			}
			f.Pools = append(f.Pools, fleet.Pool{ID: fmt.Sprintf("p%05d", n), Site: fmt.Sprintf("s%04d", n/10)})
		}
		f.Hosts[i].Pools = []string{fmt.Sprintf("p%05d", n)}
	}
	return f
}

// bigXen has 9,990 hosts in 270 pools of 37, three sites a region, 20 instances a host; nine hosts of ten
// run a build that can be live-patched.
func bigXen() *fleet.Fleet {
	f := xenFleet(9990, 64<<10, 20, 2048)
	f.Regions, f.Sites, f.Pools = nil, nil, nil
	for p := range 270 {
		if p%30 == 0 {
			f.Regions = append(f.Regions, fleet.Region{ID: fmt.Sprintf("r%d", p/30)})
		}
		if p%10 == 0 {
			f.Sites = append(f.Sites, fleet.Site{ID: fmt.Sprintf("s%02d", p/10), Region: fmt.Sprintf("r%d", p/30)})
		}
		f.Pools = append(f.Pools, fleet.Pool{ID: fmt.Sprintf("p%03d", p), Site: fmt.Sprintf("s%02d", p/10)})
	}
	for i := range f.Hosts {
		f.Hosts[i].Pools = []string{fmt.Sprintf("p%03d", i/37)}
		if i%10 == 0 {
			f.Hosts[i].Software.BuildID = "bb"
		}
	}
	return f
}

// BenchmarkMixed plans the fleet above with live patches, another tactic where there is none, and deferred
// reboots.
func BenchmarkMixed(b *testing.B) {
	f, now := bigXen(), at(b, "2026-03-02 09:00")
	for _, then := range []string{"", "reboot"} {
		tg := xenTarget(then)
		b.Run("then="+then, func(b *testing.B) {
			for b.Loop() {
				a := advisory.Assess(f, tg, nil, 0, now)
				p, err := planner.Propose(planner.Input{Fleet: f, Target: tg, Assessment: a, Policy: plan.DefaultPolicy(), Campaign: "c", Now: now, Revision: 1})
				if err != nil || len(p.Blocked) > 0 {
					b.Fatal(err, len(p.Blocked))
				}
				b.ReportMetric(float64(p.Counts.Waves), "waves")
				b.ReportMetric(p.Bounds.WavesRatio, "waves-ratio")
				b.ReportMetric(p.Bounds.MovesRatio, "moves-ratio")
			}
		})
	}
}
