package xen

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/hostfacts"
	"github.com/evenkeel/evenkeel/internal/fleet"
)

// instances puts each domain, and each instance that only files tell of, into the contract's words.
// Dom0 is the host itself. The halves of a migration are parts of one instance, never two.
func (s *seen) instances(h driver.Host) {
	all := map[string]driver.InstanceSeen{}
	leaving := s.leaving()
	for _, d := range s.domains {
		i, ok := s.domain(d)
		if !ok {
			continue
		}
		i.Migrating = i.Migrating || !i.Incoming && leaving[i.ID]
		if before, twice := all[i.ID]; twice {
			i = joined(before, i)
		}
		all[i.ID] = i
	}
	resting, saved, odd := s.resting()
	for _, name := range slices.Sorted(maps.Keys(resting)) {
		if _, lives := all[name]; !lives {
			all[name] = stoppedOne(name, resting[name], saved[name])
		}
	}
	for _, name := range odd {
		s.miss("configuration %s: it names no instance", name)
	}
	s.Instances = []driver.InstanceSeen{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		i := all[name]
		i.Facts.Host, i.Facts.State = h.ID, i.State
		s.Instances = append(s.Instances, i)
	}
}

// domain is what one line of xl list tells of an instance; ok is false when it tells of none.
func (s *seen) domain(d endDomain) (i driver.InstanceSeen, ok bool) {
	c, has := s.configs[d.id]
	name := d.name
	if name == "(null)" { // not in xenstore yet, or not any more; libxl may know it
		name = c.Config.Create.Name
	}
	switch {
	case d.id == 0:
		return i, false
	case name == "" && d.state[5] == 'd':
		return i, false // what is left of one that ended
	case name == "":
		s.miss("domain %d: it has no name: it is being made, or destroyed", d.id)
		return i, false
	case !has && (name == "Xenstore" || s.deviceModel(name)):
		return i, false // a part of Xen's own
	}
	i = driver.InstanceSeen{ID: name, State: stateOf(d), MemoryMiB: d.memMiB}
	if of, arriving := strings.CutSuffix(name, suffixIncoming); arriving && of != "" {
		i.ID, i.Incoming = of, true
	} else if of, left := strings.CutSuffix(name, suffixAway); left && of != "" {
		i.ID, i.Migrating = of, true
	}
	if !has {
		i.Facts = &fleet.Instance{ID: i.ID, MemoryMiB: i.MemoryMiB}
		if !i.Incoming && !i.Migrating && d.state[5] != 'd' {
			s.miss("facts of %s: xl list -l does not show it", i.ID)
		}
		return i, true
	}
	i.MemoryMiB = max(i.MemoryMiB, c.mib())
	i.Facts = s.facts(i.ID, &c)
	i.Facts.MemoryMiB = i.MemoryMiB
	return i, true
}

// deviceModel: NAME-dm is the domain in which the device model of NAME runs.
func (s *seen) deviceModel(name string) bool {
	of, ok := strings.CutSuffix(name, "-dm")
	return ok && slices.ContainsFunc(s.domains, func(d endDomain) bool { return d.name == of })
}

func stateOf(d endDomain) fleet.State {
	switch d.where() {
	case driver.IsRunning:
		return fleet.Running
	case driver.IsStopped:
		return fleet.Stopped
	}
	return fleet.Paused
}

// joined is one instance of which two domains were seen: the one that lives most, which is leaving
// when the other is where it goes to or comes from.
func joined(a, b driver.InstanceSeen) driver.InstanceSeen {
	rank := func(i driver.InstanceSeen) int {
		return slices.Index([]fleet.State{fleet.Running, fleet.Paused, fleet.Stopped}, i.State)*2 + map[bool]int{true: 1}[i.Incoming]
	}
	if rank(b) < rank(a) {
		a, b = b, a
	}
	a.Migrating = a.Migrating || b.Migrating || b.Incoming
	return a
}

