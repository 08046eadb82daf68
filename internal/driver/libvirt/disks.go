package libvirt

import (
	"fmt"
	"strings"

	"libvirt.org/go/libvirtxml"

	"github.com/evenkeel/evenkeel/internal/driver/hostfacts"
	"github.com/evenkeel/evenkeel/internal/fleet"
)

// disksOf notes the disks and those that only its host reaches; it gives the plain files among them.
func disksOf(in *fleet.Instance, disks []libvirtxml.DomainDisk, at places) (files []string) {
	for _, d := range disks {
		if d.Source == nil {
			continue // an empty drive
		}
		disk := fleet.Disk{Name: "disk"}
		if d.Target != nil {
			disk.Name = d.Target.Dev
		}
		var why string
		disk.Source, disk.Shared, why = source(d.Source, at)
		if disk.Source == "" && disk.Shared {
			continue // a drive without a medium
		}
		if d.Source.File != nil {
			files = append(files, d.Source.File.File)
		}
		if v := d.Source.Volume; v != nil {
			add(&in.Storage, v.Pool)
		}
		in.Disks = append(in.Disks, disk)
		if disk.Shared {
			continue
		}
		if d.Device == "cdrom" || d.Device == "floppy" {
			why += "; eject it"
		}
		hinder(in, fleet.LocalDisk, "%s: %s", disk.Name, why)
	}
	return files
}

// source names where a disk lies, whether other hosts reach it, and if not, why that is thought.
func source(s *libvirtxml.DomainDiskSource, at places) (name string, shared bool, why string) {
	switch {
	case s.Network != nil:
		n := s.Network
		name = n.Protocol + ":" + n.Name
		if len(n.Hosts) > 0 && n.Hosts[0].Transport == "unix" {
			return name, false, "it is reached through a socket of its host"
		}
		if len(n.Hosts) > 0 && loopback(n.Hosts[0].Name) {
			return name, false, "it is served by its own host (" + n.Hosts[0].Name + ")"
		}
		return name, true, ""
	case s.Volume != nil:
		name = s.Volume.Pool + "/" + s.Volume.Volume
		if at.poolShared[s.Volume.Pool] {
			return name, true, ""
		}
		return name, false, fmt.Sprintf("nothing shows that the storage pool %s is shared", s.Volume.Pool)
	case s.File != nil && s.File.File == "":
		return "", true, ""
	case s.File != nil:
		kind, known := at.fileSystem[s.File.File]
		switch {
		case hostfacts.SharedFileSystem(kind):
			return s.File.File, true, ""
		case known:
			return s.File.File, false, fmt.Sprintf("%s lies on its host alone (%s)", s.File.File, kind)
		}
		return s.File.File, false, fmt.Sprintf("nothing shows that the file %s is on shared storage", s.File.File)
	case s.Block != nil:
		dev := s.Block.Dev
		if strings.HasPrefix(dev, "/dev/disk/by-path/") && (strings.Contains(dev, "-iscsi-") || strings.Contains(dev, "-fc-")) {
			return dev, true, ""
		}
		return dev, false, fmt.Sprintf("nothing shows that other hosts reach the block device %s", dev)
	case s.NVME != nil:
		return "nvme", false, "it is an NVMe device of its host"
	case s.Dir != nil:
		return s.Dir.Dir, false, fmt.Sprintf("the folder %s lies on its host alone", s.Dir.Dir)
	}
	return "device", false, "it is served by its own host"
}

func loopback(host string) bool {
	return host == "localhost" || strings.HasPrefix(host, "127.") || host == "::1"
}
