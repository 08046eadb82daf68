// Package advisory is a published vulnerability as a value, and what it says
// of a fleet: which hosts and instances are affected, which are not, which are
// fixed, and of which nothing can be said.
//
// It never guesses: what is not known is unknown, with the reason, and each
// verdict carries its evidence. It never opens a file, reads a clock or
// decides what to do about a verdict: planner does. parse/ reads the formats
// that advisories are published in.
//
// Start reading at Advisory, then Assess, then ruling.go (how one version is
// judged), host.go and instance.go (whose versions count), applies.go (guest
// types, CPUs, configuration).
package advisory

import (
	"slices"
	"time"
)

// Format is what a document was published in.
type Format string

// The formats that parse/ reads.
const (
	FormatOwn        Format = "advisory/v1" // Evenkeel's own YAML or JSON: what an operator knows beyond the published documents
	FormatOSV        Format = "osv"         // ossf.github.io/osv-schema, version 1
	FormatCSAF       Format = "csaf"        // OASIS CSAF 2.0, advisories and VEX
	FormatNVD        Format = "nvd"         // NVD's CVE API 2.0
	FormatCVE        Format = "cve"         // CVE records, version 5
	FormatXenMeta    Format = "xen-meta"    // the .meta file beside a Xen Security Advisory
	FormatUpdateinfo Format = "updateinfo"  // XenServer's updateinfo.xml
)

// Advisory is what one document says of one vulnerability, as far as a fleet is judged by it. What
// the document does not say is empty, and Gaps names what it leaves open.
type Advisory struct {
	ID     string `json:"id" yaml:"id"`
	Format Format `json:"format" yaml:"format"`
	Source string `json:"source" yaml:"source"` // the file or address it was read from
	// Aliases are other ids of the same vulnerability; Upstream are those of the vulnerabilities
	// that a distribution's own record (DSA-..., DEBIAN-CVE-...) is about.
	Aliases  []string `json:"aliases,omitempty" yaml:"aliases,omitempty"`
	Upstream []string `json:"upstream,omitempty" yaml:"upstream,omitempty"`
	// Documents are ids of documents that speak of this vulnerability among others (RHSA-2026:1234).
	// A target may name the advisory by them; they make no two advisories alike.
	Documents []string `json:"documents,omitempty" yaml:"documents,omitempty"`
	// Document names the document that it was read from, where one id is in documents of several
	// publishers: for CSAF the publisher's namespace and the tracking id. Two states of one document have one.
	Document string `json:"document,omitempty" yaml:"document,omitempty"`
	// Supersedes are ids of documents that this one takes the place of.
	Supersedes []string  `json:"supersedes,omitempty" yaml:"supersedes,omitempty"`
	Summary    string    `json:"summary,omitempty" yaml:"summary,omitempty"`
	Severity   string    `json:"severity,omitempty" yaml:"severity,omitempty"` // as the document words it, such as High or a CVSS vector
	Published  time.Time `json:"published,omitzero" yaml:"published,omitempty"`
	Modified   time.Time `json:"modified,omitzero" yaml:"modified,omitempty"`
	Withdrawn  time.Time `json:"withdrawn,omitzero" yaml:"withdrawn,omitempty"` // zero: it stands
	// Disclosure is when it becomes, or became, public; zero: not said (then Published counts).
	Disclosure time.Time `json:"disclosure,omitzero" yaml:"disclosure,omitempty"`
	// EmbargoDeploy says whether the fix may be deployed before Disclosure: yes, mitigations, no;
	// empty: not said.
	EmbargoDeploy string `json:"embargo_deploy,omitempty" yaml:"embargo_deploy,omitempty"`
	// Affected is what the document says of packages. Empty is missing knowledge, not 'nothing
	// is affected'.
	Affected []Affected `json:"affected,omitempty" yaml:"affected,omitempty"`
	// Applies narrows it: only where one of these conditions holds. Empty: it applies everywhere.
	Applies     []Condition  `json:"applies,omitempty" yaml:"applies,omitempty"`
	Mitigations []Mitigation `json:"mitigations,omitempty" yaml:"mitigations,omitempty"`
	Payloads    []Payload    `json:"payloads,omitempty" yaml:"payloads,omitempty"`
	Guidance    []Guidance   `json:"guidance,omitempty" yaml:"guidance,omitempty"`
	// Gaps says, in words, what the document leaves open: versions 'n/a', an empty list, a tree
	// without a fix. Each is missing knowledge; none decides anything.
	Gaps []string `json:"gaps,omitempty" yaml:"gaps,omitempty"`
}

