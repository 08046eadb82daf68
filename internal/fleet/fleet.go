// Package fleet is the fleet as a value: regions, sites, pools, hosts,
// instances, tenants and groups, as they were seen at one moment.
//
// It never reads a clock, opens a connection or decides anything about a
// campaign. Start reading at Fleet; Parse reads the text form and reports
// every mistake in it with line and column; Index answers look-ups;
// CanMove says whether an instance may go from one host to another, and if
// not, why.
//
// Units: memory in MiB (2^20 bytes), link rates in Mbit/s (10^6 bit/s), dirty
// rates in MiB/s. Times are UTC instants; time zones are IANA names.
package fleet

import "time"

// SchemaV1 is the value of the text form's `evenkeel` key.
const SchemaV1 = "fleet/v1"

// Fleet is everything under care, seen at Taken.
type Fleet struct {
	Evenkeel   string      `yaml:"evenkeel" json:"evenkeel" form:"enum=fleet/v1"`
	Taken      time.Time   `yaml:"taken,omitempty" json:"taken,omitzero"`
	Regions    []Region    `yaml:"regions,omitempty" json:"regions,omitempty"`
	Sites      []Site      `yaml:"sites,omitempty" json:"sites,omitempty"`
	Pools      []Pool      `yaml:"pools,omitempty" json:"pools,omitempty"`
	HostGroups []HostGroup `yaml:"host_groups,omitempty" json:"host_groups,omitempty"`
	Links      []Link      `yaml:"links,omitempty" json:"links,omitempty"`
	Tenants    []Tenant    `yaml:"tenants,omitempty" json:"tenants,omitempty"`
	Groups     []Group     `yaml:"groups,omitempty" json:"groups,omitempty"`
	Hosts      []Host      `yaml:"hosts,omitempty" json:"hosts,omitempty"`
	Instances  []Instance  `yaml:"instances,omitempty" json:"instances,omitempty"`
}

// Region holds sites.
type Region struct {
	ID string `yaml:"id" json:"id" form:"is=id"`
	// Windows and Freezes of its own narrow those of the policy.
	Windows []Window `yaml:"windows,omitempty" json:"windows,omitempty"`
	Freezes []Freeze `yaml:"freezes,omitempty" json:"freezes,omitempty"`
}

// Site is a data centre or availability zone.
type Site struct {
	ID       string `yaml:"id" json:"id" form:"is=id"`
	Region   string `yaml:"region" json:"region"`
	Timezone string `yaml:"timezone,omitempty" json:"timezone,omitempty" form:"is=zone"` // IANA; UTC when empty
	// Windows and Freezes of its own narrow those of the policy.
	Windows []Window `yaml:"windows,omitempty" json:"windows,omitempty"`
	Freezes []Freeze `yaml:"freezes,omitempty" json:"freezes,omitempty"`
}

// Pool is the set of hosts that are candidates for each other's instances.
type Pool struct {
	ID   string `yaml:"id" json:"id" form:"is=id"`
	Site string `yaml:"site" json:"site"`
	// ReserveMiB is kept free for failures; nil means the pool's largest host.
	ReserveMiB *int64 `yaml:"reserve_mib,omitempty" json:"reserve_mib,omitempty" form:"min=0,unit=MiB"`
}

// Hypervisor names what a host runs.
type Hypervisor string

// The hypervisors that are known.
const (
	KVM Hypervisor = "kvm"
	Xen Hypervisor = "xen"
)

// Health is what is known of a host's fitness to run instances.
type Health string

// A host without a word on its health is taken as up.
const (
	Up   Health = "up"
	Sick Health = "sick" // answers, but must not receive instances
	Down Health = "down" // does not answer
)

