package fleet

import (
	"fmt"

	"github.com/evenkeel/evenkeel/internal/form"
)

// check finds what is wrong in a fleet whose parts each have the right shape: ids that stand
// twice, references that lead nowhere, groups and hosts that cannot be as they are written.
func check(name string, at form.Positions, f *Fleet) form.Mistakes {
	c := &checker{name: name, at: at, ix: NewIndex(f)}
	c.ids(f)
	c.sizes(f)
	c.places(f)
	c.hosts(f)
	c.links(f)
	c.groups(f)
	c.instances(f)
	c.facts(f)
	c.owned(f)
	return c.mistakes
}

// checker gathers mistakes in one fleet.
type checker struct {
	name     string
	at       form.Positions
	ix       *Index
	mistakes form.Mistakes
}

func (c *checker) wrong(path, found, expected string) {
	c.mistakes = append(c.mistakes, form.Wrong(c.name, c.at, path, found, expected))
}

// ids: each is unique among its kind.
func (c *checker) ids(f *Fleet) {
	unique(c, "regions", f.Regions, func(r *Region) string { return r.ID })
	unique(c, "sites", f.Sites, func(s *Site) string { return s.ID })
	unique(c, "pools", f.Pools, func(p *Pool) string { return p.ID })
	unique(c, "host_groups", f.HostGroups, func(g *HostGroup) string { return g.ID })
	unique(c, "links", f.Links, func(l *Link) string { return l.ID })
	unique(c, "tenants", f.Tenants, func(t *Tenant) string { return t.ID })
	unique(c, "groups", f.Groups, func(g *Group) string { return g.ID })
	unique(c, "hosts", f.Hosts, func(h *Host) string { return h.ID })
	unique(c, "instances", f.Instances, func(i *Instance) string { return i.ID })
}

func unique[T any](c *checker, list string, all []T, id func(*T) string) {
	first := make(map[string]int, len(all))
	for n := range all {
		key := id(&all[n])
		before, double := first[key]
		if !double {
			first[key] = n
			continue
		}
		if key == "" {
			continue // the form has said that the id is missing
		}
		line, _ := c.at.At(fmt.Sprintf("%s[%d].id", list, before))
		c.wrong(fmt.Sprintf("%s[%d].id", list, n), "the id "+form.Quote(key)+" a second time",
			fmt.Sprintf("an id of its own: %s[%d] in line %d has this one", list, before, line))
	}
}

// refers checks one reference; empty ones are not references.
func refers[T any](c *checker, path func() string, to string, known map[string]*T, what string) {
	if _, ok := known[to]; !ok && to != "" {
		c.wrong(path(), "the unknown "+what+" "+form.Quote(to), knownOf(known, what))
	}
}

// knownOf names what exists, when that is short.
func knownOf[T any](known map[string]*T, what string) string {
	const most = 5
	if ids := len(known); ids > most+1 { // without sorting them for each of a million mistakes
		if _, nameless := known[""]; nameless {
			ids--
		}
		return fmt.Sprintf("the id of one of the %d %ss of this fleet", ids, what)
	}
	ids := sortedKeys(known)
	if len(ids) > 0 && ids[0] == "" {
		ids = ids[1:] // one whose id is missing
	}
	switch {
	case len(ids) == 0:
		return "one of the " + what + "s of this fleet, which names none"
	case len(ids) > most:
		return fmt.Sprintf("the id of one of the %d %ss of this fleet", len(ids), what)
	default:
		return fmt.Sprintf("one of the %ss of this fleet: %s", what, joined(ids))
	}
}

// once reports entries of a list that stand there twice.
func (c *checker) once(list []string, path func(n int) string, what string) {
	seen := make(map[string]bool, len(list))
	for n, id := range list {
		if seen[id] && id != "" {
			c.wrong(path(n), "the "+what+" "+form.Quote(id)+" a second time", "each "+what+" once")
		}
		seen[id] = true
	}
}

// sizes: memory beyond an exbibyte is a slip, and sums of it would not be numbers any more.
func (c *checker) sizes(f *Fleet) {
	const most = 1 << 40 // MiB
	check := func(path func() string, mib int64) {
		if mib > most {
			c.wrong(path(), fmt.Sprintf("%d MiB", mib), fmt.Sprintf("at most %d MiB, an exbibyte", int64(most)))
		}
	}
	for n, p := range f.Pools {
		if p.ReserveMiB != nil {
			check(at("pools", n, "reserve_mib"), *p.ReserveMiB)
		}
	}
	for n := range f.Hosts {
		check(at("hosts", n, "memory_mib"), f.Hosts[n].MemoryMiB)
	}
	for n := range f.Instances {
		check(at("instances", n, "memory_mib"), f.Instances[n].MemoryMiB)
	}
}