// Status is what an Affected entry says of the versions that it lists or spans.
type Status string

// The statuses; they are VEX's. Empty is StatusAffected.
const (
	StatusAffected    Status = "affected"
	StatusFixed       Status = "fixed"
	StatusNotAffected Status = "not-affected"
	StatusUnknown     Status = "under-investigation"
)

// Affected says what holds for the versions of one package in one ecosystem: for those in any
// range, and for those listed. With neither, it holds for all versions of the package if Status is
// not-affected or under-investigation, and says nothing of versions otherwise.
type Affected struct {
	// Ecosystem such as Debian:12, Alpine:v3.17, Rocky Linux:9; version.Upstream for the project's
	// own releases (then Package is xen, qemu, linux, libvirt, edk2 ...); version.BuildID, where
	// Versions are build ids; empty: not said.
	Ecosystem string   `json:"ecosystem" yaml:"ecosystem" form:"is=filled"`
	Package   string   `json:"package" yaml:"package" form:"is=filled"` // for Debian and Alpine the source package
	Status    Status   `json:"status,omitempty" yaml:"status,omitempty" form:"enum=affected|fixed|not-affected|under-investigation"`
	Ranges    []Range  `json:"ranges,omitempty" yaml:"ranges,omitempty"`
	Versions  []string `json:"versions,omitempty" yaml:"versions,omitempty" form:"is=filled"`
	Why       string   `json:"why,omitempty" yaml:"why,omitempty"` // the document's own reason, such as a VEX justification
	// Applies narrows this entry as Advisory.Applies narrows the whole (a CPE's target hardware).
	Applies []Condition `json:"applies,omitempty" yaml:"applies,omitempty"`
}

// Range is a stretch of versions, given by the events along it. Type is ECOSYSTEM, SEMVER or GIT;
// only ECOSYSTEM ranges are compared.
type Range struct {
	Type   string  `json:"type" yaml:"type" form:"optional,enum=ECOSYSTEM|SEMVER|GIT"`
	Events []Event `json:"events" yaml:"events"`
}

// Event is one point on a range; exactly one field is set.
type Event struct {
	Introduced   string `json:"introduced,omitempty" yaml:"introduced,omitempty" form:"is=filled"` // "0": from the first version on
	Fixed        string `json:"fixed,omitempty" yaml:"fixed,omitempty" form:"is=filled"`
	LastAffected string `json:"last_affected,omitempty" yaml:"last_affected,omitempty" form:"is=filled"`
	Limit        string `json:"limit,omitempty" yaml:"limit,omitempty" form:"is=filled"` // versions from here on are not looked at
}

