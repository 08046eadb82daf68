package discover

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/form"
)

// merge joins what was seen with what base says. Base is believed on what people decide: ids, pools,
// racks, spares, SSH addresses, memory for instances, NIC rates; tenants, groups, homes, pins, which
// disks are shared. The driver is believed on what machines are: all the rest. Where it could not
// look at what hardly changes (features, ecosystem, processor, settings), what base says stands;
// versions and live patches change, and are never taken from base.
type merge struct {
	base     *fleet.Fleet
	opt      Options
	out      *fleet.Fleet
	hosts    map[string]*fleet.Host       // of base
	people   map[string]*fleet.Instance   // of base
	on       map[string][]*fleet.Instance // of base, by host
	names    map[string]string            // host's own name -> URI it was seen at
	at       map[string]int               // instance -> where it stands in out
	written  map[string]bool              // hosts that stand in out
	isDown   map[string]bool
	problems []Problem
	defaults bool // the default pool is in use
}

func newMerge(base *fleet.Fleet, o Options) *merge {
	o.Region, o.Site, o.Pool = cmp.Or(o.Region, "default"), cmp.Or(o.Site, "default"), cmp.Or(o.Pool, "default")
	m := &merge{
		base: base, opt: o,
		hosts: map[string]*fleet.Host{}, people: map[string]*fleet.Instance{}, on: map[string][]*fleet.Instance{},
		names: map[string]string{}, at: map[string]int{}, written: map[string]bool{}, isDown: map[string]bool{},
	}
	for i := range base.Hosts {
		m.hosts[base.Hosts[i].ID] = &base.Hosts[i]
	}
	for i := range base.Instances {
		in := &base.Instances[i]
		m.people[in.ID] = in
		m.on[in.Host] = append(m.on[in.Host], in)
	}
	m.out = &fleet.Fleet{
		Evenkeel: fleet.SchemaV1, Taken: base.Taken,
		Regions: slices.Clone(base.Regions), Sites: slices.Clone(base.Sites), Pools: slices.Clone(base.Pools),
		HostGroups: slices.Clone(base.HostGroups), Links: slices.Clone(base.Links), Tenants: slices.Clone(base.Tenants), Groups: slices.Clone(base.Groups),
	}
	return m
}

func (m *merge) problem(host, instance string, grave bool, why string) {
	m.problems = append(m.problems, Problem{Host: host, Instance: instance, Why: why, Grave: grave})
}

// host takes one look in.
func (m *merge) host(l look) {
	if l.err != nil {
		m.down(l)
		return
	}
	facts := *l.seen.Facts
	facts.Seen = whole(l.seen.At)
	facts.Software.Looked = wholeSightings(facts.Software.Looked)
	base := m.hosts[l.host.ID]
	if l.host.ID == "" {
		base = m.hosts[facts.ID]
	}
	if before, twice := m.names[facts.ID]; twice {
		m.problem(facts.ID, "", true, "it was reached as "+before+" and as "+facts.URI+"; or two hosts have one name. Only the first is written")
		return
	}
	m.names[facts.ID] = facts.URI
	facts.MemoryMiB = cmp.Or(m.opt.MemoryMiB, facts.MemoryMiB)
	if base != nil {
		believe(&facts, base)
	}
	m.place(&facts)
	if !form.Fits("id", facts.ID) {
		m.problem(facts.ID, "", true, "its name cannot be an id: name it in the base file, with its uri")
		return
	}
	for _, missing := range slices.Concat(l.seen.Missing, l.seen.Gaps) {
		m.problem(facts.ID, "", false, missing)
	}
	if facts.Seen.After(m.out.Taken) {
		m.out.Taken = facts.Seen
	}
	m.write(facts)
	for _, i := range l.seen.Instances {
		m.instance(facts.ID, i)
	}
}

// whole gives a time in whole seconds, as fleets are written.
func whole(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Second)
}

func wholeSightings(of map[string]fleet.Sighting) map[string]fleet.Sighting {
	out := maps.Clone(of)
	for layer, s := range out {
		out[layer] = fleet.Sighting{At: whole(s.At), How: s.How}
	}
	return out
}

// believe puts what people said of a host over what was seen.
func believe(h, base *fleet.Host) {
	h.ID, h.Pools, h.Rack, h.Spare = base.ID, slices.Clone(base.Pools), base.Rack, base.Spare
	h.SSH = cmp.Or(base.SSH, h.SSH)
	h.MemoryMiB = cmp.Or(base.MemoryMiB, h.MemoryMiB)
	h.NICMbps = cmp.Or(base.NICMbps, h.NICMbps)
	for _, list := range []struct{ seen, said *[]string }{
		{&h.CPUFeatures, &base.CPUFeatures}, {&h.MachineTypes, &base.MachineTypes}, {&h.Networks, &base.Networks}, {&h.Storage, &base.Storage}, {&h.VirtCaps, &base.VirtCaps},
	} {
		if len(*list.seen) == 0 { // not seen: then what people know counts
			*list.seen = slices.Clone(*list.said)
		}
	}
	h.Ecosystem, h.Arch, h.CPU = cmp.Or(h.Ecosystem, base.Ecosystem), cmp.Or(h.Arch, base.Arch), cmp.Or(h.CPU, base.CPU)
	h.Config = completed(h.Config, base.Config)
}

// completed is what was seen, and what people said of settings that were not seen.
func completed(seen, said map[string]string) map[string]string {
	if len(said) == 0 {
		return seen
	}
	all := maps.Clone(said)
	maps.Copy(all, seen)
	return all
}

