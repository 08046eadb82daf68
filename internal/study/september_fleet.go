package study

import (
	"fmt"
	"slices"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
	"github.com/evenkeel/evenkeel/internal/version"
)

// Xen of 2014: the last release before the fix, and a build of its stable branch with it.
const (
	xen2014      = "4.4.1"
	fixedXen2014 = "4.4.2-pre"
)

func (s September) check() error {
	if err := s.Layout.check(); err != nil {
		return err
	}
	if s.HVMPools > s.Pools {
		return fmt.Errorf("%d pools of HVM guests in a site that has %d pools", s.HVMPools, s.Pools)
	}
	return s.Contents.check()
}

// Fleet draws the fleet of one arm. The arms differ in what hosts are able to do, and in nothing else.
func (s September) Fleet(arm SeptemberArm) (*fleet.Fleet, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	f := &fleet.Fleet{Evenkeel: fleet.SchemaV1, Taken: s.Now, Tenants: s.tenants()}
	first := map[string]int{} // host -> its first instance
	s.build(f, func(site, id string, n int) {
		reserve := s.ReserveMiB
		f.Pools = append(f.Pools, fleet.Pool{ID: id, Site: site, ReserveMiB: &reserve})
		c := s.contentsOf(n)
		for k := range s.Hosts {
			h := c.xenHost(id, k)
			h.VirtCaps, h.Capabilities = append(h.VirtCaps, "shadow"), arm.able()
			h.Software = fleet.Software{Installed: map[string]string{xen: xen2014}, Booted: map[string]string{xen: xen2014}}
			f.Hosts = append(f.Hosts, h)
			if h.Spare {
				f.Instances = append(f.Instances, probe(h.ID, c.Guests[0].Value))
				continue
			}
			first[h.ID] = len(f.Instances)
			f.Instances = append(f.Instances, c.fill(s.Seed, h.ID)...)
		}
	})
	s.groups(f, first)
	return f, nil
}

// contentsOf a pool, counted from 0 in its site.
func (s September) contentsOf(pool int) Contents {
	c := s.Contents
	switch {
	case s.HVMPools == 0:
	case pool < s.HVMPools:
		c.Guests = []Share[string]{{"hvm", 1}}
	default:
		c.Guests = []Share[string]{{"pv", 1}}
	}
	return c
}

// able is what the hosts of an arm can do.
func (a SeptemberArm) able() []string {
	can := []string{fleet.CanReboot, fleet.CanUpdate}
	if slices.Contains(a.Tactics, plan.Suspend) {
		can = append(can, fleet.CanSuspend)
	}
	if slices.Contains(a.Tactics, plan.Evacuate) {
		can = append(can, fleet.CanLiveMigrate)
	}
	return can
}

// groups makes redundancy groups of three: the first instances of like hosts in three sites.
func (s September) groups(f *fleet.Fleet, first map[string]int) {
	for at := 0; at+3 <= len(f.Sites); at += 3 {
		for p := range s.Pools {
			for k := 1; k < s.Hosts; k++ {
				g := fleet.Group{ID: fmt.Sprintf("g%02d-p%02d-h%02d", at/3+1, p+1, k), MaxUnavailable: 1, Spread: fleet.SpreadSite}
				for _, site := range f.Sites[at : at+3] {
					i := &f.Instances[first[hostID(fmt.Sprintf("%s-p%02d", site.ID, p+1), k)]]
					if g.Tenant == "" {
						g.Tenant = i.Tenant
					}
					i.Tenant, i.Group = g.Tenant, g.ID
				}
				f.Groups = append(f.Groups, g)
			}
		}
	}
}

// Target of an arm brings the fix by a reboot, under embargo.
func (s September) Target(arm SeptemberArm, as []advisory.Advisory) *plan.Target {
	t := &plan.Target{Evenkeel: plan.TargetSchemaV1, ID: s.ID, Public: "hypervisor maintenance", FinishBy: s.FinishBy,
		Disclosure: s.Public, EmbargoDeploy: "yes"}
	for _, a := range as {
		t.Fixes = append(t.Fixes, a.ID)
	}
	c := plan.Cohort{Name: cohortName, Ecosystem: version.Upstream, Packages: map[string]string{xen: fixedXen2014}, Remedy: "reboot",
		Update: plan.Update{Command: []string{"host-update", "xen"}}}
	if arm.Rationed {
		saved := c
		saved.Name, saved.InPlace, saved.Match.Hosts = "in-place", true, s.inPlace()
		t.Cohorts = append(t.Cohorts, saved)
	}
	t.Cohorts = append(t.Cohorts, c)
	return t
}

// inPlace are the affected hosts whose guests do not move where moving is rationed: all but the spare one and
// the first so many of each pool.
func (s September) inPlace() (hosts []string) {
	var none fleet.Fleet
	s.build(&none, func(_, id string, n int) {
		if s.HVMPools > 0 && n >= s.HVMPools {
			return
		}
		for k := s.Emptied + 1; k < s.Hosts; k++ {
			hosts = append(hosts, hostID(id, k))
		}
	})
	return hosts
}

// Policy of an arm: windows of each site's own, canary, growing waves, a reserve, the deadline and the embargo
// all count. What is not named here is the default.
func (s September) Policy(arm SeptemberArm) plan.Policy {
	p := plan.DefaultPolicy()
	p.Windows = nil
	for r := range s.Regions {
		for n := range s.Sites {
			w := s.Open(r, n)
			w.Sites = []string{fmt.Sprintf("r%d", r+1) + string(rune('a'+n))}
			p.Windows = append(p.Windows, w)
		}
	}
	p.Tactics = arm.Tactics
	p.Lead = plan.Lead{Blip: plan.Duration(s.Lead), Outage: plan.Duration(s.Lead)}
	p.WaveGrowth = waveGrowth2014
	p.MaxAwayPercent = s.MaxAwayPercent
	p.StaggerSites, p.StaggerRegions = s.StaggerSites, s.StaggerRegions
	p.Times = rebootTimes(p.Times)
	return p
}

// input is all that an arm is planned from.
func (s September) input(arm SeptemberArm, as []advisory.Advisory, stage func(string)) (planner.Input, error) {
	f, err := s.Fleet(arm)
	if err != nil {
		return planner.Input{}, err
	}
	stage("draw the fleet")
	in := planner.Input{Fleet: f, Target: s.Target(arm, as), Policy: s.Policy(arm), Campaign: s.ID, Now: s.Now, Revision: 1}
	in.Assessment = advisory.Assess(f, in.Target, as, in.Policy.StaleAfter.Std(), in.Now)
	stage("assess")
	return in, nil
}
