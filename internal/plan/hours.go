package plan

import (
	"fmt"
	"maps"
	"slices"

	"github.com/evenkeel/evenkeel/internal/calendar"
	"github.com/evenkeel/evenkeel/internal/fleet"
)

// Calendar answers when turns of a fleet's hosts may run by the windows and freezes of all who own some: the policy
// and the fleet's regions, sites, host groups and tenants.
type Calendar struct {
	policy  *Policy
	ix      *fleet.Index
	tenants map[string]owned // those that have windows or freezes of their own
	named   map[string]bool  // tenants and, after a slash, host groups that a freeze of the policy names
}

// owned is what one owner writes, read.
type owned struct {
	layer   []calendar.Layer // one, or none where it has no windows
	freezes []calendar.Freeze
}

// NewCalendar reads what tenants write. What belongs to places is read when it is asked for.
func NewCalendar(p *Policy, ix *fleet.Index) (*Calendar, error) {
	c := &Calendar{policy: p, ix: ix, tenants: map[string]owned{}, named: map[string]bool{}}
	for _, id := range slices.Sorted(maps.Keys(ix.Tenants)) {
		t := ix.Tenants[id]
		if len(t.Windows)+len(t.Freezes) == 0 {
			continue
		}
		o, err := readOwned(calendar.Owner{Kind: calendar.OfTenant, ID: id}, t.Windows, t.Freezes, ix.TenantZone(id))
		if err != nil {
			return nil, err
		}
		c.tenants[id] = o
	}
	for _, f := range p.Freezes {
		for _, id := range f.Tenants {
			c.named[id] = true
		}
		for _, id := range f.HostGroups {
			c.named["/"+id] = true
		}
	}
	return c, nil
}

// GroupsOf are the ids of a host's groups that matter. Hosts of one site and hypervisor with the same have the same
// hours.
func (c *Calendar) GroupsOf(host string) (ids []string) {
	for _, g := range c.ix.HostGroupsOf[host] {
		if len(g.Windows)+len(g.Freezes) > 0 || c.named["/"+g.ID] {
			ids = append(ids, g.ID)
		}
	}
	return ids
}

// Binds tells whether it matters to a turn that it interrupts somebody of a tenant.
func (c *Calendar) Binds(tenant string) bool {
	_, own := c.tenants[tenant]
	return own || c.named[tenant]
}

// BindsAny tells whether any tenant may matter.
func (c *Calendar) BindsAny() bool { return len(c.tenants)+len(c.named) > 0 }

// Of gives the hours of a host for a turn that interrupts instances of some tenants. The error names what cannot be
// read.
func (c *Calendar) Of(host string, tenants []string) (calendar.Hours, error) {
	at := calendar.Place{Region: c.ix.RegionOf(host), Zone: c.ix.ZoneOf(host)}
	if h := c.ix.Hosts[host]; h != nil {
		at.Hypervisor = string(h.Hypervisor)
	}
	if site := c.ix.SiteOf(host); site != nil {
		at.Site = site.ID
	}
	windows, err := calendar.For(c.rules(), at)
	if err != nil {
		return calendar.Hours{}, fmt.Errorf("policy, site %s: %w", at.Site, err)
	}
	layers := []calendar.Layer{{Owner: calendar.Owner{Kind: calendar.OfPolicy}, Windows: windows}}
	freezes, err := c.frozen(host, at, tenants)
	if err != nil {
		return calendar.Hours{}, err
	}
	add := func(o owned) {
		layers, freezes = append(layers, o.layer...), append(freezes, o.freezes...)
	}
	for _, p := range c.places(host, at) {
		if len(p.windows)+len(p.freezes) == 0 {
			continue
		}
		o, err := readOwned(p.owner, p.windows, p.freezes, at.Zone)
		if err != nil {
			return calendar.Hours{}, err
		}
		add(o)
	}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(tenants))) {
		add(c.tenants[id])
	}
	return calendar.Meet(layers, freezes), nil
}

