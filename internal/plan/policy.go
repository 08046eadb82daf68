package plan

import (
	"cmp"
	"time"
)

// PolicySchemaV1 is the value of a policy file's `evenkeel` key.
const PolicySchemaV1 = "policy/v1"

// Policy is what the operator allows. DefaultPolicy gives the careful defaults; a policy file
// changes what it names. Durations are written like 90s, 10m, 2h, 7d.
type Policy struct {
	Evenkeel string `json:"evenkeel,omitempty" yaml:"evenkeel,omitempty" form:"required,enum=policy/v1"`
	// Windows in which disruption is allowed. A host uses the windows that match it.
	Windows []WindowRule `json:"windows" yaml:"windows"`
	// Freezes in which no turn runs, whatever windows allow.
	Freezes []FreezeRule `json:"freezes,omitempty" yaml:"freezes,omitempty"`
	// Slot is the length of the interval promised to a tenant.
	Slot Duration `json:"slot" yaml:"slot" form:"min=1"`
	// SlotBy auto has each slot begin with its turn and be as long as that turn needs (Course.Slot), Slot at most.
	// Empty or constant: windows are cut into slots of one length.
	SlotBy string `json:"slot_by,omitempty" yaml:"slot_by,omitempty" form:"enum=constant|auto"`
	// Lead is how long before its slot a notice must have been accepted, per class.
	Lead Lead `json:"lead" yaml:"lead"`
	// Tactics allowed, least disruptive first.
	Tactics []Tactic `json:"tactics" yaml:"tactics" form:"enum=live-patch|refresh|evacuate|suspend|reboot|hold"`
	// Canary: the first host of a campaign goes alone, and Soak passes before the next wave.
	Canary bool     `json:"canary" yaml:"canary"`
	Soak   Duration `json:"soak" yaml:"soak"`
	// WaveGrowth bounds how fast trust grows after the canary: no wave has more than so many times the
	// turns of the largest wave before it. 0: no bound. It counts only with a canary.
	WaveGrowth int `json:"wave_growth" yaml:"wave_growth" form:"min=0,max=1000"`
	// MaxAwayPercent of a pool's hosts (at least one) may be in a turn at once.
	MaxAwayPercent int `json:"max_away_percent" yaml:"max_away_percent" form:"min=1,max=100"`
	// AwayPerRack and AwayPerRegion bound how many hosts of a rack, and of a region, may be in a turn at once, whatever
	// their pools; a live patch takes none away. A host whose rack is not known is a rack of its own. 0: no bound.
	AwayPerRack   int `json:"away_per_rack,omitempty" yaml:"away_per_rack,omitempty" form:"min=0,max=100000"`
	AwayPerRegion int `json:"away_per_region,omitempty" yaml:"away_per_region,omitempty" form:"min=0,max=100000"`
	// KeepReserve: no move may eat the pool's reserve.
	KeepReserve bool `json:"keep_reserve" yaml:"keep_reserve"`
	// StaggerSites: no two sites of one region are disrupted at once. StaggerRegions: likewise. StaggerRacks: no two
	// racks of one site; a host whose rack is not known is a rack of its own.
	StaggerSites   bool `json:"stagger_sites" yaml:"stagger_sites"`
	StaggerRegions bool `json:"stagger_regions" yaml:"stagger_regions"`
	StaggerRacks   bool `json:"stagger_racks,omitempty" yaml:"stagger_racks,omitempty"`
	// StaggerGap is kept between turns at places that are staggered.
	StaggerGap Gap `json:"stagger_gap,omitzero" yaml:"stagger_gap,omitempty"`
	// MovesPerHost and MovesPerPool bound the migrations in flight.
	MovesPerHost int `json:"moves_per_host" yaml:"moves_per_host" form:"min=1"`
	MovesPerPool int `json:"moves_per_pool" yaml:"moves_per_pool" form:"min=1"`
	// MovesPerRack and MovesPerRegion bound the migrations in flight that have an end in one rack, and in one region. A
	// host whose rack is not known is a rack of its own. 0: no bound.
	MovesPerRack   int `json:"moves_per_rack,omitempty" yaml:"moves_per_rack,omitempty" form:"min=0,max=1000000"`
	MovesPerRegion int `json:"moves_per_region,omitempty" yaml:"moves_per_region,omitempty" form:"min=0,max=1000000"`
	// MovesPerLink bounds the migrations in flight over one link of the fleet, and is how many share its rate. 0:
	// DefaultMovesPerLink. A fleet without links has nothing that it binds.
	MovesPerLink int `json:"moves_per_link,omitempty" yaml:"moves_per_link,omitempty" form:"min=0,max=1000"`
	// NonConverging is what follows when a migration does not converge, in order: post-copy, suspend,
	// hold. post-copy switches over at once. suspend is a stop, and tenants were promised a migration: so
	// the turn holds and says that a plan with a stop, told first, would do (law 1).
	NonConverging []string `json:"non_converging" yaml:"non_converging" form:"enum=post-copy|suspend|hold"`
	// Blackout is the longest pause that still counts as a blip.
	Blackout Duration `json:"blackout" yaml:"blackout" form:"min=1"`
	// Undeliverable: hold (default), next-contact, override.
	Undeliverable string `json:"undeliverable" yaml:"undeliverable" form:"enum=hold|next-contact|override"`
	// BringHome: instances go back to where they were once their host is done. It is the older way to say
	// home: return; where home is named too, it must not say otherwise.
	BringHome bool `json:"bring_home" yaml:"bring_home"`
	// Home says what becomes of instances that were moved off a host once that is done: return, stay, or
	// settle: they stay, but for the few that go back lest their pool be worse off than it was found.
	Home Home `json:"home,omitempty" yaml:"home,omitempty" form:"enum=return|stay|settle"`
	// MinStay: a move must not land on a host whose own turn starts sooner than this.
	MinStay Duration `json:"min_stay" yaml:"min_stay"`
	// FailureBudget: so many turns may hold before the campaign halts.
	FailureBudget int `json:"failure_budget" yaml:"failure_budget" form:"min=1"`
	// MigrationFailures in a row towards hosts that have the fix, within one cohort, hold the cohort's
	// migrations: another tactic is proposed. 0: never.
	MigrationFailures int `json:"migration_failures" yaml:"migration_failures" form:"min=0,max=1000"`
	// StaleAfter: facts older than this make a host unknown when assessing (0: never).
	StaleAfter Duration `json:"stale_after" yaml:"stale_after"`
	// Durations predicted for the parts of a turn, for planning and as step deadlines.
	Times Times `json:"times" yaml:"times"`
	// TimesFor are times of some hosts, where they are known better: the first rule that matches a host holds.
	TimesFor []TimesRule `json:"times_for,omitempty" yaml:"times_for,omitempty"`
	// FinishBy in the policy is used when the target names none.
	FinishBy time.Time `json:"finish_by,omitzero" yaml:"finish_by,omitempty"`
	// AfterDisclosure allows a plan that ends after disclosure.
	AfterDisclosure bool `json:"after_disclosure" yaml:"after_disclosure"`
	// Contact is what tenants are told to write to.
	Contact string `json:"contact" yaml:"contact"`
}

