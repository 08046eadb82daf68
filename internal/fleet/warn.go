package fleet

import (
	"fmt"
	"strings"
)

// Warning is something in a fleet that can be, but that somebody should look at.
type Warning struct {
	Path string `json:"path"` // such as groups[3]
	Why  string `json:"why"`
}

func (w Warning) String() string { return w.Path + ": " + w.Why }

// Warnings gives what is odd in a fleet, in its own order.
func Warnings(f *Fleet) (all []Warning) {
	ix := NewIndex(f)
	warn := func(list string, n int, format string, args ...any) {
		all = append(all, Warning{fmt.Sprintf("%s[%d]", list, n), fmt.Sprintf(format, args...)})
	}
	for n, p := range f.Pools {
		var memory int64
		for _, h := range ix.HomeHosts(p.ID) {
			memory += h.MemoryMiB
		}
		if p.ReserveMiB != nil && *p.ReserveMiB > memory {
			warn("pools", n, "pool %s keeps %d MiB in reserve, but its hosts have %d MiB", p.ID, *p.ReserveMiB, memory)
		}
	}
	for n, t := range f.Tenants {
		if len(t.Contacts) == 0 {
			warn("tenants", n, "tenant %s has no contact: it cannot be told, so nothing of it can be disrupted", t.ID)
		}
	}
	for n := range f.Groups {
		g := &f.Groups[n]
		if len(ix.Members[g.ID]) == 0 {
			warn("groups", n, "group %s has no members", g.ID)
		}
		for _, together := range ix.Together(g) {
			warn("groups", n, "group %s may not share a %s, but %s do", g.ID, g.Spread, joined(together))
		}
	}
	for n, h := range f.Hosts {
		if why := comparableEcosystem(&h); why != "" {
			warn("hosts", n, "%s", why)
		}
		if on := ix.On[h.ID]; h.Spare && len(on) > 0 {
			warn("hosts", n, "host %s is a spare, to be kept empty, and carries %d instances", h.ID, len(on))
		}
	}
	return all
}

// Together lists the members of a group that share a domain which its spread says they may not
// share: one list of ids for each such domain, in the order of the domains' names.
func (ix *Index) Together(g *Group) (together [][]string) {
	in := map[string][]string{}
	for _, i := range ix.Members[g.ID] {
		if domain := ix.Domain(g.Spread, i.Host); domain != "" {
			in[domain] = append(in[domain], i.ID)
		}
	}
	for _, domain := range sortedKeys(in) {
		if len(in[domain]) > 1 {
			together = append(together, in[domain])
		}
	}
	return together
}

// Domain names the host, rack or site that a host is part of, whole enough to compare: a rack by
// its site too. A host whose rack is not known is a rack of its own. Empty when there is none or it
// is not known.
func (ix *Index) Domain(spread Spread, host string) string {
	site := ""
	if s := ix.SiteOf(host); s != nil {
		site = s.ID
	}
	h := ix.Hosts[host]
	switch {
	case h == nil:
		return ""
	case spread == SpreadHost:
		return host
	case spread == SpreadRack && h.Rack != "":
		return site + "/" + h.Rack
	case spread == SpreadRack:
		return "host/" + host
	case spread == SpreadSite:
		return site
	}
	return ""
}

func joined(ids []string) string { return strings.Join(ids, ", ") }