func (m *merge) place(h *fleet.Host) {
	if len(h.Pools) == 0 {
		h.Pools = []string{m.opt.Pool}
		m.defaults = true
	}
}

// down keeps a host that did not answer, with what base says of it and its instances.
func (m *merge) down(l look) {
	var h fleet.Host
	if base := m.hosts[l.host.ID]; base != nil {
		h = *base
		m.asSaid(base.ID)
	} else {
		h = fleet.Host{ID: cmp.Or(l.host.ID, hostName(l.host.URI)), Hypervisor: hypervisorOf(l.host.URI), SSH: l.host.SSH, MemoryMiB: l.host.MemoryMiB}
	}
	why := "it is written as down: " + l.err.Error()
	if h.MemoryMiB <= 0 {
		h.MemoryMiB = 1
		why += "; its memory is not known, 1 MiB is written"
	}
	h.URI, h.Health, h.BootID, h.Software = l.host.URI, fleet.Down, "", fleet.Software{}
	m.place(&h)
	m.problem(h.ID, "", true, why)
	m.write(h)
}

// asSaid writes the instances that base puts on a host, unless they were seen elsewhere.
func (m *merge) asSaid(host string) {
	for _, i := range m.on[host] {
		if _, seen := m.at[i.ID]; !seen {
			m.put(*i)
		}
	}
}

// hypervisorOf is what the scheme of a URI speaks to.
func hypervisorOf(uri string) fleet.Hypervisor {
	if strings.HasPrefix(uri, "xen+") || strings.HasPrefix(uri, "xen:") {
		return fleet.Xen
	}
	return fleet.KVM
}

// hostName names a host by its URI when it cannot tell its name itself.
func hostName(uri string) string {
	if u, err := url.Parse(uri); err == nil && u.Hostname() != "" {
		return strings.ReplaceAll(u.Hostname(), "%", "-")
	}
	return "host"
}

// instance takes one instance of a host in.
func (m *merge) instance(host string, seen driver.InstanceSeen) {
	if seen.Incoming {
		m.problem(host, seen.ID, false, "it is arriving by a migration and is written where it still runs")
		return
	}
	in := fleet.Instance{ID: seen.ID, MemoryMiB: seen.MemoryMiB}
	if seen.Facts != nil {
		in = *seen.Facts
	}
	in.Host, in.State, in.Running = host, seen.State, seen.Running
	in.Looked = fleet.Sighting{At: whole(seen.Looked.At), How: seen.Looked.How}
	if !form.Fits("id", in.ID) {
		m.problem(host, in.ID, true, "its name cannot be an id, so it is left out: rename it, or nothing of Evenkeel can look after it")
		return
	}
	if in.MemoryMiB <= 0 {
		m.problem(host, in.ID, true, "its memory is not known, 1 MiB is written")
		in.MemoryMiB = 1
	}
	if base := m.people[in.ID]; base != nil {
		believeInstance(&in, base)
	}
	n, twice := m.at[in.ID]
	if !twice {
		m.put(in)
		return
	}
	// Two hosts have one of this name: the one that runs is written.
	other := &m.out.Instances[n]
	switch {
	case in.State == fleet.Stopped:
		m.problem(host, in.ID, false, "another copy, stopped; it is on "+other.Host+", too, and is written there")
	case other.State == fleet.Stopped || m.isDown[other.Host]:
		m.problem(other.Host, in.ID, m.isDown[other.Host], "another copy, not seen running; it is on "+host+", too, and is written there")
		*other = in
	default:
		m.problem(host, in.ID, true, "it runs here and on "+other.Host+": two instances of one name, or one that runs twice. Only that on "+other.Host+" is written")
	}
}

// put writes an instance that is not there yet.
func (m *merge) put(in fleet.Instance) {
	m.at[in.ID] = len(m.out.Instances)
	m.out.Instances = append(m.out.Instances, in)
}

func (m *merge) write(h fleet.Host) {
	m.written[h.ID] = true
	m.isDown[h.ID] = h.Health == fleet.Down
	m.out.Hosts = append(m.out.Hosts, h)
}

// believeInstance puts what people said of an instance over what was seen.
func believeInstance(in, base *fleet.Instance) {
	in.Tenant, in.Group, in.Home = cmp.Or(base.Tenant, in.Tenant), cmp.Or(base.Group, in.Group), cmp.Or(base.Home, in.Home)
	in.Pinned, in.NoSuspend = base.Pinned, in.NoSuspend || base.NoSuspend
	in.DirtyMiBps = cmp.Or(in.DirtyMiBps, base.DirtyMiBps)
	in.Config = completed(in.Config, base.Config)
	in.Disks = slices.Clone(in.Disks)
	for i := range in.Disks {
		for _, said := range base.Disks {
			if said.Name != in.Disks[i].Name {
				continue
			}
			in.Disks[i].SizeMiB = cmp.Or(in.Disks[i].SizeMiB, said.SizeMiB)
			if said.Shared && !in.Disks[i].Shared {
				in.Disks[i].Shared = true
				in.Immovable = withoutDisk(in.Immovable, said.Name)
			}
		}
	}
}

// withoutDisk drops the reason that one disk was; drivers begin it with the disk's name.
func withoutDisk(reasons []fleet.Reason, disk string) []fleet.Reason {
	return slices.DeleteFunc(slices.Clone(reasons), func(r fleet.Reason) bool {
		return r.Code == fleet.LocalDisk && strings.HasPrefix(r.Why, disk+": ")
	})
}
