package plan

import (
	"fmt"
	"strings"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/form"
)

// PolicyNames gives each place in a policy's text where a window, a freeze or a rule of times names a region, site, host
// group, tenant or host that a fleet does not have. Such a rule would bind nobody, and a freeze that binds nobody looks
// like one that holds. p is what ParsePolicy made of the text without a mistake. Models are the operator's own words:
// no host need have one.
func PolicyNames(name string, src []byte, p *Policy, f *fleet.Fleet) form.Mistakes {
	tree, _ := form.ParseYAML(name, src)
	c := &checker{name: name, at: tree}
	ids := idsOf(f)
	for n := range p.Windows {
		w := &p.Windows[n]
		c.named(fmt.Sprintf("windows[%d].regions", n), "region", w.Regions, ids)
		c.named(fmt.Sprintf("windows[%d].sites", n), "site", w.Sites, ids)
	}
	for n := range p.Freezes {
		z := &p.Freezes[n]
		c.named(fmt.Sprintf("freezes[%d].regions", n), "region", z.Regions, ids)
		c.named(fmt.Sprintf("freezes[%d].sites", n), "site", z.Sites, ids)
		c.named(fmt.Sprintf("freezes[%d].host_groups", n), "host group", z.HostGroups, ids)
		c.named(fmt.Sprintf("freezes[%d].tenants", n), "tenant", z.Tenants, ids)
	}
	for n := range p.TimesFor {
		r := &p.TimesFor[n]
		c.named(fmt.Sprintf("times_for[%d].sites", n), "site", r.Sites, ids)
		c.named(fmt.Sprintf("times_for[%d].hosts", n), "host", r.Hosts, ids)
	}
	return c.mistakes.Sort()
}

// idsOf are a fleet's ids by what they are of, in its own order.
func idsOf(f *fleet.Fleet) map[string][]string {
	ids := map[string][]string{}
	for i := range f.Regions {
		ids["region"] = append(ids["region"], f.Regions[i].ID)
	}
	for i := range f.Sites {
		ids["site"] = append(ids["site"], f.Sites[i].ID)
	}
	for i := range f.HostGroups {
		ids["host group"] = append(ids["host group"], f.HostGroups[i].ID)
	}
	for i := range f.Tenants {
		ids["tenant"] = append(ids["tenant"], f.Tenants[i].ID)
	}
	for i := range f.Hosts {
		ids["host"] = append(ids["host"], f.Hosts[i].ID)
	}
	return ids
}

// named checks the names in one list.
func (c *checker) named(path, what string, names []string, ids map[string][]string) {
	if len(names) == 0 {
		return
	}
	known := make(map[string]bool, len(ids[what]))
	for _, id := range ids[what] {
		known[id] = true
	}
	for n, id := range names {
		if !known[id] {
			c.wrong(fmt.Sprintf("%s[%d]", path, n), "the unknown "+what+" "+form.Quote(id), knownNames(id, what, ids[what]))
		}
	}
}

// knownNames is the name that was meant, as far as it is like one; else all there are, where they are few.
func knownNames(id, what string, all []string) string {
	const most = 5
	near, found := form.Nearest(id, all)
	switch {
	case found:
		return near
	case len(all) == 0:
		return "none: the fleet has no " + what
	case len(all) > most:
		return fmt.Sprintf("one of the %d %ss of the fleet", len(all), what)
	}
	return "one of the " + what + "s of the fleet: " + strings.Join(all, ", ")
}
