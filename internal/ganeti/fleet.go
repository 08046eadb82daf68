package ganeti

import (
	"fmt"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/form"
)

// Terms are what the text does not say and a fleet must.
type Terms struct {
	Region, Site string // ids
	Timezone     string // IANA; empty: UTC
	Hypervisor   fleet.Hypervisor
	NICMbps      int64 // of each host; 0: not known
	Taken        time.Time
}

// Fleet makes a fleet of a cluster that was read without mistakes. The notes are for people: what the
// cluster says and the fleet cannot, and what was taken for granted.
//
// Node groups become pools, nodes hosts, exclusion tags groups whose members may not share a host. An
// instance on drbd can go to its secondary node and back, for no other host offers its storage; one
// on a plain or file disk cannot move; any other goes wherever its group is. A node that is offline is
// down, or sick when it still told its memory: that is one that was drained.
func (c *Cluster) Fleet(t Terms) (*fleet.Fleet, []string) {
	m := &making{c: c, t: t, on: map[string][]*Instance{}, pools: map[string]string{}, f: &fleet.Fleet{
		Evenkeel: fleet.SchemaV1, Taken: t.Taken,
		Regions: []fleet.Region{{ID: t.Region}}, Sites: []fleet.Site{{ID: t.Site, Region: t.Region, Timezone: t.Timezone}},
	}}
	for n := range c.Instances {
		i := &c.Instances[n]
		m.on[i.Primary] = append(m.on[i.Primary], i)
	}
	m.placeTags()
	m.poolsOf()
	m.storage()
	for n := range c.Nodes {
		m.host(&c.Nodes[n])
	}
	for n := range c.Instances {
		m.instance(&c.Instances[n])
	}
	m.exclusions()
	m.limits()
	return m.f, m.notes
}

// making is a fleet in the making.
type making struct {
	c     *Cluster
	t     Terms
	f     *fleet.Fleet
	notes []string
	on    map[string][]*Instance // node -> the instances whose primary it is
	pools map[string]string      // group uuid -> pool id
	// offers are the storages that each node offers, in a fixed order; bound is what only some nodes offer.
	offers map[string][]string
	tags   placeTags
}

func (m *making) note(format string, args ...any) {
	m.notes = append(m.notes, fmt.Sprintf(format, args...))
}

func (m *making) poolsOf() {
	taken := map[string]bool{}
	for _, g := range m.c.Groups {
		id := idOf(g.Name, taken)
		m.pools[g.UUID] = id
		m.f.Pools = append(m.f.Pools, fleet.Pool{ID: id, Site: m.t.Site})
	}
}

// idOf makes an id of a name: what an id cannot hold becomes a dash, and a number makes it one of its own.
func idOf(name string, taken map[string]bool) string {
	id := strings.Map(func(r rune) rune {
		if form.Fits("id", string(r)) {
			return r
		}
		return '-'
	}, name)
	if len(id) > 120 {
		id = id[:120]
	}
	free := id
	for n := 2; taken[free]; n++ {
		free = fmt.Sprintf("%s-%d", id, n)
	}
	taken[free] = true
	return free
}

// storage lists what each node offers: what every node reaches, what lies on it alone, and the disks of
// which it holds a copy. So no list is empty, which would forbid nothing.
func (m *making) storage() {
	m.offers = map[string][]string{}
	used := map[string]bool{}
	for _, i := range m.c.Instances {
		used[i.Template] = true
	}
	common := []string{"local"}
	for _, template := range templates {
		if used[template] && mirrored[template] == everywhere {
			common = append(common, template)
		}
	}
	for _, d := range m.c.Nodes {
		m.offers[d.Name] = append([]string{}, common...)
	}
	for _, i := range m.c.Instances {
		if mirrored[i.Template] == twice {
			for _, node := range []string{i.Primary, i.Secondary} {
				m.offers[node] = append(m.offers[node], copiesOf(i.Name))
			}
		}
	}
}

// copiesOf names the storage that an instance's two nodes share.
func copiesOf(instance string) string { return drbd + ":" + instance }

func (m *making) host(d *Node) {
	h := fleet.Host{
		ID: d.Name, Pools: []string{m.pools[d.Group]}, Rack: m.tags.rack[d.Name], Hypervisor: m.t.Hypervisor, NICMbps: m.t.NICMbps,
		MemoryMiB: m.memory(d), CPUs: int(d.CPUs), CPUFeatures: m.tags.offers[d.Name], Storage: m.offers[d.Name], Health: m.health(d),
	}
	if len(d.Tags) > 0 {
		h.Config = map[string]string{"ganeti-tags": comma(d.Tags)}
	}
	m.f.Hosts = append(m.f.Hosts, h)
}

