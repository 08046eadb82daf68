package libvirt

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"

	"libvirt.org/go/libvirtxml"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// metadata is the element that tells what libvirt cannot know of an instance:
//
//	<evenkeel:instance xmlns:evenkeel="https://evenkeel.dev/xmlns/libvirt/1" tenant="" group="" home=""/>
type metadata struct {
	Metadata struct {
		Instance struct {
			Tenant string `xml:"tenant,attr"`
			Group  string `xml:"group,attr"`
			Home   string `xml:"home,attr"`
		} `xml:"https://evenkeel.dev/xmlns/libvirt/1 instance"`
	} `xml:"metadata"`
}

// places answers what a domain's XML leaves open about its disks.
type places struct {
	poolShared map[string]bool   // storage pools known on the host
	fileSystem map[string]string // path -> kind of file system, as stat -f names it; absent: not known
}

// parseDomain reads a domain's XML into what discovery tells of an instance; Host, State and Running
// are for the caller. Files lists the paths of its disks that are plain files.
func parseDomain(doc string, at places) (in *fleet.Instance, files []string, err error) {
	var dom libvirtxml.Domain
	if err := unmarshal(&dom, doc); err != nil {
		return nil, nil, fmt.Errorf("domain XML: %w", err)
	}
	var meta metadata
	if err := xml.Unmarshal([]byte(doc), &meta); err != nil {
		return nil, nil, fmt.Errorf("domain XML: metadata: %w", err)
	}
	own := meta.Metadata.Instance
	in = &fleet.Instance{ID: dom.Name, Tenant: own.Tenant, Group: own.Group, Home: own.Home, MemoryMiB: memoryMiB(&dom)}
	if dom.VCPU != nil {
		in.VCPUs = int(dom.VCPU.Value)
	}
	if dom.OS != nil && dom.OS.Type != nil {
		in.GuestType, in.MachineType = dom.OS.Type.Type, dom.OS.Type.Machine
	}
	cpuOf(in, dom.CPU)
	if dom.LaunchSecurity != nil {
		hinder(in, fleet.NoLiveMigration, "its memory is encrypted (launch security)")
		in.NoSuspend = true
	}
	if dom.Devices != nil {
		files = disksOf(in, dom.Devices.Disks, at)
		networksOf(in, dom.Devices.Interfaces)
		devicesOf(in, dom.Devices)
	}
	if on, known := vncWebSocket(&dom); known {
		in.Config = map[string]string{"vnc-websocket": on}
	}
	return in, files, nil
}

// vncWebSocket says whether the guest's QEMU offers its screen over a web socket; not known where it
// is given arguments of its own, past libvirt.
func vncWebSocket(dom *libvirtxml.Domain) (on string, known bool) {
	if c := dom.QEMUCommandline; c != nil && len(c.Args) > 0 {
		return "", false
	}
	if dom.Devices != nil {
		for _, g := range dom.Devices.Graphics {
			if g.VNC != nil && g.VNC.WebSocket != 0 { // -1: a port of libvirt's choice
				return "on", true
			}
		}
	}
	return "off", true
}

// unmarshal keeps a document that the XML library trips over from taking the process down.
func unmarshal(v interface{ Unmarshal(string) error }, doc string) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("cannot be read: %v", r)
		}
	}()
	return v.Unmarshal(doc)
}

func hinder(in *fleet.Instance, code, format string, args ...any) {
	in.Immovable = append(in.Immovable, fleet.Reason{Code: code, Why: fmt.Sprintf(format, args...)})
}

// memoryMiB is the full size of a guest, balloon or not. libvirt itself always writes KiB.
func memoryMiB(dom *libvirtxml.Domain) int64 {
	if dom.Memory == nil {
		return 0
	}
	bytes := map[string]uint64{"b": 1, "bytes": 1, "": 1 << 10, "k": 1 << 10, "KiB": 1 << 10, "KB": 1e3, "M": 1 << 20, "MiB": 1 << 20, "MB": 1e6,
		"G": 1 << 30, "GiB": 1 << 30, "GB": 1e9, "T": 1 << 40, "TiB": 1 << 40, "TB": 1e12}[dom.Memory.Unit]
	const most = 1 << 50 // a pebibyte: beyond it the number is a mistake
	if bytes == 0 || uint64(dom.Memory.Value) > most/bytes {
		return 0
	}
	return int64((uint64(dom.Memory.Value)*bytes + 1<<20 - 1) >> 20)
}

