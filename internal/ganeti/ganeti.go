// Package ganeti reads and writes Ganeti's text form of a cluster, as hscan
// writes it and as hroller -t and the other htools read it, and makes a fleet
// of it, so that both can plan for the same machines.
//
// It never asks a cluster and never guesses: each line that cannot be read is
// a mistake with its place, and what a fleet has no words for is told, in a
// list of notes. It makes no plan.
//
// Start reading at Parse, then Cluster.Fleet. The form is that of the man page
// htools(1), at its option -t: five sections (node groups, nodes, instances,
// cluster tags, instance policies) with an empty line between two of them and
// columns set apart by a bar. Trailing columns may be missing, for they came with later
// versions. Units: memory and disks in MiB.
package ganeti

// Cluster is one text, read.
type Cluster struct {
	Groups    []Group
	Nodes     []Node
	Instances []Instance
	Tags      []string // of the cluster
	Policies  []string // lines of the instance policies, which are checked and kept as they are
}

// Group is a node group: nodes that are one another's candidates.
type Group struct {
	Name, UUID  string
	AllocPolicy string // preferred, last_resort or unallocable
	Tags        []string
	Networks    []string // UUIDs
}

// Role of a node.
type Role string

// The roles. A node that is drained, or that cannot hold instances, is written as offline too.
const (
	Online  Role = "N"
	Master  Role = "M"
	Offline Role = "Y"
)

// Node is one hypervisor machine.
type Node struct {
	Name                      string
	Unknown                   bool  // its sizes are written as ?, for it did not answer
	TotalMiB, OwnMiB, FreeMiB int64 // own: used by the node itself
	DiskMiB, FreeDiskMiB      int64
	CPUs                      int64
	Role                      Role
	Group                     string // UUID
	Spindles                  int64
	Tags                      []string
	ExclusiveStorage          bool
	FreeSpindles, OwnCPUs     int64
	CPUSpeed                  float64 // relative to a standard node of its group
}

// Instance is one virtual machine.
type Instance struct {
	Name        string
	MemoryMiB   int64
	DiskMiB     int64
	VCPUs       int64
	Status      string
	AutoBalance bool
	Primary     string // the node that it runs on
	Secondary   string // the node that holds its second copy; drbd only
	Template    string // of its disks
	Tags        []string
	SpindleUse  int64
	Spindles    int64 // -1: not counted
	Forthcoming bool  // only reserved: it does not exist yet
}

// drbd is the one disk template whose copies lie on two nodes.
const drbd = "drbd"

// mirrored says of each disk template where its data can be reached.
var mirrored = map[string]mirror{
	"diskless": everywhere, "sharedfile": everywhere, "gluster": everywhere, "blockdev": everywhere, "rbd": everywhere, "ext": everywhere,
	"file": nowhere, "plain": nowhere,
	drbd: twice,
}

// mirror is where the data of a disk can be reached.
type mirror int

const (
	nowhere    mirror = iota // on its node alone
	twice                    // on its primary and its secondary node
	everywhere               // on each node of the group
)

// templates are the disk templates, in the order in which messages name them.
var templates = []string{"diskless", "file", "sharedfile", "plain", "blockdev", drbd, "rbd", "ext", "gluster"}

// The statuses of an instance, in the order in which messages name them.
const (
	running     = "running"
	adminDown   = "ADMIN_down"
	adminOff    = "ADMIN_offline"
	userDown    = "USER_down"
	errorUp     = "ERROR_up"          // runs, though it should not
	errorDown   = "ERROR_down"        // does not run, though it should
	nodeDown    = "ERROR_nodedown"    // its node does not answer
	nodeOffline = "ERROR_nodeoffline" // its node was declared offline
	wrongNode   = "ERROR_wrongnode"   // runs, but not on its primary node
)

var statuses = []string{running, adminDown, adminOff, userDown, errorUp, errorDown, nodeDown, nodeOffline, wrongNode}

var allocPolicies = []string{"preferred", "last_resort", "unallocable"}
