package unblock

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// placesMost hosts are tried for one instance that could be put elsewhere ahead of the plan.
const placesMost = 3

// apart puts members of a group elsewhere that one turn of their host would disturb together. The first places of
// different members are different hosts, so that all of them may be moved.
func (c *collector) apart(b plan.Blocked, h *fleet.Host) {
	for _, g := range groupsAtFault(c.ix, b) {
		members := slices.DeleteFunc(slices.Clone(c.ix.Members[g.ID]), func(m *fleet.Instance) bool { return m.Host != h.ID || !m.TakesMemory() })
		slices.SortFunc(members, func(a, b *fleet.Instance) int {
			return cmp.Or(cmp.Compare(a.MemoryMiB, b.MemoryMiB), strings.Compare(a.ID, b.ID))
		})
		n := 0
		for _, m := range members {
			places := c.places(m, h)
			for k := range min(len(places), placesMost) {
				c.put(movedTo(m, h, places[(n+k)%len(places)]))
			}
			n += min(len(places), 1)
		}
	}
}

// places are the hosts that an instance could be moved to by hand, alive or stopped: those with fewest members of
// its groups first, then those with most room.
func (c *collector) places(i *fleet.Instance, from *fleet.Host) (out []*fleet.Host) {
	room, kin := map[string]int64{}, map[string]int{}
	for _, pool := range from.Pools {
		for _, to := range c.ix.PoolHosts[pool] {
			if to == from || slices.Contains(out, to) || canBePut(c.ix, i, from, to) != nil {
				continue
			}
			if room[to.ID] = to.MemoryMiB - taken(c.ix, to); room[to.ID] < i.MemoryMiB {
				continue
			}
			for _, g := range c.ix.GroupsOf[i.ID] {
				kin[to.ID] += membersOn(c.ix, g, to.ID)
			}
			out = append(out, to)
		}
	}
	slices.SortFunc(out, func(a, b *fleet.Host) int {
		return cmp.Or(cmp.Compare(kin[a.ID], kin[b.ID]), cmp.Compare(room[b.ID], room[a.ID]), strings.Compare(a.ID, b.ID))
	})
	return out
}

// canBePut: whatever a host lacks for live migration does not keep an instance from being stopped here and
// started there.
func canBePut(ix *fleet.Index, i *fleet.Instance, from, to *fleet.Host) *fleet.Reason {
	a, b := *from, *to
	a.Capabilities, b.Capabilities, a.VirtCaps, b.VirtCaps = nil, nil, nil, nil
	return fleet.CanMove(ix, i, &a, &b)
}

func taken(ix *fleet.Index, h *fleet.Host) (mib int64) {
	for _, i := range ix.On[h.ID] {
		if i.TakesMemory() {
			mib += i.MemoryMiB
		}
	}
	return mib
}

func membersOn(ix *fleet.Index, g *fleet.Group, host string) (n int) {
	for _, m := range ix.Members[g.ID] {
		if m.Host == host {
			n++
		}
	}
	return n
}

func movedTo(i *fleet.Instance, from, to *fleet.Host) *option {
	words := fmt.Sprintf("move instance %s from host %s to host %s ahead of the plan", i.ID, from.ID, to.ID)
	if !from.Can(fleet.CanLiveMigrate) || !to.Can(fleet.CanLiveMigrate) {
		words += ", stopped meanwhile"
	}
	id, host := i.ID, to.ID
	o := ofInstance(i, ofOne, "host", host, words, func(i *fleet.Instance) { i.Host = host })
	o.only, o.moves = subject{}, id // it frees others too that stay
	return o
}

// holds: where instances are put ahead of the plan there is room for all of them, and their groups stay spread.
func holds(in planner.Input, set []pick) bool {
	var ix *fleet.Index
	for _, m := range set {
		if m.moves == "" {
			continue
		}
		if ix == nil {
			ix = fleet.NewIndex(in.Fleet)
		}
		i := ix.Instances[m.moves]
		if h := ix.Hosts[i.Host]; taken(ix, h) > h.MemoryMiB {
			return false
		}
		for _, g := range ix.GroupsOf[i.ID] {
			if g.Spread == fleet.SpreadNone {
				continue
			}
			at := ix.Domain(g.Spread, i.Host)
			if slices.ContainsFunc(ix.Members[g.ID], func(o *fleet.Instance) bool { return o.ID != i.ID && at != "" && ix.Domain(g.Spread, o.Host) == at }) {
				return false
			}
		}
	}
	return true
}
