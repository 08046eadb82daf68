package plan

import "time"

// TargetSchemaV1 is the value of a target file's `evenkeel` key.
const TargetSchemaV1 = "target/v1"

// Target is the desired software per cohort of hosts; it fixes a set of advisories.
type Target struct {
	Evenkeel string `json:"evenkeel" yaml:"evenkeel" form:"enum=target/v1"`
	ID       string `json:"id" yaml:"id" form:"is=id"`
	// Public names the work to tenants while disclosure lies ahead; never an advisory's id.
	Public string `json:"public,omitempty" yaml:"public,omitempty"`
	// Fixes are the ids of the advisories this target fixes; Advisories are the files to read
	// them from, relative to the target's own file.
	Fixes      []string `json:"fixes,omitempty" yaml:"fixes,omitempty" form:"is=id"`
	Advisories []string `json:"advisories,omitempty" yaml:"advisories,omitempty" form:"is=filled"`
	// Disclosure is the moment at which the advisories become public; zero: public already.
	Disclosure time.Time `json:"disclosure,omitzero" yaml:"disclosure,omitempty"`
	// EmbargoDeploy: yes (default), mitigations, no - may the fix be deployed before disclosure.
	EmbargoDeploy string `json:"embargo_deploy,omitempty" yaml:"embargo_deploy,omitempty" form:"enum=yes|mitigations|no"`
	// FinishBy is the operator's own deadline; zero: none.
	FinishBy time.Time `json:"finish_by,omitzero" yaml:"finish_by,omitempty"`
	// Withdrawn are fixes that were found bad: nobody gets them any more, and who has one is listed.
	Withdrawn []WithdrawnFix `json:"withdrawn,omitempty" yaml:"withdrawn,omitempty"`
	Cohorts   []Cohort       `json:"cohorts" yaml:"cohorts" form:"optional"`
}

// Cohort is a set of hosts with one desired state. The first cohort that matches a host counts.
type Cohort struct {
	Name  string `json:"name,omitempty" yaml:"name,omitempty"`
	Match Match  `json:"match,omitempty" yaml:"match,omitempty"`
	// Packages: package -> lowest version that is fixed, by Ecosystem's rules.
	Packages  map[string]string `json:"packages" yaml:"packages" form:"optional,is=version"`
	Ecosystem string            `json:"ecosystem,omitempty" yaml:"ecosystem,omitempty" form:"is=filled"` // Debian (default), or with its release: Debian:12
	// Sources: binary package -> source package, where an advisory names a source and the built-in
	// table of hypervisor packages does not know the binary.
	Sources map[string]string `json:"sources,omitempty" yaml:"sources,omitempty"`
	// Tactics allowed, least disruptive first; policy may narrow them.
	Tactics []Tactic `json:"tactics,omitempty" yaml:"tactics,omitempty" form:"enum=live-patch|refresh|evacuate|suspend|reboot|hold"`
	// InPlace: no instance is live-migrated for these hosts' sake. Whoever runs on them is saved or stopped
	// where it is, in a refresh too, as far as Tactics and policy allow suspend and reboot.
	InPlace bool `json:"in_place,omitempty" yaml:"in_place,omitempty"`
	// Remedy is what makes the fix take effect: reboot (default), refresh (instances moved once), live-patch.
	Remedy string `json:"remedy,omitempty" yaml:"remedy,omitempty" form:"enum=reboot|refresh|live-patch"`
	Update Update `json:"update,omitempty" yaml:"update,omitempty"`
	// LivePatches that bring the fix without a reboot, in the order in which they are applied. A
	// host is fixed by them when all that bind to its build are applied.
	LivePatches []WantedPatch `json:"live_patches,omitempty" yaml:"live_patches,omitempty"`
	// Then: reboot - the live patches come first and end the exposure; each host that has them, and
	// whose Packages are not at their versions in what it booted, is rebooted later in the same
	// campaign, in a window of its own (Turn.Deferred). Empty: live-patched hosts are not rebooted.
	Then string `json:"then,omitempty" yaml:"then,omitempty" form:"enum=reboot"`
}

// WantedPatch is a patch of running code that a cohort should have.
type WantedPatch struct {
	Name      string `json:"name" yaml:"name" form:"is=filled"` // as the host's own list shows it
	Component string `json:"component" yaml:"component" form:"enum=xen|linux"`
	// BuildID that it binds to; empty: any.
	BuildID string `json:"build_id,omitempty" yaml:"build_id,omitempty"`
	// Fixes are the ids of the advisories it fixes; empty: all that the target fixes.
	Fixes  []string `json:"fixes,omitempty" yaml:"fixes,omitempty" form:"is=id"`
	File   string   `json:"file,omitempty" yaml:"file,omitempty"` // the payload, relative to the target's own file
	SHA256 string   `json:"sha256,omitempty" yaml:"sha256,omitempty" form:"is=sha256"`
	// Replace: it takes the place of all live patches that are applied (a cumulative one, as XenServer
	// ships them); else it is stacked on top of them.
	Replace bool `json:"replace,omitempty" yaml:"replace,omitempty"`
}

// WithdrawnFix is a version or live patch that must not be given to anybody any more.
type WithdrawnFix struct {
	Package   string   `json:"package,omitempty" yaml:"package,omitempty"`
	Versions  []string `json:"versions,omitempty" yaml:"versions,omitempty"`
	LivePatch string   `json:"live_patch,omitempty" yaml:"live_patch,omitempty"` // its name
	Why       string   `json:"why" yaml:"why" form:"is=filled"`
}

// Match selects hosts; empty fields match all.
type Match struct {
	Hypervisor string   `json:"hypervisor,omitempty" yaml:"hypervisor,omitempty" form:"enum=kvm|xen"`
	Regions    []string `json:"regions,omitempty" yaml:"regions,omitempty"`
	Sites      []string `json:"sites,omitempty" yaml:"sites,omitempty"`
	Pools      []string `json:"pools,omitempty" yaml:"pools,omitempty"`
	Hosts      []string `json:"hosts,omitempty" yaml:"hosts,omitempty"`
}

// Update is how the software of one host is changed: a command over SSH, or a folder of hook
// files in the CloudStack contract (exit 0 done, 70 nothing needed, else failure).
type Update struct {
	Command []string `json:"command,omitempty" yaml:"command,omitempty"`
	Hooks   string   `json:"hooks,omitempty" yaml:"hooks,omitempty"` // folder with PreFlight, PreMaintenance, Maintenance, PostMaintenance
	// Reboot is the guarded command that reboots the host; {boot_id} and {generation} are filled
	// in. Empty: the driver's own.
	Reboot []string `json:"reboot,omitempty" yaml:"reboot,omitempty"`
	SHA256 string   `json:"sha256,omitempty" yaml:"sha256,omitempty" form:"is=sha256"` // of the payload, when there is one
}
