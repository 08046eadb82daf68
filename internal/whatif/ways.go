package whatif

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
	"github.com/evenkeel/evenkeel/internal/unblock"
)

// Way is one thing to do otherwise.
type Way struct {
	Name string
	What func(in *planner.Input) string
	// apply changes a copy; false: it would change nothing here.
	apply func(in *planner.Input) bool
	// measure: it is there to measure by, and no choice: what it gives up does not show in its numbers.
	measure bool
}

func said(words string) func(*planner.Input) string {
	return func(*planner.Input) string { return words }
}

// Ways are what is compared unless somebody asks otherwise: people's terms first, then what costs machines,
// then what costs people.
func Ways() []Way {
	return []Way{
		{"twice away", func(in *planner.Input) string {
			return fmt.Sprintf("%d %% of a pool away at once, not %d %%", twiceAway(&in.Policy), in.Policy.MaxAwayPercent)
		}, func(in *planner.Input) bool { return raised(&in.Policy.MaxAwayPercent, twiceAway(&in.Policy)) }, false},
		{"all that fits", said("as many hosts away at once as capacity allows, the reserve kept"), func(in *planner.Input) bool {
			growth := in.Policy.WaveGrowth > 0 && in.Policy.Canary
			in.Policy.WaveGrowth = 0
			return raised(&in.Policy.MaxAwayPercent, 100) || growth
		}, false},
		{"twice the moves", func(in *planner.Input) string {
			return fmt.Sprintf("%d migrations at once from a host and %d in a pool, not %d and %d",
				2*in.Policy.MovesPerHost, 2*in.Policy.MovesPerPool, in.Policy.MovesPerHost, in.Policy.MovesPerPool)
		}, func(in *planner.Input) bool {
			in.Policy.MovesPerHost, in.Policy.MovesPerPool = 2*in.Policy.MovesPerHost, 2*in.Policy.MovesPerPool
			return max(in.Policy.MovesPerHost, in.Policy.MovesPerPool) <= mostMoves
		}, false},
		spares(1), spares(4),
		{"bring home", said("each instance goes back to its host when that is done"), func(in *planner.Input) bool { return goes(in, plan.HomeReturn) }, false},
		{"stay", said("instances stay where they landed"), func(in *planner.Input) bool { return goes(in, plan.HomeStay) }, false},
		{"settle", said("instances stay where they landed, but for the few without whom their pool would be worse off than it was found"),
			func(in *planner.Input) bool { return goes(in, plan.HomeSettle) }, false},
		{"at any hour", said("no windows: any hour of any day"), anyHour, false},
		{"no canary", said("no canary and no soak: the first wave is as big as the rest"), func(in *planner.Input) bool { return set(&in.Policy.Canary, false) }, false},
		{"nobody stopped", said("nobody is saved or stopped: what cannot move keeps its host waiting"), func(in *planner.Input) bool { return tactics(in, plan.Suspend, plan.Reboot) }, false},
		{"saved, not moved", said("instances are saved in their slots and restored, and not moved"), savedNotMoved, false},
		{"p95", said("reckoned to the 95th percentile of each step, not to the 99th"), func(in *planner.Input) bool { return reckoned(in, z95) }, true},
		{"median", said("reckoned to what each step takes as a rule: every second slot would overrun"), func(in *planner.Input) bool { return reckoned(in, 0) }, true},
		{"bound", said("the quickest that capacity and the fleet's own rules allow (profile bound)"), func(in *planner.Input) bool {
			in.Policy = plan.ToBound(in.Policy)
			return in.Profile != plan.Bound
		}, true},
	}
}

// goes has instances go home by another rule.
func goes(in *planner.Input, to plan.Home) bool {
	changed := in.Policy.HomeRule() != to
	in.Policy.Home, in.Policy.BringHome = to, to == plan.HomeReturn
	return changed
}

func set(flag *bool, to bool) bool {
	changed := *flag != to
	*flag = to
	return changed
}

func raised(n *int, to int) bool {
	changed := *n < to
	*n = max(*n, to)
	return changed
}

func twiceAway(p *plan.Policy) int { return min(100, 2*p.MaxAwayPercent) }

func anyHour(in *planner.Input) bool {
	if len(in.Policy.Windows) == 0 || slices.ContainsFunc(in.Policy.Windows, func(w plan.WindowRule) bool {
		return w.Always && len(w.Regions)+len(w.Sites) == 0 && w.Hypervisor == ""
	}) {
		return false
	}
	in.Policy.Windows = []plan.WindowRule{{Always: true}}
	return true
}