func cpuOf(in *fleet.Instance, cpu *libvirtxml.DomainCPU) {
	if cpu == nil {
		return
	}
	switch {
	case cpu.Mode == "" || cpu.Mode == "custom":
		if cpu.Model != nil {
			in.CPUModel = strings.TrimSpace(cpu.Model.Value)
		}
	default:
		in.CPUModel = cpu.Mode
	}
	for _, f := range cpu.Features {
		if f.Policy != "require" && f.Policy != "force" && f.Policy != "" {
			continue
		}
		if f.Name == "invtsc" {
			hinder(in, fleet.NoLiveMigration, "its CPU has the feature invtsc, with which QEMU does not migrate")
		}
		in.CPUFeatures = append(in.CPUFeatures, f.Name)
	}
	slices.Sort(in.CPUFeatures)
}

func networksOf(in *fleet.Instance, nics []libvirtxml.DomainInterface) {
	for _, n := range nics {
		if n.Source == nil {
			continue
		}
		switch s := n.Source; {
		case s.Network != nil:
			add(&in.Networks, s.Network.Network)
		case s.Bridge != nil:
			add(&in.Networks, s.Bridge.Bridge)
		case s.Direct != nil:
			add(&in.Networks, s.Direct.Dev)
		case s.Hostdev != nil && !standsBack(n.Teaming):
			device(in, "network device", pciOf(s.Hostdev.PCI))
		case s.VDPA != nil:
			device(in, "vdpa", s.VDPA.Device)
		}
	}
	slices.Sort(in.Networks)
}

// standsBack: libvirt unplugs such a device for a migration, its twin carries on.
func standsBack(t *libvirtxml.DomainInterfaceTeaming) bool { return t != nil && t.Type == "transient" }

// add puts a name that is not there yet.
func add(list *[]string, name string) {
	if name != "" && !slices.Contains(*list, name) {
		*list = append(*list, name)
	}
}

// device notes a device of the host that the guest holds: it can neither move nor be saved.
func device(in *fleet.Instance, kind, name string) {
	what := strings.TrimSpace(kind + " " + name)
	add(&in.Devices, what)
	hinder(in, fleet.DevicePassed, "it holds its host's %s", what)
	in.NoSuspend = true
}

func devicesOf(in *fleet.Instance, devs *libvirtxml.DomainDeviceList) {
	for _, h := range devs.Hostdevs {
		switch {
		case h.SubsysPCI != nil && standsBack(h.SubsysPCI.Teaming):
		case h.SubsysPCI != nil && h.SubsysPCI.Source != nil:
			device(in, "pci", address4(h.SubsysPCI.Source.Address))
		case h.SubsysUSB != nil && h.SubsysUSB.Source != nil && h.SubsysUSB.Source.Address != nil:
			a := h.SubsysUSB.Source.Address
			device(in, "usb", fmt.Sprintf("%s:%s", number0(a.Bus), a.Port))
		case h.SubsysUSB != nil:
			device(in, "usb", "")
		case h.SubsysMDev != nil && h.SubsysMDev.Source != nil && h.SubsysMDev.Source.Address != nil:
			device(in, "mdev", h.SubsysMDev.Source.Address.UUID)
		case h.SubsysSCSI != nil && h.SubsysSCSI.Source != nil && h.SubsysSCSI.Source.ISCSI != nil:
			// reached over the network from anywhere
		default:
			device(in, "device", "")
		}
	}
	for range devs.Filesystems {
		hinder(in, fleet.NoLiveMigration, "a folder of its host is mounted in it")
		in.NoSuspend = true
	}
	for _, s := range devs.Shmems {
		if s.Role != "master" {
			hinder(in, fleet.NoLiveMigration, "it shares memory with others on its host (%s)", s.Name)
		}
	}
	for _, t := range devs.TPMs {
		if t.Backend != nil && t.Backend.Passthrough != nil {
			device(in, "tpm", "")
		}
	}
}

func pciOf(s *libvirtxml.DomainHostdevSubsysPCISource) string {
	if s == nil {
		return ""
	}
	return address4(s.Address)
}

func address4(a *libvirtxml.DomainAddressPCI) string {
	if a == nil {
		return ""
	}
	n := func(p *uint) uint {
		if p == nil {
			return 0
		}
		return *p
	}
	return fmt.Sprintf("%04x:%02x:%02x.%x", n(a.Domain), n(a.Bus), n(a.Slot), n(a.Function))
}

func number0(p *uint) string {
	if p == nil {
		return "0"
	}
	return fmt.Sprint(*p)
}