// WindowRule is a recurring window. Empty selectors match all. Start is a wall-clock time in
// Timezone (the site's own when empty). Always: any time.
type WindowRule struct {
	Regions    []string `json:"regions,omitempty" yaml:"regions,omitempty"`
	Sites      []string `json:"sites,omitempty" yaml:"sites,omitempty"`
	Hypervisor string   `json:"hypervisor,omitempty" yaml:"hypervisor,omitempty" form:"enum=kvm|xen"`
	Days       []string `json:"days,omitempty" yaml:"days,omitempty" form:"enum=mon|tue|wed|thu|fri|sat|sun"` // mon..sun; empty: each day
	// RRule, in place of days, is a recurrence rule of RFC 5545 by the day, such as FREQ=MONTHLY;BYDAY=2SU.
	RRule string `json:"rrule,omitempty" yaml:"rrule,omitempty" form:"is=filled"`
	// From is the first date; a rule with INTERVAL or COUNT, or without a day of its own, counts from it.
	From     string   `json:"from,omitempty" yaml:"from,omitempty" form:"is=date"`
	Start    string   `json:"start,omitempty" yaml:"start,omitempty" form:"is=clock"` // "02:00"
	Length   Duration `json:"length,omitempty" yaml:"length,omitempty" form:"min=1"`
	Timezone string   `json:"timezone,omitempty" yaml:"timezone,omitempty" form:"is=zone"`
	Always   bool     `json:"always,omitempty" yaml:"always,omitempty"`
}

