package study

import (
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// September is one of the two campaigns of September 2014 in which providers rebooted for XSA-108 before it
// became public. What each number stands on is told by its Assumptions.
type September struct {
	ID   string // of the campaign
	Name string
	Seed Seed
	Layout
	Contents

	// HVMPools of each site hold HVM guests only, the others PV guests only, which XSA-108 does not
	// concern; 0: every pool holds both.
	HVMPools       int
	ReserveMiB     int64 // of each pool
	MaxAwayPercent int   // of each pool
	Emptied        int   // hosts of each pool that are emptied where an arm rations that
	StaggerSites   bool
	StaggerRegions bool
	// Open is when a site may be worked on; region is counted from 0, and site in its region too.
	Open func(region, site int) plan.WindowRule

	Now      time.Time // when the notice went out, and the plan is made
	Lead     time.Duration
	FinishBy time.Time // when the provider was through
	Public   time.Time // when the embargo ended
	Told     History
}

// The two providers of 2014, as far as accounts tell of them: one with zones, and one without.

// Zonal2014 is a cloud of nine regions of three zones, of which a tenth is affected.
func Zonal2014() September {
	return September{
		ID: "xsa-108-by-zones", Name: "A cloud of zones, a tenth of it affected",
		Seed:           20140926,
		Layout:         Layout{Regions: 9, Sites: 3, Pools: 10, Hosts: 37},
		Contents:       contents2014(64<<10, 40000),
		HVMPools:       1,
		ReserveMiB:     8 << 10,
		MaxAwayPercent: 11, // 4 of 37
		Emptied:        8,
		StaggerSites:   true,
		Open:           ownDay,
		Now:            utc(9, 24, 12, 0),
		Lead:           35 * time.Hour,
		FinishBy:       utc(9, 30, 23, 59),
		Public:         utc(10, 1, 12, 0),
		Told:           zonalHistory,
	}
}

// WholeFleet2014 is a provider of six data centres without zones, whose hosts are all affected.
func WholeFleet2014() September {
	return September{
		ID: "xsa-108-whole-fleet", Name: "A whole fleet, no zones",
		Seed:           20140928,
		Layout:         Layout{Regions: 6, Sites: 1, Pools: 17, Hosts: 49},
		Contents:       contents2014(48<<10, 50000),
		ReserveMiB:     8 << 10,
		MaxAwayPercent: 24, // 11 of 49: 187 of a data centre, 374 of two
		Emptied:        3,
		StaggerSites:   true,
		Open:           eightHours,
		Now:            utc(9, 27, 2, 22),
		Lead:           31 * time.Hour,
		FinishBy:       utc(9, 30, 14, 0),
		Public:         utc(10, 1, 12, 0),
		Told:           wholeHistory,
	}
}

func utc(month time.Month, day, hour, minute int) time.Time {
	return time.Date(2014, month, day, hour, minute, 0, 0, time.UTC)
}

func contents2014(hostMiB int64, tenants int) Contents {
	return Contents{
		Tenants: tenants, HostMiB: hostMiB,
		Sizes:     []Share[int64]{{1 << 10, 0.30}, {2 << 10, 0.30}, {4 << 10, 0.25}, {8 << 10, 0.15}},
		Guests:    []Share[string]{{"hvm", 0.7}, {"pv", 0.3}},
		Pinned:    0.01,
		LocalDisk: 0.01,
		NoSuspend: 0.02,
	}
}

var weekdays = []string{"fri", "sat", "sun", "mon", "tue"}

// waveGrowth2014 is one more than the default: behind the canary each zone of the first day has a place in the
// third wave, and time for its last host.
const waveGrowth2014 = 5

// ownDay gives each zone one of the five days of the campaign, in UTC.
func ownDay(region, site int) plan.WindowRule {
	return plan.WindowRule{Days: []string{weekdays[(region+2*site+1)%len(weekdays)]}, Start: "00:00", Length: plan.Duration(24 * time.Hour), Timezone: "UTC"}
}

// eightHours gives each data centre 8 hours a day, two data centres the same hours. The first two are slow to
// start, behind the canary, and have what is left of the third day.
func eightHours(region, _ int) plan.WindowRule {
	turn := region / 2 % 3
	return plan.WindowRule{
		Days: [][]string{{"sun", "mon", "tue"}, {"sun", "mon"}, {"mon", "tue"}}[turn], Start: []string{"10:00", "18:00", "02:00"}[turn],
		Length: plan.Duration(8 * time.Hour), Timezone: "UTC",
	}
}

// Tenth is a small one for tests: three regions, with as many hosts in a pool.
func (s September) Tenth() September {
	s.Regions, s.Pools, s.Tenants = 3, max(2, s.Pools/10), s.Tenants/10
	return s
}

// SeptemberArms are the ways in which the study plans the same campaign.
var SeptemberArms = []SeptemberArm{
	{"as in 2014", []plan.Tactic{plan.Reboot}, false},
	{"suspend", []plan.Tactic{plan.Suspend, plan.Reboot}, false},
	{"live migration first", []plan.Tactic{plan.Evacuate, plan.Suspend, plan.Reboot}, false},
	{"live migration as far as time allows", []plan.Tactic{plan.Evacuate, plan.Suspend, plan.Reboot}, true},
}

// SeptemberArm is one of them, with what its policy allows and its hosts are able to.
type SeptemberArm struct {
	Name    string
	Tactics []plan.Tactic
	// Rationed: only so many hosts of each pool (September.Emptied) are emptied by live migration, the
	// guests of the others are saved in place.
	Rationed bool
}