// Host is one hypervisor machine.
type Host struct {
	ID string `yaml:"id" json:"id" form:"is=id"`
	// Pools it belongs to; the first is its home, whose reserve and limits count it.
	Pools      []string   `yaml:"pools" json:"pools"`
	Rack       string     `yaml:"rack,omitempty" json:"rack,omitempty"`
	Model      string     `yaml:"model,omitempty" json:"model,omitempty"` // of the machine, by the operator's own name
	Hypervisor Hypervisor `yaml:"hypervisor" json:"hypervisor" form:"enum=kvm|xen"`
	URI        string     `yaml:"uri,omitempty" json:"uri,omitempty"` // how the driver reaches it, e.g. qemu+tcp://10.0.0.1/system
	SSH        string     `yaml:"ssh,omitempty" json:"ssh,omitempty"` // user@address[:port] for host updates and guarded reboots
	// MemoryMiB is what instances can use in all (the hypervisor's own share taken off).
	MemoryMiB int64  `yaml:"memory_mib" json:"memory_mib" form:"min=1,unit=MiB"`
	CPUs      int    `yaml:"cpus,omitempty" json:"cpus,omitempty" form:"min=1"`
	CPUModel  string `yaml:"cpu_model,omitempty" json:"cpu_model,omitempty"`
	// CPUFeatures, MachineTypes, Networks and Storage say what an instance may ask for here;
	// an empty list means not known, and then forbids nothing.
	CPUFeatures  []string `yaml:"cpu_features,omitempty" json:"cpu_features,omitempty"`
	MachineTypes []string `yaml:"machine_types,omitempty" json:"machine_types,omitempty"`
	Networks     []string `yaml:"networks,omitempty" json:"networks,omitempty"`
	Storage      []string `yaml:"storage,omitempty" json:"storage,omitempty"`
	NICMbps      int64    `yaml:"nic_mbps,omitempty" json:"nic_mbps,omitempty" form:"min=1,unit=Mbit/s"`
	// Ecosystem is the distribution whose package versions Software gives, as the OSV schema names
	// it: Debian:12, Alpine:v3.20, Rocky Linux:9, XCP-ng:8.3. Empty: not known.
	Ecosystem string `yaml:"ecosystem,omitempty" json:"ecosystem,omitempty"`
	Arch      string `yaml:"arch,omitempty" json:"arch,omitempty"` // x86_64, aarch64
	CPU       CPU    `yaml:"cpu,omitempty" json:"cpu,omitzero"`
	// VirtCaps are a Xen host's virt_caps, as xl info gives them; nil: not read.
	VirtCaps []string `yaml:"virt_caps,omitempty" json:"virt_caps,omitempty"`
	// Config holds settings by which advisories decide, such as smt: "off".
	Config   map[string]string `yaml:"config,omitempty" json:"config,omitempty"`
	Spare    bool              `yaml:"spare,omitempty" json:"spare,omitempty"` // kept empty
	Health   Health            `yaml:"health,omitempty" json:"health,omitempty" form:"enum=up|sick|down"`
	BootID   string            `yaml:"boot_id,omitempty" json:"boot_id,omitempty"`
	Software Software          `yaml:"software,omitempty" json:"software,omitzero"`
	// Capabilities the driver published: live-migrate, live-patch, suspend, reboot, update.
	// nil means not published: then live-migrate, suspend, reboot and update are assumed.
	Capabilities []string  `yaml:"capabilities,omitempty" json:"capabilities,omitzero" form:"enum=live-migrate|live-patch|suspend|reboot|update"`
	Seen         time.Time `yaml:"seen,omitempty" json:"seen,omitzero"` // when the facts were read; Fleet.Taken when zero
}

// Software tells three facts apart, each a map from package to version:
// what lies on disk, what the host booted with, what its service runs now.
type Software struct {
	Installed map[string]string `yaml:"installed,omitempty" json:"installed,omitempty"`
	Booted    map[string]string `yaml:"booted,omitempty" json:"booted,omitempty"`
	Running   map[string]string `yaml:"running,omitempty" json:"running,omitempty"`
	// BuildID is the running hypervisor's, as xl info gives it; applying a live patch does not
	// change it.
	BuildID string `yaml:"build_id,omitempty" json:"build_id,omitempty"`
	// LivePatches of the running hypervisor and kernel. nil: not looked at; empty: there are none.
	LivePatches []LivePatch `yaml:"live_patches,omitempty" json:"live_patches,omitzero"`
	// Looked says when and how each layer was read: installed, booted, running, live_patches.
	// A layer that is not named was read with the rest (Host.Seen).
	Looked map[string]Sighting `yaml:"looked,omitempty" json:"looked,omitempty"`
}

