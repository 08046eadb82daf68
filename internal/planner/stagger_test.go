package planner_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// threeSites has six hosts in each of three sites of a region, two in a rack, half full.
func threeSites() *fleet.Fleet {
	f := base()
	f.Sites = append(f.Sites, fleet.Site{ID: "n2", Region: "north", Timezone: "Europe/Berlin"}, fleet.Site{ID: "n3", Region: "north", Timezone: "Europe/Berlin"})
	f.Pools = nil
	for s := 1; s <= 3; s++ {
		pool := fleet.Pool{ID: fmt.Sprintf("pool%d", s), Site: fmt.Sprintf("n%d", s)}
		f.Pools = append(f.Pools, pool)
		for i := range 6 {
			h := host(fmt.Sprintf("h%d-%d", s, i), 8192)
			h.Pools, h.Rack = []string{pool.ID}, fmt.Sprintf("r%d", i%3)
			f.Hosts = append(f.Hosts, h)
			for k := range 4 {
				f.Instances = append(f.Instances, vm(fmt.Sprintf("v%d-%d-%d", s, i, k), h.ID, 1024))
			}
		}
	}
	return f
}

// TestSitesADayApart: with twelve hours between sites no two have turns in one night, and the bound of time knows that.
func TestSitesADayApart(t *testing.T) {
	pol := eager()
	pol.StaggerSites, pol.Slot = true, plan.Duration(2*time.Hour)
	pol.Windows = []plan.WindowRule{{Start: "01:00", Length: plan.Duration(5 * time.Hour)}}
	nights := func(p plan.Plan) map[string]map[string]bool {
		out := map[string]map[string]bool{}
		for _, u := range p.Turns {
			night := u.Start.Format("01-02")
			if out[night] == nil {
				out[night] = map[string]bool{}
			}
			out[night][u.Site] = true
		}
		return out
	}
	together := routine(t, threeSites(), pol)
	if n := len(nights(together)); n != 1 {
		t.Fatalf("without a gap all sites have their turns in %d nights: the test shows nothing", n)
	}
	pol.StaggerGap.Sites = plan.Duration(12 * time.Hour)
	p := routine(t, threeSites(), pol)
	for night, sites := range nights(p) {
		if len(sites) > 1 {
			t.Errorf("in the night of %s: %v", night, sites)
		}
	}
	if len(p.Turns) != 18 || len(nights(p)) != 3 {
		t.Errorf("%d turns in %d nights: %+v", len(p.Turns), len(nights(p)), p.Blocked)
	}
	if b := p.Bounds; b.MakespanMinS < 24*3600 || b.MakespanMinS > b.MakespanS || b.MakespanMinS <= together.Bounds.MakespanMinS {
		t.Errorf("the bound of time: %+v, without the gap %+v", b, together.Bounds)
	}
}

// TestRacksApart: no wave has hosts of two racks of a site, so there are as many waves as racks at least.
func TestRacksApart(t *testing.T) {
	pol := eager()
	pol.StaggerRacks, pol.StaggerGap.Racks = true, plan.Duration(time.Hour)
	p := routine(t, threeSites(), pol)
	if p.Bounds.WavesMin != 3 || p.Counts.Waves != 3 {
		t.Errorf("%d waves, bound %d, for three racks of two hosts in each site", p.Counts.Waves, p.Bounds.WavesMin)
	}
	ix := fleet.NewIndex(p.Fleet)
	rack, over := map[string]string{}, map[string]time.Time{}
	for _, u := range p.Turns {
		if r := ix.Hosts[u.Host].Rack; rack[u.Site] != r {
			if last := over[u.Site]; !last.IsZero() && u.Start.Before(last.Add(time.Hour)) {
				t.Errorf("rack %s of site %s starts %s, and the one before it is over %s", r, u.Site, u.Start, last)
			}
			rack[u.Site] = r
		}
		if u.WorstEnd().After(over[u.Site]) {
			over[u.Site] = u.WorstEnd()
		}
	}
}
