package plan

// Summary is a plan in numbers, for machines and for tables beside peers. CPUSeconds and PeakRSSBytes are
// those of the process that made it, reading included, so it is no part of the plan's digest.
type Summary struct {
	Hosts                int   `json:"hosts" yaml:"hosts"`         // of the fleet
	Instances            int   `json:"instances" yaml:"instances"` // of the fleet
	Turns                int   `json:"turns" yaml:"turns"`
	Waves                int   `json:"waves" yaml:"waves"`
	Moves                int   `json:"moves" yaml:"moves"`
	MakespanSeconds      int64 `json:"makespan_seconds" yaml:"makespan_seconds"` // first start to last end at worst
	TenantsInterrupted   int   `json:"tenants_interrupted" yaml:"tenants_interrupted"`
	InstancesInterrupted int   `json:"instances_interrupted" yaml:"instances_interrupted"`
	Blocked              int   `json:"blocked" yaml:"blocked"`
	// ExposureVMHours is for how long instances run unfixed from now on, all added up, in VM-hours.
	ExposureVMHours float64 `json:"exposure_vm_hours" yaml:"exposure_vm_hours"`
	// Toll is what drafts of the plan were ranked by.
	Toll   Toll          `json:"toll,omitzero" yaml:"toll,omitempty"`
	Bounds SummaryBounds `json:"bounds" yaml:"bounds"`
	// Pools are how pools stand before and after, where policy names a home rule by which instances do not all return.
	Pools        []PoolStanding `json:"pools,omitempty" yaml:"pools,omitempty"`
	CPUSeconds   float64        `json:"cpu_seconds" yaml:"cpu_seconds"`
	PeakRSSBytes int64          `json:"peak_rss_bytes" yaml:"peak_rss_bytes"`
}

// SummaryBounds are lower bounds: no plan of this fleet by this policy can do with less.
type SummaryBounds struct {
	Waves           int   `json:"waves" yaml:"waves"`
	MovesM1         int   `json:"moves_m1" yaml:"moves_m1"`
	MovesM2         int   `json:"moves_m2" yaml:"moves_m2"`
	MakespanSeconds int64 `json:"makespan_seconds" yaml:"makespan_seconds"`
}

// Cause is one reason why hosts or instances are blocked, with a set of changes that would free all of
// them: planning the changed fleet by the changed policy was tried, and blocks none of them for it.
type Cause struct {
	Code      string   `json:"code" yaml:"code"`
	Pool      string   `json:"pool,omitempty" yaml:"pool,omitempty"`
	Hosts     []string `json:"hosts,omitempty" yaml:"hosts,omitempty"`
	Instances []string `json:"instances,omitempty" yaml:"instances,omitempty"`
	Changes   []Change `json:"changes,omitempty" yaml:"changes,omitempty"` // empty: no set was found; Why says so
	// Proven: no smaller set of changes of the kinds that were tried frees them all.
	Proven bool   `json:"proven,omitempty" yaml:"proven,omitempty"`
	Why    string `json:"why,omitempty" yaml:"why,omitempty"`
}

// Together is what the changes of all causes come to when they are made at once: planning with all of them was
// tried. It may need more than the causes name, for what shows up only then, and less, where one does for several.
type Together struct {
	Changes []Change `json:"changes,omitempty" yaml:"changes,omitempty"`
	// Proven: no smaller set of changes of the kinds that were tried does the same.
	Proven  bool      `json:"proven,omitempty" yaml:"proven,omitempty"`
	Blocked int       `json:"blocked" yaml:"blocked"`               // how many stay blocked then
	Left    []Blocked `json:"left,omitempty" yaml:"left,omitempty"` // the first of them
	Why     string    `json:"why,omitempty" yaml:"why,omitempty"`
}

// Change is one edit of the fleet, the target or the policy.
type Change struct {
	Of    string `json:"of" yaml:"of"`                     // host, instance, group, host-group, pool, tenant, policy, target
	ID    string `json:"id,omitempty" yaml:"id,omitempty"` // which; empty for policy and target
	Field string `json:"field" yaml:"field"`               // by its name in the file, or "add" for a new one
	// From is what it is now, or after the change before this one; empty: there is none yet.
	From  string `json:"from,omitempty" yaml:"from,omitempty"`
	To    string `json:"to" yaml:"to"`       // empty: it is taken away
	Words string `json:"words" yaml:"words"` // for people
}
