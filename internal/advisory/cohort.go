package advisory

import (
	"slices"
	"strconv"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Cohorts finds the cohort of a host: the first of the target's that matches it.
type Cohorts struct {
	target   *plan.Target
	siteOf   map[string]string // pool -> site
	regionOf map[string]string // site -> region
}

// NewCohorts prepares look-ups for one fleet and one target.
func NewCohorts(f *fleet.Fleet, t *plan.Target) *Cohorts {
	c := &Cohorts{target: t, siteOf: map[string]string{}, regionOf: map[string]string{}}
	for _, p := range f.Pools {
		c.siteOf[p.ID] = p.Site
	}
	for _, s := range f.Sites {
		c.regionOf[s.ID] = s.Region
	}
	return c
}

// Of gives the first cohort that matches h, or nil. A host in several pools matches by any of them.
func (c *Cohorts) Of(h *fleet.Host) *plan.Cohort {
	for i := range c.target.Cohorts {
		if c.matches(c.target.Cohorts[i].Match, h) {
			return &c.target.Cohorts[i]
		}
	}
	return nil
}

// Name is the name of a cohort of the target, or #N (from 1) when it has none.
func (c *Cohorts) Name(cohort *plan.Cohort) string {
	if cohort == nil {
		return ""
	}
	if cohort.Name != "" {
		return cohort.Name
	}
	for i := range c.target.Cohorts {
		if cohort == &c.target.Cohorts[i] {
			return "#" + strconv.Itoa(i+1)
		}
	}
	return ""
}

func (c *Cohorts) matches(m plan.Match, h *fleet.Host) bool {
	if m.Hypervisor != "" && m.Hypervisor != string(h.Hypervisor) {
		return false
	}
	if len(m.Hosts) > 0 && !slices.Contains(m.Hosts, h.ID) {
		return false
	}
	if len(m.Pools) == 0 && len(m.Sites) == 0 && len(m.Regions) == 0 {
		return true
	}
	// One pool has to satisfy all three: a pool of the right name elsewhere is another pool.
	for _, pool := range h.Pools {
		site := c.siteOf[pool]
		if allows(m.Pools, pool) && allows(m.Sites, site) && allows(m.Regions, c.regionOf[site]) {
			return true
		}
	}
	return false
}

func allows(list []string, id string) bool { return len(list) == 0 || slices.Contains(list, id) }