func (c *checker) places(f *Fleet) {
	for n, s := range f.Sites {
		refers(c, at("sites", n, "region"), s.Region, c.ix.Regions, "region")
	}
	for n, p := range f.Pools {
		refers(c, at("pools", n, "site"), p.Site, c.ix.Sites, "site")
	}
}

func (c *checker) hosts(f *Fleet) {
	for n, h := range f.Hosts {
		if h.Pools != nil && len(h.Pools) == 0 {
			c.wrong(at("hosts", n, "pools")(), "an empty list", "at least one pool: the first is the host's home")
		}
		for m, pool := range h.Pools {
			refers(c, at("hosts", n, fmt.Sprintf("pools[%d]", m)), pool, c.ix.Pools, "pool")
		}
		c.once(h.Pools, func(m int) string { return at("hosts", n, fmt.Sprintf("pools[%d]", m))() }, "pool")
		if used := c.ix.UsedMiB(h.ID); used > h.MemoryMiB && c.ix.Hosts[h.ID] == &f.Hosts[n] {
			c.wrong(at("hosts", n, "memory_mib")(), fmt.Sprintf("%d MiB for instances that take %d MiB", h.MemoryMiB, used),
				"at least the memory of the instances that run there")
		}
	}
	for n, g := range f.HostGroups {
		for m, host := range g.Hosts {
			refers(c, at("host_groups", n, fmt.Sprintf("hosts[%d]", m)), host, c.ix.Hosts, "host")
		}
		c.once(g.Hosts, func(m int) string { return at("host_groups", n, fmt.Sprintf("hosts[%d]", m))() }, "host")
		c.atMost("host_groups", n, g.MaxUnavailable, len(g.Hosts), "hosts")
	}
}

// atMost: no more may be away than there are. A group without any members yet may say 1.
func (c *checker) atMost(list string, n, allowed, members int, what string) {
	if allowed > max(members, 1) {
		c.wrong(at(list, n, "max_unavailable")(), fmt.Sprintf("%d of %d %s", allowed, members, what),
			fmt.Sprintf("from 1 to the number of its %s, %d", what, members))
	}
}

func (c *checker) groups(f *Fleet) {
	for n, g := range f.Groups {
		refers(c, at("groups", n, "tenant"), g.Tenant, c.ix.Tenants, "tenant")
		for m, member := range g.Members {
			path := at("groups", n, fmt.Sprintf("members[%d]", m))
			refers(c, path, member, c.ix.Instances, "instance")
			if i := c.ix.Instances[member]; i != nil {
				c.sameTenant(path, i, &f.Groups[n])
			}
		}
		c.once(g.Members, func(m int) string { return at("groups", n, fmt.Sprintf("members[%d]", m))() }, "member")
		if c.ix.Groups[g.ID] == &f.Groups[n] {
			c.atMost("groups", n, g.MaxUnavailable, len(c.ix.Members[g.ID]), "members")
		}
	}
}

// sameTenant: a group of one tenant holds no instance of another.
func (c *checker) sameTenant(path func() string, i *Instance, g *Group) {
	if known := c.ix.Tenants[g.Tenant] != nil; known && i.Tenant != "" && i.Tenant != g.Tenant {
		c.wrong(path(), fmt.Sprintf("%s of tenant %s in group %s of tenant %s", form.Quote(i.ID), i.Tenant, g.ID, g.Tenant),
			"an instance of the group's own tenant")
	}
}

func (c *checker) instances(f *Fleet) {
	for n := range f.Instances {
		i := &f.Instances[n]
		refers(c, at("instances", n, "host"), i.Host, c.ix.Hosts, "host")
		refers(c, at("instances", n, "tenant"), i.Tenant, c.ix.Tenants, "tenant")
		refers(c, at("instances", n, "group"), i.Group, c.ix.Groups, "group")
		refers(c, at("instances", n, "home"), i.Home, c.ix.Hosts, "host")
		if g := c.ix.Groups[i.Group]; g != nil {
			c.sameTenant(at("instances", n, "group"), i, g)
		}
	}
}

// at makes the path of a field when it is asked for: few of them are.
func at(list string, n int, field string) func() string {
	return func() string { return fmt.Sprintf("%s[%d].%s", list, n, field) }
}
