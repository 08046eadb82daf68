package unblock

import (
	"cmp"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// blocked for one of its instances: no cause of its own.
const codeOfInstance = "instance-blocked"

// blockage is what is blocked for one cause: a code, with the pool in which it holds or with the one
// group or tenant at fault.
type blockage struct {
	code, pool string
	entity     string         // id of the group, host group or tenant at fault; empty: there is none
	own        []plan.Blocked // in the plan's order
	waiting    []string       // hosts that are blocked for an instance of own, by id
}

func (g *blockage) hosts() []string {
	list := slices.Clone(g.waiting)
	for _, b := range g.own {
		if b.Host != "" {
			list = append(list, b.Host)
		}
	}
	return sortedUnique(list)
}

func (g *blockage) instances() (list []string) {
	for _, b := range g.own {
		if b.Instance != "" {
			list = append(list, b.Instance)
		}
	}
	return sortedUnique(list)
}

// group tells causes apart: the largest first, then by code, pool and entity.
func group(ix *fleet.Index, all []plan.Blocked) []*blockage {
	var out []*blockage
	byKey := map[[3]string]*blockage{}
	waits := map[string]bool{}
	for _, b := range all {
		if b.Code == codeOfInstance {
			waits[b.Host] = true
		}
	}
	for _, b := range all {
		if b.Code == codeOfInstance {
			continue
		}
		host := b.Host
		if i := ix.Instances[b.Instance]; i != nil {
			host = i.Host
		}
		key := [3]string{b.Code, poolOf(ix, host), entityOf(ix, b)}
		if key[2] != "" {
			key[1] = ""
		}
		g := byKey[key]
		if g == nil {
			g = &blockage{code: key[0], pool: key[1], entity: key[2]}
			byKey[key], out = g, append(out, g)
		}
		g.own = append(g.own, b)
		if b.Instance != "" && waits[host] {
			g.waiting = append(g.waiting, host)
		}
	}
	for _, g := range out {
		g.waiting = sortedUnique(g.waiting)
	}
	slices.SortStableFunc(out, func(a, b *blockage) int {
		return cmp.Or(cmp.Compare(len(b.own)+len(b.waiting), len(a.own)+len(a.waiting)),
			strings.Compare(a.code, b.code), strings.Compare(a.pool, b.pool), strings.Compare(a.entity, b.entity))
	})
	return out
}

func poolOf(ix *fleet.Index, host string) string {
	if p := ix.HomePool(host); p != nil {
		return p.ID
	}
	return ""
}

// entityOf is the one thing at fault, where a code has one.
func entityOf(ix *fleet.Index, b plan.Blocked) string {
	switch b.Code {
	case "tenant-no-contact":
		if i := ix.Instances[b.Instance]; i != nil {
			return i.Tenant
		}
	case "group-degraded", "group-in-one-turn":
		for _, g := range groupsAtFault(ix, b) {
			return g.ID
		}
	case "host-group-degraded":
		for _, g := range ix.HostGroupsOf[b.Host] {
			if len(downOf(ix, g)) >= g.MaxUnavailable {
				return g.ID
			}
		}
	}
	return ""
}

// groupsAtFault are those that can spare no more, or not all whom one turn would disturb; the ones that
// say so themselves first.
func groupsAtFault(ix *fleet.Index, b plan.Blocked) (out []*fleet.Group) {
	guests := []*fleet.Instance{ix.Instances[b.Instance]}
	if b.Instance == "" {
		guests = ix.On[b.Host]
	}
	for _, i := range guests {
		if i == nil {
			continue
		}
		for _, g := range ix.GroupsOf[i.ID] {
			spare := g.Allowed() - len(idle(ix, g))
			there := 0
			for _, m := range ix.Members[g.ID] {
				if m.Host == i.Host && m.TakesMemory() {
					there++
				}
			}
			if (spare <= 0 || there > spare) && !slices.Contains(out, g) {
				out = append(out, g)
			}
		}
	}
	slices.SortStableFunc(out, func(x, y *fleet.Group) int {
		return cmp.Compare(said(b.Why, y.ID), said(b.Why, x.ID))
	})
	return out
}

// said: a sentence names an id as a word of its own.
func said(why, id string) int {
	for _, word := range strings.FieldsFunc(why, func(r rune) bool { return strings.ContainsRune(" ,;:()", r) }) {
		if word == id {
			return 1
		}
	}
	return 0
}

// idle are the members of a group that do not serve, from whatever cause.
func idle(ix *fleet.Index, g *fleet.Group) (out []*fleet.Instance) {
	for _, m := range ix.Members[g.ID] {
		h := ix.Hosts[m.Host]
		if cmp.Or(m.State, fleet.Running) != fleet.Running || h != nil && h.Health == fleet.Down {
			out = append(out, m)
		}
	}
	return out
}

// downOf are the hosts of a host group that do not answer.
func downOf(ix *fleet.Index, g *fleet.HostGroup) (out []*fleet.Host) {
	for _, id := range sortedUnique(slices.Clone(g.Hosts)) {
		if h := ix.Hosts[id]; h != nil && h.Health == fleet.Down {
			out = append(out, h)
		}
	}
	return out
}