// memory is what instances can use: that of those that run, and what the node says is free; at most all
// but the node's own share, where the two do not add up; never less than what runs there.
func (m *making) memory(d *Node) int64 {
	runs := int64(0)
	for _, i := range m.on[d.Name] {
		if state(i) != fleet.Stopped {
			runs += i.MemoryMiB
		}
	}
	if d.Unknown || d.TotalMiB == 0 {
		return max(1, runs)
	}
	return max(1, runs, min(runs+d.FreeMiB, d.TotalMiB-d.OwnMiB))
}

func (m *making) health(d *Node) fleet.Health {
	if d.Role != Offline && !d.Unknown {
		return ""
	}
	if d.Unknown || d.TotalMiB == 0 {
		return fleet.Down
	}
	for _, i := range m.on[d.Name] {
		if i.Status == nodeDown || i.Status == nodeOffline {
			return fleet.Down
		}
	}
	return fleet.Sick
}

// state: whether an instance runs whose node does not answer is not known. It counts as running, so that
// nothing takes its memory.
func state(i *Instance) fleet.State {
	switch i.Status {
	case running, errorUp, wrongNode, nodeDown:
		if !i.Forthcoming {
			return ""
		}
	}
	return fleet.Stopped
}

func (m *making) instance(i *Instance) {
	in := fleet.Instance{ID: i.Name, Host: i.Primary, State: state(i), MemoryMiB: i.MemoryMiB, VCPUs: int(i.VCPUs), CPUFeatures: m.tags.needs[i.Primary]}
	switch copies := mirrored[i.Template]; {
	case i.Template == "diskless":
	case copies == twice:
		in.Storage = []string{copiesOf(i.Name)}
	case copies == everywhere:
		in.Storage = []string{i.Template}
	}
	if i.Template != "diskless" {
		in.Disks = []fleet.Disk{{Name: i.Template, SizeMiB: i.DiskMiB, Shared: mirrored[i.Template] != nowhere}}
	}
	if i.Status == wrongNode {
		in.Immovable = []fleet.Reason{{Code: "wrong-node", Why: i.Name + " runs on another node than its primary one, " + i.Primary + ", and the text does not say on which"}}
	}
	if len(i.Tags) > 0 {
		in.Config = map[string]string{"ganeti-tags": comma(i.Tags)}
	}
	m.f.Instances = append(m.f.Instances, in)
}

// crowded notes nodes that get more memory than they say they have: what runs there has to fit, and a number that
// is wrong should not be used unsaid.
func (m *making) crowded() {
	var names []string
	for n := range m.c.Nodes {
		if d := &m.c.Nodes[n]; !d.Unknown && d.TotalMiB > 0 && m.memory(d) > d.TotalMiB {
			names = append(names, d.Name)
		}
	}
	if n := len(names); n > 0 {
		m.note("nodes whose instances take more memory than the node has: %d (%s%s); each gets what they take, and nothing can move there", n, strings.Join(names[:min(n, 5)], ", "), map[bool]string{true: ", ..."}[n > 5])
	}
}

// limits notes what the cluster says and the fleet does not.
func (m *making) limits() {
	count := map[string]int{}
	for _, i := range m.c.Instances {
		count[i.Template]++
		if i.Forthcoming {
			count["forthcoming"]++
		}
	}
	m.crowded()
	if n := count["plain"] + count["file"]; n > 0 {
		m.note("instances on a plain or file disk: %d; they cannot live-migrate (hroller lists a node for each all the same)", n)
	}
	if n := count[drbd]; n > 0 {
		m.note("instances on drbd: %d; each can go to its secondary node and back. That the copies catch up after a reboot is not waited for", n)
	}
	if n := count["forthcoming"]; n > 0 {
		m.note("forthcoming instances: %d; they do not exist yet, and stand as stopped", n)
	}
	for _, d := range m.c.Nodes {
		if d.Role == Master {
			m.note("%s is the master node: hroller takes it last, a fleet has no word for that", d.Name)
		}
	}
	if len(m.c.Policies) > 0 {
		m.note("instance policies: %d; they bound the sizes of new instances, and are left out", len(m.c.Policies))
	}
}
