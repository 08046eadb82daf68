package study

import (
	"fmt"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// Layout is where the hosts of a drawn fleet stand.
type Layout struct {
	Regions, Sites, Pools, Hosts int // Sites per region, Pools per site, Hosts per pool, one of them spare
}

// AllHosts is the size of the fleet.
func (l Layout) AllHosts() int { return l.Regions * l.Sites * l.Pools * l.Hosts }

func (l Layout) check() error {
	if l.AllHosts() <= 0 || l.Hosts < 3 {
		return fmt.Errorf("%d regions of %d sites of %d pools of %d hosts: each must be at least 1, and a pool has a spare host and two more", l.Regions, l.Sites, l.Pools, l.Hosts)
	}
	return nil
}

// build adds regions and sites to a fleet, and asks for each pool, counted from 0 in its site.
func (l Layout) build(f *fleet.Fleet, pool func(site, id string, n int)) {
	for r := range l.Regions {
		region := fmt.Sprintf("r%d", r+1)
		f.Regions = append(f.Regions, fleet.Region{ID: region})
		for n := range l.Sites {
			site := region + string(rune('a'+n))
			f.Sites = append(f.Sites, fleet.Site{ID: site, Region: region})
			for p := range l.Pools {
				pool(site, fmt.Sprintf("%s-p%02d", site, p+1), p)
			}
		}
	}
}

func hostID(pool string, n int) string { return fmt.Sprintf("%s-h%02d", pool, n) }
