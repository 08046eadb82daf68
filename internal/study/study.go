// Package study asks what plans would have done in a campaign of the past: it
// draws a fleet from a seed, plans it, has the plan audited, draws which live
// patches fail, plans what follows from that, and counts what each tactic did
// to hosts and instances.
//
// It reads no clock and no file, and the same scenario gives the same table to
// the byte; whoever runs it measures its cost. It decides nothing about a plan:
// planner proposes, audit judges.
//
// Start reading at Scenario, then Run; fleet.go draws the hosts, fold.go counts,
// text.go writes the page.
package study

import (
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// Scenario is all that a study of March 2015 depends on. Six Xen advisories came at once, and providers
// had a week. What each number stands on is told by Assumptions.
type Scenario struct {
	Seed Seed
	Layout
	Contents

	Builds  int // of Xen that lack the fixes
	Covered int // of these have a live patch
	Shadow  int // of these have shadow paging

	AffectedShare float64 // of the hosts; the others booted a build with the fixes
	FailureShare  float64 // of the live patches fail on their host

	Now      time.Time // when the live patches are built, and the plan is made
	First    time.Time // when the first of the advisories becomes public
	FinishBy time.Time
	Lead     plan.Lead
}

// March2015 is the whole study: 9,990 hosts, of which so large a share is affected.
func March2015(affected float64) Scenario {
	return Scenario{
		Seed:   20150302,
		Layout: Layout{Regions: 9, Sites: 3, Pools: 10, Hosts: 37},
		Contents: Contents{
			Tenants:   2000,
			HostMiB:   64 << 10,
			Sizes:     []Share[int64]{{1 << 10, 0.30}, {2 << 10, 0.30}, {4 << 10, 0.25}, {8 << 10, 0.15}},
			Guests:    []Share[string]{{"hvm", 0.5}, {"pv", 0.4}, {"pvh", 0.1}},
			Pinned:    0.01,
			LocalDisk: 0.01,
			NoSuspend: 0.02,
		},
		Builds: 40, Covered: 36, Shadow: 20,
		AffectedShare: affected, FailureShare: 0.005,
		Now:      time.Date(2015, 3, 2, 0, 0, 0, 0, time.UTC),
		First:    time.Date(2015, 3, 5, 12, 0, 0, 0, time.UTC),
		FinishBy: time.Date(2015, 3, 10, 12, 0, 0, 0, time.UTC),
		Lead:     plan.Lead{Blip: plan.Duration(24 * time.Hour), Outage: plan.Duration(48 * time.Hour)},
	}
}

// Tenth is a scenario with a tenth of the pools, for tests.
func (s Scenario) Tenth() Scenario {
	s.Pools /= 10
	return s
}

// Arm is one of the ways in which the same campaign is planned.
type Arm struct {
	Name    string
	Migrate bool // instances can live-migrate, but for those that their host binds
}

// Arms are the two that the study compares.
var Arms = []Arm{
	{"no instance can migrate", false},
	{"instances can migrate", true},
}

// tactics that the policy of an arm allows, least disruptive first.
func (a Arm) tactics() []plan.Tactic {
	if a.Migrate {
		return []plan.Tactic{plan.LivePatch, plan.Evacuate, plan.Suspend, plan.Reboot}
	}
	return []plan.Tactic{plan.LivePatch, plan.Suspend, plan.Reboot}
}

// check refuses a scenario that cannot be drawn.
func (s Scenario) check() error {
	if err := s.Layout.check(); err != nil {
		return err
	}
	if err := s.Contents.check(); err != nil {
		return err
	}
	switch {
	case s.Builds < 1 || s.Covered > s.Builds || s.Shadow > s.Builds:
		return fmt.Errorf("%d builds, of which %d have a live patch and %d have shadow paging: no more can be than there are", s.Builds, s.Covered, s.Shadow)
	}
	return nil
}
