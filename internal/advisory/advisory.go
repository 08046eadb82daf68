// Package advisory reads published advisories and judges a fleet by them:
// which hosts and instances are affected, which are not, which are fixed, and
// of which nothing can be said.
//
// It never guesses: what is not known is unknown, with the reason, and each
// verdict carries its evidence. It never opens a file, reads a clock or
// decides what to do about a verdict: planner does.
//
// Start reading at Assess, then ruling.go (how one version is judged), host.go
// and instance.go (whose versions count), debian.go (what a Debian version
// tells); osv.go reads OSV documents.
package advisory

import (
	"slices"
	"time"
)

// Advisory is a published vulnerability, as far as judging a fleet needs it.
type Advisory struct {
	ID string `json:"id" yaml:"id"`
	// Aliases are other ids of the same vulnerability; Upstream are those of the vulnerabilities
	// that a distribution's own record (DSA-..., DEBIAN-CVE-...) is about.
	Aliases   []string  `json:"aliases,omitempty" yaml:"aliases,omitempty"`
	Upstream  []string  `json:"upstream,omitempty" yaml:"upstream,omitempty"`
	Summary   string    `json:"summary,omitempty" yaml:"summary,omitempty"`
	Published time.Time `json:"published,omitzero" yaml:"published,omitempty"`
	Modified  time.Time `json:"modified,omitzero" yaml:"modified,omitempty"`
	Withdrawn time.Time `json:"withdrawn,omitzero" yaml:"withdrawn,omitempty"` // zero: it stands
	// Affected is what the document says of packages. Empty is missing knowledge, not 'nothing
	// is affected'.
	Affected []Affected `json:"affected,omitempty" yaml:"affected,omitempty"`
	Source   string     `json:"source" yaml:"source"` // the file it was read from
}

// Affected says which versions of one package in one ecosystem are affected: those in any range,
// and those listed.
type Affected struct {
	Ecosystem string   `json:"ecosystem" yaml:"ecosystem"` // such as Debian:12
	Package   string   `json:"package" yaml:"package"`     // for Debian the source package
	Ranges    []Range  `json:"ranges,omitempty" yaml:"ranges,omitempty"`
	Versions  []string `json:"versions,omitempty" yaml:"versions,omitempty"`
}

// Range is a stretch of versions, given by the events along it. Type is ECOSYSTEM, SEMVER or GIT.
type Range struct {
	Type   string  `json:"type" yaml:"type"`
	Events []Event `json:"events" yaml:"events"`
}

// Event is one point on a range; exactly one field is set.
type Event struct {
	Introduced   string `json:"introduced,omitempty" yaml:"introduced,omitempty"` // "0": from the first version on
	Fixed        string `json:"fixed,omitempty" yaml:"fixed,omitempty"`
	LastAffected string `json:"last_affected,omitempty" yaml:"last_affected,omitempty"`
	Limit        string `json:"limit,omitempty" yaml:"limit,omitempty"` // versions from here on are not looked at
}

// Names says whether id is one of the advisory's names.
func (a *Advisory) Names(id string) bool {
	return a.ID == id || slices.Contains(a.Aliases, id) || slices.Contains(a.Upstream, id)
}

// alike: the two documents are about the same vulnerability.
func alike(a, b *Advisory) bool {
	return slices.ContainsFunc(b.names(), a.Names)
}

func (a *Advisory) names() []string {
	return append(append([]string{a.ID}, a.Aliases...), a.Upstream...)
}
