package fleet

import (
	"fmt"
	"slices"
)

// Link is a stretch of the network that migrations share, such as the uplink of a rack or the line of a site. A
// migration goes over it when one of its ends, and not the other, lies behind it.
//
// A host lies behind it when each list that is named has it: sites and racks together mean those racks of those sites.
type Link struct {
	ID    string   `yaml:"id" json:"id" form:"is=id"`
	Mbps  int64    `yaml:"mbps" json:"mbps" form:"min=1,unit=Mbit/s"` // either way
	Sites []string `yaml:"sites,omitempty" json:"sites,omitempty"`
	Racks []string `yaml:"racks,omitempty" json:"racks,omitempty"` // as hosts name them
	Hosts []string `yaml:"hosts,omitempty" json:"hosts,omitempty"`
}

// behind tells whether a host at a site lies behind the link.
func (l *Link) behind(h *Host, site string) bool {
	named := len(l.Sites)+len(l.Racks)+len(l.Hosts) > 0
	return named && (len(l.Sites) == 0 || slices.Contains(l.Sites, site)) && (len(l.Racks) == 0 || slices.Contains(l.Racks, h.Rack)) &&
		(len(l.Hosts) == 0 || slices.Contains(l.Hosts, h.ID))
}

// LinksOver gives the links, in the order of their ids, that a migration between two hosts goes over.
func (ix *Index) LinksOver(a, b string) []*Link {
	if len(ix.Links) == 0 {
		return nil
	}
	return Over(ix.linksOf[a], ix.linksOf[b])
}

// LinksOf gives the links that a host lies behind, in the order of their ids.
func (ix *Index) LinksOf(host string) []*Link { return ix.linksOf[host] }

// Over gives the links that one of two hosts lies behind and the other does not, by the links of each.
func Over(a, b []*Link) (over []*Link) {
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].ID < b[0].ID:
			over, a = append(over, a[0]), a[1:]
		case len(a) == 0 || b[0].ID < a[0].ID:
			over, b = append(over, b[0]), b[1:]
		default:
			a, b = a[1:], b[1:]
		}
	}
	return over
}

// noteLinks finds what each host lies behind. It looks at the hosts of the narrowest list that a link names.
func (ix *Index) noteLinks() {
	if len(ix.Links) == 0 {
		return
	}
	site, at, inRack := map[string]string{}, map[string][]*Host{}, map[string][]*Host{}
	for _, id := range sortedKeys(ix.Hosts) {
		h := ix.Hosts[id]
		if s := ix.SiteOf(id); s != nil {
			site[id] = s.ID
		}
		at[site[id]], inRack[h.Rack] = append(at[site[id]], h), append(inRack[h.Rack], h)
	}
	for _, id := range sortedKeys(ix.Links) {
		l := ix.Links[id]
		for _, h := range ix.mayBeBehind(l, at, inRack) {
			if of := ix.linksOf[h.ID]; l.behind(h, site[h.ID]) && (len(of) == 0 || of[len(of)-1] != l) {
				ix.linksOf[h.ID] = append(of, l)
			}
		}
	}
}

// mayBeBehind lists the hosts of one of the lists that a link names.
func (ix *Index) mayBeBehind(l *Link, at, inRack map[string][]*Host) (out []*Host) {
	for _, id := range l.Hosts {
		if h := ix.Hosts[id]; h != nil {
			out = append(out, h)
		}
	}
	switch {
	case len(l.Hosts) > 0:
	case len(l.Racks) > 0:
		for _, rack := range l.Racks {
			out = append(out, inRack[rack]...)
		}
	default:
		for _, s := range l.Sites {
			out = append(out, at[s]...)
		}
	}
	return out
}

// links: each names what lies behind it, and nothing that is not there.
func (c *checker) links(f *Fleet) {
	racks := map[string]*Host{}
	if len(f.Links) > 0 {
		for n := range f.Hosts {
			if h := &f.Hosts[n]; h.Rack != "" {
				racks[h.Rack] = h
			}
		}
	}
	for n := range f.Links {
		l := &f.Links[n]
		if len(l.Sites)+len(l.Racks)+len(l.Hosts) == 0 {
			c.wrong(fmt.Sprintf("links[%d]", n), "a link that nothing lies behind", "sites, racks or hosts that lie behind it")
		}
		each(c, n, "sites", l.Sites, c.ix.Sites, "site")
		each(c, n, "racks", l.Racks, racks, "rack")
		each(c, n, "hosts", l.Hosts, c.ix.Hosts, "host")
	}
}

func each[T any](c *checker, n int, field string, list []string, known map[string]*T, what string) {
	path := func(m int) string { return fmt.Sprintf("links[%d].%s[%d]", n, field, m) }
	for m, id := range list {
		refers(c, func() string { return path(m) }, id, known, what)
	}
	c.once(list, path, what)
}