// CPU is what /proc/cpuinfo says of a host's processors.
type CPU struct {
	Vendor    string `yaml:"vendor,omitempty" json:"vendor,omitempty"` // intel, amd, hygon, arm
	Family    int    `yaml:"family,omitempty" json:"family,omitempty" form:"min=0"`
	Model     int    `yaml:"model,omitempty" json:"model,omitempty" form:"min=0"`
	Microcode string `yaml:"microcode,omitempty" json:"microcode,omitempty"`
}

// LivePatch is one patch of running code.
type LivePatch struct {
	Name      string `yaml:"name" json:"name" form:"is=filled"`
	Component string `yaml:"component" json:"component" form:"enum=xen|linux"`
	// State: applied (its code runs), transition (a kernel patch that has not reached every task),
	// loaded (there, not applied).
	State string `yaml:"state" json:"state" form:"enum=applied|transition|loaded"`
}

// The states of a live patch.
const (
	PatchApplied    = "applied"
	PatchTransition = "transition"
	PatchLoaded     = "loaded"
)

// Sighting is when and how a fact was read.
type Sighting struct {
	At  time.Time `yaml:"at,omitempty" json:"at,omitzero"`
	How string    `yaml:"how,omitempty" json:"how,omitempty"` // such as dpkg-query over SSH
}

// The layers of Software.Looked.
const (
	LayerInstalled   = "installed"
	LayerBooted      = "booted"
	LayerRunning     = "running"
	LayerLivePatches = "live_patches"
)

// HostGroup is a set of hosts of which only so many may be away at once.
type HostGroup struct {
	ID             string   `yaml:"id" json:"id" form:"is=id"`
	Hosts          []string `yaml:"hosts" json:"hosts"`
	MaxUnavailable int      `yaml:"max_unavailable" json:"max_unavailable" form:"min=1"`
	// Windows and Freezes of its own narrow, for each of its hosts, those of the policy.
	Windows []Window `yaml:"windows,omitempty" json:"windows,omitempty"`
	Freezes []Freeze `yaml:"freezes,omitempty" json:"freezes,omitempty"`
}

// Tenant is a customer account.
type Tenant struct {
	ID          string    `yaml:"id" json:"id" form:"is=id"`
	Name        string    `yaml:"name,omitempty" json:"name,omitempty"`
	Contacts    []Contact `yaml:"contacts,omitempty" json:"contacts,omitempty"`
	Timezone    string    `yaml:"timezone,omitempty" json:"timezone,omitempty" form:"is=zone"` // IANA; UTC when empty
	SelfManaged bool      `yaml:"self_managed,omitempty" json:"self_managed,omitempty"`
	// Windows and Freezes of its own narrow those of the policy, for each turn that would interrupt
	// one of its instances.
	Windows []Window `yaml:"windows,omitempty" json:"windows,omitempty"`
	Freezes []Freeze `yaml:"freezes,omitempty" json:"freezes,omitempty"`
}

// Contact is one address at which a tenant is told; in order of preference.
type Contact struct {
	Email string `yaml:"email" json:"email" form:"is=email"`
}

// Group is a redundancy group: instances that do one job.
type Group struct {
	ID     string `yaml:"id" json:"id" form:"is=id"`
	Tenant string `yaml:"tenant,omitempty" json:"tenant,omitempty"`
	// Members are named here or by Instance.Group; Index.Members joins both.
	Members        []string `yaml:"members,omitempty" json:"members,omitempty"`
	MaxUnavailable int      `yaml:"max_unavailable,omitempty" json:"max_unavailable,omitempty" form:"min=1"` // 1 when absent
	// Spread: members may not share a host, rack or site.
	Spread Spread `yaml:"spread,omitempty" json:"spread,omitempty" form:"enum=host|rack|site"`
	// Together: its tenant asks that all members be interrupted in one slot; else plans avoid that.
	Together bool `yaml:"together,omitempty" json:"together,omitempty"`
}

// Spread is the domain that members of a group may not share.
type Spread string

// The spread domains; empty means none.
const (
	SpreadNone Spread = ""
	SpreadHost Spread = "host"
	SpreadRack Spread = "rack"
	SpreadSite Spread = "site"
)

// State of an instance.
type State string

// An instance without a word on its state is taken as running.
const (
	Running State = "running"
	Stopped State = "stopped"
	Paused  State = "paused"
)

