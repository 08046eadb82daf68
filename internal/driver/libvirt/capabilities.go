package libvirt

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"slices"

	golibvirt "github.com/digitalocean/go-libvirt"
	"libvirt.org/go/libvirtxml"
)

// ability is what a host's capabilities say of the guests that it can run.
type ability struct {
	uuid     string
	cpuModel string
	arch     string
	virt     string // kvm, or qemu where it only emulates
	emulator string
	machines []string
	live     bool // live migration
}

// parseCapabilities finds what the host offers to full virtual machines of its own architecture. An
// error means that it can start none: its QEMU is missing or broken.
func parseCapabilities(doc string) (ability, error) {
	var caps libvirtxml.Caps
	if err := xml.Unmarshal([]byte(doc), &caps); err != nil {
		return ability{}, fmt.Errorf("capabilities: %w", err)
	}
	a := ability{uuid: caps.Host.UUID, arch: "x86_64"}
	if cpu := caps.Host.CPU; cpu != nil {
		a.cpuModel = cpu.Model
		if cpu.Arch != "" {
			a.arch = cpu.Arch
		}
	}
	if m := caps.Host.MigrationFeatures; m != nil {
		a.live = m.Live != nil
	}
	for _, g := range caps.Guests {
		if g.OSType != "hvm" || g.Arch.Name != a.arch {
			continue
		}
		a.emulator = g.Arch.Emulator
		a.addMachines(g.Arch.Machines)
		for _, d := range g.Arch.Domains {
			a.addMachines(d.Machines)
			if a.virt == "" || d.Type == "kvm" {
				a.virt = d.Type
				if d.Emulator != "" {
					a.emulator = d.Emulator
				}
			}
		}
	}
	slices.Sort(a.machines)
	if a.virt == "" || a.emulator == "" {
		return a, errors.New("its QEMU can run no guest of architecture " + a.arch + ": it is missing or broken")
	}
	return a, nil
}

func (a *ability) addMachines(ms []libvirtxml.CapsGuestMachine) {
	for _, m := range ms {
		add(&a.machines, m.Canonical)
		add(&a.machines, m.Name)
	}
}

// cpuFeatures asks for every CPU feature that a guest can have on the host: its best model spelled
// out. The capabilities alone list only what goes beyond a named model.
func cpuFeatures(ctx context.Context, c *conn, a ability) ([]string, error) {
	emulator, arch, virt := golibvirt.OptString{a.emulator}, golibvirt.OptString{a.arch}, golibvirt.OptString{a.virt}
	doc, err := short(ctx, c, func(l *golibvirt.Libvirt) (string, error) {
		doc, err := l.ConnectGetDomainCapabilities(emulator, arch, nil, virt, 0)
		if err != nil {
			return "", err
		}
		cpu, err := bestCPU(doc, a.arch)
		if err != nil {
			return "", err
		}
		return l.ConnectBaselineHypervisorCPU(emulator, arch, nil, virt, []string{cpu}, uint32(golibvirt.ConnectBaselineCPUExpandFeatures))
	})
	if err != nil {
		return nil, err
	}
	return featureNames(doc)
}

// bestCPU writes the domain capabilities' host-model as a CPU of its own.
func bestCPU(doc, arch string) (string, error) {
	var caps libvirtxml.DomainCaps
	if err := xml.Unmarshal([]byte(doc), &caps); err != nil {
		return "", fmt.Errorf("domain capabilities: %w", err)
	}
	if caps.CPU == nil {
		return "", errors.New("domain capabilities name no CPU")
	}
	for _, m := range caps.CPU.Modes {
		if m.Name != "host-model" || m.Supported != "yes" || len(m.Models) == 0 {
			continue
		}
		cpu := libvirtxml.DomainCPU{XMLName: xml.Name{Local: "cpu"}, Model: &libvirtxml.DomainCPUModel{Value: m.Models[0].Name}, Vendor: m.Vendor}
		for _, f := range m.Features {
			cpu.Features = append(cpu.Features, libvirtxml.DomainCPUFeature(f))
		}
		b, err := xml.Marshal(struct {
			XMLName xml.Name `xml:"cpu"`
			Arch    string   `xml:"arch,omitempty"`
			*libvirtxml.DomainCPU
		}{Arch: arch, DomainCPU: &cpu})
		return string(b), err
	}
	return "", errors.New("domain capabilities offer no host-model CPU")
}

// featureNames lists what a CPU description requires.
func featureNames(doc string) ([]string, error) {
	var cpu struct {
		Features []libvirtxml.DomainCPUFeature `xml:"feature"`
	}
	if err := xml.Unmarshal([]byte(doc), &cpu); err != nil {
		return nil, fmt.Errorf("CPU description: %w", err)
	}
	var names []string
	for _, f := range cpu.Features {
		if f.Policy == "require" || f.Policy == "" || f.Policy == "force" {
			add(&names, f.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// sharedPools tells, for each active storage pool, whether other hosts reach it by its kind.
func sharedPools(l *golibvirt.Libvirt) (map[string]bool, error) {
	pools, _, err := l.ConnectListAllStoragePools(1, golibvirt.ConnectListStoragePoolsActive)
	if err != nil {
		return nil, err
	}
	shared := map[string]bool{}
	for _, p := range pools {
		doc, err := l.StoragePoolGetXMLDesc(p, 0)
		if err != nil {
			return nil, err
		}
		var pool struct {
			Type string `xml:"type,attr"`
		}
		if err := xml.Unmarshal([]byte(doc), &pool); err != nil {
			return nil, fmt.Errorf("storage pool %s: %w", p.Name, err)
		}
		switch pool.Type {
		case "netfs", "iscsi", "iscsi-direct", "rbd", "sheepdog", "gluster", "mpath":
			shared[p.Name] = true
		default:
			shared[p.Name] = false
		}
	}
	return shared, nil
}

// activeNetworks names libvirt's own networks that are up.
func activeNetworks(l *golibvirt.Libvirt) ([]string, error) {
	nets, _, err := l.ConnectListAllNetworks(1, golibvirt.ConnectListNetworksActive)
	var names []string
	for _, n := range nets {
		add(&names, n.Name)
	}
	return names, err
}