// Condition says where an advisory applies. Every field that is set must hold; of the values in one
// field any suffices. A field whose fact is missing in the fleet makes the verdict unknown.
type Condition struct {
	// GuestTypes of the instance: hvm, pv, pvh.
	GuestTypes []string `json:"guest_types,omitempty" yaml:"guest_types,omitempty" form:"enum=hvm|pv|pvh"`
	// Hypervisors of the host: kvm, xen.
	Hypervisors []string `json:"hypervisors,omitempty" yaml:"hypervisors,omitempty" form:"enum=kvm|xen"`
	// Arch of the host: x86_64, aarch64 ...
	Arch []string `json:"arch,omitempty" yaml:"arch,omitempty" form:"enum=x86_64|aarch64|armv7l|ppc64le|riscv64|s390x"`
	// CPUVendors of the host, as fleet.CPU.Vendor names them.
	CPUVendors []string `json:"cpu_vendors,omitempty" yaml:"cpu_vendors,omitempty" form:"enum=intel|amd|hygon|zhaoxin|centaur|ibm|arm|ampere|apm|apple|broadcom|cavium|fujitsu|hisilicon|marvell|microsoft|nvidia|phytium|qualcomm|samsung"`
	// CPUFamilies and CPUModels of the host, as /proc/cpuinfo counts: 6, 23 (Zen and Zen 2), 25.
	CPUFamilies []int `json:"cpu_families,omitempty" yaml:"cpu_families,omitempty" form:"min=0"`
	CPUModels   []int `json:"cpu_models,omitempty" yaml:"cpu_models,omitempty" form:"min=0"`
	// CPUFeatures: the host has one of them.
	CPUFeatures []string `json:"cpu_features,omitempty" yaml:"cpu_features,omitempty" form:"is=filled"`
	// Passthrough: the instance has, or has not, a passed-through device.
	Passthrough *bool `json:"passthrough,omitempty" yaml:"passthrough,omitempty"`
	// Config: settings of the instance, or of its host, have these values (fleet.Instance.Config,
	// fleet.Host.Config).
	Config map[string]string `json:"config,omitempty" yaml:"config,omitempty"`
	Why    string            `json:"why,omitempty" yaml:"why,omitempty"` // what the document says of it
}

// Mitigation lessens the harm without the fix. Where Config holds, it is in place; that never makes
// a host fixed, but it is said.
type Mitigation struct {
	Text   string            `json:"text" yaml:"text" form:"is=filled"`
	Config map[string]string `json:"config,omitempty" yaml:"config,omitempty"`
}

// Payload is a file that brings the fix.
type Payload struct {
	Kind      string `json:"kind" yaml:"kind" form:"enum=live-patch|patch|package"` // live-patch, patch, package
	Name      string `json:"name,omitempty" yaml:"name,omitempty"`                  // a live patch's name in the list of the host
	Component string `json:"component,omitempty" yaml:"component,omitempty"`        // xen, linux, qemu
	URL       string `json:"url,omitempty" yaml:"url,omitempty"`
	SHA256    string `json:"sha256,omitempty" yaml:"sha256,omitempty" form:"is=sha256"`
	Signature string `json:"signature,omitempty" yaml:"signature,omitempty"` // the file or address of its detached signature
	// Base and To are the versions that a live patch starts from and stands for; BuildID is the
	// build that it binds to.
	Base    string `json:"base,omitempty" yaml:"base,omitempty"`
	To      string `json:"to,omitempty" yaml:"to,omitempty"`
	BuildID string `json:"build_id,omitempty" yaml:"build_id,omitempty"`
	// Branch of the project's source that a patch is for (4.15, master); Base is then its commit.
	Branch string `json:"branch,omitempty" yaml:"branch,omitempty"`
	// Requires are ids of advisories whose patches come first.
	Requires []string `json:"requires,omitempty" yaml:"requires,omitempty"`
}

// Guidance is what a vendor asks to be done for an update to take effect.
type Guidance struct {
	Action string `json:"action" yaml:"action" form:"is=filled"` // in the vendor's word: RebootHost, EvacuateHost, RestartToolstack, RestartDeviceModel, RestartVM
	// Kind: absolute (always sufficient), recommended, livepatch (after the live patch), or the
	// vendor's own word.
	Kind string `json:"kind,omitempty" yaml:"kind,omitempty"`
	// Tactics that do it, least disruptive first; empty: none of ours is needed (a service restarts).
	Tactics []string `json:"tactics,omitempty" yaml:"tactics,omitempty" form:"enum=live-patch|refresh|evacuate|suspend|reboot|hold"`
	// From says for which installed versions it is asked; empty: for all.
	From []Affected `json:"from,omitempty" yaml:"from,omitempty"`
}

// Names says whether id is one of the advisory's names.
func (a *Advisory) Names(id string) bool {
	return a.ID == id || slices.Contains(a.Aliases, id) || slices.Contains(a.Upstream, id) || slices.Contains(a.Documents, id)
}

// alike: the two documents are about the same vulnerability.
func alike(a, b *Advisory) bool {
	return slices.ContainsFunc(b.names(), a.Names)
}

func (a *Advisory) names() []string {
	return append(append([]string{a.ID}, a.Aliases...), a.Upstream...)
}