// tactics forbids some.
func tactics(in *planner.Input, not ...plan.Tactic) bool {
	n := len(in.Policy.Tactics)
	in.Policy.Tactics = slices.DeleteFunc(in.Policy.Tactics, func(t plan.Tactic) bool { return slices.Contains(not, t) })
	return len(in.Policy.Tactics) < n
}

func savedNotMoved(in *planner.Input) bool {
	if !slices.Contains(in.Policy.Tactics, plan.Evacuate) {
		return false
	}
	if tactics(in, plan.Evacuate); !slices.Contains(in.Policy.Tactics, plan.Suspend) {
		in.Policy.Tactics = append(in.Policy.Tactics, plan.Suspend)
	}
	return true
}

// Quantiles of the normal distribution.
const z95, z99 = 1.6449, 2.3263

// reckoned has each step's longest time be another quantile of it than the 99th. A step's time is taken to be
// log-normal, with the policy's expected time as its median and its longest as its 99th percentile: an assumption,
// since a policy says no more of it than these two.
func reckoned(in *planner.Input, z float64) bool {
	t, changed := &in.Policy.Times, false
	for _, step := range []struct{ usual, most *plan.Duration }{{&t.Update, &t.UpdateMax}, {&t.Patch, &t.PatchMax}, {&t.Reboot, &t.RebootMax}} {
		if *step.usual <= 0 || *step.most <= *step.usual {
			continue
		}
		*step.most = plan.Duration(math.Round(float64(*step.usual)*math.Pow(float64(*step.most)/float64(*step.usual), z/z99)/1e9) * 1e9)
		changed = true
	}
	in.Policy.TimesFor = slices.Clone(in.Policy.TimesFor)
	for i := range in.Policy.TimesFor { // of which the longest time follows from the 95th percentile
		if s := &in.Policy.TimesFor[i].Reboot; s.P95 > s.Median {
			s.P95 = plan.Duration(math.Round(float64(s.Median)*math.Pow(float64(s.P95)/float64(s.Median), z/z99)/1e9) * 1e9)
			changed = true
		}
	}
	return changed
}

// spares adds so many empty hosts to each pool in which hosts need a turn.
func spares(n int) Way {
	name := fmt.Sprintf("%d spare", n)
	if n > 1 {
		name += "s"
	}
	return Way{name, func(in *planner.Input) string { return spareHosts(in, n) + " in each pool that needs turns" },
		func(in *planner.Input) bool { return addSpares(in, n) }, false}
}

// spareHosts says what is added. A routine cycle has no target that a host could be at: it reboots those too.
func spareHosts(in *planner.Input, n int) string {
	hosts := "1 more host, empty"
	if n > 1 {
		hosts = fmt.Sprintf("%d more hosts, empty", n)
	}
	if in.Target == nil {
		return hosts + " and rebooted too,"
	}
	return hosts + " and at the target,"
}

func addSpares(in *planner.Input, n int) bool {
	largest := map[string]*fleet.Host{}
	for i := range in.Fleet.Hosts {
		h := &in.Fleet.Hosts[i]
		if len(h.Pools) == 0 || !h.IsUp() || !h.Can(fleet.CanLiveMigrate) || !needs(in, h.ID) {
			continue
		}
		pool := h.Pools[0]
		if o := largest[pool]; o == nil || cmp.Or(cmp.Compare(h.MemoryMiB, o.MemoryMiB), strings.Compare(o.ID, h.ID)) > 0 {
			largest[pool] = h
		}
	}
	taken := map[string]bool{}
	for i := range in.Fleet.Hosts {
		taken[in.Fleet.Hosts[i].ID] = true
	}
	for _, pool := range slices.Sorted(maps.Keys(largest)) {
		like := *largest[pool]
		for k := range n {
			id := fmt.Sprintf("spare-%s-%d", pool, k+1)
			for taken[id] { // the fleet has one of that name
				id += "x"
			}
			taken[id] = true
			unblock.AddHost(in, id, pool, &like)
		}
	}
	return len(largest) > 0
}

// needs: a host is affected, or the cycle is for all.
func needs(in *planner.Input, host string) bool {
	if in.Target == nil {
		return true
	}
	i, ok := slices.BinarySearchFunc(in.Assessment.Hosts, host, func(v advisory.HostVerdict, id string) int { return strings.Compare(v.Host, id) })
	return ok && in.Assessment.Hosts[i].Verdict == advisory.IsAffected
}