// placed is what the fleet writes at one of the places and groups that a host is in.
type placed struct {
	owner   calendar.Owner
	windows []fleet.Window
	freezes []fleet.Freeze
}

func (c *Calendar) places(host string, at calendar.Place) (out []placed) {
	if r := c.ix.Regions[at.Region]; r != nil {
		out = append(out, placed{calendar.Owner{Kind: calendar.OfRegion, ID: r.ID}, r.Windows, r.Freezes})
	}
	if s := c.ix.Sites[at.Site]; s != nil {
		out = append(out, placed{calendar.Owner{Kind: calendar.OfSite, ID: s.ID}, s.Windows, s.Freezes})
	}
	for _, g := range c.ix.HostGroupsOf[host] {
		out = append(out, placed{calendar.Owner{Kind: calendar.OfHostGroup, ID: g.ID}, g.Windows, g.Freezes})
	}
	return out
}

func (c *Calendar) rules() []calendar.Rule {
	rules := make([]calendar.Rule, len(c.policy.Windows))
	for i, r := range c.policy.Windows {
		rules[i] = calendar.Rule{Regions: r.Regions, Sites: r.Sites, Hypervisor: r.Hypervisor, Days: r.Days, Recur: r.RRule, From: r.From,
			Start: r.Start, Length: r.Length.Std(), Zone: r.Timezone, Always: r.Always}
	}
	return rules
}

// frozen are the policy's freezes that bear on a turn.
func (c *Calendar) frozen(host string, at calendar.Place, tenants []string) (out []calendar.Freeze, err error) {
	in := func(list []string, id string) bool { return len(list) == 0 || slices.Contains(list, id) }
	for n, r := range c.policy.Freezes {
		inGroup := slices.ContainsFunc(c.ix.HostGroupsOf[host], func(g *fleet.HostGroup) bool { return slices.Contains(r.HostGroups, g.ID) })
		someone := slices.ContainsFunc(tenants, func(id string) bool { return slices.Contains(r.Tenants, id) })
		if !in(r.Regions, at.Region) || !in(r.Sites, at.Site) || r.Hypervisor != "" && r.Hypervisor != at.Hypervisor ||
			len(r.HostGroups) > 0 && !inGroup || len(r.Tenants) > 0 && !someone {
			continue
		}
		zone := r.Timezone
		if zone == "" {
			zone = at.Zone
		}
		f, err := calendar.ReadFreeze(calendar.Owner{Kind: calendar.OfPolicy}, r.Why, r.From, r.To, zone)
		if err != nil {
			return nil, fmt.Errorf("policy, freezes[%d]: %w", n, err)
		}
		out = append(out, f)
	}
	return out, nil
}

func readOwned(owner calendar.Owner, windows []fleet.Window, freezes []fleet.Freeze, zone string) (o owned, err error) {
	rules := make([]calendar.Rule, len(windows))
	for i, w := range windows {
		rules[i] = calendar.Rule{Days: w.Days, Recur: w.RRule, From: w.From, Start: w.Start, Length: w.Length.Std(), Zone: w.Timezone}
	}
	if len(rules) > 0 {
		read, err := calendar.For(rules, calendar.Place{Zone: zone})
		if err != nil {
			return o, fmt.Errorf("%s: %w", owner, err)
		}
		o.layer = []calendar.Layer{{Owner: owner, Windows: read}}
	}
	for i, z := range freezes {
		in := zone
		if z.Timezone != "" {
			in = z.Timezone
		}
		f, err := calendar.ReadFreeze(owner, z.Why, z.From, z.To, in)
		if err != nil {
			return o, fmt.Errorf("%s, freezes[%d]: %w", owner, i, err)
		}
		f.Yields = z.Yields
		o.freezes = append(o.freezes, f)
	}
	return o, nil
}
