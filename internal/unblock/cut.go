package unblock

import (
	"cmp"
	"slices"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

const (
	// effort is how many hosts and instances may be planned anew in all, for all causes of a plan.
	effort = 600_000
	// leastShare of it is spent on one cause: rather some causes well than all of them badly.
	leastShare = 50_000
	// attempts at one cause, however small its fleet.
	attempts = 700
	// uncut fleets have so many hosts at most; smallFleet is one in which all sets are tried.
	uncut, smallFleet = 64, 8
	// wholeMost hosts are planned as a whole, where their pools alone would not do.
	wholeMost = 2000
	// aroundMost hosts of the pools concerned are taken where the cause is one of single hosts.
	aroundMost = 400
)

// study is what all causes of a plan are studied with.
type study struct {
	in          planner.Input
	plan        plan.Plan
	ix          *fleet.Index
	left, share int // of the effort; and what this cause may have of it
}

// views are what a cause can be studied in: the pools concerned, and the whole fleet. A view in which the
// cause does not show is of no use.
func (b *study) views(g *blockage) (out []*search) {
	whole := len(b.in.Fleet.Hosts)
	if whole > uncut {
		part := b.cut(g)
		if len(part.Fleet.Hosts) < whole && b.affords(part) {
			blocked, err := planner.Blocked(part)
			b.spend(part)
			if s := b.newSearch(part, blocked, g); err == nil && s.shows() {
				s.part = true
				out = append(out, s)
			}
		}
	}
	if whole <= wholeMost && (len(out) == 0 || b.affords(b.in)) {
		out = append(out, b.newSearch(b.in, b.plan.Blocked, g))
	}
	return out
}

func costOf(in planner.Input) int { return 50 + len(in.Fleet.Hosts) + len(in.Fleet.Instances) }

func (b *study) affords(in planner.Input) bool { return b.share >= 8*costOf(in) }

func (b *study) spend(in planner.Input) { b.left -= costOf(in); b.share -= costOf(in) }

// ofHosts are codes that other hosts of the pool have no part in, except as places to go to.
var ofHosts = map[string]bool{
	"host-down": true, "no-window": true, "host-group-degraded": true, "no-update": true, "no-tactic": true, "no-live-patch": true,
	"slot-too-short": true, "tenant-no-contact": true, "group-degraded": true, "group-in-one-turn": true, "paused": true,
	fleet.LocalDisk: true, fleet.DevicePassed: true, fleet.PinnedToHost: true, "migration-too-long": true, "non-converging": true,
}

// cut leaves of the input the hosts that share a pool with those blocked, or a part of them, and what is on
// these; of groups also the members elsewhere that are down.
func (b *study) cut(g *blockage) planner.Input {
	keep := map[string]bool{}
	for _, id := range g.hosts() {
		keep[id] = true
	}
	for _, id := range g.instances() {
		keep[b.ix.Instances[id].Host] = true
	}
	keepPools(b.ix, keep, ofHosts[g.code])
	for _, id := range sortedKeys(keep) {
		for _, hg := range b.ix.HostGroupsOf[id] {
			for _, down := range downOf(b.ix, hg) {
				keep[down.ID] = true
			}
		}
	}
	guests := map[string]bool{}
	for id := range keep {
		for _, i := range b.ix.On[id] {
			guests[i.ID] = true
			for _, gr := range b.ix.GroupsOf[i.ID] {
				for _, m := range idle(b.ix, gr) {
					guests[m.ID] = true
				}
			}
		}
	}
	return b.only(keep, guests)
}

// keepPools adds the hosts of all pools that those kept are in, and of those that these are in; or of the
// first ones alone and so many at most.
func keepPools(ix *fleet.Index, keep map[string]bool, few bool) {
	var pools []string
	for _, id := range sortedKeys(keep) {
		pools = append(pools, ix.Hosts[id].Pools...)
	}
	pools = sortedUnique(pools)
	seen := map[string]bool{}
	for len(pools) > 0 {
		pool := pools[0]
		pools = pools[1:]
		if seen[pool] {
			continue
		}
		seen[pool] = true
		for _, h := range ix.PoolHosts[pool] {
			if few && len(keep) >= aroundMost {
				break
			}
			keep[h.ID] = true
			if !few {
				pools = append(pools, h.Pools...)
			}
		}
	}
}

// only makes an input of some hosts and instances, with what belongs to them; hosts of other instances come
// with these alone.
func (b *study) only(hosts, guests map[string]bool) planner.Input {
	in, f := b.in, *b.in.Fleet
	f.Hosts, f.Instances, f.Groups, f.HostGroups, f.Tenants = nil, nil, nil, nil, nil
	in.Assessment.Hosts, in.Assessment.Instances = nil, nil
	groups, hostGroups, tenants := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, id := range sortedKeys(guests) {
		i := b.ix.Instances[id]
		f.Instances = append(f.Instances, *i)
		hosts[i.Host], tenants[i.Tenant] = true, true
		for _, g := range b.ix.GroupsOf[id] {
			groups[g.ID] = true
		}
		if v, ok := b.in.Assessment.Instance(id); ok {
			in.Assessment.Instances = append(in.Assessment.Instances, v)
		}
	}
	for _, id := range sortedKeys(hosts) {
		f.Hosts = append(f.Hosts, *b.ix.Hosts[id])
		for _, g := range b.ix.HostGroupsOf[id] {
			hostGroups[g.ID] = true
		}
		if v, ok := b.in.Assessment.Host(id); ok {
			in.Assessment.Hosts = append(in.Assessment.Hosts, v)
		}
	}
	within := func(list []string, of map[string]bool) []string {
		return slices.DeleteFunc(slices.Clone(list), func(id string) bool { return !of[id] })
	}
	for _, id := range sortedKeys(groups) {
		g := *b.ix.Groups[id]
		g.Members = within(g.Members, guests)
		f.Groups = append(f.Groups, g)
	}
	for _, id := range sortedKeys(hostGroups) {
		g := *b.ix.HostGroups[id]
		g.Hosts = within(g.Hosts, hosts)
		f.HostGroups = append(f.HostGroups, g)
	}
	for _, id := range sortedKeys(tenants) {
		if t := b.ix.Tenants[id]; t != nil {
			f.Tenants = append(f.Tenants, *t)
		}
	}
	in.Fleet = &f
	return in
}

// copied is an input whose fleet, target and policy may be changed, as long as lists within its hosts,
// instances and groups are replaced as a whole.
func copied(in planner.Input) planner.Input {
	f := *in.Fleet
	f.Pools, f.HostGroups, f.Tenants, f.Groups = slices.Clone(f.Pools), slices.Clone(f.HostGroups), slices.Clone(f.Tenants), slices.Clone(f.Groups)
	f.Hosts, f.Instances = slices.Clone(f.Hosts), slices.Clone(f.Instances)
	in.Fleet = &f
	if in.Target != nil {
		t := *in.Target
		t.Cohorts = slices.Clone(t.Cohorts)
		in.Target = &t
	}
	in.Policy.Windows = slices.Clone(in.Policy.Windows)
	return in
}

func sortedKeys[T any](m map[string]T) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// hostOf and the others find one thing of a copied input.
func hostOf(in *planner.Input, id string) *fleet.Host {
	return one(in.Fleet.Hosts, func(h *fleet.Host) bool { return h.ID == id })
}

func instanceOf(in *planner.Input, id string) *fleet.Instance {
	return one(in.Fleet.Instances, func(i *fleet.Instance) bool { return i.ID == id })
}

func groupOf(in *planner.Input, id string) *fleet.Group {
	return one(in.Fleet.Groups, func(g *fleet.Group) bool { return g.ID == id })
}

func one[T any](list []T, is func(*T) bool) *T {
	for i := range list {
		if is(&list[i]) {
			return &list[i]
		}
	}
	var none T
	return &none
}

// withVerdict adds what is known of a new host.
func withVerdict(a advisory.Assessment, v advisory.HostVerdict) advisory.Assessment {
	n, _ := slices.BinarySearchFunc(a.Hosts, v.Host, func(h advisory.HostVerdict, id string) int { return cmp.Compare(h.Host, id) })
	a.Hosts = slices.Insert(slices.Clone(a.Hosts), n, v)
	return a
}