func stoppedOne(name string, r stopped, saved bool) driver.InstanceSeen {
	return driver.InstanceSeen{ID: name, State: fleet.Stopped, Saved: saved, MemoryMiB: r.mib,
		Facts: &fleet.Instance{ID: name, MemoryMiB: r.mib, VCPUs: r.vcpus, GuestType: r.guestType, Devices: r.devices}}
}

// leaving are the instances that `xl migrate` is sending away: xl [OPTION...] migrate [OPTION...]
// DOMAIN HOST.
func (s *seen) leaving() map[string]bool {
	names := map[string]bool{}
	for _, argv := range s.processes {
		at := slices.Index(argv, "migrate")
		if at < 1 || path.Base(argv[0]) != "xl" || len(argv)-at < 3 {
			continue
		}
		who := argv[len(argv)-2]
		if id, err := strconv.Atoi(who); err == nil {
			for _, d := range s.domains {
				if d.id == id {
					who = d.name
				}
			}
		}
		names[strings.TrimSuffix(who, suffixAway)] = true
	}
	return names
}

// facts is all that discovery can tell of a domain.
func (s *seen) facts(id string, c *config) *fleet.Instance {
	in := &fleet.Instance{ID: id, GuestType: c.Config.Create.Type, VCPUs: c.Config.Build.VCPUs, Devices: c.devices()}
	if len(in.Devices) > 0 {
		in.Immovable = append(in.Immovable, fleet.Reason{Code: fleet.DevicePassed, Why: "it holds the device " + in.Devices[0] + " of its host"})
	}
	for _, d := range c.Config.Disks {
		s.disk(in, d)
	}
	for _, n := range c.Config.NICs {
		if n.Bridge != "" && !slices.Contains(in.Networks, n.Bridge) {
			in.Networks = append(in.Networks, n.Bridge)
		}
	}
	if strings.EqualFold(c.Config.Build.DisableMigrate, "true") {
		in.Immovable = append(in.Immovable, fleet.Reason{Code: fleet.NoLiveMigration, Why: "its configuration says nomigrate"})
	}
	return in
}

// disk notes a disk; one that nothing shows to be reached from other hosts is a reason not to move.
func (s *seen) disk(in *fleet.Instance, d disk) {
	if d.Path == "" {
		return // a drive without a medium
	}
	disk := fleet.Disk{Name: cmp.Or(d.Device, "disk"), Source: d.Path}
	kind, known := s.dom0.FS[d.Path]
	why := ""
	switch {
	case d.BackendID != 0 || d.BackendName != "" && d.BackendName != "0" && d.BackendName != "Domain-0":
		why = "its backend is not in dom0 but in domain " + cmp.Or(d.BackendName, strconv.Itoa(d.BackendID))
	case d.Script != "":
		why = fmt.Sprintf("nothing shows that the script %s gives it on other hosts, too", d.Script)
	case onNetwork(d.Path):
		disk.Shared = true
	case strings.HasPrefix(d.Path, "/dev/") || d.Backend == "phy":
		why = "nothing shows that other hosts reach the block device " + d.Path
	case hostfacts.SharedFileSystem(kind):
		disk.Shared = true
	case known:
		why = fmt.Sprintf("%s lies on its host alone (%s)", d.Path, kind)
	default:
		why = fmt.Sprintf("nothing shows that the file %s is on shared storage", d.Path)
	}
	in.Disks = append(in.Disks, disk)
	if disk.Shared {
		return
	}
	if d.CDROM != 0 {
		why += "; eject it"
	}
	in.Immovable = append(in.Immovable, fleet.Reason{Code: fleet.LocalDisk, Why: disk.Name + ": " + why})
}

// onNetwork: the path says by itself that the device is reached over a network.
func onNetwork(p string) bool {
	return strings.HasPrefix(p, "/dev/disk/by-path/") && (strings.Contains(p, "-iscsi-") || strings.Contains(p, "-fc-")) ||
		strings.HasPrefix(p, "rbd:") || strings.HasPrefix(p, "/dev/rbd/")
}