// FreezeRule is a stretch in which no turn runs on the hosts that it matches; where it names tenants, none that
// would interrupt one of theirs. Empty selectors match all. From and To are wall times in Timezone (the site's own
// when empty). Where clocks change at one of them, the freeze takes the reading that makes it longer.
type FreezeRule struct {
	Why        string   `json:"why,omitempty" yaml:"why,omitempty"` // shown to people
	Regions    []string `json:"regions,omitempty" yaml:"regions,omitempty"`
	Sites      []string `json:"sites,omitempty" yaml:"sites,omitempty"`
	HostGroups []string `json:"host_groups,omitempty" yaml:"host_groups,omitempty"`
	Tenants    []string `json:"tenants,omitempty" yaml:"tenants,omitempty"`
	Hypervisor string   `json:"hypervisor,omitempty" yaml:"hypervisor,omitempty" form:"enum=kvm|xen"`
	From       string   `json:"from" yaml:"from" form:"required,is=wall"` // "2026-11-27 00:00"
	To         string   `json:"to" yaml:"to" form:"required,is=wall"`
	Timezone   string   `json:"timezone,omitempty" yaml:"timezone,omitempty" form:"is=zone"`
}

// Lead is the lead time per class.
type Lead struct {
	Blip   Duration `json:"blip" yaml:"blip"`
	Outage Duration `json:"outage" yaml:"outage"`
}

// Of gives the lead time of a class.
func (l Lead) Of(c Class) time.Duration {
	switch c {
	case ClassBlip:
		return time.Duration(l.Blip)
	case ClassOutage:
		return time.Duration(l.Outage)
	}
	return 0
}

// Times are the durations that planning predicts with and execution sets deadlines by.
type Times struct {
	Update      Duration `json:"update" yaml:"update" form:"min=1"`              // expected
	UpdateMax   Duration `json:"update_max" yaml:"update_max" form:"min=1"`      // p99, and the step's deadline
	Patch       Duration `json:"patch,omitempty" yaml:"patch,omitempty"`         // expected, of a live patch; 0: as an update
	PatchMax    Duration `json:"patch_max,omitempty" yaml:"patch_max,omitempty"` // p99, and its deadline; 0: as an update
	Reboot      Duration `json:"reboot" yaml:"reboot" form:"min=1"`              // expected, down to proven up
	RebootMax   Duration `json:"reboot_max" yaml:"reboot_max" form:"min=1"`      //
	MigrateMax  Duration `json:"migrate_max" yaml:"migrate_max" form:"min=1"`    // longest for one migration
	MigrateBase Duration `json:"migrate_base" yaml:"migrate_base"`               // fixed share of one migration, on top of memory / rate
	Save        Duration `json:"save" yaml:"save"`                               // fixed share of a save or a restore
	SaveMax     Duration `json:"save_max" yaml:"save_max" form:"min=1"`          // longest for one instance; for several at once see a turn's save_max_s
	Overhead    Duration `json:"overhead" yaml:"overhead"`                       // looks, cordon, proof
}

// UpdateIn is how long it takes to change a host's software in a turn of a tactic: expected, and p99.
func (t Times) UpdateIn(tactic Tactic) (expected, most time.Duration) {
	e, m := t.Update, t.UpdateMax
	if tactic == LivePatch {
		e, m = t.livePatch()
	}
	return e.Std(), max(e, m).Std()
}

// livePatch: plans from before live patches had times of their own reckon with those of an update.
func (t Times) livePatch() (expected, most Duration) {
	return cmp.Or(t.Patch, t.Update), cmp.Or(t.PatchMax, t.UpdateMax)
}

// DefaultPolicy is what applies without a policy: canary first, at most 5 % of a pool away,
// the reserve kept, two-hour windows at night in the site's own zone, 24 h and 7 d of notice.
func DefaultPolicy() Policy {
	const (
		s = Duration(time.Second)
		m = Duration(time.Minute)
		h = Duration(time.Hour)
	)
	return Policy{
		Evenkeel:          PolicySchemaV1,
		Windows:           []WindowRule{{Start: "02:00", Length: 2 * h}},
		Slot:              2 * h,
		Lead:              Lead{Blip: 24 * h, Outage: 7 * 24 * h},
		Tactics:           []Tactic{LivePatch, Refresh, Evacuate, Suspend},
		Canary:            true,
		Soak:              30 * m,
		WaveGrowth:        4,
		MaxAwayPercent:    5,
		KeepReserve:       true,
		StaggerSites:      true,
		MovesPerHost:      2,
		MovesPerPool:      8,
		NonConverging:     []string{"post-copy", "hold"},
		Blackout:          5 * s,
		Undeliverable:     "hold",
		Contact:           "reply to this mail",
		MinStay:           10 * m,
		FailureBudget:     1,
		MigrationFailures: 3,
		Times: Times{
			Update: 3 * m, UpdateMax: 10 * m, Patch: m, PatchMax: 5 * m, Reboot: 5 * m, RebootMax: 20 * m,
			MigrateMax: 15 * m, MigrateBase: 2 * s, Save: 10 * s, SaveMax: 5 * m, Overhead: 15 * s,
		},
	}
}
