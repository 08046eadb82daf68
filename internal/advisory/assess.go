package advisory

import (
	"slices"
	"strings"
	"time"
)

// Verdict on one host or instance.
type Verdict string

// The verdicts, the most pressing first.
const (
	IsAffected  Verdict = "affected"
	IsUnknown   Verdict = "unknown"
	IsFixed     Verdict = "fixed"
	NotAffected Verdict = "not-affected"
)

// Verdicts lists them in the order in which people want to read them.
var Verdicts = []Verdict{IsAffected, IsUnknown, IsFixed, NotAffected}

// Assessment is the verdict on each host and instance, both sorted by id, and what they add up to.
type Assessment struct {
	Target    string            `json:"target,omitempty" yaml:"target,omitempty"`
	At        time.Time         `json:"at" yaml:"at"`
	Hosts     []HostVerdict     `json:"hosts" yaml:"hosts"`
	Instances []InstanceVerdict `json:"instances" yaml:"instances"`
	Counts    Counts            `json:"counts" yaml:"counts"`
	Exposure  Exposure          `json:"exposure" yaml:"exposure"`
	Sites     []Share           `json:"sites,omitempty" yaml:"sites,omitempty"`     // sorted by id
	Tenants   []Share           `json:"tenants,omitempty" yaml:"tenants,omitempty"` // sorted by id
	// Advisories counts, per document, whom it calls affected and of whom it cannot tell, in the
	// order in which they were given.
	Advisories []AdvisoryShare `json:"advisories,omitempty" yaml:"advisories,omitempty"`
	// Remedies are what would fix how much, the greatest first.
	Remedies []Remedy `json:"remedies,omitempty" yaml:"remedies,omitempty"`
	// Holders have a fix that was withdrawn.
	Holders []Holder `json:"holders,omitempty" yaml:"holders,omitempty"`
}

// HostVerdict is what was found of one host.
type HostVerdict struct {
	Host    string  `json:"host" yaml:"host"`
	Verdict Verdict `json:"verdict" yaml:"verdict"`
	Site    string  `json:"site,omitempty" yaml:"site,omitempty"`
	Cohort  string  `json:"cohort,omitempty" yaml:"cohort,omitempty"` // its name, or #N; empty: in none
	Remedy  string  `json:"remedy,omitempty" yaml:"remedy,omitempty"` // its cohort's, when it is affected
	// Then is reboot where its cohort has one follow the live patches, and what the host booted with is not
	// known to be at the cohort's packages. An affected host comes to it after its live patch; a fixed
	// one has that already, and awaits its deferred reboot alone. Empty: none is to follow.
	Then string `json:"then,omitempty" yaml:"then,omitempty"`
	// Needs says what would fix it, or what would make it known; empty when nothing is needed.
	Needs    string   `json:"needs,omitempty" yaml:"needs,omitempty"`
	Evidence []string `json:"evidence" yaml:"evidence"`
	// Seen are the facts that it was judged by, with when and how each was read.
	Seen []Seen `json:"seen,omitempty" yaml:"seen,omitempty"`
	// ExposedSince is when the first advisory that affects it became public; zero: not affected, not
	// known, or still under embargo.
	ExposedSince time.Time `json:"exposed_since,omitzero" yaml:"exposed_since,omitempty"`
	// Severity of the worst advisory that affects it; empty: not affected, or none of the worst says.
	Severity Severity `json:"severity,omitempty" yaml:"severity,omitempty"`
}

// Seen is one fact of software.
type Seen struct {
	Layer   string    `json:"layer" yaml:"layer"`     // installed, booted, running, live_patches
	Package string    `json:"package" yaml:"package"` // or the live patch's name
	Version string    `json:"version" yaml:"version"` // or the live patch's state; empty: looked for and not there
	At      time.Time `json:"at,omitzero" yaml:"at,omitempty"`
	How     string    `json:"how,omitempty" yaml:"how,omitempty"`
}

// InstanceVerdict is what was found of one instance.
type InstanceVerdict struct {
	Instance string   `json:"instance" yaml:"instance"`
	Host     string   `json:"host" yaml:"host"`
	Tenant   string   `json:"tenant,omitempty" yaml:"tenant,omitempty"`
	Verdict  Verdict  `json:"verdict" yaml:"verdict"`
	Needs    string   `json:"needs,omitempty" yaml:"needs,omitempty"`
	Evidence []string `json:"evidence" yaml:"evidence"`
	// Seen is what its own monitor told of the packages that it was judged by.
	Seen         []Seen    `json:"seen,omitempty" yaml:"seen,omitempty"`
	ExposedSince time.Time `json:"exposed_since,omitzero" yaml:"exposed_since,omitempty"`
}

// Counts of hosts and of instances.
type Counts struct {
	Hosts     Tally `json:"hosts" yaml:"hosts"`
	Instances Tally `json:"instances" yaml:"instances"`
}

// Tally counts verdicts.
type Tally struct {
	Affected    int `json:"affected" yaml:"affected"`
	Unknown     int `json:"unknown" yaml:"unknown"`
	Fixed       int `json:"fixed" yaml:"fixed"`
	NotAffected int `json:"not_affected" yaml:"not_affected"`
}

func (t *Tally) add(v Verdict) {
	switch v {
	case IsAffected:
		t.Affected++
	case IsFixed:
		t.Fixed++
	case NotAffected:
		t.NotAffected++
	default:
		t.Unknown++
	}
}

// Of gives the number of one verdict.
func (t Tally) Of(v Verdict) int {
	switch v {
	case IsAffected:
		return t.Affected
	case IsFixed:
		return t.Fixed
	case NotAffected:
		return t.NotAffected
	}
	return t.Unknown
}

// All is the number of all.
func (t Tally) All() int { return t.Affected + t.Unknown + t.Fixed + t.NotAffected }

// Host gives the verdict on one host.
func (a *Assessment) Host(id string) (HostVerdict, bool) {
	i, ok := slices.BinarySearchFunc(a.Hosts, id, func(h HostVerdict, id string) int { return strings.Compare(h.Host, id) })
	if !ok {
		return HostVerdict{}, false
	}
	return a.Hosts[i], true
}

// Instance gives the verdict on one instance.
func (a *Assessment) Instance(id string) (InstanceVerdict, bool) {
	i, ok := slices.BinarySearchFunc(a.Instances, id, func(v InstanceVerdict, id string) int { return strings.Compare(v.Instance, id) })
	if !ok {
		return InstanceVerdict{}, false
	}
	return a.Instances[i], true
}