// Instance is one virtual machine.
type Instance struct {
	ID        string `yaml:"id" json:"id" form:"is=id"`
	Host      string `yaml:"host" json:"host"`
	Tenant    string `yaml:"tenant,omitempty" json:"tenant,omitempty"`
	Group     string `yaml:"group,omitempty" json:"group,omitempty"`
	State     State  `yaml:"state,omitempty" json:"state,omitempty" form:"enum=running|stopped|paused"`
	MemoryMiB int64  `yaml:"memory_mib" json:"memory_mib" form:"min=1,unit=MiB"`
	VCPUs     int    `yaml:"vcpus,omitempty" json:"vcpus,omitempty" form:"min=1"`
	// DirtyMiBps is the rate at which it dirties memory, when known.
	DirtyMiBps  float64  `yaml:"dirty_mibps,omitempty" json:"dirty_mibps,omitempty" form:"min=0,unit=MiB/s"`
	GuestType   string   `yaml:"guest_type,omitempty" json:"guest_type,omitempty"` // hvm, pv, pvh
	CPUModel    string   `yaml:"cpu_model,omitempty" json:"cpu_model,omitempty"`
	CPUFeatures []string `yaml:"cpu_features,omitempty" json:"cpu_features,omitempty"`
	MachineType string   `yaml:"machine_type,omitempty" json:"machine_type,omitempty"`
	Networks    []string `yaml:"networks,omitempty" json:"networks,omitempty"`
	Storage     []string `yaml:"storage,omitempty" json:"storage,omitempty"`
	Disks       []Disk   `yaml:"disks,omitempty" json:"disks,omitempty"`
	Devices     []string `yaml:"devices,omitempty" json:"devices,omitempty"` // passed-through devices: none can move live
	// Pinned: it must stay on its host. The text is the reason, shown to people.
	Pinned string `yaml:"pinned,omitempty" json:"pinned,omitempty"`
	// Immovable lists why it cannot live-migrate, as the driver saw it.
	Immovable []Reason `yaml:"immovable,omitempty" json:"immovable,omitempty"`
	// NoSuspend: its state cannot be saved to disk.
	NoSuspend bool `yaml:"no_suspend,omitempty" json:"no_suspend,omitempty"`
	// Running is the software that it really runs on, as its own monitor tells (package -> version).
	Running map[string]string `yaml:"running,omitempty" json:"running,omitempty"`
	// Looked says when and how Running was read, when that was not with its host's facts.
	Looked Sighting `yaml:"looked,omitempty" json:"looked,omitzero"`
	// Config holds settings by which advisories decide, such as vnc-websocket: "on".
	Config map[string]string `yaml:"config,omitempty" json:"config,omitempty"`
	// Home is where it should be brought back to, when it is away for maintenance.
	Home string `yaml:"home,omitempty" json:"home,omitempty"`
}

// Disk is one block device of an instance.
type Disk struct {
	Name    string `yaml:"name" json:"name" form:"is=filled"`
	SizeMiB int64  `yaml:"size_mib,omitempty" json:"size_mib,omitempty" form:"min=1,unit=MiB"`
	Shared  bool   `yaml:"shared" json:"shared" form:"optional"` // reachable from every host of the pool
	Source  string `yaml:"source,omitempty" json:"source,omitempty"`
}

// Reason is a code with the sentence that explains it.
type Reason struct {
	Code string `yaml:"code" json:"code" form:"is=filled"`
	Why  string `yaml:"why,omitempty" json:"why,omitempty"`
}

// Why an instance cannot move, as codes.
const (
	LocalDisk       = "local-disk"
	DevicePassed    = "device-passthrough"
	PinnedToHost    = "pinned"
	NoLiveMigration = "no-live-migration" // the host's hypervisor cannot
	NoShadow        = "no-shadow"         // its Xen cannot follow the memory of a PV guest
	NoCommonPool    = "no-common-pool"
	CPUMismatch     = "cpu-mismatch"
	MachineMissing  = "machine-type-missing"
	NetworkMissing  = "network-missing"
	StorageMissing  = "storage-missing"
	OlderHypervisor = "older-hypervisor"
	OtherHypervisor = "other-hypervisor"
	HostUnfit       = "host-unfit"
	SpreadForbids   = "spread"
	NoRoom          = "no-room"
)
